#include "answer.h"
#include "common.h"
#include "load.h"

enum { HEAD_MAX = 1024 };

/* One transfer: sends its head and then `to_send` bytes of nothing, and takes `to_take` bytes, or
 * with HTTP an answer. */
struct transfer {
    struct stream stream;
    size_t head_sent;
    uint64_t to_send, to_take;
    bool is_connected, is_shut;
    bool is_writing;      /* waits for room */
    bool has_answer_head; /* HTTP: `to_take` is what is left of the answer */
    size_t held;
    uint8_t held_bytes[HEAD_MAX];
    uint64_t end_ns;
};

struct bulk {
    enum load_bulk_way way;
    int epoll;
    uint64_t open; /* transfers that have not ended */
    uint64_t each; /* bytes of a transfer */
    uint64_t moved;
    size_t block;
    struct stream_target target;
    struct adit_bytes head;
    uint8_t head_bytes[HEAD_MAX];
    struct transfer *all;
    size_t count;
    uint8_t memory[BENCH_BLOCK_BYTES];
};

static _Noreturn void fail(const char *what)
{
    errno = 0;
    bench_die(what);
}

/* What a transfer begins with. */
static void make_head(struct bulk *bulk, const struct load_options *options)
{
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(bulk->head_bytes));
    int len = 0;
    char text[HEAD_MAX] = {0};
    switch (bulk->way) {
    case LOAD_DOWN:
        adit_status_ignore(adit_write_u8(&writer, BENCH_DOWN), "it has room");
        adit_status_ignore(adit_write_u64(&writer, bulk->each), "it has room");
        adit_status_ignore(adit_write_u32(&writer, (uint32_t)bulk->block), "it has room");
        break;
    case LOAD_UP:
        adit_status_ignore(adit_write_u8(&writer, BENCH_UP), "it has room");
        break;
    case LOAD_HTTP_DOWN:
        len = snprintf(text, sizeof text, "GET /bulk/%llu/%zu HTTP/1.1\r\nHost: %s\r\n\r\n",
                       (unsigned long long)bulk->each, bulk->block, options->host);
        break;
    case LOAD_HTTP_UP:
        len = snprintf(text, sizeof text,
                       "POST /sink HTTP/1.1\r\nHost: %s\r\nContent-Length: %llu\r\n\r\n",
                       options->host, (unsigned long long)bulk->each);
        break;
    }
    struct adit_status status = adit_write_bytes(&writer, adit_bytes_of_chars(text, sizeof text));
    if (len < 0 || (size_t)len >= sizeof text || !adit_is_ok(status)) {
        fail("a host that is too long");
    }
    bulk->head = adit_writer_bytes(&writer);
}

static void watch(struct bulk *bulk, struct transfer *transfer, size_t index, int operation)
{
    struct epoll_event event = {.events = transfer->is_writing ? EPOLLOUT : EPOLLIN,
                                .data.u64 = index};
    if (epoll_ctl(bulk->epoll, operation, transfer->stream.fd, &event) != 0) {
        bench_die("epoll_ctl");
    }
}

/* True where everything has gone. */
static bool give(struct bulk *bulk, struct transfer *transfer)
{
    for (int turns = 0; turns < 8; turns++) {
        struct adit_bytes rest = adit_bytes_from(bulk->head, transfer->head_sent);
        size_t part = adit_min_size(transfer->to_send, bulk->block);
        ssize_t put = stream_send(
            &transfer->stream,
            rest.len > 0 ? rest : adit_bytes_first(ADIT_BYTES_OF(bulk->memory), part));
        if (put == STREAM_WAIT) {
            return false;
        }
        if (put < 0) {
            bench_die("an upload broke");
        }
        if (rest.len > 0) {
            transfer->head_sent += (size_t)put;
        } else {
            transfer->to_send -= (uint64_t)put;
        }
        if (transfer->head_sent == bulk->head.len && transfer->to_send == 0) {
            return true;
        }
    }
    return false;
}

/* An HTTP answer's head; what is left of its body becomes `to_take`. */
static void take_head(struct bulk *bulk, struct transfer *transfer, struct adit_bytes bytes)
{
    uint64_t length = 0;
    struct adit_span room = adit_span_from(ADIT_SPAN_OF(transfer->held_bytes), transfer->held);
    struct adit_bytes part = adit_bytes_first(bytes, room.len);
    adit_status_ignore(adit_span_copy(room, part), "it was cut to fit");
    struct adit_bytes seen =
        adit_bytes_first(ADIT_BYTES_OF(transfer->held_bytes), transfer->held + part.len);
    transfer->held = seen.len;
    if (answer_http(seen, &length) != ANSWER_HEAD) {
        if (seen.len == HEAD_MAX || head_length(seen) > 0) {
            fail("an answer that is not 200 with a Content-Length");
        }
        return;
    }
    uint64_t body_seen = seen.len + (bytes.len - part.len) - head_length(seen);
    uint64_t body = length - head_length(seen);
    if (body_seen > body || (bulk->way == LOAD_HTTP_DOWN && body != bulk->each)) {
        fail("an answer of another length");
    }
    transfer->has_answer_head = true;
    transfer->to_take = body - body_seen;
    bulk->moved += bulk->way == LOAD_HTTP_DOWN ? body_seen : 0;
}

static void take_bytes(struct bulk *bulk, struct transfer *transfer, struct adit_bytes bytes)
{
    transfer->to_take -= bytes.len;
    if (bulk->way == LOAD_DOWN || bulk->way == LOAD_HTTP_DOWN) {
        bulk->moved += bytes.len;
    } else if (bulk->way == LOAD_UP) { /* eight bytes: how much came */
        struct adit_span room = adit_span_from(ADIT_SPAN_OF(transfer->held_bytes), transfer->held);
        adit_status_ignore(adit_span_copy(room, bytes), "no more than eight are taken");
        transfer->held += bytes.len;
    }
}

/* True at the end of the transfer. */
static bool take(struct bulk *bulk, struct transfer *transfer)
{
    bool is_http = bulk->way == LOAD_HTTP_DOWN || bulk->way == LOAD_HTTP_UP;
    do {
        ssize_t got = stream_receive(&transfer->stream, ADIT_SPAN_OF(bulk->memory));
        if (got == STREAM_WAIT) {
            return false;
        }
        if (got < 0) {
            fail("a transfer ended too early");
        }
        struct adit_bytes bytes = adit_bytes_first(ADIT_BYTES_OF(bulk->memory), (size_t)got);
        if (is_http && !transfer->has_answer_head) {
            take_head(bulk, transfer, bytes);
        } else if (bytes.len > transfer->to_take) {
            fail("more came than was ordered");
        } else {
            take_bytes(bulk, transfer, bytes);
        }
        if (transfer->to_take == 0 && (!is_http || transfer->has_answer_head)) {
            return true;
        }
    } while (stream_has_more(&transfer->stream));
    return false;
}

static void become_connected(struct bulk *bulk, struct transfer *transfer)
{
    bool is_over_http = bulk->way == LOAD_HTTP_DOWN || bulk->way == LOAD_HTTP_UP;
    transfer->is_connected = true;
    transfer->is_writing = true;
    transfer->to_send = bulk->way == LOAD_UP || bulk->way == LOAD_HTTP_UP ? bulk->each : 0;
    transfer->to_take = is_over_http ? 0 : bulk->way == LOAD_DOWN ? bulk->each : 8;
}

static void finish(struct bulk *bulk, struct transfer *transfer)
{
    uint64_t counted = bulk->way == LOAD_HTTP_UP ? bulk->each : 0;
    struct adit_reader reader = adit_reader_of(ADIT_BYTES_OF(transfer->held_bytes));
    transfer->end_ns = bench_now_ns();
    if (bulk->way == LOAD_UP &&
        (!adit_is_ok(adit_read_u64(&reader, &counted)) || counted != bulk->each)) {
        fail("an upload did not arrive whole");
    }
    bulk->moved += counted;
    bulk->open--;
    stream_close(&transfer->stream);
}

/* One transfer's turn; what it waits for may have changed after it. */
static void step(struct bulk *bulk, struct transfer *transfer)
{
    if (!transfer->is_connected) {
        int result = stream_opened(&transfer->stream);
        result = result == 0 ? stream_shake(&transfer->stream) : result;
        if (result == STREAM_ERROR) {
            fail("a transfer's connection");
        }
        transfer->is_writing = false;
        if (result == STREAM_WAIT) {
            return;
        }
        become_connected(bulk, transfer);
    }
    if (transfer->is_writing && give(bulk, transfer)) {
        transfer->is_writing = false;
        if (bulk->way == LOAD_UP) {
            shutdown(transfer->stream.fd, SHUT_WR);
        }
        return;
    }
    if (!transfer->is_writing && take(bulk, transfer)) {
        finish(bulk, transfer);
    }
}

/* Somebody asks what came so far; who hangs up asks no more. */
static void tell(const struct bulk *bulk, uint64_t start_ns)
{
    char line[64];
    if (read(STDIN_FILENO, line, sizeof line) <= 0) {
        epoll_ctl(bulk->epoll, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
        return;
    }
    printf("{\"bytes\":%llu,\"seconds\":%.6f}\n", (unsigned long long)bulk->moved,
           (double)(bench_now_ns() - start_ns) / 1e9);
    fflush(stdout);
}

static void print(const struct bulk *bulk, uint64_t start_ns)
{
    uint64_t first_ns = UINT64_MAX, last_ns = 0;
    for (size_t i = 0; i < bulk->count; i++) {
        const struct transfer *transfer = &ADIT_SLOT(bulk->all, bulk->count, i);
        first_ns = adit_min_u64(first_ns, transfer->end_ns);
        last_ns = adit_max_u64(last_ns, transfer->end_ns);
    }
    double seconds = (double)(last_ns - start_ns) / 1e9;
    double gib_s = (double)bulk->moved / seconds / (1 << 30);
    printf("{\"bytes\":%llu,\"seconds\":%.4f,\"gib_s\":%.4f,\"gib_per_s\":%.4f,"
           "\"first_end_s\":%.4f,\"last_end_s\":%.4f}\n",
           (unsigned long long)bulk->moved, seconds, gib_s, gib_s,
           (double)(first_ns - start_ns) / 1e9, seconds);
}

void load_bulk(const struct load_options *options, enum load_bulk_way way)
{
    static struct bulk bulk;
    bulk.way = way;
    bulk.count = options->streams;
    bulk.open = bulk.count;
    bulk.each = options->bytes / options->streams;
    bulk.block = options->send;
    bulk.epoll = epoll_create1(EPOLL_CLOEXEC);
    load_aim(&bulk.target, options);
    bulk.all = calloc(bulk.count, sizeof *bulk.all);
    if (!bulk.all || bulk.epoll < 0) {
        bench_die("the transfers");
    }
    make_head(&bulk, options);
    uint64_t start_ns = bench_now_ns();
    for (size_t i = 0; i < bulk.count; i++) {
        struct transfer *transfer = &ADIT_SLOT(bulk.all, bulk.count, i);
        if (stream_open(&transfer->stream, &bulk.target) == STREAM_ERROR) {
            bench_die("connect");
        }
        transfer->is_writing = true;
        watch(&bulk, transfer, i, EPOLL_CTL_ADD);
    }
    struct epoll_event asked = {.events = EPOLLIN, .data.u64 = bulk.count};
    if (options->is_telling && epoll_ctl(bulk.epoll, EPOLL_CTL_ADD, STDIN_FILENO, &asked) != 0) {
        bench_die("standard input");
    }
    while (bulk.open > 0) {
        struct epoll_event events[64];
        int ready = epoll_wait(bulk.epoll, events, ADIT_COUNT(events), -1);
        for (int i = 0; i < ready; i++) {
            size_t index = ADIT_AT(events, i).data.u64;
            if (index == bulk.count) {
                tell(&bulk, start_ns);
                continue;
            }
            struct transfer *transfer = &ADIT_SLOT(bulk.all, bulk.count, index);
            bool was_writing = transfer->is_writing;
            step(&bulk, transfer);
            if (transfer->stream.fd > 0 && transfer->is_writing != was_writing) {
                watch(&bulk, transfer, index, EPOLL_CTL_MOD);
            }
        }
    }
    print(&bulk, start_ns);
}
