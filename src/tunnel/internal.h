/* Internal: what the files of src/tunnel share and nobody else sees. */
#ifndef ADIT_TUNNEL_INTERNAL_H
#define ADIT_TUNNEL_INTERNAL_H

#include "tunnel/link.h"
#include "tunnel/crawl.h"
#include "tunnel/loss.h"
#include "tunnel/pace.h"
#include "tunnel/pump.h"

enum link_state {
    LINK_HANDSHAKE, /* TLS is not up yet */
    LINK_OPEN,
    LINK_LINGER, /* our last words are sent; the socket is read and dropped until the peer closes */
};

struct link {
    enum link_state state;
    int fd;
    struct adit_handle self;
    struct adit_handle watch;
    struct adit_handle timer; /* handshake deadline, then session ticks, then the linger's end */
    struct adit_handle dirty_next;
    struct adit_handle control;   /* stream; unset until it is opened */
    struct adit_tls *tls;
    struct adit_session session;
    struct adit_queue control_in;
    struct adit_queue control_out;
    struct adit_status why; /* set with is_closing */
    uint64_t user;
    uint64_t rtt_us;
    uint64_t measured_us; /* when rtt_us was read */
    struct adit_pace pace;
    struct adit_handle pace_timer; /* until the road has taken enough for another turn */
    uint64_t pace_rate;   /* as set on the socket; 0: none */
    uint64_t in_kernel;   /* bytes on the road or not sent yet: as measured, and sent since */
    size_t unsent_max;    /* as set on the socket */
    struct adit_loss loss;
    struct adit_crawl crawl;
    uint64_t looked_us; /* when these had their last sample */
    uint64_t renewed_us; /* when what `bbr` knows of the round trip last began anew */
    uint32_t pump_head; /* pumps of this link, as a list: index + 1; 0: none */
    uint64_t received_turn; /* the loop's, of the last receive */
    bool is_dirty;
    bool has_hangup;    /* the end of the connection was announced: read on until it is there */
    bool is_blocked;    /* the socket takes no more; an event will say when it does */
    bool wants_receive; /* more to read than one turn allows */
    bool is_closing;
};

enum pump_state {
    PUMP_HEAD,    /* agent: the 32 bytes of head have not all come */
    PUMP_DIALING, /* agent: waits for attach or refuse */
    PUMP_VERDICT, /* server: the agent's first byte has not come */
    PUMP_FLOW,
    PUMP_REFUSED, /* agent: the verdict goes out, then it ends */
};

struct pump {
    enum pump_state state;
    int fd; /* -1: none yet */
    struct adit_handle self;
    struct adit_handle watch;
    struct adit_handle link;
    struct adit_handle stream;
    struct adit_handle first; /* a pump_first, until it is sent */
    uint32_t list_next, list_before; /* the link's pumps: index + 1; 0: none */
    struct adit_queue in; /* from the peer, not yet taken by the socket */
    uint64_t user;
    bool is_source_done; /* FIN has been sent on the stream */
    bool is_peer_done;   /* FIN has come on the stream */
    bool is_sink_done;   /* FIN has been sent on the socket */
    bool has_hangup;     /* the socket's end was announced: read on until it is there */
    bool is_quiet;       /* agent: a fresh socket, of which no event has told yet */
    bool is_unsaid;      /* server: neither the visitor nor the program has said a word */
    bool is_wide;        /* the socket carries bulk, and was given room for it */
    bool is_pipe;        /* no socket: the owner takes and gives the bytes */
};

_Static_assert(sizeof(struct pump) <= 112, "a visitor who says nothing costs little");

/* What a pump says before anything from its socket: the head, or how the dial ended. Most of its
 * life it has said that. */
struct pump_first {
    uint8_t bytes[ADIT_STREAM_HEAD_BYTES];
    uint8_t len, sent;
};

/* hub.c */
void hub_mark_dirty(struct adit_hub *hub, struct link *link);
void hub_forget_dirty(struct adit_hub *hub, struct link *link);
struct link *hub_link(const struct adit_hub *hub, struct adit_handle handle);
static inline struct pump *hub_pump(const struct adit_hub *hub, struct adit_handle handle)
{
    return adit_pool_get(&hub->pumps, handle);
}

/* link.c: at the end of a turn. */
void link_finish_turn(struct adit_hub *hub, struct link *link);
/* TLS is up. */
void link_opened(struct adit_hub *hub, struct link *link);
/* Asks for the link's end; the first reason stands. */
void link_fail(struct adit_hub *hub, struct link *link, struct adit_status why);

/* link_receive.c */
void link_receive(struct adit_hub *hub, struct link *link);
void link_event(struct adit_hub *hub, struct link *link, const struct adit_session_event *event);

/* link_flush.c */
void link_flush(struct adit_hub *hub, struct link *link);
/* Sends ciphertext that waits. */
void link_send_waiting(struct adit_hub *hub, struct link *link);

/* link_road.c: with the kernel's figures, while there is traffic. */
void link_road_look(struct adit_hub *hub, struct link *link, const struct adit_socket_info *info);
/* What is done about a road that loses packets by chance, once. */
void link_road_mend(struct adit_hub *hub, struct link *link);

/* link_pace.c: the kernel's figures, now and then. */
void link_pace_measure(struct adit_hub *hub, struct link *link);
/* What follows from them. */
void link_pace_look(struct adit_hub *hub, struct link *link, const struct adit_socket_info *info);
/* Payload bytes that a turn may add to `gathered` ones: 0 where it has to wait for the road. */
size_t link_pace_room(const struct link *link, const struct adit_session_turn *turn,
                      size_t gathered);
/* A turn has to wait: there will be another when the road has taken something. */
void link_pace_wait(struct adit_hub *hub, struct link *link);

/* control_stream.c */
struct adit_status control_stream_receive(struct adit_hub *hub, struct link *link,
                                          struct adit_bytes bytes);
/* Fills `room` from the messages that wait; returns how much. */
size_t control_stream_fill(struct adit_hub *hub, struct link *link, struct adit_span room);

/* pump.c */
struct adit_status pump_make(struct adit_hub *hub, struct link *link, struct pump **out_pump);
/* What goes before anything from the socket. */
struct adit_status pump_head_set(struct adit_hub *hub, struct pump *pump,
                                 const struct adit_stream_head *head);
void pump_end(struct adit_hub *hub, struct pump *pump, enum adit_pump_end end);
/* Gives everything back, and tells nobody. */
void pump_release(struct adit_hub *hub, struct pump *pump);
void pump_peer_finished(struct adit_hub *hub, struct pump *pump);
/* Ends the pump where both directions are done. */
void pump_end_if_done(struct adit_hub *hub, struct pump *pump);

/* Tells the owner who of the two said the first word. */
static inline void pump_spoke(struct adit_hub *hub, struct pump *pump, bool is_local)
{
    if (pump->is_unsaid) {
        pump->is_unsaid = false;
        if (hub->ops->pump_spoke) {
            hub->ops->pump_spoke(hub->context, pump->user, is_local);
        }
    }
}

/* Shows bytes that a socket gave or took to whoever reads along. */
static inline void pump_show(struct adit_hub *hub, const struct pump *pump, bool is_from_local,
                             struct adit_bytes bytes)
{
    if (hub->ops->pump_seen && bytes.len > 0) {
        hub->ops->pump_seen(hub->context, pump->self, pump->user, is_from_local, bytes);
    }
}

/* The same for the first `count` bytes of views that a socket took. */
void pump_show_views(struct adit_hub *hub, const struct pump *pump, const struct iovec *views,
                     size_t view_count, size_t count);

/* pump_in.c: from the peer to the socket. */
void pump_data(struct adit_hub *hub, struct pump *pump, struct adit_bytes bytes);
/* `count` bytes have left: credit goes back to the peer. */
void pump_consumed(struct adit_hub *hub, struct pump *pump, size_t count);
void pump_views_flush(struct adit_hub *hub);
/* The same where the peer has just finished: what waits for this pump goes with its FIN. */
void pump_views_flush_last(struct adit_hub *hub, const struct pump *pump);
void pump_drain(struct adit_hub *hub, struct pump *pump);

/* pump_out.c: from the socket, or the pipe's owner, to the peer. Fills `room` (the payload of one
 * frame). A pipe's owner may have ended it when this returns. */
struct pump_filled {
    size_t count;
    bool is_last;  /* the source has ended */
    bool is_empty; /* nothing more there now */
};
struct adit_status pump_fill(struct adit_hub *hub, struct pump *pump, struct adit_span room,
                             struct pump_filled *out_filled);

#endif
