#include "net/certificate.h"

#define SERIAL_BYTES 16
#define DOMAIN_BYTES_MAX 253
#define HOUR_S 3600
#define DAY_S 86400

/* --- Reading and writing PEM ----------------------------------------------------------------- */

struct adit_status adit_certificate_bio(struct adit_bytes bytes, BIO **out_bio)
{
    ADIT_ENSURE(bytes.len <= INT32_MAX, LIMIT, "PEM of an odd size");
    BIO *bio = BIO_new_mem_buf(bytes.len > 0 ? bytes.ptr : ADIT_BYTES(" ").ptr,
                               bytes.len > 0 ? (int)bytes.len : 1);
    ADIT_ENSURE(bio, MEMORY, "BIO_new_mem_buf");
    *out_bio = bio;
    return adit_ok();
}

/* Without this the library would ask at the terminal. */
static int no_password(char *buffer, int size, int is_writing, void *context)
{
    (void)buffer;
    (void)size;
    (void)is_writing;
    (void)context;
    return -1;
}

struct adit_status adit_certificate_next(OSSL_LIB_CTX *library, BIO *pem, X509 **out_x509)
{
    X509 *x509 = X509_new_ex(library, NULL);
    ADIT_ENSURE(x509, MEMORY, "X509_new");
    ERR_clear_error();
    if (!PEM_read_bio_X509(pem, &x509, no_password, NULL)) {
        X509_free(x509);
        if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
            ADIT_CRYPTO_FAIL("a certificate does not parse");
        }
        ERR_clear_error();
        x509 = NULL;
    }
    *out_x509 = x509;
    return adit_ok();
}

struct adit_status adit_certificate_key_parse(OSSL_LIB_CTX *library, struct adit_bytes pem,
                                              EVP_PKEY **out_key)
{
    BIO *bio = NULL;
    ADIT_TRY(adit_certificate_bio(pem, &bio));
    EVP_PKEY *key = PEM_read_bio_PrivateKey_ex(bio, NULL, no_password, NULL, library, NULL);
    BIO_free(bio);
    if (!key) {
        ADIT_CRYPTO_FAIL("a private key does not parse (keys with a password are not supported)");
    }
    *out_key = key;
    return adit_ok();
}

struct adit_status adit_certificate_read(OSSL_LIB_CTX *library, struct adit_bytes pem,
                                         struct adit_bytes key_pem,
                                         struct adit_certificate *out_certificate)
{
    struct adit_certificate made = {0};
    BIO *bio = NULL;
    ADIT_TRY(adit_certificate_bio(pem, &bio));
    struct adit_status status = adit_certificate_next(library, bio, &made.x509);
    BIO_free(bio);
    ADIT_TRY(status);
    ADIT_ENSURE(made.x509, CRYPTO, "no certificate in the file");
    status = adit_certificate_key_parse(library, key_pem, &made.key);
    if (!adit_is_ok(status)) {
        adit_certificate_drop(&made);
        return status;
    }
    if (X509_check_private_key(made.x509, made.key) != 1) {
        adit_certificate_drop(&made);
        ADIT_CRYPTO_FAIL("the private key does not belong to the certificate");
    }
    *out_certificate = made;
    return adit_ok();
}

static struct adit_status bio_drain(BIO *bio, struct adit_writer *writer)
{
    struct adit_span hole = {0};
    size_t len = BIO_ctrl_pending(bio);
    ADIT_TRY(adit_write_reserve(writer, len, &hole));
    size_t got = 0;
    ADIT_ENSURE(BIO_read_ex(bio, hole.ptr, hole.len, &got) == 1 && got == len, CRYPTO, "BIO_read");
    return adit_ok();
}

struct adit_status adit_certificate_write(const struct adit_certificate *certificate,
                                          struct adit_writer *writer)
{
    BIO *bio = BIO_new(BIO_s_mem());
    ADIT_ENSURE(bio, MEMORY, "BIO_new");
    struct adit_status status = adit_ok();
    bool is_written = PEM_write_bio_X509(bio, certificate->x509) == 1;
    if (is_written) {
        status = bio_drain(bio, writer);
    }
    BIO_free(bio);
    if (!is_written) {
        ADIT_CRYPTO_FAIL("PEM_write_bio_X509");
    }
    return status;
}

struct adit_status adit_certificate_write_key(const struct adit_certificate *certificate,
                                              struct adit_writer *writer)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    ADIT_ENSURE(bio, MEMORY, "BIO_new");
    struct adit_status status = adit_ok();
    bool is_written =
        PEM_write_bio_PKCS8PrivateKey(bio, certificate->key, NULL, NULL, 0, NULL, NULL) == 1;
    if (is_written) {
        status = bio_drain(bio, writer);
    }
    BIO_free(bio);
    if (!is_written) {
        ADIT_CRYPTO_FAIL("PEM_write_bio_PKCS8PrivateKey");
    }
    return status;
}

void adit_certificate_drop(struct adit_certificate *certificate)
{
    X509_free(certificate->x509);
    EVP_PKEY_free(certificate->key);
    *certificate = (struct adit_certificate){0};
}

/* --- Making ---------------------------------------------------------------------------------- */

/* The domain becomes part of a text that the library parses: nothing but names may come through. */
static bool domain_is_plain(struct adit_bytes domain)
{
    for (size_t i = 0; i < domain.len; i++) {
        uint8_t c = adit_bytes_at(domain, i);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.')) {
            return false;
        }
    }
    return domain.len <= DOMAIN_BYTES_MAX;
}

static struct adit_status serial_set(X509 *x509)
{
    uint8_t bytes[SERIAL_BYTES];
    ADIT_TRY(adit_random_fill(ADIT_SPAN_OF(bytes)));
    ADIT_AT(bytes, 0) = (uint8_t)((ADIT_AT(bytes, 0) & 0x3f) | 0x40); /* positive, all the bytes */
    BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    bool is_set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509));
    BN_free(number);
    if (!is_set) {
        ADIT_CRYPTO_FAIL("serial number");
    }
    return adit_ok();
}

static struct adit_status extension_add(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context = {0};
    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_nconf_nid(NULL, &context, nid, value);
    bool is_added = extension && X509_add_ext(x509, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    if (!is_added) {
        ADIT_CRYPTO_FAIL("certificate extension");
    }
    return adit_ok();
}

/* An extension whose text names the domain: first, domain, middle, domain, last. */
struct named_extension {
    int nid;
    struct adit_bytes before, between, after, always;
};

static struct adit_status named_extension_add(X509 *x509, struct adit_bytes domain,
                                              const struct named_extension *extension)
{
    char text[2 * DOMAIN_BYTES_MAX + 256] = {0};
    struct adit_writer writer =
        adit_writer_of(adit_span_first(ADIT_OBJECT_SPAN(text), sizeof(text) - 1));
    if (domain.len > 0) {
        ADIT_TRY(adit_write_bytes(&writer, extension->before));
        ADIT_TRY(adit_write_bytes(&writer, domain));
        if (extension->between.len > 0) {
            ADIT_TRY(adit_write_bytes(&writer, extension->between));
            ADIT_TRY(adit_write_bytes(&writer, domain));
        }
        ADIT_TRY(adit_write_bytes(&writer, extension->after));
    }
    ADIT_TRY(adit_write_bytes(&writer, extension->always));
    return extension_add(x509, x509, extension->nid, text);
}

/* A stolen CA key can sign for the domain and for loopback, not for a bank. */
static struct adit_status authority_extensions_add(X509 *x509, struct adit_bytes domain)
{
    static const struct named_extension constraints = {
        .nid = NID_name_constraints,
        .before = ADIT_BYTES_INIT("permitted;DNS:"),
        .after = ADIT_BYTES_INIT(","),
        .always = ADIT_BYTES_INIT(
            "permitted;DNS:localhost,permitted;IP:127.0.0.0/255.0.0.0,"
            "permitted;IP:0:0:0:0:0:0:0:1/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")};
    ADIT_TRY(extension_add(x509, x509, NID_basic_constraints, "critical,CA:TRUE,pathlen:0"));
    ADIT_TRY(extension_add(x509, x509, NID_key_usage, "critical,keyCertSign,cRLSign"));
    ADIT_TRY(extension_add(x509, x509, NID_subject_key_identifier, "hash"));
    return named_extension_add(x509, domain, &constraints);
}

static struct adit_status server_extensions_add(X509 *x509, X509 *issuer, struct adit_bytes domain)
{
    static const struct named_extension names = {
        .nid = NID_subject_alt_name,
        .before = ADIT_BYTES_INIT("DNS:"),
        .between = ADIT_BYTES_INIT(",DNS:*."),
        .after = ADIT_BYTES_INIT(","),
        .always = ADIT_BYTES_INIT("DNS:localhost,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1")};
    ADIT_TRY(extension_add(x509, issuer, NID_basic_constraints, "critical,CA:FALSE"));
    ADIT_TRY(extension_add(x509, issuer, NID_key_usage, "critical,digitalSignature"));
    ADIT_TRY(extension_add(x509, issuer, NID_ext_key_usage, "serverAuth"));
    ADIT_TRY(extension_add(x509, issuer, NID_subject_key_identifier, "hash"));
    if (issuer != x509) {
        ADIT_TRY(extension_add(x509, issuer, NID_authority_key_identifier, "keyid:always"));
    }
    return named_extension_add(x509, domain, &names);
}

static struct adit_status certificate_fill(struct adit_certificate *made,
                                           const struct adit_certificate_options *options)
{
    X509 *x509 = made->x509;
    X509 *issuer = options->issuer ? options->issuer->x509 : x509;
    EVP_PKEY *signer = options->issuer ? options->issuer->key : made->key;
    X509_NAME *name = X509_get_subject_name(x509);
    long life_s = (long)options->days * DAY_S;
    bool is_set =
        X509_set_version(x509, X509_VERSION_3) == 1 &&
        X509_NAME_add_entry_by_NID(name, NID_organizationName, MBSTRING_UTF8,
                                   ADIT_BYTES("Adit").ptr, 4, -1, 0) == 1 &&
        X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, options->common_name.ptr,
                                   (int)options->common_name.len, -1, 0) == 1 &&
        X509_set_issuer_name(x509, X509_get_subject_name(issuer)) == 1 &&
        X509_gmtime_adj(X509_getm_notBefore(x509), -HOUR_S) &&
        X509_gmtime_adj(X509_getm_notAfter(x509), life_s) && X509_set_pubkey(x509, made->key) == 1;
    if (!is_set) {
        ADIT_CRYPTO_FAIL("certificate fields");
    }
    ADIT_TRY(serial_set(x509));
    if (options->is_authority) {
        ADIT_TRY(authority_extensions_add(x509, options->domain));
    } else {
        ADIT_TRY(server_extensions_add(x509, issuer, options->domain));
    }
    if (X509_sign(x509, signer, EVP_sha256()) <= 0) {
        ADIT_CRYPTO_FAIL("X509_sign");
    }
    return adit_ok();
}

struct adit_status adit_certificate_make(const struct adit_certificate_options *options,
                                         struct adit_certificate *out_certificate)
{
    ADIT_ENSURE(domain_is_plain(options->domain), INVALID,
                "a domain is lower-case letters, digits, '-' and '.'");
    ADIT_ENSURE(options->common_name.len > 0 && options->common_name.len <= 64, INVALID,
                "a common name has 1 to 64 bytes");
    struct adit_certificate made = {
        .x509 = X509_new_ex(options->library, NULL),
        .key = EVP_PKEY_Q_keygen(options->library, NULL, "EC", "P-256"),
    };
    if (!made.x509 || !made.key) {
        adit_certificate_drop(&made);
        ADIT_CRYPTO_FAIL("key generation");
    }
    struct adit_status status = certificate_fill(&made, options);
    if (!adit_is_ok(status)) {
        adit_certificate_drop(&made);
        return status;
    }
    *out_certificate = made;
    return adit_ok();
}
