/* Report: what happens to the agent, as lines on standard output: sentences for people, or with
 * --json one event a line for scripts. */
#ifndef ADIT_CLI_ADIT_REPORT_H
#define ADIT_CLI_ADIT_REPORT_H

#include "agent/agent.h"

struct adit_report {
    struct adit_loop *loop; /* stopped where nothing more can come */
    struct adit_handle rest; /* set from a tunnel's readiness until memory was given back */
    int fd;
    bool is_json;
    bool is_refused;    /* the server said no for good */
    bool is_distrusted; /* the certificate did not verify */
    bool is_output_lost;
};

/* Soon gives back what only the start needed: not now, when the first visitors may come. */
void adit_report_rest(struct adit_report *report);

/* "127.0.0.1:3000" or "[::1]:3000", in `memory` of 300 bytes. */
struct adit_bytes adit_report_target(const struct adit_agent_tunnel *tunnel,
                                     struct adit_span memory);

extern const struct adit_agent_events adit_report_events; /* their context is the report */

#endif
