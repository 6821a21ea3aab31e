/* wall: compiler as=src/wire/sample.c by=clang expect=-Wunsafe-buffer-usage
 * A macro of another folder that holds an index is refused where it is used. */
#define ADIT_SAMPLE_FIRST(pointer) ((pointer)[1])
int adit_sample(const int *numbers);
int adit_sample(const int *numbers)
{
    return ADIT_SAMPLE_FIRST(numbers);
}
