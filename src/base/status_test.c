#include "base/status.h"

#include "unit.h"

static struct adit_status fails_plainly(void)
{
    ADIT_FAIL(LIMIT, "too much of it");
}

static struct adit_status fails_with_detail(void)
{
    ADIT_FAIL_WITH(SYSTEM, "the kernel said no", 13);
}

static struct adit_status tries(struct adit_status (*call)(void), int *out_reached)
{
    ADIT_TRY(call());
    *out_reached = 1;
    return adit_ok();
}

static struct adit_status ensures(bool condition)
{
    ADIT_ENSURE(condition, REFUSED, "not today");
    return adit_ok();
}

static void success_is_nothing(void **state)
{
    (void)state;
    assert_true(adit_is_ok(adit_ok()));
    assert_int_equal(adit_status_error(adit_ok()), ADIT_ERROR_NONE);
    assert_string_equal(adit_status_what(adit_ok()), "ok");
}

static void a_failure_says_what_and_where(void **state)
{
    (void)state;
    struct adit_status status = fails_plainly();
    assert_false(adit_is_ok(status));
    assert_int_equal(adit_status_error(status), ADIT_ERROR_LIMIT);
    assert_string_equal(adit_status_what(status), "too much of it");
    assert_int_equal(status.detail, 0);
    assert_true(adit_bytes_ends_with(adit_bytes_of_text(status.fault->file),
                                     ADIT_BYTES("status_test.c")));
    assert_true(status.fault->line > 0 && status.fault->line < 20);
    assert_int_equal(fails_with_detail().detail, 13);
}

static void try_returns_the_same_failure(void **state)
{
    (void)state;
    int reached = 0;
    struct adit_status status = tries(fails_with_detail, &reached);
    assert_int_equal(adit_status_error(status), ADIT_ERROR_SYSTEM);
    assert_int_equal(status.detail, 13);
    assert_int_equal(reached, 0);
    assert_ok(tries(adit_ok, &reached));
    assert_int_equal(reached, 1);
}

static void ensure_fails_only_where_the_condition_does(void **state)
{
    (void)state;
    assert_ok(ensures(true));
    assert_fails(ensures(false), REFUSED);
    adit_status_ignore(ensures(false), "the test of ignoring");
}

static void every_category_has_its_own_name(void **state)
{
    (void)state;
    static const char *const names[] = {
#define NAME_OF(NAME, text, meaning) text,
        ADIT_ERROR_TABLE(NAME_OF)
#undef NAME_OF
    };
    for (size_t i = 0; i < ADIT_COUNT(names); i++) {
        assert_string_equal(adit_error_name((enum adit_error)i), ADIT_AT(names, i));
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(ADIT_AT(names, i), ADIT_AT(names, j));
        }
    }
    assert_string_equal(adit_error_name((enum adit_error)ADIT_COUNT(names)), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(success_is_nothing),
        cmocka_unit_test(a_failure_says_what_and_where),
        cmocka_unit_test(try_returns_the_same_failure),
        cmocka_unit_test(ensure_fails_only_where_the_condition_does),
        cmocka_unit_test(every_category_has_its_own_name),
    };
    return cmocka_run_group_tests_name("base/status", tests, NULL, NULL);
}
