/* Visitors and programs that do anything at any time: nothing breaks, and in the end nothing is
 * left. The seed of a run that failed is printed; ADIT_SEED repeats it. */
#include "proxy/proxy_fixture.h"

#define VISITORS 24
#define ROUNDS 2500
#define SWITCHING                                                                               \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nearly"

static uint64_t random_state;

static size_t below(size_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state % limit);
}

static const struct adit_bytes requests[] = {
    ADIT_BYTES_INIT(GET),
    ADIT_BYTES_INIT(GET GET),
    ADIT_BYTES_INIT("HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n"),
    ADIT_BYTES_INIT("GET / HTTP/1.0\r\nHost: a.test\r\n\r\n"),
    ADIT_BYTES_INIT("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"),
    ADIT_BYTES_INIT("GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n"),
    ADIT_BYTES_INIT("OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n"),
    ADIT_BYTES_INIT("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello"),
    ADIT_BYTES_INIT("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 50\r\n\r\nhello"),
    ADIT_BYTES_INIT("POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "5\r\nhello\r\n0\r\nX: y\r\n\r\n"),
    ADIT_BYTES_INIT("POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "5\r\nhelloX\r\n0\r\n\r\n"),
    ADIT_BYTES_INIT("POST / HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\n"
                    "Content-Length: 5\r\n\r\nhello"),
    ADIT_BYTES_INIT("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: upgrade\r\n"
                    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nfirst"),
    ADIT_BYTES_INIT("GET / HTTP/1.1\r\n\r\n"),
    ADIT_BYTES_INIT("\x16\x03\x01"),
};

static const struct adit_bytes answers[] = {
    ADIT_BYTES_INIT(OK),
    ADIT_BYTES_INIT(OK),
    ADIT_BYTES_INIT(OK OK),
    ADIT_BYTES_INIT("HTTP/1.1 100 Continue\r\n\r\n"),
    ADIT_BYTES_INIT("HTTP/1.1 204 No Content\r\n\r\n"),
    ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"),
    ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "3\r\nabc\r\n0\r\nX: y\r\n\r\n"),
    ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab"),
    ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end"),
    ADIT_BYTES_INIT(SWITCHING),
    ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nBroken\r\n\r\n"),
    ADIT_BYTES_INIT("\0\0\0"),
};

static struct adit_bytes pattern(void)
{
    static uint8_t block[70000];
    return adit_bytes_first(ADIT_BYTES_OF(block), 1 + below(sizeof block));
}

static void send_some(struct world *world, struct talker *talker, struct adit_bytes bytes)
{
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    bool is_done = false;
    if (talker->is_reset || talker->fd < 0) {
        return;
    }
    if (!talker->tls) {
        talker->is_reset |= !adit_is_ok(adit_socket_send(talker->fd, bytes, &count, &io));
        return;
    }
    assert_ok(adit_tls_handshake(talker->tls, &is_done));
    bytes = adit_bytes_first(bytes, adit_tls_room(talker->tls));
    if (is_done && bytes.len > 0) {
        adit_status_ignore(adit_tls_write(talker->tls, bytes), "after our own end");
    }
    tls_send(talker, world);
}

static void hang_up(struct talker *talker)
{
    if (below(2) == 0) {
        adit_status_ignore(adit_socket_reset_on_close_set(talker->fd, true), "it may be gone");
    }
    talker_close(talker);
}

static void visitor_act(struct world *world, struct talker **visitor)
{
    struct adit_bytes request = ADIT_AT(requests, below(ADIT_COUNT(requests)));
    switch (*visitor ? below(12) : 99) {
    case 99:
        *visitor = visitor_with(world, below(2) == 0, below(20) == 0);
        return;
    case 0:
        hang_up(*visitor);
        *visitor = NULL;
        return;
    case 1:
        adit_status_ignore(adit_socket_finish((*visitor)->fd), "it may be gone");
        return;
    case 2:
        send_some(world, *visitor, pattern());
        return;
    case 3:
        send_some(world, *visitor, adit_bytes_first(request, below(request.len)));
        return;
    case 4:
    case 5:
    case 6:
        send_some(world, *visitor, request);
        return;
    default:
        talker_hear(world, *visitor);
        (*visitor)->len = 0;
        if ((*visitor)->is_ended || (*visitor)->is_reset) {
            talker_close(*visitor);
            *visitor = NULL;
        }
        return;
    }
}

/* True where it has gone. */
static bool program_act(struct world *world, struct talker *program)
{
    struct adit_bytes answer = ADIT_AT(answers, below(ADIT_COUNT(answers)));
    size_t before = program->len;
    talker_hear(world, program);
    bool is_asked = program->len > before;
    bool is_upgrade = text_has(talker_text(program), ADIT_BYTES("Upgrade: websocket\r\n"));
    program->len = 0;
    if (program->is_ended || program->is_reset) {
        hang_up(program);
        return true;
    }
    if (is_upgrade && below(4) > 0) {
        send_some(world, program, ADIT_BYTES(SWITCHING));
        return false;
    }
    switch (below(is_asked ? 4 : 40)) {
    case 0:
        send_some(world, program, answer);
        send_some(world, program, below(3) == 0 ? pattern() : (struct adit_bytes){0});
        return false;
    case 1:
    case 2:
        send_some(world, program, ADIT_BYTES(OK));
        return false;
    case 3:
        adit_status_ignore(adit_socket_finish(program->fd), "it may be gone");
        return false;
    case 4:
        hang_up(program);
        return true;
    default:
        return false;
    }
}

static void programs_act(struct world *world)
{
    for (size_t i = 0; i < world->program_count;) {
        if (program_act(world, ADIT_AT(world->programs, i))) {
            world->program_count--;
            ADIT_AT(world->programs, i) = ADIT_AT(world->programs, world->program_count);
        } else {
            i++;
        }
    }
    world->dial = world->program_count + VISITORS + 2 > PROGRAMS_MAX || below(10) == 0
                      ? ADIT_DIAL_REFUSED
                      : ADIT_DIAL_CONNECTED;
}

static void anything_at_any_time(void **state)
{
    struct world *world = *state;
    struct talker *visitors[VISITORS] = {0};
    const char *seed = getenv("ADIT_SEED");
    random_state = seed ? strtoull(seed, NULL, 0) : adit_clock_now_us() | 1;
    print_message("seed %llu\n", (unsigned long long)random_state);
    world->proxy->times = (struct proxy_times){.head_us = 50 * ADIT_MS_US,
                                               .idle_us = 50 * ADIT_MS_US,
                                               .body_us = 50 * ADIT_MS_US,
                                               .stuck_us = 50 * ADIT_MS_US,
                                               .queued_us = 20 * ADIT_MS_US,
                                               .away_us = 20 * ADIT_MS_US,
                                               .ack_us = 100 * ADIT_MS_US,
                                               .idle_pipe_us = 30 * ADIT_MS_US,
                                               .linger_us = 20 * ADIT_MS_US};
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < 4; i++) {
            visitor_act(world, &ADIT_AT(visitors, below(VISITORS)));
        }
        programs_act(world);
        world->verdict = below(10) == 0 ? (enum adit_proxy_verdict)below(4) : ADIT_PROXY_SERVED;
        world->server.chunks.chunks_max = below(20) == 0 ? 20 : 1024;
        if (below(500) == 0) {
            adit_link_close(&world->server, world->server_link, adit_ok());
            world_turns(world);
            world_link(world);
        }
        if (below(100) == 0) {
            adit_proxy_tunnel_gone(world->proxy, TUNNEL);
        }
        assert_ok(adit_loop_turn(&world->server_loop, 0));
        assert_ok(adit_loop_turn(&world->agent_loop, 0));
    }
    for (size_t i = 0; i < VISITORS; i++) {
        talker_close(ADIT_AT(visitors, i));
    }
    for (size_t i = 0; i < world->program_count; i++) {
        talker_close(ADIT_AT(world->programs, i));
    }
    world->program_count = 0;
    const struct adit_proxy_counters *counters = adit_proxy_counters(world->proxy);
    print_message("%llu requests, %llu errors, %llu upgrades, %llu retries, %llu cut\n",
                  (unsigned long long)counters->requests, (unsigned long long)counters->errors,
                  (unsigned long long)counters->upgrades, (unsigned long long)counters->retries,
                  (unsigned long long)counters->cut);
    turn_until(world, counters->connections_now == 0 && world->server.pumps.used == 0 &&
                          world->agent.pumps.used == 0);
    assert_int_equal(world->server.chunks.used, 0);
    assert_int_equal(world->agent.chunks.used, 0);
    assert_int_equal(counters->idle_pipes_now, 0);
    assert_true(counters->requests > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(anything_at_any_time, setup, teardown),
    };
    return cmocka_run_group_tests_name("proxy/chaos", tests, NULL, NULL);
}
