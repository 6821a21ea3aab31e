#include "base/index.h"

#include "calloc_fails.h"
#include "unit.h"

/* How often `number` is met under its hash; each number there must have that hash. */
static uint32_t times_met(const struct adit_index *index, uint32_t hash, uint32_t number)
{
    uint32_t times = 0;
    for (uint32_t at = adit_index_first(index, hash); at != ADIT_INDEX_NONE;
         at = adit_index_next(index, at)) {
        times += at == number ? 1 : 0;
    }
    return times;
}

static void one_hash_may_have_several_numbers(void **state)
{
    (void)state;
    struct adit_index index = {0};
    assert_ok(adit_index_init(&index, 8));
    assert_int_equal(adit_index_first(&index, 7), ADIT_INDEX_NONE);
    adit_index_add(&index, 7, 0);
    adit_index_add(&index, 7, 5);
    adit_index_add(&index, 7 + 16, 1); /* the same bucket */
    adit_index_add(&index, 7, 7);
    assert_int_equal(index.used, 4);
    assert_int_equal(times_met(&index, 7, 0), 1);
    assert_int_equal(times_met(&index, 7, 5), 1);
    assert_int_equal(times_met(&index, 7, 7), 1);
    assert_int_equal(times_met(&index, 7, 1), 0);
    assert_int_equal(adit_index_first(&index, 7 + 16), 1);
    assert_int_equal(adit_index_next(&index, 1), ADIT_INDEX_NONE);
    assert_true(adit_index_remove(&index, 5)); /* from the middle, */
    assert_true(adit_index_remove(&index, 0)); /* the end, */
    assert_true(adit_index_remove(&index, 7)); /* and the front */
    assert_false(adit_index_remove(&index, 5));
    assert_false(adit_index_remove(&index, 2)); /* never held */
    assert_int_equal(adit_index_first(&index, 7), ADIT_INDEX_NONE);
    assert_int_equal(adit_index_first(&index, 7 + 16), 1);
    adit_index_add(&index, 9, 5); /* again, under another hash */
    assert_int_equal(adit_index_first(&index, 9), 5);
    assert_int_equal(index.used, 2);
    adit_index_deinit(&index);
}

/* A large index that holds little touches little: it doubles without allocating. */
static void it_grows_into_its_own_memory(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    struct adit_index index = {0};
    assert_ok(adit_index_init(&index, COUNT));
    calloc_fails_after(0);
    for (uint32_t i = 0; i < COUNT; i++) {
        adit_index_add(&index, i * 2654435761u, i);
        assert_true(index.bucket_count >= index.used);
        assert_true(index.bucket_count <= 16 || index.bucket_count < 2 * index.used);
    }
    calloc_works();
    assert_int_equal(index.bucket_count, index.bucket_count_max);
    for (uint32_t i = 0; i < COUNT; i += 2) {
        assert_true(adit_index_remove(&index, i));
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(times_met(&index, i * 2654435761u, i), i % 2);
    }
    assert_int_equal(index.used, COUNT / 2);
    adit_index_deinit(&index);
}

static void init_refuses_odd_sizes_and_survives_no_memory(void **state)
{
    (void)state;
    struct adit_index index = {0};
    assert_fails(adit_index_init(&index, 0), INVALID);
    assert_fails(adit_index_init(&index, (1 << 28) + 1), INVALID);
    for (size_t after = 0; after < 2; after++) {
        calloc_fails_after(after);
        struct adit_status status = adit_index_init(&index, 10);
        calloc_works();
        assert_fails(status, MEMORY);
        assert_null(index.buckets);
    }
    adit_index_deinit(&index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_hash_may_have_several_numbers),
        cmocka_unit_test(it_grows_into_its_own_memory),
        cmocka_unit_test(init_refuses_odd_sizes_and_survives_no_memory),
    };
    return cmocka_run_group_tests_name("base/index", tests, NULL, NULL);
}
