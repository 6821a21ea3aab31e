/* Screen: the agent's events as a calm picture on a terminal, drawn over itself: at most four times
 * a second, and only when something has changed. It stays where it was begun: no other screen, no
 * hidden cursor, nothing to restore whatever ends the process.
 *
 * What ends the agent (a refusal, a certificate) is told below the last picture by the report. */
#ifndef ADIT_CLI_ADIT_SCREEN_H
#define ADIT_CLI_ADIT_SCREEN_H

#include "cli/adit/frame.h"
#include "cli/adit/report.h"

#define ADIT_SCREEN_APART_US (250 * ADIT_MS_US)       /* between two pictures */
#define ADIT_SCREEN_EACH_US ((uint64_t)ADIT_SECOND_US) /* when counters are looked at */

struct adit_screen {
    struct adit_loop *loop;
    struct adit_report *report;
    const struct adit_agent *agent;
    struct adit_frame_style style;
    struct adit_frame frame;
    struct adit_frame_shape shape; /* of what stands on the terminal now */
    struct adit_handle timer;
    uint64_t due_us;   /* of the timer */
    uint64_t drawn_us; /* when the last picture was drawn */
    uint64_t retry_us; /* when the next attempt to connect begins */
    bool is_over;
    size_t last_len; /* what stands there, to see whether the next is another */
    uint8_t last[ADIT_FRAME_BYTES_MAX];
};

struct adit_screen_options {
    struct adit_loop *loop;
    struct adit_report *report; /* its descriptor is the terminal */
    const struct adit_agent *agent;
    const struct adit_agent_tunnel *tunnel;
    bool has_colour;
};

/* Begins with the first picture at the loop's next turn. `screen` must not move. */
struct adit_status adit_screen_open(struct adit_screen *screen,
                                    const struct adit_screen_options *options);

/* The terminal has another size now. */
void adit_screen_resized(struct adit_screen *screen);

/* Others have written on the terminal: the next picture goes below that. */
void adit_screen_moved(struct adit_screen *screen);

/* The last picture, which says that it is over. */
void adit_screen_close(struct adit_screen *screen);

extern const struct adit_agent_events adit_screen_events; /* their context is the screen */

#endif
