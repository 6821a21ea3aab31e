#include "mux/budget.h"
#include "mux/stream.h"

/* Something odd that harms nobody: tolerated, but not for ever. */
static struct adit_status glitch(struct adit_session *session)
{
    const struct adit_mux_limits *limits = &session->mux->limits;
    struct adit_budget_rate rate = {limits->glitch_burst, limits->glitches_per_second};
    session->counters.glitches_total++;
    ADIT_ENSURE(adit_budget_take(&session->budgets.glitches, rate, session->now_us), LIMIT,
                "the peer sends too many odd frames");
    return adit_ok();
}

static struct adit_status count_reset(struct adit_session *session, bool is_early)
{
    const struct adit_mux_limits *limits = &session->mux->limits;
    struct adit_budget_rate rate = {limits->reset_burst, limits->resets_per_second};
    struct adit_budget_rate early = {limits->early_reset_burst, limits->early_resets_per_second};
    session->counters.resets_in_total++;
    ADIT_ENSURE(adit_budget_take(&session->budgets.resets, rate, session->now_us), LIMIT,
                "the peer resets too many streams");
    ADIT_ENSURE(!is_early ||
                    adit_budget_take(&session->budgets.early_resets, early, session->now_us),
                LIMIT, "the peer resets too many streams that it has just opened");
    return adit_ok();
}

/* An RST for a stream that was never opened. Where even the ring has none, the caller
 * reads on although we are congested; the peer then hears nothing, which its own deadline mends. */
static struct adit_status refuse(struct adit_session *session, uint32_t id)
{
    struct adit_yamux_frame frame = {
        .type = ADIT_YAMUX_WINDOW, .flags = ADIT_YAMUX_RST, .stream = id};
    return adit_session_control_put(session, &frame) ? adit_ok() : glitch(session);
}

static void expect_payload(struct adit_session *session, struct adit_handle stream, uint32_t length)
{
    session->frame.stream = stream;
    session->frame.payload_left = length;
}

static struct adit_status add_credit(struct adit_session *session, struct adit_stream *stream,
                                     uint32_t delta)
{
    uint32_t sum = 0;
    ADIT_ENSURE(adit_add_u32(stream->send_window, delta, &sum), INVALID,
                "the peer's window passes 2^32 - 1");
    stream->send_window = sum;
    adit_stream_schedule(session, stream);
    return adit_ok();
}

/* --- SYN ------------------------------------------------------------------------------------- */

static struct adit_status refuse_syn(struct adit_session *session,
                                     const struct adit_yamux_frame *frame)
{
    if (frame->type == ADIT_YAMUX_DATA) {
        expect_payload(session, (struct adit_handle){0}, frame->length);
        if ((frame->flags & ADIT_YAMUX_FIN) == 0) {
            uint64_t left = session->mux->limits.window_start - frame->length;
            session->orphan_credit =
                adit_min_u64(session->orphan_credit + left, ADIT_SESSION_ORPHAN_CREDIT_MAX);
        }
    }
    adit_session_id_refuse(session, frame->stream);
    return adit_ok();
}

static struct adit_status take_syn(struct adit_session *session,
                                   const struct adit_yamux_frame *frame)
{
    const struct adit_mux_limits *limits = &session->mux->limits;
    bool is_data = frame->type == ADIT_YAMUX_DATA;
    ADIT_ENSURE(!adit_session_id_is_ours(session, frame->stream), INVALID,
                "the peer opened a stream with an id of ours");
    ADIT_ENSURE(adit_session_id_claim(session, frame->stream), INVALID,
                "the peer opened a stream id twice, or one far too old");
    ADIT_ENSURE(!is_data || frame->length <= limits->window_start, INVALID,
                "the first frame of a stream passes its window");
    ADIT_ENSURE(is_data || frame->length <= UINT32_MAX - limits->window_start, INVALID,
                "the first window update passes 2^32 - 1");
    if ((frame->flags & ADIT_YAMUX_ACK) != 0) {
        ADIT_TRY(glitch(session));
    }
    if ((frame->flags & ADIT_YAMUX_RST) != 0) {
        expect_payload(session, (struct adit_handle){0}, is_data ? frame->length : 0);
        return count_reset(session, true);
    }
    struct adit_stream *stream = NULL;
    if (session->has_said_goaway ||
        !adit_is_ok(adit_stream_create(session, ADIT_STREAM_PEER_OPENED, &stream))) {
        return refuse_syn(session, frame);
    }
    stream->id = frame->stream;
    adit_session_learn(session, stream);
    if (is_data) {
        stream->credit -= frame->length;
        stream->pending += frame->length;
        expect_payload(session, stream->handle, frame->length);
    } else {
        expect_payload(session, stream->handle, 0);
        ADIT_TRY(add_credit(session, stream, frame->length));
    }
    session->frame.is_opened = true;
    if ((frame->flags & ADIT_YAMUX_FIN) != 0) {
        session->frame.is_finished = true;
        adit_stream_finish(session, stream, ADIT_STREAM_FIN_RECEIVED);
    }
    return adit_ok();
}

/* --- Streams that are gone, or never were ---------------------------------------------------- */

static struct adit_status take_unknown(struct adit_session *session,
                                       const struct adit_yamux_frame *frame)
{
    bool is_past = adit_session_id_is_past(session, frame->stream);
    bool is_data = frame->type == ADIT_YAMUX_DATA;
    if (is_data) {
        expect_payload(session, (struct adit_handle){0}, frame->length);
    }
    if ((frame->flags & ADIT_YAMUX_RST) != 0) {
        ADIT_TRY(count_reset(session, false));
        return is_past ? adit_ok() : glitch(session);
    }
    if (!is_past) {
        ADIT_TRY(glitch(session));
        return is_data ? refuse(session, frame->stream) : adit_ok();
    }
    if (is_data && (frame->length > 0 || frame->flags == 0)) {
        if (frame->length == 0 || frame->length > session->orphan_credit) {
            return glitch(session);
        }
        session->orphan_credit -= frame->length;
    }
    return adit_ok(); /* a late update, ACK or FIN of a stream that has ended */
}

/* A stream that we reset: its RST may still wait to go out. */
static struct adit_status take_dead(struct adit_session *session, struct adit_stream *stream,
                                    const struct adit_yamux_frame *frame)
{
    bool is_data = frame->type == ADIT_YAMUX_DATA;
    if (is_data) {
        expect_payload(session, (struct adit_handle){0}, frame->length);
        if (adit_stream_is(stream, ADIT_STREAM_FIN_RECEIVED) ||
            (frame->length == 0 && frame->flags == 0)) {
            ADIT_TRY(glitch(session));
        }
        ADIT_ENSURE(frame->length <= stream->credit, INVALID,
                    "late bytes pass the window that their stream had");
        stream->credit -= frame->length;
    }
    if ((frame->flags & ADIT_YAMUX_RST) != 0) {
        adit_stream_remove(session, stream);
        return count_reset(session, false);
    }
    bool was_unacked = adit_stream_is(stream, ADIT_STREAM_UNACKED) &&
                       !adit_stream_is(stream, ADIT_STREAM_PEER_OPENED);
    if (was_unacked) {
        adit_stream_acknowledged(session, stream);
        adit_stream_enlist(session, stream, ADIT_SESSION_LIST_OPEN);
        if (!adit_stream_is(stream, ADIT_STREAM_EARLY_PAID)) {
            adit_stream_enlist(session, stream, ADIT_SESSION_LIST_RESETS);
        }
    }
    if ((frame->flags & ADIT_YAMUX_FIN) != 0) {
        stream->state |= ADIT_STREAM_FIN_RECEIVED;
        if (adit_stream_is(stream, ADIT_STREAM_TOMBSTONE) || adit_stream_is_finished(stream)) {
            adit_stream_remove(session, stream); /* no byte can follow */
        }
    }
    return adit_ok();
}

/* --- Streams that live ----------------------------------------------------------------------- */

static struct adit_session_event reset_event(const struct adit_stream *stream)
{
    return (struct adit_session_event){
        .kind = ADIT_SESSION_RESET, .stream = stream->handle, .user = stream->user};
}

/* The peer broke the rules of this stream alone: it is reset, the session lives. */
static struct adit_status reset_for_fault(struct adit_session *session, struct adit_stream *stream,
                                          struct adit_session_event *out_event)
{
    *out_event = reset_event(stream);
    adit_stream_kill(session, stream);
    return glitch(session);
}

static struct adit_status take_reset(struct adit_session *session, struct adit_stream *stream,
                                     struct adit_session_event *out_event)
{
    uint32_t early = ADIT_STREAM_PEER_OPENED | ADIT_STREAM_UNACKED;
    bool is_early = (stream->state & early) == early;
    *out_event = reset_event(stream);
    adit_stream_remove(session, stream);
    return count_reset(session, is_early);
}

static struct adit_status take_ack(struct adit_session *session, struct adit_stream *stream,
                                   bool is_said)
{
    if (adit_stream_is(stream, ADIT_STREAM_UNACKED) &&
        !adit_stream_is(stream, ADIT_STREAM_PEER_OPENED)) {
        adit_stream_acknowledged(session, stream); /* any frame shows that the SYN has arrived */
        adit_stream_touch(session, stream);
        session->frame.is_acked = true;
        return adit_ok();
    }
    return is_said ? glitch(session) : adit_ok();
}

static struct adit_status take_live(struct adit_session *session, struct adit_stream *stream,
                                    const struct adit_yamux_frame *frame,
                                    struct adit_session_event *out_event)
{
    bool is_data = frame->type == ADIT_YAMUX_DATA;
    bool is_fin = (frame->flags & ADIT_YAMUX_FIN) != 0;
    if ((frame->flags & ADIT_YAMUX_RST) != 0) {
        expect_payload(session, (struct adit_handle){0}, is_data ? frame->length : 0);
        return take_reset(session, stream, out_event);
    }
    ADIT_ENSURE(!is_data || frame->length <= stream->credit, INVALID,
                "the peer sends past the window of a stream");
    if (adit_stream_is(stream, ADIT_STREAM_FIN_RECEIVED) && (is_fin || is_data)) {
        expect_payload(session, (struct adit_handle){0}, is_data ? frame->length : 0);
        return adit_stream_is_finished(stream) ? glitch(session)
                                               : reset_for_fault(session, stream, out_event);
    }
    expect_payload(session, stream->handle, is_data ? frame->length : 0);
    ADIT_TRY(take_ack(session, stream, (frame->flags & ADIT_YAMUX_ACK) != 0));
    if (frame->length == 0 && frame->flags == 0) {
        return glitch(session);
    }
    if (is_data) {
        stream->credit -= frame->length;
        stream->pending += frame->length;
    } else {
        ADIT_TRY(add_credit(session, stream, frame->length));
    }
    if (is_fin) {
        session->frame.is_finished = true;
        adit_stream_finish(session, stream, ADIT_STREAM_FIN_RECEIVED);
    } else if (adit_stream_is(stream, ADIT_STREAM_FIN_SENT)) {
        adit_stream_touch(session, stream);
    }
    return adit_ok();
}

/* --- Frames of the session ------------------------------------------------------------------- */

static struct adit_status take_ping(struct adit_session *session,
                                    const struct adit_yamux_frame *frame)
{
    const struct adit_mux_limits *limits = &session->mux->limits;
    struct adit_budget_rate rate = {limits->ping_burst, limits->pings_per_second};
    ADIT_ENSURE(frame->stream == 0, INVALID, "a ping names a stream");
    if (frame->flags == ADIT_YAMUX_ACK && session->has_ping &&
        frame->length == session->ping_nonce) {
        session->has_ping = false;
        return adit_ok();
    }
    struct adit_yamux_frame pong = {
        .type = ADIT_YAMUX_PING, .flags = ADIT_YAMUX_ACK, .length = frame->length};
    if (frame->flags == ADIT_YAMUX_SYN &&
        adit_budget_take(&session->budgets.pings, rate, session->now_us) &&
        adit_session_control_put(session, &pong)) {
        return adit_ok();
    }
    return glitch(session); /* no question, too many questions, or an answer to nothing we asked */
}

static struct adit_status take_goaway(struct adit_session *session,
                                      const struct adit_yamux_frame *frame,
                                      struct adit_session_event *out_event)
{
    ADIT_ENSURE(frame->stream == 0, INVALID, "a GOAWAY names a stream");
    if (session->has_heard_goaway && frame->length == ADIT_YAMUX_GOAWAY_NORMAL) {
        return glitch(session);
    }
    session->has_heard_goaway = true;
    *out_event =
        (struct adit_session_event){.kind = ADIT_SESSION_GOAWAY, .code = frame->length};
    return adit_ok();
}

struct adit_status adit_session_frame_take(struct adit_session *session,
                                           const struct adit_yamux_frame *frame,
                                           struct adit_session_event *out_event)
{
    ADIT_ENSURE(frame->version == ADIT_YAMUX_VERSION, INVALID, "not yamux version 0");
    ADIT_ENSURE(frame->type <= ADIT_YAMUX_GOAWAY, INVALID, "no such type of frame");
    struct adit_yamux_frame known = *frame;
    if ((frame->flags & ~ADIT_YAMUX_FLAGS_KNOWN) != 0) {
        ADIT_TRY(glitch(session));
        known.flags &= ADIT_YAMUX_FLAGS_KNOWN;
    }
    if (frame->type == ADIT_YAMUX_PING) {
        return take_ping(session, &known);
    }
    if (frame->type == ADIT_YAMUX_GOAWAY) {
        return take_goaway(session, &known, out_event);
    }
    ADIT_ENSURE(frame->stream != 0, INVALID, "stream 0 carries no data");
    ADIT_ENSURE(frame->type != ADIT_YAMUX_DATA || frame->length <= session->mux->limits.frame_max,
                INVALID, "a frame longer than any we take");
    if ((known.flags & ADIT_YAMUX_SYN) != 0) {
        return take_syn(session, &known);
    }
    struct adit_stream *stream = adit_session_find(session, frame->stream);
    if (!stream) {
        return take_unknown(session, &known);
    }
    return adit_stream_is(stream, ADIT_STREAM_DEAD) ? take_dead(session, stream, &known)
                                                    : take_live(session, stream, &known, out_event);
}
