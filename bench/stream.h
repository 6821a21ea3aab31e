/* Stream: one visitor's connection, in clear or over TLS, never blocking. TLS is as a browser
 * offers it: SNI, ALPN http/1.1, AES-128-GCM first, X25519; the certificate is not verified, since
 * that would be the visitor's cost and not that of what is measured.
 *
 * Calls that move bytes return how many, or one of the negative values below. */
#ifndef ADIT_BENCH_STREAM_H
#define ADIT_BENCH_STREAM_H

#include <openssl/ssl.h>

#include "base/base.h"

#define STREAM_WAIT (-1)  /* nothing now: wait for the socket */
#define STREAM_END (-2)   /* the other side has ended, properly or not */
#define STREAM_ERROR (-3)

/* Where to, and how. One for all streams of a job. */
struct stream_target {
    struct sockaddr_in address;
    char name[256];          /* for SNI */
    SSL_CTX *tls;            /* null: in clear */
    SSL_SESSION *session;    /* the newest ticket, where sessions are resumed */
    bool has_resumption;
    bool has_many_sources;   /* more than one address has ports for */
    uint32_t opened;         /* so far */
};

struct stream {
    int fd; /* 0: closed (standard input is open in these programs) */
    SSL *tls;
};

/* Makes the target's TLS context. */
void stream_target_tls(struct stream_target *target, const char *host, bool has_resumption);

/* Begins to connect. 0: connected; STREAM_WAIT: writable once it is; or STREAM_ERROR. */
int stream_open(struct stream *stream, struct stream_target *target);

/* After a wait: 0 where the connection stands, or STREAM_ERROR. */
int stream_opened(struct stream *stream);

/* Goes on with the TLS handshake, if there is one: 0, STREAM_WAIT (for bytes) or STREAM_ERROR. */
int stream_shake(struct stream *stream);

ssize_t stream_send(struct stream *stream, struct adit_bytes bytes);
ssize_t stream_receive(struct stream *stream, struct adit_span span);

/* Whether bytes are here already that no epoll will tell of. */
bool stream_has_more(const struct stream *stream);

bool stream_is_resumed(const struct stream *stream);

void stream_close(struct stream *stream);

#endif
