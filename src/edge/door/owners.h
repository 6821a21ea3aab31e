/* Owners: the sessions that share one tunnel. They are of one instance (an agent process), each
 * with a slot of its own; visitors take turns among them. Pure.
 *
 * An instance that is empty is nobody's second session: it is one of its own. Limit:
 * ADIT_OWNERS_MAX owners of a tunnel. */
#ifndef ADIT_EDGE_DOOR_OWNERS_H
#define ADIT_EDGE_DOOR_OWNERS_H

#include "base/base.h"
#include "base/field.h"

#define ADIT_OWNERS_MAX 4
#define ADIT_OWNERS_INSTANCE_MAX 32

struct adit_owner {
    uint32_t worker;
    uint32_t slot; /* which of its agent's sessions */
    uint64_t session;
};

struct adit_owners {
    uint32_t count;
    uint32_t turn; /* where the next visitor begins to look */
    struct adit_owner rows[ADIT_OWNERS_MAX];
    ADIT_FIELD(ADIT_OWNERS_INSTANCE_MAX) instance;
};

enum adit_owners_verdict {
    ADIT_OWNERS_JOINED,   /* the first, or a further one */
    ADIT_OWNERS_REPLACED, /* in place of the older session of its slot, *out_old */
    ADIT_OWNERS_SAME,     /* this session is one already */
    ADIT_OWNERS_FOREIGN,  /* those there are of another instance */
    ADIT_OWNERS_FULL,
};

/* What a join would do; LIMIT for an instance that is too long: no honest worker sends one. */
struct adit_status adit_owners_judge(const struct adit_owners *owners, struct adit_bytes instance,
                                     const struct adit_owner *owner,
                                     enum adit_owners_verdict *out_verdict);

/* Does it, where it may: changes nothing for the last three verdicts. */
struct adit_status adit_owners_join(struct adit_owners *owners, struct adit_bytes instance,
                                    const struct adit_owner *owner,
                                    enum adit_owners_verdict *out_verdict,
                                    struct adit_owner *out_old);

bool adit_owners_have(const struct adit_owners *owners, uint32_t worker, uint64_t session);

/* False where the session is none of them. */
bool adit_owners_leave(struct adit_owners *owners, uint32_t worker, uint64_t session);

/* Removes all of a worker that ended; returns how many. */
uint32_t adit_owners_worker_gone(struct adit_owners *owners, uint32_t worker);

/* The owner that is `step` places after the one whose turn it is; null from `count` on. */
const struct adit_owner *adit_owners_at(const struct adit_owners *owners, uint32_t step);

/* The owner `step` places on has got a visitor: the turn goes to the one after it. */
void adit_owners_turn(struct adit_owners *owners, uint32_t step);

#endif
