/* Random: seeds and identifiers from the kernel. Pure code takes its randomness as an argument. */
#ifndef ADIT_BASE_RANDOM_H
#define ADIT_BASE_RANDOM_H

#include "base/bytes.h"

/* Fills the span from getrandom(2). */
struct adit_status adit_random_fill(struct adit_span span);

/* A small generator for jitter and tests (xorshift64*): never for secrets. */
struct adit_jitter {
    uint64_t state; /* not 0 */
};

uint64_t adit_jitter_next(struct adit_jitter *jitter);

/* Uniform in 0 .. bound - 1; 0 for bound 0. */
uint64_t adit_jitter_below(struct adit_jitter *jitter, uint64_t bound);

#endif
