#include "net/tls.h"

#include "net/certificate.h"
#include "net/socket.h"
#include "net/tls_private.h"

#define RECORD_OVERHEAD_BYTES 29 /* at most: TLS 1.2, header 5, nonce 8, tag 16; in 1.3 22 */
#define SLACK_BYTES 16384  /* beyond bytes_max, for handshake messages, alerts and key updates */
#define RESERVE_BYTES 256  /* of the pool's chunks, kept from data for the same purpose */
#define LATE_MESSAGES_MAX 32          /* handshake messages after the handshake ... */
#define LATE_MESSAGE_EACH_BYTES 1048576u /* ... and one more for each so many bytes received */
/* Records under one key: AES-GCM allows 2^24.5 (RFC 8446 section 5.5). */
#define RECORDS_PER_KEY_MAX (1u << 23)
#define SERVER_NAME_BYTES_MAX 253

/* --- The BIO: OpenSSL's reads come from the view, its writes go to the queue ----------------- */

int adit_tls_bio_read(BIO *bio, char *out, size_t size, size_t *out_count)
{
    struct adit_tls *tls = BIO_get_data(bio);
    struct adit_bytes part = adit_bytes_first(tls->in, size);
    BIO_clear_retry_flags(bio);
    *out_count = 0;
    if (tls->is_flooded) {
        return -1; /* without the retry flag: the connection fails */
    }
    if (part.len == 0 ||
        !adit_is_ok(adit_span_copy(adit_object_span(out, size), part))) {
        BIO_set_retry_read(bio);
        return -1;
    }
    tls->in = adit_bytes_from(tls->in, part.len);
    *out_count = part.len;
    return 1;
}

int adit_tls_bio_write(BIO *bio, const char *bytes, size_t size, size_t *out_count)
{
    struct adit_tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *out_count = 0;
    struct adit_status status =
        adit_queue_put(&tls->out, tls->pool, adit_object_bytes(bytes, size));
    if (!adit_is_ok(status)) {
        BIO_set_retry_write(bio);
        return -1;
    }
    *out_count = size;
    return 1;
}

long adit_tls_bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

/* A peer may change keys, and a server may send tickets, but not for ever: each costs far more
 * work than its 27 bytes. */
static void on_message(/* ADIT_ALLOW(parameters, "OpenSSL's") */
                       int is_write, int version, int type, const void *bytes, size_t len,
                       SSL *ssl, void *argument)
{
    (void)version;
    (void)bytes;
    (void)len;
    (void)ssl;
    struct adit_tls *tls = argument;
    if (is_write == 0 && type == SSL3_RT_HANDSHAKE && tls->is_done) {
        tls->late_messages++;
        if (tls->late_messages > LATE_MESSAGES_MAX + tls->read_total / LATE_MESSAGE_EACH_BYTES) {
            tls->is_flooded = true;
        }
    }
}

/* --- Life ------------------------------------------------------------------------------------ */

/* What the certificate must be for: an address, or a name (also sent as SNI). */
static struct adit_status server_name_set(SSL *ssl, struct adit_bytes name)
{
    if (adit_bytes_ends_with(name, ADIT_BYTES("."))) {
        name = adit_bytes_first(name, name.len - 1);
    }
    ADIT_ENSURE(name.len > 0 && name.len <= SERVER_NAME_BYTES_MAX &&
                    adit_bytes_find(name, 0) == name.len,
                INVALID, "a server name has 1 to 253 bytes");
    X509_VERIFY_PARAM *verify = SSL_get0_param(ssl);
    struct adit_address address = {0};
    if (adit_is_ok(adit_address_of_ip(name, 0, &address))) {
        if (X509_VERIFY_PARAM_set1_ip(verify, address.ip, address.family == 4 ? 4 : 16) != 1) {
            ADIT_CRYPTO_FAIL("the address of the server cannot be checked");
        }
        return adit_ok();
    }
    char text[SERVER_NAME_BYTES_MAX + 1] = {0};
    ADIT_TRY(adit_span_copy(ADIT_OBJECT_SPAN(text), name));
    X509_VERIFY_PARAM_set_hostflags(verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (X509_VERIFY_PARAM_set1_host(verify, text, name.len) != 1 ||
        SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, text) != 1) {
        ADIT_CRYPTO_FAIL("the name of the server cannot be checked");
    }
    return adit_ok();
}

static struct adit_status ssl_make(struct adit_tls *tls, struct adit_bytes server_name)
{
    tls->ssl = SSL_new(tls->context->ssl_context);
    BIO *bio = tls->ssl ? BIO_new(tls->context->bio_method) : NULL;
    if (!bio) {
        ADIT_CRYPTO_FAIL("SSL_new");
    }
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio);
    SSL_set_msg_callback(tls->ssl, on_message);
    SSL_ctrl(tls->ssl, SSL_CTRL_SET_MSG_CALLBACK_ARG, 0, tls);
    if (tls->context->is_server) {
        SSL_set_accept_state(tls->ssl);
        return adit_ok();
    }
    SSL_set_connect_state(tls->ssl);
    return server_name_set(tls->ssl, server_name);
}

struct adit_status adit_tls_open(struct adit_tls_context *context, struct adit_chunk_pool *pool,
                                 size_t bytes_max, struct adit_bytes server_name,
                                 struct adit_tls **out_tls)
{
    struct adit_span memory = {0};
    ADIT_ENSURE(bytes_max <= UINT32_MAX / 2, INVALID, "odd size of the output queue");
    ADIT_TRY(adit_memory_open(1, sizeof(struct adit_tls), &memory));
    struct adit_tls *tls = adit_memory_at(memory, sizeof(*tls), 0);
    *tls = (struct adit_tls){.context = context, .pool = pool, .bytes_max = bytes_max};
    context->references++;
    adit_queue_init(&tls->out, bytes_max + SLACK_BYTES);
    struct adit_status status = ssl_make(tls, server_name);
    if (!adit_is_ok(status)) {
        adit_tls_close(&tls);
        return status;
    }
    *out_tls = tls;
    return adit_ok();
}

void adit_tls_close(struct adit_tls **tls)
{
    struct adit_tls *gone = *tls;
    *tls = NULL;
    if (!gone) {
        return;
    }
    SSL_free(gone->ssl);
    adit_queue_reset(&gone->out, gone->pool);
    adit_tls_context_release(gone->context);
    struct adit_span memory = ADIT_OBJECT_SPAN(*gone);
    adit_memory_close(&memory);
}

struct adit_queue *adit_tls_out(struct adit_tls *tls)
{
    return &tls->out;
}

void adit_tls_input_set(struct adit_tls *tls, struct adit_bytes ciphertext)
{
    tls->in = ciphertext;
}

/* OpenSSL's queue of errors has to be empty before a call whose result is asked for. It nearly
 * always is, and clearing it all the same costs as much as the encryption of a small record. */
static void errors_clear(void)
{
    if (ERR_peek_error() != 0) {
        ERR_clear_error();
    }
}

/* --- Handshake ------------------------------------------------------------------------------- */

static struct adit_status handshake_failed(struct adit_tls *tls)
{
    unsigned long code = ERR_peek_error();
    tls->is_broken = true;
    if (SSL_get_verify_result(tls->ssl) != X509_V_OK) {
        ADIT_CRYPTO_FAIL("the certificate of the server does not verify");
    }
    if (ERR_GET_REASON(code) == SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL) {
        ERR_clear_error();
        ADIT_FAIL_WITH(REFUSED, "the server does not speak our protocol (ALPN)", (int64_t)code);
    }
    ADIT_CRYPTO_FAIL("the TLS handshake failed");
}

struct adit_status adit_tls_handshake(struct adit_tls *tls, bool *out_is_done)
{
    ADIT_ENSURE(!tls->is_broken, CLOSED, "the connection failed before");
    errors_clear();
    int result = tls->is_done ? 1 : SSL_do_handshake(tls->ssl);
    if (result != 1) {
        int reason = SSL_get_error(tls->ssl, result);
        if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE) {
            return handshake_failed(tls);
        }
    } else if (!tls->is_done) {
        struct adit_bytes wanted = adit_tls_context_alpn(tls->context);
        if (tls->context->alpn_len > 0 && !tls->context->is_visitor &&
            !adit_bytes_equal(adit_tls_alpn(tls), wanted)) {
            tls->is_broken = true;
            ADIT_FAIL(REFUSED, "the server does not speak our protocol (ALPN)");
        }
        tls->is_done = true;
    }
    *out_is_done = tls->is_done;
    return adit_ok();
}

struct adit_bytes adit_tls_verify_error(const struct adit_tls *tls)
{
    long code = SSL_get_verify_result(tls->ssl);
    if (code == X509_V_OK) {
        return (struct adit_bytes){0};
    }
    return adit_bytes_of_text(X509_verify_cert_error_string(code));
}

struct adit_bytes adit_tls_alpn(const struct adit_tls *tls)
{
    const unsigned char *name = NULL;
    unsigned int len = 0;
    SSL_get0_alpn_selected(tls->ssl, &name, &len);
    return (struct adit_bytes){.ptr = name, .len = len};
}

/* --- Data ------------------------------------------------------------------------------------ */

static struct adit_status data_failed(struct adit_tls *tls)
{
    tls->is_broken = true;
    if (tls->is_flooded) {
        ADIT_CRYPTO_FAIL("too many handshake messages after the handshake");
    }
    ADIT_CRYPTO_FAIL("the TLS connection failed");
}

/* The failure that was kept back, once. */
static struct adit_status late_take(struct adit_tls *tls)
{
    struct adit_status status = tls->late;
    tls->late = adit_ok();
    return status;
}

/* Is there nothing that OpenSSL could read? It would take a buffer, find that out, and give it
 * back, after each record. The end of the connection is told whenever it is asked for. */
static bool is_dry(const struct adit_tls *tls)
{
    return tls->in.len == 0 && SSL_has_pending(tls->ssl) == 0 &&
           (SSL_get_shutdown(tls->ssl) & SSL_RECEIVED_SHUTDOWN) == 0;
}

struct adit_status adit_tls_read(struct adit_tls *tls, struct adit_span span, size_t *out_count,
                                 bool *out_is_end)
{
    ADIT_TRY(late_take(tls));
    ADIT_ENSURE(!tls->is_broken, CLOSED, "the connection failed before");
    ADIT_ENSURE(tls->is_done, INVALID, "read before the handshake is over");
    ADIT_ENSURE(span.len > 0, INVALID, "no room to read: 0 bytes would mean that input is wanted");
    size_t total = 0;
    bool is_more = !is_dry(tls);
    bool is_end = false;
    if (is_more) {
        errors_clear();
    }
    while (is_more && total < span.len) {
        struct adit_span rest = adit_span_from(span, total);
        size_t got = 0;
        int result = SSL_read_ex(tls->ssl, rest.ptr, rest.len, &got);
        if (result == 1) {
            total += got;
            tls->read_total += got;
            is_more = !is_dry(tls);
            continue;
        }
        int reason = SSL_get_error(tls->ssl, result);
        is_more = false;
        is_end = reason == SSL_ERROR_ZERO_RETURN;
        if (reason != SSL_ERROR_WANT_READ && !is_end) {
            tls->late = data_failed(tls); /* WANT_WRITE too: no room even for a short answer */
        }
    }
    if (total == 0) {
        ADIT_TRY(late_take(tls));
    }
    *out_count = total;
    *out_is_end = is_end && total == 0; /* after the last bytes, at the next call */
    return adit_ok();
}

size_t adit_tls_room(const struct adit_tls *tls)
{
    if (!tls->is_done || tls->is_broken || tls->is_finished) {
        return 0;
    }
    size_t limit = tls->bytes_max - adit_min_size(tls->bytes_max, tls->out.len);
    size_t sure = adit_queue_room_sure(&tls->out, tls->pool);
    size_t room = adit_min_size(limit, sure - adit_min_size(sure, RESERVE_BYTES));
    size_t full = room / (ADIT_TLS_RECORD_BYTES + RECORD_OVERHEAD_BYTES);
    size_t rest = room % (ADIT_TLS_RECORD_BYTES + RECORD_OVERHEAD_BYTES);
    return full * ADIT_TLS_RECORD_BYTES + rest - adit_min_size(rest, RECORD_OVERHEAD_BYTES);
}

struct adit_status adit_tls_write(struct adit_tls *tls, struct adit_bytes bytes)
{
    ADIT_ENSURE(!tls->is_broken, CLOSED, "the connection failed before");
    ADIT_ENSURE(!tls->is_finished, CLOSED, "close_notify is sent");
    ADIT_ENSURE(tls->is_done, INVALID, "write before the handshake is over");
    ADIT_ENSURE(bytes.len <= adit_tls_room(tls), FULL, "the output queue is full");
    if (bytes.len == 0) {
        return adit_ok();
    }
    errors_clear();
    /* TLS 1.2 cannot change its keys; its nonce is a counter that does not end. */
    if (tls->records_written >= RECORDS_PER_KEY_MAX && SSL_version(tls->ssl) == TLS1_3_VERSION) {
        if (SSL_key_update(tls->ssl, SSL_KEY_UPDATE_NOT_REQUESTED) != 1) {
            return data_failed(tls);
        }
        tls->records_written = 0;
    }
    size_t written = 0;
    if (SSL_write_ex(tls->ssl, bytes.ptr, bytes.len, &written) != 1 || written != bytes.len) {
        return data_failed(tls);
    }
    size_t records = (bytes.len + ADIT_TLS_RECORD_BYTES - 1) / ADIT_TLS_RECORD_BYTES;
    tls->records_written = (uint32_t)adit_min_size(tls->records_written + records,
                                                   RECORDS_PER_KEY_MAX);
    return adit_ok();
}

void adit_tls_finish(struct adit_tls *tls)
{
    if (tls->is_done && !tls->is_broken && !tls->is_finished) {
        tls->is_finished = true;
        SSL_shutdown(tls->ssl);
        ERR_clear_error();
    }
}
