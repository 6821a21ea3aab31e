/* Policies: the text of each role's policy file (src/edge/ROLE/ROLE.policy and
 * src/agent/agent.policy), embedded by the build. A program carries only the one that it names.
 * Constant, of the program's life; nothing here is parsed yet. */
#ifndef ADIT_SANDBOX_POLICIES_H
#define ADIT_SANDBOX_POLICIES_H

#include "base/bytes.h"

extern const struct adit_bytes adit_policy_supervisor;
extern const struct adit_bytes adit_policy_door;
extern const struct adit_bytes adit_policy_worker;
extern const struct adit_bytes adit_policy_control;
extern const struct adit_bytes adit_policy_agent;

#endif
