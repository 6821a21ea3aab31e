/* Logins, refusals, and which session gives way. */
#include "worker_fixture.h"

static void each_bad_login_has_its_code(void **state)
{
    struct fixture *f = *state;
    struct hello cases[4] = {good_hello, good_hello, good_hello, good_hello};
    static const char *const codes[] = {"token_invalid", "token_expired", "version_unsupported",
                                        "bad_login"};
    ADIT_AT(cases, 0).key = 9;
    ADIT_AT(cases, 0).is_asking = true;
    ADIT_AT(cases, 1).expiry_s = 1000;
    ADIT_AT(cases, 2).version = 2;
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        connect_agent(f, 0);
        if (i == 3) {
            ask(f, 0, 1, 0); /* a bind before the hello */
            turn_until(f, f->agents[0].messages == 1);
        } else {
            say_hello(f, 0, &ADIT_AT(cases, i));
        }
        assert_int_equal(f->agents[0].message.type, ADIT_CONTROL_REFUSED);
        assert_bytes(ADIT_FIELD_BYTES(f->agents[0].message.refused.code),
                     adit_bytes_of_text(ADIT_AT(codes, i)));
        turn_until(f, f->agents[0].closes == 1);
        assert_int_equal(expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE).request, 900);
        assert_int_equal(f->agents[0].messages, 1); /* a bind behind it has no answer */
    }
    turn_until(f, f->worker->agents.used == 0);
    assert_int_equal(f->worker->counters.logins, 0);
}

static void a_bind_behind_the_hello_is_answered_after_it(void **state)
{
    struct fixture *f = *state;
    struct hello hello = good_hello;
    hello.is_asking = true;
    log_in(f, 0, &hello);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    struct adit_message wanted = expect(f, &f->door, ADIT_MESSAGE_BIND);
    int listener = -1;
    struct adit_address address = grant(f, &wanted, &listener);
    turn_until(f, f->agents[0].message.type == ADIT_CONTROL_BOUND);
    assert_int_equal(f->agents[0].message.bound.port, address.port);
    adit_socket_close(&listener);
}

static void a_newer_session_of_the_same_agent_takes_over(void **state)
{
    struct fixture *f = *state;
    struct adit_address address = {0};
    int listener = -1;
    log_in(f, 0, &good_hello);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    bind_port(f, 0, &address, &listener);
    struct hello other = good_hello;
    other.instance = "ffffffffffffffffffffffffffffffff";
    log_in(f, 1, &other); /* another process with the same token: both may stay */
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    struct hello second = good_hello;
    second.slot = 1;
    log_in(f, 2, &second); /* its second session, in a slot of its own */
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    assert_int_equal(f->worker->counters.evictions, 0);
    adit_link_close(&f->hub, ADIT_AT(f->agents, 2).link, adit_ok());
    turn_until(f, f->worker->agents.used == 2);
    log_in(f, 2, &good_hello);
    assert_int_equal(expect(f, &f->door, ADIT_MESSAGE_UNBIND).port, address.port);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    turn_until(f, f->agents[0].closes == 1);
    assert_int_equal(ADIT_AT(f->agents, 1).closes, 0);
    assert_int_equal(f->worker->counters.evictions, 1);
    adit_socket_close(&listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_bad_login_has_its_code),
        TEST(a_bind_behind_the_hello_is_answered_after_it),
        TEST(a_newer_session_of_the_same_agent_takes_over),
    };
    return cmocka_run_group_tests_name("edge/worker/agents", tests, NULL, NULL);
}
