/* Yield: whether a loop beside whose work others have something small to do gives them the core
 * between two turns.
 *
 * That is good where the others soon give it back, as those do that a request passes through. Who
 * computes keeps it for a whole slice, some milliseconds, for which everybody's bytes then wait. So
 * after one that took long there is a pause, longer each time, until many in a row were short.
 *
 * Pure: no clock, no calls. Process: worker, agent. */
#ifndef ADIT_NET_YIELD_H
#define ADIT_NET_YIELD_H

#include "base/base.h"

#define ADIT_YIELD_LONG_US 500 /* a turn at bulk is shorter, a slice of the kernel longer */

struct adit_yield {
    uint64_t resume_us; /* the end of the pause */
    uint64_t pause_us;  /* of the last long one; 0: none of late */
    uint32_t calm;      /* short ones since */
};

bool adit_yield_is_wise(const struct adit_yield *yield, uint64_t now_us);

/* One took from `begin_us` until `end_us`. */
void adit_yield_took(struct adit_yield *yield, uint64_t begin_us, uint64_t end_us);

#endif
