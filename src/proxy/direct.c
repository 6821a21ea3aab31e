/* Bodies of counted bytes, passed without being gathered: nothing is added to them or taken away,
 * so they can go to the visitor from where they lie. */
#include "proxy/proxy_private.h"

#define DIRECT_BYTES_MIN 4096 /* less than this is gathered, with what comes beside it */

/* True where the next bytes of the answer are its body, and nothing waits before them. */
static bool is_direct(const struct web *web)
{
    const struct exchange *exchange = web->exchange;
    return web->state == WEB_EXCHANGE && exchange->answer == ANSWER_BODY &&
           exchange->framing == ADIT_HTTP_FRAMING_LENGTH &&
           exchange->down.framing == ADIT_HTTP_FRAMING_LENGTH &&
           exchange->down.state == ADIT_HTTP_BODY_MORE && !exchange->has_failed &&
           !web->is_blocked && !web->is_broken && web_is_out_empty(web);
}

/* The body's part of these bytes. */
static struct adit_bytes body_of(const struct exchange *exchange, struct adit_bytes bytes)
{
    return adit_bytes_first(bytes, (size_t)adit_min_u64(exchange->down.left, SIZE_MAX));
}

/* These bytes of the body have left for the visitor. */
static void passed(struct adit_proxy *proxy, struct web *web, struct adit_bytes bytes)
{
    struct exchange *exchange = web->exchange;
    struct adit_bytes payload = {0};
    if (bytes.len > 0) {
        exchange->bytes_out += bytes.len;
        adit_pipe_consumed(proxy->hub, exchange->pipe, bytes.len);
        adit_status_ignore(adit_http_body_read(&exchange->down, &bytes, &payload),
                           "counted bytes have no form");
    }
}

struct adit_bytes direct_pass(struct adit_proxy *proxy, struct web *web, struct adit_bytes bytes)
{
    if (web->back.len > 0 || bytes.len < DIRECT_BYTES_MIN || !is_direct(web)) {
        return bytes;
    }
    struct adit_bytes body = body_of(web->exchange, bytes);
    size_t count = web_pass(proxy, web, body);
    passed(proxy, web, adit_bytes_first(body, count));
    return adit_bytes_from(bytes, count);
}

/* The first `count` bytes of `back` have left. */
static void back_passed(struct adit_proxy *proxy, struct web *web, size_t count)
{
    while (count > 0) {
        struct adit_bytes part = adit_bytes_first(adit_queue_front(&web->back), count);
        passed(proxy, web, part);
        adit_queue_drop(&web->back, &proxy->hub->chunks, part.len);
        count -= part.len;
    }
}

/* The socket takes no more. What it is given next waits in `out`, where the deadline of a visitor
 * who takes nothing sees it. */
static void back_wait(struct adit_proxy *proxy, struct web *web)
{
    struct adit_bytes front = adit_queue_front(&web->back);
    if (adit_is_ok(adit_queue_put(&web->out, &proxy->hub->chunks, front))) {
        back_passed(proxy, web, front.len);
    } else {
        web->wants_room = true;
    }
}

void direct_back(struct adit_proxy *proxy, struct web *web)
{
    while (!web->tls && web->back.len >= DIRECT_BYTES_MIN && proxy->gather.len == 0 &&
           is_direct(web) && web->back.len <= web->exchange->down.left) {
        struct iovec views[16] = {0};
        size_t view_count = adit_queue_views(&web->back, views, ADIT_COUNT(views));
        size_t sent = 0;
        enum adit_io io = ADIT_IO_DONE;
        web->sent_us = proxy->loop->now_us;
        if (!adit_is_ok(adit_socket_send_views(web->fd, views, view_count, &sent, &io))) {
            web->is_broken = true;
            return;
        }
        back_passed(proxy, web, sent);
        web_sent(proxy, web, io);
        if (web->is_blocked && web->back.len > 0) {
            back_wait(proxy, web);
        }
    }
}

bool direct_takes(const struct web *web)
{
    const struct exchange *exchange = web->exchange;
    return web->state == WEB_EXCHANGE && !web->tls && web->in.len == 0 && web->can_read &&
           !web->is_in_done && !web->is_broken && !exchange->is_up_done &&
           !exchange->has_failed && exchange->head_kept == 0 &&
           exchange->request.framing == ADIT_HTTP_FRAMING_LENGTH;
}

struct adit_span direct_fill(struct adit_proxy *proxy, struct web *web, struct adit_span room)
{
    struct exchange *exchange = web->exchange;
    struct adit_span want =
        adit_span_first(room, (size_t)adit_min_u64(exchange->up.left, SIZE_MAX));
    if (want.len == 0 || !direct_takes(web)) {
        return room;
    }
    size_t count = web_take(proxy, web, want);
    struct adit_bytes bytes = adit_span_bytes(adit_span_first(want, count));
    struct adit_bytes payload = {0};
    if (count > 0) {
        adit_status_ignore(adit_http_body_read(&exchange->up, &bytes, &payload),
                           "counted bytes have no form");
        exchange->bytes_in += count;
        exchange->is_up_done = exchange->up.state == ADIT_HTTP_BODY_END;
    }
    return adit_span_from(room, count);
}
