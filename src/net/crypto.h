/* Crypto: which library is behind all of net's cryptography. A build may be linked with the
 * system's OpenSSL or hold one of its own, so the programs tell.
 *
 * Process: every one that is linked with it. */
#ifndef ADIT_NET_CRYPTO_H
#define ADIT_NET_CRYPTO_H

#include "base/base.h"

/* Writes "PROGRAM VERSION (OpenSSL 3.5.7)" and a newline: what a command `version` prints, with the
 * library that is there now, not the one that was compiled with. */
struct adit_status adit_crypto_version_write(struct adit_writer *writer,
                                             struct adit_bytes program_and_version);

#endif
