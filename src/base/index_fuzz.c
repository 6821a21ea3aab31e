/* Index against a list of pairs: few hashes in few buckets, so chains are long, are parted when it
 * grows, and lose their front, middle and end. */
#include "base/index.h"

#include "fuzz.h"

enum { CAPACITY_MAX = 64 };

struct world {
    struct adit_index index;
    uint32_t hashes[CAPACITY_MAX];
    bool is_held[CAPACITY_MAX];
    uint32_t count;
};

/* Under each hash exactly the numbers that are held under it, each once. */
static void check(const struct world *world)
{
    uint32_t met = 0;
    ADIT_ASSERT(world->index.used == world->count);
    for (uint32_t number = 0; number < world->index.capacity; number++) {
        if (!ADIT_AT(world->is_held, number)) {
            continue;
        }
        uint32_t hash = ADIT_AT(world->hashes, number);
        uint64_t seen = 0;
        for (uint32_t at = adit_index_first(&world->index, hash); at != ADIT_INDEX_NONE;
             at = adit_index_next(&world->index, at)) {
            ADIT_ASSERT(ADIT_AT(world->is_held, at) && ADIT_AT(world->hashes, at) == hash);
            ADIT_ASSERT((seen >> at & 1) == 0);
            seen |= UINT64_C(1) << at;
        }
        ADIT_ASSERT((seen >> number & 1) == 1);
        met++;
    }
    ADIT_ASSERT(met == world->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world world = {0};
    struct adit_reader input = adit_reader_of((struct adit_bytes){.ptr = data, .len = size});
    uint32_t capacity = 1u + fuzz_byte(&input) % (uint32_t)CAPACITY_MAX;
    if (!adit_is_ok(adit_index_init(&world.index, capacity))) {
        return 0;
    }
    for (size_t step = 0; step < 400 && input.rest.len > 0; step++) {
        uint8_t choice = fuzz_byte(&input);
        uint32_t number = (uint32_t)(choice >> 1) % capacity;
        bool *is_held = &ADIT_AT(world.is_held, number);
        if ((choice & 1) == 0) {
            ADIT_ASSERT(adit_index_remove(&world.index, number) == *is_held);
            world.count -= *is_held ? 1 : 0;
            *is_held = false;
        } else if (!*is_held) {
            uint32_t hash = fuzz_byte(&input) & 0x93u; /* 16 apart: together until it grows */
            adit_index_add(&world.index, hash, number);
            ADIT_AT(world.hashes, number) = hash;
            *is_held = true;
            world.count++;
        }
        check(&world);
    }
    adit_index_deinit(&world.index);
    return 0;
}
