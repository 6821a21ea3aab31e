/* The life of a visitor's connection. */
#include "proxy/proxy_private.h"

#define STEPS_A_TURN 16 /* answers of our own, to one web in one turn */

static void again_fired(void *context, uint64_t key)
{
    struct adit_proxy *proxy = context;
    (void)key;
    proxy->again = (struct adit_handle){0};
}

void web_turn_again(struct adit_proxy *proxy)
{
    adit_status_ignore(adit_loop_timer_set(proxy->loop, &proxy->again, proxy->loop->now_us,
                                           again_fired, proxy, 0),
                       "one timer is kept for it; any event does as well");
}

/* Where this turn's work is still to come, it takes the timer back. */
void web_mark(struct adit_proxy *proxy, struct web *web)
{
    if (web->is_dirty) {
        return;
    }
    struct web *tail = proxy_web(proxy, proxy->dirty_tail);
    web->is_dirty = true;
    web->dirty_next = (struct adit_handle){0};
    if (tail) {
        tail->dirty_next = web->self;
    } else {
        proxy->dirty_head = web->self;
        web_turn_again(proxy);
    }
    proxy->dirty_tail = web->self;
    proxy->dirty_count++;
}

static void web_ready(void *context, uint64_t key, uint32_t events)
{
    struct adit_proxy *proxy = context;
    struct web *web = proxy_web(proxy, adit_handle_unpack(key));
    if (!web || web->state == WEB_GONE) {
        return;
    }
    web->can_read |= (events & (ADIT_LOOP_READ | ADIT_LOOP_HANGUP)) != 0;
    web->has_hangup |= (events & ADIT_LOOP_HANGUP) != 0;
    web->is_broken |= (events & ADIT_LOOP_ERROR) != 0;
    if (events & ADIT_LOOP_WRITE) {
        web->is_blocked = false;
    }
    web_mark(proxy, web);
}

/* "192.0.2.1", "2001:db8::1". */
static struct adit_status address_set(struct web *web)
{
    uint8_t memory[64] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_address plain = web->peer;
    if (plain.family == 0) {
        return ADIT_FIELD_SET(web->address, ADIT_BYTES("unknown"));
    }
    plain.port = 0;
    ADIT_TRY(adit_address_write(&writer, &plain));
    struct adit_bytes text = adit_writer_bytes(&writer); /* ends in ":0" */
    text = adit_bytes_first(text, text.len - 2);
    if (adit_bytes_starts_with(text, ADIT_BYTES("["))) {
        text = adit_bytes_first(adit_bytes_from(text, 1), text.len - 2);
    }
    return ADIT_FIELD_SET(web->address, text);
}

/* What can fail once the slot is there; the caller closes the web then. */
static struct adit_status web_begin(struct adit_proxy *proxy, struct web *web,
                                    const struct adit_proxy_visitor *visitor)
{
    ADIT_TRY(adit_socket_reset_on_close_set(web->fd, true));
    ADIT_TRY(address_set(web));
    ADIT_TRY(ADIT_FIELD_SET(web->server_name, visitor->server_name));
    if (visitor->tls) {
        ADIT_TRY(adit_tls_open(visitor->tls, &proxy->hub->chunks, ADIT_PROXY_OUT_MAX,
                               (struct adit_bytes){0}, &web->tls));
    }
    return adit_loop_watch(proxy->loop, web->fd, ADIT_LOOP_READ | ADIT_LOOP_HANGUP, web_ready,
                           proxy, adit_handle_pack(web->self), &web->watch);
}

struct adit_status web_open(struct adit_proxy *proxy, const struct adit_proxy_visitor *visitor)
{
    int fd = visitor->fd;
    void *object = NULL;
    struct adit_handle handle = {0};
    struct adit_status status = adit_pool_acquire(&proxy->webs, &handle, &object);
    if (!adit_is_ok(status)) {
        adit_status_ignore(adit_socket_reset_on_close_set(fd, true), "closing says it too");
        adit_socket_close(&fd);
        return status;
    }
    struct web *web = object;
    web->fd = fd;
    web->self = handle;
    web->state = visitor->tls ? WEB_HANDSHAKE : WEB_HEAD;
    web->peer = visitor->peer;
    web->is_redirect = visitor->is_redirect;
    web->is_unknown = visitor->is_unknown;
    web->is_first = true;
    web->can_read = true;
    web->since_us = proxy->loop->now_us;
    web->sent_us = proxy->loop->now_us;
    adit_queue_init(&web->in, ADIT_PROXY_IN_HIGH + 2 * (size_t)ADIT_CHUNK_BYTES);
    adit_queue_init(&web->out, ADIT_PROXY_OUT_MAX);
    adit_queue_init(&web->up, WEB_UP_MAX);
    adit_queue_init(&web->back, proxy->hub->mux.limits.window_max);
    proxy->counters.connections++;
    proxy->counters.connections_now++;
    web_mark(proxy, web); /* what came before the watch was set */
    status = web_begin(proxy, web, visitor);
    if (!adit_is_ok(status)) {
        web_close(proxy, web);
    }
    return status;
}

void web_close(struct adit_proxy *proxy, struct web *web)
{
    if (web->state == WEB_GONE) {
        return;
    }
    if (web->exchange) {
        adit_pipe_close(proxy->hub, web->exchange->pipe);
    }
    adit_loop_forget(proxy->loop, &web->watch);
    adit_loop_timer_cancel(proxy->loop, &web->timer);
    adit_tls_close(&web->tls);
    adit_queue_reset(&web->in, &proxy->hub->chunks);
    adit_queue_reset(&web->out, &proxy->hub->chunks);
    adit_queue_reset(&web->up, &proxy->hub->chunks);
    adit_queue_reset(&web->back, &proxy->hub->chunks);
    adit_socket_close(&web->fd);
    proxy->counters.connections_now--;
    web->state = WEB_GONE;
    web_mark(proxy, web); /* its slot is free when nobody works on it any more */
}

void web_cut(struct adit_proxy *proxy, struct web *web)
{
    bool is_running = web->state == WEB_QUEUED || web->state == WEB_EXCHANGE ||
                      web->state == WEB_SWITCHED;
    if (is_running) {
        proxy->counters.cut++;
        exchange_end(proxy, web, true);
    }
    web_close(proxy, web);
}

void web_next(struct adit_proxy *proxy, struct web *web)
{
    web->state = WEB_HEAD;
    web->scan = (struct adit_http_scan){0};
    web->since_us = proxy->loop->now_us;
    if (proxy->is_draining) {
        web_finish(proxy, web);
    }
}

void web_finish(struct adit_proxy *proxy, struct web *web)
{
    adit_queue_reset(&web->in, &proxy->hub->chunks);
    web->state = WEB_FLUSH;
    web->since_us = proxy->loop->now_us;
    web_mark(proxy, web);
}

/* All is sent: our end, in order. Where the visitor has ended its side too, or will send nothing
 * more, closing is enough. */
static void web_end(struct adit_proxy *proxy, struct web *web)
{
    bool is_ok = adit_is_ok(adit_socket_reset_on_close_set(web->fd, false));
    bool is_other_end_done = web->is_parting || (web->is_in_done && !web->tls);
    if (!is_ok || is_other_end_done || !adit_is_ok(adit_socket_finish(web->fd))) {
        web_close(proxy, web);
        return;
    }
    web->state = WEB_LINGER;
    web->since_us = proxy->loop->now_us;
}

/* One step of what the state allows; true where another may follow at once. */
static bool web_step(struct adit_proxy *proxy, struct web *web)
{
    switch (web->state) {
    case WEB_HANDSHAKE:
    case WEB_LINGER:
    case WEB_FLUSH:
    case WEB_GONE:
        return false;
    case WEB_HEAD:
        return request_next(proxy, web);
    case WEB_QUEUED:
        return request_send(proxy, web);
    case WEB_EXCHANGE:
    case WEB_SWITCHED:
        return response_work(proxy, web);
    }
    return false;
}

static bool is_reading(const struct web *web)
{
    return web->state != WEB_FLUSH && web->state != WEB_LINGER && web->state != WEB_GONE;
}

/* What the gathering left over, and who works on it next. */
static void work_on(struct adit_proxy *proxy, struct web *web, bool is_room_short)
{
    if (web->wants_room && !web->is_blocked) {
        bool is_memory_full = is_room_short && web_is_out_empty(web);
        if (is_memory_full && !proxy_cut_largest(proxy)) {
            web_cut(proxy, web);
            return;
        }
        web_mark(proxy, web);
    }
    if (is_reading(web) && web->can_read && !web->is_in_done &&
        web->in.len < ADIT_PROXY_IN_HIGH) {
        web_mark(proxy, web); /* there may be more */
    }
}

/* All was sent, after an upgrade, and the program has ended its side: the visitor's half. */
static void half_close(struct adit_proxy *proxy, struct web *web)
{
    web->is_out_ended = true;
    if (web->tls) {
        adit_tls_finish(web->tls);
        web_flush(proxy, web);
    }
    if (web->state == WEB_SWITCHED && !adit_is_ok(adit_socket_finish(web->fd))) {
        web_cut(proxy, web);
    }
}

static void flushed(struct adit_proxy *proxy, struct web *web)
{
    if (web->state == WEB_SWITCHED && web->exchange->is_down_ended && !web->is_out_ended &&
        web_is_out_empty(web)) {
        half_close(proxy, web);
    }
    if (web->state == WEB_FLUSH && web->tls && web_is_out_empty(web)) {
        adit_tls_finish(web->tls);
        web_flush(proxy, web);
    }
    if (web->state == WEB_FLUSH && web_is_out_empty(web)) {
        web_end(proxy, web);
    }
}

/* Between two requests, and nothing has come of the next one: its exchange is all zeros, but for
 * the memory of a host that nobody reads. */
static bool is_at_rest(const struct web *web)
{
    return web->state == WEB_HEAD && web->in.len == 0 && !web->exchange->has_failed;
}

/* One that is all zeros: none has to be cleared for it. */
static void exchange_lend(struct adit_proxy *proxy, struct web *web)
{
    struct exchange *exchange = proxy->free_exchange;
    if (exchange) {
        proxy->free_exchange = exchange->free_next;
        exchange->free_next = NULL;
    } else {
        struct adit_handle handle = {0};
        void *object = NULL;
        bool is_there = adit_is_ok(adit_pool_acquire(&proxy->exchanges, &handle, &object));
        ADIT_ASSERT(is_there); /* as many as webs */
        exchange = object;
    }
    web->exchange = exchange;
}

static void exchange_return(struct adit_proxy *proxy, struct web *web)
{
    web->exchange->free_next = proxy->free_exchange;
    proxy->free_exchange = web->exchange;
    web->exchange = NULL;
}

void web_free(struct adit_proxy *proxy, struct web *web)
{
    if (web->exchange) {
        *web->exchange = (struct exchange){0};
        exchange_return(proxy, web);
    }
    adit_status_ignore(adit_pool_release(&proxy->webs, web->self), "it lives");
}

void web_work(struct adit_proxy *proxy, struct web *web)
{
    if (web->is_broken) {
        web_cut(proxy, web);
        return;
    }
    if (!web->exchange) {
        exchange_lend(proxy, web);
    }
    web_gather_begin(proxy, web);
    web->wants_room = false;
    if (is_reading(web)) {
        web_read(proxy, web);
    }
    for (int i = 0; web_step(proxy, web); i++) {
        if (i == STEPS_A_TURN) {
            web_mark(proxy, web); /* the others get their turn */
            break;
        }
    }
    bool is_room_short = proxy->gather.span.len < WEB_GATHER_BYTES;
    exchange_consumed(proxy, web->exchange);
    if (web->state != WEB_GONE && web->state != WEB_LINGER) {
        web_flush(proxy, web);
        work_on(proxy, web, is_room_short);
        flushed(proxy, web);
    }
    if (web->state == WEB_LINGER) {
        web_linger(proxy, web);
    }
    if (web->state != WEB_GONE) {
        web_arm(proxy, web);
    }
    if (is_at_rest(web)) {
        exchange_return(proxy, web);
    }
}
