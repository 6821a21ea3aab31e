/* wall: pointer-compare as=src/wire/sample.c
 * An order of two pointers: the end of a loop that moves one. */
bool adit_sample(const int *a, const int *b);
bool adit_sample(const int *a, const int *b)
{
    return a < b;
}
