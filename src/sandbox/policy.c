#include "sandbox/policy.h"

/* The constants that a policy may name. */
#define CONSTANT_TABLE(ROW)                                                                     \
    ROW(AF_UNIX) ROW(AF_INET) ROW(AF_INET6) ROW(AF_NETLINK)                                     \
    ROW(SOCK_STREAM) ROW(SOCK_DGRAM) ROW(SOCK_RAW) ROW(SOCK_SEQPACKET)                          \
    ROW(PROT_READ) ROW(PROT_WRITE) ROW(PROT_EXEC) ROW(MAP_FIXED)                                \
    ROW(F_DUPFD_CLOEXEC) ROW(F_GETFD) ROW(F_SETFD) ROW(F_GETFL) ROW(F_SETFL)                    \
    ROW(F_GETLK) ROW(F_SETLK) ROW(F_ADD_SEALS) ROW(MFD_CLOEXEC) ROW(MFD_ALLOW_SEALING)          \
    ROW(O_ACCMODE) ROW(O_RDONLY) ROW(O_CREAT) ROW(O_TRUNC) ROW(O_NONBLOCK)                      \
    ROW(FIONREAD) ROW(TCGETS) ROW(TIOCGWINSZ)                                                   \
    ROW(CLONE_VM) ROW(CLONE_THREAD) ROW(CLONE_NEW)                                              \
    ROW(PR_SET_NAME) ROW(PR_SET_VMA)                                                            \
    ROW(SIG_BLOCK) ROW(SIG_UNBLOCK) ROW(SIG_SETMASK)                                            \
    ROW(EPERM) ROW(EACCES) ROW(ENOSYS) ROW(EINVAL) ROW(ENOENT)

/* Every kind of namespace, for a mask. */
#define CLONE_NEW                                                                               \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |              \
     CLONE_NEWPID | CLONE_NEWNET)

struct constant {
    struct adit_bytes name;
    uint64_t value;
};

static const struct constant constants[] = {
#define CONSTANT_ROW(NAME) {.name = ADIT_BYTES_INIT(#NAME), .value = (uint64_t)(NAME)},
    CONSTANT_TABLE(CONSTANT_ROW)
#undef CONSTANT_ROW
};

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

static struct adit_bytes without_blanks(struct adit_bytes text)
{
    while (text.len > 0 && is_blank(adit_bytes_at(text, 0))) {
        text = adit_bytes_from(text, 1);
    }
    while (text.len > 0 && is_blank(adit_bytes_at(text, text.len - 1))) {
        text = adit_bytes_first(text, text.len - 1);
    }
    return text;
}

/* The next word, up to a blank; empty at the end. */
static struct adit_bytes word_take(struct adit_bytes *rest)
{
    struct adit_bytes from = without_blanks(*rest);
    size_t len = 0;
    while (len < from.len && !is_blank(adit_bytes_at(from, len))) {
        len++;
    }
    *rest = adit_bytes_from(from, len);
    return adit_bytes_first(from, len);
}

static struct adit_status hex_parse(struct adit_bytes digits, uint64_t *out_value)
{
    uint8_t pairs[16] = {0};
    uint8_t raw[8] = {0};
    ADIT_ENSURE(digits.len > 0 && digits.len <= sizeof pairs, INVALID, "policy: not a hex number");
    adit_span_fill(ADIT_SPAN_OF(pairs), '0');
    size_t leading = sizeof pairs - digits.len;
    ADIT_TRY(adit_span_copy(adit_span_from(ADIT_SPAN_OF(pairs), leading), digits));
    ADIT_TRY(adit_parse_hex(ADIT_BYTES_OF(pairs), ADIT_SPAN_OF(raw)));
    struct adit_reader reader = adit_reader_of(ADIT_BYTES_OF(raw));
    return adit_read_u64(&reader, out_value);
}

static struct adit_status atom_parse(struct adit_bytes text, uint64_t *out_value)
{
    if (adit_bytes_starts_with(text, ADIT_BYTES("0x"))) {
        return hex_parse(adit_bytes_from(text, 2), out_value);
    }
    for (size_t i = 0; i < ADIT_COUNT(constants); i++) {
        if (adit_bytes_equal(ADIT_AT(constants, i).name, text)) {
            *out_value = ADIT_AT(constants, i).value;
            return adit_ok();
        }
    }
    return adit_parse_decimal(text, UINT64_MAX, out_value);
}

/* atom { "|" atom } */
static struct adit_status value_parse(struct adit_bytes text, uint64_t *out_value)
{
    uint64_t value = 0;
    for (;;) {
        uint64_t part = 0;
        size_t len = adit_bytes_find(text, '|');
        ADIT_TRY(atom_parse(adit_bytes_first(text, len), &part));
        value |= part;
        if (len == text.len) {
            *out_value = value;
            return adit_ok();
        }
        text = adit_bytes_from(text, len + 1);
    }
}

/* argN [& VALUE] == VALUE */
static struct adit_status condition_parse(struct adit_bytes *rest,
                                          struct adit_policy_condition *out_condition)
{
    struct adit_policy_condition condition = {.mask = UINT64_MAX};
    struct adit_bytes word = word_take(rest);
    ADIT_ENSURE(word.len == 4 && adit_bytes_starts_with(word, ADIT_BYTES("arg")), INVALID,
                "policy: a condition starts with arg0 to arg5");
    uint8_t digit = adit_bytes_at(word, 3);
    ADIT_ENSURE(digit >= '0' && digit <= '5', INVALID, "policy: a call has arg0 to arg5");
    condition.argument = (uint32_t)(digit - '0');
    word = word_take(rest);
    if (adit_bytes_equal(word, ADIT_BYTES("&"))) {
        ADIT_TRY(value_parse(word_take(rest), &condition.mask));
        word = word_take(rest);
    }
    ADIT_ENSURE(adit_bytes_equal(word, ADIT_BYTES("==")), INVALID,
                "policy: a condition compares with ==");
    ADIT_TRY(value_parse(word_take(rest), &condition.value));
    ADIT_ENSURE((condition.value & ~condition.mask) == 0, INVALID,
                "policy: the value has bits outside its mask, so it can never match");
    *out_condition = condition;
    return adit_ok();
}

static struct adit_status name_check(struct adit_bytes name)
{
    ADIT_ENSURE(name.len > 0 && name.len <= ADIT_POLICY_NAME_BYTES_MAX, INVALID,
                "policy: a call has a name of 1 to 32 characters");
    for (size_t i = 0; i < name.len; i++) {
        uint8_t byte = adit_bytes_at(name, i);
        bool is_fine = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '_';
        ADIT_ENSURE(is_fine, INVALID, "policy: a call's name is of a-z, 0-9 and _");
    }
    return adit_ok();
}

/* The kernel library takes one condition on an argument. */
static struct adit_status condition_add(struct adit_policy_rule *rule,
                                        const struct adit_policy_condition *condition)
{
    for (uint32_t i = 0; i < rule->condition_count; i++) {
        ADIT_ENSURE(ADIT_AT(rule->conditions, i).argument != condition->argument, INVALID,
                    "policy: an argument has two conditions in one rule");
    }
    ADIT_ENSURE(rule->condition_count < ADIT_POLICY_CONDITIONS_MAX, LIMIT,
                "policy: too many conditions in one rule");
    ADIT_AT(rule->conditions, rule->condition_count) = *condition;
    rule->condition_count++;
    return adit_ok();
}

static struct adit_status rule_parse(struct adit_bytes text, struct adit_policy_rule *out_rule)
{
    struct adit_policy_rule rule = {0};
    struct adit_bytes rest = text;
    struct adit_bytes word = word_take(&rest);
    if (adit_bytes_equal(word, ADIT_BYTES("errno"))) {
        uint64_t refusal = 0;
        ADIT_TRY(value_parse(word_take(&rest), &refusal));
        ADIT_ENSURE(refusal > 0 && refusal < 4096, INVALID, "policy: not an errno");
        rule.refusal = (uint16_t)refusal;
    } else {
        ADIT_ENSURE(adit_bytes_equal(word, ADIT_BYTES("allow")), INVALID,
                    "policy: a rule starts with allow or errno");
    }
    rule.name = word_take(&rest);
    ADIT_TRY(name_check(rule.name));
    while (without_blanks(rest).len > 0) {
        struct adit_policy_condition condition = {0};
        if (rule.condition_count > 0) {
            ADIT_ENSURE(adit_bytes_equal(word_take(&rest), ADIT_BYTES("and")), INVALID,
                        "policy: conditions are joined by and");
        }
        ADIT_TRY(condition_parse(&rest, &condition));
        ADIT_TRY(condition_add(&rule, &condition));
    }
    *out_rule = rule;
    return adit_ok();
}

/* "Any of these" has one meaning only where every line of a call has a condition and all do the
 * same: otherwise the order of the lines would decide. */
static struct adit_status clash_check(const struct adit_policy *policy,
                                      const struct adit_policy_rule *rule)
{
    for (uint32_t i = 0; i < policy->rule_count; i++) {
        const struct adit_policy_rule *other = &ADIT_AT(policy->rules, i);
        if (!adit_bytes_equal(other->name, rule->name)) {
            continue;
        }
        ADIT_ENSURE(other->condition_count > 0 && rule->condition_count > 0, INVALID,
                    "policy: a call with an unconditional rule has another one");
        ADIT_ENSURE(other->refusal == rule->refusal, INVALID,
                    "policy: two rules of one call differ in what they do");
    }
    return adit_ok();
}

static struct adit_status line_parse(struct adit_bytes line, uint32_t number,
                                     struct adit_policy *policy)
{
    ADIT_ENSURE(line.len <= ADIT_POLICY_LINE_BYTES_MAX, LIMIT, "policy: the line is too long");
    size_t mark = adit_bytes_find(line, '#');
    struct adit_bytes text = without_blanks(adit_bytes_first(line, mark));
    struct adit_bytes why = without_blanks(adit_bytes_from(line, mark + 1));
    if (text.len == 0) {
        return adit_ok();
    }
    struct adit_policy_rule rule = {0};
    ADIT_TRY(rule_parse(text, &rule));
    ADIT_ENSURE(why.len > 0, INVALID, "policy: the rule does not say why (# reason)");
    ADIT_TRY(clash_check(policy, &rule));
    ADIT_ENSURE(policy->rule_count < ADIT_POLICY_RULES_MAX, LIMIT, "policy: too many rules");
    rule.line = number;
    ADIT_AT(policy->rules, policy->rule_count) = rule;
    policy->rule_count++;
    return adit_ok();
}

struct adit_status adit_policy_parse(struct adit_bytes text, struct adit_policy *out_policy)
{
    struct adit_policy policy = {0};
    struct adit_bytes rest = text;
    for (uint32_t number = 1; rest.len > 0; number++) {
        if (number > ADIT_POLICY_LINES_MAX) {
            ADIT_FAIL_WITH(LIMIT, "policy: too many lines", number);
        }
        size_t len = adit_bytes_find(rest, '\n');
        struct adit_status status = line_parse(adit_bytes_first(rest, len), number, &policy);
        if (!adit_is_ok(status)) {
            status.detail = number;
            return status;
        }
        rest = adit_bytes_from(rest, len + 1);
    }
    *out_policy = policy;
    return adit_ok();
}
