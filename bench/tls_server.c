#include "tls_server.h"

enum { DAY_S = 86400 };

static bool name_set(X509 *certificate, const char *host)
{
    const struct adit_bytes name = adit_bytes_of_text(host);
    return X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                                      name.ptr, (int)name.len, -1, 0) == 1;
}

static bool time_set(X509 *certificate)
{
    return X509_gmtime_adj(X509_getm_notBefore(certificate), -60) &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), DAY_S);
}

static void give_certificate(SSL_CTX *server, const char *host)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    if (!key || !certificate || X509_set_version(certificate, X509_VERSION_3) != 1 ||
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) != 1 || !time_set(certificate) ||
        !name_set(certificate, host) || X509_set_pubkey(certificate, key) != 1 ||
        X509_sign(certificate, key, EVP_sha256()) == 0 ||
        SSL_CTX_use_certificate(server, certificate) != 1 ||
        SSL_CTX_use_PrivateKey(server, key) != 1) {
        bench_die("a certificate");
    }
    X509_free(certificate);
    EVP_PKEY_free(key);
}

SSL_CTX *tls_server_context(const char *host)
{
    SSL_CTX *server = SSL_CTX_new(TLS_server_method());
    if (!server) {
        bench_die("a TLS context");
    }
    SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(server, SSL_MODE_RELEASE_BUFFERS);
    give_certificate(server, host);
    return server;
}
