/* Session, private part: what a session remembers. Users touch only `counters`.
 *
 * Held by value and small (under 2.5 KiB), so that an idle session costs little. Streams are
 * reached through the pool of the mux; the lists below link them by pointers into that pool, which
 * stays mapped as long as the mux lives, and a stream leaves every list before its slot is reused.
 * Process: worker and agent, one thread. */
#ifndef ADIT_MUX_SESSION_PRIVATE_H
#define ADIT_MUX_SESSION_PRIVATE_H

#define ADIT_SESSION_CONTROL_MAX 64   /* room of the control ring; limits.control_max is within */
#define ADIT_SESSION_ID_WINDOW 1024   /* ids below the newest that may still arrive, out of order */
#define ADIT_SESSION_TOMBSTONES_MAX 256
#define ADIT_SESSION_TOMBSTONE_US (10 * ADIT_SECOND_US)
#define ADIT_SESSION_ID_MAX (1u << 30) /* past this a session opens no more streams */
#define ADIT_SESSION_FRESH_BYTES (64 * 1024) /* a stream goes first until it has sent so much */
#define ADIT_SESSION_ORPHAN_CREDIT_MAX (UINT64_C(256) * 1024 * 1024)

struct adit_stream;

struct adit_stream_list {
    struct adit_stream *head;
    struct adit_stream *tail;
};

/* A stream stands in one of the first four, at most one of the next three, and at most one of the
 * last two: three links (see struct adit_stream). */
enum adit_session_list {
    ADIT_SESSION_LIST_OPEN,        /* nothing to wait for */
    ADIT_SESSION_LIST_UNACKED,     /* opened by us, oldest first */
    ADIT_SESSION_LIST_HALF_CLOSED, /* least recently active first */
    ADIT_SESSION_LIST_TOMBSTONES,  /* reset by us, oldest first */
    ADIT_SESSION_LIST_FRESH,       /* ready, has credit, has sent little */
    ADIT_SESSION_LIST_OLD,         /* ready, has credit */
    ADIT_SESSION_LIST_RESTS,       /* ready, has credit that is not worth a frame */
    ADIT_SESSION_LIST_CONTROL,     /* wants to send an ACK or a window update */
    ADIT_SESSION_LIST_RESETS,      /* wants to send its RST */
};
#define ADIT_SESSION_LISTS 9

/* A frame whose header was read: what is still to be told of it. */
struct adit_session_frame {
    struct adit_handle stream; /* whose payload it is; a stale handle means swallow */
    uint32_t payload_left;
    bool is_opened, is_acked, is_finished; /* events to come, in this order around the payload */
};

/* One bucket a budget: the time at which it will be full again (see budget.h). */
struct adit_session_budgets {
    uint64_t glitches, pings, resets, early_resets; /* for what the peer sends */
    uint64_t resets_out, early_resets_out;          /* for what we send */
};

struct adit_session {
    struct adit_session_counters counters;

    struct adit_mux *mux;
    struct adit_status failure; /* set once; receive and tick return it from then on */
    struct adit_stream_list lists[ADIT_SESSION_LISTS];
    struct adit_session_frame frame;
    struct adit_session_budgets budgets;
    uint32_t number; /* unique in the mux */
    enum adit_session_role role;

    uint64_t now_us;  /* the newest time any call was told */
    uint64_t rtt_us;  /* 0: not known */
    uint32_t turn_bytes; /* of a bulk stream on this road; 0: not known */
    uint64_t small_us; /* when a small frame was last sent; 0: it was followed by bulk */
    struct adit_handle small; /* the stream that sent it */
    uint64_t bulk_us;  /* when a frame as large as a turn was last sent or received */
    uint64_t answer_us; /* until when an answer to something small is waited for; 0: it came */
    uint64_t answer_next_us; /* no sooner is one waited for again */
    uint32_t answer_pause_us;
    uint64_t life_us; /* the last time the peer sent something valid */
    uint64_t header_us;       /* when the first byte of an unfinished header came */
    uint64_t ping_us;         /* when the unanswered ping was queued */
    uint64_t resets_pause_us; /* 0, or when the next RST may go out */
    uint64_t orphan_credit;   /* bytes that may still come for streams we no longer remember */

    uint64_t ids_seen[ADIT_SESSION_ID_WINDOW / 64]; /* one bit an id of the peer */
    uint64_t ids_refused[ADIT_SESSION_ID_WINDOW / 64]; /* of these, the ones that are owed an RST */
    uint32_t id_top;    /* the newest id of the peer, halved */
    uint32_t id_next;   /* our next one */
    uint32_t open_in, open_out; /* streams that count against streams_max, by who opened them */
    uint32_t tombstones;
    uint32_t ping_nonce;
    uint32_t fresh_turns; /* turns in a row that fresh streams took while old ones waited */

    uint8_t header[ADIT_YAMUX_HEADER_BYTES]; /* an unfinished header */
    uint8_t header_len;
    bool has_id_top;
    bool has_ping;          /* a ping is unanswered */
    bool awaits_life;       /* and nothing valid has come since it was queued */
    bool is_ping_pending;   /* and still to be pulled */
    bool is_goaway_pending; /* a GOAWAY is still to be pulled */
    bool has_said_goaway;
    bool has_heard_goaway;
    enum adit_yamux_goaway goaway_code;

    uint32_t control_head, control_count;
    struct adit_yamux_frame control[ADIT_SESSION_CONTROL_MAX]; /* pongs; RSTs of unknown ids */
};

#endif
