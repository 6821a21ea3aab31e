#include "agent/backoff.h"

#include "unit.h"

static void a_session_that_lived_is_back_at_once(void **state)
{
    (void)state;
    struct adit_jitter jitter = {.state = 1};
    struct adit_backoff backoff = {.failures = 9};
    for (int i = 0; i < 1000; i++) {
        assert_true(adit_backoff_next(&backoff, ADIT_BACKOFF_LIVED_US, &jitter) <
                    ADIT_BACKOFF_FIRST_US);
    }
    assert_int_equal(backoff.failures, 0);
}

static void failures_wait_longer_up_to_a_minute(void **state)
{
    (void)state;
    struct adit_jitter jitter = {.state = 7};
    uint64_t longest_us[12] = {0};
    for (int run = 0; run < 2000; run++) {
        struct adit_backoff backoff = {0};
        for (size_t i = 0; i < ADIT_COUNT(longest_us); i++) {
            uint64_t wait_us = adit_backoff_next(&backoff, 0, &jitter);
            uint64_t bound_us = i < 6 ? ADIT_BACKOFF_BASE_US << i : ADIT_BACKOFF_MAX_US;
            assert_true(wait_us < bound_us);
            ADIT_AT(longest_us, i) = adit_max_u64(ADIT_AT(longest_us, i), wait_us);
        }
    }
    assert_true(ADIT_AT(longest_us, 0) > ADIT_BACKOFF_BASE_US * 9 / 10);  /* the jitter is full */
    assert_true(ADIT_AT(longest_us, 11) > ADIT_BACKOFF_MAX_US * 9 / 10);
}

static void an_orderly_end_is_soon_once(void **state)
{
    (void)state;
    struct adit_jitter jitter = {.state = 3};
    uint64_t longest_us = 0;
    for (int i = 0; i < 1000; i++) {
        struct adit_backoff backoff = {0};
        assert_true(adit_backoff_next_orderly(&backoff, 1, &jitter) < ADIT_BACKOFF_FIRST_US);
        longest_us = adit_max_u64(longest_us, adit_backoff_next_orderly(&backoff, 1, &jitter));
        assert_true(longest_us < 2 * ADIT_BACKOFF_BASE_US);
        assert_true(adit_backoff_next_orderly(&backoff, ADIT_BACKOFF_LIVED_US, &jitter) <
                    ADIT_BACKOFF_FIRST_US);
        assert_int_equal(backoff.failures, 0);
    }
    assert_true(longest_us > ADIT_BACKOFF_BASE_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_that_lived_is_back_at_once),
        cmocka_unit_test(failures_wait_longer_up_to_a_minute),
        cmocka_unit_test(an_orderly_end_is_soon_once),
    };
    return cmocka_run_group_tests_name("agent/backoff", tests, NULL, NULL);
}
