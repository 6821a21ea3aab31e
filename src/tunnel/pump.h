/* Pump: one data stream tied to one local socket. See hub.h. */
#ifndef ADIT_TUNNEL_PUMP_H
#define ADIT_TUNNEL_PUMP_H

#include "tunnel/hub.h"

struct adit_pump_options {
    struct adit_handle link;
    int fd; /* the visitor's socket; the pump's from here on where this succeeds */
    const struct adit_stream_head *head;
    uint64_t user;
};

/* Server side: opens a stream for a visitor. FULL where the session cannot open one now: the
 * socket stays the caller's, try later. */
struct adit_status adit_pump_open(struct adit_hub *hub, const struct adit_pump_options *options,
                                  struct adit_handle *out_pump);

/* Agent side: the visitor has spoken already, and what it said waits for the local socket. */
bool adit_pump_has_bytes(const struct adit_hub *hub, struct adit_handle pump);

/* Agent side: the local socket is connected; the pump owns it from here on, also on failure.
 * STALE where the visitor has gone meanwhile. */
struct adit_status adit_pump_attach(struct adit_hub *hub, struct adit_handle pump, int fd);

/* Agent side: there will be no socket; says why and ends. */
void adit_pump_refuse(struct adit_hub *hub, struct adit_handle pump, enum adit_dial_result result);

/* What the owner wants to find again in pump_closed. */
void adit_pump_user_set(struct adit_hub *hub, struct adit_handle pump, uint64_t user);

#endif
