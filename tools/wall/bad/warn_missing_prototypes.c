/* wall: compiler as=src/wire/sample.c expect=missing-prototypes
 * A function that no header declares. */
int adit_sample(void)
{
    return 1;
}
