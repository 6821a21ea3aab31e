/* Overview: what a server says of itself, read from its JSON and written as a short table.
 *
 * Members that are not known are passed over: a newer server may say more. */
#ifndef ADIT_CLI_ADITD_OVERVIEW_H
#define ADIT_CLI_ADITD_OVERVIEW_H

#include "base/base.h"

#define ADIT_OVERVIEW_ROLES_MAX 32

struct adit_overview_role {
    ADIT_FIELD(16) name;
    uint64_t index, pid, starts;
    bool is_ready;
    uint64_t sessions, streams, tunnels, web, requests; /* of a worker */
    uint64_t names, ports, parked;                      /* of the door */
};

struct adit_overview {
    uint64_t pid, uptime_s, names, tokens;
    uint64_t version, taken; /* of snapshots: made, and acted by */
    bool is_ready, is_degraded;
    ADIT_FIELD(64) reason;
    struct adit_overview_role roles[ADIT_OVERVIEW_ROLES_MAX];
    size_t role_count;
};

/* INVALID for what is no JSON object, or has a known member of another type; LIMIT for more roles
 * or a longer name. */
struct adit_status adit_overview_read(struct adit_bytes json, struct adit_overview *out_overview);

struct adit_status adit_overview_write(struct adit_writer *writer,
                                       const struct adit_overview *overview);

#endif
