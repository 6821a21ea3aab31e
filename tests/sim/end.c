/* The driver of one session: what src/tunnel does with sockets, done with a simulated link. */
#include "world.h"

static struct sim_end *sim_end_of(struct sim_world *world, unsigned e)
{
    return &ADIT_AT(world->end, e);
}

/* --- Input ----------------------------------------------------------------------------------- */

/* The stream of an event: by the id that stands on the wire, then the session must agree. */
static struct sim_stream *sim_event_stream(struct sim_world *world, unsigned e,
                                           const struct adit_session_event *event)
{
    uint32_t id = sim_end_of(world, e)->in.frame.stream;
    struct sim_stream *stream = sim_stream_by_id(world, id);
    if (!stream) {
        sim_fail(world, "end %u: event %d for id %u, which nobody opened", e, (int)event->kind, id);
        return NULL;
    }
    const struct sim_side *side = &ADIT_AT(stream->side, e);
    if (event->kind == ADIT_SESSION_OPENED) {
        return stream;
    }
    if (!side->is_live || !adit_handle_equal(side->handle, event->stream)) {
        sim_fail(world, "stream %u end %u: event %d for a handle that is not its own",
                 stream->number, e, (int)event->kind);
        return NULL;
    }
    if (side->is_accepted && event->user != stream->number + 1) {
        sim_fail(world, "stream %u end %u: event %d carries user %llu", stream->number, e,
                 (int)event->kind, (unsigned long long)event->user);
        return NULL;
    }
    return stream;
}

static void sim_end_opened(struct sim_world *world, unsigned e, struct sim_stream *stream,
                           struct adit_handle handle)
{
    struct sim_side *side = &ADIT_AT(stream->side, e);
    if (stream->opener == e || side->is_seen ||
        (sim_end_of(world, e)->in.frame.flags & ADIT_YAMUX_SYN) == 0) {
        sim_fail(world, "stream %u: OPENED at end %u out of place", stream->number, e);
        return;
    }
    side->handle = handle;
    sim_app_opened(world, e, stream);
}

static void sim_end_event(struct sim_world *world, unsigned e,
                          const struct adit_session_event *event)
{
    if (event->kind == ADIT_SESSION_MORE) {
        return;
    }
    world->progress++;
    if (event->kind == ADIT_SESSION_GOAWAY) {
        sim_tell(world, "end %u: GOAWAY %u", e, event->code);
        if (event->code != 0) {
            sim_fail(world, "end %u: GOAWAY with code %u from an honest peer", e, event->code);
        }
        return;
    }
    struct sim_stream *stream = sim_event_stream(world, e, event);
    if (!stream) {
        return;
    }
    switch (event->kind) {
    case ADIT_SESSION_OPENED:
        sim_end_opened(world, e, stream, event->stream);
        break;
    case ADIT_SESSION_DATA:
        sim_app_data(world, e, stream, event->data);
        break;
    case ADIT_SESSION_FINISHED:
        sim_app_finished(world, e, stream);
        break;
    case ADIT_SESSION_RESET:
        sim_app_reset(world, e, stream);
        break;
    case ADIT_SESSION_ACKED:
        if (stream->opener != e) {
            sim_fail(world, "stream %u: ACKED at the end that accepted it", stream->number);
        }
        break;
    case ADIT_SESSION_MORE:
    case ADIT_SESSION_GOAWAY:
        break;
    }
}

/* Gives `view` to the session; returns how many bytes it used. */
static size_t sim_end_receive(struct sim_world *world, unsigned e, struct adit_bytes view)
{
    struct sim_end *end = sim_end_of(world, e);
    struct adit_bytes rest = view;
    for (;;) {
        size_t before = rest.len;
        struct adit_bytes old = rest;
        struct adit_session_event event = {0};
        struct adit_status status =
            adit_session_receive(&end->session, &rest, world->now_us, &event);
        if (!adit_is_ok(status)) {
            sim_fail(world, "end %u: receive: %s (%s) at %s:%d", e,
                     adit_error_name(adit_status_error(status)), adit_status_what(status),
                     status.fault->file, status.fault->line);
            return view.len;
        }
        struct adit_bytes used = adit_bytes_first(old, before - rest.len);
        while (sim_sniffer_next(&end->in, &used)) {
        }
        if (event.kind == ADIT_SESSION_MORE && before == rest.len && rest.len > 0) {
            sim_fail(world, "end %u: receive made no progress", e);
            return view.len;
        }
        sim_end_event(world, e, &event);
        if (world->has_failed || (event.kind == ADIT_SESSION_MORE &&
                                  (rest.len == 0 || adit_session_is_congested(&end->session)))) {
            return view.len - rest.len;
        }
    }
}

bool sim_end_input(struct sim_world *world, unsigned e)
{
    struct sim_end *end = sim_end_of(world, e);
    struct sim_link *link = &ADIT_AT(world->link, 1 - e);
    bool has_moved = false;
    while (link->arrived > 0 && !world->has_failed && !adit_session_is_congested(&end->session)) {
        size_t max = (size_t)sim_pick(&world->random, 1, end->read_max);
        size_t used = sim_end_receive(world, e, sim_link_front(link, max));
        sim_link_drop(link, used);
        has_moved = true;
    }
    return has_moved;
}

/* --- Output ---------------------------------------------------------------------------------- */

/* How much of its source a stream sends in this turn, and whether it ends. */
static size_t sim_turn_bytes(struct sim_world *world, const struct sim_side *side, size_t max,
                             bool *out_is_last)
{
    size_t count = (size_t)adit_min_u64(side->available - side->sent, max);
    if (count > 1 && sim_chance(&world->random, 10)) {
        count = (size_t)sim_pick(&world->random, 1, count);
    }
    bool is_end = side->is_started && side->sent + count == side->plan.send_total;
    *out_is_last = is_end && (count == 0 || !side->plan.is_fin_apart);
    return count;
}

static void sim_turn_sent(struct sim_world *world, unsigned e, struct sim_stream *stream,
                          struct adit_span header)
{
    struct sim_side *side = &ADIT_AT(stream->side, e);
    struct sim_end *end = sim_end_of(world, e);
    struct adit_reader reader = adit_reader_of(adit_span_bytes(header));
    struct adit_yamux_frame frame = {0};
    if (!adit_is_ok(adit_yamux_read(&reader, &frame))) {
        sim_fail(world, "end %u: a header hole of %zu bytes", e, header.len);
        return;
    }
    if (stream->id == 0) {
        if ((frame.flags & ADIT_YAMUX_SYN) == 0 || stream->opener != e) {
            sim_fail(world, "stream %u: first frame of end %u without SYN", stream->number, e);
            return;
        }
        sim_stream_named(world, stream, frame.stream);
        stream->wire_first = end->payload_total;
    } else if (frame.stream != stream->id) {
        sim_fail(world, "stream %u: sent under id %u, not %u", stream->number, frame.stream,
                 stream->id);
    }
    if ((frame.flags & ADIT_YAMUX_FIN) != 0 && !side->has_sent_fin) {
        sim_fail(world, "stream %u end %u: a FIN that nobody gave", stream->number, e);
    }
}

/* Answers one turn with a frame, or with idle. */
static void sim_end_turn(struct sim_world *world, unsigned e, struct adit_writer *writer,
                         const struct adit_session_turn *turn)
{
    struct sim_end *end = sim_end_of(world, e);
    if (turn->user == 0 || turn->user > world->plan.stream_count) {
        sim_fail(world, "end %u: a turn for user %llu", e, (unsigned long long)turn->user);
        return;
    }
    struct sim_stream *stream = sim_stream_at(world, (uint32_t)turn->user - 1);
    struct sim_side *side = &ADIT_AT(stream->side, e);
    size_t room = adit_writer_room(writer);
    if (!side->is_live || !adit_handle_equal(side->handle, turn->stream) || side->has_sent_fin ||
        turn->bytes_max == 0 || turn->bytes_max + ADIT_YAMUX_HEADER_BYTES > room ||
        turn->bytes_max > world->plan.limits.quantum_max) {
        sim_fail(world, "stream %u end %u: a turn of %zu bytes, live %d, room %zu",
                 stream->number, e, turn->bytes_max, side->is_live, room);
        return;
    }
    bool is_last = false;
    size_t count = sim_turn_bytes(world, side, turn->bytes_max, &is_last);
    bool is_syn = stream->opener == e && stream->id == 0;
    if (count == 0 && !is_last && !is_syn) {
        adit_session_idle(&end->session, turn->stream);
        return;
    }
    struct adit_span header = {0};
    struct adit_span payload = {0};
    adit_status_ignore(adit_write_reserve(writer, ADIT_YAMUX_HEADER_BYTES, &header), "room");
    adit_status_ignore(adit_write_reserve(writer, count, &payload), "room");
    sim_pattern_fill(world->pattern, side->seed, side->sent, payload);
    side->sent += count;
    side->has_sent_fin = is_last;
    struct adit_status status =
        adit_session_sent(&end->session, turn->stream, header, count, is_last);
    if (!adit_is_ok(status)) {
        sim_fail(world, "stream %u end %u: sent: %s", stream->number, e, adit_status_what(status));
        return;
    }
    world->progress += count > 0 || is_last;
    sim_turn_sent(world, e, stream, header);
    end->payload_total += count;
    sim_app_sent(world, e, stream);
}

static void sim_end_fill(struct sim_world *world, unsigned e)
{
    struct sim_end *end = sim_end_of(world, e);
    struct adit_writer writer = adit_writer_of(adit_span_first(end->stage, end->stage_max));
    adit_session_pull(&end->session, &writer, world->now_us);
    struct adit_session_turn turn = {0};
    for (uint32_t turns = 0; !world->has_failed; turns++) {
        if (!adit_session_next(&end->session, adit_writer_room(&writer), &turn)) {
            break;
        }
        if (turns > 4 * SIM_STREAMS_MAX + SIM_STAGE_BYTES) {
            sim_fail(world, "end %u: next never ends", e);
            return;
        }
        sim_end_turn(world, e, &writer, &turn);
    }
    end->stage_head = 0;
    end->stage_len = writer.len;
    sim_wire_check(world, e, adit_writer_bytes(&writer));
}

bool sim_end_output(struct sim_world *world, unsigned e)
{
    struct sim_end *end = sim_end_of(world, e);
    struct sim_link *link = &ADIT_AT(world->link, e);
    bool has_moved = false;
    while (!world->has_failed) {
        if (end->stage_len == 0) {
            if (!adit_session_wants_output(&end->session)) {
                return has_moved;
            }
            sim_end_fill(world, e);
            if (end->stage_len == 0) {
                return has_moved;
            }
            has_moved = true;
        }
        struct adit_bytes staged = adit_bytes_first(
            adit_bytes_from(adit_span_bytes(end->stage), end->stage_head), end->stage_len);
        size_t taken = sim_link_put(link, staged, world->now_us);
        end->stage_head += taken;
        end->stage_len -= taken;
        if (end->stage_len > 0) {
            return has_moved || taken > 0;
        }
        has_moved = true;
    }
    return has_moved;
}

/* --- Time ------------------------------------------------------------------------------------ */

void sim_end_tick(struct sim_world *world, unsigned e)
{
    struct sim_end *end = sim_end_of(world, e);
    while (!world->has_failed) {
        struct adit_session_event event = {0};
        struct adit_status status = adit_session_tick(&end->session, world->now_us, &event);
        if (!adit_is_ok(status)) {
            sim_fail(world, "end %u: tick: %s", e, adit_status_what(status));
            return;
        }
        if (event.kind == ADIT_SESSION_MORE) {
            break;
        }
        struct sim_stream *stream =
            event.user == 0 ? NULL : sim_stream_at(world, (uint32_t)event.user - 1);
        if (!world->plan.may_time_out || !stream) {
            sim_fail(world, "end %u: tick reset stream %u (code %u) before its time", e,
                     stream ? stream->number : 0, event.code);
            return;
        }
        sim_app_reset(world, e, stream);
    }
    if (!world->has_failed && adit_session_deadline_us(&end->session) <= world->now_us) {
        sim_fail(world, "end %u: the deadline is still due after tick", e);
    }
    if (world->now_us >= end->ping_us) { /* somebody wants to know whether the peer is there */
        adit_session_ping(&end->session, world->now_us);
        end->ping_us = world->now_us + sim_pick(&world->random, ADIT_SECOND_US, 60000000);
    }
    if (end->goaway_us <= world->now_us && !end->has_goaway) {
        end->has_goaway = true;
        adit_session_goaway(&end->session, ADIT_YAMUX_GOAWAY_NORMAL);
    }
}
