#include "net/signals.h"

#include "unit.h"

static void note(void *context, int number)
{
    int *seen = context;
    *seen = number;
}

static void a_signal_is_an_event(void **state)
{
    (void)state;
    struct adit_loop loop = {0};
    struct adit_signals signals = {0};
    const int numbers[] = {SIGUSR1, SIGTERM};
    int seen = 0;
    assert_ok(adit_loop_open(&loop, 8, 8));
    assert_ok(adit_signals_open(&signals, &loop, numbers, ADIT_COUNT(numbers)));
    adit_signals_handler_set(&signals, note, &seen);
    assert_int_equal(kill(getpid(), SIGTERM), 0); /* blocked: we live */
    assert_ok(adit_loop_turn(&loop, ADIT_SECOND_US));
    assert_int_equal(seen, SIGTERM);
    assert_int_equal(kill(getpid(), SIGUSR1), 0);
    assert_ok(adit_loop_turn(&loop, ADIT_SECOND_US));
    assert_int_equal(seen, SIGUSR1);
    adit_signals_close(&signals);
    adit_signals_close(&signals); /* twice is fine */
    adit_loop_close(&loop);
    adit_signals_restore();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_signal_is_an_event)};
    return cmocka_run_group_tests_name("net/signals", tests, NULL, NULL);
}
