/* What the roles live on: it has to work inside. */
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <resolv.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <time.h>

#include "probe.h"

/* Works if all of it does. */
#define NEED(condition)                                                                         \
    do {                                                                                        \
        if (!(condition)) {                                                                     \
            return probe_judge(-1) == PROBE_REFUSED ? PROBE_REFUSED : PROBE_FAILED;             \
        }                                                                                       \
    } while (0)

static int turn(const struct scene *scene)
{
    struct epoll_event event = {.events = EPOLLIN};
    NEED(epoll_ctl(scene->epoll, EPOLL_CTL_ADD, scene->listener, &event) == 0);
    NEED(epoll_wait(scene->epoll, &event, 1, 1000) == 1);
    NEED(epoll_ctl(scene->epoll, EPOLL_CTL_DEL, scene->listener, 0) == 0);
    return PROBE_WORKED;
}

static int give_way(const struct scene *scene)
{
    (void)scene;
    NEED(sched_yield() == 0);
    return PROBE_WORKED;
}

static int peek(const struct scene *scene)
{
    char bytes[16] = {0};
    int one = 1;
    const struct linger reset = {.l_onoff = 1};
    int visitor = accept4(scene->listener, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
    NEED(visitor >= 0);
    for (int tries = 0; recv(visitor, bytes, sizeof bytes, MSG_PEEK) < 5; tries++) {
        NEED(tries < 1000000);
    }
    NEED(setsockopt(visitor, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof one) == 0);
    NEED(setsockopt(visitor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0);
    NEED(setsockopt(visitor, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0);
    NEED(close(visitor) == 0);
    return PROBE_WORKED;
}

static int tunnel(const struct scene *scene)
{
    char bytes[16] = {0};
    static char answer[] = "answer";
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    struct iovec vector = {.iov_base = answer, .iov_len = 6};
    int visitor = accept4(scene->listener, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
    NEED(visitor >= 0);
    for (int tries = 0; recv(visitor, bytes, sizeof bytes, 0) < 5; tries++) {
        NEED(tries < 1000000);
    }
    NEED(send(visitor, answer, 6, MSG_NOSIGNAL) == 6);
    NEED(writev(visitor, &vector, 1) == 6);
    NEED(sendmsg(visitor, &(struct msghdr){.msg_iov = &vector, .msg_iovlen = 1}, 0) == 6);
    NEED(getsockopt(visitor, IPPROTO_TCP, TCP_INFO, &info, &size) == 0);
    NEED(fcntl(visitor, F_SETFL, fcntl(visitor, F_GETFL) | O_NONBLOCK) == 0);
    NEED(shutdown(visitor, SHUT_WR) == 0);
    NEED(recv(scene->pending, bytes, sizeof bytes, 0) > 0);
    NEED(close(visitor) == 0);
    return PROBE_WORKED;
}

/* Sends a descriptor through the pair and uses what arrives. */
static int hand_over(const struct scene *scene)
{
    char byte = 'x';
    char space[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec vector = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = space,
                             .msg_controllen = sizeof space};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    NEED(header);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &scene->listener, sizeof(int));
    NEED(sendmsg(scene->pair_near, &message, MSG_NOSIGNAL) == 1);
    NEED(recvmsg(scene->pair_far, &message, MSG_CMSG_CLOEXEC) == 1);
    header = CMSG_FIRSTHDR(&message);
    NEED(header);
    int arrived = -1;
    memcpy(&arrived, CMSG_DATA(header), sizeof(int));
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    void *any = &address;
    NEED(getsockname(arrived, any, &size) == 0);
    NEED(close(arrived) == 0);
    return PROBE_WORKED;
}

static int port_open(const struct scene *scene)
{
    (void)scene;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(SCENE_PORT_TO)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const void *any = &address;
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    NEED(fd >= 0);
    NEED(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0);
    NEED(bind(fd, any, sizeof address) == 0);
    NEED(listen(fd, 16) == 0);
    NEED(fcntl(fd, F_DUPFD_CLOEXEC, 0) >= 0);
    NEED(shutdown(fd, SHUT_RD) == 0);
    return PROBE_WORKED;
}

static int memory(const struct scene *scene)
{
    (void)scene;
    for (size_t size = 16; size < 64u * 1024 * 1024; size *= 2) {
        char *block = malloc(size);
        NEED(block);
        memset(block, 1, size);
        block = realloc(block, 3 * size);
        NEED(block);
        free(block);
    }
    return PROBE_WORKED;
}

static int time_and_chance(const struct scene *scene)
{
    (void)scene;
    char bytes[32] = {0};
    struct timespec now = {0};
    NEED(getrandom(bytes, sizeof bytes, 0) == sizeof bytes);
    NEED(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    NEED(syscall(SYS_clock_gettime, CLOCK_REALTIME, &now) == 0);
    time_t seconds = now.tv_sec;
    struct tm parts = {0};
    NEED(gmtime_r(&seconds, &parts));
    return PROBE_WORKED;
}

static int key_read(const struct scene *scene)
{
    char bytes[16] = {0};
    NEED(pread(scene->key, bytes, sizeof bytes, 0) == 6);
    return PROBE_WORKED;
}

static int tls_talk(const struct scene *scene)
{
    NEED(adit_is_ok(tls_pair_talk(scene->tls)));
    return PROBE_WORKED;
}

static int tls_reload(const struct scene *scene)
{
    NEED(adit_is_ok(tls_pair_reload(scene->tls)));
    return PROBE_WORKED;
}

static int log_line(const struct scene *scene)
{
    (void)scene;
    NEED(write(2, "", 0) == 0);
    return PROBE_WORKED;
}

static int config_missing(const struct scene *scene)
{
    (void)scene;
    return open("/etc/ssl/openssl.cnf", O_RDONLY) < 0 && errno == EACCES ? PROBE_WORKED
                                                                         : PROBE_FAILED;
}

static void *resolve(void *bell)
{
    struct addrinfo *found = 0;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    const int *fd = bell;
    _res.retrans = 1; /* no machine of the test answers: do not wait for it */
    _res.retry = 1;
    if (getaddrinfo("localhost", "80", &hints, &found) == 0) {
        freeaddrinfo(found);
    }
    if (getaddrinfo("name.adit-sandbox.invalid", "80", &hints, &found) == 0) {
        freeaddrinfo(found);
    }
    return eventfd_write(*fd, 1) == 0 ? bell : 0;
}

static int names(const struct scene *scene)
{
    (void)scene;
    pthread_t thread = {0};
    eventfd_t value = 0;
    void *result = 0;
    int bell = eventfd(0, EFD_CLOEXEC);
    NEED(bell >= 0);
    NEED(pthread_create(&thread, 0, resolve, &bell) == 0);
    NEED(eventfd_read(bell, &value) == 0);
    NEED(pthread_join(thread, &result) == 0 && result);
    return PROBE_WORKED;
}

static int rule_break(const struct scene *scene)
{
    ADIT_ASSERT(!scene);
    return PROBE_FAILED;
}

static int exit_quietly(const struct scene *scene)
{
    (void)scene;
    exit(PROBE_WORKED);
}

/* What SQLite does with a database. */
static int files_keep(const struct scene *scene)
{
    char path[128] = {0};
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    NEED(adit_is_ok(adit_path_join(ADIT_OBJECT_SPAN(path), adit_bytes_of_text(scene->folder),
                                   ADIT_BYTES("adit.db"))));
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    NEED(fd >= 0);
    NEED(fcntl(fd, F_SETLK, &lock) == 0);
    NEED(pwrite(fd, "page", 4, 0) == 4);
    NEED(fdatasync(fd) == 0 && fsync(fd) == 0);
    NEED(ftruncate(fd, 8192) == 0);
    void *index = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    NEED(index != MAP_FAILED);
    NEED(munmap(index, 4096) == 0);
    NEED(close(fd) == 0 && unlink(path) == 0);
    return PROBE_WORKED;
}

static int snapshot_seal(const struct scene *scene)
{
    int fd = -1;
    (void)scene;
    NEED(adit_is_ok(adit_file_seal(ADIT_BYTES("all there is"), &fd)));
    NEED(close(fd) == 0);
    return PROBE_WORKED;
}

/* The agent: a terminal's size, whether the machine slept, what the kernel says of the network. */
static int surroundings(const struct scene *scene)
{
    char bytes[16] = {0};
    struct winsize size = {0};
    struct timespec now = {0};
    const struct sockaddr_nl name = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
    const void *address = &name;
    NEED(ioctl(scene->listener, TIOCGWINSZ, &size) != 0 && errno == ENOTTY);
    NEED(clock_gettime(CLOCK_BOOTTIME, &now) == 0);
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    NEED(fd >= 0);
    NEED(bind(fd, address, sizeof name) == 0);
    NEED(recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) < 0 && errno == EAGAIN);
    NEED(close(fd) == 0);
    return PROBE_WORKED;
}

const struct probe probes_needed[PROBE_LIST_MAX] = {
    {"turns its loop", PROBE_ALL | PROBE_SUPERVISOR, 0, turn},
    {"gives way to others", PROBE_DOOR | PROBE_WORKER | PROBE_AGENT, PROBE_CONTROL, give_way},
    {"accepts and peeks", PROBE_DOOR, PROBE_AGENT, peek},
    {"accepts, receives, answers", PROBE_WORKER, PROBE_AGENT, tunnel},
    {"hands a descriptor over", PROBE_DOOR | PROBE_WORKER | PROBE_SUPERVISOR, 0, hand_over},
    {"opens a tunnel's port", PROBE_DOOR | PROBE_SUPERVISOR,
     PROBE_WORKER | PROBE_CONTROL | PROBE_AGENT, port_open},
    {"gets memory and gives it back", PROBE_ALL | PROBE_SUPERVISOR, 0, memory},
    {"asks for time and chance", PROBE_ALL | PROBE_SUPERVISOR, 0, time_and_chance},
    {"reads a descriptor it was handed", PROBE_ALL | PROBE_SUPERVISOR, 0, key_read},
    {"shakes hands and talks over TLS", PROBE_WORKER | PROBE_AGENT, 0, tls_talk},
    {"takes a new certificate", PROBE_WORKER, 0, tls_reload},
    {"writes its log", PROBE_ALL | PROBE_SUPERVISOR, 0, log_line},
    {"is told no by a library's file", PROBE_WORKER, 0, config_missing},
    {"resolves names in a thread", PROBE_AGENT, PROBE_DOOR | PROBE_WORKER | PROBE_CONTROL, names},
    {"looks at terminal, clocks and network", PROBE_AGENT, 0, surroundings},
    {"keeps files in its folder", PROBE_CONTROL | PROBE_SUPERVISOR,
     PROBE_DOOR | PROBE_WORKER | PROBE_AGENT, files_keep},
    {"seals a snapshot", PROBE_CONTROL | PROBE_SUPERVISOR, PROBE_DOOR | PROBE_WORKER | PROBE_AGENT,
     snapshot_seal},
    {"ends", PROBE_ALL | PROBE_SUPERVISOR, 0, exit_quietly},
    {0},
};

const struct probe probes_dying[PROBE_LIST_MAX] = {
    {"says which rule broke, then dies", 0, PROBE_ALL | PROBE_SUPERVISOR, rule_break},
    {0},
};
