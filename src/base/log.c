#include "base/log.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

void adit_log_init(struct adit_log *log, int fd, enum adit_log_format format,
                   struct adit_bytes role)
{
    *log = (struct adit_log){.fd = fd, .level_min = ADIT_LOG_INFO, .format = format, .role = role};
}

static struct adit_bytes level_name(enum adit_log_level level)
{
    switch (level) {
    case ADIT_LOG_DEBUG:
        return ADIT_BYTES("debug");
    case ADIT_LOG_INFO:
        return ADIT_BYTES("info");
    case ADIT_LOG_WARN:
        return ADIT_BYTES("warn");
    case ADIT_LOG_ERROR:
        return ADIT_BYTES("error");
    }
    return ADIT_BYTES("unknown");
}

static struct adit_status write_name(const struct adit_log *log, struct adit_writer *line,
                                     struct adit_bytes name)
{
    if (log->format == ADIT_LOG_TEXT) {
        ADIT_TRY(adit_write_bytes(line, line->len ? ADIT_BYTES(" ") : ADIT_BYTES("")));
        ADIT_TRY(adit_write_bytes(line, name));
        return adit_write_u8(line, '=');
    }
    ADIT_TRY(adit_write_bytes(line, line->len > 1 ? ADIT_BYTES(",\"") : ADIT_BYTES("\"")));
    ADIT_TRY(adit_write_bytes(line, name));
    return adit_write_bytes(line, ADIT_BYTES("\":"));
}

/* Bare where logfmt allows it: one word of printable ASCII without quotes or equals signs. */
static bool needs_quotes(struct adit_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = adit_bytes_at(text, i);
        if (byte <= 0x20 || byte > 0x7e || byte == '"' || byte == '\\' || byte == '=') {
            return true;
        }
    }
    return text.len == 0;
}

static struct adit_status write_text(const struct adit_log *log, struct adit_writer *line,
                                     struct adit_bytes text)
{
    bool is_quoted = log->format == ADIT_LOG_JSON || needs_quotes(text);
    struct adit_bytes quote = is_quoted ? ADIT_BYTES("\"") : ADIT_BYTES("");
    ADIT_TRY(adit_write_bytes(line, quote));
    ADIT_TRY(adit_write_escaped(line, text, ADIT_LOG_VALUE_MAX));
    return adit_write_bytes(line, quote);
}

static struct adit_status write_field(const struct adit_log *log, struct adit_writer *line,
                                      const struct adit_log_field *field)
{
    struct adit_writer attempt = *line;
    ADIT_TRY(write_name(log, &attempt, field->name));
    if (field->is_number) {
        ADIT_TRY(adit_write_decimal(&attempt, field->number));
    } else {
        ADIT_TRY(write_text(log, &attempt, field->text));
    }
    *line = attempt;
    return adit_ok();
}

static struct adit_status write_line(const struct adit_log *log, struct adit_writer *line,
                                     enum adit_log_level level, struct adit_bytes event)
{
    bool is_json = log->format == ADIT_LOG_JSON;
    ADIT_TRY(adit_write_bytes(line, is_json ? ADIT_BYTES("{\"time\":\"") : ADIT_BYTES("time=")));
    ADIT_TRY(adit_write_time(line, adit_clock_wall_ms()));
    ADIT_TRY(adit_write_bytes(line, is_json ? ADIT_BYTES("\"") : ADIT_BYTES("")));
    const struct adit_log_field head[] = {
        adit_log_text(ADIT_BYTES("level"), level_name(level)),
        adit_log_text(ADIT_BYTES("role"), log->role),
        adit_log_text(ADIT_BYTES("event"), event),
    };
    for (size_t i = 0; i < ADIT_COUNT(head); i++) {
        ADIT_TRY(write_field(log, line, &ADIT_AT(head, i)));
    }
    return adit_ok();
}

void adit_log_event(struct adit_log *log, enum adit_log_level level, struct adit_bytes event,
                    const struct adit_log_field *fields, size_t count)
{
    if (level < log->level_min) {
        return;
    }
    uint8_t memory[ADIT_LOG_LINE_MAX] = {0};
    struct adit_writer line =
        adit_writer_of(adit_span_first(ADIT_SPAN_OF(memory), ADIT_LOG_LINE_MAX - 2));
    bool is_whole = adit_is_ok(write_line(log, &line, level, event));
    for (size_t i = 0; i < count && is_whole; i++) {
        const struct adit_log_field *field = &ADIT_SLOT(fields, count, i);
        if (field->name.len > 0) { /* a field that does not fit is left out; the line stays valid */
            is_whole = adit_is_ok(write_field(log, &line, field));
        }
    }
    uint64_t dropped = log->dropped - log->dropped_told;
    if (dropped > 0) {
        struct adit_log_field told = adit_log_number(ADIT_BYTES("lines_dropped"), dropped);
        is_whole = adit_is_ok(write_field(log, &line, &told));
    }
    line.span = ADIT_SPAN_OF(memory); /* the last two bytes were kept for the end */
    adit_status_ignore(adit_write_bytes(&line, log->format == ADIT_LOG_JSON ? ADIT_BYTES("}\n")
                                                                           : ADIT_BYTES("\n")),
                       "room was kept");
    ssize_t written = 0;
    do {
        written = write(log->fd, memory, line.len);
    } while (written < 0 && errno == EINTR);
    if (written != (ssize_t)line.len) {
        log->dropped++;
        return;
    }
    if (dropped > 0 && is_whole) {
        log->dropped_told += dropped;
    }
}

void adit_log_failure(struct adit_log *log, enum adit_log_level level, struct adit_bytes event,
                      struct adit_status status)
{
    const struct adit_fault *fault = status.fault;
    if (!fault) {
        return;
    }
    const struct adit_log_field fields[] = {
        adit_log_text(ADIT_BYTES("error"), adit_bytes_of_text(adit_error_name(fault->error))),
        adit_log_text(ADIT_BYTES("what"), adit_bytes_of_text(fault->what)),
        adit_log_text(ADIT_BYTES("file"), adit_bytes_of_text(fault->file)),
        adit_log_number(ADIT_BYTES("line"), (uint64_t)fault->line),
        adit_log_number(ADIT_BYTES("detail"), (uint64_t)status.detail),
    };
    adit_log_event(log, level, event, fields, ADIT_COUNT(fields));
}
