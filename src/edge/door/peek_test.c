#include "edge/door/peek.h"

#include <sys/resource.h>

#include "unit.h"

#include "edge/door/door_fixture.h"

/* The socket that came with the message, with all that the visitor had said, still unread. */
static void expect_untouched(struct adit_message *message, struct adit_bytes said)
{
    uint8_t memory[512] = {0};
    size_t count = 0;
    enum adit_io io = ADIT_IO_BLOCKED;
    int fd = adit_message_fd_take(message, 0);
    assert_ok(adit_socket_receive(fd, ADIT_SPAN_OF(memory), &count, &io));
    assert_bytes(adit_bytes_first(ADIT_BYTES_OF(memory), count), said);
    adit_socket_close(&fd);
}

static void an_agent_is_handed_over(void **state)
{
    (void)state;
    int before = fixture_lowest_fd();
    struct fixture fixture = {0};
    uint8_t memory[256] = {0};
    struct adit_bytes hello = fixture_hello(ADIT_SPAN_OF(memory), ADIT_BYTES("adit/1"));
    fixture_open(&fixture);
    fixture_wire(&fixture);
    int fd = fixture_dial(&fixture, &fixture.public);
    fixture_say(fd, hello);
    struct adit_message message =
        fixture_expect(&fixture, &fixture.worker, ADIT_MESSAGE_AGENT);
    assert_int_equal(message.address.family, 4);
    assert_int_not_equal(message.request, 0);
    assert_int_equal(adit_admission_count(&fixture.door->admission), 1);
    assert_int_equal(fixture.door->pendings.used, 0);
    expect_untouched(&message, hello);
    struct adit_message done = {.type = ADIT_MESSAGE_AGENT_DONE, .request = message.request};
    assert_ok(adit_channel_send(&fixture.worker, &done));
    fixture_turn(&fixture);
    assert_int_equal(adit_admission_count(&fixture.door->admission), 0);
    adit_socket_close(&fd);
    fixture_close(&fixture);
    assert_int_equal(fixture_lowest_fd(), before);
}

static void a_hello_may_come_in_pieces(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    uint8_t memory[256] = {0};
    struct adit_bytes hello = fixture_hello(ADIT_SPAN_OF(memory), ADIT_BYTES("adit/1"));
    fixture_open(&fixture);
    fixture_wire(&fixture);
    int fd = fixture_dial(&fixture, &fixture.public);
    for (size_t i = 0; i < hello.len; i++) {
        fixture_say(fd, adit_bytes_first(adit_bytes_from(hello, i), 1));
        uint64_t before = fixture.door->loop.events_total;
        assert_ok(adit_loop_turn(&fixture.door->loop, 0));
        assert_ok(adit_loop_turn(&fixture.door->loop, 0));
        assert_true(fixture.door->loop.events_total - before <= 1); /* it does not spin */
    }
    struct adit_message message =
        fixture_expect(&fixture, &fixture.worker, ADIT_MESSAGE_AGENT);
    expect_untouched(&message, hello);
    adit_socket_close(&fd);
    fixture_close(&fixture);
}

static void others_are_orphans_with_a_reason(void **state)
{
    (void)state;
    static uint8_t agents[256];
    static uint8_t h2[256];
    const struct {
        struct adit_bytes said;
        enum adit_orphan reason;
    } cases[] = {
        {ADIT_BYTES("GET / HTTP/1.1\r\n\r\n"), ADIT_ORPHAN_PLAIN},
        {ADIT_BYTES("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"), ADIT_ORPHAN_BAD_HELLO},
        {fixture_hello_to(ADIT_SPAN_OF(agents), ADIT_BYTES("connect.adit.test"), ADIT_BYTES("")),
         ADIT_ORPHAN_OTHER_ALPN},
        {fixture_hello(ADIT_SPAN_OF(h2), ADIT_BYTES("h2")), ADIT_ORPHAN_OTHER_ALPN},
    };
    struct fixture fixture = {0};
    fixture_open(&fixture);
    fixture_wire(&fixture);
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        int fd = fixture_dial(&fixture, &fixture.public);
        fixture_say(fd, ADIT_AT(cases, i).said);
        struct adit_message message =
            fixture_expect(&fixture, &fixture.worker, ADIT_MESSAGE_ORPHAN);
        assert_int_equal(message.reason, ADIT_AT(cases, i).reason);
        expect_untouched(&message, ADIT_AT(cases, i).said);
        adit_socket_close(&fd);
    }
    assert_int_equal(adit_admission_count(&fixture.door->admission), 0);
    fixture_close(&fixture);
}

/* Wires a second worker, whose name is taken by a session 9 of kind `kind`. */
static void claim(struct fixture *fixture, struct adit_channel *worker, enum adit_tunnel kind)
{
    struct adit_message message = {
        .type = ADIT_MESSAGE_CLAIM, .session = 9, .kind = kind, .request = 1};
    struct adit_message end = {.type = ADIT_MESSAGE_OWN_END};
    assert_ok(adit_message_text_set(&message.account, ADIT_BYTES("ann")));
    assert_ok(adit_message_text_set(&message.name, ADIT_BYTES("shop")));
    if (!adit_channel_is_open(worker)) {
        fixture_wire_silent(fixture, worker, 1);
        assert_ok(adit_channel_send(worker, &end));
    }
    assert_ok(adit_channel_send(worker, &message));
    fixture_expect(fixture, worker, ADIT_MESSAGE_CLAIMED);
}

static void release(struct adit_channel *worker, uint32_t count)
{
    struct adit_message message = {.type = ADIT_MESSAGE_RELEASE, .session = 9, .count = count};
    assert_ok(adit_message_text_set(&message.name, ADIT_BYTES("shop")));
    assert_ok(adit_channel_send(worker, &message));
}

static void visitors_go_where_their_name_is(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct adit_channel owner = {.fd = -1};
    uint8_t memory[256] = {0};
    struct adit_bytes hello = fixture_hello_to(
        ADIT_SPAN_OF(memory), ADIT_BYTES("shop.adit.test"), ADIT_BYTES("http/1.1"));
    fixture_open(&fixture);
    fixture_wire(&fixture);
    claim(&fixture, &owner, ADIT_TUNNEL_HTTP);
    for (size_t i = 0; i < 4; i++) { /* never in turn */
        int fd = fixture_dial(&fixture, &fixture.public);
        fixture_say(fd, hello);
        struct adit_message web = fixture_expect(&fixture, &owner, ADIT_MESSAGE_WEB);
        assert_int_equal(web.options, 0);
        assert_bytes(adit_message_text_get(&web.domain), ADIT_BYTES("shop.adit.test"));
        expect_untouched(&web, hello);
        adit_socket_close(&fd);
    }
    release(&owner, 0);
    fixture_turn(&fixture);
    claim(&fixture, &owner, ADIT_TUNNEL_TLS);
    int fd = fixture_dial(&fixture, &fixture.public);
    fixture_say(fd, hello);
    struct adit_message through = fixture_expect(&fixture, &owner, ADIT_MESSAGE_THROUGH);
    assert_int_equal(through.session, 9);
    assert_bytes(adit_message_text_get(&through.name), ADIT_BYTES("shop"));
    expect_untouched(&through, hello);
    adit_socket_close(&fd);
    adit_channel_close(&owner);
    fixture_close(&fixture);
}

static void others_are_shared_out(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct adit_channel second = {.fd = -1};
    uint8_t memory[256] = {0};
    struct adit_bytes hello = fixture_hello_to(
        ADIT_SPAN_OF(memory), ADIT_BYTES("nobody.adit.test"), ADIT_BYTES(""));
    fixture_open(&fixture);
    fixture_wire(&fixture);
    claim(&fixture, &second, ADIT_TUNNEL_HTTP);
    for (size_t i = 0; i < 2; i++) {
        int fds[] = {fixture_dial(&fixture, &fixture.public),
                     fixture_dial(&fixture, &fixture.public)};
        fixture_say(fds[0], hello);
        fixture_say(fds[1], hello);
        struct adit_message web = fixture_expect(&fixture, &fixture.worker, ADIT_MESSAGE_WEB);
        expect_untouched(&web, hello);
        web = fixture_expect(&fixture, &second, ADIT_MESSAGE_WEB);
        expect_untouched(&web, hello);
        adit_socket_close(&fds[0]);
        adit_socket_close(&fds[1]);
    }
    adit_channel_close(&second);
    fixture_close(&fixture);
}

static void plain_visitors_go_to_any_worker(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    fixture_open(&fixture);
    fixture_wire(&fixture);
    fixture.door->hello_us = ADIT_SECOND_US;
    int silent = fixture_dial(&fixture, &fixture.plain);
    int cut = fixture_dial(&fixture, &fixture.plain);
    assert_ok(adit_socket_finish(cut));
    fixture_expect_closed(&fixture, cut);
    int fd = fixture_dial(&fixture, &fixture.plain);
    fixture_say(fd, ADIT_BYTES("G"));
    struct adit_message web = fixture_expect(&fixture, &fixture.worker, ADIT_MESSAGE_WEB);
    assert_int_equal(web.options, ADIT_WEB_PLAIN);
    assert_int_equal(web.domain.len, 0);
    assert_int_equal(web.address.family, 4);
    expect_untouched(&web, ADIT_BYTES("G"));
    fixture_expect_closed(&fixture, silent);
    assert_int_equal(fixture.door->accepted, 3);
    assert_int_equal(fixture.door->dropped, 2);
    adit_socket_close(&silent);
    adit_socket_close(&cut);
    adit_socket_close(&fd);
    fixture_close(&fixture);
}

/* By the host of their first request, where the HTTP port serves; whatever else they send waits. */
static void plain_visitors_go_where_their_host_is(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct adit_channel owner = {.fd = -1};
    const struct adit_bytes said =
        ADIT_BYTES("POST / HTTP/1.1\r\nHost: shop.adit.test\r\nContent-Length: 4\r\n\r\nbo");
    const struct adit_bytes strange = ADIT_BYTES("GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n");
    fixture_open(&fixture);
    fixture.door->is_http_serving = true;
    fixture_wire(&fixture);
    claim(&fixture, &owner, ADIT_TUNNEL_HTTP);
    int fd = fixture_dial(&fixture, &fixture.plain);
    for (size_t i = 0; i < said.len; i++) {
        fixture_say(fd, adit_bytes_first(adit_bytes_from(said, i), 1));
        uint64_t before = fixture.door->loop.events_total;
        assert_ok(adit_loop_turn(&fixture.door->loop, 0));
        assert_ok(adit_loop_turn(&fixture.door->loop, 0));
        assert_true(fixture.door->loop.events_total - before <= 1); /* it does not spin */
    }
    struct adit_message web = fixture_expect(&fixture, &owner, ADIT_MESSAGE_WEB);
    assert_int_equal(web.options, ADIT_WEB_PLAIN);
    assert_bytes(adit_message_text_get(&web.domain), ADIT_BYTES("shop.adit.test"));
    expect_untouched(&web, said);
    release(&owner, 1);
    fixture_turn(&fixture);
    int waits = fixture_dial(&fixture, &fixture.plain);
    fixture_say(waits, said);
    for (size_t i = 0; i < FIXTURE_TURNS_MAX && fixture.door->parked == 0; i++) {
        fixture_turn(&fixture);
    }
    claim(&fixture, &owner, ADIT_TUNNEL_HTTP);
    web = fixture_expect(&fixture, &owner, ADIT_MESSAGE_WEB);
    expect_untouched(&web, said);
    adit_channel_close(&owner);
    int other = fixture_dial(&fixture, &fixture.plain);
    fixture_say(other, strange);
    web = fixture_expect(&fixture, &fixture.worker, ADIT_MESSAGE_WEB);
    assert_bytes(adit_message_text_get(&web.domain), ADIT_BYTES("nobody.test"));
    expect_untouched(&web, strange);
    adit_socket_close(&fd);
    adit_socket_close(&waits);
    adit_socket_close(&other);
    fixture_close(&fixture);
}

/* Several sessions of one agent have the name: visitors are shared out among their workers, and one
 * that cannot take any is passed over. */
static void owners_take_turns(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct adit_channel second = {.fd = -1};
    uint8_t memory[256] = {0};
    uint32_t visits[2] = {0};
    struct adit_bytes hello = fixture_hello_to(
        ADIT_SPAN_OF(memory), ADIT_BYTES("shop.adit.test"), ADIT_BYTES("http/1.1"));
    struct adit_message message = {.type = ADIT_MESSAGE_CLAIM, .kind = ADIT_TUNNEL_HTTP};
    assert_ok(adit_message_text_set(&message.account, ADIT_BYTES("ann")));
    assert_ok(adit_message_text_set(&message.name, ADIT_BYTES("shop")));
    assert_ok(adit_message_text_set(&message.instance, ADIT_BYTES("one")));
    fixture_open(&fixture);
    fixture_wire(&fixture);
    fixture_wire_other(&fixture, &second, 1);
    struct adit_channel *workers[] = {&fixture.worker, &second};
    for (uint32_t i = 0; i < 2; i++) {
        message.slot = i;
        assert_ok(adit_channel_send(ADIT_AT(workers, i), &message));
        fixture_expect(&fixture, ADIT_AT(workers, i), ADIT_MESSAGE_CLAIMED);
    }
    for (size_t i = 0; i < 8; i++) {
        int fd = fixture_dial(&fixture, &fixture.public);
        fixture_say(fd, hello);
        struct adit_message web = fixture_expect(&fixture, ADIT_AT(workers, i % 2),
                                                 ADIT_MESSAGE_WEB);
        ADIT_AT(visits, i % 2)++;
        expect_untouched(&web, hello);
        adit_socket_close(&fd);
    }
    assert_int_equal(visits[0], 4);
    adit_channel_close(&second);
    for (size_t i = 0; i < 3; i++) { /* killed: the other has them all */
        int fd = fixture_dial(&fixture, &fixture.public);
        fixture_say(fd, hello);
        struct adit_message web = fixture_expect(&fixture, &fixture.worker, ADIT_MESSAGE_WEB);
        expect_untouched(&web, hello);
        adit_socket_close(&fd);
    }
    assert_int_equal(fixture.door->parked, 0);
    fixture_close(&fixture);
}

/* The agent is away for a moment: its visitor waits, and is served by whoever has the name then. */
static void visitors_wait_for_an_agent(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct adit_channel owner = {.fd = -1};
    uint8_t memory[256] = {0};
    struct adit_bytes hello = fixture_hello_to(
        ADIT_SPAN_OF(memory), ADIT_BYTES("shop.adit.test"), ADIT_BYTES("http/1.1"));
    fixture_open(&fixture);
    fixture_wire(&fixture);
    claim(&fixture, &owner, ADIT_TUNNEL_HTTP);
    release(&owner, 1);
    int fd = fixture_dial(&fixture, &fixture.public);
    fixture_say(fd, hello);
    for (size_t i = 0; i < FIXTURE_TURNS_MAX && fixture.door->parked == 0; i++) {
        fixture_turn(&fixture);
    }
    assert_int_equal(fixture.door->parked, 1);
    claim(&fixture, &fixture.worker, ADIT_TUNNEL_HTTP); /* at another worker now */
    struct adit_message web = fixture_expect(&fixture, &fixture.worker, ADIT_MESSAGE_WEB);
    expect_untouched(&web, hello);
    assert_int_equal(fixture.door->parked, 0);
    assert_int_equal(fixture.door->waiting, 0);
    adit_socket_close(&fd);
    adit_channel_close(&owner);
    fixture_close(&fixture);
}

static void the_grace_ends(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    uint8_t memory[256] = {0};
    struct adit_bytes hello = fixture_hello_to(
        ADIT_SPAN_OF(memory), ADIT_BYTES("shop.adit.test"), ADIT_BYTES("http/1.1"));
    fixture_open(&fixture);
    fixture_wire(&fixture);
    fixture.door->grace_us = 1500 * ADIT_MS_US;
    fixture.door->hello_us = ADIT_SECOND_US; /* parked, it may stay for longer */
    claim(&fixture, &fixture.worker, ADIT_TUNNEL_HTTP);
    uint64_t since_us = adit_clock_now_us();
    release(&fixture.worker, 1);
    int fd = fixture_dial(&fixture, &fixture.public);
    fixture_say(fd, hello);
    struct adit_message web = fixture_expect(&fixture, &fixture.worker, ADIT_MESSAGE_WEB);
    assert_true(adit_clock_now_us() - since_us >= fixture.door->grace_us);
    expect_untouched(&web, hello);
    assert_int_equal(fixture.door->parked, 0);
    assert_int_equal(fixture.door->pendings.used, 0);
    adit_socket_close(&fd);
    fixture_close(&fixture);
}

/* A name may be one that a new worker has not said yet: visitors wait until it has, or for a
 * second; agents do not. */
static void a_new_worker_may_speak_first(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    uint8_t memory[256] = {0};
    uint8_t agents[256] = {0};
    struct adit_bytes hello = fixture_hello_to(
        ADIT_SPAN_OF(memory), ADIT_BYTES("shop.adit.test"), ADIT_BYTES("h2"));
    struct adit_bytes web =
        fixture_hello_to(ADIT_SPAN_OF(agents), ADIT_BYTES("shop.adit.test"), ADIT_BYTES(""));
    struct adit_message hold = {
        .type = ADIT_MESSAGE_HOLD, .session = 9, .kind = ADIT_TUNNEL_TLS};
    assert_ok(adit_message_text_set(&hold.name, ADIT_BYTES("shop")));
    assert_ok(adit_message_text_set(&hold.account, ADIT_BYTES("ann")));
    fixture_open(&fixture);
    fixture.door->tell_us = 60 * ADIT_SECOND_US;
    fixture_wire_silent(&fixture, &fixture.worker, 0);
    int fd = fixture_dial(&fixture, &fixture.public);
    int other = fixture_dial(&fixture, &fixture.public);
    fixture_say(fd, hello);
    fixture_say(other, web);
    for (size_t i = 0; i < FIXTURE_TURNS_MAX && fixture.door->waiting < 2; i++) {
        fixture_turn(&fixture);
    }
    assert_int_equal(fixture.door->waiting, 2);
    struct adit_message end = {.type = ADIT_MESSAGE_OWN_END};
    assert_ok(adit_channel_send(&fixture.worker, &hold));
    assert_ok(adit_channel_send(&fixture.worker, &end));
    struct adit_message message = fixture_expect(&fixture, &fixture.worker, ADIT_MESSAGE_THROUGH);
    adit_message_fds_close(&message);
    message = fixture_expect(&fixture, &fixture.worker, ADIT_MESSAGE_THROUGH);
    adit_message_fds_close(&message);
    adit_socket_close(&fd);
    adit_socket_close(&other);
    fixture_close(&fixture);
}

static void a_silent_worker_is_not_waited_for(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    uint8_t memory[256] = {0};
    struct adit_bytes hello = fixture_hello(ADIT_SPAN_OF(memory), ADIT_BYTES("http/1.1"));
    fixture_open(&fixture);
    fixture.door->tell_us = 50 * ADIT_MS_US;
    fixture_wire_silent(&fixture, &fixture.worker, 0);
    int fd = fixture_dial(&fixture, &fixture.public);
    fixture_say(fd, hello);
    struct adit_message web = fixture_expect(&fixture, &fixture.worker, ADIT_MESSAGE_WEB);
    expect_untouched(&web, hello);
    adit_socket_close(&fd);
    fixture_close(&fixture);
}

static void silence_and_cuts_are_closed(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    uint8_t memory[256] = {0};
    struct adit_bytes hello = fixture_hello(ADIT_SPAN_OF(memory), ADIT_BYTES("adit/1"));
    fixture_open(&fixture);
    fixture_wire(&fixture);
    fixture.door->hello_us = ADIT_SECOND_US;
    int silent = fixture_dial(&fixture, &fixture.public);
    int cut = fixture_dial(&fixture, &fixture.public);
    fixture_say(cut, adit_bytes_first(hello, 20));
    assert_ok(adit_socket_finish(cut)); /* the low-water mark holds nothing back after a FIN */
    fixture_expect_closed(&fixture, cut);
    fixture_expect_closed(&fixture, silent);
    assert_int_equal(fixture.door->pendings.used, 0);
    assert_int_equal(fixture.door->loop.timers.used, 0);
    adit_socket_close(&silent);
    adit_socket_close(&cut);
    fixture_close(&fixture);
}

static void connections_wait_for_a_worker(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    uint8_t memory[256] = {0};
    struct adit_bytes hello = fixture_hello(ADIT_SPAN_OF(memory), ADIT_BYTES("adit/1"));
    fixture_open(&fixture);
    fixture.door->hello_us = 2 * ADIT_SECOND_US;
    int patient = fixture_dial(&fixture, &fixture.public);
    int gone = fixture_dial(&fixture, &fixture.public);
    fixture_say(patient, hello);
    fixture_say(gone, hello);
    for (size_t i = 0; i < FIXTURE_TURNS_MAX && fixture.door->pendings.used < 2; i++) {
        fixture_turn(&fixture);
    }
    assert_int_equal(fixture.door->pendings.used, 2);
    adit_socket_close(&gone);
    for (size_t i = 0; i < FIXTURE_TURNS_MAX && fixture.door->pendings.used > 1; i++) {
        fixture_turn(&fixture);
    }
    assert_int_equal(fixture.door->pendings.used, 1);
    fixture_wire(&fixture);
    struct adit_message message =
        fixture_expect(&fixture, &fixture.worker, ADIT_MESSAGE_AGENT);
    expect_untouched(&message, hello);
    adit_channel_close(&fixture.worker);
    int late = fixture_dial(&fixture, &fixture.public);
    fixture_say(late, hello);
    fixture_expect_closed(&fixture, late);
    assert_int_equal(fixture.door->pendings.used, 0);
    adit_socket_close(&patient);
    adit_socket_close(&late);
    fixture_close(&fixture);
}

static void the_oldest_silent_one_gives_way(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    static int fds[ADIT_DOOR_PENDING_MAX + 1];
    fixture_open(&fixture);
    for (size_t i = 0; i < ADIT_COUNT(fds); i++) {
        assert_ok(adit_socket_connect(&fixture.public, &ADIT_AT(fds, i)));
        assert_ok(adit_loop_turn(&fixture.door->loop, i % 64 == 0 ? ADIT_MS_US : 0));
    }
    for (size_t i = 0; i < 10; i++) {
        fixture_turn(&fixture);
    }
    assert_int_equal(fixture.door->pendings.used, ADIT_DOOR_PENDING_MAX);
    fixture_expect_closed(&fixture, fds[0]);
    for (size_t i = 0; i < ADIT_COUNT(fds); i++) {
        adit_socket_close(&ADIT_AT(fds, i));
    }
    fixture_close(&fixture);
}

/* With fewer descriptors than the limit of pending connections the rule is the same. */
static void without_descriptors_the_oldest_gives_way(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct rlimit kept = {0};
    uint8_t memory[256] = {0};
    struct adit_bytes hello = fixture_hello(ADIT_SPAN_OF(memory), ADIT_BYTES("adit/1"));
    fixture_open(&fixture);
    fixture_wire(&fixture);
    int silent = fixture_dial(&fixture, &fixture.public);
    for (size_t i = 0; i < FIXTURE_TURNS_MAX && fixture.door->pendings.used == 0; i++) {
        fixture_turn(&fixture);
    }
    int honest = -1;
    assert_ok(adit_socket_connect(&fixture.public, &honest));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &kept), 0);
    struct rlimit none = {.rlim_cur = (rlim_t)fixture_lowest_fd(), .rlim_max = kept.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    fixture_expect_closed(&fixture, silent);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &kept), 0);
    fixture_say(honest, hello);
    struct adit_message message =
        fixture_expect(&fixture, &fixture.worker, ADIT_MESSAGE_AGENT);
    expect_untouched(&message, hello);
    adit_socket_close(&silent);
    adit_socket_close(&honest);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_agent_is_handed_over),
        cmocka_unit_test(a_hello_may_come_in_pieces),
        cmocka_unit_test(others_are_orphans_with_a_reason),
        cmocka_unit_test(visitors_go_where_their_name_is),
        cmocka_unit_test(others_are_shared_out),
        cmocka_unit_test(plain_visitors_go_to_any_worker),
        cmocka_unit_test(plain_visitors_go_where_their_host_is),
        cmocka_unit_test(owners_take_turns),
        cmocka_unit_test(visitors_wait_for_an_agent),
        cmocka_unit_test(the_grace_ends),
        cmocka_unit_test(a_new_worker_may_speak_first),
        cmocka_unit_test(a_silent_worker_is_not_waited_for),
        cmocka_unit_test(silence_and_cuts_are_closed),
        cmocka_unit_test(connections_wait_for_a_worker),
        cmocka_unit_test(the_oldest_silent_one_gives_way),
        cmocka_unit_test(without_descriptors_the_oldest_gives_way),
    };
    return cmocka_run_group_tests_name("door/peek", tests, NULL, NULL);
}
