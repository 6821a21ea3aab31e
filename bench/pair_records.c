#include "pair_records.h"

#include <openssl/hmac.h>

#include "tls_server.h"

enum { APPLICATION_DATA = 0x17, VERSION = 0x0303, KEY = 16, SECRET = 32 };

/* What the library says of its secrets. */
struct secrets {
    uint8_t of_client[SECRET], of_server[SECRET];
    uint32_t known;
};

static void keep(struct secrets *secrets, struct adit_bytes line, struct adit_bytes label,
                 uint8_t (*out_secret)[SECRET])
{
    if (!adit_bytes_starts_with(line, label)) {
        return;
    }
    struct adit_bytes text = adit_bytes_from(line, line.len - (size_t)2 * SECRET);
    if (!adit_is_ok(adit_parse_hex(text, ADIT_SPAN_OF(*out_secret)))) {
        bench_die("a secret");
    }
    secrets->known++;
}

static void keep_secret(const SSL *tls, const char *text)
{
    struct secrets *secrets = SSL_CTX_get_app_data(SSL_get_SSL_CTX(tls));
    struct adit_bytes line = adit_bytes_of_text(text);
    keep(secrets, line, ADIT_BYTES("CLIENT_TRAFFIC_SECRET_0 "), &secrets->of_client);
    keep(secrets, line, ADIT_BYTES("SERVER_TRAFFIC_SECRET_0 "), &secrets->of_server);
}

/* HKDF-Expand-Label without a context, for at most one block of SHA-256. */
static void expand(struct adit_bytes secret, struct adit_bytes label, struct adit_span out)
{
    uint8_t info[64], block[EVP_MAX_MD_SIZE];
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(info));
    struct adit_bytes prefix = ADIT_BYTES("tls13 ");
    if (!adit_is_ok(adit_write_u16(&writer, (uint16_t)out.len)) ||
        !adit_is_ok(adit_write_u8(&writer, (uint8_t)(prefix.len + label.len))) ||
        !adit_is_ok(adit_write_bytes(&writer, prefix)) ||
        !adit_is_ok(adit_write_bytes(&writer, label)) ||
        !adit_is_ok(adit_write_u8(&writer, 0)) || !adit_is_ok(adit_write_u8(&writer, 1)) ||
        !HMAC(EVP_sha256(), secret.ptr, (int)secret.len, info, adit_writer_bytes(&writer).len,
              block, NULL) ||
        !adit_is_ok(adit_span_copy(out, adit_bytes_first(ADIT_BYTES_OF(block), out.len)))) {
        bench_die("a key");
    }
}

static void records_init(struct records *records, struct adit_bytes secret, bool is_seal)
{
    uint8_t key[KEY];
    expand(secret, ADIT_BYTES("key"), ADIT_SPAN_OF(key));
    expand(secret, ADIT_BYTES("iv"), ADIT_SPAN_OF(records->nonce));
    records->cipher = EVP_CIPHER_CTX_new();
    if (!records->cipher || EVP_CipherInit_ex(records->cipher, EVP_aes_128_gcm(), NULL, key, NULL,
                                              is_seal ? 1 : 0) != 1) {
        bench_die("a cipher");
    }
}

void records_shake(int fd, bool is_server, struct pair_library *library, struct records *out_seal,
                   struct records *out_open)
{
    struct secrets secrets = {0};
    SSL_CTX *context = is_server ? tls_server_context("bench") : SSL_CTX_new(TLS_client_method());
    if (!context || SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1 ||
        SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1) {
        bench_die("a TLS context");
    }
    SSL_CTX_set_num_tickets(context, 0); /* the handshake's last message is the client's */
    SSL_CTX_set_app_data(context, &secrets);
    SSL_CTX_set_keylog_callback(context, keep_secret);
    SSL *tls = SSL_new(context);
    if (!tls || SSL_set_fd(tls, fd) != 1 || (is_server ? SSL_accept(tls) : SSL_connect(tls)) != 1 ||
        secrets.known != 2) {
        bench_die("the handshake");
    }
    SSL_CTX_set_keylog_callback(context, NULL);
    if (library) {
        pair_library_begin(library, tls);
        *out_seal = *out_open = (struct records){.library = library};
        return;
    }
    SSL_free(tls);
    SSL_CTX_free(context);
    struct adit_bytes client = ADIT_BYTES_OF(secrets.of_client);
    struct adit_bytes server = ADIT_BYTES_OF(secrets.of_server);
    records_init(out_seal, is_server ? server : client, true);
    records_init(out_open, is_server ? client : server, false);
}

/* The record's nonce, and what is sealed with it but in clear: its head. */
static void begin(struct records *records, struct adit_bytes head)
{
    uint8_t nonce[RECORDS_NONCE];
    struct adit_span number = adit_span_from(ADIT_SPAN_OF(nonce), RECORDS_NONCE - 8);
    const struct adit_bytes fixed =
        adit_bytes_from(ADIT_BYTES_OF(records->nonce), RECORDS_NONCE - 8);
    int len = 0;
    memcpy(nonce, records->nonce, sizeof nonce);
    adit_store_big64(number.ptr, adit_load_big64(fixed.ptr) ^ records->number++);
    if (EVP_CipherInit_ex(records->cipher, NULL, NULL, NULL, nonce, -1) != 1 ||
        EVP_CipherUpdate(records->cipher, NULL, &len, head.ptr, RECORDS_HEAD) != 1) {
        bench_die("a record");
    }
}

void records_seal(struct records *seal, struct adit_span record, size_t plain)
{
    if (seal->library) {
        struct adit_bytes bytes = adit_bytes_from(adit_span_bytes(record), RECORDS_HEAD);
        pair_library_seal(seal->library, adit_bytes_first(bytes, plain), record);
        return;
    }
    struct adit_span type = adit_span_from(record, RECORDS_HEAD + plain);
    struct adit_span inner = adit_span_from(record, RECORDS_HEAD);
    struct adit_span number = adit_span_from(record, 1);
    int len = 0;
    *record.ptr = APPLICATION_DATA;
    adit_store_big16(number.ptr, VERSION);
    adit_store_big16(adit_span_from(record, 3).ptr, (uint16_t)(plain + RECORDS_TAIL));
    *type.ptr = APPLICATION_DATA;
    begin(seal, adit_span_bytes(record));
    if (EVP_CipherUpdate(seal->cipher, inner.ptr, &len, inner.ptr, (int)plain + 1) != 1 ||
        EVP_CipherFinal_ex(seal->cipher, NULL, &len) != 1 ||
        EVP_CIPHER_CTX_ctrl(seal->cipher, EVP_CTRL_AEAD_GET_TAG, RECORDS_TAG,
                            adit_span_from(type, 1).ptr) != 1) {
        bench_die("a record is not sealed");
    }
}

size_t records_len(struct adit_bytes bytes)
{
    if (bytes.len < RECORDS_HEAD) {
        return 0;
    }
    return (size_t)RECORDS_HEAD + adit_load_big16(adit_bytes_from(bytes, 3).ptr);
}

struct adit_bytes records_open(struct records *open, struct adit_span record)
{
    if (open->library) {
        return pair_library_open(open->library, adit_span_bytes(record),
                                 adit_span_from(record, RECORDS_HEAD));
    }
    size_t sealed = record.len - RECORDS_HEAD - RECORDS_TAG;
    struct adit_span inner = adit_span_first(adit_span_from(record, RECORDS_HEAD), sealed);
    struct adit_span tag = adit_span_from(record, RECORDS_HEAD + sealed);
    int len = 0;
    begin(open, adit_span_bytes(record));
    if (EVP_CipherUpdate(open->cipher, inner.ptr, &len, inner.ptr, (int)sealed) != 1 ||
        EVP_CIPHER_CTX_ctrl(open->cipher, EVP_CTRL_AEAD_SET_TAG, RECORDS_TAG, tag.ptr) != 1 ||
        EVP_CipherFinal_ex(open->cipher, NULL, &len) != 1 ||
        adit_bytes_at(adit_span_bytes(inner), sealed - 1) != APPLICATION_DATA) {
        bench_die("a record is not genuine");
    }
    return adit_bytes_first(adit_span_bytes(inner), sealed - 1);
}
