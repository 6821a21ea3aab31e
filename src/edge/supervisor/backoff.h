/* Back-off: how long a role that ended waits for its next start. One that had lived is started at
 * once, and so is the first after a short life; one that keeps dying waits 100 ms, doubling to 5 s.
 * Pure. */
#ifndef ADIT_EDGE_SUPERVISOR_BACKOFF_H
#define ADIT_EDGE_SUPERVISOR_BACKOFF_H

#include "base/base.h"

#define ADIT_BACKOFF_LIVED_US (10u * ADIT_SECOND_US) /* a life that counts as one */
#define ADIT_BACKOFF_FIRST_US (100u * ADIT_MS_US)
#define ADIT_BACKOFF_MAX_US (5u * ADIT_SECOND_US)

struct adit_backoff {
    uint64_t next_us; /* the next delay */
    uint32_t short_lives; /* in a row */
};

/* The delay before the next start, after a life of `lived_us`. */
uint64_t adit_backoff_next(struct adit_backoff *backoff, uint64_t lived_us);

#endif
