/* Agents that one worker is not enough for. In each second in which bytes moved it is measured how
 * long the loop worked and whose the bytes were. Where the worker is busy and one session has much
 * of its bytes, that agent is asked to hold one session more, which the door gives to another
 * worker. What an agent has more than it needs it ends by itself. */
#include "edge/worker/worker.h"

static uint64_t bytes_moved(const struct worker *worker)
{
    return worker->hub.counters.bytes_to_local + worker->hub.counters.bytes_from_local;
}

static void busy_fired(void *context, uint64_t key)
{
    struct worker *worker = context;
    (void)key;
    worker->busy.timer = (struct adit_handle){0};
    worker_busy_measure(worker);
}

void worker_busy_look(struct worker *worker)
{
    struct worker_busy *busy = &worker->busy;
    if (worker->workers == 1 || worker->stop_us > 0 || adit_handle_is_set(busy->timer) ||
        bytes_moved(worker) == busy->bytes) {
        return;
    }
    busy->at_us = worker->loop.now_us;
    busy->busy_us = worker->loop.busy_us;
    adit_status_ignore(adit_loop_timer_set(&worker->loop, &busy->timer,
                                           worker->loop.now_us + WORKER_BUSY_US, busy_fired, worker,
                                           0),
                       "one timer was counted in; the next turn tries again");
}

/* The first session of the same agent process, if it is here: it is the one that is asked. */
static struct agent *first_of(const struct worker *worker, const struct agent *agent)
{
    return agent->slot == 0 ? adit_pool_get(&worker->agents, agent->self)
                            : worker_sibling_at(worker, agent, 0);
}

static void ask(struct worker *worker, struct agent *agent, uint32_t count)
{
    struct adit_control message = {.type = ADIT_CONTROL_SESSIONS};
    message.sessions.count = count;
    if (adit_is_ok(adit_link_send(&worker->hub, agent->link, &message))) {
        agent->step_us = worker->loop.now_us;
        agent->sessions_told = count;
        ADIT_LOG(&worker->log, INFO, "agent_busy",
                 adit_log_number(ADIT_BYTES("session"), agent->number),
                 adit_log_number(ADIT_BYTES("sessions"), count));
    }
}

static void ask_for_more(struct worker *worker, struct agent *agent)
{
    uint64_t most = adit_min_u64(worker->workers, ADIT_CONTROL_SESSIONS_MAX);
    bool was_asked = agent->sessions_told > 0;
    if (agent->takes_sessions &&
        (!was_asked || worker->loop.now_us >= agent->step_us + WORKER_STEP_US)) {
        uint64_t wanted = was_asked ? agent->sessions_told + 1 : 2;
        ask(worker, agent, (uint32_t)adit_min_u64(most, wanted));
    }
}

/* The session with the most bytes since the last measurement; null: there were none. */
static const struct agent *busiest(const struct worker *worker, uint64_t *out_bytes,
                                   uint64_t *out_all)
{
    const struct agent *most = NULL;
    struct adit_handle handle = {0};
    for (uint32_t cursor = 0; adit_pool_next(&worker->agents, &cursor, &handle);) {
        struct agent *agent = adit_pool_get(&worker->agents, handle);
        const struct adit_session_counters *counters =
            adit_link_counters(&worker->hub, agent->link);
        uint64_t total = counters ? counters->data_in_total + counters->data_out_total : 0;
        uint64_t bytes = adit_subtract_floor_u64(total, agent->bytes);
        agent->bytes = total;
        *out_all += bytes;
        if (bytes > *out_bytes) {
            *out_bytes = bytes;
            most = agent;
        }
    }
    return most;
}

void worker_busy_measure(struct worker *worker)
{
    struct worker_busy *busy = &worker->busy;
    uint64_t bytes = 0;
    uint64_t all = 0;
    uint64_t wall_us = worker->loop.now_us - busy->at_us;
    uint64_t worked_us = worker->loop.busy_us - busy->busy_us;
    busy->bytes = bytes_moved(worker);
    const struct agent *most = busiest(worker, &bytes, &all);
    bool is_busy = worked_us * 100 > wall_us * WORKER_BUSY_PERCENT;
    bool is_much = bytes * 100 > all * WORKER_BUSY_SHARE_PERCENT;
    struct agent *first = most && is_busy && is_much ? first_of(worker, most) : NULL;
    if (first) {
        ask_for_more(worker, first);
    }
}

void worker_agent_lossy(void *context, struct adit_handle link, uint64_t user, bool is_mended)
{
    struct worker *worker = context;
    struct agent *agent = adit_pool_get(&worker->agents, adit_handle_unpack(user));
    (void)link;
    if (agent) {
        ADIT_LOG(&worker->log, INFO, "road_lossy",
                 adit_log_number(ADIT_BYTES("session"), agent->number),
                 adit_log_number(ADIT_BYTES("mended"), is_mended ? 1 : 0));
    }
    struct agent *first = agent && agent->is_in ? first_of(worker, agent) : NULL;
    if (first && first->takes_sessions) { /* one that stands still for a loss is not alone then */
        ask(worker, first, ADIT_CONTROL_SESSIONS_MAX);
    }
}
