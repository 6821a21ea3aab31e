/* Mux: many streams over one connection, as yamux version 0. A pure state machine.
 *
 * Bytes, time, round-trip times and randomness come in as arguments; bytes and events come out.
 * No input or output, no clock, no writable globals; memory comes only from the pools of a
 * `struct adit_mux`, which are of fixed capacity and made at init.
 *
 * Data is never copied here. Inwards, `adit_session_receive` hands out views of the caller's own
 * bytes. Outwards, `adit_session_next` says whose turn it is and how much it may send; the caller
 * reads the source (a socket) straight into its buffer behind a 12-byte hole, and
 * `adit_session_sent` fills the hole with the frame's header.
 *
 * The peer is hostile: a frame that breaks a rule makes `receive` fail, a GOAWAY with its code is
 * queued, and the caller flushes and closes. A peer can never make an assertion fail or make
 * anything here grow past its limit.
 *
 * Source: hashicorp/yamux spec.md; the verdicts are listed in docs/protocol.md.
 * Process: worker and agent, one thread. */
#ifndef ADIT_MUX_MUX_H
#define ADIT_MUX_MUX_H

#include "base/base.h"
#include "wire/yamux.h"

/* --- Limits ---------------------------------------------------------------------------------- */

struct adit_mux_limits {
    uint32_t streams_max;        /* open streams a session, for each side that opens: 1,024 */
    uint32_t unacked_max;        /* opened by us, not yet acknowledged, and the reverse: 256 */
    uint32_t window_start;       /* bytes, both directions; fixed by yamux: 256 KiB */
    uint32_t window_max;         /* bytes a stream's receive window may grow to: 32 MiB */
    uint64_t session_growth_max; /* bytes granted beyond window_start, all streams: 64 MiB */
    uint32_t frame_max;          /* payload bytes we accept in one Data frame: 1 MiB */
    uint32_t quantum;            /* bytes a stream may send in one turn: 16 KiB less a header */
    uint32_t quantum_alone;      /* the same where no other stream is ready: 64 KiB less a header;
                                  * 0: quantum. The most beside small streams */
    uint32_t quantum_max;        /* the same on a fast road, while no fresh stream waits: 256 KiB
                                  * less a header; 0: quantum_alone */
    uint32_t control_max;        /* control frames queued out before we stop reading: 64 */
    uint32_t ping_burst, pings_per_second;     /* pings answered: 16, then 4/s; beyond: glitches */
    uint32_t reset_burst, resets_per_second;   /* all resets received: 1,024, then 33/s */
    uint32_t early_reset_burst, early_resets_per_second; /* RST before our ACK: 256, then 33/s */
    uint32_t resets_out_burst, resets_out_per_second; /* RSTs we send; further ones wait. 0: a
                                  * quarter of reset_burst, and resets_per_second */
    uint32_t early_resets_out_burst, early_resets_out_per_second; /* the same before the peer's
                                  * ACK: the rest wait for the ACK. 0: quarters of the early ones */
    uint32_t glitch_burst, glitches_per_second;/* odd but harmless frames: 256, then 16/s */
    uint64_t keepalive_idle_us;  /* ping after so long without a byte received: 10 s */
    uint64_t keepalive_dead_us;  /* dead after so long without one: 20 s */
    uint64_t header_stall_us;    /* a header begun and not finished: 30 s */
    uint64_t half_closed_idle_us;/* a half-closed stream without a byte: 5 min */
    uint64_t ack_deadline_us;    /* an opened stream that is never acknowledged: 10 s */
};

struct adit_mux_limits adit_mux_limits_default(void);

enum adit_session_role { ADIT_SESSION_CLIENT, ADIT_SESSION_SERVER }; /* client: odd stream ids */

/* The limits of an agent (client) and of a server that know each other to be of our kind. An agent
 * takes far more resets than the default, and its server sends them as fast: visitors who leave
 * early are many, and each one's stream counts as open until its RST is out. */
struct adit_mux_limits adit_mux_limits_of(enum adit_session_role role);

/* --- What all sessions of a process share ---------------------------------------------------- */

#define ADIT_MUX_FOUND 256 /* a power of two */

struct adit_mux {
    struct adit_mux_limits limits;
    struct adit_pool streams; /* struct adit_stream (private to src/mux) */
    struct adit_index ids;    /* of streams, by session number and stream id */
    struct adit_siphash_key seed; /* of their hashes */
    struct adit_stream *found[ADIT_MUX_FOUND]; /* a moment ago, each by its id; or null */
    uint64_t growth_max;      /* bytes of window growth that all sessions may grant together */
    uint64_t growth_used;
    uint32_t streams_max;     /* living streams of all sessions */
    uint32_t tombstones;      /* dead streams in the pool, which swallow late bytes */
    uint32_t tombstones_max;
    uint32_t session_next;    /* number of the next session */
};

struct adit_mux_options {
    struct adit_mux_limits limits;
    uint32_t streams_max;         /* of all sessions together */
    uint64_t growth_max;          /* bytes; the process's memory budget for windows */
    struct adit_siphash_key seed; /* random */
};

struct adit_status adit_mux_init(struct adit_mux *mux, const struct adit_mux_options *options);
void adit_mux_deinit(struct adit_mux *mux);

/* --- A session ------------------------------------------------------------------------------- */

/* Shallow public counters, for metrics and tests; all zero again when every stream is gone,
 * except the totals. */
struct adit_session_counters {
    uint32_t streams_open;
    uint32_t unacked_out;    /* opened by us, no ACK yet */
    uint32_t unacked_in;     /* opened by the peer, our ACK not yet pulled */
    uint32_t control_queued; /* frames in the ring, a ping and a GOAWAY: control_max + 2 at most */
    uint32_t refusals_queued; /* RSTs for streams that the peer opened and we refused */
    uint64_t growth_granted; /* bytes of window beyond the start, now */
    uint64_t received_pending; /* bytes handed out as Data and not yet reported consumed */
    uint64_t frames_in_total, frames_out_total;
    uint64_t data_in_total, data_out_total; /* payload bytes */
    uint64_t glitches_total, resets_in_total, resets_out_total;
};

/* The mux helper lays the private part out; users touch only the functions and `counters`. */
#include "mux/session_private.h"

/* Begins a session. The mux must outlive it. `seed` is random, for ping nonces. */
struct adit_status adit_session_init(struct adit_session *session, struct adit_mux *mux,
                                     enum adit_session_role role, uint64_t seed, uint64_t now_us);

/* Gives everything back; handles of its streams are stale from here on. */
void adit_session_deinit(struct adit_session *session);

/* --- Input ----------------------------------------------------------------------------------- */

enum adit_session_event_kind {
    ADIT_SESSION_MORE,     /* all input was used; no event */
    ADIT_SESSION_OPENED,   /* the peer opened `stream`: accept it or release it */
    ADIT_SESSION_ACKED,    /* the peer acknowledged `stream` */
    ADIT_SESSION_DATA,     /* `data`, a view into the input, for `stream` */
    ADIT_SESSION_FINISHED, /* the peer will send no more on `stream` */
    ADIT_SESSION_RESET,    /* the peer reset `stream`; the handle is stale */
    ADIT_SESSION_GOAWAY,   /* the peer accepts no more streams; `code`. Where that is 0, those that
                            * live go on; else all ends, and the next receive says CLOSED */
};

struct adit_session_event {
    enum adit_session_event_kind kind;
    struct adit_handle stream;
    uint64_t user; /* what adit_session_user_set left, for `stream` */
    struct adit_bytes data;
    uint32_t code;
};

/* Takes bytes from the peer until the first event, or all of them. Call again with the rest until
 * the event is MORE *and* nothing is left (one frame may give several events: call with an empty
 * rest too while the event is not MORE). A failure is final: INVALID or LIMIT for what the peer
 * did; flush with pull, then close. Frames for streams that we released are swallowed here. */
struct adit_status adit_session_receive(struct adit_session *session, struct adit_bytes *input,
                                        uint64_t now_us, struct adit_session_event *out_event);

/* True while so many control frames wait that the caller must flush before it receives more. */
bool adit_session_is_congested(const struct adit_session *session);

/* --- Streams --------------------------------------------------------------------------------- */

/* Opens a stream. It is ready at once: its first frame carries the SYN, with the first bytes of
 * the source (no round trip is spent). FULL at unacked_max or streams_max (or where the early
 * reset budget of the peer would be passed): try later. CLOSED after a GOAWAY either way. */
struct adit_status adit_session_open(struct adit_session *session, uint64_t user, uint64_t now_us,
                                     struct adit_handle *out_stream);

/* True where open would not fail. */
bool adit_session_can_open(const struct adit_session *session);

/* Accepts a stream that the peer opened: queues the ACK. */
struct adit_status adit_session_accept(struct adit_session *session, struct adit_handle stream,
                                       uint64_t user);

/* False where the handle is stale. */
bool adit_session_user(const struct adit_session *session, struct adit_handle stream,
                       uint64_t *out_user);

/* The source of `stream` has bytes, or its end: give it turns. Idempotent; STALE is harmless. */
void adit_session_ready(struct adit_session *session, struct adit_handle stream);

/* `count` of the bytes handed out as Data for `stream` have left to their reader: credit returns
 * to the peer (as an update once it is worth one). */
void adit_session_consumed(struct adit_session *session, struct adit_handle stream, size_t count,
                           uint64_t now_us);

/* The caller is done with the stream. Where both sides have finished it ends; otherwise
 * it is reset (RST goes out, late bytes are swallowed within their old credit). The handle is
 * stale afterwards. */
void adit_session_release(struct adit_session *session, struct adit_handle stream, uint64_t now_us);

/* --- Output ---------------------------------------------------------------------------------- */

/* Writes queued control frames, as many whole ones as fit. Call before `next`. */
void adit_session_pull(struct adit_session *session, struct adit_writer *writer, uint64_t now_us);

/* True where pull or next would give something now. */
bool adit_session_wants_output(const struct adit_session *session);

struct adit_session_turn {
    struct adit_handle stream;
    uint64_t user;
    size_t bytes_max; /* at least 1: window, quantum and room allow so many payload bytes */
    bool is_fresh;    /* it goes first: it is new or has sent little */
};

/* Whose turn it is, given `room` bytes of buffer for a header and its payload. False where nobody
 * is ready and has credit, or the room is too small to be worth a frame. Deficit round robin;
 * streams that are new or have sent little go first. The caller answers with `sent` or `idle`. */
bool adit_session_next(struct adit_session *session, size_t room,
                       struct adit_session_turn *out_turn);

/* Small streams pass beside bulk: both were seen within ADIT_SESSION_MIXED_US. Less of the bulk may
 * then stand before them; the caller hands on what it has in small pieces, and looks at others
 * between. What is small at the bulk's own stream does not count. */
#define ADIT_SESSION_MIXED_US (20 * ADIT_MS_US)
bool adit_session_is_mixed(const struct adit_session *session);

/* Something small came a moment ago, while bulk passes on a short road: who was asked may
 * answer at once, and would find this end, the other one and a core busy with bulk. Only streams
 * that go first have a turn now. Never for more than a small part of the time. */
bool adit_session_awaits_answer(const struct adit_session *session);

/* `count` bytes (0 to bytes_max) follow the 12-byte `header` hole, which this fills. `is_last`:
 * the source has ended (FIN). The stream stays ready unless is_last. */
struct adit_status adit_session_sent(struct adit_session *session, struct adit_handle stream,
                                     struct adit_span header, size_t count, bool is_last);

/* The source had nothing after all: not ready until adit_session_ready. (A stream whose SYN has
 * not been sent stays ready: answer its first turn with `sent`, 0 bytes if need be.) */
void adit_session_idle(struct adit_session *session, struct adit_handle stream);

/* Says GOAWAY with `code`: no new streams; those that live go on. Queued like any control frame. */
void adit_session_goaway(struct adit_session *session, enum adit_yamux_goaway code);

/* The stream with most bytes handed out and not consumed: the one to reset when memory is short.
 * False where there is none. Looks at every stream, so call it when it matters only. */
bool adit_session_heaviest(const struct adit_session *session, struct adit_handle *out_stream,
                           uint64_t *out_pending);

/* --- Time and measurement -------------------------------------------------------------------- */

/* The smoothed round-trip time of the connection (from TCP_INFO), an input for window growth. */
void adit_session_rtt_set(struct adit_session *session, uint64_t rtt_us);

/* What the road takes, in bytes a second (from TCP_INFO; 0: not known): a bulk stream's turn
 * doubles up to as much as that is in two milliseconds. */
void adit_session_rate_set(struct adit_session *session, uint64_t rate);

/* Asks the peer for a sign of life now, unless one is already awaited. Where none comes, tick
 * gives the session up as after a keep-alive ping. */
void adit_session_ping(struct adit_session *session, uint64_t now_us);

/* When the peer last sent something valid (or the session began). */
uint64_t adit_session_heard_us(const struct adit_session *session);

/* When tick wants to be called next. */
uint64_t adit_session_deadline_us(const struct adit_session *session);

/* Keep-alive pings, stalled headers, half-closed and un-acknowledged streams. TIMEOUT: the
 * session is dead. A stream that ran into its own deadline is reset and named in `out_event`
 * (RESET, with code 1 where it was never acknowledged); call again until MORE. */
struct adit_status adit_session_tick(struct adit_session *session, uint64_t now_us,
                                     struct adit_session_event *out_event);

#endif
