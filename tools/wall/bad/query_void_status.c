/* wall: void-status as=src/wire/sample.c
 * A status dropped by a cast. */
void adit_sample(struct adit_writer *writer);
void adit_sample(struct adit_writer *writer)
{
    (void)adit_write_u8(writer, 1);
}
