/* Child: one process of a role: started by fork and exec with exactly four descriptors (0 and 1
 * /dev/null, 2 its log pipe, 3 its channel), an empty environment and a process group of its own,
 * so that a terminal's Ctrl-C reaches the supervisor only. Ended by a message, or by SIGKILL.
 *
 * Process: supervisor. */
#ifndef ADIT_EDGE_SUPERVISOR_CHILD_H
#define ADIT_EDGE_SUPERVISOR_CHILD_H

#include "edge/supervisor/drain.h"
#include "ipc/channel.h"

struct adit_child {
    pid_t pid; /* 0: none */
    struct adit_channel channel;
    struct adit_drain drain;
    uint64_t started_us;
};

struct adit_child_options {
    const char *path;         /* absolute */
    struct adit_bytes name;   /* argv[0] */
    uint32_t sends, receives; /* the channel's edges, as the supervisor sees them */
    int log_fd;              /* where its log goes on */
};

void adit_child_init(struct adit_child *child);

/* Starts it. On failure there is no child. `child` must not move. SYSTEM with errno, also where the
 * program cannot be executed. */
struct adit_status adit_child_start(struct adit_child *child, struct adit_loop *loop,
                                    const struct adit_child_options *options);

/* True once it has ended, and it is reaped: *out_status as of waitpid(2), and the rest of its log
 * is passed on. The channel is closed. */
bool adit_child_has_ended(struct adit_child *child, int *out_status);

/* SIGKILL, where there is one. The end is still to be seen by adit_child_has_ended. */
void adit_child_kill(const struct adit_child *child);

#endif
