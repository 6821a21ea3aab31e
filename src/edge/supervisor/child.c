#include "edge/supervisor/child.h"

#define CHANNEL_FD 3
#define NAME_BYTES_MAX 31

void adit_child_init(struct adit_child *child)
{
    *child = (struct adit_child){.channel = {.fd = -1}, .drain = {.in = -1}};
}

/* The descriptors of the new process, in the order in which nothing is overwritten that is still
 * needed: both sources are above 2. */
static int actions_fill(posix_spawn_file_actions_t *actions, int log_end, int channel_end)
{
    int code = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (code == 0) { /* nobody writes there, and the supervisor's policy opens nothing to write */
        code = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_RDONLY, 0);
    }
    if (code == 0) {
        code = posix_spawn_file_actions_adddup2(actions, log_end, STDERR_FILENO);
    }
    if (code == 0) {
        code = posix_spawn_file_actions_adddup2(actions, channel_end, CHANNEL_FD);
    }
    if (code == 0) {
        code = posix_spawn_file_actions_addclosefrom_np(actions, CHANNEL_FD + 1);
    }
    return code;
}

/* No signal blocked, a process group of its own. SIGPIPE stays ignored: a log without a reader is
 * no reason to die. */
static int attributes_fill(posix_spawnattr_t *attributes)
{
    sigset_t none = {0};
    sigemptyset(&none);
    int code = posix_spawnattr_setsigmask(attributes, &none);
    if (code == 0) {
        code = posix_spawnattr_setpgroup(attributes, 0);
    }
    if (code == 0) {
        code = posix_spawnattr_setflags(attributes,
                                        POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    }
    return code;
}

/* posix_spawn is fork and exec that also reports a failure to exec. */
static struct adit_status spawn(const struct adit_child_options *options, int log_end,
                                int channel_end, pid_t *out_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char name[NAME_BYTES_MAX + 1] = {0};
    char *const argv[] = {name, NULL};
    char *const environment[] = {NULL};
    ADIT_TRY(
        adit_span_copy(adit_span_first(ADIT_OBJECT_SPAN(name), NAME_BYTES_MAX), options->name));
    int code = posix_spawn_file_actions_init(&actions);
    if (code != 0) {
        ADIT_FAIL_WITH(SYSTEM, "a process cannot be prepared", code);
    }
    code = posix_spawnattr_init(&attributes);
    if (code == 0) {
        code = actions_fill(&actions, log_end, channel_end);
        if (code == 0) {
            code = attributes_fill(&attributes);
        }
        if (code == 0) {
            code = posix_spawn(out_pid, options->path, &actions, &attributes, argv, environment);
        }
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    if (code != 0) {
        ADIT_FAIL_WITH(SYSTEM, "the program of a role cannot be started", code);
    }
    return adit_ok();
}

static struct adit_status channel_start(struct adit_child *child,
                                        const struct adit_child_options *options, int log_end)
{
    int ours = -1;
    int theirs = -1;
    ADIT_TRY(adit_channel_pair(&ours, &theirs));
    struct adit_status status =
        adit_channel_open(&child->channel, ours, options->sends, options->receives);
    if (!adit_is_ok(status)) {
        close(ours);
    }
    if (adit_is_ok(status)) {
        status = spawn(options, log_end, theirs, &child->pid);
    }
    close(theirs);
    return status;
}

struct adit_status adit_child_start(struct adit_child *child, struct adit_loop *loop,
                                    const struct adit_child_options *options)
{
    int log_end = -1;
    adit_child_init(child);
    ADIT_TRY(adit_drain_open(&child->drain, loop, options->log_fd, &log_end));
    struct adit_status status = channel_start(child, options, log_end);
    close(log_end);
    if (!adit_is_ok(status)) {
        child->pid = 0;
        adit_channel_close(&child->channel);
        adit_drain_close(&child->drain);
        return status;
    }
    child->started_us = adit_clock_now_us();
    return adit_ok();
}

bool adit_child_has_ended(struct adit_child *child, int *out_status)
{
    if (child->pid <= 0 || waitpid(child->pid, out_status, WNOHANG) != child->pid) {
        return false;
    }
    child->pid = 0;
    adit_channel_close(&child->channel);
    adit_drain_close(&child->drain);
    return true;
}

void adit_child_kill(const struct adit_child *child)
{
    if (child->pid > 0) {
        kill(child->pid, SIGKILL);
    }
}
