#include "edge/supervisor/backoff.h"

uint64_t adit_backoff_next(struct adit_backoff *backoff, uint64_t lived_us)
{
    if (lived_us >= ADIT_BACKOFF_LIVED_US) {
        *backoff = (struct adit_backoff){0};
        return 0;
    }
    uint64_t delay_us = backoff->next_us;
    backoff->next_us =
        adit_min_u64(adit_max_u64(2 * delay_us, ADIT_BACKOFF_FIRST_US), ADIT_BACKOFF_MAX_US);
    backoff->short_lives++;
    return delay_us;
}
