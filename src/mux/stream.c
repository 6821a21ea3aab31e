#include "mux/budget.h"
#include "mux/stream.h"

struct adit_stream *adit_session_stream(const struct adit_session *session,
                                        struct adit_handle handle)
{
    struct adit_stream *stream = adit_pool_get(&session->mux->streams, handle);
    if (!stream || stream->session != session->number || adit_stream_is(stream, ADIT_STREAM_DEAD)) {
        return NULL;
    }
    return stream;
}

/* A stream stops counting against streams_max when it ends on the wire, which is when it stops
 * counting at the peer; its user may still hold it. */
static void uncount(struct adit_session *session, struct adit_stream *stream)
{
    if (!adit_stream_is(stream, ADIT_STREAM_COUNTED)) {
        return;
    }
    stream->state &= ~ADIT_STREAM_COUNTED;
    if (adit_stream_is(stream, ADIT_STREAM_PEER_OPENED)) {
        session->open_in--;
    } else {
        session->open_out--;
    }
}

void adit_stream_acknowledged(struct adit_session *session, struct adit_stream *stream)
{
    if (!adit_stream_is(stream, ADIT_STREAM_UNACKED)) {
        return;
    }
    stream->state &= ~(ADIT_STREAM_UNACKED | ADIT_STREAM_ACK_PENDING);
    if (adit_stream_is(stream, ADIT_STREAM_PEER_OPENED)) {
        session->counters.unacked_in--;
    } else {
        session->counters.unacked_out--;
    }
}

static struct adit_status check_room(const struct adit_session *session, bool is_in)
{
    const struct adit_mux *mux = session->mux;
    uint32_t unacked = is_in ? session->counters.unacked_in : session->counters.unacked_out;
    uint32_t counted = is_in ? session->open_in : session->open_out;
    ADIT_ENSURE(unacked < mux->limits.unacked_max, FULL, "too many streams await an ACK");
    ADIT_ENSURE(counted < mux->limits.streams_max &&
                    session->counters.streams_open < 2 * mux->limits.streams_max,
                FULL, "the session has too many streams");
    ADIT_ENSURE(mux->streams.used - mux->tombstones < mux->streams_max, FULL,
                "the process has too many streams");
    return adit_ok();
}

struct adit_status adit_stream_create(struct adit_session *session, uint32_t state,
                                      struct adit_stream **out_stream)
{
    struct adit_mux *mux = session->mux;
    bool is_in = (state & ADIT_STREAM_PEER_OPENED) != 0;
    ADIT_TRY(check_room(session, is_in));
    uint32_t *counted = is_in ? &session->open_in : &session->open_out;
    struct adit_handle handle = {0};
    void *memory = NULL;
    ADIT_TRY(adit_pool_acquire(&mux->streams, &handle, &memory));
    struct adit_stream *stream = memory;
    *stream = (struct adit_stream){.state = state | ADIT_STREAM_UNACKED | ADIT_STREAM_COUNTED,
                                   .handle = handle,
                                   .session = session->number,
                                   .time_us = session->now_us,
                                   .send_window = mux->limits.window_start,
                                   .credit = mux->limits.window_start,
                                   .window = mux->limits.window_start,
                                   .fresh_left = ADIT_SESSION_FRESH_BYTES};
    adit_span_fill(ADIT_SPAN_OF(stream->listed), ADIT_STREAM_NO_LIST);
    adit_stream_enlist(session, stream,
                       is_in ? ADIT_SESSION_LIST_OPEN : ADIT_SESSION_LIST_UNACKED);
    *counted += 1;
    session->counters.streams_open++;
    if (is_in) {
        session->counters.unacked_in++;
    } else {
        session->counters.unacked_out++;
    }
    *out_stream = stream;
    return adit_ok();
}

/* What ends when the stream ends on the wire, by RST or by itself. */
static void settle(struct adit_session *session, struct adit_stream *stream)
{
    if (adit_stream_is(stream, ADIT_STREAM_TOMBSTONE)) {
        return; /* settled when its RST went out */
    }
    adit_stream_acknowledged(session, stream);
    uncount(session, stream);
    session->counters.streams_open--;
}

/* What ends when the user lets go. */
static void let_go(struct adit_session *session, struct adit_stream *stream)
{
    if (adit_stream_is(stream, ADIT_STREAM_DEAD)) {
        return;
    }
    session->counters.received_pending -= adit_stream_handed(session, stream);
    adit_stream_growth_return(session, stream);
    stream->state |= ADIT_STREAM_DEAD;
    stream->state &= ~(ADIT_STREAM_READY | ADIT_STREAM_UPDATE_PENDING | ADIT_STREAM_ACK_PENDING);
    stream->pending = 0;
    adit_stream_delist(session, stream, ADIT_STREAM_LINK_TURN);
    adit_stream_delist(session, stream, ADIT_STREAM_LINK_CONTROL);
}

void adit_stream_remove(struct adit_session *session, struct adit_stream *stream)
{
    let_go(session, stream);
    settle(session, stream);
    if (adit_stream_is(stream, ADIT_STREAM_TOMBSTONE)) {
        session->tombstones--;
        session->mux->tombstones--;
    }
    adit_stream_delist(session, stream, ADIT_STREAM_LINK_AGE);
    adit_stream_delist(session, stream, ADIT_STREAM_LINK_CONTROL);
    adit_session_forget(session, stream);
    adit_status_ignore(adit_pool_release(&session->mux->streams, stream->handle),
                       "the stream lived until here");
}

void adit_stream_kill(struct adit_session *session, struct adit_stream *stream)
{
    if (adit_stream_is(stream, ADIT_STREAM_SYN_PENDING) || adit_stream_is_finished(stream)) {
        adit_stream_remove(session, stream); /* the peer never heard of it, or need not hear */
        return;
    }
    let_go(session, stream);
    bool is_early = adit_stream_is(stream, ADIT_STREAM_UNACKED) &&
                    !adit_stream_is(stream, ADIT_STREAM_PEER_OPENED);
    if (is_early) {
        const struct adit_mux_limits *limits = &session->mux->limits;
        struct adit_budget_rate rate = {.burst = limits->early_resets_out_burst,
                                        .per_second = limits->early_resets_out_per_second};
        if (!adit_budget_take(&session->budgets.early_resets_out, rate, session->now_us)) {
            return; /* stays UNACKED: the ACK, or its deadline, lets the RST go */
        }
        stream->state |= ADIT_STREAM_EARLY_PAID;
    } else {
        adit_stream_enlist(session, stream, ADIT_SESSION_LIST_OPEN);
    }
    adit_stream_enlist(session, stream, ADIT_SESSION_LIST_RESETS);
}

void adit_session_tombstone_drop(struct adit_session *session, struct adit_stream *stream)
{
    if (!adit_stream_is(stream, ADIT_STREAM_FIN_RECEIVED)) {
        session->orphan_credit = adit_min_u64(session->orphan_credit + stream->credit,
                                              ADIT_SESSION_ORPHAN_CREDIT_MAX);
    }
    adit_stream_remove(session, stream);
}

void adit_stream_bury(struct adit_session *session, struct adit_stream *stream)
{
    adit_stream_delist(session, stream, ADIT_STREAM_LINK_CONTROL);
    settle(session, stream);
    stream->state |= ADIT_STREAM_TOMBSTONE;
    session->tombstones++;
    session->mux->tombstones++;
    stream->time_us = session->now_us;
    adit_stream_enlist(session, stream, ADIT_SESSION_LIST_TOMBSTONES);
    if (adit_stream_is(stream, ADIT_STREAM_FIN_RECEIVED)) {
        adit_stream_remove(session, stream); /* no bytes can follow */
    } else if (session->tombstones > ADIT_SESSION_TOMBSTONES_MAX ||
               session->mux->tombstones > session->mux->tombstones_max) {
        adit_session_tombstone_drop(session,
                                    adit_session_first(session, ADIT_SESSION_LIST_TOMBSTONES));
    }
}

void adit_stream_touch(struct adit_session *session, struct adit_stream *stream)
{
    if (adit_stream_is(stream, ADIT_STREAM_UNACKED) &&
        !adit_stream_is(stream, ADIT_STREAM_PEER_OPENED)) {
        return; /* its age counts from the open */
    }
    bool is_half_closed =
        adit_stream_is(stream, ADIT_STREAM_FIN_RECEIVED | ADIT_STREAM_FIN_SENT) &&
        !adit_stream_is_finished(stream);
    if (is_half_closed) {
        stream->time_us = session->now_us;
        adit_stream_enlist(session, stream, ADIT_SESSION_LIST_HALF_CLOSED);
    } else if (ADIT_AT(stream->listed, ADIT_STREAM_LINK_AGE) != ADIT_SESSION_LIST_OPEN) {
        adit_stream_enlist(session, stream, ADIT_SESSION_LIST_OPEN);
    }
}

void adit_stream_finish(struct adit_session *session, struct adit_stream *stream, uint32_t bit)
{
    stream->state |= bit;
    adit_stream_touch(session, stream);
    if (adit_stream_is_finished(stream)) {
        uncount(session, stream);
    }
}

static struct adit_status check_open(const struct adit_session *session)
{
    ADIT_ENSURE(!session->has_said_goaway && !session->has_heard_goaway && !session->failure.fault,
                CLOSED, "the session opens no more streams");
    ADIT_ENSURE(session->id_next <= ADIT_SESSION_ID_MAX, CLOSED,
                "the session has used up its stream ids");
    return check_room(session, false);
}

bool adit_session_can_open(const struct adit_session *session)
{
    return adit_is_ok(check_open(session));
}

struct adit_status adit_session_open(struct adit_session *session, uint64_t user, uint64_t now_us,
                                     struct adit_handle *out_stream)
{
    session->now_us = adit_max_u64(session->now_us, now_us);
    ADIT_TRY(check_open(session));
    struct adit_stream *stream = NULL;
    ADIT_TRY(adit_stream_create(session,
                                ADIT_STREAM_ACCEPTED | ADIT_STREAM_SYN_PENDING | ADIT_STREAM_READY,
                                &stream));
    stream->user = user;
    adit_stream_schedule(session, stream);
    *out_stream = stream->handle;
    return adit_ok();
}

struct adit_status adit_session_accept(struct adit_session *session, struct adit_handle handle,
                                       uint64_t user)
{
    struct adit_stream *stream = adit_session_stream(session, handle);
    ADIT_ENSURE(stream, STALE, "the stream is gone");
    ADIT_ENSURE(!adit_stream_is(stream, ADIT_STREAM_ACCEPTED), INVALID, "accepted twice");
    stream->user = user;
    stream->state |= ADIT_STREAM_ACCEPTED | ADIT_STREAM_ACK_PENDING;
    adit_stream_enlist(session, stream, ADIT_SESSION_LIST_CONTROL);
    return adit_ok();
}

bool adit_session_user(const struct adit_session *session, struct adit_handle handle,
                       uint64_t *out_user)
{
    const struct adit_stream *stream = adit_session_stream(session, handle);
    if (!stream) {
        return false;
    }
    *out_user = stream->user;
    return true;
}

void adit_session_consumed(struct adit_session *session, struct adit_handle handle, size_t count,
                           uint64_t now_us)
{
    session->now_us = adit_max_u64(session->now_us, now_us);
    struct adit_stream *stream = adit_session_stream(session, handle);
    if (stream) {
        uint32_t handed = adit_stream_handed(session, stream);
        adit_stream_consumed(session, stream, (uint32_t)adit_min_size(count, handed));
    }
}

void adit_session_release(struct adit_session *session, struct adit_handle handle, uint64_t now_us)
{
    session->now_us = adit_max_u64(session->now_us, now_us);
    struct adit_stream *stream = adit_session_stream(session, handle);
    if (stream) {
        adit_stream_kill(session, stream);
    }
}
