/* Worker: ends TLS, runs the agents' sessions, and moves bytes between visitors and agents.
 *
 * It holds no path to a file and makes no socket: connections of agents and visitors and listening
 * sockets for TCP tunnels come from the door, certificate and keys from the supervisor. Until a
 * keeper exists it holds the TLS key and the token key: docs/threat-model.md says so. If the
 * supervisor goes, it ends at once; if the door goes, sessions and visitors go on.
 *
 * Limits: those below, those of struct adit_mux_limits, and the memory budget of its hub. */
#ifndef ADIT_EDGE_WORKER_WORKER_H
#define ADIT_EDGE_WORKER_WORKER_H

#include "ipc/channel.h"
#include "ipc/counters.h"
#include "proxy/proxy.h"
#include "route/names.h"
#include "tunnel/link.h"
#include "tunnel/pump.h"
#include "wire/token.h"

#define WORKER_HOSTS 16          /* hosts that are remembered: a power of two */
#define WORKER_HOST_BYTES_MAX 94 /* longer ones are not */
#define WORKER_AGENTS_MAX 4096
#define WORKER_PUMPS_MAX 32768  /* streams: visitors of TCP and TLS tunnels, and HTTP */
#define WORKER_WEBS_MAX 16384   /* visitors' HTTP connections */
#define WORKER_IDLE_PIPES_MAX 4096
#define WORKER_CHUNKS_MAX 16384 /* of ADIT_CHUNK_BYTES: 260 MiB of queued bytes at most */
#define WORKER_GROWTH_MAX (256u * 1024 * 1024)
#define WORKER_BINDS_MAX 8192
#define WORKER_BINDS_AGENT_MAX 64 /* tunnels of one session */
#define WORKER_ORPHANS_MAX 64
/* Messages to a door that is slow, or to a new one: all that was bound, given up and logged in. */
#define WORKER_DOOR_WAITING_MAX (2 * WORKER_BINDS_MAX + 2 * WORKER_AGENTS_MAX)
#define WORKER_DOOR_BUSY 1024 /* of them: nothing more is asked of it */
/* Binds of one session: so many at once, then a second. Each costs the door and the database. */
#define WORKER_ASKS_BURST 256
#define WORKER_ASKS_PER_SECOND 16
#define WORKER_LEFT_MAX 1024 /* names remembered a moment after their sessions ended */
/* A session that ended often comes back at once, as all do when a worker is new: so long requests
 * for a name that nobody has wait. */
#define WORKER_LEFT_US (2 * ADIT_SECOND_US)
#define WORKER_DRAWS_MAX 8 /* names tried for a token that allows a prefix */
#define WORKER_LOGIN_US (10 * ADIT_SECOND_US)
#define WORKER_PROBES_MAX 256              /* sessions that the door asks about at once */
#define WORKER_PROBE_US ADIT_SECOND_US     /* for a session to show that it lives */
#define WORKER_PROBE_LOOK_US (20 * ADIT_MS_US)
#define WORKER_LOAD_US (250 * ADIT_MS_US)  /* between two LOADs */
#define WORKER_BUSY_US ADIT_SECOND_US      /* how long is measured */
#define WORKER_BUSY_PERCENT 70             /* of that time, and more is busy */
#define WORKER_BUSY_SHARE_PERCENT 25       /* of its bytes, and more is a busy session */
#define WORKER_STEP_US (5 * ADIT_SECOND_US) /* between two requests for another session */
#define WORKER_REST_US (15 * ADIT_SECOND_US) /* twice that, and what a crowd took is given back */
#define WORKER_REST_MANY 256                /* connections less, and a third, is a crowd gone */
#define WORKER_WAITING_MAX 1024            /* visitors of TLS tunnels who wait for a stream */
#define WORKER_WAITING_US ADIT_SECOND_US   /* and for how long */
#define WORKER_PAUSE_US (20 * ADIT_MS_US) /* before a full session is asked again */
#define WORKER_WORDS_MIN 64    /* visitors in a row that spoke first, until they are held back */
#define WORKER_WORDS_MAX 65536 /* the same, after a program has spoken first again and again */
#define WORKER_WORDS_WAIT_S 1  /* how long one that says nothing is held back */
/* What each session here adds to the time over which agents come back: twice what a login costs. */
#define WORKER_RETRY_EACH_US 1000
#define WORKER_RETRY_MIN_MS 5
#define WORKER_RETRY_MAX_MS 30000
#define WORKER_RETRY_LOOKS 2 /* others that are told anew for each that comes or goes */
#define WORKER_TOKEN_KEY_BYTES 32
#define WORKER_TOKEN_KEY_ID 1

#define WORKER_PROCESS_BYTES (ADIT_TOKEN_ID_BYTES + 32) /* what names an agent's process */

#define WORKER_REASONS (ADIT_HTTP_ERROR_VERSION_UNKNOWN + 1)

/* One line of log a second for each reason; `unsaid` are those in between. */
struct worker_tally {
    uint64_t next_us;
    uint32_t unsaid;
};

struct worker_words { /* who speaks first through a tunnel with a port, of words.c */
    uint32_t in_a_row;  /* visitors that did, since a program did */
    uint32_t wanted;    /* of them, until visitors are held back */
    uint64_t let_go_us; /* when they were last let go; 0: not since they were held back */
    bool is_held;
};

struct worker_load { /* what the door was told last, of load.c */
    struct adit_handle timer;
    uint64_t told_us;
    uint32_t sessions, streams;
    bool is_owed; /* since an AGENT_DONE: the door counts that agent until it hears more */
};

struct worker_busy { /* where the last measurement was taken, of busy.c */
    struct adit_handle timer;
    uint64_t at_us, busy_us, bytes;
};

struct worker_rest { /* connections, of rest.c */
    struct adit_handle timer;
    uint32_t most; /* since the last look */
    uint32_t kept; /* that there is memory for */
};

struct worker_counters { /* totals since the start */
    uint64_t logins, logins_refused, evictions, visitors, visitors_turned_away, orphans;
    uint64_t waits; /* times that a session had no stream for visitors of TCP and TLS tunnels */
};

/* A host that was asked for a moment ago, and who serves it. */
struct worker_host {
    ADIT_FIELD(WORKER_HOST_BYTES_MAX) host; /* empty: none */
    struct adit_handle bind;
};

struct worker {
    struct adit_loop loop;
    struct adit_hub hub;
    struct adit_log log;
    struct adit_channel supervisor;
    struct adit_channel door;
    struct adit_handle supervisor_watch, door_watch, stop_timer;
    uint64_t stop_us; /* when what still runs is cut; 0: nobody asked to stop */
    bool is_ending;   /* sessions were ended */
    struct adit_proxy *proxy;
    struct adit_tls_context *tls;         /* for agents */
    struct adit_tls_context *visitor_tls; /* the same certificate, for browsers */
    struct adit_tls_ticket_keys tickets;
    bool has_tickets; /* came from the supervisor: until then each context has its own */
    struct adit_pool agents;  /* struct agent */
    struct adit_pool binds;   /* struct bind */
    struct adit_pool orphans; /* struct orphan */
    struct adit_pool waiting; /* struct waiting, of through.c */
    struct adit_pool probes;  /* struct probe, of probes.c */
    struct adit_handle waiting_timer, probe_timer;
    uint32_t sessions; /* agents that have logged in */
    uint32_t retry_cursor; /* in `agents`: who is looked at next, of retry.c */
    struct worker_load load;
    struct worker_busy busy;
    struct worker_rest rest;
    struct adit_table names;   /* of tunnels that are bound, to their handles */
    struct worker_host hosts[WORKER_HOSTS]; /* what `names` says of them: hosts.c */
    struct adit_table processes; /* of agents, to one of their sessions each: siblings.c */
    struct adit_table left;    /* names that were bound until just now, see names.c */
    struct adit_table revoked; /* ids of tokens, from the latest snapshot */
    uint64_t snapshot_version; /* 0: none came yet */
    ADIT_FIELD(255) domain;
    uint16_t https_port; /* as visitors see it */
    uint32_t options;    /* ADIT_START_ bits */
    uint32_t workers;    /* how many there are, this one counted */
    uint8_t token_key[WORKER_TOKEN_KEY_BYTES];
    uint64_t session_next, tunnel_next;
    uint64_t settled_us; /* by then the agents of the worker before this one are back */
    struct worker_counters counters;
    struct worker_tally tallies[WORKER_REASONS]; /* by enum adit_http_error */
    struct worker_tally waits;                   /* of visitors.c */
};

/* What becomes of a session's tunnels when it ends. */
enum agent_end {
    AGENT_AWAY,  /* it may come back: the door keeps them for the grace, and visitors wait */
    AGENT_MOVED, /* a newer session has them, perhaps of another worker */
    AGENT_OUT,   /* its token is no good any more: nobody waits for it */
};

/* One agent's session. */
struct agent {
    struct adit_handle self, link, login_timer;
    struct adit_handle bind_head;    /* its tunnels, as a list */
    struct adit_token_rights rights; /* valid where is_in */
    ADIT_FIELD(32) instance; /* its process */
    uint32_t slot;           /* which of that process's sessions */
    enum agent_end end;
    struct adit_address peer;
    uint64_t number;  /* its name in messages and logs */
    uint64_t request; /* the door's, to be repeated in AGENT_DONE */
    uint32_t bind_count;
    uint64_t asks_full_us; /* budget of binds */
    struct adit_handle siblings[ADIT_CONTROL_SESSIONS_MAX]; /* by slot: of the same process, here */
    uint64_t seen_us, seen_bytes, rate; /* of siblings.c: bytes a second, at the last look */
    uint64_t bytes;   /* of its streams, at the last measurement */
    uint64_t step_us; /* when it was last asked to hold more sessions */
    uint32_t sessions_told; /* how many; 0: not asked yet */
    uint32_t retry_told_ms; /* 0: never */
    bool takes_sessions, takes_retry; /* its hello had the feature */
    bool is_in;        /* logged in */
    bool is_announced; /* AGENT_DONE was sent */
};

enum bind_state {
    BIND_ASKED, /* the door is to answer */
    BIND_BOUND,
};

/* One tunnel: a TCP one has a port, the others a name. */
struct bind {
    enum bind_state state;
    enum adit_tunnel kind;
    struct adit_handle self, agent, next;
    struct adit_handle watch, timer;
    uint32_t id; /* the agent's name for it */

    int listener; /* TCP; -1: none */
    uint16_t port;
    struct worker_words words;

    uint64_t tunnel; /* this worker's number for it, once bound; never used again */
    uint64_t seed;   /* of a name that nobody asked for */
    uint32_t draws;  /* how many such were asked for */
    bool is_drawn;   /* the agent left the name to us */
    ADIT_FIELD(ADIT_NAME_BYTES_MAX) name;
    ADIT_FIELD(255) host_header; /* HTTP */
};

/* agents.c */
extern const struct adit_hub_ops worker_hub_ops;
void worker_agent_arrived(struct worker *worker, struct adit_message *message);
/* Says no; a refusal of the hello (bind 0), at any time, ends the session. */
void worker_agent_refuse(struct worker *worker, struct agent *agent, enum adit_refusal refusal,
                         uint32_t bind);
void worker_agent_evict(struct worker *worker, struct agent *agent, struct adit_status why);
/* The session of this number, or null. */
struct agent *worker_agent_find(const struct worker *worker, uint64_t number);
/* False, and the session ends, where its token has expired: asked before each stream. */
bool worker_agent_is_current(struct worker *worker, struct agent *agent);

/* siblings.c: several sessions of one agent process at this worker. */
/* It has logged in: those that are here and it know each other, and an older one of its slot, which
 * the agent has lost, gives way. */
void worker_siblings_meet(struct worker *worker, struct agent *agent);
/* It ends. */
void worker_siblings_part(struct worker *worker, const struct agent *agent);
/* The session of this slot, or null: another one of the same process. */
struct agent *worker_sibling_at(const struct worker *worker, const struct agent *agent,
                                size_t slot);
/* The same tunnel, at the session that a new visitor is best served by: one that knows its road
 * where this one is as good as idle, one that carries far less where it is not, else this one. */
const struct bind *worker_sibling_best(struct worker *worker, const struct bind *bind);
/* The same tunnel at any other session, or null. */
struct bind *worker_sibling_other(const struct worker *worker, const struct bind *bind);

/* binds.c: what tunnels with a port and those with a name have in common. */
void worker_bind_ask(struct worker *worker, struct agent *agent,
                     const struct adit_control_bind *wanted);
void worker_bind_drop(struct worker *worker, struct agent *agent, uint32_t id);
/* The tunnel that the session knows by this number, or null. */
struct bind *worker_bind_find(const struct worker *worker, const struct agent *agent, uint32_t id);
/* The session is over, as `agent->end` says. */
void worker_binds_release(struct worker *worker, struct agent *agent);
/* A new door: it is told what this worker owns, and asked again what the old one did not answer. */
void worker_binds_announce(struct worker *worker);
/* The bind of a handle, or null. */
struct bind *worker_bind_at(const struct worker *worker, struct adit_handle handle);
/* Its session; null where the bind is null or the session gone. */
struct agent *worker_bind_agent(const struct worker *worker, const struct bind *bind);
/* A bind as its pumps' user, and back: null where it is gone. */
uint64_t worker_bind_user(const struct bind *bind);
struct bind *worker_bind_of_user(const struct worker *worker, uint64_t user);
/* The bind for which the door answers `request`, or null where it does not wait any more. */
struct bind *worker_bind_asked(const struct worker *worker, uint64_t request);
void worker_bind_refuse(struct worker *worker, struct bind *bind, enum adit_refusal refusal);
/* Whose it is, into a message to the door. */
void worker_bind_owner_set(const struct worker *worker, const struct bind *bind,
                           struct adit_message *message);

/* ports.c */
void worker_port_ask(struct worker *worker, struct bind *bind);
void worker_port_release(struct worker *worker, struct bind *bind, bool is_kept);
void worker_port_own(struct worker *worker, const struct bind *bind);
void worker_port_granted(struct worker *worker, struct adit_message *message);
void worker_port_refused(struct worker *worker, struct adit_message *message);

/* names.c */
struct adit_status worker_name_prepare(struct worker *worker, struct bind *bind,
                                       const struct adit_control_bind *wanted);
void worker_name_ask(struct worker *worker, struct bind *bind);
void worker_name_release(struct worker *worker, struct bind *bind, bool is_kept);
void worker_name_hold(struct worker *worker, const struct bind *bind);
void worker_name_claimed(struct worker *worker, struct adit_message *message);
void worker_name_refused(struct worker *worker, struct adit_message *message);
/* The tunnel that has the name, or null. */
struct bind *worker_name_find(const struct worker *worker, struct adit_bytes name);
/* Its agent may be on its way back: it left a moment ago, or this worker is new. */
bool worker_name_may_come(const struct worker *worker, struct adit_bytes name);
/* Its agent moved a moment ago, and no longer has it here. */
bool worker_name_has_moved(const struct worker *worker, struct adit_bytes name);

/* hosts.c */
/* The tunnel that serves the host of a request, or null. */
struct bind *worker_host_find(struct worker *worker, struct adit_bytes host);
/* A name got or lost its tunnel. */
void worker_hosts_forget(struct worker *worker);

/* visitors.c: of TCP tunnels, accepted on a bound listener, which other workers may share. */
struct adit_status worker_visitors_watch(struct worker *worker, struct bind *bind);
/* Opens a stream for a visitor's socket, which the pump owns then. False, and the visitor is turned
 * away, where that cannot be now. */
bool worker_visitor_carry(struct worker *worker, const struct bind *bind, int fd,
                          const struct adit_address *peer);
/* Says and counts that the session has no stream for a visitor, who waits. */
void worker_visitor_waits(struct worker *worker, const struct agent *agent);
/* Resets a visitor. */
void worker_visitor_turn_away(struct worker *worker, int fd, struct adit_status why);

/* words.c: whether the kernel holds visitors of a port back until they have said something. */
/* The port is new to this worker: nobody is held back. */
void worker_words_begin(struct bind *bind);
/* Of a pump of this tunnel (the hub's call): the visitor's word came first, or the program's. */
void worker_pump_spoke(void *context, uint64_t user, bool is_visitor);

/* through.c: visitors of TLS tunnels, handed over by the door. */
size_t worker_waiting_size(void);
void worker_through_arrived(struct worker *worker, struct adit_message *message);
void worker_waiting_close(struct worker *worker);

/* web.c: HTTP, by the proxy. */
struct adit_status worker_web_open(struct worker *worker);
void worker_web_arrived(struct worker *worker, struct adit_message *message);
void worker_pump_dialled(void *context, struct adit_handle pump, uint64_t user,
                         enum adit_dial_result result);
void worker_pump_closed(void *context, struct adit_handle pump, uint64_t user,
                        enum adit_pump_end end);
void worker_pipe_data(void *context, struct adit_handle pipe, uint64_t user,
                      struct adit_bytes bytes);
void worker_pipe_finished(void *context, struct adit_handle pipe, uint64_t user);
struct adit_pipe_filled worker_pipe_fill(void *context, struct adit_handle pipe, uint64_t user,
                                         struct adit_span room);
bool worker_memory_short(void *context, size_t bytes);
void worker_turn(void *context);

/* snapshot.c: which tokens are revoked. */
void worker_snapshot_arrived(struct worker *worker, struct adit_message *message);
bool worker_token_is_revoked(const struct worker *worker, const struct adit_token_rights *rights);

/* probes.c: what the door asks of a session that another one of its account rivals. */
size_t worker_probe_size(void);
void worker_probe_arrived(struct worker *worker, struct adit_message *message);
void worker_evict_arrived(struct worker *worker, struct adit_message *message);
/* The door that asked has gone. */
void worker_probes_forget(struct worker *worker);

/* load.c: how much this worker carries. */
/* Tells the door soon, where that has changed. */
void worker_load_look(struct worker *worker);
/* A new door knows nothing yet. */
void worker_load_tell(struct worker *worker);

/* busy.c: agents that one worker is not enough for. Called each turn: bytes have moved, perhaps. */
void worker_busy_look(struct worker *worker);
/* A second later. */
void worker_busy_measure(struct worker *worker);
/* The road to an agent loses packets by chance (the hub's call). */
void worker_agent_lossy(void *context, struct adit_handle link, uint64_t user, bool is_mended);

/* rest.c: what a crowd took goes back to the system. Called each turn: somebody may have gone. */
void worker_rest_look(struct worker *worker);
/* When nobody has come for WORKER_REST_US. */
void worker_rest_take(struct worker *worker);
/* retry.c: how its agents are to come back, should this worker end. */
/* To one that has just logged in, and to some others for whom it has changed. */
void worker_retry_tell(struct worker *worker, struct agent *agent);
/* One has gone. */
void worker_retry_look(struct worker *worker);

/* orphans.c */
size_t worker_orphan_size(void);
void worker_orphan_arrived(struct worker *worker, struct adit_message *message);
void worker_orphans_close(struct worker *worker);

/* drain.c: STOP, the end in order. */
void worker_stop_asked(struct worker *worker, struct adit_message *message);
/* To an agent, once the end has been asked for. */
void worker_drain_tell(struct worker *worker, const struct agent *agent);

/* counters.c: what STATUS tells, in the order of ADIT_COUNTERS_WORKER. */
void worker_counters_fill(const struct worker *worker, struct adit_message_counters *out_counters);

/* channels.c */
struct adit_status worker_supervisor_watch(struct worker *worker);
void worker_door_send(struct worker *worker, struct adit_message *message);

/* credentials.c */
/* Certificate, key and token key from the message's descriptors, for new connections; on failure
 * the old ones stay. */
struct adit_status worker_credentials_take(struct worker *worker,
                                           const struct adit_message *message);
void worker_tickets_take(struct worker *worker, struct adit_message *message);
void worker_credentials_close(struct worker *worker);

/* start.c: reads WORKER_START and makes everything that needs files or memory. */
struct adit_status worker_start(struct worker *worker, struct adit_message *start);
/* Gives everything back that start made, channels included; what is connected is cut. */
void worker_close(struct worker *worker);

#endif
