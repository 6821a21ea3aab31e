#include "cli/adit/screen.h"

#include "cli/output.h"

#define CONTROL_MAX 32 /* bytes that move the cursor, before and after the lines */

static void refresh(void *context, uint64_t key);

static enum adit_frame_state state_of(const struct adit_screen *screen,
                                      const struct adit_agent_look *look)
{
    if (screen->is_over) {
        return ADIT_FRAME_STOPPED;
    }
    switch (look->state) {
    case ADIT_AGENT_IN:
        return look->is_up ? ADIT_FRAME_ONLINE : ADIT_FRAME_CONNECTING;
    case ADIT_AGENT_WAITING:
        return screen->frame.reason.len > 0 ? ADIT_FRAME_WAITING : ADIT_FRAME_CONNECTING;
    case ADIT_AGENT_DIALING:
    case ADIT_AGENT_LINKING:
        return ADIT_FRAME_CONNECTING;
    case ADIT_AGENT_STOPPED:
        return ADIT_FRAME_STOPPED;
    }
    return ADIT_FRAME_STOPPED;
}

/* What the agent can be asked for at any time. */
static void look(struct adit_screen *screen)
{
    const struct adit_agent *agent = screen->agent;
    const struct adit_agent_look seen = adit_agent_look(agent);
    const struct adit_hub_counters *counters = &agent->hub.counters;
    struct adit_frame *frame = &screen->frame;
    uint64_t now_us = screen->loop->now_us;
    uint64_t left_us = screen->retry_us > now_us ? screen->retry_us - now_us : 0;
    frame->state = state_of(screen, &seen);
    frame->wait_s = (left_us + ADIT_SECOND_US - 1) / ADIT_SECOND_US;
    frame->rtt_us = seen.rtt_us;
    frame->session_count = seen.session_count;
    frame->connections = agent->hub.pumps.used;
    frame->connections_total = counters->pumps_opened;
    frame->bytes_in = counters->bytes_to_local;
    frame->bytes_out = counters->bytes_from_local;
}

/* Back to the first line of what stands there. */
static struct adit_status rewind_write(struct adit_writer *out, size_t rows)
{
    if (rows == 0) {
        return adit_ok();
    }
    ADIT_TRY(adit_write_bytes(out, ADIT_BYTES("\r\x1b[")));
    ADIT_TRY(adit_write_decimal(out, rows));
    return adit_write_bytes(out, ADIT_BYTES("A"));
}

static struct adit_status put(struct adit_screen *screen, struct adit_bytes lines,
                              const struct adit_frame_shape *shape)
{
    uint8_t memory[ADIT_FRAME_BYTES_MAX + CONTROL_MAX] = {0};
    struct adit_writer out = adit_writer_of(ADIT_SPAN_OF(memory));
    bool is_taken = false;
    size_t rows = adit_frame_rows(&screen->shape, screen->style.size.columns);
    ADIT_TRY(rewind_write(&out, rows));
    ADIT_TRY(adit_write_bytes(&out, lines));
    ADIT_TRY(adit_write_bytes(&out, ADIT_BYTES("\x1b[J")));
    ADIT_TRY(adit_output_offer(screen->report->fd, adit_writer_bytes(&out), &is_taken));
    if (is_taken) {
        ADIT_TRY(adit_span_copy(ADIT_SPAN_OF(screen->last), lines));
        screen->last_len = lines.len;
        screen->shape = *shape;
        screen->drawn_us = screen->loop->now_us;
    }
    return adit_ok();
}

static struct adit_status draw(struct adit_screen *screen)
{
    uint8_t memory[ADIT_FRAME_BYTES_MAX] = {0};
    struct adit_writer lines = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_frame_shape shape = {0};
    look(screen);
    ADIT_TRY(adit_frame_write(&lines, &screen->frame, &screen->style, &shape));
    if (screen->shape.line_count > 0 &&
        adit_bytes_equal(adit_writer_bytes(&lines),
                         adit_bytes_first(ADIT_BYTES_OF(screen->last), screen->last_len))) {
        return adit_ok();
    }
    return put(screen, adit_writer_bytes(&lines), &shape);
}

static void draw_or_stop(struct adit_screen *screen)
{
    if (!adit_is_ok(draw(screen))) {
        screen->report->is_output_lost = true; /* nobody looks any more */
        adit_loop_stop(screen->loop);
    }
}

static struct adit_status timer_set(struct adit_screen *screen, uint64_t when_us)
{
    screen->due_us = when_us;
    return adit_loop_timer_set(screen->loop, &screen->timer, when_us, refresh, screen, 0);
}

static void refresh(void *context, uint64_t key)
{
    struct adit_screen *screen = context;
    (void)key;
    screen->timer = (struct adit_handle){0};
    draw_or_stop(screen);
    adit_status_ignore(timer_set(screen, screen->loop->now_us + ADIT_SCREEN_EACH_US),
                       "this timer has just made room for itself");
}

/* Something has changed: soon, but not too often. */
static void changed(struct adit_screen *screen)
{
    uint64_t soon_us = screen->drawn_us + ADIT_SCREEN_APART_US;
    if (!screen->is_over && soon_us < screen->due_us) {
        adit_status_ignore(timer_set(screen, soon_us), "the timer is there, and only moves");
    }
}

struct adit_status adit_screen_open(struct adit_screen *screen,
                                    const struct adit_screen_options *options)
{
    uint8_t memory[300] = {0};
    struct adit_bytes target = adit_report_target(options->tunnel, ADIT_SPAN_OF(memory));
    *screen = (struct adit_screen){.loop = options->loop,
                                   .report = options->report,
                                   .agent = options->agent,
                                   .style = {.has_colour = options->has_colour}};
    screen->style.size = adit_terminal_size_get(options->report->fd);
    ADIT_TRY(ADIT_FIELD_SET(screen->frame.target, target));
    return timer_set(screen, options->loop->now_us);
}

void adit_screen_resized(struct adit_screen *screen)
{
    screen->style.size = adit_terminal_size_get(screen->report->fd);
    screen->last_len = 0; /* whatever it says, it has to be drawn */
    changed(screen);
}

void adit_screen_moved(struct adit_screen *screen)
{
    screen->shape = (struct adit_frame_shape){0};
    changed(screen);
}

void adit_screen_close(struct adit_screen *screen)
{
    if (!screen->is_over && screen->loop) {
        screen->is_over = true;
        adit_loop_timer_cancel(screen->loop, &screen->timer);
        adit_status_ignore(draw(screen), "there is nothing more to say");
    }
}

/* --- events ---------------------------------------------------------------------------------- */

static void note_set(struct adit_screen *screen, const struct adit_bytes *parts, size_t count)
{
    uint8_t memory[sizeof(screen->frame.note.bytes)] = {0};
    struct adit_writer note = adit_writer_of(ADIT_SPAN_OF(memory));
    for (size_t i = 0; i < count; i++) {
        adit_status_ignore(adit_write_bytes(&note, adit_bytes_first(ADIT_SLOT(parts, count, i),
                                                                    adit_writer_room(&note))),
                           "cut to the room");
    }
    adit_status_ignore(ADIT_FIELD_SET(screen->frame.note, adit_writer_bytes(&note)),
                       "the same size");
    changed(screen);
}

static void ready(void *context, const struct adit_agent_tunnel *tunnel,
                  const struct adit_control_bound *bound, bool is_again)
{
    struct adit_screen *screen = context;
    (void)tunnel;
    (void)is_again;
    adit_report_rest(screen->report);
    adit_status_ignore(ADIT_FIELD_SET(screen->frame.url, ADIT_FIELD_BYTES(bound->url)),
                       "the same limit");
    note_set(screen, NULL, 0);
}

static void disconnected(void *context, struct adit_bytes reason, uint64_t wait_us)
{
    struct adit_screen *screen = context;
    screen->retry_us = screen->loop->now_us + wait_us;
    adit_status_ignore(
        ADIT_FIELD_SET(screen->frame.reason,
                       adit_bytes_first(reason, sizeof(screen->frame.reason.bytes))),
        "cut to the limit");
    changed(screen);
}

static void reconnected(void *context)
{
    changed(context);
}

static void refused(void *context, const struct adit_agent_refusal *refusal)
{
    struct adit_screen *screen = context;
    adit_screen_close(screen);
    adit_report_events.refused(screen->report, refusal);
}

static void distrusted(void *context, struct adit_bytes why)
{
    struct adit_screen *screen = context;
    adit_screen_close(screen);
    adit_report_events.distrusted(screen->report, why);
}

static void notice(void *context, struct adit_bytes message)
{
    const struct adit_bytes parts[] = {ADIT_BYTES("from the server: "), message};
    note_set(context, parts, ADIT_COUNT(parts));
}

static void local_failed(void *context, const struct adit_agent_tunnel *tunnel,
                         enum adit_dial_result result)
{
    const struct adit_bytes parts[] = {ADIT_BYTES("a visitor came, but "),
                                       adit_bytes_of_text(adit_dial_meaning(result))};
    (void)tunnel;
    note_set(context, parts, ADIT_COUNT(parts));
}

static void request_seen(void *context, const struct adit_agent_tunnel *tunnel,
                         const struct adit_http_seen *seen)
{
    struct adit_screen *screen = context;
    (void)tunnel;
    adit_frame_request_add(&screen->frame, seen);
    note_set(screen, NULL, 0); /* what was wrong is over */
}

const struct adit_agent_events adit_screen_events = {
    .ready = ready,
    .disconnected = disconnected,
    .reconnected = reconnected,
    .refused = refused,
    .distrusted = distrusted,
    .notice = notice,
    .local_failed = local_failed,
    .request_seen = request_seen,
};
