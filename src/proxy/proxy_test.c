/* Visitors through the proxy to programs behind an agent. Covers proxy.c, answer.c. */
#include "proxy/proxy_fixture.h"

#define BODY_BYTES (10 * 1024 * 1024)

static void a_request_and_its_answer(void **state)
{
    struct world *world = *state;
    for (int is_tls = 0; is_tls < 2; is_tls++) {
        struct talker *visitor = visitor_with(world, is_tls != 0, false);
        say(world, visitor, "GET /x?y HTTP/1.1\r\nHost: a.test\r\nX-A: 1\r\n\r\n");
        struct talker *program = program_at(world, 0);
        await(world, program, "\r\n\r\n");
        assert_true(adit_bytes_starts_with(talker_text(program),
                                           ADIT_BYTES("GET /x?y HTTP/1.1\r\nHost: a.test\r\n")));
        assert_true(text_has(talker_text(program), ADIT_BYTES("X-Forwarded-For: 192.0.2.1\r\n")));
        assert_true(text_has(talker_text(program), is_tls ? ADIT_BYTES("-Proto: https\r\n")
                                                          : ADIT_BYTES("-Proto: http\r\n")));
        program->len = 0;
        say(world, program, OK);
        heard(world, visitor, OK);
        talker_close(visitor);
        turn_until(world, adit_proxy_counters(world->proxy)->connections_now == 0);
        assert_int_equal(adit_proxy_counters(world->proxy)->idle_pipes_now, 1);
        assert_int_equal(world->told.status, 200);
        assert_int_equal(world->told.bytes_out, 2);
    }
    assert_int_equal(world->program_count, 1); /* the pipe was used again */
}

static void keep_alive_on_both_sides(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_with(world, true, false);
    for (int i = 0; i < 1000; i++) {
        say(world, visitor, GET);
        struct talker *program = program_at(world, 0);
        await(world, program, "\r\n\r\n");
        program->len = 0;
        say(world, program, OK);
        heard(world, visitor, OK);
    }
    assert_int_equal(world->program_count, 1);
    assert_int_equal(adit_proxy_counters(world->proxy)->requests, 1000);
    assert_int_equal(adit_proxy_counters(world->proxy)->connections, 1);
    assert_int_equal(adit_proxy_counters(world->proxy)->retries, 0);
    talker_close(visitor);
}

static void bodies_of_ten_mebibytes(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_with(world, true, false);
    world->proxy->times.proven_us = 0;
    for (size_t is_chunked = 0; is_chunked < 2; is_chunked++) { /* both over one pipe */
        struct source up = {.size = BODY_BYTES, .is_chunked = is_chunked != 0};
        struct source down = up;
        if (is_chunked) {
            say(world, visitor, "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked"
                                "\r\n\r\n");
        } else {
            say(world, visitor, "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10485760"
                                "\r\n\r\n");
        }
        struct talker *program = program_at(world, 0);
        await(world, program, "\r\n\r\n");
        head_drop(program);
        transfer(world, visitor, program, &up);
        if (is_chunked) {
            say(world, program, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        } else {
            say(world, program, "HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\n");
        }
        await(world, visitor, "\r\n\r\n");
        head_drop(visitor);
        transfer(world, program, visitor, &down);
        turn_until(world, world->tells == (int)is_chunked + 1);
        assert_int_equal(world->told.bytes_in, BODY_BYTES);
        assert_int_equal(world->told.bytes_out, BODY_BYTES);
    }
    talker_close(visitor);
}

static void what_the_agent_says_becomes_an_error(void **state)
{
    struct world *world = *state;
    static const struct {
        int dial;
        enum adit_proxy_verdict verdict;
        struct adit_bytes request, code;
        bool is_lost; /* and the connection with it */
    } cases[] = {
        {ADIT_DIAL_REFUSED, ADIT_PROXY_SERVED, ADIT_BYTES_INIT(GET),
         ADIT_BYTES_INIT("Adit-Error: upstream_refused\r\n"), false},
        {ADIT_DIAL_UNREACHABLE, ADIT_PROXY_SERVED, ADIT_BYTES_INIT(GET),
         ADIT_BYTES_INIT("Adit-Error: upstream_refused\r\n"), false},
        {ADIT_DIAL_TIMED_OUT, ADIT_PROXY_SERVED, ADIT_BYTES_INIT(GET),
         ADIT_BYTES_INIT("Adit-Error: upstream_timeout\r\n"), false},
        {ADIT_DIAL_LIMIT, ADIT_PROXY_SERVED, ADIT_BYTES_INIT(GET),
         ADIT_BYTES_INIT("Adit-Error: overloaded\r\n"), true},
        {ADIT_DIAL_UNKNOWN_BIND, ADIT_PROXY_SERVED, ADIT_BYTES_INIT(GET),
         ADIT_BYTES_INIT("Adit-Error: agent_gone\r\n"), true},
        {0, ADIT_PROXY_DASHBOARD, ADIT_BYTES_INIT(GET),
         ADIT_BYTES_INIT("Adit-Error: dashboard_missing\r\n"), false},
        {0, ADIT_PROXY_ELSEWHERE, ADIT_BYTES_INIT(GET),
         ADIT_BYTES_INIT("Adit-Error: misdirected\r\n"), true},
        {0, ADIT_PROXY_AWAY, ADIT_BYTES_INIT(GET),
         ADIT_BYTES_INIT("Adit-Error: overloaded\r\n"), true},
        {0, ADIT_PROXY_SERVED, ADIT_BYTES_INIT("GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n"),
         ADIT_BYTES_INIT("Adit-Error: tunnel_not_found\r\n"), true},
    };
    world->proxy->times.queued_us = world->proxy->times.away_us = 20 * ADIT_MS_US;
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        struct talker *visitor = visitor_open(world);
        world->dial = ADIT_AT(cases, i).dial;
        world->verdict = ADIT_AT(cases, i).verdict;
        talker_say(world, visitor, ADIT_AT(cases, i).request);
        talker_await(world, visitor, ADIT_AT(cases, i).code);
        await(world, visitor, "</html>");
        assert_true(world->told.is_refused); /* the same is told to the owner */
        assert_true(
            text_has(ADIT_AT(cases, i).code, adit_http_error_code(world->told.error)));
        assert_int_equal(world->told.peer.family, 4);
        bool is_lost = text_has(talker_text(visitor), ADIT_BYTES("Connection: close\r\n"));
        assert_int_equal(is_lost, ADIT_AT(cases, i).is_lost);
        if (is_lost) {
            await_end(world, visitor);
            assert_true(visitor->is_ended);
        }
        talker_close(visitor);
    }
}

/* The agent comes back while the request waits. */
static void a_request_waits_for_its_agent(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    world->verdict = ADIT_PROXY_AWAY;
    say(world, visitor, GET);
    for (int i = 0; i < 50; i++) {
        world_turns(world);
    }
    assert_true(world->has_waited);
    world->verdict = ADIT_PROXY_SERVED;
    struct talker *program = program_at(world, 0);
    await(world, program, "\r\n\r\n");
    say(world, program, OK);
    heard(world, visitor, OK);
    say(world, visitor, GET);
    for (int i = 0; i < 1000 && world->has_waited; i++) {
        world_turns(world);
    }
    assert_false(world->has_waited); /* each request anew */
    talker_close(visitor);
}

static void a_silent_agent_is_given_up(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    world->proxy->times.ack_us = 20 * ADIT_MS_US;
    world->dial = -1;
    say(world, visitor, GET);
    await(world, visitor, "Adit-Error: agent_no_ack\r\n");
    talker_close(visitor);
}

static void a_lost_link_is_told(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    struct talker *other = visitor_open(world);
    say(world, visitor, GET);
    say(world, other, GET);
    struct talker *program = program_at(world, 0);
    turn_until(world, world->program_count == 2);
    await(world, program, "\r\n\r\n");
    say(world, program, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    turn_until(world, (talker_hear(world, visitor), talker_hear(world, other),
                       text_has(talker_text(visitor), ADIT_BYTES("half")) ||
                           text_has(talker_text(other), ADIT_BYTES("half"))));
    struct talker *begun = visitor->len > 0 ? visitor : other;
    struct talker *waiting = visitor->len > 0 ? other : visitor;
    world->proxy->times.queued_us = 20 * ADIT_MS_US;
    adit_link_close(&world->server, world->server_link, adit_ok());
    await_end(world, begun);
    assert_true(begun->is_reset);
    await(world, waiting, "Adit-Error: agent_gone\r\n");
    await_end(world, waiting); /* the next connection may lead to where the agent is then */
    assert_true(waiting->is_ended);
    struct talker *late = visitor_open(world);
    say(world, late, GET);
    await(world, late, "Adit-Error: agent_gone\r\n");
    talker_close(late);
    talker_close(visitor);
    talker_close(other);
}

static void redirects_and_options(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_with(world, false, true);
    say(world, visitor, "GET /a?b HTTP/1.1\r\nHost: A.test:8080\r\n\r\n");
    await(world, visitor, "HTTP/1.1 308 ");
    await(world, visitor, "Location: https://a.test:8443/a?b\r\n");
    visitor->len = 0;
    say(world, visitor, "GET http://a.test/c HTTP/1.1\r\nHost: a.test\r\n\r\n");
    await(world, visitor, "Location: https://a.test:8443/c\r\n");
    say(world, visitor, "GET / HTTP/1.1\r\n\r\n");
    await(world, visitor, "HTTP/1.1 400 ");
    assert_true(world->told.is_refused);
    assert_int_equal(world->told.error, ADIT_HTTP_ERROR_BAD_REQUEST);
    talker_close(visitor);
    visitor = visitor_open(world);
    say(world, visitor, "OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n");
    await(world, visitor, "HTTP/1.1 204 ");
    talker_close(visitor);
    assert_int_equal(world->program_count, 0);
}

static void draining_ends_what_waits(void **state)
{
    struct world *world = *state;
    struct talker *waiting = visitor_open(world);
    struct talker *running = visitor_open(world);
    say(world, waiting, GET);
    struct talker *program = program_at(world, 0);
    await(world, program, "\r\n\r\n");
    say(world, program, OK);
    heard(world, waiting, OK);
    program->len = 0;
    say(world, running, GET);
    await(world, program, "\r\n\r\n");
    adit_proxy_drain(world->proxy);
    await_end(world, waiting);
    assert_true(waiting->is_ended);
    say(world, program, OK);
    await(world, running, "Connection: close\r\n");
    await(world, running, "\r\n\r\nok");
    await_end(world, running);
    assert_true(running->is_ended);
    turn_until(world, adit_proxy_counters(world->proxy)->connections_now == 0);
    talker_close(waiting);
    talker_close(running);
}

/* Memory is short: a connection is cut, the others and the session go on. */
static void a_full_budget_cuts_a_connection(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    world->server.chunks.chunks_max = 8;
    assert_ok(adit_socket_buffers_set(visitor->fd, 4096, 0));
    say(world, visitor, GET);
    struct talker *program = program_at(world, 0);
    await(world, program, "\r\n\r\n");
    say(world, program, "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    for (int i = 0; i < 4000 && world->tells == 0; i++) {
        static uint8_t block[65536];
        size_t count = 0;
        enum adit_io io = ADIT_IO_DONE;
        adit_status_ignore(adit_socket_send(program->fd, ADIT_BYTES_OF(block), &count, &io),
                           "it may be cut already");
        world_turns(world);
    }
    assert_true(world->told.is_cut);
    turn_until(world, world->server.chunks.used == 0);
    struct talker *other = visitor_with(world, true, false);
    say(world, other, GET);
    program = program_at(world, 1);
    await(world, program, "\r\n\r\n");
    say(world, program, OK);
    heard(world, other, OK);
    talker_close(visitor);
    talker_close(other);
}

/* As much as goes from a program towards somebody who does not read. */
static void program_pours(struct world *world, struct talker *program, size_t bytes)
{
    static uint8_t block[16384];
    for (size_t sent = 0; sent < bytes;) {
        size_t count = 0;
        enum adit_io io = ADIT_IO_DONE;
        adit_status_ignore(adit_socket_send(program->fd, ADIT_BYTES_OF(block), &count, &io),
                           "it may be cut already");
        sent += sizeof block;
        world_turns(world);
    }
}

/* HTTP visitors and those of other tunnels share one budget: whoever holds most pays. */
static void memory_is_shared_with_pumps(void **state)
{
    struct world *world = *state;
    const struct adit_stream_head head = {.kind = ADIT_TUNNEL_HTTP, .bind = 3};
    struct talker *visitor = visitor_open(world);
    world->server.mux.limits.window_max = world->server.mux.limits.window_start;
    assert_ok(adit_socket_buffers_set(visitor->fd, 4096, 0));
    say(world, visitor, GET);
    struct talker *program = program_at(world, 0);
    await(world, program, "\r\n\r\n");
    say(world, program, "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    program_pours(world, program, 6 << 20);
    assert_true(world->server.chunks.used > 8);
    world->server.chunks.chunks_max = world->server.chunks.used + 4;
    int visited = -1;
    int other = -1;
    struct adit_handle pump = {0};
    loopback_pair(&visited, &other);
    assert_ok(adit_socket_buffers_set(other, 4096, 0));
    assert_ok(adit_pump_open(&world->server,
                             &(struct adit_pump_options){
                                 .link = world->server_link, .fd = visited, .head = &head},
                             &pump));
    program_pours(world, program_at(world, 1), 6 << 20);
    assert_true(world->told.is_cut); /* the visitor held most */
    assert_int_equal(world->pumps_closed, 0);
    assert_true(world->server.chunks.used > 8);
    world->server.chunks.chunks_max = world->server.chunks.used + 1;
    struct talker *late = visitor_with(world, true, false);
    say(world, late, GET);
    program = program_at(world, 2);
    await(world, program, "\r\n\r\n");
    say(world, program, OK);
    heard(world, late, OK);
    assert_int_equal(world->pumps_closed, 1); /* and now the pump did */
    adit_socket_close(&other);
    talker_close(visitor);
    talker_close(late);
}

/* Closed in the middle of everything: world_close looks at what is left. */
static void closing_gives_everything_back(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_with(world, true, false);
    struct talker *other = visitor_open(world);
    say(world, visitor, "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100\r\n\r\nabc");
    struct talker *program = program_at(world, 0);
    await(world, program, "abc");
    say(world, program, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    await(world, visitor, "half");
    say(world, other, "GET / HT");
    world_turns(world);
    adit_proxy_close(&world->proxy);
    await_end(world, visitor);
    assert_true(visitor->is_reset);
    talker_close(visitor);
    talker_close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_and_its_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(keep_alive_on_both_sides, setup, teardown),
        cmocka_unit_test_setup_teardown(bodies_of_ten_mebibytes, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_agent_says_becomes_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(a_request_waits_for_its_agent, setup, teardown),
        cmocka_unit_test_setup_teardown(a_silent_agent_is_given_up, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lost_link_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(redirects_and_options, setup, teardown),
        cmocka_unit_test_setup_teardown(draining_ends_what_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_budget_cuts_a_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_is_shared_with_pumps, setup, teardown),
        cmocka_unit_test_setup_teardown(closing_gives_everything_back, setup, teardown),
    };
    return cmocka_run_group_tests_name("proxy/proxy", tests, NULL, NULL);
}
