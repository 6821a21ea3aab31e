/* Certificate: makes an ECDSA P-256 key and a certificate for it, for the development CA and
 * for tests. Private to src/net.
 *
 * Serial numbers are random; every certificate is valid from an hour ago, for clocks that differ.
 * Source: RFC 5280. */
#ifndef ADIT_NET_CERTIFICATE_H
#define ADIT_NET_CERTIFICATE_H

#include "base/base.h"

struct adit_certificate {
    X509 *x509;
    EVP_PKEY *key;
};

struct adit_certificate_options {
    OSSL_LIB_CTX *library; /* null: the default one */
    struct adit_bytes common_name; /* at most 64 bytes */
    struct adit_bytes domain;      /* letters, digits, '-' and '.' only; empty: none */
    const struct adit_certificate *issuer; /* null: signed by itself */
    bool is_authority; /* may sign for `domain`, its subdomains and loopback, for nothing else */
    uint32_t days;
};

/* Where it is no authority: a server for domain, *.domain, localhost, 127.0.0.1 and ::1. */
struct adit_status adit_certificate_make(const struct adit_certificate_options *options,
                                         struct adit_certificate *out_certificate);
void adit_certificate_drop(struct adit_certificate *certificate);

/* PEM of the certificate, and of the key as PKCS #8 without a password. */
struct adit_status adit_certificate_write(const struct adit_certificate *certificate,
                                          struct adit_writer *writer);
struct adit_status adit_certificate_write_key(const struct adit_certificate *certificate,
                                              struct adit_writer *writer);

/* The first certificate, and the key, of two PEM texts; CRYPTO where one does not parse (a key with
 * a password is refused, never asked for) or they do not belong together. */
struct adit_status adit_certificate_read(OSSL_LIB_CTX *library, struct adit_bytes pem,
                                         struct adit_bytes key_pem,
                                         struct adit_certificate *out_certificate);

/* The next certificate of a PEM text: null without failure at its end. */
struct adit_status adit_certificate_next(OSSL_LIB_CTX *library, BIO *pem, X509 **out_x509);
struct adit_status adit_certificate_key_parse(OSSL_LIB_CTX *library, struct adit_bytes pem,
                                              EVP_PKEY **out_key);

/* A BIO that reads `bytes`, which must outlive it. */
struct adit_status adit_certificate_bio(struct adit_bytes bytes, BIO **out_bio);

/* Failure of the library: its first error code as the detail, and its queue emptied. */
#define ADIT_CRYPTO_FAIL(sentence)                                                              \
    do {                                                                                        \
        int64_t adit_crypto_code = (int64_t)ERR_peek_error();                                   \
        ERR_clear_error();                                                                      \
        ADIT_FAIL_WITH(CRYPTO, sentence, adit_crypto_code);                                     \
    } while (0)

#endif
