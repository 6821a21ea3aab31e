/* From the pipe to the visitor: heads made anew, the body as it comes, its end as it was. */
#include "proxy/proxy_private.h"

#define CHUNK_OVERHEAD (ADIT_HTTP_CHUNK_HEAD_MAX + 2)
#define PIECE_ROOM_MIN 512 /* of the scratch, for a piece of a body to be worth it */
#define END_BYTES 5        /* the end of a chunked body without trailers */

/* `count` bytes of `back` are used. */
static void used(struct adit_proxy *proxy, struct web *web, size_t count)
{
    adit_queue_drop(&web->back, &proxy->hub->chunks, count);
    web->exchange->consumed += count;
}

/* Would a head that did not fit now fit into an empty scratch? */
static bool may_fit_later(const struct adit_proxy *proxy, struct adit_status status)
{
    return adit_status_error(status) == ADIT_ERROR_LIMIT &&
           (proxy->gather.len > 0 || proxy->gather.span.len < WEB_GATHER_BYTES);
}

static bool wait_for_room(struct web *web)
{
    web->wants_room = true;
    return false;
}

/* --- The end --------------------------------------------------------------------------------- */

/* The pipe goes to the next request where nothing speaks against it. */
static void pipe_give(struct adit_proxy *proxy, struct web *web)
{
    struct exchange *exchange = web->exchange;
    bool is_clean = exchange->is_up_done && web->up.len == 0 && web->back.len == 0;
    if (is_clean && adit_handle_is_set(exchange->pipe)) {
        exchange_consumed(proxy, exchange);
        idle_put(proxy, exchange, !exchange->is_persistent || exchange->is_pipe_ended);
    }
}

/* Its own request said that it is the last one (RFC 9112 section 9.6), had no body that something
 * could follow, and nothing came behind it: there is nothing to wait for. */
static bool is_parting(const struct web *web)
{
    const struct exchange *exchange = web->exchange;
    return !web->tls && !exchange->request.is_persistent && web->in.len == 0 &&
           exchange->request.framing == ADIT_HTTP_FRAMING_NONE &&
           exchange->bytes_out <= WEB_PART_BYTES;
}

/* The whole answer is gathered. */
static bool answer_done(struct adit_proxy *proxy, struct web *web)
{
    struct exchange *exchange = web->exchange;
    bool is_closing = exchange->is_closing || !exchange->is_up_done;
    web->is_parting = is_parting(web);
    pipe_give(proxy, web);
    exchange_end(proxy, web, false);
    if (is_closing) {
        web_finish(proxy, web);
        return false;
    }
    web_next(proxy, web);
    return true;
}

/* Ends the visitor's chunked body where the program's had another framing. */
static bool body_done(struct adit_proxy *proxy, struct web *web)
{
    struct exchange *exchange = web->exchange;
    if (exchange->framing == ADIT_HTTP_FRAMING_CHUNKED &&
        exchange->down.framing != ADIT_HTTP_FRAMING_CHUNKED &&
        !adit_is_ok(adit_http_trailers_write(&proxy->gather, NULL))) {
        return wait_for_room(web);
    }
    return answer_done(proxy, web);
}

/* There are no more bytes to work on: an end, or just the moment? */
static bool starved(struct adit_proxy *proxy, struct web *web)
{
    struct exchange *exchange = web->exchange;
    if (!exchange->is_pipe_ended && !exchange->is_pipe_closed) {
        return false;
    }
    if (exchange->is_begun) {
        if (exchange->is_pipe_ended && adit_http_body_is_whole(&exchange->down)) {
            return body_done(proxy, web);
        }
        web_cut(proxy, web); /* visibly: no end is forged */
        return false;
    }
    if (exchange->is_reused) {
        request_retry(proxy, web);
        return true;
    }
    answer_error(proxy, web, exchange->pipe_error);
    return !exchange->has_failed;
}

/* --- Heads ----------------------------------------------------------------------------------- */

static struct adit_status head_find(struct adit_proxy *proxy, struct web *web,
                                    struct adit_bytes *out_head, enum adit_parse *out_parse)
{
    struct adit_http_scan *scan = &web->exchange->scan;
    struct adit_bytes bytes =
        adit_bytes_first(adit_queue_front(&web->back), ADIT_HTTP_HEAD_BYTES_MAX);
    size_t len = 0;
    ADIT_TRY(adit_http_scan_head(scan, bytes, ADIT_HTTP_HEAD_BYTES_MAX, &len, out_parse));
    if (*out_parse == ADIT_PARSE_MORE && bytes.len < web->back.len) {
        bytes = proxy_front(proxy, &web->back, ADIT_HTTP_HEAD_BYTES_MAX);
        ADIT_TRY(adit_http_scan_head(scan, bytes, ADIT_HTTP_HEAD_BYTES_MAX, &len, out_parse));
    }
    *out_head = adit_bytes_first(bytes, len);
    return adit_ok();
}

/* A whole head at the front of `back`, parsed; 0 bytes and MORE where it has not all come. */
static struct adit_status head_read(struct adit_proxy *proxy, struct web *web, size_t *out_len,
                                    enum adit_parse *out_parse)
{
    struct adit_bytes head = {0};
    if (web->exchange->scan.seen == 0) {
        *out_len = adit_http_response_take(adit_queue_front(&web->back), &proxy->head);
        if (*out_len > 0) {
            *out_parse = ADIT_PARSE_FOUND;
            return adit_ok();
        }
    }
    ADIT_TRY(head_find(proxy, web, &head, out_parse));
    *out_len = head.len;
    return *out_parse == ADIT_PARSE_MORE ? adit_ok() : adit_http_response_parse(head, &proxy->head);
}

static bool bad_response(struct adit_proxy *proxy, struct web *web)
{
    answer_error(proxy, web, ADIT_HTTP_ERROR_UPSTREAM_BAD_RESPONSE);
    return false;
}

/* How the visitor gets a body that the program frames so. */
static enum adit_http_framing framing_for(const struct exchange *exchange,
                                          enum adit_http_framing framing)
{
    switch (framing) {
    case ADIT_HTTP_FRAMING_CHUNKED:
    case ADIT_HTTP_FRAMING_CLOSE:
        return exchange->is_http10 ? ADIT_HTTP_FRAMING_CLOSE : ADIT_HTTP_FRAMING_CHUNKED;
    case ADIT_HTTP_FRAMING_NONE:
    case ADIT_HTTP_FRAMING_LENGTH:
    case ADIT_HTTP_FRAMING_SWITCH:
        return framing;
    }
    return framing;
}

/* A 1xx head: passed on, a few of them. */
static struct adit_status interim_pass(struct adit_proxy *proxy, struct web *web)
{
    struct exchange *exchange = web->exchange;
    const struct adit_http_reply reply = {.framing = ADIT_HTTP_FRAMING_NONE};
    if (!exchange->is_http10) {
        ADIT_TRY(adit_http_response_write(&proxy->gather, &proxy->head, &reply));
    }
    exchange->interims++;
    if (proxy->head.status == 100) {
        exchange->is_continued = true;
        exchange->body_mark_us = proxy->loop->now_us;
    }
    return adit_ok();
}

/* The head of the final answer is gathered. */
static void final_begin(struct adit_proxy *proxy, struct web *web,
                        const struct adit_http_response *response, uint16_t status)
{
    struct exchange *exchange = web->exchange;
    adit_http_body_init(&exchange->down, response->framing, response->length);
    exchange->framing = framing_for(exchange, response->framing);
    exchange->is_persistent = response->is_persistent;
    exchange->is_begun = true;
    exchange->status = status;
    exchange->answer = ANSWER_BODY;
    exchange->scan = (struct adit_http_scan){0};
    if (exchange->framing == ADIT_HTTP_FRAMING_SWITCH) {
        proxy->counters.upgrades++;
        web->state = WEB_SWITCHED;
    }
}

/* Where the answer could be the last one again, that one; else null. What the visitor gets of one
 * depends on nothing but its head then. */
static struct adit_http_recall_answer *answer_recall(const struct adit_proxy *proxy,
                                                     const struct web *web)
{
    const struct exchange *exchange = web->exchange;
    bool is_suited = exchange->is_up_done && !exchange->is_http10 && !proxy->is_draining &&
                     adit_http_recall_suits(&exchange->request);
    struct recall *recall = is_suited ? recall_of(proxy, web) : NULL;
    return recall ? &recall->answer : NULL;
}

static struct adit_status final_pass(struct adit_proxy *proxy, struct web *web,
                                     const struct adit_http_response *response)
{
    struct exchange *exchange = web->exchange;
    struct adit_http_recall_answer *recall = answer_recall(proxy, web);
    enum adit_http_framing framing = framing_for(exchange, response->framing);
    bool is_switch = framing == ADIT_HTTP_FRAMING_SWITCH;
    bool is_closing = !is_switch &&
                      (!exchange->request.is_persistent || !exchange->is_up_done ||
                       framing == ADIT_HTTP_FRAMING_CLOSE || proxy->is_draining);
    const struct adit_http_reply reply = {
        .framing = framing, .length = response->length, .is_closing = is_closing};
    size_t before = proxy->gather.len;
    ADIT_TRY(adit_http_response_write(&proxy->gather, &proxy->head, &reply));
    if (recall) {
        adit_http_recall_answer_set(recall, &proxy->head, response,
                                    adit_bytes_from(adit_writer_bytes(&proxy->gather), before));
    }
    exchange->is_closing = is_closing;
    final_begin(proxy, web, response, proxy->head.status);
    return adit_ok();
}

/* The last answer's head once more, where that is what has come, whole. */
static bool answer_again(struct adit_proxy *proxy, struct web *web)
{
    const struct adit_http_recall_answer *recall = answer_recall(proxy, web);
    size_t len = recall && web->exchange->scan.seen == 0
                     ? adit_http_recall_answer_find(recall, adit_queue_front(&web->back))
                     : 0;
    if (len == 0 || !adit_is_ok(adit_write_bytes(&proxy->gather, ADIT_FIELD_BYTES(recall->made)))) {
        return false; /* the long way, which knows how to wait for room */
    }
    final_begin(proxy, web, &recall->response, recall->status);
    used(proxy, web, len);
    return true;
}

static bool answer_head(struct adit_proxy *proxy, struct web *web)
{
    struct exchange *exchange = web->exchange;
    struct adit_http_scan scan = exchange->scan;
    struct adit_http_response response = {0};
    size_t len = 0;
    enum adit_parse parse = ADIT_PARSE_MORE;
    if (web->back.len == 0) {
        return starved(proxy, web);
    }
    request_commit(proxy, web);
    if (answer_again(proxy, web)) {
        return true;
    }
    if (!adit_is_ok(head_read(proxy, web, &len, &parse))) {
        return bad_response(proxy, web);
    }
    if (parse == ADIT_PARSE_MORE) {
        return starved(proxy, web);
    }
    if (!adit_is_ok(adit_http_response_judge(&proxy->head, &exchange->request, &response)) ||
        (response.is_interim && exchange->interims == ADIT_PROXY_INTERIM_MAX)) {
        return bad_response(proxy, web);
    }
    struct adit_status status = response.is_interim ? interim_pass(proxy, web)
                                                    : final_pass(proxy, web, &response);
    if (may_fit_later(proxy, status)) {
        exchange->scan = scan; /* looked at again then */
        return wait_for_room(web);
    }
    if (!adit_is_ok(status)) {
        return bad_response(proxy, web);
    }
    exchange->scan = (struct adit_http_scan){0};
    used(proxy, web, len);
    if (web->state == WEB_SWITCHED) {
        request_moved(proxy, web); /* the visitor's first bytes may be there */
    }
    return true;
}

/* --- Bodies ---------------------------------------------------------------------------------- */

static struct adit_status piece_write(struct adit_proxy *proxy, const struct exchange *exchange,
                                      struct adit_bytes payload)
{
    if (exchange->framing != ADIT_HTTP_FRAMING_CHUNKED) {
        return adit_write_bytes(&proxy->gather, payload);
    }
    ADIT_TRY(adit_http_chunk_head_write(&proxy->gather, payload.len));
    ADIT_TRY(adit_write_bytes(&proxy->gather, payload));
    return adit_write_bytes(&proxy->gather, ADIT_BYTES("\r\n"));
}

static bool answer_body(struct adit_proxy *proxy, struct web *web)
{
    struct exchange *exchange = web->exchange;
    direct_back(proxy, web);
    while (web->back.len > 0 && exchange->down.state == ADIT_HTTP_BODY_MORE) {
        size_t room = adit_writer_room(&proxy->gather);
        if (room < PIECE_ROOM_MIN) {
            return wait_for_room(web);
        }
        struct adit_bytes bytes =
            adit_bytes_first(adit_queue_front(&web->back), room - CHUNK_OVERHEAD - END_BYTES);
        size_t before = bytes.len;
        struct adit_bytes payload = {0};
        struct adit_status status = adit_http_body_read(&exchange->down, &bytes, &payload);
        if (adit_is_ok(status) && payload.len > 0) {
            status = piece_write(proxy, exchange, payload);
        }
        if (!adit_is_ok(status)) {
            web_cut(proxy, web);
            return false;
        }
        exchange->bytes_out += payload.len;
        used(proxy, web, before - bytes.len);
    }
    switch (exchange->down.state) {
    case ADIT_HTTP_BODY_MORE:
        return starved(proxy, web);
    case ADIT_HTTP_BODY_TRAILERS:
        exchange->answer = ANSWER_TRAILERS;
        return true;
    case ADIT_HTTP_BODY_END:
        return body_done(proxy, web);
    }
    return false;
}

static bool answer_trailers(struct adit_proxy *proxy, struct web *web)
{
    struct exchange *exchange = web->exchange;
    struct adit_http_scan scan = exchange->scan;
    struct adit_bytes bytes = proxy_front(proxy, &web->back, ADIT_HTTP_TRAILER_BYTES_MAX);
    enum adit_parse parse = ADIT_PARSE_MORE;
    size_t len = 0;
    struct adit_status status = adit_http_scan_trailers(&exchange->scan, bytes, &len, &parse);
    if (adit_is_ok(status) && parse == ADIT_PARSE_MORE) {
        return starved(proxy, web);
    }
    if (adit_is_ok(status)) {
        status = adit_http_trailers_parse(adit_bytes_first(bytes, len), &proxy->head);
    }
    if (!adit_is_ok(status)) {
        web_cut(proxy, web);
        return false;
    }
    if (exchange->framing == ADIT_HTTP_FRAMING_CHUNKED) {
        status = adit_http_trailers_write(&proxy->gather, &proxy->head);
    }
    if (may_fit_later(proxy, status)) {
        exchange->scan = scan;
        return wait_for_room(web);
    }
    if (!adit_is_ok(status)) {
        web_cut(proxy, web);
        return false;
    }
    used(proxy, web, len);
    adit_http_body_trailers_done(&exchange->down);
    return answer_done(proxy, web);
}

/* --- After an upgrade ------------------------------------------------------------------------ */

static bool switched_work(struct adit_proxy *proxy, struct web *web)
{
    struct exchange *exchange = web->exchange;
    while (web->back.len > 0) {
        struct adit_bytes bytes =
            adit_bytes_first(adit_queue_front(&web->back), adit_writer_room(&proxy->gather));
        if (bytes.len == 0) {
            break;
        }
        adit_status_ignore(adit_write_bytes(&proxy->gather, bytes), "cut to the room");
        exchange->bytes_out += bytes.len;
        used(proxy, web, bytes.len);
    }
    if (exchange->is_pipe_closed && !exchange->is_pipe_complete) {
        web_flush(proxy, web);
        web_cut(proxy, web);
        return false;
    }
    if (web->back.len > 0) {
        return wait_for_room(web);
    }
    if (exchange->is_pipe_closed) { /* both ends came */
        exchange_end(proxy, web, false);
        web_finish(proxy, web);
    } else if (exchange->is_pipe_ended) {
        exchange->is_down_ended = true; /* the visitor's half is ended when all is sent */
    }
    return false;
}

bool response_work(struct adit_proxy *proxy, struct web *web)
{
    struct exchange *exchange = web->exchange;
    if (web->state == WEB_SWITCHED) {
        return switched_work(proxy, web);
    }
    if (exchange->has_failed) {
        answer_error(proxy, web, exchange->error);
        return web->state == WEB_HEAD && !exchange->has_failed;
    }
    if (request_is_cut(web)) {
        web_cut(proxy, web);
        return false;
    }
    switch (exchange->answer) {
    case ANSWER_HEAD:
        return answer_head(proxy, web);
    case ANSWER_BODY:
        return answer_body(proxy, web);
    case ANSWER_TRAILERS:
        return answer_trailers(proxy, web);
    }
    return false;
}
