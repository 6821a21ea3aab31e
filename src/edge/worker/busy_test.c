/* Agents that are asked to hold more sessions. Covers busy.c. */
#include "worker_fixture.h"

static int visitor_of(struct fixture *f)
{
    struct adit_address address = {0};
    int listener = -1;
    int visitor = -1;
    int before = f->agents[0].streams;
    bind_port(f, 0, &address, &listener);
    assert_ok(adit_socket_connect(&address, &visitor));
    turn_until(f, f->agents[0].streams == before + 1);
    adit_socket_close(&listener);
    return visitor;
}

/* Bytes move for one measurement, in which the loop worked for so long. */
static void measured(struct fixture *f, int visitor, uint64_t busy_us)
{
    struct worker *worker = f->worker;
    size_t sent = 0;
    enum adit_io io = ADIT_IO_DONE;
    assert_ok(adit_socket_send(visitor, ADIT_BYTES("bytes"), &sent, &io));
    turn_until(f, adit_handle_is_set(worker->busy.timer));
    worker->loop.busy_us = worker->busy.busy_us + busy_us;
    worker->busy.at_us = adit_clock_now_us() - WORKER_BUSY_US;
    worker->loop.now_us = adit_clock_now_us();
    adit_loop_timer_cancel(&worker->loop, &worker->busy.timer);
    worker_busy_measure(worker);
    for (int i = 0; i < 20; i++) {
        turn(f);
    }
}

static struct agent *first_agent(struct fixture *f)
{
    struct adit_handle handle = {0};
    uint32_t cursor = 0;
    assert_true(adit_pool_next(&f->worker->agents, &cursor, &handle));
    return adit_pool_get(&f->worker->agents, handle);
}

static void enter(struct fixture *f, uint32_t slot, const char *feature)
{
    struct hello hello = good_hello;
    hello.slot = slot;
    hello.feature = feature;
    f->is_serving = true;
    log_in(f, 0, &hello);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
}

static void a_busy_agent_is_asked_step_by_step(void **state)
{
    struct fixture *f = *state;
    f->worker->workers = 3;
    enter(f, 0, "sessions");
    int visitor = visitor_of(f);
    int before = f->agents[0].messages;
    measured(f, visitor, WORKER_BUSY_US / 2); /* not busy */
    assert_int_equal(f->agents[0].messages, before);
    static const uint32_t counts[] = {2, 3, 3};
    for (size_t i = 0; i < ADIT_COUNT(counts); i++) {
        measured(f, visitor, WORKER_BUSY_US);
        assert_int_equal(f->agents[0].messages, before + 1);
        assert_int_equal(f->agents[0].message.type, ADIT_CONTROL_SESSIONS);
        assert_int_equal(f->agents[0].message.sessions.count, ADIT_AT(counts, i));
        measured(f, visitor, WORKER_BUSY_US); /* too soon */
        assert_int_equal(f->agents[0].messages, ++before);
        first_agent(f)->step_us -= WORKER_STEP_US;
    }
    adit_socket_close(&visitor);
}

static void who_is_not_asked(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint32_t slot, workers;
        const char *feature;
    } rows[] = {{0, 2, NULL}, {0, 2, "other"}, {1, 2, "sessions"}};
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        f->worker->workers = ADIT_AT(rows, i).workers;
        enter(f, ADIT_AT(rows, i).slot, ADIT_AT(rows, i).feature);
        int visitor = visitor_of(f);
        int before = f->agents[0].messages;
        measured(f, visitor, WORKER_BUSY_US);
        assert_int_equal(f->agents[0].messages, before);
        adit_link_close(&f->hub, f->agents[0].link, adit_ok());
        (void)expect(f, &f->door, ADIT_MESSAGE_UNBIND);
        turn_until(f, f->worker->agents.used == 0);
        adit_socket_close(&visitor);
    }
    f->worker->workers = 1; /* nobody is measured where there is no other worker */
    enter(f, 0, "sessions");
    int visitor = visitor_of(f);
    size_t sent = 0;
    enum adit_io io = ADIT_IO_DONE;
    assert_ok(adit_socket_send(visitor, ADIT_BYTES("bytes"), &sent, &io));
    uint64_t moved = f->worker->hub.counters.bytes_from_local;
    turn_until(f, f->worker->hub.counters.bytes_from_local > moved);
    assert_false(adit_handle_is_set(f->worker->busy.timer));
    adit_socket_close(&visitor);
}

/* Whatever could be done about it: one session that waits for what was lost is not alone then. */
static void on_a_lossy_road_all_sessions_are_asked_for(void **state)
{
    struct fixture *f = *state;
    enter(f, 0, "sessions");
    int before = f->agents[0].messages;
    struct agent *agent = first_agent(f);
    worker_agent_lossy(f->worker, agent->link, 0, true); /* one that has gone */
    worker_agent_lossy(f->worker, agent->link, adit_handle_pack(agent->self), true);
    turn_until(f, f->agents[0].messages == before + 1);
    assert_int_equal(f->agents[0].message.type, ADIT_CONTROL_SESSIONS);
    assert_int_equal(f->agents[0].message.sessions.count, ADIT_CONTROL_SESSIONS_MAX);
    agent->takes_sessions = false;
    worker_agent_lossy(f->worker, agent->link, adit_handle_pack(agent->self), false);
    for (int i = 0; i < 20; i++) {
        turn(f);
    }
    assert_int_equal(f->agents[0].messages, before + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_busy_agent_is_asked_step_by_step),
        TEST(who_is_not_asked),
        TEST(on_a_lossy_road_all_sessions_are_asked_for),
    };
    return cmocka_run_group_tests_name("edge/worker/busy", tests, NULL, NULL);
}
