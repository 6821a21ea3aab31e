/* wall: compiler as=src/wire/sample.c by=clang expect=-Wunsafe-buffer-usage
 * The compiler refuses an index on a pointer. */
int adit_sample(const int *numbers);
int adit_sample(const int *numbers)
{
    return numbers[1];
}
