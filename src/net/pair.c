#include "net/pair.h"

#include "net/certificate.h"

#define HOST_BYTES_MAX 256
#define PROBE "any-name." /* no certificate has it but by its wildcard */

static bool covers_names(X509 *x509, struct adit_bytes domain)
{
    char host[HOST_BYTES_MAX] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_OBJECT_SPAN(host));
    if (!adit_is_ok(adit_write_bytes(&writer, ADIT_BYTES(PROBE))) ||
        !adit_is_ok(adit_write_bytes(&writer, domain))) {
        return false;
    }
    bool is_covered = X509_check_host(x509, host, writer.len, 0, NULL) == 1;
    ERR_clear_error();
    return is_covered;
}

struct adit_status adit_pair_certificate_check(struct adit_bytes pem, struct adit_bytes domain,
                                               struct adit_pair_facts *out_facts)
{
    BIO *bio = NULL;
    X509 *x509 = NULL;
    ADIT_TRY(adit_certificate_bio(pem, &bio));
    struct adit_status status = adit_certificate_next(NULL, bio, &x509);
    BIO_free(bio);
    ADIT_TRY(status);
    ADIT_ENSURE(x509, CRYPTO, "no certificate in the file");
    time_t now = (time_t)(adit_clock_wall_ms() / 1000);
    time_t soon = now + ADIT_PAIR_SOON_S;
    *out_facts = (struct adit_pair_facts){
        .covers_names = covers_names(x509, domain),
        .is_early = X509_cmp_time(X509_get0_notBefore(x509), &now) > 0,
        .is_expired = X509_cmp_time(X509_get0_notAfter(x509), &now) < 0,
        .expires_soon = X509_cmp_time(X509_get0_notAfter(x509), &soon) < 0,
    };
    X509_free(x509);
    return adit_ok();
}

struct adit_status adit_pair_key_check(struct adit_bytes pem, struct adit_bytes key_pem)
{
    struct adit_certificate pair = {0};
    ADIT_TRY(adit_certificate_read(NULL, pem, key_pem, &pair));
    adit_certificate_drop(&pair);
    return adit_ok();
}
