#include "edge/worker/worker.h"

#include "mux/budget.h"

struct bind *worker_bind_at(const struct worker *worker, struct adit_handle handle)
{
    return adit_pool_get(&worker->binds, handle);
}

struct agent *worker_bind_agent(const struct worker *worker, const struct bind *bind)
{
    return bind ? adit_pool_get(&worker->agents, bind->agent) : NULL;
}

/* The proxy's users have a bit that no tunnel's may have. */
uint64_t worker_bind_user(const struct bind *bind)
{
    return adit_handle_pack(bind->self) & ~ADIT_PROXY_USER;
}

struct bind *worker_bind_of_user(const struct worker *worker, uint64_t user)
{
    return worker_bind_at(worker, adit_handle_unpack(user));
}

struct bind *worker_bind_asked(const struct worker *worker, uint64_t request)
{
    struct bind *bind = worker_bind_at(worker, adit_handle_unpack(request));
    return worker_bind_agent(worker, bind) && bind->state == BIND_ASKED ? bind : NULL;
}

struct bind *worker_bind_find(const struct worker *worker, const struct agent *agent, uint32_t id)
{
    struct bind *bind = worker_bind_at(worker, agent->bind_head);
    while (bind && bind->id != id) {
        bind = worker_bind_at(worker, bind->next);
    }
    return bind;
}

static void list_remove(const struct worker *worker, struct agent *agent, const struct bind *bind)
{
    struct adit_handle *at = &agent->bind_head;
    for (struct bind *each = worker_bind_at(worker, *at); each;
         each = worker_bind_at(worker, *at)) {
        if (each == bind) {
            *at = bind->next;
            agent->bind_count--;
            return;
        }
        at = &each->next;
    }
}

static bool has_port(const struct bind *bind)
{
    return bind->kind == ADIT_TUNNEL_TCP;
}

static void ask_door(struct worker *worker, struct bind *bind)
{
    bind->state = BIND_ASKED;
    if (has_port(bind)) {
        worker_port_ask(worker, bind);
    } else {
        worker_name_ask(worker, bind);
    }
}

/* Gives the tunnel up. `is_kept`: the door holds the port for the account for the grace. */
static void bind_release(struct worker *worker, struct agent *agent, struct bind *bind,
                         bool is_kept)
{
    if (has_port(bind)) {
        worker_port_release(worker, bind, is_kept);
    } else {
        worker_name_release(worker, bind, is_kept);
    }
    list_remove(worker, agent, bind);
    adit_loop_timer_cancel(&worker->loop, &bind->timer);
    adit_status_ignore(adit_pool_release(&worker->binds, bind->self), "it lives");
}

void worker_binds_release(struct worker *worker, struct agent *agent)
{
    for (struct bind *bind = worker_bind_at(worker, agent->bind_head); bind;
         bind = worker_bind_at(worker, agent->bind_head)) {
        bind_release(worker, agent, bind, agent->end != AGENT_OUT);
    }
}

void worker_bind_drop(struct worker *worker, struct agent *agent, uint32_t id)
{
    struct bind *bind = worker_bind_find(worker, agent, id);
    if (bind) {
        bind_release(worker, agent, bind, false);
    }
}

void worker_bind_refuse(struct worker *worker, struct bind *bind, enum adit_refusal refusal)
{
    struct agent *agent = worker_bind_agent(worker, bind);
    uint32_t id = bind->id;
    bind_release(worker, agent, bind, false);
    worker_agent_refuse(worker, agent, refusal, id);
}

/* What stands against it, before the door is asked; false where nothing does. */
static bool has_objection(const struct worker *worker, const struct agent *agent,
                          const struct adit_control_bind *wanted, enum adit_refusal *out_refusal)
{
    const struct adit_token_rights *rights = &agent->rights;
    struct adit_bytes name = ADIT_FIELD_BYTES(wanted->name);
    bool is_named = wanted->kind != ADIT_TUNNEL_TCP && name.len > 0;
    if (wanted->kind == ADIT_TUNNEL_NONE) {
        *out_refusal = ADIT_REFUSAL_VERSION_UNSUPPORTED;
    } else if (!adit_token_allows_tunnel(rights, wanted->kind)) {
        *out_refusal = ADIT_REFUSAL_TOKEN_SCOPE;
    } else if (is_named && !adit_name_is_valid(name)) {
        *out_refusal = adit_name_is_reserved(name) ? ADIT_REFUSAL_NAME_RESERVED /* _domainkey */
                                                   : ADIT_REFUSAL_NAME_INVALID;
    } else if (is_named && !adit_token_allows_name(rights, name)) {
        *out_refusal = ADIT_REFUSAL_TOKEN_SCOPE;
    } else if (agent->bind_count >= WORKER_BINDS_AGENT_MAX ||
               (rights->tunnels_max > 0 && agent->bind_count >= rights->tunnels_max)) {
        *out_refusal = ADIT_REFUSAL_LIMIT_REACHED;
    } else if (wanted->bind == 0 || worker_bind_find(worker, agent, wanted->bind)) {
        *out_refusal = ADIT_REFUSAL_BAD_LOGIN;
    } else {
        return false;
    }
    return true;
}

void worker_bind_ask(struct worker *worker, struct agent *agent,
                     const struct adit_control_bind *wanted)
{
    const struct adit_budget_rate rate = {.burst = WORKER_ASKS_BURST,
                                          .per_second = WORKER_ASKS_PER_SECOND};
    enum adit_refusal refusal = ADIT_REFUSAL_INTERNAL_ERROR;
    void *object = NULL;
    struct adit_handle handle = {0};
    if (!adit_budget_take(&agent->asks_full_us, rate, worker->loop.now_us)) {
        worker_agent_refuse(worker, agent, ADIT_REFUSAL_LIMIT_REACHED, 0);
        return;
    }
    if (worker->door.waiting >= WORKER_DOOR_BUSY) {
        worker_agent_refuse(worker, agent, ADIT_REFUSAL_INTERNAL_ERROR, wanted->bind);
        return;
    }
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
    bind->kind = wanted->kind;
    bind->listener = -1;
    bind->id = wanted->bind;
    bind->port = (uint16_t)wanted->remote_port;
    bind->next = agent->bind_head;
    agent->bind_head = handle;
    agent->bind_count++;
    if (!has_port(bind)) {
        struct adit_status status = worker_name_prepare(worker, bind, wanted);
        if (!adit_is_ok(status)) {
            adit_log_failure(&worker->log, ADIT_LOG_WARN, ADIT_BYTES("bind_failed"), status);
            worker_bind_refuse(worker, bind, ADIT_REFUSAL_INTERNAL_ERROR);
            return;
        }
    }
    ask_door(worker, bind);
}

void worker_bind_owner_set(const struct worker *worker, const struct bind *bind,
                           struct adit_message *message)
{
    const struct agent *agent = worker_bind_agent(worker, bind);
    message->session = agent->number;
    message->slot = agent->slot;
    adit_status_ignore(
        adit_message_text_set(&message->account, adit_token_account_of(&agent->rights)),
        "an account is at most 32 bytes");
    adit_status_ignore(adit_message_text_set(&message->instance, ADIT_FIELD_BYTES(agent->instance)),
                       "an instance is 32 bytes");
}

void worker_binds_announce(struct worker *worker)
{
    struct adit_handle handle = {0};
    for (uint32_t cursor = 0; adit_pool_next(&worker->binds, &cursor, &handle);) {
        const struct bind *bind = worker_bind_at(worker, handle);
        if (worker_bind_agent(worker, bind) && bind->state == BIND_BOUND) {
            if (has_port(bind)) {
                worker_port_own(worker, bind);
            } else {
                worker_name_hold(worker, bind);
            }
        }
    }
    struct adit_message end = {.type = ADIT_MESSAGE_OWN_END};
    worker_door_send(worker, &end);
    for (uint32_t cursor = 0; adit_pool_next(&worker->binds, &cursor, &handle);) {
        struct bind *bind = worker_bind_at(worker, handle);
        if (worker_bind_agent(worker, bind) && bind->state == BIND_ASKED) {
            ask_door(worker, bind);
        }
    }
}
