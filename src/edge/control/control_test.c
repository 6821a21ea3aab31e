/* Covers client.c, leases.c, local.c, publish.c, report.c: control as a whole. */
#include "edge/control/control_fixture.h"

/* --- Leases and snapshots --------------------------------------------------------------------- */

static void leases_reach_the_next_snapshot_and_stay(void **state)
{
    (void)state;
    static struct scene scene;
    uint64_t count = 0;
    scene_open(&scene);
    lease_say(&scene, ADIT_BYTES("shop"), 1);
    lease_say(&scene, ADIT_BYTES("blog"), 1);
    lease_say(&scene, ADIT_BYTES("blog"), 0);
    lease_say(&scene, ADIT_BYTES("No name"), 1); /* told, not written */
    uint64_t before = scene.version;
    for (size_t i = 0; i < TURNS_MAX && scene.leases < 2; i++) {
        hear(&scene, 1);
    }
    assert_int_equal(scene.leases, 2);
    assert_true(scene.version <= before + 2); /* not one for each */
    control_close(&scene.control);
    adit_channel_close(&scene.supervisor);
    unlink("aditd.sock");
    assert_int_equal(fchdir(scene.home), 0);
    assert_ok(control_start(&scene)); /* control is new; what was in use is held */
    hear(&scene, 2);
    assert_int_equal(scene.leases, 2);
    uint64_t now_s = adit_clock_wall_ms() / 1000;
    assert_ok(adit_store_leases_expire(&scene.control.store, now_s + HOLD_S - 100, &count));
    assert_int_equal(count, 0);
    assert_ok(adit_store_leases_expire(&scene.control.store, now_s + HOLD_S + 100, &count));
    assert_int_equal(count, 2);
    scene_close(&scene);
}

static void a_revocation_of_another_process_is_noticed(void **state)
{
    (void)state;
    static struct scene scene;
    struct adit_store store = {0};
    struct adit_store_token token = {.id = {1},
                                     .kind = ADIT_TOKEN_USER,
                                     .created_s = 1,
                                     .expires_s = ADIT_TOKEN_EXPIRES_NEVER};
    bool was_revoked = false;
    scene_open(&scene);
    assert_ok(ADIT_FIELD_SET(token.account, ADIT_BYTES("alice")));
    assert_ok(ADIT_FIELD_SET(token.names, ADIT_BYTES("*")));
    assert_ok(adit_store_open(&store, "adit.db"));
    assert_ok(adit_store_token_add(&store, &token));
    assert_ok(adit_store_token_revoke(&store, ADIT_BYTES_OF(token.id), 1, &was_revoked));
    adit_store_close(&store);
    uint64_t begin_us = adit_clock_now_us();
    for (size_t i = 0; i < TURNS_MAX && scene.revocations == 0; i++) {
        hear(&scene, 1);
    }
    assert_int_equal(scene.revocations, 1);
    assert_true(adit_clock_now_us() - begin_us < 2 * ADIT_SECOND_US); /* on a busy machine */
    scene_close(&scene);
}

/* A new door is to know what the one before it has said, whenever the next one would be due. */
static void a_snapshot_can_be_asked_for(void **state)
{
    (void)state;
    static struct scene scene;
    scene_open(&scene);
    scene.control.published_us = adit_clock_now_us() + 60 * (uint64_t)ADIT_SECOND_US;
    lease_say(&scene, ADIT_BYTES("shop"), 1);
    hear(&scene, 3);
    assert_int_equal(scene.leases, 0);
    uint64_t before = scene.version;
    lease_say(&scene, ADIT_BYTES("wiki"), 1); /* in the same turn as the question */
    say(&scene, (struct adit_message){.type = ADIT_MESSAGE_SNAPSHOT_ASK});
    for (size_t i = 0; i < TURNS_MAX && scene.version == before; i++) {
        hear(&scene, 1);
    }
    assert_int_equal(scene.leases, 2);
    scene_close(&scene);
}

static void a_busy_database_costs_time_and_no_lease(void **state)
{
    (void)state;
    static struct scene scene;
    struct adit_store other = {0};
    scene_open(&scene);
    adit_store_close(&scene.control.store); /* every use fails for a while */
    lease_say(&scene, ADIT_BYTES("shop"), 1);
    hear(&scene, 3);
    assert_int_equal(scene.control.lease_count, 1);
    assert_true(scene.control.is_failing);
    assert_ok(adit_store_open(&other, "adit.db"));
    scene.control.store = other;
    scene.control.lease_retry_us = 0;
    for (size_t i = 0; i < TURNS_MAX && scene.leases == 0; i++) {
        hear(&scene, 1);
    }
    assert_int_equal(scene.leases, 1);
    assert_int_equal(scene.control.lease_count, 0);
    scene_close(&scene);
}

static void too_many_leases_are_left_to_the_door(void **state)
{
    (void)state;
    static struct scene scene;
    struct adit_message lease = {.type = ADIT_MESSAGE_LEASE, .count = 1};
    scene_open(&scene);
    assert_ok(adit_message_text_set(&lease.name, ADIT_BYTES("shop")));
    assert_ok(adit_message_text_set(&lease.account, ADIT_BYTES("alice")));
    scene.control.lease_retry_us = UINT64_MAX; /* the database is away */
    for (size_t i = 0; i < CONTROL_LEASES_MAX / 2; i++) {
        assert_ok(control_lease_put(&scene.control, &lease));
    }
    assert_ok(adit_loop_turn(&scene.control.loop, 0));
    assert_int_equal(scene.control.supervisor_interest & ADIT_LOOP_READ, 0);
    for (size_t i = 0; i < CONTROL_LEASES_MAX / 2; i++) {
        assert_ok(control_lease_put(&scene.control, &lease));
    }
    assert_fails(control_lease_put(&scene.control, &lease), FULL);
    scene.control.lease_retry_us = 0;
    assert_ok(adit_loop_turn(&scene.control.loop, 0));
    assert_int_equal(scene.control.lease_count, 0);
    assert_int_equal(scene.control.supervisor_interest & ADIT_LOOP_READ, ADIT_LOOP_READ);
    scene_close(&scene);
}

/* --- Local commands --------------------------------------------------------------------------- */

static void refresh_waits_for_the_edge(void **state)
{
    (void)state;
    static struct scene scene;
    scene_open(&scene);
    int fd = -1;
    uint64_t pid = 0;
    size_t count = 0;
    enum adit_io io = ADIT_IO_BLOCKED;
    uint64_t before = scene.version;
    assert_ok(adit_local_connect(scene.folder, ADIT_BYTES("aditd.sock"), &fd, &pid));
    assert_ok(adit_socket_send(fd, ADIT_BYTES("refresh\n"), &count, &io));
    for (size_t i = 0; i < TURNS_MAX && scene.version == before; i++) {
        hear(&scene, 1);
    }
    uint8_t byte = 0;
    hear(&scene, 3);
    assert_ok(adit_socket_receive(fd, (struct adit_span){.ptr = &byte, .len = 1}, &count, &io));
    assert_int_equal(io, ADIT_IO_BLOCKED); /* nobody has said that it is applied */
    say(&scene, (struct adit_message){.type = ADIT_MESSAGE_SNAPSHOT_TAKEN,
                                      .version = scene.version});
    struct adit_bytes answer = exchange(&scene, fd, ADIT_BYTES(""), false);
    assert_true(adit_bytes_starts_with(answer, ADIT_BYTES("{\"applied\":true,\"version\":")));
    scene.control.applied_us = ADIT_SECOND_US / 5;
    assert_ok(adit_local_connect(scene.folder, ADIT_BYTES("aditd.sock"), &fd, &pid));
    assert_ok(adit_socket_send(fd, ADIT_BYTES("refresh\n"), &count, &io));
    hear(&scene, 3);
    uint64_t begin_us = adit_clock_now_us();
    while (adit_clock_now_us() - begin_us < 2 * scene.control.applied_us) {
        hear(&scene, 1);
    }
    answer = exchange(&scene, fd, ADIT_BYTES(""), false);
    assert_true(adit_bytes_starts_with(answer, ADIT_BYTES("{\"applied\":false,\"version\":")));
    scene_close(&scene);
}

static void status_tells_roles_and_counts(void **state)
{
    (void)state;
    static struct scene scene;
    scene_open(&scene);
    lease_say(&scene, ADIT_BYTES("shop"), 1);
    hear(&scene, 3);
    struct adit_bytes answer = command(&scene, ADIT_BYTES("status\n"));
    static const struct adit_bytes parts[] = {
        ADIT_BYTES_INIT("\"uptime_s\":61,\"ready\":true,\"degraded\":false,\"reason\":\"\","
                        "\"version\":"),
        ADIT_BYTES_INIT("\"roles\":[{\"name\":\"door\",\"index\":0,\"pid\":78,\"starts\":1,"
                        "\"ready\":true,\"counters\":{\"pending\":9,"),
        ADIT_BYTES_INIT("{\"name\":\"worker\",\"index\":0,\"pid\":77,\"starts\":2,"
                        "\"ready\":true,\"counters\":{\"sessions\":5,\"streams\":6,\"tunnels\":0,"),
        ADIT_BYTES_INIT("],\"names\":1,\"tokens\":0}\n"),
    };
    for (size_t i = 0; i < ADIT_COUNT(parts); i++) {
        assert_true(holds(answer, ADIT_AT(parts, i)));
    }
    scene_close(&scene);
}

/* Is the reason among what status says? */
static bool is_degraded(struct scene *scene, struct adit_bytes reason)
{
    static uint8_t memory[8192];
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    assert_ok(control_status_write(&scene->control, &writer));
    struct adit_bytes answer = adit_writer_bytes(&writer);
    assert_true(holds(answer, reason.len > 0 ? ADIT_BYTES("\"degraded\":true,\"reason\":\"")
                                             : ADIT_BYTES("\"degraded\":false,")));
    return holds(answer, reason);
}

static void what_is_not_well_is_said(void **state)
{
    (void)state;
    static struct scene scene;
    scene_open(&scene);
    struct control *control = &scene.control;
    control->report = (struct control_report){.expected = 2, .ready = 2};
    control->taken = control->version;
    assert_true(is_degraded(&scene, ADIT_BYTES("")));
    control->taken = control->version - 1;
    assert_true(is_degraded(&scene, ADIT_BYTES(""))); /* on its way */
    control->published_us = adit_clock_now_us() - CONTROL_APPLIED_US - 1;
    assert_true(is_degraded(&scene, ADIT_BYTES("a process acts by an old snapshot")));
    control->is_failing = true;
    assert_true(is_degraded(&scene, ADIT_BYTES("the database fails")));
    control->report.ready = 1;
    ADIT_AT(control->report.roles, 2) =
        (struct control_role){.is_there = true, .index = 1, .pid = 77, .starts = 3};
    assert_true(is_degraded(&scene, ADIT_BYTES("a process is not ready")));
    assert_true(is_degraded(&scene, ADIT_BYTES("\"pid\":77,\"starts\":3,\"ready\":false")));
    scene_close(&scene);
}

static void it_is_there_and_can_be_told(void **state)
{
    (void)state;
    static struct scene scene;
    scene_open(&scene);
    say(&scene, (struct adit_message){.type = ADIT_MESSAGE_STATUS_ASK, .request = 9});
    struct adit_message answer = hear(&scene, 3);
    assert_int_equal(answer.type, ADIT_MESSAGE_STATUS);
    assert_int_equal(answer.request, 9);
    say(&scene, (struct adit_message){.type = ADIT_MESSAGE_NAME_HOLD, .count = 60});
    hear(&scene, 2);
    assert_int_equal(scene.control.hold_s, 60);
    scene_close(&scene);
}

static void odd_commands_are_told_so(void **state)
{
    (void)state;
    static struct scene scene;
    static uint8_t endless[CONTROL_LINE_BYTES_MAX + 10];
    scene_open(&scene);
    adit_span_fill(ADIT_SPAN_OF(endless), 'x');
    const struct {
        struct adit_bytes line, answer;
    } rows[] = {
        {ADIT_BYTES("refresh \n"), ADIT_BYTES("{\"error\":\"unknown_command\"}\n")},
        {ADIT_BYTES("\n"), ADIT_BYTES("{\"error\":\"unknown_command\"}\n")},
        {ADIT_BYTES("STATUS\n"), ADIT_BYTES("{\"error\":\"unknown_command\"}\n")},
        {ADIT_BYTES("status\r\n"), ADIT_BYTES("{\"error\":\"unknown_command\"}\n")},
        {ADIT_BYTES_OF(endless), ADIT_BYTES("{\"error\":\"line_too_long\"}\n")},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        assert_bytes(command(&scene, ADIT_AT(rows, i).line), ADIT_AT(rows, i).answer);
    }
    assert_int_equal(scene.control.local_count, 0);
    scene_close(&scene);
}

static void connections_are_limited_and_end(void **state)
{
    (void)state;
    static struct scene scene;
    int fds[CONTROL_LOCAL_MAX + 4] = {0};
    uint64_t pid = 0;
    scene_open(&scene);
    for (size_t i = 0; i < ADIT_COUNT(fds); i++) {
        assert_ok(adit_local_connect(scene.folder, ADIT_BYTES("aditd.sock"), &ADIT_AT(fds, i),
                                     &pid));
        hear(&scene, 2);
    }
    assert_int_equal(scene.control.local_count, CONTROL_LOCAL_MAX);
    for (size_t i = 0; i < ADIT_COUNT(fds); i++) {
        close(ADIT_AT(fds, i));
    }
    hear(&scene, 5);
    assert_int_equal(scene.control.local_count, 0);
    scene.control.client_us = ADIT_SECOND_US;
    assert_ok(adit_local_connect(scene.folder, ADIT_BYTES("aditd.sock"), &ADIT_AT(fds, 0), &pid));
    hear(&scene, 3);
    assert_int_equal(scene.control.local_count, 1);
    for (size_t i = 0; i < TURNS_MAX && scene.control.local_count > 0; i++) {
        hear(&scene, 1);
    }
    assert_int_equal(scene.control.local_count, 0); /* it said nothing for too long */
    close(ADIT_AT(fds, 0));
    scene_close(&scene);
}

/* --- The start and the end -------------------------------------------------------------------- */

static void a_damaged_database_ends_it(void **state)
{
    (void)state;
    static struct scene scene;
    scene_open(&scene);
    control_close(&scene.control);
    adit_channel_close(&scene.supervisor);
    unlink("aditd.sock");
    assert_ok(adit_file_write("adit.db", 0600, ADIT_BYTES("nonsense, and enough of it")));
    assert_int_equal(fchdir(scene.home), 0);
    assert_fails(control_start(&scene), INVALID);
    scene_close(&scene);
}

static void control_end(struct scene *scene)
{
    adit_channel_close(&scene->supervisor);
    unlink("aditd.sock");
    assert_int_equal(fchdir(scene->home), 0);
}

/* The server runs, control is new, and the database is not what it was. */
static void a_lost_database_ends_it(void **state)
{
    (void)state;
    static struct scene scene;
    for (size_t i = 0; i < 2; i++) {
        scene_open(&scene);
        control_close(&scene.control);
        assert_int_equal(i == 0 ? unlink(ADIT_STORE_FILE) : truncate(ADIT_STORE_FILE, 0), 0);
        control_end(&scene);
        assert_fails(control_start(&scene), REFUSED);
        assert_true(scene.control.is_failing); /* it was told */
        scene_close(&scene);
    }
}

/* It is taken away while control has it open: what it would write goes nowhere, so it ends. */
static void a_database_that_is_taken_away_ends_it(void **state)
{
    (void)state;
    static struct scene scene;
    scene_open(&scene);
    assert_int_equal(unlink(ADIT_STORE_FILE), 0);
    uint64_t begin_us = adit_clock_now_us();
    assert_ok(adit_loop_run(&scene.control.loop));
    assert_true(adit_clock_now_us() - begin_us < 2 * ADIT_SECOND_US);
    control_close(&scene.control);
    control_end(&scene);
    assert_fails(control_start(&scene), REFUSED);
    scene_close(&scene);
}

static void it_ends_when_it_is_told(void **state)
{
    (void)state;
    static struct scene scene;
    scene_open(&scene);
    lease_say(&scene, ADIT_BYTES("shop"), 1);
    say(&scene, (struct adit_message){.type = ADIT_MESSAGE_STOP});
    assert_ok(adit_loop_run(&scene.control.loop));
    assert_int_equal(scene.control.lease_count, 0); /* written down before */
    scene_close(&scene);
    scene_open(&scene);
    adit_channel_close(&scene.supervisor); /* the supervisor has died */
    assert_ok(adit_loop_run(&scene.control.loop));
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leases_reach_the_next_snapshot_and_stay),
        cmocka_unit_test(a_revocation_of_another_process_is_noticed),
        cmocka_unit_test(a_snapshot_can_be_asked_for),
        cmocka_unit_test(a_busy_database_costs_time_and_no_lease),
        cmocka_unit_test(too_many_leases_are_left_to_the_door),
        cmocka_unit_test(refresh_waits_for_the_edge),
        cmocka_unit_test(status_tells_roles_and_counts),
        cmocka_unit_test(what_is_not_well_is_said),
        cmocka_unit_test(it_is_there_and_can_be_told),
        cmocka_unit_test(odd_commands_are_told_so),
        cmocka_unit_test(connections_are_limited_and_end),
        cmocka_unit_test(a_damaged_database_ends_it),
        cmocka_unit_test(a_lost_database_ends_it),
        cmocka_unit_test(a_database_that_is_taken_away_ends_it),
        cmocka_unit_test(it_ends_when_it_is_told),
    };
    return cmocka_run_group_tests_name("control/control", tests, NULL, NULL);
}
