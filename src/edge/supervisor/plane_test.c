#include "edge/supervisor/plane.h"

#include "unit.h"

/* A supervisor without processes: the ends of the roles are the test's. */
struct scene {
    struct adit_supervisor supervisor;
    struct adit_channel control, door, worker;
};

static struct adit_channel seat_play(struct adit_supervisor_seat *seat, enum adit_role role)
{
    const struct adit_role_info *info = adit_role_info(role);
    struct adit_channel theirs = {.fd = -1};
    int first = -1;
    int second = -1;
    *seat = (struct adit_supervisor_seat){.role = role, .is_ready = true, .starts = 1};
    adit_child_init(&seat->child);
    assert_ok(adit_channel_pair(&first, &second));
    assert_ok(adit_channel_open(&seat->child.channel, first, info->sends, info->receives));
    assert_ok(adit_channel_open(&theirs, second, info->receives, info->sends));
    seat->child.pid = INT32_MAX; /* of no process */
    return theirs;
}

static struct adit_supervisor_seat *seat_of(struct scene *scene, size_t index)
{
    return &ADIT_AT(scene->supervisor.seats, index);
}

static void scene_open(struct scene *scene)
{
    *scene = (struct scene){.supervisor = {.seat_count = ADIT_SUPERVISOR_WORKER + 1,
                                            .plane = {.snapshot_fd = -1}}};
    adit_log_init(&scene->supervisor.log, -1, ADIT_LOG_TEXT, ADIT_BYTES("test"));
    assert_ok(adit_loop_open(&scene->supervisor.loop, 8, 8));
    assert_ok(adit_plane_open(&scene->supervisor));
    scene->control = seat_play(seat_of(scene, ADIT_SUPERVISOR_CONTROL), ADIT_ROLE_CONTROL);
    scene->door = seat_play(seat_of(scene, ADIT_SUPERVISOR_DOOR), ADIT_ROLE_DOOR);
    scene->worker = seat_play(seat_of(scene, ADIT_SUPERVISOR_WORKER), ADIT_ROLE_WORKER);
}

static void scene_close(struct scene *scene)
{
    for (size_t i = 0; i < scene->supervisor.seat_count; i++) {
        adit_channel_close(&seat_of(scene, i)->child.channel);
    }
    adit_channel_close(&scene->control);
    adit_channel_close(&scene->door);
    adit_channel_close(&scene->worker);
    adit_plane_close(&scene->supervisor);
    adit_loop_close(&scene->supervisor.loop);
}

static struct adit_message expect(struct adit_channel *channel, enum adit_message_type type)
{
    struct adit_message message = {0};
    assert_ok(adit_channel_receive_wait(channel, 1000, &message));
    assert_int_equal(message.type, type);
    return message;
}

static void expect_nothing(struct adit_channel *channel)
{
    struct adit_message message = {0};
    assert_fails(adit_channel_receive_wait(channel, 0, &message), TIMEOUT);
}

static void say(struct scene *scene, size_t seat, struct adit_message message)
{
    assert_true(adit_plane_message(&scene->supervisor, seat_of(scene, seat), &message));
    adit_message_fds_close(&message);
}

static void snapshot_say(struct scene *scene, uint64_t version)
{
    struct adit_message snapshot = {
        .type = ADIT_MESSAGE_SNAPSHOT, .version = version, .fd_count = 1};
    assert_ok(adit_file_seal(ADIT_BYTES("x"), &snapshot.fds[0]));
    say(scene, ADIT_SUPERVISOR_CONTROL, snapshot);
}

static void snapshots_go_to_all_and_come_back(void **state)
{
    (void)state;
    static struct scene scene;
    scene_open(&scene);
    snapshot_say(&scene, 7);
    struct adit_message message = expect(&scene.door, ADIT_MESSAGE_SNAPSHOT);
    assert_int_equal(message.version, 7);
    adit_message_fds_close(&message);
    message = expect(&scene.worker, ADIT_MESSAGE_SNAPSHOT);
    adit_message_fds_close(&message);
    say(&scene, ADIT_SUPERVISOR_DOOR,
        (struct adit_message){.type = ADIT_MESSAGE_SNAPSHOT_TAKEN, .version = 7});
    say(&scene, ADIT_SUPERVISOR_WORKER,
        (struct adit_message){.type = ADIT_MESSAGE_SNAPSHOT_TAKEN, .version = 6});
    expect_nothing(&scene.control);
    say(&scene, ADIT_SUPERVISOR_WORKER,
        (struct adit_message){.type = ADIT_MESSAGE_SNAPSHOT_TAKEN, .version = 7});
    assert_int_equal(expect(&scene.control, ADIT_MESSAGE_SNAPSHOT_TAKEN).version, 7);
    say(&scene, ADIT_SUPERVISOR_WORKER,
        (struct adit_message){.type = ADIT_MESSAGE_SNAPSHOT_TAKEN, .version = 7});
    expect_nothing(&scene.control); /* told once */
    snapshot_say(&scene, 8);
    say(&scene, ADIT_SUPERVISOR_DOOR,
        (struct adit_message){.type = ADIT_MESSAGE_SNAPSHOT_TAKEN, .version = 8});
    seat_of(&scene, ADIT_SUPERVISOR_WORKER)->child.pid = 0; /* gets it with its next start */
    adit_plane_ended(&scene.supervisor, seat_of(&scene, ADIT_SUPERVISOR_WORKER));
    assert_int_equal(expect(&scene.control, ADIT_MESSAGE_SNAPSHOT_TAKEN).version, 8);
    scene_close(&scene);
}

/* A backup in the place of the database counts from further down: what is taken is not yet that. */
static void an_older_snapshot_is_not_taken_already(void **state)
{
    (void)state;
    static struct scene scene;
    static const uint64_t versions[] = {70, 5};
    scene_open(&scene);
    for (size_t i = 0; i < ADIT_COUNT(versions); i++) {
        uint64_t version = ADIT_AT(versions, i);
        snapshot_say(&scene, version);
        expect_nothing(&scene.control);
        for (uint32_t role = ADIT_SUPERVISOR_DOOR; role <= ADIT_SUPERVISOR_WORKER; role++) {
            say(&scene, role, (struct adit_message){.type = ADIT_MESSAGE_SNAPSHOT_TAKEN,
                                                    .version = version});
        }
        assert_int_equal(expect(&scene.control, ADIT_MESSAGE_SNAPSHOT_TAKEN).version, version);
    }
    scene_close(&scene);
}

static void a_snapshot_is_asked_of_a_control_that_is_there(void **state)
{
    (void)state;
    static struct scene scene;
    scene_open(&scene);
    assert_true(adit_plane_snapshot_ask(&scene.supervisor));
    expect(&scene.control, ADIT_MESSAGE_SNAPSHOT_ASK);
    seat_of(&scene, ADIT_SUPERVISOR_CONTROL)->is_ready = false;
    assert_false(adit_plane_snapshot_ask(&scene.supervisor));
    expect_nothing(&scene.control);
    scene_close(&scene);
}

static void leases_are_passed_on_or_asked_for_again(void **state)
{
    (void)state;
    static struct scene scene;
    struct adit_message lease = {.type = ADIT_MESSAGE_LEASE, .count = 1};
    scene_open(&scene);
    assert_ok(adit_message_text_set(&lease.name, ADIT_BYTES("shop")));
    assert_ok(adit_message_text_set(&lease.account, ADIT_BYTES("alice")));
    say(&scene, ADIT_SUPERVISOR_DOOR, lease);
    struct adit_message got = expect(&scene.control, ADIT_MESSAGE_LEASE);
    assert_bytes(adit_message_text_get(&got.name), ADIT_BYTES("shop"));
    seat_of(&scene, ADIT_SUPERVISOR_CONTROL)->is_ready = false;
    say(&scene, ADIT_SUPERVISOR_DOOR, lease); /* dropped */
    expect_nothing(&scene.control);
    seat_of(&scene, ADIT_SUPERVISOR_CONTROL)->is_ready = true;
    adit_plane_ready(&scene.supervisor, seat_of(&scene, ADIT_SUPERVISOR_DOOR));
    expect_nothing(&scene.door);
    adit_plane_ready(&scene.supervisor, seat_of(&scene, ADIT_SUPERVISOR_CONTROL));
    expect(&scene.door, ADIT_MESSAGE_LEASES_ASK);
    scene_close(&scene);
}

static void a_control_that_takes_nothing_keeps_the_door_waiting(void **state)
{
    (void)state;
    static struct scene scene;
    struct adit_message lease = {.type = ADIT_MESSAGE_LEASE, .count = 1};
    scene_open(&scene);
    assert_ok(adit_message_text_set(&lease.name, ADIT_BYTES("shop")));
    assert_ok(adit_message_text_set(&lease.account, ADIT_BYTES("alice")));
    size_t said = 0;
    for (; !adit_plane_is_stalled(&scene.supervisor) && said < 100000; said++) {
        say(&scene, ADIT_SUPERVISOR_DOOR, lease);
    }
    assert_true(said > ADIT_SUPERVISOR_STALL_MESSAGES && said < 100000);
    assert_true(adit_handle_is_set(scene.supervisor.plane.stall_timer));
    for (size_t i = 0; i < said; i++) { /* none was lost */
        adit_status_ignore(
            adit_channel_flush(&seat_of(&scene, ADIT_SUPERVISOR_CONTROL)->child.channel),
            "it goes as far as it goes");
        expect(&scene.control, ADIT_MESSAGE_LEASE);
    }
    assert_false(adit_plane_is_stalled(&scene.supervisor));
    assert_false(adit_handle_is_set(scene.supervisor.plane.stall_timer));
    scene_close(&scene);
}

static void counters_are_gathered(void **state)
{
    (void)state;
    static struct scene scene;
    scene_open(&scene);
    say(&scene, ADIT_SUPERVISOR_CONTROL,
        (struct adit_message){.type = ADIT_MESSAGE_STATUS_ASK, .request = 3});
    assert_int_equal(expect(&scene.door, ADIT_MESSAGE_STATUS_ASK).request, 3);
    expect(&scene.worker, ADIT_MESSAGE_STATUS_ASK);
    assert_int_equal(expect(&scene.control, ADIT_MESSAGE_ROLE_STATUS).index,
                     ADIT_ROLE_STATUS_CONTROL);
    struct adit_message status = {.type = ADIT_MESSAGE_STATUS, .request = 3};
    status.counters = (struct adit_message_counters){.count = 1, .values = {42}};
    say(&scene, ADIT_SUPERVISOR_WORKER, status);
    struct adit_message got = expect(&scene.control, ADIT_MESSAGE_ROLE_STATUS);
    assert_int_equal(got.index, 1);
    assert_int_equal(got.streams, 1);
    assert_int_equal(got.counters.values[0], 42);
    say(&scene, ADIT_SUPERVISOR_WORKER, status); /* once is enough */
    status.request = 2;
    say(&scene, ADIT_SUPERVISOR_DOOR, status); /* of an older request */
    expect_nothing(&scene.control);
    status.request = 3;
    say(&scene, ADIT_SUPERVISOR_DOOR, status);
    assert_int_equal(expect(&scene.control, ADIT_MESSAGE_ROLE_STATUS).index, 0);
    got = expect(&scene.control, ADIT_MESSAGE_STATUS_END);
    assert_int_equal(got.count, 2);
    assert_int_equal(got.streams, 2);
    scene_close(&scene);
}

static void a_silent_role_is_not_waited_for(void **state)
{
    (void)state;
    static struct scene scene;
    scene_open(&scene);
    seat_of(&scene, ADIT_SUPERVISOR_DOOR)->is_ready = false;
    say(&scene, ADIT_SUPERVISOR_CONTROL,
        (struct adit_message){.type = ADIT_MESSAGE_STATUS_ASK, .request = 1});
    expect_nothing(&scene.door);
    expect(&scene.control, ADIT_MESSAGE_ROLE_STATUS);
    struct adit_message silence = expect(&scene.control, ADIT_MESSAGE_ROLE_STATUS);
    assert_int_equal(silence.index, 0); /* the door, which is not ready */
    assert_int_equal(silence.counters.count, 0);
    for (size_t i = 0; i < 20 && scene.supervisor.plane.is_asking; i++) {
        assert_ok(adit_loop_turn(&scene.supervisor.loop, ADIT_SUPERVISOR_STATUS_US));
    }
    silence = expect(&scene.control, ADIT_MESSAGE_ROLE_STATUS);
    assert_int_equal(silence.index, 1); /* the worker, which says nothing */
    assert_int_equal(silence.counters.count, 0);
    struct adit_message got = expect(&scene.control, ADIT_MESSAGE_STATUS_END);
    assert_int_equal(got.count, 2);
    assert_int_equal(got.streams, 0);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snapshots_go_to_all_and_come_back),
        cmocka_unit_test(an_older_snapshot_is_not_taken_already),
        cmocka_unit_test(a_snapshot_is_asked_of_a_control_that_is_there),
        cmocka_unit_test(leases_are_passed_on_or_asked_for_again),
        cmocka_unit_test(a_control_that_takes_nothing_keeps_the_door_waiting),
        cmocka_unit_test(counters_are_gathered),
        cmocka_unit_test(a_silent_role_is_not_waited_for),
    };
    return cmocka_run_group_tests_name("supervisor/plane", tests, NULL, NULL);
}
