#include "base/field.h"

#include "unit.h"

static void a_field_holds_what_fits(void **state)
{
    (void)state;
    struct {
        ADIT_FIELD(4) name;
    } row = {0};
    assert_int_equal(ADIT_FIELD_BYTES(row.name).len, 0);
    assert_ok(ADIT_FIELD_SET(row.name, ADIT_BYTES("abcd")));
    assert_bytes(ADIT_FIELD_BYTES(row.name), ADIT_BYTES("abcd"));
    assert_fails(ADIT_FIELD_SET(row.name, ADIT_BYTES("abcde")), LIMIT);
    assert_bytes(ADIT_FIELD_BYTES(row.name), ADIT_BYTES("abcd")); /* untouched */
    assert_ok(ADIT_FIELD_SET(row.name, ADIT_BYTES("")));
    assert_int_equal(ADIT_FIELD_BYTES(row.name).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_holds_what_fits),
    };
    return cmocka_run_group_tests_name("base/field", tests, NULL, NULL);
}
