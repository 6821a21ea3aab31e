/* Which of two sessions stays: the door asks, and says. Covers probes.c. */
#include "worker_fixture.h"

static uint64_t enter(struct fixture *f, uint64_t index)
{
    uint64_t number = f->worker->session_next;
    log_in(f, index, &good_hello);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    return number;
}

static void ask_of(struct fixture *f, enum adit_message_type type, uint64_t session)
{
    struct adit_message message = {.type = type, .session = session};
    message.request = type == ADIT_MESSAGE_PROBE ? 50 + session : 0;
    assert_ok(adit_channel_send(&f->door, &message));
}

static void one_that_lives_answers(void **state)
{
    struct fixture *f = *state;
    uint64_t session = enter(f, 0);
    ask_of(f, ADIT_MESSAGE_PROBE, session);
    struct adit_message probed = expect(f, &f->door, ADIT_MESSAGE_PROBED);
    assert_int_equal(probed.request, 50 + session);
    assert_int_equal(probed.count, 1); /* 0 would be: not within its time */
    assert_int_equal(f->worker->probes.used, 0);
    assert_int_equal(f->agents[0].closes, 0);
}

static void one_that_is_gone_does_not(void **state)
{
    struct fixture *f = *state;
    ask_of(f, ADIT_MESSAGE_PROBE, 77);
    assert_int_equal(expect(f, &f->door, ADIT_MESSAGE_PROBED).count, 0);
    uint64_t session = enter(f, 0);
    ask_of(f, ADIT_MESSAGE_PROBE, session); /* and it ends before it answers */
    for (int i = 0; i < TURNS_MAX && f->worker->probes.used == 0; i++) {
        assert_ok(adit_loop_turn(&f->worker->loop, 200)); /* all agents sleep */
    }
    adit_link_close(&f->worker->hub, worker_agent_find(f->worker, session)->link, adit_ok());
    assert_int_equal(expect(f, &f->door, ADIT_MESSAGE_PROBED).count, 0);
    assert_null(worker_agent_find(f->worker, session));
}

static void one_that_sleeps_is_silent(void **state)
{
    struct fixture *f = *state;
    uint64_t session = enter(f, 0);
    uint64_t start_us = adit_clock_now_us();
    ask_of(f, ADIT_MESSAGE_PROBE, session);
    ask_of(f, ADIT_MESSAGE_PROBE, session);
    for (int i = 0; i < TURNS_MAX && f->worker->probes.used < 2; i++) {
        assert_ok(adit_loop_turn(&f->worker->loop, 200)); /* all agents sleep */
    }
    for (int i = 0; i < TURNS_MAX && f->worker->probes.used > 0; i++) {
        assert_ok(adit_loop_turn(&f->worker->loop, 200));
    }
    uint64_t took_us = adit_clock_now_us() - start_us;
    assert_true(took_us >= WORKER_PROBE_US && took_us < 10 * WORKER_PROBE_US); /* on a busy one */
    assert_int_equal(expect(f, &f->door, ADIT_MESSAGE_PROBED).count, 0);
    assert_int_equal(expect(f, &f->door, ADIT_MESSAGE_PROBED).count, 0);
}

/* More than this worker can ask: nobody is thrown out for that. */
static void too_many_questions(void **state)
{
    struct fixture *f = *state;
    uint64_t session = enter(f, 0);
    struct adit_message probe = {.type = ADIT_MESSAGE_PROBE, .session = session};
    for (uint64_t i = 0; i <= WORKER_PROBES_MAX; i++) {
        probe.request = i;
        worker_probe_arrived(f->worker, &probe);
    }
    assert_int_equal(f->worker->probes.used, WORKER_PROBES_MAX);
    struct adit_message probed = expect(f, &f->door, ADIT_MESSAGE_PROBED);
    assert_int_equal(probed.request, WORKER_PROBES_MAX);
    assert_int_equal(probed.count, 1);
    wire_door(f); /* a new door has asked nothing */
    (void)expect(f, &f->door, ADIT_MESSAGE_OWN_END);
    assert_int_equal(f->worker->probes.used, 0);
    assert_false(adit_handle_is_set(f->worker->probe_timer));
}

static void one_that_is_evicted_ends(void **state)
{
    struct fixture *f = *state;
    uint64_t session = enter(f, 0);
    bind_name(f, 0, ADIT_TUNNEL_HTTP, "shop");
    ask_of(f, ADIT_MESSAGE_EVICT, session + 1); /* of nobody here */
    ask_of(f, ADIT_MESSAGE_EVICT, session);
    /* What the door gave away already it does not take again; the rest it must be told. */
    assert_int_equal(expect(f, &f->door, ADIT_MESSAGE_RELEASE).session, session);
    turn_until(f, f->agents[0].closes == 1 && f->worker->agents.used == 0);
    assert_int_equal(f->worker->counters.evictions, 1);
    assert_true(worker_name_has_moved(f->worker, ADIT_BYTES("shop")));
    assert_false(worker_name_may_come(f->worker, ADIT_BYTES("shop")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_that_lives_answers),
        TEST(one_that_is_gone_does_not),
        TEST(one_that_sleeps_is_silent),
        TEST(too_many_questions),
        TEST(one_that_is_evicted_ends),
    };
    return cmocka_run_group_tests_name("edge/worker/probes", tests, NULL, NULL);
}
