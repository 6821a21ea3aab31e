#include "wire/refusal.h"

#define REPEAT_FINAL true
#define REPEAT_RETRY false

const char *adit_refusal_code(enum adit_refusal refusal)
{
    switch (refusal) {
#define CASE(NAME, code, repeat, message, next)                                                 \
    case ADIT_REFUSAL_##NAME:                                                                   \
        return code;
        ADIT_REFUSAL_TABLE(CASE)
#undef CASE
    }
    return "internal_error";
}

const char *adit_refusal_message(enum adit_refusal refusal)
{
    switch (refusal) {
#define CASE(NAME, code, repeat, message, next)                                                 \
    case ADIT_REFUSAL_##NAME:                                                                   \
        return message;
        ADIT_REFUSAL_TABLE(CASE)
#undef CASE
    }
    return "The server refused.";
}

const char *adit_refusal_next_action(enum adit_refusal refusal)
{
    switch (refusal) {
#define CASE(NAME, code, repeat, message, next)                                                 \
    case ADIT_REFUSAL_##NAME:                                                                   \
        return next;
        ADIT_REFUSAL_TABLE(CASE)
#undef CASE
    }
    return "Tell the operator of the server.";
}

bool adit_refusal_is_final(enum adit_refusal refusal)
{
    switch (refusal) {
#define CASE(NAME, code, repeat, message, next)                                                 \
    case ADIT_REFUSAL_##NAME:                                                                   \
        return REPEAT_##repeat;
        ADIT_REFUSAL_TABLE(CASE)
#undef CASE
    }
    return true;
}

struct adit_status adit_refusal_find(struct adit_bytes code, enum adit_refusal *out_refusal)
{
#define FIND(NAME, text, repeat, message, next)                                                 \
    if (adit_bytes_equal(code, ADIT_BYTES(text))) {                                             \
        *out_refusal = ADIT_REFUSAL_##NAME;                                                     \
        return adit_ok();                                                                       \
    }
    ADIT_REFUSAL_TABLE(FIND)
#undef FIND
    ADIT_FAIL(INVALID, "no such refusal code");
}
