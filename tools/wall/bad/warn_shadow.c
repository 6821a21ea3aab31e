/* wall: compiler as=src/wire/sample.c expect=shadow
 * A name that hides another. */
int adit_sample(int value);
int adit_sample(int value)
{
    int sum = 0;
    for (int i = 0; i < value; i++) {
        int sum = i;
        (void)sum;
    }
    return sum;
}
