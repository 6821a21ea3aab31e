/* Sandbox: how a role gives up everything it does not need, in seven numbered steps.
 *
 *   1 descriptors  exactly those listed are open, one thread runs
 *   2 environment  cleared
 *   3 limits       open files, file size, no core file, no locked memory, no new process
 *   4 root, user   as root: own namespaces, an empty read-only root, an ordinary user; always: no
 *                  capabilities
 *   5 privileges   no_new_privs, not dumpable (no sibling of the same user can trace it)
 *   6 landlock     no files, TCP bind and connect only to the listed ports, no signals to others
 *   7 seccomp      only the system calls of the policy; any other kills the process
 *
 * A step that fails is a failure whose sentence names the step; the role says so and exits. What an
 * older kernel or a container cannot give is reported in `adit_sandbox_report`, except that files
 * must be out of reach by at least one of steps 4 and 6. Nothing can be undone: after a failure
 * the process is fit for nothing but exit.
 *
 * Call it once, in a process with one thread, after everything that needs files (certificates,
 * OpenSSL's providers, the time zone) and before the first byte from a stranger. Step 4 forgets
 * PR_SET_PDEATHSIG. The environment is gone afterwards: read it before.
 *
 * Process: every role, and the agent. Source: Linux seccomp(2), landlock(7), pivot_root(2). */
#ifndef ADIT_SANDBOX_SANDBOX_H
#define ADIT_SANDBOX_SANDBOX_H

#include "base/bytes.h"

/* For a limit: leave it as it is. */
#define ADIT_SANDBOX_KEEP UINT64_MAX

/* Most ports that may be listed, ranges included. */
#define ADIT_SANDBOX_PORTS_MAX 65536

struct adit_sandbox_options {
    struct adit_bytes policy; /* a text of policies.h; empty: no seccomp */
    const int *fds;           /* may be open, and must be; -1: none, skipped */
    size_t fd_count;
    uint64_t files_max;      /* RLIMIT_NOFILE; lowered to the hard limit where that is smaller */
    uint64_t file_bytes_max; /* RLIMIT_FSIZE; 0: writes to no regular file */
    uint32_t user_id;        /* whom root becomes, group too; 0: 65534 (nobody) */
    uint16_t bind_port_from; /* TCP ports that may be bound, inclusive; 0 and 0: none */
    uint16_t bind_port_to;
    const uint16_t *connect_ports; /* TCP ports that may be connected to; none: no connect */
    size_t connect_port_count;
    const char *const *read_paths; /* files and folders, all below; those absent are skipped */
    size_t read_path_count;
    const char *const *write_paths; /* folders below which files may be made, written, removed */
    size_t write_path_count;
    bool is_off;          /* --no-sandbox: steps 1 to 3 and no_new_privs only */
    bool is_root_kept;    /* keeps its root folder (the agent, which resolves names) */
    bool is_user_kept;    /* root stays root, almost without powers (control's files are its) */
    bool is_connect_free; /* TCP connect to any port; connect_ports is not read */
    bool has_network;     /* opens sockets of its own: stays in its network namespace */
    bool has_threads;     /* makes threads later: RLIMIT_NPROC is left */
};

/* What is in force. All false and 0 with is_off. */
struct adit_sandbox_report {
    uint32_t landlock_abi;  /* 0: the kernel has none */
    bool is_root_empty;     /* step 4 gave an empty root */
    bool is_user_ordinary;  /* not root, or step 4 made it another user */
    bool is_network_empty;  /* step 4 gave an empty network namespace */
    bool is_file_refused;   /* landlock refuses files (but read_paths) */
    bool is_port_refused;   /* landlock refuses TCP ports that are not listed (ABI 4) */
    bool is_signal_refused; /* landlock refuses signals to processes outside (ABI 6) */
    bool is_call_refused;   /* the policy is loaded */
};

/* The first call of a program that a person starts: closes what the shell, or whoever started it,
 * left open from 3 on. Without it step 1 would refuse to run. */
void adit_sandbox_inherited_close(void);

/* For the supervisor, whose children still have to take all seven steps: no core file, step 5, and
 * step 7 with a policy that the children inherit. Landlock would forbid them their mounts; its
 * environment, limits, files and user stay. With `is_off` only no_new_privs. */
struct adit_status adit_sandbox_supervise(struct adit_bytes policy, bool is_off,
                                          struct adit_sandbox_report *out_report);

struct adit_status adit_sandbox_enter(const struct adit_sandbox_options *options,
                                      struct adit_sandbox_report *out_report);

#endif
