/* wall: compiler as=src/wire/sample.c by=clang expect=-Wunsafe-buffer-usage
 * The compiler refuses arithmetic on a pointer. */
const int *adit_sample(const int *numbers);
const int *adit_sample(const int *numbers)
{
    return numbers + 1;
}
