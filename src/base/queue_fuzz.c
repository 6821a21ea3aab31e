/* Queue against a plain array: the same bytes in the same order, every counter as it should be. */
#include "base/queue.h"

#include "fuzz.h"

enum { MODEL_MAX = 4 * ADIT_CHUNK_BYTES, CHUNKS_MAX = 6 };

struct model {
    uint8_t bytes[MODEL_MAX];
    size_t len;
};

struct world {
    struct adit_chunk_pool pool;
    struct adit_queue queue;
    struct model *model;
    uint8_t next; /* the value of the next byte that goes in */
};

static struct adit_span model_append(struct world *world, size_t count)
{
    struct adit_span model = ADIT_SPAN_OF(world->model->bytes);
    struct adit_span added = adit_span_first(adit_span_from(model, world->model->len), count);
    ADIT_ASSERT(added.len == count);
    for (size_t i = 0; i < count; i++) {
        ADIT_SLOT(added.ptr, added.len, i) = world->next;
        world->next = (uint8_t)(world->next * 5 + 1);
    }
    world->model->len += count;
    return added;
}

static void model_drop(struct world *world, size_t count)
{
    ADIT_ASSERT(count <= world->model->len);
    world->model->len -= count;
    adit_status_ignore(adit_span_move(ADIT_SPAN_OF(world->model->bytes), 0, count,
                                      world->model->len),
                       "inside, as the line above says");
}

static size_t size_from(struct adit_reader *input)
{
    size_t size = fuzz_byte(input);
    return size << (fuzz_byte(input) % 10);
}

static void put(struct world *world, size_t count)
{
    size_t room = adit_queue_room(&world->queue);
    uint32_t used = world->pool.used;
    size_t len = world->model->len;
    if (count > MODEL_MAX - len) {
        return;
    }
    struct adit_span added = model_append(world, count);
    struct adit_status status =
        adit_queue_put(&world->queue, &world->pool, adit_span_bytes(added));
    if (!adit_is_ok(status)) {
        ADIT_ASSERT(adit_status_error(status) == ADIT_ERROR_FULL);
        ADIT_ASSERT(count > room || used + count / ADIT_CHUNK_BYTES + 1 > CHUNKS_MAX);
        ADIT_ASSERT(world->pool.used == used);
        world->model->len = len;
    }
}

static void reserve(struct world *world, size_t want, size_t count)
{
    struct adit_span hole = {0};
    size_t room = adit_queue_room(&world->queue);
    struct adit_status status = adit_queue_reserve(&world->queue, &world->pool, want, &hole);
    if (!adit_is_ok(status)) {
        ADIT_ASSERT(adit_status_error(status) == ADIT_ERROR_FULL);
        ADIT_ASSERT(room == 0 || world->pool.used == CHUNKS_MAX);
        return;
    }
    size_t least = adit_min_size(adit_min_size(want, room), ADIT_CHUNK_BYTES);
    ADIT_ASSERT(hole.len >= 1 && hole.len >= least && hole.len <= room);
    count = adit_min_size(adit_min_size(count, hole.len), MODEL_MAX - world->model->len);
    struct adit_span added = model_append(world, count);
    ADIT_ASSERT(adit_is_ok(adit_span_copy(hole, adit_span_bytes(added))));
    adit_queue_commit(&world->queue, &world->pool, count);
}

static void check(const struct world *world)
{
    struct iovec views[CHUNKS_MAX + 1] = {0};
    struct adit_bytes want =
        adit_bytes_first(ADIT_BYTES_OF(world->model->bytes), world->model->len);
    size_t filled = adit_queue_views(&world->queue, views, ADIT_COUNT(views));
    ADIT_ASSERT(world->queue.len == world->model->len);
    ADIT_ASSERT(filled == world->pool.used);
    ADIT_ASSERT(world->pool.used <= world->pool.used_most && world->pool.used_most <= CHUNKS_MAX);
    ADIT_ASSERT(world->pool.used + world->pool.free_count <= CHUNKS_MAX + world->pool.free_max);
    for (size_t i = 0; i < filled; i++) {
        struct iovec view = ADIT_AT(views, i);
        struct adit_bytes part = {.ptr = view.iov_base, .len = view.iov_len};
        ADIT_ASSERT(part.len > 0 && adit_bytes_starts_with(want, part));
        want = adit_bytes_from(want, part.len);
    }
    ADIT_ASSERT(want.len == 0);
    ADIT_ASSERT((adit_queue_front(&world->queue).len == 0) == (world->queue.len == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct model model;
    model.len = 0;
    struct adit_reader input = adit_reader_of((struct adit_bytes){.ptr = data, .len = size});
    struct world world = {.model = &model};
    adit_chunk_pool_init(&world.pool, CHUNKS_MAX, fuzz_byte(&input) % 4);
    adit_queue_init(&world.queue, (size_t)fuzz_byte(&input) * (MODEL_MAX / 255));
    for (size_t step = 0; step < 200 && input.rest.len > 0; step++) {
        switch (fuzz_byte(&input) % 8) {
        case 0:
        case 1:
            put(&world, size_from(&input));
            break;
        case 2:
            reserve(&world, size_from(&input), size_from(&input));
            break;
        case 3:
            reserve(&world, size_from(&input), 0);
            break;
        case 4:
            adit_queue_reset(&world.queue, &world.pool);
            model.len = 0;
            break;
        case 5:
            adit_chunk_pool_settle(&world.pool);
            break;
        default: {
            size_t count = adit_min_size(size_from(&input), model.len);
            adit_queue_drop(&world.queue, &world.pool, count);
            model_drop(&world, count);
        }
        }
        check(&world);
    }
    adit_queue_reset(&world.queue, &world.pool);
    adit_chunk_pool_deinit(&world.pool);
    return 0;
}
