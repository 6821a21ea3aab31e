/* Table: a map from short byte strings to a number (often a packed handle), of fixed capacity.
 *
 * Open addressing with linear probing and backward-shift deletion; the hash is SipHash under a
 * random seed, so a stranger who chooses keys cannot aim at one bucket. Memory is taken once, for
 * the capacity and every smaller size: the table starts small in it and doubles into the untouched
 * next part, because a sparse table would make a page resident for each entry. It never shrinks.
 * Limits: `capacity` entries, keys of at most `key_max` bytes, both given at init. */
#ifndef ADIT_BASE_TABLE_H
#define ADIT_BASE_TABLE_H

#include "base/siphash.h"

struct adit_table {
    struct adit_span memory; /* 16 slots, then 32, and so on up to slot_count_max */
    struct adit_span slots;  /* the part in use; those before it are left behind */
    struct adit_siphash_key seed;
    size_t slot_size;  /* bytes */
    size_t slot_count; /* of the part in use: a power of two, at least 4/3 of what it holds */
    size_t slot_count_max;
    size_t key_max;
    uint32_t capacity;
    uint32_t used;
};

/* key_max: 1 to 255. */
struct adit_status adit_table_init(struct adit_table *table, size_t key_max, uint32_t capacity,
                                   struct adit_siphash_key seed);
void adit_table_deinit(struct adit_table *table);

/* Adds an entry, or replaces the value of the one with this key. FULL at the capacity; INVALID
 * for a key that is longer than key_max. */
struct adit_status adit_table_set(struct adit_table *table, struct adit_bytes key, uint64_t value);

/* True and the value, or false. */
bool adit_table_get(const struct adit_table *table, struct adit_bytes key, uint64_t *out_value);

/* True where there was one. */
bool adit_table_remove(struct adit_table *table, struct adit_bytes key);

/* Removes all entries. */
void adit_table_clear(struct adit_table *table);

/* Walks all entries: start with *cursor = 0; false at the end. The table may not change on the
 * way. The key is a view into the table. */
bool adit_table_next(const struct adit_table *table, size_t *cursor, struct adit_bytes *out_key,
                     uint64_t *out_value);

#endif
