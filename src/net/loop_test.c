#include "net/loop.h"

#include "unit.h"

struct seen {
    struct adit_loop loop;
    struct adit_handle watch;
    struct adit_handle other;
    struct adit_handle timer;
    uint32_t events;
    unsigned calls, fires, turns;
    int pipe_out;
    uint64_t key_last, when_last_us;
    bool is_ordered;
};

static void on_ready(void *context, uint64_t key, uint32_t events)
{
    struct seen *seen = context;
    seen->calls++;
    seen->events |= events;
    seen->key_last = key;
}

static void on_timer(void *context, uint64_t key)
{
    struct seen *seen = context;
    seen->fires++;
    seen->is_ordered = seen->is_ordered && key >= seen->key_last;
    seen->key_last = key;
}

static void on_turn(void *context)
{
    struct seen *seen = context;
    seen->turns++;
}

static struct seen seen_of(uint32_t watches_max, uint32_t timers_max)
{
    struct seen seen = {.is_ordered = true};
    assert_ok(adit_loop_open(&seen.loop, watches_max, timers_max));
    return seen;
}

static void pipe_open(int *out_read, int *out_write)
{
    int ends[2] = {-1, -1};
    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    *out_read = ADIT_AT(ends, 0);
    *out_write = ADIT_AT(ends, 1);
}

static void edge_level_and_oneshot(void **state)
{
    (void)state;
    struct {
        uint32_t interest;
        unsigned calls; /* of three turns, with bytes left unread */
    } rows[] = {{ADIT_LOOP_READ, 1},
                {ADIT_LOOP_READ | ADIT_LOOP_LEVEL, 3},
                {ADIT_LOOP_READ | ADIT_LOOP_LEVEL | ADIT_LOOP_ONESHOT, 1},
                {ADIT_LOOP_READ | ADIT_LOOP_LEVEL | ADIT_LOOP_EXCLUSIVE, 3}};
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct seen seen = seen_of(4, 4);
        int in = -1;
        int out = -1;
        pipe_open(&in, &out);
        uint32_t interest = ADIT_AT(rows, i).interest;
        assert_ok(adit_loop_watch(&seen.loop, in, interest, on_ready, &seen, 77, &seen.watch));
        assert_ok(adit_loop_turn(&seen.loop, 0));
        assert_int_equal(seen.calls, 0);
        assert_int_equal(write(out, "x", 1), 1);
        for (int turn = 0; turn < 3; turn++) {
            assert_ok(adit_loop_turn(&seen.loop, 0));
        }
        assert_int_equal(seen.calls, ADIT_AT(rows, i).calls);
        assert_int_equal(seen.events, ADIT_LOOP_READ);
        assert_int_equal(seen.key_last, 77);
        if ((interest & ADIT_LOOP_EXCLUSIVE) == 0) { /* setting the interest asks again */
            assert_ok(adit_loop_interest_set(&seen.loop, seen.watch, ADIT_LOOP_READ));
            assert_ok(adit_loop_turn(&seen.loop, 0));
            assert_int_equal(seen.calls, ADIT_AT(rows, i).calls + 1);
        }
        adit_loop_unwatch(&seen.loop, &seen.watch);
        assert_false(adit_handle_is_set(seen.watch));
        adit_loop_unwatch(&seen.loop, &seen.watch);
        close(in);
        close(out);
        adit_loop_close(&seen.loop);
    }
}

static void the_end_is_told(void **state)
{
    (void)state;
    struct seen seen = seen_of(4, 4);
    int ends[2] = {-1, -1};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    int ours = ADIT_AT(ends, 0);
    int theirs = ADIT_AT(ends, 1);
    assert_ok(adit_loop_watch(&seen.loop, ours, ADIT_LOOP_READ | ADIT_LOOP_WRITE | ADIT_LOOP_HANGUP,
                              on_ready, &seen, 1, &seen.watch));
    assert_ok(adit_loop_turn(&seen.loop, 0));
    assert_int_equal(seen.events, ADIT_LOOP_WRITE);
    shutdown(theirs, SHUT_WR);
    assert_ok(adit_loop_turn(&seen.loop, 0));
    assert_int_equal(seen.events, ADIT_LOOP_READ | ADIT_LOOP_WRITE | ADIT_LOOP_HANGUP);
    adit_loop_unwatch(&seen.loop, &seen.watch);
    /* Nobody asked for anything: the kernel still tells of the end of both directions. */
    assert_ok(adit_loop_watch(&seen.loop, ours, 0, on_ready, &seen, 1, &seen.watch));
    seen.events = 0;
    close(theirs);
    assert_ok(adit_loop_turn(&seen.loop, 0));
    assert_int_equal(seen.events, ADIT_LOOP_HANGUP);
    adit_loop_unwatch(&seen.loop, &seen.watch);
    close(ours);
    adit_loop_close(&seen.loop);
}

static void room_is_told_where_it_is_wanted(void **state)
{
    (void)state;
    struct seen seen = seen_of(4, 4);
    int ends[2] = {-1, -1};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    assert_ok(adit_loop_watch(&seen.loop, ADIT_AT(ends, 0), ADIT_LOOP_READ, on_ready, &seen, 1,
                              &seen.watch));
    assert_ok(adit_loop_turn(&seen.loop, 0));
    assert_int_equal(seen.calls, 0);
    assert_ok(adit_loop_write_wanted(&seen.loop, seen.watch));
    assert_ok(adit_loop_turn(&seen.loop, 0));
    assert_int_equal(seen.calls, 1);
    assert_int_equal(seen.events, ADIT_LOOP_WRITE);
    assert_ok(adit_loop_write_wanted(&seen.loop, seen.watch)); /* it is, already */
    assert_ok(adit_loop_turn(&seen.loop, 0));
    assert_int_equal(seen.calls, 1);
    adit_loop_unwatch(&seen.loop, &seen.watch);
    assert_fails(adit_loop_write_wanted(&seen.loop, seen.watch), STALE);
    close(ADIT_AT(ends, 0));
    close(ADIT_AT(ends, 1));
    adit_loop_close(&seen.loop);
}

static void on_ready_remove_other(void *context, uint64_t key, uint32_t events)
{
    struct seen *seen = context;
    on_ready(context, key, events);
    adit_loop_unwatch(&seen->loop, key == 1 ? &seen->other : &seen->watch);
}

static void removed_in_the_same_turn(void **state)
{
    (void)state;
    struct seen seen = seen_of(2, 1);
    int in[2];
    int out[2];
    for (size_t i = 0; i < 2; i++) {
        pipe_open(&ADIT_AT(in, i), &ADIT_AT(out, i));
        assert_ok(adit_loop_watch(&seen.loop, ADIT_AT(in, i), ADIT_LOOP_READ,
                                  on_ready_remove_other, &seen, i + 1,
                                  i == 0 ? &seen.watch : &seen.other));
        assert_int_equal(write(ADIT_AT(out, i), "x", 1), 1);
    }
    struct adit_handle third = {0};
    assert_fails(adit_loop_watch(&seen.loop, 0, ADIT_LOOP_READ, on_ready, &seen, 3, &third), FULL);
    assert_ok(adit_loop_turn(&seen.loop, 0));
    assert_int_equal(seen.calls, 1);
    adit_loop_unwatch(&seen.loop, &seen.watch);
    adit_loop_unwatch(&seen.loop, &seen.other);
    assert_fails(adit_loop_interest_set(&seen.loop, seen.watch, ADIT_LOOP_READ), STALE);
    assert_fails(adit_loop_watch(&seen.loop, -1, ADIT_LOOP_READ, on_ready, &seen, 3, &third),
                 SYSTEM);
    assert_int_equal(seen.loop.watches.used, 0);
    for (size_t i = 0; i < 2; i++) {
        close(ADIT_AT(in, i));
        close(ADIT_AT(out, i));
    }
    adit_loop_close(&seen.loop);
}

/* The heap against the plainest model: random sets, moves and cancels, then all fire in order. */
static void timers_fire_in_order(void **state)
{
    (void)state;
    enum { TIMERS = 257 };
    struct seen seen = seen_of(1, TIMERS);
    static struct adit_handle timers[TIMERS];
    struct adit_jitter jitter = {.state = 42};
    unsigned live = 0;
    for (unsigned step = 0; step < 20000; step++) {
        struct adit_handle *timer = &ADIT_AT(timers, adit_jitter_below(&jitter, TIMERS));
        bool was_set = adit_handle_is_set(*timer);
        if (adit_jitter_below(&jitter, 3) == 0) {
            adit_loop_timer_cancel(&seen.loop, timer);
            live -= was_set ? 1 : 0;
        } else {
            uint64_t when_us = seen.loop.now_us + 1 + adit_jitter_below(&jitter, 1000);
            assert_ok(adit_loop_timer_set(&seen.loop, timer, when_us, on_timer, &seen, when_us));
            live += was_set ? 0 : 1;
        }
        assert_int_equal(seen.loop.heap_len, live);
        assert_int_equal(seen.loop.timers.used, live);
    }
    assert_true(live > TIMERS / 2);
    for (int turn = 0; turn < 100 && seen.loop.heap_len > 0; turn++) {
        assert_ok(adit_loop_turn(&seen.loop, 100000));
    }
    assert_int_equal(seen.fires, live);
    assert_true(seen.is_ordered);
    assert_int_equal(seen.loop.timers.used, 0);
    adit_loop_close(&seen.loop);
}

static void on_timer_again(void *context, uint64_t key)
{
    struct seen *seen = context;
    on_timer(context, key);
    assert_ok(adit_loop_timer_set(&seen->loop, &seen->timer, 0, on_timer_again, context, key));
}

static void a_timer_in_the_past_waits_for_the_next_turn(void **state)
{
    (void)state;
    struct seen seen = seen_of(1, 1);
    adit_loop_turn_end_set(&seen.loop, on_turn, &seen);
    assert_ok(adit_loop_timer_set(&seen.loop, &seen.timer, 0, on_timer_again, &seen, 5));
    struct adit_handle second = {0};
    assert_fails(adit_loop_timer_set(&seen.loop, &second, 0, on_timer, &seen, 5), FULL);
    for (int turn = 0; turn < 10; turn++) {
        assert_ok(adit_loop_turn(&seen.loop, 1000));
    }
    assert_in_range(seen.fires, 5, 10);
    assert_int_equal(seen.turns, 10);
    adit_loop_timer_cancel(&seen.loop, &seen.timer);
    adit_loop_timer_cancel(&seen.loop, &seen.timer);
    adit_loop_close(&seen.loop);
}

/* Closing takes a socket out of epoll; another descriptor of it may live on and is not heard. */
static void what_is_forgotten_is_not_heard(void **state)
{
    (void)state;
    for (int has_copy = 0; has_copy < 2; has_copy++) {
        struct seen seen = seen_of(1, 1);
        int in = -1;
        int out = -1;
        pipe_open(&in, &out);
        int copy = has_copy == 1 ? dup(in) : -1;
        assert_ok(adit_loop_watch(&seen.loop, in, ADIT_LOOP_READ, on_ready, &seen, 1, &seen.watch));
        adit_loop_forget(&seen.loop, &seen.watch);
        assert_false(adit_handle_is_set(seen.watch));
        adit_loop_forget(&seen.loop, &seen.watch); /* unset is fine */
        close(in);
        pipe_open(&in, &seen.pipe_out);
        assert_ok(adit_loop_watch(&seen.loop, in, ADIT_LOOP_READ, on_ready, &seen, 2, &seen.watch));
        if (has_copy == 1) {
            assert_int_equal(write(out, "x", 1), 1);
        }
        assert_ok(adit_loop_turn(&seen.loop, 0));
        assert_int_equal(seen.calls, 0);
        close(in);
        close(out);
        close(seen.pipe_out);
        if (has_copy == 1) {
            close(copy);
        }
        adit_loop_close(&seen.loop);
    }
}

/* Events that follow one another closely are polled for; when they end it sleeps again. */
static void it_polls_while_that_pays(void **state)
{
    (void)state;
    struct seen seen = seen_of(1, 1);
    int in = -1;
    int out = -1;
    pipe_open(&in, &out);
    const struct adit_spin_counters *counters = &seen.loop.spin.counters;
    assert_ok(adit_loop_watch(&seen.loop, in, ADIT_LOOP_READ, on_ready, &seen, 1, &seen.watch));
    for (int is_on = 0; is_on < 2; is_on++) {
        adit_loop_spin_set(&seen.loop, is_on == 1);
        for (int i = 0; i < 200; i++) {
            assert_int_equal(write(out, "x", 1), 1);
            assert_ok(adit_loop_turn(&seen.loop, 1000));
        }
        for (int i = 0; i < 20; i++) {
            assert_ok(adit_loop_turn(&seen.loop, 1000));
        }
        uint64_t polls = counters->hits + counters->misses + counters->crowds;
        assert_int_equal(polls > 0, is_on == 1);
        assert_true(counters->misses <= 20);
    }
    assert_int_equal(seen.calls, 400);
    close(in);
    close(out);
    adit_loop_close(&seen.loop);
}

static void on_ready_too(void *context, uint64_t key, uint32_t events)
{
    on_ready(context, key, events);
}

static void kinds_are_told_by_who_handles_them(void **state)
{
    (void)state;
    static const struct {
        adit_loop_ready_fn *ready;
        bool is_full;
        uint32_t kind;
    } rows[] = {{on_ready, false, 0},
                {on_ready_too, false, 1},
                {on_ready, false, 0},
                {on_ready_too, true, ADIT_SPIN_KINDS - 1}};
    struct seen seen = seen_of(1, 1);
    adit_loop_spin_set(&seen.loop, true);
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        int in = -1;
        int out = -1;
        pipe_open(&in, &out);
        for (size_t kind = 1; ADIT_AT(rows, i).is_full && kind < ADIT_SPIN_KINDS; kind++) {
            ADIT_AT(seen.loop.kinds, kind) = on_ready;
        }
        assert_ok(adit_loop_watch(&seen.loop, in, ADIT_LOOP_READ, ADIT_AT(rows, i).ready, &seen, 1,
                                  &seen.watch));
        assert_int_equal(write(out, "x", 1), 1);
        assert_ok(adit_loop_turn(&seen.loop, 1000));
        assert_int_equal(seen.loop.spin.kind, ADIT_AT(rows, i).kind);
        adit_loop_unwatch(&seen.loop, &seen.watch);
        close(in);
        close(out);
    }
    assert_int_equal(seen.calls, ADIT_COUNT(rows));
    adit_loop_close(&seen.loop);
}

static void on_timer_stop(void *context, uint64_t key)
{
    struct seen *seen = context;
    on_timer(context, key);
    seen->when_last_us = adit_clock_now_us();
    adit_loop_stop(&seen->loop);
}

static void on_timer_busy(void *context, uint64_t key)
{
    uint64_t end_us = adit_clock_now_us() + 3 * ADIT_MS_US;
    on_timer(context, key);
    while (adit_clock_now_us() < end_us) {
    }
}

static void who_is_far_away_is_not_polled_for_longer(void **state)
{
    (void)state;
    struct seen seen = seen_of(1, 1);
    for (uint32_t i = 0; i < 100; i++) {
        adit_spin_event(&seen.loop.spin, 1, 1);
    }
    assert_true(seen.loop.spin.alone > 0);
    adit_loop_far(&seen.loop);
    assert_int_equal(seen.loop.spin.alone, 0);
    adit_loop_close(&seen.loop);
}

static void it_makes_way_where_that_is_short(void **state)
{
    (void)state;
    struct seen seen = seen_of(1, 1);
    for (uint32_t i = 0; i < 3; i++) {
        adit_loop_make_way(&seen.loop);
        assert_ok(adit_loop_turn(&seen.loop, 0));
        assert_false(seen.loop.makes_way);
        struct adit_yield *yield = &seen.loop.yield;
        assert_true(yield->calm == i + 1 || yield->pause_us > 0); /* else others took the core */
        yield->resume_us = 0;
        yield->pause_us = 0;
        yield->calm = i + 1;
    }
    seen.loop.yield.resume_us = UINT64_MAX;
    adit_loop_make_way(&seen.loop);
    assert_ok(adit_loop_turn(&seen.loop, 0));
    assert_false(seen.loop.makes_way);
    assert_int_equal(seen.loop.yield.calm, 3);
    assert_ok(adit_loop_turn(&seen.loop, 0)); /* nobody asked */
    assert_int_equal(seen.loop.yield.calm, 3);
    adit_loop_close(&seen.loop);
}

static void it_gives_way_once(void **state)
{
    (void)state;
    struct seen seen = seen_of(1, 1);
    int out = -1;
    int in = -1;
    pipe_open(&out, &in);
    assert_ok(adit_loop_watch(&seen.loop, out, ADIT_LOOP_READ, on_ready, &seen, 7, &seen.watch));
    assert_int_equal(write(in, "x", 1), 1);
    adit_loop_give_way(&seen.loop);
    assert_ok(adit_loop_turn(&seen.loop, ADIT_SECOND_US));
    assert_int_equal(seen.calls, 1);
    assert_false(seen.loop.gives_way);
    adit_loop_close(&seen.loop);
    close(out);
    close(in);
}

static void work_counts_and_waiting_does_not(void **state)
{
    (void)state;
    struct seen seen = seen_of(1, 1);
    uint64_t start_us = adit_clock_now_us();
    assert_ok(adit_loop_timer_set(&seen.loop, &seen.timer, start_us + 20 * ADIT_MS_US,
                                  on_timer_busy, &seen, 1));
    while (seen.fires == 0) {
        assert_ok(adit_loop_turn(&seen.loop, 50 * ADIT_MS_US));
    }
    uint64_t all_us = adit_clock_now_us() - start_us;
    assert_in_range(seen.loop.busy_us, 3 * ADIT_MS_US, all_us - 15 * ADIT_MS_US);
    adit_loop_close(&seen.loop);
}

static void run_stops_after_the_turn(void **state)
{
    (void)state;
    struct seen seen = seen_of(1, 2);
    adit_loop_turn_end_set(&seen.loop, on_turn, &seen);
    uint64_t when_us = adit_clock_now_us() + 5500;
    for (uint64_t i = 0; i < 2; i++) { /* it runs again after a stop */
        assert_ok(adit_loop_timer_set(&seen.loop, &seen.timer, when_us, on_timer_stop, &seen, i));
        assert_ok(adit_loop_run(&seen.loop));
        assert_int_equal(seen.fires, i + 1);
        assert_true(seen.when_last_us >= when_us);
        assert_true(seen.turns >= seen.fires);
    }
    assert_int_equal(seen.turns, seen.loop.turns_total);
    adit_loop_close(&seen.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edge_level_and_oneshot),
        cmocka_unit_test(the_end_is_told),
        cmocka_unit_test(room_is_told_where_it_is_wanted),
        cmocka_unit_test(removed_in_the_same_turn),
        cmocka_unit_test(what_is_forgotten_is_not_heard),
        cmocka_unit_test(it_polls_while_that_pays),
        cmocka_unit_test(kinds_are_told_by_who_handles_them),
        cmocka_unit_test(timers_fire_in_order),
        cmocka_unit_test(a_timer_in_the_past_waits_for_the_next_turn),
        cmocka_unit_test(it_gives_way_once),
        cmocka_unit_test(it_makes_way_where_that_is_short),
        cmocka_unit_test(who_is_far_away_is_not_polled_for_longer),
        cmocka_unit_test(work_counts_and_waiting_does_not),
        cmocka_unit_test(run_stops_after_the_turn),
    };
    return cmocka_run_group_tests_name("net/loop", tests, NULL, NULL);
}
