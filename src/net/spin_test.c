#include "net/spin.h"

#include "unit.h"

static struct adit_spin spin_of(void)
{
    struct adit_spin spin = {0};
    adit_spin_init(&spin, true, 1000);
    return spin;
}

/* The same with several visitors: events of one kind came from more than one source. */
static struct adit_spin spin_of_several(void)
{
    struct adit_spin spin = spin_of();
    adit_spin_event(&spin, 1, 1);
    adit_spin_event(&spin, 1, 2);
    return spin;
}

/* So many events that come `gap_us` apart. */
static void events(struct adit_spin *spin, unsigned count, uint64_t gap_us)
{
    for (unsigned i = 0; i < count; i++) {
        adit_spin_gap(spin, gap_us, 1);
    }
}

static void poll(struct adit_spin *spin, bool is_hit, uint64_t spent_us)
{
    adit_spin_polled(spin, &(struct adit_spin_poll){.end_us = 2000 + spent_us,
                                                    .spent_us = spent_us,
                                                    .yield_most_us = 2,
                                                    .is_hit = is_hit});
}

static void polls_where_events_come_soon(void **state)
{
    (void)state;
    static const struct {
        uint64_t gap_us;
        bool is_worth;
    } rows[] = {{1, true},    {40, true},   {150, true},
                {151, false}, {900, false}, {UINT64_MAX, false}};
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct adit_spin spin = spin_of();
        assert_int_equal(adit_spin_allowance_us(&spin, 1000), 0); /* nothing is known yet */
        events(&spin, 64, ADIT_AT(rows, i).gap_us);
        assert_int_equal(adit_spin_allowance_us(&spin, 1000),
                         ADIT_AT(rows, i).is_worth ? ADIT_SPIN_LONE_US : 0);
    }
}

/* A poll is longer where there is one source of each kind. */
static void a_lone_source_is_polled_for_longer(void **state)
{
    (void)state;
    struct adit_spin spin = spin_of_several();
    events(&spin, 64, 40);
    assert_int_equal(adit_spin_allowance_us(&spin, 1000), ADIT_SPIN_MAX_US);
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(adit_spin_allowance_us(&spin, 1000), ADIT_SPIN_MAX_US);
        adit_spin_event(&spin, 1, 2);
        adit_spin_gap(&spin, 40, 1);
    }
    assert_int_equal(adit_spin_allowance_us(&spin, 1000), ADIT_SPIN_LONE_US);
}

/* After a turn with many events it sleeps, and after one with few it polls again. */
static void many_events_wait_for_work(void **state)
{
    (void)state;
    struct adit_spin spin = spin_of();
    events(&spin, 64, 10);
    for (uint32_t count = 1; count < 10; count++) {
        adit_spin_gap(&spin, 10, count);
        assert_int_equal(adit_spin_allowance_us(&spin, 1000), count <= 3 ? ADIT_SPIN_LONE_US : 0);
    }
    adit_spin_gap(&spin, 10, 1);
    assert_int_equal(adit_spin_allowance_us(&spin, 1000), ADIT_SPIN_LONE_US);
}

static void off_is_off(void **state)
{
    (void)state;
    struct adit_spin spin = {0};
    adit_spin_init(&spin, false, 0);
    events(&spin, 64, 10);
    assert_int_equal(adit_spin_allowance_us(&spin, 1000), 0);
}

/* A request after a long pause, its answer soon: the poll is for the answer alone. */
static void tells_a_request_from_its_answer(void **state)
{
    (void)state;
    struct adit_spin spin = spin_of();
    for (unsigned i = 0; i < 32; i++) {
        events(&spin, 1, 20000);
        events(&spin, 1, 40);
    }
    assert_int_equal(adit_spin_allowance_us(&spin, 1000), 0); /* after the answer */
    events(&spin, 1, 20000);
    assert_int_equal(adit_spin_allowance_us(&spin, 1000), ADIT_SPIN_LONE_US); /* the request */
}

/* Polls that miss, each as long as it may be, until none is allowed: how many. */
static unsigned misses(struct adit_spin *spin, uint64_t now_us)
{
    unsigned polls = 0;
    uint64_t allowed_us = adit_spin_allowance_us(spin, now_us);
    for (; allowed_us > 0; allowed_us = adit_spin_allowance_us(spin, now_us)) {
        poll(spin, false, allowed_us);
        polls++;
    }
    return polls;
}

static void what_misses_empties_the_purse(void **state)
{
    (void)state;
    struct adit_spin spin = spin_of();
    events(&spin, 64, 100);
    assert_int_equal(misses(&spin, 1000), 13);
    /* After that, a hundredth of the time: 150 us in each 15 ms. */
    unsigned polls = 0;
    for (uint64_t now_us = 1000; now_us < 1000 + ADIT_SECOND_US; now_us += 150) {
        polls += misses(&spin, now_us);
    }
    assert_in_range(polls, 40, 70);
    assert_int_equal(spin.counters.misses, 13 + polls);
    assert_int_equal(spin.counters.spent_us, (13 + polls) * ADIT_SPIN_LONE_US);
}

/* Of several sources: requests that come alone, and answers that take longer than a poll. */
static void short_polls_that_miss_empty_the_purse(void **state)
{
    (void)state;
    struct adit_spin spin = spin_of_several();
    unsigned polls = 0;
    for (unsigned i = 0; i < 100; i++) {
        adit_spin_gap(&spin, 400, 1);
        if (adit_spin_allowance_us(&spin, 1000) > 0) {
            poll(&spin, false, ADIT_SPIN_MAX_US);
            polls++;
        }
        adit_spin_gap(&spin, 100, 1);
        assert_int_equal(adit_spin_allowance_us(&spin, 1000), 0);
    }
    assert_int_equal(polls, 40);
}

static void what_hits_pays_for_what_misses(void **state)
{
    (void)state;
    struct adit_spin spin = spin_of();
    events(&spin, 64, 30);
    for (unsigned i = 0; i < 1000; i++) { /* two hits earn what such a miss costs */
        assert_int_equal(adit_spin_allowance_us(&spin, 1000), ADIT_SPIN_LONE_US);
        poll(&spin, i % 3 > 0, i % 3 > 0 ? 30 : ADIT_SPIN_MAX_US);
    }
    for (unsigned i = 0; i < 1000; i++) {
        poll(&spin, i % 3 == 0, i % 3 == 0 ? 30 : ADIT_SPIN_MAX_US);
    }
    assert_int_equal(adit_spin_allowance_us(&spin, 1000), 0);
    assert_int_equal(spin.counters.hits, 666 + 334);
    assert_int_equal(spin.counters.misses, 334 + 666);
}

/* A hit after more than 50 us pays for what it took beyond: 75 us are even. */
static void long_polls_that_hit_are_paid_for(void **state)
{
    (void)state;
    static const struct {
        uint64_t poll_us;
        bool is_paying;
    } rows[] = {{30, true}, {50, true}, {75, true}, {80, false}, {149, false}};
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct adit_spin spin = spin_of();
        events(&spin, 64, 40);
        unsigned polls = 0;
        for (; polls < 1000 && adit_spin_allowance_us(&spin, 1000) > 0; polls++) {
            poll(&spin, true, ADIT_AT(rows, i).poll_us);
        }
        assert_int_equal(polls == 1000, ADIT_AT(rows, i).is_paying);
    }
}

/* Both ends slept, 100 us apart: a poll of either is paid for by time, one in some requests, and
 * when two met the wait is short enough to go on. */
static void a_purse_that_is_empty_fills_again(void **state)
{
    (void)state;
    struct adit_spin spin = spin_of();
    events(&spin, 64, 100);
    misses(&spin, 1000);
    unsigned polls = 0;
    for (unsigned i = 1; i <= 1000; i++) {
        if (adit_spin_allowance_us(&spin, 1000 + (uint64_t)i * 200) > 0) {
            poll(&spin, true, 100);
            polls++;
        }
    }
    assert_in_range(polls, 70, 90);
    while (adit_spin_allowance_us(&spin, 300000) == 0) {
        poll(&spin, true, 40);
    }
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(adit_spin_allowance_us(&spin, 300000), ADIT_SPIN_LONE_US);
        poll(&spin, true, 40);
    }
}

/* So many turns, each with an event of `kind` from one of `sources` in turn, and a poll of so long
 * behind it where one was allowed: how many polls there were. */
static unsigned turns(struct adit_spin *spin, unsigned count, uint32_t kind,
                      unsigned sources, uint64_t poll_us)
{
    unsigned polls = 0;
    for (unsigned i = 0; i < count; i++) {
        adit_spin_event(spin, kind, 1 + i % sources);
        adit_spin_gap(spin, 40, 1);
        if (adit_spin_allowance_us(spin, 1000) > 0) {
            poll(spin, poll_us < ADIT_SPIN_MAX_US, poll_us);
            polls++;
        }
    }
    return polls;
}

static void several_sources_are_polled_for_where_events_are_near(void **state)
{
    (void)state;
    static const struct {
        uint64_t poll_us;
        bool is_near;
    } rows[] = {{0, true}, {12, true}, {28, true}, {32, false}, {49, false}};
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct adit_spin spin = spin_of();
        uint64_t poll_us = ADIT_AT(rows, i).poll_us;
        events(&spin, 64, 40);
        turns(&spin, 64, 1, 2, poll_us); /* it learns */
        assert_int_equal(turns(&spin, 1280, 1, 2, poll_us),
                         ADIT_AT(rows, i).is_near ? 1280 : 10); /* tried now and then */
    }
}

/* A program that answers soon, and requests of many visitors that do not follow soon. */
static void kinds_are_told_apart(void **state)
{
    (void)state;
    struct adit_spin spin = spin_of();
    events(&spin, 64, 40);
    for (unsigned i = 0; i < 100; i++) {
        adit_spin_event(&spin, 2, 7);
        adit_spin_gap(&spin, 12, 1);
        assert_int_equal(adit_spin_allowance_us(&spin, 1000), ADIT_SPIN_MAX_US);
        poll(&spin, true, 12);
        adit_spin_event(&spin, 3, i + 1);
        adit_spin_gap(&spin, 45, 1);
        if (adit_spin_allowance_us(&spin, 1000) > 0) {
            poll(&spin, true, 45);
            assert_true(i < 10); /* until that is known */
        }
    }
}

static void a_kind_that_becomes_near_is_found(void **state)
{
    (void)state;
    struct adit_spin spin = spin_of();
    events(&spin, 64, 40);
    turns(&spin, 64, 1, 2, 49);
    assert_int_equal(turns(&spin, 64, 1, 2, 49), 0);
    turns(&spin, 5 * 128, 1, 2, 5);
    assert_int_equal(turns(&spin, 64, 1, 2, 5), 64);
}

/* One visitor that asks and waits: while the other end sleeps polls are long, or miss. */
static void a_lone_source_is_polled_for_however_long_it_takes(void **state)
{
    (void)state;
    struct adit_spin spin = spin_of();
    events(&spin, 64, 40);
    turns(&spin, 64, 1, 2, 49);
    turns(&spin, 16, 1, 1, 49); /* the other visitor left */
    assert_int_equal(turns(&spin, 1000, 1, 1, 49), 1000);
    assert_int_equal(turns(&spin, 1, 1, 1, ADIT_SPIN_MAX_US), 1);
    adit_spin_event(&spin, 1, 2); /* it is back */
    adit_spin_gap(&spin, 40, 1);
    assert_int_equal(adit_spin_allowance_us(&spin, 1000), 0);
}

/* New connections, though all events are of the link and of the listener. */
static void a_new_source_is_one_more(void **state)
{
    (void)state;
    struct adit_spin spin = spin_of();
    events(&spin, 64, 40);
    turns(&spin, 64, 1, 1, 49);
    for (unsigned i = 0; i < 4; i++) {
        adit_spin_not_alone(&spin);
        for (unsigned j = 0; j < 15; j++) {
            adit_spin_event(&spin, 1, 1);
            adit_spin_gap(&spin, 40, 1);
            assert_int_equal(adit_spin_allowance_us(&spin, 1000), 0);
        }
    }
    adit_spin_event(&spin, 1, 1);
    assert_int_equal(adit_spin_allowance_us(&spin, 1000), ADIT_SPIN_LONE_US);
}

/* Many visitors, but one request at a time: its answer is polled for however long it takes. */
static void what_comes_after_a_pause_is_polled_for(void **state)
{
    (void)state;
    struct adit_spin spin = spin_of();
    for (unsigned i = 0; i < 200; i++) {
        adit_spin_event(&spin, 1, i);
        adit_spin_gap(&spin, 400, 1);
        assert_true(i < 16 || adit_spin_allowance_us(&spin, 1000) == ADIT_SPIN_MAX_US);
        poll(&spin, true, 45);
        adit_spin_event(&spin, 2, 1);
        adit_spin_gap(&spin, 45, 1);
        assert_int_equal(adit_spin_allowance_us(&spin, 1000), 0);
    }
}

static void gave_way(struct adit_spin *spin, uint64_t now_us, uint64_t yield_us)
{
    adit_spin_polled(spin, &(struct adit_spin_poll){.end_us = now_us,
                                                    .spent_us = yield_us,
                                                    .yield_most_us = yield_us,
                                                    .is_hit = true});
}

static void crowded(struct adit_spin *spin, uint64_t now_us)
{
    gave_way(spin, now_us, ADIT_SPIN_LONE_US + 1);
}

/* Where a lone visitor waits, it may be the visitor or the program that has the core meanwhile. */
static void what_a_lone_visitor_takes_is_no_crowd(void **state)
{
    (void)state;
    struct adit_spin several = spin_of_several(), lone = spin_of();
    events(&several, 64, 30);
    events(&lone, 64, 30);
    gave_way(&several, 1000, ADIT_SPIN_MAX_US + 1);
    gave_way(&lone, 1000, ADIT_SPIN_LONE_US);
    assert_int_equal(several.counters.crowds, 1);
    assert_int_equal(lone.counters.crowds, 0);
    assert_int_equal(adit_spin_allowance_us(&lone, 1000), ADIT_SPIN_LONE_US);
    crowded(&lone, 1000);
    assert_int_equal(adit_spin_allowance_us(&lone, 1000), 0);
}

static void a_crowd_means_a_pause(void **state)
{
    (void)state;
    static const uint64_t pauses_ms[] = {4, 8, 16, 32, 64, 128, 256, 512, 1000, 1000};
    struct adit_spin spin = spin_of();
    uint64_t now_us = 1000;
    events(&spin, 64, 30);
    for (size_t i = 0; i < ADIT_COUNT(pauses_ms); i++) {
        uint64_t end_us = now_us + ADIT_AT(pauses_ms, i) * ADIT_MS_US;
        crowded(&spin, now_us);
        assert_int_equal(adit_spin_allowance_us(&spin, end_us - 1), 0);
        assert_int_equal(adit_spin_allowance_us(&spin, end_us), ADIT_SPIN_LONE_US);
        now_us = end_us;
    }
    assert_int_equal(spin.counters.crowds, ADIT_COUNT(pauses_ms));
    for (unsigned i = 0; i < 64; i++) { /* calm again: the next pause is short */
        poll(&spin, true, 20);
    }
    crowded(&spin, now_us);
    assert_int_equal(adit_spin_allowance_us(&spin, now_us + 4 * ADIT_MS_US), ADIT_SPIN_LONE_US);
}

static void odd_times_do_no_harm(void **state)
{
    (void)state;
    struct adit_spin spin = spin_of();
    events(&spin, 64, 30);
    while (adit_spin_allowance_us(&spin, 1000) > 0) {
        poll(&spin, false, ADIT_SPIN_LONE_US);
    }
    assert_int_equal(adit_spin_allowance_us(&spin, 0), 0);          /* a clock that went back */
    assert_int_equal(adit_spin_allowance_us(&spin, UINT64_MAX), 150); /* and one that leapt */
    assert_true(spin.purse_us <= 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(polls_where_events_come_soon),
        cmocka_unit_test(a_lone_source_is_polled_for_longer),
        cmocka_unit_test(many_events_wait_for_work),
        cmocka_unit_test(off_is_off),
        cmocka_unit_test(tells_a_request_from_its_answer),
        cmocka_unit_test(what_misses_empties_the_purse),
        cmocka_unit_test(short_polls_that_miss_empty_the_purse),
        cmocka_unit_test(what_hits_pays_for_what_misses),
        cmocka_unit_test(long_polls_that_hit_are_paid_for),
        cmocka_unit_test(a_purse_that_is_empty_fills_again),
        cmocka_unit_test(several_sources_are_polled_for_where_events_are_near),
        cmocka_unit_test(kinds_are_told_apart),
        cmocka_unit_test(a_kind_that_becomes_near_is_found),
        cmocka_unit_test(a_lone_source_is_polled_for_however_long_it_takes),
        cmocka_unit_test(a_new_source_is_one_more),
        cmocka_unit_test(what_comes_after_a_pause_is_polled_for),
        cmocka_unit_test(what_a_lone_visitor_takes_is_no_crowd),
        cmocka_unit_test(a_crowd_means_a_pause),
        cmocka_unit_test(odd_times_do_no_harm),
    };
    return cmocka_run_group_tests_name("net/spin", tests, NULL, NULL);
}
