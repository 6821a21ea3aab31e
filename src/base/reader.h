/* Reader: a cursor over bytes that cannot read past the end. Numbers are big-endian (network
 * order). On failure the cursor has not moved and outputs are untouched. Owns nothing. */
#ifndef ADIT_BASE_READER_H
#define ADIT_BASE_READER_H

#include "base/bytes.h"

struct adit_reader {
    struct adit_bytes rest; /* what has not been read yet */
};

static inline struct adit_reader adit_reader_of(struct adit_bytes bytes)
{
    return (struct adit_reader){.rest = bytes};
}

/* All fail with INVALID where fewer bytes are left than asked for. */
struct adit_status adit_read_u8(struct adit_reader *reader, uint8_t *out_value);
struct adit_status adit_read_u16(struct adit_reader *reader, uint16_t *out_value);
struct adit_status adit_read_u24(struct adit_reader *reader, uint32_t *out_value);
struct adit_status adit_read_u32(struct adit_reader *reader, uint32_t *out_value);
struct adit_status adit_read_u64(struct adit_reader *reader, uint64_t *out_value);

/* The next `count` bytes as a view. */
struct adit_status adit_read_bytes(struct adit_reader *reader, size_t count,
                                   struct adit_bytes *out_bytes);

/* Copies exactly out.len bytes. */
struct adit_status adit_read_copy(struct adit_reader *reader, struct adit_span out);

/* Fails with INVALID unless everything was read. */
struct adit_status adit_read_end(const struct adit_reader *reader);

#endif
