/* Log: one event a line, as logfmt or JSON, with every value escaped and cut at 256 bytes.
 *
 * A line is built on the stack and written with one write(2) to a non-blocking descriptor; where
 * that would block or fail, the line is dropped and counted, never waited for. Library code does
 * not log: a role's main side does, once, where it decides. No secret is ever a field.
 *
 * Limits: ADIT_LOG_LINE_MAX bytes a line, ADIT_LOG_VALUE_MAX bytes of a value. */
#ifndef ADIT_BASE_LOG_H
#define ADIT_BASE_LOG_H

#include "base/bytes.h"

#define ADIT_LOG_LINE_MAX 2048
#define ADIT_LOG_VALUE_MAX 256

enum adit_log_level { ADIT_LOG_DEBUG, ADIT_LOG_INFO, ADIT_LOG_WARN, ADIT_LOG_ERROR };
enum adit_log_format { ADIT_LOG_TEXT, ADIT_LOG_JSON };

struct adit_log {
    int fd;
    enum adit_log_level level_min;
    enum adit_log_format format;
    struct adit_bytes role;  /* a constant: "door" */
    uint64_t dropped;        /* lines lost since the start: a counter */
    uint64_t dropped_told;   /* of these, how many a later line has reported */
};

struct adit_log_field {
    struct adit_bytes name; /* a constant: letters, digits, _ */
    struct adit_bytes text; /* used where is_number is false */
    uint64_t number;
    bool is_number;
};

void adit_log_init(struct adit_log *log, int fd, enum adit_log_format format,
                   struct adit_bytes role);

void adit_log_event(struct adit_log *log, enum adit_log_level level, struct adit_bytes event,
                    const struct adit_log_field *fields, size_t count);

static inline struct adit_log_field adit_log_text(struct adit_bytes name, struct adit_bytes text)
{
    return (struct adit_log_field){.name = name, .text = text};
}

static inline struct adit_log_field adit_log_number(struct adit_bytes name, uint64_t number)
{
    return (struct adit_log_field){.name = name, .number = number, .is_number = true};
}

/* ADIT_LOG(&log, INFO, "session_open", adit_log_number(ADIT_BYTES("id"), 7)); or no field. */
#define ADIT_LOG(log, LEVEL, ...)                                                               \
    ADIT_LOG_FIELDS(log, LEVEL, __VA_ARGS__, adit_log_text((struct adit_bytes){0},              \
                                                           (struct adit_bytes){0}))

/* The last field has no name and is left out: an array of none is not C. */
#define ADIT_LOG_FIELDS(log, LEVEL, event, ...)                                                 \
    do {                                                                                        \
        const struct adit_log_field adit_log_fields[] = {__VA_ARGS__};                          \
        adit_log_event((log), ADIT_LOG_##LEVEL, ADIT_BYTES(event), adit_log_fields,             \
                       ADIT_COUNT(adit_log_fields));                                            \
    } while (0)

/* The fields that tell a failure: error, what, at (file:line) and code where it has one. */
void adit_log_failure(struct adit_log *log, enum adit_log_level level, struct adit_bytes event,
                      struct adit_status status);

#endif
