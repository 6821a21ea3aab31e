/* How agents are to come back when they lose this worker: spread over as long as their logins take
 * it. Who comes or goes changes that for all, so each time some others are looked at, in turn: once
 * the number has doubled, or halved, each of them knows. */
#include "edge/worker/worker.h"

/* Logins are this worker's alone: others beside it serve theirs at the same time. */
static uint32_t spread_ms(const struct worker *worker)
{
    uint64_t ms = (uint64_t)worker->sessions * WORKER_RETRY_EACH_US / ADIT_MS_US;
    return (uint32_t)adit_min_u64(adit_max_u64(ms, WORKER_RETRY_MIN_MS), WORKER_RETRY_MAX_MS);
}

static void tell(struct worker *worker, struct agent *agent)
{
    struct adit_control message = {.type = ADIT_CONTROL_RETRY};
    message.retry.spread_ms = spread_ms(worker);
    if (adit_is_ok(adit_link_send(&worker->hub, agent->link, &message))) {
        agent->retry_told_ms = message.retry.spread_ms;
    }
}

static bool is_stale(const struct worker *worker, const struct agent *agent)
{
    uint64_t now_ms = spread_ms(worker);
    uint64_t told_ms = agent->retry_told_ms;
    return agent->is_in && agent->takes_retry && (now_ms >= 2 * told_ms || 2 * now_ms <= told_ms);
}

void worker_retry_look(struct worker *worker)
{
    struct adit_handle handle = {0};
    for (int i = 0; i < WORKER_RETRY_LOOKS; i++) {
        if (!adit_pool_next(&worker->agents, &worker->retry_cursor, &handle)) {
            worker->retry_cursor = 0; /* from the first, next time */
            return;
        }
        struct agent *agent = adit_pool_get(&worker->agents, handle);
        if (is_stale(worker, agent)) {
            tell(worker, agent);
        }
    }
}

void worker_retry_tell(struct worker *worker, struct agent *agent)
{
    if (agent->takes_retry) {
        tell(worker, agent);
    }
    worker_retry_look(worker);
}
