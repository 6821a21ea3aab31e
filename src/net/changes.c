#include "net/changes.h"

#define MESSAGES_MAX 64 /* read at once; the watch tells of the rest */

static const uint32_t groups =
    RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;

static void tell(struct adit_changes *changes)
{
    adit_loop_timer_cancel(changes->loop, &changes->quiet);
    changes->told_us = changes->loop->now_us;
    if (changes->changed) {
        changes->changed(changes->context);
    }
}

static void quiet_over(void *context, uint64_t key)
{
    struct adit_changes *changes = context;
    (void)key;
    changes->quiet = (struct adit_handle){0};
    tell(changes);
}

static void tell_soon(struct adit_changes *changes)
{
    if (adit_handle_is_set(changes->quiet)) {
        return; /* the first of a burst has set it: a burst without an end is told too */
    }
    uint64_t soon_us = changes->loop->now_us + ADIT_CHANGES_QUIET_US;
    uint64_t apart_us = changes->told_us + ADIT_CHANGES_APART_US;
    adit_status_ignore(adit_loop_timer_set(changes->loop, &changes->quiet,
                                           apart_us > soon_us ? apart_us : soon_us, quiet_over,
                                           changes, 0),
                       "room is kept at open; without it the session's own deadlines find out");
}

/* What the messages say is not read: every one is a reason to look. */
static void messages_ready(void *context, uint64_t key, uint32_t events)
{
    struct adit_changes *changes = context;
    uint8_t memory[4096] = {0};
    (void)key;
    (void)events;
    for (int i = 0; i < MESSAGES_MAX; i++) {
        ssize_t got = recv(changes->fd, memory, sizeof(memory), MSG_DONTWAIT);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 && errno != ENOBUFS) { /* EAGAIN: all are read. ENOBUFS: some were lost */
            return;
        }
        if (got == 0) {
            return;
        }
        tell_soon(changes);
    }
}

static uint64_t asleep_us(void)
{
    uint64_t awake_us = adit_clock_now_us();
    return adit_clock_boot_us() - awake_us;
}

static void check(void *context, uint64_t key)
{
    struct adit_changes *changes = context;
    uint64_t total_us = asleep_us();
    (void)key;
    changes->check = (struct adit_handle){0};
    adit_status_ignore(adit_loop_timer_set(changes->loop, &changes->check,
                                           changes->loop->now_us + ADIT_CHANGES_CHECK_US, check,
                                           changes, 0),
                       "this timer has just made room for itself");
    /* The difference of differences: each clock may begin anywhere (time_namespaces(7)). */
    bool has_slept = (int64_t)(total_us - changes->asleep_us) > (int64_t)ADIT_CHANGES_ASLEEP_US;
    changes->asleep_us = total_us;
    if (has_slept) {
        tell(changes);
    }
}

/* -1 where the system refuses. */
static int messages_open(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    const struct sockaddr_nl name = {.nl_family = AF_NETLINK, .nl_groups = groups};
    const void *address = &name;
    if (fd >= 0 && bind(fd, address, sizeof(name)) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Takes `fd` over, which may be -1; it is the caller's again where this fails. */
static struct adit_status begin(struct adit_changes *changes, struct adit_loop *loop, int fd)
{
    *changes = (struct adit_changes){.loop = loop, .fd = fd, .asleep_us = asleep_us()};
    ADIT_TRY(adit_loop_timer_set(loop, &changes->check, loop->now_us + ADIT_CHANGES_CHECK_US,
                                 check, changes, 0));
    if (fd < 0) {
        return adit_ok();
    }
    return adit_loop_watch(loop, fd, ADIT_LOOP_READ | ADIT_LOOP_LEVEL, messages_ready, changes, 0,
                           &changes->watch);
}

struct adit_status adit_changes_open(struct adit_changes *changes, struct adit_loop *loop)
{
    struct adit_status status = begin(changes, loop, messages_open());
    if (!adit_is_ok(status)) {
        adit_changes_close(changes);
    }
    return status;
}

void adit_changes_handler_set(struct adit_changes *changes, adit_changes_fn *changed,
                              void *context)
{
    changes->changed = changed;
    changes->context = context;
}

void adit_changes_close(struct adit_changes *changes)
{
    if (!changes->loop) {
        return;
    }
    adit_loop_unwatch(changes->loop, &changes->watch);
    adit_loop_timer_cancel(changes->loop, &changes->quiet);
    adit_loop_timer_cancel(changes->loop, &changes->check);
    if (changes->fd >= 0) {
        close(changes->fd);
    }
    *changes = (struct adit_changes){.fd = -1};
}
