/* Find: where a byte is, eight bytes at a time, for what lies near: a line, a name. For what lies
 * far adit_bytes_find is faster. All offsets are at most bytes.len, which says "nowhere". */
#ifndef ADIT_BASE_FIND_H
#define ADIT_BASE_FIND_H

#include "base/bytes.h"

#define ADIT_EACH_BYTE UINT64_C(0x0101010101010101)
#define ADIT_EACH_HIGH (ADIT_EACH_BYTE << 7)

/* The first of eight bytes is the low one. In what the two functions below return, the lowest bit
 * that is set is that of the first byte that is meant; bits above it may be set for nothing. */
static inline uint64_t adit_zeros_of(uint64_t eight)
{
    return (eight - ADIT_EACH_BYTE) & ~eight & ADIT_EACH_HIGH;
}

static inline uint64_t adit_controls_of(uint64_t eight)
{
    uint64_t low = (eight - ADIT_EACH_BYTE * 0x20) & ~eight & ADIT_EACH_HIGH;
    return low | adit_zeros_of(eight ^ (ADIT_EACH_BYTE * 0x7f));
}

/* The offset of the first `byte`. */
static inline size_t adit_bytes_find_near(struct adit_bytes bytes, uint8_t byte)
{
    size_t at = 0;
    for (; bytes.len - at >= 8; at += 8) {
        ADIT_UNSAFE_BEGIN("eight bytes follow")
        uint64_t eight = adit_load_little64(bytes.ptr + at);
        ADIT_UNSAFE_END
        uint64_t bits = adit_zeros_of(eight ^ (ADIT_EACH_BYTE * byte));
        if (bits != 0) {
            return at + (size_t)__builtin_ctzll(bits) / 8;
        }
    }
    while (at < bytes.len && adit_bytes_at(bytes, at) != byte) {
        at++;
    }
    return at;
}

/* The offset of the first control character: below 0x20, or 0x7f. */
static inline size_t adit_bytes_find_control(struct adit_bytes bytes)
{
    size_t at = 0;
    for (; bytes.len - at >= 8; at += 8) {
        ADIT_UNSAFE_BEGIN("eight bytes follow")
        uint64_t bits = adit_controls_of(adit_load_little64(bytes.ptr + at));
        ADIT_UNSAFE_END
        if (bits != 0) {
            return at + (size_t)__builtin_ctzll(bits) / 8;
        }
    }
    while (at < bytes.len && adit_bytes_at(bytes, at) >= 0x20 && adit_bytes_at(bytes, at) != 0x7f) {
        at++;
    }
    return at;
}

#endif
