/* Proxy: the HTTP side of the worker. A visitor's connection, over TLS or plain, becomes requests;
 * each is judged, written anew and carried over a pipe of the tunnel that serves its host; the
 * answer comes back as it arrives. Bodies of any size pass through: nothing waits for a buffer to
 * fill, and what waits is bounded.
 *
 * After a complete exchange the visitor's connection waits for the next request, and the pipe (the
 * agent's connection to the program) goes to the tunnel's idle list. A repeatable request that
 * finds its idle pipe closed is sent once more over a new one; others take only a fresh pipe, and
 * are never sent a second time once a byte of them has left. A pipe that said anything unasked is
 * closed, never reused. After an upgrade bytes pass both ways without an
 * idle limit. A cut answer is visibly cut: no forged end, a reset instead.
 *
 * The proxy knows no names: its owner (the worker) tells for each request who serves the host, and
 * passes the hub's calls about pipes on. Process: worker, one thread. Limits: below. */
#ifndef ADIT_PROXY_PROXY_H
#define ADIT_PROXY_PROXY_H

#include "http/error.h"
#include "net/loop.h"
#include "net/tls.h"
#include "tunnel/pipe.h"

#define ADIT_PROXY_HEAD_US (10 * ADIT_SECOND_US)     /* TLS handshake, then a whole head */
#define ADIT_PROXY_IDLE_US (60 * ADIT_SECOND_US)     /* between two requests of a visitor */
#define ADIT_PROXY_BODY_US (10 * ADIT_SECOND_US)     /* for the next KiB of a request's body */
#define ADIT_PROXY_BODY_BYTES 1024
#define ADIT_PROXY_STUCK_US (30 * ADIT_SECOND_US)    /* a visitor that takes nothing at all */
#define ADIT_PROXY_QUEUED_US ADIT_SECOND_US          /* for a stream, where the session has none */
#define ADIT_PROXY_AWAY_US (10 * ADIT_SECOND_US)     /* for an agent that left a moment ago */
#define ADIT_PROXY_ACK_US (12 * ADIT_SECOND_US)      /* for the agent's verdict: agent_no_ack */
#define ADIT_PROXY_IN_HIGH (64 * 1024)               /* bytes held of a visitor: stop reading */
#define ADIT_PROXY_IN_LOW (32 * 1024)                /* and go on */
#define ADIT_PROXY_OUT_MAX (128 * 1024)              /* bytes on their way to a visitor */
#define ADIT_PROXY_INTERIM_MAX 8                     /* 1xx heads of one answer */
#define ADIT_PROXY_IDLE_PIPES_MAX 64                 /* of one tunnel */
#define ADIT_PROXY_IDLE_PIPE_US (30 * ADIT_SECOND_US)
/* A pipe that may carry a request which cannot be sent twice: one that was idle no longer than
 * this, and, where it was never used again before, no shorter than that. */
#define ADIT_PROXY_FRESH_US ADIT_SECOND_US
#define ADIT_PROXY_PROVEN_US (20 * ADIT_MS_US)
#define ADIT_PROXY_EMPTY_LINES_MAX 1                 /* CR LF before a request */

enum adit_proxy_verdict {
    ADIT_PROXY_SERVED,  /* *out_route says by whom */
    ADIT_PROXY_ABSENT,  /* no tunnel has this host: tunnel_not_found */
    ADIT_PROXY_AWAY,    /* its agent left a moment ago: the request waits, then overloaded */
    ADIT_PROXY_ELSEWHERE, /* not for this connection: misdirected */
    ADIT_PROXY_DASHBOARD, /* ours, and there is none yet: dashboard_missing */
};

#define ADIT_PROXY_SERVER_NAME_MAX 63

/* Who serves this request? */
struct adit_proxy_asked {
    struct adit_bytes host;
    struct adit_bytes server_name; /* as adit_proxy_visitor had it */
    bool has_waited;               /* the answer was AWAY before */
    bool is_unknown;               /* server_name was nobody's when the connection came */
};

struct adit_proxy_route {
    struct adit_handle link; /* the agent's session */
    uint32_t bind;           /* its name for the tunnel */
    uint64_t tunnel;         /* the owner's name for it: not 0, never used again */
    struct adit_bytes host_header; /* of the tunnel; empty: as the visitor sent it */
};

/* What is told of an exchange that is over, for logs and counters. */
struct adit_proxy_exchange {
    uint64_t tunnel;
    uint16_t status;
    uint64_t took_us;
    uint64_t bytes_in, bytes_out; /* of bodies */
    struct adit_address peer;
    bool is_refused;            /* the answer is ours: `error` */
    enum adit_http_error error; /* valid where is_refused */
    bool is_cut;
};

struct adit_proxy_ops {
    enum adit_proxy_verdict (*route)(void *context, const struct adit_proxy_asked *asked,
                                     struct adit_proxy_route *out_route);
    /* May be null. */
    void (*exchanged)(void *context, const struct adit_proxy_exchange *exchange);
};

struct adit_proxy_options {
    struct adit_loop *loop;
    struct adit_hub *hub; /* its chunks hold what waits here too */
    const struct adit_proxy_ops *ops;
    void *context;
    uint32_t connections_max;
    uint32_t idle_pipes_max; /* all tunnels together */
    uint16_t https_port;     /* of redirects */
};

struct adit_proxy_counters {
    uint64_t connections, requests, errors, upgrades, retries, cut; /* totals */
    uint32_t connections_now, idle_pipes_now;
};

struct adit_proxy; /* proxy_private.h */

struct adit_status adit_proxy_open(const struct adit_proxy_options *options,
                                   struct adit_proxy **out_proxy);
/* Cuts everything. Null is fine. */
void adit_proxy_close(struct adit_proxy **proxy);

struct adit_proxy_visitor {
    int fd; /* the proxy's from here on, also on failure */
    struct adit_tls_context *tls; /* null: plain */
    struct adit_address peer;
    struct adit_bytes server_name; /* what the connection was opened for; empty: nobody knows */
    bool is_unknown; /* server_name is nobody's */
    bool is_redirect; /* plain: every good request is answered with a 308 to https */
};
struct adit_status adit_proxy_visitor_add(struct adit_proxy *proxy,
                                          const struct adit_proxy_visitor *visitor);

/* The tunnel is gone: its idle pipes and idle visitors are closed, what runs ends with its pipe. */
void adit_proxy_tunnel_gone(struct adit_proxy *proxy, uint64_t tunnel);

/* Takes no more requests: idle visitors are closed, others after their answer. */
void adit_proxy_drain(struct adit_proxy *proxy);

/* Pipes that carry no exchange: idle ones, and those that end in order. */
uint32_t adit_proxy_pipes_resting(const struct adit_proxy *proxy);

const struct adit_proxy_counters *adit_proxy_counters(const struct adit_proxy *proxy);

/* The hub's calls for pipes whose `user` is the proxy's. A worker has pumps as well: users of the
 * proxy's pipes have ADIT_PROXY_USER set, and no other user may. */
#define ADIT_PROXY_USER (UINT64_C(1) << 63)
void adit_proxy_pipe_dialled(struct adit_proxy *proxy, struct adit_handle pipe, uint64_t user,
                             enum adit_dial_result result);
void adit_proxy_pipe_data(struct adit_proxy *proxy, struct adit_handle pipe, uint64_t user,
                          struct adit_bytes bytes);
void adit_proxy_pipe_finished(struct adit_proxy *proxy, struct adit_handle pipe, uint64_t user);
struct adit_pipe_filled adit_proxy_pipe_fill(struct adit_proxy *proxy, struct adit_handle pipe,
                                             uint64_t user, struct adit_span room);
void adit_proxy_pipe_closed(struct adit_proxy *proxy, struct adit_handle pipe, uint64_t user,
                            enum adit_pump_end end);
bool adit_proxy_memory_short(struct adit_proxy *proxy, size_t bytes);
void adit_proxy_turn(struct adit_proxy *proxy);

#endif
