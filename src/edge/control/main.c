/* adit-control: reads its start message from descriptor 3, closes its sandbox, opens the database,
 * serves. */
#include "edge/control/control.h"
#include "sandbox/roles.h"

#define SUPERVISOR_FD 3

static struct adit_status sandbox_enter(struct control *control)
{
    const int fds[] = {STDIN_FILENO,
                       STDOUT_FILENO,
                       STDERR_FILENO,
                       SUPERVISOR_FD,
                       control->admin_listener,
                       control->local_listener,
                       control->loop.epoll_fd};
    struct adit_sandbox_options options = adit_sandbox_control();
    struct adit_sandbox_report report = {0};
    options.fds = fds;
    options.fd_count = ADIT_COUNT(fds);
    options.is_off = !control->is_sandboxed;
    ADIT_TRY(adit_sandbox_enter(&options, &report));
    ADIT_LOG(&control->log, INFO, "sandbox",
             adit_log_number(ADIT_BYTES("landlock"), report.landlock_abi),
             adit_log_number(ADIT_BYTES("calls"), report.is_call_refused));
    return adit_ok();
}

static struct adit_status serve(struct control *control)
{
    ADIT_TRY(control_open(control, SUPERVISOR_FD));
    ADIT_TRY(sandbox_enter(control));
    ADIT_TRY(control_begin(control));
    return adit_loop_run(&control->loop);
}

int main(void)
{
    adit_memory_settle(); /* snapshots come and go: what they took is given back */
    struct control control = {0};
    struct adit_status status = serve(&control);
    adit_log_failure(&control.log, ADIT_LOG_ERROR, ADIT_BYTES("control_failed"), status);
    control_close(&control);
    return adit_is_ok(status) ? 0 : 1;
}
