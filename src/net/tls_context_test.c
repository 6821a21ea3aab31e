#include "net/tls_private.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "tls_harness.h"

static void bad_certificates_and_keys(void **state)
{
    (void)state;
    struct tls_ends ends;
    tls_ends_open(&ends);
    struct tls_credentials *other = calloc(1, sizeof *other);
    tls_credentials_make(other);
    struct adit_bytes pem = adit_writer_bytes(&ends.credentials.pem);
    struct adit_bytes key = adit_writer_bytes(&ends.credentials.key);
    struct {
        struct adit_bytes pem, key;
    } bad[] = {
        {pem, adit_writer_bytes(&other->key)},
        {{0}, key},
        {pem, {0}},
        {key, pem},
        {adit_bytes_first(pem, pem.len - 60), key},
        {ADIT_BYTES_INIT("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), key},
    };
    for (size_t i = 0; i < ADIT_COUNT(bad); i++) {
        struct adit_tls_server_options options = {.certificate_pem = ADIT_AT(bad, i).pem,
                                                  .key_pem = ADIT_AT(bad, i).key,
                                                  .alpn = ADIT_BYTES_INIT("adit/1")};
        struct adit_tls_context *made = NULL;
        assert_fails(adit_tls_server_open(&options, &made), CRYPTO);
        assert_null(made);
        assert_int_equal(ERR_peek_error(), 0);
    }
    struct adit_tls_client_options client = {.roots_pem = ADIT_BYTES_INIT("no PEM at all"),
                                             .alpn = ADIT_BYTES_INIT("adit/1")};
    struct adit_tls_context *made = NULL;
    assert_fails(adit_tls_client_open(&client, &made), CRYPTO);
    client.roots_pem = adit_writer_bytes(&ends.credentials.roots);
    client.alpn = ADIT_BYTES("a-name-of-more-than-thirty-two-bytes");
    assert_fails(adit_tls_client_open(&client, &made), INVALID);
    free(other);
    tls_ends_close(&ends);
}

static void a_context_outlives_its_closing(void **state)
{
    (void)state;
    struct tls_ends ends;
    tls_ends_open(&ends);
    adit_tls_context_close(&ends.server_context);
    adit_tls_context_close(&ends.client_context);
    assert_null(ends.server_context);
    tls_ends_connect(&ends);
    tls_ends_close(&ends);
}

static void system_roots_load(void **state)
{
    (void)state;
    struct adit_tls_client_options options = {.alpn = ADIT_BYTES_INIT("adit/1")};
    struct adit_tls_context *context = NULL;
    assert_ok(adit_tls_client_open(&options, &context));
    adit_tls_context_close(&context);
    adit_tls_context_close(&context);
}

static void keys_are_logged(void **state)
{
    (void)state;
    char folder[] = "/tmp/adit-tls-XXXXXX";
    assert_non_null(mkdtemp(folder));
    uint8_t path_room[128];
    assert_ok(adit_path_join(ADIT_SPAN_OF(path_room), adit_bytes_of_text(folder),
                             ADIT_BYTES("keys.log")));
    void *path = path_room;
    struct tls_ends ends;
    tls_ends_open(&ends);
    adit_tls_close(&ends.client);
    adit_tls_context_close(&ends.client_context);
    struct adit_tls_client_options options = tls_client_options(&ends);
    options.keylog_path = "/nonexistent/keys.log";
    assert_fails(adit_tls_client_open(&options, &ends.client_context), SYSTEM);
    options.keylog_path = path;
    assert_ok(adit_tls_client_open(&options, &ends.client_context));
    struct stat info = {0};
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, 0); /* nothing of the rehearsal */
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_ok(adit_tls_open(ends.client_context, &ends.pool, TLS_QUEUE_BYTES,
                            ADIT_BYTES("localhost"), &ends.client));
    tls_ends_connect(&ends);
    static uint8_t log_room[8192];
    struct adit_writer log = adit_writer_of(ADIT_SPAN_OF(log_room));
    assert_ok(adit_file_read(path, &log));
    struct adit_bytes text = adit_writer_bytes(&log);
    assert_true(adit_bytes_starts_with(text, ADIT_BYTES("SERVER_HANDSHAKE_TRAFFIC_SECRET ")));
    assert_true(adit_bytes_ends_with(text, ADIT_BYTES("\n")));
    tls_ends_close(&ends);
    unlink(path);
    rmdir(folder);
}

static void one_side_takes_only(struct adit_tls_context *context, const char *groups)
{
    char list[32] = {0};
    assert_ok(adit_span_copy(ADIT_OBJECT_SPAN(list), adit_bytes_of_text(groups)));
    assert_int_equal(SSL_CTX_ctrl(context->ssl_context, SSL_CTRL_SET_GROUPS_LIST, 0, list), 1);
}

static void the_best_key_exchange_of_both_is_taken(void **state)
{
    (void)state;
    const struct {
        const char *server, *client, *want;
    } cases[] = {
        {NULL, NULL, OPENSSL_VERSION_NUMBER >= 0x30500000L ? "X25519MLKEM768" : "x25519"},
        {NULL, "X25519:P-256", "x25519"}, /* one of them is older, or a browser */
        {"X25519:P-256", NULL, "x25519"},
        {NULL, "P-384", "secp384r1"},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        struct tls_ends ends = {0};
        adit_chunk_pool_init(&ends.pool, 128, 4);
        tls_credentials_make(&ends.credentials);
        tls_contexts_open(&ends);
        if (ADIT_AT(cases, i).server) {
            one_side_takes_only(ends.server_context, ADIT_AT(cases, i).server);
        }
        if (ADIT_AT(cases, i).client) {
            one_side_takes_only(ends.client_context, ADIT_AT(cases, i).client);
        }
        tls_connections_open(&ends, "connect.adit.localhost");
        tls_ends_connect(&ends);
        SSL *ssl = ends.client->ssl;
        int group = (int)SSL_ctrl(ssl, SSL_CTRL_GET_NEGOTIATED_GROUP, 0, NULL);
        assert_string_equal(SSL_group_to_name(ssl, group), ADIT_AT(cases, i).want);
        tls_ends_close(&ends);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_certificates_and_keys),
        cmocka_unit_test(a_context_outlives_its_closing),
        cmocka_unit_test(system_roots_load),
        cmocka_unit_test(the_best_key_exchange_of_both_is_taken),
        cmocka_unit_test(keys_are_logged),
    };
    return cmocka_run_group_tests_name("net/tls_context", tests, NULL, NULL);
}
