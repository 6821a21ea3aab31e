/* Plane: what passes between control and the others: snapshots to door and workers, leases to
 * control, counters, and the keys of session tickets. Nothing here waits for anybody: control may
 * be away or slow, and what is meant for it is then left to the door, which says it all again to a
 * new control.
 *
 * Process: supervisor. */
#ifndef ADIT_EDGE_SUPERVISOR_PLANE_H
#define ADIT_EDGE_SUPERVISOR_PLANE_H

#include "edge/supervisor/supervisor.h"

/* Makes the first ticket keys. */
struct adit_status adit_plane_open(struct adit_supervisor *supervisor);
void adit_plane_close(struct adit_supervisor *supervisor);

/* A role is ready: a new control asks the door for all leases. */
void adit_plane_ready(struct adit_supervisor *supervisor, const struct adit_supervisor_seat *seat);

/* Asks control for a snapshot of all that it has heard: it makes those for leases a little later.
 * False where nobody is there to ask. */
bool adit_plane_snapshot_ask(struct adit_supervisor *supervisor);

/* A role has ended: nobody waits for what it would have said. */
void adit_plane_ended(struct adit_supervisor *supervisor, struct adit_supervisor_seat *seat);

/* The messages of the roles that concern it; true where this was one. */
bool adit_plane_message(struct adit_supervisor *supervisor, struct adit_supervisor_seat *seat,
                        struct adit_message *message);

/* Is so much on its way to control that the door is not to be heard for now? Watches that control
 * takes it: one that does not in time is ended. Once a turn. */
bool adit_plane_is_stalled(struct adit_supervisor *supervisor);

#endif
