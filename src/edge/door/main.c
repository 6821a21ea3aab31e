/* adit-door: reads its start message from descriptor 3, closes its sandbox, serves. */
#include "edge/door/door.h"
#include "sandbox/roles.h"

#define SUPERVISOR_FD 3

static struct adit_status sandbox_enter(struct adit_door *door)
{
    const int fds[] = {STDIN_FILENO,   STDOUT_FILENO,       STDERR_FILENO,      SUPERVISOR_FD,
                       door->listener, door->http_listener, door->loop.epoll_fd};
    struct adit_sandbox_options options = adit_sandbox_door(door->ports.from, door->ports.to);
    options.fds = fds;
    options.fd_count = ADIT_COUNT(fds);
    options.is_off = !door->is_sandboxed;
    struct adit_sandbox_report report = {0};
    ADIT_TRY(adit_sandbox_enter(&options, &report));
    ADIT_LOG(&door->log, INFO, "sandbox",
             adit_log_number(ADIT_BYTES("landlock"), report.landlock_abi),
             adit_log_number(ADIT_BYTES("root"), report.is_root_empty),
             adit_log_number(ADIT_BYTES("calls"), report.is_call_refused));
    return adit_ok();
}

static struct adit_status serve(struct adit_door *door)
{
    ADIT_TRY(adit_door_open(door, SUPERVISOR_FD));
    ADIT_TRY(sandbox_enter(door));
    ADIT_TRY(adit_door_begin(door));
    return adit_loop_run(&door->loop);
}

int main(void)
{
    adit_memory_settle(); /* snapshots come and go: what they took is given back */
    struct adit_door door = {0};
    struct adit_status status = serve(&door);
    adit_log_failure(&door.log, ADIT_LOG_ERROR, ADIT_BYTES("door_failed"), status);
    adit_door_close(&door);
    return adit_is_ok(status) ? 0 : 1;
}
