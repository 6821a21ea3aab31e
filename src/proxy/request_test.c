/* Requests through the proxy: heads, bodies, what is cut and what has to wait. */
#include "proxy/proxy_fixture.h"

/* A program that reads nothing: the visitor is held back. */
static void a_slow_program_holds_the_visitor_back(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    static uint8_t block[65536];
    say(world, visitor, "PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000000000\r\n\r\n");
    struct talker *program = program_at(world, 0);
    assert_ok(adit_socket_buffers_set(program->fd, 4096, 0));
    size_t sent = 0;
    for (int i = 0; i < 400; i++) {
        size_t count = 0;
        enum adit_io io = ADIT_IO_DONE;
        assert_ok(adit_socket_send(visitor->fd, ADIT_BYTES_OF(block), &count, &io));
        sent += count;
        world_turns(world);
    }
    assert_true(world->server.chunks.used * (size_t)ADIT_CHUNK_BYTES < 256 * 1024);
    assert_ok(adit_socket_reset_on_close_set(visitor->fd, true));
    talker_close(visitor);
    await_end(world, program);
    assert_true(program->is_reset);
    assert_true(sent > 0);
}

static void a_visitor_waits_for_100(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    say(world, visitor, "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n"
                        "Expect: 100-continue\r\n\r\n");
    struct talker *program = program_at(world, 0);
    await(world, program, "Expect: 100-continue\r\n\r\n");
    say(world, program, "HTTP/1.1 100 Continue\r\n\r\n");
    heard(world, visitor, "HTTP/1.1 100 Continue\r\n\r\n");
    say(world, visitor, "body");
    await(world, program, "\r\n\r\nbody");
    say(world, program, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" OK);
    heard(world, visitor, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" OK);
    assert_int_equal(adit_proxy_counters(world->proxy)->idle_pipes_now, 1);
    talker_close(visitor);
}

/* Heads of nearly 32 KiB, which lie in several chunks, both ways. */
static void large_heads_pass(void **state)
{
    struct world *world = *state;
    static uint8_t memory[ADIT_HTTP_HEAD_BYTES_MAX];
    struct talker *visitor = visitor_with(world, true, false);
    for (int is_answer = 0; is_answer < 2; is_answer++) {
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
        assert_ok(adit_write_bytes(
            &writer, is_answer ? ADIT_BYTES("HTTP/1.1 200 OK\r\n")
                               : ADIT_BYTES("GET / HTTP/1.1\r\nHost: a.test\r\n")));
        for (int i = 0; i < 31; i++) {
            struct adit_span hole = {0};
            assert_ok(adit_write_bytes(&writer, ADIT_BYTES("X-Long: ")));
            assert_ok(adit_write_reserve(&writer, 1000, &hole));
            adit_span_fill(hole, 'x');
            assert_ok(adit_write_bytes(&writer, ADIT_BYTES("\r\n")));
        }
        assert_ok(adit_write_bytes(&writer, is_answer ? ADIT_BYTES("Content-Length: 2\r\n\r\nok")
                                                      : ADIT_BYTES("\r\n")));
        struct talker *from = is_answer ? program_at(world, 0) : visitor;
        for (size_t at = 0; at < writer.len; at += 777) { /* in pieces */
            talker_say(world, from,
                       adit_bytes_first(adit_bytes_from(adit_writer_bytes(&writer), at), 777));
            world_turns(world);
        }
        struct talker *to = is_answer ? visitor : program_at(world, 0);
        talker_await(world, to, is_answer ? ADIT_BYTES("\r\n\r\nok") : ADIT_BYTES("\r\n\r\n"));
        assert_true(to->len > 31000);
    }
    talker_close(visitor);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    say(world, visitor,
        "GET /1 HTTP/1.1\r\nHost: a.test\r\n\r\nGET /2 HTTP/1.1\r\nHost: a.test\r\n\r\n"
        "GET /3 HTTP/1.1\r\nHost: a b\r\n\r\nGET /4 HTTP/1.1\r\nHost: a.test\r\n\r\n");
    struct talker *program = program_at(world, 0);
    await(world, program, "GET /1 ");
    say(world, program, OK);
    await(world, program, "GET /2 ");
    say(world, program, OK);
    await(world, visitor, OK OK "HTTP/1.1 400 ");
    await(world, visitor, "Adit-Error: bad_request\r\n");
    await_end(world, visitor);
    assert_true(visitor->is_ended);
    assert_false(text_has(talker_text(program), ADIT_BYTES("GET /4")));
    assert_int_equal(adit_proxy_counters(world->proxy)->requests, 2);
    talker_close(visitor);
}

static void many_pipelined_requests_of_our_own(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    world->dial = ADIT_DIAL_REFUSED;
    for (int i = 0; i < 300; i++) {
        say(world, visitor, "OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n" GET);
        talker_hear(world, visitor);
        visitor->len = 0;
    }
    turn_until(world, adit_proxy_counters(world->proxy)->errors == 300 ||
                          (talker_hear(world, visitor), visitor->len = 0, false));
    assert_int_equal(adit_proxy_counters(world->proxy)->requests, 600);
    talker_close(visitor);
}

/* Byte by byte, and split in two at each place: the same verdict. */
static void splits_do_not_matter(void **state)
{
    struct world *world = *state;
    struct adit_bytes request =
        ADIT_BYTES("POST /a HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "5;a=b\r\nhello\r\n0\r\nX-T: 1\r\n\r\n");
    struct talker *visitor = visitor_open(world);
    for (size_t i = 0; i < 40; i++) {
        for (size_t at = 0; at < request.len; at++) {
            bool is_cut = i == 0 || at == i * request.len / 40;
            struct adit_bytes byte = {0};
            assert_ok(adit_bytes_slice(request, at, 1, &byte));
            talker_say(world, visitor, byte);
            if (is_cut) {
                world_turns(world);
            }
        }
        struct talker *program = program_at(world, i);
        await(world, program, "0\r\nX-T: 1\r\n\r\n");
        head_drop(program);
        struct sink sink = {0};
        struct adit_bytes rest = talker_text(program);
        struct adit_bytes payload = {0};
        uint8_t joined[8] = {0};
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(joined));
        adit_http_body_init(&sink.body, ADIT_HTTP_FRAMING_CHUNKED, 0);
        while (sink.body.state == ADIT_HTTP_BODY_MORE && rest.len > 0) {
            assert_ok(adit_http_body_read(&sink.body, &rest, &payload));
            assert_ok(adit_write_bytes(&writer, payload));
        }
        assert_bytes(adit_writer_bytes(&writer), ADIT_BYTES("hello"));
        say(world, program, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        heard(world, visitor, OK);
    }
    talker_close(visitor);
}

static void bad_bodies_never_reach_their_end(void **state)
{
    struct world *world = *state;
    static const struct adit_bytes bodies[] = {
        ADIT_BYTES_INIT("5\r\nhelloX\r\n0\r\n\r\n"),
        ADIT_BYTES_INIT("5\nhello\r\n0\r\n\r\n"),
        ADIT_BYTES_INIT("5\r\nhello\r\n0\r\nbad trailer\r\n\r\n"),
        ADIT_BYTES_INIT("10000000000000005\r\nhello\r\n0\r\n\r\n"),
    };
    for (size_t i = 0; i < ADIT_COUNT(bodies); i++) {
        struct talker *visitor = visitor_open(world);
        say(world, visitor,
            "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n");
        talker_say(world, visitor, ADIT_AT(bodies, i));
        await(world, visitor, "HTTP/1.1 400 ");
        await_end(world, visitor);
        assert_true(visitor->is_ended);
        for (size_t j = 0; j < world->program_count; j++) {
            await_end(world, ADIT_AT(world->programs, j));
            assert_false(text_has(talker_text(ADIT_AT(world->programs, j)),
                                  ADIT_BYTES("0\r\n\r\n")));
        }
        talker_close(visitor);
    }
}

static void a_cut_request_is_cut_at_the_program(void **state)
{
    struct world *world = *state;
    for (size_t is_chunked = 0; is_chunked < 2; is_chunked++) {
        struct talker *visitor = visitor_open(world);
        if (is_chunked) {
            say(world, visitor, "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked"
                                "\r\n\r\n4\r\nhalf\r\n");
        } else {
            say(world, visitor, "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 9\r\n\r\nhalf");
        }
        struct talker *program = program_at(world, is_chunked);
        await(world, program, "half");
        assert_ok(adit_socket_finish(visitor->fd));
        await_end(world, program);
        assert_true(program->is_reset);
        talker_close(visitor);
    }
}

/* No stream is free: the request waits, and is served when there is one. */
static void a_request_waits_for_a_stream(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    const uint32_t max = world->server.mux.limits.unacked_max;
    world->proxy->times.fresh_us = 0; /* a POST wants a stream of its own */
    world->server.mux.limits.unacked_max = 0;
    say(world, visitor, GET);
    for (int i = 0; i < 50; i++) {
        world_turns(world);
    }
    assert_int_equal(world->program_count, 0);
    world->server.mux.limits.unacked_max = max;
    struct talker *program = program_at(world, 0);
    await(world, program, "\r\n\r\n");
    say(world, program, OK);
    heard(world, visitor, OK);
    world->server.mux.limits.unacked_max = 0;
    world->proxy->times.queued_us = 20 * ADIT_MS_US;
    say(world, visitor, "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n");
    await(world, visitor, "Adit-Error: overloaded\r\n");
    talker_close(visitor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_slow_program_holds_the_visitor_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_visitor_waits_for_100, setup, teardown),
        cmocka_unit_test_setup_teardown(large_heads_pass, setup, teardown),
        cmocka_unit_test_setup_teardown(pipelined_requests_are_answered_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(many_pipelined_requests_of_our_own, setup, teardown),
        cmocka_unit_test_setup_teardown(splits_do_not_matter, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_bodies_never_reach_their_end, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cut_request_is_cut_at_the_program, setup, teardown),
        cmocka_unit_test_setup_teardown(a_request_waits_for_a_stream, setup, teardown),
    };
    return cmocka_run_group_tests_name("proxy/request", tests, NULL, NULL);
}
