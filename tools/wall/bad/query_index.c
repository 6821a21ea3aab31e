/* wall: pointer-index as=src/wire/sample.c
 * An index on a pointer. */
int adit_sample(const int *numbers);
int adit_sample(const int *numbers)
{
    return numbers[1];
}
