/* What a crowd took is given back. Covers rest.c. */
#include "worker_fixture.h"

/* As if so many visitors were there, at the next look. */
static void with(struct fixture *f, uint32_t count)
{
    f->worker->sessions = count;
    worker_rest_look(f->worker);
}

static bool is_waiting(const struct fixture *f)
{
    return adit_handle_is_set(f->worker->rest.timer);
}

/* The time is over. */
static void late(struct fixture *f)
{
    adit_loop_timer_cancel(&f->worker->loop, &f->worker->rest.timer);
    worker_rest_take(f->worker);
    worker_rest_look(f->worker);
}

static void a_crowd_that_has_gone_is_forgotten(void **state)
{
    struct fixture *f = *state;
    const struct worker_rest *rest = &f->worker->rest;
    with(f, 3000);
    assert_false(is_waiting(f));
    for (uint32_t count = 2999; count > 2000; count--) {
        with(f, count);
        assert_false(is_waiting(f));
    }
    with(f, 2000); /* a third has gone */
    assert_true(is_waiting(f));
    with(f, 10);
    late(f); /* there were two thousand a moment ago */
    assert_int_equal(rest->kept, 2000);
    assert_true(is_waiting(f));
    late(f);
    assert_int_equal(rest->kept, 10);
    assert_false(is_waiting(f)); /* nobody goes, nothing wakes */
    f->worker->sessions = 0;
}

static void one_that_comes_back_at_once_is_not(void **state)
{
    struct fixture *f = *state;
    const struct worker_rest *rest = &f->worker->rest;
    with(f, 3000);
    with(f, 0);
    assert_true(is_waiting(f));
    with(f, 2999);
    with(f, 0);
    late(f);
    assert_int_equal(rest->kept, 3000);
    assert_true(is_waiting(f)); /* it is looked at once more */
    late(f);
    assert_int_equal(rest->kept, 0);
}

static void few_are_no_crowd(void **state)
{
    struct fixture *f = *state;
    with(f, WORKER_REST_MANY - 1);
    with(f, 0);
    assert_false(is_waiting(f));
    with(f, WORKER_REST_MANY);
    with(f, 0);
    assert_true(is_waiting(f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_crowd_that_has_gone_is_forgotten),
        TEST(one_that_comes_back_at_once_is_not),
        TEST(few_are_no_crowd),
    };
    return cmocka_run_group_tests_name("edge/worker/rest", tests, NULL, NULL);
}
