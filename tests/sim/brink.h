/* Brink: a peer that uses up its credit to the last byte is served; one byte more ends the
 * session. Credit is counted from the wire alone, in windows that have grown and shrunk. */
#ifndef ADIT_TESTS_SIM_BRINK_H
#define ADIT_TESTS_SIM_BRINK_H

#include "base/base.h"

/* One session of this seed; false, and a `not ok` line, where a rule was broken. */
bool sim_brink_run(uint64_t seed);

#endif
