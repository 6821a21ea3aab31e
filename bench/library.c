/* bench-library PORT TLS_PORT: the simplest server that one can write with the TLS library: accept,
 * SSL_accept, SSL_read, SSL_write, close. Every request is answered with two bytes, and the
 * connection ended; at PORT the same without TLS. So what it uses for a handshake, less what it
 * uses for a connection in clear, is what TLS costs over sockets, whoever stands around it.
 *
 * One thread, one epoll. The library reads ahead, so that a record is one receive, and gives one
 * ticket, as Adit does. */
#include "common.h"
#include "tls_server.h"

#define HOST "bench.adit.localhost"
#define HEAD_END "\r\n\r\n"
#define ANSWER                                                                                  \
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close" HEAD_END "ok"

struct end {
    SSL *tls; /* null: in clear */
    bool is_up;
};

struct server {
    int epoll;
    SSL_CTX *context;
    uint8_t block[4096];
    struct end ends[BENCH_FD_MAX];
};

enum outcome { WAITS, ENDS };

static void end_close(struct server *server, int fd)
{
    struct end *end = &ADIT_AT(server->ends, fd);
    if (end->tls) {
        SSL_free(end->tls);
    }
    *end = (struct end){0};
    close(fd);
}

static enum outcome tls_outcome(const struct end *end, int result)
{
    int trouble = SSL_get_error(end->tls, result);
    ERR_clear_error();
    return trouble == SSL_ERROR_WANT_READ || trouble == SSL_ERROR_WANT_WRITE ? WAITS : ENDS;
}

static enum outcome answer_tls(struct server *server, struct end *end)
{
    if (!end->is_up) {
        int result = SSL_accept(end->tls);
        if (result != 1) {
            return tls_outcome(end, result);
        }
        end->is_up = true;
    }
    int got = SSL_read(end->tls, server->block, sizeof server->block);
    if (got <= 0) {
        return tls_outcome(end, got);
    }
    struct adit_bytes heard = adit_bytes_first(ADIT_BYTES_OF(server->block), (size_t)got);
    if (!adit_bytes_ends_with(heard, ADIT_BYTES(HEAD_END))) {
        return WAITS;
    }
    const struct adit_bytes text = ADIT_BYTES(ANSWER);
    if (SSL_write(end->tls, text.ptr, (int)text.len) != (int)text.len ||
        SSL_shutdown(end->tls) < 0) {
        ERR_clear_error();
    }
    return ENDS;
}

static enum outcome answer(struct server *server, int fd)
{
    ssize_t got = recv(fd, server->block, sizeof server->block, 0);
    if (got <= 0) {
        return got < 0 && errno == EAGAIN ? WAITS : ENDS;
    }
    struct adit_bytes heard = adit_bytes_first(ADIT_BYTES_OF(server->block), (size_t)got);
    if (!adit_bytes_ends_with(heard, ADIT_BYTES(HEAD_END))) {
        return WAITS;
    }
    const struct adit_bytes text = ADIT_BYTES(ANSWER);
    if (send(fd, text.ptr, text.len, MSG_NOSIGNAL) < 0) {
        errno = 0; /* the visitor has left */
    }
    return ENDS;
}

static void take(struct server *server, int listener, bool is_tls)
{
    for (int fd = bench_accept(listener); fd >= 0; fd = bench_accept(listener)) {
        struct end *end = &ADIT_AT(server->ends, fd);
        if (is_tls) {
            end->tls = SSL_new(server->context);
            if (!end->tls || SSL_set_fd(end->tls, fd) != 1) {
                bench_die("a TLS connection");
            }
        }
        bench_watch(server->epoll, EPOLL_CTL_ADD, fd, EPOLLIN);
    }
}

static void turn(struct server *server, int fd)
{
    struct end *end = &ADIT_AT(server->ends, fd);
    enum outcome outcome = end->tls ? answer_tls(server, end) : answer(server, fd);
    if (outcome == ENDS) {
        end_close(server, fd);
    }
}

int main(int argc, char **argv)
{
    static struct server server;
    if (argc != 3) {
        fprintf(stderr, "usage: bench-library PORT TLS_PORT\n");
        return 2;
    }
    bench_start();
    server.context = tls_server_context(HOST);
    SSL_CTX_set_read_ahead(server.context, 1);
    SSL_CTX_set_num_tickets(server.context, 1);
    int plain = bench_listen((uint16_t)bench_number(ADIT_SLOT(argv, 3, 1), UINT16_MAX));
    int tls = bench_listen((uint16_t)bench_number(ADIT_SLOT(argv, 3, 2), UINT16_MAX));
    server.epoll = epoll_create1(EPOLL_CLOEXEC);
    bench_watch(server.epoll, EPOLL_CTL_ADD, plain, EPOLLIN);
    bench_watch(server.epoll, EPOLL_CTL_ADD, tls, EPOLLIN);
    for (;;) {
        struct epoll_event events[64];
        int count = epoll_wait(server.epoll, events, ADIT_COUNT(events), -1);
        for (int i = 0; i < count; i++) {
            int fd = ADIT_AT(events, i).data.fd;
            if (fd == plain || fd == tls) {
                take(&server, fd, fd == tls);
            } else {
                turn(&server, fd);
            }
        }
    }
}
