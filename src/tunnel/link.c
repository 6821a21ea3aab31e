#include "tunnel/link.h"

#include "tunnel/internal.h"

#define SETTLE_US ADIT_SECOND_US
#define TICK_MAX_US (5 * ADIT_SECOND_US) /* deadlines of new streams are seen at least this often */

static void arm(struct adit_hub *hub, struct link *link, uint64_t when_us);

void link_fail(struct adit_hub *hub, struct link *link, struct adit_status why)
{
    if (link->is_closing || link->state == LINK_LINGER) {
        return;
    }
    link->is_closing = true;
    link->why = why;
    hub_mark_dirty(hub, link);
}

static struct adit_status timed_out(const char *unused)
{
    (void)unused;
    ADIT_FAIL(TIMEOUT, "the other end did not finish its handshake in time");
}

/* The end of all: nothing of the link is left afterwards. */
static void link_release(struct adit_hub *hub, struct link *link)
{
    hub_forget_dirty(hub, link);
    adit_loop_unwatch(hub->loop, &link->watch);
    adit_loop_timer_cancel(hub->loop, &link->timer);
    adit_loop_timer_cancel(hub->loop, &link->pace_timer);
    adit_queue_reset(&link->control_in, &hub->chunks);
    adit_queue_reset(&link->control_out, &hub->chunks);
    adit_tls_close(&link->tls);
    adit_socket_close(&link->fd);
    adit_status_ignore(adit_pool_release(&hub->links, link->self), "it lives");
}

/* Reads and drops until the peer closes, so that our last words are not lost to a reset. */
static void linger(struct adit_hub *hub, struct link *link)
{
    for (int i = 0; i < 16; i++) {
        size_t count = 0;
        enum adit_io io = ADIT_IO_DONE;
        struct adit_status status = adit_socket_receive(link->fd, hub->cipher_in, &count, &io);
        if (!adit_is_ok(status) || io == ADIT_IO_END) {
            link_release(hub, link);
            return;
        }
        if (io == ADIT_IO_BLOCKED) {
            return;
        }
    }
    link_release(hub, link); /* it talks on and on: enough */
}

/* Cuts the pumps, tells the owner, says the last words and lingers. */
static void link_end(struct adit_hub *hub, struct link *link)
{
    while (link->pump_head > 0) {
        pump_end(hub, adit_pool_at(&hub->pumps, link->pump_head - 1), ADIT_PUMP_LINK);
    }
    hub->counters.links_closed++;
    hub->ops->link_closed(hub->context, link->self, link->user, link->why);
    link_flush(hub, link); /* refusals and the GOAWAY, as far as the socket takes them */
    adit_tls_finish(link->tls);
    link_send_waiting(hub, link);
    adit_session_deinit(&link->session);
    bool is_broken = adit_status_error(link->why) == ADIT_ERROR_SYSTEM || link->is_blocked;
    if (is_broken || !adit_is_ok(adit_socket_finish(link->fd))) {
        link_release(hub, link);
        return;
    }
    link->state = LINK_LINGER;
    arm(hub, link, hub->loop->now_us + ADIT_LINK_LINGER_US);
    linger(hub, link);
}

void link_finish_turn(struct adit_hub *hub, struct link *link)
{
    if (link->state == LINK_LINGER) {
        return;
    }
    if (link->wants_receive && !link->is_closing) {
        link->wants_receive = false;
        link_receive(hub, link);
    }
    if (!link->is_closing) {
        link_flush(hub, link);
    }
    if (link->is_closing) {
        link_end(hub, link);
    }
}

static void link_ready(void *context, uint64_t key, uint32_t events)
{
    struct adit_hub *hub = context;
    struct link *link = hub_link(hub, adit_handle_unpack(key));
    if (!link) {
        return;
    }
    if (link->state == LINK_LINGER) {
        linger(hub, link);
        return;
    }
    if (events & ADIT_LOOP_WRITE) {
        link->is_blocked = false;
        hub_mark_dirty(hub, link);
    }
    if (events & ADIT_LOOP_HANGUP) {
        link->has_hangup = true;
    }
    if (events & (ADIT_LOOP_READ | ADIT_LOOP_HANGUP | ADIT_LOOP_ERROR)) {
        link_receive(hub, link);
    }
}

/* Chunks that the last while did not need go back to the system: any link's tick will do. */
static void settle(struct adit_hub *hub)
{
    if (hub->loop->now_us >= hub->settled_us + SETTLE_US) {
        hub->settled_us = hub->loop->now_us;
        adit_chunk_pool_settle(&hub->chunks);
    }
}

static void tick(struct adit_hub *hub, struct link *link)
{
    uint64_t now_us = hub->loop->now_us;
    settle(hub);
    struct adit_session_event event = {0};
    do {
        struct adit_status status = adit_session_tick(&link->session, now_us, &event);
        if (!adit_is_ok(status)) {
            link_fail(hub, link, status);
            return;
        }
        link_event(hub, link, &event);
    } while (event.kind != ADIT_SESSION_MORE && !link->is_closing);
    hub_mark_dirty(hub, link);
    uint64_t next_us = adit_session_deadline_us(&link->session);
    next_us = adit_max_u64(next_us, now_us + ADIT_MS_US);
    arm(hub, link, adit_min_u64(next_us, now_us + TICK_MAX_US));
}

static void link_timer(void *context, uint64_t key)
{
    struct adit_hub *hub = context;
    struct link *link = hub_link(hub, adit_handle_unpack(key));
    if (!link) {
        return;
    }
    link->timer = (struct adit_handle){0};
    switch (link->state) {
    case LINK_HANDSHAKE:
        link_fail(hub, link, timed_out(""));
        break;
    case LINK_OPEN:
        tick(hub, link);
        break;
    case LINK_LINGER:
        link_release(hub, link);
        break;
    }
}

static void arm(struct adit_hub *hub, struct link *link, uint64_t when_us)
{
    struct adit_status status = adit_loop_timer_set(hub->loop, &link->timer, when_us, link_timer,
                                                    hub, adit_handle_pack(link->self));
    if (!adit_is_ok(status) && link->state != LINK_LINGER) {
        link_fail(hub, link, status); /* without its deadlines a link could live for ever */
    }
}

void link_opened(struct adit_hub *hub, struct link *link)
{
    link->state = LINK_OPEN;
    if (hub->role == ADIT_SESSION_CLIENT) {
        struct adit_status status =
            adit_session_open(&link->session, 0, hub->loop->now_us, &link->control);
        if (!adit_is_ok(status)) {
            link_fail(hub, link, status);
            return;
        }
    }
    hub->counters.links_opened++;
    tick(hub, link);
    if (!link->is_closing && hub->ops->link_open) {
        hub->ops->link_open(hub->context, link->self, link->user);
    }
}

/* What can fail once the slot is there; the caller releases the link then. */
static struct adit_status link_begin(struct adit_hub *hub, struct link *link,
                                     const struct adit_link_options *options)
{
    uint64_t seed = adit_jitter_next(&hub->jitter);
    ADIT_TRY(adit_session_init(&link->session, &hub->mux, hub->role, seed, hub->loop->now_us));
    ADIT_TRY(adit_tls_open(options->tls, &hub->chunks, ADIT_LINK_CIPHER_OUT_MAX,
                           options->server_name, &link->tls));
    adit_status_ignore(adit_socket_congestion_set(link->fd, ADIT_BYTES("cubic")),
                       "what the system gives carries bytes too, with longer queues");
    ADIT_TRY(adit_loop_watch(hub->loop, link->fd,
                             ADIT_LOOP_READ | ADIT_LOOP_WRITE | ADIT_LOOP_HANGUP, link_ready, hub,
                             adit_handle_pack(link->self), &link->watch));
    arm(hub, link, hub->loop->now_us + ADIT_LINK_HANDSHAKE_US);
    return adit_ok();
}

struct adit_status adit_link_open(struct adit_hub *hub, const struct adit_link_options *options,
                                  struct adit_handle *out_link)
{
    int fd = options->fd;
    void *object = NULL;
    struct adit_handle handle = {0};
    struct adit_status status = adit_pool_acquire(&hub->links, &handle, &object);
    if (!adit_is_ok(status)) {
        adit_socket_close(&fd);
        return status;
    }
    struct link *link = object;
    link->fd = fd;
    link->self = handle;
    link->user = options->user;
    adit_pace_init(&link->pace);
    adit_queue_init(&link->control_in, ADIT_LINK_CONTROL_MAX);
    adit_queue_init(&link->control_out, ADIT_LINK_CONTROL_MAX);
    status = link_begin(hub, link, options);
    if (!adit_is_ok(status)) {
        adit_session_deinit(&link->session);
        link_release(hub, link);
        return status;
    }
    hub_mark_dirty(hub, link);
    link->wants_receive = true; /* what came before the watch was set, and the client's hello */
    *out_link = handle;
    return adit_ok();
}

void adit_link_close(struct adit_hub *hub, struct adit_handle handle, struct adit_status why)
{
    struct link *link = hub_link(hub, handle);
    if (link) {
        link_fail(hub, link, why);
    }
}

static bool is_open(const struct link *link)
{
    return link && link->state == LINK_OPEN && !link->is_closing;
}

void adit_link_probe(struct adit_hub *hub, struct adit_handle handle)
{
    struct link *link = hub_link(hub, handle);
    if (is_open(link)) {
        adit_session_ping(&link->session, hub->loop->now_us);
        hub_mark_dirty(hub, link);
    }
}

uint64_t adit_link_heard_us(const struct adit_hub *hub, struct adit_handle handle)
{
    const struct link *link = hub_link(hub, handle);
    return is_open(link) ? adit_session_heard_us(&link->session) : 0;
}

bool adit_link_can_open(const struct adit_hub *hub, struct adit_handle handle)
{
    const struct link *link = hub_link(hub, handle);
    return is_open(link) && adit_session_can_open(&link->session);
}

const struct adit_session_counters *adit_link_counters(const struct adit_hub *hub,
                                                       struct adit_handle handle)
{
    const struct link *link = hub_link(hub, handle);
    return link && link->state != LINK_LINGER ? &link->session.counters : NULL;
}

struct adit_bytes adit_link_verify_error(const struct adit_hub *hub, struct adit_handle handle)
{
    const struct link *link = hub_link(hub, handle);
    return link ? adit_tls_verify_error(link->tls) : (struct adit_bytes){0};
}

uint64_t adit_link_rtt_us(const struct adit_hub *hub, struct adit_handle handle)
{
    const struct link *link = hub_link(hub, handle);
    return link ? link->rtt_us : 0;
}
