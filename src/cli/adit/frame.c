#include "cli/adit/frame.h"

#define LABEL_COLUMNS 14
#define ESCAPED_MAX 2048 /* 320 bytes, six characters each at most */
#define COLUMNS_MIN 20   /* narrower terminals break lines; nothing sensible fits there */

enum colour { PLAIN, GREEN, YELLOW, RED, FAINT };

/* The line that is being written. */
struct line {
    struct adit_writer *out;
    const struct adit_frame_style *style;
    struct adit_frame_shape *shape;
    size_t used; /* columns */
};

static size_t columns_of(const struct line *line)
{
    uint16_t columns = line->style->size.columns;
    return (columns < COLUMNS_MIN ? COLUMNS_MIN : columns) - 1u; /* the last one may wrap */
}

/* Lines that may still be written: the cursor stays on the row below them. */
static bool is_room(const struct line *line)
{
    size_t rows = line->style->size.rows;
    return line->shape->line_count < ADIT_FRAME_LINES_MAX && line->shape->line_count + 1 < rows;
}

/* Printable ASCII of our own, cut at the width. */
static struct adit_status put(struct line *line, struct adit_bytes text)
{
    size_t room = columns_of(line) - line->used;
    text = adit_bytes_first(text, room);
    line->used += text.len;
    return adit_write_bytes(line->out, text);
}

static struct adit_status put_escaped(struct line *line, struct adit_bytes text)
{
    uint8_t memory[ESCAPED_MAX] = {0};
    struct adit_writer escaped = adit_writer_of(ADIT_SPAN_OF(memory));
    ADIT_TRY(adit_write_escaped(&escaped, text, ESCAPED_MAX / 6));
    return put(line, adit_writer_bytes(&escaped));
}

static struct adit_status put_number(struct line *line, uint64_t value)
{
    uint8_t memory[20] = {0};
    struct adit_writer digits = adit_writer_of(ADIT_SPAN_OF(memory));
    ADIT_TRY(adit_write_decimal(&digits, value));
    return put(line, adit_writer_bytes(&digits));
}

static struct adit_status pad_to(struct line *line, size_t column)
{
    while (line->used < column && line->used < columns_of(line)) {
        ADIT_TRY(put(line, ADIT_BYTES(" ")));
    }
    return adit_ok();
}

static struct adit_status colour_set(struct line *line, enum colour colour)
{
    if (!line->style->has_colour) {
        return adit_ok();
    }
    switch (colour) {
    case PLAIN:
        return adit_write_bytes(line->out, ADIT_BYTES("\x1b[0m"));
    case GREEN:
        return adit_write_bytes(line->out, ADIT_BYTES("\x1b[32m"));
    case YELLOW:
        return adit_write_bytes(line->out, ADIT_BYTES("\x1b[33m"));
    case RED:
        return adit_write_bytes(line->out, ADIT_BYTES("\x1b[31m"));
    case FAINT:
        return adit_write_bytes(line->out, ADIT_BYTES("\x1b[2m"));
    }
    ADIT_FAIL(INTERNAL, "no such colour");
}

static struct adit_status line_end(struct line *line)
{
    ADIT_AT(line->shape->widths, line->shape->line_count) = (uint16_t)line->used;
    line->shape->line_count++;
    line->used = 0;
    return adit_write_bytes(line->out, ADIT_BYTES("\x1b[K\n"));
}

static struct adit_status label(struct line *line, struct adit_bytes text)
{
    ADIT_TRY(colour_set(line, FAINT));
    ADIT_TRY(put(line, text));
    ADIT_TRY(colour_set(line, PLAIN));
    return pad_to(line, LABEL_COLUMNS);
}

static struct adit_status sessions_put(struct line *line, uint32_t count)
{
    if (count < 2) {
        return adit_ok();
    }
    ADIT_TRY(put(line, ADIT_BYTES(", ")));
    ADIT_TRY(put_number(line, count));
    return put(line, ADIT_BYTES(" sessions"));
}

static struct adit_status status_put(struct line *line, const struct adit_frame *frame)
{
    switch (frame->state) {
    case ADIT_FRAME_ONLINE:
        ADIT_TRY(colour_set(line, GREEN));
        ADIT_TRY(put(line, ADIT_BYTES("online")));
        return sessions_put(line, frame->session_count);
    case ADIT_FRAME_CONNECTING:
        ADIT_TRY(colour_set(line, YELLOW));
        return put(line, ADIT_BYTES("connecting"));
    case ADIT_FRAME_WAITING:
        ADIT_TRY(colour_set(line, YELLOW));
        ADIT_TRY(put(line, frame->url.len > 0 ? ADIT_BYTES("reconnecting in ")
                                              : ADIT_BYTES("connecting again in ")));
        ADIT_TRY(put_number(line, frame->wait_s));
        ADIT_TRY(put(line, ADIT_BYTES(" s: ")));
        return put_escaped(line, ADIT_FIELD_BYTES(frame->reason));
    case ADIT_FRAME_STOPPED:
        return put(line, ADIT_BYTES("stopped"));
    }
    ADIT_FAIL(INTERNAL, "no such state");
}

/* "512 B", "1.5 KiB", and so on. */
static struct adit_status put_bytes(struct line *line, uint64_t bytes)
{
    static const char *const units[] = {" B", " KiB", " MiB", " GiB", " TiB"};
    size_t unit = 0;
    uint64_t tenths = bytes * 10;
    if (bytes > UINT64_MAX / 10) {
        tenths = UINT64_MAX;
    }
    while (tenths >= 10240 && unit + 1 < ADIT_COUNT(units)) {
        tenths /= 1024;
        unit++;
    }
    ADIT_TRY(put_number(line, tenths / 10));
    if (unit > 0) {
        ADIT_TRY(put(line, ADIT_BYTES(".")));
        ADIT_TRY(put_number(line, tenths % 10));
    }
    return put(line, adit_bytes_of_text(ADIT_AT(units, unit)));
}

static struct adit_status put_time(struct line *line, uint64_t us)
{
    if (us < ADIT_MS_US) {
        return put(line, ADIT_BYTES("<1 ms"));
    }
    bool is_long = us >= 10 * (uint64_t)ADIT_SECOND_US;
    ADIT_TRY(put_number(line, us / (is_long ? ADIT_SECOND_US : ADIT_MS_US)));
    return put(line, is_long ? ADIT_BYTES(" s") : ADIT_BYTES(" ms"));
}

static struct adit_status row_text(struct line *line, struct adit_bytes name,
                                   struct adit_bytes text)
{
    if (!is_room(line)) {
        return adit_ok();
    }
    ADIT_TRY(label(line, name));
    ADIT_TRY(put_escaped(line, text));
    return line_end(line);
}

static struct adit_status row_status(struct line *line, const struct adit_frame *frame)
{
    if (!is_room(line)) {
        return adit_ok();
    }
    ADIT_TRY(label(line, ADIT_BYTES("Status")));
    ADIT_TRY(status_put(line, frame));
    ADIT_TRY(colour_set(line, PLAIN));
    return line_end(line);
}

static struct adit_status row_latency(struct line *line, const struct adit_frame *frame)
{
    if (!is_room(line)) {
        return adit_ok();
    }
    ADIT_TRY(label(line, ADIT_BYTES("Latency")));
    if (frame->rtt_us > 0) {
        ADIT_TRY(put_time(line, frame->rtt_us));
    } else {
        ADIT_TRY(put(line, ADIT_BYTES("-")));
    }
    return line_end(line);
}

static struct adit_status row_connections(struct line *line, const struct adit_frame *frame)
{
    if (!is_room(line)) {
        return adit_ok();
    }
    ADIT_TRY(label(line, ADIT_BYTES("Connections")));
    ADIT_TRY(put_number(line, frame->connections));
    ADIT_TRY(put(line, ADIT_BYTES(" now, ")));
    ADIT_TRY(put_number(line, frame->connections_total));
    ADIT_TRY(put(line, ADIT_BYTES(" in all; in ")));
    ADIT_TRY(put_bytes(line, frame->bytes_in));
    ADIT_TRY(put(line, ADIT_BYTES(", out ")));
    ADIT_TRY(put_bytes(line, frame->bytes_out));
    return line_end(line);
}

static enum colour colour_of(uint16_t status)
{
    if (status >= 500) {
        return RED;
    }
    return status >= 400 ? YELLOW : GREEN;
}

/* "GET      200     12 ms  /path": the path last, where it can be cut. */
static struct adit_status row_request(struct line *line, const struct adit_http_seen *seen)
{
    ADIT_TRY(put_escaped(line, adit_bytes_first(ADIT_FIELD_BYTES(seen->method), 8)));
    ADIT_TRY(pad_to(line, 9));
    ADIT_TRY(colour_set(line, colour_of(seen->status)));
    ADIT_TRY(put_number(line, seen->status));
    ADIT_TRY(colour_set(line, PLAIN));
    ADIT_TRY(pad_to(line, LABEL_COLUMNS));
    ADIT_TRY(put_time(line, seen->took_us));
    ADIT_TRY(pad_to(line, LABEL_COLUMNS + 9));
    ADIT_TRY(put_escaped(line, ADIT_FIELD_BYTES(seen->target)));
    return line_end(line);
}

/* The newest first, as many as there is room for. */
static struct adit_status rows_requests(struct line *line, const struct adit_frame *frame)
{
    uint64_t count = frame->requests_total < ADIT_FRAME_REQUESTS_MAX ? frame->requests_total
                                                                     : ADIT_FRAME_REQUESTS_MAX;
    if (count > 0 && is_room(line)) {
        ADIT_TRY(line_end(line));
    }
    for (uint64_t i = 0; i < count && is_room(line); i++) {
        uint64_t number = frame->requests_total - 1 - i;
        ADIT_TRY(row_request(line, &ADIT_AT(frame->requests, number % ADIT_FRAME_REQUESTS_MAX)));
    }
    return adit_ok();
}

struct adit_status adit_frame_write(struct adit_writer *out, const struct adit_frame *frame,
                                    const struct adit_frame_style *style,
                                    struct adit_frame_shape *out_shape)
{
    struct line line = {.out = out, .style = style, .shape = out_shape};
    *out_shape = (struct adit_frame_shape){0};
    ADIT_TRY(row_status(&line, frame));
    if (frame->url.len > 0) {
        ADIT_TRY(row_text(&line, ADIT_BYTES("Address"), ADIT_FIELD_BYTES(frame->url)));
    }
    ADIT_TRY(row_text(&line, ADIT_BYTES("Forwards to"), ADIT_FIELD_BYTES(frame->target)));
    ADIT_TRY(row_latency(&line, frame));
    ADIT_TRY(row_connections(&line, frame));
    if (frame->note.len > 0) {
        ADIT_TRY(row_text(&line, ADIT_BYTES("Note"), ADIT_FIELD_BYTES(frame->note)));
    }
    return rows_requests(&line, frame);
}

size_t adit_frame_rows(const struct adit_frame_shape *shape, uint16_t columns)
{
    size_t rows = 0;
    for (size_t i = 0; i < shape->line_count; i++) {
        size_t width = ADIT_AT(shape->widths, i);
        rows += columns > 0 && width > columns ? (width + columns - 1) / columns : 1;
    }
    return rows;
}

void adit_frame_request_add(struct adit_frame *frame, const struct adit_http_seen *seen)
{
    ADIT_AT(frame->requests, frame->requests_total % ADIT_FRAME_REQUESTS_MAX) = *seen;
    frame->requests_total++;
}
