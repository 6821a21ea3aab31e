/* Worker: ends the agents' TLS, runs their sessions, and moves bytes between visitors and agents.
 *
 * It holds no path to a file and makes no socket: agents' connections and listening sockets for
 * TCP tunnels come from the door, certificate and keys from the supervisor, once, at its start.
 * Until a keeper exists it holds the TLS key and the token key: docs/threat-model.md says so.
 * If the supervisor goes, it ends at once; if the door goes, sessions and visitors go on.
 *
 * Limits: those below, those of struct adit_mux_limits, and the memory budget of its hub. */
#ifndef ADIT_EDGE_WORKER_WORKER_H
#define ADIT_EDGE_WORKER_WORKER_H

#include "ipc/channel.h"
#include "ipc/counters.h"
#include "tunnel/link.h"
#include "tunnel/pump.h"
#include "wire/token.h"

#define WORKER_AGENTS_MAX 4096
#define WORKER_PUMPS_MAX 32768  /* visitors' connections */
#define WORKER_CHUNKS_MAX 16384 /* of ADIT_CHUNK_BYTES: 260 MiB of queued bytes at most */
#define WORKER_GROWTH_MAX (256u * 1024 * 1024)
#define WORKER_BINDS_MAX 8192
#define WORKER_BINDS_AGENT_MAX 64 /* tunnels of one session */
#define WORKER_ORPHANS_MAX 64
#define WORKER_LOGIN_US (10 * ADIT_SECOND_US)
#define WORKER_PROBE_US ADIT_SECOND_US    /* for an old session to show that it lives */
#define WORKER_PAUSE_US (20 * ADIT_MS_US) /* before a full session is asked again */
#define WORKER_TOKEN_KEY_BYTES 32
#define WORKER_TOKEN_KEY_ID 1

struct worker_counters { /* totals since the start */
    uint64_t logins, logins_refused, evictions, visitors, visitors_turned_away, orphans;
};

struct worker {
    struct adit_loop loop;
    struct adit_hub hub;
    struct adit_log log;
    struct adit_channel supervisor;
    struct adit_channel door;
    struct adit_handle supervisor_watch, door_watch, stop_timer;
    struct adit_tls_context *tls;
    struct adit_pool agents;  /* struct agent */
    struct adit_pool binds;   /* struct bind */
    struct adit_pool orphans; /* struct orphan */
    ADIT_FIELD(255) domain;
    uint8_t token_key[WORKER_TOKEN_KEY_BYTES];
    uint64_t session_next;
    struct worker_counters counters;
};

/* One agent's session. */
struct agent {
    struct adit_handle self, link, login_timer;
    struct adit_handle bind_head;    /* its tunnels, as a list */
    struct adit_token_rights rights; /* valid where is_in */
    ADIT_FIELD(32) instance;
    struct adit_address peer;
    uint64_t number;  /* its name in messages and logs */
    uint64_t request; /* the door's, to be repeated in AGENT_DONE */
    uint32_t bind_count;
    bool is_in;        /* logged in */
    bool is_announced; /* AGENT_DONE was sent */
};

enum bind_state {
    BIND_ASKED,   /* the door is to answer */
    BIND_PROBING, /* an older session of the account has the port: does it live? */
    BIND_BOUND,
};

/* One TCP tunnel. */
struct bind {
    enum bind_state state;
    struct adit_handle self, agent, next;
    struct adit_handle watch, timer;
    struct adit_handle rival; /* BIND_PROBING: the bind that has the port */
    uint64_t probe_us;
    int listener; /* -1: none */
    uint32_t id;  /* the agent's name for it */
    uint16_t port;
};

/* agents.c */
extern const struct adit_hub_ops worker_hub_ops;
void worker_agent_arrived(struct worker *worker, struct adit_message *message);
/* Says no; a refused hello (bind 0) ends the session. */
void worker_agent_refuse(struct worker *worker, struct agent *agent, enum adit_refusal refusal,
                         uint32_t bind);
void worker_agent_evict(struct worker *worker, struct agent *agent, struct adit_status why);

/* binds.c */
void worker_bind_ask(struct worker *worker, struct agent *agent,
                     const struct adit_control_bind *wanted);
void worker_bind_drop(struct worker *worker, struct agent *agent, uint32_t id);
/* The session is over: the door keeps its ports for the grace. */
void worker_binds_release(struct worker *worker, struct agent *agent);
void worker_bind_granted(struct worker *worker, struct adit_message *message);
void worker_bind_refused(struct worker *worker, struct adit_message *message);
/* A new door: it is told what this worker owns, and asked again what the old one did not answer. */
void worker_binds_announce(struct worker *worker);

/* visitors.c: accepts on a bound listener. */
void worker_visitors_ready(void *context, uint64_t key, uint32_t events);

/* orphans.c */
size_t worker_orphan_size(void);
void worker_orphan_arrived(struct worker *worker, struct adit_message *message);
void worker_orphans_close(struct worker *worker);

/* counters.c: what STATUS tells, in the order of ADIT_COUNTERS_WORKER. */
void worker_counters_fill(const struct worker *worker, struct adit_message_counters *out_counters);

/* channels.c */
struct adit_status worker_supervisor_watch(struct worker *worker);
void worker_door_send(struct worker *worker, struct adit_message *message);

/* start.c: reads WORKER_START and makes everything that needs files or memory. */
struct adit_status worker_start(struct worker *worker, struct adit_message *start);
/* Gives everything back that start made, channels included; what is connected is cut. */
void worker_close(struct worker *worker);
/* Certificate, key and token key from the message's descriptors, for new connections; on failure
 * the old ones stay. */
struct adit_status worker_credentials_take(struct worker *worker,
                                           const struct adit_message *message);

#endif
