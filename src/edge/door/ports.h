/* Ports: which TCP port of the range belongs to which account and sessions. The door is its only
 * writer, so two agents that want one port meet here. Pure: opens and closes nothing; the
 * listener's number is kept for the door.
 *
 * A port is free, owned by live sessions of one agent, or in grace: the last of them went away a
 * moment ago, the listener goes on (visitors wait in its queue), and only the same account can have
 * it. Limits: one
 * range, at most 65,535 ports. */
#ifndef ADIT_EDGE_DOOR_PORTS_H
#define ADIT_EDGE_DOOR_PORTS_H

#include "base/base.h"
#include "base/field.h"
#include "edge/door/owners.h"
#include "ipc/message.h"

#define ADIT_PORT_ACCOUNT_MAX 32

enum adit_port_state { ADIT_PORT_FREE, ADIT_PORT_OWNED, ADIT_PORT_GRACE };

struct adit_port {
    enum adit_port_state state;
    int fd; /* the door's duplicate of the listener; meaningless where FREE */
    uint64_t grace_end_us;
    struct adit_owners owners; /* OWNED: at least one */
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
    struct adit_owner owner;
    struct adit_bytes account;
    struct adit_bytes instance;
};

enum adit_port_verdict {
    ADIT_PORT_OPEN,   /* free: open a listener, then adit_ports_put */
    ADIT_PORT_KEPT,   /* has a listener: now owned by the claim too, or again */
    ADIT_PORT_PROBE,  /* another instance of the account has it, if it lives */
    ADIT_PORT_DENIED, /* `refusal` says why */
};

struct adit_port_answer {
    enum adit_port_verdict verdict;
    enum adit_port_refusal refusal;
    bool is_replaced; /* KEPT: `old` was an owner until now, and is to end */
    struct adit_owner old;
};

/* INVALID for 0 or an empty range. */
struct adit_status adit_ports_init(struct adit_ports *ports, uint16_t from, uint16_t to);
void adit_ports_deinit(struct adit_ports *ports);

/* The entry of a port, or null outside the range. */
struct adit_port *adit_ports_get(const struct adit_ports *ports, uint32_t port);

/* The first free port at or after `start`, around the end; false where there is none. */
bool adit_ports_pick(const struct adit_ports *ports, uint32_t start, uint16_t *out_port);

/* LIMIT for an account or an instance that is too long: no honest worker sends one. */
struct adit_status adit_ports_claim(struct adit_ports *ports, const struct adit_port_claim *claim,
                                    struct adit_port_answer *out_answer);

/* A free port gets its owner and listener. REFUSED where it is not free, INVALID outside. */
struct adit_status adit_ports_put(struct adit_ports *ports, const struct adit_port_claim *claim,
                                  int fd);

/* An owner gives the port up; after the last one it goes into grace. False where it is no owner
 * (any more). */
bool adit_ports_grace(struct adit_ports *ports, const struct adit_port_claim *claim,
                      uint64_t grace_end_us);

/* The same, but after the last one the port is free at once, and the listener the caller's again;
 * *out_fd is -1 while others own it. */
bool adit_ports_free(struct adit_ports *ports, const struct adit_port_claim *claim, int *out_fd);

/* All ports that only a worker that ended had go into grace; returns how many. */
uint32_t adit_ports_worker_gone(struct adit_ports *ports, uint32_t worker, uint64_t grace_end_us);

/* Frees one port whose grace is over and gives its listener; false where there is none. */
bool adit_ports_expire(struct adit_ports *ports, uint64_t now_us, uint16_t *out_port, int *out_fd);

/* When the next grace ends; UINT64_MAX where none runs. */
uint64_t adit_ports_next_end_us(const struct adit_ports *ports);

#endif
