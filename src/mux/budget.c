#include "mux/budget.h"

static uint64_t interval_us(struct adit_budget_rate rate)
{
    return rate.per_second > 0 ? ADIT_SECOND_US / rate.per_second
                               : UINT64_C(3600) * ADIT_SECOND_US;
}

bool adit_budget_take(uint64_t *full_us, struct adit_budget_rate rate, uint64_t now_us)
{
    uint64_t interval = interval_us(rate);
    uint64_t full = adit_max_u64(*full_us, now_us) + interval;
    if (full - now_us > rate.burst * interval) {
        return false;
    }
    *full_us = full;
    return true;
}

uint64_t adit_budget_next_us(uint64_t full_us, struct adit_budget_rate rate)
{
    uint64_t interval = interval_us(rate);
    return adit_subtract_floor_u64(full_us + interval, rate.burst * interval);
}
