/* How much this worker carries, told to the door when it changes: new agents go where least is. */
#include "edge/worker/worker.h"

static uint32_t streams_now(const struct worker *worker)
{
    return worker->hub.pumps.used + adit_proxy_counters(worker->proxy)->connections_now;
}

void worker_load_tell(struct worker *worker)
{
    struct worker_load *load = &worker->load;
    load->told_us = worker->loop.now_us;
    load->sessions = worker->sessions;
    load->streams = streams_now(worker);
    load->is_owed = false;
    struct adit_message message = {
        .type = ADIT_MESSAGE_LOAD, .count = load->sessions, .streams = load->streams};
    worker_door_send(worker, &message);
}

static void load_fired(void *context, uint64_t key)
{
    struct worker *worker = context;
    (void)key;
    worker->load.timer = (struct adit_handle){0};
    worker_load_tell(worker);
}

void worker_load_look(struct worker *worker)
{
    struct worker_load *load = &worker->load;
    bool is_told = !load->is_owed && load->sessions == worker->sessions &&
                   load->streams == streams_now(worker);
    if (!is_told && !adit_handle_is_set(load->timer)) {
        adit_status_ignore(adit_loop_timer_set(&worker->loop, &load->timer,
                                               load->told_us + WORKER_LOAD_US, load_fired, worker,
                                               0),
                           "one timer was counted in; the next turn tries again");
    }
}
