/* Pattern: a stream's bytes as a function of its seed and the offset, made and checked without
 * storing any of them.
 *
 * The bytes come from one table of a prime length. Each lap starts elsewhere, so a byte that is
 * lost, doubled or moved shows within a few bytes, also over long distances. */
#ifndef ADIT_TESTS_SIM_PATTERN_H
#define ADIT_TESTS_SIM_PATTERN_H

#include "base/base.h"

struct sim_pattern {
    struct adit_span table;
};

struct adit_status sim_pattern_init(struct sim_pattern *pattern);
void sim_pattern_deinit(struct sim_pattern *pattern);

/* Fills `out` with the bytes from `offset` on. */
void sim_pattern_fill(const struct sim_pattern *pattern, uint64_t seed, uint64_t offset,
                      struct adit_span out);

/* True where `bytes` are what the stream has from `offset` on. */
bool sim_pattern_check(const struct sim_pattern *pattern, uint64_t seed, uint64_t offset,
                       struct adit_bytes bytes);

#endif
