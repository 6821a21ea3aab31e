#include "net/yield.h"

#include "unit.h"

static void it_pauses_where_others_keep_the_core(void **state)
{
    (void)state;
    struct adit_yield yield = {0};
    assert_true(adit_yield_is_wise(&yield, 0));
    adit_yield_took(&yield, 1000, 1500);
    assert_true(adit_yield_is_wise(&yield, 1500));
    adit_yield_took(&yield, 2000, 2501);
    assert_false(adit_yield_is_wise(&yield, 2501));
    assert_false(adit_yield_is_wise(&yield, 10500));
    assert_true(adit_yield_is_wise(&yield, 10501));
    adit_yield_took(&yield, 11000, 10999); /* a clock that went back is no long one */
    assert_true(adit_yield_is_wise(&yield, 11000));
}

static uint64_t pause_after(struct adit_yield *yield, uint64_t now_us)
{
    adit_yield_took(yield, now_us, now_us + 4000);
    uint64_t pause_us = 0;
    while (!adit_yield_is_wise(yield, now_us + 4000 + pause_us)) {
        pause_us += 1000;
    }
    return pause_us;
}

static void pauses_double_up_to_a_second(void **state)
{
    (void)state;
    struct adit_yield yield = {0};
    for (uint64_t ms = 8; ms < 1000; ms *= 2) {
        assert_int_equal(pause_after(&yield, 1000000), ms * 1000);
    }
    assert_int_equal(pause_after(&yield, 1000000), 1000000);
    assert_int_equal(pause_after(&yield, 1000000), 1000000);
    for (size_t i = 0; i < 1023; i++) {
        adit_yield_took(&yield, 5000000, 5000001);
    }
    assert_int_equal(pause_after(&yield, 1000000), 1000000);
    for (size_t i = 0; i < 1024; i++) {
        adit_yield_took(&yield, 5000000, 5000001);
    }
    assert_int_equal(pause_after(&yield, 1000000), 8000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_pauses_where_others_keep_the_core),
        cmocka_unit_test(pauses_double_up_to_a_second),
    };
    return cmocka_run_group_tests_name("net/yield", tests, NULL, NULL);
}
