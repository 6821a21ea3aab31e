/* TLS: a handshake and a megabyte between two ends in one process, opened before a sandbox and used
 * inside. */
#ifndef ADIT_TESTS_SANDBOX_TLS_H
#define ADIT_TESTS_SANDBOX_TLS_H

#include "base/base.h"

struct tls_pair;

/* Makes a CA, a certificate and both contexts; once a program. Null: it failed. */
struct tls_pair *tls_pair_open(void);

/* Connects, sends, ends. */
struct adit_status tls_pair_talk(struct tls_pair *pair);

/* As a worker on reload: a new context from PEM, with the old one there; then talks over it. */
struct adit_status tls_pair_reload(struct tls_pair *pair);

#endif
