/* Requests that are the last one again, but for their path, and answers that are. */
#include "proxy/proxy_fixture.h"

#define FIELDS " HTTP/1.1\r\nHost: a.test\r\nA:b\r\nConnection: c\r\nC: d\r\n\r\n"
#define MADE                                                                                    \
    " HTTP/1.1\r\nHost: a.test\r\nA: b\r\nX-Forwarded-For: 192.0.2.1\r\n"                       \
    "X-Forwarded-Proto: http\r\nX-Forwarded-Host: a.test\r\n"                                   \
    "Forwarded: for=192.0.2.1;proto=http;host=a.test\r\n\r\n"
#define ANSWER "HTTP/1.1 200 OK\r\nAdit-Error: no\r\nContent-Length: 2\r\n\r\n"
#define OTHER "HTTP/1.1 404 No\r\nContent-Length: 1\r\n\r\n"
#define TOLD "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"

static const struct recall *recalled(const struct world *world)
{
    struct adit_handle handle = {0};
    uint32_t cursor = 0;
    assert_true(adit_pool_next(&world->proxy->webs, &cursor, &handle));
    return recall_of(world->proxy, proxy_web(world->proxy, handle));
}

static void the_same_but_for_the_path(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    for (int i = 0; i < 6; i++) { /* the third of them is the first that is recalled */
        say(world, visitor, "GET /one" FIELDS);
        struct talker *program = program_at(world, 0);
        heard(world, program, "GET /one" MADE);
        say(world, program, ANSWER "ok");
        heard(world, visitor, TOLD "ok");
        say(world, visitor, "GET /two?three" FIELDS);
        heard(world, program, "GET /two?three" MADE);
        if (i % 2 == 0) {
            say(world, program, ANSWER "no");
            heard(world, visitor, TOLD "no");
            assert_int_equal(world->told.status, 200);
        } else {
            say(world, program, OTHER "x");
            heard(world, visitor, OTHER "x");
            assert_int_equal(world->told.status, 404);
        }
        assert_non_null(recalled(world));
    }
    assert_int_equal(world->told.bytes_out, 1);
    assert_int_equal(world->tells, 12);
    assert_int_equal(adit_proxy_counters(world->proxy)->requests, 12);
    assert_int_equal(world->program_count, 1);
    talker_close(visitor);
}

/* Bodies, other methods and other answers between, in pieces and at once. */
static void others_between(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    world->proxy->times.fresh_us = UINT64_MAX;
    world->proxy->times.proven_us = 0;
    for (int i = 0; i < 3; i++) {
        say(world, visitor,
            "POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabcPOST /b ");
        struct talker *program = program_at(world, 0);
        await(world, program, "Content-Length: 3\r\n\r\nabc");
        program->len = 0;
        say(world, program, ANSWER "ok");
        heard(world, visitor, TOLD "ok");
        say(world, visitor, "HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\ndef");
        await(world, program, "Content-Length: 3\r\n\r\ndef");
        assert_true(
            adit_bytes_starts_with(talker_text(program), ADIT_BYTES("POST /b HTTP/1.1\r\n")));
        program->len = 0;
        say(world, program, "HTTP/1.1 103 \r\n\r\n");
        heard(world, visitor, "HTTP/1.1 103 \r\n\r\n");
        say(world, program, ANSWER "ok");
        heard(world, visitor, TOLD "ok");
        say(world, visitor, "HEAD /b HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\n123");
        await(world, program, "Content-Length: 3\r\n\r\n123");
        program->len = 0;
        say(world, program, ANSWER);
        heard(world, visitor, TOLD);
    }
    assert_int_equal(adit_proxy_counters(world->proxy)->errors, 0);
    talker_close(visitor);
}

/* The tunnel comes back with another name for the program. */
static void a_host_header_that_changes(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    for (int i = 0; i < 4; i++) {
        say(world, visitor, "GET /one" FIELDS);
        struct talker *program = program_at(world, 0);
        await(world, program, "\r\n\r\n");
        if (i < 3) { /* the last of these is recalled */
            heard(world, program, "GET /one" MADE);
        } else {
            assert_true(adit_bytes_starts_with(
                talker_text(program), ADIT_BYTES("GET /one HTTP/1.1\r\nHost: b.test\r\nA: b\r\n")));
        }
        say(world, program, ANSWER "ok");
        heard(world, visitor, TOLD "ok");
        world->host_header = i == 2 ? ADIT_BYTES("b.test") : (struct adit_bytes){0};
    }
    talker_close(visitor);
}

/* The idle pipe turns out dead: a recalled head is sent once more. */
static void a_recalled_head_is_sent_again(void **state)
{
    struct world *world = *state;
    struct talker *visitor = visitor_open(world);
    struct talker *program = NULL;
    for (size_t i = 0; i < 3; i++) {
        say(world, visitor, "GET /one" FIELDS);
        program = program_at(world, 0);
        heard(world, program, "GET /one" MADE);
        say(world, program, ANSWER "ok");
        heard(world, visitor, TOLD "ok");
    }
    say(world, visitor, "GET /two" FIELDS);
    heard(world, program, "GET /two" MADE);
    adit_socket_close(&program->fd);
    program = program_at(world, 1);
    heard(world, program, "GET /two" MADE);
    say(world, program, ANSWER "ok");
    heard(world, visitor, TOLD "ok");
    assert_int_equal(adit_proxy_counters(world->proxy)->retries, 1);
    talker_close(visitor);
}

/* Two connections of one place take it from each other; neither sees what the other left. */
static void two_of_one_place(void **state)
{
    struct world *world = *state;
    struct web one = {.self = {.index = 3, .generation = 1}};
    struct web two = {.self = {.index = 3 + RECALLS, .generation = 1}};
    assert_null(recall_of(world->proxy, &one));
    assert_null(recall_begin(world->proxy, &one));
    assert_null(recall_of(world->proxy, &one));
    struct recall *recall = recall_begin(world->proxy, &one);
    assert_non_null(recall);
    recall->request.rest.len = 5;
    recall->answer.head.len = 5;
    assert_ptr_equal(recall_begin(world->proxy, &one), recall);
    assert_ptr_equal(recall_of(world->proxy, &one), recall);
    assert_int_equal(recall->request.rest.len, 5);
    assert_null(recall_begin(world->proxy, &two));
    assert_null(recall_of(world->proxy, &one));
    assert_null(recall_of(world->proxy, &two));
    assert_ptr_equal(recall_begin(world->proxy, &two), recall);
    assert_int_equal(recall->request.rest.len, 0);
    assert_int_equal(recall->answer.head.len, 0);
    two.self.generation = 3; /* another connection with its number */
    assert_null(recall_of(world->proxy, &two));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_but_for_the_path, setup, teardown),
        cmocka_unit_test_setup_teardown(others_between, setup, teardown),
        cmocka_unit_test_setup_teardown(a_host_header_that_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_recalled_head_is_sent_again, setup, teardown),
        cmocka_unit_test_setup_teardown(two_of_one_place, setup, teardown),
    };
    return cmocka_run_group_tests_name("proxy/recall", tests, NULL, NULL);
}
