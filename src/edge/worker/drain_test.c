/* The end in order. Covers drain.c; answers that end are in web_test.c. */
#include "worker_fixture.h"

static void stop(struct fixture *f, uint32_t drain_ms)
{
    struct adit_message message = {.type = ADIT_MESSAGE_STOP, .drain_ms = drain_ms};
    assert_ok(adit_channel_send(&f->supervisor, &message));
    turn_until(f, f->worker->stop_us > 0);
}

static void enter(struct fixture *f)
{
    log_in(f, 0, &good_hello);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
}

static void say(int fd, struct adit_bytes bytes)
{
    size_t sent = 0;
    enum adit_io io = ADIT_IO_DONE;
    assert_ok(adit_socket_send(fd, bytes, &sent, &io));
}

/* One byte, or the end, or a reset. */
static struct adit_status hear(struct fixture *f, int fd, enum adit_io *out_io)
{
    uint8_t room[16] = {0};
    size_t count = 0;
    *out_io = ADIT_IO_BLOCKED;
    for (int turns = 0; turns < TURNS_MAX && *out_io == ADIT_IO_BLOCKED; turns++) {
        turn(f);
        ADIT_TRY(adit_socket_receive(fd, ADIT_SPAN_OF(room), &count, out_io));
    }
    return adit_ok();
}

static void who_has_nothing_ends_at_once(void **state)
{
    struct fixture *f = *state;
    enter(f);
    uint64_t start_us = adit_clock_now_us();
    stop(f, 30000);
    turn_until(f, f->agents[0].closes == 1);
    assert_int_equal(f->agents[0].message.type, ADIT_CONTROL_DRAIN);
    assert_bytes(ADIT_FIELD_BYTES(f->agents[0].message.drain.reason),
                 ADIT_BYTES("the server stops"));
    assert_int_equal(f->agents[0].message.drain.seconds, 30);
    turn_until(f, f->worker->loop.is_stopping);
    assert_int_equal(f->worker->hub.links.used, 0);
    assert_true(adit_clock_now_us() - start_us < 5 * ADIT_SECOND_US);
}

/* A stream goes on, nobody new is accepted, and when the last stream ends the worker does. */
static void streams_may_end(void **state)
{
    struct fixture *f = *state;
    struct adit_address address = {0};
    int listener = -1;
    int visitor = -1;
    int late = -1;
    enum adit_io io = ADIT_IO_DONE;
    f->is_serving = true;
    enter(f);
    bind_port(f, 0, &address, &listener);
    assert_ok(adit_socket_connect(&address, &visitor));
    turn_until(f, f->agents[0].streams == 1);
    stop(f, 30000);
    turn_until(f, f->agents[0].message.type == ADIT_CONTROL_DRAIN);
    assert_ok(adit_socket_connect(&address, &late)); /* waits in the kernel, for whoever comes */
    say(visitor, ADIT_BYTES("more"));
    assert_ok(hear(f, f->program, &io));
    assert_int_equal(io, ADIT_IO_DONE);
    say(f->program, ADIT_BYTES("answer"));
    assert_ok(hear(f, visitor, &io));
    assert_int_equal(io, ADIT_IO_DONE);
    assert_int_equal(f->agents[0].streams, 1);
    assert_int_equal(f->agents[0].closes, 0);
    assert_false(f->worker->loop.is_stopping);
    assert_ok(adit_socket_finish(visitor));
    assert_ok(adit_socket_finish(f->program));
    turn_until(f, f->agents[0].closes == 1);
    turn_until(f, f->worker->loop.is_stopping);
    assert_int_equal(f->worker->hub.counters.pumps_cut, 0);
    adit_socket_close(&visitor);
    adit_socket_close(&late);
    adit_socket_close(&listener);
}

/* What does not end in time is cut, and the visitor sees it. */
static void the_rest_is_cut(void **state)
{
    struct fixture *f = *state;
    struct adit_address address = {0};
    int listener = -1;
    int visitor = -1;
    enum adit_io io = ADIT_IO_DONE;
    f->is_serving = true;
    enter(f);
    bind_port(f, 0, &address, &listener);
    assert_ok(adit_socket_connect(&address, &visitor));
    turn_until(f, f->agents[0].streams == 1);
    stop(f, 30000);
    for (int i = 0; i < 20; i++) {
        turn(f);
    }
    assert_false(f->worker->is_ending);
    stop(f, 100); /* in a hurry now */
    assert_fails(hear(f, visitor, &io), SYSTEM);
    turn_until(f, f->worker->loop.is_stopping);
    assert_int_equal(f->worker->hub.counters.pumps_cut, 1);
    adit_socket_close(&visitor);
    adit_socket_close(&listener);
}

/* The door had handed it over before it knew. */
static void who_still_comes_is_served(void **state)
{
    struct fixture *f = *state;
    struct adit_address address = {0};
    int listener = -1;
    int visitor = -1;
    f->is_serving = true;
    enter(f);
    bind_port(f, 0, &address, &listener);
    bind_name(f, 0, ADIT_TUNNEL_TLS, "shop");
    assert_ok(adit_socket_connect(&address, &visitor)); /* keeps the worker from its end */
    turn_until(f, f->agents[0].streams == 1);
    stop(f, 30000);
    const struct agent *agent =
        worker_bind_agent(f->worker, worker_name_find(f->worker, ADIT_BYTES("shop")));
    struct adit_message through = {
        .type = ADIT_MESSAGE_THROUGH, .session = agent->number, .fd_count = 1};
    int far = -1;
    loopback_pair(&through.fds[0], &far);
    assert_ok(adit_message_text_set(&through.name, ADIT_BYTES("shop")));
    assert_ok(adit_channel_send(&f->door, &through));
    turn_until(f, f->agents[0].streams == 2);
    struct hello other = good_hello;
    other.id = 2;
    connect_agent(f, 1); /* an agent too, and it is told */
    say_hello(f, 1, &other);
    turn_until(f, ADIT_AT(f->agents, 1).message.type == ADIT_CONTROL_DRAIN);
    adit_socket_close(&far);
    adit_socket_close(&visitor);
    adit_socket_close(&listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_has_nothing_ends_at_once),
        TEST(streams_may_end),
        TEST(the_rest_is_cut),
        TEST(who_still_comes_is_served),
    };
    return cmocka_run_group_tests_name("edge/worker/drain", tests, NULL, NULL);
}
