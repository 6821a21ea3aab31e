/* Orders: what a person or a service manager asks of the whole server by a signal.
 *
 * SIGTERM, SIGINT: the listeners are closed, door and workers are told to end within
 * `live.drain_ms`, and what of them is left ADIT_SUPERVISOR_STOP_US later is killed. Control ends
 * last: what the others had to say is written down then. Asked for again: everything is killed.
 * SIGHUP: what can change while it runs is read anew; nothing that is connected is touched.
 *
 * Process: supervisor. */
#ifndef ADIT_EDGE_SUPERVISOR_ORDERS_H
#define ADIT_EDGE_SUPERVISOR_ORDERS_H

#include "edge/supervisor/supervisor.h"

void adit_orders_stop(struct adit_supervisor *supervisor, uint32_t drain_ms);

/* A role may have ended: while the server stops this is the next one's turn, or the end. */
void adit_orders_ended(struct adit_supervisor *supervisor);

void adit_orders_reload(struct adit_supervisor *supervisor);

#endif
