/* CONNECT through a proxy that the test plays, one answer after another. */
#include "net/connect.h"

#include <string.h>

#include "loopback.h"

struct fixture {
    struct adit_loop loop;
    struct adit_connect *connect;
    struct adit_forward_proxy proxy;
    struct adit_address address; /* the proxy's */
    int listener, proxied;       /* the proxy's sockets */
    int calls, fd;
    struct adit_status status;
};

static void done(void *context, uint64_t key, int fd, struct adit_status status)
{
    struct fixture *f = context;
    assert_int_equal(key, 7);
    f->calls++;
    f->fd = fd;
    f->status = status;
    adit_connect_close(&f->connect); /* from inside, as an owner may */
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->fd = -1;
    f->proxied = -1;
    f->listener = loopback_listen(&f->address);
    assert_ok(ADIT_FIELD_SET(f->proxy.host, ADIT_BYTES("127.0.0.1")));
    f->proxy.port = f->address.port;
    assert_ok(adit_loop_open(&f->loop, 16, 16));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    adit_connect_close(&f->connect);
    assert_int_equal(f->loop.watches.used, 0);
    assert_int_equal(f->loop.timers.used, 0);
    adit_socket_close(&f->fd);
    adit_socket_close(&f->proxied);
    adit_socket_close(&f->listener);
    adit_loop_close(&f->loop);
    free(f);
    return 0;
}

static void turn(struct fixture *f)
{
    assert_ok(adit_loop_turn(&f->loop, 5 * ADIT_MS_US));
}

static struct adit_status open_to(struct fixture *f, struct adit_bytes host, uint64_t timeout_us)
{
    const struct adit_dial_options options = {.host = host,
                                              .port = 443,
                                              .timeout_us = timeout_us,
                                              .done = done,
                                              .context = f,
                                              .key = 7};
    return adit_connect_open(&f->loop, &options, &f->proxy, &f->connect);
}

/* Lets it connect and takes its request. */
static struct adit_bytes request_take(struct fixture *f, struct adit_span memory)
{
    size_t got = 0;
    while (f->proxied < 0) {
        turn(f);
        f->proxied = loopback_accept(f->listener);
    }
    for (int i = 0; i < 1000; i++) {
        size_t count = 0;
        enum adit_io io = ADIT_IO_DONE;
        turn(f);
        assert_ok(adit_socket_receive(f->proxied, adit_span_from(memory, got), &count, &io));
        got += count;
        struct adit_bytes all = adit_bytes_first(adit_span_bytes(memory), got);
        if (adit_bytes_ends_with(all, ADIT_BYTES("\r\n\r\n"))) {
            return all;
        }
    }
    fail();
    return (struct adit_bytes){0};
}

static void answer(struct fixture *f, const char *text)
{
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    assert_ok(adit_socket_send(f->proxied, adit_bytes_of_text(text), &count, &io));
    assert_int_equal(count, strlen(text));
}

static void wait_done(struct fixture *f)
{
    for (int i = 0; i < 1000 && f->calls == 0; i++) {
        turn(f);
    }
    assert_int_equal(f->calls, 1);
    assert_null(f->connect);
}

static void the_road_opens(void **state)
{
    struct fixture *f = *state;
    uint8_t memory[2048] = {0};
    assert_ok(ADIT_FIELD_SET(f->proxy.basic, ADIT_BYTES("YTpi")));
    assert_ok(open_to(f, ADIT_BYTES("connect.adit.test"), 5 * ADIT_SECOND_US));
    assert_bytes(request_take(f, ADIT_SPAN_OF(memory)),
                 ADIT_BYTES("CONNECT connect.adit.test:443 HTTP/1.1\r\n"
                            "Host: connect.adit.test:443\r\n"
                            "Proxy-Authorization: Basic YTpi\r\n\r\n"));
    answer(f, "HTTP/1.1 200 Conn");
    for (int i = 0; i < 5; i++) {
        turn(f);
    }
    assert_int_equal(f->calls, 0); /* half an answer is none */
    answer(f, "ection established\r\nProxy-Agent: x\r\n\r\n");
    wait_done(f);
    assert_ok(f->status);
    assert_true(f->fd >= 0);
    answer(f, "from the server");
    uint8_t got[32] = {0};
    size_t count = 0;
    enum adit_io io = ADIT_IO_BLOCKED;
    for (int i = 0; i < 1000 && io == ADIT_IO_BLOCKED; i++) {
        assert_ok(adit_socket_receive(f->fd, ADIT_SPAN_OF(got), &count, &io));
    }
    assert_bytes(adit_bytes_first(ADIT_BYTES_OF(got), count), ADIT_BYTES("from the server"));
}

static void ipv6_has_brackets(void **state)
{
    struct fixture *f = *state;
    uint8_t memory[2048] = {0};
    assert_ok(open_to(f, ADIT_BYTES("2001:db8::1"), 5 * ADIT_SECOND_US));
    assert_bytes(request_take(f, ADIT_SPAN_OF(memory)),
                 ADIT_BYTES("CONNECT [2001:db8::1]:443 HTTP/1.1\r\n"
                            "Host: [2001:db8::1]:443\r\n\r\n"));
}

static void refusals_are_told(void **state)
{
    static const struct {
        const char *answer;
        enum adit_error error;
        int64_t detail;
        const char *about;
    } rows[] = {
        {"HTTP/1.1 407 No\r\n\r\n", ADIT_ERROR_REFUSED, 407, "user and password"},
        {"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!", ADIT_ERROR_REFUSED, 403,
         "does not allow"},
        {"HTTP/1.0 502 Bad\r\n\r\n", ADIT_ERROR_REFUSED, 502, "cannot reach"},
        {"HTTP/1.1 301 Moved\r\nLocation: http://elsewhere/\r\n\r\n", ADIT_ERROR_REFUSED, 301,
         "did not connect"},
        {"HTTP/1.1 100 Continue\r\n\r\n", ADIT_ERROR_REFUSED, 100, "did not connect"},
        {"HTTP/1.1 200 OK\r\n\r\nx", ADIT_ERROR_INVALID, 0, "more than its answer"},
        {"HTTP/1.1 2000 OK\r\n\r\n", ADIT_ERROR_INVALID, 0, "HTTP proxy?"},
        {"SSH-2.0-OpenSSH\n", ADIT_ERROR_INVALID, 0, "HTTP proxy?"},
        {"\x05\xff", ADIT_ERROR_INVALID, 0, "HTTP proxy?"},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct fixture *f = *state;
        uint8_t memory[2048] = {0};
        f->calls = 0;
        assert_ok(open_to(f, ADIT_BYTES("connect.adit.test"), 5 * ADIT_SECOND_US));
        (void)request_take(f, ADIT_SPAN_OF(memory));
        answer(f, ADIT_AT(rows, i).answer);
        wait_done(f);
        assert_int_equal(adit_status_error(f->status), ADIT_AT(rows, i).error);
        assert_int_equal(f->status.detail, ADIT_AT(rows, i).detail);
        assert_non_null(strstr(adit_status_what(f->status), ADIT_AT(rows, i).about));
        assert_int_equal(f->fd, -1);
        adit_socket_close(&f->proxied);
    }
}

static void an_endless_answer_is_given_up(void **state)
{
    struct fixture *f = *state;
    uint8_t memory[2048] = {0};
    assert_ok(open_to(f, ADIT_BYTES("connect.adit.test"), 5 * ADIT_SECOND_US));
    (void)request_take(f, ADIT_SPAN_OF(memory));
    answer(f, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 600 && f->calls == 0; i++) {
        answer(f, "X-Y: 0123456789abc\r\n");
        turn(f);
    }
    assert_int_equal(f->calls, 1);
    assert_int_equal(f->fd, -1);
    assert_false(adit_is_ok(f->status));
}

static void a_silent_proxy_is_given_up(void **state)
{
    struct fixture *f = *state;
    uint8_t memory[2048] = {0};
    assert_ok(open_to(f, ADIT_BYTES("connect.adit.test"), 200 * ADIT_MS_US));
    (void)request_take(f, ADIT_SPAN_OF(memory));
    wait_done(f);
    assert_int_equal(adit_status_error(f->status), ADIT_ERROR_TIMEOUT);
}

static void a_proxy_that_ends_or_is_not_there(void **state)
{
    struct fixture *f = *state;
    uint8_t memory[2048] = {0};
    assert_ok(open_to(f, ADIT_BYTES("connect.adit.test"), 5 * ADIT_SECOND_US));
    (void)request_take(f, ADIT_SPAN_OF(memory));
    adit_socket_close(&f->proxied);
    wait_done(f);
    assert_int_equal(adit_status_error(f->status), ADIT_ERROR_CLOSED);
    adit_socket_close(&f->listener);
    f->calls = 0;
    assert_ok(open_to(f, ADIT_BYTES("connect.adit.test"), 5 * ADIT_SECOND_US));
    wait_done(f);
    assert_int_equal(f->status.detail, ECONNREFUSED);
    assert_non_null(strstr(adit_status_what(f->status), "HTTPS_PROXY"));
}

static void a_host_cannot_smuggle_a_line(void **state)
{
    struct fixture *f = *state;
    assert_fails(open_to(f, ADIT_BYTES("a\r\nX: y"), ADIT_SECOND_US), INVALID);
    assert_fails(open_to(f, ADIT_BYTES("a b"), ADIT_SECOND_US), INVALID);
    assert_null(f->connect);
}

static void without_a_proxy_it_dials(void **state)
{
    struct fixture *f = *state;
    const struct adit_dial_options options = {.host = ADIT_BYTES("localhost"),
                                              .port = f->address.port,
                                              .timeout_us = 5 * ADIT_SECOND_US,
                                              .done = done,
                                              .context = f,
                                              .key = 7};
    assert_ok(adit_connect_open(&f->loop, &options, NULL, &f->connect));
    wait_done(f);
    assert_ok(f->status);
    assert_true(f->fd >= 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_road_opens),
        TEST(ipv6_has_brackets),
        TEST(refusals_are_told),
        TEST(an_endless_answer_is_given_up),
        TEST(a_silent_proxy_is_given_up),
        TEST(a_proxy_that_ends_or_is_not_there),
        TEST(a_host_cannot_smuggle_a_line),
        TEST(without_a_proxy_it_dials),
    };
    return cmocka_run_group_tests_name("net/connect", tests, NULL, NULL);
}
