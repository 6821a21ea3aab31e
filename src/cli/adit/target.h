/* Target: the forms in which a person writes where something is: the local program, the server.
 *
 * Pure: nothing is resolved here. */
#ifndef ADIT_CLI_ADIT_TARGET_H
#define ADIT_CLI_ADIT_TARGET_H

#include "agent/agent.h"

/* "3000", "host:3000", "[::1]:3000": the local program, of the kind that `tunnel` has; a bare port
 * is on 127.0.0.1. For HTTP also "http://host" (port 80) and "http://host:3000", without a path.
 * INVALID with a sentence for the person, which says what is wrong and goes after the text itself:
 * "is not ...". */
struct adit_status adit_target_parse(struct adit_bytes text, struct adit_agent_tunnel *tunnel);

/* "host", "host:port", "[::1]:port", where the port is `port_default` if it is left out. */
struct adit_status adit_host_port_parse(struct adit_bytes text, uint16_t port_default,
                                        struct adit_bytes *out_host, uint16_t *out_port);

#endif
