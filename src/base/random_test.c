#include "base/random.h"

#include "unit.h"

static void kernel_bytes_fill_the_whole_span(void **state)
{
    (void)state;
    static uint8_t block[4096];
    assert_ok(adit_random_fill(ADIT_SPAN_OF(block)));
    size_t counts[256] = {0};
    for (size_t i = 0; i < sizeof block; i++) {
        ADIT_AT(counts, ADIT_AT(block, i))++;
    }
    for (size_t i = 0; i < ADIT_COUNT(counts); i++) { /* 16 expected; 100 is 21 deviations off */
        assert_true(ADIT_AT(counts, i) < 100);
    }
    uint8_t guarded[3] = {0xaa, 0xaa, 0xaa};
    assert_ok(adit_random_fill(adit_span_first(ADIT_SPAN_OF(guarded), 0)));
    assert_int_equal(ADIT_AT(guarded, 0), 0xaa);
    assert_ok(adit_random_fill(adit_span_first(ADIT_SPAN_OF(guarded), 1)));
    assert_int_equal(ADIT_AT(guarded, 1), 0xaa);
}

static void two_fills_differ(void **state)
{
    (void)state;
    uint8_t a[16] = {0};
    uint8_t b[16] = {0};
    assert_ok(adit_random_fill(ADIT_SPAN_OF(a)));
    assert_ok(adit_random_fill(ADIT_SPAN_OF(b)));
    assert_false(adit_bytes_equal(ADIT_BYTES_OF(a), ADIT_BYTES_OF(b)));
}

static void jitter_repeats_under_one_seed_and_spreads(void **state)
{
    (void)state;
    struct adit_jitter a = {.state = 42};
    struct adit_jitter b = {.state = 42};
    struct adit_jitter zero = {.state = 0};
    size_t counts[8] = {0};
    for (int i = 0; i < 8000; i++) {
        uint64_t value = adit_jitter_next(&a);
        assert_int_equal(value, adit_jitter_next(&b));
        ADIT_AT(counts, value % 8)++;
    }
    for (size_t i = 0; i < ADIT_COUNT(counts); i++) {
        assert_in_range(ADIT_AT(counts, i), 850, 1150);
    }
    assert_int_not_equal(adit_jitter_next(&zero), adit_jitter_next(&zero));
}

static void jitter_stays_below_its_bound(void **state)
{
    (void)state;
    struct adit_jitter jitter = {.state = 7};
    assert_int_equal(adit_jitter_below(&jitter, 0), 0);
    bool seen[3] = {false};
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(adit_jitter_below(&jitter, 1), 0);
        uint64_t value = adit_jitter_below(&jitter, 3);
        assert_true(value < 3);
        ADIT_AT(seen, value) = true;
    }
    assert_true(ADIT_AT(seen, 0) && ADIT_AT(seen, 1) && ADIT_AT(seen, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernel_bytes_fill_the_whole_span),
        cmocka_unit_test(two_fills_differ),
        cmocka_unit_test(jitter_repeats_under_one_seed_and_spreads),
        cmocka_unit_test(jitter_stays_below_its_bound),
    };
    return cmocka_run_group_tests_name("base/random", tests, NULL, NULL);
}
