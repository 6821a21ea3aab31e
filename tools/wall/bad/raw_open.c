/* wall: raw-region as=src/base/sample.c expect=not_closed
 * A region that is never closed covers the rest of the file. */
static int third(const int *numbers)
{
    ADIT_UNSAFE_BEGIN("the caller promised three")
    return numbers[2];
}
