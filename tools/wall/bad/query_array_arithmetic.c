/* wall: pointer-arithmetic as=src/wire/sample.c
 * Arithmetic on an array that decays, inside the argument of ADIT_SLOT. */
int adit_sample(void);
int adit_sample(void)
{
    static const int numbers[4] = {1, 2, 3, 4};
    return ADIT_SLOT(numbers + 2, 3, 1);
}
