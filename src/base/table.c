#include "base/table.h"

#include "base/memory.h"

#define SLOT_COUNT_FIRST 16

/* A slot is this head, then key_max bytes of key, padded to 8. */
struct slot_head {
    uint64_t value;
    uint32_t hash; /* the low bits of the key's hash, to move a slot without hashing again */
    uint8_t key_len;
    bool is_used;
};

/* Every index is below the number of slots in use: masked, or counted up to it. */
static inline struct slot_head *head_at(const struct adit_table *table, size_t index)
{
    ADIT_UNSAFE_BEGIN("the index is below slot_count")
    return (void *)(table->slots.ptr + index * table->slot_size);
    ADIT_UNSAFE_END
}

static struct adit_span slot_span(const struct adit_table *table, size_t index)
{
    return adit_span_first(adit_span_from(table->slots, index * table->slot_size),
                           table->slot_size);
}

/* The key of a slot, which has room for as much. */
static inline struct adit_bytes key_of(struct slot_head *head)
{
    ADIT_UNSAFE_BEGIN("key_len is at most key_max")
    return (struct adit_bytes){.ptr = (const uint8_t *)(head + 1), .len = head->key_len};
    ADIT_UNSAFE_END
}

static size_t next_index(const struct adit_table *table, size_t index)
{
    return (index + 1) & (table->slot_count - 1);
}

struct adit_status adit_table_init(struct adit_table *table, size_t key_max, uint32_t capacity,
                                   struct adit_siphash_key seed)
{
    ADIT_ENSURE(key_max > 0 && key_max <= UINT8_MAX, INVALID, "table of odd key size");
    ADIT_ENSURE(capacity > 0 && capacity <= 1 << 28, INVALID, "table of odd capacity");
    size_t slot_count_max = SLOT_COUNT_FIRST;
    while (slot_count_max / 4 * 3 < capacity) {
        slot_count_max *= 2;
    }
    size_t slot_size = (sizeof(struct slot_head) + key_max + 7) & ~(size_t)7;
    struct adit_span memory = {0}; /* 16 + 32 + ... + max slots */
    ADIT_TRY(adit_memory_open(2 * slot_count_max - SLOT_COUNT_FIRST, slot_size, &memory));
    *table = (struct adit_table){.memory = memory,
                                 .slots = adit_span_first(memory, SLOT_COUNT_FIRST * slot_size),
                                 .seed = seed,
                                 .slot_size = slot_size,
                                 .slot_count = SLOT_COUNT_FIRST,
                                 .slot_count_max = slot_count_max,
                                 .key_max = key_max,
                                 .capacity = capacity};
    return adit_ok();
}

void adit_table_deinit(struct adit_table *table)
{
    adit_memory_close(&table->memory);
    *table = (struct adit_table){0};
}

/* The slot of the key, or the free one where it would go. Ends: the table is never full. */
static size_t find(const struct adit_table *table, struct adit_bytes key, uint32_t hash)
{
    size_t index = hash & (table->slot_count - 1);
    struct slot_head *head = head_at(table, index);
    while (head->is_used && !(head->hash == hash && adit_bytes_equal(key_of(head), key))) {
        index = next_index(table, index);
        head = head_at(table, index);
    }
    return index;
}

/* Moves all entries into the next part of the memory, which is twice as large and still zero. */
static void grow(struct adit_table *table)
{
    struct adit_table old = *table;
    size_t passed = (2 * old.slot_count - SLOT_COUNT_FIRST) * old.slot_size; /* this part's end */
    table->slot_count = 2 * old.slot_count;
    table->slots = adit_span_first(adit_span_from(table->memory, passed),
                                   table->slot_count * table->slot_size);
    for (size_t from = 0; from < old.slot_count; from++) {
        if (!head_at(&old, from)->is_used) {
            continue;
        }
        size_t to = head_at(&old, from)->hash & (table->slot_count - 1);
        while (head_at(table, to)->is_used) {
            to = next_index(table, to);
        }
        adit_status_ignore(
            adit_span_copy(slot_span(table, to), adit_span_bytes(slot_span(&old, from))),
            "slots are of one size");
    }
}

struct adit_status adit_table_set(struct adit_table *table, struct adit_bytes key, uint64_t value)
{
    ADIT_ENSURE(table->capacity > 0, FULL, "the table has no memory");
    ADIT_ENSURE(key.len <= table->key_max, INVALID, "the key is longer than the table's limit");
    uint32_t hash = (uint32_t)adit_siphash(table->seed, key);
    size_t index = find(table, key, hash);
    struct slot_head *head = head_at(table, index);
    if (!head->is_used) {
        ADIT_ENSURE(table->used < table->capacity, FULL, "the table is full");
        if (table->used >= table->slot_count / 4 * 3) {
            grow(table);
            index = find(table, key, hash);
            head = head_at(table, index);
        }
        ADIT_TRY(adit_span_copy(adit_span_from(slot_span(table, index), sizeof(*head)), key));
        *head = (struct slot_head){.hash = hash, .key_len = (uint8_t)key.len, .is_used = true};
        table->used++;
    }
    head->value = value;
    return adit_ok();
}

bool adit_table_get(const struct adit_table *table, struct adit_bytes key, uint64_t *out_value)
{
    if (table->used == 0 || key.len > table->key_max) {
        return false;
    }
    const struct slot_head *head =
        head_at(table, find(table, key, (uint32_t)adit_siphash(table->seed, key)));
    if (!head->is_used) {
        return false;
    }
    *out_value = head->value;
    return true;
}

bool adit_table_remove(struct adit_table *table, struct adit_bytes key)
{
    if (table->used == 0 || key.len > table->key_max) {
        return false;
    }
    size_t hole = find(table, key, (uint32_t)adit_siphash(table->seed, key));
    if (!head_at(table, hole)->is_used) {
        return false;
    }
    size_t mask = table->slot_count - 1;
    for (size_t index = next_index(table, hole); head_at(table, index)->is_used;
         index = next_index(table, index)) {
        size_t home = head_at(table, index)->hash & mask;
        if (((index - home) & mask) >= ((index - hole) & mask)) { /* it may move back to the hole */
            adit_status_ignore(adit_span_copy(slot_span(table, hole),
                                              adit_span_bytes(slot_span(table, index))),
                               "slots are of one size");
            hole = index;
        }
    }
    adit_span_fill(slot_span(table, hole), 0);
    table->used--;
    return true;
}

void adit_table_clear(struct adit_table *table)
{
    adit_span_fill(table->slots, 0);
    table->used = 0;
}

bool adit_table_next(const struct adit_table *table, size_t *cursor, struct adit_bytes *out_key,
                     uint64_t *out_value)
{
    while (*cursor < table->slot_count) {
        size_t index = *cursor;
        *cursor = index + 1;
        if (head_at(table, index)->is_used) {
            *out_key = key_of(head_at(table, index));
            *out_value = head_at(table, index)->value;
            return true;
        }
    }
    return false;
}
