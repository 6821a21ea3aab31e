#include "net/tls_algorithms.h"

#include "net/certificate.h"

#define WANTED_MAX 10   /* names in a row of the list below */
#define ORIGIN_MAX 1024 /* algorithms of one operation in the default provider */
#define OPERATION_COUNT ADIT_COUNT(all_wanted)

struct wanted {
    int operation;
    const char *property; /* the last of its properties; null: any */
    const char *names[WANTED_MAX];
};

/* Suites and their digests, and those that sign certificates; the key schedule; the random
 * generator; key shares, public keys, and these as they stand in certificates. By the first of the
 * names that the library has for each. */
static const struct wanted all_wanted[] = {
    {.operation = OSSL_OP_DIGEST,
     .names = {"SHA1", "SHA2-224", "SHA2-256", "SHA2-384", "SHA2-512", "SHA3-224", "SHA3-256",
               "SHA3-384", "SHA3-512", "SHAKE-256"}}, /* the last: for Ed448 */
    {.operation = OSSL_OP_CIPHER,
     .names = {"AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305", "AES-256-CTR", "AES-256-ECB"}},
    {.operation = OSSL_OP_MAC, .names = {"HMAC"}},
    {.operation = OSSL_OP_KDF, .names = {"HKDF", "TLS13-KDF"}},
    {.operation = OSSL_OP_RAND, .names = {"CTR-DRBG", "SEED-SRC"}},
    {.operation = OSSL_OP_KEYMGMT,
     .names = {"RSA", "RSA-PSS", "EC", "X25519", "ED25519", "ED448", "HMAC"}},
    {.operation = OSSL_OP_KEYEXCH, .names = {"ECDH", "X25519"}},
    {.operation = OSSL_OP_SIGNATURE, .names = {"RSA", "ECDSA", "ED25519", "ED448", "HMAC"}},
    {.operation = OSSL_OP_DECODER,
     .property = "structure=SubjectPublicKeyInfo",
     .names = {"RSA", "RSA-PSS", "EC", "ED25519", "ED448"}},
};

struct table {
    OSSL_ALGORITHM algorithms[WANTED_MAX + 1]; /* the one after the last has no name */
};

struct tables {
    OSSL_PROVIDER *origin; /* the default provider */
    struct table each[OPERATION_COUNT];
};

/* --- The tables, which live as long as the library context ----------------------------------- */

static bool is_wanted(const struct wanted *wanted, const OSSL_ALGORITHM *algorithm)
{
    struct adit_bytes name = adit_bytes_of_text(algorithm->algorithm_names);
    struct adit_bytes properties = adit_bytes_of_text(algorithm->property_definition);
    name = adit_bytes_first(name, adit_bytes_find(name, ':'));
    if (!adit_bytes_ends_with(properties, adit_bytes_of_text(wanted->property))) {
        return false;
    }
    for (size_t i = 0; i < WANTED_MAX; i++) {
        if (adit_bytes_equal(name, adit_bytes_of_text(ADIT_AT(wanted->names, i)))) {
            return true;
        }
    }
    return false;
}

static void table_fill(struct table *table, const struct wanted *wanted, OSSL_PROVIDER *origin)
{
    int is_uncached = 0;
    size_t count = 0;
    const OSSL_ALGORITHM *all =
        OSSL_PROVIDER_query_operation(origin, wanted->operation, &is_uncached);
    for (size_t i = 0; all && i < ORIGIN_MAX && count < WANTED_MAX; i++) {
        const OSSL_ALGORITHM *algorithm = &ADIT_SLOT(all, ORIGIN_MAX, i);
        if (!algorithm->algorithm_names) {
            break;
        }
        if (is_wanted(wanted, algorithm)) {
            ADIT_AT(table->algorithms, count) = *algorithm;
            count++;
        }
    }
}

static void tables_free(void *context)
{
    struct tables *tables = context;
    struct adit_span memory = ADIT_OBJECT_SPAN(*tables);
    adit_memory_close(&memory);
}

/* A provider of nothing, whose context the tables are. */
static int tables_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
                       const OSSL_DISPATCH **out_functions, void **out_context)
{
    static const OSSL_DISPATCH functions[] = {
        {OSSL_FUNC_PROVIDER_TEARDOWN, ADIT_FUNCTION(tables_free)}, {0, NULL}};
    (void)handle;
    (void)core;
    struct adit_span memory = {0};
    if (!adit_is_ok(adit_memory_open(1, sizeof(struct tables), &memory))) {
        return 0;
    }
    *out_context = adit_memory_at(memory, sizeof(struct tables), 0);
    *out_functions = functions;
    return 1;
}

/* --- The provider that hands them on --------------------------------------------------------- */

/* OpenSSL gives a provider's functions one pointer, and that is what the algorithms get: it has to
 * be the default provider's. So the tables are looked for in the library context that is the
 * thread's while a context is opened. Later there is none, and nothing is left to ask for. */
static struct tables *tables_find(void)
{
    OSSL_PROVIDER *holder = OSSL_PROVIDER_available(NULL, "adit-tables") == 1
                                ? OSSL_PROVIDER_load(NULL, "adit-tables")
                                : NULL;
    struct tables *tables = holder ? OSSL_PROVIDER_get0_provider_ctx(holder) : NULL;
    if (holder) {
        OSSL_PROVIDER_unload(holder);
    }
    return tables;
}

static const OSSL_ALGORITHM *on_query(void *context, int operation, int *out_is_uncached)
{
    (void)context;
    *out_is_uncached = 0;
    const struct tables *tables = tables_find();
    for (size_t i = 0; tables && i < OPERATION_COUNT; i++) {
        if (ADIT_AT(all_wanted, i).operation == operation) {
            return &ADIT_AT(tables->each, i).algorithms[0];
        }
    }
    return NULL;
}

static int on_capabilities(void *context, const char *capability, OSSL_CALLBACK *callback,
                           void *argument)
{
    (void)context;
    const struct tables *tables = tables_find();
    return tables ? OSSL_PROVIDER_get_capabilities(tables->origin, capability, callback, argument)
                  : 0;
}

static int filter_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
                       const OSSL_DISPATCH **out_functions, void **out_context)
{
    static const OSSL_DISPATCH functions[] = {
        {OSSL_FUNC_PROVIDER_QUERY_OPERATION, ADIT_FUNCTION(on_query)},
        {OSSL_FUNC_PROVIDER_GET_CAPABILITIES, ADIT_FUNCTION(on_capabilities)},
        {0, NULL}};
    (void)handle;
    (void)core;
    const struct tables *tables = tables_find();
    *out_context = tables ? OSSL_PROVIDER_get0_provider_ctx(tables->origin) : NULL;
    *out_functions = functions;
    return tables ? 1 : 0;
}

/* --- Loading --------------------------------------------------------------------------------- */

/* OpenSSL asks for an operation's algorithms when the first of them is used: all now. */
static bool all_are_asked_for(OSSL_LIB_CTX *library)
{
    EVP_MD *digest = EVP_MD_fetch(library, "SHA2-256", NULL);
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(library, "AES-128-GCM", NULL);
    EVP_MAC *mac = EVP_MAC_fetch(library, "HMAC", NULL);
    EVP_KDF *kdf = EVP_KDF_fetch(library, "HKDF", NULL);
    EVP_RAND *numbers = EVP_RAND_fetch(library, "CTR-DRBG", NULL);
    EVP_KEYMGMT *keys = EVP_KEYMGMT_fetch(library, "EC", NULL);
    EVP_KEYEXCH *exchange = EVP_KEYEXCH_fetch(library, "ECDH", NULL);
    EVP_SIGNATURE *signature = EVP_SIGNATURE_fetch(library, "ECDSA", NULL);
    OSSL_DECODER *decoder = OSSL_DECODER_fetch(library, "EC", NULL);
    bool is_good = digest && cipher && mac && kdf && numbers && keys && exchange && signature &&
                   decoder;
    EVP_MD_free(digest);
    EVP_CIPHER_free(cipher);
    EVP_MAC_free(mac);
    EVP_KDF_free(kdf);
    EVP_RAND_free(numbers);
    EVP_KEYMGMT_free(keys);
    EVP_KEYEXCH_free(exchange);
    EVP_SIGNATURE_free(signature);
    OSSL_DECODER_free(decoder);
    return is_good;
}

static struct tables *tables_load(OSSL_LIB_CTX *library, struct adit_tls_algorithms *made)
{
    bool is_added = OSSL_PROVIDER_add_builtin(library, "adit-tables", tables_init) == 1 &&
                    OSSL_PROVIDER_add_builtin(library, "adit", filter_init) == 1;
    made->tables = is_added ? OSSL_PROVIDER_load(library, "adit-tables") : NULL;
    return made->tables ? OSSL_PROVIDER_get0_provider_ctx(made->tables) : NULL;
}

/* The order matters: what is fetched before the default provider is unloaded is its own. */
static bool load(OSSL_LIB_CTX *library, struct adit_tls_algorithms *made)
{
    OSSL_PROVIDER *origin = OSSL_PROVIDER_load(library, "default");
    struct tables *tables = origin ? tables_load(library, made) : NULL;
    if (tables) {
        tables->origin = origin;
        for (size_t i = 0; i < OPERATION_COUNT; i++) {
            table_fill(&ADIT_AT(tables->each, i), &ADIT_AT(all_wanted, i), origin);
        }
        made->held = EVP_KEM_fetch(library, "RSA", NULL);
        made->filter = made->held ? OSSL_PROVIDER_load(library, "adit") : NULL;
    }
    if (origin) {
        OSSL_PROVIDER_unload(origin);
    }
    return made->filter && all_are_asked_for(library);
}

bool adit_tls_algorithms_are_few(void)
{
    return OPENSSL_version_major() == 3 && OPENSSL_version_minor() == 0;
}

struct adit_status adit_tls_algorithms_load(OSSL_LIB_CTX *library,
                                            struct adit_tls_algorithms *out_algorithms)
{
    struct adit_tls_algorithms made = {0};
    if (!load(library, &made)) {
        adit_tls_algorithms_unload(&made);
        ADIT_CRYPTO_FAIL("the algorithms of TLS 1.3");
    }
    *out_algorithms = made;
    return adit_ok();
}

void adit_tls_algorithms_unload(struct adit_tls_algorithms *algorithms)
{
    EVP_KEM_free(algorithms->held);
    if (algorithms->filter) {
        OSSL_PROVIDER_unload(algorithms->filter);
    }
    if (algorithms->tables) {
        OSSL_PROVIDER_unload(algorithms->tables);
    }
    *algorithms = (struct adit_tls_algorithms){0};
}
