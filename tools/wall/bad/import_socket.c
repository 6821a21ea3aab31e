/* wall: imports as=src/wire/sample.c expect=socket
 * A codec that opens a socket. */
int socket(int domain, int type, int protocol);
int adit_sample(void);
int adit_sample(void)
{
    return socket(2, 1, 0);
}
