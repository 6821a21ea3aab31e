#include "edge/supervisor/wiring.h"

#include "unit.h"

/* A seat without a process: the role's end of the channel is the test's. */
static struct adit_channel seat_play(struct adit_supervisor_seat *seat, enum adit_role role)
{
    const struct adit_role_info *info = adit_role_info(role);
    struct adit_channel theirs = {.fd = -1};
    int first = -1;
    int second = -1;
    *seat = (struct adit_supervisor_seat){.role = role};
    adit_child_init(&seat->child);
    assert_ok(adit_channel_pair(&first, &second));
    assert_ok(adit_channel_open(&seat->child.channel, first, info->sends, info->receives));
    assert_ok(adit_channel_open(&theirs, second, info->receives, info->sends));
    return theirs;
}

static struct adit_message expect(struct adit_channel *channel, enum adit_message_type type)
{
    struct adit_message message = {0};
    assert_ok(adit_channel_receive_wait(channel, 1000, &message));
    assert_int_equal(message.type, type);
    return message;
}

static struct adit_supervisor_options options_of_test(void)
{
    return (struct adit_supervisor_options){
        .listener = 0,
        .http_listener = 0,
        .admin_listener = 0,
        .local_listener = 0,
        .store_path = "/tmp",
        .https = {.family = 4, .port = 8443, .ip = {127, 0, 0, 1}},
        .domain = ADIT_BYTES("adit.localhost"),
        .port_from = 20000,
        .port_to = 20999,
        .live = {.certificate_path = "/dev/null", .key_path = "/dev/null", .drain_ms = 500},
        .token_key_path = "/dev/null",
        .format = ADIT_LOG_JSON,
        .is_sandbox_off = true,
    };
}

/* A snapshot and ticket keys, as control and chance would give them. */
static void plane_play(struct adit_supervisor *supervisor)
{
    assert_ok(adit_file_seal(ADIT_BYTES("all there is"), &supervisor->plane.snapshot_fd));
    assert_ok(adit_span_copy(ADIT_SPAN_OF(supervisor->plane.tickets), ADIT_BYTES("tickets")));
    supervisor->plane.ticket_bytes = 7;
    supervisor->plane.version = 5;
}

static int lowest_fd(void)
{
    int fd = dup(0);
    close(fd);
    return fd;
}

static void start_messages_say_what_a_role_needs(void **state)
{
    (void)state;
    static struct adit_supervisor supervisor;
    static struct adit_supervisor_seat seat;
    int before = lowest_fd();
    supervisor = (struct adit_supervisor){
        .options = options_of_test(), .seat_count = 5, .credentials = {-1, -1, -1}};
    plane_play(&supervisor);
    assert_ok(adit_wiring_credentials_open(&supervisor));
    struct adit_channel control = seat_play(&seat, ADIT_ROLE_CONTROL);
    assert_ok(adit_wiring_start(&supervisor, &seat));
    struct adit_message message = expect(&control, ADIT_MESSAGE_CONTROL_START);
    assert_int_equal(message.fd_count, 3);
    assert_int_equal(message.count, ADIT_SUPERVISOR_NAME_HOLD_S);
    adit_message_fds_close(&message);
    adit_channel_close(&control);
    adit_channel_close(&seat.child.channel);

    struct adit_channel door = seat_play(&seat, ADIT_ROLE_DOOR);
    assert_ok(adit_wiring_start(&supervisor, &seat));
    message = expect(&door, ADIT_MESSAGE_DOOR_START);
    assert_int_equal(message.options, ADIT_START_JSON | ADIT_START_NO_SANDBOX);
    assert_int_equal(message.port_from, 20000);
    assert_int_equal(message.port_to, 20999);
    assert_int_equal(message.count, ADIT_SUPERVISOR_SOURCE_MAX);
    assert_int_equal(message.address.ip[0], 127);
    adit_message_fds_close(&message);
    message = expect(&door, ADIT_MESSAGE_SNAPSHOT);
    assert_int_equal(message.version, 5);
    adit_message_fds_close(&message);
    seat.is_told_more = true;
    assert_ok(adit_wiring_start(&supervisor, &seat));
    message = expect(&door, ADIT_MESSAGE_DOOR_START);
    assert_int_equal(message.options, ADIT_START_JSON | ADIT_START_NO_SANDBOX | ADIT_START_ASKED);
    adit_message_fds_close(&message);
    message = expect(&door, ADIT_MESSAGE_SNAPSHOT);
    adit_message_fds_close(&message);
    adit_channel_close(&door);
    adit_channel_close(&seat.child.channel);

    struct adit_channel worker = seat_play(&seat, ADIT_ROLE_WORKER);
    supervisor.options.is_sandbox_off = false;
    supervisor.options.is_polling = true;
    supervisor.options.format = ADIT_LOG_TEXT;
    assert_ok(adit_wiring_start(&supervisor, &seat));
    message = expect(&worker, ADIT_MESSAGE_WORKER_START);
    assert_int_equal(message.options, ADIT_START_POLLING);
    assert_int_equal(message.port, 8443);
    assert_int_equal(message.count, 3); /* workers in five seats */
    assert_bytes(adit_message_text_get(&message.domain), ADIT_BYTES("adit.localhost"));
    for (size_t i = 0; i < 3; i++) { /* read-only */
        assert_int_equal(fcntl(ADIT_AT(message.fds, i), F_GETFL) & O_ACCMODE, O_RDONLY);
    }
    adit_message_fds_close(&message);
    message = expect(&worker, ADIT_MESSAGE_SNAPSHOT);
    adit_message_fds_close(&message);
    message = expect(&worker, ADIT_MESSAGE_TICKETS);
    assert_bytes(adit_message_text_get(&message.secret), ADIT_BYTES("tickets"));
    supervisor.options.token_key_path = "/nonexistent";
    assert_fails(adit_wiring_credentials_open(&supervisor), SYSTEM); /* the old ones stay */
    assert_ok(adit_wiring_reload(&supervisor, &seat));
    message = expect(&worker, ADIT_MESSAGE_CREDENTIALS);
    adit_message_fds_close(&message);
    adit_channel_close(&worker);
    adit_channel_close(&seat.child.channel);
    adit_socket_close(&supervisor.plane.snapshot_fd);
    adit_wiring_credentials_close(&supervisor);
    assert_int_equal(lowest_fd(), before);
}

static void a_missing_key_sends_nothing(void **state)
{
    (void)state;
    static struct adit_supervisor supervisor;
    static struct adit_supervisor_seat seat;
    int before = lowest_fd();
    struct adit_message message = {0};
    supervisor = (struct adit_supervisor){
        .options = options_of_test(), .seat_count = 5, .credentials = {-1, -1, -1}};
    supervisor.options.token_key_path = "/nonexistent";
    assert_fails(adit_wiring_credentials_open(&supervisor), SYSTEM);
    struct adit_channel worker = seat_play(&seat, ADIT_ROLE_WORKER);
    assert_fails(adit_wiring_start(&supervisor, &seat), SYSTEM);
    assert_fails(adit_wiring_reload(&supervisor, &seat), SYSTEM);
    assert_fails(adit_channel_receive_wait(&worker, 10, &message), TIMEOUT);
    adit_channel_close(&worker);
    adit_channel_close(&seat.child.channel);
    assert_int_equal(lowest_fd(), before);
}

static void control_learns_how_long_names_stay(void **state)
{
    (void)state;
    static struct adit_supervisor supervisor;
    static struct adit_supervisor_seat seat;
    supervisor = (struct adit_supervisor){.options = options_of_test(), .seat_count = 5};
    supervisor.options.live.name_hold_s = 60;
    struct adit_channel control = seat_play(&seat, ADIT_ROLE_CONTROL);
    assert_ok(adit_wiring_name_hold(&supervisor, &seat));
    assert_int_equal(expect(&control, ADIT_MESSAGE_NAME_HOLD).count, 60);
    adit_channel_close(&control);
    adit_channel_close(&seat.child.channel);
}

static void joined_roles_talk_to_each_other(void **state)
{
    (void)state;
    static struct adit_supervisor supervisor;
    static struct adit_supervisor_seat door_seat;
    static struct adit_supervisor_seat worker_seat;
    int before = lowest_fd();
    struct adit_channel door_side = {.fd = -1};
    struct adit_channel worker_side = {.fd = -1};
    supervisor = (struct adit_supervisor){.options = options_of_test(), .seat_count = 5};
    struct adit_channel door = seat_play(&door_seat, ADIT_ROLE_DOOR);
    struct adit_channel worker = seat_play(&worker_seat, ADIT_ROLE_WORKER);
    for (uint64_t wiring = 1; wiring <= 2; wiring++) {
        assert_ok(adit_wiring_join(&supervisor, &door_seat, &worker_seat));
        struct adit_message to_door = expect(&door, ADIT_MESSAGE_WIRE_WORKER);
        struct adit_message to_worker = expect(&worker, ADIT_MESSAGE_WIRE_DOOR);
        assert_int_equal(to_door.request, wiring);
        assert_int_equal(worker_seat.wiring, wiring);
        assert_ok(adit_channel_open(&door_side, adit_message_fd_take(&to_door, 0),
                                    ADIT_EDGE_DOOR_WORKER, ADIT_EDGE_WORKER_DOOR));
        assert_ok(adit_channel_open(&worker_side, adit_message_fd_take(&to_worker, 0),
                                    ADIT_EDGE_WORKER_DOOR, ADIT_EDGE_DOOR_WORKER));
        struct adit_message own_end = {.type = ADIT_MESSAGE_OWN_END};
        assert_ok(adit_channel_send(&worker_side, &own_end));
        expect(&door_side, ADIT_MESSAGE_OWN_END);
        adit_channel_close(&door_side);
        adit_channel_close(&worker_side);
    }
    adit_channel_close(&worker);
    assert_fails(adit_wiring_join(&supervisor, &door_seat, &worker_seat), CLOSED);
    adit_channel_close(&door);
    adit_channel_close(&door_seat.child.channel);
    adit_channel_close(&worker_seat.child.channel);
    assert_int_equal(lowest_fd(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start_messages_say_what_a_role_needs),
        cmocka_unit_test(a_missing_key_sends_nothing),
        cmocka_unit_test(control_learns_how_long_names_stay),
        cmocka_unit_test(joined_roles_talk_to_each_other),
    };
    return cmocka_run_group_tests_name("supervisor/wiring", tests, NULL, NULL);
}
