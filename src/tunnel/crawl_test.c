/* Links that the kernel's window holds back, and links that something else does. */
#include "tunnel/crawl.h"

#include "unit.h"

static const struct adit_crawl_sample crawling = {.now_us = 1000000,
                                                  .rtt_us = 151000,
                                                  .rtt_min_us = 150000,
                                                  .on_road = 100000,
                                                  .unsent = 128000,
                                                  .window = 101000,
                                                  .retransmitted = 7,
                                                  .bound = UINT64_MAX};

/* How many milliseconds of such samples, 50 apart, it takes; 0: so many do not do. */
static uint64_t takes_ms(struct adit_crawl_sample sample)
{
    struct adit_crawl crawl = {0};
    for (uint64_t ms = 0; ms < 5000; ms += 50) {
        if (adit_crawl_sample(&crawl, &sample) == ADIT_CRAWL_YES) {
            return ms;
        }
        sample.now_us += 50000;
    }
    return 0;
}

static void it_is_certain_after_some_round_trips(void **state)
{
    (void)state;
    struct adit_crawl_sample sample = crawling;
    assert_int_equal(takes_ms(sample), 650); /* the first sample only learns what was lost before */
    sample.rtt_min_us = 10000;
    sample.rtt_us = 11000;
    assert_int_equal(takes_ms(sample), 150);
}

static void each_of_these_is_something_else(void **state)
{
    (void)state;
    struct adit_crawl_sample samples[6] = {crawling, crawling, crawling,
                                           crawling, crawling, crawling};
    samples[0].rtt_us = 165000;      /* a queue */
    samples[1].unsent = 0;           /* nothing to say */
    samples[2].on_road = 70000;      /* the other end's window, or ours */
    samples[3].is_slow_start = true;
    samples[4].bound = 200000;       /* the road is half full */
    samples[5].rtt_min_us = 4000;
    samples[5].rtt_us = 4000;        /* a short road */
    for (size_t i = 0; i < ADIT_COUNT(samples); i++) {
        assert_int_equal(takes_ms(ADIT_AT(samples, i)), 0);
    }
}

static void a_loss_begins_the_count_again(void **state)
{
    (void)state;
    struct adit_crawl crawl = {0};
    struct adit_crawl_sample sample = crawling;
    for (uint64_t i = 0; i < 100; i++) {
        sample.retransmitted += i % 10 == 0;
        sample.now_us += 50000;
        assert_int_equal(adit_crawl_sample(&crawl, &sample), ADIT_CRAWL_NO);
    }
}

static void it_is_told_once(void **state)
{
    (void)state;
    struct adit_crawl crawl = {0};
    struct adit_crawl_sample sample = crawling;
    uint32_t told = 0;
    for (uint64_t i = 0; i < 100; i++) {
        sample.now_us += 50000;
        told += adit_crawl_sample(&crawl, &sample) == ADIT_CRAWL_YES;
    }
    assert_int_equal(told, 1);
    assert_true(crawl.is_known);
}

/* The kernel ended its start, and nothing of the link's own was the reason. */
static void where_nothing_was_lost_it_starts_again_first(void **state)
{
    (void)state;
    struct adit_crawl crawl = {0};
    struct adit_crawl_sample sample = crawling;
    sample.retransmitted = 0;
    uint64_t started_ms = 0, certain_ms = 0;
    uint32_t started = 0;
    for (uint64_t ms = 0; ms < 5000; ms += 50) {
        enum adit_crawl_verdict verdict = adit_crawl_sample(&crawl, &sample);
        started += verdict == ADIT_CRAWL_START;
        started_ms = verdict == ADIT_CRAWL_START ? ms : started_ms;
        certain_ms = verdict == ADIT_CRAWL_YES ? ms : certain_ms;
        sample.now_us += 50000;
    }
    assert_int_equal(started, 1);
    assert_int_equal(started_ms, 150);
    assert_int_equal(certain_ms, 800);
}

/* A loss or two by chance ended the start; more may be a road that is full. */
static void where_few_were_lost_it_starts_again_too(void **state)
{
    (void)state;
    for (uint64_t lost = 1; lost <= ADIT_CRAWL_LOST_FEW + 1; lost++) {
        struct adit_crawl crawl = {0};
        struct adit_crawl_sample sample = crawling;
        sample.retransmitted = lost;
        uint32_t started = 0;
        for (uint64_t ms = 0; ms < 600; ms += 50) {
            started += adit_crawl_sample(&crawl, &sample) == ADIT_CRAWL_START;
            sample.now_us += 50000;
        }
        assert_int_equal(started, lost <= ADIT_CRAWL_LOST_FEW ? 1 : 0);
    }
}

/* The road is known, and the kernel's window was cut below it: by half or by little. */
static void a_start_that_went_too_far_is_filled_up_once(void **state)
{
    (void)state;
    const uint64_t bounds[] = {1000000, 202001, 110000};
    for (size_t i = 0; i < ADIT_COUNT(bounds); i++) {
        struct adit_crawl crawl = {0};
        struct adit_crawl_sample sample = crawling;
        sample.bound = ADIT_AT(bounds, i);
        uint64_t started_ms = 0;
        uint32_t started = 0;
        for (uint64_t ms = 0; ms < 600; ms += 50) {
            enum adit_crawl_verdict verdict = adit_crawl_sample(&crawl, &sample);
            started += verdict == ADIT_CRAWL_START;
            started_ms = verdict == ADIT_CRAWL_START ? ms : started_ms;
            sample.now_us += 50000;
        }
        assert_int_equal(started, 1);
        assert_int_equal(started_ms, 200); /* the first sample only learns what was lost before */
    }
}

/* It is for good only far below the bound. */
static void a_window_that_stays_low_is_certain_where_it_is_under_half(void **state)
{
    (void)state;
    struct adit_crawl_sample sample = crawling;
    sample.bound = 1000000;
    assert_int_equal(takes_ms(sample), 850);
    sample.bound = 202000;
    assert_int_equal(takes_ms(sample), 0);
}

static void a_window_near_the_bound_is_left_alone(void **state)
{
    (void)state;
    struct adit_crawl crawl = {0};
    struct adit_crawl_sample sample = crawling;
    sample.bound = 107000;
    for (uint64_t i = 0; i < 100; i++) {
        assert_int_equal(adit_crawl_sample(&crawl, &sample), ADIT_CRAWL_NO);
        sample.now_us += 50000;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_certain_after_some_round_trips),
        cmocka_unit_test(each_of_these_is_something_else),
        cmocka_unit_test(a_loss_begins_the_count_again),
        cmocka_unit_test(it_is_told_once),
        cmocka_unit_test(where_nothing_was_lost_it_starts_again_first),
        cmocka_unit_test(where_few_were_lost_it_starts_again_too),
        cmocka_unit_test(a_start_that_went_too_far_is_filled_up_once),
        cmocka_unit_test(a_window_that_stays_low_is_certain_where_it_is_under_half),
        cmocka_unit_test(a_window_near_the_bound_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
