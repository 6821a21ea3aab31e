/* Answers through the proxy: their framings, their ends, and programs that misbehave. */
#include "proxy/proxy_fixture.h"

/* A visitor that reads nothing: what is held for it stays within the window and a little. */
static void a_slow_visitor_is_bounded(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    assert_ok(adit_socket_buffers_set(visitor->fd, 4096, 0));
    world->server.mux.limits.window_max = world->server.mux.limits.window_start;
    say(world, visitor, GET);
    struct talker *program = program_at(world, 0);
    await(world, program, "\r\n\r\n");
    say(world, program, "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    struct source down = {.size = 1000000000};
    world->proxy->times.stuck_us = ADIT_SECOND_US;
    for (int i = 0; i < 100; i++) {
        static uint8_t block[65536];
        size_t count = 0;
        enum adit_io io = ADIT_IO_DONE;
        assert_ok(adit_socket_send(program->fd, ADIT_BYTES_OF(block), &count, &io));
        down.offset += count;
        world_turns(world);
    }
    assert_true(down.offset > 256 * 1024);
    assert_true(world->server.chunks.used * (size_t)ADIT_CHUNK_BYTES < 512 * 1024);
    turn_until(world, world->told.is_cut); /* and it may not hold it for ever */
    assert_int_equal(adit_proxy_counters(world->proxy)->connections_now, 0);
    assert_int_equal(world->server.chunks.used, 0);
    talker_close(visitor);
}

static void an_early_answer_ends_the_connection(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    say(world, visitor, "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100000\r\n\r\nsome");
    struct talker *program = program_at(world, 0);
    await(world, program, "some");
    say(world, program, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno");
    heard(world, visitor, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n"
                          "Connection: close\r\n\r\nno");
    say(world, visitor, "more of the body, GET / HTTP/1.1\r\n\r\n");
    await_end(world, visitor);
    assert_true(visitor->is_ended); /* the answer was not lost to a reset */
    assert_int_equal(visitor->len, 0);
    await_end(world, program);
    assert_int_equal(world->program_count, 1);
    talker_close(visitor);
    turn_until(world, adit_proxy_counters(world->proxy)->connections_now == 0);
}

static void a_flood_of_1xx_is_refused(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    say(world, visitor, GET);
    struct talker *program = program_at(world, 0);
    await(world, program, "\r\n\r\n");
    for (int i = 0; i < 9; i++) {
        say(world, program, "HTTP/1.1 102 Processing\r\n\r\n");
    }
    await(world, visitor, "HTTP/1.1 502 ");
    await(world, visitor, "Adit-Error: upstream_bad_response\r\n");
    await_end(world, program);
    assert_true(program->is_reset || program->is_ended);
    talker_close(visitor);
}

/* What programs do wrong before the head of their answer is over: an error of ours. */
static void bad_answers_are_502(void **state)
{
    struct world *world = *state;
    static const struct adit_bytes answers[] = {
        ADIT_BYTES_INIT("SSH-2.0-x\r\n\r\n"),
        ADIT_BYTES_INIT("HTTP/1.1 200 OK\nContent-Length: 0\n\n"),
        ADIT_BYTES_INIT("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                        "Connection: upgrade\r\n\r\n"),
        ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nab"),
        ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nContent-Le"), /* and its end */
        ADIT_BYTES_INIT(""),
    };
    struct talker *visitor = visitor_open(world);
    for (size_t i = 0; i < ADIT_COUNT(answers); i++) {
        say(world, visitor, "GET / HTTP/1.1\r\nHost: a.test\r\nAccept: application/json\r\n\r\n");
        struct talker *program = program_at(world, i);
        await(world, program, "\r\n\r\n");
        talker_say(world, program, ADIT_AT(answers, i));
        assert_ok(adit_socket_finish(program->fd));
        await(world, visitor, "Adit-Error: upstream_bad_response\r\n");
        await(world, visitor, "}");
        visitor->len = 0;
    }
    assert_int_equal(adit_proxy_counters(world->proxy)->errors, ADIT_COUNT(answers));
    talker_close(visitor);
}

/* Answers that end before their body does: the visitor sees it. */
static void cut_answers_are_visibly_cut(void **state)
{
    struct world *world = *state;
    static const struct {
        struct adit_bytes answer;
        bool is_reset; /* by the program */
    } cases[] = {
        {ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), false},
        {ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
         false},
        {ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz"),
         false},
        {ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"
                         "0\r\nX: y"),
         false},
        {ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\n\r\nhalf"), true},
    };
    for (size_t i = 0; i < 2 * ADIT_COUNT(cases); i++) {
        struct talker *visitor = visitor_with(world, i % 2 != 0, false);
        say(world, visitor, GET);
        struct talker *program = program_at(world, i);
        await(world, program, "\r\n\r\n");
        talker_say(world, program, ADIT_AT(cases, i / 2).answer);
        if (ADIT_AT(cases, i / 2).is_reset) {
            await(world, visitor, "half");
            assert_ok(adit_socket_reset_on_close_set(program->fd, true));
            adit_socket_close(&program->fd);
            program->is_reset = true;
        } else {
            assert_ok(adit_socket_finish(program->fd));
        }
        await_end(world, visitor);
        assert_true(visitor->is_reset);
        assert_false(text_has(talker_text(visitor), ADIT_BYTES("\r\n0\r\n")));
        turn_until(world, world->told.is_cut);
        world->told.is_cut = false;
        talker_close(visitor);
    }
}

static void an_answer_until_the_end_of_the_connection(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    say(world, visitor, GET);
    struct talker *program = program_at(world, 0);
    await(world, program, "\r\n\r\n");
    say(world, program, "HTTP/1.1 200 OK\r\n\r\n");
    heard(world, visitor, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    say(world, program, "data: 1\n\n");
    heard(world, visitor, "9\r\ndata: 1\n\n\r\n"); /* as it comes */
    say(world, program, "data: 2\n\n");
    heard(world, visitor, "9\r\ndata: 2\n\n\r\n");
    assert_ok(adit_socket_finish(program->fd));
    heard(world, visitor, "0\r\n\r\n");
    await_end(world, program); /* in order, both */
    assert_true(program->is_ended);
    say(world, visitor, "GET / HTTP/1.0\r\nHost: a.test\r\n\r\n");
    program = program_at(world, 1);
    await(world, program, "\r\n\r\n");
    say(world, program,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
    heard(world, visitor, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok");
    await_end(world, visitor);
    assert_true(visitor->is_ended);
    talker_close(visitor);
}

static void answers_without_a_body(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    static const struct {
        struct adit_bytes request, answer;
    } cases[] = {
        {ADIT_BYTES_INIT("HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n"),
         ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")},
        {ADIT_BYTES_INIT(GET), ADIT_BYTES_INIT("HTTP/1.1 204 No Content\r\n\r\n")},
        {ADIT_BYTES_INIT(GET), ADIT_BYTES_INIT("HTTP/1.1 304 Not Modified\r\n\r\n")},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        talker_say(world, visitor, ADIT_AT(cases, i).request);
        struct talker *program = program_at(world, 0);
        await(world, program, "\r\n\r\n");
        program->len = 0;
        talker_say(world, program, ADIT_AT(cases, i).answer);
        talker_heard(world, visitor, ADIT_AT(cases, i).answer);
    }
    assert_int_equal(world->program_count, 1);
    talker_say(world, visitor, ADIT_BYTES(GET)); /* a second answer is nobody's */
    struct talker *program = program_at(world, 0);
    await(world, program, "\r\n\r\n");
    say(world, program, OK "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
    heard(world, visitor, OK);
    await_end(world, program);
    say(world, visitor, GET);
    program = program_at(world, 1);
    await(world, program, "\r\n\r\n");
    say(world, program, OK);
    heard(world, visitor, OK);
    talker_close(visitor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_slow_visitor_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(an_early_answer_ends_the_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(a_flood_of_1xx_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_answers_are_502, setup, teardown),
        cmocka_unit_test_setup_teardown(cut_answers_are_visibly_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_until_the_end_of_the_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_without_a_body, setup, teardown),
    };
    return cmocka_run_group_tests_name("proxy/response", tests, NULL, NULL);
}
