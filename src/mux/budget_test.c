#include "mux/budget.h"

#include "unit.h"

static const struct adit_budget_rate rate = {.burst = 4, .per_second = 10};

static void a_burst_passes_and_then_the_rate(void **state)
{
    (void)state;
    uint64_t bucket = 0;
    uint64_t now = 5 * ADIT_SECOND_US;
    for (size_t i = 0; i < 4; i++) {
        assert_true(adit_budget_take(&bucket, rate, now));
    }
    assert_false(adit_budget_take(&bucket, rate, now));
    assert_int_equal(adit_budget_next_us(bucket, rate), now + 100 * ADIT_MS_US);
    assert_false(adit_budget_take(&bucket, rate, now + 100 * ADIT_MS_US - 1));
    assert_true(adit_budget_take(&bucket, rate, now + 100 * ADIT_MS_US));
    assert_false(adit_budget_take(&bucket, rate, now + 100 * ADIT_MS_US));
}

static void it_never_holds_more_than_the_burst(void **state)
{
    (void)state;
    uint64_t bucket = 0;
    assert_true(adit_budget_take(&bucket, rate, 0));
    uint64_t now = 1000 * (uint64_t)ADIT_SECOND_US;
    size_t taken = 0;
    while (adit_budget_take(&bucket, rate, now)) {
        taken++;
    }
    assert_int_equal(taken, 4);
}

static void a_refusal_takes_nothing(void **state)
{
    (void)state;
    uint64_t bucket = 0;
    for (size_t i = 0; i < 1000; i++) {
        adit_budget_take(&bucket, rate, 0);
    }
    assert_true(adit_budget_take(&bucket, rate, 100 * ADIT_MS_US));
}

static void odd_rates_neither_divide_by_zero_nor_pass(void **state)
{
    (void)state;
    const struct adit_budget_rate never = {.burst = 0, .per_second = 10};
    const struct adit_budget_rate hourly = {.burst = 1, .per_second = 0};
    uint64_t bucket = 0;
    assert_false(adit_budget_take(&bucket, never, 0));
    assert_true(adit_budget_take(&bucket, hourly, 0));
    assert_false(adit_budget_take(&bucket, hourly, UINT64_C(3599) * ADIT_SECOND_US));
    assert_true(adit_budget_take(&bucket, hourly, UINT64_C(3600) * ADIT_SECOND_US));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_passes_and_then_the_rate),
        cmocka_unit_test(it_never_holds_more_than_the_burst),
        cmocka_unit_test(a_refusal_takes_nothing),
        cmocka_unit_test(odd_rates_neither_divide_by_zero_nor_pass),
    };
    return cmocka_run_group_tests_name("mux/budget", tests, NULL, NULL);
}
