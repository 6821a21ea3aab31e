/* Hostile: one session against a peer that sends valid, odd, mutated and random frames. The
 * session may give the peer up, with a GOAWAY; it may never pass a limit, hang or assert. */
#ifndef ADIT_TESTS_SIM_HOSTILE_H
#define ADIT_TESTS_SIM_HOSTILE_H

#include "base/base.h"

/* One world of this seed; false, and a `not ok` line, where a rule was broken. */
bool sim_hostile_run(uint64_t seed, bool is_verbose);

#endif
