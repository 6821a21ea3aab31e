/* Budget: how often something may happen, as a burst and then a steady rate (a token bucket).
 *
 * A bucket is one number: the time at which it will be full again (the "theoretical arrival time"
 * of the generic cell rate algorithm, ITU-T I.371). 0 is a full bucket. Pure. */
#ifndef ADIT_MUX_BUDGET_H
#define ADIT_MUX_BUDGET_H

#include "base/base.h"

struct adit_budget_rate {
    uint32_t burst;
    uint32_t per_second; /* 0: one an hour */
};

/* Takes one, or says false and takes nothing. */
bool adit_budget_take(uint64_t *full_us, struct adit_budget_rate rate, uint64_t now_us);

/* When the next one may be taken. */
uint64_t adit_budget_next_us(uint64_t full_us, struct adit_budget_rate rate);

#endif
