/* A connection to the local program for each stream. */
#include "agent/internal.h"

/* Lives as long as its pump: the pump's user is its handle. */
struct local {
    struct adit_handle self, pump;
    struct adit_handle watch; /* unset: nobody reads along */
    struct adit_dial *dial;   /* null: connected */
    size_t tunnel;
};

size_t local_size(void)
{
    return sizeof(struct local);
}

static void local_release(struct adit_agent *agent, struct local *local)
{
    adit_dial_close(&local->dial);
    watch_end(agent, local->watch);
    adit_status_ignore(adit_pool_release(&agent->locals, local->self), "it lives");
}

static enum adit_dial_result result_of(struct adit_status status)
{
    if (adit_status_error(status) == ADIT_ERROR_TIMEOUT) {
        return ADIT_DIAL_TIMED_OUT;
    }
    switch (status.detail) {
    case ECONNREFUSED:
        return ADIT_DIAL_REFUSED;
    case ETIMEDOUT:
        return ADIT_DIAL_TIMED_OUT;
    case EHOSTUNREACH:
    case ENETUNREACH:
        return ADIT_DIAL_UNREACHABLE;
    case EMFILE:
    case ENFILE:
        return ADIT_DIAL_LIMIT;
    default:
        return adit_status_error(status) == ADIT_ERROR_FULL ? ADIT_DIAL_LIMIT : ADIT_DIAL_FAILED;
    }
}

static void fail(struct adit_agent *agent, struct local *local, enum adit_dial_result result)
{
    struct adit_handle pump = local->pump;
    const struct adit_agent_tunnel *tunnel = &ADIT_AT(agent->tunnels, local->tunnel);
    local_release(agent, local);
    adit_pump_user_set(&agent->hub, pump, 0);
    adit_pump_refuse(&agent->hub, pump, result);
    agent->options.events->local_failed(agent->options.context, tunnel, result);
}

static void connected(struct adit_agent *agent, struct local *local, int fd)
{
    if (ADIT_AT(agent->tunnels, local->tunnel).kind == ADIT_TUNNEL_HTTP) {
        local->watch = watch_begin(agent);
    }
    adit_status_ignore(adit_pump_attach(&agent->hub, local->pump, fd),
                       "then the pump has ended, and the local with it");
}

static void dial_done(void *context, uint64_t key, int fd, struct adit_status status)
{
    struct adit_agent *agent = context;
    struct local *local = adit_pool_get(&agent->locals, adit_handle_unpack(key));
    if (!local) {
        adit_socket_close(&fd);
        return;
    }
    if (!adit_is_ok(status)) {
        fail(agent, local, result_of(status));
        return;
    }
    adit_dial_close(&local->dial);
    connected(agent, local, fd);
}

void local_wanted(struct adit_agent *agent, struct adit_handle pump,
                  const struct adit_stream_head *head)
{
    void *object = NULL;
    struct adit_handle handle = {0};
    if (head->bind > agent->options.tunnel_count ||
        ADIT_AT(agent->tunnels, head->bind - 1).kind != head->kind) {
        adit_pump_refuse(&agent->hub, pump, ADIT_DIAL_UNKNOWN_BIND);
        return;
    }
    if (!adit_is_ok(adit_pool_acquire(&agent->locals, &handle, &object))) {
        adit_pump_refuse(&agent->hub, pump, ADIT_DIAL_LIMIT);
        return;
    }
    struct local *local = object;
    local->self = handle;
    local->pump = pump;
    local->tunnel = head->bind - 1;
    adit_pump_user_set(&agent->hub, pump, adit_handle_pack(handle));
    const struct adit_agent_tunnel *tunnel = &ADIT_AT(agent->tunnels, local->tunnel);
    const struct adit_dial_options options = {.host = tunnel->is_here
                                                          ? ADIT_BYTES("localhost")
                                                          : ADIT_FIELD_BYTES(tunnel->host),
                                              .port = tunnel->port,
                                              .is_to_speak =
                                                  adit_pump_has_bytes(&agent->hub, pump),
                                              .timeout_us = ADIT_AGENT_LOCAL_DIAL_US,
                                              .done = dial_done,
                                              .context = agent,
                                              .key = adit_handle_pack(handle)};
    int fd = -1;
    if (adit_dial_at_once(&options, &fd)) {
        connected(agent, local, fd);
        return;
    }
    struct adit_status status = adit_dial_open(agent->options.loop, &options, &local->dial);
    if (!adit_is_ok(status)) {
        fail(agent, local, result_of(status));
    }
}

void local_unwanted(struct adit_agent *agent, uint64_t user)
{
    struct local *local = adit_pool_get(&agent->locals, adit_handle_unpack(user));
    if (local) {
        local_release(agent, local);
    }
}

bool local_find(const struct adit_agent *agent, uint64_t user, struct adit_handle *out_watch,
                size_t *out_tunnel)
{
    const struct local *local = adit_pool_get(&agent->locals, adit_handle_unpack(user));
    if (!local) {
        return false;
    }
    *out_watch = local->watch;
    *out_tunnel = local->tunnel;
    return true;
}

void locals_close(struct adit_agent *agent)
{
    struct adit_handle handle = {0};
    for (uint32_t cursor = 0; adit_pool_next(&agent->locals, &cursor, &handle);) {
        local_release(agent, adit_pool_get(&agent->locals, handle));
    }
}
