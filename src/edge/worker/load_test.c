/* What the door is told of this worker's load. Covers load.c. */
#include "worker_fixture.h"

static void the_door_learns_of_changes(void **state)
{
    struct fixture *f = *state;
    struct adit_message load = expect(f, &f->door, ADIT_MESSAGE_LOAD); /* the first, of nothing */
    assert_int_equal(load.count, 0);
    assert_int_equal(load.streams, 0);
    uint64_t told_us = f->worker->load.told_us;
    log_in(f, 0, &good_hello);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    turn_until(f, f->worker->load.sessions == 1);
    assert_true(f->worker->load.told_us - told_us >= WORKER_LOAD_US);
    load = expect(f, &f->door, ADIT_MESSAGE_LOAD);
    assert_int_equal(load.count, 1);
    struct adit_message web = {
        .type = ADIT_MESSAGE_WEB, .options = ADIT_WEB_PLAIN, .fd_count = 1};
    int far = -1;
    loopback_pair(&web.fds[0], &far);
    assert_ok(adit_channel_send(&f->door, &web));
    assert_int_equal(expect(f, &f->door, ADIT_MESSAGE_LOAD).streams, 1);
    adit_socket_close(&far);
    assert_int_equal(expect(f, &f->door, ADIT_MESSAGE_LOAD).streams, 0);
    turn_until(f, !adit_handle_is_set(f->worker->load.timer)); /* nothing changes, nothing wakes */
    wire_door(f);
    assert_int_equal(expect(f, &f->door, ADIT_MESSAGE_OWN_END).fd_count, 0);
    assert_int_equal(expect(f, &f->door, ADIT_MESSAGE_LOAD).count, 1); /* told again */
}

/* The door counts those that log in itself; it learns that one has failed, too. */
static void a_login_counts_when_it_is_done(void **state)
{
    struct fixture *f = *state;
    (void)expect(f, &f->door, ADIT_MESSAGE_LOAD);
    connect_agent(f, 0);
    uint64_t end_us = adit_clock_now_us() + 2 * WORKER_LOAD_US;
    while (adit_clock_now_us() < end_us) {
        turn(f);
    }
    assert_int_equal(f->worker->load.sessions, 0);
    uint64_t told_us = f->worker->load.told_us;
    adit_link_close(&f->hub, f->agents[0].link, adit_ok());
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    assert_int_equal(expect(f, &f->door, ADIT_MESSAGE_LOAD).count, 0);
    assert_true(f->worker->load.told_us > told_us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_door_learns_of_changes),
        TEST(a_login_counts_when_it_is_done),
    };
    return cmocka_run_group_tests_name("edge/worker/load", tests, NULL, NULL);
}
