/* Backoff: how long to wait before the next attempt to connect.
 *
 * After a session that had lived ADIT_BACKOFF_LIVED_US: within 0 to 500 ms, so that an agent is
 * back at once, and ten thousand of them are not back in the same millisecond. After that full
 * jitter: uniform from 0 to a bound that doubles from 1 s to 60 s. Pure. */
#ifndef ADIT_AGENT_BACKOFF_H
#define ADIT_AGENT_BACKOFF_H

#include "base/base.h"

#define ADIT_BACKOFF_LIVED_US (10 * (uint64_t)ADIT_SECOND_US)
#define ADIT_BACKOFF_FIRST_US (500 * (uint64_t)ADIT_MS_US)
#define ADIT_BACKOFF_BASE_US (1 * (uint64_t)ADIT_SECOND_US)
#define ADIT_BACKOFF_MAX_US (60 * (uint64_t)ADIT_SECOND_US)

struct adit_backoff {
    uint32_t failures; /* attempts since the last session that lived */
};

/* The wait after a session of `lived_us` (0: there was none). */
uint64_t adit_backoff_next(struct adit_backoff *backoff, uint64_t lived_us,
                           struct adit_jitter *jitter);

/* The wait after a session that its server ended in order, however short it was: as after one that
 * lived, once; a server that ends one after another meets the growing waits. */
uint64_t adit_backoff_next_orderly(struct adit_backoff *backoff, uint64_t lived_us,
                                   struct adit_jitter *jitter);

#endif
