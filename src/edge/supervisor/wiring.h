/* Wiring: the messages by which the supervisor gives a role what it needs: its start message, its
 * channel to the other roles, new credentials. What it opens for that it closes again, but for the
 * files of the credentials: every worker, old or new, gets those that were opened last.
 *
 * Process: supervisor. */
#ifndef ADIT_EDGE_SUPERVISOR_WIRING_H
#define ADIT_EDGE_SUPERVISOR_WIRING_H

#include "edge/supervisor/supervisor.h"

/* The first messages of a role that has just been started: its start message and, of a door or
 * worker, the latest snapshot and the keys of session tickets. */
struct adit_status adit_wiring_start(struct adit_supervisor *supervisor,
                                     struct adit_supervisor_seat *seat);

/* A duplicate of the latest snapshot to a door or worker. */
struct adit_status adit_wiring_snapshot(struct adit_supervisor *supervisor,
                                        struct adit_supervisor_seat *seat);

/* The keys of session tickets to one worker. */
struct adit_status adit_wiring_tickets(struct adit_supervisor *supervisor,
                                       struct adit_supervisor_seat *worker);

/* A new channel between door and worker; both must run. */
struct adit_status adit_wiring_join(struct adit_supervisor *supervisor,
                                    struct adit_supervisor_seat *door,
                                    struct adit_supervisor_seat *worker);

/* Opens certificate, key and token key, in place of those that were open before; on failure, SYSTEM
 * with errno, these stay. */
struct adit_status adit_wiring_credentials_open(struct adit_supervisor *supervisor);
void adit_wiring_credentials_close(struct adit_supervisor *supervisor);

/* How long a name stays with its account, to control. */
struct adit_status adit_wiring_name_hold(struct adit_supervisor *supervisor,
                                         struct adit_supervisor_seat *control);

/* Certificate, key and token key to one worker that runs. */
struct adit_status adit_wiring_reload(struct adit_supervisor *supervisor,
                                      struct adit_supervisor_seat *worker);

#endif
