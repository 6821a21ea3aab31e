/* Random: the choices of one simulated world. Everything follows from the seed; no clock.
 *
 * Not for secrets. Process: tests only. */
#ifndef ADIT_TESTS_SIM_RANDOM_H
#define ADIT_TESTS_SIM_RANDOM_H

#include "base/base.h"

/* Spreads neighbouring seeds over the whole range (the finaliser of splitmix64, Steele 2014). */
static inline uint64_t sim_mix(uint64_t value)
{
    value += 0x9e3779b97f4a7c15u;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
    value = (value ^ value >> 27) * 0x94d049bb133111ebu;
    return value ^ value >> 31;
}

static inline struct adit_jitter sim_random(uint64_t seed)
{
    return (struct adit_jitter){.state = sim_mix(seed) | 1u};
}

/* Uniform in low .. high, both included. */
static inline uint64_t sim_pick(struct adit_jitter *random, uint64_t low, uint64_t high)
{
    return low + adit_jitter_below(random, high - low + 1);
}

/* In low .. high, each power of two equally likely: small values are as common as big ones. */
static inline uint64_t sim_pick_log(struct adit_jitter *random, uint64_t low, uint64_t high)
{
    uint64_t bits = 0;
    while (bits < 63 && (high - low) >> bits > 0) {
        bits++;
    }
    uint64_t span = (uint64_t)1 << adit_jitter_below(random, bits + 1);
    return low + adit_min_u64(adit_jitter_below(random, span), high - low);
}

/* True `percent` times of a hundred. */
static inline bool sim_chance(struct adit_jitter *random, uint64_t percent)
{
    return adit_jitter_below(random, 100) < percent;
}

#endif
