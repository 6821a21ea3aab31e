/* Hub: all links and pumps of one process, and how bytes move between them.
 *
 * A *link* is one TLS connection that carries one mux session (agent and worker are its two ends).
 * A *pump* ties one stream of a link to one local socket, with half-close in both directions:
 * in the worker the socket is a visitor's, in the agent it leads to the local program. The first
 * stream of a link, opened by the agent, carries control messages instead.
 *
 * The path of a byte. Inwards: the link's socket is read into the hub's scratch, decrypted into
 * the hub's scratch, and the views that the mux hands out are written to the local sockets, the
 * frames of one stream together; only what a socket does not take is copied, into the pump's
 * queue, and credit goes back to the peer as the socket takes it. Outwards, once per loop turn and
 * link: the mux says whose turn it is, that socket is read straight behind the frame's header, the
 * frames of all ready streams become full TLS records, and one send carries them. While the link's
 * ciphertext has not left, nothing more is read from the local sockets: the queue stands in the
 * scheduler, where a small request can pass.
 *
 * A local socket carries "reset on close" until both directions have ended in order, so a cut
 * transfer is visibly cut, whoever dies.
 *
 * Process: worker and agent, one thread. Limits: options below, and struct adit_mux_limits. */
#ifndef ADIT_TUNNEL_HUB_H
#define ADIT_TUNNEL_HUB_H

#include "mux/mux.h"
#include "net/loop.h"
#include "net/socket.h"
#include "net/tls.h"
#include "wire/control.h"
#include "wire/stream_head.h"

/* Plaintext gathered for a link before it is encrypted and sent: four full records, and what the
 * last frame has beyond them. */
#define ADIT_HUB_GATHER_BYTES (4 * ADIT_TLS_RECORD_BYTES)

/* How a pump ended, for counters and logs. */
enum adit_pump_end {
    ADIT_PUMP_COMPLETE, /* both directions ended in order, every byte delivered */
    ADIT_PUMP_RESET,    /* the peer reset the stream, or its end of it broke */
    ADIT_PUMP_LOCAL,    /* the local socket broke, or there never was one */
    ADIT_PUMP_LINK,     /* the link is gone */
    ADIT_PUMP_LIMIT,    /* cut because a memory budget was full */
};

/* What a pipe's owner put into the room that it was given. */
struct adit_pipe_filled {
    size_t count;
    bool is_last;  /* nothing comes after these: FIN */
    bool is_empty; /* nothing more there now: adit_pipe_ready says when */
};

/* What the owner (worker or agent) is told. It may call any function of link.h and pump.h from
 * here. Handles named in a `closed` call are stale when it returns. The link's message and end must
 * be heard; the others are null where they are of no interest. */
struct adit_hub_ops {
    /* TLS is up and verified; control messages can be sent. */
    void (*link_open)(void *context, struct adit_handle link, uint64_t user);
    void (*link_message)(void *context, struct adit_handle link, uint64_t user,
                         const struct adit_control *message);
    void (*link_closed)(void *context, struct adit_handle link, uint64_t user,
                        struct adit_status why);
    /* What this end sends is lost by chance on the way, not for want of room. `is_mended`: it is
     * sent with a congestion control that does not mind, else this link stays slow. Null: never
     * mind. Said once a link, from the middle of its turn: only messages may be sent. */
    void (*link_lossy)(void *context, struct adit_handle link, uint64_t user, bool is_mended);
    /* Agent side: the server opened a stream. Attach a socket later, or refuse. */
    void (*pump_open)(void *context, struct adit_handle link, struct adit_handle pump,
                      const struct adit_stream_head *head);
    /* Server side: how the agent's local dial ended; where not connected the pump closes next. */
    void (*pump_dialled)(void *context, struct adit_handle pump, uint64_t user,
                         enum adit_dial_result result);
    void (*pump_closed)(void *context, struct adit_handle pump, uint64_t user,
                        enum adit_pump_end end);
    /* Server side, once a pump with a socket: whose first word came first, that of the socket's
     * other end or the agent's. No pump may be ended from here. */
    void (*pump_spoke)(void *context, uint64_t user, bool is_local);
    /* Bytes that pass a pump, as its socket gave or took them: for who reads along. No pump may be
     * ended from here. Null costs nothing. */
    void (*pump_seen)(void *context, struct adit_handle pump, uint64_t user, bool is_from_local,
                      struct adit_bytes bytes);
    /* Pipes (pipe.h): bytes from the agent, all to be taken; the agent's end of them; and room for
     * bytes to the agent. */
    void (*pipe_data)(void *context, struct adit_handle pipe, uint64_t user,
                      struct adit_bytes bytes);
    void (*pipe_finished)(void *context, struct adit_handle pipe, uint64_t user);
    struct adit_pipe_filled (*pipe_fill)(void *context, struct adit_handle pipe, uint64_t user,
                                         struct adit_span room);
    /* No chunk is left, and no pump holds more than `bytes` of them: the owner cuts who does on its
     * side, and says whether there was one. Null: nobody else holds chunks. */
    bool (*memory_short)(void *context, size_t bytes);
    /* The end of a loop's turn, before links send: what came in this turn can be worked on in one
     * go. */
    void (*turn)(void *context);
};

struct adit_hub_options {
    struct adit_loop *loop; /* its turn_end becomes the hub's */
    const struct adit_hub_ops *ops;
    void *context;
    enum adit_session_role role; /* CLIENT: agent; SERVER: worker */
    uint32_t links_max;
    uint32_t pumps_max;
    uint32_t chunks_max; /* of ADIT_CHUNK_BYTES, all queues together: the memory budget */
    uint64_t growth_max; /* bytes of window growth, all sessions together */
    struct adit_mux_limits limits;
};

struct adit_hub_counters { /* totals since the start */
    uint64_t links_opened, links_closed, pumps_opened, pumps_complete, pumps_cut;
    uint64_t bytes_to_local, bytes_from_local; /* payload of data streams */
};

struct adit_hub {
    struct adit_loop *loop;
    const struct adit_hub_ops *ops;
    void *context;
    enum adit_session_role role;
    struct adit_mux mux;
    struct adit_chunk_pool chunks;
    struct adit_pool links;
    struct adit_pool pumps;
    struct adit_pool firsts; /* what pumps have to say first */
    struct adit_span cipher_in; /* scratch, used within one call only */
    struct adit_span plain_in;
    struct adit_span plain_out;
    struct iovec views[64]; /* frames of `view_pump` that wait for one send, within one call */
    size_t view_count;
    struct adit_handle view_pump;
    struct adit_handle dirty_head;   /* links with something to do at the end of this turn */
    struct adit_handle turning_head; /* those of them that have not had their part of it yet */
    struct adit_handle again;      /* timer that makes another turn at once */
    uint64_t settled_us; /* when chunks that nobody needs were last given back */
    struct adit_jitter jitter;
    struct adit_hub_counters counters;
};

struct adit_status adit_hub_init(struct adit_hub *hub, const struct adit_hub_options *options);

/* No chunk is left for an owner of pipes: cuts the pump that holds most where that is more than
 * `bytes`. False where none does. */
bool adit_hub_cut_largest(struct adit_hub *hub, size_t bytes);

/* Closes every link and pump, without callbacks. */
void adit_hub_deinit(struct adit_hub *hub);

#endif
