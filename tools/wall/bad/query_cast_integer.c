/* wall: pointer-cast as=src/wire/sample.c expect=PointerToIntegral
 * A pointer taken for a number. */
uintptr_t adit_sample(const uint8_t *bytes);
uintptr_t adit_sample(const uint8_t *bytes)
{
    return (uintptr_t)bytes;
}
