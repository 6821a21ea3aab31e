/* The algorithms of a process that only dials: a provider of OpenSSL that hands on, of all that the
 * default provider has, what TLS 1.3 and the certificates of its servers need. OpenSSL makes an
 * object of each algorithm before the first one is used, and looks through all its decoders for the
 * key of each certificate. What is not on the list nobody can use, a hostile server included.
 *
 * OpenSSL's own tests filter in this way (test/filterprov.c). The default provider stays in memory,
 * where its functions are called; OpenSSL asks it for nothing any more. Decision 0035.
 *
 * Process: agent. */
#ifndef ADIT_NET_TLS_ALGORITHMS_H
#define ADIT_NET_TLS_ALGORITHMS_H

#include "base/base.h"

/* True with OpenSSL 3.0 alone. Later ones were not tried with it, and 3.5 as we build it (decision
 * 0031) has little else. */
bool adit_tls_algorithms_are_few(void);

struct adit_tls_algorithms {
    OSSL_PROVIDER *tables, *filter;
    EVP_KEM *held; /* keeps the default provider */
};

/* Loads them into `library`, which has no provider yet and is the thread's default: now, and while
 * a SSL_CTX is made of it. */
struct adit_status adit_tls_algorithms_load(OSSL_LIB_CTX *library,
                                            struct adit_tls_algorithms *out_algorithms);
/* Before `library` is freed. Fine where nothing was loaded. */
void adit_tls_algorithms_unload(struct adit_tls_algorithms *algorithms);

#endif
