/* Tunnels: the door's part in TCP tunnels. It binds the port, keeps a duplicate of the listener and
 * gives others to the workers that own the tunnel, which accept for themselves. When the last of
 * them goes, the listener stays for a grace and visitors wait in its queue; then it is shut, which
 * resets them. */
#ifndef ADIT_EDGE_DOOR_TUNNELS_H
#define ADIT_EDGE_DOOR_TUNNELS_H

#include "edge/door/door.h"

/* Answers BIND with BOUND or BIND_REFUSED. Fails only for what no honest worker asks. */
struct adit_status adit_tunnels_bind(struct adit_door *door, uint32_t worker,
                                     struct adit_message *message);

/* The probe of its owners is over: they have it still (is_refused), or the bind is tried again. */
struct adit_status adit_tunnels_probed(struct adit_door *door, uint32_t worker,
                                       const struct adit_message *message, bool is_refused);

/* Takes the port of `message` from an owner; false where it is none (any more). */
bool adit_tunnels_evict(struct adit_door *door, const struct adit_message *message,
                        const struct adit_owner *owner);

void adit_tunnels_unbind(struct adit_door *door, uint32_t worker,
                         const struct adit_message *message);

/* Takes the listener of a tunnel back that an earlier door had bound. Fails as bind does. */
struct adit_status adit_tunnels_own(struct adit_door *door, uint32_t worker,
                                    struct adit_message *message);

void adit_tunnels_worker_gone(struct adit_door *door, uint32_t worker);

/* No port takes visitors any more, whoever holds its listener. */
void adit_tunnels_stop(struct adit_door *door);

/* Closes all listeners; those that workers hold go on. */
void adit_tunnels_close(struct adit_door *door);

#endif
