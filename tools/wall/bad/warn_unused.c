/* wall: compiler as=src/wire/sample.c expect=unused-variable
 * A variable that is not used. */
int adit_sample(void);
int adit_sample(void)
{
    int nothing;
    return 1;
}
