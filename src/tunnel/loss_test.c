/* Roads that lose by chance, and roads that are full. */
#include "tunnel/loss.h"

#include "unit.h"

#define RTT_US UINT64_C(50000)

/* One sample a round trip later. */
struct step {
    uint64_t rtt_us, sent, retransmitted;
    bool is_recovering;
    bool is_lossy; /* what the answer is to be */
};

struct road {
    struct adit_loss loss;
    struct adit_loss_sample at;
};

static bool go(struct road *road, const struct step *step)
{
    road->at.now_us += step->rtt_us;
    road->at.rtt_us = step->rtt_us;
    road->at.rtt_min_us = road->at.rtt_min_us > 0 ? road->at.rtt_min_us : RTT_US;
    road->at.sent += step->sent;
    road->at.retransmitted += step->retransmitted;
    road->at.is_recovering = step->is_recovering;
    return adit_loss_sample(&road->loss, &road->at);
}

static void walk(struct road *road, const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct step *step = &ADIT_SLOT(steps, count, i);
        assert_int_equal(go(road, step), step->is_lossy);
    }
}

#define WALK(road, ...)                                                                            \
    walk(road, (const struct step[]){__VA_ARGS__},                                                 \
         sizeof((const struct step[]){__VA_ARGS__}) / sizeof(struct step))

static const struct step good = {RTT_US, ADIT_LOSS_CLOSE, 0, false, false};
static const struct step lost = {RTT_US + 500, 100, 1, true, false};
static const struct step few = {RTT_US, ADIT_LOSS_CLOSE - 101, 0, false, false};

static void three_losses_on_an_empty_road(void **state)
{
    struct road road = {0};
    (void)state;
    WALK(&road, good, lost, good, lost, good, good);
    const struct step third = {RTT_US + 500, 100, 1, true, true};
    const struct step after = {2 * RTT_US, 100000, 0, false, true}; /* it stays so */
    WALK(&road, third, after);
}

static void two_are_enough_where_little_was_sent(void **state)
{
    struct road road = {0};
    const struct step second = {RTT_US + 500, 100, 1, true, true};
    (void)state;
    WALK(&road, good, lost, few, second);
}

/* A window that a loss on an empty road cut: one more is enough. Where there was none it is not. */
static void a_window_that_crawled_is_half_the_proof(void **state)
{
    struct road road = {0};
    const struct step next = {RTT_US + 500, 100, 1, true, true};
    (void)state;
    adit_loss_crawled(&road.loss);
    assert_int_equal(road.loss.signs, 0);
    WALK(&road, good, lost);
    adit_loss_crawled(&road.loss);
    WALK(&road, good, good, next);
}

static void a_crawl_is_forgiven_like_losses(void **state)
{
    struct road road = {0};
    const struct step many = {RTT_US, ADIT_LOSS_FORGIVEN, 0, false, false};
    (void)state;
    WALK(&road, good, lost);
    adit_loss_crawled(&road.loss);
    WALK(&road, many, many, lost, good);
    assert_int_equal(road.loss.signs, 1);
}

static void losses_of_a_full_road(void **state)
{
    struct road road = {0};
    const struct step full = {RTT_US * 2, 1000, 30, true, false};
    const struct step nearly = {RTT_US + RTT_US / 8 + ADIT_LOSS_QUEUE_US + 1, 100, 1, true, false};
    (void)state;
    for (int i = 0; i < 50; i++) {
        WALK(&road, good, full, good, nearly);
    }
}

/* One overflow is one loss, although its recovery goes on when the queue has gone. */
static void one_long_recovery(void **state)
{
    struct road road = {0};
    const struct step again = {RTT_US, 100, 40, true, false};
    (void)state;
    WALK(&road, good, again, again, again, again, again, again, again, again, good);
    assert_int_equal(road.loss.signs, 1);
}

static void a_recovery_without_end(void **state)
{
    struct road road = {0};
    const struct step again = {RTT_US, 5, 1, true, false};
    bool is_lossy = false;
    (void)state;
    for (uint32_t i = 0; i < 3 * (ADIT_LOSS_EPISODE_ROUND_TRIPS + 1) && !is_lossy; i++) {
        is_lossy = go(&road, &again);
    }
    assert_true(is_lossy);
}

static void seldom_losses_are_forgiven(void **state)
{
    struct road road = {0};
    const struct step many = {RTT_US, ADIT_LOSS_FORGIVEN, 0, false, false};
    (void)state;
    for (int i = 0; i < 50; i++) {
        WALK(&road, good, lost, good, lost, many, many);
    }
    assert_int_equal(road.loss.signs, 0);
}

static void a_neighbour_is_never_lossy(void **state)
{
    struct road road = {.at = {.rtt_min_us = ADIT_LOSS_RTT_MIN_US - 1}};
    const struct step bad = {ADIT_LOSS_RTT_MIN_US - 1, 100, 1, false, false};
    (void)state;
    for (int i = 0; i < 50; i++) {
        WALK(&road, bad);
    }
}

/* Counters that go back, as of another kernel's idea of them, are no more than strange. */
static void figures_that_make_no_sense(void **state)
{
    struct road road = {0};
    const struct adit_loss_sample strange = {.now_us = 1, .rtt_us = UINT64_MAX};
    (void)state;
    WALK(&road, good, lost);
    assert_false(adit_loss_sample(&road.loss, &strange));
    assert_false(adit_loss_sample(&road.loss, &(struct adit_loss_sample){.now_us = 0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_losses_on_an_empty_road),
        cmocka_unit_test(two_are_enough_where_little_was_sent),
        cmocka_unit_test(a_window_that_crawled_is_half_the_proof),
        cmocka_unit_test(a_crawl_is_forgiven_like_losses),
        cmocka_unit_test(losses_of_a_full_road),
        cmocka_unit_test(one_long_recovery),
        cmocka_unit_test(a_recovery_without_end),
        cmocka_unit_test(seldom_losses_are_forgiven),
        cmocka_unit_test(a_neighbour_is_never_lossy),
        cmocka_unit_test(figures_that_make_no_sense),
    };
    return cmocka_run_group_tests_name("tunnel/loss", tests, NULL, NULL);
}
