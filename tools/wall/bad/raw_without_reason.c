/* wall: raw-region as=src/base/sample.c expect=reason
 * A region that does not say why it is safe. */
static int third(const int *numbers)
{
    ADIT_UNSAFE_BEGIN("ok")
    return numbers[2];
    ADIT_UNSAFE_END
}
