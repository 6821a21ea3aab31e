/* Pipe: one data stream whose local end is code of this process (the HTTP proxy) instead of a
 * socket. The same stream as a pump's, opened by the server: head out first, the agent's verdict
 * back first, credit, half-close and limits alike; see hub.h.
 *
 * Outwards: the owner says `ready` when it has bytes or an end, and is asked to fill frames through
 * pipe_fill. Inwards: bytes come through pipe_data as views; the owner takes them all, and says
 * `consumed` as they leave it. What it has not consumed is bounded by the stream's window: that is
 * how a slow visitor slows the program behind the tunnel. pump_dialled and pump_closed tell of
 * pipes too: from pump_closed on, for whatever reason, the handle is stale.
 *
 * Process: worker. */
#ifndef ADIT_TUNNEL_PIPE_H
#define ADIT_TUNNEL_PIPE_H

#include "tunnel/hub.h"

struct adit_pipe_options {
    struct adit_handle link;
    const struct adit_stream_head *head;
    uint64_t user;
};

/* FULL where the session cannot open a stream now: try later. STALE where the link is gone. */
struct adit_status adit_pipe_open(struct adit_hub *hub, const struct adit_pipe_options *options,
                                  struct adit_handle *out_pipe);

/* Bytes wait to be filled, or the end of them: pipe_fill is called in this turn or a later one.
 * Idempotent; stale is fine. */
void adit_pipe_ready(struct adit_hub *hub, struct adit_handle pipe);

/* `count` of the bytes that pipe_data gave have left. Stale is fine. */
void adit_pipe_consumed(struct adit_hub *hub, struct adit_handle pipe, size_t count);

/* Ends it: in order where both directions have ended, else by RST. pump_closed is not called for
 * it. Stale is fine. */
void adit_pipe_close(struct adit_hub *hub, struct adit_handle pipe);

void adit_pipe_user_set(struct adit_hub *hub, struct adit_handle pipe, uint64_t user);

/* True once the agent has said how its dial ended, and it was connected. */
bool adit_pipe_is_connected(const struct adit_hub *hub, struct adit_handle pipe);

#endif
