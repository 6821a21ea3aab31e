#include "cli/adit/target.h"

#include <string.h>

#include "unit.h"

static void targets(void **state)
{
    (void)state;
    static const struct {
        enum adit_tunnel kind;
        const char *text, *host; /* null: refused */
        uint16_t port;
    } rows[] = {
        {ADIT_TUNNEL_TCP, "3000", "127.0.0.1", 3000},
        {ADIT_TUNNEL_TCP, "[::1]:8080", "::1", 8080},
        {ADIT_TUNNEL_TCP, "localhost:80", "localhost", 80},
        {ADIT_TUNNEL_TLS, "db.internal:5432", "db.internal", 5432},
        {ADIT_TUNNEL_HTTP, "3000", "127.0.0.1", 3000},
        {ADIT_TUNNEL_HTTP, "app:3000", "app", 3000},
        {ADIT_TUNNEL_HTTP, "http://app:3000", "app", 3000},
        {ADIT_TUNNEL_HTTP, "HTTP://app:3000/", "app", 3000},
        {ADIT_TUNNEL_HTTP, "http://app", "app", 80},
        {ADIT_TUNNEL_HTTP, "http://[::1]", "::1", 80},
        {ADIT_TUNNEL_HTTP, "http://[::1]:81", "::1", 81},
        {ADIT_TUNNEL_TCP, "0", NULL, 0},
        {ADIT_TUNNEL_TCP, "65536", NULL, 0},
        {ADIT_TUNNEL_TCP, "localhost", NULL, 0},
        {ADIT_TUNNEL_TCP, "localhost:", NULL, 0},
        {ADIT_TUNNEL_TCP, ":3000", NULL, 0},
        {ADIT_TUNNEL_TCP, "[::1:80", NULL, 0},
        {ADIT_TUNNEL_TCP, "[::1]", NULL, 0},
        {ADIT_TUNNEL_TCP, "[::1]80", NULL, 0},
        {ADIT_TUNNEL_TCP, "host:80:90", NULL, 0},
        {ADIT_TUNNEL_TCP, "host:8o", NULL, 0},
        {ADIT_TUNNEL_TCP, "host/path:80", NULL, 0},
        {ADIT_TUNNEL_TCP, "user@host:80", NULL, 0},
        {ADIT_TUNNEL_TCP, "", NULL, 0},
        {ADIT_TUNNEL_TCP, "host:-1", NULL, 0},
        {ADIT_TUNNEL_TCP, "http://app:3000", NULL, 0}, /* a URL is for HTTP */
        {ADIT_TUNNEL_TLS, "https://app:3000", NULL, 0},
        {ADIT_TUNNEL_HTTP, "https://app:3000", NULL, 0},
        {ADIT_TUNNEL_HTTP, "ftp://app:21", NULL, 0},
        {ADIT_TUNNEL_HTTP, "http://app:3000/path", NULL, 0},
        {ADIT_TUNNEL_HTTP, "http://app/?query", NULL, 0},
        {ADIT_TUNNEL_HTTP, "http://app//", NULL, 0},
        {ADIT_TUNNEL_HTTP, "http://", NULL, 0},
        {ADIT_TUNNEL_HTTP, "http:///", NULL, 0},
        {ADIT_TUNNEL_HTTP, "http://3000x:", NULL, 0},
        {ADIT_TUNNEL_HTTP, "http://user@app:80:", NULL, 0},
        {ADIT_TUNNEL_HTTP, "localhost", NULL, 0},
        {ADIT_TUNNEL_HTTP, "://app", NULL, 0},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct adit_agent_tunnel tunnel = {.kind = ADIT_AT(rows, i).kind};
        struct adit_status status =
            adit_target_parse(adit_bytes_of_text(ADIT_AT(rows, i).text), &tunnel);
        assert_int_equal(adit_is_ok(status), ADIT_AT(rows, i).host != NULL);
        if (ADIT_AT(rows, i).host) {
            assert_bytes(ADIT_FIELD_BYTES(tunnel.host), adit_bytes_of_text(ADIT_AT(rows, i).host));
            assert_int_equal(tunnel.port, ADIT_AT(rows, i).port);
            assert_int_equal(tunnel.is_here, strcmp(ADIT_AT(rows, i).text, "3000") == 0);
        }
    }
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *text, *about;
    } rows[] = {
        {"https://app:3000", "plain HTTP"},
        {"ftp://app", "scheme"},
        {"http://app/path", "path"},
        {"app", "3000 or localhost:3000"},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct adit_agent_tunnel tunnel = {.kind = ADIT_TUNNEL_HTTP};
        struct adit_status status =
            adit_target_parse(adit_bytes_of_text(ADIT_AT(rows, i).text), &tunnel);
        assert_non_null(strstr(adit_status_what(status), ADIT_AT(rows, i).about));
        assert_int_equal(tunnel.host.len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets),
        cmocka_unit_test(what_is_wrong_is_said),
    };
    return cmocka_run_group_tests_name("cli/adit/target", tests, NULL, NULL);
}
