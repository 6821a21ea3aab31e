/* Deadlines of a visitor's connection. One timer a web: where its deadline moves away the timer
 * stays, fires early and is set again, so that bytes cost no timers. */
#include "proxy/proxy_private.h"

/* Waits for more of a request's body? Not where the program is what is slow, nor where the visitor
 * waits for a 100. */
static bool awaits_body(const struct web *web)
{
    const struct exchange *exchange = web->exchange;
    if (web->state != WEB_EXCHANGE || exchange->is_up_done) {
        return false;
    }
    bool awaits_continue = exchange->request.expects_continue && !exchange->is_continued &&
                           exchange->bytes_in == 0;
    bool is_dry = (web->in.len == 0 && !direct_takes(web)) ||
                  exchange->up.state == ADIT_HTTP_BODY_TRAILERS;
    return is_dry && !awaits_continue;
}

static uint64_t head_deadline_us(const struct adit_proxy *proxy, const struct web *web)
{
    bool is_idle = web->state == WEB_HEAD && web->in.len == 0 && !web->is_first;
    return web->since_us + (is_idle ? proxy->times.idle_us : proxy->times.head_us);
}

static uint64_t exchange_deadline_us(const struct adit_proxy *proxy, const struct web *web)
{
    const struct exchange *exchange = web->exchange;
    uint64_t deadline = WEB_NEVER;
    if (!exchange->is_dialled) {
        deadline = exchange->pipe_us + proxy->times.ack_us;
    }
    if (awaits_body(web)) {
        deadline = adit_min_u64(deadline, exchange->body_mark_us + proxy->times.body_us);
    }
    if (web->is_in_done) { /* it may have gone for good, and a silent program would not show it */
        uint64_t last_us = adit_max_u64(web->sent_us, exchange->start_us);
        deadline = adit_min_u64(deadline, last_us + proxy->times.idle_us);
    }
    return deadline;
}

static uint64_t deadline_us(const struct adit_proxy *proxy, const struct web *web)
{
    uint64_t stuck_us =
        web_is_out_empty(web) ? WEB_NEVER : web->sent_us + proxy->times.stuck_us;
    switch (web->state) {
    case WEB_HANDSHAKE:
    case WEB_HEAD:
        return adit_min_u64(stuck_us, head_deadline_us(proxy, web));
    case WEB_QUEUED:
        return adit_min_u64(stuck_us, web->retry_us);
    case WEB_EXCHANGE:
        return adit_min_u64(stuck_us, exchange_deadline_us(proxy, web));
    case WEB_FLUSH:
        return adit_min_u64(stuck_us, web->sent_us + proxy->times.stuck_us);
    case WEB_LINGER:
        return web->since_us + proxy->times.linger_us;
    case WEB_SWITCHED:
    case WEB_GONE:
        return WEB_NEVER;
    }
    return WEB_NEVER;
}

static void fail(struct adit_proxy *proxy, struct web *web, enum adit_http_error error)
{
    web->exchange->has_failed = true;
    web->exchange->error = error;
    web_mark(proxy, web);
}

static void exchange_late(struct adit_proxy *proxy, struct web *web)
{
    struct exchange *exchange = web->exchange;
    uint64_t now_us = proxy->loop->now_us;
    if (!exchange->is_dialled && now_us >= exchange->pipe_us + proxy->times.ack_us) {
        fail(proxy, web, ADIT_HTTP_ERROR_AGENT_NO_ACK);
        return;
    }
    if (awaits_body(web) && now_us >= exchange->body_mark_us + proxy->times.body_us) {
        if (exchange->bytes_in - exchange->body_mark < ADIT_PROXY_BODY_BYTES) {
            fail(proxy, web, ADIT_HTTP_ERROR_REQUEST_TIMEOUT);
            return;
        }
        exchange->body_mark_us = now_us;
        exchange->body_mark = exchange->bytes_in;
        return;
    }
    web_cut(proxy, web); /* it ended its side long ago */
}

static void web_late(struct adit_proxy *proxy, struct web *web)
{
    bool is_stuck = !web_is_out_empty(web) &&
                    proxy->loop->now_us >= web->sent_us + proxy->times.stuck_us;
    if (is_stuck) {
        web_cut(proxy, web);
        return;
    }
    switch (web->state) {
    case WEB_HANDSHAKE:
    case WEB_FLUSH:
        web_cut(proxy, web);
        return;
    case WEB_LINGER:
        web_close(proxy, web);
        return;
    case WEB_HEAD:
        if (web->in.len > 0) {
            fail(proxy, web, ADIT_HTTP_ERROR_REQUEST_TIMEOUT);
        } else {
            web_finish(proxy, web); /* nothing was asked, so nothing is answered */
        }
        return;
    case WEB_QUEUED:
        web_mark(proxy, web);
        return;
    case WEB_EXCHANGE:
        exchange_late(proxy, web);
        return;
    case WEB_SWITCHED:
    case WEB_GONE:
        return;
    }
}

static void web_fired(void *context, uint64_t key)
{
    struct adit_proxy *proxy = context;
    struct web *web = proxy_web(proxy, adit_handle_unpack(key));
    if (!web || web->state == WEB_GONE) {
        return;
    }
    web->timer = (struct adit_handle){0};
    web->armed_us = 0;
    if (proxy->loop->now_us >= deadline_us(proxy, web)) {
        web_late(proxy, web);
    }
    if (web->state != WEB_GONE && !web->is_dirty) {
        web_arm(proxy, web);
    }
}

void web_arm(struct adit_proxy *proxy, struct web *web)
{
    uint64_t when_us = deadline_us(proxy, web);
    if (when_us == WEB_NEVER || (web->armed_us != 0 && web->armed_us <= when_us)) {
        return;
    }
    struct adit_status status = adit_loop_timer_set(proxy->loop, &web->timer, when_us, web_fired,
                                                    proxy, adit_handle_pack(web->self));
    if (!adit_is_ok(status)) {
        web_cut(proxy, web); /* without its deadlines it could live for ever */
        return;
    }
    web->armed_us = when_us;
}
