/* Reading from a visitor and sending to it, over TLS or plain. */
#include "proxy/proxy_private.h"

#define READS_A_TURN 4
#define READ_WANT 4096 /* a hole in the queue is worth a read from here on */

/* --- Sending --------------------------------------------------------------------------------- */

static struct adit_queue *out_of(struct web *web)
{
    return web->tls ? adit_tls_out(web->tls) : &web->out;
}

bool web_is_out_empty(const struct web *web)
{
    return web->tls ? adit_tls_out(web->tls)->len == 0 : web->out.len == 0;
}

void web_sent(struct adit_proxy *proxy, struct web *web, enum adit_io io)
{
    web->is_blocked = io == ADIT_IO_BLOCKED;
    if (web->is_blocked && !adit_is_ok(adit_loop_write_wanted(proxy->loop, web->watch))) {
        web->is_broken = true;
    }
}

/* Is there more to come at once, or all but at once: our end, or the answer to a request that came
 * with the end of the handshake? A session ticket needs no packet of its own then; the kernel
 * sends it by itself after 200 ms. */
static bool more_follows(const struct web *web)
{
    return web->state == WEB_FLUSH ||
           (web->has_new_ticket && (web->state == WEB_QUEUED || web->state == WEB_EXCHANGE));
}

/* What waits, as far as the socket takes it. */
static struct adit_status send_views(struct web *web, size_t *out_sent, enum adit_io *out_io)
{
    struct iovec views[32] = {0};
    size_t view_count = adit_queue_views(out_of(web), views, ADIT_COUNT(views));
    if (more_follows(web) && view_count == 1) {
        const struct iovec *view = &ADIT_AT(views, 0);
        return adit_socket_send_last(web->fd, adit_object_bytes(view->iov_base, view->iov_len),
                                     out_sent, out_io);
    }
    return adit_socket_send_views(web->fd, views, view_count, out_sent, out_io);
}

static void send_queue(struct adit_proxy *proxy, struct web *web, struct adit_queue *out)
{
    while (out->len > 0 && !web->is_blocked && !web->is_broken) {
        size_t sent = 0;
        enum adit_io io = ADIT_IO_DONE;
        if (!adit_is_ok(send_views(web, &sent, &io))) {
            web->is_broken = true;
            return;
        }
        adit_queue_drop(out, &proxy->hub->chunks, sent);
        web->sent_us = sent > 0 ? proxy->loop->now_us : web->sent_us;
        web_sent(proxy, web, io);
    }
}

static inline void send_waiting(struct adit_proxy *proxy, struct web *web)
{
    struct adit_queue *out = out_of(web);
    if (out->len > 0) {
        send_queue(proxy, web, out);
    }
}

/* Bytes that can be encrypted, or kept, now. */
static size_t room_of(const struct adit_proxy *proxy, const struct web *web)
{
    return web->tls ? adit_tls_room(web->tls)
                    : adit_queue_room_sure(&web->out, &proxy->hub->chunks);
}

void web_gather_begin(struct adit_proxy *proxy, struct web *web)
{
    size_t room = 0;
    send_waiting(proxy, web);
    if (!web->is_blocked && !web->is_broken) {
        room = room_of(proxy, web);
    }
    proxy->gather = adit_writer_of(adit_span_first(proxy->gathered, room));
}

/* Plain: straight from the scratch, and only what the socket does not take is kept. */
static struct adit_status send_plain(struct adit_proxy *proxy, struct web *web,
                                     struct adit_bytes bytes)
{
    if (web->out.len == 0 && bytes.len > 0) {
        size_t sent = 0;
        enum adit_io io = ADIT_IO_DONE;
        ADIT_TRY(web->state == WEB_FLUSH ? adit_socket_send_last(web->fd, bytes, &sent, &io)
                                         : adit_socket_send(web->fd, bytes, &sent, &io));
        web->sent_us = proxy->loop->now_us;
        web_sent(proxy, web, io);
        bytes = adit_bytes_from(bytes, sent);
    }
    return bytes.len == 0 ? adit_ok() : adit_queue_put(&web->out, &proxy->hub->chunks, bytes);
}

size_t web_pass(struct adit_proxy *proxy, struct web *web, struct adit_bytes bytes)
{
    size_t total = 0;
    size_t room = room_of(proxy, web);
    while (total < bytes.len && room > 0 && !web->is_blocked && !web->is_broken) {
        struct adit_bytes part = adit_bytes_first(adit_bytes_from(bytes, total), room);
        web->sent_us = proxy->loop->now_us; /* nothing waited until now */
        struct adit_status status =
            web->tls ? adit_tls_write(web->tls, part) : send_plain(proxy, web, part);
        if (!adit_is_ok(status)) {
            web->is_broken = true;
            break;
        }
        total += part.len;
        send_waiting(proxy, web);
        room = room_of(proxy, web);
    }
    return total;
}

void web_flush(struct adit_proxy *proxy, struct web *web)
{
    struct adit_bytes bytes = adit_writer_bytes(&proxy->gather);
    struct adit_status status = adit_ok();
    if (web_is_out_empty(web)) {
        web->sent_us = proxy->loop->now_us; /* nothing waited until now */
    }
    web->has_new_ticket &= bytes.len == 0;
    if (bytes.len > 0 && web->tls) {
        status = adit_tls_write(web->tls, bytes);
        if (web->state == WEB_FLUSH && adit_tls_room(web->tls) > 0) {
            adit_tls_finish(web->tls); /* its goodbye goes with them */
        }
    } else if (bytes.len > 0) {
        status = send_plain(proxy, web, bytes);
    }
    proxy->gather = adit_writer_of((struct adit_span){0});
    web->is_broken |= !adit_is_ok(status);
    send_waiting(proxy, web);
    web->has_new_ticket = false;
    if (web->is_broken) {
        web_cut(proxy, web);
    }
}

/* --- Reading --------------------------------------------------------------------------------- */

/* A hole for bytes of the visitor. Where there is no chunk for it, who holds most makes room. */
static struct adit_status hole_of(struct adit_proxy *proxy, struct web *web,
                                  struct adit_span *out_hole)
{
    struct adit_status status =
        adit_queue_reserve(&web->in, &proxy->hub->chunks, READ_WANT, out_hole);
    if (adit_is_ok(status) || !proxy_cut_largest(proxy) || web->state == WEB_GONE) {
        return status;
    }
    return adit_queue_reserve(&web->in, &proxy->hub->chunks, READ_WANT, out_hole);
}

/* The socket gave `count` bytes of the `wanted`. */
static void has_read(struct web *web, size_t count, size_t wanted, enum adit_io io)
{
    web->is_in_done |= io == ADIT_IO_END;
    if (io != ADIT_IO_DONE || (count < wanted && !web->has_hangup)) {
        web->can_read = false; /* what comes later is a new event */
    }
}

size_t web_take(struct adit_proxy *proxy, struct web *web, struct adit_span room)
{
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    if (!adit_is_ok(adit_socket_receive(web->fd, room, &count, &io))) {
        web->is_broken = true;
        web_mark(proxy, web);
        return 0;
    }
    has_read(web, count, room.len, io);
    adit_socket_widen(web->fd, count, &web->is_wide);
    if (web->is_in_done || (web->can_read && count < room.len)) {
        web_mark(proxy, web); /* its end has come, or is near */
    }
    return count;
}

static struct adit_status read_plain(struct adit_proxy *proxy, struct web *web)
{
    struct adit_span hole = {0};
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    ADIT_TRY(hole_of(proxy, web, &hole));
    struct adit_status status = adit_socket_receive(web->fd, hole, &count, &io);
    adit_queue_commit(&web->in, &proxy->hub->chunks, adit_is_ok(status) ? count : 0);
    ADIT_TRY(status);
    has_read(web, count, hole.len, io);
    return adit_ok();
}

/* Takes all plaintext of the ciphertext that was set: no more than was set, and a record. */
static struct adit_status decrypt(struct adit_proxy *proxy, struct web *web)
{
    size_t count = 1;
    while (count > 0 && !web->is_in_done) {
        struct adit_span hole = {0};
        bool is_end = false;
        count = 0;
        ADIT_TRY(hole_of(proxy, web, &hole));
        struct adit_status status = adit_tls_read(web->tls, hole, &count, &is_end);
        adit_queue_commit(&web->in, &proxy->hub->chunks, adit_is_ok(status) ? count : 0);
        ADIT_TRY(status);
        web->is_in_done |= is_end;
    }
    return adit_ok();
}

/* An end of the connection without close_notify is not a half that was closed in order (RFC 8446
 * section 6.1): who does that while we still have something to say has gone, as browsers go. */
static bool has_gone(const struct web *web)
{
    return web->state == WEB_QUEUED || web->state == WEB_EXCHANGE ||
           (web->state == WEB_SWITCHED && !web->is_out_ended);
}

static struct adit_status read_tls(struct adit_proxy *proxy, struct web *web)
{
    struct adit_span room = adit_span_first(proxy->cipher_in, ADIT_PROXY_IN_HIGH - web->in.len);
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    ADIT_TRY(adit_socket_receive(web->fd, room, &count, &io));
    ADIT_ENSURE(io != ADIT_IO_END || !has_gone(web), CLOSED, "it ended without a goodbye");
    has_read(web, count, room.len, io);
    adit_tls_input_set(web->tls, adit_span_bytes(adit_span_first(room, count)));
    if (web->state == WEB_HANDSHAKE) {
        bool is_done = false;
        if (!adit_is_ok(adit_tls_handshake(web->tls, &is_done))) {
            web_finish(proxy, web); /* with the alert */
            return adit_ok();
        }
        if (!is_done) {
            return adit_ok();
        }
        web->state = WEB_HEAD;
        web->has_new_ticket = true;
        web->since_us = proxy->loop->now_us;
        if (!web->is_blocked) {
            proxy->gather =
                adit_writer_of(adit_span_first(proxy->gathered, adit_tls_room(web->tls)));
        }
    }
    return decrypt(proxy, web);
}

void web_read(struct adit_proxy *proxy, struct web *web)
{
    size_t before = web->in.len;
    bool was_done = web->is_in_done;
    if (direct_takes(web)) {
        request_moved(proxy, web); /* it reads for itself, as its stream has credit */
        return;
    }
    for (int i = 0; i < READS_A_TURN && web->can_read && !web->is_in_done &&
                    web->in.len < ADIT_PROXY_IN_HIGH && web->state != WEB_FLUSH;
         i++) {
        if (!adit_is_ok(web->tls ? read_tls(proxy, web) : read_plain(proxy, web))) {
            web->is_broken = true;
            web_cut(proxy, web);
            return;
        }
    }
    if (web->is_in_done && web->state == WEB_HANDSHAKE) {
        web_close(proxy, web);
    } else if (web->in.len != before || web->is_in_done != was_done) {
        request_moved(proxy, web);
    }
}

void web_linger(struct adit_proxy *proxy, struct web *web)
{
    for (int i = 0; i < READS_A_TURN && web->can_read && !web->is_in_done; i++) {
        size_t count = 0;
        enum adit_io io = ADIT_IO_DONE;
        if (!adit_is_ok(adit_socket_receive(web->fd, proxy->cipher_in, &count, &io))) {
            web_close(proxy, web);
            return;
        }
        web->lingered += count;
        has_read(web, count, proxy->cipher_in.len, io);
    }
    if (web->is_in_done || web->lingered > WEB_LINGER_BYTES) {
        web_close(proxy, web);
    } else if (web->can_read) {
        web_mark(proxy, web);
    }
}
