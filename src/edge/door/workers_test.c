#include "edge/door/workers.h"

#include "unit.h"

#include "edge/door/door_fixture.h"

static void a_worker_that_breaks_the_rules_is_reported(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    fixture_open(&fixture);
    fixture_wire(&fixture);
    fixture_turn(&fixture);
    fixture_say(fixture.worker.fd, ADIT_BYTES("nonsense"));
    struct adit_message broken =
        fixture_expect(&fixture, &fixture.supervisor, ADIT_MESSAGE_BROKEN);
    assert_int_equal(broken.index, 0);
    assert_int_equal(broken.request, 77);
    uint32_t index = 0;
    assert_false(adit_door_worker_choose(fixture.door, &index));
    fixture_close(&fixture);
}

static void a_worker_that_ends_is_not(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    uint32_t index = 0;
    fixture_open(&fixture);
    fixture_wire(&fixture);
    for (size_t i = 0; i < 10 && !adit_door_worker_choose(fixture.door, &index); i++) {
        fixture_turn(&fixture);
    }
    adit_channel_close(&fixture.worker);
    for (size_t i = 0; i < 10 && adit_door_worker_choose(fixture.door, &index); i++) {
        fixture_turn(&fixture);
    }
    assert_false(adit_door_worker_choose(fixture.door, &index));
    struct adit_message message = {0};
    enum adit_io io = ADIT_IO_DONE;
    assert_ok(adit_channel_receive(&fixture.supervisor, &message, &io));
    assert_int_equal(io, ADIT_IO_BLOCKED);
    fixture_wire(&fixture); /* its successor */
    for (size_t i = 0; i < 10 && !adit_door_worker_choose(fixture.door, &index); i++) {
        fixture_turn(&fixture);
    }
    assert_true(adit_door_worker_choose(fixture.door, &index));
    fixture_close(&fixture);
}

/* Asks for a port outside the range again and again and reads no answer. */
static void a_worker_that_does_not_read_is_not_read(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    uint32_t index = 0;
    uint64_t asked = 0;
    fixture_open(&fixture);
    fixture_wire(&fixture);
    for (size_t turn = 0; turn < 200; turn++) {
        for (size_t i = 0; i < 8; i++) {
            struct adit_message bind = {
                .type = ADIT_MESSAGE_BIND, .request = asked, .port = 1, .kind = ADIT_TUNNEL_TCP};
            if (adit_is_ok(adit_channel_send(&fixture.worker, &bind))) {
                asked++;
            }
        }
        assert_ok(adit_loop_turn(&fixture.door->loop, 0));
    }
    assert_true(fixture.door->workers[0].channel.waiting <= ADIT_CHANNEL_WAITING_MAX);
    assert_true(fixture.door->workers[0].channel.waiting >= 2 * ADIT_DOOR_WAITING_MAX);
    assert_false(adit_door_worker_choose(fixture.door, &index)); /* nor given connections */
    for (uint64_t answered = 0; answered < asked; answered++) {
        struct adit_message refused =
            fixture_expect(&fixture, &fixture.worker, ADIT_MESSAGE_BIND_REFUSED);
        assert_int_equal(refused.request, answered);
        assert_ok(adit_channel_flush(&fixture.worker));
    }
    assert_true(adit_door_worker_choose(fixture.door, &index));
    fixture_close(&fixture);
}

static void an_impossible_index_is_refused(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    fixture_open(&fixture);
    int before = fixture_lowest_fd();
    int fd = dup(0);
    assert_fails(adit_door_worker_wire(fixture.door, ADIT_DOOR_WORKERS_MAX, 1, fd), LIMIT);
    assert_int_equal(fixture_lowest_fd(), before);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_that_breaks_the_rules_is_reported),
        cmocka_unit_test(a_worker_that_ends_is_not),
        cmocka_unit_test(a_worker_that_does_not_read_is_not_read),
        cmocka_unit_test(an_impossible_index_is_refused),
    };
    return cmocka_run_group_tests_name("door/workers", tests, NULL, NULL);
}
