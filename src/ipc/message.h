/* Message: what the processes say to each other, as one table; and its bytes on a channel.
 *
 * A message is u16 type, u16 version (1), then its fields in the order of the field table, all
 * big-endian; texts are u8 length and bytes, an address is u8 family, u16 port and 16 bytes.
 * Descriptors travel beside the bytes (SCM_RIGHTS), exactly as many as the table says. A message
 * that is not exactly of this form, or that this edge may not carry, is INVALID: the peer is then
 * treated as taken over and its channel closed.
 *
 * Limits: ADIT_MESSAGE_BYTES_MAX bytes, ADIT_MESSAGE_FDS_MAX descriptors. Process: supervisor,
 * door, worker, control. Allocates nothing. */
#ifndef ADIT_IPC_MESSAGE_H
#define ADIT_IPC_MESSAGE_H

#include "base/base.h"
#include "net/socket.h"
#include "wire/stream_head.h"

#define ADIT_MESSAGE_BYTES_MAX 1024
#define ADIT_MESSAGE_FDS_MAX 8
#define ADIT_MESSAGE_TEXT_MAX 255
#define ADIT_MESSAGE_VERSION 1
#define ADIT_MESSAGE_COUNTERS_MAX 48

/* Which way a message may travel; a set of bits. */
#define ADIT_EDGE_SUPERVISOR_DOOR 0x01u   /* from supervisor to door */
#define ADIT_EDGE_SUPERVISOR_WORKER 0x02u /* from supervisor to worker */
#define ADIT_EDGE_DOOR_SUPERVISOR 0x04u
#define ADIT_EDGE_WORKER_SUPERVISOR 0x08u
#define ADIT_EDGE_DOOR_WORKER 0x10u
#define ADIT_EDGE_WORKER_DOOR 0x20u
#define ADIT_EDGE_SUPERVISOR_CONTROL 0x40u
#define ADIT_EDGE_CONTROL_SUPERVISOR 0x80u
#define ADIT_EDGE_TO_EDGES (ADIT_EDGE_SUPERVISOR_DOOR | ADIT_EDGE_SUPERVISOR_WORKER)
#define ADIT_EDGE_FROM_EDGES (ADIT_EDGE_DOOR_SUPERVISOR | ADIT_EDGE_WORKER_SUPERVISOR)
#define ADIT_EDGE_TO_ROLES (ADIT_EDGE_TO_EDGES | ADIT_EDGE_SUPERVISOR_CONTROL)
#define ADIT_EDGE_TO_SUPERVISOR (ADIT_EDGE_FROM_EDGES | ADIT_EDGE_CONTROL_SUPERVISOR)

/* Every field that a message can have: bit name, member of struct adit_message, kind. */
#define ADIT_MESSAGE_FIELD_TABLE(ROW)                                                           \
    ROW(REQUEST, request, u64)        /* who asked: the answer repeats it */                    \
    ROW(SESSION, session, u64)        /* a session of the worker, by its number there */        \
    ROW(VERSION, version, u64)        /* of a snapshot: grows */                                \
    ROW(SEED, seed, u64)              /* the same for the same tunnel of the same agent */      \
    ROW(INDEX, index, u32)            /* which worker */                                        \
    ROW(SLOT, slot, u32)              /* which of its agent's sessions: 0 the first */          \
    ROW(OPTIONS, options, u32)        /* ADIT_START_ bits */                                    \
    ROW(COUNT, count, u32)                                                                      \
    ROW(STREAMS, streams, u32)                                                                  \
    ROW(UPTIME, uptime_s, u32)        /* since the server was started */                        \
    ROW(DRAIN, drain_ms, u32)         /* how long what runs may go on */                        \
    ROW(PORT, port, u16)                                                                        \
    ROW(PORT_FROM, port_from, u16)                                                              \
    ROW(PORT_TO, port_to, u16)                                                                  \
    ROW(KIND, kind, kind)                                                                       \
    ROW(REASON, reason, reason)                                                                 \
    ROW(REFUSAL, refusal, refusal)                                                              \
    ROW(NAME_REFUSAL, name_refusal, name_refusal)                                               \
    ROW(ADDRESS, address, address)                                                              \
    ROW(DOMAIN, domain, text)                                                                   \
    ROW(ACCOUNT, account, text)                                                                 \
    ROW(INSTANCE, instance, text)     /* of an agent process: the same in all its sessions */   \
    ROW(NAME, name, text)             /* of a tunnel: a label, without the domain */            \
    ROW(SECRET, secret, text)         /* never logged */                                        \
    ROW(COUNTERS, counters, counters)

/* Every message: name, number on the wire, edges, descriptors, fields. */
#define ADIT_MESSAGE_TABLE(ROW)                                                                 \
    /* First message to a door. fds: the listeners of HTTPS and HTTP. address: where TCP tunnels \
     * are bound; port_from to port_to: their range; count: unauthenticated agents a source may  \
     * hold. A SNAPSHOT follows where there is one. */                                          \
    ROW(DOOR_START, 1, ADIT_EDGE_SUPERVISOR_DOOR, 2,                                            \
        F(OPTIONS) | F(COUNT) | F(PORT_FROM) | F(PORT_TO) | F(ADDRESS) | F(DOMAIN))             \
    /* First message to a worker. fds: certificate PEM, key PEM, token key; read-only. port: the \
     * public HTTPS port; address: where TCP tunnels are bound; count: workers that there are to  \
     * be. A SNAPSHOT follows where there is one. */                                            \
    ROW(WORKER_START, 2, ADIT_EDGE_SUPERVISOR_WORKER, 3,                                        \
        F(INDEX) | F(OPTIONS) | F(COUNT) | F(PORT) | F(ADDRESS) | F(DOMAIN))                    \
    /* A channel to worker `index`, new or in place of its last one. fd: this end. request: the  \
     * number of this wiring. */                                                                \
    ROW(WIRE_WORKER, 3, ADIT_EDGE_SUPERVISOR_DOOR, 1, F(REQUEST) | F(INDEX))                    \
    /* The channel to the door, new or in place of the last one. fd: this end. The worker       \
     * answers on it with an OWN for each of its TCP ports, then OWN_END. */                    \
    ROW(WIRE_DOOR, 4, ADIT_EDGE_SUPERVISOR_WORKER, 1, 0)                                        \
    /* The role has read its start message, entered its sandbox and serves. */                  \
    ROW(READY, 5, ADIT_EDGE_TO_SUPERVISOR, 0, 0)                                                \
    /* End within drain_ms: take nothing new, cut visibly what is left then. */                 \
    ROW(STOP, 6, ADIT_EDGE_TO_ROLES, 0, F(DRAIN))                                               \
    /* New certificate, key and token key, in place of those of WORKER_START. */                \
    ROW(CREDENTIALS, 7, ADIT_EDGE_SUPERVISOR_WORKER, 3, 0)                                      \
    /* From control to the supervisor, and on to every door and worker: how are you? From the    \
     * supervisor alone, with request 0: is anybody there? */                                   \
    ROW(STATUS_ASK, 8, ADIT_EDGE_TO_ROLES | ADIT_EDGE_CONTROL_SUPERVISOR, 0, F(REQUEST))        \
    /* The answer: the counters of counters.h, in the order of the role's table. */             \
    ROW(STATUS, 9, ADIT_EDGE_TO_SUPERVISOR, 0, F(REQUEST) | F(COUNTERS))                        \
    /* Worker `index` broke the rules on the channel of wiring `request`, which is closed now:  \
     * end that worker. */                                                                      \
    ROW(BROKEN, 10, ADIT_EDGE_DOOR_SUPERVISOR, 0, F(REQUEST) | F(INDEX))                        \
    /* First message to control. fds: the database's folder, the listener of --admin, that of \
     * the local commands. count: seconds for which a name stays with its account. */           \
    ROW(CONTROL_START, 11, ADIT_EDGE_SUPERVISOR_CONTROL, 3, F(OPTIONS) | F(COUNT) | F(DOMAIN))   \
    /* Leases and revocations as of `version`: a sealed memfd, see wire/snapshot.h. The           \
     * supervisor keeps the latest and gives it to every door and worker, old and new. */       \
    ROW(SNAPSHOT, 12, ADIT_EDGE_CONTROL_SUPERVISOR | ADIT_EDGE_TO_EDGES, 1, F(VERSION))         \
    /* The role acts by it now; to control once every door and worker does. */                  \
    ROW(SNAPSHOT_TAKEN, 13, ADIT_EDGE_FROM_EDGES | ADIT_EDGE_SUPERVISOR_CONTROL, 0, F(VERSION)) \
    /* A name is in use by an account (count 1), or was until now (0). Passed on to control. */ \
    ROW(LEASE, 14, ADIT_EDGE_DOOR_SUPERVISOR | ADIT_EDGE_SUPERVISOR_CONTROL, 0,                 \
        F(COUNT) | F(NAME) | F(ACCOUNT))                                                        \
    /* Control is new: the door says every LEASE that holds again. */                           \
    ROW(LEASES_ASK, 15, ADIT_EDGE_SUPERVISOR_DOOR, 0, 0)                                        \
    /* A connection whose ClientHello offers adit/1, untouched. The worker repeats `request` in  \
     * AGENT_DONE once it has logged in or ended. address: the peer. */                         \
    ROW(AGENT, 16, ADIT_EDGE_DOOR_WORKER, 1, F(REQUEST) | F(ADDRESS))                           \
    /* A connection nobody owns, untouched: the worker answers as `reason` asks and closes. */  \
    ROW(ORPHAN, 17, ADIT_EDGE_DOOR_WORKER, 1, F(REASON) | F(ADDRESS))                           \
    /* Wants a port; 0: any of the range. Answered with BOUND or BIND_REFUSED. */               \
    ROW(BIND, 18, ADIT_EDGE_WORKER_DOOR, 0,                                                     \
        F(REQUEST) | F(SESSION) | F(SLOT) | F(PORT) | F(KIND) | F(ACCOUNT) | F(INSTANCE))       \
    /* fd: the listening socket, non-blocking. */                                               \
    ROW(BOUND, 19, ADIT_EDGE_DOOR_WORKER, 1, F(REQUEST) | F(SESSION) | F(PORT))                 \
    ROW(BIND_REFUSED, 20, ADIT_EDGE_DOOR_WORKER, 0, F(REQUEST) | F(REFUSAL))                    \
    /* The session gives the port up. count 1: keep it for the grace (the agent went away); 0:  \
     * close it now (the agent asked). */                                                       \
    ROW(UNBIND, 21, ADIT_EDGE_WORKER_DOOR, 0, F(SESSION) | F(COUNT) | F(PORT))                  \
    /* To a new door: this worker owns the port. fd: a duplicate of the listener. */            \
    ROW(OWN, 22, ADIT_EDGE_WORKER_DOOR, 1,                                                      \
        F(SESSION) | F(SLOT) | F(PORT) | F(ACCOUNT) | F(INSTANCE))                              \
    ROW(OWN_END, 23, ADIT_EDGE_WORKER_DOOR, 0, 0)                                               \
    /* The connection of AGENT `request` has logged in, or ended before that. */                \
    ROW(AGENT_DONE, 24, ADIT_EDGE_WORKER_DOOR, 0, F(REQUEST))                                   \
    /* A visitor whose HTTP the worker speaks, untouched: TLS with server name `domain` (empty:  \
     * none), or plain where `options` has ADIT_WEB_PLAIN, and then `domain` is the host of its   \
     * first request, where the door could tell. */                                             \
    ROW(WEB, 25, ADIT_EDGE_DOOR_WORKER, 1, F(OPTIONS) | F(ADDRESS) | F(DOMAIN))                 \
    /* A visitor of a TLS tunnel, untouched: its bytes go to the agent as they are. */          \
    ROW(THROUGH, 26, ADIT_EDGE_DOOR_WORKER, 1, F(SESSION) | F(ADDRESS) | F(NAME))               \
    /* Wants a name; empty: one drawn from `seed`. Answered with CLAIMED or CLAIM_REFUSED. */   \
    ROW(CLAIM, 27, ADIT_EDGE_WORKER_DOOR, 0,                                                    \
        F(REQUEST) | F(SESSION) | F(SLOT) | F(SEED) | F(KIND) | F(ACCOUNT) | F(NAME) |          \
            F(INSTANCE))                                                                        \
    ROW(CLAIMED, 28, ADIT_EDGE_DOOR_WORKER, 0, F(REQUEST) | F(SESSION) | F(NAME))               \
    ROW(CLAIM_REFUSED, 29, ADIT_EDGE_DOOR_WORKER, 0, F(REQUEST) | F(NAME_REFUSAL))              \
    /* The session gives the name up. count 1: the agent went away; 0: it asked. Either way the  \
     * name stays with its account for a time. */                                               \
    ROW(RELEASE, 30, ADIT_EDGE_WORKER_DOOR, 0, F(SESSION) | F(COUNT) | F(NAME))                 \
    /* To a new door, before OWN_END: this session has the name. */                             \
    ROW(HOLD, 31, ADIT_EDGE_WORKER_DOOR, 0,                                                     \
        F(SESSION) | F(SLOT) | F(KIND) | F(ACCOUNT) | F(NAME) | F(INSTANCE))                    \
    /* From the supervisor to control: the counters of one role. index: 0 the door, 1 on: the     \
     * workers, or ADIT_ROLE_STATUS_CONTROL; count: its process id; streams: how often it was     \
     * started. Without counters: it is not ready, or did not answer. */                        \
    ROW(ROLE_STATUS, 32, ADIT_EDGE_SUPERVISOR_CONTROL, 0,                                       \
        F(REQUEST) | F(INDEX) | F(COUNT) | F(STREAMS) | F(COUNTERS))                            \
    /* All that could answer STATUS_ASK `request` have. count: doors and workers that there are   \
     * to be; streams: that are ready and answered. */                                          \
    ROW(STATUS_END, 33, ADIT_EDGE_SUPERVISOR_CONTROL, 0,                                        \
        F(REQUEST) | F(COUNT) | F(STREAMS) | F(UPTIME))                                         \
    /* Keys of TLS session tickets, 80 bytes each (name 16, AES 32, HMAC 32): the one for new     \
     * tickets, then the one before it, if there is one. At a worker's start and every 12 h. */  \
    ROW(TICKETS, 34, ADIT_EDGE_SUPERVISOR_WORKER, 0, F(SECRET))                                 \
    /* How much a worker carries: count: sessions, streams: streams and HTTP connections. When    \
     * it has changed, at most four times a second. */                                          \
    ROW(LOAD, 35, ADIT_EDGE_WORKER_DOOR, 0, F(COUNT) | F(STREAMS))                              \
    /* Does this session live? Another of its account wants what it has. Answered within a        \
     * second by PROBED: count 1: it said something since; 0: it did not, or is gone. */         \
    ROW(PROBE, 36, ADIT_EDGE_DOOR_WORKER, 0, F(REQUEST) | F(SESSION))                           \
    ROW(PROBED, 37, ADIT_EDGE_WORKER_DOOR, 0, F(REQUEST) | F(COUNT))                            \
    /* A newer session has taken this one's place: end it. What it had is the newer one's. */    \
    ROW(EVICT, 38, ADIT_EDGE_DOOR_WORKER, 0, F(SESSION))                                        \
    /* count: seconds for which a name stays with its account, from now on. */                  \
    ROW(NAME_HOLD, 39, ADIT_EDGE_SUPERVISOR_CONTROL, 0, F(COUNT))                               \
    /* A door takes another's place: control makes a SNAPSHOT of all it has heard, at once. */    \
    ROW(SNAPSHOT_ASK, 40, ADIT_EDGE_SUPERVISOR_CONTROL, 0, 0)

enum adit_message_type {
    ADIT_MESSAGE_NONE = 0,
#define ADIT_MESSAGE_ENUM(NAME, number, edges, fds, fields) ADIT_MESSAGE_##NAME = (number),
    ADIT_MESSAGE_TABLE(ADIT_MESSAGE_ENUM)
#undef ADIT_MESSAGE_ENUM
};

/* Bits of `options`. */
#define ADIT_START_JSON 0x1u       /* log as JSON */
#define ADIT_START_NO_SANDBOX 0x2u /* the person asked for none */
#define ADIT_START_HTTP_SERVE 0x4u /* the HTTP port serves; else it redirects to HTTPS */
#define ADIT_WEB_PLAIN 0x8u        /* of WEB: came at the HTTP port */
#define ADIT_WEB_UNKNOWN 0x10u     /* of WEB: its name is nobody's, and no worker's to come */
#define ADIT_START_POLLING 0x20u   /* poll before sleeping, where that pays */
#define ADIT_START_ASKED 0x40u     /* of DOOR_START: a newer SNAPSHOT was asked for and follows */

/* index of ROLE_STATUS: control itself, which has no counters. */
#define ADIT_ROLE_STATUS_CONTROL UINT32_MAX

/* Why a connection is an orphan. */
#define ADIT_ORPHAN_TABLE(ROW)                                                                  \
    ROW(PLAIN, "plain")           /* not TLS: answered with a 400 in plain text */              \
    ROW(OTHER_ALPN, "other_alpn") /* TLS, ALPN with no protocol that we speak */                \
    ROW(BAD_HELLO, "bad_hello")   /* TLS whose ClientHello breaks the rules */                  \
    ROW(TOO_OLD, "too_old")       /* TLS, no version we speak */

enum adit_orphan {
#define ADIT_ORPHAN_ENUM(NAME, text) ADIT_ORPHAN_##NAME,
    ADIT_ORPHAN_TABLE(ADIT_ORPHAN_ENUM)
#undef ADIT_ORPHAN_ENUM
};

/* Why the door refuses a port. */
#define ADIT_PORT_REFUSAL_TABLE(ROW)                                                            \
    ROW(TAKEN, "port_taken")        /* somebody else has it, or another program */              \
    ROW(RANGE, "port_range")        /* outside the range */                                     \
    ROW(LIMIT, "limit_reached")     /* no port is left, or too many */                          \
    ROW(UNSUPPORTED, "unsupported") /* a kind that has no port */

enum adit_port_refusal {
#define ADIT_PORT_REFUSAL_ENUM(NAME, text) ADIT_PORT_REFUSAL_##NAME,
    ADIT_PORT_REFUSAL_TABLE(ADIT_PORT_REFUSAL_ENUM)
#undef ADIT_PORT_REFUSAL_ENUM
};

/* Why the door refuses a name. */
#define ADIT_NAME_REFUSAL_TABLE(ROW)                                                            \
    ROW(TAKEN, "name_taken")       /* another account holds it */                               \
    ROW(RESERVED, "name_reserved") /* ours, or one that would mislead */                        \
    ROW(INVALID, "name_invalid")                                                                \
    ROW(LIMIT, "limit_reached")    /* no room for another name */

enum adit_name_refusal {
#define ADIT_NAME_REFUSAL_ENUM(NAME, text) ADIT_NAME_REFUSAL_##NAME,
    ADIT_NAME_REFUSAL_TABLE(ADIT_NAME_REFUSAL_ENUM)
#undef ADIT_NAME_REFUSAL_ENUM
};

struct adit_message_counters {
    uint8_t count;
    uint64_t values[ADIT_MESSAGE_COUNTERS_MAX];
};

struct adit_message_text {
    uint8_t len;
    uint8_t bytes[ADIT_MESSAGE_TEXT_MAX];
};

/* All fields as plain members; those that the type does not have are zero and are not sent. */
struct adit_message {
    enum adit_message_type type;
    uint64_t request, session, version, seed;
    uint32_t index, slot, options, count, streams, uptime_s, drain_ms;
    uint16_t port, port_from, port_to;
    enum adit_tunnel kind;
    enum adit_orphan reason;
    enum adit_port_refusal refusal;
    enum adit_name_refusal name_refusal;
    struct adit_address address;
    struct adit_message_text domain, account, instance, name, secret;
    struct adit_message_counters counters;
    int fds[ADIT_MESSAGE_FDS_MAX];
    size_t fd_count;
};

/* LIMIT where the text is longer than ADIT_MESSAGE_TEXT_MAX. */
struct adit_status adit_message_text_set(struct adit_message_text *text, struct adit_bytes bytes);
struct adit_bytes adit_message_text_get(const struct adit_message_text *text);

/* The lower-case name for logs: "agent_done". */
struct adit_bytes adit_message_name(enum adit_message_type type);
struct adit_bytes adit_orphan_name(enum adit_orphan reason);
struct adit_bytes adit_port_refusal_name(enum adit_port_refusal refusal);
struct adit_bytes adit_name_refusal_name(enum adit_name_refusal refusal);

/* The bytes of a message, without its descriptors. INVALID for a type that is not in the table, a
 * wrong number of descriptors, or an edge that may not carry it; LIMIT where `writer` is small. */
struct adit_status adit_message_write(struct adit_writer *writer, uint32_t edge,
                                      const struct adit_message *message);

/* Decodes one whole message that came with `fd_count` descriptors over `edge`; the fds of
 * *out_message stay empty, they are the caller's business. INVALID as above. */
struct adit_status adit_message_read(struct adit_bytes bytes, uint32_t edge, size_t fd_count,
                                     struct adit_message *out_message);

/* How many descriptors go with the message that these bytes begin; 0 where it has no such type. */
size_t adit_message_fds_of(struct adit_bytes bytes);

/* Closes the descriptors that it still holds. */
void adit_message_fds_close(struct adit_message *message);

/* Takes descriptor `index` out: the caller's from now on. -1 where it is gone or never was. */
int adit_message_fd_take(struct adit_message *message, size_t index);

#endif
