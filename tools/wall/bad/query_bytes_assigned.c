/* wall: byte-pointer as=src/wire/sample.c expect=BinaryOperator
 * A buffer taken for a struct without a cast, by way of void *. */
struct head {
    uint8_t kind;
};
const struct head *adit_sample(struct adit_bytes bytes);
const struct head *adit_sample(struct adit_bytes bytes)
{
    const void *memory = 0;
    memory = bytes.ptr;
    return memory;
}
