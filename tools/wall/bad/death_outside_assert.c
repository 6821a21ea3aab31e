/* wall: death as=src/wire/sample.c expect=abort
 * The end of the process by a name that poison cannot see. */
_Noreturn void stop(void) __asm__("abort");
void adit_sample(void);
void adit_sample(void)
{
    stop();
}
