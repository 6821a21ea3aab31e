#include "origin.h"

static void end(struct origin *origin, int fd)
{
    ADIT_AT(origin->connections, fd).mode = ORIGIN_NEW;
    close(fd);
}

void origin_watch(struct origin *origin, int fd, uint32_t events)
{
    bench_watch(origin->epoll, EPOLL_CTL_MOD, fd, events);
}

/* Everything of a bulk transfer has gone; false where the connection is to be closed. */
static bool end_bulk(struct origin *origin, struct connection *connection, int fd)
{
    if (connection->mode == ORIGIN_DOWN) {
        connection->mode = ORIGIN_ENDED;
        shutdown(fd, SHUT_WR);
    } else {
        connection->mode = ORIGIN_HTTP;
        if (connection->is_last) {
            return false;
        }
    }
    origin_watch(origin, fd, EPOLLIN);
    return true;
}

static bool send_block(struct origin *origin, struct connection *connection, int fd)
{
    for (int turns = 0; connection->count > 0 && turns < 8; turns++) {
        size_t part = adit_min_size(connection->count, connection->block);
        ssize_t put = send(fd, origin->block, part, MSG_NOSIGNAL);
        if (put < 0) {
            return errno == EAGAIN;
        }
        connection->count -= (size_t)put;
    }
    return connection->count > 0 || end_bulk(origin, connection, fd);
}

/* Tells how much of an upload came; false where nobody wants to know. */
static bool report(struct connection *connection, int fd)
{
    uint8_t count[8] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(count));
    adit_status_ignore(adit_write_u64(&writer, connection->count), "it has room");
    return send(fd, count, sizeof count, MSG_NOSIGNAL) == sizeof count;
}

static void count(struct connection *connection, int fd, size_t got)
{
    connection->count += got;
    if (connection->told != UINT64_MAX &&
        connection->count - connection->told >= BENCH_TOLD_BYTES && report(connection, fd)) {
        connection->told = connection->count;
    }
}

/* Takes what is missing of a download's order from the front; false where it makes no sense. */
static bool take_order(struct origin *origin, int fd, struct adit_bytes bytes)
{
    struct connection *connection = &ADIT_AT(origin->connections, fd);
    struct adit_span room =
        adit_span_from(adit_span_first(ADIT_SPAN_OF(connection->bytes), BENCH_ORDER_BYTES),
                       connection->held);
    struct adit_bytes part = adit_bytes_first(bytes, room.len);
    adit_status_ignore(adit_span_copy(room, part), "it was cut to fit");
    connection->held += part.len;
    if (connection->held == BENCH_ORDER_BYTES) {
        struct adit_reader reader = adit_reader_of(ADIT_BYTES_OF(connection->bytes));
        adit_status_ignore(adit_read_u64(&reader, &connection->count), "it is all there");
        adit_status_ignore(adit_read_u32(&reader, &connection->block), "it is all there");
        origin_watch(origin, fd, EPOLLOUT);
        return connection->block > 0 && connection->block <= BENCH_BLOCK_BYTES;
    }
    return true;
}

/* By the first byte; true where it was an order and no part of what follows. */
static bool choose(struct connection *connection, uint8_t first)
{
    bool is_down = first == BENCH_DOWN, is_up = first == BENCH_UP || first == BENCH_TOLD;
    connection->told = first == BENCH_TOLD ? 0 : UINT64_MAX;
    connection->mode = is_down ? ORIGIN_DOWN : is_up ? ORIGIN_UP : ORIGIN_HTTP;
    return is_down || is_up;
}

static bool receive(struct origin *origin, int fd)
{
    struct connection *connection = &ADIT_AT(origin->connections, fd);
    ssize_t got = recv(fd, origin->block, sizeof origin->block, 0);
    if (got < 0) {
        return errno == EAGAIN;
    }
    if (got == 0) {
        if (connection->mode == ORIGIN_UP && !report(connection, fd)) {
            fprintf(stderr, "bench-origin: the count could not be sent\n");
        }
        return false;
    }
    struct adit_bytes bytes = adit_bytes_first(ADIT_BYTES_OF(origin->block), (size_t)got);
    if (connection->mode == ORIGIN_NEW && choose(connection, adit_bytes_at(bytes, 0))) {
        bytes = adit_bytes_from(bytes, 1);
    }
    switch (connection->mode) {
    case ORIGIN_HTTP:
    case ORIGIN_SINK:
    case ORIGIN_BULK:
    case ORIGIN_WEBSOCKET:
        return origin_take(origin, fd, bytes);
    case ORIGIN_DOWN:
        return take_order(origin, fd, bytes);
    case ORIGIN_UP:
        count(connection, fd, bytes.len);
        return true;
    case ORIGIN_NEW:
    case ORIGIN_ENDED:
        return true;
    }
    return false;
}

static void turn(struct origin *origin, int fd, uint32_t events)
{
    struct connection *connection = &ADIT_AT(origin->connections, fd);
    bool is_sending = connection->mode == ORIGIN_DOWN || connection->mode == ORIGIN_BULK;
    bool is_alive = true;
    if ((events & EPOLLOUT) && is_sending) {
        is_alive = send_block(origin, connection, fd);
    } else if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        is_alive = receive(origin, fd);
    }
    if (!is_alive) {
        end(origin, fd);
    }
}

static void take(struct origin *origin, int listener)
{
    for (int fd = bench_accept(listener); fd >= 0; fd = bench_accept(listener)) {
        struct connection *connection = &ADIT_AT(origin->connections, fd);
        connection->mode = ORIGIN_NEW;
        connection->is_last = false;
        connection->count = 0;
        connection->held = 0;
        bench_watch(origin->epoll, EPOLL_CTL_ADD, fd, EPOLLIN);
    }
}

int main(int argc, char **argv)
{
    static struct origin origin;
    if (argc != 2) {
        fprintf(stderr, "usage: bench-origin PORT\n");
        return 2;
    }
    bench_start();
    int listener = bench_listen((uint16_t)bench_number(ADIT_SLOT(argv, 2, 1), UINT16_MAX));
    origin.epoll = epoll_create1(EPOLL_CLOEXEC);
    bench_watch(origin.epoll, EPOLL_CTL_ADD, listener, EPOLLIN);
    for (;;) {
        struct epoll_event events[64];
        int count = epoll_wait(origin.epoll, events, ADIT_COUNT(events), -1);
        for (int i = 0; i < count; i++) {
            const struct epoll_event *event = &ADIT_AT(events, i);
            if (event->data.fd == listener) {
                take(&origin, listener);
            } else {
                turn(&origin, event->data.fd, event->events);
            }
        }
    }
}
