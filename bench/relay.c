/* Relay: one plain hop, `bench-relay FROM TO`, read and write, no TLS and no frames. It is the
 * yardstick of the CPU figures: what any program in the middle costs on this machine. */
#include "common.h"

struct side {
    int peer;       /* the other socket; 0: none */
    uint32_t start; /* what was read here and waits to be written to the peer */
    uint32_t end;
    bool is_ended;
    uint8_t *bytes; /* BENCH_BLOCK_BYTES, only while something waits */
};

struct relay {
    int epoll;
    uint16_t to;
    struct side sides[BENCH_FD_MAX];
    uint8_t block[BENCH_BLOCK_BYTES];
};

static void close_both(struct relay *relay, int fd)
{
    int both[2] = {fd, ADIT_AT(relay->sides, fd).peer};
    for (size_t i = 0; i < 2; i++) {
        struct side *side = &ADIT_AT(relay->sides, ADIT_AT(both, i));
        free(side->bytes);
        *side = (struct side){0};
        close(ADIT_AT(both, i));
    }
}

/* What to wait for on a socket: room where its peer has something for it, bytes where nothing
 * that it sent is still waiting. */
static void rewatch(struct relay *relay, int fd)
{
    const struct side *side = &ADIT_AT(relay->sides, fd);
    const struct side *peer = &ADIT_AT(relay->sides, side->peer);
    uint32_t events = peer->start < peer->end ? EPOLLOUT : 0;
    if (side->start == side->end && !side->is_ended) {
        events |= EPOLLIN;
    }
    bench_watch(relay->epoll, EPOLL_CTL_MOD, fd, events);
}

static bool stash(struct side *side, struct adit_bytes rest)
{
    side->bytes = malloc(BENCH_BLOCK_BYTES);
    struct adit_span room = {.ptr = side->bytes, .len = side->bytes ? BENCH_BLOCK_BYTES : 0};
    side->start = 0;
    side->end = (uint32_t)rest.len;
    return adit_is_ok(adit_span_copy(room, rest));
}

/* From fd to its peer. False where both are to be closed. */
static bool forward(struct relay *relay, int fd)
{
    struct side *side = &ADIT_AT(relay->sides, fd);
    ssize_t got = recv(fd, relay->block, sizeof relay->block, 0);
    if (got < 0) {
        return errno == EAGAIN;
    }
    if (got == 0) {
        side->is_ended = true;
        shutdown(side->peer, SHUT_WR);
        rewatch(relay, fd);
        return !ADIT_AT(relay->sides, side->peer).is_ended;
    }
    struct adit_bytes bytes = adit_bytes_first(ADIT_BYTES_OF(relay->block), (size_t)got);
    ssize_t put = send(side->peer, bytes.ptr, bytes.len, MSG_NOSIGNAL);
    if (put < 0 && errno != EAGAIN) {
        return false;
    }
    bytes = adit_bytes_from(bytes, put > 0 ? (size_t)put : 0);
    if (bytes.len > 0) {
        if (!stash(side, bytes)) {
            return false;
        }
        rewatch(relay, fd);
        rewatch(relay, side->peer);
    }
    return true;
}

/* What waits for fd. */
static bool flush(struct relay *relay, int fd)
{
    int from = ADIT_AT(relay->sides, fd).peer;
    struct side *side = &ADIT_AT(relay->sides, from);
    struct adit_bytes waiting = adit_bytes_from(
        (struct adit_bytes){.ptr = side->bytes, .len = side->end}, side->start);
    ssize_t put = send(fd, waiting.ptr, waiting.len, MSG_NOSIGNAL);
    if (put < 0) {
        return errno == EAGAIN;
    }
    side->start += (uint32_t)put;
    if (side->start == side->end) {
        free(side->bytes);
        side->bytes = NULL;
        side->start = 0;
        side->end = 0;
        rewatch(relay, fd);
        rewatch(relay, from);
    }
    return true;
}

static void take(struct relay *relay, int listener)
{
    for (int fd = bench_accept(listener); fd >= 0; fd = bench_accept(listener)) {
        int peer = bench_connect(relay->to);
        bench_set_blocking(peer, false);
        ADIT_AT(relay->sides, fd) = (struct side){.peer = peer};
        ADIT_AT(relay->sides, peer) = (struct side){.peer = fd};
        bench_watch(relay->epoll, EPOLL_CTL_ADD, fd, EPOLLIN);
        bench_watch(relay->epoll, EPOLL_CTL_ADD, peer, EPOLLIN);
    }
}

int main(int argc, char **argv)
{
    static struct relay relay;
    if (argc != 3) {
        fprintf(stderr, "usage: bench-relay FROM TO\n");
        return 2;
    }
    bench_start();
    int listener = bench_listen((uint16_t)bench_number(ADIT_SLOT(argv, 3, 1), UINT16_MAX));
    relay.to = (uint16_t)bench_number(ADIT_SLOT(argv, 3, 2), UINT16_MAX);
    relay.epoll = epoll_create1(EPOLL_CLOEXEC);
    bench_watch(relay.epoll, EPOLL_CTL_ADD, listener, EPOLLIN);
    for (;;) {
        struct epoll_event events[64] = {0};
        int count = epoll_wait(relay.epoll, events, ADIT_COUNT(events), -1);
        for (int i = 0; i < count; i++) {
            const struct epoll_event *event = &ADIT_AT(events, i);
            int fd = event->data.fd;
            bool is_alive = true;
            if (fd == listener) {
                take(&relay, listener);
                continue;
            }
            if (ADIT_AT(relay.sides, fd).peer == 0) {
                continue; /* closed with its peer, earlier in this turn */
            }
            if (event->events & EPOLLOUT) {
                is_alive = flush(&relay, fd);
            } else {
                is_alive = forward(&relay, fd);
            }
            if (!is_alive) {
                close_both(&relay, fd);
            }
        }
    }
}
