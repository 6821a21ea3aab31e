#include "agent/agent.h"

#include "agent/internal.h"

static void link_open(void *context, struct adit_handle link, uint64_t user)
{
    struct adit_agent_session *session = session_find(context, link);
    (void)user;
    if (session) {
        session_linked(context, session);
    }
}

static void link_message(void *context, struct adit_handle link, uint64_t user,
                         const struct adit_control *message)
{
    struct adit_agent_session *session = session_find(context, link);
    (void)user;
    if (session) {
        session_message(context, session, message);
    }
}

static void link_closed(void *context, struct adit_handle link, uint64_t user,
                        struct adit_status why)
{
    struct adit_agent_session *session = session_find(context, link);
    (void)user;
    if (session) {
        session_closed(context, session, why);
    }
}

static void link_lossy(void *context, struct adit_handle link, uint64_t user, bool is_mended)
{
    struct adit_agent *agent = context;
    struct adit_agent_session *session = session_find(agent, link);
    (void)user;
    (void)is_mended;
    if (session) {
        session->is_lossy = true;
        extras_wanted(agent, session, ADIT_AGENT_SESSIONS_MAX);
    }
}

static void pump_open(void *context, struct adit_handle link, struct adit_handle pump,
                      const struct adit_stream_head *head)
{
    struct adit_agent_session *session = session_find(context, link);
    if (session) {
        session->streams_total++;
    }
    local_wanted(context, pump, head);
}

static void pump_closed(void *context, struct adit_handle pump, uint64_t user,
                        enum adit_pump_end end)
{
    (void)pump;
    (void)end;
    local_unwanted(context, user);
}

static const struct adit_hub_ops agent_hub_ops = {
    .link_open = link_open,
    .link_message = link_message,
    .link_closed = link_closed,
    .link_lossy = link_lossy,
    .pump_open = pump_open,
    .pump_closed = pump_closed,
};

/* The same, and somebody reads along. */
static const struct adit_hub_ops agent_watching_ops = {
    .link_open = link_open,
    .link_message = link_message,
    .link_closed = link_closed,
    .link_lossy = link_lossy,
    .pump_open = pump_open,
    .pump_closed = pump_closed,
    .pump_seen = watch_seen,
};

static struct adit_status copy_options(struct adit_agent *agent,
                                       const struct adit_agent_options *options)
{
    ADIT_ENSURE(options->tunnel_count > 0 && options->tunnel_count <= ADIT_AGENT_TUNNELS_MAX, LIMIT,
                "between 1 and 64 tunnels");
    agent->options = *options;
    agent->options.tunnels = agent->tunnels;
    if (options->proxy) {
        agent->proxy = *options->proxy;
        agent->options.proxy = &agent->proxy;
    }
    for (size_t i = 0; i < ADIT_COUNT(agent->sessions); i++) {
        ADIT_AT(agent->sessions, i).slot = (uint32_t)i;
    }
    for (size_t i = 0; i < options->tunnel_count; i++) {
        ADIT_AT(agent->tunnels, i) = ADIT_SLOT(options->tunnels, options->tunnel_count, i);
    }
    ADIT_TRY(ADIT_FIELD_SET(agent->server_host, options->server_host));
    ADIT_TRY(ADIT_FIELD_SET(agent->token, options->token));
    uint8_t identity[16] = {0};
    uint8_t hex[32] = {0};
    struct adit_writer digits = adit_writer_of(ADIT_SPAN_OF(hex));
    ADIT_TRY(adit_random_fill(ADIT_SPAN_OF(identity)));
    ADIT_TRY(adit_random_fill(ADIT_OBJECT_SPAN(agent->jitter)));
    ADIT_TRY(adit_write_hex(&digits, ADIT_BYTES_OF(identity)));
    return ADIT_FIELD_SET(agent->instance, adit_writer_bytes(&digits));
}

struct adit_status adit_agent_open(struct adit_agent *agent,
                                   const struct adit_agent_options *options)
{
    *agent = (struct adit_agent){0};
    ADIT_TRY(copy_options(agent, options));
    const struct adit_hub_options hub_options = {
        .loop = options->loop,
        .ops = watch_is_wanted(agent) ? &agent_watching_ops : &agent_hub_ops,
        .context = agent,
        .role = ADIT_SESSION_CLIENT,
        .links_max = ADIT_AGENT_SESSIONS_MAX * 4, /* the rest: those whose last words linger */
        .pumps_max = ADIT_AGENT_LOCALS_MAX,
        .chunks_max = ADIT_AGENT_CHUNKS_MAX,
        .growth_max = ADIT_AGENT_GROWTH_MAX,
        .limits = adit_mux_limits_of(ADIT_SESSION_CLIENT),
    };
    ADIT_TRY(adit_hub_init(&agent->hub, &hub_options));
    struct adit_status status =
        adit_pool_init(&agent->locals, local_size(), ADIT_AGENT_LOCALS_MAX);
    if (adit_is_ok(status)) {
        status = watches_open(agent);
    }
    if (adit_is_ok(status)) {
        status = session_wait(agent, &agent->sessions[0], 0);
    }
    if (!adit_is_ok(status)) {
        adit_agent_close(agent);
    }
    return status;
}

int adit_agent_greet(struct adit_agent *agent)
{
    return session_greet(agent, &agent->sessions[0]);
}

void agent_stop(struct adit_agent *agent)
{
    for (size_t i = 0; i < ADIT_COUNT(agent->sessions); i++) {
        session_stop(agent, &ADIT_AT(agent->sessions, i));
    }
}

void adit_agent_stop(struct adit_agent *agent)
{
    for (size_t i = 0; i < ADIT_COUNT(agent->sessions); i++) {
        tunnels_give_up(agent, &ADIT_AT(agent->sessions, i));
    }
    agent_stop(agent);
}

struct adit_agent_look adit_agent_look(const struct adit_agent *agent)
{
    const struct adit_agent_session *first = &agent->sessions[0];
    struct adit_agent_look look = {.state = first->state, .is_up = tunnels_are_up(agent, NULL)};
    for (size_t i = 0; i < ADIT_COUNT(agent->sessions); i++) {
        const struct adit_agent_session *session = &ADIT_AT(agent->sessions, i);
        look.session_count += session->state == ADIT_AGENT_IN && !session->is_leaving ? 1 : 0;
    }
    if (look.is_up) {
        look.state = ADIT_AGENT_IN;
    }
    if (first->state == ADIT_AGENT_IN) {
        look.rtt_us = adit_link_rtt_us(&agent->hub, first->link);
    }
    return look;
}

bool adit_agent_is_leaving(const struct adit_agent *agent)
{
    return agent->hub.links.used > 0;
}

void adit_agent_close(struct adit_agent *agent)
{
    agent_stop(agent);
    locals_close(agent);
    adit_hub_deinit(&agent->hub);
    adit_pool_deinit(&agent->locals);
    adit_pool_deinit(&agent->watches);
    adit_span_wipe(ADIT_SPAN_OF(agent->token.bytes));
    adit_span_wipe(ADIT_SPAN_OF(agent->proxy.basic.bytes));
}
