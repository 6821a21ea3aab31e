#include "visitors.h"

#include "answer.h"
#include "common.h"

#define TICK_NS 20000000ull        /* those that rest and wait are looked at so often */
#define PATIENCE_NS 10000000000ull /* so long is waited for an answer, or for the end */
#define OPENING_NS 20000000000ull  /* and for all connections to open */
#define OPENING_AT_ONCE 64         /* fewer than any backlog */

static void say(struct adit_writer *writer, struct adit_bytes bytes)
{
    if (!adit_is_ok(adit_write_bytes(writer, bytes))) {
        errno = 0;
        bench_die("a request that is too long");
    }
}

/* "GET /path HTTP/1.1" and the host, and whatever more. */
static struct adit_bytes head_of(struct adit_span span, const char *path, const char *host,
                                 struct adit_bytes more)
{
    struct adit_writer writer = adit_writer_of(span);
    say(&writer, ADIT_BYTES("GET "));
    say(&writer, adit_bytes_of_text(path));
    say(&writer, ADIT_BYTES(" HTTP/1.1\r\nHost: "));
    say(&writer, adit_bytes_of_text(host));
    say(&writer, ADIT_BYTES("\r\n"));
    say(&writer, more);
    say(&writer, ADIT_BYTES("\r\n"));
    return adit_writer_bytes(&writer);
}

/* A text message of `len` bytes. Its mask is four zeros, so that it needs no work here. */
static struct adit_bytes frame_of(struct adit_span span, size_t len)
{
    struct adit_writer writer = adit_writer_of(span);
    say(&writer, ADIT_BYTES("\x81"));
    if (len < 126) {
        adit_status_ignore(adit_write_u8(&writer, (uint8_t)(0x80u | len)), "it has room");
    } else {
        adit_status_ignore(adit_write_u8(&writer, 0xfe), "it has room");
        adit_status_ignore(adit_write_u16(&writer, (uint16_t)len), "it has room");
    }
    say(&writer, ADIT_BYTES("\0\0\0\0"));
    for (size_t i = 0; i < len; i++) {
        say(&writer, ADIT_BYTES("x"));
    }
    return adit_writer_bytes(&writer);
}

static const char *path_of(const struct load_options *options, enum load_kind kind)
{
    if (options->path) {
        return options->path;
    }
    if (kind == LOAD_WEBSOCKET) {
        return "/ws";
    }
    return options->body > 2 ? "/1024" : "/";
}

void visitors_init(struct visitors *visitors, const struct load_options *options,
                   enum load_kind kind, enum visitors_mode mode)
{
    struct adit_span first = ADIT_SPAN_OF(visitors->first_text);
    struct adit_span second = ADIT_SPAN_OF(visitors->second_text);
    const char *path = path_of(options, kind);
    visitors->mode = mode;
    visitors->kind = kind;
    visitors->is_close = options->is_close;
    load_aim(&visitors->target, options);
    visitors->target.has_many_sources = options->connections > 20000;
    if (kind == LOAD_WEBSOCKET) {
        visitors->request = frame_of(first, options->body);
        visitors->upgrade = head_of(second, path, options->host,
                                    ADIT_BYTES("Connection: Upgrade\r\nUpgrade: websocket\r\n"
                                               "Sec-WebSocket-Version: 13\r\n"
                                               "Sec-WebSocket-Key: YWRpdCBiZW5jaCBsb2FkLg==\r\n"));
    } else {
        visitors->request = head_of(first, path, options->host,
                                    options->is_close ? ADIT_BYTES("Connection: close\r\n")
                                                      : ADIT_BYTES(""));
    }
    visitors->count = options->connections;
    visitors->all = calloc(visitors->count, sizeof *visitors->all);
    visitors->free = calloc(visitors->count, sizeof *visitors->free);
    visitors->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!visitors->all || !visitors->free || visitors->epoll < 0) {
        bench_die("the visitors");
    }
    for (uint32_t i = 0; i < visitors->count; i++) {
        ADIT_SLOT(visitors->all, visitors->count, i).index = i;
    }
}

static void watch(struct visitors *visitors, struct visitor *visitor, int operation,
                  uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u64 = visitor->index};
    if (epoll_ctl(visitors->epoll, operation, visitor->stream.fd, &event) != 0) {
        bench_die("epoll_ctl");
    }
}

static void shut(struct visitor *visitor, enum visitor_state state)
{
    stream_close(&visitor->stream);
    visitor->state = state;
    visitor->held = 0;
    visitor->left = 0;
}

/* A fault: its request, if it had one, is lost. It rests, or a peer that refuses would be asked
 * without end. */
static void fail(struct visitors *visitors, struct visitor *visitor)
{
    bool was_free = visitor->state == VISITOR_FREE;
    visitors->errors++;
    shut(visitor, VISITOR_RESTING);
    visitor->begun_ns = bench_now_ns();
    if (visitors->mode == VISITORS_IDLE) {
        visitors->answered -= was_free ? 1 : 0;
        visitor->has_request = true;
        return;
    }
    if (visitors->mode == VISITORS_PACED && was_free) {
        visitor->state = VISITOR_CLOSED; /* in the ring: opened when its turn comes */
    }
    visitors->lost += visitor->has_request ? 1 : 0;
    visitor->has_request = false;
}

/* Nothing more to do for its last request. */
static void become_free(struct visitors *visitors, struct visitor *visitor, uint64_t now_ns)
{
    switch (visitors->mode) {
    case VISITORS_LOOP:
        if (visitors->is_running && !visitors->is_over) {
            visitor_ask(visitors, visitor, now_ns);
        }
        return;
    case VISITORS_PACED: {
        size_t last = (visitors->free_first + visitors->free_count) % visitors->count;
        ADIT_SLOT(visitors->free, visitors->count, last) = visitor->index;
        visitors->free_count++;
        return;
    }
    case VISITORS_IDLE:
        return;
    }
}

static void send_text(struct visitors *visitors, struct visitor *visitor, struct adit_bytes text,
                      enum visitor_state state)
{
    visitor->state = state;
    if (stream_send(&visitor->stream, text) != (ssize_t)text.len) {
        fail(visitors, visitor);
    }
}

static void be_ready(struct visitors *visitors, struct visitor *visitor)
{
    if (visitor->has_request) {
        send_text(visitors, visitor, visitors->request, VISITOR_WAITING);
        return;
    }
    visitor->state = VISITOR_FREE;
    visitors->opened++;
    become_free(visitors, visitor, bench_now_ns());
}

static void shake(struct visitors *visitors, struct visitor *visitor)
{
    int result = stream_shake(&visitor->stream);
    if (result == STREAM_ERROR) {
        fail(visitors, visitor);
    } else if (result == 0) {
        visitors->resumed += stream_is_resumed(&visitor->stream) ? 1 : 0;
        if (visitors->kind == LOAD_WEBSOCKET) {
            send_text(visitors, visitor, visitors->upgrade, VISITOR_UPGRADING);
        } else {
            be_ready(visitors, visitor);
        }
    }
}

void visitor_open(struct visitors *visitors, struct visitor *visitor)
{
    int result = stream_open(&visitor->stream, &visitors->target);
    visitor->begun_ns = bench_now_ns();
    if (result == STREAM_ERROR) {
        fail(visitors, visitor);
        return;
    }
    watch(visitors, visitor, EPOLL_CTL_ADD, result == 0 ? EPOLLIN : EPOLLOUT);
    visitor->state = result == 0 ? VISITOR_SHAKING : VISITOR_CONNECTING;
    if (result == 0) {
        shake(visitors, visitor);
    }
}

void visitor_ask(struct visitors *visitors, struct visitor *visitor, uint64_t since_ns)
{
    visitor->since_ns = since_ns;
    visitor->begun_ns = since_ns;
    visitor->has_request = true;
    if (visitor->state == VISITOR_FREE) {
        send_text(visitors, visitor, visitors->request, VISITOR_WAITING);
    } else {
        visitor_open(visitors, visitor);
    }
}

static void count(struct visitors *visitors, struct visitor *visitor, uint64_t now_ns)
{
    visitors->answered++;
    visitor->has_request = false;
    /* An open loop counts requests by when they were due, a closed one by when they were done. */
    uint64_t when = visitors->mode == VISITORS_PACED ? visitor->since_ns : now_ns;
    if (when >= visitors->begin_ns && when < visitors->end_ns) {
        visitors->measured++;
        histogram_add(&visitors->histogram, now_ns - visitor->since_ns);
    }
}

static enum answer_state judge(const struct visitors *visitors, const struct visitor *visitor,
                               struct adit_bytes bytes, uint64_t *out_length)
{
    if (visitor->state == VISITOR_UPGRADING) {
        return answer_upgrade(bytes, out_length);
    }
    return visitors->kind == LOAD_WEBSOCKET ? answer_frame(bytes, out_length)
                                            : answer_http(bytes, out_length);
}

enum progress { PROGRESS_SOME, PROGRESS_WHOLE, PROGRESS_WRONG };

/* Bytes of an answer. */
static enum progress take(struct visitors *visitors, struct visitor *visitor,
                          struct adit_bytes bytes)
{
    uint64_t length = 0;
    if (visitor->left > 0) {
        if (bytes.len > visitor->left) {
            return PROGRESS_WRONG;
        }
        visitor->left -= bytes.len;
        return visitor->left == 0 ? PROGRESS_WHOLE : PROGRESS_SOME;
    }
    if (visitor->held == 0 && visitor->state == VISITOR_WAITING && bytes.len == visitors->known &&
        adit_bytes_starts_with(ADIT_BYTES_OF(visitors->known_answer), bytes)) {
        return PROGRESS_WHOLE; /* the same as the one before */
    }
    struct adit_span room = adit_span_from(ADIT_SPAN_OF(visitor->head), visitor->held);
    if (visitor->held > 0) {
        if (!adit_is_ok(adit_span_copy(room, bytes))) {
            return PROGRESS_WRONG;
        }
        bytes = adit_bytes_first(ADIT_BYTES_OF(visitor->head), visitor->held + bytes.len);
    }
    switch (judge(visitors, visitor, bytes, &length)) {
    case ANSWER_SHORT:
        if (visitor->held == 0 && !adit_is_ok(adit_span_copy(room, bytes))) {
            return PROGRESS_WRONG;
        }
        visitor->held = bytes.len;
        return PROGRESS_SOME;
    case ANSWER_HEAD:
        visitor->held = 0;
        visitor->left = length - adit_min_u64(length, bytes.len);
        if (bytes.len > length) {
            return PROGRESS_WRONG;
        }
        if (visitor->left == 0 && visitor->state == VISITOR_WAITING) {
            bool is_kept =
                adit_is_ok(adit_span_copy(ADIT_SPAN_OF(visitors->known_answer), bytes));
            visitors->known = is_kept ? bytes.len : 0;
        }
        return visitor->left == 0 ? PROGRESS_WHOLE : PROGRESS_SOME;
    case ANSWER_WRONG:
        return PROGRESS_WRONG;
    }
    return PROGRESS_WRONG;
}

/* What to do with the whole answer; false: nothing more is to be received now. */
static bool answered(struct visitors *visitors, struct visitor *visitor)
{
    if (visitor->state == VISITOR_UPGRADING) {
        be_ready(visitors, visitor);
        return false;
    }
    uint64_t now_ns = bench_now_ns();
    count(visitors, visitor, now_ns);
    if (visitors->is_close) {
        visitor->state = VISITOR_ENDING;
        return true; /* the end is often here already */
    }
    visitor->state = VISITOR_FREE;
    become_free(visitors, visitor, now_ns);
    return false;
}

static void end(struct visitors *visitors, struct visitor *visitor)
{
    if (visitor->state != VISITOR_ENDING) {
        fail(visitors, visitor);
        return;
    }
    shut(visitor, VISITOR_CLOSED);
    become_free(visitors, visitor, bench_now_ns());
}

static void receive(struct visitors *visitors, struct visitor *visitor)
{
    for (;;) {
        ssize_t got = stream_receive(&visitor->stream, ADIT_SPAN_OF(visitors->scratch));
        if (got == STREAM_WAIT) {
            return;
        }
        if (got < 0) {
            end(visitors, visitor);
            return;
        }
        bool is_asked = visitor->state == VISITOR_WAITING || visitor->state == VISITOR_UPGRADING;
        enum progress progress =
            is_asked ? take(visitors, visitor, adit_bytes_first(ADIT_BYTES_OF(visitors->scratch),
                                                                (size_t)got))
                     : PROGRESS_WRONG;
        if (progress == PROGRESS_WRONG) {
            fail(visitors, visitor);
            return;
        }
        if (progress == PROGRESS_WHOLE && !answered(visitors, visitor)) {
            return;
        }
        bool is_drained = visitor->state != VISITOR_ENDING && !stream_has_more(&visitor->stream);
        if (is_drained && (size_t)got < sizeof visitors->scratch) {
            return;
        }
    }
}

static void act(struct visitors *visitors, struct visitor *visitor)
{
    switch (visitor->state) {
    case VISITOR_CONNECTING:
        if (stream_opened(&visitor->stream) != 0) {
            fail(visitors, visitor);
            return;
        }
        watch(visitors, visitor, EPOLL_CTL_MOD, EPOLLIN);
        visitor->state = VISITOR_SHAKING;
        shake(visitors, visitor);
        return;
    case VISITOR_SHAKING:
        shake(visitors, visitor);
        return;
    case VISITOR_UPGRADING:
    case VISITOR_FREE:
    case VISITOR_WAITING:
    case VISITOR_ENDING:
        receive(visitors, visitor);
        return;
    case VISITOR_CLOSED:
    case VISITOR_RESTING:
        return;
    }
}

/* After a fault: opens what rests, and gives up what has waited for too long. */
static void tick(struct visitors *visitors, uint64_t now_ns)
{
    for (size_t i = 0; i < visitors->count; i++) {
        struct visitor *visitor = &ADIT_SLOT(visitors->all, visitors->count, i);
        if (visitor->state == VISITOR_RESTING && now_ns > visitor->begun_ns + TICK_NS) {
            visitor->state = VISITOR_CLOSED;
            if (!visitors->is_close || visitor->has_request) {
                visitor_open(visitors, visitor);
            } else {
                become_free(visitors, visitor, now_ns);
            }
        } else if (visitor->state != VISITOR_CLOSED && visitor->state != VISITOR_FREE &&
                   now_ns > visitor->begun_ns + PATIENCE_NS) {
            fail(visitors, visitor);
        }
    }
}

/* To the nanosecond where requests are due at a time; else milliseconds do. */
static int wait_until(struct visitors *visitors, struct epoll_event *events, int room,
                      uint64_t wait_ns)
{
    const struct timespec wait = {.tv_nsec = (long)wait_ns};
    if (visitors->mode == VISITORS_PACED) {
        return epoll_pwait2(visitors->epoll, events, room, &wait, NULL);
    }
    return epoll_wait(visitors->epoll, events, room, (int)((wait_ns + 999999) / 1000000));
}

void visitors_turn(struct visitors *visitors, uint64_t until_ns)
{
    struct epoll_event events[64];
    uint64_t now_ns = bench_now_ns();
    if (now_ns >= visitors->tick_ns) {
        tick(visitors, now_ns);
        visitors->tick_ns = now_ns + TICK_NS;
    }
    uint64_t until = adit_min_u64(until_ns, visitors->tick_ns); /* TICK_NS away at most */
    uint64_t wait_ns = until > now_ns ? until - now_ns : 0;
    int ready = wait_until(visitors, events, ADIT_COUNT(events), wait_ns);
    if (ready < 0 && errno != EINTR) {
        bench_die("epoll_wait");
    }
    for (int i = 0; i < ready; i++) {
        size_t index = ADIT_AT(events, i).data.u64;
        act(visitors, &ADIT_SLOT(visitors->all, visitors->count, index));
    }
}

void visitors_open_all(struct visitors *visitors)
{
    uint64_t deadline_ns = bench_now_ns() + OPENING_NS;
    size_t begun = 0;
    while (visitors->opened < visitors->count) {
        while (begun < visitors->count && begun - visitors->opened < OPENING_AT_ONCE) {
            visitor_open(visitors, &ADIT_SLOT(visitors->all, visitors->count, begun));
            begun++;
        }
        visitors_turn(visitors, deadline_ns);
        if (bench_now_ns() > deadline_ns) {
            errno = 0;
            bench_die("not all connections could be opened");
        }
    }
}

void visitors_print(const struct visitors *visitors)
{
    const struct histogram *histogram = &visitors->histogram;
    double seconds = (double)(visitors->end_ns - visitors->begin_ns) / 1e9;
    errno = 0;
    if (histogram->total == 0) {
        bench_die("no request was answered");
    }
    printf("{\"requests\":%llu,\"seconds\":%.3f,\"rps\":%.1f,\"p50_us\":%.1f,\"p90_us\":%.1f,"
           "\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,\"measured\":%llu,\"errors\":%llu",
           (unsigned long long)visitors->answered, seconds, (double)visitors->measured / seconds,
           (double)histogram_at(histogram, 500) / 1e3, (double)histogram_at(histogram, 900) / 1e3,
           (double)histogram_at(histogram, 990) / 1e3, (double)histogram_at(histogram, 999) / 1e3,
           (double)histogram->largest_ns / 1e3, (unsigned long long)visitors->measured,
           (unsigned long long)visitors->errors);
    if (visitors->target.tls) {
        printf(",\"resumed\":%llu", (unsigned long long)visitors->resumed);
    }
}
