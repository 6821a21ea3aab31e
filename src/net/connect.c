#include "net/connect.h"

#include "wire/http_head.h"

#define REQUEST_MAX 1280 /* two hosts of 253 bytes, the credentials, and the words between */

struct adit_connect {
    struct adit_loop *loop;
    struct adit_dial_options options; /* the caller's; `host` is not looked at after open */
    struct adit_dial *dial;
    int fd; /* the proxy's; -1: none yet, or handed over */
    struct adit_handle watch, deadline;
    struct adit_http_scan scan;
    bool is_proxied, is_done;
    size_t request_len, sent, received;
    uint8_t request[REQUEST_MAX];
    uint8_t answer[ADIT_CONNECT_ANSWER_MAX];
};

static struct adit_status late(void)
{
    ADIT_FAIL(TIMEOUT, "the proxy did not answer in time");
}

static struct adit_status no_proxy_there(int64_t detail)
{
    ADIT_FAIL_WITH(SYSTEM, "the proxy of HTTPS_PROXY cannot be reached", detail);
}

static struct adit_status ended(void)
{
    ADIT_FAIL(CLOSED, "the proxy ended the connection instead of an answer");
}

static void stop(struct adit_connect *connect)
{
    adit_dial_close(&connect->dial);
    adit_loop_unwatch(connect->loop, &connect->watch);
    adit_loop_timer_cancel(connect->loop, &connect->deadline);
    adit_socket_close(&connect->fd);
    adit_span_wipe(ADIT_SPAN_OF(connect->request));
}

/* The one end. The callback may close the connect: nothing of it is touched afterwards. */
static void finish(struct adit_connect *connect, int fd, struct adit_status status)
{
    connect->is_done = true;
    stop(connect);
    connect->options.done(connect->options.context, connect->options.key, fd, status);
}

static struct adit_status answer_judge(uint16_t status)
{
    if (status >= 200 && status < 300) {
        return adit_ok();
    }
    if (status == 407) {
        ADIT_FAIL_WITH(REFUSED, "the proxy wants another user and password (407): put them into "
                                "HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT", status);
    }
    if (status == 502 || status == 503 || status == 504) {
        ADIT_FAIL_WITH(REFUSED, "the proxy cannot reach the server (502, 503 or 504)", status);
    }
    if (status == 403) {
        ADIT_FAIL_WITH(REFUSED, "the proxy does not allow this server or port (403)", status);
    }
    ADIT_FAIL_WITH(REFUSED, "the proxy did not connect to the server", status);
}

/* Ok and *out_is_over: the road is open. */
static struct adit_status answer_read(struct adit_connect *connect, bool *out_is_over)
{
    struct adit_bytes bytes = adit_bytes_first(ADIT_BYTES_OF(connect->answer), connect->received);
    struct adit_http_head head = {0};
    enum adit_parse parse = ADIT_PARSE_MORE;
    size_t used = 0;
    ADIT_ENSURE(adit_is_ok(adit_http_scan_head(&connect->scan, bytes, ADIT_CONNECT_ANSWER_MAX,
                                               &used, &parse)),
                INVALID, "the proxy did not answer in HTTP: is it an HTTP proxy?");
    if (parse == ADIT_PARSE_MORE) {
        return adit_ok();
    }
    ADIT_ENSURE(adit_is_ok(adit_http_response_parse(adit_bytes_first(bytes, used), &head)),
                INVALID, "the proxy did not answer in HTTP: is it an HTTP proxy?");
    ADIT_TRY(answer_judge(head.status));
    ADIT_ENSURE(used == bytes.len, INVALID, "the proxy sent more than its answer");
    *out_is_over = true;
    return adit_ok();
}

static struct adit_status request_send(struct adit_connect *connect)
{
    while (connect->sent < connect->request_len) {
        size_t count = 0;
        enum adit_io io = ADIT_IO_DONE;
        struct adit_bytes rest = adit_bytes_from(
            adit_bytes_first(ADIT_BYTES_OF(connect->request), connect->request_len),
            connect->sent);
        ADIT_TRY(adit_socket_send(connect->fd, rest, &count, &io));
        connect->sent += count;
        if (io == ADIT_IO_BLOCKED) {
            return adit_ok();
        }
    }
    return adit_ok();
}

static struct adit_status go_on(struct adit_connect *connect, bool *out_is_over)
{
    ADIT_TRY(request_send(connect));
    for (;;) { /* at most as often as there are bytes of room */
        size_t count = 0;
        enum adit_io io = ADIT_IO_DONE;
        struct adit_span room = adit_span_from(ADIT_SPAN_OF(connect->answer), connect->received);
        ADIT_ENSURE(room.len > 0, LIMIT, "the proxy's answer does not end within 8 KiB");
        ADIT_TRY(adit_socket_receive(connect->fd, room, &count, &io));
        connect->received += count;
        if (io == ADIT_IO_BLOCKED) {
            return adit_ok();
        }
        if (io == ADIT_IO_END) {
            return ended();
        }
        ADIT_TRY(answer_read(connect, out_is_over));
        if (*out_is_over) {
            return adit_ok();
        }
    }
}

static void proxy_ready(void *context, uint64_t key, uint32_t events)
{
    struct adit_connect *connect = context;
    bool is_over = false;
    (void)key;
    (void)events;
    struct adit_status status = go_on(connect, &is_over);
    if (!adit_is_ok(status)) {
        finish(connect, -1, status);
    } else if (is_over) {
        int fd = connect->fd;
        adit_loop_unwatch(connect->loop, &connect->watch);
        connect->fd = -1;
        finish(connect, fd, adit_ok());
    }
}

static void deadline_over(void *context, uint64_t key)
{
    struct adit_connect *connect = context;
    (void)key;
    connect->deadline = (struct adit_handle){0};
    finish(connect, -1, late());
}

static void dialled(void *context, uint64_t key, int fd, struct adit_status status)
{
    struct adit_connect *connect = context;
    (void)key;
    if (!connect->is_proxied) {
        finish(connect, fd, status);
        return;
    }
    adit_dial_close(&connect->dial);
    if (!adit_is_ok(status)) {
        finish(connect, -1, no_proxy_there(status.detail));
        return;
    }
    connect->fd = fd;
    status = adit_loop_watch(connect->loop, fd, ADIT_LOOP_READ | ADIT_LOOP_WRITE, proxy_ready,
                             connect, 0, &connect->watch);
    if (!adit_is_ok(status)) {
        finish(connect, -1, status);
    }
}

/* "name:443" or "[::1]:443". */
static struct adit_status authority_write(struct adit_writer *out, struct adit_bytes host,
                                          uint16_t port)
{
    bool is_six = adit_bytes_find(host, ':') < host.len;
    ADIT_TRY(adit_write_bytes(out, is_six ? ADIT_BYTES("[") : ADIT_BYTES("")));
    ADIT_TRY(adit_write_bytes(out, host));
    ADIT_TRY(adit_write_bytes(out, is_six ? ADIT_BYTES("]:") : ADIT_BYTES(":")));
    return adit_write_decimal(out, port);
}

static struct adit_status request_write(struct adit_connect *connect,
                                        const struct adit_forward_proxy *proxy)
{
    struct adit_writer out = adit_writer_of(ADIT_SPAN_OF(connect->request));
    struct adit_bytes host = connect->options.host;
    for (size_t i = 0; i < host.len; i++) { /* nothing of it may end a line, or a word */
        uint8_t byte = adit_bytes_at(host, i);
        ADIT_ENSURE(byte > ' ' && byte < 0x7f, INVALID, "a host with a space or a control byte");
    }
    ADIT_TRY(adit_write_bytes(&out, ADIT_BYTES("CONNECT ")));
    ADIT_TRY(authority_write(&out, host, connect->options.port));
    ADIT_TRY(adit_write_bytes(&out, ADIT_BYTES(" HTTP/1.1\r\nHost: ")));
    ADIT_TRY(authority_write(&out, host, connect->options.port));
    if (proxy->basic.len > 0) {
        ADIT_TRY(adit_write_bytes(&out, ADIT_BYTES("\r\nProxy-Authorization: Basic ")));
        ADIT_TRY(adit_write_bytes(&out, ADIT_FIELD_BYTES(proxy->basic)));
    }
    ADIT_TRY(adit_write_bytes(&out, ADIT_BYTES("\r\n\r\n")));
    connect->request_len = out.len;
    return adit_ok();
}

static struct adit_status prepare(struct adit_connect *connect,
                                  const struct adit_forward_proxy *proxy)
{
    struct adit_loop *loop = connect->loop;
    struct adit_dial_options options = connect->options;
    options.done = dialled;
    options.context = connect;
    if (proxy) {
        connect->is_proxied = true;
        options.host = ADIT_FIELD_BYTES(proxy->host);
        options.port = proxy->port;
        ADIT_TRY(request_write(connect, proxy));
        ADIT_TRY(adit_loop_timer_set(loop, &connect->deadline,
                                     loop->now_us + connect->options.timeout_us, deadline_over,
                                     connect, 0));
    }
    return adit_dial_open(loop, &options, &connect->dial);
}

static void give_back(struct adit_connect *connect)
{
    struct adit_span memory = adit_object_span(connect, sizeof(*connect));
    stop(connect);
    adit_memory_close(&memory);
}

struct adit_status adit_connect_open(struct adit_loop *loop,
                                     const struct adit_dial_options *options,
                                     const struct adit_forward_proxy *proxy,
                                     struct adit_connect **out_connect)
{
    struct adit_span memory = {0};
    ADIT_TRY(adit_memory_open(1, sizeof(struct adit_connect), &memory));
    struct adit_connect *connect = adit_memory_at(memory, sizeof(struct adit_connect), 0);
    connect->loop = loop;
    connect->options = *options;
    connect->fd = -1;
    struct adit_status status = prepare(connect, proxy);
    if (!adit_is_ok(status)) {
        give_back(connect);
        return status;
    }
    *out_connect = connect;
    return adit_ok();
}

void adit_connect_close(struct adit_connect **connect)
{
    if (*connect) {
        give_back(*connect);
        *connect = NULL;
    }
}
