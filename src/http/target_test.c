#include "http/target.h"

#include "unit.h"

static void authorities(void **state)
{
    (void)state;
    static const struct {
        struct adit_bytes text, host; /* no host: refused */
        uint16_t port;
    } cases[] = {
        {ADIT_BYTES_INIT("a.test"), ADIT_BYTES_INIT("a.test"), 0},
        {ADIT_BYTES_INIT("A-1.Test.:8080"), ADIT_BYTES_INIT("a-1.test"), 8080},
        {ADIT_BYTES_INIT("localhost:1"), ADIT_BYTES_INIT("localhost"), 1},
        {ADIT_BYTES_INIT("192.0.2.1:65535"), ADIT_BYTES_INIT("192.0.2.1"), 65535},
        {ADIT_BYTES_INIT("[2001:DB8::1]:443"), ADIT_BYTES_INIT("[2001:db8::1]"), 443},
        {ADIT_BYTES_INIT("xn--a"), ADIT_BYTES_INIT("xn--a"), 0},
        {ADIT_BYTES_INIT(""), {0}, 0},
        {ADIT_BYTES_INIT("."), {0}, 0},
        {ADIT_BYTES_INIT("a:"), {0}, 0},
        {ADIT_BYTES_INIT("a:+1"), {0}, 0},
        {ADIT_BYTES_INIT("a:000001"), {0}, 0},
        {ADIT_BYTES_INIT("a:0"), {0}, 0},
        {ADIT_BYTES_INIT("a@b"), {0}, 0},
        {ADIT_BYTES_INIT("[]"), {0}, 0},
        {ADIT_BYTES_INIT("[:1]"), {0}, 0},
        {ADIT_BYTES_INIT("[::1]:"), {0}, 0},
        {ADIT_BYTES_INIT("[::1"), {0}, 0},
        {ADIT_BYTES_INIT("[::g]"), {0}, 0},
        {ADIT_BYTES_INIT("[00000000000000000000000000000000000000000000::1]"), {0}, 0},
        {ADIT_BYTES_INIT("XN--.test"), {0}, 0},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        struct adit_http_authority authority = {0};
        struct adit_status status =
            adit_http_authority_split(ADIT_AT(cases, i).text, &authority);
        assert_int_equal(adit_is_ok(status), ADIT_AT(cases, i).host.len > 0);
        assert_int_equal(authority.host.len, ADIT_AT(cases, i).host.len);
        assert_true(adit_bytes_equal_nocase(authority.host, ADIT_AT(cases, i).host));
        assert_int_equal(authority.port, ADIT_AT(cases, i).port);
    }
}

static void a_host_of_exactly_the_limit(void **state)
{
    (void)state;
    uint8_t memory[ADIT_HTTP_HOST_BYTES_MAX + 2];
    adit_span_fill(ADIT_SPAN_OF(memory), 'A');
    struct adit_http_authority authority = {0};
    struct adit_bytes text = ADIT_BYTES_OF(memory);
    assert_false(adit_is_ok(adit_http_authority_split(
        adit_bytes_first(text, ADIT_HTTP_HOST_BYTES_MAX + 1), &authority)));
    assert_ok(
        adit_http_authority_split(adit_bytes_first(text, ADIT_HTTP_HOST_BYTES_MAX), &authority));
    assert_int_equal(authority.host.len, ADIT_HTTP_HOST_BYTES_MAX);
}

static void targets(void **state)
{
    (void)state;
    static const struct {
        struct adit_bytes text;
        int form; /* -1: refused */
        bool is_https;
        struct adit_bytes authority, origin;
    } cases[] = {
        {ADIT_BYTES_INIT("/a?b"), ADIT_HTTP_TARGET_ORIGIN, false, {0}, ADIT_BYTES_INIT("/a?b")},
        {ADIT_BYTES_INIT("//a.test/b"), ADIT_HTTP_TARGET_ORIGIN, false, {0},
         ADIT_BYTES_INIT("//a.test/b")},
        {ADIT_BYTES_INIT("*"), ADIT_HTTP_TARGET_ASTERISK, false, {0}, ADIT_BYTES_INIT("*")},
        {ADIT_BYTES_INIT("http://a/b?c"), ADIT_HTTP_TARGET_ABSOLUTE, false, ADIT_BYTES_INIT("a"),
         ADIT_BYTES_INIT("/b?c")},
        {ADIT_BYTES_INIT("HTTPs://a:1?c/d"), ADIT_HTTP_TARGET_ABSOLUTE, true,
         ADIT_BYTES_INIT("a:1"), ADIT_BYTES_INIT("?c/d")},
        {ADIT_BYTES_INIT("http://a"), ADIT_HTTP_TARGET_ABSOLUTE, false, ADIT_BYTES_INIT("a"), {0}},
        {ADIT_BYTES_INIT("http:/a"), -1, false, {0}, {0}},
        {ADIT_BYTES_INIT("ws://a"), -1, false, {0}, {0}},
        {ADIT_BYTES_INIT("a"), -1, false, {0}, {0}},
        {ADIT_BYTES_INIT(""), -1, false, {0}, {0}},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        struct adit_http_target target = {0};
        struct adit_status status = adit_http_target_split(ADIT_AT(cases, i).text, &target);
        assert_int_equal(adit_is_ok(status), ADIT_AT(cases, i).form >= 0);
        if (adit_is_ok(status)) {
            assert_int_equal(target.form, ADIT_AT(cases, i).form);
        }
        assert_int_equal(target.is_https, ADIT_AT(cases, i).is_https);
        assert_bytes(target.authority, ADIT_AT(cases, i).authority);
        assert_bytes(target.origin, ADIT_AT(cases, i).origin);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(authorities),
        cmocka_unit_test(a_host_of_exactly_the_limit),
        cmocka_unit_test(targets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
