#include "base/memory.h"

#include "calloc_fails.h"
#include "dies.h"
#include "unit.h"

static void memory_is_zeroed_and_of_the_size_asked_for(void **state)
{
    (void)state;
    struct adit_span memory = {0};
    assert_ok(adit_memory_open(3, 100, &memory));
    assert_int_equal(memory.len, 300);
    for (size_t i = 0; i < memory.len; i++) {
        assert_int_equal(ADIT_SLOT(memory.ptr, memory.len, i), 0);
    }
    adit_span_fill(memory, 0xff);
    adit_memory_close(&memory);
    assert_null(memory.ptr);
    assert_int_equal(memory.len, 0);
    adit_memory_close(&memory); /* an empty view is fine */
}

static void odd_sizes_are_refused(void **state)
{
    (void)state;
    const struct {
        size_t count, size;
    } cases[] = {
        {0, 0}, {0, 8}, {8, 0}, {SIZE_MAX, 2}, {2, SIZE_MAX}, {(size_t)1 << 33, (size_t)1 << 33},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        struct adit_span memory = {.ptr = NULL, .len = 77};
        assert_fails(adit_memory_open(ADIT_AT(cases, i).count, ADIT_AT(cases, i).size, &memory),
                     INVALID);
        assert_int_equal(memory.len, 77);
    }
}

static void no_memory_is_an_error_value(void **state)
{
    (void)state;
    struct adit_span memory = {.ptr = NULL, .len = 77};
    calloc_fails_after(0);
    struct adit_status status = adit_memory_open(1, 1, &memory);
    calloc_works();
    assert_fails(status, MEMORY);
    assert_int_equal(memory.len, 77);
}

static const uint8_t twelve[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

static void outside(void)
{
    uint8_t memory[12] = {0};
    uint8_t *object = adit_memory_at(ADIT_SPAN_OF(memory), 4, 3);
    *object = 7;
}

static void of_no_size(void)
{
    uint8_t memory[12] = {0};
    uint8_t *object = adit_memory_at(ADIT_SPAN_OF(memory), 0, 0);
    *object = 7;
}

static void objects_are_inside_or_the_process_ends(void **state)
{
    (void)state;
    uint8_t memory[12] = {0};
    assert_ok(adit_span_copy(ADIT_SPAN_OF(memory), ADIT_BYTES_OF(twelve)));
    const uint8_t *third = adit_memory_at(ADIT_SPAN_OF(memory), 4, 2);
    assert_int_equal(*third, 9);
    uint8_t said_memory[256] = {0};
    struct adit_writer said = adit_writer_of(ADIT_SPAN_OF(said_memory));
    assert_true(dies(outside, &said));
    assert_true(dies(of_no_size, &said));
}

static void memory_is_memory_after_settling_and_trimming(void **state)
{
    (void)state;
    struct adit_span large = {0};
    struct adit_span next = {0};
    adit_memory_settle();
    for (int i = 0; i < 3; i++) {
        assert_ok(adit_memory_open(2, ADIT_MEMORY_LARGE_BYTES, &large));
        adit_span_fill(large, 0xff);
        assert_ok(adit_memory_open(1, ADIT_MEMORY_LARGE_BYTES, &next));
        adit_memory_close(&large);
        adit_memory_trim();
        assert_int_equal(adit_bytes_at((struct adit_bytes){next.ptr, next.len}, next.len - 1), 0);
        adit_memory_close(&next);
    }
}

#define TABLE_BYTES 65536
static const uint8_t table[TABLE_BYTES] = {[0] = 1, [TABLE_BYTES - 1] = 2};
static uint8_t written[TABLE_BYTES] = {[0] = 3};

/* Resident KiB of files: program, libraries. */
static uint64_t files_resident(void)
{
    uint8_t memory[4096] = {0};
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(memory));
    assert_ok(adit_file_read("/proc/self/status", &text));
    struct adit_bytes rest = adit_writer_bytes(&text);
    while (!adit_bytes_starts_with(rest, ADIT_BYTES("RssFile:"))) {
        assert_true(rest.len > 0);
        rest = adit_bytes_from(rest, adit_bytes_find(rest, '\n') + 1);
    }
    rest = adit_bytes_from(rest, adit_bytes_find(rest, '\t') + 1);
    while (rest.len > 0 && adit_bytes_at(rest, 0) == ' ') {
        rest = adit_bytes_from(rest, 1);
    }
    uint64_t kib = 0;
    assert_ok(adit_parse_decimal(adit_bytes_first(rest, adit_bytes_find(rest, ' ')), UINT32_MAX,
                                 &kib));
    return kib;
}

static void a_rest_gives_code_back_and_keeps_what_was_written(void **state)
{
    (void)state;
    struct adit_span held = {0};
    uint64_t sum = 0;
    assert_ok(adit_memory_open(1, 4096, &held));
    adit_span_fill(held, 7);
    ADIT_AT(written, TABLE_BYTES - 1) = 4;
    for (size_t i = 0; i < TABLE_BYTES; i++) {
        sum += ADIT_AT(table, i);
    }
    assert_int_equal(sum, 3);
    uint64_t before = files_resident();
    adit_memory_rest();
    assert_true(files_resident() < before);
    adit_memory_rest(); /* again is fine */
    assert_int_equal(ADIT_AT(table, TABLE_BYTES - 1), 2);
    assert_int_equal(ADIT_AT(written, 0), 3);
    assert_int_equal(ADIT_AT(written, TABLE_BYTES - 1), 4);
    assert_int_equal(adit_bytes_at((struct adit_bytes){held.ptr, held.len}, 4095), 7);
    adit_memory_close(&held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_of_the_size_asked_for),
        cmocka_unit_test(odd_sizes_are_refused),
        cmocka_unit_test(no_memory_is_an_error_value),
        cmocka_unit_test(objects_are_inside_or_the_process_ends),
        cmocka_unit_test(memory_is_memory_after_settling_and_trimming),
        cmocka_unit_test(a_rest_gives_code_back_and_keeps_what_was_written),
    };
    return cmocka_run_group_tests_name("base/memory", tests, NULL, NULL);
}
