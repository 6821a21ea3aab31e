#include "edge/door/first.h"

#include "unit.h"

#include "edge/door/door_fixture.h"

#define DOMAIN ADIT_BYTES("adit.test")
#define NOW_US 1000u

/* web: HTTP, session 1 at worker 2; raw: TLS, session 3 at worker 4; away: HTTP, and was-raw: TLS,
 * both in their grace; gone: held without one. */
static struct adit_names *names_open(void)
{
    static struct adit_names names;
    const struct {
        const char *name;
        enum adit_tunnel kind;
        uint32_t worker;
        uint64_t session;
        uint64_t grace_end_us; /* 0: not released; 1: over */
    } rows[] = {
        {"web", ADIT_TUNNEL_HTTP, 2, 1, 0},
        {"raw", ADIT_TUNNEL_TLS, 4, 3, 0},
        {"away", ADIT_TUNNEL_HTTP, 2, 5, NOW_US + 1},
        {"was-raw", ADIT_TUNNEL_TLS, 2, 6, NOW_US + 2},
        {"gone", ADIT_TUNNEL_TLS, 2, 7, 1},
    };
    assert_ok(adit_names_init(&names, (struct adit_siphash_key){1, 2}));
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        const struct adit_names_time time = {.wall_s = 1,
                                             .grace_end_us = ADIT_AT(rows, i).grace_end_us};
        const struct adit_name_claim claim = {.name = adit_bytes_of_text(ADIT_AT(rows, i).name),
                                              .account = ADIT_BYTES("ann"),
                                              .kind = ADIT_AT(rows, i).kind,
                                              .owner = {.worker = ADIT_AT(rows, i).worker,
                                                        .session = ADIT_AT(rows, i).session}};
        struct adit_name_answer answer = {0};
        assert_ok(adit_names_claim(&names, &claim, &time, &answer));
        assert_true(answer.is_granted);
        if (time.grace_end_us > 0) {
            assert_true(adit_names_release(&names, &claim, &time));
        }
    }
    return &names;
}

static struct adit_first judged(struct adit_bytes seen)
{
    struct adit_first first = {0};
    size_t needed = 0;
    for (size_t i = 0; i < seen.len; i++) { /* however it is cut */
        struct adit_bytes part = adit_bytes_first(seen, i);
        needed = 0;
        if (!adit_first_judge(part, &first, &needed)) {
            assert_true(needed > part.len && needed <= seen.len);
        }
    }
    assert_true(adit_first_judge(seen, &first, &needed));
    return first;
}

static void ways(void **state)
{
    (void)state;
    struct adit_names *names = names_open();
    const struct {
        const char *server_name, *alpn;
        struct adit_way way; /* without the name and the owners */
        uint32_t worker;     /* of the only owner; 0: none */
    } rows[] = {
        {"connect.adit.test", "adit/1", {.kind = ADIT_WAY_AGENT}, 0},
        {"", "adit/1", {.kind = ADIT_WAY_AGENT}, 0},
        {"web.adit.test", "adit/1", {.kind = ADIT_WAY_AGENT}, 0},
        {"gone.adit.test", "adit/1", {.kind = ADIT_WAY_AGENT}, 0},
        {"connect.adit.test", "", {.kind = ADIT_WAY_ORPHAN, .reason = ADIT_ORPHAN_OTHER_ALPN}, 0},
        {"connect.adit.test", "http/1.1",
         {.kind = ADIT_WAY_ORPHAN, .reason = ADIT_ORPHAN_OTHER_ALPN}, 0},
        {"web.adit.test", "h2", {.kind = ADIT_WAY_ORPHAN, .reason = ADIT_ORPHAN_OTHER_ALPN}, 0},
        {"away.adit.test", "h2", {.kind = ADIT_WAY_ORPHAN, .reason = ADIT_ORPHAN_OTHER_ALPN}, 0},
        {"", "smtp", {.kind = ADIT_WAY_ORPHAN, .reason = ADIT_ORPHAN_OTHER_ALPN}, 0},
        {"web.adit.test", "http/1.1", {.kind = ADIT_WAY_WEB}, 2},
        {"web.adit.test", "http/1.0", {.kind = ADIT_WAY_WEB}, 2},
        {"WEB.Adit.Test.", "", {.kind = ADIT_WAY_WEB}, 2},
        {"away.adit.test", "", {.kind = ADIT_WAY_PARK, .until_us = NOW_US + 1}, 0},
        {"gone.adit.test", "", {.kind = ADIT_WAY_WEB}, 0},
        {"dash.adit.test", "http/1.1", {.kind = ADIT_WAY_WEB, .is_unknown = true}, 0},
        {"nobody.adit.test", "http/1.1", {.kind = ADIT_WAY_WEB, .is_unknown = true}, 0},
        {"web.other.test", "http/1.1", {.kind = ADIT_WAY_WEB}, 0},
        {"a.web.adit.test", "http/1.1", {.kind = ADIT_WAY_WEB}, 0},
        {"adit.test", "http/1.1", {.kind = ADIT_WAY_WEB}, 0},
        {"", "", {.kind = ADIT_WAY_WEB}, 0},
        {"raw.adit.test", "", {.kind = ADIT_WAY_THROUGH}, 4},
        {"raw.adit.test", "h2", {.kind = ADIT_WAY_THROUGH}, 4},
        {"raw.adit.test", "adit/1", {.kind = ADIT_WAY_THROUGH}, 4},
        {"was-raw.adit.test", "adit/1", {.kind = ADIT_WAY_PARK, .until_us = NOW_US + 2}, 0},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        uint8_t memory[512] = {0};
        const struct adit_way *expected = &ADIT_AT(rows, i).way;
        const struct adit_first first =
            judged(fixture_hello_to(ADIT_SPAN_OF(memory),
                                    adit_bytes_of_text(ADIT_AT(rows, i).server_name),
                                    adit_bytes_of_text(ADIT_AT(rows, i).alpn)));
        const struct adit_way way = adit_way_of(names, DOMAIN, &first, NOW_US);
        if (way.kind != expected->kind) {
            fail_msg("row %zu: way %d", i, (int)way.kind);
        }
        assert_int_equal(way.reason, expected->reason);
        assert_int_equal(way.is_unknown, expected->is_unknown);
        assert_int_equal(way.owners ? adit_owners_at(way.owners, 0)->worker : 0,
                         ADIT_AT(rows, i).worker);
        assert_int_equal(way.until_us, expected->until_us);
        if (way.kind == ADIT_WAY_THROUGH) {
            assert_int_equal(adit_owners_at(way.owners, 0)->session, 3);
            assert_bytes(way.name, ADIT_BYTES("raw"));
        }
    }
    adit_names_deinit(names);
}

static void what_is_no_hello(void **state)
{
    (void)state;
    struct adit_names *names = names_open();
    const struct {
        struct adit_bytes seen;
        enum adit_orphan reason;
    } rows[] = {
        {ADIT_BYTES("GET / HTTP/1.1\r\n\r\n"), ADIT_ORPHAN_PLAIN},
        {ADIT_BYTES("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"), ADIT_ORPHAN_BAD_HELLO},
        {ADIT_BYTES("\x16\x03\x01\x40\x01"), ADIT_ORPHAN_BAD_HELLO},
        {ADIT_BYTES("\x80\x2e\x01\x00\x02"), ADIT_ORPHAN_TOO_OLD},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct adit_first first = {0};
        size_t needed = 0;
        assert_true(adit_first_judge(ADIT_AT(rows, i).seen, &first, &needed));
        const struct adit_way way = adit_way_of(names, DOMAIN, &first, NOW_US);
        assert_int_equal(way.kind, ADIT_WAY_ORPHAN);
        assert_int_equal(way.reason, ADIT_AT(rows, i).reason);
    }
    adit_names_deinit(names);
}

static struct adit_way plain_way(const struct adit_names *names, struct adit_bytes seen)
{
    struct adit_http_scan scan = {0};
    struct adit_first first = {0};
    size_t needed = 0;
    for (size_t i = 0; !adit_first_judge_plain(adit_bytes_first(seen, i), &scan, &first, &needed);
         i++) {
        assert_true(i < seen.len);
        assert_int_equal(needed, i + 1);
    }
    return adit_way_of(names, DOMAIN, &first, NOW_US);
}

static void hosts_of_the_http_port(void **state)
{
    (void)state;
    struct adit_names *names = names_open();
    const struct {
        const char *head;
        enum adit_way_kind kind;
        uint32_t worker; /* of the only owner; 0: none */
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: web.adit.test\r\n\r\nbody", ADIT_WAY_WEB, 2},
        {"GET / HTTP/1.1\r\nHost: WEB.adit.test.:8080\r\n\r\n", ADIT_WAY_WEB, 2},
        {"GET http://web.adit.test/ HTTP/1.1\r\nHost: web.adit.test\r\n\r\n", ADIT_WAY_WEB, 2},
        {"GET / HTTP/1.0\r\nHost: web.adit.test\r\n\r\n", ADIT_WAY_WEB, 2},
        {"GET / HTTP/1.1\r\nHost: away.adit.test\r\n\r\n", ADIT_WAY_PARK, 0},
        {"GET / HTTP/1.1\r\nHost: gone.adit.test\r\n\r\n", ADIT_WAY_WEB, 0},
        {"GET / HTTP/1.1\r\nHost: raw.adit.test\r\n\r\n", ADIT_WAY_WEB, 0}, /* is TLS */
        {"GET / HTTP/1.1\r\nHost: was-raw.adit.test\r\n\r\n", ADIT_WAY_WEB, 0},
        {"GET / HTTP/1.1\r\nHost: nobody.adit.test\r\n\r\n", ADIT_WAY_WEB, 0},
        {"GET / HTTP/1.1\r\nHost: a.web.adit.test\r\n\r\n", ADIT_WAY_WEB, 0},
        {"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", ADIT_WAY_WEB, 0},
        /* What a worker refuses goes to any. */
        {"GET / HTTP/1.1\r\n\r\n", ADIT_WAY_WEB, 0},
        {"GET / HTTP/1.1\r\nHost: web.adit.test\r\nHost: web.adit.test\r\n\r\n", ADIT_WAY_WEB, 0},
        {"GET / HTTP/1.1\r\nHost: web.adit.test\nHost: b", ADIT_WAY_WEB, 0},
        {"GET / HTTP/1.1\r\nHost: web.adit.test\r\nContent-Length: 1\r\n"
         "Transfer-Encoding: chunked\r\n\r\n", ADIT_WAY_WEB, 0},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ADIT_WAY_WEB, 0},
        {"\n", ADIT_WAY_WEB, 0},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        const struct adit_way way =
            plain_way(names, adit_bytes_of_text(ADIT_AT(rows, i).head));
        if (way.kind != ADIT_AT(rows, i).kind) {
            fail_msg("row %zu: way %d", i, (int)way.kind);
        }
        assert_int_equal(way.owners ? adit_owners_at(way.owners, 0)->worker : 0,
                         ADIT_AT(rows, i).worker);
    }
    adit_names_deinit(names);
}

static void a_head_is_not_looked_at_for_ever(void **state)
{
    (void)state;
    static uint8_t memory[ADIT_HTTP_HEAD_BYTES_MAX + 2];
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_http_scan scan = {0};
    struct adit_first first = {0};
    size_t needed = 0;
    assert_ok(adit_write_bytes(&writer,
                               ADIT_BYTES("GET / HTTP/1.1\r\nHost: web.adit.test\r\nA: ")));
    while (writer.len < sizeof memory) {
        assert_ok(adit_write_u8(&writer, 'a'));
    }
    assert_false(adit_first_judge_plain(adit_bytes_first(adit_writer_bytes(&writer), 30000), &scan,
                                        &first, &needed));
    assert_true(adit_first_judge_plain(
        adit_bytes_first(adit_writer_bytes(&writer), ADIT_HTTP_HEAD_BYTES_MAX), &scan, &first,
        &needed)); /* the door can see no more */
    assert_int_equal(first.host.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ways),
        cmocka_unit_test(what_is_no_hello),
        cmocka_unit_test(hosts_of_the_http_port),
        cmocka_unit_test(a_head_is_not_looked_at_for_ever),
    };
    return cmocka_run_group_tests_name("door/first", tests, NULL, NULL);
}
