/* Origin: the local program behind the tunnel; one thread. Where it speaks HTTP/1.1 it answers
 *   GET /            two bytes            GET /N           N bytes, at most 4096
 *   GET /bulk/N      N bytes of nothing, 32 KiB a send; /bulk/N/B: B bytes a send
 *   POST anything    two bytes, when the body (with a Content-Length) has come
 *   GET with Upgrade: websocket    an echo of frames of at most 4096 bytes
 * and closes after an answer to `Connection: close`. Else it is source or sink (common.h). */
#ifndef ADIT_BENCH_ORIGIN_H
#define ADIT_BENCH_ORIGIN_H

#include "common.h"

enum { ORIGIN_BODY_MAX = 4096, ORIGIN_HELD_MAX = ORIGIN_BODY_MAX + 256 };

enum origin_mode {
    ORIGIN_NEW,
    ORIGIN_HTTP,      /* between requests, or inside a head */
    ORIGIN_SINK,      /* inside the body of a request */
    ORIGIN_BULK,      /* sends an HTTP body, then HTTP again */
    ORIGIN_WEBSOCKET,
    ORIGIN_DOWN,      /* sends, then ends */
    ORIGIN_UP,        /* counts */
    ORIGIN_ENDED,     /* everything is sent; waits for the other side to end */
};

struct connection {
    enum origin_mode mode;
    bool is_last;   /* HTTP: closes after the answer */
    uint32_t block; /* bytes of one send */
    uint64_t count; /* bytes still to send or to take; UP: bytes received */
    uint64_t told;  /* UP: the count that was sent last; UINT64_MAX: only the end is told */
    size_t held;    /* of what came incomplete */
    uint8_t bytes[ORIGIN_HELD_MAX];
};

struct origin {
    int epoll;
    size_t known; /* bytes of the last head that asked for two bytes, and no more than that */
    uint8_t known_head[512];
    uint8_t text[ORIGIN_BODY_MAX + 256];
    uint8_t block[BENCH_BLOCK_BYTES];
    struct connection connections[BENCH_FD_MAX];
};

/* Bytes of an HTTP or WebSocket connection; false where it is to be closed. */
bool origin_take(struct origin *origin, int fd, struct adit_bytes bytes);

/* Lets the connection wait for room instead of bytes, or the other way round. */
void origin_watch(struct origin *origin, int fd, uint32_t events);

#endif
