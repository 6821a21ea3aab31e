#include "edge/door/workers.h"

#include "unit.h"

#include "edge/door/door_fixture.h"

static bool can_choose(struct fixture *fixture)
{
    uint32_t index = 0;
    return adit_door_worker_choose(fixture->door, ADIT_DOOR_LOAD_AGENT, &index);
}

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
    assert_false(can_choose(&fixture));
    fixture_close(&fixture);
}

static void a_worker_that_ends_is_not(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    fixture_open(&fixture);
    fixture_wire(&fixture);
    for (size_t i = 0; i < 10 && !can_choose(&fixture); i++) {
        fixture_turn(&fixture);
    }
    adit_channel_close(&fixture.worker);
    for (size_t i = 0; i < 10 && can_choose(&fixture); i++) {
        fixture_turn(&fixture);
    }
    assert_false(can_choose(&fixture));
    struct adit_message message = {0};
    enum adit_io io = ADIT_IO_DONE;
    assert_ok(adit_channel_receive(&fixture.supervisor, &message, &io));
    assert_int_equal(io, ADIT_IO_BLOCKED);
    fixture_wire(&fixture); /* its successor */
    for (size_t i = 0; i < 10 && !can_choose(&fixture); i++) {
        fixture_turn(&fixture);
    }
    assert_true(can_choose(&fixture));
    fixture_close(&fixture);
}

#define CROWD 20

/* Visitors who all have spoken before the door looks. */
static void crowd_come(struct fixture *fixture, int *out_fds)
{
    for (size_t i = 0; i < CROWD; i++) {
        int *fd = &ADIT_SLOT(out_fds, CROWD, i);
        assert_ok(adit_socket_connect(&fixture->plain, fd));
        assert_ok(adit_socket_connect_result(*fd));
        fixture_say(*fd, ADIT_BYTES("GET / HTTP/1.1\r\nHost: shop.adit.test\r\n\r\n"));
    }
}

static void crowd_arrives(struct fixture *fixture, struct adit_channel *worker)
{
    for (size_t i = 0; i < CROWD; i++) {
        struct adit_message web = fixture_expect(fixture, worker, ADIT_MESSAGE_WEB);
        assert_int_equal(web.fd_count, 1);
        adit_message_fds_close(&web);
    }
}

static void a_crowd_is_handed_over_together(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    int fds[CROWD] = {0};
    fixture_open(&fixture);
    fixture_wire(&fixture);
    for (size_t i = 0; i < 10 && !can_choose(&fixture); i++) {
        fixture_turn(&fixture);
    }
    crowd_come(&fixture, fds);
    assert_false(fixture.door->loop.gives_way);
    fixture_turn(&fixture);
    assert_int_equal(fixture.door->accepted, CROWD);
    assert_true(fixture.door->loop.gives_way); /* for more to come */
    struct adit_message web = fixture_expect(&fixture, &fixture.worker, ADIT_MESSAGE_WEB);
    assert_int_equal(fixture.worker.packet.fd_count, ADIT_CHANNEL_PACKET_MAX);
    adit_message_fds_close(&web);
    assert_int_equal(fixture.door->pendings.used, 0);
    fixture_close(&fixture);
    for (size_t i = 0; i < CROWD; i++) {
        adit_socket_close(&ADIT_AT(fds, i));
    }
}

/* The door hands a crowd to a worker that has died before it could know. */
static void a_crowd_for_a_dead_worker_goes_to_the_next(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    int fds[CROWD] = {0};
    int before = fixture_lowest_fd();
    fixture_open(&fixture);
    fixture_wire(&fixture);
    for (size_t i = 0; i < 10 && !can_choose(&fixture); i++) {
        fixture_turn(&fixture);
    }
    adit_loop_unwatch(&fixture.door->loop, &ADIT_AT(fixture.door->workers, 0).watch);
    adit_channel_close(&fixture.worker);
    crowd_come(&fixture, fds);
    fixture_turn(&fixture);
    assert_int_equal(ADIT_AT(fixture.door->workers, 0).channel.waiting, CROWD);
    fixture_wire(&fixture); /* its successor */
    crowd_arrives(&fixture, &fixture.worker);
    assert_int_equal(fixture.door->accepted, CROWD);
    assert_int_equal(fixture.door->pendings.used, 0);
    fixture_close(&fixture);
    for (size_t i = 0; i < CROWD; i++) {
        adit_socket_close(&ADIT_AT(fds, i));
    }
    assert_int_equal(fixture_lowest_fd(), before);
}

/* Asks for a port outside the range again and again and reads no answer. */
static void a_worker_that_does_not_read_is_not_read(void **state)
{
    (void)state;
    struct fixture fixture = {0};
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
    assert_false(can_choose(&fixture)); /* nor given connections */
    for (uint64_t answered = 0; answered < asked; answered++) {
        struct adit_message refused =
            fixture_expect(&fixture, &fixture.worker, ADIT_MESSAGE_BIND_REFUSED);
        assert_int_equal(refused.request, answered);
        assert_ok(adit_channel_flush(&fixture.worker));
    }
    assert_true(can_choose(&fixture));
    fixture_close(&fixture);
}

static void load_say(struct fixture *fixture, struct adit_channel *worker, uint32_t sessions,
                     uint32_t streams)
{
    struct adit_message load = {
        .type = ADIT_MESSAGE_LOAD, .count = sessions, .streams = streams};
    assert_ok(adit_channel_send(worker, &load));
    fixture_turn(fixture);
    fixture_turn(fixture);
}

static uint32_t chosen(struct fixture *fixture, enum adit_door_load load)
{
    uint32_t index = ADIT_DOOR_WORKERS_MAX;
    assert_true(adit_door_worker_choose(fixture->door, load, &index));
    adit_door_worker_given(fixture->door, index, load);
    return index;
}

static void the_least_load_gets_it(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct adit_channel second = {.fd = -1};
    uint32_t agents[2] = {0};
    fixture_open(&fixture);
    fixture_wire(&fixture);
    fixture_wire_silent(&fixture, &second, 1);
    fixture_turn(&fixture);
    fixture_turn(&fixture);
    for (size_t i = 0; i < 10; i++) { /* nothing is known: in turn */
        ADIT_AT(agents, chosen(&fixture, ADIT_DOOR_LOAD_AGENT))++;
    }
    assert_int_equal(agents[0], 5);
    load_say(&fixture, &fixture.worker, 5, 1000); /* those that log in still count for it */
    load_say(&fixture, &second, 8, 10);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(chosen(&fixture, ADIT_DOOR_LOAD_AGENT), 0); /* 10 to 13 */
        assert_int_equal(chosen(&fixture, ADIT_DOOR_LOAD_VISITOR), 1);
    }
    assert_int_equal(chosen(&fixture, ADIT_DOOR_LOAD_AGENT), 1); /* as many: fewer streams */
    for (size_t i = 0; i < 987; i++) {
        assert_int_equal(chosen(&fixture, ADIT_DOOR_LOAD_VISITOR), 1);
    }
    assert_int_not_equal(chosen(&fixture, ADIT_DOOR_LOAD_VISITOR),
                         chosen(&fixture, ADIT_DOOR_LOAD_VISITOR));
    for (uint64_t i = 0; i < 20; i++) { /* more than it was given: counts for nothing */
        struct adit_message done = {.type = ADIT_MESSAGE_AGENT_DONE, .request = i};
        assert_ok(adit_channel_send(&fixture.worker, &done));
    }
    load_say(&fixture, &fixture.worker, 1, 1);
    assert_int_equal(ADIT_AT(fixture.door->workers, 0).agents_given, 0);
    adit_channel_close(&fixture.worker); /* its successor begins with nothing */
    fixture_turn(&fixture);
    fixture_wire(&fixture);
    fixture_turn(&fixture);
    assert_int_equal(chosen(&fixture, ADIT_DOOR_LOAD_VISITOR), 0);
    adit_channel_close(&second);
    fixture_close(&fixture);
}

/* What others cause is not queued without end for one that does not read; answers have room. */
static void a_deaf_worker_is_told_so_much(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    const struct adit_owner owner = {.worker = 0, .session = 1};
    const struct adit_owner nobody = {.worker = 5, .session = 1};
    fixture_open(&fixture);
    fixture_wire(&fixture);
    fixture_turn(&fixture);
    fixture_turn(&fixture);
    adit_door_worker_evict(fixture.door, &nobody);
    for (size_t i = 0; i < 3 * ADIT_DOOR_CHANNEL_MAX; i++) {
        adit_door_worker_evict(fixture.door, &owner);
    }
    assert_true(ADIT_AT(fixture.door->workers, 0).channel.waiting <=
                ADIT_DOOR_CHANNEL_MAX - ADIT_DOOR_ANSWERS_MAX);
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
        cmocka_unit_test(a_crowd_is_handed_over_together),
        cmocka_unit_test(a_crowd_for_a_dead_worker_goes_to_the_next),
        cmocka_unit_test(a_worker_that_does_not_read_is_not_read),
        cmocka_unit_test(the_least_load_gets_it),
        cmocka_unit_test(a_deaf_worker_is_told_so_much),
        cmocka_unit_test(an_impossible_index_is_refused),
    };
    return cmocka_run_group_tests_name("door/workers", tests, NULL, NULL);
}
