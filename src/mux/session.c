#include "mux/budget.h"
#include "mux/stream.h"

#define TURN_US (2 * ADIT_MS_US) /* of a bulk stream, where the road is fast */

struct adit_status adit_session_init(struct adit_session *session, struct adit_mux *mux,
                                     enum adit_session_role role, uint64_t seed, uint64_t now_us)
{
    *session = (struct adit_session){.mux = mux,
                                     .number = mux->session_next,
                                     .role = role,
                                     .now_us = now_us,
                                     .life_us = now_us,
                                     .id_next = role == ADIT_SESSION_CLIENT ? 1 : 2,
                                     .ping_nonce = (uint32_t)(seed ^ seed >> 32)};
    mux->session_next++;
    return adit_ok();
}

void adit_session_deinit(struct adit_session *session)
{
    for (size_t i = ADIT_SESSION_LIST_OPEN; i <= ADIT_SESSION_LIST_TOMBSTONES; i++) {
        while (ADIT_AT(session->lists, i).head) {
            adit_stream_remove(session, ADIT_AT(session->lists, i).head);
        }
    }
    *session = (struct adit_session){0};
}

void adit_session_goaway(struct adit_session *session, enum adit_yamux_goaway code)
{
    bool is_worse = code != ADIT_YAMUX_GOAWAY_NORMAL &&
                    session->goaway_code == ADIT_YAMUX_GOAWAY_NORMAL;
    if (session->has_said_goaway && !is_worse) {
        return; /* said once */
    }
    session->goaway_code = code;
    session->has_said_goaway = true;
    if (!session->is_goaway_pending) {
        session->is_goaway_pending = true;
        session->counters.control_queued++;
    }
}

void adit_session_rtt_set(struct adit_session *session, uint64_t rtt_us)
{
    session->rtt_us = rtt_us;
}

void adit_session_rate_set(struct adit_session *session, uint64_t rate)
{
    const struct adit_mux_limits *limits = &session->mux->limits;
    uint64_t fits = adit_min_u64(rate / (ADIT_SECOND_US / TURN_US), limits->quantum_max);
    uint64_t turn = limits->quantum;
    while (turn * 2 + ADIT_YAMUX_HEADER_BYTES <= fits) { /* whole records again */
        turn = turn * 2 + ADIT_YAMUX_HEADER_BYTES;
    }
    session->turn_bytes = (uint32_t)turn;
}

bool adit_session_heaviest(const struct adit_session *session, struct adit_handle *out_stream,
                           uint64_t *out_pending)
{
    const struct adit_stream *heaviest = NULL;
    uint32_t most = 0;
    for (size_t i = ADIT_SESSION_LIST_OPEN; i <= ADIT_SESSION_LIST_HALF_CLOSED; i++) {
        const struct adit_stream *stream = ADIT_AT(session->lists, i).head;
        while (stream) { /* at most twice streams_max */
            uint32_t handed = adit_stream_handed(session, stream);
            if (!adit_stream_is(stream, ADIT_STREAM_DEAD) && handed > most) {
                heaviest = stream;
                most = handed;
            }
            stream = ADIT_AT(stream->links, ADIT_STREAM_LINK_AGE).next;
        }
    }
    if (!heaviest) {
        return false;
    }
    *out_stream = heaviest->handle;
    *out_pending = most;
    return true;
}
