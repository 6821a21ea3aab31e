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

static void lower_case_at_every_place(void **state)
{
    (void)state;
    struct {
        ADIT_FIELD(20) name;
    } row = {0};
    uint8_t memory[20] = {0};
    for (size_t len = 0; len <= ADIT_COUNT(memory); len++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            bool is_upper = byte >= 'A' && byte <= 'Z';
            adit_span_fill(ADIT_SPAN_OF(memory), (uint8_t)byte);
            assert_ok(ADIT_FIELD_SET_LOWER(row.name, adit_bytes_first(ADIT_BYTES_OF(memory), len)));
            adit_span_fill(ADIT_SPAN_OF(memory), (uint8_t)(is_upper ? byte + 0x20 : byte));
            assert_bytes(ADIT_FIELD_BYTES(row.name), adit_bytes_first(ADIT_BYTES_OF(memory), len));
        }
    }
    assert_ok(ADIT_FIELD_SET_LOWER(row.name, ADIT_BYTES("A@Z[a`z{\xc1-bEnch.TEST")));
    assert_bytes(ADIT_FIELD_BYTES(row.name), ADIT_BYTES("a@z[a`z{\xc1-bench.test"));
    assert_fails(ADIT_FIELD_SET_LOWER(row.name, ADIT_BYTES("123456789012345678901")), LIMIT);
    assert_int_equal(row.name.len, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_holds_what_fits),
        cmocka_unit_test(lower_case_at_every_place),
    };
    return cmocka_run_group_tests_name("base/field", tests, NULL, NULL);
}
