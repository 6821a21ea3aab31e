/* Supervisor: starts the roles, wires them to each other, starts again what ends, and ends what
 * must. It holds the listening sockets and the files of the keys, and reads no byte from the
 * network.
 *
 * Every role has a channel to it. Control comes first; once it has said what the edge has to know
 * (its first snapshot), door and workers start. When door or worker is new, both get the ends of a
 * new channel to each other. Control may end at any time: the others go on with the last snapshot.
 * A role that ends is started again after a back-off; one that closes or breaks its
 * channel, is not ready in time or says nothing for long, is killed first. SIGTERM and SIGINT end
 * everything in order (orders.h), SIGHUP gives the workers the certificate anew.
 *
 * Process: supervisor, one loop. Limits: one control, one door, ADIT_SUPERVISOR_WORKERS_MAX
 * workers. */
#ifndef ADIT_EDGE_SUPERVISOR_SUPERVISOR_H
#define ADIT_EDGE_SUPERVISOR_SUPERVISOR_H

#include "edge/supervisor/backoff.h"
#include "edge/supervisor/child.h"
#include "edge/supervisor/roles.h"
#include "net/signals.h"

#define ADIT_SUPERVISOR_WORKERS_MAX 16
#define ADIT_SUPERVISOR_CHILDREN_MAX (2 + ADIT_SUPERVISOR_WORKERS_MAX)
#define ADIT_SUPERVISOR_CONTROL 0 /* the seats: control, the door, the workers */
#define ADIT_SUPERVISOR_DOOR 1
#define ADIT_SUPERVISOR_WORKER 2
#define ADIT_SUPERVISOR_DRAIN_MS 30000u                 /* unless live.drain_ms says other */
#define ADIT_SUPERVISOR_STOP_US (5u * ADIT_SECOND_US)   /* from the end of that until SIGKILL */
#define ADIT_SUPERVISOR_READY_US (20u * ADIT_SECOND_US) /* from start to READY */
#define ADIT_SUPERVISOR_LEAVE_US (1u * ADIT_SECOND_US)  /* from its closed channel to its end */
#define ADIT_SUPERVISOR_STATUS_US (1u * ADIT_SECOND_US)  /* for all roles to tell their counters */
#define ADIT_SUPERVISOR_PULSE_MS 2000u /* every role is asked so often, */
#define ADIT_SUPERVISOR_SILENT_MAX 5 /* and ended where it let so many go without a word */
#define ADIT_SUPERVISOR_STALL_US (10u * ADIT_SECOND_US) /* control takes no messages: it is ended */
#define ADIT_SUPERVISOR_STALL_MESSAGES 128              /* that wait for it */
#define ADIT_SUPERVISOR_TICKETS_US (12u * 3600 * ADIT_SECOND_US) /* between new ticket keys */
#define ADIT_SUPERVISOR_TICKET_BYTES 80 /* one key: see TICKETS in ipc/message.h */
#define ADIT_SUPERVISOR_CREDENTIALS 3 /* files that every worker gets */
#define ADIT_SUPERVISOR_SOURCE_MAX 8u /* unauthenticated agents from one neighbourhood */

/* In the data folder: by it the commands of aditd talk to a server that runs. */
#define ADIT_SUPERVISOR_SOCKET "aditd.sock"
#define ADIT_SUPERVISOR_NAME_HOLD_S (30u * 24 * 3600)

/* Short lives in a row before the first readiness of all that mean: this will never work. */
#define ADIT_SUPERVISOR_FIRST_STARTS_MAX 5

/* What can change while it runs. */
struct adit_supervisor_live {
    const char *certificate_path;
    const char *key_path;
    uint32_t name_hold_s; /* how long a name stays with its account; 0: 30 days */
    uint32_t drain_ms;    /* given at the end to what is in flight */
};

struct adit_supervisor_options {
    int listener;                    /* the HTTPS port; taken over */
    int http_listener;               /* the HTTP port; taken over */
    int admin_listener;              /* of --admin; taken over */
    int local_listener;              /* of ADIT_SUPERVISOR_SOCKET; taken over */
    uint32_t workers;                /* 1 to ADIT_SUPERVISOR_WORKERS_MAX; 0: 1 */
    const char *store_path;          /* the folder of the database: control's */
    struct adit_address https;       /* where it listens */
    struct adit_bytes domain;
    uint16_t port_from, port_to;     /* of TCP tunnels */
    struct adit_supervisor_live live; /* as of the start */
    const char *token_key_path;
    struct adit_bytes program_folder; /* empty: of the own program */
    uint32_t pulse_ms;                /* between two questions to a role; 0: none is asked */
    int log_fd;                       /* where all logs go: standard error */
    enum adit_log_format format;
    bool is_http_serve; /* the HTTP port serves tunnels; else it redirects to HTTPS */
    bool is_sandbox_off;
    bool is_polling; /* workers poll before they sleep, where that pays */
    void (*serving)(void *context); /* called once, when everything serves; or null */
    /* SIGHUP: brings *live up to date and says in the log what it found; false: it stays as it
     * is, and nothing is read anew. Or null. */
    bool (*reload)(void *context, struct adit_log *log, struct adit_supervisor_live *live);
    void *context;
};

/* A place for a process of a role. */
struct adit_supervisor_seat {
    enum adit_role role;
    uint32_t index; /* of the worker */
    struct adit_role_path path;
    struct adit_child child;
    struct adit_handle watch;    /* of its channel */
    uint32_t interest;           /* of that watch */
    struct adit_handle timer;    /* to its next start, or to its readiness */
    struct adit_backoff backoff;
    bool is_ready;
    uint32_t starts;  /* a counter */
    bool is_told_more; /* a door: a snapshot was asked for that is newer than that of its start */
    uint64_t taken;   /* version of the snapshot that it acts by */
    bool is_asked;    /* has not told its counters yet */
    uint32_t silent; /* pulses in a row since it said something */
    uint64_t wiring; /* number of its last wiring with the door */
};

/* What control and the others have to do with each other. */
struct adit_supervisor_plane {
    int snapshot_fd;      /* the latest; -1: none yet */
    uint64_t version;     /* of it */
    uint64_t told;        /* control knows that every door and worker acts by this one */
    uint64_t request;     /* of the STATUS_ASK that is being answered */
    bool is_asking;
    struct adit_handle status_timer;
    struct adit_handle stall_timer; /* set while too much waits for control */
    struct adit_handle tickets_timer;
    uint8_t tickets[2 * ADIT_SUPERVISOR_TICKET_BYTES]; /* the key for new tickets, the last one */
    size_t ticket_bytes;
};

struct adit_supervisor {
    struct adit_loop loop;
    struct adit_log log;
    struct adit_drain own_log; /* its own lines go the way of all others: never waiting */
    struct adit_signals signals;
    struct adit_supervisor_options options;
    struct adit_supervisor_seat seats[ADIT_SUPERVISOR_CHILDREN_MAX];
    size_t seat_count; /* of them in use */
    struct adit_supervisor_plane plane;
    struct adit_handle stop_timer, pulse_timer;
    int credentials[ADIT_SUPERVISOR_CREDENTIALS]; /* certificate, key, token key; -1: none yet */
    uint64_t wirings;
    uint64_t started_us;
    bool has_edge;   /* door and workers were started */
    bool is_serving; /* was ready once */
    bool is_stopping;
    bool is_control_told; /* to stop: when the others have ended */
    bool has_failed; /* gave up */
};

/* `options` is copied; what it points to must live as long. On failure nothing is left to close,
 * the listener neither. */
struct adit_status adit_supervisor_open(struct adit_supervisor *supervisor,
                                        const struct adit_supervisor_options *options);

/* Starts the roles and serves until a signal ends it. REFUSED where a role never came up. */
struct adit_status adit_supervisor_run(struct adit_supervisor *supervisor);
void adit_supervisor_close(struct adit_supervisor *supervisor);

#endif
