/* wall: compiler as=src/wire/sample.c by=clang expect=-Wunsafe-buffer-usage
 * The compiler refuses an index that is not constant, even in an array. */
int adit_sample(unsigned i);
int adit_sample(unsigned i)
{
    static const int numbers[4] = {1, 2, 3, 4};
    return numbers[i];
}
