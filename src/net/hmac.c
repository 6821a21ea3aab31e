#include "net/hmac.h"

static struct adit_status hmac_run(EVP_MAC_CTX *context, const struct adit_bytes *parts,
                                   size_t part_count, struct adit_span out)
{
    for (size_t i = 0; i < part_count; i++) {
        struct adit_bytes part = ADIT_SLOT(parts, part_count, i);
        ADIT_ENSURE(part.len == 0 || EVP_MAC_update(context, part.ptr, part.len) == 1, CRYPTO,
                    "EVP_MAC_update");
    }
    size_t len = 0;
    ADIT_ENSURE(EVP_MAC_final(context, out.ptr, &len, out.len) == 1 && len == ADIT_HMAC_BYTES,
                CRYPTO, "EVP_MAC_final");
    return adit_ok();
}

struct adit_status adit_hmac_sha256(struct adit_bytes key, struct adit_bytes first,
                                    struct adit_bytes second, struct adit_span out)
{
    ADIT_ENSURE(out.len == ADIT_HMAC_BYTES, INVALID, "an HMAC-SHA-256 has 32 bytes");
    ADIT_ENSURE(key.len > 0, INVALID, "an HMAC without a key");
    ADIT_ENSURE(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1, CRYPTO,
                "OPENSSL_init_crypto");
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac);
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    bool is_begun = context && EVP_MAC_init(context, key.ptr, key.len, params) == 1;
    const struct adit_bytes parts[] = {first, second};
    uint8_t tag[ADIT_HMAC_BYTES];
    struct adit_status status = adit_ok();
    if (is_begun) {
        status = hmac_run(context, parts, ADIT_COUNT(parts), ADIT_SPAN_OF(tag));
    }
    EVP_MAC_CTX_free(context);
    ERR_clear_error();
    ADIT_ENSURE(is_begun, CRYPTO, "EVP_MAC_init");
    ADIT_TRY(status);
    status = adit_span_copy(out, ADIT_BYTES_OF(tag));
    adit_span_wipe(ADIT_SPAN_OF(tag));
    return status;
}

struct adit_status adit_sha256(struct adit_bytes bytes, struct adit_span out)
{
    ADIT_ENSURE(out.len == ADIT_SHA256_BYTES, INVALID, "a SHA-256 has 32 bytes");
    ADIT_ENSURE(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1, CRYPTO,
                "OPENSSL_init_crypto");
    const uint8_t nothing = 0; /* no bytes have no address */
    int code = EVP_Q_digest(NULL, "SHA256", NULL, bytes.len > 0 ? bytes.ptr : &nothing, bytes.len,
                            out.ptr, NULL);
    ERR_clear_error();
    ADIT_ENSURE(code == 1, CRYPTO, "EVP_Q_digest");
    return adit_ok();
}
