/* wall: imports as=src/wire/sample.c expect=time
 * A codec that reads the clock, declared by hand so that no header is needed. */
long time(long *out_time);
long adit_sample(void);
long adit_sample(void)
{
    return time(0);
}
