#include "base/assert.h"

#include "dies.h"
#include "unit.h"

static void breaks_a_rule(void)
{
    int two = 2;
    ADIT_ASSERT(two == 3);
}

static void keeps_the_rules(void)
{
    int two = 2;
    ADIT_ASSERT(two == 2);
}

static void a_broken_rule_ends_the_process_and_says_where(void **state)
{
    (void)state;
    uint8_t memory[256] = {0};
    struct adit_writer said = adit_writer_of(ADIT_SPAN_OF(memory));
    assert_true(dies(breaks_a_rule, &said));
    struct adit_bytes text = adit_writer_bytes(&said);
    assert_true(adit_bytes_starts_with(text, ADIT_BYTES("adit: broken rule: two == 3 (")));
    assert_true(adit_bytes_ends_with(text, ADIT_BYTES("); please report this\n")));
}

static void a_kept_rule_does_nothing(void **state)
{
    (void)state;
    uint8_t memory[256] = {0};
    struct adit_writer said = adit_writer_of(ADIT_SPAN_OF(memory));
    assert_false(dies(keeps_the_rules, &said));
    assert_int_equal(said.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broken_rule_ends_the_process_and_says_where),
        cmocka_unit_test(a_kept_rule_does_nothing),
    };
    return cmocka_run_group_tests_name("base/assert", tests, NULL, NULL);
}
