/* From the visitor to the pipe: a request's head is judged, routed and made anew, its body follows
 * as it comes. */
#include "proxy/proxy_private.h"

/* --- The head -------------------------------------------------------------------------------- */

/* Looks for a whole head at the front of `in`: first where it lies, and joined only where it does
 * not lie in one piece. */
static struct adit_status head_find(struct adit_proxy *proxy, struct web *web,
                                    struct adit_bytes *out_head, enum adit_parse *out_parse)
{
    struct adit_bytes bytes =
        adit_bytes_first(adit_queue_front(&web->in), ADIT_HTTP_HEAD_BYTES_MAX);
    size_t used = 0;
    ADIT_TRY(adit_http_scan_head(&web->scan, bytes, ADIT_HTTP_HEAD_BYTES_MAX, &used, out_parse));
    if (*out_parse == ADIT_PARSE_MORE && bytes.len < web->in.len) {
        bytes = proxy_front(proxy, &web->in, ADIT_HTTP_HEAD_BYTES_MAX);
        ADIT_TRY(
            adit_http_scan_head(&web->scan, bytes, ADIT_HTTP_HEAD_BYTES_MAX, &used, out_parse));
    }
    *out_head = adit_bytes_first(bytes, used);
    return adit_ok();
}

/* The first look at what has come: the length of a head that is whole, parsed or recalled; else 0,
 * and nothing of the head is used. */
static size_t head_look(struct adit_proxy *proxy, struct web *web)
{
    const struct recall *recall = recall_of(proxy, web);
    struct adit_bytes front = adit_queue_front(&web->in);
    size_t len = recall ? adit_http_recall_find(&recall->request, front, &proxy->line) : 0;
    return len > 0 ? len : adit_http_request_take(front, &proxy->head);
}

static void send_parsed(struct adit_proxy *proxy, struct web *web);

static struct adit_status head_judge(const struct adit_proxy *proxy, struct web *web)
{
    if (proxy->line.len > 0) {
        web->exchange->request = recall_of(proxy, web)->request.request;
        return adit_ok();
    }
    return adit_http_request_judge(&proxy->head, &web->exchange->request);
}

/* A whole head is parsed, or recalled: what it asks for. */
static void head_take(struct adit_proxy *proxy, struct web *web, size_t head_len)
{
    struct exchange *exchange = web->exchange;
    struct adit_status status = head_judge(proxy, web);
    if (!adit_is_ok(status)) {
        answer_error(proxy, web, (enum adit_http_error)status.detail);
        return;
    }
    adit_http_body_init(&exchange->up, exchange->request.framing, exchange->request.length);
    exchange->is_up_done = exchange->up.state == ADIT_HTTP_BODY_END;
    exchange->is_http10 = exchange->request.version_minor == 0;
    exchange->start_us = proxy->loop->now_us;
    exchange->head_kept = head_len;
    web->is_first = false;
    web->state = WEB_QUEUED;
    web->retry_us = 0;
    proxy->counters.requests++;
    if (exchange->request.is_options_all) {
        answer_options(proxy, web);
    } else if (web->is_redirect) {
        answer_redirect(proxy, web);
    } else {
        send_parsed(proxy, web);
    }
}

/* The head where it did not come whole, or is not good: false where more has to come, or where
 * something was answered. */
static bool head_await(struct adit_proxy *proxy, struct web *web, size_t *out_len)
{
    struct adit_bytes head = {0};
    enum adit_parse parse = ADIT_PARSE_MORE;
    struct adit_status status = head_find(proxy, web, &head, &parse);
    if (adit_is_ok(status) && parse == ADIT_PARSE_MORE) {
        if (web->is_in_done) {
            web_finish(proxy, web); /* a head that never ends: nobody waits for an answer */
        }
        return false;
    }
    if (adit_is_ok(status)) {
        status = adit_http_request_parse(head, &proxy->head);
    }
    if (!adit_is_ok(status)) {
        answer_error(proxy, web, adit_http_error_of(status));
        return false;
    }
    *out_len = head.len;
    return true;
}

bool request_next(struct adit_proxy *proxy, struct web *web)
{
    if (web->exchange->has_failed) {
        answer_error(proxy, web, web->exchange->error);
        return web->state == WEB_HEAD && !web->exchange->has_failed;
    }
    if (web->in.len == 0) {
        if (web->is_in_done) {
            web_finish(proxy, web);
        }
        return false;
    }
    if (adit_writer_room(&proxy->gather) < WEB_ANSWER_ROOM) {
        web->wants_room = true;
        return false;
    }
    if (web->scan.seen == 0 && !web->is_first) {
        web->since_us = proxy->loop->now_us; /* a later request begins */
    }
    proxy->line.len = 0;
    size_t len = web->scan.seen == 0 ? head_look(proxy, web) : 0;
    if (len == 0 && !head_await(proxy, web, &len)) {
        return false;
    }
    head_take(proxy, web, len);
    bool is_sent = web->state == WEB_EXCHANGE && web->exchange->is_up_done; /* no answer yet */
    return !is_sent && !web->exchange->has_failed;
}

/* --- The pipe -------------------------------------------------------------------------------- */

/* No stream can be had now: later, or never. */
static void wait_for_pipe(struct adit_proxy *proxy, struct web *web, enum adit_http_error error)
{
    uint64_t now_us = proxy->loop->now_us;
    if (now_us >= web->exchange->start_us + proxy->times.queued_us) {
        answer_error(proxy, web, error);
        return;
    }
    web->retry_us = now_us + WEB_RETRY_US;
}

/* The agent is away for a moment, as after a reconnect. */
static void wait_for_agent(struct adit_proxy *proxy, struct web *web)
{
    uint64_t now_us = proxy->loop->now_us;
    if (now_us >= web->exchange->start_us + proxy->times.away_us) {
        answer_error(proxy, web, ADIT_HTTP_ERROR_OVERLOADED);
        return;
    }
    web->exchange->has_waited = true;
    uint64_t eighth_us = (now_us - web->exchange->start_us) / 8;
    web->retry_us =
        now_us + adit_min_u64(adit_max_u64(eighth_us, WEB_AWAY_LEAST_US), WEB_AWAY_MOST_US);
}

static struct adit_status pipe_open(struct adit_proxy *proxy, struct web *web,
                                    const struct adit_proxy_route *route)
{
    struct adit_stream_head head = {
        .kind = ADIT_TUNNEL_HTTP,
        .bind = route->bind,
        .visitor = {.family = web->peer.family, .port = web->peer.port},
    };
    ADIT_TRY(adit_span_copy(ADIT_SPAN_OF(head.visitor.ip), ADIT_BYTES_OF(web->peer.ip)));
    return adit_pipe_open(proxy->hub,
                          &(struct adit_pipe_options){.link = route->link,
                                                      .head = &head,
                                                      .user = proxy_user(web->self, 0)},
                          &web->exchange->pipe);
}

/* An idle pipe where there is one for such a request, else a new one. */
static struct adit_status pipe_take(struct adit_proxy *proxy, struct web *web,
                                    const struct adit_proxy_route *route)
{
    struct exchange *exchange = web->exchange;
    exchange->pipe_us = proxy->loop->now_us;
    exchange->pipe_error = ADIT_HTTP_ERROR_UPSTREAM_BAD_RESPONSE;
    if (!exchange->has_retried && idle_take(proxy, route->tunnel, exchange)) {
        exchange->pipe_uses++;
        adit_pipe_user_set(proxy->hub, exchange->pipe, proxy_user(web->self, 0));
        exchange->is_reused = true;
        exchange->is_dialled = true;
        return adit_ok();
    }
    exchange->pipe_uses = 1;
    return pipe_open(proxy, web, route);
}

/* The head that was parsed, as the program gets it. */
static struct adit_status head_write(struct adit_proxy *proxy, struct web *web,
                                     const struct adit_proxy_route *route,
                                     struct adit_writer *writer)
{
    const struct adit_http_visitor visitor = {.address = ADIT_FIELD_BYTES(web->address),
                                              .is_secure = web->tls != NULL,
                                              .host_header = route->host_header};
    if (proxy->line.len > 0) { /* recalled, but the tunnel wants another Host now */
        struct adit_bytes head = proxy_front(proxy, &web->in, web->exchange->head_kept);
        ADIT_TRY(adit_http_request_parse(head, &proxy->head));
    }
    ADIT_TRY(adit_http_request_write(writer, &proxy->head, &web->exchange->request, &visitor));
    struct recall *recall = route->host_header.len == 0 ? recall_begin(proxy, web) : NULL;
    if (recall) {
        adit_http_recall_set(&recall->request, &proxy->head, &web->exchange->request,
                             adit_writer_bytes(writer));
    }
    return adit_ok();
}

/* The same, or what is recalled of it, into `up`. */
static struct adit_status head_make(struct adit_proxy *proxy, struct web *web,
                                    const struct adit_proxy_route *route)
{
    struct adit_writer writer = adit_writer_of(proxy->written);
    if (proxy->line.len > 0 && route->host_header.len == 0) {
        ADIT_TRY(adit_write_bytes(&writer, proxy->line));
        ADIT_TRY(adit_write_bytes(&writer, ADIT_FIELD_BYTES(recall_of(proxy, web)->request.made)));
    } else {
        ADIT_TRY(head_write(proxy, web, route, &writer));
    }
    return adit_queue_put(&web->up, &proxy->hub->chunks, adit_writer_bytes(&writer));
}

static void send_over(struct adit_proxy *proxy, struct web *web,
                      const struct adit_proxy_route *route)
{
    struct exchange *exchange = web->exchange;
    exchange->tunnel = route->tunnel;
    web->tunnel = route->tunnel;
    struct adit_status status = pipe_take(proxy, web, route);
    if (!adit_is_ok(status)) {
        bool is_full = adit_status_error(status) == ADIT_ERROR_FULL;
        wait_for_pipe(proxy, web,
                      is_full ? ADIT_HTTP_ERROR_OVERLOADED : ADIT_HTTP_ERROR_AGENT_GONE);
        return;
    }
    if (!adit_is_ok(head_make(proxy, web, route))) {
        answer_error(proxy, web, ADIT_HTTP_ERROR_OVERLOADED);
        return;
    }
    web->state = WEB_EXCHANGE;
    exchange->body_mark_us = proxy->loop->now_us;
    if (!exchange->is_reused) {
        request_commit(proxy, web);
    }
    adit_pipe_ready(proxy->hub, exchange->pipe);
}

static void send_parsed(struct adit_proxy *proxy, struct web *web)
{
    const struct adit_proxy_asked asked = {
        .host = ADIT_FIELD_BYTES(web->exchange->request.host),
        .server_name = ADIT_FIELD_BYTES(web->server_name),
        .has_waited = web->exchange->has_waited,
        .is_unknown = web->is_unknown,
    };
    struct adit_proxy_route route = {0};
    switch (proxy->ops->route(proxy->context, &asked, &route)) {
    case ADIT_PROXY_SERVED:
        send_over(proxy, web, &route);
        return;
    case ADIT_PROXY_ABSENT:
        answer_error(proxy, web, ADIT_HTTP_ERROR_TUNNEL_NOT_FOUND);
        return;
    case ADIT_PROXY_AWAY:
        wait_for_agent(proxy, web);
        return;
    case ADIT_PROXY_ELSEWHERE:
        answer_error(proxy, web, ADIT_HTTP_ERROR_MISDIRECTED);
        return;
    case ADIT_PROXY_DASHBOARD:
        answer_error(proxy, web, ADIT_HTTP_ERROR_DASHBOARD_MISSING);
        return;
    }
}

bool request_send(struct adit_proxy *proxy, struct web *web)
{
    struct exchange *exchange = web->exchange;
    if (exchange->has_failed) {
        answer_error(proxy, web, exchange->error);
    } else if (proxy->loop->now_us >= web->retry_us) {
        struct adit_bytes head = proxy_front(proxy, &web->in, exchange->head_kept);
        struct adit_status status = adit_http_request_parse(head, &proxy->head);
        proxy->line.len = 0;
        if (!adit_is_ok(status)) { /* it was parsed before */
            web_cut(proxy, web);
            return false;
        }
        send_parsed(proxy, web);
    }
    return web->state != WEB_QUEUED && !exchange->has_failed;
}

void request_commit(struct adit_proxy *proxy, struct web *web)
{
    adit_queue_drop(&web->in, &proxy->hub->chunks, web->exchange->head_kept);
    web->exchange->head_kept = 0;
    web->exchange->is_reused = false;
}

void request_retry(struct adit_proxy *proxy, struct web *web)
{
    struct exchange *exchange = web->exchange;
    adit_pipe_close(proxy->hub, exchange->pipe);
    adit_queue_reset(&web->up, &proxy->hub->chunks);
    exchange->pipe = (struct adit_handle){0};
    exchange->is_reused = false;
    exchange->has_retried = true;
    exchange->is_dialled = false;
    exchange->is_pipe_ended = false;
    exchange->is_pipe_closed = false;
    exchange->is_pipe_complete = false;
    web->state = WEB_QUEUED;
    web->retry_us = 0;
    proxy->counters.retries++;
}

/* --- The body -------------------------------------------------------------------------------- */

void request_moved(struct adit_proxy *proxy, struct web *web)
{
    bool is_open = web->state == WEB_EXCHANGE && !web->exchange->is_up_done;
    if (is_open || web->state == WEB_SWITCHED) {
        adit_pipe_ready(proxy->hub, web->exchange->pipe);
    }
}

bool request_is_cut(const struct web *web)
{
    const struct exchange *exchange = web->exchange;
    if (!web->is_in_done || web->state != WEB_EXCHANGE || exchange->is_up_done) {
        return false;
    }
    return web->in.len == 0 || (exchange->up.state == ADIT_HTTP_BODY_TRAILERS &&
                                exchange->up_scan.seen >= web->in.len);
}

/* From the front of a queue into the room; what is left of the room. */
static struct adit_span move(struct adit_proxy *proxy, struct adit_queue *queue,
                             struct adit_span room)
{
    while (queue->len > 0 && room.len > 0) {
        struct adit_bytes part = adit_bytes_first(adit_queue_front(queue), room.len);
        adit_status_ignore(adit_span_copy(room, part), "cut to the room");
        adit_queue_drop(queue, &proxy->hub->chunks, part.len);
        room = adit_span_from(room, part.len);
    }
    return room;
}

static struct adit_span fill_length(struct adit_proxy *proxy, struct web *web,
                                    struct adit_span room)
{
    struct exchange *exchange = web->exchange;
    while (web->in.len > 0 && room.len > 0 && !exchange->is_up_done) {
        struct adit_bytes bytes = adit_bytes_first(adit_queue_front(&web->in), room.len);
        struct adit_bytes payload = {0};
        adit_status_ignore(adit_http_body_read(&exchange->up, &bytes, &payload),
                           "counted bytes have no form");
        adit_status_ignore(adit_span_copy(room, payload), "cut to the room");
        adit_queue_drop(&web->in, &proxy->hub->chunks, payload.len);
        room = adit_span_from(room, payload.len);
        exchange->bytes_in += payload.len;
        exchange->is_up_done = exchange->up.state == ADIT_HTTP_BODY_END;
    }
    return room;
}

/* The trailers of the request, and its end, into `up`; nothing where they have not all come. */
static struct adit_status stage_trailers(struct adit_proxy *proxy, struct web *web)
{
    struct exchange *exchange = web->exchange;
    struct adit_bytes bytes = proxy_front(proxy, &web->in, ADIT_HTTP_TRAILER_BYTES_MAX);
    enum adit_parse parse = ADIT_PARSE_MORE;
    size_t used = 0;
    ADIT_TRY(adit_http_scan_trailers(&exchange->up_scan, bytes, &used, &parse));
    if (parse == ADIT_PARSE_MORE) {
        return adit_ok();
    }
    struct adit_writer writer = adit_writer_of(proxy->written);
    ADIT_TRY(adit_http_trailers_parse(adit_bytes_first(bytes, used), &proxy->head));
    ADIT_TRY(adit_http_trailers_write(&writer, &proxy->head));
    ADIT_TRY(adit_queue_put(&web->up, &proxy->hub->chunks, adit_writer_bytes(&writer)));
    adit_queue_drop(&web->in, &proxy->hub->chunks, used);
    adit_http_body_trailers_done(&exchange->up);
    exchange->is_up_done = true;
    return adit_ok();
}

/* A piece of a chunked body, as a chunk of ours, into `up`. */
static struct adit_status stage_chunk(struct adit_proxy *proxy, struct web *web)
{
    struct exchange *exchange = web->exchange;
    struct adit_bytes bytes = adit_queue_front(&web->in);
    size_t before = bytes.len;
    struct adit_bytes payload = {0};
    ADIT_TRY(adit_http_body_read(&exchange->up, &bytes, &payload));
    if (payload.len > 0) {
        struct adit_writer writer = adit_writer_of(proxy->written);
        ADIT_TRY(adit_http_chunk_head_write(&writer, payload.len));
        ADIT_TRY(adit_write_bytes(&writer, payload));
        ADIT_TRY(adit_write_bytes(&writer, ADIT_BYTES("\r\n")));
        ADIT_TRY(adit_queue_put(&web->up, &proxy->hub->chunks, adit_writer_bytes(&writer)));
        exchange->bytes_in += payload.len;
    }
    adit_queue_drop(&web->in, &proxy->hub->chunks, before - bytes.len);
    return adit_ok();
}

static struct adit_status fill_chunked(struct adit_proxy *proxy, struct web *web,
                                       struct adit_span *room)
{
    struct exchange *exchange = web->exchange;
    while (room->len > 0 && web->in.len > 0 && !exchange->is_up_done) {
        size_t before = web->in.len;
        if (exchange->up.state == ADIT_HTTP_BODY_TRAILERS) {
            ADIT_TRY(stage_trailers(proxy, web));
        } else {
            ADIT_TRY(stage_chunk(proxy, web));
        }
        *room = move(proxy, &web->up, *room);
        if (web->in.len == before) {
            return adit_ok(); /* trailers that have not all come */
        }
    }
    return adit_ok();
}

/* What the failure of a body means to the visitor. */
static enum adit_http_error body_error(struct adit_status status)
{
    switch (adit_status_error(status)) {
    case ADIT_ERROR_FULL:
    case ADIT_ERROR_MEMORY:
        return ADIT_HTTP_ERROR_OVERLOADED;
    case ADIT_ERROR_LIMIT:
        return ADIT_HTTP_ERROR_HEAD_TOO_LARGE;
    case ADIT_ERROR_NONE:
    case ADIT_ERROR_INVALID:
    case ADIT_ERROR_STALE:
    case ADIT_ERROR_CLOSED:
    case ADIT_ERROR_REFUSED:
    case ADIT_ERROR_TIMEOUT:
    case ADIT_ERROR_SYSTEM:
    case ADIT_ERROR_CRYPTO:
    case ADIT_ERROR_INTERNAL:
        return ADIT_HTTP_ERROR_BAD_REQUEST;
    }
    return ADIT_HTTP_ERROR_BAD_REQUEST;
}

static struct adit_span fill_body(struct adit_proxy *proxy, struct web *web, struct adit_span room)
{
    struct exchange *exchange = web->exchange;
    if (exchange->request.framing == ADIT_HTTP_FRAMING_LENGTH) {
        return direct_fill(proxy, web, fill_length(proxy, web, room));
    }
    struct adit_status status = fill_chunked(proxy, web, &room);
    if (!adit_is_ok(status)) { /* the program never gets the end of it */
        exchange->has_failed = true;
        exchange->error = body_error(status);
        web_mark(proxy, web);
    }
    return room;
}

/* The visitor was held back by a slow program: its time for more begins now. */
static void body_time_begin(struct adit_proxy *proxy, struct web *web)
{
    struct exchange *exchange = web->exchange;
    uint64_t now_us = proxy->loop->now_us;
    bool is_dry = web->in.len == 0 && !direct_takes(web);
    if (is_dry && now_us - exchange->body_mark_us > proxy->times.body_us) {
        exchange->body_mark_us = now_us;
        exchange->body_mark = exchange->bytes_in;
    }
}

struct adit_pipe_filled request_fill(struct adit_proxy *proxy, struct web *web,
                                     struct adit_span room)
{
    struct exchange *exchange = web->exchange;
    struct adit_span left = move(proxy, &web->up, room);
    if (left.len < room.len && exchange->is_reused && !exchange->request.is_repeatable) {
        request_commit(proxy, web); /* from its first byte on the program may have acted on it */
    }
    bool was_full = web->in.len >= ADIT_PROXY_IN_LOW;
    bool had_bytes = web->in.len > 0;
    bool is_last = false;
    if (web->state == WEB_SWITCHED) {
        size_t before = left.len;
        left = move(proxy, &web->in, left);
        exchange->bytes_in += before - left.len;
        is_last = web->is_in_done && web->in.len == 0 && web->up.len == 0;
    } else if (!exchange->is_up_done && !exchange->has_failed && exchange->head_kept == 0) {
        uint64_t before = exchange->bytes_in;
        left = fill_body(proxy, web, left);
        if (had_bytes || exchange->bytes_in != before) {
            body_time_begin(proxy, web);
        }
    }
    bool may_read = was_full && web->in.len < ADIT_PROXY_IN_LOW && web->can_read;
    if (may_read || request_is_cut(web)) {
        web_mark(proxy, web);
    }
    return (struct adit_pipe_filled){
        .count = room.len - left.len, .is_last = is_last, .is_empty = left.len > 0};
}
