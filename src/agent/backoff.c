#include "agent/backoff.h"

uint64_t adit_backoff_next(struct adit_backoff *backoff, uint64_t lived_us,
                           struct adit_jitter *jitter)
{
    if (lived_us >= ADIT_BACKOFF_LIVED_US) {
        backoff->failures = 0;
        return adit_jitter_below(jitter, ADIT_BACKOFF_FIRST_US);
    }
    uint64_t bound_us = ADIT_BACKOFF_MAX_US;
    if (backoff->failures < 6) {
        bound_us = ADIT_BACKOFF_BASE_US << backoff->failures;
    }
    backoff->failures++;
    return adit_jitter_below(jitter, adit_min_u64(bound_us, ADIT_BACKOFF_MAX_US));
}

uint64_t adit_backoff_next_orderly(struct adit_backoff *backoff, uint64_t lived_us,
                                   struct adit_jitter *jitter)
{
    if (backoff->failures > 0) {
        return adit_backoff_next(backoff, lived_us, jitter);
    }
    backoff->failures = lived_us < ADIT_BACKOFF_LIVED_US ? 1 : 0;
    return adit_jitter_below(jitter, ADIT_BACKOFF_FIRST_US);
}
