/* Bodies that are passed without being gathered: whole, in order, and no byte past their end. */
#include "proxy/proxy_fixture.h"

/* Asks, and begins an answer of `size` bytes, whose head the visitor hears. */
static struct talker *begin(struct world *world, struct talker *visitor, size_t size)
{
    say(world, visitor, GET);
    struct talker *program = program_at(world, 0);
    await(world, program, "\r\n\r\n");
    program->len = 0;
    uint8_t memory[128] = {0};
    struct adit_writer head = adit_writer_of(ADIT_SPAN_OF(memory));
    assert_ok(adit_write_bytes(&head, ADIT_BYTES("HTTP/1.1 200 OK\r\nContent-Length: ")));
    assert_ok(adit_write_decimal(&head, size));
    assert_ok(adit_write_bytes(&head, ADIT_BYTES("\r\n\r\n")));
    talker_say(world, program, adit_writer_bytes(&head));
    await(world, visitor, "\r\n\r\n");
    visitor->len = 0;
    return program;
}

/* Sizes around what is worth it, around a frame and around what a visitor's queue holds. */
static void bodies_of_all_sizes_arrive_whole(void **state)
{
    struct world *world = *state;
    static const size_t sizes[] = {1,     4095,  4096,   4097,   16384,  65536,
                                   65537, 99999, 131060, 131072, 400000, 3000000};
    for (int is_tls = 0; is_tls < 2; is_tls++) {
        struct talker *visitor = visitor_with(world, is_tls == 1, false);
        for (size_t i = 0; i < ADIT_COUNT(sizes); i++) {
            struct talker *program = begin(world, visitor, ADIT_AT(sizes, i));
            struct source down = {.size = ADIT_AT(sizes, i)};
            transfer(world, program, visitor, &down);
            assert_int_equal(visitor->len, 0);
        }
        talker_close(visitor);
    }
    assert_int_equal(world->program_count, 1); /* one connection carried all of them */
}

/* A visitor whose socket is small and full again and again. */
static void a_full_socket_keeps_the_order(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    assert_ok(adit_socket_buffers_set(visitor->fd, 4096, 0));
    struct talker *program = begin(world, visitor, 600000);
    struct source down = {.size = 600000};
    transfer(world, program, visitor, &down);
    talker_close(visitor);
}

/* Requests of all sizes, each with the next one close behind: not a byte of that is its body. */
static void requests_of_all_sizes_arrive_whole(void **state)
{
    struct world *world = *state;
    static const size_t sizes[] = {1, 4096, 65536, 99999, 131060, 131072, 700000};
    struct talker *visitor = visitor_open(world);
    for (size_t i = 0; i < ADIT_COUNT(sizes); i++) {
        uint8_t memory[128] = {0};
        struct adit_writer head = adit_writer_of(ADIT_SPAN_OF(memory));
        assert_ok(adit_write_bytes(&head, ADIT_BYTES("POST / HTTP/1.1\r\nHost: a.test\r\n"
                                                     "Content-Length: ")));
        assert_ok(adit_write_decimal(&head, ADIT_AT(sizes, i)));
        assert_ok(adit_write_bytes(&head, ADIT_BYTES("\r\n\r\n")));
        talker_say(world, visitor, adit_writer_bytes(&head));
        struct talker *program = program_at(world, 0);
        await(world, program, "\r\n\r\n");
        head_drop(program);
        struct source up = {.size = ADIT_AT(sizes, i)};
        transfer(world, visitor, program, &up);
        say(world, visitor, GET);
        for (int turns = 0; turns < 5; turns++) {
            world_turns(world);
            talker_hear(world, program);
        }
        assert_int_equal(program->len, 0);
        say(world, program, OK);
        heard(world, visitor, OK);
        await(world, program, "GET / ");
        await(world, program, "\r\n\r\n");
        program->len = 0;
        say(world, program, OK);
        heard(world, visitor, OK);
    }
    talker_close(visitor);
}

/* A visitor who gives as much at once as bulk does gets room for it. */
static void a_large_upload_gets_room(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    uint32_t cursor = 0;
    struct adit_handle handle = {0};
    turn_until(world, world->proxy->webs.used == 1);
    assert_true(adit_pool_next(&world->proxy->webs, &cursor, &handle));
    const struct web *web = adit_pool_get(&world->proxy->webs, handle);
    assert_non_null(web);
    say(world, visitor, "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2000000\r\n\r\n");
    struct talker *program = program_at(world, 0);
    await(world, program, "\r\n\r\n");
    assert_false(web->is_wide);
    head_drop(program);
    struct source up = {.size = 2000000};
    transfer(world, visitor, program, &up);
    assert_true(web->is_wide);
    say(world, program, OK);
    heard(world, visitor, OK);
    talker_close(visitor);
}

/* Bytes past the body's end are nobody's answer, however large the piece that brings them. */
static void nothing_passes_the_end(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    struct talker *program = begin(world, visitor, 5000);
    static uint8_t block[20000];
    talker_say(world, program, ADIT_BYTES_OF(block));
    for (int i = 0; i < 20; i++) {
        world_turns(world);
        talker_hear(world, visitor);
    }
    assert_int_equal(visitor->len, 5000);
    visitor->len = 0;
    say(world, visitor, GET); /* over a new connection: the old one said too much */
    struct talker *second = program_at(world, 1);
    await(world, second, "\r\n\r\n");
    say(world, second, OK);
    heard(world, visitor, OK);
    talker_close(visitor);
}

/* The program's end, in the middle of a body that is passed directly, is seen. */
static void a_cut_body_is_visibly_cut(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    struct talker *program = begin(world, visitor, 1000000);
    static uint8_t block[60000];
    talker_say(world, program, ADIT_BYTES_OF(block));
    assert_ok(adit_socket_finish(program->fd));
    await_end(world, visitor);
    assert_true(visitor->is_reset);
    talker_close(visitor);
}

/* A visitor who goes in the middle takes nothing down, and gives everything back. */
static void a_visitor_may_leave(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    struct talker *program = begin(world, visitor, 1000000);
    static uint8_t block[60000];
    talker_say(world, program, ADIT_BYTES_OF(block));
    assert_ok(adit_socket_reset_on_close_set(visitor->fd, true));
    talker_close(visitor);
    talker_say(world, program, ADIT_BYTES_OF(block));
    turn_until(world, adit_proxy_counters(world->proxy)->connections_now == 0);
    assert_int_equal(world->server.chunks.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bodies_of_all_sizes_arrive_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_socket_keeps_the_order, setup, teardown),
        cmocka_unit_test_setup_teardown(requests_of_all_sizes_arrive_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(a_large_upload_gets_room, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_passes_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cut_body_is_visibly_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(a_visitor_may_leave, setup, teardown),
    };
    return cmocka_run_group_tests_name("proxy/direct", tests, NULL, NULL);
}
