#include "base/queue.h"

#include "unit.h"

static void bytes_come_out_in_order(void **state)
{
    (void)state;
    struct adit_chunk_pool pool = {0};
    struct adit_queue queue = {0};
    adit_chunk_pool_init(&pool, 4, 2);
    adit_queue_init(&queue, 3 * ADIT_CHUNK_BYTES);
    static uint8_t block[ADIT_CHUNK_BYTES + 100];
    for (size_t i = 0; i < sizeof block; i++) {
        ADIT_AT(block, i) = (uint8_t)(i * 7);
    }
    assert_ok(adit_queue_put(&queue, &pool, ADIT_BYTES_OF(block)));
    assert_int_equal(pool.used, 2);
    size_t at = 0;
    while (queue.len > 0) {
        struct adit_bytes front = adit_bytes_first(adit_queue_front(&queue), 333);
        struct adit_bytes want = {0};
        assert_ok(adit_bytes_slice(ADIT_BYTES_OF(block), at, front.len, &want));
        assert_bytes(front, want);
        at += front.len;
        adit_queue_drop(&queue, &pool, front.len);
    }
    assert_int_equal(at, sizeof block);
    assert_int_equal(pool.used, 0);
    adit_chunk_pool_deinit(&pool);
}

static void full_takes_nothing(void **state)
{
    (void)state;
    struct adit_chunk_pool pool = {0};
    struct adit_queue queue = {0};
    adit_chunk_pool_init(&pool, 1, 1);
    adit_queue_init(&queue, 2 * ADIT_CHUNK_BYTES);
    static uint8_t block[ADIT_CHUNK_BYTES + 1];
    assert_fails(adit_queue_put(&queue, &pool, ADIT_BYTES_OF(block)), FULL);
    assert_int_equal(queue.len, 0);
    struct adit_span hole = {0};
    assert_ok(adit_queue_reserve(&queue, &pool, 100, &hole));
    adit_queue_commit(&queue, &pool, 0); /* nothing came: the chunk goes back */
    assert_int_equal(pool.used, 0);
    adit_chunk_pool_deinit(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_come_out_in_order),
        cmocka_unit_test(full_takes_nothing),
    };
    return cmocka_run_group_tests_name("base/queue", tests, NULL, NULL);
}
