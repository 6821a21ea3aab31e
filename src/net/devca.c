#include "net/devca.h"

#include "net/certificate.h"

#define AUTHORITY_DAYS 3650
#define LEAF_DAYS 90
#define RENEW_BEFORE_MS ((uint64_t)30 * 86400 * 1000)
#define PEM_BYTES_MAX 16384
#define PATH_BYTES_MAX 1024

/* One certificate and its key, as two files. */
struct pair_names {
    struct adit_bytes pem, key;
};

static const struct pair_names authority_names = {ADIT_BYTES_INIT("ca.pem"),
                                                  ADIT_BYTES_INIT("ca.key")};
static const struct pair_names leaf_names = {ADIT_BYTES_INIT("server.pem"),
                                             ADIT_BYTES_INIT("server.key")};

/* --- Files ----------------------------------------------------------------------------------- */

static struct adit_status file_load(struct adit_bytes folder, struct adit_bytes name,
                                    struct adit_writer *out)
{
    char path[PATH_BYTES_MAX] = {0};
    ADIT_TRY(adit_path_join(ADIT_OBJECT_SPAN(path), folder, name));
    return adit_file_read(path, out);
}

static struct adit_status file_save(struct adit_bytes folder, struct adit_bytes name,
                                    unsigned mode, struct adit_bytes bytes)
{
    char path[PATH_BYTES_MAX] = {0};
    ADIT_TRY(adit_path_join(ADIT_OBJECT_SPAN(path), folder, name));
    return adit_file_write(path, mode, bytes);
}

/* Left empty, without failure, where a file is missing. */
static struct adit_status pair_load(struct adit_bytes folder, const struct pair_names *names,
                                    struct adit_certificate *out_certificate)
{
    uint8_t pem_room[PEM_BYTES_MAX];
    uint8_t key_room[PEM_BYTES_MAX];
    struct adit_writer pem = adit_writer_of(ADIT_SPAN_OF(pem_room));
    struct adit_writer key = adit_writer_of(ADIT_SPAN_OF(key_room));
    struct adit_status status = file_load(folder, names->pem, &pem);
    if (adit_is_ok(status)) {
        status = file_load(folder, names->key, &key);
    }
    if (adit_is_ok(status)) {
        status = adit_certificate_read(NULL, adit_writer_bytes(&pem), adit_writer_bytes(&key),
                                       out_certificate);
    } else if (adit_status_error(status) == ADIT_ERROR_SYSTEM && status.detail == ENOENT) {
        status = adit_ok();
    }
    adit_span_wipe(ADIT_SPAN_OF(key_room));
    return status;
}

/* The key first: a certificate without its key would be of no use. */
static struct adit_status pair_save(struct adit_bytes folder, const struct pair_names *names,
                                    const struct adit_certificate *certificate)
{
    uint8_t pem_room[PEM_BYTES_MAX];
    uint8_t key_room[PEM_BYTES_MAX];
    struct adit_writer pem = adit_writer_of(ADIT_SPAN_OF(pem_room));
    struct adit_writer key = adit_writer_of(ADIT_SPAN_OF(key_room));
    ADIT_TRY(adit_certificate_write(certificate, &pem));
    struct adit_status status = adit_certificate_write_key(certificate, &key);
    if (adit_is_ok(status)) {
        status = file_save(folder, names->key, 0600, adit_writer_bytes(&key));
    }
    adit_span_wipe(ADIT_SPAN_OF(key_room));
    ADIT_TRY(status);
    return file_save(folder, names->pem, 0644, adit_writer_bytes(&pem));
}

/* --- Judging --------------------------------------------------------------------------------- */

/* Still good when the time to renew is over: chain, both lives, and what the CA may sign for. */
static bool chain_is_good(const struct adit_certificate *authority,
                          const struct adit_certificate *leaf)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    bool is_good = store && context && X509_STORE_add_cert(store, authority->x509) == 1 &&
                   X509_STORE_CTX_init(context, store, leaf->x509, NULL) == 1;
    if (is_good) {
        X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
        uint64_t when_ms = adit_clock_wall_ms() + RENEW_BEFORE_MS;
        X509_VERIFY_PARAM_set_time(param, (time_t)(when_ms / 1000));
        is_good = X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER) == 1 &&
                  X509_verify_cert(context) == 1;
    }
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    ERR_clear_error();
    return is_good;
}

static bool names_are_right(X509 *x509, struct adit_bytes domain)
{
    char below[256] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_OBJECT_SPAN(below));
    if (!adit_is_ok(adit_write_bytes(&writer, ADIT_BYTES("any-name."))) ||
        !adit_is_ok(adit_write_bytes(&writer, domain))) {
        return false;
    }
    struct adit_bytes top = adit_bytes_from(adit_writer_bytes(&writer), 9);
    char plain[256] = {0};
    if (!adit_is_ok(adit_span_copy(ADIT_OBJECT_SPAN(plain), top))) {
        return false;
    }
    return X509_check_host(x509, below, writer.len, 0, NULL) == 1 &&
           X509_check_host(x509, plain, top.len, 0, NULL) == 1 &&
           X509_check_host(x509, "localhost", 9, 0, NULL) == 1 &&
           X509_check_ip_asc(x509, "127.0.0.1", 0) == 1 && X509_check_ip_asc(x509, "::1", 0) == 1;
}

static bool leaf_is_good(const struct adit_certificate *authority,
                         const struct adit_certificate *leaf, struct adit_bytes domain)
{
    return authority->x509 && leaf->x509 && names_are_right(leaf->x509, domain) &&
           chain_is_good(authority, leaf);
}

/* --- Making ---------------------------------------------------------------------------------- */

/* A number in the name tells several such authorities in one browser apart. */
static struct adit_status authority_make(struct adit_bytes domain,
                                         struct adit_certificate *out_authority)
{
    uint8_t number[4];
    uint8_t room[64];
    struct adit_writer name = adit_writer_of(ADIT_SPAN_OF(room));
    ADIT_TRY(adit_random_fill(ADIT_SPAN_OF(number)));
    ADIT_TRY(adit_write_bytes(&name, ADIT_BYTES("Adit development CA ")));
    ADIT_TRY(adit_write_hex(&name, ADIT_BYTES_OF(number)));
    const struct adit_certificate_options options = {.common_name = adit_writer_bytes(&name),
                                                     .domain = domain,
                                                     .is_authority = true,
                                                     .days = AUTHORITY_DAYS};
    return adit_certificate_make(&options, out_authority);
}

static struct adit_status leaf_make(struct adit_bytes domain,
                                    const struct adit_certificate *authority,
                                    struct adit_certificate *out_leaf)
{
    const struct adit_certificate_options options = {
        .common_name = ADIT_BYTES_INIT("Adit development server"),
        .domain = domain,
        .issuer = authority,
        .days = LEAF_DAYS};
    return adit_certificate_make(&options, out_leaf);
}

/* Replaces what is not good any more, in memory; says which of the two are new. */
struct renewal {
    struct adit_certificate authority, leaf;
    bool is_authority_new, is_leaf_new;
};

static struct adit_status authority_renew(struct renewal *renewal, struct adit_bytes domain)
{
    adit_certificate_drop(&renewal->authority);
    renewal->is_authority_new = true;
    return authority_make(domain, &renewal->authority);
}

static struct adit_status renew(struct renewal *renewal, struct adit_bytes domain)
{
    if (!renewal->authority.x509) {
        ADIT_TRY(authority_renew(renewal, domain));
    }
    if (leaf_is_good(&renewal->authority, &renewal->leaf, domain)) {
        return adit_ok();
    }
    /* An authority that is itself near its end, or was made for another domain, cannot help. */
    for (int i = 0; i < 2; i++) {
        adit_certificate_drop(&renewal->leaf);
        renewal->is_leaf_new = true;
        ADIT_TRY(leaf_make(domain, &renewal->authority, &renewal->leaf));
        if (leaf_is_good(&renewal->authority, &renewal->leaf, domain)) {
            return adit_ok();
        }
        ADIT_TRY(authority_renew(renewal, domain));
    }
    ADIT_FAIL(CRYPTO, "the development CA cannot sign for this domain");
}

static struct adit_status renew_files(struct adit_bytes folder, struct adit_bytes domain,
                                      struct renewal *renewal)
{
    ADIT_TRY(pair_load(folder, &authority_names, &renewal->authority));
    struct adit_status status = pair_load(folder, &leaf_names, &renewal->leaf);
    if (adit_status_error(status) != ADIT_ERROR_CRYPTO) { /* what does not parse is made anew */
        ADIT_TRY(status);
    }
    ADIT_TRY(renew(renewal, domain));
    if (renewal->is_authority_new) {
        ADIT_TRY(pair_save(folder, &authority_names, &renewal->authority));
    }
    if (renewal->is_leaf_new) {
        ADIT_TRY(pair_save(folder, &leaf_names, &renewal->leaf));
    }
    return adit_ok();
}

struct adit_status adit_devca_ensure(struct adit_bytes folder, struct adit_bytes domain)
{
    ADIT_ENSURE(domain.len > 0, INVALID, "a development certificate needs a domain");
    struct renewal renewal = {0};
    struct adit_status status = renew_files(folder, domain, &renewal);
    adit_certificate_drop(&renewal.authority);
    adit_certificate_drop(&renewal.leaf);
    return status;
}
