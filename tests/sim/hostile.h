/* Hostile: one session against a peer that sends valid, odd, mutated and random frames. The
 * session may give the peer up, with a GOAWAY; it may never pass a limit, hang or assert. */
#ifndef ADIT_TESTS_SIM_HOSTILE_H
#define ADIT_TESTS_SIM_HOSTILE_H

#include "base/base.h"

/* What a run was worth: one that gives every peer up at its first frame shows nothing. */
struct sim_hostile_totals {
    uint64_t frames, given_up, streams, worlds;
};

/* One world of this seed; false, and a `not ok` line, where a rule was broken. */
bool sim_hostile_run(uint64_t seed, bool is_verbose, struct sim_hostile_totals *totals);

#endif
