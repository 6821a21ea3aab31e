#include "edge/worker/worker.h"

#define ACCEPTS_A_TURN 64

static void pause_accepting(struct worker *worker, struct bind *bind);

static void resume(void *context, uint64_t key)
{
    struct worker *worker = context;
    struct bind *bind = worker_bind_at(worker, adit_handle_unpack(key));
    if (!bind) {
        return;
    }
    bind->timer = (struct adit_handle){0};
    if (bind->listener >= 0 && !adit_is_ok(worker_visitors_watch(worker, bind))) {
        pause_accepting(worker, bind); /* no room for a watch: a later one may be taken */
    }
}

/* A reset, so that it cannot be taken for an empty answer. */
void worker_visitor_turn_away(struct worker *worker, int fd, struct adit_status why)
{
    worker->counters.visitors_turned_away++;
    adit_status_ignore(adit_socket_reset_on_close_set(fd, true), "closing says it too");
    adit_socket_close(&fd);
    adit_log_failure(&worker->log, ADIT_LOG_WARN, ADIT_BYTES("visitor_turned_away"), why);
}

/* Visitors wait in the kernel's queue until the session, or the process, has room again; or another
 * worker that shares the listener takes them. The interest of an exclusive watch cannot change. */
static void pause_accepting(struct worker *worker, struct bind *bind)
{
    struct adit_status status =
        adit_loop_timer_set(&worker->loop, &bind->timer, worker->loop.now_us + WORKER_PAUSE_US,
                            resume, worker, adit_handle_pack(bind->self));
    if (adit_is_ok(status)) { /* else at worst the loop turns once more */
        adit_loop_unwatch(&worker->loop, &bind->watch);
    }
}

/* A crowd waits as one: a line a second is enough. */
void worker_visitor_waits(struct worker *worker, const struct agent *agent)
{
    struct worker_tally *tally = &worker->waits;
    worker->counters.waits++;
    if (worker->loop.now_us < tally->next_us) {
        tally->unsaid++;
        return;
    }
    ADIT_LOG(&worker->log, WARN, "session_full",
             adit_log_number(ADIT_BYTES("session"), agent->number),
             adit_log_number(ADIT_BYTES("others"), tally->unsaid));
    *tally = (struct worker_tally){.next_us = worker->loop.now_us + ADIT_SECOND_US};
}

bool worker_visitor_carry(struct worker *worker, const struct bind *bind, int fd,
                          const struct adit_address *peer)
{
    bind = worker_sibling_best(worker, bind);
    const struct agent *agent = worker_bind_agent(worker, bind);
    struct adit_stream_head head = {
        .kind = bind->kind,
        .bind = bind->id,
        .visitor = {.family = peer->family, .port = peer->port},
    };
    adit_status_ignore(adit_span_copy(ADIT_SPAN_OF(head.visitor.ip), ADIT_BYTES_OF(peer->ip)),
                       "both have 16 bytes");
    struct adit_handle pump = {0};
    struct adit_status status =
        adit_pump_open(&worker->hub,
                       &(struct adit_pump_options){.link = agent->link,
                                                   .fd = fd,
                                                   .head = &head,
                                                   .user = worker_bind_user(bind)},
                       &pump);
    if (!adit_is_ok(status)) {
        worker_visitor_turn_away(worker, fd, status);
        return false;
    }
    worker->counters.visitors++;
    return true;
}

/* One visitor. False where no more are to be accepted now. */
static bool accept_one(struct worker *worker, struct bind *bind)
{
    int fd = -1;
    struct adit_address peer = {0};
    enum adit_io io = ADIT_IO_DONE;
    struct adit_status status = adit_socket_accept(bind->listener, &fd, &peer, &io);
    if (!adit_is_ok(status)) { /* out of descriptors: those that close make room */
        adit_log_failure(&worker->log, ADIT_LOG_WARN, ADIT_BYTES("accept_failed"), status);
        pause_accepting(worker, bind);
        return false;
    }
    if (io == ADIT_IO_BLOCKED) {
        return false;
    }
    if (!worker_visitor_carry(worker, bind, fd, &peer)) {
        pause_accepting(worker, bind);
        return false;
    }
    return true;
}

static void visitors_ready(void *context, uint64_t key, uint32_t events)
{
    struct worker *worker = context;
    struct bind *bind = worker_bind_at(worker, adit_handle_unpack(key));
    struct agent *agent = worker_bind_agent(worker, bind);
    (void)events;
    if (!agent) {
        return;
    }
    if (!worker_agent_is_current(worker, agent)) {
        adit_loop_unwatch(&worker->loop, &bind->watch);
        return;
    }
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        if (!adit_link_can_open(&worker->hub, agent->link)) {
            worker_visitor_waits(worker, agent);
            pause_accepting(worker, bind);
            return;
        }
        if (!accept_one(worker, bind)) {
            return;
        }
    }
}

struct adit_status worker_visitors_watch(struct worker *worker, struct bind *bind)
{
    if (worker->stop_us > 0) {
        return adit_ok(); /* nothing new is accepted at the end */
    }
    return adit_loop_watch(&worker->loop, bind->listener,
                           ADIT_LOOP_READ | ADIT_LOOP_LEVEL | ADIT_LOOP_EXCLUSIVE, visitors_ready,
                           worker, adit_handle_pack(bind->self), &bind->watch);
}
