/* Claims: the door's part in names. Workers claim, hold and release them; snapshots say which are
 * held for whom; control hears of every lease through the supervisor, as the channel has room. */
#ifndef ADIT_EDGE_DOOR_CLAIMS_H
#define ADIT_EDGE_DOOR_CLAIMS_H

#include "edge/door/door.h"

struct adit_status adit_claims_open(struct adit_door *door);
void adit_claims_close(struct adit_door *door);

/* Answers CLAIM with CLAIMED or CLAIM_REFUSED. Fails only for what no honest worker asks. A door
 * that has just begun waits for the first snapshot before it gives a name that is asked for. */
struct adit_status adit_claims_claim(struct adit_door *door, uint32_t worker,
                                     struct adit_message *message);

/* Workers are not read while there is none. */
bool adit_claims_have_room(const struct adit_door *door);

struct adit_status adit_claims_release(struct adit_door *door, uint32_t worker,
                                       struct adit_message *message);

/* Takes a name back that an earlier door had granted. Fails as claim does. */
struct adit_status adit_claims_hold(struct adit_door *door, uint32_t worker,
                                    struct adit_message *message);

/* The probe of its owners is over: they have it still (is_refused), or the claim is tried again. */
struct adit_status adit_claims_probed(struct adit_door *door, uint32_t worker,
                                      const struct adit_message *message, bool is_refused);

/* Takes the name of `message` from an owner; false where it is none (any more). */
bool adit_claims_evict(struct adit_door *door, const struct adit_message *message,
                       const struct adit_owner *owner);

void adit_claims_worker_gone(struct adit_door *door, uint32_t worker);

/* Acts by a snapshot and says so; keeps to the last one where it is broken. */
void adit_claims_snapshot(struct adit_door *door, struct adit_message *message);

/* Tells control what it has not heard, as far as there is room now. */
void adit_claims_tell(struct adit_door *door);

#endif
