/* Forward: heads as we send them on, made anew from what was parsed: the fields that are for one
 * hop are left out (those that Connection names too), ours about the visitor replace theirs.
 *
 * To the program: method and target byte for byte (the origin form where the visitor sent the
 * absolute one), HTTP/1.1, Host unchanged unless `host_header` says otherwise. X-Forwarded-For,
 * -Proto, -Host and Forwarded (RFC 7239) are ours alone: what the visitor wrote into them, into
 * anything else that begins with X-Forwarded-, or into X-Real-IP and its like is left out. Framing
 * is what we decided, never the field that came: Content-Length or Transfer-Encoding is written
 * once, from `framing`. `Connection: keep-alive` is not written; `Connection: upgrade` with an
 * upgrade.
 *
 * To the visitor: status, reason and fields of the program but Adit-Error, which is ours; framing
 * from `framing`, but where it is NONE the Content-Length of an answer to HEAD and of a 304 stays;
 * `Connection: close` where the connection ends after it.
 *
 * Sources: RFC 9110 section 7.6, RFC 9112 section 6, RFC 7239. Pure. LIMIT without room (at most
 * ADIT_HTTP_FORWARD_BYTES_MAX are needed), INVALID for a `host_header` with space or control
 * characters; then nothing was appended. */
#ifndef ADIT_HTTP_FORWARD_H
#define ADIT_HTTP_FORWARD_H

#include "http/message.h"

#define ADIT_HTTP_FORWARD_BYTES_MAX (ADIT_HTTP_HEAD_BYTES_MAX + 2048)

struct adit_http_visitor {
    struct adit_bytes address;     /* "192.0.2.1", "2001:db8::1": text, no brackets, no port */
    bool is_secure;                /* came over TLS */
    struct adit_bytes host_header; /* what the program gets as Host; empty: what the visitor sent */
};

struct adit_status adit_http_request_write(struct adit_writer *writer,
                                           const struct adit_http_head *head,
                                           const struct adit_http_request *request,
                                           const struct adit_http_visitor *visitor);

struct adit_http_reply {
    enum adit_http_framing framing; /* to the visitor: CHUNKED only for HTTP/1.1 */
    uint64_t length;
    bool is_closing;
};

struct adit_status adit_http_response_write(struct adit_writer *writer,
                                            const struct adit_http_head *head,
                                            const struct adit_http_reply *reply);

/* The end of a chunked body: "0", the trailers that may travel (none that frames, routes,
 * authenticates or describes the visitor: RFC 9110 section 6.5.1), and an empty line. `trailers`
 * null: none. */
struct adit_status adit_http_trailers_write(struct adit_writer *writer,
                                            const struct adit_http_head *trailers);

#endif
