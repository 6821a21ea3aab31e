#include "edge/door/peek.h"

#include "edge/door/workers.h"

#define ACCEPT_MAX 64 /* connections accepted in one turn */

#define SCRATCH_BYTES ADIT_HTTP_HEAD_BYTES_MAX
_Static_assert(SCRATCH_BYTES >= ADIT_CLIENT_HELLO_BYTES_MAX, "a whole hello can be seen");

/* Keys of the listeners' watches. */
#define HTTPS 0
#define HTTP 1

struct pending {
    int fd;
    struct adit_handle watch, timer;
    struct adit_address peer;
    uint64_t since_us;
    bool has_low_water; /* wakes us at more than one byte */
    bool is_plain;   /* came at the HTTP port */
    bool is_waiting; /* looked at; no worker could take it yet */
    bool is_parked;  /* waits for the agent of its name */
    bool was_parked; /* and did so in vain */
    struct adit_http_scan scan; /* of what came at the HTTP port */
    struct adit_first first;
};

struct adit_status adit_peek_open(struct adit_door *door)
{
    ADIT_TRY(adit_memory_open(1, SCRATCH_BYTES, &door->scratch));
    return adit_pool_init(&door->pendings, sizeof(struct pending), ADIT_DOOR_PENDING_MAX);
}

static void pending_close(struct adit_door *door, struct adit_handle handle)
{
    struct pending *pending = adit_pool_get(&door->pendings, handle);
    if (!pending) {
        return;
    }
    door->waiting -= pending->is_waiting ? 1 : 0;
    door->parked -= pending->is_parked ? 1 : 0;
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
    door->waiting += pending->is_waiting ? 0 : 1;
    pending->is_waiting = true;
    adit_loop_unwatch(&door->loop, &pending->watch);
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

static void pending_late(void *context, uint64_t key);

/* Its name's agent is away for a moment: a visitor sees latency, not an error. */
static void pending_park(struct adit_door *door, struct adit_handle handle, uint64_t until_us)
{
    struct pending *pending = adit_pool_get(&door->pendings, handle);
    if (!pending) {
        return;
    }
    door->parked += pending->is_parked ? 0 : 1;
    pending->is_parked = true;
    adit_status_ignore(adit_loop_timer_set(&door->loop, &pending->timer, until_us, pending_late,
                                           door, adit_handle_pack(handle)),
                       "its timer is moved, not made");
    pending_wait(door, handle);
}

/* Parking ends with the name's grace, and has room for half of all; the others get an answer. */
static struct adit_way way_of(const struct adit_door *door, const struct pending *pending)
{
    struct adit_way way = adit_way_of(&door->names, adit_message_text_get(&door->domain),
                                      &pending->first, door->loop.now_us);
    bool may_park =
        !door->is_stopping && !pending->was_parked &&
        (pending->is_parked || door->parked < ADIT_DOOR_PARKED_MAX);
    if (way.kind == ADIT_WAY_PARK && !may_park) {
        way = (struct adit_way){.kind = ADIT_WAY_WEB};
    }
    return way;
}

/* The first of them, in turn, whose worker can take it. */
static bool owner_find(struct adit_door *door, const struct adit_way *way,
                       struct adit_owner *out_owner)
{
    for (uint32_t step = 0; step < way->owners->count; step++) {
        const struct adit_owner *owner = adit_owners_at(way->owners, step);
        if (owner && adit_door_worker_has_room(door, owner->worker)) {
            *out_owner = *owner;
            adit_names_turn(&door->names, way->name, step);
            return true;
        }
    }
    return false;
}

static enum adit_door_load load_of(const struct adit_way *way)
{
    return way->kind == ADIT_WAY_AGENT ? ADIT_DOOR_LOAD_AGENT : ADIT_DOOR_LOAD_VISITOR;
}

/* A visitor whose name nobody has may be early: a worker that is new has not said its names yet. */
static bool worker_find(struct adit_door *door, const struct pending *pending,
                        const struct adit_way *way, struct adit_owner *out_owner)
{
    if (way->owners) {
        return owner_find(door, way, out_owner);
    }
    bool has_name = pending->first.kind == ADIT_FIRST_TLS || pending->first.host.len > 0;
    bool is_early =
        way->kind != ADIT_WAY_AGENT && has_name && !adit_door_workers_have_told(door);
    return !is_early && adit_door_worker_choose(door, load_of(way), &out_owner->worker);
}

static struct adit_status message_of(const struct pending *pending, const struct adit_way *way,
                                     uint64_t session, struct adit_message *out_message)
{
    struct adit_message message = {
        .address = pending->peer, .fds = {pending->fd}, .fd_count = 1};
    struct adit_status status = adit_ok();
    switch (way->kind) {
    case ADIT_WAY_PARK:
        ADIT_FAIL(INTERNAL, "a parked connection goes nowhere");
    case ADIT_WAY_AGENT:
        message.type = ADIT_MESSAGE_AGENT;
        break;
    case ADIT_WAY_ORPHAN:
        message.type = ADIT_MESSAGE_ORPHAN;
        message.reason = way->reason;
        break;
    case ADIT_WAY_WEB:
        message.type = ADIT_MESSAGE_WEB;
        message.options = pending->is_plain ? ADIT_WEB_PLAIN : 0;
        message.options |= way->is_unknown ? ADIT_WEB_UNKNOWN : 0;
        status = adit_message_text_set(&message.domain,
                                       ADIT_FIELD_BYTES(pending->first.host));
        break;
    case ADIT_WAY_THROUGH:
        message.type = ADIT_MESSAGE_THROUGH;
        message.session = session;
        status = adit_message_text_set(&message.name, way->name);
        break;
    }
    *out_message = message;
    return status;
}

/* Hands the socket over, untouched: out of epoll first (closing our copy would not take it out),
 * and with its low-water mark back at 1. */
static struct adit_status pending_send(struct adit_door *door, struct pending *pending,
                                       uint32_t worker, struct adit_message *message)
{
    adit_loop_unwatch(&door->loop, &pending->watch);
    if (pending->has_low_water) {
        ADIT_TRY(adit_socket_low_water_set(pending->fd, 1));
    }
    ADIT_TRY(adit_door_worker_send(door, worker, message));
    pending->fd = -1; /* the channel closes it once it is on its way */
    return adit_ok();
}

static void pending_route(struct adit_door *door, struct adit_handle handle)
{
    struct adit_owner owner = {0};
    struct adit_handle ticket = {0};
    struct adit_message message = {0};
    struct pending *pending = adit_pool_get(&door->pendings, handle);
    if (!pending) {
        return;
    }
    const struct adit_way way = way_of(door, pending);
    if (door->is_stopping && way.kind == ADIT_WAY_AGENT) {
        pending_drop(door, handle, ADIT_DOOR_DROP_STOPPING);
        return;
    }
    if (way.kind == ADIT_WAY_PARK) {
        pending_park(door, handle, way.until_us);
        return;
    }
    if (!worker_find(door, pending, &way, &owner)) {
        pending_wait(door, handle);
        return;
    }
    if (way.kind == ADIT_WAY_AGENT && !agent_admit(door, handle, owner.worker, &ticket)) {
        return;
    }
    struct adit_status status = message_of(pending, &way, owner.session, &message);
    message.request = adit_handle_pack(ticket);
    if (adit_is_ok(status)) {
        status = pending_send(door, pending, owner.worker, &message);
    }
    if (adit_is_ok(status)) {
        adit_door_worker_given(door, owner.worker, load_of(&way));
        pending_close(door, handle);
    } else {
        adit_admission_done(&door->admission, ticket, owner.worker);
        pending_wait(door, handle);
    }
}

void adit_peek_retry(struct adit_door *door)
{
    uint32_t cursor = 0;
    struct adit_handle handle = {0};
    while (door->waiting > 0 && adit_pool_next(&door->pendings, &cursor, &handle)) {
        const struct pending *pending = adit_pool_get(&door->pendings, handle);
        if (pending && pending->is_waiting) {
            pending_route(door, handle);
        }
    }
}

/* Where the HTTP port only redirects, any worker can do that. */
static bool judge(const struct adit_door *door, struct adit_bytes seen, struct pending *pending,
                  size_t *out_needed)
{
    if (pending->is_plain && !door->is_http_serving) {
        pending->first = (struct adit_first){.kind = ADIT_FIRST_PLAIN};
        return true;
    }
    if (pending->is_plain) {
        return adit_first_judge_plain(seen, &pending->scan, &pending->first, out_needed);
    }
    return adit_first_judge(seen, &pending->first, out_needed);
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
    if (judge(door, adit_bytes_first(adit_span_bytes(door->scratch), count), pending, &needed)) {
        pending_route(door, handle);
        return;
    }
    if ((events & (ADIT_LOOP_HANGUP | ADIT_LOOP_ERROR)) != 0) {
        pending_drop(door, handle, ADIT_DOOR_DROP_CUT); /* the rest will never come */
        return;
    }
    pending->has_low_water = true;
    if (!adit_is_ok(adit_socket_low_water_set(pending->fd, adit_max_size(needed, count + 1)))) {
        pending_drop(door, handle, ADIT_DOOR_DROP_ERROR);
    }
}

static void pending_late(void *context, uint64_t key)
{
    struct adit_door *door = context;
    struct adit_handle handle = adit_handle_unpack(key);
    struct pending *pending = adit_pool_get(&door->pendings, handle);
    if (!pending) {
        return;
    }
    if (!pending->is_parked) {
        pending_drop(door, handle, pending->is_waiting ? ADIT_DOOR_DROP_NO_WORKER
                                                       : ADIT_DOOR_DROP_TIMEOUT);
        return;
    }
    pending->is_parked = false;
    pending->was_parked = true;
    door->parked--;
    if (adit_is_ok(adit_loop_timer_set(&door->loop, &pending->timer,
                                       door->loop.now_us + door->hello_us, pending_late, door,
                                       key))) {
        pending_route(door, handle);
    } else {
        pending_drop(door, handle, ADIT_DOOR_DROP_ERROR);
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

/* Takes `fd` over; pending_begin looks at it. */
static struct adit_status pending_open(struct adit_door *door, uint64_t listener, int fd,
                                       const struct adit_address *peer,
                                       struct adit_handle *out_handle)
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
    *pending = (struct pending){.fd = fd,
                                .peer = *peer,
                                .since_us = door->loop.now_us,
                                .is_plain = listener == HTTP};
    status = adit_loop_timer_set(&door->loop, &pending->timer, door->loop.now_us + door->hello_us,
                                 pending_late, door, adit_handle_pack(handle));
    if (!adit_is_ok(status)) {
        pending_close(door, handle);
        return status;
    }
    *out_handle = handle;
    return adit_ok();
}

/* A visitor who has spoken already is on its way at once; else its socket says when it does. */
static void pending_begin(struct adit_door *door, struct adit_handle handle)
{
    struct pending *pending = adit_pool_get(&door->pendings, handle);
    size_t count = 0;
    size_t needed = 0;
    enum adit_io io = ADIT_IO_BLOCKED;
    if (!pending) {
        return; /* others came, and it had to give way */
    }
    if (adit_is_ok(adit_socket_peek(pending->fd, door->scratch, &count, &io)) && count > 0 &&
        judge(door, adit_bytes_first(adit_span_bytes(door->scratch), count), pending, &needed)) {
        pending_route(door, handle);
        return;
    }
    struct adit_status status = adit_loop_watch(
        &door->loop, pending->fd, ADIT_LOOP_READ | ADIT_LOOP_HANGUP | ADIT_LOOP_LEVEL,
        pending_ready, door, adit_handle_pack(handle), &pending->watch);
    if (!adit_is_ok(status)) {
        pending_drop(door, handle, ADIT_DOOR_DROP_ERROR);
    }
}

void adit_peek_again(struct adit_door *door, struct adit_message *message)
{
    struct adit_handle handle = {0};
    bool is_plain = message->type == ADIT_MESSAGE_WEB && (message->options & ADIT_WEB_PLAIN) != 0;
    struct adit_status status =
        pending_open(door, is_plain ? HTTP : HTTPS, adit_message_fd_take(message, 0),
                     &message->address, &handle);
    if (adit_is_ok(status)) {
        pending_begin(door, handle);
    } else {
        adit_door_drop_log(door, ADIT_DOOR_DROP_ERROR, &message->address);
    }
}

static void listeners_interest(struct adit_door *door, uint32_t interest)
{
    const char *why = "the watches live as long as the door";
    adit_status_ignore(adit_loop_interest_set(&door->loop, door->listener_watch, interest), why);
    adit_status_ignore(adit_loop_interest_set(&door->loop, door->http_watch, interest), why);
}

static void accept_resume(void *context, uint64_t key)
{
    struct adit_door *door = context;
    (void)key;
    listeners_interest(door, ADIT_LOOP_READ | ADIT_LOOP_LEVEL);
}

/* Descriptors ran out: a short pause, no busy loop; visitors wait in the kernel's queue. */
static void accept_pause(struct adit_door *door, struct adit_status why)
{
    adit_log_failure(&door->log, ADIT_LOG_WARN, ADIT_BYTES("accept_paused"), why);
    listeners_interest(door, ADIT_LOOP_LEVEL);
    adit_status_ignore(adit_loop_timer_set(&door->loop, &door->pause_timer,
                                           door->loop.now_us + ADIT_DOOR_PAUSE_US, accept_resume,
                                           door, 0),
                       "a timer is reserved for it");
}

/* Takes who waits at a listener, so many at most; those taken are in `fresh` then. */
static size_t accept_batch(struct adit_door *door, uint64_t key, struct adit_handle *fresh,
                           size_t most)
{
    int listener = key == HTTP ? door->http_listener : door->listener;
    size_t taken = 0;
    for (size_t i = 0; i < most; i++) {
        int fd = -1;
        struct adit_address peer = {0};
        enum adit_io io = ADIT_IO_BLOCKED;
        struct adit_status status = adit_socket_accept(listener, &fd, &peer, &io);
        if (adit_is_ok(status) && io != ADIT_IO_DONE) {
            return taken;
        }
        if (adit_is_ok(status)) {
            status = pending_open(door, key, fd, &peer, &ADIT_SLOT(fresh, most, taken));
        }
        if (adit_is_ok(status)) {
            door->accepted++;
            taken++;
            continue;
        }
        if (status.detail == EMFILE && i > 0) {
            return taken; /* perhaps nobody waits: accept looks for a descriptor first */
        }
        if (status.detail == EMFILE && door->pendings.used > 0) {
            oldest_drop(door); /* fewer descriptors than our own limit: the same rule */
            continue;
        }
        accept_pause(door, status);
        return taken;
    }
    return taken;
}

/* While they are taken the first of them speak: they are looked at together, afterwards. */
static size_t accept_some(struct adit_door *door, uint64_t key, size_t most)
{
    struct adit_handle fresh[ACCEPT_MAX] = {0};
    size_t batch = ACCEPT_MAX;
    size_t done = 0;
    for (; done < most && batch == ACCEPT_MAX; done += batch) {
        batch = accept_batch(door, key, fresh, ACCEPT_MAX);
        adit_door_workers_gather(door);
        for (size_t i = 0; i < batch; i++) {
            pending_begin(door, ADIT_AT(fresh, i));
        }
        adit_door_workers_flush(door);
    }
    return done;
}

static void listener_ready(void *context, uint64_t key, uint32_t events)
{
    struct adit_door *door = context;
    (void)events;
    if (accept_some(door, key, ACCEPT_MAX) > 1) {
        adit_loop_give_way(&door->loop); /* more are coming: they can come together */
    }
}

struct adit_status adit_peek_begin(struct adit_door *door)
{
    ADIT_TRY(adit_loop_watch(&door->loop, door->listener, ADIT_LOOP_READ | ADIT_LOOP_LEVEL,
                             listener_ready, door, HTTPS, &door->listener_watch));
    return adit_loop_watch(&door->loop, door->http_listener, ADIT_LOOP_READ | ADIT_LOOP_LEVEL,
                           listener_ready, door, HTTP, &door->http_watch);
}

/* Who waits in the queue came in time; who comes later finds nobody, whoever has the listener. */
static void listener_end(struct adit_door *door, uint64_t key, int *listener,
                         struct adit_handle *watch)
{
    if (*listener < 0) {
        return;
    }
    (void)accept_some(door, key, ADIT_DOOR_PENDING_MAX);
    adit_loop_unwatch(&door->loop, watch);
    adit_status_ignore(adit_socket_stop_listening(*listener), "closing is left");
    adit_socket_close(listener);
}

static bool is_silent(const struct adit_door *door, const struct pending *pending)
{
    size_t count = 0;
    enum adit_io io = ADIT_IO_BLOCKED;
    return !pending->is_waiting &&
           (!adit_is_ok(adit_socket_peek(pending->fd, door->scratch, &count, &io)) ||
            io == ADIT_IO_BLOCKED);
}

void adit_peek_stop(struct adit_door *door)
{
    uint32_t cursor = 0;
    struct adit_handle handle = {0};
    door->is_stopping = true;
    listener_end(door, HTTPS, &door->listener, &door->listener_watch);
    listener_end(door, HTTP, &door->http_listener, &door->http_watch);
    adit_loop_timer_cancel(&door->loop, &door->pause_timer);
    while (adit_pool_next(&door->pendings, &cursor, &handle)) {
        const struct pending *pending = adit_pool_get(&door->pendings, handle);
        if (pending && is_silent(door, pending)) {
            pending_drop(door, handle, ADIT_DOOR_DROP_STOPPING);
        }
    }
    adit_peek_retry(door);
}
