/* Writer: appends to a span and cannot write past its end. Numbers are big-endian.
 *
 * On failure (always LIMIT: no room) nothing was appended. A length that is known only later is
 * reserved and filled. Owns nothing. */
#ifndef ADIT_BASE_WRITER_H
#define ADIT_BASE_WRITER_H

#include "base/bytes.h"
#include "base/endian.h"

struct adit_writer {
    struct adit_span span; /* the whole target */
    size_t len;            /* how much of it is written */
};

static inline struct adit_writer adit_writer_of(struct adit_span span)
{
    return (struct adit_writer){.span = span};
}

static inline struct adit_bytes adit_writer_bytes(const struct adit_writer *writer)
{
    return adit_bytes_first(adit_span_bytes(writer->span), writer->len);
}

static inline size_t adit_writer_room(const struct adit_writer *writer)
{
    return writer->span.len - writer->len;
}

/* `count` bytes to be filled in place, for instance by a read from a socket. */
static inline struct adit_status adit_write_reserve(struct adit_writer *writer, size_t count,
                                                    struct adit_span *out_hole)
{
    ADIT_ENSURE(count <= adit_writer_room(writer), LIMIT, "the output has no room");
    *out_hole = adit_span_first(adit_span_from(writer->span, writer->len), count);
    writer->len += count;
    return adit_ok();
}

static inline struct adit_status adit_write_u8(struct adit_writer *writer, uint8_t value)
{
    struct adit_span hole = {0};
    ADIT_TRY(adit_write_reserve(writer, 1, &hole));
    *hole.ptr = value;
    return adit_ok();
}

static inline struct adit_status adit_write_u16(struct adit_writer *writer, uint16_t value)
{
    struct adit_span hole = {0};
    ADIT_TRY(adit_write_reserve(writer, sizeof value, &hole));
    adit_store_big16(hole.ptr, value);
    return adit_ok();
}

/* LIMIT also where the value needs more than 24 bits. */
static inline struct adit_status adit_write_u24(struct adit_writer *writer, uint32_t value)
{
    struct adit_span hole = {0};
    ADIT_ENSURE(value >> 24 == 0, LIMIT, "the number is too big");
    ADIT_TRY(adit_write_reserve(writer, 3, &hole));
    *hole.ptr = (uint8_t)(value >> 16);
    adit_store_big16(adit_span_from(hole, 1).ptr, (uint16_t)(value & 0xffff));
    return adit_ok();
}

static inline struct adit_status adit_write_u32(struct adit_writer *writer, uint32_t value)
{
    struct adit_span hole = {0};
    ADIT_TRY(adit_write_reserve(writer, sizeof value, &hole));
    adit_store_big32(hole.ptr, value);
    return adit_ok();
}

static inline struct adit_status adit_write_u64(struct adit_writer *writer, uint64_t value)
{
    struct adit_span hole = {0};
    ADIT_TRY(adit_write_reserve(writer, sizeof value, &hole));
    adit_store_big64(hole.ptr, value);
    return adit_ok();
}

static inline struct adit_status adit_write_bytes(struct adit_writer *writer,
                                                  struct adit_bytes bytes)
{
    ADIT_ENSURE(bytes.len <= adit_writer_room(writer), LIMIT, "the output has no room");
    if (bytes.len > 0) {
        ADIT_UNSAFE_BEGIN("there is room behind what is written")
        __builtin_memcpy(writer->span.ptr + writer->len, bytes.ptr, bytes.len);
        ADIT_UNSAFE_END
        writer->len += bytes.len;
    }
    return adit_ok();
}

struct adit_status adit_write_zeros(struct adit_writer *writer, size_t count);

/* Text forms, for logs, JSON and messages to people. */
struct adit_status adit_write_decimal(struct adit_writer *writer, uint64_t value);
struct adit_status adit_write_hex(struct adit_writer *writer, struct adit_bytes bytes);

/* Reserves the room of a number and remembers where. */
struct adit_status adit_write_reserve_u16(struct adit_writer *writer, struct adit_span *out_hole);
struct adit_status adit_write_reserve_u32(struct adit_writer *writer, struct adit_span *out_hole);

/* Fills a reserved hole with a big-endian number of the hole's width; LIMIT where it is too big. */
struct adit_status adit_write_fill(struct adit_span hole, uint64_t value);

#endif
