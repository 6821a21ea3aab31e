/* Several sessions of one agent process at one worker: which of them serves a visitor. */
#include "edge/worker/worker.h"

#define LOOK_US (250 * ADIT_MS_US) /* between two measurements of what a session carries */
#define STREAM_RATE (64 * 1024)    /* bytes a second that an open stream counts for */
#define LEAST_RATE (256 * 1024)    /* below this a session is as good as an idle one */

void worker_siblings_meet(struct worker *worker, struct agent *agent)
{
    struct adit_handle handle = {0};
    agent->seen_us = worker->loop.now_us;
    if (agent->slot >= ADIT_COUNT(agent->siblings)) {
        return;
    }
    for (uint32_t cursor = 0; adit_pool_next(&worker->agents, &cursor, &handle);) {
        struct agent *other = adit_pool_get(&worker->agents, handle);
        if (other != agent && other->is_in && other->slot < ADIT_COUNT(other->siblings) &&
            other->slot != agent->slot && worker_agent_is_same(other, agent)) {
            ADIT_AT(other->siblings, agent->slot) = agent->self;
            ADIT_AT(agent->siblings, other->slot) = other->self;
            other->seen_us = worker->loop.now_us;
        }
    }
}

/* The same tunnel at the session of this slot, or null. Handles of those that went are stale. */
static struct bind *at_slot(const struct worker *worker, const struct bind *bind, size_t slot)
{
    const struct agent *agent = worker_bind_agent(worker, bind);
    const struct agent *other = adit_pool_get(&worker->agents, ADIT_AT(agent->siblings, slot));
    struct bind *same = other ? worker_bind_find(worker, other, bind->id) : NULL;
    bool is_same = same && same->state == BIND_BOUND && same->kind == bind->kind &&
                   same->port == bind->port &&
                   adit_bytes_equal(ADIT_FIELD_BYTES(same->name), ADIT_FIELD_BYTES(bind->name));
    return is_same ? same : NULL;
}

struct bind *worker_sibling_other(const struct worker *worker, const struct bind *bind)
{
    struct bind *other = NULL;
    for (size_t slot = 0; slot < ADIT_CONTROL_SESSIONS_MAX && !other; slot++) {
        other = at_slot(worker, bind, slot);
    }
    return other;
}

static uint64_t carried(struct worker *worker, struct agent *agent)
{
    const struct adit_session_counters *counters =
        adit_link_counters(&worker->hub, agent->link);
    if (!counters) {
        return UINT64_MAX;
    }
    uint64_t now_us = worker->loop.now_us;
    uint64_t bytes = counters->data_in_total + counters->data_out_total;
    if (now_us - agent->seen_us >= LOOK_US) {
        agent->rate = (bytes - agent->seen_bytes) * ADIT_SECOND_US / (now_us - agent->seen_us);
        agent->seen_us = now_us;
        agent->seen_bytes = bytes;
    }
    return agent->rate + (uint64_t)counters->streams_open * STREAM_RATE;
}

const struct bind *worker_sibling_least(struct worker *worker, const struct bind *bind)
{
    struct agent *agent = worker_bind_agent(worker, bind);
    const struct bind *best = bind;
    uint64_t least = UINT64_MAX;
    for (size_t slot = 0; slot < ADIT_CONTROL_SESSIONS_MAX; slot++) {
        const struct bind *same = at_slot(worker, bind, slot);
        struct agent *other = worker_bind_agent(worker, same);
        if (other && worker_agent_is_current(worker, other) &&
            adit_link_can_open(&worker->hub, other->link)) {
            uint64_t rate = carried(worker, other);
            best = rate < least ? same : best;
            least = adit_min_u64(rate, least);
        }
    }
    uint64_t own = best == bind ? 0 : carried(worker, agent);
    return own > LEAST_RATE && least < own / 2 ? best : bind;
}
