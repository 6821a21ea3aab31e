/* Connections that nobody owns: told why, in the protocol they speak, and closed. */
#include "edge/worker/worker.h"
#include "wire/tls_alert.h"

#define ORPHAN_LINGER_US ADIT_SECOND_US

struct orphan {
    struct adit_handle self, watch, timer;
    int fd;
};

size_t worker_orphan_size(void)
{
    return sizeof(struct orphan);
}

static const struct adit_bytes plain_answer = ADIT_BYTES_INIT(
    "HTTP/1.1 400 Bad Request\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 60\r\n"
    "Connection: close\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Adit-Error: bad_request\r\n"
    "\r\n"
    "This port speaks TLS. Use https:// here, or an Adit agent.\r\n"); /* 60 bytes */

static void orphan_end(struct worker *worker, struct orphan *orphan)
{
    adit_loop_unwatch(&worker->loop, &orphan->watch);
    adit_loop_timer_cancel(&worker->loop, &orphan->timer);
    adit_socket_close(&orphan->fd);
    adit_status_ignore(adit_pool_release(&worker->orphans, orphan->self), "it lives");
}

/* Reads what the stranger sends and drops it, so that our answer is not lost to a reset. */
static void orphan_ready(void *context, uint64_t key, uint32_t events)
{
    struct worker *worker = context;
    struct orphan *orphan = adit_pool_get(&worker->orphans, adit_handle_unpack(key));
    (void)events;
    if (!orphan) {
        return;
    }
    for (int i = 0; i < 16; i++) {
        uint8_t dropped[4096] = {0};
        size_t count = 0;
        enum adit_io io = ADIT_IO_DONE;
        struct adit_status status =
            adit_socket_receive(orphan->fd, ADIT_SPAN_OF(dropped), &count, &io);
        if (adit_is_ok(status) && io == ADIT_IO_BLOCKED) {
            return;
        }
        if (!adit_is_ok(status) || io == ADIT_IO_END) {
            break;
        }
    }
    orphan_end(worker, orphan);
}

static void orphan_timer(void *context, uint64_t key)
{
    struct worker *worker = context;
    struct orphan *orphan = adit_pool_get(&worker->orphans, adit_handle_unpack(key));
    if (orphan) {
        orphan->timer = (struct adit_handle){0};
        orphan_end(worker, orphan);
    }
}

static struct adit_status answer(int fd, enum adit_orphan reason)
{
    uint8_t memory[ADIT_TLS_ALERT_BYTES] = {0};
    struct adit_writer alert = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_bytes bytes = {0};
    switch (reason) {
    case ADIT_ORPHAN_PLAIN:
        bytes = plain_answer;
        break;
    case ADIT_ORPHAN_OTHER_ALPN:
        ADIT_TRY(adit_tls_alert_write(&alert, ADIT_TLS_ALERT_NO_APPLICATION_PROTOCOL));
        break;
    case ADIT_ORPHAN_BAD_HELLO:
        ADIT_TRY(adit_tls_alert_write(&alert, ADIT_TLS_ALERT_DECODE_ERROR));
        break;
    case ADIT_ORPHAN_TOO_OLD:
        ADIT_TRY(adit_tls_alert_write(&alert, ADIT_TLS_ALERT_PROTOCOL_VERSION));
        break;
    }
    if (alert.len > 0) {
        bytes = adit_writer_bytes(&alert);
    }
    size_t sent = 0;
    enum adit_io io = ADIT_IO_DONE;
    ADIT_TRY(adit_socket_send(fd, bytes, &sent, &io)); /* a new socket takes so little at once */
    return adit_socket_finish(fd);
}

static struct adit_status linger(struct worker *worker, struct orphan *orphan)
{
    ADIT_TRY(adit_loop_watch(&worker->loop, orphan->fd, ADIT_LOOP_READ, orphan_ready, worker,
                             adit_handle_pack(orphan->self), &orphan->watch));
    return adit_loop_timer_set(&worker->loop, &orphan->timer,
                               worker->loop.now_us + ORPHAN_LINGER_US, orphan_timer, worker,
                               adit_handle_pack(orphan->self));
}

void worker_orphan_arrived(struct worker *worker, struct adit_message *message)
{
    int fd = adit_message_fd_take(message, 0);
    void *object = NULL;
    struct adit_handle handle = {0};
    worker->counters.orphans++;
    ADIT_LOG(&worker->log, DEBUG, "orphan",
             adit_log_text(ADIT_BYTES("reason"), adit_orphan_name(message->reason)));
    struct adit_status status = answer(fd, message->reason);
    if (!adit_is_ok(status) ||
        !adit_is_ok(adit_pool_acquire(&worker->orphans, &handle, &object))) {
        adit_socket_close(&fd);
        return;
    }
    struct orphan *orphan = object;
    orphan->self = handle;
    orphan->fd = fd;
    if (!adit_is_ok(linger(worker, orphan))) {
        orphan_end(worker, orphan);
    }
}

void worker_orphans_close(struct worker *worker)
{
    struct adit_handle handle = {0};
    for (uint32_t cursor = 0; adit_pool_next(&worker->orphans, &cursor, &handle);) {
        orphan_end(worker, adit_pool_get(&worker->orphans, handle));
    }
}
