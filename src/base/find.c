#include "base/find.h"

#include "base/endian.h"

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS (ONES << 7)

/* The first of eight bytes is the low one. In what the two functions below return, the lowest bit
 * that is set is that of the first byte that is meant; bits above it may be set for nothing. */
static uint64_t zeros_of(uint64_t eight)
{
    return (eight - ONES) & ~eight & HIGHS;
}

static uint64_t controls_of(uint64_t eight)
{
    uint64_t low = (eight - ONES * 0x20) & ~eight & HIGHS;
    return low | zeros_of(eight ^ (ONES * 0x7f));
}

static size_t first_of(uint64_t bits)
{
    return (size_t)__builtin_ctzll(bits) / 8;
}

size_t adit_bytes_find_near(struct adit_bytes bytes, uint8_t byte)
{
    const uint64_t wanted = ONES * byte;
    size_t at = 0;
    while (bytes.len - at >= 8) {
        ADIT_UNSAFE_BEGIN("eight bytes follow")
        uint64_t bits = zeros_of(adit_load_little64(bytes.ptr + at) ^ wanted);
        ADIT_UNSAFE_END
        if (bits != 0) {
            return at + first_of(bits);
        }
        at += 8;
    }
    while (at < bytes.len && adit_bytes_at(bytes, at) != byte) {
        at++;
    }
    return at;
}

size_t adit_bytes_find_control(struct adit_bytes bytes)
{
    size_t at = 0;
    while (bytes.len - at >= 8) {
        ADIT_UNSAFE_BEGIN("eight bytes follow")
        uint64_t bits = controls_of(adit_load_little64(bytes.ptr + at));
        ADIT_UNSAFE_END
        if (bits != 0) {
            return at + first_of(bits);
        }
        at += 8;
    }
    while (at < bytes.len && adit_bytes_at(bytes, at) >= 0x20 && adit_bytes_at(bytes, at) != 0x7f) {
        at++;
    }
    return at;
}
