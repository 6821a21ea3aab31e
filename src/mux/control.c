#include "mux/budget.h"
#include "mux/stream.h"

/* Room that is kept for frames which one more frame of the peer may ask for. */
#define CONTROL_RESERVE 2

/* Refused streams that may await their RST. An honest peer has fewer streams without an ACK. */
#define REFUSED_MAX (ADIT_SESSION_ID_WINDOW / 2)

bool adit_session_is_congested(const struct adit_session *session)
{
    return session->control_count + CONTROL_RESERVE >= session->mux->limits.control_max ||
           session->counters.refusals_queued >= REFUSED_MAX;
}

bool adit_session_control_put(struct adit_session *session, const struct adit_yamux_frame *frame)
{
    if (session->control_count >= session->mux->limits.control_max) {
        return false;
    }
    uint32_t at = (session->control_head + session->control_count) % ADIT_SESSION_CONTROL_MAX;
    ADIT_AT(session->control, at) = *frame;
    session->control_count++;
    session->counters.control_queued++;
    return true;
}

static bool put(struct adit_session *session, struct adit_writer *writer,
                const struct adit_yamux_frame *frame)
{
    if (!adit_is_ok(adit_yamux_write(writer, frame))) {
        return false;
    }
    session->counters.frames_out_total++;
    return true;
}

static bool pull_goaway(struct adit_session *session, struct adit_writer *writer)
{
    if (!session->is_goaway_pending) {
        return true;
    }
    struct adit_yamux_frame frame = {.type = ADIT_YAMUX_GOAWAY,
                                     .length = (uint32_t)session->goaway_code};
    if (!put(session, writer, &frame)) {
        return false;
    }
    session->is_goaway_pending = false;
    session->counters.control_queued--;
    return true;
}

static bool pull_ping(struct adit_session *session, struct adit_writer *writer)
{
    if (!session->is_ping_pending) {
        return true;
    }
    struct adit_yamux_frame frame = {
        .type = ADIT_YAMUX_PING, .flags = ADIT_YAMUX_SYN, .length = session->ping_nonce};
    if (!put(session, writer, &frame)) {
        return false;
    }
    session->is_ping_pending = false;
    session->counters.control_queued--;
    return true;
}

static bool pull_ring(struct adit_session *session, struct adit_writer *writer)
{
    while (session->control_count > 0) {
        const struct adit_yamux_frame *frame = &ADIT_AT(session->control, session->control_head);
        if (!put(session, writer, frame)) {
            return false;
        }
        session->counters.resets_out_total += (frame->flags & ADIT_YAMUX_RST) != 0 ? 1 : 0;
        session->control_head = (session->control_head + 1) % ADIT_SESSION_CONTROL_MAX;
        session->control_count--;
        session->counters.control_queued--;
    }
    return true;
}

static bool pull_refusals(struct adit_session *session, struct adit_writer *writer)
{
    while (session->counters.refusals_queued > 0) {
        struct adit_yamux_frame frame = {.type = ADIT_YAMUX_WINDOW, .flags = ADIT_YAMUX_RST};
        if (adit_writer_room(writer) < ADIT_YAMUX_HEADER_BYTES ||
            !adit_session_id_refused_take(session, &frame.stream) ||
            !put(session, writer, &frame)) {
            return false;
        }
        session->counters.resets_out_total++;
    }
    return true;
}

/* Whether the RST may go out now; where not, says when. What we send never passes the budget
 * that an honest peer of our kind gives us, so that our own resets cannot end the session. */
static bool afford_reset(struct adit_session *session, struct adit_stream *stream)
{
    const struct adit_mux_limits *limits = &session->mux->limits;
    struct adit_budget_rate rate = {limits->resets_out_burst, limits->resets_out_per_second};
    struct adit_budget_rate early = {limits->early_resets_out_burst,
                                     limits->early_resets_out_per_second};
    bool needs_early = adit_stream_is(stream, ADIT_STREAM_UNACKED) &&
                       !adit_stream_is(stream, ADIT_STREAM_PEER_OPENED | ADIT_STREAM_EARLY_PAID);
    struct adit_session_budgets *budgets = &session->budgets;
    if (needs_early) {
        if (!adit_budget_take(&budgets->early_resets_out, early, session->now_us)) {
            session->resets_pause_us = adit_budget_next_us(budgets->early_resets_out, early);
            return false;
        }
        stream->state |= ADIT_STREAM_EARLY_PAID;
    }
    if (!adit_budget_take(&budgets->resets_out, rate, session->now_us)) {
        session->resets_pause_us = adit_budget_next_us(budgets->resets_out, rate);
        return false;
    }
    return true;
}

static bool pull_resets(struct adit_session *session, struct adit_writer *writer)
{
    if (session->resets_pause_us > session->now_us) {
        return true;
    }
    session->resets_pause_us = 0;
    struct adit_stream *stream = adit_session_first(session, ADIT_SESSION_LIST_RESETS);
    while (stream) { /* each turn buries one */
        if (adit_writer_room(writer) < ADIT_YAMUX_HEADER_BYTES) {
            return false;
        }
        if (!afford_reset(session, stream)) {
            return true;
        }
        struct adit_yamux_frame frame = {
            .type = ADIT_YAMUX_WINDOW, .flags = ADIT_YAMUX_RST, .stream = stream->id};
        if (!put(session, writer, &frame)) {
            return false;
        }
        session->counters.resets_out_total++;
        adit_stream_bury(session, stream);
        stream = adit_session_first(session, ADIT_SESSION_LIST_RESETS);
    }
    return true;
}

static void pull_streams(struct adit_session *session, struct adit_writer *writer)
{
    struct adit_stream *stream = adit_session_first(session, ADIT_SESSION_LIST_CONTROL);
    while (stream) { /* each turn takes one off the list */
        bool owes_ack = adit_stream_is(stream, ADIT_STREAM_ACK_PENDING);
        if (adit_writer_room(writer) < ADIT_YAMUX_HEADER_BYTES) {
            return;
        }
        struct adit_yamux_frame frame = {.type = ADIT_YAMUX_WINDOW,
                                         .flags = owes_ack ? ADIT_YAMUX_ACK : 0,
                                         .stream = stream->id,
                                         .length = adit_stream_grant(session, stream)};
        if ((frame.flags != 0 || frame.length > 0) && !put(session, writer, &frame)) {
            return;
        }
        if (owes_ack) {
            adit_stream_acknowledged(session, stream);
        }
        stream->state &= ~ADIT_STREAM_UPDATE_PENDING;
        adit_stream_delist(session, stream, ADIT_STREAM_LINK_CONTROL);
        stream = adit_session_first(session, ADIT_SESSION_LIST_CONTROL);
    }
}

void adit_session_pull(struct adit_session *session, struct adit_writer *writer, uint64_t now_us)
{
    session->now_us = adit_max_u64(session->now_us, now_us);
    bool has_room = true;
    if (!session->failure.fault) {
        has_room = pull_ring(session, writer) && pull_ping(session, writer) &&
                   pull_refusals(session, writer) && pull_resets(session, writer);
        if (has_room) {
            pull_streams(session, writer);
        }
    }
    if (has_room) {
        pull_goaway(session, writer);
    }
}

bool adit_session_wants_output(const struct adit_session *session)
{
    if (session->is_goaway_pending) {
        return true;
    }
    if (session->failure.fault) {
        return false;
    }
    bool has_reset = adit_session_first(session, ADIT_SESSION_LIST_RESETS) != NULL &&
                     session->resets_pause_us <= session->now_us;
    return session->control_count > 0 || session->is_ping_pending || has_reset ||
           session->counters.refusals_queued > 0 ||
           adit_session_first(session, ADIT_SESSION_LIST_CONTROL) != NULL ||
           adit_session_first(session, ADIT_SESSION_LIST_FRESH) != NULL ||
           adit_session_first(session, ADIT_SESSION_LIST_OLD) != NULL ||
           adit_session_first(session, ADIT_SESSION_LIST_RESTS) != NULL;
}
