#include "cli/adit/report.h"

#include <string.h>

#include "unit.h"

struct fixture {
    int out[2];
    struct adit_loop loop;
    struct adit_report report;
    struct adit_agent_tunnel tunnel;
    struct adit_control_bound bound;
};

static void fixture_open(struct fixture *fixture, bool is_json)
{
    *fixture = (struct fixture){0};
    assert_int_equal(pipe(fixture->out), 0);
    fixture->report =
        (struct adit_report){.loop = &fixture->loop, .fd = ADIT_AT(fixture->out, 1)};
    fixture->report.is_json = is_json;
    assert_ok(ADIT_FIELD_SET(fixture->tunnel.host, ADIT_BYTES("::1")));
    fixture->tunnel.port = 3000;
    assert_ok(ADIT_FIELD_SET(fixture->bound.url, ADIT_BYTES("tcp://x.test:20000")));
}

/* What was printed since the last time. */
static void expect(struct fixture *fixture, const char *text)
{
    char got[1024] = {0};
    ssize_t count = read(fixture->out[0], got, sizeof got - 1);
    assert_true(count > 0);
    assert_string_equal(got, text);
}

static void fixture_close(struct fixture *fixture)
{
    close(fixture->out[0]);
    close(ADIT_AT(fixture->out, 1));
}

static void events_as_json(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, true);
    const struct adit_agent_events *events = &adit_report_events;
    events->ready(&f.report, &f.tunnel, &f.bound, false);
    expect(&f, "{\"event\":\"ready\",\"name\":\"\",\"url\":\"tcp://x.test:20000\","
               "\"forwards_to\":\"[::1]:3000\"}\n");
    events->disconnected(&f.report, ADIT_BYTES("a \"reason\"\n"), 1);
    expect(&f, "{\"event\":\"disconnected\",\"reason\":\"a \\\"reason\\\"\\u000a\"}\n");
    events->ready(&f.report, &f.tunnel, &f.bound, true); /* the same address again: not told */
    events->reconnected(&f.report);
    expect(&f, "{\"event\":\"reconnected\"}\n");
    const struct adit_agent_refusal refusal = {
        ADIT_BYTES("port_taken"), ADIT_BYTES("No."), ADIT_BYTES("Another.")};
    events->refused(&f.report, &refusal);
    expect(&f, "{\"event\":\"refused\",\"code\":\"port_taken\",\"message\":\"No.\","
               "\"next_action\":\"Another.\"}\n");
    assert_true(f.report.is_refused);
    assert_true(f.loop.is_stopping);
    events->local_failed(&f.report, &f.tunnel, ADIT_DIAL_REFUSED);
    expect(&f, "{\"event\":\"local_failed\",\"forwards_to\":\"[::1]:3000\","
               "\"reason\":\"refused\"}\n");
    fixture_close(&f);
}

static void sentences_for_people(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, false);
    const struct adit_agent_events *events = &adit_report_events;
    events->ready(&f.report, &f.tunnel, &f.bound, false);
    expect(&f, "tcp://x.test:20000 -> [::1]:3000\n");
    events->disconnected(&f.report, ADIT_BYTES("the road is gone"), 1500000);
    expect(&f, "not connected: the road is gone; next attempt within 2 s\n");
    events->notice(&f.report, ADIT_BYTES("be\x1b[31m calm")); /* no escape reaches the terminal */
    expect(&f, "from the server: be\\u001b[31m calm\n");
    events->distrusted(&f.report, ADIT_BYTES("self-signed certificate"));
    assert_true(f.report.is_distrusted);
    fixture_close(&f);
}

static void a_closed_output_stops_the_agent(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, true);
    close(ADIT_AT(f.out, 1));
    f.report.fd = -1;
    adit_report_events.reconnected(&f.report);
    assert_true(f.report.is_output_lost);
    assert_true(f.loop.is_stopping);
    close(f.out[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_as_json),
        cmocka_unit_test(sentences_for_people),
        cmocka_unit_test(a_closed_output_stops_the_agent),
    };
    return cmocka_run_group_tests_name("cli/adit/report", tests, NULL, NULL);
}
