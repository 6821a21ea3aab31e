/* Reader: a cursor over bytes that cannot read past the end. Numbers are big-endian (network
 * order). On failure the cursor has not moved and outputs are untouched. Owns nothing.
 *
 * The getters are inline because frames are read with them: each is one comparison and one load. */
#ifndef ADIT_BASE_READER_H
#define ADIT_BASE_READER_H

#include "base/bytes.h"
#include "base/endian.h"

struct adit_reader {
    struct adit_bytes rest; /* what has not been read yet */
};

static inline struct adit_reader adit_reader_of(struct adit_bytes bytes)
{
    return (struct adit_reader){.rest = bytes};
}

/* The next `count` bytes as a view. Like all below, it fails with INVALID where fewer are left. */
static inline struct adit_status adit_read_bytes(struct adit_reader *reader, size_t count,
                                                 struct adit_bytes *out_bytes)
{
    ADIT_ENSURE(count <= reader->rest.len, INVALID, "the input ends too early");
    *out_bytes = adit_bytes_first(reader->rest, count);
    reader->rest = adit_bytes_from(reader->rest, count);
    return adit_ok();
}

static inline struct adit_status adit_read_u8(struct adit_reader *reader, uint8_t *out_value)
{
    struct adit_bytes bytes = {0};
    ADIT_TRY(adit_read_bytes(reader, 1, &bytes));
    *out_value = *bytes.ptr;
    return adit_ok();
}

static inline struct adit_status adit_read_u16(struct adit_reader *reader, uint16_t *out_value)
{
    struct adit_bytes bytes = {0};
    ADIT_TRY(adit_read_bytes(reader, sizeof(uint16_t), &bytes));
    *out_value = adit_load_big16(bytes.ptr);
    return adit_ok();
}

static inline struct adit_status adit_read_u24(struct adit_reader *reader, uint32_t *out_value)
{
    struct adit_bytes bytes = {0};
    ADIT_TRY(adit_read_bytes(reader, 3, &bytes));
    *out_value = (uint32_t)*bytes.ptr << 16 | adit_load_big16(adit_bytes_from(bytes, 1).ptr);
    return adit_ok();
}

static inline struct adit_status adit_read_u32(struct adit_reader *reader, uint32_t *out_value)
{
    struct adit_bytes bytes = {0};
    ADIT_TRY(adit_read_bytes(reader, sizeof(uint32_t), &bytes));
    *out_value = adit_load_big32(bytes.ptr);
    return adit_ok();
}

static inline struct adit_status adit_read_u64(struct adit_reader *reader, uint64_t *out_value)
{
    struct adit_bytes bytes = {0};
    ADIT_TRY(adit_read_bytes(reader, sizeof(uint64_t), &bytes));
    *out_value = adit_load_big64(bytes.ptr);
    return adit_ok();
}

/* Copies exactly out.len bytes. */
struct adit_status adit_read_copy(struct adit_reader *reader, struct adit_span out);

/* Fails with INVALID unless everything was read. */
struct adit_status adit_read_end(const struct adit_reader *reader);

#endif
