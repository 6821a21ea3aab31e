/* Door: accepts the public's connections, looks at their first bytes without taking them, and hands
 * the untouched socket to a worker; binds the ports of TCP tunnels. Holds no key, decrypts nothing,
 * opens no file.
 *
 * One struct, one loop, one thread. Limits: the constants here, and those of admission.h, ports.h
 * and the channels. Process: door. */
#ifndef ADIT_EDGE_DOOR_DOOR_H
#define ADIT_EDGE_DOOR_DOOR_H

#include "edge/door/admission.h"
#include "edge/door/first.h"
#include "edge/door/names.h"
#include "edge/door/ports.h"
#include "ipc/channel.h"
#include "ipc/counters.h"
#include "net/loop.h"

#define ADIT_DOOR_WORKERS_MAX 16
#define ADIT_DOOR_PENDING_MAX 1024                 /* connections being looked at, or waiting */
#define ADIT_DOOR_HELLO_US (10u * ADIT_SECOND_US)  /* to send a ClientHello, or wait for a worker */
#define ADIT_DOOR_PARKED_MAX 512                   /* of them: that wait for an agent */
#define ADIT_DOOR_GRACE_US (10u * ADIT_SECOND_US)  /* a port or name without a session */
#define ADIT_DOOR_SNAPSHOT_US (2u * ADIT_SECOND_US) /* a new door's wait for a current snapshot */
#define ADIT_DOOR_TELL_US ADIT_SECOND_US /* a new worker's time to say what it has */
#define ADIT_DOOR_PROBES_MAX 256 /* claims that wait for a probe */
#define ADIT_DOOR_PROBE_US (2u * ADIT_SECOND_US) /* for a worker to say whether a session lives */
#define ADIT_DOOR_PAUSE_US (100u * ADIT_MS_US)     /* of accepting, when descriptors run out */

/* What the door itself turns away, and the reason code in its log. */
#define ADIT_DOOR_DROP_TABLE(ROW)                                                               \
    ROW(EARLY, "over_limit")          /* too many agents are logging in */                      \
    ROW(SOURCE, "over_source_limit")  /* too many of them from one neighbourhood */             \
    ROW(TIMEOUT, "hello_timeout")     /* no whole ClientHello within the deadline */            \
    ROW(CUT, "hello_cut")             /* ended, or was reset, before its ClientHello did */     \
    ROW(CROWDED, "over_pending_limit") /* the oldest of too many that say nothing */            \
    ROW(NO_WORKER, "no_worker")       /* no worker took it within the deadline */               \
    ROW(STOPPING, "stopping")         /* silent, or an agent, when the server ends */           \
    ROW(ERROR, "internal")            /* a call of the system failed */

enum adit_door_drop {
#define ADIT_DOOR_DROP_ENUM(NAME, text) ADIT_DOOR_DROP_##NAME,
    ADIT_DOOR_DROP_TABLE(ADIT_DOOR_DROP_ENUM)
#undef ADIT_DOOR_DROP_ENUM
};
#define ADIT_DOOR_DROPS 8

/* One line a second for each reason; the others are counted. */
struct adit_door_tally {
    uint64_t next_us;
    uint64_t unsaid;
};

struct adit_door_worker {
    struct adit_channel channel;
    struct adit_handle watch;
    uint64_t wiring; /* the supervisor's number of this channel */
    uint64_t wired_us;
    bool has_told; /* every port and name that it has */
    uint32_t sessions, streams; /* what it carries, by its last LOAD */
    uint32_t agents_given;      /* agents handed to it that are not among them yet */
    uint32_t agents_open;       /* of them, those that have not logged in, or ended */
    uint32_t visitors_given;    /* visitors handed to it since */
};

struct adit_door {
    struct adit_loop loop;
    struct adit_log log;
    struct adit_channel supervisor;
    struct adit_handle supervisor_watch;
    int listener;      /* HTTPS */
    int http_listener; /* plain */
    struct adit_handle listener_watch, http_watch;
    struct adit_handle pause_timer;
    struct adit_message_text domain; /* lower case */
    struct adit_pool pendings; /* peek.c */
    uint32_t waiting, parked;  /* of them */
    struct adit_span scratch;  /* where first bytes are looked at */
    struct adit_admission admission;
    struct adit_ports ports;
    struct adit_names names;
    struct adit_span claims;  /* claims.c: those that wait for a snapshot */
    uint32_t claims_waiting;  /* how many */
    uint32_t snapshots_wanted; /* for how many snapshots they wait */
    uint64_t claims_end_us;   /* until then they may */
    struct adit_handle claims_timer;
    struct adit_pool probes;  /* probes.c: those that wait for a worker's word */
    struct adit_address tcp_address; /* where tunnels are bound */
    struct adit_handle grace_timer;
    struct adit_handle tell_timer;
    struct adit_door_worker workers[ADIT_DOOR_WORKERS_MAX];
    uint32_t turn; /* the worker whose turn it is */
    struct adit_jitter jitter;
    struct adit_door_tally tallies[ADIT_DOOR_DROPS];
    uint64_t accepted, dropped; /* counters */
    /* The constants above; tests are in more of a hurry. */
    uint64_t hello_us, grace_us, tell_us, probe_us;
    struct adit_handle stop_timer;
    bool is_gathering;    /* what workers are sent waits for company */
    bool is_stopping;     /* takes nothing new; ends with its last worker, or at stop_timer */
    bool is_http_serving; /* the HTTP port; else it redirects */
    bool is_told_more;    /* a snapshot follows that is newer than the first */
    bool is_sandboxed;    /* the start message wants a sandbox */
};

/* Waits for the start message on `supervisor_fd` (taken over), and makes everything ready. */
struct adit_status adit_door_open(struct adit_door *door, int supervisor_fd);

/* Says READY and begins to accept: after the sandbox is closed. */
struct adit_status adit_door_begin(struct adit_door *door);

void adit_door_close(struct adit_door *door);

/* Counts a connection that is turned away, and logs it, sampled. */
void adit_door_drop_log(struct adit_door *door, enum adit_door_drop reason,
                        const struct adit_address *peer);

#endif
