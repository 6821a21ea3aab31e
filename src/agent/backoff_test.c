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

static void a_spread_is_what_the_server_says_within_limits(void **state)
{
    (void)state;
    static const struct {
        uint64_t said_us, first_us, base_us;
    } rows[] = {
        {0, ADIT_BACKOFF_SPREAD_MIN_US, ADIT_BACKOFF_SPREAD_BASE_US},
        {10000, 10000, ADIT_BACKOFF_SPREAD_BASE_US},
        {400000, 400000, 400000},
        {UINT64_MAX, ADIT_BACKOFF_SPREAD_MAX_US, ADIT_BACKOFF_MAX_US},
    };
    struct adit_jitter jitter = {.state = 5};
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        uint64_t longest_us[14] = {0};
        uint64_t first_us = 0;
        for (int run = 0; run < 2000; run++) {
            struct adit_backoff backoff = {0};
            adit_backoff_spread_set(&backoff, ADIT_AT(rows, i).said_us);
            uint64_t wait_us = adit_backoff_next(&backoff, ADIT_BACKOFF_LIVED_US, &jitter);
            assert_true(wait_us < ADIT_AT(rows, i).first_us);
            first_us = adit_max_u64(first_us, wait_us);
            for (size_t k = 0; k < ADIT_COUNT(longest_us); k++) {
                wait_us = adit_backoff_next(&backoff, 0, &jitter);
                assert_true(wait_us <
                            adit_min_u64(ADIT_AT(rows, i).base_us << k, ADIT_BACKOFF_MAX_US));
                ADIT_AT(longest_us, k) = adit_max_u64(ADIT_AT(longest_us, k), wait_us);
            }
        }
        assert_true(first_us > ADIT_AT(rows, i).first_us * 9 / 10); /* the jitter is full */
        assert_true(longest_us[0] > ADIT_AT(rows, i).base_us * 9 / 10);
        assert_true(longest_us[13] > ADIT_BACKOFF_MAX_US * 9 / 10);
    }
}

/* Attempts of ten thousand agents that lose their server in the same moment, by the tenth of a
 * second; those before `back_us` fail. When the last one is in. */
#define HERD 10000
#define TENTHS 1200

static uint64_t herd_returns(uint64_t spread_us, uint64_t back_us, uint32_t *out_peak)
{
    static uint32_t tenths[TENTHS];
    struct adit_jitter jitter = {.state = 11};
    uint64_t last_us = 0;
    adit_span_fill(ADIT_OBJECT_SPAN(tenths), 0);
    for (int i = 0; i < HERD; i++) {
        struct adit_backoff backoff = {0};
        adit_backoff_spread_set(&backoff, spread_us);
        uint64_t now_us = adit_backoff_next(&backoff, ADIT_BACKOFF_LIVED_US, &jitter);
        while (now_us < back_us) {
            now_us += 1 + adit_backoff_next(&backoff, 0, &jitter);
        }
        last_us = adit_max_u64(last_us, now_us);
        assert_true(now_us / (100 * ADIT_MS_US) < TENTHS); /* all are back within two minutes */
        ADIT_AT(tenths, now_us / (100 * ADIT_MS_US))++;
    }
    *out_peak = 0;
    for (size_t i = 0; i + 10 <= TENTHS; i++) {
        uint32_t second = 0;
        for (size_t k = i; k < i + 10; k++) {
            second += ADIT_AT(tenths, k);
        }
        *out_peak = *out_peak > second ? *out_peak : second;
    }
    return last_us;
}

/* With 1 ms of spread for each: a thousand a second where the server is there, and less than two
 * thousand in any second however long it was away, as each bound is twice the last. */
static void ten_thousand_come_back_no_faster_than_they_are_spread(void **state)
{
    (void)state;
    static const uint64_t away_ms[] = {0, 100, 1000, 5000, 20000, 40000};
    for (size_t i = 0; i < ADIT_COUNT(away_ms); i++) {
        uint32_t peak = 0;
        uint64_t last_us = herd_returns(HERD * ADIT_MS_US, ADIT_AT(away_ms, i) * ADIT_MS_US, &peak);
        assert_true(peak < (ADIT_AT(away_ms, i) == 0 ? 1100 : 2000));
        assert_true(last_us < 120 * (uint64_t)ADIT_SECOND_US);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_that_lived_is_back_at_once),
        cmocka_unit_test(failures_wait_longer_up_to_a_minute),
        cmocka_unit_test(an_orderly_end_is_soon_once),
        cmocka_unit_test(a_spread_is_what_the_server_says_within_limits),
        cmocka_unit_test(ten_thousand_come_back_no_faster_than_they_are_spread),
    };
    return cmocka_run_group_tests_name("agent/backoff", tests, NULL, NULL);
}
