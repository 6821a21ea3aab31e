/* The network changes under the agent. */
#include "agent_harness.h"

/* Turns of the agent alone: the server hears and says nothing. */
static void turn_agent_until(struct fixture *f, const int *counter, int wanted)
{
    uint64_t end_us = adit_clock_now_us() + 30 * (uint64_t)ADIT_SECOND_US;
    while (*counter < wanted && adit_clock_now_us() < end_us) {
        assert_ok(adit_loop_turn(&f->loop, 20 * ADIT_MS_US));
    }
    assert_int_equal(*counter, wanted);
}

static void a_change_ends_the_wait(void **state)
{
    struct fixture *f = *state;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->ready == 1);
    f->agent.sessions[0].backoff.failures = 20;
    adit_link_close(&f->hub, f->link, adit_ok());
    turn_until(f, f->disconnected == 1);
    assert_int_equal(f->agent.sessions[0].state, ADIT_AGENT_WAITING);
    adit_agent_changed(&f->agent);
    assert_int_equal(f->agent.sessions[0].state, ADIT_AGENT_DIALING);
    turn_until(f, f->reconnected == 1);
    assert_int_equal(f->agent.sessions[0].backoff.failures, 21); /* the pauses go on growing */
}

static void a_storm_of_changes_leaves_the_pauses(void **state)
{
    struct fixture *f = *state;
    adit_socket_close(&f->listener); /* nobody is there */
    open_agent(f, "127.0.0.1");
    turn_until(f, f->disconnected == 1);
    int early = 0;
    for (int i = 0; i < 50; i++) {
        f->agent.sessions[0].backoff.failures = 20;
        adit_agent_changed(&f->agent);
        early += f->agent.sessions[0].state == ADIT_AGENT_DIALING ? 1 : 0;
        const struct adit_agent_session *session = &f->agent.sessions[0];
        for (int turns = 0; turns < 100 && session->state == ADIT_AGENT_DIALING; turns++) {
            assert_ok(adit_loop_turn(&f->loop, 20 * ADIT_MS_US));
        }
        assert_int_equal(f->agent.sessions[0].state, ADIT_AGENT_WAITING);
        f->agent.early_us = f->loop.now_us; /* a slow machine gains none */
    }
    assert_true(early >= 1 && early <= ADIT_AGENT_EARLY_MAX);
    f->agent.early_us = f->loop.now_us - ADIT_AGENT_EARLY_US;
    adit_agent_changed(&f->agent);
    assert_int_equal(f->agent.sessions[0].state, ADIT_AGENT_DIALING); /* one more after a while */
}

static void a_link_that_answers_outlives_a_change(void **state)
{
    struct fixture *f = *state;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->ready == 1);
    for (int i = 0; i < 3; i++) {
        adit_agent_changed(&f->agent);
    }
    assert_true(adit_handle_is_set(f->agent.sessions[0].probe));
    uint64_t end_us = adit_clock_now_us() + ADIT_AGENT_PROBE_US + ADIT_SECOND_US / 2;
    while (adit_clock_now_us() < end_us) {
        turn(f);
    }
    assert_false(adit_handle_is_set(f->agent.sessions[0].probe));
    assert_int_equal(f->disconnected, 0);
}

static void a_silent_link_is_made_anew_after_a_change(void **state)
{
    struct fixture *f = *state;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->ready == 1);
    f->agent.sessions[0].in_since_us = 1; /* as if it had lived long */
    uint64_t from_us = adit_clock_now_us();
    adit_agent_changed(&f->agent);
    turn_agent_until(f, &f->disconnected, 1);
    assert_true(adit_clock_now_us() - from_us < 5 * ADIT_AGENT_PROBE_US); /* busy or not */
    assert_true(f->wait_us < ADIT_BACKOFF_FIRST_US);
    turn_until(f, f->reconnected == 1);
    assert_int_equal(f->ready, 1); /* the same address */
}

static void a_handshake_that_hangs_is_begun_anew_after_a_change(void **state)
{
    struct fixture *f = *state;
    open_agent(f, "127.0.0.1");
    for (int i = 0; i < 100 && f->agent.sessions[0].state != ADIT_AGENT_LINKING; i++) {
        assert_ok(adit_loop_turn(&f->loop, 20 * ADIT_MS_US)); /* connected; nobody answers */
    }
    assert_int_equal(f->agent.sessions[0].state, ADIT_AGENT_LINKING);
    adit_agent_changed(&f->agent);
    turn_agent_until(f, &f->disconnected, 1);
    turn_until(f, f->ready == 1);
    adit_agent_stop(&f->agent);
    adit_agent_changed(&f->agent); /* nothing: it has stopped */
    assert_int_equal(f->agent.sessions[0].state, ADIT_AGENT_STOPPED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_change_ends_the_wait),
        TEST(a_storm_of_changes_leaves_the_pauses),
        TEST(a_link_that_answers_outlives_a_change),
        TEST(a_silent_link_is_made_anew_after_a_change),
        TEST(a_handshake_that_hangs_is_begun_anew_after_a_change),
    };
    return cmocka_run_group_tests_name("agent/changed", tests, NULL, NULL);
}
