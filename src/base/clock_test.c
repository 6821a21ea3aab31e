#include "base/clock.h"

#include <time.h>

#include "unit.h"

static void monotonic_never_goes_back(void **state)
{
    (void)state;
    uint64_t before = adit_clock_now_us();
    for (int i = 0; i < 1000; i++) {
        uint64_t now = adit_clock_now_us();
        assert_true(now >= before);
        before = now;
    }
}

static void monotonic_counts_microseconds(void **state)
{
    (void)state;
    uint64_t before = adit_clock_now_us();
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    uint64_t passed = adit_clock_now_us() - before;
    assert_true(passed >= 5 * ADIT_MS_US);
    assert_true(passed < 60 * ADIT_SECOND_US);
}

static void boot_counts_the_same_and_sleep(void **state)
{
    (void)state;
    uint64_t apart = adit_clock_boot_us() - adit_clock_now_us();
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    uint64_t later = adit_clock_boot_us() - adit_clock_now_us();
    int64_t slept = (int64_t)(later - apart); /* nothing, but for the time between two readings */
    assert_true(slept > -(int64_t)ADIT_SECOND_US && slept < (int64_t)ADIT_SECOND_US);
}

static void wall_is_of_this_century_and_in_milliseconds(void **state)
{
    (void)state;
    uint64_t wall = adit_clock_wall_ms();
    uint64_t now = (uint64_t)time(NULL) * 1000;
    assert_true(wall + 5000 > now && wall < now + 5000);
    assert_true(wall > 1600000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(monotonic_never_goes_back),
        cmocka_unit_test(monotonic_counts_microseconds),
        cmocka_unit_test(boot_counts_the_same_and_sleep),
        cmocka_unit_test(wall_is_of_this_century_and_in_milliseconds),
    };
    return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}
