#include "edge/worker/worker.h"

void worker_counters_fill(const struct worker *worker, struct adit_message_counters *out_counters)
{
    const struct adit_hub_counters *hub = &worker->hub.counters;
    const struct worker_counters *own = &worker->counters;
    const struct adit_proxy_counters *web = adit_proxy_counters(worker->proxy);
    const struct adit_spin_counters *polls = &worker->loop.spin.counters;
    *out_counters = (struct adit_message_counters){
        .count = ADIT_COUNTERS_WORKER_COUNT,
        .values =
            {
                [ADIT_COUNTER_WORKER_SESSIONS] = worker->agents.used,
                [ADIT_COUNTER_WORKER_STREAMS] = worker->hub.pumps.used,
                [ADIT_COUNTER_WORKER_TUNNELS] = worker->binds.used,
                [ADIT_COUNTER_WORKER_CHUNKS] = worker->hub.chunks.used,
                [ADIT_COUNTER_WORKER_LOGINS] = own->logins,
                [ADIT_COUNTER_WORKER_LOGINS_REFUSED] = own->logins_refused,
                [ADIT_COUNTER_WORKER_EVICTIONS] = own->evictions,
                [ADIT_COUNTER_WORKER_VISITORS] = own->visitors,
                [ADIT_COUNTER_WORKER_TURNED_AWAY] = own->visitors_turned_away,
                [ADIT_COUNTER_WORKER_ORPHANS] = own->orphans,
                [ADIT_COUNTER_WORKER_TO_VISITORS] = hub->bytes_to_local,
                [ADIT_COUNTER_WORKER_FROM_VISITORS] = hub->bytes_from_local,
                [ADIT_COUNTER_WORKER_WEB_NOW] = web->connections_now,
                [ADIT_COUNTER_WORKER_WEB] = web->connections,
                [ADIT_COUNTER_WORKER_REQUESTS] = web->requests,
                [ADIT_COUNTER_WORKER_HTTP_ERRORS] = web->errors,
                [ADIT_COUNTER_WORKER_UPGRADES] = web->upgrades,
                [ADIT_COUNTER_WORKER_SNAPSHOT] = worker->snapshot_version,
                [ADIT_COUNTER_WORKER_POLL_HITS] = polls->hits,
                [ADIT_COUNTER_WORKER_POLL_MISSES] = polls->misses,
                [ADIT_COUNTER_WORKER_POLL_CROWDS] = polls->crowds,
                [ADIT_COUNTER_WORKER_POLL_US] = polls->spent_us,
                [ADIT_COUNTER_WORKER_WAITS] = own->waits,
            },
    };
}
