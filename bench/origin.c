/* Origin: the local program behind the tunnel. `bench-origin PORT` answers HTTP/1.1 keep-alive
 * requests with two bytes, and is source and sink of bulk transfers (see common.h). */
#include "common.h"

static const char response[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";

enum mode { MODE_NEW, MODE_HTTP, MODE_DOWN, MODE_UP, MODE_ENDED };

struct connection {
    enum mode mode;
    uint32_t matched; /* HTTP: how much of CR LF CR LF has been seen */
    uint64_t count;   /* DOWN: bytes left to send; UP: bytes received */
    uint32_t block;   /* DOWN: bytes of one send */
    uint8_t order[BENCH_ORDER_BYTES];
    size_t order_len;
};

struct origin {
    int epoll;
    struct connection connections[BENCH_FD_MAX];
    uint8_t block[BENCH_BLOCK_BYTES];
};

static void end(struct connection *connection, int fd)
{
    *connection = (struct connection){0};
    close(fd);
}

/* How many requests end in these bytes. */
static size_t requests_in(struct connection *connection, struct adit_bytes bytes)
{
    static const uint8_t mark[4] = {'\r', '\n', '\r', '\n'};
    size_t requests = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t byte = adit_bytes_at(bytes, i);
        if (byte == ADIT_AT(mark, connection->matched)) {
            connection->matched++;
        } else {
            connection->matched = byte == '\r' ? 1 : 0;
        }
        if (connection->matched == sizeof mark) {
            connection->matched = 0;
            requests++;
        }
    }
    return requests;
}

/* False where the connection is to be closed. */
static bool answer(struct connection *connection, int fd, struct adit_bytes bytes)
{
    for (size_t left = requests_in(connection, bytes); left > 0; left--) {
        if (send(fd, response, sizeof response - 1, MSG_NOSIGNAL) != sizeof response - 1) {
            return false;
        }
    }
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
    if (connection->count == 0) {
        connection->mode = MODE_ENDED;
        shutdown(fd, SHUT_WR);
        bench_watch(origin->epoll, EPOLL_CTL_MOD, fd, EPOLLIN);
    }
    return true;
}

/* The end of an upload: tells how much came. */
static void report(struct connection *connection, int fd)
{
    uint8_t count[8] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(count));
    adit_status_ignore(adit_write_u64(&writer, connection->count), "it has room");
    if (send(fd, count, sizeof count, MSG_NOSIGNAL) != sizeof count) {
        fprintf(stderr, "bench-origin: the count could not be sent\n");
    }
}

/* Takes what is missing of a download's order from the front; false where it makes no sense. */
static bool take_order(struct origin *origin, int fd, struct adit_bytes bytes)
{
    struct connection *connection = &ADIT_AT(origin->connections, fd);
    for (size_t i = 0; i < bytes.len && connection->order_len < BENCH_ORDER_BYTES; i++) {
        ADIT_AT(connection->order, connection->order_len) = adit_bytes_at(bytes, i);
        connection->order_len++;
    }
    if (connection->order_len == BENCH_ORDER_BYTES) {
        struct adit_reader reader = adit_reader_of(ADIT_BYTES_OF(connection->order));
        adit_status_ignore(adit_read_u64(&reader, &connection->count), "it is all there");
        adit_status_ignore(adit_read_u32(&reader, &connection->block), "it is all there");
        bench_watch(origin->epoll, EPOLL_CTL_MOD, fd, EPOLLOUT);
        return connection->block > 0 && connection->block <= BENCH_BLOCK_BYTES;
    }
    return true;
}

static bool choose(struct connection *connection, uint8_t first)
{
    switch (first) {
    case BENCH_DOWN:
        connection->mode = MODE_DOWN;
        return true;
    case BENCH_UP:
        connection->mode = MODE_UP;
        return true;
    default:
        connection->mode = MODE_HTTP;
        return false;
    }
}

static bool receive(struct origin *origin, int fd)
{
    struct connection *connection = &ADIT_AT(origin->connections, fd);
    ssize_t got = recv(fd, origin->block, sizeof origin->block, 0);
    if (got < 0) {
        return errno == EAGAIN;
    }
    if (got == 0) {
        if (connection->mode == MODE_UP) {
            report(connection, fd);
        }
        return false;
    }
    struct adit_bytes bytes = adit_bytes_first(ADIT_BYTES_OF(origin->block), (size_t)got);
    if (connection->mode == MODE_NEW && choose(connection, adit_bytes_at(bytes, 0))) {
        bytes = adit_bytes_from(bytes, 1);
    }
    switch (connection->mode) {
    case MODE_HTTP:
        return answer(connection, fd, bytes);
    case MODE_DOWN:
        return take_order(origin, fd, bytes);
    case MODE_UP:
        connection->count += bytes.len;
        return true;
    case MODE_NEW:
    case MODE_ENDED:
        return true;
    }
    return false;
}

static void turn(struct origin *origin, int fd, uint32_t events)
{
    struct connection *connection = &ADIT_AT(origin->connections, fd);
    bool is_alive = true;
    if ((events & EPOLLOUT) && connection->mode == MODE_DOWN) {
        is_alive = send_block(origin, connection, fd);
    } else if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        is_alive = receive(origin, fd);
    }
    if (!is_alive) {
        end(connection, fd);
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
        struct epoll_event events[64] = {0};
        int count = epoll_wait(origin.epoll, events, ADIT_COUNT(events), -1);
        for (int i = 0; i < count; i++) {
            const struct epoll_event *event = &ADIT_AT(events, i);
            if (event->data.fd != listener) {
                turn(&origin, event->data.fd, event->events);
                continue;
            }
            for (int fd = bench_accept(listener); fd >= 0; fd = bench_accept(listener)) {
                ADIT_AT(origin.connections, fd) = (struct connection){0};
                bench_watch(origin.epoll, EPOLL_CTL_ADD, fd, EPOLLIN);
            }
        }
    }
}
