#include "agent/internal.h"

static struct adit_status ask(struct adit_agent *agent, size_t index)
{
    const struct adit_agent_tunnel *tunnel = &ADIT_AT(agent->tunnels, index);
    const struct adit_agent_bind *bind = &ADIT_AT(agent->binds, index);
    struct adit_control message = {.type = ADIT_CONTROL_BIND};
    message.bind.bind = (uint32_t)index + 1;
    message.bind.kind = tunnel->kind;
    message.bind.remote_port = tunnel->remote_port > 0 ? tunnel->remote_port : bind->port;
    ADIT_TRY(ADIT_FIELD_SET(message.bind.name, ADIT_FIELD_BYTES(tunnel->name)));
    return adit_link_send(&agent->hub, agent->link, &message);
}

static void ask_or_close(struct adit_agent *agent, size_t index)
{
    struct adit_status status = ask(agent, index);
    if (!adit_is_ok(status)) {
        adit_link_close(&agent->hub, agent->link, status);
    }
}

void tunnels_ask(struct adit_agent *agent)
{
    for (size_t i = 0; i < agent->options.tunnel_count; i++) {
        ask_or_close(agent, i);
    }
}

void tunnels_give_up(struct adit_agent *agent)
{
    for (size_t i = 0; i < agent->options.tunnel_count && agent->state == ADIT_AGENT_IN; i++) {
        struct adit_control message = {.type = ADIT_CONTROL_UNBIND};
        message.unbind.bind = (uint32_t)i + 1;
        adit_status_ignore(adit_link_send(&agent->hub, agent->link, &message),
                           "the server keeps the tunnel for its grace then");
    }
}

/* The tunnel that the server's number means, or null: the server is not trusted with indexes. */
static struct adit_agent_bind *find(struct adit_agent *agent, uint32_t id, size_t *out_index)
{
    if (agent->state != ADIT_AGENT_IN || id == 0 || id > agent->options.tunnel_count) {
        return NULL;
    }
    *out_index = id - 1;
    return &ADIT_AT(agent->binds, *out_index);
}

static bool are_all_bound(const struct adit_agent *agent)
{
    for (size_t i = 0; i < agent->options.tunnel_count; i++) {
        if (!ADIT_AT(agent->binds, i).is_bound) {
            return false;
        }
    }
    return true;
}

void tunnels_bound(struct adit_agent *agent, const struct adit_control_bound *bound)
{
    size_t index = 0;
    struct adit_agent_bind *bind = find(agent, bound->bind, &index);
    if (!bind || bind->is_bound) {
        return;
    }
    const struct adit_agent_events *events = agent->options.events;
    bool is_again = bind->was_bound && bind->port == bound->port;
    bind->is_bound = true;
    bind->was_bound = true;
    bind->port = (uint16_t)bound->port;
    events->ready(agent->options.context, &ADIT_AT(agent->tunnels, index), bound, is_again);
    if (are_all_bound(agent)) {
        if (agent->was_in) {
            events->reconnected(agent->options.context);
        }
        agent->was_in = true;
    }
}

void tunnels_refused(struct adit_agent *agent, const struct adit_control_refused *refused)
{
    size_t index = 0;
    struct adit_agent_bind *bind = find(agent, refused->bind, &index);
    if (bind && ADIT_AT(agent->tunnels, index).remote_port == 0 && bind->port != 0) {
        bind->port = 0; /* the port it had by chance is gone: any other will do */
        ask_or_close(agent, index);
        return;
    }
    enum adit_refusal known = ADIT_REFUSAL_INTERNAL_ERROR;
    if (adit_is_ok(adit_refusal_find(ADIT_FIELD_BYTES(refused->code), &known)) &&
        !adit_refusal_is_final(known)) {
        return; /* the server closes the link, and the agent tries again */
    }
    const struct adit_agent_refusal refusal = {.code = ADIT_FIELD_BYTES(refused->code),
                                               .message = ADIT_FIELD_BYTES(refused->message),
                                               .next_action =
                                                   ADIT_FIELD_BYTES(refused->next_action)};
    agent_stop(agent);
    agent->options.events->refused(agent->options.context, &refusal);
}
