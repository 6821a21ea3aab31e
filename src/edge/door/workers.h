/* Workers: the door's channels to them. A worker is replaced by wiring a new channel under the
 * same index. One that breaks the rules of its channel loses it, and the supervisor is told to end
 * it. */
#ifndef ADIT_EDGE_DOOR_WORKERS_H
#define ADIT_EDGE_DOOR_WORKERS_H

#include "edge/door/door.h"

/* A worker does not get more connections while this many messages wait for it, and is not read from
 * while twice as many do: so an answer to it always has room. */
#define ADIT_DOOR_WAITING_MAX 80
#define ADIT_DOOR_ANSWERS_MAX 512 /* what may wait for it, when it has been asked for */
#define ADIT_DOOR_CHANNEL_MAX 1024 /* the rest is room for what others cause: PROBE, EVICT */

/* Messages of one worker in one turn. Each has at most one answer: begun below twice the mark of
 * waiting ones, they fit. */
#define ADIT_DOOR_RECEIVE_MAX 32

/* Takes the descriptor over, also on failure. */
struct adit_status adit_door_worker_wire(struct adit_door *door, uint32_t index, uint64_t wiring,
                                         int fd);

/* Who takes a connection that is nobody's. */
enum adit_door_load {
    ADIT_DOOR_LOAD_AGENT,   /* the worker with the fewest sessions, then streams */
    ADIT_DOOR_LOAD_VISITOR, /* the one with the fewest streams */
};

/* The worker with the least load of those that can take a connection, in turn where several have;
 * false where none can. */
bool adit_door_worker_choose(struct adit_door *door, enum adit_door_load load,
                             uint32_t *out_index);

/* It was given a connection: counts as load until it says its own. */
void adit_door_worker_given(struct adit_door *door, uint32_t index, enum adit_door_load load);

/* Can this one take a connection? */
bool adit_door_worker_has_room(const struct adit_door *door, uint32_t index);

/* Has every worker said which names it has, or had the time to? */
bool adit_door_workers_have_told(const struct adit_door *door);

/* There may be room for what workers say, where there was none. */
void adit_door_workers_renew(struct adit_door *door);

/* Tells a worker what another one's claim is the cause of; one that does not read may miss it. */
void adit_door_worker_tell(struct adit_door *door, uint32_t index, struct adit_message *message);

/* A newer session has this one's place. */
void adit_door_worker_evict(struct adit_door *door, const struct adit_owner *owner);

/* From now until flush what is sent to a worker may wait for company: visitors that are handed over
 * together cost less. Connections that wait for a worker when it goes are looked at anew. */
void adit_door_workers_gather(struct adit_door *door);
void adit_door_workers_flush(struct adit_door *door);

/* Sends; on failure the message keeps its descriptors. */
struct adit_status adit_door_worker_send(struct adit_door *door, uint32_t index,
                                         struct adit_message *message);

#endif
