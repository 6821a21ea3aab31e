#include "edge/control/control_fixture.h"

static void monitors_are_answered(void **state)
{
    (void)state;
    static struct scene scene;
    static uint8_t endless[CONTROL_REQUEST_BYTES_MAX];
    scene_open(&scene);
    adit_span_fill(ADIT_SPAN_OF(endless), 'G');
    const struct {
        struct adit_bytes request, begins, holds;
    } rows[] = {
        {ADIT_BYTES("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
         ADIT_BYTES("HTTP/1.1 200 OK\r\n"),
         ADIT_BYTES("Connection: close\r\n")},
        {ADIT_BYTES("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
         ADIT_BYTES("HTTP/1.1 200 OK\r\n"),
         ADIT_BYTES("\r\n\r\nready\n")},
        {ADIT_BYTES("GET /metrics?x=y HTTP/1.1\r\nHost: localhost\r\n\r\n"),
         ADIT_BYTES("HTTP/1.1 200 OK\r\n"),
         ADIT_BYTES("# TYPE adit_sessions gauge\nadit_sessions{role=\"worker\",index=\"0\"} 5\n")},
        {ADIT_BYTES("GET /metrics HTTP/1.0\r\n\r\n"), ADIT_BYTES("HTTP/1.1 200 OK\r\n"),
         ADIT_BYTES("\nadit_role_starts_total{role=\"worker\",index=\"0\"} 2\n")},
        {ADIT_BYTES("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), ADIT_BYTES("HTTP/1.1 404 "),
         ADIT_BYTES("404 Not Found\n")},
        {ADIT_BYTES("POST /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"),
         ADIT_BYTES("HTTP/1.1 405 "),
         ADIT_BYTES("Allow: GET\r\n")},
        {ADIT_BYTES("GET /healthz HTTP/1.1\nHost: localhost\n\n"), ADIT_BYTES("HTTP/1.1 400 "),
         ADIT_BYTES("400 Bad Request\n")},
        {ADIT_BYTES_OF(endless), ADIT_BYTES("HTTP/1.1 400 "), ADIT_BYTES("400 Bad Request\n")},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct adit_bytes answer = get(&scene, ADIT_AT(rows, i).request);
        assert_true(adit_bytes_starts_with(answer, ADIT_AT(rows, i).begins));
        assert_true(holds(answer, ADIT_AT(rows, i).holds));
    }
    assert_int_equal(scene.control.admin_count, 0);
    scene_close(&scene);
}

/* A name that somebody else owns may lead to us too: DNS rebinding. */
static void a_stranger_s_name_is_not_answered(void **state)
{
    (void)state;
    static struct scene scene;
    static const struct {
        struct adit_bytes fields;
        bool is_ours;
    } rows[] = {
        {ADIT_BYTES_INIT("Host: localhost\r\n"), true},
        {ADIT_BYTES_INIT("Host: LocalHost:7071\r\n"), true},
        {ADIT_BYTES_INIT("Host: 127.0.0.1:7071\r\n"), true},
        {ADIT_BYTES_INIT("Host: 192.0.2.7\r\n"), true},
        {ADIT_BYTES_INIT("Host: [::1]:7071\r\n"), true},
        {ADIT_BYTES_INIT("Host: adit.test:7071\r\n"), true}, /* the server's domain */
        {ADIT_BYTES_INIT("Host: evil.example\r\n"), false},
        {ADIT_BYTES_INIT("Host: evil.example:7071\r\n"), false},
        {ADIT_BYTES_INIT("Host: shop.adit.test\r\n"), false},
        {ADIT_BYTES_INIT("Host: localhost.evil.example\r\n"), false},
        {ADIT_BYTES_INIT("Host: 127.0.0.1.evil.example\r\n"), false},
        {ADIT_BYTES_INIT("Host: 127.1\r\n"), false},
        {ADIT_BYTES_INIT("Host: 0x7f000001\r\n"), false},
        {ADIT_BYTES_INIT("Host: \r\n"), false},
        {ADIT_BYTES_INIT("Host: localhost\r\nHost: evil.example\r\n"), false},
        {ADIT_BYTES_INIT("X: y\r\n"), false},
    };
    static const char *const paths[] = {"/healthz", "/readyz", "/metrics", "/"};
    scene_open(&scene);
    for (size_t i = 0; i < ADIT_COUNT(rows) * ADIT_COUNT(paths); i++) {
        uint8_t memory[256] = {0};
        struct adit_writer request = adit_writer_of(ADIT_SPAN_OF(memory));
        bool is_ours = ADIT_AT(rows, i / ADIT_COUNT(paths)).is_ours;
        assert_ok(adit_write_bytes(&request, ADIT_BYTES("GET ")));
        assert_ok(adit_write_bytes(&request, adit_bytes_of_text(
                                                 ADIT_AT(paths, i % ADIT_COUNT(paths)))));
        assert_ok(adit_write_bytes(&request, ADIT_BYTES(" HTTP/1.1\r\n")));
        assert_ok(adit_write_bytes(&request, ADIT_AT(rows, i / ADIT_COUNT(paths)).fields));
        assert_ok(adit_write_bytes(&request, ADIT_BYTES("\r\n")));
        struct adit_bytes answer = get(&scene, adit_writer_bytes(&request));
        assert_true(adit_bytes_starts_with(answer, ADIT_BYTES("HTTP/1.1 ")));
        assert_int_equal(adit_bytes_starts_with(answer, ADIT_BYTES("HTTP/1.1 421 ")), !is_ours);
        assert_int_equal(holds(answer, ADIT_BYTES("\r\nAdit-Error: misdirected\r\n")), !is_ours);
    }
    scene_close(&scene);
}

static void a_missing_role_is_not_ready(void **state)
{
    (void)state;
    static struct scene scene;
    scene_open(&scene);
    scene.control.report = (struct control_report){.expected = 2, .ready = 1};
    scene.control.report_us = adit_clock_now_us();
    struct adit_bytes answer =
        get(&scene, ADIT_BYTES("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    assert_true(adit_bytes_starts_with(answer, ADIT_BYTES("HTTP/1.1 503 ")));
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(monitors_are_answered),
        cmocka_unit_test(a_stranger_s_name_is_not_answered),
        cmocka_unit_test(a_missing_role_is_not_ready),
    };
    return cmocka_run_group_tests_name("control/admin", tests, NULL, NULL);
}
