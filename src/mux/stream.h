/* Stream: what the mux remembers of one stream, and the private functions that its files share.
 *
 * A stream lives in the pool of the mux from open (or the peer's SYN) until both sides have
 * finished and the user has released it. A stream that we reset stays for a while as a tombstone,
 * without a user, to swallow what the peer had already sent.
 * Limits: 128 bytes a stream. Process: worker and agent, one thread. */
#ifndef ADIT_MUX_STREAM_H
#define ADIT_MUX_STREAM_H

#include "mux/mux.h"

enum adit_stream_link_kind {
    ADIT_STREAM_LINK_AGE,     /* lists OPEN to TOMBSTONES */
    ADIT_STREAM_LINK_TURN,    /* FRESH, OLD and RESTS */
    ADIT_STREAM_LINK_CONTROL, /* CONTROL and RESETS */
};
#define ADIT_STREAM_LINKS 3

#define ADIT_STREAM_NO_LIST 0xff

struct adit_stream_link {
    struct adit_stream *next;
    struct adit_stream *prev;
};

struct adit_stream {
    struct adit_stream_link links[ADIT_STREAM_LINKS];
    uint8_t listed[ADIT_STREAM_LINKS]; /* enum adit_session_list, or ADIT_STREAM_NO_LIST */
    uint8_t unused;
    uint32_t state; /* ADIT_STREAM_ bits */
    struct adit_handle handle;
    uint32_t session; /* the session's number */
    uint32_t id;      /* 0: not on the wire yet */
    uint64_t user;
    uint64_t time_us;  /* opened, last active, or reset: what the list of its age counts from */
    uint64_t epoch_us; /* when the count of arriving bytes began, at most a round trip ago; or 0 */
    uint32_t epoch_bytes;
    uint32_t send_window; /* bytes the peer lets us send */
    uint32_t credit;      /* bytes we let the peer send */
    uint32_t pending;     /* bytes received and not yet consumed */
    uint32_t window;      /* what credit and pending may be together */
    uint32_t deficit;     /* bytes left of its turn */
    uint32_t fresh_left;  /* bytes that it may still send as a fresh stream */
    uint32_t served_at;   /* low bits of the session's data_out_total at its last turn */
};

_Static_assert(sizeof(struct adit_stream) <= 128, "a stream costs at most 128 bytes");
_Static_assert(sizeof(struct adit_session) <= 2560, "a session costs at most 2.5 KiB");

#define ADIT_STREAM_PEER_OPENED 0x1u
#define ADIT_STREAM_ACCEPTED 0x2u /* or opened by us */
#define ADIT_STREAM_SYN_PENDING 0x4u
#define ADIT_STREAM_UNACKED 0x8u /* the ACK, whoever owes it, is not through */
#define ADIT_STREAM_ACK_PENDING 0x10u
#define ADIT_STREAM_UPDATE_PENDING 0x20u
#define ADIT_STREAM_FIN_RECEIVED 0x40u
#define ADIT_STREAM_FIN_SENT 0x80u
#define ADIT_STREAM_READY 0x100u
#define ADIT_STREAM_DEAD 0x200u        /* the user has gone; the RST is queued or sent */
#define ADIT_STREAM_TOMBSTONE 0x400u   /* the RST is sent */
#define ADIT_STREAM_COUNTED 0x800u     /* in open_in or open_out */
#define ADIT_STREAM_EARLY_PAID 0x1000u /* its RST has a token of early_resets_out */
#define ADIT_STREAM_BULK 0x2000u       /* has used up a quantum since it was made ready */
#define ADIT_STREAM_CARRIED 0x4000u    /* bulk passed, either way, and nothing small since */

static inline bool adit_stream_is(const struct adit_stream *stream, uint32_t bits)
{
    return (stream->state & bits) != 0;
}

static inline bool adit_stream_is_finished(const struct adit_stream *stream)
{
    uint32_t both = ADIT_STREAM_FIN_RECEIVED | ADIT_STREAM_FIN_SENT;
    return (stream->state & both) == both;
}

/* The peer sent something valid. */
static inline void adit_session_lives(struct adit_session *session)
{
    session->life_us = session->now_us;
    session->awaits_life = false;
}

/* list.c: to the tail of a list, out of the one of the same link where it stood; and out. */
void adit_stream_enlist(struct adit_session *session, struct adit_stream *stream,
                        enum adit_session_list list);
void adit_stream_delist(struct adit_session *session, struct adit_stream *stream,
                        enum adit_stream_link_kind kind);
static inline struct adit_stream *adit_session_first(const struct adit_session *session,
                                                     enum adit_session_list list)
{
    return ADIT_AT(session->lists, list).head;
}

/* ids.c: the stream with this id, dead ones too, or null. */
struct adit_stream *adit_session_find(struct adit_session *session, uint32_t id);
void adit_session_learn(struct adit_session *session, struct adit_stream *stream);
void adit_session_forget(struct adit_session *session, struct adit_stream *stream);
/* False where the peer may not open this id: used before, or too far below the newest. */
bool adit_session_id_claim(struct adit_session *session, uint32_t id);
/* An RST is to be sent for an id that was claimed and refused. It takes no room in the ring: two
 * honest peers that refuse each other's streams would else wait for each other to flush. */
void adit_session_id_refuse(struct adit_session *session, uint32_t id);
/* Takes the next of these; false where there is none. */
bool adit_session_id_refused_take(struct adit_session *session, uint32_t *out_id);
/* True where the id was opened at some time, or may have been. */
bool adit_session_id_is_past(const struct adit_session *session, uint32_t id);
bool adit_session_id_is_ours(const struct adit_session *session, uint32_t id);

/* stream.c: the stream of a handle the user holds; null where it is stale. */
struct adit_stream *adit_session_stream(const struct adit_session *session,
                                        struct adit_handle handle);
struct adit_status adit_stream_create(struct adit_session *session, uint32_t state,
                                      struct adit_stream **out_stream);
/* Ends it at once, whatever its state, without a word on the wire. */
void adit_stream_remove(struct adit_session *session, struct adit_stream *stream);
/* Takes it from its user; it ends now, or when its RST is out. */
void adit_stream_kill(struct adit_session *session, struct adit_stream *stream);
/* Its RST went out: a tombstone from here on, or nothing. */
void adit_stream_bury(struct adit_session *session, struct adit_stream *stream);
void adit_session_tombstone_drop(struct adit_session *session, struct adit_stream *stream);
/* The ACK that was owed came (or went). */
void adit_stream_acknowledged(struct adit_session *session, struct adit_stream *stream);
/* Puts it on the list of its age, after its state changed or it was active. */
void adit_stream_touch(struct adit_session *session, struct adit_stream *stream);
/* One direction was finished: `bit` says which. */
void adit_stream_finish(struct adit_session *session, struct adit_stream *stream, uint32_t bit);

/* schedule.c: gives it a place among the ready where it is ready and has credit. */
void adit_stream_schedule(struct adit_session *session, struct adit_stream *stream);

/* window.c */
/* Much at once, either way: the small frame that came before it on the same stream asked for it, or
 * was its beginning. */
void adit_session_bulk_passed(struct adit_session *session, struct adit_stream *stream);
/* Something small was sent: by a stream that carries bulk it is an end of that, or asks for
 * more. */
void adit_session_small_passed(struct adit_session *session, struct adit_stream *stream);
void adit_stream_arrived(struct adit_session *session, struct adit_stream *stream, uint32_t count);
void adit_stream_consumed(struct adit_session *session, struct adit_stream *stream,
                          uint32_t count);
/* The credit to send now, which is granted by this. */
uint32_t adit_stream_grant(const struct adit_session *session, struct adit_stream *stream);
/* Back to the start's size, as far as the budgets go; for a stream that ends. */
void adit_stream_growth_return(struct adit_session *session, struct adit_stream *stream);
/* Bytes handed out and not consumed. */
uint32_t adit_stream_handed(const struct adit_session *session, const struct adit_stream *stream);

/* control.c: false where the ring is full. */
bool adit_session_control_put(struct adit_session *session, const struct adit_yamux_frame *frame);

/* frame.c: acts on a header. The event is RESET or GOAWAY, or MORE with session->frame set. */
struct adit_status adit_session_frame_take(struct adit_session *session,
                                           const struct adit_yamux_frame *frame,
                                           struct adit_session_event *out_event);

#endif
