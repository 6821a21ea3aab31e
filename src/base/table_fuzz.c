/* Table against a list of pairs. A tiny table at full load under a chosen seed, so clusters wrap
 * around the end, and keys of 0 to 3 bytes collide often. */
#include "base/table.h"

#include "fuzz.h"

enum { CAPACITY_MAX = 60, KEY_MAX = 3, PAIRS_MAX = 64 };

struct pair {
    uint8_t key[KEY_MAX];
    size_t key_len;
    uint64_t value;
};

struct world {
    struct adit_table table;
    struct pair pairs[PAIRS_MAX];
    size_t count;
};

static struct adit_bytes key_of(const struct pair *pair)
{
    return adit_bytes_first(ADIT_BYTES_OF(pair->key), pair->key_len);
}

/* The pair of the key, or world->count. */
static size_t pair_find(const struct world *world, struct adit_bytes key)
{
    size_t i = 0;
    while (i < world->count && !adit_bytes_equal(key_of(&ADIT_AT(world->pairs, i)), key)) {
        i++;
    }
    return i;
}

static void set(struct world *world, const struct pair *pair)
{
    struct adit_status status = adit_table_set(&world->table, key_of(pair), pair->value);
    size_t at = pair_find(world, key_of(pair));
    if (at == world->count && world->count == world->table.capacity) {
        ADIT_ASSERT(adit_status_error(status) == ADIT_ERROR_FULL);
        return;
    }
    ADIT_ASSERT(adit_is_ok(status));
    ADIT_AT(world->pairs, at) = *pair;
    world->count += at == world->count ? 1 : 0;
}

static void remove_key(struct world *world, struct adit_bytes key)
{
    size_t at = pair_find(world, key);
    ADIT_ASSERT(adit_table_remove(&world->table, key) == (at < world->count));
    if (at < world->count) {
        world->count--;
        ADIT_AT(world->pairs, at) = ADIT_AT(world->pairs, world->count);
    }
}

static void check(const struct world *world)
{
    uint64_t value = 0;
    ADIT_ASSERT(world->table.used == world->count);
    for (size_t i = 0; i < world->count; i++) {
        const struct pair *pair = &ADIT_AT(world->pairs, i);
        ADIT_ASSERT(adit_table_get(&world->table, key_of(pair), &value) && value == pair->value);
    }
    size_t cursor = 0;
    size_t seen = 0;
    struct adit_bytes key = {0};
    while (adit_table_next(&world->table, &cursor, &key, &value)) {
        size_t at = pair_find(world, key);
        ADIT_ASSERT(at < world->count && ADIT_AT(world->pairs, at).value == value);
        seen++;
    }
    ADIT_ASSERT(seen == world->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world world = {0};
    struct adit_reader input = adit_reader_of((struct adit_bytes){.ptr = data, .len = size});
    struct adit_siphash_key seed = {.low = fuzz_byte(&input), .high = fuzz_byte(&input)};
    uint32_t capacity = 1u + fuzz_byte(&input) % (uint32_t)CAPACITY_MAX;
    if (!adit_is_ok(adit_table_init(&world.table, KEY_MAX, capacity, seed))) {
        return 0;
    }
    for (size_t step = 0; step < 400 && input.rest.len > 0; step++) {
        uint8_t choice = fuzz_byte(&input);
        struct pair pair = {.key_len = choice >> 2 & 3, .value = step};
        for (size_t i = 0; i < pair.key_len; i++) {
            ADIT_AT(pair.key, i) = fuzz_byte(&input) & 7;
        }
        uint64_t value = 0;
        if (choice % 4 == 0) {
            remove_key(&world, key_of(&pair));
        } else if (choice % 4 == 1) {
            bool is_there = pair_find(&world, key_of(&pair)) < world.count;
            ADIT_ASSERT(adit_table_get(&world.table, key_of(&pair), &value) == is_there);
        } else {
            set(&world, &pair);
        }
        check(&world);
    }
    adit_table_deinit(&world.table);
    return 0;
}
