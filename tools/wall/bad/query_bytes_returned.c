/* wall: byte-pointer as=src/wire/sample.c expect=ReturnStmt
 * A buffer that leaves a function as void *. */
const void *adit_sample(struct adit_bytes bytes);
const void *adit_sample(struct adit_bytes bytes)
{
    return bytes.ptr;
}
