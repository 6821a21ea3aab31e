/* Names: which name belongs to which account and sessions. The door is its only writer, so two
 * agents that want one name meet here. Pure: time is an argument (Unix seconds, and the loop's
 * microseconds), what is to be told to control is taken from here by the door.
 *
 * A name is free, OWNED by live sessions of one agent, or HELD for the account that had it last:
 * for a grace visitors wait for a session to come back, then only the account's right is left,
 * until a time. That time comes from control with the next snapshot; until then it is
 * ADIT_NAMES_HOLD_S.
 *
 * What control has to hear (a name is in use, has ended) is a mark on the entry, and the marked
 * entries stand in a line: nothing is lost while control is away, and the line is never longer than
 * the table.
 *
 * Limits: ADIT_NAMES_MAX names, ADIT_NAMES_ACCOUNT_MAX of one account, held ones included. At the
 * limit the account's held name that would lapse first gives way, at most one in a second. */
#ifndef ADIT_EDGE_DOOR_NAMES_H
#define ADIT_EDGE_DOOR_NAMES_H

#include "base/base.h"
#include "base/field.h"
#include "edge/door/owners.h"
#include "ipc/message.h"
#include "wire/snapshot.h"

#define ADIT_NAMES_MAX 65536
#define ADIT_NAMES_ACCOUNT_MAX 1024
#define ADIT_NAMES_ACCOUNT_BYTES_MAX ADIT_TOKEN_ACCOUNT_BYTES
#define ADIT_NAMES_DRAWS_MAX 64           /* names tried for one who wants any */
#define ADIT_NAMES_HOLD_S (24u * 60 * 60) /* until control has said how long */

enum adit_named_state { ADIT_NAMED_OWNED, ADIT_NAMED_HELD };

struct adit_named {
    enum adit_named_state state;
    enum adit_tunnel kind; /* HTTP or TLS: as it is, or was last; NONE where nobody has said */
    uint64_t grace_end_us; /* HELD: so long its session may come back */
    uint64_t until_s;      /* HELD: from then on it is free */
    bool is_known;         /* the latest snapshot lists it */
    bool was_known;        /* the one before did */
    uint32_t says;         /* what control has not been told: bits of names.c */
    bool is_in_line;
    struct adit_handle next; /* in the line of those with something to say */
    struct adit_owners owners; /* OWNED: at least one */
    ADIT_FIELD(ADIT_NAMES_ACCOUNT_BYTES_MAX) account;
    ADIT_FIELD(ADIT_NAME_BYTES_MAX) name;
};

struct adit_names {
    struct adit_pool entries;
    struct adit_table index;    /* name -> entry */
    struct adit_table accounts; /* account -> how many names */
    struct adit_handle first, last; /* the line */
    uint64_t swept_s;               /* when room was last made */
    uint64_t version;               /* of the latest snapshot; 0: none yet */
};

struct adit_names_time {
    uint64_t wall_s;       /* Unix seconds */
    uint64_t grace_end_us; /* of the loop's clock: when a grace that begins now is over */
};

/* Who wants a name, or has it. */
struct adit_name_claim {
    struct adit_bytes name; /* empty: one drawn from `seed` */
    struct adit_bytes account;
    struct adit_bytes instance;
    uint64_t seed;
    enum adit_tunnel kind;
    struct adit_owner owner;
};

struct adit_name_answer {
    bool is_granted;
    bool is_replaced;     /* granted: `old` was an owner until now, and is to end */
    struct adit_owner old;
    bool must_probe;      /* not granted yet: another instance of the account has it, if it lives */
    enum adit_name_refusal refusal; /* where it is neither */
    ADIT_FIELD(ADIT_NAME_BYTES_MAX) name;
};

struct adit_names_lease {
    bool is_used; /* else it has ended */
    struct adit_bytes name, account;
};

struct adit_status adit_names_init(struct adit_names *names, struct adit_siphash_key seed);
void adit_names_deinit(struct adit_names *names);

/* The entry of a name, or null where it is free. Valid until the next call that changes. */
const struct adit_named *adit_names_find(const struct adit_names *names, struct adit_bytes name);

/* INVALID for an account or a kind that no honest worker sends; so do claim and hold. */
struct adit_status adit_name_claim_check(const struct adit_name_claim *claim);

struct adit_status adit_names_claim(struct adit_names *names, const struct adit_name_claim *claim,
                                    const struct adit_names_time *time,
                                    struct adit_name_answer *out_answer);

/* What an earlier door had granted. INVALID as above, and where another account has or holds the
 * name; FULL where there is no room. Of two instances the first one told of keeps the name, and the
 * answer says must_probe. */
struct adit_status adit_names_hold(struct adit_names *names, const struct adit_name_claim *claim,
                                   const struct adit_names_time *time,
                                   struct adit_name_answer *out_answer);

/* An owner gives its name up. False where it is none (any more). */
bool adit_names_release(struct adit_names *names, const struct adit_name_claim *claim,
                        const struct adit_names_time *time);

/* The owner `step` places on in a name's turns has got a visitor. */
void adit_names_turn(struct adit_names *names, struct adit_bytes name, uint32_t step);

/* All names that only a worker that ended had are held, with a grace; returns how many. */
uint32_t adit_names_worker_gone(struct adit_names *names, uint32_t worker,
                                const struct adit_names_time *time);

/* Makes the held names those of the snapshot. What is in use stays; what control cannot have heard
 * of yet stays too. Fails as wire/snapshot does, and then nothing has changed. *out_skipped: leases
 * beyond a limit. */
struct adit_status adit_names_apply(struct adit_names *names, const struct adit_snapshot *snapshot,
                                    uint64_t wall_s, uint32_t *out_skipped);

/* Control is new: everything that it may not know is to be said again. */
void adit_names_say_all(struct adit_names *names);

/* The next thing to say, until it is `said`; false where there is none. The views are valid until
 * then. */
bool adit_names_say_next(struct adit_names *names, struct adit_names_lease *out_lease);
void adit_names_said(struct adit_names *names);

#endif
