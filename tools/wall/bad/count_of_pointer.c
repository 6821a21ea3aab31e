/* wall: compiler as=src/wire/sample.c by=gcc expect=ADIT_COUNT|sizeof-pointer-div
 * The size of an array asked of a pointer. */
size_t adit_sample(const int *numbers);
size_t adit_sample(const int *numbers)
{
    return ADIT_COUNT(numbers);
}
