/* Observe: follows one HTTP/1.1 connection from the side, for the agent's screen: bytes of both
 * directions are shown to it as they pass, and it tells which request got which answer. It changes
 * nothing, keeps no body, and where it cannot follow (an upgrade, a head over the limit, anything
 * that is not HTTP/1.1) it goes blind for the rest of the connection and says nothing more.
 *
 * Pure: time is an argument. Memory: one head of each direction, from the caller's span. */
#ifndef ADIT_HTTP_OBSERVE_H
#define ADIT_HTTP_OBSERVE_H

#include "http/body.h"

#define ADIT_HTTP_OBSERVE_BYTES 8192 /* memory for a head of each direction: half of it each */
#define ADIT_HTTP_OBSERVE_TARGET_MAX 128

struct adit_http_seen {
    ADIT_FIELD(ADIT_HTTP_METHOD_BYTES_MAX) method;
    ADIT_FIELD(ADIT_HTTP_OBSERVE_TARGET_MAX) target; /* cut at the limit */
    uint16_t status;
    uint64_t took_us; /* from the request's head to the response's head */
};

#include "http/observe_private.h"

/* `memory` of ADIT_HTTP_OBSERVE_BYTES bytes, until the connection ends. */
void adit_http_observe_init(struct adit_http_observer *observer, struct adit_span memory);

/* Bytes that pass. True where an answer became known with them: *out_seen says which (the last,
 * where several did). */
void adit_http_observe_request(struct adit_http_observer *observer, struct adit_bytes bytes,
                               uint64_t now_us);
bool adit_http_observe_response(struct adit_http_observer *observer, struct adit_bytes bytes,
                                uint64_t now_us, struct adit_http_seen *out_seen);

#endif
