/* SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash whose collisions a stranger cannot
 * aim at without the key. For tables; not for authentication. */
#ifndef ADIT_BASE_SIPHASH_H
#define ADIT_BASE_SIPHASH_H

#include "base/bytes.h"

struct adit_siphash_key {
    uint64_t low, high;
};

uint64_t adit_siphash(struct adit_siphash_key key, struct adit_bytes bytes);

#endif
