#include "mux/stream.h"

/* A window is worth growing as long as its reader drains most of it in a round trip. Below this
 * the road is not what limits: the hosts' own delays are of that size. And a small request of the
 * same session waits for what is in the window of a bulk transfer. */
#define ROUND_TRIP_MIN_US (ADIT_MS_US / 2)
/* Where nobody told us the round trip. */
#define ROUND_TRIP_GUESS_US (50 * ADIT_MS_US)
/* From here on an update is sent at a quarter of the window, not at 3/8, and a window grows sooner:
 * the peer must hear of credit while there is still some on the road. */
#define ROUND_TRIP_LONG_US (5 * ADIT_MS_US)
/* What a stream may use of its window on a short road while small streams pass beside it, which
 * stand behind what is in the kernel's buffers: what a road of 1 GiB/s holds, within bounds. Where
 * there are none a large window pays: one end goes on while the other has no core. */
#define WINDOW_MIXED_MIN (96 * 1024u)
#define WINDOW_MIXED_MAX (512 * 1024u)
#define MIXED_BYTES_PER_US 1024u
/* So long bulk waits for the answer to something small, of no more than so many bytes; then not for
 * a pause, which doubles where no answer came in time. */
#define ANSWER_US 60
#define ANSWER_ASKED_BYTES 2048
#define ANSWER_PAUSE_MIN_US (8 * ANSWER_US)
#define ANSWER_PAUSE_MAX_US (128 * ANSWER_US)
#define UPDATE_BYTES_MAX (256 * 1024u)

uint32_t adit_stream_handed(const struct adit_session *session, const struct adit_stream *stream)
{
    bool is_arriving = adit_handle_equal(session->frame.stream, stream->handle);
    return stream->pending - (is_arriving ? session->frame.payload_left : 0);
}

static bool is_long(const struct adit_session *session)
{
    return session->rtt_us == 0 || session->rtt_us >= ROUND_TRIP_LONG_US;
}

bool adit_session_is_mixed(const struct adit_session *session)
{
    uint64_t older_us = adit_min_u64(session->small_us, session->bulk_us);
    return older_us > 0 && session->now_us - older_us < ADIT_SESSION_MIXED_US;
}

/* Of the window, what may be used now. */
static uint32_t usable(const struct adit_session *session, const struct adit_stream *stream)
{
    if (!adit_session_is_mixed(session) || is_long(session)) {
        return stream->window;
    }
    uint64_t road = adit_max_u64(session->rtt_us * MIXED_BYTES_PER_US, WINDOW_MIXED_MIN);
    return (uint32_t)adit_min_u64(stream->window, adit_min_u64(road, WINDOW_MIXED_MAX));
}

/* What could be granted now: credit + pending <= window always. */
static uint32_t grantable(const struct adit_session *session, const struct adit_stream *stream)
{
    uint64_t used = (uint64_t)stream->credit + stream->pending;
    return (uint32_t)adit_subtract_floor_u64(usable(session, stream), used);
}

uint32_t adit_stream_grant(const struct adit_session *session, struct adit_stream *stream)
{
    if (adit_stream_is(stream, ADIT_STREAM_FIN_RECEIVED | ADIT_STREAM_DEAD)) {
        return 0;
    }
    uint32_t delta = grantable(session, stream);
    stream->credit += delta;
    return delta;
}

static void resize(struct adit_session *session, struct adit_stream *stream, uint32_t window)
{
    uint64_t before = stream->window - session->mux->limits.window_start;
    uint64_t after = window - session->mux->limits.window_start;
    session->counters.growth_granted += after - before; /* may wrap on the way, not in the sum */
    session->mux->growth_used += after - before;
    stream->window = window;
}

void adit_stream_growth_return(struct adit_session *session, struct adit_stream *stream)
{
    resize(session, stream, session->mux->limits.window_start);
}

static bool is_nearly_used(uint64_t used, uint64_t max)
{
    return used > max - max / 8;
}

/* Short of budget, a stream with more than twice its even share gives up what it can: it is
 * granted nothing until its window has halved. */
static void relieve(struct adit_session *session, struct adit_stream *stream)
{
    struct adit_mux *mux = session->mux;
    uint64_t share = UINT64_MAX;
    if (is_nearly_used(mux->growth_used, mux->growth_max)) {
        share = mux->growth_used / (mux->streams.used - mux->tombstones);
    }
    uint64_t granted = session->counters.growth_granted;
    if (is_nearly_used(granted, mux->limits.session_growth_max)) {
        share = adit_min_u64(share, granted / session->counters.streams_open);
    }
    uint32_t start = mux->limits.window_start;
    if ((stream->window - start) / 2 > share) {
        uint64_t least = adit_max_u64((uint64_t)stream->credit + stream->pending, start);
        uint64_t half = start + (stream->window - start) / 2;
        resize(session, stream, (uint32_t)adit_max_u64(least, half));
    }
}

static void grow(struct adit_session *session, struct adit_stream *stream, uint32_t factor)
{
    const struct adit_mux *mux = session->mux;
    uint64_t want = adit_min_u64((uint64_t)stream->window * factor, mux->limits.window_max);
    uint64_t delta = want - stream->window;
    delta = adit_min_u64(delta, adit_subtract_floor_u64(mux->growth_max, mux->growth_used));
    delta = adit_min_u64(delta, adit_subtract_floor_u64(mux->limits.session_growth_max,
                                                        session->counters.growth_granted));
    resize(session, stream, stream->window + (uint32_t)delta);
}

static uint64_t round_trip_us(const struct adit_session *session)
{
    return adit_max_u64(session->rtt_us > 0 ? session->rtt_us : ROUND_TRIP_GUESS_US,
                        ROUND_TRIP_MIN_US);
}

bool adit_session_awaits_answer(const struct adit_session *session)
{
    return session->now_us < session->answer_us;
}

/* The server opens streams for visitors, who ask; what a client hears is to be answered. */
static void await_answer(struct adit_session *session)
{
    if (session->role != ADIT_SESSION_CLIENT || session->now_us < session->answer_next_us ||
        !adit_session_is_mixed(session) || is_long(session)) {
        return;
    }
    uint64_t pause_us = session->answer_us > 0 ? 2 * session->answer_pause_us : 0; /* it was late */
    pause_us = adit_min_u64(adit_max_u64(pause_us, ANSWER_PAUSE_MIN_US), ANSWER_PAUSE_MAX_US);
    session->answer_pause_us = (uint32_t)pause_us;
    session->answer_us = session->now_us + ANSWER_US;
    session->answer_next_us = session->now_us + pause_us;
}

void adit_stream_arrived(struct adit_session *session, struct adit_stream *stream, uint32_t count)
{
    if (stream->epoch_us == 0 || session->now_us - stream->epoch_us > round_trip_us(session)) {
        stream->epoch_us = session->now_us;
        stream->epoch_bytes = 0;
    }
    stream->epoch_bytes += count; /* within a round trip: no more than a few windows */
    if (count >= session->mux->limits.quantum) {
        adit_session_bulk_passed(session, stream);
    } else if (count <= ANSWER_ASKED_BYTES && !adit_stream_is(stream, ADIT_STREAM_CARRIED)) {
        await_answer(session);
    }
}

void adit_session_small_passed(struct adit_session *session, struct adit_stream *stream)
{
    if (!adit_stream_is(stream, ADIT_STREAM_CARRIED)) {
        session->small_us = session->now_us;
        session->small = stream->handle;
    }
    if (adit_session_awaits_answer(session)) {
        session->answer_us = 0;
    }
    stream->state &= ~ADIT_STREAM_CARRIED;
}

void adit_session_bulk_passed(struct adit_session *session, struct adit_stream *stream)
{
    session->bulk_us = session->now_us;
    stream->state |= ADIT_STREAM_CARRIED;
    if (adit_handle_equal(session->small, stream->handle)) {
        session->small_us = 0;
    }
}

/* More than 5/8 of the window W came within one round trip, and the reader has drained it: W is
 * less than 1.6 times what the road holds (its bandwidth-delay product), so it doubles; where that
 * took no more than a quarter of the round trip, W is less than 0.4 times that, and grows fourfold.
 * It ends between 1.6 and 3.2 times. On a long road 3/8 are enough, and it ends between 2.7 and 5.3
 * times: a sender in slow start sends twice as much in the next round trip, and the credit for that
 * must be on its way now. Bytes are counted as they arrive, so a reader that stops for a while and
 * then drains what had piled up proves nothing. */
static void grow_where_drained(struct adit_session *session, struct adit_stream *stream)
{
    uint64_t elapsed = session->now_us - stream->epoch_us;
    uint64_t rtt = round_trip_us(session);
    uint64_t worth = (uint64_t)stream->window * (is_long(session) ? 3 : 5) / 8;
    if (stream->epoch_us == 0 || elapsed > rtt || stream->epoch_bytes < worth ||
        adit_stream_handed(session, stream) > stream->window / 4) {
        return;
    }
    stream->epoch_us = 0;
    grow(session, stream, elapsed <= rtt / 4 ? 4 : 2);
}

/* The credit that is worth an update: a share of the window, and never more than a fixed size, so
 * that a large window's credit comes back in a steady flow. On a short road less than a turn of 128
 * KiB takes of the first window, so that each turn's credit is back before the next: half of it is
 * twelve bytes more. */
static uint32_t update_worth(const struct adit_session *session, const struct adit_stream *stream)
{
    uint64_t window = usable(session, stream);
    bool is_starving = stream->credit < window / 4;
    uint64_t share = window * (is_long(session) || is_starving ? 2 : 3) / 8;
    return (uint32_t)adit_max_u64(adit_min_u64(share, UPDATE_BYTES_MAX), 1);
}

void adit_stream_consumed(struct adit_session *session, struct adit_stream *stream,
                          uint32_t count)
{
    if (count == 0) {
        return;
    }
    stream->pending -= count;
    session->counters.received_pending -= count;
    adit_stream_touch(session, stream);
    if (adit_stream_is(stream, ADIT_STREAM_FIN_RECEIVED)) {
        return; /* the peer needs no more credit */
    }
    grow_where_drained(session, stream);
    if (adit_stream_is(stream, ADIT_STREAM_UPDATE_PENDING) ||
        grantable(session, stream) < update_worth(session, stream)) {
        return;
    }
    relieve(session, stream);
    if (grantable(session, stream) >= update_worth(session, stream)) {
        stream->state |= ADIT_STREAM_UPDATE_PENDING;
        adit_stream_enlist(session, stream, ADIT_SESSION_LIST_CONTROL);
    }
}
