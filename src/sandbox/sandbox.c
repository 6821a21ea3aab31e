#include "sandbox/sandbox.h"

#include "sandbox/descriptors.h"
#include "sandbox/filter.h"
#include "sandbox/landlock.h"
#include "sandbox/root.h"

#define USER_ID_DEFAULT 65534u

void adit_sandbox_inherited_close(void)
{
    adit_descriptors_close(STDERR_FILENO + 1);
}

static struct adit_status options_check(const struct adit_sandbox_options *options)
{
    ADIT_ENSURE(options->files_max > 0, INVALID, "sandbox: files_max is not set");
    ADIT_ENSURE(options->bind_port_from <= options->bind_port_to, INVALID,
                "sandbox: the range of ports to bind is the wrong way round");
    ADIT_ENSURE(options->bind_port_from > 0 || options->bind_port_to == 0, INVALID,
                "sandbox: port 0 cannot be in the range of ports to bind");
    ADIT_ENSURE(options->connect_port_count <= ADIT_SANDBOX_PORTS_MAX, LIMIT,
                "sandbox: too many ports to connect to");
    return adit_ok();
}

static struct adit_status environment_clear(void)
{
    ADIT_ENSURE(clearenv() == 0, SYSTEM, "sandbox step 2, environment: it cannot be cleared");
    return adit_ok();
}

/* Sets a limit, soft and hard, but never above the hard limit there is. */
static struct adit_status limit_set(__rlimit_resource_t resource, uint64_t value)
{
    struct rlimit limit = {0};
    if (value == ADIT_SANDBOX_KEEP) {
        return adit_ok();
    }
    if (getrlimit(resource, &limit) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "sandbox step 3, limits: one cannot be read", errno);
    }
    limit.rlim_max = value < limit.rlim_max ? value : limit.rlim_max;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(resource, &limit) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "sandbox step 3, limits: one cannot be set", errno);
    }
    return adit_ok();
}

static struct adit_status limits_set(const struct adit_sandbox_options *options)
{
    ADIT_TRY(limit_set(RLIMIT_NOFILE, options->files_max));
    ADIT_TRY(limit_set(RLIMIT_FSIZE, options->file_bytes_max));
    ADIT_TRY(limit_set(RLIMIT_CORE, 0));
    ADIT_TRY(limit_set(RLIMIT_MEMLOCK, 0));
    ADIT_TRY(limit_set(RLIMIT_MSGQUEUE, 0));
    return limit_set(RLIMIT_NPROC, options->has_threads ? ADIT_SANDBOX_KEEP : 0);
}

static struct adit_status root_leave(const struct adit_sandbox_options *options,
                                     struct adit_sandbox_report *report)
{
    struct adit_root_answer answer = {0};
    if (geteuid() == 0 && !options->is_root_kept) {
        ADIT_TRY(adit_root_empty(options->has_network, &answer));
        report->is_root_empty = answer.is_root_empty;
        report->is_network_empty = answer.is_network_empty;
    }
    if (options->is_user_kept) {
        report->is_user_ordinary = geteuid() != 0;
        return adit_root_powers_drop();
    }
    return adit_root_drop(options->user_id == 0 ? USER_ID_DEFAULT : options->user_id,
                          &report->is_user_ordinary);
}

static struct adit_status privileges_drop(bool is_off)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1ul, 0ul, 0ul, 0ul) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "sandbox step 5, privileges: no_new_privs is refused", errno);
    }
    if (!is_off && prctl(PR_SET_DUMPABLE, 0ul, 0ul, 0ul, 0ul) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "sandbox step 5, privileges: still dumpable", errno);
    }
    return adit_ok();
}

static struct adit_status landlock_enter(const struct adit_sandbox_options *options,
                                         struct adit_sandbox_report *report)
{
    const struct adit_landlock_options list = {
        .read_paths = options->read_paths,
        .read_path_count = options->read_path_count,
        .write_paths = options->write_paths,
        .write_path_count = options->write_path_count,
        .bind_port_from = options->bind_port_from,
        .bind_port_to = options->bind_port_to,
        .connect_ports = options->connect_ports,
        .connect_port_count = options->connect_port_count,
        .is_connect_free = options->is_connect_free,
    };
    uint32_t abi = adit_landlock_abi();
    if (abi > 0) {
        ADIT_TRY(adit_landlock_restrict(&list, abi));
    }
    report->landlock_abi = abi;
    report->is_file_refused = abi >= 1;
    report->is_port_refused = abi >= 4;
    report->is_signal_refused = abi >= 6;
    ADIT_ENSURE(report->is_file_refused || report->is_root_empty, REFUSED,
                "sandbox step 6, landlock: this kernel or container has none and there is no empty "
                "root, so files stay in reach; use Linux 5.13 or later, start as root, or "
                "--no-sandbox");
    return adit_ok();
}

static struct adit_status calls_restrict(struct adit_bytes text, struct adit_sandbox_report *report)
{
    struct adit_policy policy = {0};
    if (text.len == 0) {
        return adit_ok();
    }
    ADIT_TRY(adit_policy_parse(text, &policy));
    ADIT_TRY(adit_filter_load(&policy));
    report->is_call_refused = true;
    return adit_ok();
}

struct adit_status adit_sandbox_supervise(struct adit_bytes policy, bool is_off,
                                          struct adit_sandbox_report *out_report)
{
    struct adit_sandbox_report report = {.is_user_ordinary = geteuid() != 0};
    ADIT_TRY(limit_set(RLIMIT_CORE, 0));
    ADIT_TRY(privileges_drop(is_off));
    if (!is_off) {
        ADIT_TRY(calls_restrict(policy, &report));
    }
    *out_report = report;
    return adit_ok();
}

struct adit_status adit_sandbox_enter(const struct adit_sandbox_options *options,
                                      struct adit_sandbox_report *out_report)
{
    struct adit_sandbox_report report = {0};
    ADIT_TRY(options_check(options));
    ADIT_TRY(adit_descriptors_check(options->fds, options->fd_count)); /* 1 */
    ADIT_TRY(environment_clear());                                     /* 2 */
    ADIT_TRY(limits_set(options));                                     /* 3 */
    if (options->is_off) {
        ADIT_TRY(privileges_drop(true));
        *out_report = report;
        return adit_ok();
    }
    ADIT_TRY(adit_descriptors_thread_check());
    ADIT_TRY(root_leave(options, &report));             /* 4 */
    ADIT_TRY(privileges_drop(false));                   /* 5 */
    ADIT_TRY(landlock_enter(options, &report));         /* 6 */
    ADIT_TRY(calls_restrict(options->policy, &report)); /* 7 */
    *out_report = report;
    return adit_ok();
}
