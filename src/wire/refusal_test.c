#include "wire/refusal.h"

#include "unit.h"

/* Scripts match these: they may be added to, never changed. */
static const struct adit_bytes codes[] = {
    ADIT_BYTES_INIT("bad_login"),     ADIT_BYTES_INIT("version_unsupported"),
    ADIT_BYTES_INIT("token_invalid"), ADIT_BYTES_INIT("token_expired"),
    ADIT_BYTES_INIT("token_not_yet"), ADIT_BYTES_INIT("token_revoked"),
    ADIT_BYTES_INIT("token_scope"),   ADIT_BYTES_INIT("name_taken"),
    ADIT_BYTES_INIT("name_reserved"), ADIT_BYTES_INIT("name_invalid"),
    ADIT_BYTES_INIT("port_taken"),    ADIT_BYTES_INIT("port_range"),
    ADIT_BYTES_INIT("limit_reached"), ADIT_BYTES_INIT("internal_error"),
};

static void codes_are_stable(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_COUNT(codes); i++) {
        enum adit_refusal refusal = ADIT_REFUSAL_INTERNAL_ERROR;
        assert_ok(adit_refusal_find(ADIT_AT(codes, i), &refusal));
        assert_bytes(adit_bytes_of_text(adit_refusal_code(refusal)), ADIT_AT(codes, i));
        assert_true(adit_bytes_of_text(adit_refusal_message(refusal)).len > 10);
        assert_true(adit_bytes_of_text(adit_refusal_next_action(refusal)).len > 10);
        assert_int_equal(adit_refusal_is_final(refusal), refusal != ADIT_REFUSAL_INTERNAL_ERROR);
    }
    enum adit_refusal refusal = ADIT_REFUSAL_PORT_RANGE;
    assert_fails(adit_refusal_find(ADIT_BYTES("token"), &refusal), INVALID);
    assert_fails(adit_refusal_find(ADIT_BYTES(""), &refusal), INVALID);
    assert_int_equal(refusal, ADIT_REFUSAL_PORT_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_stable),
    };
    return cmocka_run_group_tests_name("wire/refusal", tests, NULL, NULL);
}
