#include "proxy/proxy_private.h"

#define CIPHER_IN_BYTES ADIT_PROXY_IN_HIGH
#define WEBS_A_TURN 128
#define HANDSHAKES_A_TURN 8 /* each costs as much as a thousand frames: links get their turn */

uint64_t proxy_user(struct adit_handle handle, uint64_t kind)
{
    return ADIT_PROXY_USER | kind | (uint64_t)handle.generation << USER_INDEX_BITS | handle.index;
}

static struct adit_handle handle_of(uint64_t user)
{
    uint64_t index_max = (UINT64_C(1) << USER_INDEX_BITS) - 1;
    return (struct adit_handle){.index = (uint32_t)(user & index_max),
                                .generation = (uint32_t)(user >> USER_INDEX_BITS)};
}

struct web *proxy_web(const struct adit_proxy *proxy, struct adit_handle handle)
{
    return adit_pool_get(&proxy->webs, handle);
}

/* The web whose exchange goes over this pipe, or null. */
static inline struct web *web_of(const struct adit_proxy *proxy, struct adit_handle pipe,
                                 uint64_t user)
{
    struct web *web =
        (user & USER_IDLE) ? NULL : adit_pool_get(&proxy->webs, handle_of(user));
    return web && web->exchange && adit_handle_equal(web->exchange->pipe, pipe) ? web : NULL;
}

static struct idle *idle_of_user(const struct adit_proxy *proxy, struct adit_handle pipe,
                                 uint64_t user)
{
    return (user & USER_IDLE) ? idle_of(proxy, handle_of(user), pipe) : NULL;
}

struct adit_bytes proxy_front(struct adit_proxy *proxy, const struct adit_queue *queue, size_t max)
{
    struct adit_bytes front = adit_queue_front(queue);
    if (front.len == queue->len || front.len >= max) {
        return adit_bytes_first(front, max);
    }
    struct adit_writer writer = adit_writer_of(adit_span_first(proxy->joined, max));
    struct iovec views[8] = {0};
    size_t view_count = adit_queue_views(queue, views, ADIT_COUNT(views));
    for (size_t i = 0; i < view_count; i++) {
        const struct iovec *at = &ADIT_AT(views, i);
        struct adit_bytes view = adit_object_bytes(at->iov_base, at->iov_len);
        adit_status_ignore(
            adit_write_bytes(&writer, adit_bytes_first(view, adit_writer_room(&writer))),
            "cut to the room");
    }
    return adit_writer_bytes(&writer);
}

/* Bytes that wait on account of this visitor. */
static size_t held(const struct web *web)
{
    size_t out = web->tls ? adit_tls_out(web->tls)->len : web->out.len;
    return out + web->in.len + web->up.len + web->back.len;
}

static struct web *largest_of(const struct adit_proxy *proxy)
{
    struct web *largest = NULL;
    struct adit_handle handle = {0};
    for (uint32_t cursor = 0; adit_pool_next(&proxy->webs, &cursor, &handle);) {
        struct web *web = proxy_web(proxy, handle);
        if (!largest || held(web) > held(largest)) {
            largest = web;
        }
    }
    return largest;
}

bool adit_proxy_memory_short(struct adit_proxy *proxy, size_t bytes)
{
    struct web *largest = largest_of(proxy);
    if (!largest || held(largest) <= bytes) {
        return false;
    }
    web_cut(proxy, largest);
    return true;
}

bool proxy_cut_largest(struct adit_proxy *proxy)
{
    const struct web *largest = largest_of(proxy);
    return adit_hub_cut_largest(proxy->hub, largest ? held(largest) : 0) ||
           adit_proxy_memory_short(proxy, 0);
}

/* --- Life ------------------------------------------------------------------------------------ */

static struct adit_status take_memory(struct adit_proxy *proxy,
                                      const struct adit_proxy_options *options)
{
    struct adit_siphash_key seed = {0};
    ADIT_ENSURE(options->connections_max >> USER_INDEX_BITS == 0 &&
                    options->idle_pipes_max >> USER_INDEX_BITS == 0,
                LIMIT, "more connections than a pipe's user can name");
    ADIT_TRY(adit_random_fill(ADIT_OBJECT_SPAN(seed)));
    ADIT_TRY(adit_pool_init(&proxy->webs, sizeof(struct web), options->connections_max));
    ADIT_TRY(adit_pool_init(&proxy->exchanges, sizeof(struct exchange),
                            options->connections_max));
    ADIT_TRY(adit_pool_init(&proxy->idles, sizeof(struct idle), options->idle_pipes_max));
    ADIT_TRY(adit_table_init(&proxy->tunnels, sizeof(uint64_t),
                             options->idle_pipes_max + IDLE_TOPS, seed));
    ADIT_TRY(adit_memory_open(RECALLS, sizeof(struct recall), &proxy->recalls));
    ADIT_TRY(adit_memory_open(1, CIPHER_IN_BYTES, &proxy->cipher_in));
    ADIT_TRY(adit_memory_open(1, ADIT_HTTP_HEAD_BYTES_MAX, &proxy->joined));
    ADIT_TRY(adit_memory_open(1, ADIT_HTTP_FORWARD_BYTES_MAX, &proxy->written));
    return adit_memory_open(1, WEB_GATHER_BYTES, &proxy->gathered);
}

struct adit_status adit_proxy_open(const struct adit_proxy_options *options,
                                   struct adit_proxy **out_proxy)
{
    struct adit_span memory = {0};
    ADIT_TRY(adit_memory_open(1, sizeof(struct adit_proxy), &memory));
    struct adit_proxy *proxy = adit_memory_at(memory, sizeof(*proxy), 0);
    proxy->loop = options->loop;
    proxy->hub = options->hub;
    proxy->ops = options->ops;
    proxy->context = options->context;
    proxy->https_port = options->https_port;
    proxy->times = (struct proxy_times){.head_us = ADIT_PROXY_HEAD_US,
                                        .idle_us = ADIT_PROXY_IDLE_US,
                                        .body_us = ADIT_PROXY_BODY_US,
                                        .stuck_us = ADIT_PROXY_STUCK_US,
                                        .queued_us = ADIT_PROXY_QUEUED_US,
                                        .away_us = ADIT_PROXY_AWAY_US,
                                        .ack_us = ADIT_PROXY_ACK_US,
                                        .idle_pipe_us = ADIT_PROXY_IDLE_PIPE_US,
                                        .linger_us = ADIT_PROXY_LINGER_US,
                                        .fresh_us = ADIT_PROXY_FRESH_US,
                                        .proven_us = ADIT_PROXY_PROVEN_US};
    struct adit_status status = take_memory(proxy, options);
    if (!adit_is_ok(status)) {
        adit_proxy_close(&proxy);
        return status;
    }
    *out_proxy = proxy;
    return adit_ok();
}

void adit_proxy_close(struct adit_proxy **proxy)
{
    struct adit_proxy *gone = *proxy;
    *proxy = NULL;
    if (!gone) {
        return;
    }
    struct adit_handle handle = {0};
    for (uint32_t cursor = 0; adit_pool_next(&gone->webs, &cursor, &handle);) {
        web_close(gone, proxy_web(gone, handle));
    }
    idle_close_all(gone);
    adit_loop_timer_cancel(gone->loop, &gone->again);
    adit_pool_deinit(&gone->webs);
    adit_pool_deinit(&gone->exchanges);
    adit_pool_deinit(&gone->idles);
    adit_table_deinit(&gone->tunnels);
    adit_memory_close(&gone->recalls);
    adit_memory_close(&gone->cipher_in);
    adit_memory_close(&gone->joined);
    adit_memory_close(&gone->written);
    adit_memory_close(&gone->gathered);
    struct adit_span memory = ADIT_OBJECT_SPAN(*gone);
    adit_memory_close(&memory);
}

struct adit_status adit_proxy_visitor_add(struct adit_proxy *proxy,
                                          const struct adit_proxy_visitor *visitor)
{
    return web_open(proxy, visitor);
}

/* True where nothing of a request has come, and no answer is on its way. */
static bool is_waiting(const struct web *web)
{
    return web->state == WEB_HEAD && web->in.len == 0 && !web->is_first;
}

void adit_proxy_tunnel_gone(struct adit_proxy *proxy, uint64_t tunnel)
{
    struct adit_handle handle = {0};
    idle_tunnel_gone(proxy, tunnel);
    for (uint32_t cursor = 0; adit_pool_next(&proxy->webs, &cursor, &handle);) {
        struct web *web = proxy_web(proxy, handle);
        if (web->tunnel == tunnel && is_waiting(web)) {
            web_finish(proxy, web);
        }
    }
}

void adit_proxy_drain(struct adit_proxy *proxy)
{
    struct adit_handle handle = {0};
    proxy->is_draining = true;
    for (uint32_t cursor = 0; adit_pool_next(&proxy->webs, &cursor, &handle);) {
        struct web *web = proxy_web(proxy, handle);
        if (is_waiting(web)) {
            web_finish(proxy, web);
        }
    }
}

uint32_t adit_proxy_pipes_resting(const struct adit_proxy *proxy)
{
    return proxy->idles.used;
}

const struct adit_proxy_counters *adit_proxy_counters(const struct adit_proxy *proxy)
{
    return &proxy->counters;
}

/* --- The hub's calls ------------------------------------------------------------------------- */

void adit_proxy_pipe_dialled(struct adit_proxy *proxy, struct adit_handle pipe, uint64_t user,
                             enum adit_dial_result result)
{
    static const enum adit_http_error errors[] = {
        [ADIT_DIAL_CONNECTED] = ADIT_HTTP_ERROR_UPSTREAM_BAD_RESPONSE, /* if it ends too early */
        [ADIT_DIAL_REFUSED] = ADIT_HTTP_ERROR_UPSTREAM_REFUSED,
        [ADIT_DIAL_TIMED_OUT] = ADIT_HTTP_ERROR_UPSTREAM_TIMEOUT,
        [ADIT_DIAL_UNREACHABLE] = ADIT_HTTP_ERROR_UPSTREAM_REFUSED,
        [ADIT_DIAL_UNKNOWN_BIND] = ADIT_HTTP_ERROR_AGENT_GONE,
        [ADIT_DIAL_LIMIT] = ADIT_HTTP_ERROR_OVERLOADED,
        [ADIT_DIAL_FAILED] = ADIT_HTTP_ERROR_UPSTREAM_REFUSED,
    };
    struct web *web = web_of(proxy, pipe, user);
    if (!web) {
        return;
    }
    web->exchange->is_dialled = true;
    web->exchange->pipe_error = ADIT_AT(errors, result);
}

void adit_proxy_pipe_data(struct adit_proxy *proxy, struct adit_handle pipe, uint64_t user,
                          struct adit_bytes bytes)
{
    struct web *web = web_of(proxy, pipe, user);
    if (!web) {
        struct idle *idle = idle_of_user(proxy, pipe, user);
        if (idle) {
            idle_remove(proxy, idle);
        }
        adit_pipe_close(proxy->hub, pipe); /* it said something unasked */
        return;
    }
    if (web->exchange->is_reused && web->up.len > 0) { /* before it was asked */
        adit_pipe_close(proxy->hub, pipe);
        web->exchange->pipe = (struct adit_handle){0};
        web->exchange->is_pipe_closed = true;
        web_mark(proxy, web);
        return;
    }
    bytes = direct_pass(proxy, web, bytes);
    if (adit_is_ok(adit_queue_put(&web->back, &proxy->hub->chunks, bytes))) {
        web_mark(proxy, web);
        return;
    }
    (void)proxy_cut_largest(proxy);
    if (web->state == WEB_GONE) {
        return;
    }
    if (!adit_is_ok(adit_queue_put(&web->back, &proxy->hub->chunks, bytes))) {
        web_cut(proxy, web);
        return;
    }
    web_mark(proxy, web);
}

void adit_proxy_pipe_finished(struct adit_proxy *proxy, struct adit_handle pipe, uint64_t user)
{
    struct web *web = web_of(proxy, pipe, user);
    struct idle *idle = idle_of_user(proxy, pipe, user);
    if (web) {
        web->exchange->is_pipe_ended = true;
        web_mark(proxy, web);
    } else if (idle) {
        idle_finished(proxy, idle);
    }
}

struct adit_pipe_filled adit_proxy_pipe_fill(struct adit_proxy *proxy, struct adit_handle pipe,
                                             uint64_t user, struct adit_span room)
{
    struct web *web = web_of(proxy, pipe, user);
    if (web) {
        return request_fill(proxy, web, room);
    }
    const struct idle *idle = idle_of_user(proxy, pipe, user);
    return (struct adit_pipe_filled){.is_last = idle && idle->is_leaving, .is_empty = true};
}

void adit_proxy_pipe_closed(struct adit_proxy *proxy, struct adit_handle pipe, uint64_t user,
                            enum adit_pump_end end)
{
    struct web *web = web_of(proxy, pipe, user);
    struct idle *idle = idle_of_user(proxy, pipe, user);
    if (idle) {
        idle_remove(proxy, idle);
    }
    if (!web) {
        return;
    }
    struct exchange *exchange = web->exchange;
    exchange->is_pipe_closed = true;
    exchange->is_pipe_complete = end == ADIT_PUMP_COMPLETE;
    exchange->pipe = (struct adit_handle){0};
    if (end == ADIT_PUMP_LINK) {
        exchange->pipe_error = ADIT_HTTP_ERROR_AGENT_GONE;
    } else if (!exchange->is_dialled) { /* the mux gives up a stream that is not acknowledged */
        bool is_late = proxy->loop->now_us >= exchange->pipe_us + proxy->times.ack_us * 3 / 4;
        exchange->pipe_error = is_late ? ADIT_HTTP_ERROR_AGENT_NO_ACK : ADIT_HTTP_ERROR_AGENT_GONE;
    }
    web_mark(proxy, web);
}

static struct web *dirty_take(struct adit_proxy *proxy)
{
    struct web *web = proxy_web(proxy, proxy->dirty_head);
    proxy->dirty_head = web->dirty_next;
    if (!adit_handle_is_set(proxy->dirty_head)) {
        proxy->dirty_tail = (struct adit_handle){0};
    }
    proxy->dirty_count--;
    web->is_dirty = false;
    return web;
}

/* Those who are marked meanwhile, and those beyond the share, have the next turn: in between the
 * links send and receive. */
void adit_proxy_turn(struct adit_proxy *proxy)
{
    size_t count = adit_min_size(proxy->dirty_count, WEBS_A_TURN);
    int handshakes = 0;
    if (count == 0) {
        return;
    }
    adit_loop_timer_cancel(proxy->loop, &proxy->again);
    for (size_t i = 0; i < count; i++) {
        struct web *web = dirty_take(proxy);
        handshakes += web->state == WEB_HANDSHAKE ? 1 : 0;
        if (web->state == WEB_GONE) {
            web_free(proxy, web);
        } else if (web->state == WEB_HANDSHAKE && handshakes > HANDSHAKES_A_TURN) {
            web_mark(proxy, web);
        } else {
            web_work(proxy, web);
        }
    }
    if (proxy->dirty_count > 0) {
        web_turn_again(proxy);
    }
}
