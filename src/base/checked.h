/* Checked arithmetic: sizes from outside are added and multiplied here or not at all. Each
 * function returns false, and leaves the result untouched, where the true result does not fit. */
#ifndef ADIT_BASE_CHECKED_H
#define ADIT_BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

[[nodiscard]] static inline bool adit_add_size(size_t a, size_t b, size_t *out_sum)
{
    size_t sum = 0;
    if (__builtin_add_overflow(a, b, &sum)) {
        return false;
    }
    *out_sum = sum;
    return true;
}

[[nodiscard]] static inline bool adit_multiply_size(size_t a, size_t b, size_t *out_product)
{
    size_t product = 0;
    if (__builtin_mul_overflow(a, b, &product)) {
        return false;
    }
    *out_product = product;
    return true;
}

[[nodiscard]] static inline bool adit_add_u32(uint32_t a, uint32_t b, uint32_t *out_sum)
{
    uint32_t sum = 0;
    if (__builtin_add_overflow(a, b, &sum)) {
        return false;
    }
    *out_sum = sum;
    return true;
}

[[nodiscard]] static inline bool adit_add_u64(uint64_t a, uint64_t b, uint64_t *out_sum)
{
    uint64_t sum = 0;
    if (__builtin_add_overflow(a, b, &sum)) {
        return false;
    }
    *out_sum = sum;
    return true;
}

[[nodiscard]] static inline bool adit_multiply_u64(uint64_t a, uint64_t b, uint64_t *out_product)
{
    uint64_t product = 0;
    if (__builtin_mul_overflow(a, b, &product)) {
        return false;
    }
    *out_product = product;
    return true;
}

[[nodiscard]] static inline bool adit_narrow_u16(uint64_t value, uint16_t *out_value)
{
    if (value > UINT16_MAX) {
        return false;
    }
    *out_value = (uint16_t)value;
    return true;
}

[[nodiscard]] static inline bool adit_narrow_u32(uint64_t value, uint32_t *out_value)
{
    if (value > UINT32_MAX) {
        return false;
    }
    *out_value = (uint32_t)value;
    return true;
}

static inline size_t adit_min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t adit_max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

static inline uint64_t adit_min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint32_t adit_max_u32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static inline uint64_t adit_max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* a - b, or 0 where that would be negative. */
static inline uint64_t adit_subtract_floor_u64(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

#endif
