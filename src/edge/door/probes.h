/* Probes: claims that wait until it is known whether those who have the tunnel live. Another agent
 * of the same account may have died without a word; the door asks the workers of its sessions. A
 * session that does not live is evicted; where none is left the claim is tried again; one that
 * lives keeps what it has.
 *
 * Limits: ADIT_DOOR_PROBES_MAX claims; a session whose worker does not answer in time (`probe_us`
 * of the door) counts as one that does not live. */
#ifndef ADIT_EDGE_DOOR_PROBES_H
#define ADIT_EDGE_DOOR_PROBES_H

#include "edge/door/door.h"

struct adit_status adit_probes_open(struct adit_door *door);
void adit_probes_close(struct adit_door *door);

/* Keeps `message`, a BIND or a CLAIM of `worker`, and asks after `owners`. False where there is no
 * room: refuse it. */
bool adit_probes_ask(struct adit_door *door, uint32_t worker, const struct adit_message *message,
                     const struct adit_owners *owners);

/* PROBED. An answer that nobody waits for is late, and ignored. */
struct adit_status adit_probes_answer(struct adit_door *door, uint32_t worker,
                                      struct adit_message *message);

/* Its sessions do not live, and its claims are forgotten. */
void adit_probes_worker_gone(struct adit_door *door, uint32_t worker);

#endif
