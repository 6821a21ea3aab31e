/* wall: void-status as=src/wire/sample.c
 * A status dropped by way of a variable. */
void adit_sample(struct adit_writer *writer);
void adit_sample(struct adit_writer *writer)
{
    struct adit_status status = adit_write_u8(writer, 1);
    (void)status;
}
