#include "mux/stream.h"

/* A rest of a turn or of a buffer below this is not worth a frame; one of the credit is not while
 * others have more. */
#define FRAME_WORTH_BYTES 512
/* A frame below this is a small stream's, however much that has sent before. */
#define FRAME_SMALL_BYTES 2048
/* So many turns in a row go to fresh streams while old ones wait; then an old one has its turn. */
#define FRESH_TURNS_MAX 4
/* A stream that let so many bytes of others pass since its last turn is fresh for one quantum. */
#define REST_QUANTA 8

static enum adit_session_list list_of(const struct adit_stream *stream)
{
    if (stream->fresh_left > 0) {
        return ADIT_SESSION_LIST_FRESH;
    }
    return stream->send_window < FRAME_WORTH_BYTES ? ADIT_SESSION_LIST_RESTS
                                                   : ADIT_SESSION_LIST_OLD;
}

void adit_stream_schedule(struct adit_session *session, struct adit_stream *stream)
{
    uint8_t listed = ADIT_AT(stream->listed, ADIT_STREAM_LINK_TURN);
    if (!adit_stream_is(stream, ADIT_STREAM_READY) || stream->send_window == 0 ||
        (listed != ADIT_STREAM_NO_LIST && listed != ADIT_SESSION_LIST_RESTS)) {
        return;
    }
    stream->deficit = 0;
    adit_stream_enlist(session, stream, list_of(stream));
}

/* A stream that had nothing to send for a while is fresh again, unless what it sent then was bulk.
 * One that only waited for credit has not rested. */
static void refresh(const struct adit_session *session, struct adit_stream *stream)
{
    uint32_t quantum = session->mux->limits.quantum;
    uint32_t passed = (uint32_t)session->counters.data_out_total - stream->served_at;
    if (stream->fresh_left < quantum && passed / quantum >= REST_QUANTA &&
        !adit_stream_is(stream, ADIT_STREAM_BULK)) {
        stream->fresh_left = quantum;
    }
    stream->state &= ~ADIT_STREAM_BULK;
}

void adit_session_ready(struct adit_session *session, struct adit_handle handle)
{
    struct adit_stream *stream = adit_session_stream(session, handle);
    if (!stream || !adit_stream_is(stream, ADIT_STREAM_ACCEPTED) ||
        adit_stream_is(stream, ADIT_STREAM_READY | ADIT_STREAM_FIN_SENT)) {
        return;
    }
    stream->state |= ADIT_STREAM_READY;
    refresh(session, stream);
    adit_stream_schedule(session, stream);
}

static struct adit_stream *choose(const struct adit_session *session)
{
    struct adit_stream *fresh = adit_session_first(session, ADIT_SESSION_LIST_FRESH);
    struct adit_stream *old = adit_session_first(session, ADIT_SESSION_LIST_OLD);
    if (fresh && old) {
        return session->fresh_turns < FRESH_TURNS_MAX ? fresh : old;
    }
    if (!fresh && !old) {
        return adit_session_first(session, ADIT_SESSION_LIST_RESTS);
    }
    return fresh ? fresh : old;
}

/* One stream is ready, and no more: it delays nobody. */
static bool is_alone(const struct adit_session *session)
{
    const struct adit_stream_list *fresh = &ADIT_AT(session->lists, ADIT_SESSION_LIST_FRESH);
    const struct adit_stream_list *old = &ADIT_AT(session->lists, ADIT_SESSION_LIST_OLD);
    return fresh->head == fresh->tail && old->head == old->tail && !(fresh->head && old->head);
}

/* Bytes of a turn: few while a fresh stream waits, not many where one may come at any time, else
 * what the road takes in a moment. */
static uint32_t turn_bytes(const struct adit_session *session)
{
    const struct adit_mux_limits *limits = &session->mux->limits;
    uint32_t least = limits->quantum;
    if (is_alone(session)) {
        least = limits->quantum_alone;
    } else if (adit_session_first(session, ADIT_SESSION_LIST_FRESH)) {
        return limits->quantum;
    }
    uint32_t most = session->turn_bytes;
    if (most > limits->quantum_alone && adit_session_is_mixed(session)) {
        most = limits->quantum_alone;
    }
    return most > least ? most : least;
}

/* Beside small streams windows are of few turns, and the credit for one comes at a time: what a
 * header leaves of it would be a frame, a read and a send of its own each time. */
static bool takes_rest_along(const struct adit_session *session, const struct adit_stream *stream)
{
    uint32_t rest = stream->send_window - stream->deficit;
    return stream->send_window > stream->deficit && rest < FRAME_WORTH_BYTES &&
           adit_session_is_mixed(session);
}

bool adit_session_next(struct adit_session *session, size_t room,
                       struct adit_session_turn *out_turn)
{
    struct adit_stream *stream = choose(session);
    if (!stream || room <= ADIT_YAMUX_HEADER_BYTES || session->failure.fault) {
        return false;
    }
    uint32_t quantum = turn_bytes(session);
    if (stream->deficit == 0 || stream->deficit > quantum) { /* more: another one waits now */
        stream->deficit = quantum;
    }
    if (takes_rest_along(session, stream)) {
        stream->deficit = stream->send_window;
    }
    size_t allowed = adit_min_size(stream->deficit, stream->send_window);
    size_t payload_room = room - ADIT_YAMUX_HEADER_BYTES;
    if (payload_room < adit_min_size(allowed, FRAME_WORTH_BYTES)) {
        return false;
    }
    *out_turn = (struct adit_session_turn){
        .stream = stream->handle,
        .user = stream->user,
        .bytes_max = adit_min_size(allowed, payload_room),
        .is_fresh = ADIT_AT(stream->listed, ADIT_STREAM_LINK_TURN) == ADIT_SESSION_LIST_FRESH,
    };
    return true;
}

/* Its turn is over: to the end of the queue it belongs to now, or out of both. */
static void rotate(struct adit_session *session, struct adit_stream *stream)
{
    stream->served_at = (uint32_t)session->counters.data_out_total;
    adit_stream_delist(session, stream, ADIT_STREAM_LINK_TURN);
    adit_stream_schedule(session, stream);
}

/* The flags of the next frame of the stream, which it owes no more after this. */
static uint16_t take_flags(struct adit_session *session, struct adit_stream *stream)
{
    uint16_t flags = 0;
    if (adit_stream_is(stream, ADIT_STREAM_SYN_PENDING)) {
        flags |= ADIT_YAMUX_SYN;
        stream->state &= ~ADIT_STREAM_SYN_PENDING;
    }
    if (adit_stream_is(stream, ADIT_STREAM_ACK_PENDING)) {
        flags |= ADIT_YAMUX_ACK;
        adit_stream_acknowledged(session, stream);
    }
    return flags;
}

static struct adit_status check_sent(const struct adit_stream *stream, size_t header_len,
                                     size_t count, bool is_last)
{
    ADIT_ENSURE(stream, STALE, "the stream is gone");
    ADIT_ENSURE(adit_stream_is(stream, ADIT_STREAM_READY), INVALID, "it was not its turn");
    ADIT_ENSURE(header_len == ADIT_YAMUX_HEADER_BYTES, INVALID, "the hole has not a header's size");
    ADIT_ENSURE(count <= stream->deficit && count <= stream->send_window, INVALID,
                "more bytes than the turn allowed");
    ADIT_ENSURE(count > 0 || is_last || adit_stream_is(stream, ADIT_STREAM_SYN_PENDING), INVALID,
                "a frame that says nothing; answer idle");
    return adit_ok();
}

struct adit_status adit_session_sent(struct adit_session *session, struct adit_handle handle,
                                     struct adit_span header, size_t count, bool is_last)
{
    struct adit_stream *stream = adit_session_stream(session, handle);
    ADIT_TRY(check_sent(stream, header.len, count, is_last));
    bool is_opening = adit_stream_is(stream, ADIT_STREAM_SYN_PENDING);
    if (is_opening) {
        stream->id = session->id_next; /* only now, so that ids are on the wire in order */
        session->id_next += 2;
        adit_session_learn(session, stream);
    }
    uint32_t allowed = (uint32_t)adit_min_size(stream->deficit, stream->send_window);
    struct adit_yamux_frame frame = {.type = ADIT_YAMUX_DATA,
                                     .flags = take_flags(session, stream),
                                     .stream = stream->id,
                                     .length = (uint32_t)count};
    frame.flags |= is_last ? ADIT_YAMUX_FIN : 0;
    struct adit_writer writer = adit_writer_of(header);
    ADIT_TRY(adit_yamux_write(&writer, &frame)); /* cannot fail: the hole's size was checked */
    session->counters.frames_out_total++;
    session->counters.data_out_total += count;
    if (frame.length >= session->mux->limits.quantum) {
        stream->state |= ADIT_STREAM_BULK;
        adit_session_bulk_passed(session, stream);
    } else if (stream->fresh_left > 0 || count < FRAME_SMALL_BYTES) {
        adit_session_small_passed(session, stream);
    }
    stream->send_window -= frame.length;
    stream->deficit -= frame.length;
    stream->fresh_left -= (uint32_t)adit_min_size(stream->fresh_left, count);
    if (is_last) {
        stream->state &= ~ADIT_STREAM_READY;
        adit_stream_finish(session, stream, ADIT_STREAM_FIN_SENT);
    } else {
        adit_stream_touch(session, stream);
    }
    if (is_last || frame.length < allowed || stream->deficit < FRAME_WORTH_BYTES ||
        stream->send_window == 0) {
        bool was_fresh = ADIT_AT(stream->listed, ADIT_STREAM_LINK_TURN) == ADIT_SESSION_LIST_FRESH;
        bool old_waits = adit_session_first(session, ADIT_SESSION_LIST_OLD) != NULL;
        session->fresh_turns = was_fresh && old_waits ? session->fresh_turns + 1 : 0;
        rotate(session, stream);
    }
    return adit_ok();
}

void adit_session_idle(struct adit_session *session, struct adit_handle handle)
{
    struct adit_stream *stream = adit_session_stream(session, handle);
    if (!stream || !adit_stream_is(stream, ADIT_STREAM_READY)) {
        return;
    }
    if (!adit_stream_is(stream, ADIT_STREAM_SYN_PENDING)) {
        stream->state &= ~ADIT_STREAM_READY;
    }
    rotate(session, stream);
}
