/* Several sessions: opened on demand, used in turn, given up, lost one by one. */
#include "agent/extra.c" /* its statics too: a timer is played */

#include "agent_harness.h"

#define CALM_US (700 * (uint64_t)ADIT_MS_US) /* longer than any first pause */

static void turn_for(struct fixture *f, uint64_t us)
{
    uint64_t end_us = adit_clock_now_us() + us;
    while (adit_clock_now_us() < end_us) {
        turn(f);
    }
}

/* Over the session of this slot. */
static void server_wants(struct fixture *f, uint32_t slot, uint32_t count)
{
    struct adit_control message = {.type = ADIT_CONTROL_SESSIONS};
    message.sessions.count = count;
    assert_ok(adit_link_send(&f->hub, ADIT_AT(f->slots, slot), &message));
}

static void open_sessions(struct fixture *f, uint32_t count)
{
    open_agent(f, "127.0.0.1");
    turn_until(f, f->ready == 1);
    server_wants(f, 0, count);
    turn_until(f, adit_agent_look(&f->agent).session_count == count && f->binds == (int)count);
    for (uint32_t i = 0; i < count; i++) {
        turn_until(f, ADIT_AT(f->agent.sessions, i).is_bound[0]);
    }
}

static void lose(struct fixture *f, uint32_t slot)
{
    adit_link_close(&f->hub, ADIT_AT(f->slots, slot), adit_ok());
    turn_until(f, ADIT_AT(f->agent.sessions, slot).state != ADIT_AGENT_IN);
}

static void one_more_shares_the_address(void **state)
{
    struct fixture *f = *state;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->ready == 1);
    struct adit_control first = f->hello;
    assert_int_equal(first.hello.slot, 0);
    assert_true(adit_control_has_feature(&first.hello.features, ADIT_BYTES("sessions")));
    assert_true(adit_control_has_feature(&first.hello.features, ADIT_BYTES("drain")));
    server_wants(f, 0, 2);
    turn_until(f, f->binds == 2);
    assert_int_equal(f->hello.hello.slot, 1);
    assert_bytes(ADIT_FIELD_BYTES(f->hello.hello.instance),
                 ADIT_FIELD_BYTES(first.hello.instance));
    assert_int_equal(f->bind.bind.bind, 1);
    assert_int_equal(f->bind.bind.remote_port, 20007); /* what the first has */
    turn_until(f, ADIT_AT(f->agent.sessions, 1).is_bound[0]);
    assert_int_equal(adit_agent_look(&f->agent).session_count, 2);
    assert_int_equal(f->ready, 1); /* a person hears nothing of it */
    assert_int_equal(f->reconnected + f->disconnected, 0);
}

static void each_is_dialled_for(void **state)
{
    struct fixture *f = *state;
    open_sessions(f, 2);
    for (uint32_t i = 0; i < 6; i++) {
        f->link = ADIT_AT(f->slots, i % 2);
        int visitor = visit(f, 1);
        turn_until(f, f->dials == (int)i + 1);
        assert_int_equal(f->dialled, ADIT_DIAL_CONNECTED);
        int program = loopback_accept(f->program_listener);
        adit_socket_close(&visitor);
        adit_socket_close(&program);
    }
    assert_int_equal(f->agent.sessions[0].streams_total, 3);
    assert_int_equal(ADIT_AT(f->agent.sessions, 1).streams_total, 3);
    turn_until(f, f->agent.hub.pumps.used == 0);
}

static void there_are_never_more_than_four(void **state)
{
    struct fixture *f = *state;
    open_sessions(f, ADIT_CONTROL_SESSIONS_MAX);
    for (uint32_t i = 0; i < 40; i++) {
        server_wants(f, i % ADIT_CONTROL_SESSIONS_MAX, ADIT_CONTROL_SESSIONS_MAX);
        turn_for(f, CALM_US / 40);
    }
    assert_int_equal(f->hellos, ADIT_CONTROL_SESSIONS_MAX);
    assert_int_equal(f->agent.hub.links.used, ADIT_CONTROL_SESSIONS_MAX);
}

/* Before the address is known, a further session could only get another one. */
static void none_is_opened_before_the_address(void **state)
{
    struct fixture *f = *state;
    f->has_auto_answer = false;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->hellos == 1);
    server_wants(f, 0, 4); /* not even logged in */
    server_welcome(f);
    turn_until(f, f->binds == 1);
    server_wants(f, 0, 4);
    turn_for(f, CALM_US);
    assert_int_equal(f->hellos, 1);
}

/* The agent opens them by itself, and keeps them while they are idle. */
static void a_lossy_road_wants_all_of_them(void **state)
{
    struct fixture *f = *state;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->ready == 1);
    f->agent.hub.ops->link_lossy(&f->agent, f->agent.sessions[0].link, 0, true);
    turn_until(f, adit_agent_look(&f->agent).session_count == ADIT_AGENT_SESSIONS_MAX);
    turn_until(f, ADIT_AT(f->agent.sessions, 1).is_bound[0]);
    look(&f->agent, 1); /* a minute later */
    turn_for(f, CALM_US / 10);
    assert_int_equal(f->unbinds, 0);
    f->agent.hub.ops->link_lossy(&f->agent, (struct adit_handle){0}, 0, true); /* nobody's */
    lose(f, 0); /* the next connection may take another road */
    look(&f->agent, 1);
    turn_until(f, ADIT_AT(f->agent.sessions, 1).is_leaving);
}

static void an_idle_one_leaves_in_order(void **state)
{
    struct fixture *f = *state;
    open_sessions(f, 2);
    f->link = ADIT_AT(f->slots, 1);
    int visitor = visit(f, 1);
    turn_until(f, f->dials == 1);
    int program = loopback_accept(f->program_listener);
    look(&f->agent, 1); /* a minute later, and hardly anything has passed */
    turn_until(f, f->unbinds == 1);
    assert_int_equal(adit_agent_look(&f->agent).session_count, 1);
    look(&f->agent, 1);
    turn_for(f, CALM_US / 10);
    assert_int_equal(f->links_closed, 0); /* a visitor is there still */
    adit_socket_close(&visitor);
    adit_socket_close(&program);
    turn_until(f, f->agent.hub.pumps.used == 0);
    turn_until(f, f->links_closed == 1);
    assert_int_equal(ADIT_AT(f->agent.sessions, 1).state, ADIT_AGENT_STOPPED);
    turn_for(f, CALM_US);
    assert_int_equal(f->hellos, 2); /* it does not come back by itself ... */
    server_wants(f, 0, 2);
    turn_until(f, f->hellos == 3); /* ... but where it is asked for */
    assert_int_equal(f->disconnected, 0);
}

static void one_that_leaves_can_be_kept(void **state)
{
    struct fixture *f = *state;
    open_sessions(f, 2);
    look(&f->agent, 1);
    turn_until(f, f->unbinds == 1);
    server_wants(f, 0, 2);
    turn_until(f, f->binds == 3 && ADIT_AT(f->agent.sessions, 1).is_bound[0]);
    assert_false(ADIT_AT(f->agent.sessions, 1).is_leaving);
    assert_int_equal(f->hellos, 2);
}

static void a_busy_one_stays(void **state)
{
    struct fixture *f = *state;
    open_sessions(f, 2);
    ADIT_AT(f->agent.sessions, 1).streams_total += ADIT_AGENT_IDLE_STREAMS;
    look(&f->agent, 1);
    assert_false(ADIT_AT(f->agent.sessions, 1).is_leaving);
    look(&f->agent, 1); /* nothing since */
    assert_true(ADIT_AT(f->agent.sessions, 1).is_leaving);
}

static void the_first_can_be_lost_alone(void **state)
{
    struct fixture *f = *state;
    open_sessions(f, 2);
    f->agent.sessions[0].in_since_us = 1; /* as if it had lived long */
    lose(f, 0);
    assert_true(adit_agent_look(&f->agent).is_up);
    assert_int_equal(adit_agent_look(&f->agent).state, ADIT_AGENT_IN);
    look(&f->agent, 1); /* idle, but the last: it stays */
    assert_false(ADIT_AT(f->agent.sessions, 1).is_leaving);
    turn_until(f, f->hellos == 3);
    assert_int_equal(f->hello.hello.slot, 0);
    turn_until(f, f->agent.sessions[0].is_bound[0]);
    assert_int_equal(f->bind.bind.remote_port, 20007);
    assert_int_equal(f->disconnected + f->reconnected, 0);
    assert_int_equal(f->ready, 1);
}

static void the_last_one_lost_is_told(void **state)
{
    struct fixture *f = *state;
    open_sessions(f, 2);
    f->agent.sessions[0].in_since_us = 1;
    ADIT_AT(f->agent.sessions, 1).in_since_us = 1;
    adit_link_close(&f->hub, ADIT_AT(f->slots, 0), adit_ok());
    adit_link_close(&f->hub, ADIT_AT(f->slots, 1), adit_ok());
    turn_until(f, f->disconnected == 1);
    assert_true(f->wait_us < ADIT_BACKOFF_FIRST_US);
    turn_until(f, f->reconnected == 1);
    turn_until(f, adit_agent_look(&f->agent).session_count == 2);
    assert_int_equal(f->disconnected, 1);
    assert_int_equal(f->ready, 1); /* the same address */
}

static void a_short_one_is_not_tried_again(void **state)
{
    struct fixture *f = *state;
    open_sessions(f, 2);
    lose(f, 1);
    assert_int_equal(ADIT_AT(f->agent.sessions, 1).state, ADIT_AGENT_STOPPED);
    server_wants(f, 0, 4); /* the third and fourth come; the second has a rest */
    turn_until(f, f->hellos == 4);
    turn_for(f, CALM_US);
    assert_int_equal(f->hellos, 4);
    assert_int_equal(ADIT_AT(f->agent.sessions, 1).state, ADIT_AGENT_STOPPED);
    ADIT_AT(f->agent.sessions, 1).rest_until_us = 0; /* a minute later */
    server_wants(f, 0, 4);
    turn_until(f, f->hellos == 5);
    assert_int_equal(f->disconnected, 0);
}

static void a_refusal_of_one_more_costs_it_alone(void **state)
{
    struct fixture *f = *state;
    static const enum adit_refusal refusals[] = {
        ADIT_REFUSAL_LIMIT_REACHED, ADIT_REFUSAL_TOKEN_REVOKED, ADIT_REFUSAL_INTERNAL_ERROR};
    open_agent(f, "127.0.0.1");
    turn_until(f, f->ready == 1);
    f->has_auto_answer = false;
    for (uint32_t i = 0; i < ADIT_COUNT(refusals); i++) {
        server_wants(f, 0, i + 2);
        turn_until(f, f->hellos == (int)i + 2);
        refuse(f, ADIT_AT(refusals, i), 0);
        turn_until(f, f->links_closed == (int)i + 1);
    }
    server_wants(f, 0, 4); /* again and again: all of them rest */
    turn_for(f, CALM_US);
    assert_int_equal(f->hellos, 4);
    assert_int_equal(f->refused + f->disconnected, 0);
    assert_true(adit_agent_look(&f->agent).is_up);
}

static void another_address_is_not_taken(void **state)
{
    struct fixture *f = *state;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->ready == 1);
    f->has_auto_answer = false;
    server_wants(f, 0, 2);
    turn_until(f, f->hellos == 2);
    server_welcome(f);
    turn_until(f, f->binds == 2);
    server_bound(f, 20010);
    turn_until(f, f->links_closed == 1);
    assert_int_equal(f->ready, 1);
    assert_int_equal(f->agent.binds[0].port, 20007);
}

static void a_first_one_refused_while_another_works_is_tried_again(void **state)
{
    struct fixture *f = *state;
    open_sessions(f, 2);
    f->has_auto_answer = false;
    f->agent.sessions[0].in_since_us = 1;
    lose(f, 0);
    turn_until(f, f->hellos == 3);
    server_welcome(f);
    turn_until(f, f->binds == 3);
    refuse(f, ADIT_REFUSAL_PORT_TAKEN, 1);
    turn_until(f, f->agent.sessions[0].state == ADIT_AGENT_WAITING);
    assert_int_equal(f->binds, 3); /* the port was not given up for another */
    assert_int_equal(f->agent.binds[0].port, 20007);
    turn_until(f, f->hellos == 4);
    refuse(f, ADIT_REFUSAL_TOKEN_REVOKED, 0); /* that ends all of them */
    turn_until(f, f->refused == 1);
    assert_int_equal(adit_agent_look(&f->agent).session_count, 0);
    turn_until(f, f->agent.hub.links.used == 0);
}

static void a_drained_one_is_kept_to_its_end(void **state)
{
    struct fixture *f = *state;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->ready == 1);
    int visitor = visit(f, 1);
    turn_until(f, f->dials == 1);
    int program = loopback_accept(f->program_listener);
    struct adit_control message = {.type = ADIT_CONTROL_DRAIN};
    message.drain.seconds = 30;
    assert_ok(ADIT_FIELD_SET(message.drain.reason, ADIT_BYTES("restart")));
    server_send(f, &message);
    turn_until(f, f->agent.sessions[0].is_draining);
    turn_for(f, CALM_US / 10);
    assert_int_equal(f->pumps_closed + f->disconnected, 0);
    adit_socket_close(&visitor);
    adit_socket_close(&program);
    turn_until(f, f->agent.hub.pumps.used == 0);
    adit_link_close(&f->hub, f->link, adit_ok());
    turn_until(f, f->disconnected == 1);
    assert_true(f->wait_us < ADIT_BACKOFF_FIRST_US); /* however short it was */
    turn_until(f, f->reconnected == 1);
    assert_false(f->agent.sessions[0].is_draining);
}

static void goodbye_is_said_on_each(void **state)
{
    struct fixture *f = *state;
    open_sessions(f, 3);
    adit_agent_stop(&f->agent);
    turn_until(f, f->links_closed == 3 && !adit_agent_is_leaving(&f->agent));
    assert_int_equal(f->unbinds, 3);
    assert_int_equal(f->disconnected, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_more_shares_the_address),
        TEST(each_is_dialled_for),
        TEST(there_are_never_more_than_four),
        TEST(none_is_opened_before_the_address),
        TEST(a_lossy_road_wants_all_of_them),
        TEST(an_idle_one_leaves_in_order),
        TEST(one_that_leaves_can_be_kept),
        TEST(a_busy_one_stays),
        TEST(the_first_can_be_lost_alone),
        TEST(the_last_one_lost_is_told),
        TEST(a_short_one_is_not_tried_again),
        TEST(a_refusal_of_one_more_costs_it_alone),
        TEST(another_address_is_not_taken),
        TEST(a_first_one_refused_while_another_works_is_tried_again),
        TEST(a_drained_one_is_kept_to_its_end),
        TEST(goodbye_is_said_on_each),
    };
    return cmocka_run_group_tests_name("agent/extra", tests, NULL, NULL);
}
