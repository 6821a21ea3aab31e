/* Visitors through the proxy to programs behind an agent. Covers proxy.c, web.c, web_io.c,
 * web_time.c, request.c, response.c, answer.c, idle.c. */
#include "proxy/proxy_fixture.h"

static int setup(void **state)
{
    *state = world_open();
    return 0;
}

static int teardown(void **state)
{
    world_close(*state);
    return 0;
}

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

#define BODY_BYTES (10 * 1024 * 1024)

static uint8_t pattern_at(size_t offset)
{
    return (uint8_t)(offset * 31 + (offset >> 11));
}

/* The body of a message with a length, sent as fast as it goes. */
struct source {
    size_t offset, size;
    bool is_chunked;
};

static void source_send(struct world *world, struct talker *talker, struct source *source)
{
    static uint8_t block[40000];
    uint8_t head[32] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(head));
    size_t count = adit_min_size(sizeof block, source->size - source->offset);
    for (size_t i = 0; i < count; i++) {
        ADIT_AT(block, i) = pattern_at(source->offset + i);
    }
    if (source->is_chunked) {
        assert_ok(adit_http_chunk_head_write(&writer, count));
        talker_say(world, talker, adit_writer_bytes(&writer));
    }
    talker_say(world, talker, adit_bytes_first(ADIT_BYTES_OF(block), count));
    source->offset += count;
    if (source->is_chunked) {
        say(world, talker, "\r\n");
        if (source->offset == source->size) {
            say(world, talker, "0\r\nX-Sum: 1\r\nHost: evil\r\n\r\n");
        }
    }
}

/* Takes a body apart and checks each byte. */
struct sink {
    struct adit_http_body body;
    size_t total;
};

static void sink_take(struct sink *sink, struct talker *talker)
{
    struct adit_bytes rest = talker_text(talker);
    while (rest.len > 0 && sink->body.state == ADIT_HTTP_BODY_MORE) {
        struct adit_bytes payload = {0};
        assert_ok(adit_http_body_read(&sink->body, &rest, &payload));
        bool is_equal = true;
        for (size_t i = 0; i < payload.len; i++) {
            is_equal &= adit_bytes_at(payload, i) == pattern_at(sink->total + i);
        }
        assert_true(is_equal);
        sink->total += payload.len;
    }
    assert_ok(adit_span_move(ADIT_SPAN_OF(talker->bytes), 0, talker->len - rest.len, rest.len));
    talker->len = rest.len;
}

static void head_drop(struct talker *talker)
{
    struct adit_http_scan scan = {0};
    enum adit_parse parse = ADIT_PARSE_MORE;
    size_t used = 0;
    assert_ok(adit_http_scan_head(&scan, talker_text(talker), ADIT_HTTP_HEAD_BYTES_MAX, &used,
                                  &parse));
    assert_int_equal(parse, ADIT_PARSE_FOUND);
    talker->len -= used;
    assert_ok(adit_span_move(ADIT_SPAN_OF(talker->bytes), 0, used, talker->len));
}

/* 10 MiB from one to the other, in both framings. */
static void transfer(struct world *world, struct talker *from, struct talker *to,
                     struct source *source)
{
    struct sink sink = {0};
    adit_http_body_init(&sink.body,
                        source->is_chunked ? ADIT_HTTP_FRAMING_CHUNKED : ADIT_HTTP_FRAMING_LENGTH,
                        source->size);
    for (int turns = 0; turns < TURNS_MAX && sink.body.state == ADIT_HTTP_BODY_MORE; turns++) {
        if (source->offset < source->size) {
            source_send(world, from, source);
        }
        world_turns(world);
        talker_hear(world, to);
        sink_take(&sink, to);
    }
    assert_int_equal(sink.total, source->size);
    if (source->is_chunked) {
        await(world, to, "\r\n\r\n");
        assert_bytes(talker_text(to), ADIT_BYTES("X-Sum: 1\r\n\r\n")); /* no Host */
        to->len = 0;
    }
}

static void bodies_of_ten_mebibytes(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_with(world, true, false);
    for (size_t is_chunked = 0; is_chunked < 2; is_chunked++) {
        struct source up = {.size = BODY_BYTES, .is_chunked = is_chunked != 0};
        struct source down = up;
        if (is_chunked) {
            say(world, visitor, "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked"
                                "\r\n\r\n");
        } else {
            say(world, visitor, "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10485760"
                                "\r\n\r\n");
        }
        struct talker *program = program_at(world, is_chunked);
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
    say(world, program, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
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

static void a_dead_idle_pipe_is_tried_once_more(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    for (size_t i = 0; i < 6; i++) {
        say(world, visitor, GET);
        struct talker *program = program_at(world, i);
        await(world, program, "\r\n\r\n");
        program->len = 0;
        say(world, program, OK);
        heard(world, visitor, OK);
        if (i % 3 == 0) { /* it ends before the next request, and that is known */
            assert_ok(adit_socket_finish(program->fd));
            turn_until(world, adit_proxy_counters(world->proxy)->idle_pipes_now == 0);
            continue;
        }
        say(world, visitor, GET); /* it ends when the next request has come */
        await(world, program, "\r\n\r\n");
        if (i % 3 == 1) {
            assert_ok(adit_socket_reset_on_close_set(program->fd, true));
        }
        adit_socket_close(&program->fd);
        program->is_ended = true;
        program = program_at(world, i + 1);
        await(world, program, "\r\n\r\n");
        program->len = 0;
        say(world, program, OK "x"); /* and is not used again */
        heard(world, visitor, OK);
        i++;
    }
    assert_true(adit_proxy_counters(world->proxy)->retries >= 2);
    assert_int_equal(adit_proxy_counters(world->proxy)->errors, 0);
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
    for (int i = 0; i < 3000; i++) {
        say(world, visitor, "GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n");
        talker_hear(world, visitor);
        visitor->len = 0;
    }
    turn_until(world, adit_proxy_counters(world->proxy)->errors == 3000 ||
                          (talker_hear(world, visitor), visitor->len = 0, false));
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

static void what_the_agent_says_becomes_an_error(void **state)
{
    struct world *world = *state;
    static const struct {
        int dial;
        enum adit_proxy_verdict verdict;
        struct adit_bytes request, code;
    } cases[] = {
        {ADIT_DIAL_REFUSED, ADIT_PROXY_SERVED, ADIT_BYTES_INIT(GET),
         ADIT_BYTES_INIT("Adit-Error: upstream_refused\r\n")},
        {ADIT_DIAL_UNREACHABLE, ADIT_PROXY_SERVED, ADIT_BYTES_INIT(GET),
         ADIT_BYTES_INIT("Adit-Error: upstream_refused\r\n")},
        {ADIT_DIAL_TIMED_OUT, ADIT_PROXY_SERVED, ADIT_BYTES_INIT(GET),
         ADIT_BYTES_INIT("Adit-Error: upstream_timeout\r\n")},
        {ADIT_DIAL_LIMIT, ADIT_PROXY_SERVED, ADIT_BYTES_INIT(GET),
         ADIT_BYTES_INIT("Adit-Error: overloaded\r\n")},
        {ADIT_DIAL_UNKNOWN_BIND, ADIT_PROXY_SERVED, ADIT_BYTES_INIT(GET),
         ADIT_BYTES_INIT("Adit-Error: agent_gone\r\n")},
        {0, ADIT_PROXY_ELSEWHERE, ADIT_BYTES_INIT(GET),
         ADIT_BYTES_INIT("Adit-Error: misdirected\r\n")},
        {0, ADIT_PROXY_AWAY, ADIT_BYTES_INIT(GET), ADIT_BYTES_INIT("Adit-Error: overloaded\r\n")},
        {0, ADIT_PROXY_SERVED, ADIT_BYTES_INIT("GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n"),
         ADIT_BYTES_INIT("Adit-Error: tunnel_not_found\r\n")},
    };
    struct talker *visitor = visitor_open(world);
    world->proxy->times.queued_us = 20 * ADIT_MS_US;
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        world->dial = ADIT_AT(cases, i).dial;
        world->verdict = ADIT_AT(cases, i).verdict;
        talker_say(world, visitor, ADIT_AT(cases, i).request);
        talker_await(world, visitor, ADIT_AT(cases, i).code);
        await(world, visitor, "</html>");
        visitor->len = 0; /* and the connection goes on */
    }
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
    waiting->len = 0;
    say(world, waiting, GET);
    await(world, waiting, "Adit-Error: agent_gone\r\n");
    talker_close(visitor);
    talker_close(other);
}

/* No stream is free: the request waits, and is served when there is one. */
static void a_request_waits_for_a_stream(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    const uint32_t max = world->server.mux.limits.unacked_max;
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

static void idle_pipes_end_in_order(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i < 2; i++) {
        struct talker *visitor = visitor_open(world);
        world->proxy->times.idle_pipe_us = i == 0 ? 20 * ADIT_MS_US : ADIT_SECOND_US;
        say(world, visitor, GET);
        struct talker *program = program_at(world, i);
        await(world, program, "\r\n\r\n");
        say(world, program, OK);
        heard(world, visitor, OK);
        if (i == 1) {
            adit_proxy_tunnel_gone(world->proxy, TUNNEL);
            await_end(world, visitor); /* it waited for nothing any more */
            assert_true(visitor->is_ended);
        }
        await_end(world, program);
        assert_true(program->is_ended);
        assert_int_equal(adit_proxy_counters(world->proxy)->idle_pipes_now, 0);
        adit_socket_close(&program->fd);
        turn_until(world, world->server.pumps.used == 0);
        talker_close(visitor);
    }
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
    talker_close(visitor);
    visitor = visitor_open(world);
    say(world, visitor, "OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n");
    await(world, visitor, "HTTP/1.1 204 ");
    talker_close(visitor);
    assert_int_equal(world->program_count, 0);
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
        cmocka_unit_test_setup_teardown(a_slow_visitor_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(a_slow_program_holds_the_visitor_back, setup, teardown),
        cmocka_unit_test_setup_teardown(an_early_answer_ends_the_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(a_visitor_waits_for_100, setup, teardown),
        cmocka_unit_test_setup_teardown(a_flood_of_1xx_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_answers_are_502, setup, teardown),
        cmocka_unit_test_setup_teardown(cut_answers_are_visibly_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_until_the_end_of_the_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_without_a_body, setup, teardown),
        cmocka_unit_test_setup_teardown(a_dead_idle_pipe_is_tried_once_more, setup, teardown),
        cmocka_unit_test_setup_teardown(pipelined_requests_are_answered_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(many_pipelined_requests_of_our_own, setup, teardown),
        cmocka_unit_test_setup_teardown(splits_do_not_matter, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_bodies_never_reach_their_end, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cut_request_is_cut_at_the_program, setup, teardown),
        cmocka_unit_test_setup_teardown(an_upgrade_carries_bytes_both_ways, setup, teardown),
        cmocka_unit_test_setup_teardown(resets_pass_an_upgrade, setup, teardown),
        cmocka_unit_test_setup_teardown(an_upgrade_that_is_declined, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_agent_says_becomes_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(a_silent_agent_is_given_up, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lost_link_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_request_waits_for_a_stream, setup, teardown),
        cmocka_unit_test_setup_teardown(slow_visitors_run_out_of_time, setup, teardown),
        cmocka_unit_test_setup_teardown(a_visitor_may_end_its_half, setup, teardown),
        cmocka_unit_test_setup_teardown(idle_pipes_end_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(draining_ends_what_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(redirects_and_options, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_budget_cuts_a_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(closing_gives_everything_back, setup, teardown),
    };
    return cmocka_run_group_tests_name("proxy/proxy", tests, NULL, NULL);
}
