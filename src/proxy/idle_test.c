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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_dead_idle_pipe_is_tried_once_more, setup, teardown),
        cmocka_unit_test_setup_teardown(idle_pipes_end_in_order, setup, teardown),
    };
    return cmocka_run_group_tests_name("proxy/idle", tests, NULL, NULL);
}
