/* wall: compiler as=src/wire/sample.c by=gcc expect=bidi-chars
 * Text whose order on the screen is not its order in the file. */
/* ‮ reversed ‬ */
int adit_sample(void);
int adit_sample(void)
{
    return 1;
}
