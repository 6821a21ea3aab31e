#include "base/reader.h"

struct adit_status adit_read_bytes(struct adit_reader *reader, size_t count,
                                   struct adit_bytes *out_bytes)
{
    ADIT_ENSURE(count <= reader->rest.len, INVALID, "the input ends too early");
    *out_bytes = adit_bytes_first(reader->rest, count);
    reader->rest = adit_bytes_from(reader->rest, count);
    return adit_ok();
}

/* Reads a big-endian number of `width` bytes, at most 8. */
static struct adit_status read_number(struct adit_reader *reader, size_t width, uint64_t *out_value)
{
    struct adit_bytes bytes = {0};
    ADIT_TRY(adit_read_bytes(reader, width, &bytes));
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        value = value << 8 | adit_bytes_at(bytes, i);
    }
    *out_value = value;
    return adit_ok();
}

struct adit_status adit_read_u8(struct adit_reader *reader, uint8_t *out_value)
{
    uint64_t value = 0;
    ADIT_TRY(read_number(reader, 1, &value));
    *out_value = (uint8_t)value;
    return adit_ok();
}

struct adit_status adit_read_u16(struct adit_reader *reader, uint16_t *out_value)
{
    uint64_t value = 0;
    ADIT_TRY(read_number(reader, 2, &value));
    *out_value = (uint16_t)value;
    return adit_ok();
}

struct adit_status adit_read_u24(struct adit_reader *reader, uint32_t *out_value)
{
    uint64_t value = 0;
    ADIT_TRY(read_number(reader, 3, &value));
    *out_value = (uint32_t)value;
    return adit_ok();
}

struct adit_status adit_read_u32(struct adit_reader *reader, uint32_t *out_value)
{
    uint64_t value = 0;
    ADIT_TRY(read_number(reader, 4, &value));
    *out_value = (uint32_t)value;
    return adit_ok();
}

struct adit_status adit_read_u64(struct adit_reader *reader, uint64_t *out_value)
{
    return read_number(reader, 8, out_value);
}

struct adit_status adit_read_copy(struct adit_reader *reader, struct adit_span out)
{
    struct adit_bytes bytes = {0};
    ADIT_TRY(adit_read_bytes(reader, out.len, &bytes));
    return adit_span_copy(out, bytes);
}

struct adit_status adit_read_end(const struct adit_reader *reader)
{
    ADIT_ENSURE(reader->rest.len == 0, INVALID, "bytes left over after the end");
    return adit_ok();
}
