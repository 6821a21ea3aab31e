/* wall: compiler as=src/wire/sample.c expect=date-time
 * The time of the build in the program. */
const char *adit_sample(void);
const char *adit_sample(void)
{
    return __DATE__;
}
