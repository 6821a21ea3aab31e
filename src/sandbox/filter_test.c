#include "sandbox/filter.h"

#include "child.h"
#include "sandbox/policies.h"
#include "unit.h"

/* Enough for a child to come back with a number, in a sanitised build too. */
#define END_RULES \
    "allow exit_group # the end\nallow exit # the end\nallow write # messages\n" \
    "allow sigaltstack # ASan's look at its stack before the end\n"

static struct adit_status load(struct adit_bytes text)
{
    static struct adit_policy policy;
    ADIT_TRY(adit_policy_parse(text, &policy));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1ul, 0ul, 0ul, 0ul) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "no_new_privs", errno);
    }
    return adit_filter_load(&policy);
}

static int named_works(void *context)
{
    (void)context;
    if (!adit_is_ok(load(ADIT_BYTES(END_RULES "allow getppid # the call of this test\n")))) {
        return 1;
    }
    return syscall(SYS_getppid) > 0 ? 0 : 2;
}

static int unnamed_kills(void *context)
{
    (void)context;
    if (!adit_is_ok(load(ADIT_BYTES(END_RULES)))) {
        return 1;
    }
    syscall(SYS_getppid);
    return 2;
}

static int refused_gets_errno(void *context)
{
    (void)context;
    if (!adit_is_ok(load(ADIT_BYTES(END_RULES "errno EACCES getppid # the call of this test\n")))) {
        return 1;
    }
    return syscall(SYS_getppid) == -1 && errno == EACCES ? 0 : 2;
}

/* Conditions: each allowed form works; the number to try is the context. */
static int conditions_hold(void *context)
{
    const long *number = context;
    if (!adit_is_ok(load(ADIT_BYTES(
            END_RULES "allow lseek arg0 == 0x1 # one\n"
                      "allow lseek arg0 & 0xf0 == 0x20 # a mask\n"
                      "allow lseek arg0 & 0xc0 == 0x40 and arg1 == 3 # two\n"
                      "allow lseek arg0 & 0xc2 == 0x42 and arg1 & 6 == 4 # or\n")))) {
        return 1;
    }
    syscall(SYS_lseek, *number, *number & 4 ? 3 : 5, SEEK_CUR);
    return 0;
}

static void calls_are_judged(void **state)
{
    (void)state;
    assert_int_equal(child_run(named_works, 0), 0);
    assert_int_equal(child_run(unnamed_kills, 0), CHILD_SIGNAL + SIGSYS);
    assert_int_equal(child_run(refused_gets_errno, 0), 0);
}

static void arguments_are_judged(void **state)
{
    (void)state;
    for (long number = 0; number < 256; number++) {
        long other = number & 4 ? 3 : 5;
        bool is_allowed = number == 1 || (number & 0xf0) == 0x20 ||
                          ((number & 0xc0) == 0x40 && other == 3) ||
                          ((number & 0xc2) == 0x42 && (other & 6) == 4);
        assert_int_equal(child_run(conditions_hold, &number),
                         is_allowed ? 0 : CHILD_SIGNAL + SIGSYS);
    }
}

static void unknown_names_are_refused(void **state)
{
    (void)state;
    struct adit_status status = load(ADIT_BYTES("allow read # fine\nallow no_such_call # no\n"));
    assert_int_equal(adit_status_error(status), ADIT_ERROR_INVALID);
    assert_int_equal(status.detail, 2);
}

static void our_policies_name_real_calls(void **state)
{
    (void)state;
    static struct adit_policy policy;
    const struct adit_bytes texts[] = {adit_policy_supervisor, adit_policy_door,
                                       adit_policy_worker, adit_policy_agent};
    for (size_t i = 0; i < ADIT_COUNT(texts); i++) {
        assert_ok(adit_policy_parse(ADIT_AT(texts, i), &policy));
        for (uint32_t j = 0; j < policy.rule_count; j++) {
            char name[ADIT_POLICY_NAME_BYTES_MAX + 1] = {0};
            struct adit_span room = adit_object_span(name, sizeof name - 1);
            assert_ok(adit_span_copy(room, ADIT_AT(policy.rules, j).name));
            assert_int_not_equal(seccomp_syscall_resolve_name(name), __NR_SCMP_ERROR);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_judged),
        cmocka_unit_test(arguments_are_judged),
        cmocka_unit_test(unknown_names_are_refused),
        cmocka_unit_test(our_policies_name_real_calls),
    };
    return cmocka_run_group_tests_name("sandbox/filter", tests, NULL, NULL);
}
