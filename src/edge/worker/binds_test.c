/* Tunnels with a port. Covers binds.c, ports.c, visitors.c. */
#include "worker_fixture.h"

static void a_visitor_becomes_a_stream(void **state)
{
    struct fixture *f = *state;
    struct adit_address address = {0};
    int listener = -1;
    int visitor = -1;
    log_in(f, 0, &good_hello);
    assert_int_equal(expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE).request, 900);
    assert_bytes(ADIT_FIELD_BYTES(f->agents[0].message.welcome.account), ADIT_BYTES("acme"));
    bind_port(f, 0, &address, &listener);
    assert_ok(adit_socket_connect(&address, &visitor));
    turn_until(f, f->agents[0].streams == 1);
    assert_int_equal(f->agents[0].head.bind, 1);
    assert_int_equal(f->agents[0].head.kind, ADIT_TUNNEL_TCP);
    assert_int_equal(f->agents[0].head.visitor.family, 4);
    turn_until(f, f->worker->hub.pumps.used == 0); /* the agent refused it */
    uint8_t room[4] = {0};
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    assert_fails(adit_socket_receive(visitor, ADIT_SPAN_OF(room), &count, &io), SYSTEM);
    adit_socket_close(&visitor);
    adit_link_close(&f->hub, f->agents[0].link, adit_ok());
    struct adit_message unbind = expect(f, &f->door, ADIT_MESSAGE_UNBIND);
    assert_int_equal(unbind.port, address.port);
    assert_int_equal(unbind.count, 1); /* kept for the grace */
    adit_socket_close(&listener);
}

enum { CROWD = 12, AT_ONCE = 2 };

/* More at once than the session takes: the others wait in the kernel's queue, where another worker
 * that shares the listener can take them. */
static void accepting_pauses_and_goes_on(void **state)
{
    struct fixture *f = *state;
    struct adit_address address = {0};
    struct adit_handle handle = {0};
    uint32_t cursor = 0;
    int listener = -1;
    int visitors[CROWD] = {0};
    log_in(f, 0, &good_hello);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    bind_port(f, 0, &address, &listener);
    assert_true(adit_pool_next(&f->worker->binds, &cursor, &handle));
    const struct bind *bind = worker_bind_at(f->worker, handle);
    f->worker->hub.mux.limits.unacked_max = AT_ONCE;
    for (size_t i = 0; i < CROWD; i++) {
        assert_ok(adit_socket_connect(&address, &ADIT_AT(visitors, i)));
    }
    for (int i = 0; i < TURNS_MAX && adit_handle_is_set(bind->watch); i++) {
        assert_ok(adit_loop_turn(&f->worker->loop, 200)); /* the agent sleeps */
    }
    assert_false(adit_handle_is_set(bind->watch));
    assert_int_equal(f->worker->counters.visitors, AT_ONCE);
    turn_until(f, f->agents[0].streams == CROWD);
    turn_until(f, adit_handle_is_set(bind->watch));
    assert_int_equal(f->worker->counters.visitors_turned_away, 0);
    assert_true(f->worker->counters.waits > 0);
    for (size_t i = 0; i < CROWD; i++) {
        adit_socket_close(&ADIT_AT(visitors, i));
    }
    adit_socket_close(&listener);
}

/* A line a second, with how many it stands for; each is counted. */
static void a_full_session_is_told_of(void **state)
{
    struct fixture *f = *state;
    const struct agent agent = {.number = 7};
    static const char *const lines[] = {"event=session_full session=7 others=0\n",
                                        "event=session_full session=7 others=2\n"};
    int ends[2] = {-1, -1};
    assert_int_equal(pipe(ends), 0);
    adit_log_init(&f->worker->log, ADIT_AT(ends, 1), ADIT_LOG_TEXT, ADIT_BYTES("worker"));
    for (size_t i = 0; i < ADIT_COUNT(lines); i++) {
        uint8_t room[512] = {0};
        for (int times = 0; times < 3; times++) {
            worker_visitor_waits(f->worker, &agent);
        }
        ssize_t got = read(ADIT_AT(ends, 0), room, sizeof room);
        assert_true(got > 0);
        struct adit_bytes line = adit_bytes_first(ADIT_BYTES_OF(room), (size_t)got);
        assert_true(adit_bytes_ends_with(line, adit_bytes_of_text(ADIT_AT(lines, i))));
        assert_int_equal(adit_bytes_find(line, '\n'), line.len - 1); /* one */
        f->worker->waits.next_us = f->worker->loop.now_us; /* as if a second had passed */
    }
    assert_int_equal(f->worker->counters.waits, 6);
    adit_log_init(&f->worker->log, -1, ADIT_LOG_TEXT, ADIT_BYTES("worker"));
    close(ADIT_AT(ends, 0));
    close(ADIT_AT(ends, 1));
}

static void rights_are_checked_at_each_bind(void **state)
{
    struct fixture *f = *state;
    struct hello narrow = good_hello;
    narrow.allows = ADIT_TOKEN_ALLOWS_HTTP;
    log_in(f, 0, &narrow);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    ask(f, 0, 1, 0);
    turn_until(f, f->agents[0].messages == 2);
    assert_bytes(ADIT_FIELD_BYTES(f->agents[0].message.refused.code), ADIT_BYTES("token_scope"));
    assert_int_equal(f->agents[0].message.refused.bind, 1);
    assert_int_equal(f->agents[0].closes, 0); /* the session lives */
    assert_int_equal(f->worker->binds.used, 0);
}

static void the_doors_refusals_reach_the_agent(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum adit_port_refusal refusal;
        const char *code;
    } rows[] = {{ADIT_PORT_REFUSAL_TAKEN, "port_taken"},
                {ADIT_PORT_REFUSAL_RANGE, "port_range"},
                {ADIT_PORT_REFUSAL_LIMIT, "limit_reached"}};
    struct hello hello = good_hello;
    hello.slot = 3;
    log_in(f, 0, &hello);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        ask(f, 0, 1, 700);
        struct adit_message wanted = expect(f, &f->door, ADIT_MESSAGE_BIND);
        assert_int_equal(wanted.port, 700);
        assert_int_equal(wanted.slot, 3);
        assert_bytes(adit_message_text_get(&wanted.instance),
                     adit_bytes_of_text(good_hello.instance));
        struct adit_message no = {.type = ADIT_MESSAGE_BIND_REFUSED,
                                  .request = wanted.request,
                                  .refusal = ADIT_AT(rows, i).refusal};
        assert_ok(adit_channel_send(&f->door, &no));
        int before = f->agents[0].messages;
        turn_until(f, f->agents[0].messages > before);
        assert_bytes(ADIT_FIELD_BYTES(f->agents[0].message.refused.code),
                     adit_bytes_of_text(ADIT_AT(rows, i).code));
    }
}

static void a_new_door_is_told_what_is_owned(void **state)
{
    struct fixture *f = *state;
    struct adit_address address = {0};
    int listener = -1;
    log_in(f, 0, &good_hello);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    bind_port(f, 0, &address, &listener);
    ask(f, 0, 2, 0); /* asked, and the old door dies before it answers */
    (void)expect(f, &f->door, ADIT_MESSAGE_BIND);
    wire_door(f);
    struct adit_message own = expect(f, &f->door, ADIT_MESSAGE_OWN);
    assert_int_equal(own.port, address.port);
    assert_bytes(adit_message_text_get(&own.account), ADIT_BYTES("acme"));
    assert_bytes(adit_message_text_get(&own.instance), adit_bytes_of_text(good_hello.instance));
    adit_message_fds_close(&own);
    (void)expect(f, &f->door, ADIT_MESSAGE_OWN_END);
    (void)expect(f, &f->door, ADIT_MESSAGE_BIND);
    adit_socket_close(&listener);
}

/* What no honest agent does costs itself its session, and nobody else anything. */
static void a_flood_of_binds_ends_its_session(void **state)
{
    struct fixture *f = *state;
    struct adit_control unbind = {.type = ADIT_CONTROL_UNBIND};
    struct hello other = good_hello;
    other.id = 2;
    unbind.unbind.bind = 7;
    log_in(f, 1, &other);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    log_in(f, 0, &good_hello);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    for (int i = 0; i < 2000 && f->agents[0].closes == 0; i++) { /* and the door does not read */
        ask_name(f, 0, ADIT_TUNNEL_HTTP, "shop");
        assert_ok(adit_link_send(&f->hub, f->agents[0].link, &unbind));
        turn(f);
    }
    turn_until(f, f->agents[0].closes == 1);
    assert_int_equal(f->agents[0].message.type, ADIT_CONTROL_REFUSED);
    assert_int_equal(f->agents[0].message.refused.bind, 0);
    assert_bytes(ADIT_FIELD_BYTES(f->agents[0].message.refused.code), ADIT_BYTES("limit_reached"));
    assert_true(adit_channel_is_open(&f->worker->door));
    assert_int_equal(ADIT_AT(f->agents, 1).closes, 0);
    for (uint64_t asked = 0; asked < WORKER_ASKS_BURST; asked++) {
        (void)expect(f, &f->door, ADIT_MESSAGE_CLAIM);
    }
}

/* A door that answers nothing: more is not asked of it, and what must be said still can be. */
static void a_busy_door_is_left_alone(void **state)
{
    struct fixture *f = *state;
    log_in(f, 0, &good_hello);
    while (f->worker->door.waiting < WORKER_DOOR_BUSY) {
        struct adit_message done = {.type = ADIT_MESSAGE_AGENT_DONE};
        worker_door_send(f->worker, &done);
    }
    int before = f->agents[0].messages;
    ask_name(f, 0, ADIT_TUNNEL_HTTP, "shop");
    expect_refusal(f, 0, before, "internal_error"); /* the agent asks again later */
    assert_int_equal(f->worker->binds.used, 0);
    while (f->worker->door.waiting < WORKER_DOOR_WAITING_MAX) {
        struct adit_message done = {.type = ADIT_MESSAGE_AGENT_DONE};
        worker_door_send(f->worker, &done);
    }
    assert_false(f->worker->loop.is_stopping);
    struct adit_message last = {.type = ADIT_MESSAGE_AGENT_DONE};
    worker_door_send(f->worker, &last); /* no more can be remembered: another worker is better */
    assert_true(f->worker->loop.is_stopping);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_visitor_becomes_a_stream),
        TEST(accepting_pauses_and_goes_on),
        TEST(a_full_session_is_told_of),
        TEST(rights_are_checked_at_each_bind),
        TEST(the_doors_refusals_reach_the_agent),
        TEST(a_new_door_is_told_what_is_owned),
        TEST(a_flood_of_binds_ends_its_session),
        TEST(a_busy_door_is_left_alone),
    };
    return cmocka_run_group_tests_name("edge/worker/binds", tests, NULL, NULL);
}
