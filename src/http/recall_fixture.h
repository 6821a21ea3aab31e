/* What tests of recalled heads compare them with. */
#ifndef ADIT_HTTP_RECALL_FIXTURE_H
#define ADIT_HTTP_RECALL_FIXTURE_H

#include "http/forward.h"
#include "http/recall.h"

struct made {
    struct adit_http_head head;
    struct adit_http_request request;
    size_t len;
    struct adit_writer writer;
    uint8_t memory[ADIT_HTTP_FORWARD_BYTES_MAX];
};

/* The long way: parsed, judged, written. */
static inline bool make(struct adit_bytes text, struct made *out)
{
    const struct adit_http_visitor visitor = {.address = ADIT_BYTES("192.0.2.1"),
                                              .is_secure = true};
    out->writer = adit_writer_of(ADIT_SPAN_OF(out->memory));
    out->len = adit_http_request_take(text, &out->head);
    return out->len > 0 && adit_is_ok(adit_http_request_judge(&out->head, &out->request)) &&
           adit_is_ok(adit_http_request_write(&out->writer, &out->head, &out->request, &visitor));
}

#endif
