#include "base/pool.h"

#include "calloc_fails.h"
#include "unit.h"

struct thing {
    uint64_t a, b, c; /* 24 bytes */
};

static void a_handle_finds_its_object_until_release(void **state)
{
    (void)state;
    struct adit_pool pool = {0};
    assert_ok(adit_pool_init(&pool, sizeof(struct thing), 2));
    struct adit_handle first = {0};
    struct adit_handle second = {0};
    void *object = NULL;
    assert_ok(adit_pool_acquire(&pool, &first, &object));
    assert_ptr_equal(adit_pool_get(&pool, first), object);
    struct thing *thing = object;
    *thing = (struct thing){1, 2, 3};
    assert_ok(adit_pool_acquire(&pool, &second, &object));
    assert_int_equal(pool.used, 2);
    assert_ok(adit_pool_release(&pool, first));
    assert_null(adit_pool_get(&pool, first));
    assert_fails(adit_pool_release(&pool, first), STALE);
    assert_int_equal(pool.used, 1);
    struct adit_handle third = {0};
    assert_ok(adit_pool_acquire(&pool, &third, &object));
    assert_int_equal(third.index, first.index); /* the same place, another life, zeroed */
    assert_false(adit_handle_equal(third, first));
    thing = object;
    assert_true(thing->a == 0 && thing->b == 0 && thing->c == 0);
    assert_null(adit_pool_get(&pool, first));
    assert_non_null(adit_pool_get(&pool, second));
    adit_pool_deinit(&pool);
    assert_null(adit_pool_get(&pool, second));
}

static void full_is_an_error_value(void **state)
{
    (void)state;
    struct adit_pool pool = {0};
    assert_ok(adit_pool_init(&pool, 1, 3));
    struct adit_handle handle = {0};
    void *object = NULL;
    for (int i = 0; i < 3; i++) {
        assert_ok(adit_pool_acquire(&pool, &handle, &object));
    }
    struct adit_handle before = handle;
    assert_fails(adit_pool_acquire(&pool, &handle, &object), FULL);
    assert_true(adit_handle_equal(handle, before));
    assert_ok(adit_pool_release(&pool, handle));
    assert_ok(adit_pool_acquire(&pool, &handle, &object));
    adit_pool_deinit(&pool);
}

static void invented_handles_name_nothing(void **state)
{
    (void)state;
    struct adit_pool pool = {0};
    assert_ok(adit_pool_init(&pool, 8, 4));
    struct adit_handle handle = {0};
    void *object = NULL;
    assert_ok(adit_pool_acquire(&pool, &handle, &object));
    const struct adit_handle cases[] = {
        {.index = 0, .generation = 0},  {.index = 0, .generation = 2},
        {.index = 0, .generation = 3},  {.index = 0, .generation = UINT32_MAX},
        {.index = 1, .generation = 1},  {.index = 3, .generation = 0},
        {.index = 4, .generation = 1},  {.index = UINT32_MAX, .generation = 1},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        assert_null(adit_pool_get(&pool, ADIT_AT(cases, i)));
        assert_fails(adit_pool_release(&pool, ADIT_AT(cases, i)), STALE);
    }
    assert_non_null(adit_pool_get(&pool, handle));
    adit_pool_deinit(&pool);
}

static void the_walk_sees_each_living_object_once(void **state)
{
    (void)state;
    struct adit_pool pool = {0};
    assert_ok(adit_pool_init(&pool, 8, 8));
    struct adit_handle handles[6] = {0};
    void *object = NULL;
    for (size_t i = 0; i < ADIT_COUNT(handles); i++) {
        assert_ok(adit_pool_acquire(&pool, &ADIT_AT(handles, i), &object));
    }
    assert_ok(adit_pool_release(&pool, ADIT_AT(handles, 0)));
    assert_ok(adit_pool_release(&pool, ADIT_AT(handles, 3)));
    uint32_t cursor = 0;
    uint32_t seen = 0;
    struct adit_handle handle = {0};
    while (adit_pool_next(&pool, &cursor, &handle)) {
        seen |= 1u << handle.index;
        assert_ok(adit_pool_release(&pool, handle)); /* allowed on the way */
    }
    assert_int_equal(seen, 1 << 1 | 1 << 2 | 1 << 4 | 1 << 5);
    assert_int_equal(pool.used, 0);
    assert_false(adit_pool_next(&pool, &cursor, &handle));
    adit_pool_deinit(&pool);
}

/* Aged by two thousand million lives. */
static void an_object_of_too_many_lives_is_retired(void **state)
{
    (void)state;
    struct adit_pool pool = {0};
    assert_ok(adit_pool_init(&pool, 8, 2));
    struct adit_handle handle = {0};
    void *object = NULL;
    assert_ok(adit_pool_acquire(&pool, &handle, &object));
    struct adit_pool_note *note = pool.notes;
    note->generation = UINT32_MAX - 2;
    handle.generation = UINT32_MAX - 2;
    assert_ok(adit_pool_release(&pool, handle));
    assert_ok(adit_pool_acquire(&pool, &handle, &object));
    assert_int_equal(handle.index, 1); /* index 0 never comes back, so no old handle revives */
    assert_fails(adit_pool_acquire(&pool, &handle, &object), FULL);
    adit_pool_deinit(&pool);
}

static void handles_pack_into_one_number(void **state)
{
    (void)state;
    struct adit_handle handle = {.index = 0xfffffffe, .generation = 0x80000001};
    assert_int_equal(adit_handle_pack(handle), 0x80000001fffffffe);
    assert_true(adit_handle_equal(adit_handle_unpack(adit_handle_pack(handle)), handle));
    assert_true(adit_handle_is_set(handle));
    assert_false(adit_handle_is_set(adit_handle_unpack(0)));
}

static void init_refuses_odd_sizes_and_survives_no_memory(void **state)
{
    (void)state;
    struct adit_pool pool = {0};
    assert_fails(adit_pool_init(&pool, 0, 1), INVALID);
    assert_fails(adit_pool_init(&pool, (1 << 20) + 1, 1), INVALID);
    assert_fails(adit_pool_init(&pool, 8, 0), INVALID);
    assert_fails(adit_pool_init(&pool, 8, UINT32_MAX), INVALID);
    for (size_t after = 0; after < 2; after++) {
        calloc_fails_after(after);
        struct adit_status status = adit_pool_init(&pool, 8, 1);
        calloc_works();
        assert_fails(status, MEMORY); /* the leak checker sees that the first block went back */
        assert_null(pool.objects.ptr);
    }
}

static void after_init_nothing_is_allocated(void **state)
{
    (void)state;
    struct adit_pool pool = {0};
    assert_ok(adit_pool_init(&pool, 100, 1000));
    calloc_fails_after(0);
    struct adit_handle handle = {0};
    void *object = NULL;
    for (int i = 0; i < 1000; i++) {
        assert_ok(adit_pool_acquire(&pool, &handle, &object));
    }
    calloc_works();
    adit_pool_deinit(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handle_finds_its_object_until_release),
        cmocka_unit_test(full_is_an_error_value),
        cmocka_unit_test(invented_handles_name_nothing),
        cmocka_unit_test(the_walk_sees_each_living_object_once),
        cmocka_unit_test(an_object_of_too_many_lives_is_retired),
        cmocka_unit_test(handles_pack_into_one_number),
        cmocka_unit_test(init_refuses_odd_sizes_and_survives_no_memory),
        cmocka_unit_test(after_init_nothing_is_allocated),
    };
    return cmocka_run_group_tests_name("base/pool", tests, NULL, NULL);
}
