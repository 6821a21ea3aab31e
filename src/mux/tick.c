#include "mux/budget.h"
#include "mux/stream.h"

static const struct adit_mux_limits *limits_of(const struct adit_session *session)
{
    return &session->mux->limits;
}

/* When the keep-alive has something to do: ask after a silence, give up after a longer one. The
 * end counts from our question, so that a process which slept asks before it judges. */
static uint64_t keepalive_us(const struct adit_session *session)
{
    const struct adit_mux_limits *limits = limits_of(session);
    uint64_t ask_us = session->life_us + limits->keepalive_idle_us;
    if (!session->awaits_life) {
        return ask_us;
    }
    return session->ping_us + (limits->keepalive_dead_us - limits->keepalive_idle_us);
}

static uint64_t earliest(uint64_t deadline_us, const struct adit_stream *stream, uint64_t after_us)
{
    return stream ? adit_min_u64(deadline_us, stream->time_us + after_us) : deadline_us;
}

uint64_t adit_session_deadline_us(const struct adit_session *session)
{
    const struct adit_mux_limits *limits = limits_of(session);
    if (session->failure.fault) {
        return UINT64_MAX;
    }
    uint64_t at = keepalive_us(session);
    if (session->header_len > 0) {
        at = adit_min_u64(at, session->header_us + limits->header_stall_us);
    }
    if (session->resets_pause_us > 0 && adit_session_first(session, ADIT_SESSION_LIST_RESETS)) {
        at = adit_min_u64(at, session->resets_pause_us);
    }
    at = earliest(at, adit_session_first(session, ADIT_SESSION_LIST_UNACKED),
                  limits->ack_deadline_us);
    at = earliest(at, adit_session_first(session, ADIT_SESSION_LIST_HALF_CLOSED),
                  limits->half_closed_idle_us);
    return earliest(at, adit_session_first(session, ADIT_SESSION_LIST_TOMBSTONES),
                    ADIT_SESSION_TOMBSTONE_US);
}

static void ask(struct adit_session *session)
{
    if (!session->has_ping) { /* one that is unanswered keeps its nonce */
        session->has_ping = true;
        session->ping_nonce = session->ping_nonce * 1664525 + 1013904223;
    }
    session->ping_us = session->now_us;
    session->awaits_life = true;
    if (!session->is_ping_pending) {
        session->is_ping_pending = true;
        session->counters.control_queued++;
    }
}

void adit_session_ping(struct adit_session *session, uint64_t now_us)
{
    session->now_us = adit_max_u64(session->now_us, now_us);
    if (!session->awaits_life && !session->failure.fault) {
        ask(session);
    }
}

uint64_t adit_session_heard_us(const struct adit_session *session)
{
    return session->life_us;
}

/* TIMEOUT where the peer is dead or might as well be; else asks where it is time to. */
static struct adit_status check_life(struct adit_session *session)
{
    ADIT_ENSURE(session->header_len == 0 ||
                    session->now_us < session->header_us + limits_of(session)->header_stall_us,
                TIMEOUT, "a header was begun and not finished");
    if (session->now_us < keepalive_us(session)) {
        return adit_ok();
    }
    ADIT_ENSURE(!session->awaits_life, TIMEOUT, "the peer has fallen silent");
    ask(session);
    return adit_ok();
}

/* The first of the list where its time has come, or null. */
static struct adit_stream *overdue(const struct adit_session *session, enum adit_session_list list,
                                   uint64_t after_us)
{
    struct adit_stream *stream = adit_session_first(session, list);
    return stream && session->now_us >= stream->time_us + after_us ? stream : NULL;
}

static struct adit_session_event expire(struct adit_session *session, struct adit_stream *stream,
                                        uint32_t code)
{
    struct adit_session_event event = {.kind = ADIT_SESSION_RESET,
                                       .stream = stream->handle,
                                       .user = stream->user,
                                       .code = code};
    adit_stream_kill(session, stream);
    return event;
}

/* Tells of at most one stream of the user that has run into its deadline. */
static void expire_one(struct adit_session *session, struct adit_session_event *out_event)
{
    const struct adit_mux_limits *limits = limits_of(session);
    struct adit_stream *stream = overdue(session, ADIT_SESSION_LIST_TOMBSTONES,
                                         ADIT_SESSION_TOMBSTONE_US);
    while (stream) { /* at most ADIT_SESSION_TOMBSTONES_MAX */
        adit_session_tombstone_drop(session, stream);
        stream = overdue(session, ADIT_SESSION_LIST_TOMBSTONES, ADIT_SESSION_TOMBSTONE_US);
    }
    stream = overdue(session, ADIT_SESSION_LIST_UNACKED, limits->ack_deadline_us);
    while (stream) { /* at most unacked_max */
        if (!adit_stream_is(stream, ADIT_STREAM_DEAD)) {
            *out_event = expire(session, stream, 1);
            return;
        }
        /* No ACK will let this RST go, so it waits with the others for its share of the rate. */
        adit_stream_enlist(session, stream, ADIT_SESSION_LIST_RESETS);
        adit_stream_enlist(session, stream, ADIT_SESSION_LIST_OPEN);
        stream = overdue(session, ADIT_SESSION_LIST_UNACKED, limits->ack_deadline_us);
    }
    stream = overdue(session, ADIT_SESSION_LIST_HALF_CLOSED, limits->half_closed_idle_us);
    if (stream) {
        *out_event = expire(session, stream, 0);
    }
}

struct adit_status adit_session_tick(struct adit_session *session, uint64_t now_us,
                                     struct adit_session_event *out_event)
{
    session->now_us = adit_max_u64(session->now_us, now_us);
    *out_event = (struct adit_session_event){.kind = ADIT_SESSION_MORE};
    if (session->failure.fault) {
        return session->failure;
    }
    session->failure = check_life(session);
    if (session->failure.fault) {
        return session->failure;
    }
    if (session->resets_pause_us <= session->now_us) {
        session->resets_pause_us = 0;
    }
    expire_one(session, out_event);
    return adit_ok();
}
