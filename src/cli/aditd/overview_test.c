#include "cli/aditd/overview.h"

#include "unit.h"

static void a_server_is_shown(void **state)
{
    (void)state;
    static const struct adit_bytes json = ADIT_BYTES_INIT(
        "{\"pid\":812,\"uptime_s\":273900,\"ready\":true,\"degraded\":false,\"reason\":\"\","
        "\"version\":7,\"taken\":7,\"roles\":["
        "{\"name\":\"control\",\"index\":0,\"pid\":813,\"starts\":2,\"ready\":true,"
        "\"counters\":{}},"
        "{\"name\":\"door\",\"index\":0,\"pid\":814,\"starts\":1,\"ready\":true,"
        "\"counters\":{\"names\":3,\"ports\":1,\"parked\":2}},"
        "{\"name\":\"worker\",\"index\":0,\"pid\":815,\"starts\":1,\"ready\":true,"
        "\"counters\":{\"sessions\":12,\"streams\":4,\"tunnels\":14,\"web_now\":5,"
        "\"requests\":12345678901}}],"
        "\"more\":[{\"pid\":1}],\"names\":3,\"tokens\":1}");
    uint8_t memory[1024] = {0};
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_overview overview = {0};
    assert_ok(adit_overview_read(json, &overview));
    assert_ok(adit_overview_write(&text, &overview));
    const struct adit_bytes shown = ADIT_BYTES(
        "aditd 812 is ready, up 3d 4h, 3 names, 1 token\n"
        "routes: 3 names, 1 port, 2 visitors wait; snapshot 7\n"
        "ROLE      PID       STARTS    STATE     SESSIONS  STREAMS   TUNNELS   HTTP      "
        "REQUESTS\n"
        "control   813       2         ready\n"
        "door      814       1         ready\n"
        "worker 0  815       1         ready     12        4         14        5         "
        "12345678901\n");
    assert_bytes(adit_writer_bytes(&text), shown);
}

static void one_that_is_not_well_is_shown_so(void **state)
{
    (void)state;
    static const struct adit_bytes json = ADIT_BYTES_INIT(
        "{\"ready\":false,\"degraded\":true,\"reason\":\"a process is not ready\",\"version\":9,"
        "\"taken\":8,\"roles\":[{\"name\":\"worker\",\"index\":3,\"pid\":5,\"starts\":4,"
        "\"ready\":false,\"counters\":{}}]}");
    uint8_t memory[1024] = {0};
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_overview overview = {0};
    assert_ok(adit_overview_read(json, &overview));
    assert_ok(adit_overview_write(&text, &overview));
    struct adit_bytes shown = adit_writer_bytes(&text);
    struct adit_bytes rest = adit_bytes_from(shown, adit_bytes_find(shown, ';'));
    assert_true(adit_bytes_starts_with(rest, ADIT_BYTES("; snapshot 8, behind 9\n"
                                                        "degraded: a process is not ready\n"
                                                        "ROLE ")));
    assert_true(adit_bytes_ends_with(shown,
                                     ADIT_BYTES("worker 3  5         4         not ready\n")));
}

static void times_have_two_units(void **state)
{
    (void)state;
    static const struct {
        uint64_t time_s;
        const char *text;
    } cases[] = {
        {0, "up 0s,"},           {59, "up 59s,"},       {60, "up 1m 0s,"},
        {3599, "up 59m 59s,"},   {3600, "up 1h 0m,"},   {86399, "up 23h 59m,"},
        {86400, "up 1d 0h,"},    {UINT64_MAX, "up 213503982334601d 7h,"},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        uint8_t memory[256] = {0};
        struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(memory));
        const struct adit_overview overview = {.pid = 1, .uptime_s = ADIT_AT(cases, i).time_s};
        assert_ok(adit_overview_write(&text, &overview));
        struct adit_bytes line = adit_writer_bytes(&text);
        assert_true(adit_bytes_starts_with(adit_bytes_from(line, adit_bytes_find(line, 'u')),
                                           adit_bytes_of_text(ADIT_AT(cases, i).text)));
    }
}

static void other_forms_are_refused(void **state)
{
    (void)state;
    static const struct adit_bytes texts[] = {
        ADIT_BYTES_INIT(""),
        ADIT_BYTES_INIT("[]"),
        ADIT_BYTES_INIT("{} {}"),
        ADIT_BYTES_INIT("{\"pid\":\"1\"}"),
        ADIT_BYTES_INIT("{\"pid\":-1}"),
        ADIT_BYTES_INIT("{\"pid\":1"),
        ADIT_BYTES_INIT("{\"ready\":1}"),
        ADIT_BYTES_INIT("{\"roles\":{}}"),
        ADIT_BYTES_INIT("{\"roles\":[1]}"),
        ADIT_BYTES_INIT("{\"roles\":[{\"name\":1}]}"),
        ADIT_BYTES_INIT("{\"roles\":[{\"name\":\"\\u001b[2J\"}]}"),
        ADIT_BYTES_INIT("{\"roles\":[{\"counters\":[]}]}"),
        ADIT_BYTES_INIT("{\"roles\":[{\"counters\":{\"sessions\":null}}]}"),
    };
    for (size_t i = 0; i < ADIT_COUNT(texts); i++) {
        struct adit_overview overview = {.pid = 7};
        assert_fails(adit_overview_read(ADIT_AT(texts, i), &overview), INVALID);
        assert_int_equal(overview.pid, 7);
    }
    uint8_t memory[512] = {0};
    struct adit_writer many = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_overview overview = {0};
    assert_ok(adit_write_bytes(&many, ADIT_BYTES("{\"roles\":[{}")));
    for (size_t i = 0; i < ADIT_OVERVIEW_ROLES_MAX; i++) {
        assert_ok(adit_write_bytes(&many, ADIT_BYTES(",{}")));
    }
    assert_ok(adit_write_bytes(&many, ADIT_BYTES("]}")));
    assert_fails(adit_overview_read(adit_writer_bytes(&many), &overview), LIMIT);
    const struct adit_bytes name = ADIT_BYTES("{\"roles\":[{\"name\":\"seventeen letters\"}]}");
    assert_fails(adit_overview_read(name, &overview), LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_is_shown),
        cmocka_unit_test(one_that_is_not_well_is_shown_so),
        cmocka_unit_test(times_have_two_units),
        cmocka_unit_test(other_forms_are_refused),
    };
    return cmocka_run_group_tests_name("aditd/overview", tests, NULL, NULL);
}
