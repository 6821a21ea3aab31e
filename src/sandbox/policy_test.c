#include "sandbox/policy.h"

#include "sandbox/policies.h"
#include "unit.h"

static void rules_come_out_as_written(void **state)
{
    (void)state;
    static const struct adit_bytes text = ADIT_BYTES_INIT(
        "# a comment\n"
        "\n"
        "allow read   # bytes\n"
        "  allow\tsocket arg0 == AF_INET and arg1 & 0xf == SOCK_STREAM # a listener\n"
        "errno EACCES openat #no files\n"
        "allow mmap arg2 & PROT_WRITE|PROT_EXEC == PROT_EXEC # code\n"
        "allow tgkill arg5 == 0xfFfF # odd");
    static struct adit_policy policy;
    assert_ok(adit_policy_parse(text, &policy));
    assert_int_equal(policy.rule_count, 5);
    const struct adit_policy_rule *rule = &ADIT_AT(policy.rules, 0);
    assert_bytes(rule->name, ADIT_BYTES("read"));
    assert_int_equal(rule->line, 3);
    assert_int_equal(rule->refusal, 0);
    assert_int_equal(rule->condition_count, 0);
    rule = &ADIT_AT(policy.rules, 1);
    assert_bytes(rule->name, ADIT_BYTES("socket"));
    assert_int_equal(rule->condition_count, 2);
    assert_int_equal(ADIT_AT(rule->conditions, 0).argument, 0);
    assert_int_equal(ADIT_AT(rule->conditions, 0).value, AF_INET);
    assert_true(ADIT_AT(rule->conditions, 0).mask == UINT64_MAX);
    assert_int_equal(ADIT_AT(rule->conditions, 1).argument, 1);
    assert_int_equal(ADIT_AT(rule->conditions, 1).mask, 0xf);
    assert_int_equal(ADIT_AT(rule->conditions, 1).value, SOCK_STREAM);
    rule = &ADIT_AT(policy.rules, 2);
    assert_int_equal(rule->refusal, EACCES);
    rule = &ADIT_AT(policy.rules, 3);
    assert_int_equal(ADIT_AT(rule->conditions, 0).mask, PROT_WRITE | PROT_EXEC);
    rule = &ADIT_AT(policy.rules, 4);
    assert_int_equal(ADIT_AT(rule->conditions, 0).argument, 5);
    assert_int_equal(ADIT_AT(rule->conditions, 0).value, 0xffff);
    assert_int_equal(rule->line, 7);
}

static void bad_lines_are_named(void **state)
{
    (void)state;
    static const struct {
        struct adit_bytes text;
        enum adit_error error;
        uint32_t line;
    } rows[] = {
        {ADIT_BYTES_INIT("allow read"), ADIT_ERROR_INVALID, 1},
        {ADIT_BYTES_INIT("allow read #  "), ADIT_ERROR_INVALID, 1},
        {ADIT_BYTES_INIT("\n\nallow # why"), ADIT_ERROR_INVALID, 3},
        {ADIT_BYTES_INIT("permit read # why"), ADIT_ERROR_INVALID, 1},
        {ADIT_BYTES_INIT("allow READ # why"), ADIT_ERROR_INVALID, 1},
        {ADIT_BYTES_INIT("allow read2345678901234567890123456789012 # why"), ADIT_ERROR_INVALID, 1},
        {ADIT_BYTES_INIT("allow read\r # why"), ADIT_ERROR_INVALID, 1},
        {ADIT_BYTES_INIT("allow read write # why"), ADIT_ERROR_INVALID, 1},
        {ADIT_BYTES_INIT("allow read arg6 == 1 # why"), ADIT_ERROR_INVALID, 1},
        {ADIT_BYTES_INIT("allow read arg == 1 # why"), ADIT_ERROR_INVALID, 1},
        {ADIT_BYTES_INIT("allow read arg0 # why"), ADIT_ERROR_INVALID, 1},
        {ADIT_BYTES_INIT("allow read arg0 = 1 # why"), ADIT_ERROR_INVALID, 1},
        {ADIT_BYTES_INIT("allow read arg0 == # why"), ADIT_ERROR_INVALID, 1},
        {ADIT_BYTES_INIT("allow read arg0 == AF_NONE # why"), ADIT_ERROR_INVALID, 1},
        {ADIT_BYTES_INIT("allow read arg0 == 0x # why"), ADIT_ERROR_INVALID, 1},
        {ADIT_BYTES_INIT("allow read arg0 == 0x11223344556677889 # why"), ADIT_ERROR_INVALID, 1},
        {ADIT_BYTES_INIT("allow read arg0 == 18446744073709551616 # why"), ADIT_ERROR_INVALID, 1},
        {ADIT_BYTES_INIT("allow read arg0 == 1| # why"), ADIT_ERROR_INVALID, 1},
        {ADIT_BYTES_INIT("allow read arg0 & 1 == 2 # why"), ADIT_ERROR_INVALID, 1},
        {ADIT_BYTES_INIT("allow read arg0 & 1 != 1 # why"), ADIT_ERROR_INVALID, 1},
        {ADIT_BYTES_INIT("allow read arg0 == 1 or arg0 == 2 # why"), ADIT_ERROR_INVALID, 1},
        {ADIT_BYTES_INIT("allow read arg0 == 1 and # why"), ADIT_ERROR_INVALID, 1},
        {ADIT_BYTES_INIT("allow read arg0 & 1 == 1 and arg0 == 2 # w"), ADIT_ERROR_INVALID, 1},
        {ADIT_BYTES_INIT("errno read # why"), ADIT_ERROR_INVALID, 1},
        {ADIT_BYTES_INIT("errno 0 read # why"), ADIT_ERROR_INVALID, 1},
        {ADIT_BYTES_INIT("errno 4096 read # why"), ADIT_ERROR_INVALID, 1},
        {ADIT_BYTES_INIT("allow read # a\nallow read # b"), ADIT_ERROR_INVALID, 2},
        {ADIT_BYTES_INIT("allow read # a\nallow read arg0 == 1 # b"), ADIT_ERROR_INVALID, 2},
        {ADIT_BYTES_INIT("allow read arg0 == 2 # a\nerrno 1 read arg0 == 1 # b"),
         ADIT_ERROR_INVALID, 2},
        {ADIT_BYTES_INIT("allow read arg0 == 1 and arg1 == 1 and arg2 == 1 and arg3 == 1 and "
                         "arg4 == 1 # five"),
         ADIT_ERROR_LIMIT, 1},
    };
    static struct adit_policy policy;
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct adit_status status = adit_policy_parse(ADIT_AT(rows, i).text, &policy);
        assert_int_equal(adit_status_error(status), ADIT_AT(rows, i).error);
        assert_int_equal(status.detail, ADIT_AT(rows, i).line);
        assert_int_equal(policy.rule_count, 0);
    }
}

static void limits_hold(void **state)
{
    (void)state;
    static struct adit_policy policy;
    static uint8_t text[ADIT_POLICY_LINES_MAX + 1];
    adit_span_fill(ADIT_SPAN_OF(text), '\n');
    assert_ok(adit_policy_parse(adit_bytes_first(ADIT_BYTES_OF(text), ADIT_POLICY_LINES_MAX),
                                &policy));
    assert_fails(adit_policy_parse(ADIT_BYTES_OF(text), &policy), LIMIT);
    adit_span_fill(ADIT_SPAN_OF(text), ' ');
    assert_ok(adit_policy_parse(adit_bytes_first(ADIT_BYTES_OF(text), ADIT_POLICY_LINE_BYTES_MAX),
                                &policy));
    assert_fails(
        adit_policy_parse(adit_bytes_first(ADIT_BYTES_OF(text), ADIT_POLICY_LINE_BYTES_MAX + 1),
                          &policy),
        LIMIT);
    static uint8_t rules[(ADIT_POLICY_RULES_MAX + 1) * 24];
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(rules));
    for (uint64_t i = 0; i <= ADIT_POLICY_RULES_MAX; i++) {
        assert_ok(adit_write_bytes(&writer, ADIT_BYTES("allow call_")));
        assert_ok(adit_write_decimal(&writer, i));
        assert_ok(adit_write_bytes(&writer, ADIT_BYTES(" # why\n")));
    }
    assert_fails(adit_policy_parse(adit_writer_bytes(&writer), &policy), LIMIT);
}

static void our_policies_are_well_formed(void **state)
{
    (void)state;
    static struct adit_policy policy;
    const struct adit_bytes texts[] = {adit_policy_supervisor, adit_policy_door,
                                       adit_policy_worker, adit_policy_agent};
    for (size_t i = 0; i < ADIT_COUNT(texts); i++) {
        struct adit_status status = adit_policy_parse(ADIT_AT(texts, i), &policy);
        assert_int_equal(status.detail, 0); /* shows the bad line */
        assert_ok(status);
        assert_true(policy.rule_count > 10);
    }
}

static bool is_covered(const struct adit_policy *by, const struct adit_policy_rule *rule)
{
    for (uint32_t i = 0; i < by->rule_count; i++) {
        const struct adit_policy_rule *other = &ADIT_AT(by->rules, i);
        bool is_same = adit_bytes_equal(other->name, rule->name) && other->refusal == 0;
        bool is_wider = other->condition_count == 0;
        if (is_same && !is_wider && other->condition_count == rule->condition_count) {
            is_wider = true;
            for (uint32_t j = 0; j < rule->condition_count; j++) {
                const struct adit_policy_condition *ours = &ADIT_AT(rule->conditions, j);
                const struct adit_policy_condition *theirs = &ADIT_AT(other->conditions, j);
                is_wider = is_wider && ours->argument == theirs->argument &&
                           ours->mask == theirs->mask && ours->value == theirs->value;
            }
        }
        if (is_same && is_wider) {
            return true;
        }
    }
    return false;
}

/* A role inherits the supervisor's filter: what its own allows has to be allowed there too. */
static void the_supervisor_covers_its_roles(void **state)
{
    (void)state;
    static struct adit_policy supervisor;
    static struct adit_policy role;
    const struct adit_bytes texts[] = {adit_policy_door, adit_policy_worker};
    assert_ok(adit_policy_parse(adit_policy_supervisor, &supervisor));
    for (size_t i = 0; i < ADIT_COUNT(texts); i++) {
        assert_ok(adit_policy_parse(ADIT_AT(texts, i), &role));
        for (uint32_t j = 0; j < role.rule_count; j++) {
            const struct adit_policy_rule *rule = &ADIT_AT(role.rules, j);
            if (rule->refusal == 0 && !is_covered(&supervisor, rule)) {
                fail_msg("line %u of policy %zu is not allowed to the supervisor", rule->line, i);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_come_out_as_written),
        cmocka_unit_test(bad_lines_are_named),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(our_policies_are_well_formed),
        cmocka_unit_test(the_supervisor_covers_its_roles),
    };
    return cmocka_run_group_tests_name("sandbox/policy", tests, NULL, NULL);
}
