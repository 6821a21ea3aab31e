#include "base/table.h"

#include "calloc_fails.h"
#include "unit.h"

static const struct adit_siphash_key seed = {.low = 1, .high = 2};

static void set_get_replace_remove(void **state)
{
    (void)state;
    struct adit_table table = {0};
    assert_ok(adit_table_init(&table, 16, 8, seed));
    uint64_t value = 77;
    assert_false(adit_table_get(&table, ADIT_BYTES("a"), &value));
    assert_int_equal(value, 77);
    assert_ok(adit_table_set(&table, ADIT_BYTES("a"), 1));
    assert_ok(adit_table_set(&table, ADIT_BYTES(""), 2));
    assert_ok(adit_table_set(&table, ADIT_BYTES("a\0"), 3));
    assert_ok(adit_table_set(&table, ADIT_BYTES("a"), 4));
    assert_int_equal(table.used, 3);
    assert_true(adit_table_get(&table, ADIT_BYTES("a"), &value));
    assert_int_equal(value, 4);
    assert_true(adit_table_get(&table, ADIT_BYTES(""), &value));
    assert_int_equal(value, 2);
    assert_true(adit_table_get(&table, ADIT_BYTES("a\0"), &value));
    assert_int_equal(value, 3);
    assert_true(adit_table_remove(&table, ADIT_BYTES("a")));
    assert_false(adit_table_remove(&table, ADIT_BYTES("a")));
    assert_false(adit_table_get(&table, ADIT_BYTES("a"), &value));
    assert_int_equal(table.used, 2);
    adit_table_deinit(&table);
}

static void limits_are_kept(void **state)
{
    (void)state;
    struct adit_table table = {0};
    uint64_t value = 0;
    assert_ok(adit_table_init(&table, 2, 3, seed));
    assert_fails(adit_table_set(&table, ADIT_BYTES("abc"), 1), INVALID);
    assert_false(adit_table_get(&table, ADIT_BYTES("abc"), &value));
    assert_false(adit_table_remove(&table, ADIT_BYTES("abc")));
    assert_ok(adit_table_set(&table, ADIT_BYTES("a"), 1));
    assert_ok(adit_table_set(&table, ADIT_BYTES("bb"), 2));
    assert_ok(adit_table_set(&table, ADIT_BYTES("c"), 3));
    assert_fails(adit_table_set(&table, ADIT_BYTES("d"), 4), FULL);
    assert_ok(adit_table_set(&table, ADIT_BYTES("c"), 5)); /* replacing needs no room */
    assert_int_equal(table.used, 3);
    adit_table_deinit(&table);
}

static struct adit_bytes number_key(uint64_t number, struct adit_span memory)
{
    struct adit_writer writer = adit_writer_of(memory);
    assert_ok(adit_write_decimal(&writer, number));
    return adit_writer_bytes(&writer);
}

/* At full load every cluster is long: removal has to move others back and lose none. */
static void removal_loses_no_other(void **state)
{
    (void)state;
    enum { COUNT = 384 };
    struct adit_table table = {0};
    uint8_t memory[20] = {0};
    assert_ok(adit_table_init(&table, 20, COUNT, seed));
    for (uint64_t i = 0; i < COUNT; i++) {
        assert_ok(adit_table_set(&table, number_key(i, ADIT_SPAN_OF(memory)), i * 3));
    }
    for (uint64_t gone = 0; gone < COUNT; gone += 2) {
        assert_true(adit_table_remove(&table, number_key(gone, ADIT_SPAN_OF(memory))));
    }
    assert_int_equal(table.used, COUNT / 2);
    for (uint64_t i = 0; i < COUNT; i++) {
        uint64_t value = 0;
        bool is_there = adit_table_get(&table, number_key(i, ADIT_SPAN_OF(memory)), &value);
        assert_int_equal(is_there, i % 2 == 1);
        assert_int_equal(value, is_there ? i * 3 : 0);
    }
    adit_table_deinit(&table);
}

static void the_walk_sees_each_entry_once(void **state)
{
    (void)state;
    struct adit_table table = {0};
    uint8_t memory[20] = {0};
    assert_ok(adit_table_init(&table, 20, 32, seed));
    for (uint64_t i = 0; i < 32; i++) {
        assert_ok(adit_table_set(&table, number_key(i, ADIT_SPAN_OF(memory)), i));
    }
    uint64_t seen = 0;
    size_t cursor = 0;
    uint64_t value = 0;
    struct adit_bytes key = {0};
    while (adit_table_next(&table, &cursor, &key, &value)) {
        assert_bytes(key, number_key(value, ADIT_SPAN_OF(memory)));
        assert_int_equal(seen >> value & 1, 0);
        seen |= (uint64_t)1 << value;
    }
    assert_int_equal(seen, 0xffffffff);
    adit_table_deinit(&table);
}

/* A large table that holds little touches little: it doubles without allocating. */
static void it_grows_into_its_own_memory(void **state)
{
    (void)state;
    struct adit_table table = {0};
    uint8_t memory[20] = {0};
    uint64_t value = 0;
    assert_ok(adit_table_init(&table, 20, 100000, seed));
    assert_int_equal(table.slot_count, 16);
    calloc_fails_after(0);
    for (uint64_t i = 0; i < 100000; i++) {
        assert_ok(adit_table_set(&table, number_key(i, ADIT_SPAN_OF(memory)), i));
        assert_true(table.slot_count < 32 || table.slot_count < 3 * (size_t)table.used);
    }
    calloc_works();
    assert_fails(adit_table_set(&table, ADIT_BYTES("x"), 1), FULL);
    for (uint64_t i = 0; i < 100000; i++) {
        assert_true(adit_table_get(&table, number_key(i, ADIT_SPAN_OF(memory)), &value));
        assert_int_equal(value, i);
    }
    assert_int_equal(table.slot_count, table.slot_count_max);
    assert_int_equal(table.slots.ptr - table.memory.ptr,
                     (ptrdiff_t)(table.memory.len - table.slots.len)); /* exactly to its end */
    adit_table_deinit(&table);
}

static void init_refuses_odd_sizes_and_survives_no_memory(void **state)
{
    (void)state;
    struct adit_table table = {0};
    assert_fails(adit_table_init(&table, 0, 1, seed), INVALID);
    assert_fails(adit_table_init(&table, 256, 1, seed), INVALID);
    assert_fails(adit_table_init(&table, 1, 0, seed), INVALID);
    assert_fails(adit_table_init(&table, 1, (1 << 28) + 1, seed), INVALID);
    calloc_fails_after(0);
    struct adit_status status = adit_table_init(&table, 1, 1, seed);
    calloc_works();
    assert_fails(status, MEMORY);
    assert_null(table.memory.ptr);
}

/* Before init and after deinit a table is empty, not a trap. */
static void a_table_without_slots_is_empty(void **state)
{
    (void)state;
    struct adit_table table = {0};
    uint64_t value = 0;
    size_t cursor = 0;
    struct adit_bytes key = {0};
    assert_false(adit_table_get(&table, ADIT_BYTES(""), &value));
    assert_false(adit_table_remove(&table, ADIT_BYTES("")));
    assert_false(adit_table_next(&table, &cursor, &key, &value));
    assert_fails(adit_table_set(&table, ADIT_BYTES(""), 1), FULL);
    adit_table_deinit(&table);
}

static void it_can_be_emptied(void **state)
{
    (void)state;
    struct adit_table table = {0};
    assert_ok(adit_table_init(&table, 8, 100, seed));
    for (int round = 0; round < 3; round++) {
        uint64_t value = 0;
        size_t cursor = 0;
        struct adit_bytes key = {0};
        for (uint8_t i = 0; i < 100; i++) {
            const uint8_t name[1] = {i};
            assert_ok(adit_table_set(&table, ADIT_BYTES_OF(name), i));
        }
        assert_fails(adit_table_set(&table, ADIT_BYTES("more"), 1), FULL);
        adit_table_clear(&table);
        assert_int_equal(table.used, 0);
        assert_false(adit_table_next(&table, &cursor, &key, &value));
        assert_false(adit_table_get(&table, ADIT_BYTES("\1"), &value));
    }
    adit_table_clear(&table);
    adit_table_deinit(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_get_replace_remove),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(removal_loses_no_other),
        cmocka_unit_test(the_walk_sees_each_entry_once),
        cmocka_unit_test(it_grows_into_its_own_memory),
        cmocka_unit_test(init_refuses_odd_sizes_and_survives_no_memory),
        cmocka_unit_test(a_table_without_slots_is_empty),
        cmocka_unit_test(it_can_be_emptied),
    };
    return cmocka_run_group_tests_name("base/table", tests, NULL, NULL);
}
