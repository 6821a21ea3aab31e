/* HTTP tunnels: who serves which host, and what becomes of visitors when that changes. */
#include "worker_fixture.h"

static uint8_t received[65536];

static void enter(struct fixture *f)
{
    log_in(f, 0, &good_hello);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
}

/* A visitor's connection for `host`, as the door hands it over; the visitor's end. */
static int visit_for(struct fixture *f, uint32_t options, const char *host)
{
    struct adit_message web = {.type = ADIT_MESSAGE_WEB,
                               .options = options,
                               .address = {.family = 4, .port = 5000, .ip = {192, 0, 2, 7}},
                               .fd_count = 1};
    int far = -1;
    loopback_pair(&web.fds[0], &far);
    assert_ok(adit_message_text_set(&web.domain, adit_bytes_of_text(host)));
    assert_ok(adit_channel_send(&f->door, &web));
    return far;
}

static int visit(struct fixture *f, uint32_t options)
{
    return visit_for(f, options, "");
}

static void say(int fd, struct adit_bytes bytes)
{
    size_t sent = 0;
    enum adit_io io = ADIT_IO_DONE;
    assert_ok(adit_socket_send(fd, bytes, &sent, &io));
    assert_int_equal(sent, bytes.len);
}

/* What comes until it contains `wanted`. */
static struct adit_bytes hear(struct fixture *f, int *fd, const char *wanted)
{
    size_t len = 0;
    for (int turns = 0; turns < TURNS_MAX; turns++) {
        struct adit_span room = adit_span_from(ADIT_SPAN_OF(received), len);
        size_t count = 0;
        enum adit_io io = ADIT_IO_BLOCKED;
        if (*fd >= 0) {
            assert_ok(adit_socket_receive(*fd, room, &count, &io));
        }
        len += io == ADIT_IO_DONE ? count : 0;
        struct adit_bytes all = adit_bytes_first(ADIT_BYTES_OF(received), len);
        struct adit_bytes text = adit_bytes_of_text(wanted);
        for (size_t at = 0; at + text.len <= all.len; at++) {
            if (adit_bytes_starts_with(adit_bytes_from(all, at), text)) {
                return all;
            }
        }
        turn(f);
    }
    fail_msg("it never came: %s", wanted);
    return (struct adit_bytes){0};
}

static void expect_end(struct fixture *f, int fd)
{
    enum adit_io io = ADIT_IO_BLOCKED;
    for (int turns = 0; turns < TURNS_MAX && io != ADIT_IO_END; turns++) {
        size_t count = 0;
        if (!adit_is_ok(adit_socket_receive(fd, ADIT_SPAN_OF(received), &count, &io))) {
            return; /* a reset is an end as well */
        }
        turn(f);
    }
    assert_int_equal(io, ADIT_IO_END);
}

static void get(int fd, const char *host)
{
    uint8_t room[512] = {0};
    struct adit_writer head = adit_writer_of(ADIT_SPAN_OF(room));
    assert_ok(adit_write_bytes(&head, ADIT_BYTES("GET /x HTTP/1.1\r\nHost: ")));
    assert_ok(adit_write_bytes(&head, adit_bytes_of_text(host)));
    assert_ok(adit_write_bytes(&head, ADIT_BYTES("\r\n\r\n")));
    say(fd, adit_writer_bytes(&head));
}

/* One request to the tunnel's program and its answer. */
static void exchange(struct fixture *f, int *visitor)
{
    get(*visitor, "shop.adit.localhost:8443");
    (void)hear(f, &f->program, "Host: app.test\r\n"); /* the tunnel's own */
    say(f->program, ADIT_BYTES("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
    struct adit_bytes answer = hear(f, visitor, "hello");
    assert_true(adit_bytes_starts_with(answer, ADIT_BYTES("HTTP/1.1 200 OK\r\n")));
}

static void a_visitor_reaches_the_program(void **state)
{
    struct fixture *f = *state;
    struct adit_message_counters counters = {0};
    f->is_serving = true;
    f->worker->options = ADIT_START_HTTP_SERVE;
    enter(f);
    bind_name(f, 0, ADIT_TUNNEL_HTTP, "shop");
    int visitor = visit(f, ADIT_WEB_PLAIN);
    for (int i = 0; i < 3; i++) {
        exchange(f, &visitor);
    }
    assert_int_equal(f->agents[0].streams, 1); /* one connection to the program, kept */
    assert_int_equal(f->agents[0].head.kind, ADIT_TUNNEL_HTTP);
    assert_int_equal(f->agents[0].head.bind, 7);
    worker_counters_fill(f->worker, &counters);
    assert_int_equal(ADIT_AT(counters.values, ADIT_COUNTER_WORKER_REQUESTS), 3);
    assert_int_equal(ADIT_AT(counters.values, ADIT_COUNTER_WORKER_WEB), 1);
    assert_int_equal(ADIT_AT(counters.values, ADIT_COUNTER_WORKER_WEB_NOW), 1);
    assert_int_equal(ADIT_AT(counters.values, ADIT_COUNTER_WORKER_TUNNELS), 1);
    struct adit_control unbind = {.type = ADIT_CONTROL_UNBIND};
    unbind.unbind.bind = 7;
    assert_ok(adit_link_send(&f->hub, f->agents[0].link, &unbind));
    expect_end(f, visitor); /* an idle one: its next request may belong elsewhere */
    turn_until(f, f->worker->hub.pumps.used == 0);
    adit_socket_close(&visitor);
}

static void hosts_that_nobody_serves(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *host, *code;
    } rows[] = {{"nobody.adit.localhost", "Adit-Error: tunnel_not_found\r\n"},
                {"adit.localhost", "Adit-Error: tunnel_not_found\r\n"},
                {"a.shop.adit.localhost", "Adit-Error: tunnel_not_found\r\n"},
                {"shop.example.com", "Adit-Error: tunnel_not_found\r\n"},
                {"shop.adit.localhost", "Adit-Error: tunnel_not_found\r\n"}, /* a TLS tunnel */
                {"site.adit.localhost", "Adit-Error: upstream_refused\r\n"}};
    f->worker->options = ADIT_START_HTTP_SERVE;
    f->worker->settled_us = 0;
    enter(f);
    bind_name(f, 0, ADIT_TUNNEL_TLS, "shop");
    struct adit_control site = {.type = ADIT_CONTROL_BIND};
    site.bind.bind = 8;
    site.bind.kind = ADIT_TUNNEL_HTTP;
    assert_ok(adit_link_send(&f->hub, f->agents[0].link, &site));
    struct adit_message claim = expect(f, &f->door, ADIT_MESSAGE_CLAIM);
    claimed(f, &claim, "site");
    turn_until(f, f->worker->names.used == 2);
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        int visitor = visit(f, ADIT_WEB_PLAIN);
        get(visitor, ADIT_AT(rows, i).host);
        (void)hear(f, &visitor, ADIT_AT(rows, i).code);
        adit_socket_close(&visitor);
    }
    assert_int_equal(f->agents[0].streams, 1);
}

/* What a connection leads to, where there are several workers. */
static void a_host_of_another_worker(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *connection, *host, *code;
    } rows[] = {{"shop.adit.localhost", "blog.adit.localhost", "misdirected"},
                {"shop.adit.localhost", "shop.example.com", "tunnel_not_found"},
                {"shop.adit.localhost", "a.b.adit.localhost", "tunnel_not_found"},
                {"blog.adit.localhost", "blog.adit.localhost", "tunnel_not_found"},
                {"blog.adit.localhost", "shop.adit.localhost", "upstream_refused"}, /* ours */
                {"", "blog.adit.localhost", "misdirected"}, /* nobody could tell */
                {"dash.adit.localhost", "dash.adit.localhost", "dashboard_missing"},
                {"connect.adit.localhost", "connect.adit.localhost", "tunnel_not_found"}};
    f->worker->options = ADIT_START_HTTP_SERVE;
    f->worker->settled_us = 0;
    f->worker->workers = 2;
    enter(f);
    bind_name(f, 0, ADIT_TUNNEL_HTTP, "shop");
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        int visitor = visit_for(f, ADIT_WEB_PLAIN, ADIT_AT(rows, i).connection);
        get(visitor, ADIT_AT(rows, i).host);
        (void)hear(f, &visitor, ADIT_AT(rows, i).code);
        adit_socket_close(&visitor);
    }
    f->worker->settled_us = adit_clock_now_us() + 50 * ADIT_MS_US;
    int early = visit_for(f, ADIT_WEB_PLAIN, "blog.adit.localhost");
    get(early, "blog.adit.localhost"); /* of a new worker: perhaps its agent went to another */
    (void)hear(f, &early, "Adit-Error: misdirected\r\n");
    adit_socket_close(&early);
    early = visit_for(f, ADIT_WEB_PLAIN | ADIT_WEB_UNKNOWN, "blog.adit.localhost");
    get(early, "blog.adit.localhost"); /* the door knows better */
    (void)hear(f, &early, "Adit-Error: tunnel_not_found\r\n");
    adit_socket_close(&early);
}

/* The agent went to another worker: a request that was on its way is sent there. */
static void a_request_meets_a_move(void **state)
{
    struct fixture *f = *state;
    f->worker->options = ADIT_START_HTTP_SERVE;
    f->worker->settled_us = 0;
    f->worker->workers = 2;
    for (int is_told = 0; is_told < 2; is_told++) {
        uint64_t session = f->worker->session_next;
        enter(f);
        bind_name(f, 0, ADIT_TUNNEL_HTTP, "shop");
        int visitor = visit_for(f, ADIT_WEB_PLAIN, "shop.adit.localhost");
        if (is_told) {
            struct adit_message evict = {.type = ADIT_MESSAGE_EVICT, .session = session};
            assert_ok(adit_channel_send(&f->door, &evict));
        } else { /* it waits a moment first: the agent may come back to this one */
            adit_link_close(&f->hub, f->agents[0].link, adit_ok());
        }
        (void)expect(f, &f->door, ADIT_MESSAGE_RELEASE);
        turn_until(f, f->worker->agents.used == 0);
        uint64_t start_us = adit_clock_now_us();
        get(visitor, "shop.adit.localhost");
        (void)hear(f, &visitor, "Adit-Error: misdirected\r\n");
        assert_true(!is_told || adit_clock_now_us() - start_us < WORKER_LEFT_US / 2);
        adit_socket_close(&visitor);
    }
}

static void a_refusal_is_logged_once_a_second(void **state)
{
    struct fixture *f = *state;
    int pipes[2] = {-1, -1};
    f->worker->options = ADIT_START_HTTP_SERVE;
    enter(f);
    assert_int_equal(pipe(pipes), 0);
    adit_log_init(&f->worker->log, pipes[1], ADIT_LOG_TEXT, ADIT_BYTES("worker"));
    static const char *const hosts[] = {"nobody.adit.localhost", "nobody.adit.localhost", "a b"};
    for (size_t i = 0; i < ADIT_COUNT(hosts); i++) {
        int visitor = visit(f, ADIT_WEB_PLAIN);
        get(visitor, ADIT_AT(hosts, i));
        (void)hear(f, &visitor, "Adit-Error: ");
        adit_socket_close(&visitor);
    }
    adit_log_init(&f->worker->log, -1, ADIT_LOG_TEXT, ADIT_BYTES("worker"));
    close(pipes[1]);
    ssize_t count = read(pipes[0], received, sizeof received - 1);
    close(pipes[0]);
    assert_true(count > 0);
    ADIT_AT(received, (size_t)count) = 0;
    const char *text = (const char *)received;
    assert_non_null(strstr(text, "reason=tunnel_not_found peer=192.0.2.7:5000 "));
    assert_non_null(strstr(text, "event=request_refused reason=bad_request "));
    /* The second of a kind, within the same second. */
    assert_int_equal(ADIT_AT(f->worker->tallies, ADIT_HTTP_ERROR_TUNNEL_NOT_FOUND).unsaid, 1);
}

static void the_plain_port_redirects(void **state)
{
    struct fixture *f = *state;
    enter(f);
    bind_name(f, 0, ADIT_TUNNEL_HTTP, "shop");
    int visitor = visit(f, ADIT_WEB_PLAIN);
    get(visitor, "shop.adit.localhost:8080");
    struct adit_bytes answer = hear(f, &visitor, "https://shop.adit.localhost:8443/x");
    assert_true(adit_bytes_starts_with(answer, ADIT_BYTES("HTTP/1.1 308 ")));
    assert_int_equal(f->agents[0].streams, 0);
    adit_socket_close(&visitor);
}

/* A worker that took the place of a dead one: its agents are on their way. */
static void a_new_worker_waits_for_its_agents(void **state)
{
    struct fixture *f = *state;
    f->is_serving = true;
    f->worker->options = ADIT_START_HTTP_SERVE;
    int visitor = visit(f, ADIT_WEB_PLAIN);
    int nonsense = visit(f, ADIT_WEB_PLAIN);
    get(visitor, "shop.adit.localhost");
    get(nonsense, "shop.example.com");
    (void)hear(f, &nonsense, "Adit-Error: tunnel_not_found\r\n");
    enter(f);
    bind_name(f, 0, ADIT_TUNNEL_HTTP, "shop");
    (void)hear(f, &f->program, "Host: app.test\r\n");
    adit_socket_close(&visitor);
    adit_socket_close(&nonsense);
}

/* Its agent is away: a request waits a moment, and finds it back; or is told that it is gone. */
static void a_request_meets_a_reconnect(void **state)
{
    struct fixture *f = *state;
    f->is_serving = true;
    f->worker->options = ADIT_START_HTTP_SERVE;
    enter(f);
    bind_name(f, 0, ADIT_TUNNEL_HTTP, "shop");
    for (int comes_back = 1; comes_back >= 0; comes_back--) {
        f->worker->settled_us = 0;
        adit_link_close(&f->hub, f->agents[0].link, adit_ok());
        turn_until(f, f->worker->agents.used == 0);
        (void)expect(f, &f->door, ADIT_MESSAGE_RELEASE);
        int visitor = visit(f, ADIT_WEB_PLAIN);
        get(visitor, "shop.adit.localhost");
        if (comes_back) {
            enter(f);
            bind_name(f, 0, ADIT_TUNNEL_HTTP, "shop");
            (void)hear(f, &f->program, "Host: app.test\r\n");
            say(f->program, ADIT_BYTES("HTTP/1.1 204 No Content\r\n\r\n"));
            (void)hear(f, &visitor, "HTTP/1.1 204 ");
        } else {
            (void)hear(f, &visitor, "Adit-Error: tunnel_not_found\r\n");
        }
        adit_socket_close(&visitor);
    }
}

static void an_expired_token_serves_nobody(void **state)
{
    struct fixture *f = *state;
    f->worker->options = ADIT_START_HTTP_SERVE;
    enter(f);
    bind_name(f, 0, ADIT_TUNNEL_HTTP, "shop");
    worker_bind_agent(f->worker, worker_name_find(f->worker, ADIT_BYTES("shop")))
        ->rights.expiry_s = 1000;
    int before = f->agents[0].messages;
    int visitor = visit(f, ADIT_WEB_PLAIN);
    get(visitor, "shop.adit.localhost");
    (void)hear(f, &visitor, "Adit-Error: tunnel_not_found\r\n"); /* once its session has ended */
    expect_refusal(f, 0, before, "token_expired");
    turn_until(f, f->agents[0].closes == 1);
    assert_int_equal(f->agents[0].streams, 0);
    adit_socket_close(&visitor);
}

static void carry_out(struct adit_tls *tls, struct adit_chunk_pool *pool, int fd)
{
    while (adit_tls_out(tls)->len > 0) {
        struct adit_bytes part = adit_queue_front(adit_tls_out(tls));
        say(fd, part);
        adit_queue_drop(adit_tls_out(tls), pool, part.len);
    }
}

/* A browser's TLS: the worker's own context, which is not the agents'. */
static void a_visitor_over_tls(void **state)
{
    struct fixture *f = *state;
    struct adit_chunk_pool pool = {0};
    struct adit_tls_context *context = NULL;
    struct adit_tls *tls = NULL;
    uint8_t ca[4096] = {0};
    static uint8_t plain[4096];
    struct adit_writer ca_text = adit_writer_of(ADIT_SPAN_OF(ca));
    credentials_read(&f->credentials, "ca.pem", &ca_text);
    const struct adit_tls_client_options options = {.roots_pem = adit_writer_bytes(&ca_text),
                                                    .alpn = ADIT_BYTES("http/1.1")};
    adit_chunk_pool_init(&pool, 16, 4);
    assert_ok(adit_tls_client_open(&options, &context));
    assert_ok(adit_tls_open(context, &pool, 65536, ADIT_BYTES("nobody.adit.localhost"), &tls));
    f->worker->settled_us = 0;
    int visitor = visit(f, 0);
    bool is_done = false;
    bool is_asked = false;
    size_t len = 0;
    assert_ok(adit_tls_handshake(tls, &is_done));
    for (int turns = 0; turns < TURNS_MAX && len == 0; turns++) {
        size_t count = 0;
        enum adit_io io = ADIT_IO_BLOCKED;
        bool is_end = false;
        carry_out(tls, &pool, visitor);
        turn(f);
        assert_ok(adit_socket_receive(visitor, ADIT_SPAN_OF(received), &count, &io));
        if (io == ADIT_IO_DONE) {
            adit_tls_input_set(tls, adit_bytes_first(ADIT_BYTES_OF(received), count));
            if (!is_done) {
                assert_ok(adit_tls_handshake(tls, &is_done));
            }
            if (is_done) {
                assert_ok(adit_tls_read(tls, ADIT_SPAN_OF(plain), &len, &is_end));
            }
        }
        if (is_done && !is_asked) {
            is_asked = true;
            assert_ok(adit_tls_write(
                tls, ADIT_BYTES("GET / HTTP/1.1\r\nHost: nobody.adit.localhost\r\n\r\n")));
        }
    }
    assert_true(adit_bytes_starts_with(adit_bytes_first(ADIT_BYTES_OF(plain), len),
                                       ADIT_BYTES("HTTP/1.1 404 ")));
    assert_bytes(adit_tls_alpn(tls), ADIT_BYTES("http/1.1"));
    adit_tls_close(&tls);
    adit_tls_context_close(&context);
    adit_socket_close(&visitor);
    adit_chunk_pool_deinit(&pool);
}

/* An answer that has begun may end; then the worker does. */
static void a_stop_waits_for_answers(void **state)
{
    struct fixture *f = *state;
    f->is_serving = true;
    f->worker->options = ADIT_START_HTTP_SERVE;
    enter(f);
    bind_name(f, 0, ADIT_TUNNEL_HTTP, "shop");
    int visitor = visit(f, ADIT_WEB_PLAIN);
    get(visitor, "shop.adit.localhost");
    (void)hear(f, &f->program, "\r\n\r\n");
    say(f->program, ADIT_BYTES("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst"));
    (void)hear(f, &visitor, "first");
    struct adit_message stop = {.type = ADIT_MESSAGE_STOP, .drain_ms = 20000};
    assert_ok(adit_channel_send(&f->supervisor, &stop));
    turn_until(f, f->worker->stop_us > 0);
    for (int i = 0; i < 5; i++) {
        turn(f);
    }
    assert_false(f->worker->loop.is_stopping);
    assert_int_equal(f->agents[0].closes, 0);
    say(f->program, ADIT_BYTES("-last"));
    (void)hear(f, &visitor, "-last");
    adit_socket_close(&visitor);
    turn_until(f, f->agents[0].closes == 1);
    turn_until(f, f->worker->loop.is_stopping);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_visitor_reaches_the_program),
        TEST(hosts_that_nobody_serves),
        TEST(a_host_of_another_worker),
        TEST(a_request_meets_a_move),
        TEST(a_refusal_is_logged_once_a_second),
        TEST(the_plain_port_redirects),
        TEST(a_new_worker_waits_for_its_agents),
        TEST(a_request_meets_a_reconnect),
        TEST(an_expired_token_serves_nobody),
        TEST(a_visitor_over_tls),
        TEST(a_stop_waits_for_answers),
    };
    return cmocka_run_group_tests_name("edge/worker/web", tests, NULL, NULL);
}
