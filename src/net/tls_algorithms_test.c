/* Whether an agent has all the algorithms that it needs, and no others. */
#include "net/tls_algorithms.h"

#include "tls_harness.h"

static struct adit_tls_context *client_open(const struct tls_ends *ends)
{
    struct adit_tls_context *made = NULL;
    struct adit_tls_client_options options = tls_client_options(ends);
    assert_ok(adit_tls_client_open(&options, &made));
    return made;
}

static void no_others(void **state)
{
    (void)state;
    struct tls_ends ends;
    tls_ends_open(&ends);
    OSSL_LIB_CTX *library = ends.client_context->library;
    assert_int_equal(ends.client_context->algorithms.held != NULL, adit_tls_algorithms_are_few());
    EVP_MD *digest = EVP_MD_fetch(library, "SHA256", NULL);
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(library, "CHACHA20-POLY1305", NULL);
    assert_non_null(digest);
    assert_non_null(cipher);
    EVP_MD_free(digest);
    EVP_CIPHER_free(cipher);
    if (adit_tls_algorithms_are_few()) {
        assert_null(EVP_MD_fetch(library, "MD5", NULL));
        assert_null(EVP_CIPHER_fetch(library, "AES-128-CBC", NULL));
        assert_null(EVP_KEYEXCH_fetch(library, "DH", NULL));
        assert_null(EVP_SIGNATURE_fetch(library, "DSA", NULL));
        assert_null(EVP_KDF_fetch(library, "SCRYPT", NULL));
        assert_null(EVP_ASYM_CIPHER_fetch(library, "RSA", NULL));
    }
    ERR_clear_error();
    tls_ends_connect(&ends);
    tls_ends_close(&ends);
}

static void contexts_do_not_need_each_other(void **state)
{
    (void)state;
    struct tls_ends ends;
    tls_ends_open(&ends);
    struct adit_tls_context *second = client_open(&ends);
    struct adit_tls_context *third = client_open(&ends);
    adit_tls_close(&ends.client);
    adit_tls_context_close(&ends.client_context);
    ends.client_context = second;
    assert_ok(adit_tls_open(second, &ends.pool, TLS_QUEUE_BYTES,
                            ADIT_BYTES("connect.adit.localhost"), &ends.client));
    adit_tls_context_close(&third);
    tls_ends_connect(&ends);
    tls_ends_close(&ends);
}

/* What a context of ours leaves of the thread's own library context: all. */
static void the_thread_keeps_its_library(void **state)
{
    (void)state;
    struct tls_ends ends;
    tls_ends_open(&ends);
    assert_ptr_equal(OSSL_LIB_CTX_set0_default(NULL), OSSL_LIB_CTX_get0_global_default());
    EVP_MD *digest = EVP_MD_fetch(NULL, "MD5", NULL);
    assert_non_null(digest);
    EVP_MD_free(digest);
    tls_ends_close(&ends);
}

/* --- Kinds of certificates ------------------------------------------------------------------- */

struct kind {
    const char *name;
    const char *group;  /* of EC: null else */
    const char *digest; /* null: the algorithm's own */
};

static EVP_PKEY *key_make(const struct kind *kind)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind->name, NULL);
    assert_non_null(ctx);
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    if (kind->group) {
        assert_int_equal(EVP_PKEY_CTX_set_group_name(ctx, kind->group), 1);
    }
    assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static X509 *certificate_make(const struct kind *kind, EVP_PKEY *key)
{
    const unsigned char name[] = "adit.localhost";
    X509 *x509 = X509_new();
    X509_EXTENSION *names =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:*.adit.localhost");
    assert_non_null(names);
    X509_NAME *subject = X509_get_subject_name(x509);
    assert_int_equal(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, name, -1, -1, 0), 1);
    assert_int_equal(X509_set_issuer_name(x509, subject), 1);
    assert_int_equal(X509_set_version(x509, 2), 1);
    assert_int_equal(X509_add_ext(x509, names, -1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x509), -60));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x509), 3600));
    assert_int_equal(X509_set_pubkey(x509, key), 1);
    const EVP_MD *digest = kind->digest ? EVP_get_digestbyname(kind->digest) : NULL;
    assert_true(X509_sign(x509, key, digest) > 0);
    X509_EXTENSION_free(names);
    return x509;
}

static void take(BIO *bio, struct adit_span room, struct adit_writer *out)
{
    size_t count = 0;
    assert_int_equal(BIO_read_ex(bio, room.ptr, room.len, &count), 1);
    *out = adit_writer_of(room);
    out->len = count;
    BIO_free(bio);
}

static void credentials_of(const struct kind *kind, struct tls_credentials *made)
{
    EVP_PKEY *key = key_make(kind);
    X509 *x509 = certificate_make(kind, key);
    BIO *pem = BIO_new(BIO_s_mem());
    BIO *text = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(pem, x509), 1);
    assert_int_equal(PEM_write_bio_PrivateKey(text, key, NULL, NULL, 0, NULL, NULL), 1);
    take(pem, ADIT_SPAN_OF(made->pem_room), &made->pem);
    take(text, ADIT_SPAN_OF(made->key_room), &made->key);
    made->roots = made->pem;
    X509_free(x509);
    EVP_PKEY_free(key);
}

static void certificates_of_each_kind_verify(void **state)
{
    (void)state;
    const struct kind kinds[] = {
        {"RSA", NULL, "SHA256"},     {"RSA", NULL, "SHA384"},      {"RSA", NULL, "SHA512"},
        {"RSA-PSS", NULL, "SHA256"}, {"EC", "P-256", "SHA256"},    {"EC", "P-384", "SHA384"},
        {"EC", "P-521", "SHA512"},   {"ED25519", NULL, NULL},      {"ED448", NULL, NULL},
    };
    for (size_t i = 0; i < ADIT_COUNT(kinds); i++) {
        struct tls_ends ends = {0};
        adit_chunk_pool_init(&ends.pool, 128, 4);
        credentials_of(&ADIT_AT(kinds, i), &ends.credentials);
        tls_contexts_open(&ends);
        tls_connections_open(&ends, "connect.adit.localhost");
        tls_ends_connect(&ends);
        assert_int_equal(adit_tls_verify_error(ends.client).len, 0);
        tls_ends_close(&ends);
    }
}

/* As many keys as with all algorithms there are. */
static size_t keys_of_system(OSSL_LIB_CTX *library)
{
    size_t count = 0;
    BIO *bundle = BIO_new_file("/etc/ssl/certs/ca-certificates.crt", "r");
    X509 *x509 = NULL;
    while (bundle && adit_is_ok(adit_certificate_next(library, bundle, &x509)) && x509) {
        count += X509_get0_pubkey(x509) ? 1 : 0;
        X509_free(x509);
    }
    BIO_free(bundle);
    ERR_clear_error();
    return count;
}

static void roots_of_the_system_are_read(void **state)
{
    (void)state;
    struct tls_ends ends;
    tls_ends_open(&ends);
    assert_int_equal(keys_of_system(ends.client_context->library), keys_of_system(NULL));
    tls_ends_close(&ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_others),
        cmocka_unit_test(contexts_do_not_need_each_other),
        cmocka_unit_test(the_thread_keeps_its_library),
        cmocka_unit_test(certificates_of_each_kind_verify),
        cmocka_unit_test(roots_of_the_system_are_read),
    };
    return cmocka_run_group_tests_name("net/tls_algorithms", tests, NULL, NULL);
}
