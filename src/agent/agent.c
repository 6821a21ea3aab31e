#include "agent/agent.h"

#include "agent/internal.h"

static void connect_now(void *context, uint64_t key);

static struct adit_status no_answer(void)
{
    ADIT_FAIL(TIMEOUT, "the server did not answer the login");
}

static struct adit_status stopped(void)
{
    ADIT_FAIL(CLOSED, "the agent stops");
}

void agent_stop(struct adit_agent *agent)
{
    agent->state = ADIT_AGENT_STOPPED;
    adit_connect_close(&agent->connect);
    adit_loop_timer_cancel(agent->options.loop, &agent->timer);
    adit_loop_timer_cancel(agent->options.loop, &agent->probe);
    adit_link_close(&agent->hub, agent->link, stopped());
}

/* "no connection could be made (Connection refused)". */
static struct adit_bytes reason_write(struct adit_writer *out, struct adit_status why)
{
    struct adit_bytes what = adit_bytes_of_text(adit_status_what(why));
    struct adit_bytes code = {0};
    if (adit_status_error(why) == ADIT_ERROR_SYSTEM && why.detail > 0 && why.detail < INT_MAX) {
        code = adit_bytes_of_text(strerrordesc_np((int)why.detail));
    }
    const struct adit_bytes parts[] = {what, ADIT_BYTES(" ("), code, ADIT_BYTES(")")};
    for (size_t i = 0; i < (code.len > 0 ? ADIT_COUNT(parts) : 1); i++) {
        adit_status_ignore(adit_write_bytes(out, ADIT_AT(parts, i)), "a cut reason is still one");
    }
    return adit_writer_bytes(out);
}

/* Waits, then tries again. */
static void lost(struct adit_agent *agent, struct adit_status why)
{
    uint64_t now_us = agent->options.loop->now_us;
    uint64_t lived_us = agent->in_since_us > 0 ? now_us - agent->in_since_us : 0;
    uint64_t wait_us = adit_backoff_next(&agent->backoff, lived_us, &agent->jitter);
    agent->in_since_us = 0;
    agent->state = ADIT_AGENT_WAITING;
    agent->link = (struct adit_handle){0};
    for (size_t i = 0; i < ADIT_COUNT(agent->binds); i++) {
        ADIT_AT(agent->binds, i).is_bound = false;
    }
    uint8_t memory[256] = {0};
    struct adit_writer reason = adit_writer_of(ADIT_SPAN_OF(memory));
    agent->options.events->disconnected(agent->options.context, reason_write(&reason, why),
                                        wait_us);
    struct adit_status status = adit_loop_timer_set(agent->options.loop, &agent->timer,
                                                    now_us + wait_us, connect_now, agent, 0);
    ADIT_ASSERT(adit_is_ok(status)); /* room for this timer is kept at open */
}

static void login_late(void *context, uint64_t key)
{
    struct adit_agent *agent = context;
    (void)key;
    agent->timer = (struct adit_handle){0};
    adit_link_close(&agent->hub, agent->link, no_answer());
}

static void dial_done(void *context, uint64_t key, int fd, struct adit_status status)
{
    struct adit_agent *agent = context;
    (void)key;
    adit_connect_close(&agent->connect);
    if (adit_is_ok(status)) {
        agent->state = ADIT_AGENT_LINKING;
        status = adit_link_open(
            &agent->hub,
            &(struct adit_link_options){.fd = fd,
                                        .tls = agent->options.tls,
                                        .server_name = ADIT_FIELD_BYTES(agent->server_host)},
            &agent->link);
    }
    if (!adit_is_ok(status)) {
        lost(agent, status);
    }
}

void agent_connect(struct adit_agent *agent)
{
    adit_loop_timer_cancel(agent->options.loop, &agent->timer);
    adit_connect_close(&agent->connect);
    agent->state = ADIT_AGENT_DIALING;
    agent->begun_us = agent->options.loop->now_us;
    const struct adit_dial_options options = {.host = ADIT_FIELD_BYTES(agent->server_host),
                                              .port = agent->options.server_port,
                                              .timeout_us = ADIT_AGENT_DIAL_US,
                                              .done = dial_done,
                                              .context = agent};
    struct adit_status status = adit_connect_open(
        agent->options.loop, &options, agent->options.proxy, &agent->connect);
    if (!adit_is_ok(status)) {
        lost(agent, status);
    }
}

static void connect_now(void *context, uint64_t key)
{
    struct adit_agent *agent = context;
    (void)key;
    agent->timer = (struct adit_handle){0};
    agent_connect(agent);
}

static struct adit_status say_hello(struct adit_agent *agent)
{
    struct adit_control message = {.type = ADIT_CONTROL_HELLO};
    struct adit_control_hello *hello = &message.hello;
    hello->version = ADIT_CONTROL_VERSION;
    ADIT_TRY(ADIT_FIELD_SET(hello->token, ADIT_FIELD_BYTES(agent->token)));
    ADIT_TRY(ADIT_FIELD_SET(hello->instance, ADIT_FIELD_BYTES(agent->instance)));
    ADIT_TRY(ADIT_FIELD_SET(hello->agent, ADIT_BYTES("adit/" ADIT_VERSION)));
    ADIT_TRY(ADIT_FIELD_SET(hello->hint, ADIT_FIELD_BYTES(agent->hint)));
    return adit_link_send(&agent->hub, agent->link, &message);
}

static void link_open(void *context, struct adit_handle link, uint64_t user)
{
    struct adit_agent *agent = context;
    (void)user;
    agent->link = link;
    struct adit_loop *loop = agent->options.loop;
    struct adit_status status = say_hello(agent);
    if (adit_is_ok(status)) {
        status = adit_loop_timer_set(loop, &agent->timer, loop->now_us + ADIT_AGENT_LOGIN_US,
                                     login_late, agent, 0);
    }
    if (!adit_is_ok(status)) {
        adit_link_close(&agent->hub, link, status);
    }
}

static void welcomed(struct adit_agent *agent, const struct adit_control_welcome *welcome)
{
    adit_loop_timer_cancel(agent->options.loop, &agent->timer);
    adit_status_ignore(ADIT_FIELD_SET(agent->hint, ADIT_FIELD_BYTES(welcome->hint)),
                       "the same limit");
    agent->state = ADIT_AGENT_IN;
    agent->in_since_us = agent->options.loop->now_us;
    tunnels_ask(agent);
}

static void link_message(void *context, struct adit_handle link, uint64_t user,
                         const struct adit_control *message)
{
    struct adit_agent *agent = context;
    (void)link;
    (void)user;
    if (agent->state == ADIT_AGENT_STOPPED) {
        return;
    }
    switch (message->type) {
    case ADIT_CONTROL_WELCOME:
        if (agent->state == ADIT_AGENT_LINKING) {
            welcomed(agent, &message->welcome);
        }
        return;
    case ADIT_CONTROL_BOUND:
        tunnels_bound(agent, &message->bound);
        return;
    case ADIT_CONTROL_REFUSED:
        tunnels_refused(agent, &message->refused);
        return;
    case ADIT_CONTROL_NOTICE:
        agent->options.events->notice(agent->options.context,
                                      ADIT_FIELD_BYTES(message->notice.message));
        return;
    case ADIT_CONTROL_DRAIN: /* the link ends when the server says so */
    case ADIT_CONTROL_NONE:
    case ADIT_CONTROL_HELLO:
    case ADIT_CONTROL_BIND:
    case ADIT_CONTROL_UNBIND:
    case ADIT_CONTROL_SESSIONS:
        return;
    }
}

static void link_closed(void *context, struct adit_handle link, uint64_t user,
                        struct adit_status why)
{
    struct adit_agent *agent = context;
    (void)user;
    if (agent->state == ADIT_AGENT_STOPPED) {
        return;
    }
    adit_loop_timer_cancel(agent->options.loop, &agent->timer);
    struct adit_bytes distrust = adit_link_verify_error(&agent->hub, link);
    if (distrust.len > 0) {
        agent_stop(agent);
        agent->options.events->distrusted(agent->options.context, distrust);
        return;
    }
    lost(agent, why);
}

static void pump_open(void *context, struct adit_handle link, struct adit_handle pump,
                      const struct adit_stream_head *head)
{
    (void)link;
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
    .pump_open = pump_open,
    .pump_closed = pump_closed,
};

/* The same, and somebody reads along. */
static const struct adit_hub_ops agent_watching_ops = {
    .link_open = link_open,
    .link_message = link_message,
    .link_closed = link_closed,
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
        .links_max = 4, /* one that works, and those whose last words linger */
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
        status = adit_loop_timer_set(options->loop, &agent->timer, 0, connect_now, agent, 0);
    }
    if (!adit_is_ok(status)) {
        adit_agent_close(agent);
    }
    return status;
}

void adit_agent_stop(struct adit_agent *agent)
{
    tunnels_give_up(agent);
    agent_stop(agent);
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
