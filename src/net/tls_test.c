#include "net/tls.h"

#include "tls_harness.h"

static void handshake_in_steps_of_any_size(void **state)
{
    (void)state;
    struct tls_ends ends;
    tls_ends_open(&ends);
    const size_t steps[] = {1, 2, 7, 100, 1460, SIZE_MAX};
    for (size_t i = 0; i < ADIT_COUNT(steps); i++) {
        struct adit_status server = {0};
        struct adit_status client = {0};
        tls_shake_hands(&ends, ADIT_AT(steps, i), &server, &client);
        assert_ok(server);
        assert_ok(client);
        assert_true(ends.server->is_done);
        assert_true(ends.client->is_done);
        assert_bytes(adit_tls_alpn(ends.server), ADIT_BYTES("adit/1"));
        assert_bytes(adit_tls_alpn(ends.client), ADIT_BYTES("adit/1"));
        assert_int_equal(SSL_version(ends.client->ssl), TLS1_3_VERSION);
        assert_bytes(adit_bytes_of_text(SSL_get_cipher_name(ends.client->ssl)),
                     ADIT_BYTES("TLS_AES_128_GCM_SHA256"));
        assert_int_equal(adit_tls_verify_error(ends.client).len, 0);
        assert_int_equal(ends.client->late_messages, 1); /* one ticket */
        adit_tls_close(&ends.server);
        adit_tls_close(&ends.client);
        tls_connections_open(&ends, "connect.adit.localhost");
    }
    tls_ends_close(&ends);
}

static void names_that_the_certificate_is_for(void **state)
{
    (void)state;
    struct {
        const char *name;
        bool is_good;
    } rows[] = {
        {"adit.localhost", true},  {"x.adit.localhost.", true}, {"localhost", true},
        {"127.0.0.1", true},       {"::1", true},               {"127.0.0.2", false},
        {"x.y.adit.localhost", false}, {"example.com", false},  {"2001:db8::1", false},
    };
    struct tls_ends ends;
    tls_ends_open(&ends);
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        adit_tls_close(&ends.server);
        adit_tls_close(&ends.client);
        tls_connections_open(&ends, ADIT_AT(rows, i).name);
        struct adit_status server = {0};
        struct adit_status client = {0};
        tls_shake_hands(&ends, SIZE_MAX, &server, &client);
        if (ADIT_AT(rows, i).is_good) {
            assert_ok(server);
            assert_ok(client);
            continue;
        }
        assert_fails(client, CRYPTO);
        assert_true(adit_tls_verify_error(ends.client).len > 0);
        assert_int_equal(tls_reason(client), SSL_R_CERTIFICATE_VERIFY_FAILED);
        assert_fails(server, CRYPTO); /* the client's alert arrived */
        bool is_done = false;
        assert_fails(adit_tls_handshake(ends.client, &is_done), CLOSED);
    }
    adit_tls_close(&ends.client);
    const char *odd[] = {"", "."};
    for (size_t i = 0; i < ADIT_COUNT(odd); i++) {
        assert_fails(adit_tls_open(ends.client_context, &ends.pool, TLS_QUEUE_BYTES,
                                   adit_bytes_of_text(ADIT_AT(odd, i)), &ends.client),
                     INVALID);
    }
    assert_fails(adit_tls_open(ends.client_context, &ends.pool, TLS_QUEUE_BYTES,
                               ADIT_BYTES("localhost\0.example"), &ends.client),
                 INVALID);
    assert_null(ends.client);
    tls_ends_close(&ends);
}

static void a_strange_authority_is_refused(void **state)
{
    (void)state;
    struct tls_ends ends;
    tls_ends_open(&ends);
    adit_tls_close(&ends.client);
    adit_tls_context_close(&ends.client_context);
    tls_credentials_make(&ends.credentials);
    struct adit_tls_client_options options = tls_client_options(&ends);
    assert_ok(adit_tls_client_open(&options, &ends.client_context));
    assert_ok(adit_tls_open(ends.client_context, &ends.pool, TLS_QUEUE_BYTES,
                            ADIT_BYTES("localhost"), &ends.client));
    struct adit_status server = {0};
    struct adit_status client = {0};
    tls_shake_hands(&ends, SIZE_MAX, &server, &client);
    assert_fails(client, CRYPTO);
    assert_true(adit_tls_verify_error(ends.client).len > 0);
    assert_fails(server, CRYPTO);
    tls_ends_close(&ends);
}

/* What the server answers must be exactly this alert, in the clear. */
static void expect_alert(struct tls_ends *ends, uint8_t description)
{
    uint8_t room[64];
    const uint8_t want[] = {0x15, 3, 3, 0, 2, 2, description};
    struct adit_bytes got = tls_take(ends->server, &ends->pool, ADIT_SPAN_OF(room), sizeof room);
    assert_bytes(got, ADIT_BYTES_OF(want));
}

static void only_our_protocol_is_spoken(void **state)
{
    (void)state;
    const char *offers[] = {"", "h2", "adit/2", "adit/", "adit/10"};
    struct tls_ends ends;
    tls_ends_open(&ends);
    for (size_t i = 0; i < ADIT_COUNT(offers); i++) {
        struct adit_tls_client_options options = tls_client_options(&ends);
        options.alpn = adit_bytes_of_text(ADIT_AT(offers, i));
        adit_tls_close(&ends.client);
        adit_tls_close(&ends.server);
        adit_tls_context_close(&ends.client_context);
        assert_ok(adit_tls_client_open(&options, &ends.client_context));
        for (int round = 0; round < 2; round++) {
            tls_connections_open(&ends, "localhost");
            uint8_t room[2048];
            bool is_done = false;
            assert_ok(adit_tls_handshake(ends.client, &is_done));
            if (round == 0) {
                adit_tls_input_set(ends.server,
                                   tls_take(ends.client, &ends.pool, ADIT_SPAN_OF(room), SIZE_MAX));
                assert_fails(adit_tls_handshake(ends.server, &is_done), CRYPTO);
                expect_alert(&ends, 0x78);
            } else {
                struct adit_status server = {0};
                struct adit_status client = {0};
                tls_shake_hands(&ends, SIZE_MAX, &server, &client);
                assert_fails(server, CRYPTO);
                assert_fails(client, REFUSED);
            }
            adit_tls_close(&ends.client);
            adit_tls_close(&ends.server);
        }
    }
    tls_ends_close(&ends);
}

/* A server that ignores ALPN: the client refuses it. */
static void a_server_without_our_protocol_is_refused(void **state)
{
    (void)state;
    struct tls_ends ends;
    tls_ends_open(&ends);
    adit_tls_close(&ends.server);
    adit_tls_context_close(&ends.server_context);
    struct adit_tls_server_options options = tls_server_options(&ends);
    options.alpn = (struct adit_bytes){0};
    assert_ok(adit_tls_server_open(&options, &ends.server_context));
    assert_ok(adit_tls_open(ends.server_context, &ends.pool, TLS_QUEUE_BYTES,
                            (struct adit_bytes){0}, &ends.server));
    struct adit_status server = {0};
    struct adit_status client = {0};
    tls_shake_hands(&ends, SIZE_MAX, &server, &client);
    assert_fails(client, REFUSED);
    assert_int_equal(adit_tls_alpn(ends.client).len, 0);
    tls_ends_close(&ends);
}

static void old_versions_get_protocol_version(void **state)
{
    (void)state;
    struct tls_ends ends;
    tls_ends_open(&ends);
    SSL_CTX_set_min_proto_version(ends.client_context->ssl_context, TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(ends.client_context->ssl_context, TLS1_2_VERSION);
    adit_tls_close(&ends.client);
    assert_ok(adit_tls_open(ends.client_context, &ends.pool, TLS_QUEUE_BYTES,
                            ADIT_BYTES("localhost"), &ends.client));
    uint8_t room[2048];
    bool is_done = false;
    assert_ok(adit_tls_handshake(ends.client, &is_done));
    adit_tls_input_set(ends.server,
                       tls_take(ends.client, &ends.pool, ADIT_SPAN_OF(room), SIZE_MAX));
    assert_fails(adit_tls_handshake(ends.server, &is_done), CRYPTO);
    expect_alert(&ends, 0x46);
    tls_ends_close(&ends);
}

static void garbage_is_refused(void **state)
{
    (void)state;
    const struct adit_bytes rows[] = {
        ADIT_BYTES_INIT("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        ADIT_BYTES_INIT("\x16\x03\x01\xff\xff"),
        ADIT_BYTES_INIT("\x16\x03\x01\x00\x04\x01\xff\xff\xff\x16\x03\x01\x00\x04\xff\xff\xff\xff"
                        "\x17\x03\x03\x00\x00"),
        ADIT_BYTES_INIT("\x15\x03\x01\x00\x02\x02\x28"),
        ADIT_BYTES_INIT("\x17\x03\x03\x00\x01\x00"),
        ADIT_BYTES_INIT("\x80\x1c\x01\x00\x02\x00\x03\x00\x00\x00\x10\x01\x00\x80" /* SSLv2 */
                        "0123456789abcdef"),
    };
    struct tls_ends ends;
    tls_ends_open(&ends);
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        bool is_done = false;
        adit_tls_input_set(ends.server, ADIT_AT(rows, i));
        assert_fails(adit_tls_handshake(ends.server, &is_done), CRYPTO);
        assert_int_equal(ERR_peek_error(), 0);
        assert_fails(adit_tls_handshake(ends.server, &is_done), CLOSED);
        assert_int_equal(adit_tls_room(ends.server), 0);
        adit_tls_close(&ends.server);
        adit_tls_close(&ends.client);
        tls_connections_open(&ends, "localhost");
    }
    tls_ends_close(&ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshake_in_steps_of_any_size),
        cmocka_unit_test(names_that_the_certificate_is_for),
        cmocka_unit_test(a_strange_authority_is_refused),
        cmocka_unit_test(only_our_protocol_is_spoken),
        cmocka_unit_test(a_server_without_our_protocol_is_refused),
        cmocka_unit_test(old_versions_get_protocol_version),
        cmocka_unit_test(garbage_is_refused),
    };
    return cmocka_run_group_tests_name("net/tls", tests, NULL, NULL);
}
