#include "net/yield.h"

#define PAUSE_MIN_US (8 * ADIT_MS_US)
#define PAUSE_MAX_US ADIT_SECOND_US
#define CALM_YIELDS 1024 /* short ones, after which the next pause is a short one again */

bool adit_yield_is_wise(const struct adit_yield *yield, uint64_t now_us)
{
    return now_us >= yield->resume_us;
}

void adit_yield_took(struct adit_yield *yield, uint64_t begin_us, uint64_t end_us)
{
    if (adit_subtract_floor_u64(end_us, begin_us) <= ADIT_YIELD_LONG_US) {
        yield->calm++;
        yield->pause_us = yield->calm >= CALM_YIELDS ? 0 : yield->pause_us;
        return;
    }
    uint64_t pause_us = adit_max_u64(2 * yield->pause_us, PAUSE_MIN_US);
    yield->pause_us = adit_min_u64(pause_us, PAUSE_MAX_US);
    yield->resume_us = end_us + yield->pause_us;
    yield->calm = 0;
}
