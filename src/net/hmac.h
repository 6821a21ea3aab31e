/* HMAC-SHA-256 (RFC 2104, FIPS 180-4) by OpenSSL, in the shape that src/wire/token.h asks for, and
 * SHA-256 by itself.
 *
 * Uses the default library context, which the first call loads: opening a server's TLS context
 * makes one, so that it is there before a sandbox closes. */
#ifndef ADIT_NET_HMAC_H
#define ADIT_NET_HMAC_H

#include "base/base.h"

#define ADIT_HMAC_BYTES 32
#define ADIT_SHA256_BYTES 32

/* The tag of first || second under `key` into `out` (32 bytes). INVALID without a key; CRYPTO where
 * the library refuses. */
struct adit_status adit_hmac_sha256(struct adit_bytes key, struct adit_bytes first,
                                    struct adit_bytes second, struct adit_span out);

/* The SHA-256 of `bytes` into `out` (32 bytes). */
struct adit_status adit_sha256(struct adit_bytes bytes, struct adit_span out);

#endif
