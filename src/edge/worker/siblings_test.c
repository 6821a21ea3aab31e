/* Several sessions of one agent process at one worker. */
#include "worker_fixture.h"

#define MIB (1024 * 1024)

static void enter(struct fixture *f, uint64_t index, uint32_t slot, const char *instance)
{
    struct hello hello = good_hello;
    hello.slot = slot;
    hello.instance = instance;
    log_in(f, index, &hello);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
}

static struct agent *agent_at(const struct fixture *f, uint32_t slot)
{
    struct adit_handle handle = {0};
    for (uint32_t cursor = 0; adit_pool_next(&f->worker->agents, &cursor, &handle);) {
        struct agent *agent = adit_pool_get(&f->worker->agents, handle);
        if (agent->is_in && agent->slot == slot) {
            return agent;
        }
    }
    fail_msg("no session in slot %u", slot);
    return NULL;
}

static struct bind *bind_at(const struct fixture *f, uint32_t slot)
{
    struct bind *bind = worker_bind_find(f->worker, agent_at(f, slot), 7);
    assert_non_null(bind);
    return bind;
}

/* As if it had just been measured. */
static void carries(const struct fixture *f, uint32_t slot, uint64_t rate)
{
    struct agent *agent = agent_at(f, slot);
    agent->rate = rate;
    agent->seen_us = f->worker->loop.now_us;
}

/* The visitor's own end. */
static int visit(struct fixture *f, uint32_t slot)
{
    int near = -1;
    int visitor = -1;
    const struct adit_address peer = {0};
    loopback_pair(&near, &visitor);
    assert_true(worker_visitor_carry(f->worker, bind_at(f, slot), near, &peer));
    return visitor;
}

static uint32_t streams_of(const struct fixture *f, uint32_t slot)
{
    return adit_link_counters(&f->worker->hub, agent_at(f, slot)->link)->streams_open;
}

static void two_sessions(struct fixture *f)
{
    enter(f, 0, 0, good_hello.instance);
    enter(f, 1, 1, good_hello.instance);
    bind_name(f, 0, ADIT_TUNNEL_HTTP, "shop");
    bind_name(f, 1, ADIT_TUNNEL_HTTP, "shop");
}

/* A visitor at each. */
struct visitors {
    int first, second;
};

static struct visitors two_in_use(struct fixture *f)
{
    f->is_serving = true;
    two_sessions(f);
    return (struct visitors){.first = visit(f, 0), .second = visit(f, 1)};
}

static void leave(struct visitors *visitors)
{
    adit_socket_close(&visitors->first);
    adit_socket_close(&visitors->second);
}

static void a_visitor_goes_to_the_one_that_carries_least(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint64_t first, second;
        uint32_t chosen; /* of a visitor that came to the first */
    } rows[] = {{0, 0, 0},
                {10 * MIB, 0, 1},
                {10 * MIB, 6 * MIB, 0}, /* not worth it */
                {100 * 1024, 0, 0},     /* as good as idle */
                {0, 10 * MIB, 0},
                {10 * MIB, 3 * MIB, 1}};
    struct visitors visitors = two_in_use(f);
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        carries(f, 0, ADIT_AT(rows, i).first);
        carries(f, 1, ADIT_AT(rows, i).second);
        assert_ptr_equal(worker_sibling_best(f->worker, bind_at(f, 0)),
                         bind_at(f, ADIT_AT(rows, i).chosen));
    }
    leave(&visitors);
}

static void what_it_carries_is_measured(void **state)
{
    struct fixture *f = *state;
    two_sessions(f);
    struct agent *agent = agent_at(f, 0);
    agent->seen_us = f->worker->loop.now_us - ADIT_SECOND_US;
    agent->seen_bytes = 0;
    (void)worker_sibling_best(f->worker, bind_at(f, 0));
    assert_int_equal(agent->seen_us, f->worker->loop.now_us);
    assert_true(agent->seen_bytes > 0 && agent->rate <= agent->seen_bytes);
}

/* A transfer that has ended is no load: what comes next gets the link that knows the road. */
static void one_that_has_gone_quiet_carries_nothing(void **state)
{
    struct fixture *f = *state;
    struct visitors visitors = two_in_use(f);
    carries(f, 0, 10 * MIB);
    assert_ptr_equal(worker_sibling_best(f->worker, bind_at(f, 0)), bind_at(f, 1));
    f->worker->loop.now_us += ADIT_SECOND_US; /* since its last frame */
    carries(f, 0, 10 * MIB);
    assert_ptr_equal(worker_sibling_best(f->worker, bind_at(f, 0)), bind_at(f, 0));
    assert_int_equal(agent_at(f, 0)->rate, 0);
    leave(&visitors);
}

/* Its last bytes may still be on the road: nothing that is open has a part in them. */
static void one_without_visitors_carries_nothing(void **state)
{
    struct fixture *f = *state;
    struct visitors visitors = two_in_use(f);
    carries(f, 0, 10 * MIB);
    assert_ptr_equal(worker_sibling_best(f->worker, bind_at(f, 0)), bind_at(f, 1));
    assert_ok(adit_socket_reset_on_close_set(visitors.first, true));
    adit_socket_close(&visitors.first);
    turn_until(f, streams_of(f, 0) == 1);
    carries(f, 0, 10 * MIB);
    assert_ptr_equal(worker_sibling_best(f->worker, bind_at(f, 0)), bind_at(f, 0));
    assert_int_equal(agent_at(f, 0)->rate, 0);
    leave(&visitors);
}

/* Whichever of them it came to. */
static void of_idle_ones_a_visitor_goes_to_the_one_that_knows_its_road(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint64_t first_bytes, second_bytes, second_rate;
        uint32_t chosen; /* of a visitor that came to the first */
    } rows[] = {{0, 100 * MIB, 0, 1},
                {100 * MIB, 0, 0, 0},
                {2 * MIB, 100 * MIB, 0, 1},
                {0, 1000, 0, 0},               /* says nothing of a road */
                {0, 100 * MIB, 10 * MIB, 0}};  /* is not idle */
    struct visitors visitors = two_in_use(f);
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        carries(f, 0, 0);
        carries(f, 1, ADIT_AT(rows, i).second_rate);
        agent_at(f, 0)->seen_bytes = ADIT_AT(rows, i).first_bytes;
        agent_at(f, 1)->seen_bytes = ADIT_AT(rows, i).second_bytes;
        assert_ptr_equal(worker_sibling_best(f->worker, bind_at(f, 0)),
                         bind_at(f, ADIT_AT(rows, i).chosen));
    }
    leave(&visitors);
}

static void another_process_is_no_sibling(void **state)
{
    struct fixture *f = *state;
    enter(f, 0, 0, good_hello.instance);
    enter(f, 1, 1, "ffff456789abcdef0123456789abcdef");
    bind_name(f, 0, ADIT_TUNNEL_HTTP, "shop");
    bind_name(f, 1, ADIT_TUNNEL_HTTP, "shop");
    f->is_serving = true;
    int visitor = visit(f, 0);
    carries(f, 0, 10 * MIB);
    assert_ptr_equal(worker_sibling_best(f->worker, bind_at(f, 0)), bind_at(f, 0));
    assert_null(worker_sibling_other(f->worker, bind_at(f, 0)));
    adit_socket_close(&visitor);
}

static void one_without_the_tunnel_is_never_chosen(void **state)
{
    struct fixture *f = *state;
    enter(f, 0, 0, good_hello.instance);
    enter(f, 1, 1, good_hello.instance);
    enter(f, 2, 2, good_hello.instance);
    bind_name(f, 0, ADIT_TUNNEL_HTTP, "shop");
    bind_name(f, 1, ADIT_TUNNEL_HTTP, "other"); /* by the same number */
    f->is_serving = true;
    int visitor = visit(f, 0);
    carries(f, 0, 10 * MIB);
    assert_ptr_equal(worker_sibling_best(f->worker, bind_at(f, 0)), bind_at(f, 0));
    adit_socket_close(&visitor);
}

/* The one that carries less is of the same token: both end, and the visitor is nobody's. */
static void one_whose_token_has_run_out_is_never_chosen(void **state)
{
    struct fixture *f = *state;
    struct visitors visitors = two_in_use(f);
    carries(f, 0, 10 * MIB);
    agent_at(f, 1)->rights.expiry_s = 1;
    assert_ptr_equal(worker_sibling_best(f->worker, bind_at(f, 0)), bind_at(f, 0));
    turn_until(f, ADIT_AT(f->agents, 1).closes == 1 && f->worker->agents.used == 1);
    const struct adit_control *message = &ADIT_AT(f->agents, 1).message;
    assert_bytes(ADIT_FIELD_BYTES(message->refused.code), ADIT_BYTES("token_expired"));
    assert_ptr_equal(worker_sibling_best(f->worker, bind_at(f, 0)), bind_at(f, 0));
    leave(&visitors);
}

static void knows(const struct fixture *f, uint32_t slot, uint32_t other)
{
    assert_ptr_equal(worker_sibling_at(f->worker, agent_at(f, slot), other), agent_at(f, other));
    assert_ptr_equal(worker_sibling_at(f->worker, agent_at(f, other), slot), agent_at(f, slot));
}

/* Each finds the others by the last that came, whichever went meanwhile. */
static void all_that_are_here_know_each_other(void **state)
{
    struct fixture *f = *state;
    enter(f, 0, 0, good_hello.instance);
    enter(f, 1, 1, good_hello.instance);
    enter(f, 2, 2, good_hello.instance);
    assert_int_equal(f->worker->processes.used, 1);
    knows(f, 0, 1);
    knows(f, 0, 2);
    knows(f, 1, 2);
    adit_link_close(&f->hub, ADIT_AT(f->agents, 2).link, adit_ok());
    turn_until(f, f->worker->agents.used == 2);
    assert_int_equal(f->worker->processes.used, 1);
    enter(f, 2, 3, good_hello.instance);
    knows(f, 0, 1);
    knows(f, 0, 3);
    knows(f, 1, 3);
    for (size_t i = 0; i < AGENTS; i++) {
        adit_link_close(&f->hub, ADIT_AT(f->agents, i).link, adit_ok());
    }
    turn_until(f, f->worker->agents.used == 0);
    assert_int_equal(f->worker->processes.used, 0);
}

static void a_newer_one_takes_the_place_of_its_slot(void **state)
{
    struct fixture *f = *state;
    enter(f, 0, 0, good_hello.instance);
    enter(f, 1, 1, good_hello.instance);
    enter(f, 2, 0, good_hello.instance);
    turn_until(f, f->agents[0].closes == 1 && f->worker->agents.used == 2);
    assert_int_equal(f->worker->counters.evictions, 1);
    assert_int_equal(agent_at(f, 0)->number, 3);
    knows(f, 0, 1);
    assert_int_equal(f->worker->processes.used, 1);
}

static void a_name_stays_as_long_as_one_has_it(void **state)
{
    struct fixture *f = *state;
    two_sessions(f);
    assert_ptr_equal(worker_name_find(f->worker, ADIT_BYTES("shop")), bind_at(f, 1));
    adit_link_close(&f->hub, ADIT_AT(f->agents, 1).link, adit_ok());
    (void)expect(f, &f->door, ADIT_MESSAGE_RELEASE);
    turn_until(f, f->worker->agents.used == 1);
    assert_ptr_equal(worker_name_find(f->worker, ADIT_BYTES("shop")), bind_at(f, 0));
    assert_ptr_equal(worker_sibling_best(f->worker, bind_at(f, 0)), bind_at(f, 0));
    adit_link_close(&f->hub, f->agents[0].link, adit_ok());
    (void)expect(f, &f->door, ADIT_MESSAGE_RELEASE);
    assert_null(worker_name_find(f->worker, ADIT_BYTES("shop")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_visitor_goes_to_the_one_that_carries_least),
        TEST(what_it_carries_is_measured),
        TEST(one_that_has_gone_quiet_carries_nothing),
        TEST(one_without_visitors_carries_nothing),
        TEST(of_idle_ones_a_visitor_goes_to_the_one_that_knows_its_road),
        TEST(another_process_is_no_sibling),
        TEST(one_without_the_tunnel_is_never_chosen),
        TEST(one_whose_token_has_run_out_is_never_chosen),
        TEST(all_that_are_here_know_each_other),
        TEST(a_newer_one_takes_the_place_of_its_slot),
        TEST(a_name_stays_as_long_as_one_has_it),
    };
    return cmocka_run_group_tests_name("edge/worker/siblings", tests, NULL, NULL);
}
