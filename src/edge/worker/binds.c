#include "edge/worker/worker.h"

static struct agent *agent_at(const struct worker *worker, struct adit_handle handle)
{
    return adit_pool_get(&worker->agents, handle);
}

static struct bind *bind_at(const struct worker *worker, struct adit_handle handle)
{
    return adit_pool_get(&worker->binds, handle);
}

static struct adit_status unresponsive(void)
{
    ADIT_FAIL(TIMEOUT, "the session did not answer, and a newer one wants its port");
}

static struct bind *find_by_id(const struct worker *worker, const struct agent *agent, uint32_t id)
{
    struct bind *bind = bind_at(worker, agent->bind_head);
    while (bind && bind->id != id) {
        bind = bind_at(worker, bind->next);
    }
    return bind;
}

static struct bind *find_by_port(const struct worker *worker, uint16_t port)
{
    struct adit_handle handle = {0};
    for (uint32_t cursor = 0; adit_pool_next(&worker->binds, &cursor, &handle);) {
        struct bind *bind = bind_at(worker, handle);
        if (bind->state == BIND_BOUND && bind->port == port) {
            return bind;
        }
    }
    return NULL;
}

static void list_remove(const struct worker *worker, struct agent *agent, const struct bind *bind)
{
    struct adit_handle *at = &agent->bind_head;
    for (struct bind *each = bind_at(worker, *at); each; each = bind_at(worker, *at)) {
        if (each == bind) {
            *at = bind->next;
            agent->bind_count--;
            return;
        }
        at = &each->next;
    }
}

/* Gives the tunnel up. `is_kept`: the door holds the port for the account for the grace. */
static void bind_release(struct worker *worker, struct agent *agent, struct bind *bind,
                         bool is_kept)
{
    if (bind->listener >= 0) {
        struct adit_message unbind = {.type = ADIT_MESSAGE_UNBIND,
                                      .session = agent->number,
                                      .count = is_kept ? 1 : 0,
                                      .port = bind->port};
        worker_door_send(worker, &unbind);
    }
    list_remove(worker, agent, bind);
    adit_loop_unwatch(&worker->loop, &bind->watch);
    adit_loop_timer_cancel(&worker->loop, &bind->timer);
    adit_socket_close(&bind->listener);
    adit_status_ignore(adit_pool_release(&worker->binds, bind->self), "it lives");
}

void worker_binds_release(struct worker *worker, struct agent *agent)
{
    for (struct bind *bind = bind_at(worker, agent->bind_head); bind;
         bind = bind_at(worker, agent->bind_head)) {
        bind_release(worker, agent, bind, true);
    }
}

void worker_bind_drop(struct worker *worker, struct agent *agent, uint32_t id)
{
    struct bind *bind = find_by_id(worker, agent, id);
    if (bind) {
        bind_release(worker, agent, bind, false);
    }
}

static void refuse(struct worker *worker, struct agent *agent, struct bind *bind,
                   enum adit_refusal refusal)
{
    uint32_t id = bind->id;
    bind_release(worker, agent, bind, false);
    worker_agent_refuse(worker, agent, refusal, id);
}

static void ask_door(struct worker *worker, const struct agent *agent, struct bind *bind)
{
    struct adit_message message = {.type = ADIT_MESSAGE_BIND,
                                   .request = adit_handle_pack(bind->self),
                                   .session = agent->number,
                                   .port = bind->port,
                                   .kind = ADIT_TUNNEL_TCP};
    adit_status_ignore(
        adit_message_text_set(&message.account, adit_token_account_of(&agent->rights)),
        "an account is at most 32 bytes");
    bind->state = BIND_ASKED;
    worker_door_send(worker, &message);
}

/* What stands against it, before the door is asked; false where nothing does. */
static bool has_objection(const struct worker *worker, const struct agent *agent,
                          const struct adit_control_bind *wanted, enum adit_refusal *out_refusal)
{
    const struct adit_token_rights *rights = &agent->rights;
    if (wanted->kind != ADIT_TUNNEL_TCP) {
        *out_refusal = ADIT_REFUSAL_VERSION_UNSUPPORTED;
        return true;
    }
    if (!adit_token_allows_tunnel(rights, wanted->kind)) {
        *out_refusal = ADIT_REFUSAL_TOKEN_SCOPE;
        return true;
    }
    if (agent->bind_count >= WORKER_BINDS_AGENT_MAX ||
        (rights->tunnels_max > 0 && agent->bind_count >= rights->tunnels_max)) {
        *out_refusal = ADIT_REFUSAL_LIMIT_REACHED;
        return true;
    }
    if (wanted->bind == 0 || find_by_id(worker, agent, wanted->bind)) {
        *out_refusal = ADIT_REFUSAL_BAD_LOGIN;
        return true;
    }
    return false;
}

void worker_bind_ask(struct worker *worker, struct agent *agent,
                     const struct adit_control_bind *wanted)
{
    enum adit_refusal refusal = ADIT_REFUSAL_INTERNAL_ERROR;
    void *object = NULL;
    struct adit_handle handle = {0};
    if (has_objection(worker, agent, wanted, &refusal)) {
        worker_agent_refuse(worker, agent, refusal, wanted->bind);
        return;
    }
    if (!adit_is_ok(adit_pool_acquire(&worker->binds, &handle, &object))) {
        worker_agent_refuse(worker, agent, ADIT_REFUSAL_LIMIT_REACHED, wanted->bind);
        return;
    }
    struct bind *bind = object;
    bind->self = handle;
    bind->agent = agent->self;
    bind->listener = -1;
    bind->id = wanted->bind;
    bind->port = (uint16_t)wanted->remote_port;
    bind->next = agent->bind_head;
    agent->bind_head = handle;
    agent->bind_count++;
    ask_door(worker, agent, bind);
}

static struct adit_status tell_bound(struct worker *worker, const struct agent *agent,
                                     const struct bind *bind)
{
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

void worker_bind_granted(struct worker *worker, struct adit_message *message)
{
    int fd = adit_message_fd_take(message, 0);
    struct bind *bind = bind_at(worker, adit_handle_unpack(message->request));
    struct agent *agent = bind ? agent_at(worker, bind->agent) : NULL;
    if (!agent || bind->state != BIND_ASKED) { /* it gave up meanwhile */
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
    struct adit_status status =
        adit_loop_watch(&worker->loop, fd, ADIT_LOOP_READ | ADIT_LOOP_LEVEL, worker_visitors_ready,
                        worker, adit_handle_pack(bind->self), &bind->watch);
    if (adit_is_ok(status)) {
        status = tell_bound(worker, agent, bind);
    }
    if (!adit_is_ok(status)) {
        adit_log_failure(&worker->log, ADIT_LOG_WARN, ADIT_BYTES("bind_failed"), status);
        refuse(worker, agent, bind, ADIT_REFUSAL_INTERNAL_ERROR);
        return;
    }
    ADIT_LOG(&worker->log, INFO, "bound", adit_log_number(ADIT_BYTES("session"), agent->number),
             adit_log_number(ADIT_BYTES("port"), bind->port));
}

/* The old session had its second: if it answered, it keeps the port; else it is gone. */
static void probe_ended(void *context, uint64_t key)
{
    struct worker *worker = context;
    struct bind *bind = bind_at(worker, adit_handle_unpack(key));
    struct agent *agent = bind ? agent_at(worker, bind->agent) : NULL;
    if (!agent) {
        return;
    }
    bind->timer = (struct adit_handle){0};
    const struct bind *rival = bind_at(worker, bind->rival);
    struct agent *old = rival ? agent_at(worker, rival->agent) : NULL;
    if (old && adit_link_heard_us(&worker->hub, old->link) > bind->probe_us) {
        refuse(worker, agent, bind, ADIT_REFUSAL_PORT_TAKEN);
        return;
    }
    if (old) {
        worker_agent_evict(worker, old, unresponsive());
    }
    ask_door(worker, agent, bind);
}

/* Another session of the same account has the port: perhaps one that died without a word. */
static void probe(struct worker *worker, struct agent *agent, struct bind *bind)
{
    const struct bind *rival = find_by_port(worker, bind->port);
    const struct agent *old = rival ? agent_at(worker, rival->agent) : NULL;
    if (!old || old == agent) {
        refuse(worker, agent, bind, ADIT_REFUSAL_PORT_TAKEN);
        return;
    }
    bind->state = BIND_PROBING;
    bind->rival = rival->self;
    bind->probe_us = worker->loop.now_us;
    adit_link_probe(&worker->hub, old->link);
    struct adit_status status =
        adit_loop_timer_set(&worker->loop, &bind->timer, worker->loop.now_us + WORKER_PROBE_US,
                            probe_ended, worker, adit_handle_pack(bind->self));
    if (!adit_is_ok(status)) {
        refuse(worker, agent, bind, ADIT_REFUSAL_PORT_TAKEN);
    }
}

void worker_bind_refused(struct worker *worker, struct adit_message *message)
{
    struct bind *bind = bind_at(worker, adit_handle_unpack(message->request));
    struct agent *agent = bind ? agent_at(worker, bind->agent) : NULL;
    if (!agent || bind->state != BIND_ASKED) {
        return;
    }
    switch (message->refusal) {
    case ADIT_PORT_REFUSAL_MOVED:
        probe(worker, agent, bind);
        return;
    case ADIT_PORT_REFUSAL_TAKEN:
        refuse(worker, agent, bind, ADIT_REFUSAL_PORT_TAKEN);
        return;
    case ADIT_PORT_REFUSAL_RANGE:
        refuse(worker, agent, bind, ADIT_REFUSAL_PORT_RANGE);
        return;
    case ADIT_PORT_REFUSAL_LIMIT:
        refuse(worker, agent, bind, ADIT_REFUSAL_LIMIT_REACHED);
        return;
    case ADIT_PORT_REFUSAL_UNSUPPORTED:
        refuse(worker, agent, bind, ADIT_REFUSAL_VERSION_UNSUPPORTED);
        return;
    }
}

static void announce(struct worker *worker, const struct agent *agent, const struct bind *bind)
{
    int copy = dup(bind->listener); /* nothing execs here, so no flag is lost */
    if (copy < 0) {
        return; /* the port stays ours; a new door learns of it when it cannot bind it */
    }
    struct adit_message own = {.type = ADIT_MESSAGE_OWN,
                               .session = agent->number,
                               .port = bind->port,
                               .fds = {copy},
                               .fd_count = 1};
    adit_status_ignore(adit_message_text_set(&own.account, adit_token_account_of(&agent->rights)),
                       "an account is at most 32 bytes");
    worker_door_send(worker, &own);
}

void worker_binds_announce(struct worker *worker)
{
    struct adit_handle handle = {0};
    for (uint32_t cursor = 0; adit_pool_next(&worker->binds, &cursor, &handle);) {
        const struct bind *bind = bind_at(worker, handle);
        const struct agent *agent = agent_at(worker, bind->agent);
        if (agent && bind->state == BIND_BOUND) {
            announce(worker, agent, bind);
        }
    }
    struct adit_message end = {.type = ADIT_MESSAGE_OWN_END};
    worker_door_send(worker, &end);
    for (uint32_t cursor = 0; adit_pool_next(&worker->binds, &cursor, &handle);) {
        struct bind *bind = bind_at(worker, handle);
        const struct agent *agent = agent_at(worker, bind->agent);
        if (agent && bind->state == BIND_ASKED) {
            ask_door(worker, agent, bind);
        }
    }
}
