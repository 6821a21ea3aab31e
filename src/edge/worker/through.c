/* Visitors of TLS tunnels. Their bytes are the program's business: nothing can be said to them, and
 * who cannot be carried is reset. Where the session has no stream free just now, they wait. */
#include "edge/worker/worker.h"

struct waiting {
    struct adit_handle self, bind;
    struct adit_address peer;
    uint64_t until_us;
    int fd;
};

size_t worker_waiting_size(void)
{
    return sizeof(struct waiting);
}

static struct adit_status check(struct worker *worker, const struct bind *bind)
{
    struct agent *agent = worker_bind_agent(worker, bind);
    ADIT_ENSURE(agent && bind->kind == ADIT_TUNNEL_TLS && bind->state == BIND_BOUND, STALE,
                "the tunnel has gone since the door looked");
    ADIT_ENSURE(worker_agent_is_current(worker, agent), REFUSED, "the token has expired");
    ADIT_ENSURE(adit_link_can_open(&worker->hub, agent->link), FULL,
                "the session cannot take another visitor now");
    return adit_ok();
}

/* True once it is settled, one way or the other. */
static bool try_one(struct worker *worker, const struct waiting *visitor)
{
    const struct bind *bind = worker_bind_at(worker, visitor->bind);
    struct adit_status status = check(worker, bind);
    if (adit_status_error(status) == ADIT_ERROR_FULL &&
        worker->loop.now_us < visitor->until_us) {
        return false;
    }
    if (adit_is_ok(status)) {
        (void)worker_visitor_carry(worker, bind, visitor->fd, &visitor->peer);
    } else {
        worker_visitor_turn_away(worker, visitor->fd, status);
    }
    return true;
}

static void try_all(void *context, uint64_t key);

static void try_later(struct worker *worker)
{
    if (!adit_handle_is_set(worker->waiting_timer)) {
        adit_status_ignore(adit_loop_timer_set(&worker->loop, &worker->waiting_timer,
                                               worker->loop.now_us + WORKER_PAUSE_US, try_all,
                                               worker, 0),
                           "one timer was counted in; the next visitor sets it again");
    }
}

static void try_all(void *context, uint64_t key)
{
    struct worker *worker = context;
    struct adit_handle handle = {0};
    (void)key;
    worker->waiting_timer = (struct adit_handle){0};
    for (uint32_t cursor = 0; adit_pool_next(&worker->waiting, &cursor, &handle);) {
        const struct waiting *visitor = adit_pool_get(&worker->waiting, handle);
        if (try_one(worker, visitor)) {
            adit_status_ignore(adit_pool_release(&worker->waiting, handle), "it lives");
        }
    }
    if (worker->waiting.used > 0) {
        try_later(worker);
    }
}

void worker_through_arrived(struct worker *worker, struct adit_message *message)
{
    const struct bind *bind = worker_name_find(worker, adit_message_text_get(&message->name));
    const struct agent *agent = worker_bind_agent(worker, bind);
    struct waiting visitor = {.peer = message->address,
                              .until_us = worker->loop.now_us + WORKER_WAITING_US,
                              .fd = adit_message_fd_take(message, 0)};
    if (agent && agent->number == message->session) {
        visitor.bind = bind->self; /* else it has gone, which try_one finds */
    }
    if (try_one(worker, &visitor)) {
        return;
    }
    void *object = NULL;
    struct adit_status status = adit_pool_acquire(&worker->waiting, &visitor.self, &object);
    if (!adit_is_ok(status)) {
        worker_visitor_turn_away(worker, visitor.fd, status);
        return;
    }
    struct waiting *kept = object;
    *kept = visitor;
    worker_visitor_waits(worker, agent);
    try_later(worker);
}

void worker_waiting_close(struct worker *worker)
{
    struct adit_handle handle = {0};
    for (uint32_t cursor = 0; adit_pool_next(&worker->waiting, &cursor, &handle);) {
        struct waiting *visitor = adit_pool_get(&worker->waiting, handle);
        adit_socket_close(&visitor->fd);
    }
}
