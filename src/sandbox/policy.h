/* Policy: one role's list of system calls, from readable text to rules. Pure: text in, rules out.
 *
 * A line is empty, a comment, or a rule with its reason, which is not optional:
 *
 *     allow NAME [CONDITION {and CONDITION}]        # why
 *     errno ENAME NAME [CONDITION {and CONDITION}]  # why
 *
 * CONDITION is `argN == VALUE` or `argN & VALUE == VALUE`, at most one for an argument. (Nothing
 * else compares: libseccomp 2.5 never ends on some mixes of <=, >= and != for one call.) A VALUE is
 * decimal, 0x and hex, or a constant of the table in policy.c, several joined by `|` without
 * spaces. Several lines for one call mean "any of these"; a call with an unconditional line may
 * have no other. What no line names kills the process.
 *
 * The views in a rule point into the text. Limits are named below. */
#ifndef ADIT_SANDBOX_POLICY_H
#define ADIT_SANDBOX_POLICY_H

#include "base/bytes.h"

#define ADIT_POLICY_LINES_MAX 512
#define ADIT_POLICY_LINE_BYTES_MAX 160
#define ADIT_POLICY_RULES_MAX 256
#define ADIT_POLICY_NAME_BYTES_MAX 32
#define ADIT_POLICY_CONDITIONS_MAX 4

/* (argument & mask) == value */
struct adit_policy_condition {
    uint32_t argument; /* 0 to 5 */
    uint64_t mask; /* all ones unless the line has one */
    uint64_t value;
};

struct adit_policy_rule {
    struct adit_bytes name;
    uint16_t refusal; /* the errno that the call gets; 0: it is allowed */
    uint32_t line;    /* from 1 */
    uint32_t condition_count;
    struct adit_policy_condition conditions[ADIT_POLICY_CONDITIONS_MAX];
};

struct adit_policy {
    uint32_t rule_count;
    struct adit_policy_rule rules[ADIT_POLICY_RULES_MAX];
};

/* INVALID or LIMIT, with the line as detail; the policy is then untouched. */
struct adit_status adit_policy_parse(struct adit_bytes text, struct adit_policy *out_policy);

#endif
