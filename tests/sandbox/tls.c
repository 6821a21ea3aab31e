#include "tls.h"

#include "net/certificate.h"
#include "net/tls.h"

#define CHUNKS_MAX 64
#define OUT_BYTES_MAX ((size_t)128 * 1024)
#define TALK_BYTES ((size_t)1024 * 1024)
#define TURNS_MAX 10000

struct tls_pair {
    struct adit_chunk_pool pool;
    struct adit_tls_context *server_context, *client_context;
    struct adit_tls *server, *client;
    uint8_t roots_room[4096], pem_room[4096], key_room[4096];
    struct adit_writer roots, pem, key;
};

static struct adit_status credentials_make(struct tls_pair *pair)
{
    struct adit_certificate root = {0};
    struct adit_certificate leaf = {0};
    struct adit_certificate_options options = {.common_name = ADIT_BYTES_INIT("CA"),
                                               .domain = ADIT_BYTES_INIT("adit.localhost"),
                                               .is_authority = true,
                                               .days = 2};
    ADIT_TRY(adit_certificate_make(&options, &root));
    options.is_authority = false;
    options.issuer = &root;
    ADIT_TRY(adit_certificate_make(&options, &leaf));
    pair->roots = adit_writer_of(ADIT_SPAN_OF(pair->roots_room));
    pair->pem = adit_writer_of(ADIT_SPAN_OF(pair->pem_room));
    pair->key = adit_writer_of(ADIT_SPAN_OF(pair->key_room));
    ADIT_TRY(adit_certificate_write(&root, &pair->roots));
    ADIT_TRY(adit_certificate_write(&leaf, &pair->pem));
    ADIT_TRY(adit_certificate_write_key(&leaf, &pair->key));
    adit_certificate_drop(&root);
    adit_certificate_drop(&leaf);
    return adit_ok();
}

static struct adit_status server_open(struct tls_pair *pair)
{
    const struct adit_tls_server_options options = {
        .certificate_pem = adit_writer_bytes(&pair->pem),
        .key_pem = adit_writer_bytes(&pair->key),
        .alpn = ADIT_BYTES_INIT("adit/1"),
    };
    return adit_tls_server_open(&options, &pair->server_context);
}

static struct adit_status contexts_open(struct tls_pair *pair)
{
    ADIT_TRY(credentials_make(pair));
    const struct adit_tls_client_options options = {
        .roots_pem = adit_writer_bytes(&pair->roots),
        .alpn = ADIT_BYTES_INIT("adit/1"),
    };
    adit_chunk_pool_init(&pair->pool, CHUNKS_MAX, 4);
    ADIT_TRY(adit_tls_client_open(&options, &pair->client_context));
    return server_open(pair);
}

struct tls_pair *tls_pair_open(void)
{
    static struct tls_pair pair;
    return adit_is_ok(contexts_open(&pair)) ? &pair : 0;
}

/* Hands the front of what waits in `from` to `to`, and lets it go on. */
static struct adit_status carry(struct tls_pair *pair, struct adit_tls *from, struct adit_tls *to,
                                bool *is_done, size_t *total)
{
    static uint8_t room[65536];
    static uint8_t cipher[ADIT_CHUNK_BYTES];
    struct adit_bytes front = adit_queue_front(adit_tls_out(from));
    size_t count = 1;
    bool is_end = false;
    ADIT_TRY(adit_span_copy(ADIT_SPAN_OF(cipher), front));
    adit_queue_drop(adit_tls_out(from), &pair->pool, front.len);
    adit_tls_input_set(to, adit_bytes_first(ADIT_BYTES_OF(cipher), front.len));
    if (!*is_done) {
        ADIT_TRY(adit_tls_handshake(to, is_done));
    }
    while (*is_done && count > 0 && !is_end) {
        ADIT_TRY(adit_tls_read(to, ADIT_SPAN_OF(room), &count, &is_end));
        *total += count;
    }
    return adit_ok();
}

static struct adit_status talk(struct tls_pair *pair)
{
    static const uint8_t block[ADIT_TLS_RECORD_BYTES];
    bool is_client_done = false;
    bool is_server_done = false;
    size_t sent = 0;
    size_t at_server = 0;
    size_t at_client = 0;
    ADIT_TRY(adit_tls_handshake(pair->client, &is_client_done));
    for (int i = 0; i < TURNS_MAX && at_server < TALK_BYTES; i++) {
        if (is_client_done && adit_tls_room(pair->client) >= sizeof block) {
            ADIT_TRY(adit_tls_write(pair->client, ADIT_BYTES_OF(block)));
            sent += sizeof block;
        }
        if (adit_tls_out(pair->client)->len > 0) {
            ADIT_TRY(carry(pair, pair->client, pair->server, &is_server_done, &at_server));
        }
        if (adit_tls_out(pair->server)->len > 0) {
            ADIT_TRY(carry(pair, pair->server, pair->client, &is_client_done, &at_client));
        }
    }
    ADIT_ENSURE(at_server >= TALK_BYTES && sent >= at_server, TIMEOUT, "not all of it arrived");
    return adit_ok();
}

struct adit_status tls_pair_talk(struct tls_pair *pair)
{
    ADIT_TRY(adit_tls_open(pair->server_context, &pair->pool, OUT_BYTES_MAX,
                           (struct adit_bytes){0}, &pair->server));
    ADIT_TRY(adit_tls_open(pair->client_context, &pair->pool, OUT_BYTES_MAX,
                           ADIT_BYTES("connect.adit.localhost"), &pair->client));
    ADIT_TRY(talk(pair));
    adit_tls_finish(pair->client);
    adit_tls_close(&pair->client);
    adit_tls_close(&pair->server);
    return adit_ok();
}

struct adit_status tls_pair_reload(struct tls_pair *pair)
{
    ADIT_TRY(server_open(pair));
    return tls_pair_talk(pair);
}
