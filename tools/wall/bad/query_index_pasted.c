/* wall: pointer-index as=src/wire/sample.c
 * An index whose first token is pasted together, so that it is spelled in no file. */
#define ADIT_SAMPLE_JOIN(a, b) a##b
int adit_sample(const int *numbers);
int adit_sample(const int *numbers)
{
    return ADIT_SAMPLE_JOIN(num, bers)[1];
}
