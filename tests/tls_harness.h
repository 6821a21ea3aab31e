/* TLS harness, for tests: a made-up CA and two ends whose ciphertext is carried by hand. */
#ifndef ADIT_TESTS_TLS_HARNESS_H
#define ADIT_TESTS_TLS_HARNESS_H

#include "net/certificate.h"
#include "net/tls_private.h"

#include "unit.h"

struct tls_credentials {
    uint8_t roots_room[4096], pem_room[4096], key_room[4096];
    struct adit_writer roots, pem, key;
};

struct tls_ends {
    struct tls_credentials credentials;
    struct adit_chunk_pool pool;
    struct adit_tls_context *server_context;
    struct adit_tls_context *client_context;
    struct adit_tls *server;
    struct adit_tls *client;
};

/* OpenSSL's number for why, in the detail of a CRYPTO failure. */
static inline int tls_reason(struct adit_status status)
{
    return ERR_GET_REASON((unsigned long)status.detail);
}

#define TLS_QUEUE_BYTES ((size_t)256 * 1024)

static inline void tls_credentials_make(struct tls_credentials *made)
{
    struct adit_certificate root = {0};
    struct adit_certificate leaf = {0};
    struct adit_certificate_options options = {.common_name = ADIT_BYTES_INIT("CA"),
                                               .domain = ADIT_BYTES_INIT("adit.localhost"),
                                               .is_authority = true,
                                               .days = 10};
    assert_ok(adit_certificate_make(&options, &root));
    options.is_authority = false;
    options.issuer = &root;
    assert_ok(adit_certificate_make(&options, &leaf));
    made->roots = adit_writer_of(ADIT_SPAN_OF(made->roots_room));
    made->pem = adit_writer_of(ADIT_SPAN_OF(made->pem_room));
    made->key = adit_writer_of(ADIT_SPAN_OF(made->key_room));
    assert_ok(adit_certificate_write(&root, &made->roots));
    assert_ok(adit_certificate_write(&leaf, &made->pem));
    assert_ok(adit_certificate_write_key(&leaf, &made->key));
    adit_certificate_drop(&root);
    adit_certificate_drop(&leaf);
}

static inline struct adit_tls_server_options tls_server_options(const struct tls_ends *ends)
{
    return (struct adit_tls_server_options){
        .certificate_pem = adit_writer_bytes(&ends->credentials.pem),
        .key_pem = adit_writer_bytes(&ends->credentials.key),
        .alpn = ADIT_BYTES_INIT("adit/1")};
}

static inline struct adit_tls_client_options tls_client_options(const struct tls_ends *ends)
{
    return (struct adit_tls_client_options){
        .roots_pem = adit_writer_bytes(&ends->credentials.roots),
        .alpn = ADIT_BYTES_INIT("adit/1")};
}

static inline void tls_connections_open(struct tls_ends *ends, const char *server_name)
{
    assert_ok(adit_tls_open(ends->server_context, &ends->pool, TLS_QUEUE_BYTES,
                            (struct adit_bytes){0}, &ends->server));
    assert_ok(adit_tls_open(ends->client_context, &ends->pool, TLS_QUEUE_BYTES,
                            adit_bytes_of_text(server_name), &ends->client));
}

static inline void tls_contexts_open(struct tls_ends *ends)
{
    struct adit_tls_server_options server = tls_server_options(ends);
    struct adit_tls_client_options client = tls_client_options(ends);
    assert_ok(adit_tls_server_open(&server, &ends->server_context));
    assert_ok(adit_tls_client_open(&client, &ends->client_context));
}

static inline void tls_ends_open(struct tls_ends *ends)
{
    *ends = (struct tls_ends){0};
    adit_chunk_pool_init(&ends->pool, 128, 4);
    tls_credentials_make(&ends->credentials);
    tls_contexts_open(ends);
    tls_connections_open(ends, "connect.adit.localhost");
}

static inline void tls_ends_close(struct tls_ends *ends)
{
    adit_tls_close(&ends->server);
    adit_tls_close(&ends->client);
    adit_tls_context_close(&ends->server_context);
    adit_tls_context_close(&ends->client_context);
    assert_int_equal(ends->pool.used, 0);
    adit_chunk_pool_deinit(&ends->pool);
}

/* Takes up to `size` waiting bytes of `from`. */
static inline struct adit_bytes tls_take(struct adit_tls *from, struct adit_chunk_pool *pool,
                                         struct adit_span room, size_t size)
{
    struct adit_queue *out = adit_tls_out(from);
    struct adit_bytes part = adit_bytes_first(adit_queue_front(out), size);
    assert_ok(adit_span_copy(room, part));
    adit_queue_drop(out, pool, part.len);
    return adit_bytes_first(adit_span_bytes(room), part.len);
}

/* Carries handshake bytes both ways, `step` at a time, until both ends are done or one fails. */
static inline void tls_shake_hands(struct tls_ends *ends, size_t step,
                                   struct adit_status *out_server, struct adit_status *out_client)
{
    static uint8_t room[ADIT_CHUNK_BYTES];
    bool is_client_done = false;
    bool is_server_done = false;
    *out_server = adit_ok();
    *out_client = adit_tls_handshake(ends->client, &is_client_done);
    for (int i = 0; i < 100000; i++) {
        bool is_upward = adit_tls_out(ends->client)->len > 0;
        struct adit_tls *from = is_upward ? ends->client : ends->server;
        struct adit_tls *to = is_upward ? ends->server : ends->client;
        bool *is_done = is_upward ? &is_server_done : &is_client_done;
        struct adit_status *status = is_upward ? out_server : out_client;
        struct adit_bytes part = tls_take(from, &ends->pool, ADIT_SPAN_OF(room), step);
        if (part.len == 0) {
            return;
        }
        adit_tls_input_set(to, part);
        if (adit_is_ok(*status) && !*is_done) {
            *status = adit_tls_handshake(to, is_done);
        }
        if (adit_is_ok(*status) && *is_done) {
            uint8_t byte[1];
            size_t count = 0;
            bool is_end = false;
            *status = adit_tls_read(to, ADIT_SPAN_OF(byte), &count, &is_end); /* tickets */
            assert_int_equal(count, 0);
        }
    }
    fail_msg("the handshake does not end");
}

static inline void tls_ends_connect(struct tls_ends *ends)
{
    struct adit_status server = {0};
    struct adit_status client = {0};
    tls_shake_hands(ends, SIZE_MAX, &server, &client);
    assert_ok(server);
    assert_ok(client);
    assert_true(ends->server->is_done && ends->client->is_done);
}

/* Hands all that waits in `from` to `to` and reads it; the number of plaintext bytes. */
static inline struct adit_status tls_carry(struct tls_ends *ends, struct adit_tls *from,
                                           struct adit_tls *to, struct adit_writer *plain,
                                           bool *out_is_end)
{
    static uint8_t cipher[ADIT_CHUNK_BYTES];
    static uint8_t room[65536];
    *out_is_end = false;
    while (adit_tls_out(from)->len > 0) {
        adit_tls_input_set(to, tls_take(from, &ends->pool, ADIT_SPAN_OF(cipher), SIZE_MAX));
        size_t count = 1;
        while (count > 0 && !*out_is_end) {
            ADIT_TRY(adit_tls_read(to, ADIT_SPAN_OF(room), &count, out_is_end));
            ADIT_TRY(adit_write_bytes(plain, adit_bytes_first(ADIT_BYTES_OF(room), count)));
        }
    }
    return adit_ok();
}

#endif
