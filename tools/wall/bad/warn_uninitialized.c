/* wall: compiler as=src/wire/sample.c by=clang expect=uninitialized
 * A value that is read before it is set, on one way. */
int adit_sample(int value);
int adit_sample(int value)
{
    int result;
    if (value > 3) {
        result = 1;
    }
    return result;
}
