/* wall: byte-pointer as=src/wire/sample.c expect=VarDecl
 * A buffer taken for a struct without a cast, by way of void *. */
struct head {
    uint8_t kind;
};
const struct head *adit_sample(struct adit_bytes bytes);
const struct head *adit_sample(struct adit_bytes bytes)
{
    const void *memory = bytes.ptr;
    const struct head *head = memory;
    return head;
}
