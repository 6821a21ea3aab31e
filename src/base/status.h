/* Status: the one way in which a call says that it failed.
 *
 * A status is a value that cannot be dropped silently (the type is nodiscard). It points at a
 * constant description of the place that failed, so making one allocates nothing; success is the
 * null pointer. `detail` carries errno, or a TLS or protocol code, where the category alone would
 * lose it. Callers branch on the category only; people read `what`, `file` and `line`.
 * "Need more bytes" is never an error: parsers return it as a value.
 *
 * Thread or process: any. Owns nothing. */
#ifndef ADIT_BASE_STATUS_H
#define ADIT_BASE_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#define ADIT_ERROR_TABLE(ROW)                                                                   \
    ROW(NONE, "ok", "no error")                                                                 \
    ROW(INVALID, "invalid", "bytes or arguments that break the rules of their format")          \
    ROW(LIMIT, "limit", "a named limit would be passed")                                        \
    ROW(FULL, "full", "a bounded queue, pool or table has no room now; try again later")        \
    ROW(STALE, "stale", "the handle names an object that is gone")                              \
    ROW(CLOSED, "closed", "the other side has ended")                                           \
    ROW(REFUSED, "refused", "understood, and not allowed")                                      \
    ROW(TIMEOUT, "timeout", "the time for it has passed")                                       \
    ROW(SYSTEM, "system", "the operating system refused; detail is errno")                      \
    ROW(CRYPTO, "crypto", "a cryptographic library refused, or a signature is wrong")           \
    ROW(MEMORY, "memory", "the process could not get memory")                                   \
    ROW(INTERNAL, "internal", "a rule of our own is broken; a bug")

enum adit_error {
#define ADIT_ERROR_ENUM(NAME, text, meaning) ADIT_ERROR_##NAME,
    ADIT_ERROR_TABLE(ADIT_ERROR_ENUM)
#undef ADIT_ERROR_ENUM
};

struct adit_fault {
    enum adit_error error;
    int line;
    const char *what; /* a constant sentence for a person, without bytes from outside */
    const char *file;
};

struct [[nodiscard]] adit_status {
    const struct adit_fault *fault; /* null: success */
    int64_t detail;                 /* errno or a code of the library that refused; else 0 */
};

static inline struct adit_status adit_ok(void)
{
    return (struct adit_status){0};
}

static inline bool adit_is_ok(struct adit_status status)
{
    return status.fault == 0;
}

static inline enum adit_error adit_status_error(struct adit_status status)
{
    return status.fault ? status.fault->error : ADIT_ERROR_NONE;
}

/* The short name of a category ("limit"), for logs. */
const char *adit_error_name(enum adit_error error);

/* The sentence of a status; "ok" for success. */
const char *adit_status_what(struct adit_status status);

/* Says that a status is dropped on purpose, and why. */
static inline void adit_status_ignore(struct adit_status status, const char *why)
{
    (void)status;
    (void)why;
}

/* Returns a failure from this function. CATEGORY is the bare word of the table. */
#define ADIT_FAIL(CATEGORY, sentence) ADIT_FAIL_WITH(CATEGORY, sentence, 0)

#define ADIT_FAIL_WITH(CATEGORY, sentence, code)                                                \
    do {                                                                                        \
        static const struct adit_fault adit_fault_here = {                                      \
            .error = ADIT_ERROR_##CATEGORY, .line = __LINE__, .what = sentence, .file = __FILE__};\
        return (struct adit_status){.fault = &adit_fault_here, .detail = (code)};               \
    } while (0)

/* Returns the failure of `expression` from this function, if it is one. */
#define ADIT_TRY(expression)                                                                    \
    do {                                                                                        \
        struct adit_status adit_status_here = (expression);                                     \
        if (!adit_is_ok(adit_status_here)) {                                                    \
            return adit_status_here;                                                            \
        }                                                                                       \
    } while (0)

/* Returns a failure unless `condition` holds. */
#define ADIT_ENSURE(condition, CATEGORY, sentence)                                              \
    do {                                                                                        \
        if (!(condition)) {                                                                     \
            ADIT_FAIL(CATEGORY, sentence);                                                      \
        }                                                                                       \
    } while (0)

#endif
