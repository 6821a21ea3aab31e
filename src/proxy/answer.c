/* What we say ourselves: errors, redirects, OPTIONS for the server as a whole. */
#include "proxy/proxy_private.h"

void exchange_consumed(struct adit_proxy *proxy, struct exchange *exchange)
{
    if (exchange->consumed > 0) {
        adit_pipe_consumed(proxy->hub, exchange->pipe, exchange->consumed);
        exchange->consumed = 0;
    }
}

/* What waits for the pipe, or came from it. */
static void drop_rest(struct adit_proxy *proxy, struct web *web)
{
    if (web->up.len > 0) {
        adit_queue_reset(&web->up, &proxy->hub->chunks);
    }
    if (web->back.len > 0) {
        adit_queue_reset(&web->back, &proxy->hub->chunks);
    }
}

void exchange_end(struct adit_proxy *proxy, struct web *web, bool is_cut)
{
    struct exchange *exchange = web->exchange;
    if (proxy->ops->exchanged && exchange->start_us > 0) {
        const struct adit_proxy_exchange told = {
            .tunnel = exchange->tunnel,
            .status = exchange->status,
            .took_us = proxy->loop->now_us - exchange->start_us,
            .bytes_in = exchange->bytes_in,
            .bytes_out = exchange->bytes_out,
            .peer = web->peer,
            .is_refused = exchange->is_refused,
            .error = exchange->error,
            .is_cut = is_cut,
        };
        proxy->ops->exchanged(proxy->context, &told);
    }
    if (exchange->head_kept > 0) {
        adit_queue_drop(&web->in, &proxy->hub->chunks, exchange->head_kept);
    }
    if (adit_handle_is_set(exchange->pipe)) {
        exchange_consumed(proxy, exchange);
        adit_pipe_close(proxy->hub, exchange->pipe);
    }
    drop_rest(proxy, web);
    *exchange = (struct exchange){0};
}

/* Does the error say that the host is not served over this connection? A new one may lead to the
 * worker that serves it now. */
static bool is_lost(enum adit_http_error error)
{
    return error == ADIT_HTTP_ERROR_TUNNEL_NOT_FOUND || error == ADIT_HTTP_ERROR_AGENT_GONE ||
           error == ADIT_HTTP_ERROR_OVERLOADED || error == ADIT_HTTP_ERROR_MISDIRECTED;
}

/* The connection ends after what we say now: also where more of the request may follow. */
static bool is_last_answer(const struct adit_proxy *proxy, const struct web *web)
{
    const struct exchange *exchange = web->exchange;
    return web->state == WEB_HEAD || !exchange->is_up_done || !exchange->request.is_persistent ||
           proxy->is_draining;
}

/* The answer is gathered. */
static void answered(struct adit_proxy *proxy, struct web *web, bool is_closing)
{
    exchange_end(proxy, web, false);
    if (is_closing) {
        web_finish(proxy, web);
    } else {
        web_next(proxy, web);
    }
}

/* No room for it now: it is asked for again. */
static void answer_later(struct web *web, enum adit_http_error error)
{
    web->exchange->has_failed = true;
    web->exchange->error = error;
    web->wants_room = true;
}

void answer_error(struct adit_proxy *proxy, struct web *web, enum adit_http_error error)
{
    struct exchange *exchange = web->exchange;
    if (exchange->is_begun) {
        web_cut(proxy, web); /* no end is forged */
        return;
    }
    bool is_closing = is_last_answer(proxy, web) || is_lost(error);
    const struct adit_http_error_form form = {.is_json = exchange->request.prefers_json,
                                              .is_head = exchange->request.is_head,
                                              .is_closing = is_closing};
    if (!adit_is_ok(adit_http_error_write(&proxy->gather, error, &form))) {
        answer_later(web, error);
        return;
    }
    proxy->counters.errors++;
    exchange->status = adit_http_error_status(error);
    exchange->is_refused = true;
    exchange->error = error;
    if (exchange->start_us == 0) {
        exchange->start_us = proxy->loop->now_us;
    }
    answered(proxy, web, is_closing);
}

/* The origin form of the target, also where the visitor sent the absolute one. */
static struct adit_bytes origin_of(struct adit_bytes target)
{
    if (adit_bytes_starts_with(target, ADIT_BYTES("/"))) {
        return target;
    }
    struct adit_bytes rest = adit_bytes_from(target, adit_bytes_find(target, ':') + 3);
    rest = adit_bytes_from(rest, adit_bytes_find(rest, '/'));
    return rest.len > 0 ? rest : ADIT_BYTES("/");
}

void answer_redirect(struct adit_proxy *proxy, struct web *web)
{
    struct adit_status status =
        adit_http_redirect_write(&proxy->gather, ADIT_FIELD_BYTES(web->exchange->request.host),
                                 proxy->https_port, origin_of(proxy->head.target));
    if (!adit_is_ok(status)) {
        answer_error(proxy, web, ADIT_HTTP_ERROR_URI_TOO_LONG);
        return;
    }
    web->exchange->status = 308;
    answered(proxy, web, is_last_answer(proxy, web));
}

void answer_options(struct adit_proxy *proxy, struct web *web)
{
    bool is_closing = is_last_answer(proxy, web);
    struct adit_bytes text =
        is_closing ? ADIT_BYTES("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
                   : ADIT_BYTES("HTTP/1.1 204 No Content\r\n\r\n");
    if (!adit_is_ok(adit_write_bytes(&proxy->gather, text))) {
        answer_error(proxy, web, ADIT_HTTP_ERROR_OVERLOADED);
        return;
    }
    web->exchange->status = 204;
    answered(proxy, web, is_closing);
}
