/* Workers: the door's channels to them. A worker is replaced by wiring a new channel under the
 * same index. One that breaks the rules of its channel loses it, and the supervisor is told to end
 * it. */
#ifndef ADIT_EDGE_DOOR_WORKERS_H
#define ADIT_EDGE_DOOR_WORKERS_H

#include "edge/door/door.h"

/* A worker does not get more connections while this many messages wait for it, and is not read from
 * while twice as many do: so an answer to it always has room. */
#define ADIT_DOOR_WAITING_MAX 80

/* Messages of one worker in one turn. Each has at most one answer: begun below twice the mark of
 * waiting ones, they fit. */
#define ADIT_DOOR_RECEIVE_MAX 32

/* Takes the descriptor over, also on failure. */
struct adit_status adit_door_worker_wire(struct adit_door *door, uint32_t index, uint64_t wiring,
                                         int fd);

/* The next worker in turn that can take a connection; false where none can. */
bool adit_door_worker_choose(struct adit_door *door, uint32_t *out_index);

/* Can this one take a connection? */
bool adit_door_worker_has_room(const struct adit_door *door, uint32_t index);

/* Has every worker said which names it has, or had the time to? */
bool adit_door_workers_have_told(const struct adit_door *door);

/* There may be room for what workers say, where there was none. */
void adit_door_workers_renew(struct adit_door *door);

/* Sends; on failure the message keeps its descriptors. */
struct adit_status adit_door_worker_send(struct adit_door *door, uint32_t index,
                                         struct adit_message *message);

#endif
