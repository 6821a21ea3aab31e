/* wall: pointer-arithmetic as=src/wire/sample.c expect='+'
 * Arithmetic on a pointer. */
const int *adit_sample(const int *numbers);
const int *adit_sample(const int *numbers)
{
    return numbers + 1;
}
