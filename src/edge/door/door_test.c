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
        cmocka_unit_test(it_ends_with_its_supervisor),
        cmocka_unit_test(it_ends_when_the_supervisor_makes_no_sense),
        cmocka_unit_test(it_needs_its_start_message),
        cmocka_unit_test(drops_are_sampled),
    };
    return cmocka_run_group_tests_name("door/door", tests, NULL, NULL);
}
