#include "net/pair.h"

#include "net/certificate.h"

#include "unit.h"

#define PEM_BYTES 4096

/* A certificate for tunnel.example and *.tunnel.example, and its key. */
struct files {
    struct adit_writer certificate, key;
    uint8_t certificate_memory[PEM_BYTES], key_memory[PEM_BYTES];
};

static void files_make(struct files *files, uint32_t days)
{
    const struct adit_certificate_options options = {.common_name = ADIT_BYTES("server"),
                                                     .domain = ADIT_BYTES("tunnel.example"),
                                                     .days = days};
    struct adit_certificate made = {0};
    files->certificate = adit_writer_of(ADIT_SPAN_OF(files->certificate_memory));
    files->key = adit_writer_of(ADIT_SPAN_OF(files->key_memory));
    assert_ok(adit_certificate_make(&options, &made));
    assert_ok(adit_certificate_write(&made, &files->certificate));
    assert_ok(adit_certificate_write_key(&made, &files->key));
    adit_certificate_drop(&made);
}

static void facts_are_told(void **state)
{
    (void)state;
    static const struct {
        uint32_t days;
        struct adit_bytes domain;
        struct adit_pair_facts facts;
    } cases[] = {
        {90, ADIT_BYTES_INIT("tunnel.example"), {.covers_names = true}},
        {90, ADIT_BYTES_INIT("other.example"), {0}},
        {90, ADIT_BYTES_INIT("a.tunnel.example"), {0}}, /* a wildcard is one label */
        {90, ADIT_BYTES_INIT("example"), {0}},
        {10, ADIT_BYTES_INIT("tunnel.example"), {.covers_names = true, .expires_soon = true}},
        {0, /* it ends now */
         ADIT_BYTES_INIT("tunnel.example"),
         {.covers_names = true, .is_expired = true, .expires_soon = true}},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        struct files files = {0};
        struct adit_pair_facts facts = {0};
        struct adit_pair_facts wanted = ADIT_AT(cases, i).facts;
        files_make(&files, ADIT_AT(cases, i).days);
        assert_ok(adit_pair_certificate_check(adit_writer_bytes(&files.certificate),
                                              ADIT_AT(cases, i).domain, &facts));
        assert_int_equal(facts.covers_names, wanted.covers_names);
        assert_int_equal(facts.is_early, wanted.is_early);
        assert_int_equal(facts.is_expired, wanted.is_expired);
        assert_int_equal(facts.expires_soon, wanted.expires_soon);
    }
}

static void pairs_are_checked(void **state)
{
    (void)state;
    struct files one = {0};
    struct files other = {0};
    struct adit_pair_facts facts = {.is_expired = true};
    files_make(&one, 90);
    files_make(&other, 90);
    struct adit_bytes certificate = adit_writer_bytes(&one.certificate);
    assert_ok(adit_pair_key_check(certificate, adit_writer_bytes(&one.key)));
    assert_fails(adit_pair_key_check(certificate, adit_writer_bytes(&other.key)), CRYPTO);
    assert_fails(adit_pair_key_check(certificate, certificate), CRYPTO);
    assert_fails(adit_pair_key_check(certificate, ADIT_BYTES("")), CRYPTO);
    static const struct adit_bytes bad[] = {
        ADIT_BYTES_INIT(""), ADIT_BYTES_INIT("no PEM"),
        ADIT_BYTES_INIT("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")};
    for (size_t i = 0; i < ADIT_COUNT(bad); i++) {
        assert_fails(adit_pair_certificate_check(ADIT_AT(bad, i), ADIT_BYTES("a.example"), &facts),
                     CRYPTO);
        assert_true(facts.is_expired); /* untouched */
    }
    assert_fails(adit_pair_certificate_check(adit_writer_bytes(&one.key), ADIT_BYTES("a.example"),
                                             &facts),
                 CRYPTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_are_told),
        cmocka_unit_test(pairs_are_checked),
    };
    return cmocka_run_group_tests_name("net/pair", tests, NULL, NULL);
}
