/* What differs from run to run outside, the same here: the linker leads these calls of all of
 * Adit to this file (--wrap). */
#include "script.h"

#include <poll.h>

#define BUFFER_BYTES (192 * 1024) /* of each socket: any kernel gives that */
#define SETTLE_MS 5000

static uint64_t now_us = 1000 * (uint64_t)ADIT_SECOND_US;
static struct adit_jitter random_numbers = {.state = 1};

uint64_t __wrap_adit_clock_now_us(void);
uint64_t __wrap_adit_clock_now_us(void)
{
    return now_us;
}

uint64_t __wrap_adit_clock_boot_us(void);
uint64_t __wrap_adit_clock_boot_us(void)
{
    return now_us;
}

void script_time_pass(uint64_t us)
{
    now_us += us;
}

struct adit_status __wrap_adit_random_fill(struct adit_span span);
struct adit_status __wrap_adit_random_fill(struct adit_span span)
{
    for (size_t i = 0; i < span.len; i++) {
        uint8_t byte = (uint8_t)(adit_jitter_next(&random_numbers) >> 32);
        adit_span_fill(adit_span_first(adit_span_from(span, i), 1), byte);
    }
    return adit_ok();
}

struct adit_status __wrap_adit_socket_info_get(int fd, struct adit_socket_info *out_info);
struct adit_status __wrap_adit_socket_info_get(int fd, struct adit_socket_info *out_info)
{
    (void)fd;
    *out_info = (struct adit_socket_info){
        .rtt_us = 100, .rtt_min_us = 50, .delivery_rate = 1000 * 1000 * 1000};
    return adit_ok();
}

/* Buffers that do not grow, and a congestion control without timers. */
static void settle(int fd)
{
    script_must(adit_socket_buffers_set(fd, BUFFER_BYTES, BUFFER_BYTES), "buffers");
    script_must(adit_socket_congestion_set(fd, ADIT_BYTES("reno")), "congestion control");
}

struct adit_status __real_adit_socket_connect(const struct adit_address *address, int *out_fd);
struct adit_status __wrap_adit_socket_connect(const struct adit_address *address, int *out_fd);
struct adit_status __wrap_adit_socket_connect(const struct adit_address *address, int *out_fd)
{
    ADIT_TRY(__real_adit_socket_connect(address, out_fd));
    settle(*out_fd);
    return adit_ok();
}

int script_listen(struct adit_address *out_address)
{
    const struct adit_address address = {.family = 4, .ip = {127, 0, 0, 1}};
    int fd = -1;
    script_must(adit_socket_listen(&address, 1024, &fd), "listen");
    script_must(adit_socket_local(fd, out_address), "the listener's port");
    settle(fd);
    return fd;
}

int script_connect(const struct adit_address *address)
{
    int fd = -1;
    script_must(adit_socket_connect(address, &fd), "connect");
    settle(fd);
    return fd;
}

int script_accept(int listener)
{
    struct adit_address peer = {0};
    enum adit_io io = ADIT_IO_BLOCKED;
    int fd = -1;
    script_must(adit_socket_accept(listener, &fd, &peer, &io), "accept");
    return io == ADIT_IO_DONE ? fd : -1;
}

static int echo_open(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (const void *)&address, size) != 0 ||
        getsockname(fd, (void *)&address, &size) != 0 ||
        connect(fd, (const void *)&address, size) != 0) {
        script_die("no socket that speaks to itself");
    }
    return fd;
}

/* The kernel keeps packets of loopback in order, for each processor: once a datagram has come back,
 * what was sent before it has arrived; after the second one, what that made others say too. */
void script_settle(void)
{
    static int echo = -1;
    uint8_t byte = 0;
    if (echo < 0) {
        echo = echo_open();
    }
    for (int i = 0; i < 2; i++) {
        struct pollfd wanted = {.fd = echo, .events = POLLIN};
        if (send(echo, &byte, 1, 0) != 1 || poll(&wanted, 1, SETTLE_MS) != 1 ||
            recv(echo, &byte, 1, 0) != 1) {
            script_die("a datagram to itself was lost");
        }
    }
}

/* --- System calls of our own code, counted --- */

static uint64_t calls;

uint64_t script_calls(void)
{
    return calls;
}

#define COUNTED(type, name, parameters, arguments)                                              \
    type __real_##name parameters;                                                              \
    type __wrap_##name parameters;                                                              \
    type __wrap_##name parameters                                                               \
    {                                                                                           \
        calls++;                                                                                \
        return __real_##name arguments;                                                         \
    }

COUNTED(ssize_t, recv, (int fd, void *to, size_t size, int flags), (fd, to, size, flags))
COUNTED(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))
COUNTED(ssize_t, send, (int fd, const void *from, size_t size, int flags), (fd, from, size, flags))
COUNTED(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
COUNTED(ssize_t, read, (int fd, void *to, size_t size), (fd, to, size))
COUNTED(ssize_t, write, (int fd, const void *from, size_t size), (fd, from, size))
COUNTED(ssize_t, readv, (int fd, const struct iovec *views, int count), (fd, views, count))
COUNTED(ssize_t, writev, (int fd, const struct iovec *views, int count), (fd, views, count))
COUNTED(int, epoll_wait, (int fd, struct epoll_event *events, int most, int ms),
        (fd, events, most, ms))
COUNTED(int, epoll_ctl, (int epoll, int what, int fd, struct epoll_event *event),
        (epoll, what, fd, event))
COUNTED(int, poll, (struct pollfd *fds, nfds_t count, int ms), (fds, count, ms))
COUNTED(int, socket, (int domain, int type, int protocol), (domain, type, protocol))
COUNTED(int, connect, (int fd, const struct sockaddr *to, socklen_t size), (fd, to, size))
COUNTED(int, accept4, (int fd, struct sockaddr *from, socklen_t *size, int flags),
        (fd, from, size, flags))
COUNTED(int, shutdown, (int fd, int how), (fd, how))
COUNTED(int, close, (int fd), (fd))
COUNTED(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t size),
        (fd, level, name, value, size))
COUNTED(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *size),
        (fd, level, name, value, size))
COUNTED(int, getsockname, (int fd, struct sockaddr *name, socklen_t *size), (fd, name, size))
