/* Visitors that are held back until they have spoken. Covers words.c. */
#include "worker_fixture.h"

static struct bind *bound(struct fixture *f)
{
    struct adit_handle handle = {0};
    uint32_t cursor = 0;
    assert_true(adit_pool_next(&f->worker->binds, &cursor, &handle));
    return worker_bind_at(f->worker, handle);
}

static struct bind *serve(struct fixture *f, struct adit_address *out_address, int *out_listener)
{
    f->is_serving = true;
    log_in(f, 0, &good_hello);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    bind_port(f, 0, out_address, out_listener);
    return bound(f);
}

static void say(int fd)
{
    size_t sent = 0;
    enum adit_io io = ADIT_IO_DONE;
    assert_ok(adit_socket_send(fd, ADIT_BYTES("word"), &sent, &io));
    assert_int_equal(sent, 4);
}

static void hears(struct fixture *f, int fd)
{
    uint8_t bytes[8];
    size_t count = 0;
    enum adit_io io = ADIT_IO_BLOCKED;
    for (int i = 0; i < TURNS_MAX && count == 0; i++) {
        turn(f);
        assert_ok(adit_socket_receive(fd, ADIT_SPAN_OF(bytes), &count, &io));
    }
    assert_int_equal(count, 4);
}

/* Whether a visitor who says nothing comes through within a few turns. */
static bool are_held_back(struct fixture *f, const struct adit_address *address)
{
    int visitor = -1;
    int before = f->agents[0].streams;
    assert_ok(adit_socket_connect(address, &visitor));
    for (int i = 0; i < 20 && f->agents[0].streams == before; i++) {
        turn(f);
    }
    adit_socket_close(&visitor);
    bool is_held = f->agents[0].streams == before;
    turn_until(f, f->agents[0].streams == before + 1); /* its end lets it through */
    return is_held;
}

/* One visitor, who speaks before the program or after it. */
static void visit(struct fixture *f, const struct adit_address *address, bool is_first)
{
    int visitor = -1;
    int before = f->agents[0].streams;
    assert_ok(adit_socket_connect(address, &visitor));
    if (is_first) {
        say(visitor);
    }
    turn_until(f, f->agents[0].streams == before + 1);
    if (!is_first) {
        say(f->program);
        hears(f, visitor);
        say(visitor);
    }
    hears(f, f->program);
    adit_socket_close(&visitor);
    turn(f);
}

static void who_speak_first_are_held_back(void **state)
{
    struct fixture *f = *state;
    struct adit_address address = {0};
    int listener = -1;
    struct bind *bind = serve(f, &address, &listener);
    assert_false(are_held_back(f, &address));
    for (int i = 0; i < WORKER_WORDS_MIN; i++) {
        assert_false(bind->words.is_held);
        worker_pump_spoke(f->worker, worker_bind_user(bind), true);
    }
    assert_true(bind->words.is_held);
    assert_true(are_held_back(f, &address));
    visit(f, &address, true); /* who speaks is not kept waiting */
    assert_int_equal(bind->words.in_a_row, 1);
    adit_socket_close(&listener);
}

static void each_visitor_counts_once(void **state)
{
    struct fixture *f = *state;
    struct adit_address address = {0};
    int listener = -1;
    const struct bind *bind = serve(f, &address, &listener);
    for (uint32_t i = 1; i <= 3; i++) {
        visit(f, &address, true);
        assert_int_equal(bind->words.in_a_row, i);
    }
    visit(f, &address, false);
    assert_int_equal(bind->words.in_a_row, 0);
    adit_socket_close(&listener);
}

static void a_program_that_speaks_first_ends_it(void **state)
{
    struct fixture *f = *state;
    struct adit_address address = {0};
    int listener = -1;
    struct bind *bind = serve(f, &address, &listener);
    assert_ok(adit_socket_defer_accept_set(bind->listener, WORKER_WORDS_WAIT_S));
    bind->words.is_held = true;
    visit(f, &address, false); /* after a second, in which the kernel held it back */
    assert_false(bind->words.is_held);
    assert_false(are_held_back(f, &address));
    assert_int_equal(bind->words.wanted, 4 * WORKER_WORDS_MIN);
    visit(f, &address, false); /* at once */
    assert_int_equal(bind->words.wanted, 4 * WORKER_WORDS_MIN);
    adit_socket_close(&listener);
}

/* Another session, or worker, has the same listener, and may have asked for it. */
static void it_is_ended_again_where_another_began_it(void **state)
{
    struct fixture *f = *state;
    struct adit_address address = {0};
    int listener = -1;
    struct bind *bind = serve(f, &address, &listener);
    uint64_t user = worker_bind_user(bind);
    worker_pump_spoke(f->worker, user, false);
    assert_ok(adit_socket_defer_accept_set(bind->listener, WORKER_WORDS_WAIT_S));
    worker_pump_spoke(f->worker, user, false); /* said within the same second */
    assert_true(are_held_back(f, &address));
    f->worker->loop.now_us += ADIT_SECOND_US;
    worker_pump_spoke(f->worker, user, false);
    assert_false(are_held_back(f, &address));
    assert_int_equal(bind->words.wanted, WORKER_WORDS_MIN);
    adit_socket_close(&listener);
}

static void it_takes_more_each_time(void **state)
{
    struct fixture *f = *state;
    struct adit_address address = {0};
    int listener = -1;
    struct bind *bind = serve(f, &address, &listener);
    for (int i = 0; i < 10; i++) {
        bind->words.in_a_row = bind->words.wanted - 1;
        worker_pump_spoke(f->worker, worker_bind_user(bind), true);
        assert_true(bind->words.is_held);
        worker_pump_spoke(f->worker, worker_bind_user(bind), false);
        assert_false(bind->words.is_held);
    }
    assert_false(are_held_back(f, &address));
    assert_int_equal(bind->words.wanted, WORKER_WORDS_MAX);
    adit_socket_close(&listener);
}

static void a_tunnel_that_is_gone_counts_nothing(void **state)
{
    struct fixture *f = *state;
    worker_pump_spoke(f->worker, 12345, true);
    worker_pump_spoke(f->worker, 12345, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_speak_first_are_held_back),
        TEST(each_visitor_counts_once),
        TEST(a_program_that_speaks_first_ends_it),
        TEST(it_is_ended_again_where_another_began_it),
        TEST(it_takes_more_each_time),
        TEST(a_tunnel_that_is_gone_counts_nothing),
    };
    return cmocka_run_group_tests_name("edge/worker/words", tests, NULL, NULL);
}
