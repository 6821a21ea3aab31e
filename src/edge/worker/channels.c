/* What the worker hears from the supervisor and the door. */
#include "edge/worker/worker.h"

/* A door that went is replaced, and its channel with it. For one that lives nobody makes a new one:
 * then this worker ends, and the next gets its own. */
static void door_lost(struct worker *worker, struct adit_status why)
{
    adit_log_failure(&worker->log, ADIT_LOG_WARN, ADIT_BYTES("door_lost"), why);
    adit_loop_unwatch(&worker->loop, &worker->door_watch);
    adit_channel_close(&worker->door);
    worker_probes_forget(worker);
    if (adit_status_error(why) != ADIT_ERROR_CLOSED) {
        adit_loop_stop(&worker->loop);
    }
}

static struct adit_status replaced(void)
{
    ADIT_FAIL(CLOSED, "another door took its place");
}

void worker_door_send(struct worker *worker, struct adit_message *message)
{
    if (!adit_channel_is_open(&worker->door)) {
        adit_message_fds_close(message); /* a new door is told everything that still holds */
        return;
    }
    struct adit_status status = adit_channel_send(&worker->door, message);
    if (!adit_is_ok(status)) {
        adit_message_fds_close(message);
        door_lost(worker, status);
    }
}

/* The channel lets no other through on this edge. */
static const struct {
    enum adit_message_type type;
    void (*handle)(struct worker *worker, struct adit_message *message);
} door_messages[] = {
    {ADIT_MESSAGE_AGENT, worker_agent_arrived},
    {ADIT_MESSAGE_ORPHAN, worker_orphan_arrived},
    {ADIT_MESSAGE_WEB, worker_web_arrived},
    {ADIT_MESSAGE_THROUGH, worker_through_arrived},
    {ADIT_MESSAGE_BOUND, worker_port_granted},
    {ADIT_MESSAGE_BIND_REFUSED, worker_port_refused},
    {ADIT_MESSAGE_CLAIMED, worker_name_claimed},
    {ADIT_MESSAGE_CLAIM_REFUSED, worker_name_refused},
    {ADIT_MESSAGE_PROBE, worker_probe_arrived},
    {ADIT_MESSAGE_EVICT, worker_evict_arrived},
};

static struct adit_status door_message(void *context, struct adit_message *message)
{
    struct worker *worker = context;
    for (size_t i = 0; i < ADIT_COUNT(door_messages); i++) {
        if (ADIT_AT(door_messages, i).type == message->type) {
            ADIT_AT(door_messages, i).handle(worker, message);
        }
    }
    return adit_ok();
}

static void door_ready(void *context, uint64_t key, uint32_t events)
{
    struct worker *worker = context;
    (void)key;
    struct adit_status status = adit_ok();
    if (events & ADIT_LOOP_WRITE) {
        status = adit_channel_flush(&worker->door);
    }
    if (adit_is_ok(status)) {
        status = adit_channel_drain(&worker->door, ADIT_CHANNEL_ALL, door_message, worker);
    }
    if (!adit_is_ok(status)) {
        door_lost(worker, status);
    }
}

static void wire_door(struct worker *worker, struct adit_message *message)
{
    int fd = adit_message_fd_take(message, 0);
    if (adit_channel_is_open(&worker->door)) {
        door_lost(worker, replaced());
    }
    struct adit_status status = adit_channel_open(&worker->door, fd, ADIT_EDGE_WORKER_DOOR,
                                                  ADIT_EDGE_DOOR_WORKER);
    if (!adit_is_ok(status)) {
        adit_socket_close(&fd);
    } else {
        status = adit_channel_waiting_max_set(&worker->door, WORKER_DOOR_WAITING_MAX);
    }
    if (adit_is_ok(status)) {
        status = adit_loop_watch(&worker->loop, fd, ADIT_LOOP_READ | ADIT_LOOP_WRITE, door_ready,
                                 worker, 0, &worker->door_watch);
    }
    if (!adit_is_ok(status)) {
        adit_log_failure(&worker->log, ADIT_LOG_ERROR, ADIT_BYTES("door_wire_failed"), status);
        adit_channel_close(&worker->door);
        return;
    }
    worker_binds_announce(worker);
    worker_load_tell(worker);
}

static void status_tell(struct worker *worker, struct adit_message *message)
{
    struct adit_message status = {.type = ADIT_MESSAGE_STATUS, .request = message->request};
    worker_counters_fill(worker, &status.counters);
    adit_status_ignore(adit_channel_send(&worker->supervisor, &status), "it asks again");
}

static void credentials_renewed(struct worker *worker, struct adit_message *message)
{
    struct adit_status status = worker_credentials_take(worker, message);
    if (adit_is_ok(status)) {
        ADIT_LOG(&worker->log, INFO, "credentials_renewed");
    } else {
        adit_log_failure(&worker->log, ADIT_LOG_ERROR, ADIT_BYTES("credentials_kept"), status);
    }
}

static const struct {
    enum adit_message_type type;
    void (*handle)(struct worker *worker, struct adit_message *message);
} supervisor_messages[] = {
    {ADIT_MESSAGE_WIRE_DOOR, wire_door},
    {ADIT_MESSAGE_STOP, worker_stop_asked},
    {ADIT_MESSAGE_STATUS_ASK, status_tell},
    {ADIT_MESSAGE_CREDENTIALS, credentials_renewed},
    {ADIT_MESSAGE_TICKETS, worker_tickets_take},
    {ADIT_MESSAGE_SNAPSHOT, worker_snapshot_arrived},
};

static struct adit_status supervisor_message(void *context, struct adit_message *message)
{
    struct worker *worker = context;
    for (size_t i = 0; i < ADIT_COUNT(supervisor_messages); i++) {
        if (ADIT_AT(supervisor_messages, i).type == message->type) {
            ADIT_AT(supervisor_messages, i).handle(worker, message);
        }
    }
    return adit_ok();
}

static void supervisor_ready(void *context, uint64_t key, uint32_t events)
{
    struct worker *worker = context;
    (void)key;
    if (events & ADIT_LOOP_WRITE) {
        adit_status_ignore(adit_channel_flush(&worker->supervisor), "its end is seen by receive");
    }
    struct adit_status status =
        adit_channel_drain(&worker->supervisor, ADIT_CHANNEL_ALL, supervisor_message, worker);
    if (!adit_is_ok(status)) {
        ADIT_LOG(&worker->log, ERROR, "supervisor_lost");
        adit_loop_stop(&worker->loop);
    }
}

struct adit_status worker_supervisor_watch(struct worker *worker)
{
    return adit_loop_watch(&worker->loop, worker->supervisor.fd, ADIT_LOOP_READ | ADIT_LOOP_WRITE,
                           supervisor_ready, worker, 0, &worker->supervisor_watch);
}
