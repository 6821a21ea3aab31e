/* Observer: what src/http/observe.h keeps of one connection. Laid open so that its owner can hold
 * it by value; nobody but observe.c looks inside. */
#ifndef ADIT_HTTP_OBSERVE_PRIVATE_H
#define ADIT_HTTP_OBSERVE_PRIVATE_H

#include "http/body.h"

enum adit_http_observe_phase {
    ADIT_HTTP_OBSERVE_HEAD,
    ADIT_HTTP_OBSERVE_BODY,
    ADIT_HTTP_OBSERVE_TRAILERS,
};

struct adit_http_observe_side {
    enum adit_http_observe_phase phase;
    struct adit_writer text; /* of a head or trailers, as far as they have come */
    struct adit_http_scan scan;
    struct adit_http_body body;
};

struct adit_http_observer {
    struct adit_http_observe_side request, response;
    struct adit_http_seen seen;     /* the request that waits for its answer */
    struct adit_http_request asked; /* and what its answer is read by */
    uint64_t asked_us;
    bool is_waiting; /* for the head of the answer */
    bool is_blind;
};

#endif
