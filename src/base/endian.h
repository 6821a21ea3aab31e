/* Endian: numbers in bytes, one load or store each. The callers are the reader, the writer and
 * SipHash, which have checked that the bytes are there; nobody else needs this. */
#ifndef ADIT_BASE_ENDIAN_H
#define ADIT_BASE_ENDIAN_H

#include <stdint.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ADIT_BIG_16(value) __builtin_bswap16(value)
#define ADIT_BIG_32(value) __builtin_bswap32(value)
#define ADIT_BIG_64(value) __builtin_bswap64(value)
#define ADIT_LITTLE_64(value) (value)
#else
#define ADIT_BIG_16(value) (value)
#define ADIT_BIG_32(value) (value)
#define ADIT_BIG_64(value) (value)
#define ADIT_LITTLE_64(value) __builtin_bswap64(value)
#endif

static inline uint16_t adit_load_big16(const uint8_t *two)
{
    uint16_t value = 0;
    __builtin_memcpy(&value, two, sizeof value);
    return ADIT_BIG_16(value);
}

static inline uint32_t adit_load_big32(const uint8_t *four)
{
    uint32_t value = 0;
    __builtin_memcpy(&value, four, sizeof value);
    return ADIT_BIG_32(value);
}

static inline uint64_t adit_load_big64(const uint8_t *eight)
{
    uint64_t value = 0;
    __builtin_memcpy(&value, eight, sizeof value);
    return ADIT_BIG_64(value);
}

static inline uint64_t adit_load_little64(const uint8_t *eight)
{
    uint64_t value = 0;
    __builtin_memcpy(&value, eight, sizeof value);
    return ADIT_LITTLE_64(value);
}

static inline void adit_store_big16(uint8_t *two, uint16_t value)
{
    value = ADIT_BIG_16(value);
    __builtin_memcpy(two, &value, sizeof value);
}

static inline void adit_store_big32(uint8_t *four, uint32_t value)
{
    value = ADIT_BIG_32(value);
    __builtin_memcpy(four, &value, sizeof value);
}

static inline void adit_store_big64(uint8_t *eight, uint64_t value)
{
    value = ADIT_BIG_64(value);
    __builtin_memcpy(eight, &value, sizeof value);
}

#endif
