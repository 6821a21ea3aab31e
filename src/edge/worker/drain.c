/* The end in order. Agents are told, visitors' answers and streams may end within the time that the
 * supervisor gives, and what the door still hands over meanwhile is served. Then sessions end, what
 * is left is visibly cut, and the loop stops. */
#include "edge/worker/worker.h"

#define LAST_US (300 * ADIT_MS_US) /* for last words to leave, at the end */
#define LOOK_US (20 * ADIT_MS_US)  /* between two looks whether anything still runs */

static struct adit_status stopping(void)
{
    ADIT_FAIL(CLOSED, "the server stops");
}

static void stop_fired(void *context, uint64_t key);

static void look_again(struct worker *worker, uint64_t after_us)
{
    if (!adit_is_ok(adit_loop_timer_set(&worker->loop, &worker->stop_timer,
                                        worker->loop.now_us + after_us, stop_fired, worker, 0))) {
        adit_loop_stop(&worker->loop);
    }
}

/* Pipes that wait for another request are nobody's. */
static bool is_idle(const struct worker *worker)
{
    uint32_t streams = worker->hub.pumps.used - adit_proxy_pipes_resting(worker->proxy);
    return streams == 0 && worker->waiting.used == 0 && worker->orphans.used == 0 &&
           adit_proxy_counters(worker->proxy)->connections_now == 0;
}

void worker_drain_tell(struct worker *worker, const struct agent *agent)
{
    struct adit_control message = {.type = ADIT_CONTROL_DRAIN};
    uint64_t left_us = adit_subtract_floor_u64(worker->stop_us, worker->loop.now_us);
    message.drain.seconds = (uint32_t)((left_us + ADIT_SECOND_US - 1) / ADIT_SECOND_US);
    adit_status_ignore(ADIT_FIELD_SET(message.drain.reason, ADIT_BYTES("the server stops")),
                       "it is short");
    adit_status_ignore(adit_link_send(&worker->hub, agent->link, &message),
                       "an agent that does not read learns it from the end");
}

static void begin(struct worker *worker)
{
    struct adit_handle handle = {0};
    for (uint32_t cursor = 0; adit_pool_next(&worker->agents, &cursor, &handle);) {
        const struct agent *agent = adit_pool_get(&worker->agents, handle);
        if (agent->is_in) {
            worker_drain_tell(worker, agent);
        }
    }
    for (uint32_t cursor = 0; adit_pool_next(&worker->binds, &cursor, &handle);) {
        struct bind *bind = worker_bind_at(worker, handle);
        adit_loop_unwatch(&worker->loop, &bind->watch);
    }
    adit_proxy_drain(worker->proxy);
    ADIT_LOG(&worker->log, INFO, "drain",
             adit_log_number(ADIT_BYTES("sessions"), worker->agents.used),
             adit_log_number(ADIT_BYTES("streams"), worker->hub.pumps.used));
}

/* Every session is told and ended; what is still in flight then is visibly cut. */
static void end_sessions(struct worker *worker)
{
    struct adit_handle handle = {0};
    worker->is_ending = true;
    worker->stop_us = worker->loop.now_us + LAST_US;
    ADIT_LOG(&worker->log, INFO, "drained",
             adit_log_number(ADIT_BYTES("cut"), worker->hub.pumps.used));
    for (uint32_t cursor = 0; adit_pool_next(&worker->agents, &cursor, &handle);) {
        const struct agent *agent = adit_pool_get(&worker->agents, handle);
        adit_link_close(&worker->hub, agent->link, stopping());
    }
}

static void stop_fired(void *context, uint64_t key)
{
    struct worker *worker = context;
    bool is_time = worker->loop.now_us >= worker->stop_us;
    (void)key;
    worker->stop_timer = (struct adit_handle){0};
    if (worker->is_ending && (is_time || worker->hub.links.used == 0)) {
        adit_loop_stop(&worker->loop);
        return;
    }
    if (!worker->is_ending && (is_time || is_idle(worker))) {
        end_sessions(worker);
    }
    look_again(worker, LOOK_US);
}

void worker_stop_asked(struct worker *worker, struct adit_message *message)
{
    uint64_t until_us = worker->loop.now_us + message->drain_ms * ADIT_MS_US;
    if (worker->stop_us == 0) {
        worker->stop_us = until_us;
        begin(worker);
    }
    worker->stop_us = adit_min_u64(worker->stop_us, until_us); /* a second one may be in a hurry */
    look_again(worker, 0);
}
