#include "base/field.h"

#include "base/checked.h"

struct adit_status adit_field_set(struct adit_span room, uint16_t *len, struct adit_bytes text)
{
    uint16_t count = 0;
    ADIT_ENSURE(adit_narrow_u16(text.len, &count), LIMIT, "the text is too long for its field");
    ADIT_TRY(adit_span_copy(room, text));
    *len = count;
    return adit_ok();
}

/* Bit 5 is set in each of eight bytes that is A to Z. */
static uint64_t lower_eight(uint64_t eight)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t highs = ones << 7;
    uint64_t low_bits = eight & ~highs;
    uint64_t from_a = low_bits + ones * (0x80 - 'A');
    uint64_t past_z = low_bits + ones * (0x7f - 'Z');
    uint64_t is_upper = from_a & ~past_z & ~eight & highs;
    return eight | is_upper >> 2;
}

static uint8_t lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte | 0x20) : byte;
}

struct adit_status adit_field_set_lower(struct adit_span room, uint16_t *len,
                                        struct adit_bytes text)
{
    ADIT_ENSURE(text.len <= room.len && text.len <= UINT16_MAX, LIMIT, "the text does not fit");
    for (size_t at = 0; text.len >= 8 && at < text.len; at += 8) {
        size_t from = at + 8 <= text.len ? at : text.len - 8; /* the last eight: maybe once more */
        ADIT_UNSAFE_BEGIN("eight bytes follow in both")
        uint64_t eight = lower_eight(adit_load_little64(text.ptr + from));
        __builtin_memcpy(room.ptr + from, &eight, sizeof eight);
        ADIT_UNSAFE_END
    }
    for (size_t at = 0; text.len < 8 && at < text.len; at++) {
        ADIT_SLOT(room.ptr, room.len, at) = lower(adit_bytes_at(text, at));
    }
    *len = (uint16_t)text.len;
    return adit_ok();
}
