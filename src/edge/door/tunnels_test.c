#include "edge/door/tunnels.h"

#include "unit.h"

#include "edge/door/door_fixture.h"

static void ask(struct fixture *fixture, uint16_t port, const char *account, uint64_t session)
{
    struct adit_message bind = {.type = ADIT_MESSAGE_BIND,
                                .request = 40 + session,
                                .session = session,
                                .port = port,
                                .kind = ADIT_TUNNEL_TCP};
    assert_ok(adit_message_text_set(&bind.account, adit_bytes_of_text(account)));
    assert_ok(adit_channel_send(&fixture->worker, &bind));
}

/* BOUND for `session`: the listener. */
static int expect_bound(struct fixture *fixture, uint64_t session, uint16_t *out_port)
{
    struct adit_message bound = fixture_expect(fixture, &fixture->worker, ADIT_MESSAGE_BOUND);
    struct adit_address address = {0};
    int fd = adit_message_fd_take(&bound, 0);
    assert_int_equal(bound.request, 40 + session);
    assert_ok(adit_socket_local(fd, &address));
    assert_int_equal(address.port, bound.port);
    *out_port = bound.port;
    return fd;
}

static void expect_refused(struct fixture *fixture, uint64_t session,
                           enum adit_port_refusal refusal)
{
    struct adit_message refused =
        fixture_expect(fixture, &fixture->worker, ADIT_MESSAGE_BIND_REFUSED);
    assert_int_equal(refused.request, 40 + session);
    assert_int_equal(refused.refusal, refusal);
}

static void unbind(struct fixture *fixture, uint16_t port, uint64_t session, uint32_t is_kept)
{
    struct adit_message message = {
        .type = ADIT_MESSAGE_UNBIND, .session = session, .port = port, .count = is_kept};
    assert_ok(adit_channel_send(&fixture->worker, &message));
    fixture_turn(fixture);
}

/* Accepts one connection from the listener. */
static int accept_one(struct fixture *fixture, int listener)
{
    for (size_t i = 0; i < FIXTURE_TURNS_MAX; i++) {
        int fd = -1;
        struct adit_address peer = {0};
        enum adit_io io = ADIT_IO_BLOCKED;
        assert_ok(adit_socket_accept(listener, &fd, &peer, &io));
        if (io == ADIT_IO_DONE) {
            return fd;
        }
        fixture_turn(fixture);
    }
    fail_msg("nobody came");
    return -1;
}

static void ports_are_given_and_refused(void **state)
{
    (void)state;
    int before = fixture_lowest_fd();
    struct fixture fixture = {0};
    uint16_t port = 0;
    fixture_open(&fixture);
    fixture_wire(&fixture);
    ask(&fixture, fixture.port_from, "ann", 1);
    int first = expect_bound(&fixture, 1, &port);
    assert_int_equal(port, fixture.port_from);
    ask(&fixture, fixture.port_from, "bob", 2);
    expect_refused(&fixture, 2, ADIT_PORT_REFUSAL_TAKEN);
    ask(&fixture, 22, "ann", 4);
    expect_refused(&fixture, 4, ADIT_PORT_REFUSAL_RANGE);
    int visitor = fixture_dial(&fixture, &(struct adit_address){.family = 4,
                                                               .port = port,
                                                               .ip = {127, 0, 0, 1}});
    int accepted = accept_one(&fixture, first); /* the worker's own accept */
    adit_socket_close(&accepted);
    adit_socket_close(&visitor);
    adit_socket_close(&first);
    fixture_close(&fixture);
    assert_int_equal(fixture_lowest_fd(), before);
}

static void any_port_avoids_what_others_have(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    uint16_t port = 0;
    int foreign = -1;
    fixture_open(&fixture);
    fixture_wire(&fixture);
    struct adit_address address = fixture_loopback((uint16_t)(fixture.port_from + 1));
    assert_ok(adit_socket_listen(&address, 1, &foreign)); /* another program */
    for (uint64_t session = 1; session <= 3; session++) {
        ask(&fixture, 0, "ann", session);
        int fd = expect_bound(&fixture, session, &port);
        assert_int_not_equal(port, address.port);
        adit_socket_close(&fd);
    }
    ask(&fixture, 0, "ann", 4);
    expect_refused(&fixture, 4, ADIT_PORT_REFUSAL_TAKEN);
    ask(&fixture, address.port, "ann", 5);
    expect_refused(&fixture, 5, ADIT_PORT_REFUSAL_TAKEN);
    adit_socket_close(&foreign);
    fixture_close(&fixture);
}

static void visitors_wait_through_a_grace(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    uint16_t port = 0;
    fixture_open(&fixture);
    fixture_wire(&fixture);
    ask(&fixture, fixture.port_from, "ann", 1);
    int listener = expect_bound(&fixture, 1, &port);
    adit_socket_close(&listener);
    adit_channel_close(&fixture.worker); /* killed */
    fixture_turn(&fixture);
    const struct adit_address address = fixture_loopback(port);
    int visitor = fixture_dial(&fixture, &address);
    fixture_wire(&fixture);
    ask(&fixture, port, "bob", 2);
    expect_refused(&fixture, 2, ADIT_PORT_REFUSAL_TAKEN);
    ask(&fixture, port, "ann", 3);
    listener = expect_bound(&fixture, 3, &port);
    int accepted = accept_one(&fixture, listener); /* the visitor who came in between */
    adit_socket_close(&accepted);
    adit_socket_close(&listener);
    adit_socket_close(&visitor);
    fixture_close(&fixture);
}

static void a_grace_ends_with_a_reset(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    uint16_t port = 0;
    fixture_open(&fixture);
    fixture_wire(&fixture);
    fixture.door->grace_us = 500 * ADIT_MS_US;
    ask(&fixture, fixture.port_from, "ann", 1);
    int listener = expect_bound(&fixture, 1, &port);
    const struct adit_address address = fixture_loopback(port);
    unbind(&fixture, port, 9, 1); /* another session's word counts nothing */
    assert_int_equal(adit_ports_get(&fixture.door->ports, port)->state, ADIT_PORT_OWNED);
    int visitor = fixture_dial(&fixture, &address); /* before the grace, however short */
    unbind(&fixture, port, 1, 1);
    fixture_expect_closed(&fixture, visitor); /* also while the worker still holds the listener */
    assert_int_equal(fixture.door->ports.used, 0);
    ask(&fixture, port, "bob", 2);
    int again = expect_bound(&fixture, 2, &port);
    unbind(&fixture, port, 2, 0);
    assert_int_equal(fixture.door->ports.used, 0);
    adit_socket_close(&again);
    adit_socket_close(&listener);
    adit_socket_close(&visitor);
    fixture_close(&fixture);
}

/* A server that stops takes no visitors, whoever holds the listener. */
static void a_stop_shuts_the_ports(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct adit_message stop = {.type = ADIT_MESSAGE_STOP, .drain_ms = 10000};
    uint16_t port = 0;
    int late = -1;
    fixture_open(&fixture);
    fixture_wire(&fixture);
    ask(&fixture, fixture.port_from, "ann", 1);
    int listener = expect_bound(&fixture, 1, &port);
    const struct adit_address address = fixture_loopback(port);
    int visitor = fixture_dial(&fixture, &address);
    int accepted = accept_one(&fixture, listener);
    assert_ok(adit_channel_send(&fixture.supervisor, &stop));
    fixture_turn(&fixture);
    assert_ok(adit_socket_connect(&address, &late));
    assert_true(!adit_is_ok(adit_socket_connect_result(late)));
    fixture_say(visitor, ADIT_BYTES("hello")); /* who is in goes on */
    fixture_turn(&fixture);
    uint8_t memory[16] = {0};
    size_t count = 0;
    enum adit_io io = ADIT_IO_BLOCKED;
    assert_ok(adit_socket_receive(accepted, ADIT_SPAN_OF(memory), &count, &io));
    assert_int_equal(count, 5);
    int fds[] = {late, visitor, accepted, listener};
    for (size_t i = 0; i < ADIT_COUNT(fds); i++) {
        adit_socket_close(&ADIT_AT(fds, i));
    }
    fixture_close(&fixture);
}

static void a_new_door_gets_its_ports_back(void **state)
{
    (void)state;
    struct fixture old = {0};
    struct fixture fixture = {0};
    uint16_t port = 0;
    fixture_open(&old);
    fixture_wire(&old);
    ask(&old, old.port_from, "ann", 1);
    int listener = expect_bound(&old, 1, &port);
    int copy = dup(listener);
    fixture_close(&old); /* the door dies; the worker still listens */
    fixture_open(&fixture);
    fixture_wire(&fixture);
    /* The new door was given another range by the fixture: make it the old one. */
    adit_ports_deinit(&fixture.door->ports);
    assert_ok(adit_ports_init(&fixture.door->ports, port, (uint16_t)(port + 3)));
    struct adit_message own = {
        .type = ADIT_MESSAGE_OWN, .session = 1, .port = port, .fds = {copy}, .fd_count = 1};
    assert_ok(adit_message_text_set(&own.account, ADIT_BYTES("ann")));
    assert_ok(adit_channel_send(&fixture.worker, &own));
    fixture_turn(&fixture);
    fixture_turn(&fixture);
    assert_int_equal(fixture.door->ports.used, 1);
    ask(&fixture, port, "bob", 2);
    expect_refused(&fixture, 2, ADIT_PORT_REFUSAL_TAKEN);
    adit_socket_close(&listener);
    fixture_close(&fixture);
}

static void a_false_owner_is_broken_off(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    const struct adit_address any = fixture_loopback(0);
    struct adit_message own = {.type = ADIT_MESSAGE_OWN, .session = 1, .fd_count = 1};
    fixture_open(&fixture);
    fixture_wire(&fixture);
    own.port = fixture.port_from;
    assert_ok(adit_message_text_set(&own.account, ADIT_BYTES("ann")));
    assert_ok(adit_socket_listen(&any, 1, &own.fds[0])); /* of another port */
    assert_ok(adit_channel_send(&fixture.worker, &own));
    struct adit_message broken =
        fixture_expect(&fixture, &fixture.supervisor, ADIT_MESSAGE_BROKEN);
    assert_int_equal(broken.request, 77);
    assert_int_equal(fixture.door->ports.used, 0);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_are_given_and_refused),
        cmocka_unit_test(any_port_avoids_what_others_have),
        cmocka_unit_test(visitors_wait_through_a_grace),
        cmocka_unit_test(a_grace_ends_with_a_reset),
        cmocka_unit_test(a_stop_shuts_the_ports),
        cmocka_unit_test(a_new_door_gets_its_ports_back),
        cmocka_unit_test(a_false_owner_is_broken_off),
    };
    return cmocka_run_group_tests_name("door/tunnels", tests, NULL, NULL);
}
