/* Body: reads the body of a message by its framing, in pieces of any size, and tells its end.
 *
 * The payload is handed out as views of what was put in; nothing is kept but a few numbers. A
 * trailer section has to lie in one piece: while the reader says TRAILERS the caller gathers up to
 * ADIT_HTTP_TRAILER_BYTES_MAX bytes of it and calls adit_http_scan_trailers. Pure. */
#ifndef ADIT_HTTP_BODY_H
#define ADIT_HTTP_BODY_H

#include "http/message.h"
#include "wire/http_chunk.h"

enum adit_http_body_state {
    ADIT_HTTP_BODY_MORE,     /* the body goes on */
    ADIT_HTTP_BODY_TRAILERS, /* the payload of a chunked body is over; its trailers follow */
    ADIT_HTTP_BODY_END,      /* the body is over; what follows is not its */
};

struct adit_http_body {
    enum adit_http_framing framing;
    enum adit_http_body_state state;
    uint64_t left; /* LENGTH: bytes to come */
    struct adit_http_chunk chunk;
};

/* `framing` NONE, or LENGTH 0: the state is END at once. */
void adit_http_body_init(struct adit_http_body *body, enum adit_http_framing framing,
                         uint64_t length);

/* Takes bytes from the front of *bytes; *out_payload is a view of them. Call while the state is
 * MORE and *bytes is not empty. INVALID for a chunked body that breaks its form. */
struct adit_status adit_http_body_read(struct adit_http_body *body, struct adit_bytes *bytes,
                                       struct adit_bytes *out_payload);

/* The trailer section was read: END. */
void adit_http_body_trailers_done(struct adit_http_body *body);

/* The connection ended: is the body whole? True in state END, and for CLOSE. */
bool adit_http_body_is_whole(const struct adit_http_body *body);

#endif
