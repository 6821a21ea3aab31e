/* Logging in, coming back, and ending. Covers session.c. */
#include "agent_harness.h"

static void it_logs_in_and_asks(void **state)
{
    struct fixture *f = *state;
    f->tunnel.remote_port = 20001;
    open_agent(f, "connect.adit.localhost");
    turn_until(f, f->ready == 1);
    assert_bytes(ADIT_FIELD_BYTES(f->hello.hello.token),
                 ADIT_BYTES("adit_a-token-is-not-looked-at-here"));
    assert_int_equal(f->hello.hello.instance.len, 32);
    assert_int_equal(f->bind.bind.remote_port, 20001);
    assert_int_equal(f->bound_port, 20001);
    assert_int_equal(f->disconnected, 0);
}

/* Bytes that wait to be read, and still do. */
static size_t waiting_at(int fd)
{
    uint8_t bytes[4096] = {0};
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    assert_ok(adit_socket_peek(fd, ADIT_SPAN_OF(bytes), &count, &io));
    return io == ADIT_IO_DONE ? count : 0;
}

static void the_server_answers_before_anything_is_read(void **state)
{
    struct fixture *f = *state;
    open_agent(f, "connect.adit.localhost");
    int fd = adit_agent_greet(&f->agent);
    assert_true(fd >= 0);
    assert_int_equal(f->agent.sessions[0].state, ADIT_AGENT_LINKING);
    for (int turns = 0; turns < TURNS_MAX && waiting_at(fd) == 0; turns++) {
        assert_ok(adit_loop_turn(&f->server_loop, 500));
    }
    assert_true(waiting_at(fd) > 100); /* its hello, and what belongs to it */
    turn_until(f, f->ready == 1);
    assert_int_equal(f->links, 1);
    assert_int_equal(f->disconnected, 0);
    assert_int_equal(adit_agent_greet(&f->agent), -1); /* it has one */
}

/* Who speaks first is no server, and is told so by the loop. */
static void what_a_stranger_says_at_once_waits(void **state)
{
    struct fixture *f = *state;
    static const uint8_t words[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    struct adit_address address = {0};
    struct adit_address server = f->server;
    int listener = loopback_listen(&address);
    f->server = address;
    open_agent(f, "127.0.0.1");
    int fd = adit_agent_greet(&f->agent);
    int far = loopback_accept(listener);
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    assert_true(fd >= 0);
    assert_ok(adit_socket_send(far, ADIT_BYTES_OF(words), &count, &io));
    assert_int_equal(waiting_at(fd), sizeof words);
    assert_int_equal(f->disconnected, 0);
    turn_until(f, f->disconnected == 1);
    adit_socket_close(&far);
    adit_socket_close(&listener);
    f->server = server;
}

static void nobody_is_greeted_who_is_not_here(void **state)
{
    struct fixture *f = *state;
    struct adit_forward_proxy proxy = {.port = f->server.port};
    struct adit_address gone = {0};
    int listener = loopback_listen(&gone);
    adit_socket_close(&listener);
    assert_ok(ADIT_FIELD_SET(proxy.host, ADIT_BYTES("127.0.0.1")));
    const struct {
        const char *host;
        uint16_t port;
        const struct adit_forward_proxy *proxy;
    } rows[] = {{"192.0.2.1", f->server.port, NULL}, /* TEST-NET-1 */
                {"adit.example", f->server.port, NULL},
                {"127.0.0.1", f->server.port, &proxy},
                {"127.0.0.1", gone.port, NULL}};
    uint16_t port = f->server.port;
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        f->proxy = ADIT_AT(rows, i).proxy;
        f->server.port = ADIT_AT(rows, i).port;
        open_agent(f, ADIT_AT(rows, i).host);
        assert_int_equal(adit_agent_greet(&f->agent), -1);
        assert_int_equal(f->agent.sessions[0].state, ADIT_AGENT_WAITING);
        if (i + 1 < ADIT_COUNT(rows)) {
            adit_agent_close(&f->agent);
        }
    }
    turn_until(f, f->disconnected == 1); /* the last one: the loop's next turn dialled */
    f->server.port = port;
}

static void it_asks_without_waiting_for_the_welcome(void **state)
{
    struct fixture *f = *state;
    f->has_auto_answer = false;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->hellos == 1 && f->binds == 1);
    assert_int_equal(f->agent.sessions[0].state, ADIT_AGENT_LINKING);
    server_welcome(f);
    server_bound(f, 20007);
    turn_until(f, f->ready == 1);
    assert_int_equal(f->binds, 1); /* and not again with the welcome */
}

/* The bind's answer cannot come before the welcome: such a server is not listened to. */
static void an_address_before_the_welcome_is_none(void **state)
{
    struct fixture *f = *state;
    f->has_auto_answer = false;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->hellos == 1 && f->binds == 1);
    server_bound(f, 20007);
    for (int i = 0; i < 200; i++) {
        turn(f);
    }
    assert_int_equal(f->ready, 0);
    server_welcome(f);
    server_bound(f, 20008);
    turn_until(f, f->ready == 1);
    assert_int_equal(f->bound_port, 20008);
}

static void it_comes_back_with_its_port(void **state)
{
    struct fixture *f = *state;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->ready == 1);
    assert_int_equal(f->bind.bind.remote_port, 0);
    f->agent.sessions[0].in_since_us = 1; /* lived long: the first retry is within 500 ms */
    adit_link_close(&f->hub, f->link, adit_ok());
    turn_until(f, f->disconnected == 1);
    assert_true(f->wait_us < ADIT_BACKOFF_FIRST_US);
    turn_until(f, f->reconnected == 1);
    assert_int_equal(f->bind.bind.remote_port, 20007); /* what it was given the first time */
    assert_int_equal(f->ready, 1);                     /* the same address is not told again */
    assert_int_equal(f->hellos, 2);
}

/* However short the session was: a small server has few who could come back at once. */
static void the_server_says_how_soon_it_comes_back(void **state)
{
    struct fixture *f = *state;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->ready == 1);
    assert_true(adit_control_has_feature(&f->hello.hello.features, ADIT_BYTES("retry")));
    struct adit_control message = {.type = ADIT_CONTROL_RETRY};
    message.retry.spread_ms = 1;
    assert_ok(adit_link_send(&f->hub, f->link, &message));
    turn_until(f, f->agent.sessions[0].backoff.spread_us == ADIT_BACKOFF_SPREAD_MIN_US);
    adit_link_close(&f->hub, f->link, adit_ok());
    turn_until(f, f->disconnected == 1);
    assert_true(f->wait_us < ADIT_BACKOFF_SPREAD_BASE_US);
    assert_int_equal(f->agent.sessions[0].backoff.failures, 1);
    turn_until(f, f->reconnected == 1);
    f->agent.sessions[0].in_since_us = 1; /* lived long */
    adit_link_close(&f->hub, f->link, adit_ok());
    turn_until(f, f->disconnected == 2);
    assert_true(f->wait_us < ADIT_BACKOFF_SPREAD_MIN_US);
    turn_until(f, f->reconnected == 2);
    assert_int_equal(f->agent.sessions[0].backoff.failures, 0);
}

static void a_final_refusal_ends_it(void **state)
{
    struct fixture *f = *state;
    f->has_auto_answer = false;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->hellos == 1);
    refuse(f, ADIT_REFUSAL_TOKEN_EXPIRED, 0);
    turn_until(f, f->refused == 1);
    assert_string_equal(f->code, "token_expired");
    turn_until(f, f->links_closed == 1);
    for (int i = 0; i < 200; i++) {
        turn(f);
    }
    assert_int_equal(f->links, 1); /* no endless retry */
    assert_int_equal(f->disconnected, 0);
}

static void a_wrong_certificate_ends_it(void **state)
{
    struct fixture *f = *state;
    struct credentials other = {0};
    credentials_open(&other);
    struct adit_tls_context *mine = f->credentials.client_tls;
    f->credentials.client_tls = other.client_tls;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->distrusted == 1);
    for (int i = 0; i < 200; i++) {
        turn(f);
    }
    assert_int_equal(f->hellos, 0); /* the token was not sent */
    assert_int_equal(f->disconnected, 0);
    f->credentials.client_tls = mine;
    adit_agent_close(&f->agent);
    credentials_close(&other);
    open_agent(f, "127.0.0.1"); /* for the teardown */
}

/* The proxy is a socket of the test's that joins the two: it sees the name, and no more. */
static void a_proxy_leads_to_the_server(void **state)
{
    struct fixture *f = *state;
    struct adit_forward_proxy proxy = {0};
    struct adit_address address = {0};
    int proxy_listener = loopback_listen(&address);
    assert_ok(ADIT_FIELD_SET(proxy.host, ADIT_BYTES("127.0.0.1")));
    proxy.port = address.port;
    f->proxy = &proxy;
    open_agent(f, "connect.adit.localhost");
    for (int i = 0; i < 10; i++) {
        turn(f);
    }
    int near = loopback_accept(proxy_listener);
    uint8_t request[512] = {0};
    size_t count = 0;
    size_t sent = 0;
    enum adit_io io = ADIT_IO_BLOCKED;
    for (int i = 0; i < TURNS_MAX && count == 0; i++) {
        turn(f);
        assert_ok(adit_socket_receive(near, ADIT_SPAN_OF(request), &count, &io));
    }
    assert_true(adit_bytes_starts_with(ADIT_BYTES_OF(request),
                                       ADIT_BYTES("CONNECT connect.adit.localhost:")));
    assert_ok(adit_socket_send(near, ADIT_BYTES("HTTP/1.1 200 OK\r\n\r\n"), &sent, &io));
    /* The test's proxy ends TLS itself instead of carrying bytes. */
    const struct adit_link_options options = {.fd = near, .tls = f->credentials.server_tls};
    struct adit_handle link = {0};
    assert_ok(adit_link_open(&f->hub, &options, &link));
    turn_until(f, f->ready == 1);
    adit_socket_close(&proxy_listener);
}

static void it_gives_its_tunnels_up_on_the_way_out(void **state)
{
    struct fixture *f = *state;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->ready == 1);
    adit_agent_stop(&f->agent);
    turn_until(f, f->links_closed == 1 && !adit_agent_is_leaving(&f->agent));
    assert_int_equal(f->unbinds, 1);
    assert_int_equal(f->disconnected, 0);
}

static void an_unreachable_server_is_tried_again(void **state)
{
    struct fixture *f = *state;
    adit_socket_close(&f->listener);
    open_agent(f, "127.0.0.1");
    turn_until(f, f->disconnected == 1);
    assert_true(f->wait_us < ADIT_BACKOFF_BASE_US);
    assert_int_equal(f->refused, 0);
    assert_string_equal(f->reason, "no connection could be made (Connection refused)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_logs_in_and_asks),
        TEST(the_server_answers_before_anything_is_read),
        TEST(what_a_stranger_says_at_once_waits),
        TEST(nobody_is_greeted_who_is_not_here),
        TEST(it_asks_without_waiting_for_the_welcome),
        TEST(an_address_before_the_welcome_is_none),
        TEST(it_comes_back_with_its_port),
        TEST(the_server_says_how_soon_it_comes_back),
        TEST(a_final_refusal_ends_it),
        TEST(a_wrong_certificate_ends_it),
        TEST(a_proxy_leads_to_the_server),
        TEST(it_gives_its_tunnels_up_on_the_way_out),
        TEST(an_unreachable_server_is_tried_again),
    };
    return cmocka_run_group_tests_name("agent/agent", tests, NULL, NULL);
}
