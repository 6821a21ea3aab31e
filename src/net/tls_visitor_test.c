/* Servers for browsers: versions, ciphers, ALPN, tickets and their keys. */
#include "net/tls_private.h"

#include "tls_harness.h"

#ifdef OPENSSL_NO_TLS1_1 /* the test's client cannot even begin */
#define HAS_TLS11 false
#else
#define HAS_TLS11 true
#endif

static const struct adit_tls_ticket_key key_a = {{'a'}, {1}, {2}};
static const struct adit_tls_ticket_key key_b = {{'b'}, {3}, {4}};

/* A browser has more than an agent's algorithms: its context is of the library's default. */
static void browser_make(const struct tls_ends *ends)
{
    struct adit_tls_context *client = ends->client_context;
    SSL_CTX *old = client->ssl_context;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    assert_non_null(ctx);
    SSL_CTX_set1_cert_store(ctx, SSL_CTX_get_cert_store(old));
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(ctx, SSL_CTX_get_mode(old));
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
    assert_int_equal(SSL_CTX_set_alpn_protos(ctx, client->alpn, (unsigned)client->alpn_len), 0);
    assert_int_equal(SSL_CTX_set_app_data(ctx, client), 1);
    client->ssl_context = ctx;
    SSL_CTX_free(old);
}

static void visitors_open(struct tls_ends *ends)
{
    tls_ends_open(ends);
    adit_tls_close(&ends->server);
    adit_tls_close(&ends->client);
    adit_tls_context_close(&ends->server_context);
    adit_tls_context_close(&ends->client_context);
    struct adit_tls_server_options server = tls_server_options(ends);
    struct adit_tls_client_options client = tls_client_options(ends);
    server.alpn = ADIT_BYTES("http/1.1");
    server.is_visitor = true;
    client.alpn = ADIT_BYTES("http/1.1");
    assert_ok(adit_tls_server_open(&server, &ends->server_context));
    assert_ok(adit_tls_client_open(&client, &ends->client_context));
    browser_make(ends);
}

static void version_set(const struct tls_ends *ends, int version)
{
    SSL_CTX *ctx = ends->client_context->ssl_context;
    assert_int_equal(SSL_CTX_set_min_proto_version(ctx, version), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(ctx, version), 1);
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* Connects under a name, with a session or without; true where it was resumed. */
static bool connect_with(struct tls_ends *ends, const char *name, SSL_SESSION *session)
{
    adit_tls_close(&ends->server);
    adit_tls_close(&ends->client);
    tls_connections_open(ends, name);
    if (session) {
        assert_int_equal(SSL_set_session(ends->client->ssl, session), 1);
    }
    tls_ends_connect(ends);
    return SSL_session_reused(ends->server->ssl) == 1;
}

/* A session as a browser would keep it. */
static SSL_SESSION *session_take(struct tls_ends *ends)
{
    SSL_SESSION *session = SSL_get1_session(ends->client->ssl);
    assert_non_null(session);
    assert_int_equal(SSL_SESSION_has_ticket(session), 1);
    adit_tls_finish(ends->client);
    return session;
}

static void both_versions_carry_bytes(void **state)
{
    (void)state;
    static const char *const suites[] = {"ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_AES_128_GCM_SHA256"};
    struct tls_ends ends;
    visitors_open(&ends);
    for (size_t i = 0; i < ADIT_COUNT(versions); i++) {
        version_set(&ends, ADIT_AT(versions, i));
        assert_false(connect_with(&ends, "x.adit.localhost", NULL));
        assert_int_equal(SSL_version(ends.server->ssl), ADIT_AT(versions, i));
        assert_bytes(adit_bytes_of_text(SSL_get_cipher_name(ends.server->ssl)),
                     adit_bytes_of_text(ADIT_AT(suites, i)));
        assert_bytes(adit_tls_alpn(ends.server), ADIT_BYTES("http/1.1"));
        static uint8_t block[TLS_QUEUE_BYTES];
        static uint8_t plain_room[TLS_QUEUE_BYTES];
        struct adit_writer plain = adit_writer_of(ADIT_SPAN_OF(plain_room));
        bool is_end = false;
        size_t room = adit_tls_room(ends.server);
        assert_true(room > 200 * 1024);
        ends.server->records_written = 1u << 23; /* 1.3 changes its keys, 1.2 goes on */
        assert_ok(adit_tls_write(ends.server, adit_bytes_first(ADIT_BYTES_OF(block), room)));
        assert_ok(tls_carry(&ends, ends.server, ends.client, &plain, &is_end));
        assert_int_equal(plain.len, room);
        adit_tls_finish(ends.server);
        assert_ok(tls_carry(&ends, ends.server, ends.client, &plain, &is_end));
        assert_true(is_end);
    }
    tls_ends_close(&ends);
}

static void what_the_visitor_may_offer(void **state)
{
    (void)state;
    static const struct {
        const char *offer; /* as on the wire; empty: no ALPN */
        bool is_good;
        const char *chosen;
    } rows[] = {{"", true, ""},
                {"\x08http/1.1", true, "http/1.1"},
                {"\x02h2\x08http/1.1", true, "http/1.1"},
                {"\x08http/1.0\x08http/1.1", true, "http/1.1"},
                {"\x08http/1.0", true, "http/1.0"},
                {"\x02h2", false, ""},
                {"\x06" "adit/1", false, ""},
                {"\x08http/0.9", false, ""}};
    struct tls_ends ends;
    visitors_open(&ends);
    ends.client_context->alpn_len = 0; /* what comes is looked at here */
    for (size_t v = 0; v < ADIT_COUNT(versions); v++) {
        for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
            struct adit_bytes offer = adit_bytes_of_text(ADIT_AT(rows, i).offer);
            struct adit_status server = {0};
            struct adit_status client = {0};
            version_set(&ends, ADIT_AT(versions, v));
            adit_tls_close(&ends.server);
            adit_tls_close(&ends.client);
            tls_connections_open(&ends, "x.adit.localhost");
            assert_int_equal(
                SSL_set_alpn_protos(ends.client->ssl, offer.ptr, (unsigned)offer.len), 0);
            tls_shake_hands(&ends, SIZE_MAX, &server, &client);
            if (ADIT_AT(rows, i).is_good) {
                assert_ok(server);
                assert_ok(client);
                assert_bytes(adit_tls_alpn(ends.server),
                             adit_bytes_of_text(ADIT_AT(rows, i).chosen));
            } else {
                assert_fails(server, CRYPTO);
                assert_fails(client, REFUSED); /* no_application_protocol */
            }
        }
    }
    tls_ends_close(&ends);
}

static void weak_ciphers_are_refused(void **state)
{
    (void)state;
    static const char *const weak[] = {"ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256",
                                       "AES128-GCM-SHA256"};
    struct tls_ends ends;
    visitors_open(&ends);
    version_set(&ends, TLS1_2_VERSION);
    for (size_t i = 0; i < ADIT_COUNT(weak); i++) {
        struct adit_status server = {0};
        struct adit_status client = {0};
        adit_tls_close(&ends.server);
        adit_tls_close(&ends.client);
        tls_connections_open(&ends, "localhost");
        assert_int_equal(SSL_set_cipher_list(ends.client->ssl, ADIT_AT(weak, i)), 1);
        tls_shake_hands(&ends, SIZE_MAX, &server, &client);
        assert_fails(server, CRYPTO);
    }
    SSL_CTX_set_security_level(ends.client_context->ssl_context, 0);
    version_set(&ends, TLS1_1_VERSION);
    struct adit_status server = {0};
    struct adit_status client = {0};
    adit_tls_close(&ends.server);
    adit_tls_close(&ends.client);
    tls_connections_open(&ends, "localhost");
    tls_shake_hands(&ends, SIZE_MAX, &server, &client);
    assert_false(adit_is_ok(server));
    if (HAS_TLS11) {
        assert_fails(server, CRYPTO);
        assert_int_equal(tls_reason(server), SSL_R_UNSUPPORTED_PROTOCOL);
    }
    tls_ends_close(&ends);
}

static void a_ticket_is_good_under_its_name_alone(void **state)
{
    (void)state;
    struct tls_ends ends;
    visitors_open(&ends);
    for (size_t i = 0; i < ADIT_COUNT(versions); i++) {
        version_set(&ends, ADIT_AT(versions, i));
        assert_false(connect_with(&ends, "a.adit.localhost", NULL));
        SSL_SESSION *session = session_take(&ends);
        assert_int_equal(SSL_SESSION_get_max_early_data(session), 0);
        assert_true(connect_with(&ends, "a.adit.localhost", session));
        /* 1.3: another ticket for the one that was used, so that no two connections look alike. */
        assert_int_equal(ends.client->late_messages, ADIT_AT(versions, i) == TLS1_3_VERSION);
        assert_bytes(adit_tls_alpn(ends.server), ADIT_BYTES("http/1.1"));
        adit_tls_finish(ends.client);
        assert_int_equal(SSL_SESSION_set1_hostname(session, "b.adit.localhost"), 1); /* a lie */
        assert_false(connect_with(&ends, "b.adit.localhost", session));
        SSL_SESSION_free(session);
        assert_false(connect_with(&ends, "127.0.0.1", NULL)); /* no server name at all */
        session = session_take(&ends);
        assert_true(connect_with(&ends, "127.0.0.1", session));
        adit_tls_finish(ends.client);
        SSL_SESSION_free(session);
    }
    tls_ends_close(&ends);
}

static void ticket_keys_change_while_connections_live(void **state)
{
    (void)state;
    struct adit_tls_ticket_keys keys = {.current = key_a};
    struct tls_ends ends;
    visitors_open(&ends);
    for (size_t i = 0; i < ADIT_COUNT(versions); i++) {
        version_set(&ends, ADIT_AT(versions, i));
        keys = (struct adit_tls_ticket_keys){.current = key_a};
        adit_tls_tickets_set(ends.server_context, &keys);
        assert_false(connect_with(&ends, "localhost", NULL));
        SSL_SESSION *old = session_take(&ends);
        keys = (struct adit_tls_ticket_keys){
            .current = key_b, .previous = key_a, .has_previous = true};
        adit_tls_tickets_set(ends.server_context, &keys);
        assert_true(connect_with(&ends, "localhost", old)); /* and renewed under b */
        SSL_SESSION *renewed = session_take(&ends);
        keys = (struct adit_tls_ticket_keys){.current = key_b};
        adit_tls_tickets_set(ends.server_context, &keys);
        assert_true(connect_with(&ends, "localhost", renewed));
        adit_tls_finish(ends.client);
        assert_false(connect_with(&ends, "localhost", old)); /* its key is gone */
        ADIT_AT(keys.current.hmac, 31) ^= 1; /* the same name, another key: no good, no failure */
        adit_tls_tickets_set(ends.server_context, &keys);
        assert_false(connect_with(&ends, "localhost", renewed));
        SSL_SESSION_free(old);
        SSL_SESSION_free(renewed);
    }
    tls_ends_close(&ends);
}

/* Another worker with the same keys takes the ticket; one with keys of its own does not. */
static void workers_share_tickets_by_their_keys(void **state)
{
    (void)state;
    const struct adit_tls_ticket_keys keys = {.current = key_a};
    struct tls_ends ends;
    visitors_open(&ends);
    adit_tls_tickets_set(ends.server_context, &keys);
    assert_false(connect_with(&ends, "localhost", NULL));
    SSL_SESSION *session = session_take(&ends);
    for (int i = 0; i < 2; i++) {
        struct adit_tls_server_options options = tls_server_options(&ends);
        options.alpn = ADIT_BYTES("http/1.1");
        options.is_visitor = true;
        adit_tls_context_close(&ends.server_context);
        assert_ok(adit_tls_server_open(&options, &ends.server_context));
        if (i == 1) {
            adit_tls_tickets_set(ends.server_context, &keys);
        }
        assert_int_equal(connect_with(&ends, "localhost", session), i == 1);
        adit_tls_finish(ends.client);
    }
    SSL_SESSION_free(session);
    tls_ends_close(&ends);
}

/* Renegotiation is refused; a client that goes on asking is cut, as one that changes its keys. */
static void floods_end(void **state)
{
    (void)state;
    struct tls_ends ends;
    visitors_open(&ends);
    for (size_t v = 0; v < ADIT_COUNT(versions); v++) {
        bool is_old = ADIT_AT(versions, v) == TLS1_2_VERSION;
        version_set(&ends, ADIT_AT(versions, v));
        SSL_CTX_clear_options(ends.client_context->ssl_context, SSL_OP_NO_RENEGOTIATION);
        assert_false(connect_with(&ends, "localhost", NULL));
        struct adit_status status = adit_ok();
        int asked = 0;
        for (; asked < 1000 && adit_is_ok(status); asked++) {
            static uint8_t plain_room[1000];
            struct adit_writer plain = adit_writer_of(ADIT_SPAN_OF(plain_room));
            bool is_end = false;
            if (is_old && SSL_renegotiate(ends.client->ssl) == 1) {
                SSL_do_handshake(ends.client->ssl);
            } else if (!is_old) {
                SSL_key_update(ends.client->ssl, SSL_KEY_UPDATE_REQUESTED);
                status = adit_tls_write(ends.client, ADIT_BYTES("x"));
            }
            if (adit_is_ok(status)) {
                status = tls_carry(&ends, ends.client, ends.server, &plain, &is_end);
            }
            if (adit_is_ok(status)) {
                status = tls_carry(&ends, ends.server, ends.client, &plain, &is_end);
            }
        }
        assert_fails(status, CRYPTO);
        assert_true(asked <= 40);
    }
    tls_ends_close(&ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_versions_carry_bytes),
        cmocka_unit_test(what_the_visitor_may_offer),
        cmocka_unit_test(weak_ciphers_are_refused),
        cmocka_unit_test(a_ticket_is_good_under_its_name_alone),
        cmocka_unit_test(ticket_keys_change_while_connections_live),
        cmocka_unit_test(workers_share_tickets_by_their_keys),
        cmocka_unit_test(floods_end),
    };
    return cmocka_run_group_tests_name("net/tls_visitor", tests, NULL, NULL);
}
