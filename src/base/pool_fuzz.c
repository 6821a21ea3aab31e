/* Pool against a list of handles: living ones find their own object, every other finds nothing. */
#include "base/pool.h"

#include "fuzz.h"

enum { CAPACITY = 16, HANDLES_MAX = 256 };

struct known {
    struct adit_handle handle;
    uint64_t value; /* what was written to the object */
    bool is_alive;
};

struct world {
    struct adit_pool pool;
    struct known known[HANDLES_MAX];
    size_t count;
    uint32_t alive;
};

static void acquire(struct world *world, uint8_t salt)
{
    struct adit_handle handle = {0};
    void *object = NULL;
    if (world->count == HANDLES_MAX) {
        return;
    }
    struct adit_status status = adit_pool_acquire(&world->pool, &handle, &object);
    if (!adit_is_ok(status)) {
        ADIT_ASSERT(adit_status_error(status) == ADIT_ERROR_FULL && world->alive == CAPACITY);
        return;
    }
    uint64_t *value = object;
    ADIT_ASSERT(*value == 0); /* zeroed, whoever had it before */
    *value = (uint64_t)world->count << 8 | salt;
    for (size_t i = 0; i < world->count; i++) { /* no handle comes twice */
        ADIT_ASSERT(!adit_handle_equal(ADIT_AT(world->known, i).handle, handle));
    }
    ADIT_AT(world->known, world->count) =
        (struct known){.handle = handle, .value = *value, .is_alive = true};
    world->count++;
    world->alive++;
}

static void release(struct world *world, struct known *known)
{
    struct adit_status status = adit_pool_release(&world->pool, known->handle);
    ADIT_ASSERT(adit_status_error(status) ==
                (known->is_alive ? ADIT_ERROR_NONE : ADIT_ERROR_STALE));
    world->alive -= known->is_alive ? 1 : 0;
    known->is_alive = false;
}

static void check(const struct world *world)
{
    for (size_t i = 0; i < world->count; i++) {
        const struct known *known = &ADIT_AT(world->known, i);
        uint64_t *value = adit_pool_get(&world->pool, known->handle);
        ADIT_ASSERT((value != NULL) == known->is_alive);
        ADIT_ASSERT(!value || *value == known->value);
    }
    ADIT_ASSERT(world->pool.used == world->alive);
    uint32_t cursor = 0;
    uint32_t seen = 0;
    struct adit_handle handle = {0};
    while (adit_pool_next(&world->pool, &cursor, &handle)) {
        ADIT_ASSERT(adit_pool_get(&world->pool, handle) != NULL);
        ADIT_ASSERT(adit_handle_equal(adit_handle_unpack(adit_handle_pack(handle)), handle));
        seen++;
    }
    ADIT_ASSERT(seen == world->alive);
}

/* A handle that was never given out, or was: whoever invents one reaches nothing but the living. */
static void invent(const struct world *world, struct adit_handle handle)
{
    bool is_alive = false;
    for (size_t i = 0; i < world->count; i++) {
        const struct known *known = &ADIT_AT(world->known, i);
        is_alive = is_alive || (known->is_alive && adit_handle_equal(known->handle, handle));
    }
    ADIT_ASSERT((adit_pool_get(&world->pool, handle) != NULL) == is_alive);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world world;
    world = (struct world){0};
    struct adit_reader input = adit_reader_of((struct adit_bytes){.ptr = data, .len = size});
    if (!adit_is_ok(adit_pool_init(&world.pool, 8u + fuzz_byte(&input) % 100u, CAPACITY))) {
        return 0;
    }
    for (size_t step = 0; step < 400 && input.rest.len > 0; step++) {
        uint8_t choice = fuzz_byte(&input);
        uint8_t which = fuzz_byte(&input);
        if (choice % 4 < 2) {
            acquire(&world, which);
        } else if (choice % 4 == 2 && world.count > 0) {
            release(&world, &ADIT_AT(world.known, which % world.count));
        } else {
            uint32_t index = which % (CAPACITY + 2u);
            invent(&world, (struct adit_handle){.index = index, .generation = choice});
        }
        check(&world);
    }
    adit_pool_deinit(&world.pool);
    return 0;
}
