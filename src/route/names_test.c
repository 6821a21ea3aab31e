#include "route/names.h"

#include "calloc_fails.h"
#include "unit.h"

static void reserved_names(void **state)
{
    (void)state;
    const struct adit_bytes taken[] = {
        ADIT_BYTES("www"), ADIT_BYTES("api"), ADIT_BYTES("admin"), ADIT_BYTES("dashboard"),
        ADIT_BYTES("status"), ADIT_BYTES("mail"), ADIT_BYTES("smtp"), ADIT_BYTES("imap"),
        ADIT_BYTES("autodiscover"), ADIT_BYTES("autoconfig"), ADIT_BYTES("wpad"),
        ADIT_BYTES("isatap"), ADIT_BYTES("localhost"), ADIT_BYTES("broadcasthost"),
        ADIT_BYTES("ns1"), ADIT_BYTES("mta-sts"), ADIT_BYTES("_acme-challenge"),
        ADIT_BYTES("_domainkey"), ADIT_BYTES("postmaster"), ADIT_BYTES("abuse"),
        ADIT_BYTES("security"), ADIT_BYTES("billing"), ADIT_BYTES("login"),
        /* the same families */
        ADIT_BYTES("dash"), ADIT_BYTES("connect"), ADIT_BYTES("hostmaster"), ADIT_BYTES("noc"),
        ADIT_BYTES("webmaster"), ADIT_BYTES("_dmarc"), ADIT_BYTES("_"), ADIT_BYTES("ns"),
        ADIT_BYTES("ns12345678"), ADIT_BYTES("mx-1"), ADIT_BYTES("pop3"), ADIT_BYTES("www2"),
        ADIT_BYTES("log-in"), ADIT_BYTES("sign-up"), ADIT_BYTES("l0gin"), ADIT_BYTES("log1n"),
        ADIT_BYTES("bi11ing"), ADIT_BYTES("b1lling"), ADIT_BYTES("m4il"), ADIT_BYTES("mai1"),
        ADIT_BYTES("pa55word"), ADIT_BYTES("s-t-a-t-u-s"), ADIT_BYTES("auto-discover-2"),
        ADIT_BYTES("acc0unt5"), ADIT_BYTES("ssladmin"), ADIT_BYTES("mailer-daemon"),
    };
    const struct adit_bytes fine[] = {
        ADIT_BYTES(""), ADIT_BYTES("shop"), ADIT_BYTES("my-api"), ADIT_BYTES("demo-2"),
        ADIT_BYTES("calm-otter-482"), ADIT_BYTES("wwww"), ADIT_BYTES("mall"), ADIT_BYTES("n1"),
        ADIT_BYTES("loginpage"), ADIT_BYTES("12345"), ADIT_BYTES("a"), ADIT_BYTES("blog"),
        ADIT_BYTES("-"), ADIT_BYTES("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
    };
    for (size_t i = 0; i < ADIT_COUNT(taken); i++) {
        if (!adit_name_is_reserved(ADIT_AT(taken, i))) {
            fail_msg("not reserved: %.*s", (int)ADIT_AT(taken, i).len,
                     (const char *)ADIT_AT(taken, i).ptr);
        }
    }
    for (size_t i = 0; i < ADIT_COUNT(fine); i++) {
        if (adit_name_is_reserved(ADIT_AT(fine, i))) {
            fail_msg("reserved: %.*s", (int)ADIT_AT(fine, i).len,
                     (const char *)ADIT_AT(fine, i).ptr);
        }
    }
}

/* Every draw is a name that may be claimed; drawing again gives another, the same way each time. It
 * takes no memory. */
static void drawn_names(void **state)
{
    (void)state;
    uint32_t alike = 0;
    calloc_fails_after(0);
    for (uint64_t seed = 0; seed < 2000; seed++) {
        struct adit_name_text first = {0};
        struct adit_name_text again = {0};
        struct adit_name_text next = {0};
        adit_name_draw(seed, 0, &first);
        adit_name_draw(seed, 0, &again);
        adit_name_draw(seed, 1, &next);
        assert_true(adit_name_is_valid(ADIT_FIELD_BYTES(first.text)));
        assert_false(adit_name_is_reserved(ADIT_FIELD_BYTES(first.text)));
        assert_true(first.text.len >= 9 && first.text.len <= 17);
        assert_bytes(ADIT_FIELD_BYTES(first.text), ADIT_FIELD_BYTES(again.text));
        alike += adit_bytes_equal(ADIT_FIELD_BYTES(first.text), ADIT_FIELD_BYTES(next.text));
    }
    calloc_works();
    assert_int_equal(alike, 0);
}

/* What agents have been given must stay theirs: the same seed gives the same name tomorrow. */
static void names_do_not_change_between_releases(void **state)
{
    (void)state;
    struct adit_name_text name = {0};
    adit_name_draw(0, 0, &name);
    assert_bytes(ADIT_FIELD_BYTES(name.text), ADIT_BYTES("quaint-quartz-349"));
    adit_name_draw(UINT64_MAX, UINT32_MAX, &name);
    assert_bytes(ADIT_FIELD_BYTES(name.text), ADIT_BYTES("twin-barley-234"));
}

static void labels_of_hosts(void **state)
{
    (void)state;
    const struct {
        struct adit_bytes host, domain, label;
    } rows[] = {
        {ADIT_BYTES("shop.adit.localhost"), ADIT_BYTES("adit.localhost"), ADIT_BYTES("shop")},
        {ADIT_BYTES("a.b"), ADIT_BYTES("b"), ADIT_BYTES("a")},
        {ADIT_BYTES("adit.localhost"), ADIT_BYTES("adit.localhost"), ADIT_BYTES("")},
        {ADIT_BYTES(".adit.localhost"), ADIT_BYTES("adit.localhost"), ADIT_BYTES("")},
        {ADIT_BYTES("a.shop.adit.localhost"), ADIT_BYTES("adit.localhost"), ADIT_BYTES("")},
        {ADIT_BYTES("shopadit.localhost"), ADIT_BYTES("adit.localhost"), ADIT_BYTES("")},
        {ADIT_BYTES("shop-adit.localhost"), ADIT_BYTES("adit.localhost"), ADIT_BYTES("")},
        {ADIT_BYTES("shop.adit.localhost.evil.test"), ADIT_BYTES("adit.localhost"),
         ADIT_BYTES("")},
        {ADIT_BYTES("localhost"), ADIT_BYTES("adit.localhost"), ADIT_BYTES("")},
        {ADIT_BYTES(""), ADIT_BYTES("adit.localhost"), ADIT_BYTES("")},
        {ADIT_BYTES("shop."), ADIT_BYTES(""), ADIT_BYTES("")},
        {ADIT_BYTES("shop"), ADIT_BYTES(""), ADIT_BYTES("")},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        assert_bytes(adit_name_of_host(ADIT_AT(rows, i).host, ADIT_AT(rows, i).domain),
                     ADIT_AT(rows, i).label);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reserved_names),
        cmocka_unit_test(drawn_names),
        cmocka_unit_test(names_do_not_change_between_releases),
        cmocka_unit_test(labels_of_hosts),
    };
    return cmocka_run_group_tests_name("route/names", tests, NULL, NULL);
}
