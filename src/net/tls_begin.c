#include "net/certificate.h"
#include "net/tls_private.h"

#define WITHOUT_EXTRAS                                                                          \
    (OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS |                        \
     OPENSSL_INIT_NO_LOAD_SSL_STRINGS)
#define WITHOUT_TABLES (OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ADD_ALL_DIGESTS)

/* With which certificates are signed: the library looks those up by number, in the tables. */
static const EVP_MD *(*const signing_digests[])(void) = {
    EVP_sha1,     EVP_sha224,   EVP_sha256,   EVP_sha384,   EVP_sha512,
    EVP_sha3_224, EVP_sha3_256, EVP_sha3_384, EVP_sha3_512,
};

struct adit_status adit_tls_begin(void)
{
    if (OPENSSL_init_ssl(WITHOUT_EXTRAS, NULL) != 1) {
        ADIT_CRYPTO_FAIL("OPENSSL_init_ssl");
    }
    return adit_ok();
}

struct adit_status adit_tls_begin_small(void)
{
    if (OPENSSL_init_ssl(WITHOUT_EXTRAS | WITHOUT_TABLES, NULL) != 1) {
        ADIT_CRYPTO_FAIL("OPENSSL_init_ssl");
    }
    for (size_t i = 0; i < ADIT_COUNT(signing_digests); i++) {
        if (EVP_add_digest(ADIT_AT(signing_digests, i)()) != 1) {
            ADIT_CRYPTO_FAIL("EVP_add_digest");
        }
    }
    return adit_ok();
}
