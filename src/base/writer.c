#include "base/writer.h"

struct adit_status adit_write_fill(struct adit_span hole, uint64_t value)
{
    ADIT_ENSURE(hole.len >= 8 || value >> (8 * hole.len) == 0, LIMIT, "the number is too big");
    for (size_t i = hole.len; i > 0; i--) {
        ADIT_SLOT(hole.ptr, hole.len, i - 1) = (uint8_t)(value & 0xff);
        value >>= 8;
    }
    return adit_ok();
}

struct adit_status adit_write_zeros(struct adit_writer *writer, size_t count)
{
    struct adit_span hole = {0};
    ADIT_TRY(adit_write_reserve(writer, count, &hole));
    adit_span_fill(hole, 0);
    return adit_ok();
}

struct adit_status adit_write_decimal(struct adit_writer *writer, uint64_t value)
{
    uint8_t digits[20] = {0};
    size_t first = ADIT_COUNT(digits);
    do {
        first--;
        ADIT_AT(digits, first) = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return adit_write_bytes(writer, adit_bytes_from(ADIT_BYTES_OF(digits), first));
}

struct adit_status adit_write_hex(struct adit_writer *writer, struct adit_bytes bytes)
{
    static const uint8_t digits[] = "0123456789abcdef";
    ADIT_ENSURE(bytes.len <= adit_writer_room(writer) / 2, LIMIT, "the output has no room");
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t byte = adit_bytes_at(bytes, i);
        ADIT_TRY(adit_write_u8(writer, ADIT_AT(digits, byte >> 4)));
        ADIT_TRY(adit_write_u8(writer, ADIT_AT(digits, byte & 15)));
    }
    return adit_ok();
}

struct adit_status adit_write_reserve_u16(struct adit_writer *writer, struct adit_span *out_hole)
{
    return adit_write_reserve(writer, 2, out_hole);
}

struct adit_status adit_write_reserve_u32(struct adit_writer *writer, struct adit_span *out_hole)
{
    return adit_write_reserve(writer, 4, out_hole);
}
