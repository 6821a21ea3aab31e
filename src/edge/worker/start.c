#include "edge/worker/worker.h"

static struct adit_status open_hub(struct worker *worker)
{
    const struct adit_hub_options options = {
        .loop = &worker->loop,
        .ops = &worker_hub_ops,
        .context = worker,
        .role = ADIT_SESSION_SERVER,
        .links_max = WORKER_AGENTS_MAX,
        .pumps_max = WORKER_PUMPS_MAX,
        .chunks_max = WORKER_CHUNKS_MAX,
        .growth_max = WORKER_GROWTH_MAX,
        .limits = adit_mux_limits_of(ADIT_SESSION_SERVER),
    };
    return adit_hub_init(&worker->hub, &options);
}

struct adit_status worker_start(struct worker *worker, struct adit_message *start)
{
    ADIT_ENSURE(start->type == ADIT_MESSAGE_WORKER_START, INVALID,
                "the first message is not the start message");
    ADIT_TRY(ADIT_FIELD_SET(worker->domain, adit_message_text_get(&start->domain)));
    worker->https_port = start->port;
    worker->options = start->options;
    worker->workers = start->count > 0 ? start->count : 1;
    ADIT_TRY(worker_credentials_take(worker, start));
    ADIT_TRY(adit_pool_init(&worker->agents, sizeof(struct agent), WORKER_AGENTS_MAX));
    ADIT_TRY(adit_pool_init(&worker->binds, sizeof(struct bind), WORKER_BINDS_MAX));
    ADIT_TRY(adit_pool_init(&worker->orphans, worker_orphan_size(), WORKER_ORPHANS_MAX));
    ADIT_TRY(adit_pool_init(&worker->waiting, worker_waiting_size(), WORKER_WAITING_MAX));
    ADIT_TRY(adit_pool_init(&worker->probes, worker_probe_size(), WORKER_PROBES_MAX));
    struct adit_siphash_key seed = {0};
    ADIT_TRY(adit_random_fill(ADIT_OBJECT_SPAN(seed)));
    ADIT_TRY(adit_table_init(&worker->names, ADIT_NAME_BYTES_MAX, WORKER_BINDS_MAX, seed));
    ADIT_TRY(adit_table_init(&worker->processes, WORKER_PROCESS_BYTES, WORKER_AGENTS_MAX, seed));
    ADIT_TRY(adit_table_init(&worker->left, ADIT_NAME_BYTES_MAX, WORKER_LEFT_MAX, seed));
    uint32_t watches = WORKER_AGENTS_MAX + WORKER_PUMPS_MAX + WORKER_WEBS_MAX + WORKER_BINDS_MAX +
                       WORKER_ORPHANS_MAX + 16;
    uint32_t timers = 3 * WORKER_AGENTS_MAX + WORKER_WEBS_MAX + WORKER_BINDS_MAX +
                      WORKER_ORPHANS_MAX + 32;
    ADIT_TRY(adit_loop_open(&worker->loop, watches, timers));
    adit_loop_spin_set(&worker->loop, (worker->options & ADIT_START_POLLING) != 0);
    worker->session_next = 1;
    worker->tunnel_next = 1;
    worker->settled_us = worker->loop.now_us + WORKER_LEFT_US;
    ADIT_TRY(open_hub(worker));
    return worker_web_open(worker);
}

void worker_close(struct worker *worker)
{
    struct adit_handle handle = {0};
    adit_proxy_close(&worker->proxy);
    adit_hub_deinit(&worker->hub);
    for (uint32_t cursor = 0; adit_pool_next(&worker->binds, &cursor, &handle);) {
        struct bind *bind = adit_pool_get(&worker->binds, handle);
        adit_socket_close(&bind->listener);
    }
    worker_orphans_close(worker);
    worker_waiting_close(worker);
    adit_channel_close(&worker->supervisor);
    adit_channel_close(&worker->door);
    adit_loop_close(&worker->loop);
    adit_pool_deinit(&worker->agents);
    adit_pool_deinit(&worker->binds);
    adit_pool_deinit(&worker->orphans);
    adit_pool_deinit(&worker->waiting);
    adit_pool_deinit(&worker->probes);
    adit_table_deinit(&worker->names);
    adit_table_deinit(&worker->processes);
    adit_table_deinit(&worker->left);
    adit_table_deinit(&worker->revoked);
    worker_credentials_close(worker);
}
