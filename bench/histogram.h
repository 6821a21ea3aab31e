/* Histogram: durations in nanoseconds, in buckets of at most 1.6 % of their value. */
#ifndef ADIT_BENCH_HISTOGRAM_H
#define ADIT_BENCH_HISTOGRAM_H

#include "base/base.h"

enum { HISTOGRAM_PARTS = 128, HISTOGRAM_BUCKETS = 64 * HISTOGRAM_PARTS };

struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS]; /* of power * PARTS + (ns >> power) */
    uint64_t total;
    uint64_t largest_ns;
};

static inline void histogram_add(struct histogram *histogram, uint64_t ns)
{
    unsigned power = ns < HISTOGRAM_PARTS ? 0 : 57u - (unsigned)__builtin_clzll(ns);
    ADIT_AT(histogram->counts, (size_t)power * HISTOGRAM_PARTS + (size_t)(ns >> power))++;
    histogram->total++;
    histogram->largest_ns = adit_max_u64(histogram->largest_ns, ns);
}

/* The upper edge of the bucket that holds the value at `permille` of all; 0 where there is none. */
static inline uint64_t histogram_at(const struct histogram *histogram, uint64_t permille)
{
    uint64_t wanted = (histogram->total * permille + 999) / 1000;
    uint64_t seen = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += ADIT_AT(histogram->counts, i);
        if (seen > 0 && seen >= wanted) {
            uint64_t edge = ((uint64_t)(i % HISTOGRAM_PARTS) + 1) << (i / HISTOGRAM_PARTS);
            return adit_min_u64(edge, histogram->largest_ns);
        }
    }
    return 0;
}

#endif
