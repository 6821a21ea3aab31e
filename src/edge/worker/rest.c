/* What a crowd took goes back to the system once it has gone: libc keeps what was freed, 15 KiB for
 * a visitor over TLS. Seldom, as it costs milliseconds, and not while the crowd may come back. */
#include "edge/worker/worker.h"

static uint32_t connections_now(const struct worker *worker)
{
    return worker->sessions + worker->hub.pumps.used +
           adit_proxy_counters(worker->proxy)->connections_now;
}

/* Far fewer than there was memory taken for: a third less, and many. */
static bool is_far_below(uint32_t count, uint32_t kept)
{
    return kept > count && kept - count >= WORKER_REST_MANY && kept - count >= kept / 3;
}

static void rest_fired(void *context, uint64_t key)
{
    struct worker *worker = context;
    (void)key;
    worker->rest.timer = (struct adit_handle){0};
    worker_rest_take(worker);
}

void worker_rest_look(struct worker *worker)
{
    struct worker_rest *rest = &worker->rest;
    uint32_t now = connections_now(worker);
    rest->most = adit_max_u32(rest->most, now);
    rest->kept = adit_max_u32(rest->kept, now);
    if (is_far_below(now, rest->kept) && !adit_handle_is_set(rest->timer)) {
        rest->most = now;
        adit_status_ignore(adit_loop_timer_set(&worker->loop, &rest->timer,
                                               worker->loop.now_us + WORKER_REST_US, rest_fired,
                                               worker, 0),
                           "one timer was counted in; the next turn tries again");
    }
}

void worker_rest_take(struct worker *worker)
{
    struct worker_rest *rest = &worker->rest;
    if (is_far_below(rest->most, rest->kept)) {
        adit_memory_trim();
        rest->kept = rest->most;
    }
    rest->most = connections_now(worker);
}
