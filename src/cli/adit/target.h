/* Target: the forms in which a person writes where the local program is.
 *
 * Pure: nothing is resolved here. */
#ifndef ADIT_CLI_ADIT_TARGET_H
#define ADIT_CLI_ADIT_TARGET_H

#include "agent/agent.h"

/* "3000", "host:3000", "[::1]:3000": the local program, of the kind that `tunnel` has; a bare port
 * is on 127.0.0.1, or on ::1 where nothing listens there. For HTTP also "http://host" (port 80) and
 * "http://host:3000", without a path. INVALID with a sentence for the person, which says what is
 * wrong and goes after the text itself: "is not ...". */
struct adit_status adit_target_parse(struct adit_bytes text, struct adit_agent_tunnel *tunnel);

#endif
