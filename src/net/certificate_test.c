#include "net/certificate.h"

#include "unit.h"

static const struct adit_certificate_options authority_options = {
    .common_name = ADIT_BYTES_INIT("CA"),
    .domain = ADIT_BYTES_INIT("adit.localhost"),
    .is_authority = true,
    .days = 3650,
};

static struct adit_certificate make(const struct adit_certificate *issuer, const char *domain)
{
    const struct adit_certificate_options options = {
        .common_name = ADIT_BYTES_INIT("server"),
        .domain = adit_bytes_of_text(domain),
        .issuer = issuer,
        .days = 90,
    };
    struct adit_certificate made = {0};
    assert_ok(adit_certificate_make(&options, &made));
    return made;
}

/* X509_V_OK, or why not. */
static int verify(const struct adit_certificate *root, const struct adit_certificate *leaf,
                  const char *host, const char *ip)
{
    X509_STORE *store = X509_STORE_new();
    assert_int_equal(X509_STORE_add_cert(store, root->x509), 1);
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    assert_int_equal(X509_STORE_CTX_init(context, store, leaf->x509, NULL), 1);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
    if (host) {
        X509_VERIFY_PARAM_set1_host(param, host, 0);
    }
    if (ip) {
        X509_VERIFY_PARAM_set1_ip_asc(param, ip);
    }
    X509_verify_cert(context);
    int code = X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return code;
}

static void names_and_trust(void **state)
{
    (void)state;
    struct adit_certificate root = {0};
    struct adit_certificate stranger = {0};
    assert_ok(adit_certificate_make(&authority_options, &root));
    assert_ok(adit_certificate_make(&authority_options, &stranger));
    struct adit_certificate leaf = make(&root, "adit.localhost");
    struct {
        const char *host, *ip;
        int code;
    } rows[] = {
        {"adit.localhost", NULL, X509_V_OK},
        {"calm-otter-17.adit.localhost", NULL, X509_V_OK},
        {"localhost", NULL, X509_V_OK},
        {NULL, "127.0.0.1", X509_V_OK},
        {NULL, "::1", X509_V_OK},
        {NULL, "127.0.0.2", X509_V_ERR_IP_ADDRESS_MISMATCH},
        {"a.b.adit.localhost", NULL, X509_V_ERR_HOSTNAME_MISMATCH},
        {"adit.example", NULL, X509_V_ERR_HOSTNAME_MISMATCH},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        assert_int_equal(verify(&root, &leaf, ADIT_AT(rows, i).host, ADIT_AT(rows, i).ip),
                         ADIT_AT(rows, i).code);
    }
    assert_int_equal(verify(&stranger, &leaf, NULL, NULL),
                     X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    /* The authority may not speak for other names. */
    struct adit_certificate bank = make(&root, "bank.example");
    assert_int_equal(verify(&root, &bank, "bank.example", NULL), X509_V_ERR_PERMITTED_VIOLATION);
    struct adit_certificate alone = make(NULL, "");
    assert_int_equal(verify(&alone, &alone, "localhost", NULL), X509_V_OK);
    adit_certificate_drop(&alone);
    adit_certificate_drop(&bank);
    adit_certificate_drop(&leaf);
    adit_certificate_drop(&root);
    adit_certificate_drop(&stranger);
}

static void text_and_back(void **state)
{
    (void)state;
    struct adit_certificate made = make(NULL, "adit.localhost");
    struct adit_certificate other = make(NULL, "adit.localhost");
    static uint8_t pem_room[8192];
    static uint8_t key_room[8192];
    static uint8_t other_room[8192];
    struct adit_writer pem = adit_writer_of(ADIT_SPAN_OF(pem_room));
    struct adit_writer key = adit_writer_of(ADIT_SPAN_OF(key_room));
    struct adit_writer other_key = adit_writer_of(ADIT_SPAN_OF(other_room));
    assert_ok(adit_certificate_write(&made, &pem));
    assert_ok(adit_certificate_write_key(&made, &key));
    assert_ok(adit_certificate_write_key(&other, &other_key));
    struct adit_certificate back = {0};
    assert_ok(adit_certificate_read(NULL, adit_writer_bytes(&pem), adit_writer_bytes(&key), &back));
    assert_int_equal(X509_cmp(made.x509, back.x509), 0);
    adit_certificate_drop(&back);
    struct adit_bytes cut = adit_bytes_first(adit_writer_bytes(&pem), pem.len / 2);
    struct {
        struct adit_bytes pem, key;
    } bad[] = {
        {adit_writer_bytes(&pem), adit_writer_bytes(&other_key)},
        {adit_writer_bytes(&key), adit_writer_bytes(&pem)},
        {cut, adit_writer_bytes(&key)},
        {adit_writer_bytes(&pem), {0}},
        {{0}, adit_writer_bytes(&key)},
        {adit_writer_bytes(&pem), ADIT_BYTES_INIT("-----BEGIN PRIVATE KEY-----\nAAAA\n")},
    };
    for (size_t i = 0; i < ADIT_COUNT(bad); i++) {
        assert_fails(adit_certificate_read(NULL, ADIT_AT(bad, i).pem, ADIT_AT(bad, i).key, &back),
                     CRYPTO);
        assert_null(back.x509);
        assert_int_equal(ERR_peek_error(), 0);
    }
    uint8_t small[100];
    struct adit_writer tight = adit_writer_of(ADIT_SPAN_OF(small));
    assert_fails(adit_certificate_write(&made, &tight), LIMIT);
    adit_certificate_drop(&made);
    adit_certificate_drop(&other);
}

static void odd_domains_are_refused(void **state)
{
    (void)state;
    const char *domains[] = {"a,DNS:b", "A.example", "a b", "a\n", "*.example", "a;b", "\xc3\xa9"};
    for (size_t i = 0; i < ADIT_COUNT(domains); i++) {
        struct adit_certificate_options options = authority_options;
        options.domain = adit_bytes_of_text(ADIT_AT(domains, i));
        struct adit_certificate made = {0};
        assert_fails(adit_certificate_make(&options, &made), INVALID);
        assert_null(made.x509);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_trust),
        cmocka_unit_test(text_and_back),
        cmocka_unit_test(odd_domains_are_refused),
    };
    return cmocka_run_group_tests_name("net/certificate", tests, NULL, NULL);
}
