#include "base/checked.h"

#include "unit.h"

static void sums(void **state)
{
    (void)state;
    const struct {
        uint64_t a, b;
        bool fits;
    } cases[] = {
        {0, 0, true},
        {1, 2, true},
        {UINT64_MAX, 0, true},
        {UINT64_MAX, 1, false},
        {1, UINT64_MAX, false},
        {UINT64_MAX, UINT64_MAX, false},
        {(uint64_t)1 << 63, (uint64_t)1 << 63, false},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        uint64_t a = ADIT_AT(cases, i).a;
        uint64_t b = ADIT_AT(cases, i).b;
        bool fits = ADIT_AT(cases, i).fits;
        uint64_t sum = 77;
        size_t size = 77;
        assert_int_equal(adit_add_u64(a, b, &sum), fits);
        assert_int_equal(sum, fits ? a + b : 77);
        assert_int_equal(adit_add_size(a, b, &size), fits);
        assert_int_equal(size, fits ? a + b : 77);
    }
    uint32_t sum = 77;
    assert_true(adit_add_u32(UINT32_MAX - 1, 1, &sum));
    assert_int_equal(sum, UINT32_MAX);
    assert_false(adit_add_u32(UINT32_MAX, 1, &sum));
    assert_int_equal(sum, UINT32_MAX);
}

static void products(void **state)
{
    (void)state;
    const struct {
        uint64_t a, b;
        bool fits;
    } cases[] = {
        {0, UINT64_MAX, true},
        {UINT64_MAX, 0, true},
        {UINT64_MAX, 1, true},
        {(uint64_t)1 << 32, (uint64_t)1 << 32, false},
        {(uint64_t)1 << 32, ((uint64_t)1 << 32) - 1, true},
        {UINT64_MAX, 2, false},
        {UINT64_MAX / 3, 3, true},
        {UINT64_MAX / 3 + 1, 3, false},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        uint64_t a = ADIT_AT(cases, i).a;
        uint64_t b = ADIT_AT(cases, i).b;
        bool fits = ADIT_AT(cases, i).fits;
        uint64_t product = 77;
        size_t size = 77;
        assert_int_equal(adit_multiply_u64(a, b, &product), fits);
        assert_int_equal(product, fits ? a * b : 77);
        assert_int_equal(adit_multiply_size(a, b, &size), fits);
        assert_int_equal(size, fits ? a * b : 77);
    }
}

static void narrowing(void **state)
{
    (void)state;
    uint16_t small = 77;
    uint32_t middle = 77;
    assert_true(adit_narrow_u16(0, &small));
    assert_int_equal(small, 0);
    assert_true(adit_narrow_u16(UINT16_MAX, &small));
    assert_int_equal(small, UINT16_MAX);
    assert_false(adit_narrow_u16((uint64_t)UINT16_MAX + 1, &small));
    assert_int_equal(small, UINT16_MAX);
    assert_true(adit_narrow_u32(UINT32_MAX, &middle));
    assert_int_equal(middle, UINT32_MAX);
    assert_false(adit_narrow_u32((uint64_t)UINT32_MAX + 1, &middle));
    assert_false(adit_narrow_u32(UINT64_MAX, &middle));
    assert_int_equal(middle, UINT32_MAX);
}

static void smallest_and_largest(void **state)
{
    (void)state;
    assert_int_equal(adit_min_size(3, 4), 3);
    assert_int_equal(adit_min_size(4, 3), 3);
    assert_int_equal(adit_max_size(3, 4), 4);
    assert_int_equal(adit_max_size(SIZE_MAX, 0), SIZE_MAX);
    assert_int_equal(adit_min_u64(UINT64_MAX, 5), 5);
    assert_int_equal(adit_max_u64(UINT64_MAX, 5), UINT64_MAX);
    assert_int_equal(adit_subtract_floor_u64(5, 3), 2);
    assert_int_equal(adit_subtract_floor_u64(3, 5), 0);
    assert_int_equal(adit_subtract_floor_u64(0, UINT64_MAX), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums),
        cmocka_unit_test(products),
        cmocka_unit_test(narrowing),
        cmocka_unit_test(smallest_and_largest),
    };
    return cmocka_run_group_tests_name("base/checked", tests, NULL, NULL);
}
