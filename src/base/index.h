/* Index: finds objects of a pool by a key that they hold themselves, of fixed capacity.
 *
 * It keeps numbers (the pool's indices) under the hash of their keys, and neither keys nor values:
 * who looks walks the few numbers whose hash is the same and compares the objects. So an entry
 * costs 8 bytes and its share of the buckets, 4 to 8 more, where a table's slot costs several times
 * that. Chained; the buckets double in place, each into itself and one new one. It never shrinks.
 *
 * The hash is the caller's: SipHash under a random seed where a stranger chooses the keys. Memory
 * is taken once, at init, and the kernel backs it as it is first touched. Limit: numbers below
 * `capacity`, each held once at most. */
#ifndef ADIT_BASE_INDEX_H
#define ADIT_BASE_INDEX_H

#include "base/bytes.h"

#define ADIT_INDEX_NONE UINT32_MAX

struct adit_index_entry;

struct adit_index {
    uint32_t *buckets; /* number + 1 of each chain's first; 0: empty */
    struct adit_index_entry *entries; /* one a number */
    uint32_t bucket_count; /* in use: a power of two */
    uint32_t bucket_count_max;
    uint32_t capacity;
    uint32_t used;
};

struct adit_status adit_index_init(struct adit_index *index, uint32_t capacity);
void adit_index_deinit(struct adit_index *index);

/* A number that is held already, or is not below the capacity, is a bug (asserted). */
void adit_index_add(struct adit_index *index, uint32_t hash, uint32_t number);

/* The first number under this hash, and the next one after `number`; ADIT_INDEX_NONE: no other. */
uint32_t adit_index_first(const struct adit_index *index, uint32_t hash);
uint32_t adit_index_next(const struct adit_index *index, uint32_t number);

/* True where it was held. */
bool adit_index_remove(struct adit_index *index, uint32_t number);

#endif
