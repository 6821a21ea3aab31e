/* The controller on a simulated road: a line of some rate behind a first-in first-out queue, and a
 * kernel that sends as its congestion control likes. A step is a quarter of a millisecond. */
#include "tunnel/pace.h"

#include <stdlib.h>

#include "unit.h"

#define STEP_US 250u
#define RING 8192u /* steps: the longest way and queue, two seconds */
#define SEGMENT 1448u
#define MBIT UINT64_C(125000) /* bytes a second */

enum kernel {
    KERNEL_CUBIC,  /* slow start, then a little more each round trip; less after a loss */
    KERNEL_GREEDY, /* three times what the road holds, as BBR that never leaves its start */
};

struct arrival {
    uint64_t bytes;
    uint64_t rtt_us;
};

struct road {
    enum kernel kernel;
    uint64_t rate, rtt_us, queue_us; /* of the line; the way's own; the deepest queue */
    uint64_t other_bytes;            /* of somebody else, standing in the queue */
    uint64_t loss;                   /* one of so many segments; 0: none */
    uint64_t bulk_rate;              /* of the program; 0: as much as is taken */
    bool is_unpaced;

    struct adit_pace pace;
    struct adit_jitter random;
    uint64_t step;
    uint64_t queue, carry; /* bytes; millionths of a byte that the line owes */
    uint64_t in_flight, unsent, delivered, given;
    uint64_t window, window_slow; /* cwnd, ssthresh */
    uint64_t rtt_seen_us, rtt_seen_min_us, cut_us;
    uint64_t late_us_max; /* the longest queue since it was set to 0 */
    struct arrival ring[RING];
};

static uint64_t now_us(const struct road *road)
{
    return ADIT_SECOND_US + road->step * STEP_US;
}

static void lose(struct road *road, uint64_t bytes)
{
    road->in_flight -= bytes;
    road->unsent += bytes;
    if (now_us(road) - road->cut_us > road->rtt_seen_us) {
        road->cut_us = now_us(road);
        road->window = adit_max_u64(road->window / 10 * 7, 10 * SEGMENT);
        road->window_slow = road->window;
    }
}

static void arrive(struct road *road)
{
    struct arrival *arrival = &ADIT_AT(road->ring, road->step % RING);
    uint64_t bytes = arrival->bytes;
    if (bytes == 0) {
        return;
    }
    bool is_limited = road->in_flight + SEGMENT >= road->window || road->window < road->window_slow;
    road->in_flight -= bytes;
    road->delivered += bytes;
    road->rtt_seen_us = (road->rtt_seen_us * 3 + arrival->rtt_us) / 4;
    road->rtt_seen_min_us = adit_min_u64(road->rtt_seen_min_us, arrival->rtt_us);
    *arrival = (struct arrival){0};
    if (!is_limited) {
        return;
    }
    if (road->window < road->window_slow) {
        road->window += bytes;
        if (road->rtt_seen_us > road->rtt_us + adit_max_u64(road->rtt_us / 8, 4000)) {
            road->window_slow = road->window; /* HyStart */
        }
    } else {
        road->window += bytes * SEGMENT * 4 / road->window;
    }
}

/* The kernel sends what its window allows; what the queue does not hold is lost. */
static void send(struct road *road)
{
    uint64_t window = road->kernel == KERNEL_CUBIC
                          ? road->window
                          : adit_max_u64(3 * road->rate * road->rtt_us / ADIT_SECOND_US, 64 * 1024);
    uint64_t count = adit_min_u64(road->unsent, adit_subtract_floor_u64(window, road->in_flight));
    road->unsent -= count;
    road->in_flight += count;
    uint64_t deepest = road->rate * road->queue_us / ADIT_SECOND_US;
    uint64_t room = adit_subtract_floor_u64(deepest, road->queue + road->other_bytes);
    uint64_t lost = adit_subtract_floor_u64(count, adit_max_u64(room, SEGMENT));
    if (road->loss > 0 && count > 0 &&
        adit_jitter_below(&road->random, road->loss * SEGMENT) < count) {
        lost = adit_min_u64(lost + SEGMENT, count);
    }
    if (lost > 0) {
        lose(road, lost);
    }
    road->queue += count - lost;
}

static void serve(struct road *road)
{
    uint64_t standing = road->queue + road->other_bytes;
    if (road->queue == 0) {
        road->carry = 0;
        return;
    }
    uint64_t late_us = standing * ADIT_SECOND_US / road->rate;
    road->late_us_max = adit_max_u64(road->late_us_max, late_us);
    road->carry += road->rate * STEP_US / standing * road->queue;
    uint64_t count = adit_min_u64(road->carry / ADIT_SECOND_US, road->queue);
    road->carry -= count * ADIT_SECOND_US;
    road->queue -= count;
    struct arrival *arrival = &ADIT_AT(road->ring, (road->step + road->rtt_us / STEP_US) % RING);
    arrival->bytes += count;
    arrival->rtt_us = road->rtt_us + late_us;
}

/* What the link does: figures every millisecond, and as many bytes as the bound allows. */
static void hand_down(struct road *road)
{
    struct adit_pace *pace = &road->pace;
    uint64_t in_kernel = road->in_flight + road->unsent;
    if (road->step % 4 == 0 && !road->is_unpaced) {
        adit_pace_sample(pace, &(struct adit_pace_sample){.now_us = now_us(road),
                                                          .rtt_us = road->rtt_seen_us,
                                                          .rtt_min_us = road->rtt_seen_min_us,
                                                          .delivered = road->delivered,
                                                          .on_road = road->in_flight,
                                                          .in_kernel = in_kernel});
    }
    uint64_t allowed = adit_subtract_floor_u64(pace->bound, in_kernel);
    uint64_t unsent_max = adit_max_u64(128 * 1024, road->rate / 100);
    uint64_t wanted = adit_subtract_floor_u64(unsent_max, road->unsent);
    if (road->bulk_rate > 0) {
        uint64_t made = road->bulk_rate * road->step / (ADIT_SECOND_US / STEP_US);
        wanted = adit_min_u64(wanted, adit_subtract_floor_u64(made, road->given));
        if (wanted == 0) {
            adit_pace_dry(pace, in_kernel);
        }
    }
    if (wanted > allowed) {
        adit_pace_held(pace);
    }
    road->unsent += adit_min_u64(wanted, allowed);
    road->given += adit_min_u64(wanted, allowed);
}

/* Bytes a second that arrived in so many milliseconds. */
static uint64_t run(struct road *road, uint64_t ms)
{
    uint64_t before = road->delivered;
    for (uint64_t i = 0; i < ms * ADIT_MS_US / STEP_US; i++) {
        arrive(road);
        if (road->step % 4 == 0) {
            hand_down(road);
        }
        send(road);
        serve(road);
        road->step++;
    }
    return (road->delivered - before) * 1000 / ms;
}

static struct road *road_of(struct road road)
{
    struct road *made = calloc(1, sizeof(*made));
    assert_non_null(made);
    *made = road;
    adit_pace_init(&made->pace);
    made->random = (struct adit_jitter){.state = 7};
    made->window = 10 * SEGMENT;
    made->window_slow = UINT64_MAX;
    made->rtt_seen_us = road.rtt_us;
    made->rtt_seen_min_us = road.rtt_us;
    return made;
}

static const struct road roads[] = {
    {.kernel = KERNEL_CUBIC, .rate = 200 * MBIT, .rtt_us = 10000, .queue_us = 50000},
    {.kernel = KERNEL_CUBIC, .rate = 200 * MBIT, .rtt_us = 50000, .queue_us = 50000},
    {.kernel = KERNEL_CUBIC, .rate = 200 * MBIT, .rtt_us = 150000, .queue_us = 50000},
    {.kernel = KERNEL_CUBIC, .rate = 1000 * MBIT, .rtt_us = 50000, .queue_us = 50000},
    {.kernel = KERNEL_CUBIC, .rate = 20 * MBIT, .rtt_us = 30000, .queue_us = 200000},
    {.kernel = KERNEL_GREEDY, .rate = 200 * MBIT, .rtt_us = 10000, .queue_us = 50000},
    {.kernel = KERNEL_GREEDY, .rate = 200 * MBIT, .rtt_us = 50000, .queue_us = 50000},
    {.kernel = KERNEL_GREEDY, .rate = 200 * MBIT, .rtt_us = 150000, .queue_us = 50000},
    {.kernel = KERNEL_GREEDY, .rate = 1000 * MBIT, .rtt_us = 150000, .queue_us = 50000},
    {.kernel = KERNEL_GREEDY, .rate = 20 * MBIT, .rtt_us = 30000, .queue_us = 500000},
};

/* The queue that is wanted, and a little. */
static uint64_t late_us_allowed(const struct road *road)
{
    uint64_t least_us = ADIT_PACE_QUEUE_BYTES * (uint64_t)ADIT_SECOND_US / road->rate;
    return 2000 + adit_max_u64(ADIT_PACE_QUEUE_US, least_us);
}

/* Held for three seconds, and then: how fast in so long, and how deep the queue at most. */
static uint64_t settle(struct road *road, uint64_t ms)
{
    run(road, 3000);
    road->late_us_max = 0;
    return run(road, ms);
}

static void the_road_is_full_and_its_queue_short(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_COUNT(roads); i++) {
        struct road *road = road_of(ADIT_AT(roads, i));
        struct road *free_road = road_of(ADIT_AT(roads, i));
        free_road->is_unpaced = true;
        uint64_t first = run(road, 1000);
        uint64_t first_free = run(free_road, 1000);
        assert_true(first >= first_free / 100 * 97);
        uint64_t rate = settle(road, 20000);
        uint64_t rate_free = settle(free_road, 20000);
        assert_true(rate >= adit_min_u64(road->rate / 100 * 97, rate_free / 100 * 98));
        assert_true(road->late_us_max <= late_us_allowed(road));
        assert_true(road->pace.rtt_min_us == road->rtt_us);
        free(road);
        free(free_road);
    }
}

static void a_faster_road_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_COUNT(roads); i++) {
        struct road *road = road_of(ADIT_AT(roads, i));
        road->window_slow = 0; /* the kernel's window is no hindrance here */
        road->window = 64 * 1024 * 1024;
        run(road, 5000);
        road->rate *= 5;
        run(road, 3000);
        uint64_t rate = run(road, 2000);
        assert_true(rate >= road->rate / 100 * 90);
        free(road);
    }
}

static void a_slower_road_is_not_flooded(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_COUNT(roads); i++) {
        struct road *road = road_of(ADIT_AT(roads, i));
        run(road, 5000);
        road->rate /= 5;
        uint64_t rate = settle(road, 2000);
        assert_true(rate >= road->rate / 100 * 97);
        assert_true(road->late_us_max <= late_us_allowed(road) + ADIT_PACE_BOUND_MIN *
                                                                     (uint64_t)ADIT_SECOND_US /
                                                                     road->rate);
        free(road);
    }
}

static void another_way_has_another_length(void **state)
{
    (void)state;
    static const uint64_t ways[][2] = {{20000, 80000}, {80000, 20000}, {30000, 45000},
                                       {50000, 55000}, {50000, 54000}, {20000, 24000}};
    for (size_t i = 0; i < ADIT_COUNT(ways); i++) {
        struct road *road = road_of((struct road){.kernel = KERNEL_GREEDY, .rate = 200 * MBIT,
                                                  .rtt_us = ADIT_AT(ADIT_AT(ways, i), 0),
                                                  .queue_us = 100000});
        run(road, 4000);
        road->rtt_us = ADIT_AT(ADIT_AT(ways, i), 1);
        run(road, 3000);
        road->late_us_max = 0;
        run(road, 4000);
        assert_true(road->late_us_max <= 3000 + late_us_allowed(road));
        assert_true(run(road, 30000) >= road->rate / 100 * 97); /* drains and all */
        free(road);
    }
}

static void a_queue_of_others_does_not_starve_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_COUNT(roads); i++) {
        struct road *road = road_of(ADIT_AT(roads, i));
        struct road *free_road = road_of(ADIT_AT(roads, i));
        free_road->is_unpaced = true;
        run(road, 3000);
        run(free_road, 3000);
        road->other_bytes = road->rate * 40 / 1000;
        free_road->other_bytes = road->other_bytes;
        uint64_t rate = run(road, 15000);
        assert_true(rate >= run(free_road, 15000) / (road->rate > 100 * MBIT ? 2 : 5));
        road->other_bytes = 0;
        run(road, 25000); /* the next drain shows how short the way is */
        assert_true(road->kernel == KERNEL_CUBIC || run(road, 5000) >= road->rate / 100 * 95);
        assert_true(road->pace.rtt_min_us < road->rtt_us + 2000);
        free(road);
        free(free_road);
    }
}

static void losses_are_the_kernels_affair(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_COUNT(roads); i++) {
        struct road *road = road_of(ADIT_AT(roads, i));
        struct road *free_road = road_of(ADIT_AT(roads, i));
        free_road->is_unpaced = true;
        road->loss = free_road->loss = 1000;
        uint64_t rate = run(road, 20000);
        assert_true(rate >= run(free_road, 20000) / 100 * 97);
        free(road);
        free(free_road);
    }
}

static void a_program_with_little_to_say_is_never_held(void **state)
{
    (void)state;
    struct road *road = road_of(ADIT_AT(roads, 1));
    road->bulk_rate = 5 * MBIT;
    assert_in_range(run(road, 5000), 49 * MBIT / 10, 5 * MBIT);
    assert_true(road->pace.bound == ADIT_PACE_UNBOUND);
    road->bulk_rate = 0;
    run(road, 5000);
    assert_true(road->pace.bound != ADIT_PACE_UNBOUND);
    uint64_t bound = road->pace.bound;
    road->bulk_rate = 5 * MBIT;
    road->given = road->bulk_rate * road->step / (ADIT_SECOND_US / STEP_US);
    run(road, 5000);
    assert_true(road->pace.bound >= bound / 2);
    free(road);
}

static void a_short_road_has_no_bound(void **state)
{
    (void)state;
    struct road *road = road_of((struct road){.kernel = KERNEL_GREEDY, .rate = 1000 * MBIT,
                                              .rtt_us = 500, .queue_us = 50000});
    assert_true(run(road, 3000) >= 980 * MBIT);
    assert_true(road->pace.bound == ADIT_PACE_UNBOUND);
    assert_false(adit_pace_is_long(&road->pace));
    assert_int_equal(adit_pace_rate(&road->pace), 0);
    free(road);
}

/* Slow start may double what is on the road; a window that opens may not let out more at once. */
static void an_open_road_is_paced(void **state)
{
    (void)state;
    struct adit_pace pace = {0};
    adit_pace_init(&pace);
    struct adit_pace_sample sample = {
        .now_us = 1000, .rtt_us = 100000, .rtt_min_us = 100000, .on_road = 14480};
    adit_pace_sample(&pace, &sample);
    assert_int_equal(adit_pace_rate(&pace), 10 * 128 * 1024); /* enough for a first round trip */
    for (uint64_t on_road = 1000000; on_road <= 4000000; on_road *= 2) {
        sample.on_road = on_road;
        sample.now_us += 100000;
        adit_pace_sample(&pace, &sample);
        assert_int_equal(adit_pace_rate(&pace), 10 * 4 * on_road);
    }
}

/* The first round trip of all was a slow one: the kernel's least is believed from then on. */
static void a_slow_start_does_not_make_a_road_long(void **state)
{
    (void)state;
    struct adit_pace pace = {0};
    adit_pace_init(&pace);
    struct adit_pace_sample sample = {.now_us = 1000, .rtt_us = 9000, .rtt_min_us = 9000};
    adit_pace_sample(&pace, &sample);
    assert_true(adit_pace_is_long(&pace));
    sample.now_us = 2000;
    sample.rtt_us = 8000; /* of a machine that is overloaded */
    sample.rtt_min_us = 60;
    adit_pace_sample(&pace, &sample);
    assert_false(adit_pace_is_long(&pace));
    assert_true(pace.bound == ADIT_PACE_UNBOUND);
}

/* Whatever the figures, nothing overflows and the bound is never below its least. */
static void no_figures_break_it(void **state)
{
    (void)state;
    struct adit_jitter random = {.state = 5};
    struct adit_pace pace = {0};
    adit_pace_init(&pace);
    uint64_t time_us = 0;
    for (uint32_t i = 0; i < 200000; i++) {
        struct adit_pace_sample sample = {0};
        time_us += adit_jitter_below(&random, (uint64_t)1 << adit_jitter_below(&random, 30));
        sample.now_us = time_us;
        sample.rtt_us = adit_jitter_next(&random) >> adit_jitter_below(&random, 64);
        sample.rtt_min_us = adit_jitter_next(&random) >> adit_jitter_below(&random, 64);
        sample.delivered = adit_jitter_next(&random) >> adit_jitter_below(&random, 64);
        sample.on_road = adit_jitter_next(&random) >> adit_jitter_below(&random, 64);
        sample.in_kernel = adit_jitter_next(&random) >> adit_jitter_below(&random, 64);
        adit_pace_sample(&pace, &sample);
        if (adit_jitter_below(&random, 2) == 0) {
            adit_pace_held(&pace);
        } else {
            adit_pace_dry(&pace, sample.in_kernel);
        }
        assert_true(pace.bound >= ADIT_PACE_BOUND_MIN);
        assert_true(adit_pace_wait_us(&pace, sample.in_kernel) <= UINT64_MAX / 2);
        adit_pace_rate(&pace);
        if (adit_jitter_below(&random, 1000) == 0) {
            adit_pace_init(&pace);
        }
    }
}

static void figures(struct adit_pace *pace, uint64_t ms, uint64_t queue_us, uint64_t delivered)
{
    adit_pace_sample(pace, &(struct adit_pace_sample){.now_us = ADIT_SECOND_US + ms * ADIT_MS_US,
                                                      .rtt_us = 150000 + queue_us,
                                                      .rtt_min_us = 150000,
                                                      .delivered = delivered,
                                                      .on_road = 24000000,
                                                      .in_kernel = 24000000});
}

/* The kernel's mean is late by a quarter of a round trip, and forgets it again. */
static void a_machine_that_stood_still_is_no_queue(void **state)
{
    (void)state;
    struct adit_pace pace = {0};
    uint64_t queue_us = 40000;
    adit_pace_init(&pace);
    for (uint64_t ms = 1; ms < 20; ms++) {
        figures(&pace, ms, 0, ms * 1000);
    }
    for (uint64_t ms = 70; ms < 80; ms++) {
        figures(&pace, ms, queue_us, 30000);
    }
    for (uint64_t ms = 80; ms < 120; ms++) {
        queue_us -= queue_us / 8;
        figures(&pace, ms, queue_us, ms * 1000);
        assert_true(pace.bound == ADIT_PACE_UNBOUND);
    }
}

/* 120 MB/s arrive, with pauses: there was not always something to carry. */
static void a_start_in_bursts_tells_the_rate(void **state)
{
    (void)state;
    struct adit_pace pace = {0};
    uint64_t delivered = 0;
    adit_pace_init(&pace);
    for (uint64_t ms = 0; ms < 150; ms++) {
        delivered += ms < 60 ? 120000 : 0;
        figures(&pace, ms, 0, delivered);
    }
    for (uint64_t ms = 150; ms < 160; ms++) {
        delivered += 120000;
        figures(&pace, ms, 7000 + (ms - 150) * 500, delivered);
    }
    for (uint64_t ms = 160; ms < 200; ms++) {
        delivered += ms < 170 ? 120000 : 0;
        figures(&pace, ms, 12000, delivered);
    }
    assert_in_range(pace.bound, 18000000, 19000000);
}

/* What was taken for the road's rate was not: after a few round trips another start is made. */
static void a_bound_far_too_low_is_given_up(void **state)
{
    (void)state;
    struct adit_pace pace = {0};
    adit_pace_init(&pace);
    uint64_t delivered = 0, ms = 0;
    for (; ms < 160; ms++) {
        delivered += 1000;
        figures(&pace, ms, ms < 150 ? 0 : 10000 + ms * 10, delivered);
    }
    assert_in_range(pace.bound, 100000, 200000);
    for (; ms < 2000 && pace.bound != ADIT_PACE_UNBOUND; ms++) {
        adit_pace_held(&pace);
        delivered += 1000;
        figures(&pace, ms, 0, delivered);
    }
    assert_in_range(ms, 600, 1200);
    assert_true(adit_pace_rate(&pace) > 4 * 100000); /* not held back to that of a new link */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_road_is_full_and_its_queue_short),
        cmocka_unit_test(a_faster_road_is_found),
        cmocka_unit_test(a_slower_road_is_not_flooded),
        cmocka_unit_test(another_way_has_another_length),
        cmocka_unit_test(a_queue_of_others_does_not_starve_it),
        cmocka_unit_test(losses_are_the_kernels_affair),
        cmocka_unit_test(a_program_with_little_to_say_is_never_held),
        cmocka_unit_test(a_short_road_has_no_bound),
        cmocka_unit_test(an_open_road_is_paced),
        cmocka_unit_test(a_slow_start_does_not_make_a_road_long),
        cmocka_unit_test(a_machine_that_stood_still_is_no_queue),
        cmocka_unit_test(a_start_in_bursts_tells_the_rate),
        cmocka_unit_test(a_bound_far_too_low_is_given_up),
        cmocka_unit_test(no_figures_break_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
