#include "edge/supervisor/backoff.h"

#include "unit.h"

static void short_lives_wait_longer_and_longer(void **state)
{
    (void)state;
    static const struct {
        uint64_t lived_us, delay_us;
        uint32_t short_lives;
    } steps[] = {
        {0, 0, 1},        {5, 100000, 2},   {9999999, 200000, 3}, {0, 400000, 4},
        {0, 800000, 5},   {0, 1600000, 6},  {0, 3200000, 7},      {0, 5000000, 8},
        {0, 5000000, 9},  {10000000, 0, 0}, {0, 0, 1},            {0, 100000, 2},
        {UINT64_MAX, 0, 0}, {20000000, 0, 0},
    };
    struct adit_backoff backoff = {0};
    for (size_t i = 0; i < ADIT_COUNT(steps); i++) {
        assert_int_equal(adit_backoff_next(&backoff, ADIT_AT(steps, i).lived_us),
                         ADIT_AT(steps, i).delay_us);
        assert_int_equal(backoff.short_lives, ADIT_AT(steps, i).short_lives);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_lives_wait_longer_and_longer),
    };
    return cmocka_run_group_tests_name("supervisor/backoff", tests, NULL, NULL);
}
