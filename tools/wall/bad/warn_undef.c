/* wall: compiler as=src/wire/sample.c expect=undef
 * A test of a macro that nobody defined. */
#if ADIT_SAMPLE_OF_A_MACRO
#endif
int adit_sample(void);
int adit_sample(void)
{
    return 1;
}
