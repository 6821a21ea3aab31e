#include "agent/backoff.h"

void adit_backoff_spread_set(struct adit_backoff *backoff, uint64_t spread_us)
{
    backoff->spread_us = adit_min_u64(adit_max_u64(spread_us, ADIT_BACKOFF_SPREAD_MIN_US),
                                      ADIT_BACKOFF_SPREAD_MAX_US);
}

uint64_t adit_backoff_first_us(const struct adit_backoff *backoff)
{
    return backoff->spread_us > 0 ? backoff->spread_us : ADIT_BACKOFF_FIRST_US;
}

/* Doubles with each failure; once the longest is reached it stays. */
static uint64_t bound_us(const struct adit_backoff *backoff)
{
    uint64_t us = backoff->spread_us > 0
                      ? adit_max_u64(backoff->spread_us, ADIT_BACKOFF_SPREAD_BASE_US)
                      : ADIT_BACKOFF_BASE_US;
    for (uint32_t i = 0; i < backoff->failures && us < ADIT_BACKOFF_MAX_US; i++) {
        us *= 2;
    }
    return adit_min_u64(us, ADIT_BACKOFF_MAX_US);
}

uint64_t adit_backoff_next(struct adit_backoff *backoff, uint64_t lived_us,
                           struct adit_jitter *jitter)
{
    if (lived_us >= ADIT_BACKOFF_LIVED_US) {
        backoff->failures = 0;
        return adit_jitter_below(jitter, adit_backoff_first_us(backoff));
    }
    uint64_t wait_us = adit_jitter_below(jitter, bound_us(backoff));
    backoff->failures++;
    return wait_us;
}

uint64_t adit_backoff_next_orderly(struct adit_backoff *backoff, uint64_t lived_us,
                                   struct adit_jitter *jitter)
{
    if (backoff->failures > 0) {
        return adit_backoff_next(backoff, lived_us, jitter);
    }
    backoff->failures = lived_us < ADIT_BACKOFF_LIVED_US ? 1 : 0;
    return adit_jitter_below(jitter, adit_backoff_first_us(backoff));
}
