#include "cli/adit/screen.h"

#include <fcntl.h>
#include <string.h>

#include "unit.h"

struct fixture {
    int out[2];
    struct adit_loop loop;
    struct adit_report report;
    struct adit_agent agent; /* never opened: only looked at */
    struct adit_agent_tunnel tunnel;
    struct adit_screen screen;
    char text[32768];
};

static const struct adit_agent_events *const events = &adit_screen_events;

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    assert_int_equal(pipe2(f->out, O_NONBLOCK), 0);
    assert_ok(adit_loop_open(&f->loop, 4, 4));
    f->report = (struct adit_report){.loop = &f->loop, .fd = ADIT_AT(f->out, 1)};
    f->tunnel.port = 3000;
    assert_ok(ADIT_FIELD_SET(f->tunnel.host, ADIT_BYTES("127.0.0.1")));
    f->agent.options.tunnel_count = 1;
    f->agent.sessions[0].state = ADIT_AGENT_DIALING;
    assert_ok(adit_screen_open(&f->screen, &(struct adit_screen_options){.loop = &f->loop,
                                                                         .report = &f->report,
                                                                         .agent = &f->agent,
                                                                         .tunnel = &f->tunnel}));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    adit_screen_close(&f->screen);
    assert_int_equal(f->loop.timers.used, 0);
    adit_loop_close(&f->loop);
    close(f->out[0]);
    close(ADIT_AT(f->out, 1));
    free(f);
    return 0;
}

static void turn_for(struct fixture *f, uint64_t us)
{
    uint64_t end_us = adit_clock_now_us() + us;
    do {
        assert_ok(adit_loop_turn(&f->loop, 10 * ADIT_MS_US));
    } while (adit_clock_now_us() < end_us);
}

/* What was written since the last time. */
static const char *written(struct fixture *f)
{
    ssize_t got = read(f->out[0], f->text, sizeof f->text - 1);
    ADIT_AT(f->text, got > 0 ? (size_t)got : 0) = 0;
    return f->text;
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    struct adit_bytes rest = adit_bytes_of_text(text);
    for (; rest.len > 0; rest = adit_bytes_from(rest, 1)) {
        count += adit_bytes_starts_with(rest, adit_bytes_of_text(part)) ? 1 : 0;
    }
    return count;
}

static void bound_tell(struct fixture *f, const char *url)
{
    struct adit_control_bound bound = {.bind = 1};
    assert_ok(ADIT_FIELD_SET(bound.url, adit_bytes_of_text(url)));
    f->agent.sessions[0].state = ADIT_AGENT_IN;
    f->agent.sessions[0].is_bound[0] = true;
    events->ready(&f->screen, &f->tunnel, &bound, false);
}

static void it_draws_over_itself(void **state)
{
    struct fixture *f = *state;
    turn_for(f, 20 * ADIT_MS_US);
    const char *text = written(f);
    assert_non_null(strstr(text, "connecting"));
    assert_non_null(strstr(text, "127.0.0.1:3000"));
    assert_null(strstr(text, "A")); /* nothing to go back over yet */
    bound_tell(f, "https://a.test");
    turn_for(f, 300 * ADIT_MS_US);
    text = written(f);
    assert_int_equal(strncmp(text, "\r\x1b[4A", 5), 0); /* four lines up: status to connections */
    assert_non_null(strstr(text, "online"));
    assert_non_null(strstr(text, "https://a.test"));
    assert_null(strstr(text, "\x1b[?1049h"));
    assert_null(strstr(text, "\x1b[?25l"));
}

static void rest_is_silence(void **state)
{
    struct fixture *f = *state;
    turn_for(f, 20 * ADIT_MS_US);
    (void)written(f);
    turn_for(f, 1200 * ADIT_MS_US);
    assert_string_equal(written(f), "");
}

static void many_requests_are_few_pictures(void **state)
{
    struct fixture *f = *state;
    struct adit_http_seen seen = {.status = 200, .took_us = 1000};
    assert_ok(ADIT_FIELD_SET(seen.method, ADIT_BYTES("GET")));
    assert_ok(ADIT_FIELD_SET(seen.target, ADIT_BYTES("/many")));
    for (int i = 0; i < 100; i++) {
        events->request_seen(&f->screen, &f->tunnel, &seen);
        turn_for(f, 6 * ADIT_MS_US);
    }
    turn_for(f, 300 * ADIT_MS_US);
    const char *text = written(f);
    assert_non_null(strstr(text, "/many"));
    assert_true(count_of(text, "Status") <= 5); /* a second at four a second, and the first */
}

static void waiting_counts_down(void **state)
{
    struct fixture *f = *state;
    turn_for(f, 20 * ADIT_MS_US);
    f->agent.sessions[0].state = ADIT_AGENT_WAITING;
    events->disconnected(&f->screen, ADIT_BYTES("the road is gone\x1b[1m"),
                         3 * (uint64_t)ADIT_SECOND_US);
    turn_for(f, 1500 * ADIT_MS_US);
    const char *text = written(f);
    assert_non_null(strstr(text, "in 3 s: the road is gone\\u001b[1m"));
    assert_non_null(strstr(text, "in 2 s"));
}

static void notes_come_and_go(void **state)
{
    struct fixture *f = *state;
    struct adit_http_seen seen = {.status = 200};
    events->local_failed(&f->screen, &f->tunnel, ADIT_DIAL_REFUSED);
    turn_for(f, 20 * ADIT_MS_US);
    assert_non_null(strstr(written(f), "nothing listens at the local address"));
    events->notice(&f->screen, ADIT_BYTES("be calm"));
    turn_for(f, 300 * ADIT_MS_US);
    assert_non_null(strstr(written(f), "from the server: be calm"));
    events->request_seen(&f->screen, &f->tunnel, &seen);
    turn_for(f, 300 * ADIT_MS_US);
    const char *text = written(f);
    assert_true(strlen(text) > 0);
    assert_null(strstr(text, "be calm"));
}

static void a_refusal_is_told_below(void **state)
{
    struct fixture *f = *state;
    turn_for(f, 20 * ADIT_MS_US);
    (void)written(f);
    const struct adit_agent_refusal refusal = {
        ADIT_BYTES("name_taken"), ADIT_BYTES("No."), ADIT_BYTES("Another.")};
    events->refused(&f->screen, &refusal);
    const char *text = written(f);
    assert_non_null(strstr(text, "stopped"));
    assert_non_null(strstr(text, "\x1b[Jrefused (name_taken): No. Another.\n"));
    assert_true(f->report.is_refused);
    assert_true(f->loop.is_stopping);
    events->reconnected(&f->screen); /* late: nothing is drawn any more */
    turn_for(f, 300 * ADIT_MS_US);
    assert_string_equal(written(f), "");
}

static void another_size_or_place_is_drawn_anew(void **state)
{
    struct fixture *f = *state;
    turn_for(f, 20 * ADIT_MS_US);
    (void)written(f);
    adit_screen_resized(&f->screen);
    turn_for(f, 300 * ADIT_MS_US);
    assert_int_equal(strncmp(written(f), "\r\x1b[4A", 5), 0);
    adit_screen_moved(&f->screen);
    turn_for(f, 300 * ADIT_MS_US);
    assert_int_equal(strncmp(written(f), "Status", 6), 0); /* below what others wrote */
}

static void a_full_terminal_is_not_waited_for(void **state)
{
    struct fixture *f = *state;
    static uint8_t block[65536];
    while (write(ADIT_AT(f->out, 1), block, sizeof block) > 0) {
    }
    turn_for(f, 50 * ADIT_MS_US);
    assert_false(f->loop.is_stopping);
    while (read(f->out[0], f->text, sizeof f->text) > 0) {
    }
    turn_for(f, 1100 * ADIT_MS_US);
    assert_non_null(strstr(written(f), "Status"));
}

static void a_closed_terminal_ends_it(void **state)
{
    struct fixture *f = *state;
    f->report.fd = -1;
    adit_screen_moved(&f->screen);
    close(ADIT_AT(f->out, 1));
    f->report.fd = open("/dev/full", O_WRONLY);
    ADIT_AT(f->out, 1) = f->report.fd;
    turn_for(f, 50 * ADIT_MS_US);
    assert_true(f->report.is_output_lost);
    assert_true(f->loop.is_stopping);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_draws_over_itself),
        TEST(rest_is_silence),
        TEST(many_requests_are_few_pictures),
        TEST(waiting_counts_down),
        TEST(notes_come_and_go),
        TEST(a_refusal_is_told_below),
        TEST(another_size_or_place_is_drawn_anew),
        TEST(a_full_terminal_is_not_waited_for),
        TEST(a_closed_terminal_ends_it),
    };
    return cmocka_run_group_tests_name("cli/adit/screen", tests, NULL, NULL);
}
