#include "tunnel/pump.h"

#include "tunnel/internal.h"

/* The pump that a place in a link's list names, or null. */
static struct pump *listed(const struct adit_hub *hub, uint32_t place)
{
    return place > 0 ? adit_pool_at(&hub->pumps, place - 1) : NULL;
}

static void list_add(struct adit_hub *hub, struct link *link, struct pump *pump)
{
    struct pump *head = listed(hub, link->pump_head);
    uint32_t place = pump->self.index + 1;
    if (head) {
        head->list_before = place;
    }
    pump->list_next = link->pump_head;
    link->pump_head = place;
}

static void list_remove(struct adit_hub *hub, struct link *link, struct pump *pump)
{
    struct pump *before = listed(hub, pump->list_before);
    struct pump *next = listed(hub, pump->list_next);
    if (before) {
        before->list_next = pump->list_next;
    } else {
        link->pump_head = pump->list_next;
    }
    if (next) {
        next->list_before = pump->list_before;
    }
}

struct adit_status pump_make(struct adit_hub *hub, struct link *link, struct pump **out_pump)
{
    void *object = NULL;
    struct adit_handle handle = {0};
    ADIT_TRY(adit_pool_acquire(&hub->pumps, &handle, &object));
    struct pump *pump = object;
    pump->fd = -1;
    pump->self = handle;
    pump->link = link->self;
    adit_queue_init(&pump->in, hub->mux.limits.window_max);
    list_add(hub, link, pump);
    hub->counters.pumps_opened++;
    *out_pump = pump;
    return adit_ok();
}

/* There is room for one a pump. */
static struct adit_status first_make(struct adit_hub *hub, struct pump *pump,
                                     struct pump_first **out_first)
{
    void *object = NULL;
    ADIT_TRY(adit_pool_acquire(&hub->firsts, &pump->first, &object));
    *out_first = object;
    return adit_ok();
}

struct adit_status pump_head_set(struct adit_hub *hub, struct pump *pump,
                                 const struct adit_stream_head *head)
{
    struct pump_first *first = NULL;
    ADIT_TRY(first_make(hub, pump, &first));
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(first->bytes));
    ADIT_TRY(adit_stream_head_write(&writer, head));
    first->len = (uint8_t)writer.len;
    return adit_ok();
}

/* Gives everything back. The stream ends in order where both sides have finished, else by RST. */
void pump_release(struct adit_hub *hub, struct pump *pump)
{
    struct link *link = hub_link(hub, pump->link);
    if (adit_handle_equal(hub->view_pump, pump->self)) {
        hub->view_count = 0;
        hub->view_pump = (struct adit_handle){0};
    }
    if (link) {
        list_remove(hub, link, pump);
        adit_session_release(&link->session, pump->stream, hub->loop->now_us);
        hub_mark_dirty(hub, link);
    }
    if (pump->fd >= 0) {
        adit_loop_forget(hub->loop, &pump->watch);
    } else {
        adit_loop_unwatch(hub->loop, &pump->watch); /* the socket stays its owner's */
    }
    adit_queue_reset(&pump->in, &hub->chunks);
    adit_socket_close(&pump->fd);
    if (adit_handle_is_set(pump->first)) {
        adit_status_ignore(adit_pool_release(&hub->firsts, pump->first), "it was never sent");
    }
    adit_status_ignore(adit_pool_release(&hub->pumps, pump->self), "it lives");
}

void pump_end(struct adit_hub *hub, struct pump *pump, enum adit_pump_end end)
{
    if (end == ADIT_PUMP_COMPLETE) {
        if (!pump->is_pipe) {
            adit_status_ignore(adit_socket_reset_on_close_set(pump->fd, false),
                               "the worst is a reset after the last byte");
        }
        hub->counters.pumps_complete++;
    } else {
        hub->counters.pumps_cut++;
    }
    if (hub->ops->pump_closed) {
        hub->ops->pump_closed(hub->context, pump->self, pump->user, end);
    }
    pump_release(hub, pump);
}

void pump_end_if_done(struct adit_hub *hub, struct pump *pump)
{
    if (pump->state == PUMP_REFUSED && pump->is_source_done) {
        pump_end(hub, pump, ADIT_PUMP_LOCAL);
    } else if (pump->is_source_done && pump->is_sink_done) {
        pump_end(hub, pump, ADIT_PUMP_COMPLETE);
    }
}

/* The owner has had every byte; what it does with them is its own matter. */
static void pipe_peer_finished(struct adit_hub *hub, struct pump *pump)
{
    struct adit_handle handle = pump->self;
    pump->is_sink_done = true;
    hub->ops->pipe_finished(hub->context, handle, pump->user);
    pump = hub_pump(hub, handle);
    if (pump) {
        pump_end_if_done(hub, pump);
    }
}

void pump_peer_finished(struct adit_hub *hub, struct pump *pump)
{
    pump->is_peer_done = true;
    switch (pump->state) {
    case PUMP_HEAD:    /* a stream without a head */
    case PUMP_VERDICT: /* an agent that says nothing and ends */
        pump_end(hub, pump, ADIT_PUMP_RESET);
        return;
    case PUMP_FLOW:
        if (pump->is_pipe) {
            pipe_peer_finished(hub, pump);
        } else {
            pump_drain(hub, pump);
        }
        return;
    case PUMP_DIALING:
    case PUMP_REFUSED:
        return;
    }
}

static void pump_ready(void *context, uint64_t key, uint32_t events)
{
    struct adit_hub *hub = context;
    struct adit_handle handle = adit_handle_unpack(key);
    struct pump *pump = hub_pump(hub, handle);
    if (!pump) {
        return;
    }
    if (events & ADIT_LOOP_ERROR) {
        pump_end(hub, pump, ADIT_PUMP_LOCAL);
        return;
    }
    if (events & ADIT_LOOP_HANGUP) {
        pump->has_hangup = true;
    }
    if (events & (ADIT_LOOP_READ | ADIT_LOOP_HANGUP)) {
        pump->is_quiet = false;
        struct link *link = hub_link(hub, pump->link);
        if (link && !pump->is_source_done) {
            adit_session_ready(&link->session, pump->stream);
            hub_mark_dirty(hub, link);
        }
    }
    if (events & ADIT_LOOP_WRITE) {
        pump_drain(hub, pump);
    }
}

static struct adit_status watch_socket(struct adit_hub *hub, struct pump *pump, int fd)
{
    ADIT_TRY(adit_socket_reset_on_close_set(fd, true));
    return adit_loop_watch(hub->loop, fd, ADIT_LOOP_READ | ADIT_LOOP_HANGUP, pump_ready, hub,
                           adit_handle_pack(pump->self), &pump->watch);
}

struct adit_status adit_pump_open(struct adit_hub *hub, const struct adit_pump_options *options,
                                  struct adit_handle *out_pump)
{
    struct link *link = hub_link(hub, options->link);
    ADIT_ENSURE(link && link->state == LINK_OPEN && !link->is_closing, STALE, "the link is gone");
    struct pump *pump = NULL;
    ADIT_TRY(pump_make(hub, link, &pump));
    pump->state = PUMP_VERDICT;
    pump->user = options->user;
    struct adit_status status = pump_head_set(hub, pump, options->head);
    if (adit_is_ok(status)) {
        status = watch_socket(hub, pump, options->fd);
    }
    if (adit_is_ok(status)) {
        status = adit_session_open(&link->session, adit_handle_pack(pump->self), hub->loop->now_us,
                                   &pump->stream);
    }
    if (!adit_is_ok(status)) { /* the socket stays the caller's */
        hub->counters.pumps_opened--;
        pump_release(hub, pump);
        return status;
    }
    pump->fd = options->fd;
    pump->is_unsaid = true;
    hub_mark_dirty(hub, link);
    *out_pump = pump->self;
    return adit_ok();
}

/* The agent's first byte back: how the dial ended. */
static struct adit_status verdict_set(struct adit_hub *hub, struct pump *pump,
                                      enum adit_dial_result result)
{
    struct pump_first *first = NULL;
    ADIT_TRY(first_make(hub, pump, &first));
    ADIT_AT(first->bytes, 0) = (uint8_t)result;
    first->len = 1;
    struct link *link = hub_link(hub, pump->link);
    if (link) {
        adit_session_ready(&link->session, pump->stream);
        hub_mark_dirty(hub, link);
    }
    return adit_ok();
}

bool adit_pump_has_bytes(const struct adit_hub *hub, struct adit_handle handle)
{
    const struct pump *pump = hub_pump(hub, handle);
    return pump && pump->in.len > 0;
}

struct adit_status adit_pump_attach(struct adit_hub *hub, struct adit_handle handle, int fd)
{
    struct pump *pump = hub_pump(hub, handle);
    if (!pump || pump->state != PUMP_DIALING) {
        adit_socket_close(&fd);
        ADIT_FAIL(STALE, "the visitor has gone");
    }
    pump->fd = fd;
    struct adit_status status = watch_socket(hub, pump, fd);
    if (adit_is_ok(status)) {
        status = verdict_set(hub, pump, ADIT_DIAL_CONNECTED);
    }
    if (!adit_is_ok(status)) {
        pump_end(hub, pump, ADIT_PUMP_LOCAL);
        return status;
    }
    pump->state = PUMP_FLOW;
    pump->is_quiet = true; /* the watch is new: it will tell what is there by now */
    pump_drain(hub, pump);
    return adit_ok();
}

void adit_pump_refuse(struct adit_hub *hub, struct adit_handle handle, enum adit_dial_result result)
{
    struct pump *pump = hub_pump(hub, handle);
    if (pump && pump->state == PUMP_DIALING) {
        pump->state = PUMP_REFUSED;
        if (!adit_is_ok(verdict_set(hub, pump, result))) {
            pump_end(hub, pump, ADIT_PUMP_LOCAL);
        }
    }
}

void adit_pump_user_set(struct adit_hub *hub, struct adit_handle handle, uint64_t user)
{
    struct pump *pump = hub_pump(hub, handle);
    if (pump) {
        pump->user = user;
    }
}
