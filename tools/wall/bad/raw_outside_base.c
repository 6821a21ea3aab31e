/* wall: raw-outside-base as=src/net/sample.c
 * A raw region outside base. */
static int third(const int *numbers)
{
    ADIT_UNSAFE_BEGIN("the caller promised three")
    return numbers[2];
    ADIT_UNSAFE_END
}
