/* Names and ports: what is asked for, and asked for again. */
#include "agent_harness.h"

static void a_lost_port_is_replaced_by_any(void **state)
{
    struct fixture *f = *state;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->ready == 1);
    f->has_auto_answer = false;
    f->agent.sessions[0].in_since_us = 1;
    adit_link_close(&f->hub, f->link, adit_ok());
    turn_until(f, f->hellos == 2);
    server_welcome(f);
    turn_until(f, f->binds == 2);
    refuse(f, ADIT_REFUSAL_PORT_TAKEN, 1); /* it was given by chance: any other will do */
    turn_until(f, f->binds == 3);
    assert_int_equal(f->bind.bind.remote_port, 0);
    server_bound(f, 20009);
    turn_until(f, f->ready == 2);
    assert_int_equal(f->refused, 0);
}

static void a_drawn_name_is_asked_for_again(void **state)
{
    struct fixture *f = *state;
    f->tunnel.kind = ADIT_TUNNEL_HTTP;
    f->has_auto_answer = false;
    assert_ok(ADIT_FIELD_SET(f->tunnel.host_header, ADIT_BYTES("app.test:80")));
    open_agent(f, "127.0.0.1");
    turn_until(f, f->hellos == 1);
    server_welcome(f);
    turn_until(f, f->binds == 1);
    assert_int_equal(f->bind.bind.kind, ADIT_TUNNEL_HTTP);
    assert_int_equal(f->bind.bind.name.len, 0);
    assert_int_equal(f->bind.bind.hint.len, 16);
    assert_bytes(ADIT_FIELD_BYTES(f->bind.bind.host_header), ADIT_BYTES("app.test:80"));
    struct adit_control_bind first = f->bind.bind;
    server_bound_name(f, "calm-owl-7");
    turn_until(f, f->ready == 1);
    f->agent.sessions[0].in_since_us = 1;
    adit_link_close(&f->hub, f->link, adit_ok());
    turn_until(f, f->hellos == 2);
    server_welcome(f);
    turn_until(f, f->binds == 2);
    assert_bytes(ADIT_FIELD_BYTES(f->bind.bind.name), ADIT_BYTES("calm-owl-7"));
    assert_bytes(ADIT_FIELD_BYTES(f->bind.bind.hint), ADIT_FIELD_BYTES(first.hint));
    refuse(f, ADIT_REFUSAL_NAME_TAKEN, 1); /* it was drawn: any other will do */
    turn_until(f, f->binds == 3);
    assert_int_equal(f->bind.bind.name.len, 0);
    assert_int_equal(f->refused, 0);
    refuse(f, ADIT_REFUSAL_TOKEN_SCOPE, 1); /* and this is about the tunnel itself */
    turn_until(f, f->refused == 1);
}

static void a_wanted_name_refused_is_final(void **state)
{
    struct fixture *f = *state;
    f->tunnel.kind = ADIT_TUNNEL_TLS;
    f->has_auto_answer = false;
    assert_ok(ADIT_FIELD_SET(f->tunnel.name, ADIT_BYTES("shop")));
    open_agent(f, "127.0.0.1");
    turn_until(f, f->hellos == 1);
    server_welcome(f);
    turn_until(f, f->binds == 1);
    assert_bytes(ADIT_FIELD_BYTES(f->bind.bind.name), ADIT_BYTES("shop"));
    refuse(f, ADIT_REFUSAL_NAME_TAKEN, 1);
    turn_until(f, f->refused == 1);
    assert_string_equal(f->code, "name_taken");
    assert_int_equal(f->binds, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_lost_port_is_replaced_by_any),
        TEST(a_drawn_name_is_asked_for_again),
        TEST(a_wanted_name_refused_is_final),
    };
    return cmocka_run_group_tests_name("agent/tunnels", tests, NULL, NULL);
}
