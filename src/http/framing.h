/* Framing: where the body of a message ends, by Content-Length and Transfer-Encoding. What two
 * readers could decide differently is refused. Source: RFC 9112 section 6. Pure. */
#ifndef ADIT_HTTP_FRAMING_H
#define ADIT_HTTP_FRAMING_H

#include "http/message.h"

struct adit_http_frame {
    enum adit_http_framing framing;
    uint64_t length; /* of LENGTH; 0 else */
};

/* Of a request: NONE, LENGTH or CHUNKED. REFUSED with enum adit_http_error in `detail`. */
struct adit_status adit_http_frame_request(const struct adit_http_head *head,
                                           struct adit_http_frame *out_frame);

/* Of a response by its fields alone, whatever its status and request: LENGTH, CHUNKED, or CLOSE
 * where neither field is there. Repeats of one length count as one. REFUSED likewise. */
struct adit_status adit_http_frame_response(const struct adit_http_head *head,
                                            struct adit_http_frame *out_frame);

#endif
