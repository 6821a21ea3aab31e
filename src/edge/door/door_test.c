#include "edge/door/door.h"

#include "unit.h"

#include "edge/door/door_fixture.h"

static void it_answers_and_stops(void **state)
{
    (void)state;
    int before = fixture_lowest_fd();
    struct fixture fixture = {0};
    struct adit_message ask = {.type = ADIT_MESSAGE_STATUS_ASK, .request = 12};
    struct adit_message stop = {.type = ADIT_MESSAGE_STOP};
    fixture_open(&fixture);
    assert_ok(adit_channel_send(&fixture.supervisor, &ask));
    struct adit_message status =
        fixture_expect(&fixture, &fixture.supervisor, ADIT_MESSAGE_STATUS);
    assert_int_equal(status.request, 12);
    assert_ok(adit_channel_send(&fixture.supervisor, &stop));
    assert_ok(adit_loop_run(&fixture.door->loop));
    fixture_close(&fixture);
    assert_int_equal(fixture_lowest_fd(), before);
}

static void stop_send(struct fixture *fixture, uint32_t drain_ms)
{
    struct adit_message stop = {.type = ADIT_MESSAGE_STOP, .drain_ms = drain_ms};
    assert_ok(adit_channel_send(&fixture->supervisor, &stop));
    for (size_t i = 0; i < FIXTURE_TURNS_MAX && !fixture->door->is_stopping; i++) {
        fixture_turn(fixture);
    }
}

/* Nothing new comes in; what has said something goes its way, but for agents. */
static void it_drains(void **state)
{
    (void)state;
    int before = fixture_lowest_fd();
    struct fixture fixture = {0};
    uint8_t visitors[256] = {0};
    uint8_t agents[256] = {0};
    struct adit_bytes hello = fixture_hello(ADIT_SPAN_OF(visitors), ADIT_BYTES("http/1.1"));
    struct adit_bytes agent = fixture_hello(ADIT_SPAN_OF(agents), ADIT_BYTES("adit/1"));
    fixture_open(&fixture);
    int silent = fixture_dial(&fixture, &fixture.public);
    int slow = fixture_dial(&fixture, &fixture.public);
    fixture_say(slow, adit_bytes_first(hello, 10));
    int waits = fixture_dial(&fixture, &fixture.public);
    fixture_say(waits, hello);
    int refused = fixture_dial(&fixture, &fixture.public);
    fixture_say(refused, agent);
    for (size_t i = 0; i < FIXTURE_TURNS_MAX && fixture.door->waiting < 2; i++) {
        fixture_turn(&fixture);
    }
    int queued = -1;
    assert_ok(adit_socket_connect(&fixture.public, &queued)); /* nobody has accepted it yet */
    fixture_say(queued, hello);
    stop_send(&fixture, 10000);
    fixture_expect_closed(&fixture, silent);
    fixture_expect_closed(&fixture, refused);
    int late = -1;
    assert_ok(adit_socket_connect(&fixture.public, &late));
    assert_true(!adit_is_ok(adit_socket_connect_result(late)));
    fixture_wire(&fixture); /* a worker, at last */
    for (size_t i = 0; i < 2; i++) {
        struct adit_message web = fixture_expect(&fixture, &fixture.worker, ADIT_MESSAGE_WEB);
        adit_message_fds_close(&web);
    }
    assert_int_equal(fixture.door->pendings.used, 1);
    fixture_say(slow, adit_bytes_from(hello, 10));
    struct adit_message web = fixture_expect(&fixture, &fixture.worker, ADIT_MESSAGE_WEB);
    adit_message_fds_close(&web);
    adit_channel_close(&fixture.worker);
    assert_ok(adit_loop_run(&fixture.door->loop)); /* ends with its last worker */
    int fds[] = {silent, slow, waits, refused, queued, late};
    for (size_t i = 0; i < ADIT_COUNT(fds); i++) {
        adit_socket_close(&ADIT_AT(fds, i));
    }
    fixture_close(&fixture);
    assert_int_equal(fixture_lowest_fd(), before);
}

/* For as long as it was given, and no longer; a second STOP may give it less. */
static void draining_ends(void **state)
{
    (void)state;
    for (uint32_t more = 0; more < 2; more++) {
        struct fixture fixture = {0};
        uint64_t since_us = adit_clock_now_us();
        fixture_open(&fixture);
        int slow = fixture_dial(&fixture, &fixture.public);
        fixture_say(slow, ADIT_BYTES("\x16"));
        for (size_t i = 0; i < 3; i++) {
            fixture_turn(&fixture);
        }
        stop_send(&fixture, more == 0 ? 100 : 60000);
        if (more == 1) {
            stop_send(&fixture, 100);
        }
        assert_ok(adit_loop_run(&fixture.door->loop));
        assert_true(adit_clock_now_us() - since_us >= 100 * ADIT_MS_US);
        assert_int_equal(fixture.door->pendings.used, 1);
        adit_socket_close(&slow);
        fixture_close(&fixture);
    }
}

static void it_ends_with_its_supervisor(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    fixture_open(&fixture);
    adit_channel_close(&fixture.supervisor);
    assert_ok(adit_loop_run(&fixture.door->loop)); /* ends by itself */
    fixture_close(&fixture);
}

static void it_ends_when_the_supervisor_makes_no_sense(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    fixture_open(&fixture);
    fixture_say(fixture.supervisor.fd, ADIT_BYTES("nonsense"));
    assert_ok(adit_loop_run(&fixture.door->loop));
    fixture_close(&fixture);
}

static void it_needs_its_start_message(void **state)
{
    (void)state;
    static struct adit_door door;
    struct adit_channel supervisor = {.fd = -1};
    struct adit_message stop = {.type = ADIT_MESSAGE_STOP};
    int before = fixture_lowest_fd();
    int ours = -1;
    int theirs = -1;
    assert_ok(adit_channel_pair(&ours, &theirs));
    assert_ok(adit_channel_open(&supervisor, ours, ADIT_EDGE_SUPERVISOR_DOOR,
                                ADIT_EDGE_DOOR_SUPERVISOR));
    assert_ok(adit_channel_send(&supervisor, &stop));
    assert_fails(adit_door_open(&door, theirs), INVALID);
    adit_door_close(&door);
    adit_channel_close(&supervisor);
    assert_int_equal(fixture_lowest_fd(), before);
}

static void drops_are_sampled(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    int pipes[2] = {-1, -1};
    uint8_t memory[4096] = {0};
    const struct adit_address peer = fixture_loopback(1234);
    fixture_open(&fixture);
    assert_int_equal(pipe(pipes), 0);
    adit_log_init(&fixture.door->log, pipes[1], ADIT_LOG_TEXT, ADIT_BYTES("door"));
    for (size_t i = 0; i < 50; i++) {
        adit_door_drop_log(fixture.door, ADIT_DOOR_DROP_EARLY, &peer);
    }
    fixture.door->loop.now_us += ADIT_SECOND_US;
    adit_door_drop_log(fixture.door, ADIT_DOOR_DROP_EARLY, &peer);
    ssize_t got = read(pipes[0], memory, sizeof memory);
    struct adit_bytes lines = adit_bytes_first(ADIT_BYTES_OF(memory), (size_t)got);
    size_t first = adit_bytes_find(lines, '\n') + 1;
    assert_true(adit_bytes_ends_with(
        adit_bytes_first(lines, first),
        ADIT_BYTES("event=connection_dropped reason=over_limit peer=127.0.0.1:1234 others=0\n")));
    assert_true(adit_bytes_ends_with(
        lines,
        ADIT_BYTES("event=connection_dropped reason=over_limit peer=127.0.0.1:1234 others=49\n")));
    assert_int_equal(adit_bytes_find(adit_bytes_from(lines, first), '\n') + 1 + first, lines.len);
    close(pipes[0]);
    close(pipes[1]);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_answers_and_stops),
        cmocka_unit_test(it_drains),
        cmocka_unit_test(draining_ends),
        cmocka_unit_test(it_ends_with_its_supervisor),
        cmocka_unit_test(it_ends_when_the_supervisor_makes_no_sense),
        cmocka_unit_test(it_needs_its_start_message),
        cmocka_unit_test(drops_are_sampled),
    };
    return cmocka_run_group_tests_name("door/door", tests, NULL, NULL);
}
