/* TLS server: the library's own server side, as plain as it can be, for what the library alone does
 * (load_library.c over memory, library.c over sockets). */
#ifndef ADIT_BENCH_TLS_SERVER_H
#define ADIT_BENCH_TLS_SERVER_H

#include "common.h"

/* A context with a new certificate for P-256 that it signed itself, the shortest chain there is:
 * no cache of sessions, buffers given back. */
SSL_CTX *tls_server_context(const char *host);

#endif
