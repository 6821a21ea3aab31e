#include "sandbox/policy.h"

#include "fuzz.h"

/* Any text is parsed or refused; what is parsed keeps the promises of the header. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct adit_policy policy;
    policy.rule_count = 0;
    struct adit_status status =
        adit_policy_parse((struct adit_bytes){.ptr = data, .len = size}, &policy);
    if (!adit_is_ok(status)) {
        ADIT_ASSERT(policy.rule_count == 0);
        ADIT_ASSERT(status.detail >= 1 && status.detail <= ADIT_POLICY_LINES_MAX + 1);
        return 0;
    }
    uint32_t line = 0;
    for (uint32_t i = 0; i < policy.rule_count; i++) {
        const struct adit_policy_rule *rule = &ADIT_AT(policy.rules, i);
        ADIT_ASSERT(rule->line > line && rule->line <= ADIT_POLICY_LINES_MAX);
        line = rule->line;
        ADIT_ASSERT(rule->name.len > 0 && rule->name.len <= ADIT_POLICY_NAME_BYTES_MAX);
        ADIT_ASSERT(rule->refusal < 4096);
        for (uint32_t j = 0; j < rule->condition_count; j++) {
            const struct adit_policy_condition *condition = &ADIT_AT(rule->conditions, j);
            ADIT_ASSERT(condition->argument <= 5);
            ADIT_ASSERT((condition->value & ~condition->mask) == 0);
        }
    }
    return 0;
}
