#include "mux/stream.h"

/* A window is worth growing as long as its reader drains most of it in a round trip. Below this
 * the road is not what limits: the hosts' own delays are of that size. */
#define ROUND_TRIP_MIN_US (2 * ADIT_MS_US)
/* Where nobody told us the round trip. */
#define ROUND_TRIP_GUESS_US (50 * ADIT_MS_US)
/* From here on an update is sent at a quarter of the window, not a half: the peer must hear of
 * credit while there is still some on the road. */
#define ROUND_TRIP_LONG_US (5 * ADIT_MS_US)

uint32_t adit_stream_handed(const struct adit_session *session, const struct adit_stream *stream)
{
    bool is_arriving = adit_handle_equal(session->frame.stream, stream->handle);
    return stream->pending - (is_arriving ? session->frame.payload_left : 0);
}

/* What could be granted now: credit + pending <= window always. */
static uint32_t grantable(const struct adit_stream *stream)
{
    return stream->window - stream->credit - stream->pending;
}

uint32_t adit_stream_grant(struct adit_stream *stream)
{
    if (adit_stream_is(stream, ADIT_STREAM_FIN_RECEIVED | ADIT_STREAM_DEAD)) {
        return 0;
    }
    uint32_t delta = grantable(stream);
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
 * granted nothing until its window has halved. True where budgets are short. */
static bool relieve(struct adit_session *session, struct adit_stream *stream)
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
    if (share == UINT64_MAX) {
        return false;
    }
    uint32_t start = mux->limits.window_start;
    if ((stream->window - start) / 2 > share) {
        uint64_t least = adit_max_u64((uint64_t)stream->credit + stream->pending, start);
        uint64_t half = start + (stream->window - start) / 2;
        resize(session, stream, (uint32_t)adit_max_u64(least, half));
    }
    return true;
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

/* The reader took `epoch_bytes` in `elapsed`. A sender that is held back by a window W on a road
 * of bandwidth-delay product B gets W / (1 + W / 4B) through in a round trip when updates come at
 * quarters: near W where W is far too small, 0.75 W at W = 4/3 B, where the road is just full. So
 * growing while 5/8 W comes through ends between 1.6 B and 3.2 B, and 7/8 W says that W is at most
 * about half of B. */
static void measure(struct adit_session *session, struct adit_stream *stream, uint32_t count)
{
    uint64_t now = session->now_us;
    uint64_t rtt = session->rtt_us > 0 ? session->rtt_us : ROUND_TRIP_GUESS_US;
    rtt = adit_max_u64(rtt, ROUND_TRIP_MIN_US);
    if (stream->epoch_us == 0) {
        stream->epoch_us = now;
        stream->epoch_bytes = 0;
    }
    uint64_t bytes = adit_min_u64((uint64_t)stream->epoch_bytes + count, UINT32_MAX);
    stream->epoch_bytes = (uint32_t)bytes;
    uint64_t elapsed = now - stream->epoch_us;
    if (elapsed < rtt) {
        return;
    }
    uint64_t rtt_bytes = bytes * adit_min_u64(rtt, UINT32_MAX) / elapsed;
    stream->epoch_us = now;
    stream->epoch_bytes = 0;
    if (relieve(session, stream)) {
        return;
    }
    uint64_t window = stream->window;
    if (rtt_bytes >= window - window / 8) {
        grow(session, stream, 4);
    } else if (rtt_bytes >= window * 5 / 8) {
        grow(session, stream, 2);
    }
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
    measure(session, stream, count);
    bool is_long = session->rtt_us == 0 || session->rtt_us >= ROUND_TRIP_LONG_US;
    bool is_starving = stream->credit < stream->window / 4;
    uint32_t worth = stream->window / (is_long || is_starving ? 4 : 2);
    if (grantable(stream) >= adit_max_u64(worth, 1) &&
        !adit_stream_is(stream, ADIT_STREAM_UPDATE_PENDING)) {
        stream->state |= ADIT_STREAM_UPDATE_PENDING;
        adit_stream_enlist(session, stream, ADIT_SESSION_LIST_CONTROL);
    }
}
