/* wall: raw-outside-base as=src/base/sample_test.c
 * A raw region in a test of base. */
static int third(const int *numbers)
{
    ADIT_UNSAFE_BEGIN("it is only a test, after all")
    return numbers[2];
    ADIT_UNSAFE_END
}
