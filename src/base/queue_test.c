#include "base/queue.h"

#include "calloc_fails.h"
#include "dies.h"
#include "unit.h"

static uint8_t block[3 * ADIT_CHUNK_BYTES + 100];

static int fill_block(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof block; i++) {
        ADIT_AT(block, i) = (uint8_t)(i * 7 + (i >> 8));
    }
    return 0;
}

static struct adit_bytes block_first(size_t count)
{
    return adit_bytes_first(ADIT_BYTES_OF(block), count);
}

/* Takes everything out, `step` bytes at a time, and compares it with the block from `at` on. */
static void drain(struct adit_queue *queue, struct adit_chunk_pool *pool, size_t at, size_t step)
{
    while (queue->len > 0) {
        struct adit_bytes front = adit_bytes_first(adit_queue_front(queue), step);
        struct adit_bytes want = {0};
        assert_true(front.len > 0);
        assert_ok(adit_bytes_slice(ADIT_BYTES_OF(block), at, front.len, &want));
        assert_bytes(front, want);
        at += front.len;
        adit_queue_drop(queue, pool, front.len);
    }
    assert_int_equal(adit_queue_front(queue).len, 0);
}

static void bytes_come_out_in_order(void **state)
{
    (void)state;
    struct adit_chunk_pool pool = {0};
    struct adit_queue queue = {0};
    adit_chunk_pool_init(&pool, 4, 2);
    adit_queue_init(&queue, 3 * ADIT_CHUNK_BYTES);
    assert_ok(adit_queue_put(&queue, &pool, block_first(ADIT_CHUNK_BYTES + 100)));
    assert_int_equal(pool.used, 2);
    assert_int_equal(queue.len, ADIT_CHUNK_BYTES + 100);
    drain(&queue, &pool, 0, 333);
    assert_int_equal(pool.used, 0);
    adit_chunk_pool_deinit(&pool);
}

static void small_puts_share_a_chunk(void **state)
{
    (void)state;
    struct adit_chunk_pool pool = {0};
    struct adit_queue queue = {0};
    adit_chunk_pool_init(&pool, 4, 2);
    adit_queue_init(&queue, 3 * ADIT_CHUNK_BYTES);
    for (size_t at = 0; at < ADIT_CHUNK_BYTES; at += 160) {
        struct adit_bytes part = {0};
        assert_ok(adit_bytes_slice(ADIT_BYTES_OF(block), at, 160, &part));
        assert_ok(adit_queue_put(&queue, &pool, part));
    }
    assert_int_equal(pool.used, 1);
    assert_ok(adit_queue_put(&queue, &pool, (struct adit_bytes){0}));
    assert_int_equal(pool.used, 1);
    drain(&queue, &pool, 0, ADIT_CHUNK_BYTES);
    adit_chunk_pool_deinit(&pool);
}

static void full_takes_nothing(void **state)
{
    (void)state;
    struct adit_chunk_pool pool = {0};
    struct adit_queue queue = {0};
    struct adit_span hole = {0};
    adit_chunk_pool_init(&pool, 1, 1);
    adit_queue_init(&queue, 2 * ADIT_CHUNK_BYTES);
    assert_fails(adit_queue_put(&queue, &pool, block_first(ADIT_CHUNK_BYTES + 1)), FULL);
    assert_int_equal(queue.len, 0);
    assert_int_equal(pool.used, 0);
    assert_ok(adit_queue_put(&queue, &pool, block_first(ADIT_CHUNK_BYTES)));
    assert_fails(adit_queue_put(&queue, &pool, block_first(1)), FULL); /* the pool's limit */
    assert_fails(adit_queue_reserve(&queue, &pool, 1, &hole), FULL);
    assert_int_equal(queue.len, ADIT_CHUNK_BYTES);
    drain(&queue, &pool, 0, 5000);
    adit_queue_init(&queue, 10);
    assert_fails(adit_queue_put(&queue, &pool, block_first(11)), FULL); /* the queue's own */
    assert_ok(adit_queue_put(&queue, &pool, block_first(10)));
    assert_int_equal(adit_queue_room(&queue), 0);
    assert_fails(adit_queue_reserve(&queue, &pool, 1, &hole), FULL);
    adit_queue_reset(&queue, &pool);
    assert_int_equal(adit_queue_room(&queue), 10);
    assert_int_equal(pool.used, 0);
    adit_chunk_pool_deinit(&pool);
}

/* A put of several chunks of which the second cannot be had leaves the queue as it was. */
/* Two seconds in which nothing happens: no chunk is warm after them. */
static void nobody_needs(struct adit_chunk_pool *pool)
{
    adit_chunk_pool_settle(pool);
    adit_chunk_pool_settle(pool);
    assert_int_equal(pool->free_count, pool->free_max);
}

static void no_memory_takes_nothing(void **state)
{
    (void)state;
    struct adit_chunk_pool pool = {0};
    struct adit_queue queue = {0};
    struct adit_span hole = {0};
    adit_chunk_pool_init(&pool, 8, 0);
    adit_queue_init(&queue, sizeof block);
    assert_ok(adit_queue_put(&queue, &pool, block_first(50)));
    for (size_t after = 0; after < 3; after++) {
        nobody_needs(&pool);
        calloc_fails_after(after);
        struct adit_status status =
            adit_queue_put(&queue, &pool, block_first(3 * ADIT_CHUNK_BYTES + 10));
        calloc_works();
        assert_fails(status, MEMORY);
        assert_int_equal(queue.len, 50);
        assert_int_equal(pool.used, 1);
    }
    nobody_needs(&pool);
    calloc_fails_after(0);
    struct adit_status status = adit_queue_reserve(&queue, &pool, ADIT_CHUNK_BYTES, &hole);
    calloc_works();
    assert_fails(status, MEMORY);
    assert_null(hole.ptr);
    drain(&queue, &pool, 0, 50);
    assert_int_equal(pool.used, 0);
    adit_chunk_pool_deinit(&pool);
}

static void a_hole_that_stays_empty_goes_back(void **state)
{
    (void)state;
    struct adit_chunk_pool pool = {0};
    struct adit_queue queue = {0};
    struct adit_span hole = {0};
    struct iovec views[4] = {0};
    adit_chunk_pool_init(&pool, 2, 1);
    adit_queue_init(&queue, 2 * ADIT_CHUNK_BYTES);
    assert_ok(adit_queue_reserve(&queue, &pool, 100, &hole));
    assert_int_equal(pool.used, 1);
    adit_queue_commit(&queue, &pool, 0);
    assert_int_equal(pool.used, 0);
    assert_ok(adit_queue_put(&queue, &pool, block_first(ADIT_CHUNK_BYTES - 10)));
    assert_ok(adit_queue_reserve(&queue, &pool, 11, &hole)); /* more than the tail has left */
    assert_int_equal(hole.len, ADIT_CHUNK_BYTES);
    assert_int_equal(adit_queue_views(&queue, views, ADIT_COUNT(views)), 1); /* no empty view */
    adit_queue_commit(&queue, &pool, 0);
    assert_int_equal(pool.used, 1);
    assert_ok(adit_queue_reserve(&queue, &pool, 10, &hole)); /* fits the tail */
    assert_int_equal(hole.len, 10);
    assert_ok(adit_span_copy(hole, adit_bytes_first(
                                       adit_bytes_from(ADIT_BYTES_OF(block), ADIT_CHUNK_BYTES - 10),
                                       10)));
    adit_queue_commit(&queue, &pool, 10);
    assert_ok(adit_queue_reserve(&queue, &pool, 10, &hole));
    adit_queue_reset(&queue, &pool); /* also gives back what was only reserved */
    assert_int_equal(pool.used, 0);
    adit_chunk_pool_deinit(&pool);
}

static void a_hole_never_passes_the_room(void **state)
{
    (void)state;
    struct adit_chunk_pool pool = {0};
    struct adit_queue queue = {0};
    struct adit_span hole = {0};
    adit_chunk_pool_init(&pool, 2, 1);
    adit_queue_init(&queue, 100);
    assert_ok(adit_queue_reserve(&queue, &pool, SIZE_MAX, &hole));
    assert_int_equal(hole.len, 100);
    assert_ok(adit_span_copy(hole, block_first(60)));
    adit_queue_commit(&queue, &pool, 60);
    assert_ok(adit_queue_reserve(&queue, &pool, 0, &hole));
    assert_int_equal(hole.len, 40);
    adit_queue_commit(&queue, &pool, 0);
    drain(&queue, &pool, 0, 7);
    adit_chunk_pool_deinit(&pool);
}

static void views_show_the_front_chunks(void **state)
{
    (void)state;
    struct adit_chunk_pool pool = {0};
    struct adit_queue queue = {0};
    struct iovec views[3] = {0};
    adit_chunk_pool_init(&pool, 8, 8);
    adit_queue_init(&queue, sizeof block);
    assert_int_equal(adit_queue_views(&queue, views, 3), 0);
    assert_ok(adit_queue_put(&queue, &pool, ADIT_BYTES_OF(block)));
    adit_queue_drop(&queue, &pool, 5);
    assert_int_equal(adit_queue_views(&queue, views, 2), 2);
    assert_int_equal(adit_queue_views(&queue, views, 3), 3);
    assert_int_equal(ADIT_AT(views, 0).iov_len, ADIT_CHUNK_BYTES - 5);
    assert_int_equal(ADIT_AT(views, 1).iov_len, ADIT_CHUNK_BYTES);
    assert_ptr_equal(ADIT_AT(views, 0).iov_base, adit_queue_front(&queue).ptr);
    drain(&queue, &pool, 5, SIZE_MAX);
    adit_chunk_pool_deinit(&pool);
}

static void warm_chunks_are_kept_up_to_their_number(void **state)
{
    (void)state;
    struct adit_chunk_pool pool = {0};
    struct adit_queue queue = {0};
    adit_chunk_pool_init(&pool, 4, 2);
    adit_queue_init(&queue, sizeof block);
    assert_ok(adit_queue_put(&queue, &pool, ADIT_BYTES_OF(block)));
    assert_int_equal(pool.used, 4);
    adit_queue_drop(&queue, &pool, queue.len);
    assert_int_equal(pool.free_count, 4); /* as many as were used at once */
    adit_chunk_pool_settle(&pool); /* all were needed since the pool began */
    assert_int_equal(pool.free_count, 4);
    calloc_fails_after(0); /* they come warm, without the allocator */
    assert_ok(adit_queue_put(&queue, &pool, block_first(3 * ADIT_CHUNK_BYTES)));
    calloc_works();
    adit_queue_drop(&queue, &pool, 2 * ADIT_CHUNK_BYTES);
    adit_chunk_pool_settle(&pool); /* three were needed, of which one is used still */
    assert_int_equal(pool.used, 1);
    assert_int_equal(pool.free_count, 2);
    adit_queue_reset(&queue, &pool);
    assert_int_equal(pool.free_count, 2); /* at rest */
    adit_chunk_pool_settle(&pool);
    assert_int_equal(pool.free_count, 2);
    adit_queue_reset(&queue, &pool);
    adit_chunk_pool_deinit(&pool);
    assert_int_equal(pool.free_count, 0);
}

static void drops_too_much(void)
{
    struct adit_chunk_pool pool = {0};
    struct adit_queue queue = {0};
    adit_queue_drop(&queue, &pool, 1);
}

static void commits_without_a_hole(void)
{
    struct adit_chunk_pool pool = {0};
    struct adit_queue queue = {.bytes_max = 10};
    adit_queue_commit(&queue, &pool, 1);
}

static void closes_a_pool_in_use(void)
{
    struct adit_chunk_pool pool = {.used = 1};
    adit_chunk_pool_deinit(&pool);
}

static void misuse_ends_the_process(void **state)
{
    (void)state;
    void (*const cases[])(void) = {drops_too_much, commits_without_a_hole, closes_a_pool_in_use};
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        uint8_t memory[512] = {0};
        struct adit_writer said = adit_writer_of(ADIT_SPAN_OF(memory));
        assert_true(dies(ADIT_AT(cases, i), &said));
    }
}

static void sure_room_is_what_put_takes(void **state)
{
    (void)state;
    struct adit_chunk_pool pool = {0};
    struct adit_queue queue = {0};
    adit_chunk_pool_init(&pool, 2, 1);
    adit_queue_init(&queue, 3 * ADIT_CHUNK_BYTES);
    for (size_t used = 0; used <= 2 * ADIT_CHUNK_BYTES; used += 1040) {
        size_t sure = adit_queue_room_sure(&queue, &pool);
        assert_int_equal(sure, 2 * ADIT_CHUNK_BYTES - used);
        assert_fails(adit_queue_put(&queue, &pool, block_first(sure + 1)), FULL);
        assert_int_equal(queue.len, used);
        assert_ok(adit_queue_put(&queue, &pool, block_first(adit_min_size(sure, 1040))));
    }
    adit_queue_reset(&queue, &pool);
    adit_queue_init(&queue, 100);
    assert_int_equal(adit_queue_room_sure(&queue, &pool), 100);
    adit_chunk_pool_deinit(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_come_out_in_order),
        cmocka_unit_test(small_puts_share_a_chunk),
        cmocka_unit_test(full_takes_nothing),
        cmocka_unit_test(no_memory_takes_nothing),
        cmocka_unit_test(a_hole_that_stays_empty_goes_back),
        cmocka_unit_test(a_hole_never_passes_the_room),
        cmocka_unit_test(views_show_the_front_chunks),
        cmocka_unit_test(warm_chunks_are_kept_up_to_their_number),
        cmocka_unit_test(misuse_ends_the_process),
        cmocka_unit_test(sure_room_is_what_put_takes),
    };
    return cmocka_run_group_tests_name("base/queue", tests, fill_block, NULL);
}
