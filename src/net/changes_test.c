#include "net/changes.c" /* its statics too: a message and a sleep are played */

#include "unit.h"

struct fixture {
    struct adit_loop loop;
    struct adit_changes changes;
    int kernel; /* the test's end of what is the kernel's socket otherwise */
    int told;
};

static void told(void *context)
{
    struct fixture *f = context;
    f->told++;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    int fds[2] = {-1, -1};
    assert_non_null(f);
    assert_ok(adit_loop_open(&f->loop, 8, 8));
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds), 0);
    f->kernel = ADIT_AT(fds, 1);
    assert_ok(begin(&f->changes, &f->loop, fds[0]));
    adit_changes_handler_set(&f->changes, told, f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    adit_changes_close(&f->changes);
    adit_changes_close(&f->changes); /* twice is fine */
    assert_int_equal(f->loop.watches.used, 0);
    assert_int_equal(f->loop.timers.used, 0);
    adit_loop_close(&f->loop);
    close(f->kernel);
    free(f);
    return 0;
}

static void message_send(struct fixture *f)
{
    assert_int_equal(send(f->kernel, "x", 1, 0), 1);
}

/* Turns for about this long. */
static void turn_for(struct fixture *f, uint64_t us)
{
    uint64_t end_us = adit_clock_now_us() + us;
    while (adit_clock_now_us() < end_us) {
        assert_ok(adit_loop_turn(&f->loop, 10 * ADIT_MS_US));
    }
}

static void a_burst_is_told_once(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 5; i++) {
        message_send(f);
    }
    turn_for(f, ADIT_CHANGES_QUIET_US / 2);
    assert_int_equal(f->told, 0);
    message_send(f);
    turn_for(f, ADIT_CHANGES_QUIET_US);
    assert_int_equal(f->told, 1);
    turn_for(f, ADIT_CHANGES_QUIET_US);
    assert_int_equal(f->told, 1);
}

static void bursts_keep_their_distance(void **state)
{
    struct fixture *f = *state;
    adit_status_ignore(adit_loop_turn(&f->loop, 0), "the loop knows the time then");
    message_send(f);
    turn_for(f, 2 * ADIT_CHANGES_QUIET_US);
    assert_int_equal(f->told, 1);
    message_send(f);
    turn_for(f, 2 * ADIT_CHANGES_QUIET_US);
    assert_int_equal(f->told, 1); /* a second has not passed */
    turn_for(f, 2 * ADIT_CHANGES_QUIET_US + 100 * ADIT_MS_US);
    assert_int_equal(f->told, 2);
}

static void check_now(struct fixture *f)
{
    adit_loop_timer_cancel(&f->loop, &f->changes.check);
    check(&f->changes, 0);
}

static void sleep_is_told_at_once(void **state)
{
    struct fixture *f = *state;
    check_now(f);
    assert_int_equal(f->told, 0); /* no sleep */
    f->changes.asleep_us -= 8 * 3600 * (uint64_t)ADIT_SECOND_US;
    check_now(f);
    assert_int_equal(f->told, 1);
    check_now(f);
    assert_int_equal(f->told, 1); /* once */
}

static void nobody_need_listen(void **state)
{
    struct fixture *f = *state;
    adit_changes_handler_set(&f->changes, NULL, NULL);
    message_send(f);
    turn_for(f, 2 * ADIT_CHANGES_QUIET_US);
    assert_int_equal(f->told, 0);
}

static void the_kernel_is_asked(void **state)
{
    (void)state;
    struct adit_loop loop = {0};
    struct adit_loop full = {0};
    struct adit_changes changes = {0};
    assert_ok(adit_loop_open(&loop, 4, 4));
    assert_ok(adit_changes_open(&changes, &loop)); /* with the socket, or without on some systems */
    adit_changes_close(&changes);
    assert_int_equal(changes.fd, -1);
    adit_loop_close(&loop);
    assert_ok(adit_loop_open(&full, 1, 1));
    struct adit_handle taken = {0};
    assert_ok(adit_loop_timer_set(&full, &taken, 1, quiet_over, NULL, 0));
    assert_int_equal(adit_status_error(adit_changes_open(&changes, &full)), ADIT_ERROR_FULL);
    assert_int_equal(changes.fd, -1);
    adit_loop_close(&full);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_burst_is_told_once),   TEST(bursts_keep_their_distance),
        TEST(sleep_is_told_at_once),  TEST(nobody_need_listen),
        cmocka_unit_test(the_kernel_is_asked),
    };
    return cmocka_run_group_tests_name("net/changes", tests, NULL, NULL);
}
