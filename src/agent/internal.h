/* Internal: what the files of src/agent share and nobody else sees. */
#ifndef ADIT_AGENT_INTERNAL_H
#define ADIT_AGENT_INTERNAL_H

#include "agent/agent.h"

/* tunnels.c */
void tunnels_ask(struct adit_agent *agent);
void tunnels_give_up(struct adit_agent *agent);
void tunnels_bound(struct adit_agent *agent, const struct adit_control_bound *bound);
void tunnels_refused(struct adit_agent *agent, const struct adit_control_refused *refused);

/* locals.c */
size_t local_size(void);
void local_wanted(struct adit_agent *agent, struct adit_handle pump,
                  const struct adit_stream_head *head);
void local_unwanted(struct adit_agent *agent, uint64_t user);
void locals_close(struct adit_agent *agent);
/* The watch of a connection, unset where it has none, and its tunnel's index; false: stale. */
bool local_find(const struct adit_agent *agent, uint64_t user, struct adit_handle *out_watch,
                size_t *out_tunnel);

/* watch.c: reading along. */
bool watch_is_wanted(const struct adit_agent *agent);
struct adit_status watches_open(struct adit_agent *agent);
/* A new connection is watched; the oldest is not any more where there are too many. */
struct adit_handle watch_begin(struct adit_agent *agent);
void watch_end(struct adit_agent *agent, struct adit_handle watch);
/* Bytes that pass, for the hub. */
void watch_seen(void *context, struct adit_handle pump, uint64_t user, bool is_from_local,
                struct adit_bytes bytes);

/* agent.c: stops for good; begins an attempt to connect now, instead of the one under way. */
void agent_stop(struct adit_agent *agent);
void agent_connect(struct adit_agent *agent);

#endif
