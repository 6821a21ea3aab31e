/* Control: what is slow or complicated and on nobody's way: the database, the admin port, and the
 * local commands. Every tunnel goes on while it is away.
 *
 * It writes down which names are in use (LEASE), publishes what the edge has to know (SNAPSHOT)
 * whenever that changes, and answers the commands of aditd and the requests of monitors. Its calls
 * may block for as long as the database does.
 *
 * One struct, one loop, one thread. Limits: the constants here. Process: control. */
#ifndef ADIT_EDGE_CONTROL_CONTROL_H
#define ADIT_EDGE_CONTROL_CONTROL_H

#include "ipc/channel.h"
#include "ipc/counters.h"
#include "net/loop.h"
#include "store/store.h"
#include "wire/http_head.h"

#define CONTROL_LOCAL_MAX 16 /* connections of local commands at once */
#define CONTROL_ADMIN_MAX 64 /* connections of the admin port at once */
#define CONTROL_CLIENT_US (5u * ADIT_SECOND_US)      /* one has so long for all */
#define CONTROL_APPLIED_US (3u * ADIT_SECOND_US)     /* "refresh" waits so long for the edge */
#define CONTROL_LINE_BYTES_MAX 1024                  /* of a local command */
#define CONTROL_REQUEST_BYTES_MAX 8192               /* of an admin request's head */
#define CONTROL_ANSWER_BYTES_MAX (256u * 1024)       /* of any answer */
#define CONTROL_REPORT_US (1u * ADIT_SECOND_US)      /* counters are at most this old */
#define CONTROL_REPORT_LOST_US (4u * ADIT_SECOND_US) /* asked so long ago: ask again */
#define CONTROL_ROLES_MAX 18                         /* control, a door, 16 workers */
#define CONTROL_POLL_US (500u * ADIT_MS_US)          /* has another process written? */
#define CONTROL_PUBLISH_US (200u * ADIT_MS_US)       /* between two for leases alone, at least, */
#define CONTROL_PUBLISH_SHARE 10                     /* and so many times what the last one took */
#define CONTROL_RETRY_US (1u * ADIT_SECOND_US)       /* after the database failed */
#define CONTROL_EXPIRE_US (30u * ADIT_SECOND_US)     /* between two looks for what is over */
#define CONTROL_LEASES_MAX 4096 /* that wait for the database; no more are read at half of it */

/* --- Clients: connections of local commands and of the admin port ----------------------------- */

enum control_client_kind { CONTROL_CLIENT_LOCAL, CONTROL_CLIENT_ADMIN };

/* What it waits for. */
enum control_want {
    CONTROL_WANT_REQUEST, /* the rest of its request */
    CONTROL_WANT_TAKEN,   /* that the edge acts by `version` */
    CONTROL_WANT_REPORT,  /* counters, for `write` */
    CONTROL_WANT_SENT,    /* that its answer goes */
};

struct control;
typedef struct adit_status control_write_fn(struct control *control, struct adit_writer *writer);

struct control_client {
    enum control_client_kind kind;
    enum control_want want;
    int fd;
    struct adit_handle self, watch, timer;
    uint64_t version;
    control_write_fn *write;    /* the whole answer, once the counters are there */
    struct adit_http_scan scan; /* of an admin request */
    size_t in_len;
    struct adit_span out; /* the answer */
    size_t out_sent;
    uint8_t in[CONTROL_REQUEST_BYTES_MAX];
};

/* --- Leases that wait for the database -------------------------------------------------------- */

struct control_lease {
    ADIT_FIELD(ADIT_NAME_BYTES_MAX) name;
    ADIT_FIELD(ADIT_TOKEN_ACCOUNT_BYTES) account;
    uint64_t at_s;
    bool is_use; /* else: it has ended */
};

/* --- Report: counters of the roles ------------------------------------------------------------ */

struct control_role {
    bool is_there;
    uint32_t index; /* as in ROLE_STATUS */
    uint32_t pid, starts;
    struct adit_message_counters counters;
};

struct control_report {
    struct control_role roles[CONTROL_ROLES_MAX];
    uint32_t expected, ready; /* doors and workers */
    uint32_t uptime_s;        /* of the server */
};

/* ---------------------------------------------------------------------------------------------- */

struct control {
    struct adit_loop loop;
    struct adit_log log;
    struct adit_channel supervisor;
    struct adit_handle supervisor_watch;
    uint32_t supervisor_interest;
    struct adit_store store;
    ADIT_FIELD(ADIT_MESSAGE_TEXT_MAX) domain; /* of the server: a Host of the admin port */
    uint32_t hold_s;   /* a name stays with its account */
    bool is_sandboxed; /* the start message wants a sandbox */
    uint64_t client_us, applied_us; /* the constants above; tests are in more of a hurry */

    int admin_listener, local_listener;
    struct adit_handle admin_watch, local_watch;
    struct adit_pool clients;
    uint32_t local_count, admin_count;
    struct adit_span scratch; /* an answer being written */

    struct adit_span leases; /* a ring of struct control_lease */
    uint32_t lease_head, lease_count;
    uint64_t lease_retry_us; /* not before */
    bool is_settled;         /* what was in use before the start is held now */

    struct adit_span snapshot; /* one being written */
    uint64_t version, taken;   /* of the last snapshot; that every door and worker acts by */
    uint64_t published_us, took_us;            /* when the last one was, and for how long */
    uint64_t change, expire_us;
    struct adit_handle publish_timer, poll_timer;
    uint64_t publish_due_us; /* of the timer; 0: not set */
    bool is_failing;         /* the database did at the last try: told once */

    struct control_report report, gathering;
    uint64_t report_us, asked_us; /* 0: never */
    uint64_t request;
};

/* control.c. Waits for the start message on `supervisor_fd` (taken over). */
struct adit_status control_open(struct control *control, int supervisor_fd);
/* In the sandbox: opens the database, says READY, publishes, and takes connections. */
struct adit_status control_begin(struct control *control);
void control_close(struct control *control);

/* leases.c. FULL at CONTROL_LEASES_MAX, INVALID for what is no name or account. */
struct adit_status control_lease_put(struct control *control, const struct adit_message *message);
/* Writes down what waits, all in one transaction. */
void control_leases_apply(struct control *control);

/* publish.c */
struct adit_status control_publish_begin(struct control *control);
struct adit_status control_publish(struct control *control); /* now */
void control_publish_at(struct control *control, uint64_t when_us);
/* Tell a failure of the database, once until it can be written again. */
void control_store_tell(struct control *control, struct adit_status status);
void control_store_written(struct control *control, struct adit_status status);

/* client.c */
struct adit_status control_clients_begin(struct control *control);
/* Sends `answer` and closes. The client is gone then, or soon. */
void control_client_answer(struct control *control, struct control_client *client,
                           struct adit_bytes answer);
void control_client_close(struct control *control, struct control_client *client);
void control_client_deadline_set(struct control *control, struct control_client *client,
                                 uint64_t after_us);
/* Answers with what `write` makes, now or once there are counters that are new enough. */
void control_client_report(struct control *control, struct control_client *client,
                           control_write_fn *write);
void control_clients_taken(struct control *control);    /* `taken` has changed */
void control_clients_reported(struct control *control); /* there is a new report */

/* local.c: one whole line, without its end. */
void control_local_line(struct control *control, struct control_client *client,
                        struct adit_bytes line);
void control_local_applied(struct control *control, struct control_client *client);

/* admin.c: as many bytes of a request as there are. */
void control_admin_bytes(struct control *control, struct control_client *client,
                         struct adit_bytes bytes);

/* report.c. True where a report is there that is new enough; else one is asked for. */
bool control_report_want(struct control *control);
void control_report_role(struct control *control, const struct adit_message *message);
void control_report_end(struct control *control, const struct adit_message *message);
bool control_report_is_ready(const struct control *control);
/* The answers: JSON and a newline; the metrics as text. */
struct adit_status control_status_write(struct control *control, struct adit_writer *writer);
struct adit_status control_metrics_write(struct control *control, struct adit_writer *writer);

#endif
