/* Ports: which TCP port of the range belongs to which account, worker and session. The door is its
 * only writer, so two agents that want one port meet here. Pure: opens and closes nothing; the
 * listener's number is kept for the door.
 *
 * A port is free, owned by a live session, or in grace: its session went away a moment ago, the
 * listener goes on (visitors wait in its queue), and only the same account can have it. Limits: one
 * range, at most 65,535 ports. */
#ifndef ADIT_EDGE_DOOR_PORTS_H
#define ADIT_EDGE_DOOR_PORTS_H

#include "base/base.h"
#include "base/field.h"
#include "ipc/message.h"

#define ADIT_PORT_ACCOUNT_MAX 32

enum adit_port_state { ADIT_PORT_FREE, ADIT_PORT_OWNED, ADIT_PORT_GRACE };

struct adit_port {
    enum adit_port_state state;
    int fd; /* the door's duplicate of the listener; meaningless where FREE */
    uint32_t worker;
    uint64_t session;
    uint64_t grace_end_us;
    ADIT_FIELD(ADIT_PORT_ACCOUNT_MAX) account;
};

struct adit_ports {
    struct adit_span entries; /* one struct adit_port for each port from `from` on */
    uint16_t from, to;
    uint32_t used; /* ports that are not free: a counter */
};

/* Who wants a port, or has it. */
struct adit_port_claim {
    uint16_t port;
    uint32_t worker;
    uint64_t session;
    struct adit_bytes account;
};

enum adit_port_verdict {
    ADIT_PORT_OPEN,   /* free: open a listener, then adit_ports_put */
    ADIT_PORT_KEPT,   /* was in grace: now owned by the claim; use its listener */
    ADIT_PORT_DENIED, /* *out_refusal says why */
};

/* INVALID for 0 or an empty range. */
struct adit_status adit_ports_init(struct adit_ports *ports, uint16_t from, uint16_t to);
void adit_ports_deinit(struct adit_ports *ports);

/* The entry of a port, or null outside the range. */
struct adit_port *adit_ports_get(const struct adit_ports *ports, uint32_t port);

/* The first free port at or after `start`, around the end; false where there is none. */
bool adit_ports_pick(const struct adit_ports *ports, uint32_t start, uint16_t *out_port);

/* LIMIT for an account that is too long: no honest worker sends one. */
struct adit_status adit_ports_claim(struct adit_ports *ports, const struct adit_port_claim *claim,
                                    enum adit_port_verdict *out_verdict,
                                    enum adit_port_refusal *out_refusal);

/* A free port gets its owner and listener. REFUSED where it is not free, INVALID outside. */
struct adit_status adit_ports_put(struct adit_ports *ports, const struct adit_port_claim *claim,
                                  int fd);

/* The owner's port goes into grace. False where it is not the owner's (any more). */
bool adit_ports_grace(struct adit_ports *ports, const struct adit_port_claim *claim,
                      uint64_t grace_end_us);

/* The owner's port becomes free; the listener is the caller's again. False as above. */
bool adit_ports_free(struct adit_ports *ports, const struct adit_port_claim *claim, int *out_fd);

/* All ports of a worker that ended go into grace; returns how many. */
uint32_t adit_ports_worker_gone(struct adit_ports *ports, uint32_t worker, uint64_t grace_end_us);

/* Frees one port whose grace is over and gives its listener; false where there is none. */
bool adit_ports_expire(struct adit_ports *ports, uint64_t now_us, uint16_t *out_port, int *out_fd);

/* When the next grace ends; UINT64_MAX where none runs. */
uint64_t adit_ports_next_end_us(const struct adit_ports *ports);

#endif
