/* wall: pointer-cast as=src/wire/sample.c
 * A buffer taken for a struct. */
struct head {
    uint8_t kind;
};
const struct head *adit_sample(const uint8_t *bytes);
const struct head *adit_sample(const uint8_t *bytes)
{
    return (const struct head *)bytes;
}
