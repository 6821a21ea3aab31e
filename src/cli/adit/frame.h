/* Frame: the agent's live screen as text: what it shows, and how it becomes lines.
 *
 * Every line fits the terminal's width, and there are fewer of them than it has rows, so that the
 * next frame can be drawn over this one. What came from the server, from visitors or from the
 * program is escaped: no byte of theirs moves the cursor. Pure: no clock, no I/O. */
#ifndef ADIT_CLI_ADIT_FRAME_H
#define ADIT_CLI_ADIT_FRAME_H

#include "agent/agent.h"
#include "cli/adit/terminal.h"

#define ADIT_FRAME_REQUESTS_MAX 10
#define ADIT_FRAME_LINES_MAX 24
#define ADIT_FRAME_BYTES_MAX 8192 /* lines of at most 240 columns, and their colours */

enum adit_frame_state {
    ADIT_FRAME_CONNECTING,
    ADIT_FRAME_ONLINE,
    ADIT_FRAME_WAITING, /* for the next attempt */
    ADIT_FRAME_STOPPED,
};

struct adit_frame {
    enum adit_frame_state state;
    uint64_t wait_s;          /* WAITING: until the next attempt */
    ADIT_FIELD(256) reason;   /* WAITING: why */
    ADIT_FIELD(320) url;      /* empty: none yet */
    ADIT_FIELD(300) target;
    ADIT_FIELD(320) note;     /* what a person should read; empty: nothing */
    uint64_t rtt_us;          /* of the first session; 0: not known */
    uint32_t session_count;   /* told where there is more than one */
    uint64_t connections, connections_total;
    uint64_t bytes_in, bytes_out; /* to the program, from it */
    struct adit_http_seen requests[ADIT_FRAME_REQUESTS_MAX];
    uint64_t requests_total; /* the newest is number requests_total - 1, modulo the array */
};

struct adit_frame_style {
    struct adit_terminal_size size;
    bool has_colour;
};

/* How many lines were written, and how wide each is. */
struct adit_frame_shape {
    size_t line_count;
    uint16_t widths[ADIT_FRAME_LINES_MAX];
};

/* Appends the lines, each with "erase to its end" and a line end. LIMIT without room
 * (ADIT_FRAME_BYTES_MAX is always enough). */
struct adit_status adit_frame_write(struct adit_writer *out, const struct adit_frame *frame,
                                    const struct adit_frame_style *style,
                                    struct adit_frame_shape *out_shape);

/* How many rows lines of this shape take where there are `columns` now: terminals break lines that
 * have become too long. */
size_t adit_frame_rows(const struct adit_frame_shape *shape, uint16_t columns);

/* The newest request; the oldest is forgotten. */
void adit_frame_request_add(struct adit_frame *frame, const struct adit_http_seen *seen);

#endif
