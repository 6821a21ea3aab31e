/* From the peer to the socket, or to the pipe's owner. */
#include "tunnel/internal.h"

void pump_consumed(struct adit_hub *hub, struct pump *pump, size_t count)
{
    struct link *link = hub_link(hub, pump->link);
    if (link && count > 0) {
        adit_session_consumed(&link->session, pump->stream, count, hub->loop->now_us);
        hub_mark_dirty(hub, link);
    }
}

static struct pump *largest_of(struct adit_hub *hub)
{
    struct pump *largest = NULL;
    struct adit_handle handle = {0};
    for (uint32_t cursor = 0; adit_pool_next(&hub->pumps, &cursor, &handle);) {
        struct pump *pump = hub_pump(hub, handle);
        if (!largest || pump->in.len > largest->in.len) {
            largest = pump;
        }
    }
    return largest;
}

bool adit_hub_cut_largest(struct adit_hub *hub, size_t bytes)
{
    struct pump *largest = largest_of(hub);
    if (!largest || largest->in.len <= bytes) {
        return false;
    }
    pump_end(hub, largest, ADIT_PUMP_LIMIT);
    return true;
}

/* The memory budget is full: whoever holds most is cut, so that the others go on. */
static void cut_largest(struct adit_hub *hub)
{
    const struct pump *largest = largest_of(hub);
    size_t bytes = largest ? largest->in.len : 0;
    if (!hub->ops->memory_short || !hub->ops->memory_short(hub->context, bytes)) {
        (void)adit_hub_cut_largest(hub, 0);
    }
}

/* Keeps what the socket did not take. False where the pump had to be cut. */
static bool keep(struct adit_hub *hub, struct adit_handle handle, struct adit_bytes bytes)
{
    struct pump *pump = hub_pump(hub, handle);
    if (pump && adit_is_ok(adit_queue_put(&pump->in, &hub->chunks, bytes))) {
        return true;
    }
    cut_largest(hub);
    pump = hub_pump(hub, handle);
    if (pump && adit_is_ok(adit_queue_put(&pump->in, &hub->chunks, bytes))) {
        return true;
    }
    if (pump) {
        pump_end(hub, pump, ADIT_PUMP_LIMIT);
    }
    return false;
}

void pump_show_views(struct adit_hub *hub, const struct pump *pump, const struct iovec *views,
                     size_t view_count, size_t count)
{
    for (size_t i = 0; i < view_count && hub->ops->pump_seen && count > 0; i++) {
        const struct iovec *view = &ADIT_SLOT(views, view_count, i);
        struct adit_bytes bytes =
            adit_bytes_first(adit_object_bytes(view->iov_base, view->iov_len), count);
        count -= bytes.len;
        pump_show(hub, pump, false, bytes);
    }
}

static struct adit_status views_send(const struct adit_hub *hub, const struct pump *pump,
                                     bool is_last, size_t *out_sent, enum adit_io *out_io)
{
    const struct iovec *view = &ADIT_AT(hub->views, 0);
    if (is_last && hub->view_count == 1) {
        return adit_socket_send_last(pump->fd, adit_object_bytes(view->iov_base, view->iov_len),
                                     out_sent, out_io);
    }
    return adit_socket_send_views(pump->fd, hub->views, hub->view_count, out_sent, out_io);
}

/* Sends views; an event tells when the socket takes more. False where the pump has ended. */
static bool views_pass(struct adit_hub *hub, struct pump *pump, bool is_last, size_t *out_sent)
{
    enum adit_io io = ADIT_IO_DONE;
    struct adit_status status = views_send(hub, pump, is_last, out_sent, &io);
    if (adit_is_ok(status) && io == ADIT_IO_BLOCKED) {
        status = adit_loop_write_wanted(hub->loop, pump->watch);
    }
    if (!adit_is_ok(status)) {
        pump_end(hub, pump, ADIT_PUMP_LOCAL);
        return false;
    }
    return true;
}

static void views_flush(struct adit_hub *hub, bool is_last)
{
    struct adit_handle handle = hub->view_pump;
    size_t view_count = hub->view_count;
    struct pump *pump = hub_pump(hub, handle);
    size_t sent = 0;
    if (!pump || view_count == 0 || !views_pass(hub, pump, is_last, &sent)) {
        view_count = 0;
    }
    hub->view_count = 0;
    hub->view_pump = (struct adit_handle){0};
    if (view_count == 0) {
        return;
    }
    hub->counters.bytes_to_local += sent;
    pump_show_views(hub, pump, hub->views, view_count, sent);
    pump_consumed(hub, pump, sent);
    for (size_t i = 0; i < view_count; i++) {
        struct adit_bytes view = {.ptr = ADIT_AT(hub->views, i).iov_base,
                                  .len = ADIT_AT(hub->views, i).iov_len};
        struct adit_bytes left = adit_bytes_from(view, sent);
        sent -= view.len - left.len;
        if (left.len > 0 && !keep(hub, handle, left)) {
            return;
        }
    }
}

void pump_views_flush(struct adit_hub *hub)
{
    views_flush(hub, false);
}

void pump_views_flush_last(struct adit_hub *hub, const struct pump *pump)
{
    views_flush(hub, adit_handle_equal(hub->view_pump, pump->self));
}

/* Adds a frame's bytes to the one send that will carry them. */
static void view_add(struct adit_hub *hub, struct pump *pump, struct adit_bytes bytes)
{
    if (!adit_handle_equal(hub->view_pump, pump->self) ||
        hub->view_count == ADIT_COUNT(hub->views)) {
        struct adit_handle handle = pump->self;
        pump_views_flush(hub);
        pump = hub_pump(hub, handle);
        if (!pump) {
            return;
        }
        if (pump->in.len > 0) { /* the flush met a full socket */
            (void)keep(hub, handle, bytes);
            return;
        }
        hub->view_pump = handle;
    }
    ADIT_AT(hub->views, hub->view_count) = adit_bytes_iovec(bytes);
    hub->view_count++;
}

/* Agent: the stream begins with its head. */
static void head_received(struct adit_hub *hub, struct pump *pump)
{
    uint8_t memory[ADIT_STREAM_HEAD_BYTES] = {0};
    struct adit_writer copy = adit_writer_of(ADIT_SPAN_OF(memory));
    while (adit_writer_room(&copy) > 0) {
        struct adit_bytes part = adit_bytes_first(adit_queue_front(&pump->in),
                                                  adit_writer_room(&copy));
        adit_status_ignore(adit_write_bytes(&copy, part), "cut to the room");
        adit_queue_drop(&pump->in, &hub->chunks, part.len);
    }
    pump_consumed(hub, pump, copy.len);
    struct adit_stream_head head = {0};
    struct adit_reader reader = adit_reader_of(adit_writer_bytes(&copy));
    if (!hub->ops->pump_open || !adit_is_ok(adit_stream_head_read(&reader, &head))) {
        pump_end(hub, pump, ADIT_PUMP_RESET);
        return;
    }
    pump->state = PUMP_DIALING;
    hub->ops->pump_open(hub->context, pump->link, pump->self, &head);
}

/* Server: the agent's stream begins with how its dial ended. */
static struct adit_bytes verdict_received(struct adit_hub *hub, struct pump *pump,
                                          struct adit_bytes bytes)
{
    struct adit_handle handle = pump->self;
    enum adit_dial_result result = ADIT_DIAL_FAILED;
    if (!adit_is_ok(adit_dial_result_of(adit_bytes_at(bytes, 0), &result))) {
        pump_end(hub, pump, ADIT_PUMP_RESET);
        return (struct adit_bytes){0};
    }
    pump_consumed(hub, pump, 1);
    pump->state = PUMP_FLOW;
    if (hub->ops->pump_dialled) {
        hub->ops->pump_dialled(hub->context, handle, pump->user, result);
        pump = hub_pump(hub, handle);
    }
    if (pump && result != ADIT_DIAL_CONNECTED) {
        pump_end(hub, pump, ADIT_PUMP_RESET);
        return (struct adit_bytes){0};
    }
    return adit_bytes_from(bytes, 1);
}

void pump_data(struct adit_hub *hub, struct pump *pump, struct adit_bytes bytes)
{
    struct adit_handle handle = pump->self;
    if (pump->state == PUMP_VERDICT && bytes.len > 0) {
        bytes = verdict_received(hub, pump, bytes);
        pump = hub_pump(hub, handle);
    }
    if (!pump || bytes.len == 0) {
        return;
    }
    switch (pump->state) {
    case PUMP_FLOW:
        if (pump->is_pipe) {
            hub->counters.bytes_to_local += bytes.len;
            hub->ops->pipe_data(hub->context, handle, pump->user, bytes);
            return;
        }
        pump_spoke(hub, pump, false);
        if (pump->in.len > 0) {
            (void)keep(hub, handle, bytes);
        } else {
            view_add(hub, pump, bytes);
        }
        return;
    case PUMP_REFUSED:
        pump_consumed(hub, pump, bytes.len);
        return;
    case PUMP_HEAD:
        if (keep(hub, handle, bytes) && pump->in.len >= ADIT_STREAM_HEAD_BYTES) {
            head_received(hub, pump);
        }
        return;
    case PUMP_DIALING:
        (void)keep(hub, handle, bytes);
        return;
    case PUMP_VERDICT:
        return;
    }
}

void pump_drain(struct adit_hub *hub, struct pump *pump)
{
    if (pump->state != PUMP_FLOW) {
        return;
    }
    while (pump->in.len > 0) {
        struct iovec views[16] = {0};
        size_t view_count = adit_queue_views(&pump->in, views, ADIT_COUNT(views));
        size_t sent = 0;
        enum adit_io io = ADIT_IO_DONE;
        struct adit_status status =
            adit_socket_send_views(pump->fd, views, view_count, &sent, &io);
        if (adit_is_ok(status) && io == ADIT_IO_BLOCKED) {
            status = adit_loop_write_wanted(hub->loop, pump->watch);
        }
        if (!adit_is_ok(status)) {
            pump_end(hub, pump, ADIT_PUMP_LOCAL);
            return;
        }
        pump_show_views(hub, pump, views, view_count, sent);
        adit_queue_drop(&pump->in, &hub->chunks, sent);
        hub->counters.bytes_to_local += sent;
        pump_consumed(hub, pump, sent);
        if (io == ADIT_IO_BLOCKED) {
            return;
        }
    }
    if (pump->is_peer_done && !pump->is_sink_done) {
        /* Where the other direction is over the socket is closed next, which says it as well. */
        if (!pump->is_source_done && !adit_is_ok(adit_socket_finish(pump->fd))) {
            pump_end(hub, pump, ADIT_PUMP_LOCAL);
            return;
        }
        pump->is_sink_done = true;
        pump_end_if_done(hub, pump);
    }
}
