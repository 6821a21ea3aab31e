#include "edge/door/workers.h"

#include "edge/door/claims.h"
#include "edge/door/peek.h"
#include "edge/door/probes.h"
#include "edge/door/tunnels.h"

static struct adit_door_worker *worker_at(struct adit_door *door, uint32_t index)
{
    return &ADIT_AT(door->workers, index);
}

bool adit_door_worker_has_room(const struct adit_door *door, uint32_t index)
{
    const struct adit_channel *channel = &ADIT_AT(door->workers, index).channel;
    return adit_channel_is_open(channel) && channel->waiting < ADIT_DOOR_WAITING_MAX;
}

bool adit_door_workers_have_told(const struct adit_door *door)
{
    for (size_t i = 0; i < ADIT_DOOR_WORKERS_MAX; i++) {
        const struct adit_door_worker *worker = &ADIT_AT(door->workers, i);
        if (adit_channel_is_open(&worker->channel) && !worker->has_told &&
            door->loop.now_us < worker->wired_us + door->tell_us) {
            return false;
        }
    }
    return true;
}

/* Level-triggered, so that a bounded number of messages a turn is enough. */
static bool may_speak(const struct adit_door *door, const struct adit_door_worker *worker)
{
    return worker->channel.waiting < 2 * ADIT_DOOR_WAITING_MAX && adit_claims_have_room(door);
}

static uint32_t interest_of(const struct adit_door *door, const struct adit_door_worker *worker)
{
    uint32_t interest = ADIT_LOOP_LEVEL;
    if (may_speak(door, worker)) {
        interest |= ADIT_LOOP_READ;
    }
    if (worker->channel.waiting > 0) {
        interest |= ADIT_LOOP_WRITE;
    }
    return interest;
}

static void interest_renew(struct adit_door *door, const struct adit_door_worker *worker)
{
    uint32_t interest = interest_of(door, worker);
    adit_status_ignore(adit_loop_interest_set(&door->loop, worker->watch, interest),
                       "a lost worker has no watch");
}

void adit_door_workers_renew(struct adit_door *door)
{
    for (uint32_t i = 0; i < ADIT_DOOR_WORKERS_MAX; i++) {
        if (adit_channel_is_open(&worker_at(door, i)->channel)) {
            interest_renew(door, worker_at(door, i));
        }
    }
}

static bool is_connection(const struct adit_message *message)
{
    return message->type == ADIT_MESSAGE_AGENT || message->type == ADIT_MESSAGE_ORPHAN ||
           message->type == ADIT_MESSAGE_WEB || message->type == ADIT_MESSAGE_THROUGH;
}

/* Connections that wait for it and that it has never seen go another way. */
static void connections_rescue(struct adit_door *door, struct adit_channel *gone)
{
    struct adit_message message = {0};
    while (adit_channel_take_back(gone, &message)) {
        if (is_connection(&message)) {
            adit_peek_again(door, &message);
        }
        adit_message_fds_close(&message);
    }
    adit_channel_close(gone);
}

static void worker_lose(struct adit_door *door, uint32_t index)
{
    struct adit_door_worker *worker = worker_at(door, index);
    struct adit_channel gone = worker->channel;
    adit_loop_unwatch(&door->loop, &worker->watch);
    worker->channel = (struct adit_channel){.fd = -1};
    adit_admission_worker_gone(&door->admission, index);
    adit_tunnels_worker_gone(door, index);
    adit_claims_worker_gone(door, index);
    adit_probes_worker_gone(door, index);
    const struct adit_log_field field = adit_log_number(ADIT_BYTES("worker"), index);
    adit_log_event(&door->log, door->is_stopping ? ADIT_LOG_INFO : ADIT_LOG_WARN,
                   ADIT_BYTES("worker_gone"), &field, 1);
    connections_rescue(door, &gone);
}

/* The supervisor ends it: by now it may be anybody's program. */
static void worker_break(struct adit_door *door, uint32_t index, struct adit_status why)
{
    struct adit_message message = {.type = ADIT_MESSAGE_BROKEN,
                                   .request = worker_at(door, index)->wiring,
                                   .index = index};
    adit_log_failure(&door->log, ADIT_LOG_ERROR, ADIT_BYTES("worker_broken"), why);
    worker_lose(door, index);
    adit_status_ignore(adit_channel_send(&door->supervisor, &message),
                       "without a supervisor the door ends by itself");
}

static struct adit_status unbind(struct adit_door *door, uint32_t index,
                                 struct adit_message *message)
{
    adit_tunnels_unbind(door, index, message);
    return adit_ok();
}

static struct adit_status agent_done(struct adit_door *door, uint32_t index,
                                     struct adit_message *message)
{
    struct adit_door_worker *worker = worker_at(door, index);
    adit_admission_done(&door->admission, adit_handle_unpack(message->request), index);
    worker->agents_open -= worker->agents_open > 0 ? 1 : 0;
    return adit_ok();
}

/* What it was given before is in its own numbers now, but for agents that are logging in. */
static struct adit_status load(struct adit_door *door, uint32_t index,
                               struct adit_message *message)
{
    struct adit_door_worker *worker = worker_at(door, index);
    worker->sessions = message->count;
    worker->streams = message->streams;
    worker->agents_given = worker->agents_open;
    worker->visitors_given = 0;
    return adit_ok();
}

static struct adit_status own_end(struct adit_door *door, uint32_t index,
                                  struct adit_message *message)
{
    (void)message;
    worker_at(door, index)->has_told = true;
    if (adit_door_workers_have_told(door)) {
        adit_loop_timer_cancel(&door->loop, &door->tell_timer);
    }
    return adit_ok();
}

static const struct {
    enum adit_message_type type;
    struct adit_status (*handle)(struct adit_door *door, uint32_t index,
                                 struct adit_message *message);
} messages[] = {
    {ADIT_MESSAGE_BIND, adit_tunnels_bind},
    {ADIT_MESSAGE_UNBIND, unbind},
    {ADIT_MESSAGE_OWN, adit_tunnels_own},
    {ADIT_MESSAGE_OWN_END, own_end},
    {ADIT_MESSAGE_AGENT_DONE, agent_done},
    {ADIT_MESSAGE_CLAIM, adit_claims_claim},
    {ADIT_MESSAGE_RELEASE, adit_claims_release},
    {ADIT_MESSAGE_HOLD, adit_claims_hold},
    {ADIT_MESSAGE_LOAD, load},
    {ADIT_MESSAGE_PROBED, adit_probes_answer},
};

struct teller {
    struct adit_door *door;
    uint32_t index;
};

static struct adit_status message_handle(void *context, struct adit_message *message)
{
    const struct teller *teller = context;
    for (size_t i = 0; i < ADIT_COUNT(messages); i++) {
        if (ADIT_AT(messages, i).type == message->type) {
            return ADIT_AT(messages, i).handle(teller->door, teller->index, message);
        }
    }
    ADIT_FAIL(INVALID, "a worker does not say this to the door");
}

static struct adit_status messages_receive(struct adit_door *door, uint32_t index)
{
    struct adit_door_worker *worker = worker_at(door, index);
    struct teller teller = {.door = door, .index = index};
    if (!may_speak(door, worker)) {
        return adit_ok();
    }
    return adit_channel_drain(&worker->channel, ADIT_DOOR_RECEIVE_MAX, message_handle, &teller);
}

static void worker_ready(void *context, uint64_t key, uint32_t events)
{
    struct adit_door *door = context;
    uint32_t index = (uint32_t)key;
    struct adit_door_worker *worker = worker_at(door, index);
    struct adit_status status = adit_ok();
    if ((events & ADIT_LOOP_WRITE) != 0) {
        status = adit_channel_flush(&worker->channel);
    }
    if (adit_is_ok(status) && (events & (ADIT_LOOP_READ | ADIT_LOOP_HANGUP)) != 0) {
        status = messages_receive(door, index);
    }
    if (adit_status_error(status) == ADIT_ERROR_CLOSED) {
        worker_lose(door, index);
    } else if (!adit_is_ok(status)) {
        worker_break(door, index, status);
    } else {
        interest_renew(door, worker);
        adit_peek_retry(door);
    }
}

static void tell_over(void *context, uint64_t key)
{
    struct adit_door *door = context;
    (void)key;
    adit_peek_retry(door);
}

struct adit_status adit_door_worker_wire(struct adit_door *door, uint32_t index, uint64_t wiring,
                                         int fd)
{
    if (index >= ADIT_DOOR_WORKERS_MAX) {
        adit_socket_close(&fd);
        ADIT_FAIL(LIMIT, "there are not so many workers");
    }
    struct adit_door_worker *worker = worker_at(door, index);
    if (adit_channel_is_open(&worker->channel)) {
        worker_lose(door, index);
    }
    struct adit_status status =
        adit_channel_open(&worker->channel, fd, ADIT_EDGE_DOOR_WORKER, ADIT_EDGE_WORKER_DOOR);
    if (!adit_is_ok(status)) {
        adit_socket_close(&fd);
        return status;
    }
    worker->wiring = wiring;
    worker->wired_us = door->loop.now_us;
    worker->has_told = false;
    worker->sessions = worker->streams = 0;
    worker->agents_given = worker->agents_open = worker->visitors_given = 0;
    adit_status_ignore(adit_channel_waiting_max_set(&worker->channel, ADIT_DOOR_CHANNEL_MAX),
                       "it has the number that it was opened with");
    adit_status_ignore(adit_loop_timer_set(&door->loop, &door->tell_timer,
                                           door->loop.now_us + door->tell_us, tell_over, door, 0),
                       "a timer is reserved for it");
    status = adit_loop_watch(&door->loop, fd, interest_of(door, worker), worker_ready, door, index,
                             &worker->watch);
    if (!adit_is_ok(status)) {
        adit_channel_close(&worker->channel);
        return status;
    }
    ADIT_LOG(&door->log, INFO, "worker_wired", adit_log_number(ADIT_BYTES("worker"), index));
    adit_peek_retry(door);
    return adit_ok();
}

/* Compared as one number: sessions before streams. */
static uint64_t load_of(const struct adit_door_worker *worker, enum adit_door_load load)
{
    uint64_t sessions = (uint64_t)worker->sessions + worker->agents_given;
    uint64_t streams = (uint64_t)worker->streams + worker->visitors_given;
    switch (load) {
    case ADIT_DOOR_LOAD_AGENT:
        return adit_min_u64(sessions, UINT32_MAX) << 32 | adit_min_u64(streams, UINT32_MAX);
    case ADIT_DOOR_LOAD_VISITOR:
        return streams;
    }
    return 0;
}

bool adit_door_worker_choose(struct adit_door *door, enum adit_door_load load,
                             uint32_t *out_index)
{
    bool is_found = false;
    uint64_t least = 0;
    for (uint32_t i = 0; i < ADIT_DOOR_WORKERS_MAX; i++) {
        uint32_t index = (door->turn + i) % ADIT_DOOR_WORKERS_MAX;
        uint64_t its = load_of(worker_at(door, index), load);
        if (adit_door_worker_has_room(door, index) && (!is_found || its < least)) {
            is_found = true;
            least = its;
            *out_index = index;
        }
    }
    if (is_found) {
        door->turn = (*out_index + 1) % ADIT_DOOR_WORKERS_MAX;
    }
    return is_found;
}

void adit_door_worker_given(struct adit_door *door, uint32_t index, enum adit_door_load load)
{
    struct adit_door_worker *worker = worker_at(door, index);
    switch (load) {
    case ADIT_DOOR_LOAD_AGENT:
        worker->agents_given++;
        worker->agents_open++;
        break;
    case ADIT_DOOR_LOAD_VISITOR:
        worker->visitors_given++;
        break;
    }
}

void adit_door_worker_tell(struct adit_door *door, uint32_t index, struct adit_message *message)
{
    const struct adit_channel *channel = &worker_at(door, index)->channel;
    bool has_room = adit_channel_is_open(channel) &&
                    channel->waiting < ADIT_DOOR_CHANNEL_MAX - ADIT_DOOR_ANSWERS_MAX;
    if (!has_room || !adit_is_ok(adit_door_worker_send(door, index, message))) {
        ADIT_LOG(&door->log, WARN, "worker_not_told",
                 adit_log_number(ADIT_BYTES("worker"), index),
                 adit_log_text(ADIT_BYTES("type"), adit_message_name(message->type)));
    }
}

void adit_door_worker_evict(struct adit_door *door, const struct adit_owner *owner)
{
    struct adit_message message = {.type = ADIT_MESSAGE_EVICT, .session = owner->session};
    adit_door_worker_tell(door, owner->worker, &message);
}

struct adit_status adit_door_worker_send(struct adit_door *door, uint32_t index,
                                         struct adit_message *message)
{
    struct adit_door_worker *worker = worker_at(door, index);
    if (door->is_gathering) {
        adit_channel_hold(&worker->channel);
    }
    ADIT_TRY(adit_channel_send(&worker->channel, message));
    if (worker->channel.waiting > 0 && !door->is_gathering) {
        interest_renew(door, worker);
    }
    return adit_ok();
}

void adit_door_workers_gather(struct adit_door *door)
{
    door->is_gathering = true;
}

void adit_door_workers_flush(struct adit_door *door)
{
    door->is_gathering = false;
    for (uint32_t i = 0; i < ADIT_DOOR_WORKERS_MAX; i++) {
        struct adit_door_worker *worker = worker_at(door, i);
        if (!adit_channel_is_open(&worker->channel) || !worker->channel.is_held) {
            continue;
        }
        adit_status_ignore(adit_channel_flush(&worker->channel), "its watch says that it is gone");
        if (worker->channel.waiting > 0) {
            interest_renew(door, worker);
        }
    }
}
