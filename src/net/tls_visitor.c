/* The server side for browsers: TLS 1.2 beside 1.3, and session tickets. */
#include "net/certificate.h"
#include "net/tls_private.h"

/* What a ticket callback answers (SSL_CTX_set_tlsext_ticket_key_evp_cb). */
enum ticket_answer {
    TICKET_BROKEN = -1, /* the handshake fails */
    TICKET_UNKNOWN = 0, /* a full handshake */
    TICKET_GOOD = 1,
    TICKET_RENEW = 2, /* good, and to be replaced by a new one */
};

_Static_assert(sizeof(struct adit_tls_ticket_key) == ADIT_TLS_TICKET_KEY_BYTES,
               "no padding");

void adit_tls_tickets_set(struct adit_tls_context *context,
                          const struct adit_tls_ticket_keys *keys)
{
    context->tickets = *keys;
}

static bool mac_set(EVP_MAC_CTX *mac, struct adit_tls_ticket_key *key)
{
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->hmac, sizeof(key->hmac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

/* What OpenSSL hands over for one ticket. */
struct ticket {
    struct adit_span name, iv;
    EVP_CIPHER_CTX *cipher;
    EVP_MAC_CTX *mac;
};

static enum ticket_answer ticket_seal(struct adit_tls_context *context,
                                      const struct ticket *ticket)
{
    struct adit_tls_ticket_key *key = &context->tickets.current;
    bool is_set = adit_is_ok(adit_random_fill(ticket->iv)) &&
                  EVP_EncryptInit_ex2(ticket->cipher, context->ticket_cipher, key->aes,
                                      ticket->iv.ptr, NULL) == 1 &&
                  mac_set(ticket->mac, key) &&
                  adit_is_ok(adit_span_copy(ticket->name, ADIT_BYTES_OF(key->name)));
    return is_set ? TICKET_GOOD : TICKET_BROKEN;
}

static enum ticket_answer ticket_open(struct adit_tls_context *context,
                                      const struct ticket *ticket)
{
    struct adit_tls_ticket_keys *keys = &context->tickets;
    struct adit_tls_ticket_key *key = &keys->current;
    enum ticket_answer answer = TICKET_GOOD;
    struct adit_bytes name = adit_span_bytes(ticket->name);
    if (!adit_bytes_equal(name, ADIT_BYTES_OF(key->name))) {
        key = &keys->previous;
        answer = TICKET_RENEW;
        if (!keys->has_previous || !adit_bytes_equal(name, ADIT_BYTES_OF(key->name))) {
            return TICKET_UNKNOWN;
        }
    }
    bool is_set = EVP_DecryptInit_ex2(ticket->cipher, context->ticket_cipher, key->aes,
                                      ticket->iv.ptr, NULL) == 1 &&
                  mac_set(ticket->mac, key);
    return is_set ? answer : TICKET_BROKEN;
}

static int on_ticket(/* ADIT_ALLOW(parameters, "OpenSSL's") */
                     SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int is_new)
{
    struct adit_tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    const struct ticket ticket = {
        .name = {.ptr = name, .len = sizeof(context->tickets.current.name)},
        .iv = {.ptr = iv, .len = (size_t)EVP_CIPHER_get_iv_length(context->ticket_cipher)},
        .cipher = cipher,
        .mac = mac,
    };
    if (is_new) {
        return ticket_seal(context, &ticket);
    }
    enum ticket_answer answer = ticket_open(context, &ticket);
    if (answer == TICKET_GOOD && SSL_version(ssl) == TLS1_3_VERSION) {
        return TICKET_RENEW; /* RFC 8446 appendix C.4: a client uses a ticket once */
    }
    return answer;
}

/* The server name that the client asks for becomes the context of its session: OpenSSL resumes none
 * of another context. Here, because tickets are opened before the extensions are read. */
static int on_visitor_hello(SSL *ssl, int *out_alert, void *argument)
{
    const struct adit_tls_context *context = argument;
    const unsigned char *name = NULL;
    size_t name_len = 0;
    unsigned char digest[SSL_MAX_SID_CTX_LENGTH] = {0};
    unsigned int digest_len = 0;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &name, &name_len) != 1) {
        name = digest; /* none: as if it were empty */
    }
    if (EVP_Digest(name, name_len, digest, &digest_len, context->name_digest, NULL) != 1 ||
        SSL_set_session_id_context(ssl, digest, digest_len) != 1) {
        *out_alert = SSL_AD_INTERNAL_ERROR;
        return SSL_CLIENT_HELLO_ERROR;
    }
    return SSL_CLIENT_HELLO_SUCCESS;
}

struct adit_status adit_tls_visitor_configure(struct adit_tls_context *context)
{
    static const char ciphers[] = /* of TLS 1.2 */
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
        "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
        "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";
    SSL_CTX *ctx = context->ssl_context;
    context->is_visitor = true;
    struct adit_tls_ticket_keys keys = {0};
    ADIT_TRY(adit_random_fill(ADIT_OBJECT_SPAN(keys.current)));
    adit_tls_tickets_set(context, &keys);
    adit_span_wipe(ADIT_OBJECT_SPAN(keys));
    context->ticket_cipher = EVP_CIPHER_fetch(context->library, "AES-256-CBC", NULL);
    context->name_digest = EVP_MD_fetch(context->library, "SHA256", NULL);
    if (!context->ticket_cipher || !context->name_digest ||
        SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(ctx, ciphers) != 1 ||
        SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket) != 1) {
        ADIT_CRYPTO_FAIL("TLS configuration for visitors");
    }
    SSL_CTX_set_client_hello_cb(ctx, on_visitor_hello, context);
    return adit_ok();
}
