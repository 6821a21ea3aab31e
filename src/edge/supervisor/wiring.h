/* Wiring: the messages by which the supervisor gives a role what it needs: its start message, its
 * channel to the other roles, new credentials. Each opens what it sends; nothing stays open here.
 *
 * Process: supervisor. */
#ifndef ADIT_EDGE_SUPERVISOR_WIRING_H
#define ADIT_EDGE_SUPERVISOR_WIRING_H

#include "edge/supervisor/supervisor.h"

/* The first message of a role that has just been started. */
struct adit_status adit_wiring_start(struct adit_supervisor *supervisor,
                                     struct adit_supervisor_seat *seat);

/* A new channel between door and worker; both must run. */
struct adit_status adit_wiring_join(struct adit_supervisor *supervisor,
                                    struct adit_supervisor_seat *door,
                                    struct adit_supervisor_seat *worker);

/* Certificate, key and token key, opened anew, to one worker. */
struct adit_status adit_wiring_reload(struct adit_supervisor *supervisor,
                                      struct adit_supervisor_seat *worker);

#endif
