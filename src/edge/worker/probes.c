/* Sessions that are rivals. The door knows who has what: it asks whether an older session still
 * lives, and says which one has to give way to a newer one, here or of another worker. */
#include "edge/worker/worker.h"

struct probe {
    struct adit_handle self, agent;
    uint64_t request;
    uint64_t asked_us;
};

size_t worker_probe_size(void)
{
    return sizeof(struct probe);
}

static struct adit_status replaced(void)
{
    ADIT_FAIL(CLOSED, "a newer session took over");
}

static void probed(struct worker *worker, uint64_t request, bool is_alive)
{
    struct adit_message message = {
        .type = ADIT_MESSAGE_PROBED, .request = request, .count = is_alive ? 1 : 0};
    worker_door_send(worker, &message);
}

/* True once it is answered. */
static bool try_one(struct worker *worker, const struct probe *probe)
{
    const struct agent *agent = adit_pool_get(&worker->agents, probe->agent);
    bool is_alive = agent && adit_link_heard_us(&worker->hub, agent->link) > probe->asked_us;
    bool is_late = worker->loop.now_us >= probe->asked_us + WORKER_PROBE_US;
    if (agent && !is_alive && !is_late) {
        return false;
    }
    probed(worker, probe->request, is_alive);
    return true;
}

static void try_all(void *context, uint64_t key);

static void try_later(struct worker *worker)
{
    if (!adit_handle_is_set(worker->probe_timer)) {
        adit_status_ignore(adit_loop_timer_set(&worker->loop, &worker->probe_timer,
                                               worker->loop.now_us + WORKER_PROBE_LOOK_US,
                                               try_all, worker, 0),
                           "one timer was counted in; the next probe sets it again");
    }
}

static void try_all(void *context, uint64_t key)
{
    struct worker *worker = context;
    struct adit_handle handle = {0};
    (void)key;
    worker->probe_timer = (struct adit_handle){0};
    for (uint32_t cursor = 0; adit_pool_next(&worker->probes, &cursor, &handle);) {
        if (try_one(worker, adit_pool_get(&worker->probes, handle))) {
            adit_status_ignore(adit_pool_release(&worker->probes, handle), "forgotten already");
        }
    }
    if (worker->probes.used > 0) {
        try_later(worker);
    }
}

void worker_probe_arrived(struct worker *worker, struct adit_message *message)
{
    const struct agent *agent = worker_agent_find(worker, message->session);
    void *object = NULL;
    struct adit_handle handle = {0};
    if (!agent) {
        probed(worker, message->request, false);
        return;
    }
    if (!adit_is_ok(adit_pool_acquire(&worker->probes, &handle, &object))) {
        probed(worker, message->request, true); /* who cannot be asked is not thrown out */
        return;
    }
    struct probe *probe = object;
    *probe = (struct probe){.self = handle,
                            .agent = agent->self,
                            .request = message->request,
                            .asked_us = worker->loop.now_us};
    adit_link_probe(&worker->hub, agent->link);
    try_later(worker);
}

void worker_probes_forget(struct worker *worker)
{
    struct adit_handle handle = {0};
    for (uint32_t cursor = 0; adit_pool_next(&worker->probes, &cursor, &handle);) {
        adit_status_ignore(adit_pool_release(&worker->probes, handle), "it lives");
    }
    adit_loop_timer_cancel(&worker->loop, &worker->probe_timer);
}

void worker_evict_arrived(struct worker *worker, struct adit_message *message)
{
    struct agent *agent = worker_agent_find(worker, message->session);
    if (agent) {
        agent->end = AGENT_MOVED;
        worker_agent_evict(worker, agent, replaced());
    }
}
