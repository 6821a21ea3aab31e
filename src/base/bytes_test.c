#include "base/bytes.h"

#include "unit.h"

static void views_clamp(void **state)
{
    (void)state;
    struct adit_bytes abc = ADIT_BYTES("abc");
    assert_bytes(adit_bytes_first(abc, 2), ADIT_BYTES("ab"));
    assert_bytes(adit_bytes_first(abc, 9), abc);
    assert_bytes(adit_bytes_from(abc, 1), ADIT_BYTES("bc"));
    assert_int_equal(adit_bytes_from(abc, 9).len, 0);
}

static void slices_are_inside_or_fail(void **state)
{
    (void)state;
    struct adit_bytes slice = {0};
    assert_ok(adit_bytes_slice(ADIT_BYTES("abc"), 1, 2, &slice));
    assert_bytes(slice, ADIT_BYTES("bc"));
    assert_fails(adit_bytes_slice(ADIT_BYTES("abc"), 1, 3, &slice), INVALID);
    assert_fails(adit_bytes_slice(ADIT_BYTES("abc"), 4, 0, &slice), INVALID);
    assert_fails(adit_bytes_slice(ADIT_BYTES("abc"), 1, SIZE_MAX, &slice), INVALID);
    assert_bytes(slice, ADIT_BYTES("bc")); /* untouched by the failures */
}

static void comparisons(void **state)
{
    (void)state;
    assert_true(adit_bytes_equal_nocase(ADIT_BYTES("HoSt"), ADIT_BYTES("host")));
    assert_false(adit_bytes_equal_nocase(ADIT_BYTES("@"), ADIT_BYTES("`")));
    assert_true(adit_bytes_equal_secret(ADIT_BYTES("abc"), ADIT_BYTES("abc")));
    assert_false(adit_bytes_equal_secret(ADIT_BYTES("abc"), ADIT_BYTES("abd")));
    assert_true(adit_bytes_compare(ADIT_BYTES("a"), ADIT_BYTES("ab")) < 0);
    assert_int_equal(adit_bytes_find(ADIT_BYTES("abc"), 'c'), 2);
    assert_int_equal(adit_bytes_find(ADIT_BYTES("abc"), 'x'), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_clamp),
        cmocka_unit_test(slices_are_inside_or_fail),
        cmocka_unit_test(comparisons),
    };
    return cmocka_run_group_tests_name("base/bytes", tests, NULL, NULL);
}
