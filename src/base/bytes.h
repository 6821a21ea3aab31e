/* Bytes: views of memory that somebody else owns. `adit_bytes` reads, `adit_span` also writes.
 *
 * Passed by value. A view never outlives its owner; nothing here allocates. Nothing here reads
 * past `len`: functions that take an offset clamp it or return an error, never touch memory
 * outside. There are no NUL-terminated strings past `main`. */
#ifndef ADIT_BASE_BYTES_H
#define ADIT_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endian.h"
#include "base/raw.h"
#include "base/status.h"

struct adit_bytes {
    const uint8_t *ptr;
    size_t len;
};

struct adit_span {
    uint8_t *ptr;
    size_t len;
};

/* A view of a string literal, without its NUL; usable as a constant initialiser. */
#define ADIT_BYTES_INIT(literal) {.ptr = (const uint8_t *)("" literal), .len = sizeof(literal) - 1}
#define ADIT_BYTES(literal) ((struct adit_bytes)ADIT_BYTES_INIT(literal))

/* Views of a whole uint8_t array. */
#define ADIT_BYTES_OF(array) ((struct adit_bytes){.ptr = (array), .len = ADIT_COUNT(array)})
#define ADIT_SPAN_OF(array) ((struct adit_span){.ptr = (array), .len = ADIT_COUNT(array)})

/* A view of a NUL-terminated string, for argv, getenv and constant tables. Null gives empty. */
struct adit_bytes adit_bytes_of_text(const char *text);

/* A view of a char array that a system call filled, up to its NUL or its end. */
struct adit_bytes adit_bytes_of_chars(const char *chars, size_t size);

static inline struct adit_bytes adit_span_bytes(struct adit_span span)
{
    return (struct adit_bytes){.ptr = span.ptr, .len = span.len};
}

/* The byte at `index`; the index must be inside (asserted). */
static inline uint8_t adit_bytes_at(struct adit_bytes bytes, size_t index)
{
    return ADIT_SLOT(bytes.ptr, bytes.len, index);
}

/* The first `count` bytes, or all where there are fewer. */
static inline struct adit_bytes adit_bytes_first(struct adit_bytes bytes, size_t count)
{
    return (struct adit_bytes){.ptr = bytes.ptr, .len = count < bytes.len ? count : bytes.len};
}

/* Everything from `offset` on; empty where the offset is past the end. */
static inline struct adit_bytes adit_bytes_from(struct adit_bytes bytes, size_t offset)
{
    size_t skip = offset < bytes.len ? offset : bytes.len;
    if (skip == 0) {
        return bytes;
    }
    ADIT_UNSAFE_BEGIN("skip is at most len")
    return (struct adit_bytes){.ptr = bytes.ptr + skip, .len = bytes.len - skip};
    ADIT_UNSAFE_END
}

static inline struct adit_span adit_span_first(struct adit_span span, size_t count)
{
    return (struct adit_span){.ptr = span.ptr, .len = count < span.len ? count : span.len};
}

static inline struct adit_span adit_span_from(struct adit_span span, size_t offset)
{
    size_t skip = offset < span.len ? offset : span.len;
    if (skip == 0) {
        return span;
    }
    ADIT_UNSAFE_BEGIN("skip is at most len")
    return (struct adit_span){.ptr = span.ptr + skip, .len = span.len - skip};
    ADIT_UNSAFE_END
}

/* `count` bytes from `offset`; fails with INVALID where they are not all inside. */
struct adit_status adit_bytes_slice(struct adit_bytes bytes, size_t offset, size_t count,
                                    struct adit_bytes *out_slice);

/* For the functions below: of views that are equally long. */
bool adit_bytes_same(struct adit_bytes a, struct adit_bytes b);
bool adit_bytes_same_nocase(struct adit_bytes a, struct adit_bytes b);

/* Are two times 1 to 16 bytes the same? The first and the last of them, which may overlap. */
static inline bool adit_bytes_few_same(const uint8_t *a, const uint8_t *b, size_t len)
{
    ADIT_UNSAFE_BEGIN("each load ends at len at most")
    if (len >= 8) {
        return adit_load_big64(a) == adit_load_big64(b) &&
               adit_load_big64(a + len - 8) == adit_load_big64(b + len - 8);
    }
    if (len >= 4) {
        return adit_load_big32(a) == adit_load_big32(b) &&
               adit_load_big32(a + len - 4) == adit_load_big32(b + len - 4);
    }
    return a[0] == b[0] && a[len - 1] == b[len - 1] && a[len / 2] == b[len / 2];
    ADIT_UNSAFE_END
}

/* Does a begin with all of b, which is no longer? Without a call where b is short. (Not where it is
 * a literal, by __builtin_constant_p: in a loop gcc 12 makes "never" of that.) */
static inline bool adit_bytes_begin_same(struct adit_bytes a, struct adit_bytes b)
{
    if (b.len <= 16) {
        return b.len == 0 || adit_bytes_few_same(a.ptr, b.ptr, b.len);
    }
    return adit_bytes_same(b, a);
}

static inline bool adit_bytes_equal(struct adit_bytes a, struct adit_bytes b)
{
    return a.len == b.len && adit_bytes_begin_same(a, b);
}

/* Equal, in a time that depends on the lengths only. For tags and secrets. */
bool adit_bytes_equal_secret(struct adit_bytes a, struct adit_bytes b);

/* Equal when A-Z count as a-z; other bytes as they are. */
static inline bool adit_bytes_equal_nocase(struct adit_bytes a, struct adit_bytes b)
{
    return a.len == b.len && (a.len == 0 || ((*a.ptr ^ *b.ptr) & 0xdf) == 0) &&
           adit_bytes_same_nocase(a, b);
}

/* Less than 0, 0 or more than 0, as memcmp, a shorter prefix first. */
int adit_bytes_compare(struct adit_bytes a, struct adit_bytes b);

static inline bool adit_bytes_starts_with(struct adit_bytes bytes, struct adit_bytes prefix)
{
    return bytes.len >= prefix.len && adit_bytes_begin_same(bytes, prefix);
}

bool adit_bytes_ends_with(struct adit_bytes bytes, struct adit_bytes suffix);

/* The offset of the first `byte`; bytes.len where there is none. */
size_t adit_bytes_find(struct adit_bytes bytes, uint8_t byte);

/* Copies all of `bytes` to the front of `span`; fails with LIMIT, copying nothing, where it does
 * not fit. The two may not overlap. */
static inline struct adit_status adit_span_copy(struct adit_span span, struct adit_bytes bytes)
{
    ADIT_ENSURE(bytes.len <= span.len, LIMIT, "the bytes do not fit");
    if (bytes.len > 0) {
        __builtin_memcpy(span.ptr, bytes.ptr, bytes.len);
    }
    return adit_ok();
}

/* Moves `count` bytes of the span from `from` to `to`; ranges may overlap. Fails with INVALID
 * where either range is not inside. */
struct adit_status adit_span_move(struct adit_span span, size_t to, size_t from, size_t count);

void adit_span_fill(struct adit_span span, uint8_t byte);

/* Overwrites a secret; never optimised away. */
void adit_span_wipe(struct adit_span span);

/* The bytes of one fixed-size object of ours (a key, a sockaddr): never of one from the network. */
#define ADIT_OBJECT_SPAN(object) adit_object_span(&(object), sizeof(object))
#define ADIT_OBJECT_BYTES(object) adit_span_bytes(adit_object_span(&(object), sizeof(object)))
static inline struct adit_span adit_object_span(void *object, size_t size)
{
    return (struct adit_span){.ptr = object, .len = size};
}

/* Characters that a library hands over, whatever it calls their type. */
static inline struct adit_bytes adit_object_bytes(const void *object, size_t size)
{
    return (struct adit_bytes){.ptr = object, .len = size};
}

#endif
