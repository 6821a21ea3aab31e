#include "net/certificate.h"
#include "net/tls_private.h"

#define CHAIN_MAX 10      /* certificates of a server, leaf included */
#define ROOTS_MAX 1000    /* trusted certificates in one file */
#define PEER_CHAIN_BYTES_MAX 65536
#define BIO_TYPE_ADIT (BIO_TYPE_SOURCE_SINK | 0x7e)

/* Where systems keep the bundle of trusted roots: one file, so nothing is opened later. */
static const char *const system_roots[] = {
    "/etc/ssl/certs/ca-certificates.crt", /* Debian, Ubuntu, Arch, Alpine */
    "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, RHEL */
    "/etc/ssl/ca-bundle.pem",             /* openSUSE */
    "/etc/ssl/cert.pem",                  /* Alpine, BSD, macOS */
};

/* --- Callbacks ------------------------------------------------------------------------------- */

/* The wanted one of a ClientHello's protocols (RFC 7301 section 3.1), or empty. */
static struct adit_bytes alpn_find(struct adit_bytes offered, struct adit_bytes wanted)
{
    struct adit_reader reader = adit_reader_of(offered);
    uint8_t len = 0;
    struct adit_bytes name = {0};
    while (adit_is_ok(adit_read_u8(&reader, &len)) &&
           adit_is_ok(adit_read_bytes(&reader, len, &name))) {
        if (adit_bytes_equal(name, wanted)) {
            return name;
        }
    }
    return (struct adit_bytes){0};
}

static int on_alpn(/* ADIT_ALLOW(parameters, "OpenSSL's") */
                   SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *offered, unsigned int offered_len, void *argument)
{
    (void)ssl;
    const struct adit_tls_context *context = argument;
    const struct adit_bytes all = {.ptr = offered, .len = offered_len};
    struct adit_bytes name = alpn_find(all, adit_tls_context_alpn(context));
    if (name.len == 0 && context->is_visitor) {
        name = alpn_find(all, ADIT_BYTES("http/1.0"));
    }
    if (name.len == 0) {
        return SSL_TLSEXT_ERR_ALERT_FATAL; /* no_application_protocol */
    }
    *out = name.ptr;
    *out_len = (unsigned char)name.len;
    return SSL_TLSEXT_ERR_OK;
}

/* True where the client's supported_versions (RFC 8446 section 4.2.1) name TLS 1.3. */
static bool hello_offers_tls13(SSL *ssl)
{
    const unsigned char *list = NULL;
    size_t list_len = 0;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_supported_versions, &list, &list_len) != 1) {
        return false;
    }
    struct adit_reader reader = adit_reader_of((struct adit_bytes){.ptr = list, .len = list_len});
    uint8_t len = 0;
    uint16_t version = 0;
    if (!adit_is_ok(adit_read_u8(&reader, &len))) {
        return false;
    }
    while (adit_is_ok(adit_read_u16(&reader, &version))) {
        if (version == TLS1_3_VERSION) {
            return true;
        }
    }
    return false;
}

/* A client that names no protocol at all is refused like one that names a wrong one. One that has
 * no TLS 1.3 goes on to OpenSSL's own refusal, protocol_version, which tells its owner more. */
static int on_client_hello(SSL *ssl, int *out_alert, void *argument)
{
    (void)argument;
    const unsigned char *offered = NULL;
    size_t offered_len = 0;
    if (hello_offers_tls13(ssl) &&
        SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation,
                                  &offered, &offered_len) != 1) {
        *out_alert = SSL_AD_NO_APPLICATION_PROTOCOL;
        return SSL_CLIENT_HELLO_ERROR;
    }
    return SSL_CLIENT_HELLO_SUCCESS;
}

/* NSS key log format: one line a secret. A line that cannot be written is lost, no more. */
static void on_keylog(const SSL *ssl, const char *line)
{
    const struct adit_tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    if (context->keylog_fd < 0) {
        return;
    }
    uint8_t room[512];
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(room));
    struct adit_status status = adit_write_bytes(&writer, adit_bytes_of_text(line));
    if (adit_is_ok(status)) {
        status = adit_write_u8(&writer, '\n');
    }
    if (adit_is_ok(status)) {
        ssize_t written = write(context->keylog_fd, room, writer.len);
        (void)written; /* a debugging aid: nothing depends on it */
    }
    adit_span_wipe(ADIT_SPAN_OF(room));
}

/* --- Context --------------------------------------------------------------------------------- */

void adit_tls_context_release(struct adit_tls_context *context)
{
    context->references--;
    if (context->references > 0) {
        return;
    }
    SSL_CTX_free(context->ssl_context);
    EVP_CIPHER_free(context->ticket_cipher);
    EVP_MD_free(context->name_digest);
    BIO_meth_free(context->bio_method);
    if (context->provider) {
        OSSL_PROVIDER_unload(context->provider);
    }
    adit_tls_algorithms_unload(&context->algorithms);
    OSSL_LIB_CTX_free(context->library);
    if (context->keylog_fd >= 0) {
        close(context->keylog_fd);
    }
    adit_span_wipe(ADIT_OBJECT_SPAN(context->tickets));
    struct adit_span memory = ADIT_OBJECT_SPAN(*context);
    adit_memory_close(&memory);
}

int adit_tls_context_keylog_fd(const struct adit_tls_context *context)
{
    return context->keylog_fd;
}

void adit_tls_context_close(struct adit_tls_context **context)
{
    if (*context) {
        adit_tls_context_release(*context);
    }
    *context = NULL;
}

static struct adit_status bio_method_make(struct adit_tls_context *context)
{
    context->bio_method = BIO_meth_new(BIO_TYPE_ADIT, "adit");
    if (!context->bio_method ||
        BIO_meth_set_read_ex(context->bio_method, adit_tls_bio_read) != 1 ||
        BIO_meth_set_write_ex(context->bio_method, adit_tls_bio_write) != 1 ||
        BIO_meth_set_ctrl(context->bio_method, adit_tls_bio_control) != 1) {
        ADIT_CRYPTO_FAIL("BIO_meth_new");
    }
    return adit_ok();
}

/* Key exchange: safe against a quantum computer of later on, too, where OpenSSL has that (3.5). A
 * client sends a share for that and one for X25519, so that a server without it costs no further
 * round trip; a server never asks for another share where it can take one that it was sent. */
static bool groups_set(SSL_CTX *ctx)
{
    char hybrid[] = "*X25519MLKEM768:*X25519:P-256:P-384";
    char classic[] = "X25519:P-256:P-384";
    if (SSL_CTX_ctrl(ctx, SSL_CTRL_SET_GROUPS_LIST, 0, hybrid) == 1) {
        return true;
    }
    ERR_clear_error();
    return SSL_CTX_ctrl(ctx, SSL_CTRL_SET_GROUPS_LIST, 0, classic) == 1;
}

/* What all have: TLS 1.3 alone, AES-128-GCM first, no renegotiation, no session cache. */
static struct adit_status context_configure(struct adit_tls_context *context)
{
    static const char suites[] =
        "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";
    SSL_CTX *ctx = context->ssl_context;
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                 SSL_OP_NO_COMPRESSION);
    /* The chain is what the file holds: else each handshake would look for one, and find none. */
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_clear_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_cert_list(ctx, PEER_CHAIN_BYTES_MAX);
    SSL_CTX_set_security_level(ctx, 2);
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(ctx, suites) != 1 ||
        !groups_set(ctx)) {
        ADIT_CRYPTO_FAIL("TLS configuration");
    }
    return adit_ok();
}

static struct adit_status alpn_store(struct adit_tls_context *context, struct adit_bytes alpn)
{
    ADIT_ENSURE(alpn.len <= ADIT_TLS_ALPN_MAX, INVALID, "an ALPN name has 1 to 32 bytes");
    if (alpn.len == 0) {
        return adit_ok();
    }
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(context->alpn));
    ADIT_TRY(adit_write_u8(&writer, (uint8_t)alpn.len));
    ADIT_TRY(adit_write_bytes(&writer, alpn));
    context->alpn_len = writer.len;
    return adit_ok();
}

static struct adit_status algorithms_load(struct adit_tls_context *context)
{
    if (!context->is_server && adit_tls_algorithms_are_few()) {
        return adit_tls_algorithms_load(context->library, &context->algorithms);
    }
    context->provider = OSSL_PROVIDER_load(context->library, "default");
    if (!context->provider) {
        ADIT_CRYPTO_FAIL("OSSL_PROVIDER_load");
    }
    return adit_ok();
}

static struct adit_status library_fill(struct adit_tls_context *context)
{
    ADIT_TRY(algorithms_load(context));
    const SSL_METHOD *method = context->is_server ? TLS_server_method() : TLS_client_method();
    context->ssl_context = SSL_CTX_new_ex(context->library, NULL, method);
    if (!context->ssl_context) {
        ADIT_CRYPTO_FAIL("SSL_CTX_new");
    }
    return adit_ok();
}

static struct adit_status context_fill(struct adit_tls_context *context, struct adit_bytes alpn)
{
    ADIT_TRY(context->is_server ? adit_tls_begin() : adit_tls_begin_small());
    ADIT_TRY(alpn_store(context, alpn));
    context->library = OSSL_LIB_CTX_new();
    ADIT_ENSURE(context->library, MEMORY, "OSSL_LIB_CTX_new");
    OSSL_LIB_CTX *before = OSSL_LIB_CTX_set0_default(context->library);
    struct adit_status status = library_fill(context);
    OSSL_LIB_CTX_set0_default(before);
    ADIT_TRY(status);
    if (SSL_CTX_set_app_data(context->ssl_context, context) != 1) {
        ADIT_CRYPTO_FAIL("SSL_CTX_set_app_data");
    }
    ADIT_TRY(bio_method_make(context));
    return context_configure(context);
}

static struct adit_status context_open(bool is_server, struct adit_bytes alpn,
                                       struct adit_tls_context **out_context)
{
    struct adit_span memory = {0};
    ADIT_TRY(adit_memory_open(1, sizeof(struct adit_tls_context), &memory));
    struct adit_tls_context *context = adit_memory_at(memory, sizeof(*context), 0);
    *context = (struct adit_tls_context){.is_server = is_server, .keylog_fd = -1, .references = 1};
    struct adit_status status = context_fill(context, alpn);
    if (!adit_is_ok(status)) {
        adit_tls_context_release(context);
        return status;
    }
    *out_context = context;
    return adit_ok();
}

/* --- Server ---------------------------------------------------------------------------------- */

static struct adit_status chain_use(struct adit_tls_context *context, BIO *pem)
{
    for (int i = 0; i <= CHAIN_MAX; i++) {
        X509 *x509 = NULL;
        ADIT_TRY(adit_certificate_next(context->library, pem, &x509));
        if (!x509) {
            ADIT_ENSURE(i > 0, CRYPTO, "no certificate in the file");
            return adit_ok();
        }
        bool is_leaf = i == 0;
        bool is_taken = is_leaf ? SSL_CTX_use_certificate(context->ssl_context, x509) == 1
                                : SSL_CTX_add0_chain_cert(context->ssl_context, x509) == 1;
        if (is_leaf || !is_taken) {
            X509_free(x509);
        }
        if (!is_taken) {
            ADIT_CRYPTO_FAIL("the certificate cannot be used");
        }
    }
    ADIT_FAIL(LIMIT, "too many certificates in the chain");
}

static struct adit_status key_use(struct adit_tls_context *context, struct adit_bytes pem)
{
    EVP_PKEY *key = NULL;
    ADIT_TRY(adit_certificate_key_parse(context->library, pem, &key));
    bool is_taken = SSL_CTX_use_PrivateKey(context->ssl_context, key) == 1 &&
                    SSL_CTX_check_private_key(context->ssl_context) == 1;
    EVP_PKEY_free(key);
    if (!is_taken) {
        ADIT_CRYPTO_FAIL("the private key does not belong to the certificate");
    }
    return adit_ok();
}

static struct adit_status server_configure(struct adit_tls_context *context,
                                           const struct adit_tls_server_options *options)
{
    BIO *bio = NULL;
    ADIT_TRY(adit_certificate_bio(options->certificate_pem, &bio));
    struct adit_status status = chain_use(context, bio);
    BIO_free(bio);
    ADIT_TRY(status);
    ADIT_TRY(key_use(context, options->key_pem));
    /* One ticket: it answers the client's Finished at once, else Nagle waits 40 ms for an ACK. A
     * second one would cost a visitor's full handshake 7 % more; each connection that is resumed
     * brings a new one. */
    SSL_CTX_set_num_tickets(context->ssl_context, 1);
    if (context->alpn_len > 0) {
        SSL_CTX_set_alpn_select_cb(context->ssl_context, on_alpn, context);
        SSL_CTX_set_client_hello_cb(context->ssl_context, on_client_hello, context);
    }
    if (options->is_visitor) {
        ADIT_TRY(adit_tls_visitor_configure(context));
    }
    return adit_tls_rehearse(context);
}

struct adit_status adit_tls_server_open(const struct adit_tls_server_options *options,
                                        struct adit_tls_context **out_context)
{
    struct adit_tls_context *context = NULL;
    ADIT_TRY(context_open(true, options->alpn, &context));
    struct adit_status status = server_configure(context, options);
    if (!adit_is_ok(status)) {
        adit_tls_context_release(context);
        return status;
    }
    *out_context = context;
    return adit_ok();
}

/* --- Client ---------------------------------------------------------------------------------- */

static struct adit_status roots_add(struct adit_tls_context *context, struct adit_bytes pem)
{
    BIO *bio = NULL;
    ADIT_TRY(adit_certificate_bio(pem, &bio));
    X509_STORE *store = SSL_CTX_get_cert_store(context->ssl_context);
    struct adit_status status = adit_ok();
    bool is_more = true;
    int count = 0;
    while (adit_is_ok(status) && is_more && count < ROOTS_MAX) {
        X509 *x509 = NULL;
        status = adit_certificate_next(context->library, bio, &x509);
        is_more = x509 && X509_STORE_add_cert(store, x509) == 1;
        X509_free(x509);
        count += is_more ? 1 : 0;
    }
    BIO_free(bio);
    ADIT_TRY(status);
    ADIT_ENSURE(count > 0, CRYPTO, "no certificate in the file of trusted roots");
    return adit_ok();
}

/* The first bundle there is, and what OpenSSL itself looks at (SSL_CERT_FILE, SSL_CERT_DIR). */
static struct adit_status roots_of_system(struct adit_tls_context *context)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context->ssl_context);
    bool is_loaded = false;
    for (size_t i = 0; i < ADIT_COUNT(system_roots) && !is_loaded; i++) {
        is_loaded = access(ADIT_AT(system_roots, i), R_OK) == 0 &&
                    X509_STORE_load_file_ex(store, ADIT_AT(system_roots, i), context->library,
                                            NULL) == 1;
    }
    bool is_default = SSL_CTX_set_default_verify_paths(context->ssl_context) == 1;
    ERR_clear_error();
    ADIT_ENSURE(is_loaded || is_default, CRYPTO, "no trusted roots on this system");
    return adit_ok();
}

static struct adit_status client_configure(struct adit_tls_context *context,
                                           const struct adit_tls_client_options *options)
{
    if (options->roots_pem.len > 0) {
        ADIT_TRY(roots_add(context, options->roots_pem));
    } else {
        ADIT_TRY(roots_of_system(context));
    }
    SSL_CTX_set_verify(context->ssl_context, SSL_VERIFY_PEER, NULL);
    if (context->alpn_len > 0 &&
        SSL_CTX_set_alpn_protos(context->ssl_context, context->alpn,
                                (unsigned int)context->alpn_len) != 0) {
        ADIT_CRYPTO_FAIL("ALPN configuration");
    }
    ADIT_TRY(adit_tls_rehearse(context));
    if (options->keylog_path) {
        int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
        context->keylog_fd = open(options->keylog_path, flags, 0600);
        if (context->keylog_fd < 0) {
            ADIT_FAIL_WITH(SYSTEM, "the key log file cannot be opened", errno);
        }
        SSL_CTX_set_keylog_callback(context->ssl_context, on_keylog);
    }
    return adit_ok();
}

struct adit_status adit_tls_client_open(const struct adit_tls_client_options *options,
                                        struct adit_tls_context **out_context)
{
    struct adit_tls_context *context = NULL;
    ADIT_TRY(context_open(false, options->alpn, &context));
    struct adit_status status = client_configure(context, options);
    if (!adit_is_ok(status)) {
        adit_tls_context_release(context);
        return status;
    }
    *out_context = context;
    return adit_ok();
}
