#include "base/bytes.h"

#include <string.h>

#include "base/endian.h"

struct adit_bytes adit_bytes_of_text(const char *text)
{
    if (!text) {
        return (struct adit_bytes){0};
    }
    return (struct adit_bytes){.ptr = (const uint8_t *)text, .len = strlen(text)};
}

struct adit_bytes adit_bytes_of_chars(const char *chars, size_t size)
{
    return (struct adit_bytes){.ptr = (const uint8_t *)chars, .len = strnlen(chars, size)};
}

struct adit_status adit_bytes_slice(struct adit_bytes bytes, size_t offset, size_t count,
                                    struct adit_bytes *out_slice)
{
    ADIT_ENSURE(offset <= bytes.len, INVALID, "slice starts past the end");
    ADIT_ENSURE(count <= bytes.len - offset, INVALID, "slice ends past the end");
    *out_slice = adit_bytes_first(adit_bytes_from(bytes, offset), count);
    return adit_ok();
}

bool adit_bytes_same(struct adit_bytes a, struct adit_bytes b)
{
    return a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0;
}

bool adit_bytes_equal_secret(struct adit_bytes a, struct adit_bytes b)
{
    if (a.len != b.len) {
        return false;
    }
    volatile uint8_t difference = 0;
    for (size_t i = 0; i < a.len; i++) {
        difference = (uint8_t)(difference | (adit_bytes_at(a, i) ^ adit_bytes_at(b, i)));
    }
    return difference == 0;
}

static uint8_t lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

/* Eight bytes each: do they differ in nothing but bit 5 of letters? */
static bool is_same_word(uint64_t a, uint64_t b)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t cases = ones << 5;
    const uint64_t highs = ones << 7;
    uint64_t difference = a ^ b;
    uint64_t low_bits = (a | cases) & ~highs;
    uint64_t from_a = low_bits + ones * (0x80 - 'a');
    uint64_t past_z = low_bits + ones * (0x7f - 'z');
    uint64_t is_letter = from_a & ~past_z & ~a & highs;
    return difference == 0 || (difference & ~(is_letter >> 2)) == 0;
}

/* Eight and more: the last eight may be looked at twice. */
static bool are_same_words(const uint8_t *a, const uint8_t *b, size_t len)
{
    ADIT_UNSAFE_BEGIN("each load ends at len at most")
    for (size_t at = 0; at + 8 < len; at += 8) {
        if (!is_same_word(adit_load_little64(a + at), adit_load_little64(b + at))) {
            return false;
        }
    }
    return is_same_word(adit_load_little64(a + len - 8), adit_load_little64(b + len - 8));
    ADIT_UNSAFE_END
}

/* Four to seven bytes as eight: the first four and the last four. */
static uint64_t eight_of_few(const uint8_t *few, size_t len)
{
    ADIT_UNSAFE_BEGIN("there are at least four")
    return (uint64_t)adit_load_big32(few) << 32 | adit_load_big32(few + len - 4);
    ADIT_UNSAFE_END
}

bool adit_bytes_same_nocase(struct adit_bytes a, struct adit_bytes b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    if (len >= 8) {
        return are_same_words(a.ptr, b.ptr, len);
    }
    if (len >= 4) {
        return is_same_word(eight_of_few(a.ptr, len), eight_of_few(b.ptr, len));
    }
    for (size_t i = 0; i < len; i++) {
        if (lower(adit_bytes_at(a, i)) != lower(adit_bytes_at(b, i))) {
            return false;
        }
    }
    return true;
}

int adit_bytes_compare(struct adit_bytes a, struct adit_bytes b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common == 0 ? 0 : memcmp(a.ptr, b.ptr, common);
    if (order != 0) {
        return order;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

bool adit_bytes_ends_with(struct adit_bytes bytes, struct adit_bytes suffix)
{
    return bytes.len >= suffix.len &&
           adit_bytes_equal(adit_bytes_from(bytes, bytes.len - suffix.len), suffix);
}

size_t adit_bytes_find(struct adit_bytes bytes, uint8_t byte)
{
    const uint8_t *found = bytes.len == 0 ? NULL : memchr(bytes.ptr, byte, bytes.len);
    return found ? (size_t)(found - bytes.ptr) : bytes.len;
}

struct adit_status adit_span_move(struct adit_span span, size_t to, size_t from, size_t count)
{
    ADIT_ENSURE(to <= span.len && count <= span.len - to, INVALID, "move ends outside");
    ADIT_ENSURE(from <= span.len && count <= span.len - from, INVALID, "move starts outside");
    if (count > 0) {
        memmove(adit_span_from(span, to).ptr, adit_span_from(span, from).ptr, count);
    }
    return adit_ok();
}

void adit_span_fill(struct adit_span span, uint8_t byte)
{
    if (span.len > 0) {
        memset(span.ptr, byte, span.len);
    }
}

void adit_span_wipe(struct adit_span span)
{
    if (span.len > 0) {
        explicit_bzero(span.ptr, span.len);
    }
}
