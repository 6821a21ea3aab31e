#include "common.h"

_Noreturn void bench_die(const char *what)
{
    fprintf(stderr, "bench: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

uint64_t bench_number(const char *text, uint64_t max)
{
    uint64_t value = 0;
    if (!adit_is_ok(adit_parse_decimal(adit_bytes_of_text(text), max, &value))) {
        fprintf(stderr, "bench: %s is not a number of at most %llu\n", text,
                (unsigned long long)max);
        exit(2);
    }
    return value;
}

uint64_t bench_now_ns(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void bench_start(void)
{
    struct rlimit files = {0};
    signal(SIGPIPE, SIG_IGN);
    const struct rlimit wanted = {.rlim_cur = BENCH_FD_MAX, .rlim_max = BENCH_FD_MAX};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && setrlimit(RLIMIT_NOFILE, &wanted) != 0) {
        files.rlim_cur = files.rlim_max < BENCH_FD_MAX ? files.rlim_max : BENCH_FD_MAX;
        if (setrlimit(RLIMIT_NOFILE, &files) != 0) {
            bench_die("setrlimit");
        }
    }
}

static void set_nodelay(int fd)
{
    const int one = 1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0) {
        bench_die("TCP_NODELAY");
    }
}

static struct sockaddr_in address_of(uint32_t ip, uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(ip)};
}

int bench_listen(uint16_t port)
{
    const int one = 1;
    const struct sockaddr_in address = address_of(INADDR_ANY, port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, (const void *)&address, sizeof address) != 0 || listen(fd, 4096) != 0) {
        bench_die("listen");
    }
    return fd;
}

int bench_connect(uint16_t port)
{
    const struct sockaddr_in address = address_of(INADDR_LOOPBACK, port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const void *)&address, sizeof address) != 0) {
        bench_die("connect");
    }
    set_nodelay(fd);
    return fd;
}

int bench_accept(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR) {
            return -1;
        }
        bench_die("accept");
    }
    set_nodelay(fd);
    return fd;
}

void bench_set_blocking(int fd, bool is_blocking)
{
    int flags = fcntl(fd, F_GETFL);
    flags = is_blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
    if (fcntl(fd, F_SETFL, flags) != 0) {
        bench_die("fcntl");
    }
}

void bench_watch(int epoll, int operation, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (epoll_ctl(epoll, operation, fd, &event) != 0) {
        bench_die("epoll_ctl");
    }
}

void bench_send_all(int fd, struct adit_bytes bytes)
{
    while (bytes.len > 0) {
        ssize_t put = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (put <= 0) {
            bench_die("send");
        }
        bytes = adit_bytes_from(bytes, (size_t)put);
    }
}

void bench_receive_all(int fd, struct adit_span span)
{
    while (span.len > 0) {
        ssize_t got = recv(fd, span.ptr, span.len, 0);
        if (got <= 0) {
            bench_die(got == 0 ? "the connection ended too early" : "recv");
        }
        span = adit_span_from(span, (size_t)got);
    }
}
