/* Peek: a connection from accept to hand-over. Its first bytes stay in the kernel; the door looks
 * (MSG_PEEK) until it knows whose it is, and sleeps in between by SO_RCVLOWAT. A connection that no
 * worker can take now waits, and one whose agent is away for a moment is parked: both bounded in
 * number and time. What the bytes mean is first.h. Source: DESIGN, "Details that bite". */
#ifndef ADIT_EDGE_DOOR_PEEK_H
#define ADIT_EDGE_DOOR_PEEK_H

#include "edge/door/door.h"

struct adit_status adit_peek_open(struct adit_door *door);

/* Closes all connections that are not handed over. */
void adit_peek_close(struct adit_door *door);

/* Begins to accept. */
struct adit_status adit_peek_begin(struct adit_door *door);

/* Accepts nothing more. Connections that have said nothing end; of the others each still goes its
 * way, but for agents, and nobody waits for one. */
void adit_peek_stop(struct adit_door *door);

/* A connection that was on its way to a worker that has gone: it is looked at as if it were new. */
void adit_peek_again(struct adit_door *door, struct adit_message *message);

/* A worker may have room again: hands over what waits. */
void adit_peek_retry(struct adit_door *door);

#endif
