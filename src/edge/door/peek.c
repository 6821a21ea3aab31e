#include "edge/door/peek.h"

#include "edge/door/workers.h"
#include "wire/client_hello.h"

#define ACCEPT_MAX 64 /* connections accepted in one turn */

struct pending {
    int fd;
    struct adit_handle watch, timer;
    struct adit_address peer;
    uint64_t since_us;
    bool is_waiting; /* looked at; no worker could take it yet */
    bool is_agent;
    enum adit_orphan reason; /* where it is not an agent's */
};

struct adit_status adit_peek_open(struct adit_door *door)
{
    ADIT_TRY(adit_memory_open(1, ADIT_CLIENT_HELLO_BYTES_MAX, &door->scratch));
    return adit_pool_init(&door->pendings, sizeof(struct pending), ADIT_DOOR_PENDING_MAX);
}

static void pending_close(struct adit_door *door, struct adit_handle handle)
{
    struct pending *pending = adit_pool_get(&door->pendings, handle);
    if (!pending) {
        return;
    }
    adit_loop_unwatch(&door->loop, &pending->watch);
    adit_loop_timer_cancel(&door->loop, &pending->timer);
    adit_socket_close(&pending->fd);
    adit_status_ignore(adit_pool_release(&door->pendings, handle), "it was looked up above");
}

static void pending_drop(struct adit_door *door, struct adit_handle handle,
                         enum adit_door_drop reason)
{
    const struct pending *pending = adit_pool_get(&door->pendings, handle);
    if (pending) {
        adit_door_drop_log(door, reason, &pending->peer);
        pending_close(door, handle);
    }
}

void adit_peek_close(struct adit_door *door)
{
    uint32_t cursor = 0;
    struct adit_handle handle = {0};
    while (adit_pool_next(&door->pendings, &cursor, &handle)) {
        pending_close(door, handle);
    }
    adit_pool_deinit(&door->pendings);
    adit_memory_close(&door->scratch);
}

static void waiting_ready(void *context, uint64_t key, uint32_t events)
{
    struct adit_door *door = context;
    (void)events; /* the visitor has gone */
    pending_close(door, adit_handle_unpack(key));
}

/* Nobody can take it now: listens only for its end, until a worker can or the deadline passes. */
static void pending_wait(struct adit_door *door, struct adit_handle handle)
{
    struct pending *pending = adit_pool_get(&door->pendings, handle);
    if (!pending || (pending->is_waiting && adit_handle_is_set(pending->watch))) {
        return;
    }
    pending->is_waiting = true;
    struct adit_status status =
        adit_loop_watch(&door->loop, pending->fd, ADIT_LOOP_HANGUP | ADIT_LOOP_ONESHOT,
                        waiting_ready, door, adit_handle_pack(handle), &pending->watch);
    if (!adit_is_ok(status)) {
        pending_drop(door, handle, ADIT_DOOR_DROP_ERROR);
    }
}

static bool agent_admit(struct adit_door *door, struct adit_handle handle, uint32_t worker,
                        struct adit_handle *out_ticket)
{
    const struct pending *pending = adit_pool_get(&door->pendings, handle);
    if (!pending) {
        return false;
    }
    const struct adit_admission_ask ask = {.peer = pending->peer,
                                           .worker = worker,
                                           .now_us = door->loop.now_us,
                                           .draw = adit_jitter_next(&door->jitter) >> 16};
    switch (adit_admission_try(&door->admission, &ask, out_ticket)) {
    case ADIT_ADMISSION_GRANTED:
        return true;
    case ADIT_ADMISSION_EARLY_DROP:
        pending_drop(door, handle, ADIT_DOOR_DROP_EARLY);
        return false;
    case ADIT_ADMISSION_SOURCE_FULL:
        pending_drop(door, handle, ADIT_DOOR_DROP_SOURCE);
        return false;
    }
    return false;
}

/* Hands the socket over, untouched: out of epoll first (closing our copy would not take it out),
 * and with its low-water mark back at 1. */
static void pending_route(struct adit_door *door, struct adit_handle handle)
{
    uint32_t worker = 0;
    struct adit_handle ticket = {0};
    if (!adit_door_worker_choose(door, &worker)) {
        struct pending *unlucky = adit_pool_get(&door->pendings, handle);
        if (unlucky && !unlucky->is_waiting) {
            adit_loop_unwatch(&door->loop, &unlucky->watch);
        }
        pending_wait(door, handle);
        return;
    }
    struct pending *pending = adit_pool_get(&door->pendings, handle);
    if (!pending || (pending->is_agent && !agent_admit(door, handle, worker, &ticket))) {
        return;
    }
    struct adit_message message = {
        .type = pending->is_agent ? ADIT_MESSAGE_AGENT : ADIT_MESSAGE_ORPHAN,
        .request = pending->is_agent ? adit_handle_pack(ticket) : 0,
        .reason = pending->reason,
        .address = pending->peer,
        .fds = {pending->fd},
        .fd_count = 1,
    };
    adit_loop_unwatch(&door->loop, &pending->watch);
    struct adit_status status = adit_socket_low_water_set(pending->fd, 1);
    if (adit_is_ok(status)) {
        status = adit_door_worker_send(door, worker, &message);
    }
    if (!adit_is_ok(status)) {
        adit_admission_done(&door->admission, ticket, worker);
        pending_wait(door, handle);
        return;
    }
    pending->fd = -1; /* the channel closes it once it is on its way */
    pending_close(door, handle);
}

void adit_peek_retry(struct adit_door *door)
{
    uint32_t cursor = 0;
    struct adit_handle handle = {0};
    while (adit_pool_next(&door->pendings, &cursor, &handle)) {
        const struct pending *pending = adit_pool_get(&door->pendings, handle);
        if (pending && pending->is_waiting) {
            pending_route(door, handle);
        }
    }
}

/* What the first bytes say. False: not yet enough, *out_needed would be. */
static bool hello_judge(struct adit_bytes seen, struct pending *pending, size_t *out_needed)
{
    struct adit_client_hello hello = {0};
    enum adit_client_hello_verdict verdict = ADIT_CLIENT_HELLO_MORE;
    if (!adit_is_ok(adit_client_hello_parse(seen, &hello, &verdict))) {
        pending->reason = ADIT_ORPHAN_BAD_HELLO;
        return true;
    }
    switch (verdict) {
    case ADIT_CLIENT_HELLO_MORE:
        *out_needed = hello.needed;
        return false;
    case ADIT_CLIENT_HELLO_TOO_OLD:
        pending->reason = ADIT_ORPHAN_TOO_OLD;
        return true;
    case ADIT_CLIENT_HELLO_NOT_TLS:
        pending->reason = ADIT_ORPHAN_PLAIN;
        return true;
    case ADIT_CLIENT_HELLO_FOUND:
        pending->is_agent = hello.offers_agent;
        pending->reason = ADIT_ORPHAN_OTHER_ALPN;
        return true;
    }
    return false;
}

static void pending_ready(void *context, uint64_t key, uint32_t events)
{
    struct adit_door *door = context;
    struct adit_handle handle = adit_handle_unpack(key);
    struct pending *pending = adit_pool_get(&door->pendings, handle);
    size_t count = 0;
    size_t needed = 0;
    enum adit_io io = ADIT_IO_BLOCKED;
    if (!pending) {
        return;
    }
    if (!adit_is_ok(adit_socket_peek(pending->fd, door->scratch, &count, &io)) ||
        io == ADIT_IO_END) {
        pending_drop(door, handle, ADIT_DOOR_DROP_CUT);
        return;
    }
    if (hello_judge(adit_bytes_first(adit_span_bytes(door->scratch), count), pending, &needed)) {
        pending_route(door, handle);
        return;
    }
    if ((events & (ADIT_LOOP_HANGUP | ADIT_LOOP_ERROR)) != 0) {
        pending_drop(door, handle, ADIT_DOOR_DROP_CUT); /* the rest will never come */
        return;
    }
    if (!adit_is_ok(adit_socket_low_water_set(pending->fd, adit_max_size(needed, count + 1)))) {
        pending_drop(door, handle, ADIT_DOOR_DROP_ERROR);
    }
}

static void pending_late(void *context, uint64_t key)
{
    struct adit_door *door = context;
    struct adit_handle handle = adit_handle_unpack(key);
    const struct pending *pending = adit_pool_get(&door->pendings, handle);
    if (pending) {
        pending_drop(door, handle, pending->is_waiting ? ADIT_DOOR_DROP_NO_WORKER
                                                       : ADIT_DOOR_DROP_TIMEOUT);
    }
}

/* Room for one more: the one that had the most time gives way, so that many silent connections
 * cannot keep an honest one out. */
static void oldest_drop(struct adit_door *door)
{
    uint32_t cursor = 0;
    struct adit_handle handle = {0};
    struct adit_handle oldest = {0};
    uint64_t oldest_us = UINT64_MAX;
    while (adit_pool_next(&door->pendings, &cursor, &handle)) {
        const struct pending *pending = adit_pool_get(&door->pendings, handle);
        if (pending && pending->since_us < oldest_us) {
            oldest_us = pending->since_us;
            oldest = handle;
        }
    }
    pending_drop(door, oldest, ADIT_DOOR_DROP_CROWDED);
}

/* Takes `fd` over. */
static struct adit_status pending_open(struct adit_door *door, int fd,
                                       const struct adit_address *peer)
{
    struct adit_handle handle = {0};
    void *object = NULL;
    if (door->pendings.used >= ADIT_DOOR_PENDING_MAX) {
        oldest_drop(door);
    }
    struct adit_status status = adit_pool_acquire(&door->pendings, &handle, &object);
    if (!adit_is_ok(status)) {
        adit_socket_close(&fd);
        return status;
    }
    struct pending *pending = object;
    *pending = (struct pending){.fd = fd, .peer = *peer, .since_us = door->loop.now_us};
    uint64_t key = adit_handle_pack(handle);
    status = adit_loop_watch(&door->loop, fd, ADIT_LOOP_READ | ADIT_LOOP_HANGUP | ADIT_LOOP_LEVEL,
                             pending_ready, door, key, &pending->watch);
    if (adit_is_ok(status)) {
        status = adit_loop_timer_set(&door->loop, &pending->timer,
                                     door->loop.now_us + door->hello_us, pending_late, door, key);
    }
    if (!adit_is_ok(status)) {
        pending_close(door, handle);
    }
    return status;
}

static void accept_resume(void *context, uint64_t key)
{
    struct adit_door *door = context;
    (void)key;
    adit_status_ignore(adit_loop_interest_set(&door->loop, door->listener_watch,
                                              ADIT_LOOP_READ | ADIT_LOOP_LEVEL),
                       "the watch lives as long as the door");
}

/* Descriptors ran out: a short pause, no busy loop; visitors wait in the kernel's queue. */
static void accept_pause(struct adit_door *door, struct adit_status why)
{
    adit_log_failure(&door->log, ADIT_LOG_WARN, ADIT_BYTES("accept_paused"), why);
    adit_status_ignore(
        adit_loop_interest_set(&door->loop, door->listener_watch, ADIT_LOOP_LEVEL),
        "at worst the loop turns faster");
    adit_status_ignore(adit_loop_timer_set(&door->loop, &door->pause_timer,
                                           door->loop.now_us + ADIT_DOOR_PAUSE_US, accept_resume,
                                           door, 0),
                       "a timer is reserved for it");
}

static void listener_ready(void *context, uint64_t key, uint32_t events)
{
    struct adit_door *door = context;
    (void)key;
    (void)events;
    for (size_t i = 0; i < ACCEPT_MAX; i++) {
        int fd = -1;
        struct adit_address peer = {0};
        enum adit_io io = ADIT_IO_BLOCKED;
        struct adit_status status = adit_socket_accept(door->listener, &fd, &peer, &io);
        if (adit_is_ok(status) && io != ADIT_IO_DONE) {
            return;
        }
        if (adit_is_ok(status)) {
            status = pending_open(door, fd, &peer);
        }
        if (adit_is_ok(status)) {
            continue;
        }
        if (status.detail == EMFILE && i > 0) {
            return; /* perhaps nobody waits: accept looks for a descriptor first */
        }
        if (status.detail == EMFILE && door->pendings.used > 0) {
            oldest_drop(door); /* fewer descriptors than our own limit: the same rule */
            continue;
        }
        accept_pause(door, status);
        return;
    }
}

struct adit_status adit_peek_begin(struct adit_door *door)
{
    return adit_loop_watch(&door->loop, door->listener, ADIT_LOOP_READ | ADIT_LOOP_LEVEL,
                           listener_ready, door, 0, &door->listener_watch);
}
