/* What the worker hears from the supervisor and the door. */
#include "edge/worker/worker.h"

#define STOP_US (300 * ADIT_MS_US) /* for last words to leave, once asked to stop */

static struct adit_status stopping(void)
{
    ADIT_FAIL(CLOSED, "the server stops");
}

static void door_lost(struct worker *worker)
{
    adit_loop_unwatch(&worker->loop, &worker->door_watch);
    adit_channel_close(&worker->door);
    ADIT_LOG(&worker->log, WARN, "door_lost");
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
        adit_log_failure(&worker->log, ADIT_LOG_WARN, ADIT_BYTES("door_send_failed"), status);
        door_lost(worker);
    }
}

static void door_message(struct worker *worker, struct adit_message *message)
{
    switch (message->type) {
    case ADIT_MESSAGE_AGENT:
        worker_agent_arrived(worker, message);
        return;
    case ADIT_MESSAGE_ORPHAN:
        worker_orphan_arrived(worker, message);
        return;
    case ADIT_MESSAGE_BOUND:
        worker_bind_granted(worker, message);
        return;
    case ADIT_MESSAGE_BIND_REFUSED:
        worker_bind_refused(worker, message);
        return;
    case ADIT_MESSAGE_NONE:
    case ADIT_MESSAGE_DOOR_START:
    case ADIT_MESSAGE_WORKER_START:
    case ADIT_MESSAGE_WIRE_WORKER:
    case ADIT_MESSAGE_WIRE_DOOR:
    case ADIT_MESSAGE_READY:
    case ADIT_MESSAGE_STOP:
    case ADIT_MESSAGE_CREDENTIALS:
    case ADIT_MESSAGE_STATUS_ASK:
    case ADIT_MESSAGE_STATUS:
    case ADIT_MESSAGE_BROKEN:
    case ADIT_MESSAGE_BIND:
    case ADIT_MESSAGE_UNBIND:
    case ADIT_MESSAGE_OWN:
    case ADIT_MESSAGE_OWN_END:
    case ADIT_MESSAGE_AGENT_DONE:
        return; /* the channel lets none of these through on this edge */
    }
}

static void door_ready(void *context, uint64_t key, uint32_t events)
{
    struct worker *worker = context;
    (void)key;
    if ((events & ADIT_LOOP_WRITE) && !adit_is_ok(adit_channel_flush(&worker->door))) {
        door_lost(worker);
        return;
    }
    for (enum adit_io io = ADIT_IO_DONE; adit_channel_is_open(&worker->door);) {
        struct adit_message message = {0};
        struct adit_status status = adit_channel_receive(&worker->door, &message, &io);
        if (!adit_is_ok(status) || io == ADIT_IO_END) {
            adit_log_failure(&worker->log, ADIT_LOG_ERROR, ADIT_BYTES("door_channel"), status);
            door_lost(worker);
            return;
        }
        if (io == ADIT_IO_BLOCKED) {
            return;
        }
        door_message(worker, &message);
        adit_message_fds_close(&message);
    }
}

static void wire_door(struct worker *worker, int fd)
{
    if (adit_channel_is_open(&worker->door)) {
        door_lost(worker);
    }
    struct adit_status status = adit_channel_open(&worker->door, fd, ADIT_EDGE_WORKER_DOOR,
                                                  ADIT_EDGE_DOOR_WORKER);
    if (!adit_is_ok(status)) {
        adit_socket_close(&fd);
    } else {
        status = adit_loop_watch(&worker->loop, fd, ADIT_LOOP_READ | ADIT_LOOP_WRITE, door_ready,
                                 worker, 0, &worker->door_watch);
    }
    if (!adit_is_ok(status)) {
        adit_log_failure(&worker->log, ADIT_LOG_ERROR, ADIT_BYTES("door_wire_failed"), status);
        adit_channel_close(&worker->door);
        return;
    }
    worker_binds_announce(worker);
}

static void stop_fired(void *context, uint64_t key)
{
    struct worker *worker = context;
    (void)key;
    adit_loop_stop(&worker->loop);
}

/* Every session is told and ended; what is still in flight then is visibly cut. */
static void stop(struct worker *worker)
{
    struct adit_handle handle = {0};
    for (uint32_t cursor = 0; adit_pool_next(&worker->agents, &cursor, &handle);) {
        const struct agent *agent = adit_pool_get(&worker->agents, handle);
        adit_link_close(&worker->hub, agent->link, stopping());
    }
    if (!adit_is_ok(adit_loop_timer_set(&worker->loop, &worker->stop_timer,
                                        worker->loop.now_us + STOP_US, stop_fired, worker, 0))) {
        adit_loop_stop(&worker->loop);
    }
}

static void status_tell(struct worker *worker, uint64_t request)
{
    struct adit_message status = {.type = ADIT_MESSAGE_STATUS,
                                  .request = request,
                                  .count = worker->agents.used,
                                  .streams = worker->hub.pumps.used};
    adit_status_ignore(adit_channel_send(&worker->supervisor, &status), "it asks again");
}

static void credentials_renewed(struct worker *worker, const struct adit_message *message)
{
    struct adit_status status = worker_credentials_take(worker, message);
    if (adit_is_ok(status)) {
        ADIT_LOG(&worker->log, INFO, "credentials_renewed");
    } else {
        adit_log_failure(&worker->log, ADIT_LOG_ERROR, ADIT_BYTES("credentials_kept"), status);
    }
}

static void supervisor_message(struct worker *worker, struct adit_message *message)
{
    switch (message->type) {
    case ADIT_MESSAGE_WIRE_DOOR:
        wire_door(worker, adit_message_fd_take(message, 0));
        return;
    case ADIT_MESSAGE_STOP:
        stop(worker);
        return;
    case ADIT_MESSAGE_STATUS_ASK:
        status_tell(worker, message->request);
        return;
    case ADIT_MESSAGE_CREDENTIALS:
        credentials_renewed(worker, message);
        return;
    case ADIT_MESSAGE_NONE:
    case ADIT_MESSAGE_DOOR_START:
    case ADIT_MESSAGE_WORKER_START:
    case ADIT_MESSAGE_WIRE_WORKER:
    case ADIT_MESSAGE_READY:
    case ADIT_MESSAGE_STATUS:
    case ADIT_MESSAGE_BROKEN:
    case ADIT_MESSAGE_AGENT:
    case ADIT_MESSAGE_ORPHAN:
    case ADIT_MESSAGE_BIND:
    case ADIT_MESSAGE_BOUND:
    case ADIT_MESSAGE_BIND_REFUSED:
    case ADIT_MESSAGE_UNBIND:
    case ADIT_MESSAGE_OWN:
    case ADIT_MESSAGE_OWN_END:
    case ADIT_MESSAGE_AGENT_DONE:
        return;
    }
}

static void supervisor_ready(void *context, uint64_t key, uint32_t events)
{
    struct worker *worker = context;
    (void)key;
    if (events & ADIT_LOOP_WRITE) {
        adit_status_ignore(adit_channel_flush(&worker->supervisor), "its end is seen by receive");
    }
    for (;;) {
        struct adit_message message = {0};
        enum adit_io io = ADIT_IO_DONE;
        struct adit_status status = adit_channel_receive(&worker->supervisor, &message, &io);
        if (!adit_is_ok(status) || io == ADIT_IO_END) {
            ADIT_LOG(&worker->log, ERROR, "supervisor_lost");
            adit_loop_stop(&worker->loop);
            return;
        }
        if (io == ADIT_IO_BLOCKED) {
            return;
        }
        supervisor_message(worker, &message);
        adit_message_fds_close(&message);
    }
}

struct adit_status worker_supervisor_watch(struct worker *worker)
{
    return adit_loop_watch(&worker->loop, worker->supervisor.fd, ADIT_LOOP_READ | ADIT_LOOP_WRITE,
                           supervisor_ready, worker, 0, &worker->supervisor_watch);
}
