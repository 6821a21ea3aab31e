#include "common.h"
#include "histogram.h"
#include "load.h"

enum { RESPONSE_MAX = 4096, REQUEST_MAX = 512 };

struct request {
    size_t len;
    char text[REQUEST_MAX];
};

struct visitor {
    uint64_t sent_ns;
    size_t len; /* bytes of the answer so far */
    uint8_t answer[RESPONSE_MAX];
};

struct requests {
    int epoll;
    struct request request;
    uint64_t begin_ns;   /* of what is measured: after the warm-up */
    uint64_t end_ns;
    uint64_t all;        /* answers, warm-up included, for CPU per request */
    uint64_t measured;
    struct histogram histogram;
};

static struct request request_of(const char *host)
{
    struct request request;
    int len = snprintf(request.text, sizeof request.text, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n",
                       host);
    if (len < 0 || (size_t)len >= sizeof request.text) {
        errno = 0;
        bench_die("a host that is too long");
    }
    request.len = (size_t)len;
    return request;
}

static void ask(const struct request *request, struct visitor *visitor, int fd)
{
    visitor->len = 0;
    visitor->sent_ns = bench_now_ns();
    if (send(fd, request->text, request->len, MSG_NOSIGNAL) != (ssize_t)request->len) {
        bench_die("a request could not be sent");
    }
}

/* The length of the whole answer, or 0 while its head is not complete. */
static size_t answer_length(struct adit_bytes bytes)
{
    static const char field[] = "Content-Length: ";
    const uint8_t *head_end = memmem(bytes.ptr, bytes.len, "\r\n\r\n", 4);
    if (!head_end) {
        return 0;
    }
    size_t head = (size_t)(head_end - bytes.ptr) + 4;
    const uint8_t *found = memmem(bytes.ptr, head, field, sizeof field - 1);
    if (!found || !adit_bytes_starts_with(bytes, ADIT_BYTES("HTTP/1.1 200 "))) {
        errno = 0;
        bench_die("an answer that is not 200 with a Content-Length");
    }
    struct adit_bytes value = adit_bytes_first(
        adit_bytes_from(bytes, (size_t)(found - bytes.ptr) + sizeof field - 1), 20);
    uint64_t body = 0;
    if (!adit_is_ok(adit_parse_decimal(adit_bytes_first(value, adit_bytes_find(value, '\r')),
                                       RESPONSE_MAX - head, &body))) {
        errno = 0;
        bench_die("an answer of an odd length");
    }
    return head + (size_t)body;
}

static void receive(struct requests *requests, struct visitor *visitor, int fd)
{
    struct adit_span room = adit_span_from(ADIT_SPAN_OF(visitor->answer), visitor->len);
    ssize_t got = recv(fd, room.ptr, room.len, 0);
    if (got < 0 && errno == EAGAIN) {
        return;
    }
    if (got <= 0) {
        bench_die(got == 0 ? "a connection ended" : "recv");
    }
    visitor->len += (size_t)got;
    size_t whole = answer_length(adit_bytes_first(ADIT_BYTES_OF(visitor->answer), visitor->len));
    if (whole == 0 || visitor->len < whole) {
        return;
    }
    uint64_t now_ns = bench_now_ns();
    requests->all++;
    if (now_ns >= requests->begin_ns && now_ns < requests->end_ns) {
        requests->measured++;
        histogram_add(&requests->histogram, now_ns - visitor->sent_ns);
    }
    ask(&requests->request, visitor, fd);
}

static void print(const struct requests *requests)
{
    const struct histogram *histogram = &requests->histogram;
    double seconds = (double)(requests->end_ns - requests->begin_ns) / 1e9;
    printf("{\"requests\":%llu,\"seconds\":%.3f,\"rps\":%.0f,\"p50_us\":%.1f,\"p90_us\":%.1f,"
           "\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f}\n",
           (unsigned long long)requests->all, seconds, (double)requests->measured / seconds,
           (double)histogram_at(histogram, 500) / 1e3, (double)histogram_at(histogram, 900) / 1e3,
           (double)histogram_at(histogram, 990) / 1e3, (double)histogram_at(histogram, 999) / 1e3,
           (double)histogram->largest_ns / 1e3);
}

void load_requests(uint16_t port, uint64_t count, uint64_t time_ms, const char *host)
{
    static struct requests requests;
    struct visitor *visitors = calloc(count, sizeof *visitors);
    int *fds = calloc(count, sizeof *fds);
    if (!visitors || !fds) {
        bench_die("calloc");
    }
    requests.request = request_of(host);
    requests.epoll = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < count; i++) {
        int fd = bench_connect(port);
        bench_set_blocking(fd, false);
        ADIT_SLOT(fds, count, i) = fd;
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = i};
        if (epoll_ctl(requests.epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
            bench_die("epoll_ctl");
        }
    }
    uint64_t start_ns = bench_now_ns();
    requests.begin_ns = start_ns + time_ms * 200000;
    requests.end_ns = start_ns + time_ms * 1000000;
    for (size_t i = 0; i < count; i++) {
        ask(&requests.request, &ADIT_SLOT(visitors, count, i), ADIT_SLOT(fds, count, i));
    }
    while (bench_now_ns() < requests.end_ns) {
        struct epoll_event events[64] = {0};
        int ready = epoll_wait(requests.epoll, events, ADIT_COUNT(events), 1000);
        for (int i = 0; i < ready; i++) {
            size_t at = ADIT_AT(events, i).data.u64;
            receive(&requests, &ADIT_SLOT(visitors, count, at), ADIT_SLOT(fds, count, at));
        }
    }
    print(&requests);
}

void load_idle(uint16_t port, uint64_t count)
{
    struct visitor *visitor = calloc(1, sizeof *visitor);
    if (!visitor) {
        bench_die("calloc");
    }
    const struct request request = request_of(LOAD_HOST);
    for (size_t i = 0; i < count; i++) {
        int fd = bench_connect(port); /* stays open until the process ends */
        struct adit_span room = ADIT_SPAN_OF(visitor->answer);
        size_t whole = 0;
        ask(&request, visitor, fd);
        while (whole == 0 || visitor->len < whole) {
            struct adit_span rest = adit_span_from(room, visitor->len);
            ssize_t got = recv(fd, rest.ptr, rest.len, 0);
            if (got <= 0) {
                bench_die("an idle visitor's only answer");
            }
            visitor->len += (size_t)got;
            whole = answer_length(adit_bytes_first(adit_span_bytes(room), visitor->len));
        }
    }
    free(visitor);
    printf("{\"idle\":%llu}\n", (unsigned long long)count);
    fflush(stdout);
    uint8_t byte = 0;
    while (read(0, &byte, 1) > 0) {
    }
}
