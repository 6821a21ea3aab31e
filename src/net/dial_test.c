#include "net/dial.c" /* its statics too */

#include <string.h>

#include "unit.h"

struct result {
    int calls, fd;
    struct adit_status status;
    uint64_t key;
    struct adit_dial **to_close; /* closed from inside, as an owner may */
};

static void done(void *context, uint64_t key, int fd, struct adit_status status)
{
    struct result *result = context;
    result->calls++;
    result->fd = fd;
    result->status = status;
    result->key = key;
    if (result->to_close) {
        adit_dial_close(result->to_close);
    }
}

static struct adit_status failure_of(int code)
{
    ADIT_FAIL_WITH(SYSTEM, "a failure", code);
}

static struct adit_address listen_on(const char *where, int *out_listener)
{
    struct adit_address address = {0};
    assert_ok(adit_address_parse(adit_bytes_of_text(where), &address));
    assert_ok(adit_socket_listen(&address, 4, out_listener));
    assert_ok(adit_socket_local(*out_listener, &address));
    return address;
}

static void dial(const char *host, uint16_t port, uint64_t timeout_us, struct result *result)
{
    struct adit_loop loop = {0};
    struct adit_dial *one = NULL;
    assert_ok(adit_loop_open(&loop, 32, 32));
    const struct adit_dial_options options = {.host = adit_bytes_of_text(host),
                                              .port = port,
                                              .timeout_us = timeout_us,
                                              .done = done,
                                              .context = result,
                                              .key = 42};
    assert_ok(adit_dial_open(&loop, &options, &one));
    assert_int_equal(result->calls, 0); /* never from inside open */
    result->to_close = &one;
    for (int i = 0; i < 2000 && result->calls == 0; i++) {
        assert_ok(adit_loop_turn(&loop, 10 * ADIT_MS_US));
    }
    assert_int_equal(result->calls, 1);
    assert_int_equal(result->key, 42);
    assert_null(one);
    assert_int_equal(loop.watches.used, 0);
    assert_int_equal(loop.timers.used, 0);
    adit_loop_close(&loop);
}

static void it_connects(void **state)
{
    (void)state;
    static const char *const hosts[] = {"127.0.0.1", "localhost", "any.name.localhost",
                                        "CONNECT.LOCALHOST", "localhost."};
    int listener = -1;
    struct adit_address address = listen_on("127.0.0.1:0", &listener);
    for (size_t i = 0; i < ADIT_COUNT(hosts); i++) {
        struct result result = {0};
        dial(ADIT_AT(hosts, i), address.port, 5 * ADIT_SECOND_US, &result);
        assert_ok(result.status);
        assert_true(result.fd >= 0);
        adit_socket_close(&result.fd);
    }
    adit_socket_close(&listener);
}

static void a_refusal_is_told_with_its_reason(void **state)
{
    (void)state;
    int listener = -1;
    struct adit_address address = listen_on("127.0.0.1:0", &listener);
    adit_socket_close(&listener); /* a port where nobody is */
    const char *const hosts[] = {"127.0.0.1", "localhost"}; /* also where there is no IPv6 */
    for (size_t i = 0; i < ADIT_COUNT(hosts); i++) {
        struct result result = {0};
        dial(ADIT_AT(hosts, i), address.port, 5 * ADIT_SECOND_US, &result);
        assert_int_equal(adit_status_error(result.status), ADIT_ERROR_SYSTEM);
        assert_int_equal(result.status.detail, ECONNREFUSED);
        assert_int_equal(result.fd, -1);
    }
}

static void the_failure_that_tells_most_is_kept(void **state)
{
    (void)state;
    const int codes[] = {ECONNREFUSED, EADDRNOTAVAIL, ENETUNREACH, ETIMEDOUT};
    struct {
        int first, second, told; /* indexes of codes */
    } rows[] = {{0, 1, 0}, {1, 0, 0}, {1, 2, 2}, {0, 3, 3}, {2, 3, 3}, {3, 1, 3}};
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct adit_dial two = {.lookup = {.count = 2}, .begun = 2, .is_done = true};
        struct adit_loop loop = {.epoll_fd = -1};
        two.loop = &loop;
        ADIT_AT(two.attempts, 0).fd = -1;
        ADIT_AT(two.attempts, 1).fd = -1;
        attempt_failed(&two, &ADIT_AT(two.attempts, 0),
                       failure_of(ADIT_AT(codes, ADIT_AT(rows, i).first)));
        attempt_failed(&two, &ADIT_AT(two.attempts, 1),
                       failure_of(ADIT_AT(codes, ADIT_AT(rows, i).second)));
        assert_int_equal(two.worst.detail, ADIT_AT(codes, ADIT_AT(rows, i).told));
    }
}

static void only_so_many_lookups_at_once(void **state)
{
    (void)state;
    struct adit_loop loop = {0};
    struct adit_dial *one = NULL;
    assert_ok(adit_loop_open(&loop, 8, 8));
    assert_ok(adit_jobs_open(0, &loop.lookups));
    struct adit_dial_options options = {
        .host = ADIT_BYTES_INIT("a.name"), .port = 1, .timeout_us = 1, .done = done};
    assert_fails(adit_dial_open(&loop, &options, &one), FULL);
    options.host = ADIT_BYTES("127.0.0.1"); /* no lookup, no limit */
    assert_ok(adit_dial_open(&loop, &options, &one));
    adit_dial_close(&one);
    assert_int_equal(loop.timers.used, 0);
    adit_loop_close(&loop);
}

static void the_other_family_is_tried_at_once(void **state)
{
    (void)state;
    int listener = -1;
    struct adit_address six = {0};
    assert_ok(adit_address_parse(ADIT_BYTES("[::1]:0"), &six));
    if (!adit_is_ok(adit_socket_listen(&six, 4, &listener))) {
        return; /* a machine without IPv6: nothing to show */
    }
    assert_ok(adit_socket_local(listener, &six));
    struct result result = {0};
    uint64_t begin_us = adit_clock_now_us();
    dial("localhost", six.port, 5 * ADIT_SECOND_US, &result); /* 127.0.0.1 refuses */
    assert_ok(result.status);
    assert_true(adit_clock_now_us() - begin_us < 4 * ADIT_SECOND_US); /* sooner than the timeout */
    adit_socket_close(&result.fd);
    adit_socket_close(&listener);
}

static void a_silent_address_times_out(void **state)
{
    (void)state;
    struct adit_address address = {0};
    int listener = -1;
    int fillers[8] = {0};
    assert_ok(adit_address_parse(ADIT_BYTES("127.0.0.1:0"), &address));
    assert_ok(adit_socket_listen(&address, 0, &listener)); /* a queue that is soon full */
    assert_ok(adit_socket_local(listener, &address));
    for (size_t i = 0; i < ADIT_COUNT(fillers); i++) {
        assert_ok(adit_socket_connect(&address, &ADIT_AT(fillers, i)));
    }
    struct result result = {0};
    dial("127.0.0.1", address.port, 300 * ADIT_MS_US, &result);
    assert_int_equal(adit_status_error(result.status), ADIT_ERROR_TIMEOUT);
    for (size_t i = 0; i < ADIT_COUNT(fillers); i++) {
        adit_socket_close(&ADIT_AT(fillers, i));
    }
    adit_socket_close(&listener);
}

static void a_name_that_is_none_is_told(void **state)
{
    (void)state;
    struct result result = {0};
    dial("no-such-name.invalid", 80, 10 * ADIT_SECOND_US, &result); /* RFC 6761: never exists */
    assert_false(adit_is_ok(result.status));
    assert_int_equal(result.fd, -1);
}

static void it_may_be_given_up(void **state)
{
    (void)state;
    static const char *const hosts[] = {"127.0.0.1", "no-such-name.invalid"};
    for (size_t i = 0; i < ADIT_COUNT(hosts); i++) {
        struct adit_loop loop = {0};
        struct adit_dial *one = NULL;
        struct result result = {0};
        assert_ok(adit_loop_open(&loop, 32, 32));
        const struct adit_dial_options options = {.host = adit_bytes_of_text(ADIT_AT(hosts, i)),
                                                  .port = 9,
                                                  .timeout_us = ADIT_SECOND_US,
                                                  .done = done,
                                                  .context = &result};
        assert_ok(adit_dial_open(&loop, &options, &one));
        adit_dial_close(&one);
        adit_dial_close(&one);
        assert_ok(adit_loop_turn(&loop, 20 * ADIT_MS_US));
        assert_int_equal(result.calls, 0);
        assert_int_equal(loop.watches.used, 0);
        assert_int_equal(loop.timers.used, 0);
        adit_loop_close(&loop);
    }
}

static void wrong_hosts_fail_at_once(void **state)
{
    (void)state;
    static const uint8_t long_host[254] = {'a'};
    const struct adit_bytes hosts[] = {ADIT_BYTES(""), ADIT_BYTES_OF(long_host),
                                       ADIT_BYTES("a\0b")};
    struct adit_loop loop = {0};
    struct adit_dial *one = NULL;
    assert_ok(adit_loop_open(&loop, 8, 8));
    for (size_t i = 0; i < ADIT_COUNT(hosts); i++) {
        const struct adit_dial_options options = {
            .host = ADIT_AT(hosts, i), .port = 1, .timeout_us = 1, .done = done};
        assert_fails(adit_dial_open(&loop, &options, &one), INVALID);
    }
    adit_loop_close(&loop);
}

static void loopback_answers_at_once(void **state)
{
    (void)state;
    int listener = -1;
    const struct adit_address address = listen_on("127.0.0.1:0", &listener);
    const struct {
        const char *host;
        bool is_good;
    } rows[] = {{"127.0.0.1", true}, {"localhost", true}, {"app.localhost", true},
                {"127.0.0.2", false}, /* nobody listens there */
                {"::1", false},       {"192.0.2.1", false},   {"example.com", false}, {"", false}};
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct adit_dial_options options = {.host = adit_bytes_of_text(ADIT_AT(rows, i).host),
                                            .port = address.port,
                                            .is_to_speak = i % 2 == 0};
        int fd = -1;
        assert_int_equal(adit_dial_at_once(&options, &fd), ADIT_AT(rows, i).is_good);
        assert_int_equal(fd >= 0, ADIT_AT(rows, i).is_good);
        adit_socket_close(&fd);
        options.port = 0;
        assert_false(adit_dial_at_once(&options, &fd));
    }
    adit_socket_close(&listener);
}

/* A queue that is full takes a connection later, if at all: not at once. */
static void a_full_queue_does_not_answer_at_once(void **state)
{
    (void)state;
    struct adit_address address = {.family = 4, .ip = {127, 0, 0, 1}};
    int fds[8] = {-1, -1, -1, -1, -1, -1, -1, -1};
    int listener = -1;
    bool was_refused = false;
    assert_ok(adit_socket_listen(&address, 1, &listener));
    assert_ok(adit_socket_local(listener, &address));
    const struct adit_dial_options options = {.host = ADIT_BYTES("127.0.0.1"),
                                              .port = address.port};
    for (size_t i = 0; i < ADIT_COUNT(fds) && !was_refused; i++) {
        was_refused = !adit_dial_at_once(&options, &ADIT_AT(fds, i));
    }
    assert_true(was_refused);
    for (size_t i = 0; i < ADIT_COUNT(fds); i++) {
        adit_socket_close(&ADIT_AT(fds, i));
    }
    adit_socket_close(&listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_connects),
        cmocka_unit_test(loopback_answers_at_once),
        cmocka_unit_test(a_full_queue_does_not_answer_at_once),
        cmocka_unit_test(a_refusal_is_told_with_its_reason),
        cmocka_unit_test(the_failure_that_tells_most_is_kept),
        cmocka_unit_test(only_so_many_lookups_at_once),
        cmocka_unit_test(the_other_family_is_tried_at_once),
        cmocka_unit_test(a_silent_address_times_out),
        cmocka_unit_test(a_name_that_is_none_is_told),
        cmocka_unit_test(it_may_be_given_up),
        cmocka_unit_test(wrong_hosts_fail_at_once),
    };
    return cmocka_run_group_tests_name("net/dial", tests, NULL, NULL);
}
