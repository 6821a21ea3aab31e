#include "sandbox/filter.h"

static struct scmp_arg_cmp comparison_of(const struct adit_policy_condition *condition)
{
    return (struct scmp_arg_cmp){
        .arg = condition->argument,
        .op = SCMP_CMP_MASKED_EQ,
        .datum_a = condition->mask,
        .datum_b = condition->value,
    };
}

static struct adit_status rule_add(scmp_filter_ctx filter, const struct adit_policy_rule *rule)
{
    char name[ADIT_POLICY_NAME_BYTES_MAX + 1] = {0}; /* the library wants a NUL at the end */
    struct scmp_arg_cmp comparisons[ADIT_POLICY_CONDITIONS_MAX] = {0};
    struct adit_span room = adit_object_span(name, sizeof name - 1);
    ADIT_TRY(adit_span_copy(room, rule->name));
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) {
        ADIT_FAIL_WITH(INVALID, "sandbox step 7, seccomp: the policy names an unknown call",
                       rule->line);
    }
    if (number < 0) {
        return adit_ok(); /* a call of other processors */
    }
    for (uint32_t i = 0; i < rule->condition_count; i++) {
        ADIT_AT(comparisons, i) = comparison_of(&ADIT_AT(rule->conditions, i));
    }
    uint32_t action = rule->refusal == 0 ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(rule->refusal);
    if (seccomp_rule_add_array(filter, action, number, rule->condition_count, comparisons) != 0) {
        ADIT_FAIL_WITH(INVALID, "sandbox step 7, seccomp: a rule of the policy is refused",
                       rule->line);
    }
    return adit_ok();
}

static struct adit_status filter_build(scmp_filter_ctx filter, const struct adit_policy *policy)
{
    int refused = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    refused |= seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0); /* step 5 did */
    refused |= seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree, not a list */
    ADIT_ENSURE(refused == 0, SYSTEM, "sandbox step 7, seccomp: the library is too old");
    for (uint32_t i = 0; i < policy->rule_count; i++) {
        ADIT_TRY(rule_add(filter, &ADIT_AT(policy->rules, i)));
    }
    int result = seccomp_load(filter);
    if (result != 0) {
        ADIT_FAIL_WITH(SYSTEM, "sandbox step 7, seccomp: the kernel refuses the filter", -result);
    }
    return adit_ok();
}

struct adit_status adit_filter_load(const struct adit_policy *policy)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    ADIT_ENSURE(filter, MEMORY, "sandbox step 7, seccomp: no filter could be made");
    struct adit_status status = filter_build(filter, policy);
    if (!adit_is_ok(status)) {
        seccomp_release(filter);
    }
    /* After success it stays: giving it back could need a call that the policy does not allow. */
    return status;
}
