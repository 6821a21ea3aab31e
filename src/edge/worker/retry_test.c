/* What agents are told about coming back. Covers retry.c. */
#include "worker_fixture.h"

static struct agent *agent_numbered(struct fixture *f, uint64_t number)
{
    struct agent *agent = worker_agent_find(f->worker, number);
    assert_non_null(agent);
    return agent;
}

static struct hello hello_of(const char *instance, const char *feature)
{
    struct hello hello = good_hello;
    hello.instance = instance;
    hello.feature = feature;
    return hello;
}

static void enter(struct fixture *f, size_t index, const char *instance, const char *feature)
{
    struct hello hello = hello_of(instance, feature);
    connect_agent(f, index);
    say_hello(f, index, &hello);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
}

static void told(struct fixture *f, size_t index, uint32_t spread_ms)
{
    struct agent_side *side = &ADIT_AT(f->agents, index);
    turn_until(f, side->message.type == ADIT_CONTROL_RETRY &&
                      side->message.retry.spread_ms == spread_ms);
}

static const char first[] = "0123456789abcdef0123456789abcdef";
static const char second[] = "1123456789abcdef0123456789abcdef";
static const char third[] = "2123456789abcdef0123456789abcdef";

static void a_newcomer_is_told_by_how_many_there_are(void **state)
{
    struct fixture *f = *state;
    enter(f, 0, first, "retry");
    told(f, 0, WORKER_RETRY_MIN_MS);
    f->worker->sessions += 500;
    enter(f, 1, second, "retry");
    told(f, 1, 502);
    told(f, 0, 502); /* and so is who had heard of fewer */
    f->worker->sessions = 10 * WORKER_RETRY_MAX_MS;
    enter(f, 2, third, "retry");
    told(f, 2, WORKER_RETRY_MAX_MS);
    f->worker->sessions = 3;
}

static void an_older_one_is_not_told(void **state)
{
    struct fixture *f = *state;
    enter(f, 0, first, "drain");
    enter(f, 1, second, "retry");
    told(f, 1, WORKER_RETRY_MIN_MS);
    f->worker->sessions += 500;
    for (int i = 0; i < 10; i++) {
        worker_retry_look(f->worker);
        turn(f);
    }
    told(f, 1, 502);
    assert_int_equal(f->agents[0].message.type, ADIT_CONTROL_WELCOME);
    f->worker->sessions = 2;
}

/* Nobody is told each little change; at most so many for each who comes or goes. */
static void others_are_told_when_it_has_doubled_or_halved(void **state)
{
    struct fixture *f = *state;
    enter(f, 0, first, "retry");
    enter(f, 1, second, "retry");
    told(f, 1, WORKER_RETRY_MIN_MS);
    static const struct {
        uint32_t sessions, told_ms;
    } rows[] = {{9, 5}, {10, 10}, {19, 10}, {20, 20}, {11, 20}, {10, 10}, {3, 5}, {1, 5}};
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        f->worker->sessions = ADIT_AT(rows, i).sessions;
        for (int looks = 0; looks < 4; looks++) {
            worker_retry_look(f->worker);
        }
        assert_int_equal(agent_numbered(f, 1)->retry_told_ms, ADIT_AT(rows, i).told_ms);
        assert_int_equal(agent_numbered(f, 2)->retry_told_ms, ADIT_AT(rows, i).told_ms);
    }
    f->worker->sessions = 2;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_newcomer_is_told_by_how_many_there_are),
        TEST(an_older_one_is_not_told),
        TEST(others_are_told_when_it_has_doubled_or_halved),
    };
    return cmocka_run_group_tests_name("edge/worker/retry", tests, NULL, NULL);
}
