/* wall: pointer-arithmetic as=src/wire/sample.c expect='++'
 * A step of a pointer. */
const int *adit_sample(const int *numbers);
const int *adit_sample(const int *numbers)
{
    numbers++;
    return numbers;
}
