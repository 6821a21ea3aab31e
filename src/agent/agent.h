/* Agent: its sessions with the server, its tunnels, and the local connections behind them.
 *
 * It dials only its own server (or the proxy on the way to it) and its own targets, verifies the
 * server's certificate always, and comes back by itself when the link is lost. Session 0 is held
 * always; further ones only where the server asks for them, with the same tunnels on each, and each
 * goes when it has been idle. What happens is told through events, which speak of the tunnels, not
 * of a session; it prints and decides nothing about the process.
 *
 * Process: adit, one thread (name resolution has helpers of its own, see net/dial.h). Limits:
 * below, and struct adit_mux_limits. */
#ifndef ADIT_AGENT_AGENT_H
#define ADIT_AGENT_AGENT_H

#include "agent/backoff.h"
#include "http/observe.h"
#include "net/connect.h"
#include "tunnel/link.h"
#include "tunnel/pump.h"

#define ADIT_AGENT_TUNNELS_MAX 64
#define ADIT_AGENT_SESSIONS_MAX ADIT_CONTROL_SESSIONS_MAX
#define ADIT_AGENT_LOCALS_MAX 4096  /* local connections */
#define ADIT_AGENT_CHUNKS_MAX 4096  /* of ADIT_CHUNK_BYTES: 65 MiB of queued bytes at most */
#define ADIT_AGENT_GROWTH_MAX (64u * 1024 * 1024)
#define ADIT_AGENT_WATCHED_MAX 64   /* connections whose requests are read along: the newest */
#define ADIT_AGENT_DIAL_US (15 * (uint64_t)ADIT_SECOND_US)       /* the server */
#define ADIT_AGENT_LOCAL_DIAL_US (10 * (uint64_t)ADIT_SECOND_US) /* a local program */
#define ADIT_AGENT_PROBE_US (3 * (uint64_t)ADIT_SECOND_US) /* for a sign of life after a change */
#define ADIT_AGENT_EARLY_MAX 6                                 /* attempts before their time */
#define ADIT_AGENT_EARLY_US (10 * (uint64_t)ADIT_SECOND_US)    /* until there is one more */
#define ADIT_AGENT_LOGIN_US (10 * (uint64_t)ADIT_SECOND_US)      /* the server's answer to hello */
/* A further session that carried less than both within this time is given up ... */
#define ADIT_AGENT_IDLE_US (60 * (uint64_t)ADIT_SECOND_US)
#define ADIT_AGENT_IDLE_BYTES (1024 * 1024)
#define ADIT_AGENT_IDLE_STREAMS 100
#define ADIT_AGENT_EMPTY_US ADIT_SECOND_US /* ... and ends once it is found without streams */
/* One that failed or was refused is not opened again before, whatever the server asks for. */
#define ADIT_AGENT_REST_US (60 * (uint64_t)ADIT_SECOND_US)

struct adit_agent_tunnel {
    enum adit_tunnel kind;
    ADIT_FIELD(253) host; /* of the local program; a name or an address */
    uint16_t port;
    bool is_here; /* the host is this machine: all loopback addresses are tried, `host` is told */
    ADIT_FIELD(ADIT_NAME_BYTES_MAX) name; /* wanted; empty: the server chooses */
    uint16_t remote_port;                 /* wanted; 0: the server chooses */
    ADIT_FIELD(255) host_header;          /* http: what the program gets as Host; empty: as is */
};

/* A refusal as it is told to a person and to a script. */
struct adit_agent_refusal {
    struct adit_bytes code, message, next_action;
};

struct adit_agent_events {
    /* A tunnel works. `is_again`: after it was lost. */
    void (*ready)(void *context, const struct adit_agent_tunnel *tunnel,
                  const struct adit_control_bound *bound, bool is_again);
    /* No session has all tunnels any more, or none could be made; the agent tries again after
     * `wait_us`. */
    void (*disconnected)(void *context, struct adit_bytes reason, uint64_t wait_us);
    void (*reconnected)(void *context); /* all tunnels are back */
    /* The server said no, for good: the agent has stopped trying. */
    void (*refused)(void *context, const struct adit_agent_refusal *refusal);
    /* The server's certificate does not verify: the agent has stopped trying. */
    void (*distrusted)(void *context, struct adit_bytes why);
    void (*notice)(void *context, struct adit_bytes message);
    /* A visitor could not be served: its local dial ended so. */
    void (*local_failed)(void *context, const struct adit_agent_tunnel *tunnel,
                         enum adit_dial_result result);
    /* A request of an HTTP tunnel was answered. Null: nobody reads along, which costs nothing. What
     * it says comes from visitors and the program, as it is. */
    void (*request_seen)(void *context, const struct adit_agent_tunnel *tunnel,
                         const struct adit_http_seen *seen);
};

struct adit_agent_options {
    struct adit_loop *loop;
    struct adit_tls_context *tls;
    const struct adit_agent_events *events;
    void *context;
    struct adit_bytes server_host; /* dialled, and verified against the certificate */
    uint16_t server_port;
    const struct adit_forward_proxy *proxy; /* on the way to the server; null: none. Copied */
    struct adit_bytes token;
    const struct adit_agent_tunnel *tunnels;
    size_t tunnel_count;
};

enum adit_agent_state { /* of a session */
    ADIT_AGENT_STOPPED, /* not held: nobody asked for it, or for good */
    ADIT_AGENT_WAITING, /* for the next attempt */
    ADIT_AGENT_DIALING,
    ADIT_AGENT_LINKING, /* TLS, then hello */
    ADIT_AGENT_IN,      /* logged in; tunnels are asked for or bound */
};

struct adit_agent_bind { /* the server's answer for one tunnel, the same on each session */
    uint16_t port;       /* given once: asked for again by every further session */
    ADIT_FIELD(ADIT_NAME_BYTES_MAX) name; /* the same */
    ADIT_FIELD(320) url;
    bool was_bound;
};

struct adit_agent_session {
    enum adit_agent_state state;
    uint32_t slot; /* its place in `sessions`; the server knows it by that */
    bool is_bound[ADIT_AGENT_TUNNELS_MAX];
    bool has_asked;   /* for the tunnels, with its hello */
    bool is_draining; /* the server ends it soon */
    bool is_lossy;    /* its road loses by chance: further ones are kept as long as it lives */
    bool is_leaving;  /* a further one, idle: it ends with its last stream */
    ADIT_FIELD(64) hint; /* what the last welcome said */
    struct adit_connect *connect;
    struct adit_handle link, timer, probe;
    struct adit_backoff backoff;
    uint64_t begun_us;    /* the newest attempt to connect */
    uint64_t due_us;      /* WAITING: the next one */
    uint64_t in_since_us; /* 0: not logged in */
    uint64_t probed_us;   /* since when a sign of life is waited for */
    uint64_t rest_until_us;
    uint64_t streams_total;                   /* of this link */
    uint64_t looked_bytes, looked_streams;    /* what it had carried when last looked at */
};

struct adit_agent {
    struct adit_agent_session sessions[ADIT_AGENT_SESSIONS_MAX];
    struct adit_agent_options options;
    struct adit_agent_tunnel tunnels[ADIT_AGENT_TUNNELS_MAX];
    struct adit_agent_bind binds[ADIT_AGENT_TUNNELS_MAX];
    ADIT_FIELD(253) server_host;
    ADIT_FIELD(ADIT_TOKEN_TEXT_MAX) token;
    ADIT_FIELD(32) instance; /* hex: this process, for all its sessions */
    struct adit_hub hub;
    struct adit_pool locals;  /* struct local */
    struct adit_pool watches; /* struct watch; empty where nobody reads along */
    uint64_t watches_total;
    struct adit_forward_proxy proxy;
    uint64_t early_us; /* when `early_used` was last looked at */
    uint64_t early_used;
    struct adit_jitter jitter;
    bool was_in; /* at least once: from then on a loss is a reconnect */
};

/* The agent as a whole. */
struct adit_agent_look {
    enum adit_agent_state state; /* IN where all tunnels are bound on some session; else of 0 */
    bool is_up;                  /* all tunnels are bound on some session */
    uint32_t session_count;      /* logged in, and not about to end */
    uint64_t rtt_us;             /* of session 0; 0: not known */
};

/* Begins to connect at the loop's next turn. The agent must not move afterwards. */
struct adit_status adit_agent_open(struct adit_agent *agent,
                                   const struct adit_agent_options *options);

/* Right after it was opened, for a server on this machine, without a proxy: connects and says its
 * first words now, so that the server works on its answer meanwhile. Nothing is read. Returns the
 * connection, the agent's own; -1 where there is none yet, and the loop's next turn begins it. */
int adit_agent_greet(struct adit_agent *agent);

/* The network may be another one now, or the machine was asleep: who waits for the next attempt
 * begins it, and a link that gives no sign of life within ADIT_AGENT_PROBE_US is made anew. The
 * pauses after failures go on growing, and only ADIT_AGENT_EARLY_MAX in a row are cut short. */
void adit_agent_changed(struct adit_agent *agent);

struct adit_agent_look adit_agent_look(const struct adit_agent *agent);

/* Says goodbye: gives its tunnels up and ends its links at the loop's next turns; no events any
 * more. */
void adit_agent_stop(struct adit_agent *agent);

/* True while words of the goodbye may still be on their way. */
bool adit_agent_is_leaving(const struct adit_agent *agent);

/* Gives everything back at once; what is still connected is cut. */
void adit_agent_close(struct adit_agent *agent);

#endif
