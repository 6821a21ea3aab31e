#include "tunnel/internal.h"

/* So many bytes end a link's turn, so that the others get theirs, and what comes meanwhile is seen
 * soon: one frame of a bulk stream on a fast road, two gatherings of small ones. */
#define TURN_BYTES (2 * ADIT_HUB_GATHER_BYTES)

void link_send_waiting(struct adit_hub *hub, struct link *link)
{
    struct adit_queue *out = adit_tls_out(link->tls);
    while (out->len > 0 && !link->is_blocked) {
        struct iovec views[32] = {0};
        size_t view_count = adit_queue_views(out, views, ADIT_COUNT(views));
        size_t sent = 0;
        enum adit_io io = ADIT_IO_DONE;
        struct adit_status status =
            adit_socket_send_views(link->fd, views, view_count, &sent, &io);
        if (!adit_is_ok(status)) {
            link_fail(hub, link, status);
            link->is_blocked = true; /* nothing more will go */
            return;
        }
        adit_queue_drop(out, &hub->chunks, sent);
        link->in_kernel += sent;
        link->is_blocked = io == ADIT_IO_BLOCKED;
    }
}

/* The payload of the frame whose turn it is; true where the link is still fine. */
static bool fill_turn(struct adit_hub *hub, struct link *link, const struct adit_session_turn *turn,
                      struct adit_writer *writer)
{
    struct adit_session *session = &link->session;
    struct adit_writer attempt = *writer;
    struct adit_span header = {0};
    adit_status_ignore(adit_write_reserve(&attempt, ADIT_YAMUX_HEADER_BYTES, &header),
                       "next was given the room");
    struct adit_span room = adit_span_first(adit_span_from(attempt.span, attempt.len),
                                            turn->bytes_max);
    struct pump_filled filled = {.is_empty = true};
    bool is_control = adit_handle_equal(turn->stream, link->control);
    if (is_control) {
        filled.count = control_stream_fill(hub, link, room);
        filled.is_empty = link->control_out.len == 0;
    } else {
        struct pump *pump = hub_pump(hub, adit_handle_unpack(turn->user));
        if (!pump) {
            adit_session_release(session, turn->stream, hub->loop->now_us);
            return true;
        }
        if (!adit_is_ok(pump_fill(hub, pump, room, &filled))) {
            pump_end(hub, pump, ADIT_PUMP_LOCAL);
            return true;
        }
        if (!hub_pump(hub, adit_handle_unpack(turn->user))) {
            return true; /* a pipe whose owner ended it meanwhile */
        }
    }
    struct adit_status status =
        adit_session_sent(session, turn->stream, header, filled.count, filled.is_last);
    if (adit_is_ok(status)) {
        attempt.len += filled.count;
        *writer = attempt;
    } else if (filled.count > 0 || filled.is_last) {
        link_fail(hub, link, status);
        return false;
    } /* else an empty frame that was not needed to open the stream: there is none */
    struct pump *pump = is_control ? NULL : hub_pump(hub, adit_handle_unpack(turn->user));
    if (filled.is_last && pump) {
        pump->is_source_done = true;
        pump_end_if_done(hub, pump);
    } else if (filled.is_empty) {
        adit_session_idle(session, turn->stream);
    }
    return true;
}

/* Why a stream whose turn it is has to wait. */
enum gather_wait {
    GATHER_GOES,
    GATHER_ROAD,   /* until the road has taken something */
    GATHER_ANSWER, /* a moment, for an answer that is near */
};

static enum gather_wait wait_of(const struct link *link, const struct adit_session_turn *turn)
{
    if (turn->bytes_max == 0) {
        return GATHER_ROAD;
    }
    bool is_answer_near = !turn->is_fresh && adit_session_is_mixed(&link->session) &&
                          adit_session_awaits_answer(&link->session);
    return is_answer_near ? GATHER_ANSWER : GATHER_GOES;
}

/* Frames of all ready streams into the scratch; how many bytes. The last one is not cut short: its
 * stream's local socket is read once, and at the other end written once. Small ones do not wait
 * until bulk is read and encrypted behind them. */
static size_t gather(struct adit_hub *hub, struct link *link, enum gather_wait *out_wait)
{
    struct adit_session *session = &link->session;
    size_t room = adit_min_size(adit_tls_room(link->tls), hub->plain_out.len);
    struct adit_writer writer = adit_writer_of(adit_span_first(hub->plain_out, room));
    adit_session_pull(session, &writer, hub->loop->now_us);
    struct adit_session_turn turn = {0};
    bool has_small = false;
    *out_wait = GATHER_GOES;
    while (writer.len < ADIT_HUB_GATHER_BYTES &&
           adit_session_next(session, adit_writer_room(&writer), &turn)) {
        turn.bytes_max = link_pace_room(link, &turn, writer.len);
        *out_wait = wait_of(link, &turn);
        bool is_for_next = has_small && !turn.is_fresh && adit_session_is_mixed(session);
        if (*out_wait != GATHER_GOES || is_for_next || !fill_turn(hub, link, &turn, &writer)) {
            break;
        }
        has_small = has_small || (turn.is_fresh && writer.len > 0);
    }
    adit_session_pull(session, &writer, hub->loop->now_us); /* resets that the turns brought */
    return writer.len;
}

void link_flush(struct adit_hub *hub, struct link *link)
{
    link_send_waiting(hub, link);
    if (link->state != LINK_OPEN) {
        return;
    }
    link_pace_measure(hub, link);
    enum gather_wait wait = GATHER_GOES;
    size_t len = 0;
    for (size_t gone = 0; gone < TURN_BYTES && !link->is_blocked; gone += len) {
        len = gather(hub, link, &wait);
        if (len == 0) {
            break;
        }
        struct adit_status status =
            adit_tls_write(link->tls, adit_bytes_first(adit_span_bytes(hub->plain_out), len));
        if (!adit_is_ok(status)) {
            link_fail(hub, link, status);
            return;
        }
        link_send_waiting(hub, link);
    }
    if (link->is_blocked) {
        return;
    }
    if (wait == GATHER_ROAD) {
        link_pace_wait(hub, link);
    } else if (wait == GATHER_ANSWER) {
        hub_mark_dirty(hub, link);
        adit_loop_make_way(hub->loop);
    } else if (adit_session_wants_output(&link->session)) {
        hub_mark_dirty(hub, link); /* its share is used up: another turn */
    } else {
        adit_pace_dry(&link->pace, link->in_kernel);
    }
}
