/* wall: globals as=src/wire/sample.c expect=.bss
 * A static counter. */
int adit_sample(void);
int adit_sample(void)
{
    static int calls;
    calls++;
    return calls;
}
