/* Tunnels with a port: TCP. */
#include "edge/worker/worker.h"

void worker_port_ask(struct worker *worker, struct bind *bind)
{
    struct adit_message message = {.type = ADIT_MESSAGE_BIND,
                                   .request = adit_handle_pack(bind->self),
                                   .port = bind->port,
                                   .kind = bind->kind};
    worker_bind_owner_set(worker, bind, &message);
    worker_door_send(worker, &message);
}

void worker_port_release(struct worker *worker, struct bind *bind, bool is_kept)
{
    const struct agent *agent = worker_bind_agent(worker, bind);
    if (bind->listener >= 0) {
        struct adit_message unbind = {.type = ADIT_MESSAGE_UNBIND,
                                      .session = agent->number,
                                      .count = is_kept ? 1 : 0,
                                      .port = bind->port};
        worker_door_send(worker, &unbind);
    }
    adit_loop_unwatch(&worker->loop, &bind->watch);
    adit_socket_close(&bind->listener);
}

static struct adit_status tell_bound(struct worker *worker, const struct bind *bind)
{
    const struct agent *agent = worker_bind_agent(worker, bind);
    struct adit_control message = {.type = ADIT_CONTROL_BOUND};
    uint8_t memory[320] = {0};
    struct adit_writer url = adit_writer_of(ADIT_SPAN_OF(memory));
    ADIT_TRY(adit_write_bytes(&url, ADIT_BYTES("tcp://")));
    ADIT_TRY(adit_write_bytes(&url, ADIT_FIELD_BYTES(worker->domain)));
    ADIT_TRY(adit_write_u8(&url, ':'));
    ADIT_TRY(adit_write_decimal(&url, bind->port));
    message.bound.bind = bind->id;
    message.bound.port = bind->port;
    ADIT_TRY(ADIT_FIELD_SET(message.bound.url, adit_writer_bytes(&url)));
    return adit_link_send(&worker->hub, agent->link, &message);
}

void worker_port_granted(struct worker *worker, struct adit_message *message)
{
    int fd = adit_message_fd_take(message, 0);
    struct bind *bind = worker_bind_asked(worker, message->request);
    if (!bind) { /* it gave up meanwhile */
        adit_socket_close(&fd);
        struct adit_message unbind = {.type = ADIT_MESSAGE_UNBIND,
                                      .session = message->session,
                                      .count = 1,
                                      .port = message->port};
        worker_door_send(worker, &unbind);
        return;
    }
    bind->listener = fd;
    bind->port = message->port;
    bind->state = BIND_BOUND;
    worker_words_begin(bind);
    struct adit_status status = worker_visitors_watch(worker, bind);
    if (adit_is_ok(status)) {
        status = tell_bound(worker, bind);
    }
    if (!adit_is_ok(status)) {
        adit_log_failure(&worker->log, ADIT_LOG_WARN, ADIT_BYTES("bind_failed"), status);
        worker_bind_refuse(worker, bind, ADIT_REFUSAL_INTERNAL_ERROR);
        return;
    }
    ADIT_LOG(&worker->log, INFO, "bound",
             adit_log_number(ADIT_BYTES("session"), message->session),
             adit_log_number(ADIT_BYTES("port"), bind->port));
}

void worker_port_refused(struct worker *worker, struct adit_message *message)
{
    struct bind *bind = worker_bind_asked(worker, message->request);
    if (!bind) {
        return;
    }
    switch (message->refusal) {
    case ADIT_PORT_REFUSAL_TAKEN:
        worker_bind_refuse(worker, bind, ADIT_REFUSAL_PORT_TAKEN);
        return;
    case ADIT_PORT_REFUSAL_RANGE:
        worker_bind_refuse(worker, bind, ADIT_REFUSAL_PORT_RANGE);
        return;
    case ADIT_PORT_REFUSAL_LIMIT:
        worker_bind_refuse(worker, bind, ADIT_REFUSAL_LIMIT_REACHED);
        return;
    case ADIT_PORT_REFUSAL_UNSUPPORTED:
        worker_bind_refuse(worker, bind, ADIT_REFUSAL_VERSION_UNSUPPORTED);
        return;
    }
}

void worker_port_own(struct worker *worker, const struct bind *bind)
{
    int copy = dup(bind->listener); /* nothing execs here, so no flag is lost */
    if (copy < 0) {
        return; /* the port stays ours; a new door learns of it when it cannot bind it */
    }
    struct adit_message own = {.type = ADIT_MESSAGE_OWN,
                               .port = bind->port,
                               .fds = {copy},
                               .fd_count = 1};
    worker_bind_owner_set(worker, bind, &own);
    worker_door_send(worker, &own);
}
