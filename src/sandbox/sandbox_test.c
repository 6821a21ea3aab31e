#include "sandbox/sandbox.h"

#include "child.h"
#include "sandbox/landlock.h"
#include "unit.h"

static const int standard[] = {0, 1, 2};

static struct adit_sandbox_options options_of(void)
{
    return (struct adit_sandbox_options){
        .fds = standard, .fd_count = ADIT_COUNT(standard), .files_max = 64};
}

static int enter(const struct adit_sandbox_options *options, struct adit_sandbox_report *report)
{
    for (int fd = 3; fd < 256; fd++) {
        close(fd);
    }
    return (int)adit_status_error(adit_sandbox_enter(options, report));
}

static uint64_t limit_of(__rlimit_resource_t resource)
{
    struct rlimit limit = {0};
    return getrlimit(resource, &limit) == 0 && limit.rlim_cur == limit.rlim_max ? limit.rlim_max
                                                                                : UINT64_MAX;
}

static int closed(void *context)
{
    (void)context;
    struct adit_sandbox_report report = {0};
    struct adit_sandbox_options options = options_of();
    if (enter(&options, &report) != 0) {
        return 1;
    }
    if (getenv("PATH") || limit_of(RLIMIT_NOFILE) != 64 || limit_of(RLIMIT_CORE) != 0 ||
        limit_of(RLIMIT_FSIZE) != 0 || limit_of(RLIMIT_NPROC) != 0) {
        return 2;
    }
    if (prctl(PR_GET_NO_NEW_PRIVS, 0ul, 0ul, 0ul, 0ul) != 1 ||
        prctl(PR_GET_DUMPABLE, 0ul, 0ul, 0ul, 0ul) != 0) {
        return 3;
    }
    if (open("/etc/passwd", O_RDONLY) >= 0 || geteuid() == 0 || fork() >= 0) {
        return 4;
    }
    return report.is_file_refused || report.is_root_empty ? 0 : 5;
}

static int switched_off(void *context)
{
    (void)context;
    struct adit_sandbox_report report = {0};
    struct adit_sandbox_options options = options_of();
    options.is_off = true;
    options.policy = ADIT_BYTES("this is not read");
    uid_t user = geteuid();
    if (enter(&options, &report) != 0) {
        return 1;
    }
    return open("/etc/passwd", O_RDONLY) >= 0 && geteuid() == user && !getenv("PATH") &&
                   prctl(PR_GET_NO_NEW_PRIVS, 0ul, 0ul, 0ul, 0ul) == 1 && !report.is_file_refused
               ? 0
               : 2;
}

static int bad_policy(void *context)
{
    (void)context;
    struct adit_sandbox_report report = {0};
    struct adit_sandbox_options options = options_of();
    options.policy = ADIT_BYTES("allow everything");
    return enter(&options, &report) == ADIT_ERROR_INVALID ? 0 : 1;
}

static int filtered(void *context)
{
    (void)context;
    struct adit_sandbox_report report = {0};
    struct adit_sandbox_options options = options_of();
    options.policy = ADIT_BYTES("allow exit_group # the end\n");
    if (enter(&options, &report) != 0 || !report.is_call_refused) {
        return 1;
    }
    syscall(SYS_getppid);
    return 2;
}

static int extra_descriptor(void *context)
{
    (void)context;
    struct adit_sandbox_report report = {0};
    struct adit_sandbox_options options = options_of();
    options.fd_count = 2;
    return enter(&options, &report) == ADIT_ERROR_INVALID && getenv("PATH") ? 0 : 1;
}

/* Older kernels and containers, made up: a call that the machine "does not have". */
struct lack {
    const char *call;
    int reason;
};

static bool is_taken_away(const struct lack *lack)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int number = seccomp_syscall_resolve_name(lack->call);
    bool is_fine = seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)lack->reason), number, 0) == 0;
    is_fine = is_fine && seccomp_load(filter) == 0;
    seccomp_release(filter);
    return is_fine;
}

/* 0: closed by landlock, 1: by the empty root, 2: by both, 3: not entered, REFUSED. */
static int enter_without(void *context)
{
    const struct lack *lack = context;
    struct adit_sandbox_report report = {0};
    struct adit_sandbox_options options = options_of();
    if (!is_taken_away(lack)) {
        return 10;
    }
    int how = enter(&options, &report);
    if (how != 0) {
        return how == ADIT_ERROR_REFUSED ? 3 : 20 + how;
    }
    if (open("/etc/passwd", O_RDONLY) >= 0) {
        return 11;
    }
    if (report.is_file_refused && report.is_root_empty) {
        return 2;
    }
    return report.is_root_empty ? 1 : 0;
}

static void what_a_machine_lacks_is_reported(void **state)
{
    (void)state;
    struct lack landlock = {.call = "landlock_create_ruleset", .reason = ENOSYS};
    struct lack namespaces = {.call = "unshare", .reason = EPERM};
    struct lack mounts = {.call = "mount", .reason = EACCES};
    struct lack users = {.call = "setresuid", .reason = EPERM};
    if (adit_landlock_abi() == 0) {
        skip();
    }
    bool is_root = geteuid() == 0;
    int how = child_run(enter_without, &landlock);
    assert_true(how == 3 || (is_root && how == 1));
    assert_int_equal(child_run(enter_without, &namespaces), 0);
    assert_int_equal(child_run(enter_without, &mounts), 0);
    how = child_run(enter_without, &users);
    assert_true(how == 0 || (is_root && how == 2));
}

static void steps_are_taken(void **state)
{
    (void)state;
    assert_int_equal(child_run(closed, 0), 0);
    assert_int_equal(child_run(filtered, 0), CHILD_SIGNAL + SIGSYS);
}

static int supervised(void *context)
{
    struct adit_sandbox_report report = {0};
    const bool *is_off = context;
    struct adit_bytes policy = ADIT_BYTES("allow exit_group # the end\nallow open # files\n"
                                          "allow openat # files\nallow close # files\n");
    if (!adit_is_ok(adit_sandbox_supervise(policy, *is_off, &report))) {
        return 1;
    }
    if (report.is_call_refused == *is_off || !getenv("PATH") ||
        open("/etc/passwd", O_RDONLY) < 0) {
        return 2;
    }
    syscall(SYS_getppid);
    return 3;
}

static void the_supervisor_keeps_its_files(void **state)
{
    (void)state;
    bool is_off = false;
    assert_int_equal(child_run(supervised, &is_off), CHILD_SIGNAL + SIGSYS);
    is_off = true;
    assert_int_equal(child_run(supervised, &is_off), 3);
}

static void off_is_off(void **state)
{
    (void)state;
    assert_int_equal(child_run(switched_off, 0), 0);
}

static void failures_are_said(void **state)
{
    (void)state;
    assert_int_equal(child_run(bad_policy, 0), 0);
    assert_int_equal(child_run(extra_descriptor, 0), 0);
    struct adit_sandbox_report report = {0};
    struct adit_sandbox_options options = options_of();
    options.files_max = 0;
    assert_fails(adit_sandbox_enter(&options, &report), INVALID);
    options = options_of();
    options.bind_port_from = 2;
    options.bind_port_to = 1;
    assert_fails(adit_sandbox_enter(&options, &report), INVALID);
    options = options_of();
    options.bind_port_to = 1;
    assert_fails(adit_sandbox_enter(&options, &report), INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_taken),
        cmocka_unit_test(off_is_off),
        cmocka_unit_test(what_a_machine_lacks_is_reported),
        cmocka_unit_test(the_supervisor_keeps_its_files),
        cmocka_unit_test(failures_are_said),
    };
    return cmocka_run_group_tests_name("sandbox/sandbox", tests, NULL, NULL);
}
