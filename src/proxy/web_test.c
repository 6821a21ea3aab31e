/* Connections of visitors: upgrades, ends of either side, and time. Covers web.c, web_io.c,
 * web_time.c. */
#include "proxy/proxy_fixture.h"

#define UPGRADE                                                                                 \
    "GET /ws HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"         \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
#define SWITCHING                                                                               \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"

static void an_upgrade_carries_bytes_both_ways(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i < 4; i++) { /* plain and TLS; ended by either side first */
        struct talker *visitor = visitor_with(world, i % 2 != 0, false);
        say(world, visitor, UPGRADE "first");
        struct talker *program = program_at(world, i);
        await(world, program, "\r\n\r\n");
        for (int turns = 0; turns < 20; turns++) {
            world_turns(world);
            talker_hear(world, program);
        }
        assert_false(text_has(talker_text(program), ADIT_BYTES("first"))); /* not before the 101 */
        head_drop(program);
        say(world, program, SWITCHING "early");
        heard(world, visitor, SWITCHING "early");
        heard(world, program, "first");
        for (int j = 0; j < 100; j++) {
            say(world, visitor, "ping");
            heard(world, program, "ping");
            say(world, program, "pong");
            heard(world, visitor, "pong");
        }
        if (i < 2) { /* the program ends its half first */
            assert_ok(adit_socket_finish(program->fd));
            await_end(world, visitor);
            assert_true(visitor->is_ended);
            say(world, visitor, "last words");
            heard(world, program, "last words");
            assert_ok(adit_socket_finish(visitor->fd));
            await_end(world, program);
            assert_true(program->is_ended);
        } else {
            if (visitor->tls) {
                adit_tls_finish(visitor->tls);
                tls_send(visitor, world);
            }
            assert_ok(adit_socket_finish(visitor->fd));
            await_end(world, program);
            assert_true(program->is_ended);
            say(world, program, "last words");
            heard(world, visitor, "last words");
            assert_ok(adit_socket_finish(program->fd));
            await_end(world, visitor);
            assert_true(visitor->is_ended);
        }
        turn_until(world, adit_proxy_counters(world->proxy)->connections_now == 0);
        assert_false(world->told.is_cut);
        assert_int_equal(world->told.status, 101);
        talker_close(visitor);
    }
    assert_int_equal(adit_proxy_counters(world->proxy)->upgrades, 4);
}

/* How many bytes the visitor's socket has, without taking them. */
static size_t bytes_waiting(const struct talker *talker)
{
    static uint8_t room[16384];
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    assert_ok(adit_socket_peek(talker->fd, ADIT_SPAN_OF(room), &count, &io));
    return io == ADIT_IO_DONE ? count : 0;
}

/* Does the handshake by hand up to the server's flight, then says the end of it, and `more`. */
static void finish_and_say(struct world *world, struct talker *visitor, struct adit_bytes more)
{
    static uint8_t room[16384];
    size_t count = 0;
    bool is_done = false;
    enum adit_io io = ADIT_IO_DONE;
    assert_ok(adit_tls_handshake(visitor->tls, &is_done));
    tls_send(visitor, world);
    turn_until(world, bytes_waiting(visitor) > 0);
    assert_ok(adit_socket_receive(visitor->fd, ADIT_SPAN_OF(room), &count, &io));
    adit_tls_input_set(visitor->tls, adit_bytes_first(ADIT_BYTES_OF(room), count));
    assert_ok(adit_tls_handshake(visitor->tls, &is_done));
    assert_true(is_done);
    assert_ok(adit_tls_write(visitor->tls, more));
    tls_send(visitor, world);
}

static void a_ticket_goes_with_the_answer(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_with(world, true, false);
    uint64_t begin_us = adit_clock_now_us();
    finish_and_say(world, visitor, ADIT_BYTES("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"));
    struct talker *program = program_at(world, 0);
    await(world, program, "\r\n\r\n");
    bool is_held = bytes_waiting(visitor) == 0; /* by the kernel, which gives it 200 ms */
    assert_true(is_held || adit_clock_now_us() - begin_us > 150000);
    head_drop(program);
    say(world, program, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    heard(world, visitor, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    talker_close(visitor);
    /* Who has not asked yet gets it at once, or its own kernel may hold its request back. */
    visitor = visitor_with(world, true, false);
    finish_and_say(world, visitor, (struct adit_bytes){0});
    turn_until(world, bytes_waiting(visitor) > 0);
    talker_close(visitor);
}

static void a_visitor_over_tls_who_leaves_is_noticed(void **state)
{
    struct world *world = *state;
    static const struct {
        struct adit_bytes request, answer;
    } rows[] = {{ADIT_BYTES_INIT("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"),
                 ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")},
                {ADIT_BYTES_INIT(UPGRADE), ADIT_BYTES_INIT(SWITCHING)}};
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) { /* whose answer, or upgrade, is silent */
        struct talker *visitor = visitor_with(world, true, false);
        talker_say(world, visitor, ADIT_AT(rows, i).request);
        struct talker *program = program_at(world, i);
        await(world, program, "\r\n\r\n");
        talker_say(world, program, ADIT_AT(rows, i).answer);
        await(world, visitor, "\r\n\r\n");
        assert_ok(adit_socket_finish(visitor->fd)); /* no close_notify */
        await_end(world, program);
        assert_false(program->is_ended); /* a reset */
        assert_true(world->told.is_cut);
        talker_close(visitor);
        turn_until(world, adit_proxy_counters(world->proxy)->connections_now == 0);
    }
}

static void resets_pass_an_upgrade(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i < 2; i++) {
        struct talker *visitor = visitor_open(world);
        say(world, visitor, UPGRADE);
        struct talker *program = program_at(world, i);
        await(world, program, "\r\n\r\n");
        say(world, program, SWITCHING);
        heard(world, visitor, SWITCHING);
        struct talker *first = i == 0 ? visitor : program;
        struct talker *second = i == 0 ? program : visitor;
        assert_ok(adit_socket_reset_on_close_set(first->fd, true));
        adit_socket_close(&first->fd);
        await_end(world, second);
        assert_true(second->is_reset);
        first->is_reset = true;
        talker_close(visitor);
        turn_until(world, adit_proxy_counters(world->proxy)->connections_now == 0);
    }
}

/* Lent exchanges: those of the pool that did not come back. */
static size_t exchanges_lent(const struct adit_proxy *proxy)
{
    size_t lent = proxy->exchanges.used;
    for (const struct exchange *at = proxy->free_exchange; at; at = at->free_next) {
        assert_int_equal(at->start_us, 0);
        assert_int_equal(at->request.host.len, 0);
        lent--;
    }
    return lent;
}

static void who_asks_nothing_holds_no_exchange(void **state)
{
    struct world *world = *state;
    struct talker *visitors[3] = {0};
    for (size_t i = 0; i < ADIT_COUNT(visitors); i++) {
        struct talker *visitor = visitor_with(world, i == 0, false);
        ADIT_AT(visitors, i) = visitor;
        say(world, visitor, "GET / HTTP/1.1\r\nHost: a.test\r\n");
        turn_until(world, exchanges_lent(world->proxy) == 1); /* half a head */
        say(world, visitor, "\r\n");
        struct talker *program = program_at(world, 0);
        await(world, program, "\r\n\r\n");
        head_drop(program);
        assert_int_equal(exchanges_lent(world->proxy), 1);
        say(world, program, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await(world, visitor, "ok");
        turn_until(world, exchanges_lent(world->proxy) == 0);
        assert_int_equal(world->proxy->webs.used, i + 1);
        assert_true(world->proxy->exchanges.used <= 2);
    }
    for (size_t i = 0; i < ADIT_COUNT(visitors); i++) {
        talker_close(ADIT_AT(visitors, i));
    }
    turn_until(world, world->proxy->webs.used == 0);
    assert_int_equal(exchanges_lent(world->proxy), 0);
}

static void an_upgrade_that_is_declined(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    say(world, visitor, UPGRADE);
    struct talker *program = program_at(world, 0);
    await(world, program, "\r\n\r\n");
    program->len = 0;
    say(world, program, OK);
    heard(world, visitor, OK);
    say(world, visitor, GET);
    await(world, program, "\r\n\r\n");
    say(world, program, OK);
    heard(world, visitor, OK);
    talker_close(visitor);
}

static void slow_visitors_run_out_of_time(void **state)
{
    struct world *world = *state;
    struct proxy_times *times = &world->proxy->times;
    struct talker *visitor = visitor_open(world);
    times->head_us = times->idle_us = times->body_us = 20 * ADIT_MS_US;
    await_end(world, visitor); /* nothing asked: nothing answered */
    assert_true(visitor->is_ended);
    assert_int_equal(visitor->total, 0);
    talker_close(visitor);
    visitor = visitor_with(world, true, false); /* no handshake */
    adit_tls_close(&visitor->tls);
    await_end(world, visitor);
    assert_true(visitor->is_reset);
    talker_close(visitor);
    visitor = visitor_open(world);
    say(world, visitor, "GET / HT");
    await(world, visitor, "Adit-Error: request_timeout\r\n");
    await_end(world, visitor);
    assert_true(visitor->is_ended);
    talker_close(visitor);
    visitor = visitor_open(world);
    say(world, visitor, "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4000\r\n\r\nabc");
    await(world, visitor, "Adit-Error: request_timeout\r\n");
    await_end(world, visitor);
    talker_close(visitor);
    visitor = visitor_open(world); /* trailers that never end */
    say(world, visitor,
        "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX");
    await(world, visitor, "Adit-Error: request_timeout\r\n");
    talker_close(visitor);
    visitor = visitor_open(world); /* but one that waits for 100 may wait */
    times->body_us = 1;
    say(world, visitor, "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n"
                        "Expect: 100-continue\r\n\r\n");
    struct talker *program = program_at(world, 2);
    await(world, program, "\r\n\r\n");
    for (int i = 0; i < 50; i++) {
        world_turns(world);
    }
    times->body_us = ADIT_SECOND_US;
    say(world, program, "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
    await(world, visitor, "HTTP/1.1 417 ");
    talker_close(visitor);
}

static void a_visitor_may_end_its_half(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    say(world, visitor, GET);
    assert_ok(adit_socket_finish(visitor->fd));
    struct talker *program = program_at(world, 0);
    await(world, program, "\r\n\r\n");
    say(world, program, OK);
    heard(world, visitor, OK);
    await_end(world, visitor);
    assert_true(visitor->is_ended);
    talker_close(visitor);
    visitor = visitor_open(world); /* but not for ever, where nothing comes */
    world->proxy->times.idle_us = 20 * ADIT_MS_US;
    say(world, visitor, GET);
    assert_ok(adit_socket_finish(visitor->fd));
    await_end(world, visitor);
    assert_true(visitor->is_reset);
    talker_close(visitor);
}

/* Only who said that nothing more will come, and has no reason to say more, is not waited for. */
static void who_asked_for_the_end_is_not_waited_for(void **state)
{
    struct world *world = *state;
    static const struct {
        struct adit_bytes request;
        bool has_tls, is_large, is_awaited;
    } rows[] = {
        {.request = ADIT_BYTES_INIT("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n")},
        {.request = ADIT_BYTES_INIT("GET / HTTP/1.0\r\nHost: a.test\r\n\r\n")},
        {.request = ADIT_BYTES_INIT("GET / HTTP/1.0\r\nHost: a.test\r\n\r\nGET"),
         .is_awaited = true},
        {.request = ADIT_BYTES_INIT("GET / HTTP/1.0\r\nHost: a.test\r\n\r\n"),
         .has_tls = true,
         .is_awaited = true},
        {.request = ADIT_BYTES_INIT("GET / HTTP/1.0\r\nHost: a.test\r\n\r\n"),
         .is_large = true,
         .is_awaited = true},
        {.request = ADIT_BYTES_INIT("POST / HTTP/1.0\r\nHost: a.test\r\nContent-Length: 2\r\n"
                                    "\r\nhi"),
         .is_awaited = true},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        size_t len = ADIT_AT(rows, i).is_large ? WEB_PART_BYTES + 1 : 2;
        struct talker *visitor = visitor_with(world, ADIT_AT(rows, i).has_tls, false);
        talker_say(world, visitor, ADIT_AT(rows, i).request);
        struct talker *program = program_at(world, i);
        await(world, program, "\r\n\r\n");
        say(world, program, "HTTP/1.0 200 OK\r\n\r\n");
        for (size_t said = 0; said < len; said++) {
            say(world, program, "x");
        }
        assert_ok(adit_socket_finish(program->fd));
        await_end(world, visitor);
        assert_true(visitor->is_ended);
        turn_until(world, world->tells == (int)i + 1);
        assert_false(world->told.is_cut);
        assert_int_equal(world->told.bytes_out, len);
        assert_int_equal(adit_proxy_counters(world->proxy)->connections_now,
                         ADIT_AT(rows, i).is_awaited ? 1 : 0);
        talker_close(visitor);
        turn_until(world, adit_proxy_counters(world->proxy)->connections_now == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_asked_for_the_end_is_not_waited_for, setup, teardown),
        cmocka_unit_test_setup_teardown(an_upgrade_carries_bytes_both_ways, setup, teardown),
        cmocka_unit_test_setup_teardown(a_ticket_goes_with_the_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(a_visitor_over_tls_who_leaves_is_noticed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(resets_pass_an_upgrade, setup, teardown),
        cmocka_unit_test_setup_teardown(an_upgrade_that_is_declined, setup, teardown),
        cmocka_unit_test_setup_teardown(who_asks_nothing_holds_no_exchange, setup, teardown),
        cmocka_unit_test_setup_teardown(slow_visitors_run_out_of_time, setup, teardown),
        cmocka_unit_test_setup_teardown(a_visitor_may_end_its_half, setup, teardown),
    };
    return cmocka_run_group_tests_name("proxy/web", tests, NULL, NULL);
}
