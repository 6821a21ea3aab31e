/* wall: imports as=src/mux/sample.c expect=adit_clock_now_us
 * The pure state machine reads the clock of base. */
uint64_t adit_sample(void);
uint64_t adit_sample(void)
{
    return adit_clock_now_us();
}
