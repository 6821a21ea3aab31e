/* Internal: what the files of src/agent share and nobody else sees. */
#ifndef ADIT_AGENT_INTERNAL_H
#define ADIT_AGENT_INTERNAL_H

#include "agent/agent.h"

/* agent.c: stops for good. */
void agent_stop(struct adit_agent *agent);

/* session.c: begins an attempt to connect now, instead of the one under way. */
void session_connect(struct adit_agent *agent, struct adit_agent_session *session);
/* The same, and the first words, where that can be done without waiting: the connection, or -1. */
int session_greet(struct adit_agent *agent, struct adit_agent_session *session);
/* Connects after a pause. */
struct adit_status session_wait(struct adit_agent *agent, struct adit_agent_session *session,
                                uint64_t wait_us);
/* Ends what it has; it is not held any more. */
void session_stop(struct adit_agent *agent, struct adit_agent_session *session);
/* The hub's calls. Null: a link that is no session's any more. */
struct adit_agent_session *session_find(struct adit_agent *agent, struct adit_handle link);
void session_linked(struct adit_agent *agent, struct adit_agent_session *session);
void session_message(struct adit_agent *agent, struct adit_agent_session *session,
                     const struct adit_control *message);
void session_closed(struct adit_agent *agent, struct adit_agent_session *session,
                    struct adit_status why);

/* extra.c: the server wants so many sessions. */
void extras_wanted(struct adit_agent *agent, const struct adit_agent_session *session,
                   uint32_t count);
/* Over any of them. */
bool extras_road_is_lossy(const struct adit_agent *agent);
/* A further session has logged in: it is looked at from here on. */
void extra_begin(struct adit_agent *agent, struct adit_agent_session *session);

/* tunnels.c */
void tunnels_ask(struct adit_agent *agent, struct adit_agent_session *session);
void tunnels_give_up(struct adit_agent *agent, struct adit_agent_session *session);
void tunnels_bound(struct adit_agent *agent, struct adit_agent_session *session,
                   const struct adit_control_bound *bound);
void tunnels_refused(struct adit_agent *agent, struct adit_agent_session *session,
                     const struct adit_control_refused *refused);
/* True where each tunnel is bound on some session, without that one's help (null: on any). */
bool tunnels_are_up(const struct adit_agent *agent, const struct adit_agent_session *without);
/* True where a further session would ask for addresses, not for any. */
bool tunnels_are_known(const struct adit_agent *agent);

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

#endif
