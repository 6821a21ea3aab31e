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
