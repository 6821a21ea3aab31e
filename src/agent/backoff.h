/* Backoff: how long to wait before the next attempt to connect. Always full jitter.
 *
 * The server says over which time its agents are to be spread when they come back: a few
 * milliseconds where it holds few of them, seconds where it holds thousands
 * (docs/decisions/0033-reconnect-hint.md). After a session that had lived ADIT_BACKOFF_LIVED_US the
 * first retry is drawn from that time. After any other, and after each failure, the wait is drawn
 * from 0 to a bound that doubles from that time, or 20 ms where that is less, to 60 s: whatever a
 * server says, one that ends sessions again and again is left alone more and more. From a server
 * that said nothing: 0 to 500 ms, and a bound from 1 s. Pure. */
#ifndef ADIT_AGENT_BACKOFF_H
#define ADIT_AGENT_BACKOFF_H

#include "base/base.h"

#define ADIT_BACKOFF_LIVED_US (10 * (uint64_t)ADIT_SECOND_US)
#define ADIT_BACKOFF_FIRST_US (500 * (uint64_t)ADIT_MS_US)
#define ADIT_BACKOFF_BASE_US (1 * (uint64_t)ADIT_SECOND_US)
#define ADIT_BACKOFF_MAX_US (60 * (uint64_t)ADIT_SECOND_US)
/* With a spread: what the agent makes of it, and the least bound after a failure. */
#define ADIT_BACKOFF_SPREAD_MIN_US (5 * (uint64_t)ADIT_MS_US)
#define ADIT_BACKOFF_SPREAD_MAX_US (60 * (uint64_t)ADIT_SECOND_US)
#define ADIT_BACKOFF_SPREAD_BASE_US (20 * (uint64_t)ADIT_MS_US)

struct adit_backoff {
    uint32_t failures; /* attempts since the last session that lived */
    uint64_t spread_us; /* what the server said, within limits; 0: nothing */
};

/* The server's word, which outlives the session. */
void adit_backoff_spread_set(struct adit_backoff *backoff, uint64_t spread_us);

/* The bound of the first retry after a session that lived. */
uint64_t adit_backoff_first_us(const struct adit_backoff *backoff);

/* The wait after a session of `lived_us` (0: there was none). */
uint64_t adit_backoff_next(struct adit_backoff *backoff, uint64_t lived_us,
                           struct adit_jitter *jitter);

/* The wait after a session that its server ended in order, however short it was: as after one that
 * lived, once; a server that ends one after another meets the growing waits. */
uint64_t adit_backoff_next_orderly(struct adit_backoff *backoff, uint64_t lived_us,
                                   struct adit_jitter *jitter);

#endif
