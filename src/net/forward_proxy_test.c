#include "net/forward_proxy.h"

#include <string.h>

#include "unit.h"

static void urls(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host; /* null: refused */
        uint16_t port;
        const char *basic;
    } rows[] = {
        {"http://proxy.test:3128", "proxy.test", 3128, ""},
        {"HTTP://proxy.test:3128/", "proxy.test", 3128, ""},
        {"proxy.test:8080", "proxy.test", 8080, ""},
        {"http://[::1]:8080", "::1", 8080, ""},
        {"http://Aladdin:open%20sesame@p:1", "p", 1, "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}, /* RFC 7617 */
        {"http://a:b@c@p:1", "p", 1, "YTpiQGM="},
        {"http://user@p:1", "p", 1, "dXNlcg=="},
        {"http://@p:1", "p", 1, ""},
        {"http://p", NULL, 0, ""},
        {"http://p:", NULL, 0, ""},
        {"http://p:0", NULL, 0, ""},
        {"http://:80", NULL, 0, ""},
        {"http://p:80/path", NULL, 0, ""},
        {"http://p q:80", NULL, 0, ""},
        {"http://p\r\n:80", NULL, 0, ""},
        {"http://a%2:b@p:80", NULL, 0, ""},
        {"http://a%zz:b@p:80", NULL, 0, ""},
        {"http://a%", NULL, 0, ""},
        {"https://p:80", NULL, 0, ""},
        {"socks5h://p:80", NULL, 0, ""},
        {"ftp://p:80", NULL, 0, ""},
        {"", NULL, 0, ""},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct adit_forward_proxy proxy = {0};
        struct adit_status status =
            adit_forward_proxy_parse(adit_bytes_of_text(ADIT_AT(rows, i).text), &proxy);
        assert_int_equal(adit_is_ok(status), ADIT_AT(rows, i).host != NULL);
        assert_bytes(ADIT_FIELD_BYTES(proxy.host), adit_bytes_of_text(ADIT_AT(rows, i).host));
        assert_int_equal(proxy.port, ADIT_AT(rows, i).port);
        assert_bytes(ADIT_FIELD_BYTES(proxy.basic), adit_bytes_of_text(ADIT_AT(rows, i).basic));
    }
}

static void refusals_say_what_is_wrong(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"socks5://p:1", "SOCKS"}, {"https://p:1", "over TLS"}, {"http://p:1/x", "path"}};
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct adit_forward_proxy proxy = {0};
        struct adit_status status =
            adit_forward_proxy_parse(adit_bytes_of_text(ADIT_AT(rows, i)[0]), &proxy);
        assert_non_null(strstr(adit_status_what(status), ADIT_AT(ADIT_AT(rows, i), 1)));
    }
}

static void a_long_password_is_refused(void **state)
{
    (void)state;
    uint8_t text[512] = {0};
    struct adit_writer url = adit_writer_of(ADIT_SPAN_OF(text));
    struct adit_forward_proxy proxy = {0};
    assert_ok(adit_write_bytes(&url, ADIT_BYTES("http://u:")));
    for (size_t i = 0; i < ADIT_FORWARD_PROXY_SECRET_MAX - 2; i++) {
        assert_ok(adit_write_u8(&url, 'x'));
    }
    struct adit_writer longer = url;
    assert_ok(adit_write_bytes(&url, ADIT_BYTES("@p:1")));
    assert_ok(adit_forward_proxy_parse(adit_writer_bytes(&url), &proxy));
    assert_int_equal(proxy.basic.len, ADIT_FORWARD_PROXY_BASIC_MAX);
    assert_ok(adit_write_bytes(&longer, ADIT_BYTES("x@p:1")));
    assert_fails(adit_forward_proxy_parse(adit_writer_bytes(&longer), &proxy), INVALID);
}

static void exceptions(void **state)
{
    (void)state;
    static const struct {
        const char *list, *host;
        bool is_bypassed;
    } rows[] = {
        {"", "connect.adit.test", false},
        {"", "localhost", true},
        {"", "connect.adit.localhost", true},
        {"", "127.0.0.5", true},
        {"", "::1", true},
        {"*", "a.test", true},
        {"a.test", "a.test", true},
        {"A.Test", "a.tEST", true},
        {"a.test.", "a.test", true},
        {"a.test", "a.test.", true},
        {"a.test", "b.a.test", true},
        {".a.test", "b.a.test", true},
        {".a.test", "a.test", true},
        {"a.test", "ba.test", false},
        {"b.a.test", "a.test", false},
        {"x, a.test", "a.test", true},
        {"x a.test", "a.test", true},
        {",,", "a.test", false},
        {".", "a.test", false},
        {"10.1.2.3", "10.1.2.3", true},
        {"10.1.2.3", "10.1.2.33", false},
        {"2.3", "10.1.2.3", true}, /* as with names; nobody writes that */
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        assert_int_equal(adit_forward_proxy_is_bypassed(adit_bytes_of_text(ADIT_AT(rows, i).list),
                                                        adit_bytes_of_text(ADIT_AT(rows, i).host)),
                         ADIT_AT(rows, i).is_bypassed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls),
        cmocka_unit_test(refusals_say_what_is_wrong),
        cmocka_unit_test(a_long_password_is_refused),
        cmocka_unit_test(exceptions),
    };
    return cmocka_run_group_tests_name("net/forward_proxy", tests, NULL, NULL);
}
