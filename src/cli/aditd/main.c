/* aditd: the server's command. `serve` is the supervisor; the other commands work beside a running
 * server and without one. */
#include "cli/aditd/command.h"
#include "net/socket.h"

#define PLACEHOLDERS_MAX 4 /* descriptors 0 to 2, and one more that is given back */

/* Descriptors 0 to 2 are taken, whatever the caller closed: none of ours may land there. */
static void standard_fill(void)
{
    for (size_t i = 0; i < PLACEHOLDERS_MAX; i++) {
        int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (fd > STDERR_FILENO) {
            adit_socket_close(&fd);
            return;
        }
    }
}

int main(int argc, char **argv)
{
    standard_fill();
    return adit_aditd_run((size_t)argc, argv);
}
