/* Message: what the head of a request or response means to a proxy: whose it is, how its body is
 * framed, whether the connection goes on. Everything ambiguous is refused (RFC 9112 section 11).
 *
 * Sources: RFC 9110 sections 4, 7 to 10, RFC 9112 sections 3, 6, 7 and 9. The cases stand in the
 * tests as a table. Pure: no allocation, no state. */
#ifndef ADIT_HTTP_MESSAGE_H
#define ADIT_HTTP_MESSAGE_H

#include "base/field.h"
#include "http/error.h"
#include "wire/http_head.h"

#define ADIT_HTTP_HOST_BYTES_MAX 253

enum adit_http_framing {
    ADIT_HTTP_FRAMING_NONE,    /* no body */
    ADIT_HTTP_FRAMING_LENGTH,  /* `length` bytes; may be 0 */
    ADIT_HTTP_FRAMING_CHUNKED,
    ADIT_HTTP_FRAMING_CLOSE,   /* of a response: until the connection ends */
    ADIT_HTTP_FRAMING_SWITCH,  /* after 101: bytes both ways, no HTTP any more */
};

struct adit_http_request {
    ADIT_FIELD(ADIT_HTTP_HOST_BYTES_MAX) host; /* of Host or the target: lower case, no port, no dot
                                                * at the end */
    enum adit_http_framing framing;            /* NONE, LENGTH or CHUNKED */
    uint64_t length;
    bool is_head;          /* HEAD */
    bool is_host_token;    /* Host is a name without a port: letters, digits, hyphens, dots */
    bool is_options_all;   /* OPTIONS *: we answer it */
    bool is_repeatable;    /* idempotent and without a body: may be sent a second time */
    bool is_persistent;    /* the visitor may send another request after this one */
    bool is_upgrade;       /* GET, HTTP/1.1, Connection: upgrade and Upgrade: websocket, exactly */
    bool expects_continue; /* Expect: 100-continue, of HTTP/1.1 and with a body */
    bool takes_trailers;   /* TE: trailers, and Connection: TE */
    bool prefers_json;     /* Accept names application/json before text/html and any wildcard */
    uint8_t version_minor; /* 0: knows no chunked answer and no 1xx */
};

/* On failure REFUSED with enum adit_http_error in `detail`: answer with it and close; the request
 * is empty then: zeros, but for the memory of `host`. The absolute
 * form of the target names the host; a Host field must then agree. */
struct adit_status adit_http_request_judge(const struct adit_http_head *head,
                                           struct adit_http_request *out_request);

struct adit_http_response {
    enum adit_http_framing framing;
    uint64_t length;    /* of LENGTH */
    bool is_interim;    /* 1xx but 101: pass it on, and read the next head */
    bool is_persistent; /* the program's connection can be used again */
};

/* `request` is what it answers. REFUSED with UPSTREAM_BAD_RESPONSE in `detail` for one that breaks
 * the rules, also for a 101 that was not asked for. */
struct adit_status adit_http_response_judge(const struct adit_http_head *head,
                                            const struct adit_http_request *request,
                                            struct adit_http_response *out_response);

#endif
