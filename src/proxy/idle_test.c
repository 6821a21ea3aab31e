/* Pipes between two requests. */
#include "proxy/proxy_fixture.h"

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

#define POST "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n\r\nbody"

/* The visitor's request reaches the program of dial number `index`, and is answered. */
static void post_over(struct world *world, struct talker *visitor, size_t index)
{
    say(world, visitor, POST);
    struct talker *program = program_at(world, index);
    await(world, program, "\r\n\r\nbody");
    program->len = 0;
    assert_int_equal(world->program_count, index + 1);
    say(world, program, OK);
    heard(world, visitor, OK);
}

static void a_body_goes_over_a_fresh_pipe_only(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    world->proxy->times.proven_us = 60 * ADIT_SECOND_US;
    post_over(world, visitor, 0);
    post_over(world, visitor, 1); /* nobody knows yet whether the first is kept open */
    world->proxy->times.proven_us = 0;
    post_over(world, visitor, 1);
    post_over(world, visitor, 1);
    world->proxy->times.proven_us = 60 * ADIT_SECOND_US;
    post_over(world, visitor, 1); /* it was used again, and it was kept */
    world->proxy->times.fresh_us = 0;
    uint64_t begin_us = world->server_loop.now_us;
    turn_until(world, world->server_loop.now_us > begin_us + ADIT_MS_US);
    post_over(world, visitor, 2); /* too old, all of them */
    assert_int_equal(adit_proxy_counters(world->proxy)->retries, 0);
    talker_close(visitor);
}

/* The program took it and went: perhaps it did what it was asked for. */
static void what_has_left_is_never_sent_twice(void **state)
{
    struct world *world = *state;
    static const struct adit_bytes requests[] = {
        ADIT_BYTES_INIT(POST),
        ADIT_BYTES_INIT("PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n\r\nbody"),
        ADIT_BYTES_INIT("PATCH / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n"),
    };
    world->proxy->times.proven_us = 0;
    for (size_t i = 0; i < 2 * ADIT_COUNT(requests); i++) {
        struct talker *visitor = visitor_open(world);
        struct talker *program = NULL;
        post_over(world, visitor, i);
        program = program_at(world, i);
        talker_say(world, visitor, ADIT_AT(requests, i / 2));
        await(world, program, "\r\n\r\n");
        assert_ok(adit_socket_reset_on_close_set(program->fd, i % 2 == 0));
        adit_socket_close(&program->fd);
        program->is_ended = true;
        await(world, visitor, "HTTP/1.1 502 ");
        assert_int_equal(world->program_count, i + 1);
        talker_close(visitor);
        turn_until(world, world->server.pumps.used == 0);
    }
    assert_int_equal(adit_proxy_counters(world->proxy)->retries, 0);
}

/* The pipe ends before a byte of the request is in it: nobody has seen it, so it goes elsewhere. */
static void what_has_not_left_is_sent_elsewhere(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    struct adit_handle handle = {0};
    uint32_t cursor = 0;
    world->proxy->times.proven_us = 0;
    post_over(world, visitor, 0);
    assert_true(adit_pool_next(&world->proxy->webs, &cursor, &handle));
    struct web *web = proxy_web(world->proxy, handle);
    talker_say(world, visitor, ADIT_BYTES(POST));
    for (int tries = 0; tries < 1000 && web->state != WEB_EXCHANGE; tries++) {
        web->can_read = true; /* a turn of the proxy alone: no link sends */
        web_mark(world->proxy, web);
        adit_proxy_turn(world->proxy);
    }
    assert_int_equal(web->state, WEB_EXCHANGE);
    assert_true(web->exchange->is_reused);
    const struct adit_handle pipe = web->exchange->pipe;
    adit_pipe_close(&world->server, pipe);
    adit_proxy_pipe_closed(world->proxy, pipe, proxy_user(handle, 0), ADIT_PUMP_RESET);
    struct talker *program = program_at(world, 1);
    await(world, program, "\r\n\r\nbody");
    say(world, program, OK);
    heard(world, visitor, OK);
    assert_int_equal(adit_proxy_counters(world->proxy)->retries, 1);
    assert_int_equal(program_at(world, 0)->len, 0);
    talker_close(visitor);
}

/* Names of pipes that there are not: the lists do not care. Every second one was used before. */
static void the_oldest_makes_room(void **state)
{
    struct world *world = *state;
    struct exchange exchange = {.tunnel = 9};
    const uint32_t all = ADIT_PROXY_IDLE_PIPES_MAX + 6;
    for (uint32_t i = 1; i <= all; i++) {
        exchange.pipe = (struct adit_handle){.index = 1000 + i, .generation = 1};
        exchange.pipe_uses = i % 2 == 0 ? 2 : 1;
        idle_put(world->proxy, &exchange, false);
        assert_false(adit_handle_is_set(exchange.pipe));
    }
    assert_int_equal(adit_proxy_counters(world->proxy)->idle_pipes_now, ADIT_PROXY_IDLE_PIPES_MAX);
    for (uint32_t i = all; i > 3; i -= 2) { /* those that are sure, the newest first */
        assert_true(idle_take(world->proxy, 9, &exchange));
        assert_int_equal(exchange.pipe.index, 1000 + i);
    }
    assert_false(idle_take(world->proxy, 9, &exchange));
    exchange.request.is_repeatable = true;
    for (uint32_t i = ADIT_PROXY_IDLE_PIPES_MAX - 1; i > 3; i -= 2) { /* no new one came in */
        assert_true(idle_take(world->proxy, 9, &exchange));
        assert_int_equal(exchange.pipe.index, 1000 + i);
        assert_int_equal(exchange.pipe_uses, 1);
    }
    assert_false(idle_take(world->proxy, 9, &exchange));
    assert_int_equal(adit_proxy_counters(world->proxy)->idle_pipes_now, 0);
}

/* More tunnels than are remembered, each with pipes of its own: the last of them on top. */
static void tunnels_do_not_share_pipes(void **state)
{
    struct world *world = *state;
    const uint32_t tunnels = 2 * IDLE_TOPS + 1;
    for (uint32_t i = 0; i < 3 * tunnels; i++) {
        struct exchange exchange = {.tunnel = 1 + i % tunnels,
                                    .pipe = {.index = 1000 + i, .generation = 1},
                                    .pipe_uses = 2};
        idle_put(world->proxy, &exchange, false);
    }
    for (uint32_t i = 3 * tunnels; i > 0; i--) {
        struct exchange exchange = {.request = {.is_repeatable = true}};
        assert_true(idle_take(world->proxy, 1 + (i - 1) % tunnels, &exchange));
        assert_int_equal(exchange.pipe.index, 1000 + i - 1);
    }
    for (uint32_t i = 0; i < tunnels; i++) {
        struct exchange exchange = {.request = {.is_repeatable = true}};
        assert_false(idle_take(world->proxy, 1 + i, &exchange));
    }
    assert_true(world->proxy->tunnels.used <= IDLE_TOPS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_dead_idle_pipe_is_tried_once_more, setup, teardown),
        cmocka_unit_test_setup_teardown(idle_pipes_end_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(a_body_goes_over_a_fresh_pipe_only, setup, teardown),
        cmocka_unit_test_setup_teardown(what_has_left_is_never_sent_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(what_has_not_left_is_sent_elsewhere, setup, teardown),
        cmocka_unit_test_setup_teardown(the_oldest_makes_room, setup, teardown),
        cmocka_unit_test_setup_teardown(tunnels_do_not_share_pipes, setup, teardown),
    };
    return cmocka_run_group_tests_name("proxy/idle", tests, NULL, NULL);
}
