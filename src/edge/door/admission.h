/* Admission: how many agent connections that have not logged in yet may exist, in all and from one
 * neighbourhood. A handshake costs the server more than it costs the stranger, so this is decided
 * before a worker sees the socket.
 *
 * In all: early random drop, as OpenSSH's MaxStartups does it: below `begin` nothing is dropped,
 * from there `percent` of the newcomers, rising to all of them at `full`. So a flood makes an
 * honest agent try again, it does not shut it out. From one source: at most `source_max`; a source
 * is an IPv4 /24 or an IPv6 /64. Loopback has no limit of its own: behind a proxy or in development
 * everybody comes from there, and who is on the machine already has better ways to harm it.
 *
 * Pure: time and randomness are arguments. A ticket that its worker forgets ends by itself. */
#ifndef ADIT_EDGE_DOOR_ADMISSION_H
#define ADIT_EDGE_DOOR_ADMISSION_H

#include "base/base.h"
#include "net/socket.h"

#define ADIT_ADMISSION_TICKETS_MAX 256
#define ADIT_ADMISSION_TICKET_US (30u * ADIT_SECOND_US) /* the worker's own deadline is 10 s */

struct adit_admission_limits {
    uint32_t begin, percent, full; /* 10, 30, 100; full at most ADIT_ADMISSION_TICKETS_MAX */
    uint32_t source_max;           /* 8 */
};

struct adit_admission {
    struct adit_admission_limits limits;
    struct adit_pool tickets;
    struct adit_table sources; /* neighbourhood -> how many tickets */
};

struct adit_admission_ask {
    struct adit_address peer;
    uint32_t worker; /* who will get the connection */
    uint64_t now_us;
    uint64_t draw; /* any random number */
};

enum adit_admission_verdict {
    ADIT_ADMISSION_GRANTED,
    ADIT_ADMISSION_EARLY_DROP,  /* the random drop, or all are taken */
    ADIT_ADMISSION_SOURCE_FULL, /* too many from there */
};

struct adit_status adit_admission_init(struct adit_admission *admission,
                                       const struct adit_admission_limits *limits,
                                       struct adit_siphash_key seed);
void adit_admission_deinit(struct adit_admission *admission);

/* GRANTED: *out_ticket must come back by done, worker_gone, or its time. */
enum adit_admission_verdict adit_admission_try(struct adit_admission *admission,
                                               const struct adit_admission_ask *ask,
                                               struct adit_handle *out_ticket);

/* The connection has logged in or ended. Stale tickets, and those of other workers, are ignored. */
void adit_admission_done(struct adit_admission *admission, struct adit_handle ticket,
                         uint32_t worker);
void adit_admission_worker_gone(struct adit_admission *admission, uint32_t worker);

uint32_t adit_admission_count(const struct adit_admission *admission);

#endif
