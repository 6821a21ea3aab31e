#include "edge/door/claims.c" /* its statics too: a timer is played */

#include <sys/mman.h>

#include "unit.h"

#include "edge/door/door_fixture.h"

static struct adit_message claim_message(const char *name, const char *account, uint64_t session)
{
    struct adit_message message = {.type = ADIT_MESSAGE_CLAIM,
                                   .request = 40 + session,
                                   .session = session,
                                   .seed = session,
                                   .kind = ADIT_TUNNEL_HTTP};
    assert_ok(adit_message_text_set(&message.name, adit_bytes_of_text(name)));
    assert_ok(adit_message_text_set(&message.account, adit_bytes_of_text(account)));
    return message;
}

static void send_claim(struct adit_channel *worker, const char *name, const char *account,
                       uint64_t session)
{
    struct adit_message message = claim_message(name, account, session);
    assert_ok(adit_channel_send(worker, &message));
}

static void claimed(struct fixture *fixture, struct adit_channel *worker, const char *name,
                    uint64_t session)
{
    struct adit_message answer = fixture_expect(fixture, worker, ADIT_MESSAGE_CLAIMED);
    assert_int_equal(answer.request, 40 + session);
    assert_int_equal(answer.session, session);
    assert_bytes(adit_message_text_get(&answer.name), adit_bytes_of_text(name));
}

static void expect_lease(struct fixture *fixture, const char *name, uint32_t count)
{
    struct adit_message lease =
        fixture_expect(fixture, &fixture->supervisor, ADIT_MESSAGE_LEASE);
    assert_bytes(adit_message_text_get(&lease.name), adit_bytes_of_text(name));
    assert_bytes(adit_message_text_get(&lease.account), ADIT_BYTES("ann"));
    assert_int_equal(lease.count, count);
}

/* A door in the place of another: it knows no names. */
static void fixture_begin_anew(struct fixture *fixture, bool is_told_more)
{
    struct adit_siphash_key seed = {0};
    fixture_open(fixture);
    fixture_wire(fixture);
    adit_claims_close(fixture->door);
    assert_ok(adit_names_init(&fixture->door->names, seed));
    fixture->door->is_told_more = is_told_more;
    assert_ok(adit_claims_open(fixture->door));
}

/* The time for a snapshot is over. */
static void snapshot_wait_end(struct fixture *fixture)
{
    struct adit_door *door = fixture->door;
    assert_ok(adit_loop_timer_set(&door->loop, &door->claims_timer, 1, no_snapshot, door, 0));
}

static void of_two_claims_one_wins(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct adit_channel second = {.fd = -1};
    struct adit_message end = {.type = ADIT_MESSAGE_OWN_END};
    fixture_open(&fixture);
    fixture_wire(&fixture);
    fixture_wire_silent(&fixture, &second, 1);
    assert_ok(adit_channel_send(&second, &end));
    send_claim(&fixture.worker, "shop", "ann", 1);
    send_claim(&second, "shop", "eve", 2);
    uint32_t granted = 0;
    uint32_t refused = 0;
    for (size_t i = 0; i < FIXTURE_TURNS_MAX && granted + refused < 2; i++) {
        struct adit_channel *channel = i % 2 == 0 ? &fixture.worker : &second;
        struct adit_message message = {0};
        enum adit_io io = ADIT_IO_BLOCKED;
        fixture_turn(&fixture);
        assert_ok(adit_channel_receive(channel, &message, &io));
        if (io == ADIT_IO_DONE) {
            granted += message.type == ADIT_MESSAGE_CLAIMED ? 1 : 0;
            refused += message.type == ADIT_MESSAGE_CLAIM_REFUSED &&
                               message.name_refusal == ADIT_NAME_REFUSAL_TAKEN
                           ? 1
                           : 0;
        }
    }
    assert_int_equal(granted, 1);
    assert_int_equal(refused, 1);
    adit_channel_close(&second);
    fixture_close(&fixture);
}

static void control_is_told(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct adit_message ask = {.type = ADIT_MESSAGE_LEASES_ASK};
    fixture_open(&fixture);
    fixture_wire(&fixture);
    send_claim(&fixture.worker, "shop", "ann", 1);
    claimed(&fixture, &fixture.worker, "shop", 1);
    expect_lease(&fixture, "shop", 1);
    assert_ok(adit_channel_send(&fixture.supervisor, &ask));
    expect_lease(&fixture, "shop", 1);
    struct adit_message release = claim_message("shop", "ann", 1);
    release.type = ADIT_MESSAGE_RELEASE;
    release.session = 2; /* not its owner: nothing happens */
    assert_ok(adit_channel_send(&fixture.worker, &release));
    release.session = 1;
    assert_ok(adit_channel_send(&fixture.worker, &release));
    expect_lease(&fixture, "shop", 0);
    send_claim(&fixture.worker, "shop", "ann", 3);
    claimed(&fixture, &fixture.worker, "shop", 3);
    expect_lease(&fixture, "shop", 1);
    adit_channel_close(&fixture.worker); /* killed */
    expect_lease(&fixture, "shop", 0);
    assert_int_equal(fixture.door->names.entries.used, 1);
    fixture_close(&fixture);
}

/* The supervisor reads nothing for a while: no lease is lost, and what waits has a limit. */
static void leases_wait_for_room(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    uint32_t told = 0;
    fixture_open(&fixture);
    fixture_wire(&fixture);
    for (uint64_t i = 0; i < 1000; i++) {
        send_claim(&fixture.worker, "", "ann", i);
        fixture_expect(&fixture, &fixture.worker, ADIT_MESSAGE_CLAIMED);
        assert_true(fixture.door->supervisor.waiting <= ADIT_CHANNEL_WAITING_MAX / 2);
    }
    assert_true(fixture.door->supervisor.waiting > 0);
    for (; told < 1000; told++) {
        fixture_expect(&fixture, &fixture.supervisor, ADIT_MESSAGE_LEASE);
    }
    struct adit_names_lease lease = {0};
    assert_false(adit_names_say_next(&fixture.door->names, &lease));
    fixture_close(&fixture);
}

static void hold_send(struct fixture *fixture, const char *name, const char *account,
                      uint64_t session)
{
    struct adit_message hold = claim_message(name, account, session);
    hold.type = ADIT_MESSAGE_HOLD;
    assert_ok(adit_channel_send(&fixture->worker, &hold));
}

static void a_new_door_gets_the_names_back(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    fixture_open(&fixture);
    fixture_wire(&fixture);
    hold_send(&fixture, "shop", "ann", 1);
    expect_lease(&fixture, "shop", 1);
    hold_send(&fixture, "shop", "ann", 2); /* of another instance: the last door had no time */
    struct adit_message evict = fixture_expect(&fixture, &fixture.worker, ADIT_MESSAGE_EVICT);
    assert_int_equal(evict.session, 2);
    hold_send(&fixture, "shop", "eve", 3); /* a second owner: this worker lies */
    fixture_expect(&fixture, &fixture.supervisor, ADIT_MESSAGE_BROKEN);
    assert_int_equal(adit_names_find(&fixture.door->names, ADIT_BYTES("shop"))->state,
                     ADIT_NAMED_HELD);
    fixture_close(&fixture);
}

/* A memfd with a snapshot of one lease, "kept" of bob; `extra` bytes too many after it. */
static struct adit_message snapshot_of(uint64_t version, uint64_t until_s, size_t extra)
{
    uint8_t memory[128] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_message message = {
        .type = ADIT_MESSAGE_SNAPSHOT, .version = version, .fd_count = 1};
    const struct adit_snapshot_lease lease = {
        .name = ADIT_BYTES("kept"), .account = ADIT_BYTES("bob"), .until_s = until_s};
    assert_ok(adit_snapshot_header_write(&writer, version, 1, 0));
    assert_ok(adit_snapshot_lease_write(&writer, &lease));
    assert_ok(adit_write_zeros(&writer, extra));
    message.fds[0] = memfd_create("snapshot", MFD_CLOEXEC);
    assert_true(message.fds[0] >= 0);
    assert_int_equal(write(message.fds[0], memory, writer.len), (ssize_t)writer.len);
    return message;
}

static void snapshots_hold_names(void **state)
{
    (void)state;
    int before = fixture_lowest_fd();
    struct fixture fixture = {0};
    fixture_open(&fixture);
    fixture_wire(&fixture);
    struct adit_message snapshot = snapshot_of(7, UINT64_MAX - 1, 0);
    assert_ok(adit_channel_send(&fixture.supervisor, &snapshot));
    struct adit_message taken =
        fixture_expect(&fixture, &fixture.supervisor, ADIT_MESSAGE_SNAPSHOT_TAKEN);
    assert_int_equal(taken.version, 7);
    send_claim(&fixture.worker, "kept", "ann", 1);
    struct adit_message refused =
        fixture_expect(&fixture, &fixture.worker, ADIT_MESSAGE_CLAIM_REFUSED);
    assert_int_equal(refused.name_refusal, ADIT_NAME_REFUSAL_TAKEN);
    snapshot = snapshot_of(8, UINT64_MAX - 1, 3); /* broken: it keeps to what it has */
    assert_ok(adit_channel_send(&fixture.supervisor, &snapshot));
    snapshot = snapshot_of(9, UINT64_MAX - 1, 0);
    snapshot.version = 10; /* not what is inside */
    assert_ok(adit_channel_send(&fixture.supervisor, &snapshot));
    struct adit_message ask = {.type = ADIT_MESSAGE_STATUS_ASK, .request = 5};
    assert_ok(adit_channel_send(&fixture.supervisor, &ask));
    struct adit_message status =
        fixture_expect(&fixture, &fixture.supervisor, ADIT_MESSAGE_STATUS);
    assert_int_equal(ADIT_AT(status.counters.values, ADIT_COUNTER_DOOR_SNAPSHOT), 7);
    assert_int_equal(ADIT_AT(status.counters.values, ADIT_COUNTER_DOOR_NAMES), 1);
    snapshot = snapshot_of(11, 1, 0); /* lapsed long ago */
    assert_ok(adit_channel_send(&fixture.supervisor, &snapshot));
    fixture_expect(&fixture, &fixture.supervisor, ADIT_MESSAGE_SNAPSHOT_TAKEN);
    send_claim(&fixture.worker, "kept", "ann", 1);
    claimed(&fixture, &fixture.worker, "kept", 1);
    fixture_close(&fixture);
    assert_int_equal(fixture_lowest_fd(), before);
}

/* A start of the whole server: whose names are whose is not known yet. */
static void a_new_door_waits_for_a_snapshot(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct adit_channel second = {.fd = -1};
    fixture_open(&fixture);
    fixture_wire(&fixture);
    fixture_wire_silent(&fixture, &second, 1);
    fixture_turn(&fixture);
    fixture.door->claims_end_us = UINT64_MAX;
    send_claim(&fixture.worker, "kept", "ann", 1);
    send_claim(&fixture.worker, "free", "ann", 2);
    send_claim(&second, "kept", "bob", 3);
    send_claim(&second, "", "bob", 4); /* one that is drawn is not kept for anybody */
    fixture_expect(&fixture, &second, ADIT_MESSAGE_CLAIMED);
    for (size_t i = 0; i < FIXTURE_TURNS_MAX && fixture.door->claims_waiting < 3; i++) {
        fixture_turn(&fixture);
    }
    assert_int_equal(fixture.door->claims_waiting, 3);
    adit_channel_close(&second); /* what it had asked is forgotten */
    for (size_t i = 0; i < 5; i++) {
        fixture_turn(&fixture);
    }
    struct adit_message snapshot = snapshot_of(7, UINT64_MAX - 1, 0);
    assert_ok(adit_channel_send(&fixture.supervisor, &snapshot));
    struct adit_message refused =
        fixture_expect(&fixture, &fixture.worker, ADIT_MESSAGE_CLAIM_REFUSED);
    assert_int_equal(refused.request, 41);
    claimed(&fixture, &fixture.worker, "free", 2);
    assert_int_equal(adit_names_find(&fixture.door->names, ADIT_BYTES("kept"))->state,
                     ADIT_NAMED_HELD);
    fixture_close(&fixture);
}

/* It begins with what was published last; what the one before it told control comes after. */
static void a_door_in_the_place_of_another_waits_for_the_second(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    fixture_begin_anew(&fixture, true);
    struct adit_message snapshot = snapshot_of(7, 1, 0); /* nobody has the name */
    assert_ok(adit_channel_send(&fixture.supervisor, &snapshot));
    fixture_expect(&fixture, &fixture.supervisor, ADIT_MESSAGE_SNAPSHOT_TAKEN);
    send_claim(&fixture.worker, "kept", "ann", 1);
    for (size_t i = 0; i < FIXTURE_TURNS_MAX && fixture.door->claims_waiting == 0; i++) {
        fixture_turn(&fixture);
    }
    assert_int_equal(fixture.door->claims_waiting, 1);
    snapshot = snapshot_of(8, UINT64_MAX - 1, 0);
    assert_ok(adit_channel_send(&fixture.supervisor, &snapshot));
    struct adit_message refused =
        fixture_expect(&fixture, &fixture.worker, ADIT_MESSAGE_CLAIM_REFUSED);
    assert_int_equal(refused.name_refusal, ADIT_NAME_REFUSAL_TAKEN);
    send_claim(&fixture.worker, "free", "ann", 2); /* from now on nothing waits */
    claimed(&fixture, &fixture.worker, "free", 2);
    fixture_close(&fixture);
}

/* A visitor who was parked meets the claim that waited. And what is held here needs no snapshot. */
static void visitors_follow_claims_that_waited(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    uint8_t memory[256] = {0};
    struct adit_bytes hello =
        fixture_hello_to(ADIT_SPAN_OF(memory), ADIT_BYTES("shop.adit.test"), ADIT_BYTES(""));
    struct adit_message release = claim_message("shop", "ann", 1);
    release.type = ADIT_MESSAGE_RELEASE;
    release.count = 1;
    fixture_open(&fixture);
    fixture_wire(&fixture);
    send_claim(&fixture.worker, "shop", "ann", 1);
    claimed(&fixture, &fixture.worker, "shop", 1);
    assert_ok(adit_channel_send(&fixture.worker, &release));
    int fd = fixture_dial(&fixture, &fixture.public);
    fixture_say(fd, hello);
    for (size_t i = 0; i < FIXTURE_TURNS_MAX && fixture.door->parked == 0; i++) {
        fixture_turn(&fixture);
    }
    struct adit_message claim = claim_message("shop", "ann", 2);
    claim_park(fixture.door, 0, &claim);
    snapshot_wait_end(&fixture);
    claimed(&fixture, &fixture.worker, "shop", 2);
    struct adit_message web = fixture_expect(&fixture, &fixture.worker, ADIT_MESSAGE_WEB);
    adit_message_fds_close(&web);
    fixture.door->claims_end_us = UINT64_MAX;
    release.session = 2;
    assert_ok(adit_channel_send(&fixture.worker, &release));
    send_claim(&fixture.worker, "shop", "ann", 3);
    claimed(&fixture, &fixture.worker, "shop", 3);
    adit_socket_close(&fd);
    fixture_close(&fixture);
}

/* Nor for ever: tunnels open while control is away. */
static void a_snapshot_may_not_come(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    fixture_begin_anew(&fixture, false);
    send_claim(&fixture.worker, "kept", "ann", 1);
    fixture_turn(&fixture);
    fixture_turn(&fixture);
    assert_int_equal(fixture.door->claims_waiting, 1);
    for (size_t i = 0; i < 2 * FIXTURE_TURNS_MAX && fixture.door->claims_waiting > 0; i++) {
        fixture_turn(&fixture);
    }
    claimed(&fixture, &fixture.worker, "kept", 1);
    fixture.door->claims_end_us = UINT64_MAX; /* many: those that have no room are not read */
    for (uint64_t i = 0; i < 100; i++) {
        send_claim(&fixture.worker, "many", i == 0 ? "ann" : "eve", i); /* nobody has it yet */
    }
    for (size_t i = 0; i < 20; i++) {
        fixture_turn(&fixture);
    }
    assert_true(fixture.door->claims_waiting > 0);
    assert_false(adit_claims_have_room(fixture.door));
    fixture.door->claims_end_us = 0;
    snapshot_wait_end(&fixture);
    claimed(&fixture, &fixture.worker, "many", 0);
    for (uint64_t i = 1; i < 100; i++) {
        fixture_expect(&fixture, &fixture.worker, ADIT_MESSAGE_CLAIM_REFUSED);
    }
    send_claim(&fixture.worker, "more", "ann", 2);
    claimed(&fixture, &fixture.worker, "more", 2);
    fixture_close(&fixture);
}

static void a_claim_that_makes_no_sense_ends_the_worker(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    fixture_open(&fixture);
    fixture_wire(&fixture);
    struct adit_message claim = claim_message("shop", "ann", 1);
    claim.kind = ADIT_TUNNEL_TCP;
    assert_ok(adit_channel_send(&fixture.worker, &claim));
    fixture_expect(&fixture, &fixture.supervisor, ADIT_MESSAGE_BROKEN);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_two_claims_one_wins),
        cmocka_unit_test(control_is_told),
        cmocka_unit_test(leases_wait_for_room),
        cmocka_unit_test(a_new_door_gets_the_names_back),
        cmocka_unit_test(snapshots_hold_names),
        cmocka_unit_test(a_new_door_waits_for_a_snapshot),
        cmocka_unit_test(a_door_in_the_place_of_another_waits_for_the_second),
        cmocka_unit_test(visitors_follow_claims_that_waited),
        cmocka_unit_test(a_snapshot_may_not_come),
        cmocka_unit_test(a_claim_that_makes_no_sense_ends_the_worker),
    };
    return cmocka_run_group_tests_name("door/claims", tests, NULL, NULL);
}
