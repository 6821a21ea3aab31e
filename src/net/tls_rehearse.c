#include "net/certificate.h"
#include "net/hmac.h"
#include "net/tls_private.h"

#define REHEARSAL_ROUNDS_MAX 16

/* Two ends over a pair of memory BIOs. */
struct rehearsal {
    SSL_CTX *other_context; /* the side that the real context does not play */
    SSL *client;
    SSL *server;
};

static bool rehearsal_run(const struct rehearsal *rehearsal)
{
    bool is_client_done = false;
    bool is_server_done = false;
    for (int i = 0; i < REHEARSAL_ROUNDS_MAX && !(is_client_done && is_server_done); i++) {
        is_client_done = SSL_do_handshake(rehearsal->client) == 1;
        is_server_done = SSL_do_handshake(rehearsal->server) == 1;
    }
    uint8_t room[8];
    size_t count = 0;
    return is_client_done && is_server_done &&
           SSL_write_ex(rehearsal->client, "ping", 4, &count) == 1 &&
           SSL_read_ex(rehearsal->server, room, sizeof(room), &count) == 1 &&
           (SSL_version(rehearsal->server) < TLS1_3_VERSION ||
            SSL_key_update(rehearsal->server, SSL_KEY_UPDATE_REQUESTED) == 1) &&
           SSL_write_ex(rehearsal->server, "pong", 4, &count) == 1 &&
           SSL_read_ex(rehearsal->client, room, sizeof(room), &count) == 1;
}

/* The real server with a client that trusts anybody: it lives and dies in this function. */
static struct adit_status server_rehearsal(const struct adit_tls_context *context,
                                           struct rehearsal *rehearsal)
{
    rehearsal->other_context = SSL_CTX_new_ex(context->library, NULL, TLS_client_method());
    ADIT_ENSURE(rehearsal->other_context, CRYPTO, "SSL_CTX_new");
    rehearsal->client = SSL_new(rehearsal->other_context);
    rehearsal->server = SSL_new(context->ssl_context);
    ADIT_ENSURE(rehearsal->client && rehearsal->server, CRYPTO, "SSL_new");
    bool is_set = context->alpn_len == 0 ||
                  SSL_set_alpn_protos(rehearsal->client, context->alpn,
                                      (unsigned int)context->alpn_len) == 0;
    ADIT_ENSURE(is_set, CRYPTO, "ALPN configuration");
    return adit_ok();
}

static struct adit_status rehearsal_connect(const struct rehearsal *rehearsal)
{
    BIO *client_bio = NULL;
    BIO *server_bio = NULL;
    if (BIO_new_bio_pair(&client_bio, 0, &server_bio, 0) != 1) {
        ADIT_CRYPTO_FAIL("BIO_new_bio_pair");
    }
    SSL_set_bio(rehearsal->client, client_bio, client_bio);
    SSL_set_bio(rehearsal->server, server_bio, server_bio);
    SSL_set_connect_state(rehearsal->client);
    SSL_set_accept_state(rehearsal->server);
    if (!rehearsal_run(rehearsal)) {
        ADIT_CRYPTO_FAIL("the rehearsal of a handshake failed");
    }
    return adit_ok();
}

/* Once more with a new pair, for a server: as TLS 1.2, or with the session of the last pair. */
static struct adit_status rehearse_again(const struct adit_tls_context *context,
                                         struct rehearsal *rehearsal, bool is_resumed)
{
    struct rehearsal next = {.other_context = rehearsal->other_context};
    SSL_SESSION *session = SSL_get1_session(rehearsal->client);
    bool is_made = is_resumed ||
                   SSL_CTX_set_max_proto_version(next.other_context, TLS1_2_VERSION) == 1;
    next.client = SSL_new(next.other_context);
    next.server = SSL_new(context->ssl_context);
    is_made = is_made && session && next.client && next.server &&
              (!is_resumed || SSL_set_session(next.client, session) == 1);
    SSL_SESSION_free(session);
    SSL_shutdown(rehearsal->client); /* else its session counts as bad */
    SSL_free(rehearsal->client);
    SSL_free(rehearsal->server);
    *rehearsal = next;
    if (!is_made) {
        ADIT_CRYPTO_FAIL("the rehearsal of a resumption");
    }
    ADIT_TRY(rehearsal_connect(rehearsal));
    ADIT_ENSURE(!is_resumed || SSL_session_reused(rehearsal->server) == 1, CRYPTO,
                "the rehearsal of a resumption was none");
    return adit_ok();
}

static struct adit_status rehearse_server(const struct adit_tls_context *context,
                                          struct rehearsal *rehearsal)
{
    ADIT_TRY(server_rehearsal(context, rehearsal));
    ADIT_TRY(rehearsal_connect(rehearsal));
    if (context->is_visitor) {
        ADIT_TRY(rehearse_again(context, rehearsal, true));
        ADIT_TRY(rehearse_again(context, rehearsal, false));
        ADIT_TRY(rehearse_again(context, rehearsal, true));
    }
    return adit_ok();
}

/* Nothing is rehearsed: a whole handshake needs a certificate and a second context, and takes half
 * of the time in which an agent starts; its first flight alone makes keys that nobody uses. All
 * that a client loads late is in memory (tls_rehearse_test.c), but for libc's time zone: it is read
 * with the first date, though dates are compared in UTC. */
static struct adit_status rehearse_client(const struct adit_tls_context *context)
{
    const time_t epoch = 0;
    struct tm date = {0};
    SSL *client = SSL_new(context->ssl_context);
    STACK_OF(SSL_CIPHER) *suites = client ? SSL_get1_supported_ciphers(client) : NULL;
    bool is_good = suites && OPENSSL_gmtime(&epoch, &date);
    sk_SSL_CIPHER_free(suites);
    SSL_free(client);
    if (!is_good) {
        ADIT_CRYPTO_FAIL("the client has no cipher suite");
    }
    return adit_ok();
}

struct adit_status adit_tls_rehearse(struct adit_tls_context *context)
{
    struct rehearsal rehearsal = {0};
    struct adit_status status = context->is_server ? rehearse_server(context, &rehearsal)
                                                   : rehearse_client(context);
    SSL_free(rehearsal.client);
    SSL_free(rehearsal.server);
    SSL_CTX_free(rehearsal.other_context);
    ADIT_TRY(status);
    if (!context->is_server) {
        return adit_ok();
    }
    uint8_t tag[ADIT_HMAC_BYTES]; /* the default library context, which hmac.c uses */
    return adit_hmac_sha256(ADIT_BYTES("rehearsal"), ADIT_BYTES(""), ADIT_BYTES(""),
                            ADIT_SPAN_OF(tag));
}
