/* Reading along: which request of an HTTP tunnel got which answer. Covered by locals_test.c. */
#include "agent/internal.h"

struct watch {
    struct adit_handle self;
    uint64_t number; /* the smaller, the older */
    struct adit_http_observer observer;
    uint8_t memory[ADIT_HTTP_OBSERVE_BYTES];
};

bool watch_is_wanted(const struct adit_agent *agent)
{
    bool has_http = false;
    for (size_t i = 0; i < agent->options.tunnel_count; i++) {
        has_http = has_http || ADIT_AT(agent->tunnels, i).kind == ADIT_TUNNEL_HTTP;
    }
    return has_http && agent->options.events->request_seen;
}

struct adit_status watches_open(struct adit_agent *agent)
{
    if (!watch_is_wanted(agent)) {
        return adit_ok();
    }
    return adit_pool_init(&agent->watches, sizeof(struct watch), ADIT_AGENT_WATCHED_MAX);
}

static void oldest_end(struct adit_agent *agent)
{
    const struct watch *oldest = NULL;
    struct adit_handle handle = {0};
    for (uint32_t cursor = 0; adit_pool_next(&agent->watches, &cursor, &handle);) {
        const struct watch *watch = adit_pool_get(&agent->watches, handle);
        if (!oldest || watch->number < oldest->number) {
            oldest = watch;
        }
    }
    if (oldest) {
        watch_end(agent, oldest->self);
    }
}

struct adit_handle watch_begin(struct adit_agent *agent)
{
    struct adit_handle handle = {0};
    void *object = NULL;
    if (!agent->options.events->request_seen) {
        return handle;
    }
    if (agent->watches.used == agent->watches.capacity) {
        oldest_end(agent);
    }
    if (adit_is_ok(adit_pool_acquire(&agent->watches, &handle, &object))) {
        struct watch *watch = object;
        watch->self = handle;
        watch->number = agent->watches_total;
        agent->watches_total++;
        adit_http_observe_init(&watch->observer, ADIT_SPAN_OF(watch->memory));
    }
    return handle;
}

void watch_end(struct adit_agent *agent, struct adit_handle watch)
{
    if (adit_handle_is_set(watch)) {
        adit_status_ignore(adit_pool_release(&agent->watches, watch),
                           "a newer connection may have its place already");
    }
}

void watch_seen(void *context, struct adit_handle pump, uint64_t user, bool is_from_local,
                struct adit_bytes bytes)
{
    struct adit_agent *agent = context;
    struct adit_handle handle = {0};
    size_t tunnel = 0;
    (void)pump;
    if (!local_find(agent, user, &handle, &tunnel)) {
        return;
    }
    struct watch *watch = adit_pool_get(&agent->watches, handle);
    struct adit_http_seen seen = {0};
    uint64_t now_us = adit_clock_now_us(); /* the loop's time is the same for a whole turn */
    if (!watch) {
        return;
    }
    if (!is_from_local) {
        adit_http_observe_request(&watch->observer, bytes, now_us);
    } else if (adit_http_observe_response(&watch->observer, bytes, now_us, &seen)) {
        agent->options.events->request_seen(agent->options.context,
                                            &ADIT_AT(agent->tunnels, tunnel), &seen);
    }
}
