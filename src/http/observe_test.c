#include "http/observe.h"

#include "unit.h"

#define GET "GET /a HTTP/1.1\r\nHost: my_app\r\n\r\n"
#define OK5 "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

/* Requests and answers in turn; '>' before a request. */
struct talk {
    struct adit_bytes request, response;
    uint16_t status; /* 0: nothing is told */
};

static struct adit_http_observer watch(struct adit_span memory)
{
    struct adit_http_observer observer = {0};
    adit_http_observe_init(&observer, memory);
    return observer;
}

static void assert_talks(const struct talk *talks, size_t count, size_t step)
{
    uint8_t memory[ADIT_HTTP_OBSERVE_BYTES];
    struct adit_http_observer observer = watch(ADIT_SPAN_OF(memory));
    for (size_t i = 0; i < count; i++) {
        struct adit_bytes request = ADIT_SLOT(talks, count, i).request;
        struct adit_bytes response = ADIT_SLOT(talks, count, i).response;
        struct adit_http_seen seen = {0};
        size_t told = 0;
        for (size_t at = 0; at < request.len; at += step) {
            adit_http_observe_request(&observer,
                                      adit_bytes_first(adit_bytes_from(request, at), step), 1000);
        }
        for (size_t at = 0; at < response.len; at += step) {
            struct adit_bytes piece = adit_bytes_first(adit_bytes_from(response, at), step);
            told += adit_http_observe_response(&observer, piece, 1250, &seen) ? 1 : 0;
        }
        assert_int_equal(told, ADIT_SLOT(talks, count, i).status > 0);
        assert_int_equal(seen.status, ADIT_SLOT(talks, count, i).status);
        if (told > 0) {
            assert_int_equal(seen.took_us, 250);
            assert_true(seen.method.len > 0 && seen.target.len > 0);
        }
    }
}

static void a_connection_that_is_kept(void **state)
{
    (void)state;
    static const struct talk talks[] = {
        {ADIT_BYTES_INIT(GET), ADIT_BYTES_INIT(OK5), 200},
        {ADIT_BYTES_INIT("HEAD /b HTTP/1.1\r\n\r\n"),
         ADIT_BYTES_INIT("HTTP/1.1 404 No\r\nContent-Length: 5\r\n\r\n"), 404},
        {ADIT_BYTES_INIT("POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "5\r\nhello\r\n0\r\nA: b\r\n\r\n"),
         ADIT_BYTES_INIT("HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 201 Yes\r\nTransfer-Encoding: chunked"
                         "\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
         201},
        {ADIT_BYTES_INIT("PUT /d HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"),
         ADIT_BYTES_INIT("HTTP/1.1 204 Yes\r\n\r\n"), 204},
        {ADIT_BYTES_INIT("GET /e HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"),
         ADIT_BYTES_INIT("HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
                         "\x81\x05hello"),
         101},
        {ADIT_BYTES_INIT("GET /f HTTP/1.1\r\n\r\n"), ADIT_BYTES_INIT(OK5), 0}, /* blind */
    };
    for (size_t step = 1; step < 200; step++) {
        assert_talks(talks, ADIT_COUNT(talks), step);
    }
}

static void what_it_cannot_follow(void **state)
{
    (void)state;
    static const struct talk talks[][2] = {
        {{ADIT_BYTES_INIT("SSH-2.0-x\r\n"), ADIT_BYTES_INIT("SSH-2.0-y\r\n"), 0},
         {ADIT_BYTES_INIT(GET), ADIT_BYTES_INIT(OK5), 0}},
        {{ADIT_BYTES_INIT(GET), ADIT_BYTES_INIT("HTTP/1.1 200 OK\n\n"), 0},
         {ADIT_BYTES_INIT(GET), ADIT_BYTES_INIT(OK5), 0}},
        {{{0}, ADIT_BYTES_INIT(OK5), 0}, {ADIT_BYTES_INIT(GET), ADIT_BYTES_INIT(OK5), 0}},
        {{ADIT_BYTES_INIT(GET GET), ADIT_BYTES_INIT(OK5), 0},
         {ADIT_BYTES_INIT(GET), ADIT_BYTES_INIT(OK5), 0}},
        {{ADIT_BYTES_INIT(GET), ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\n\r\nto the end"), 200},
         {ADIT_BYTES_INIT(GET), ADIT_BYTES_INIT(OK5), 0}},
        {{ADIT_BYTES_INIT(GET), ADIT_BYTES_INIT("HTTP/1.1 101 Go\r\nConnection: upgrade\r\n"
                                                "Upgrade: websocket\r\n\r\n"), 0},
         {ADIT_BYTES_INIT(GET), ADIT_BYTES_INIT(OK5), 0}},
    };
    for (size_t i = 0; i < ADIT_COUNT(talks); i++) {
        for (size_t step = 1; step < 100; step++) {
            assert_talks(ADIT_AT(talks, i), 2, step);
        }
    }
}

static void long_targets_are_cut_and_long_heads_are_not_kept(void **state)
{
    (void)state;
    uint8_t memory[ADIT_HTTP_OBSERVE_BYTES];
    uint8_t text[ADIT_HTTP_OBSERVE_BYTES];
    for (size_t size = 100; size < 6000; size += 1000) {
        struct adit_http_observer observer = watch(ADIT_SPAN_OF(memory));
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(text));
        struct adit_span hole = {0};
        struct adit_http_seen seen = {0};
        assert_ok(adit_write_bytes(&writer, ADIT_BYTES("GET ")));
        assert_ok(adit_write_reserve(&writer, size, &hole));
        adit_span_fill(hole, '/');
        assert_ok(adit_write_bytes(&writer, ADIT_BYTES(" HTTP/1.1\r\n\r\n")));
        adit_http_observe_request(&observer, adit_writer_bytes(&writer), 7);
        bool is_told = adit_http_observe_response(&observer, ADIT_BYTES(OK5), 7, &seen);
        assert_int_equal(is_told, size < ADIT_HTTP_OBSERVE_BYTES / 2);
        assert_int_equal(seen.target.len,
                         is_told ? adit_min_size(size, ADIT_HTTP_OBSERVE_TARGET_MAX) : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_that_is_kept),
        cmocka_unit_test(what_it_cannot_follow),
        cmocka_unit_test(long_targets_are_cut_and_long_heads_are_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
