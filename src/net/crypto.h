/* Crypto: the library behind all of net's cryptography, and how it begins. A build may be linked
 * with the system's OpenSSL or hold one of its own, so the programs tell.
 *
 * Process: every one that is linked with it. */
#ifndef ADIT_NET_CRYPTO_H
#define ADIT_NET_CRYPTO_H

#include "base/base.h"

/* Writes "PROGRAM VERSION (OpenSSL 3.5.7)" and a newline: what a command `version` prints, with the
 * library that is there now, not the one that was compiled with. */
struct adit_status adit_crypto_version_write(struct adit_writer *writer,
                                             struct adit_bytes program_and_version);

/* Before the first use of the library, any number of times; what the first call in a process said
 * stays. No configuration file: what the process does is what net says. No sentences for error
 * codes: nobody reads them, and failures have their own. */
struct adit_status adit_crypto_begin(void);

/* The same for a process that only dials: without the tables of every cipher and digest by each of
 * its names, which take a fifth of an agent's start. It has the digests that sign certificates.
 * What is fetched, as TLS 1.3 does, is not in those tables. */
struct adit_status adit_crypto_begin_small(void);

#endif
