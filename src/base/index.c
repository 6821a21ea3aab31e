#include "base/index.h"

#include "base/memory.h"

#define BUCKET_COUNT_FIRST 16

/* Links are number + 1, so that memory of zeros is an empty index. */
struct adit_index_entry {
    uint32_t hash;
    uint32_t link; /* of the next in the chain; LINK_END: none. 0: not held */
};

#define LINK_END UINT32_MAX

static inline uint32_t *bucket_at(const struct adit_index *index, uint32_t hash)
{
    return &ADIT_SLOT(index->buckets, index->bucket_count, hash & (index->bucket_count - 1));
}

static inline struct adit_index_entry *entry_at(const struct adit_index *index, uint32_t number)
{
    return &ADIT_SLOT(index->entries, index->capacity, number);
}

/* The entry that a link leads to, or null. */
static inline struct adit_index_entry *follow(const struct adit_index *index, uint32_t link)
{
    return link == 0 || link == LINK_END ? NULL : entry_at(index, link - 1);
}

struct adit_status adit_index_init(struct adit_index *index, uint32_t capacity)
{
    ADIT_ENSURE(capacity > 0 && capacity <= 1 << 28, INVALID, "index of odd capacity");
    uint32_t bucket_count_max = BUCKET_COUNT_FIRST;
    while (bucket_count_max < capacity) {
        bucket_count_max *= 2;
    }
    struct adit_span buckets = {0};
    struct adit_span entries = {0};
    ADIT_TRY(adit_memory_open(bucket_count_max, sizeof(uint32_t), &buckets));
    struct adit_status status =
        adit_memory_open(capacity, sizeof(struct adit_index_entry), &entries);
    if (!adit_is_ok(status)) {
        adit_memory_close(&buckets);
        return status;
    }
    *index = (struct adit_index){.buckets = (void *)buckets.ptr,
                                 .entries = (void *)entries.ptr,
                                 .bucket_count = BUCKET_COUNT_FIRST,
                                 .bucket_count_max = bucket_count_max,
                                 .capacity = capacity};
    return adit_ok();
}

void adit_index_deinit(struct adit_index *index)
{
    struct adit_span buckets = {.ptr = (void *)index->buckets};
    struct adit_span entries = {.ptr = (void *)index->entries};
    adit_memory_close(&buckets);
    adit_memory_close(&entries);
    *index = (struct adit_index){0};
}

/* Each chain is parted in two: what stays, and what belongs to the new bucket. */
static void grow(struct adit_index *index)
{
    uint32_t half = index->bucket_count;
    index->bucket_count = 2 * half;
    for (uint32_t at = 0; at < half; at++) {
        uint32_t *low = bucket_at(index, at);
        uint32_t *high = bucket_at(index, at + half);
        uint32_t link = *low;
        *low = 0;
        for (struct adit_index_entry *entry = follow(index, link); entry;
             entry = follow(index, link)) {
            uint32_t next = entry->link;
            uint32_t *bucket = (entry->hash & half) == 0 ? low : high;
            entry->link = *bucket == 0 ? LINK_END : *bucket;
            *bucket = link;
            link = next;
        }
    }
}

void adit_index_add(struct adit_index *index, uint32_t hash, uint32_t number)
{
    struct adit_index_entry *entry = entry_at(index, number);
    ADIT_ASSERT(entry->link == 0);
    if (index->used >= index->bucket_count && index->bucket_count < index->bucket_count_max) {
        grow(index);
    }
    uint32_t *bucket = bucket_at(index, hash);
    *entry = (struct adit_index_entry){.hash = hash, .link = *bucket == 0 ? LINK_END : *bucket};
    *bucket = number + 1;
    index->used++;
}

/* The number that a link leads to, or the first one after it, under this hash. */
static inline uint32_t search(const struct adit_index *index, uint32_t link, uint32_t hash)
{
    for (const struct adit_index_entry *entry = follow(index, link); entry;
         entry = follow(index, link)) {
        if (entry->hash == hash) {
            return link - 1;
        }
        link = entry->link;
    }
    return ADIT_INDEX_NONE;
}

uint32_t adit_index_first(const struct adit_index *index, uint32_t hash)
{
    return search(index, *bucket_at(index, hash), hash);
}

uint32_t adit_index_next(const struct adit_index *index, uint32_t number)
{
    const struct adit_index_entry *entry = entry_at(index, number);
    return search(index, entry->link, entry->hash);
}

bool adit_index_remove(struct adit_index *index, uint32_t number)
{
    struct adit_index_entry *entry = entry_at(index, number);
    if (entry->link == 0) {
        return false;
    }
    uint32_t *link = bucket_at(index, entry->hash);
    uint32_t after = entry->link;
    if (*link == number + 1) {
        *link = after == LINK_END ? 0 : after;
    } else {
        struct adit_index_entry *before = follow(index, *link);
        while (before && before->link != number + 1) {
            before = follow(index, before->link);
        }
        ADIT_ASSERT(before);
        before->link = after;
    }
    *entry = (struct adit_index_entry){0};
    index->used--;
    return true;
}
