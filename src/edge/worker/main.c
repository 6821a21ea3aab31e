/* adit-worker: started by aditd with its channel on descriptor 3 and its log on descriptor 2. */
#include "edge/worker/worker.h"

#include "sandbox/roles.h"

#define LOG_FD 2
#define CHANNEL_FD 3
#define START_MS 10000

static struct adit_status enter_sandbox(struct worker *worker, bool is_off)
{
    const int fds[] = {0, 1, LOG_FD, CHANNEL_FD, worker->loop.epoll_fd};
    struct adit_sandbox_options options = adit_sandbox_worker();
    options.fds = fds;
    options.fd_count = ADIT_COUNT(fds);
    options.is_off = is_off;
    struct adit_sandbox_report report = {0};
    ADIT_TRY(adit_sandbox_enter(&options, &report));
    ADIT_LOG(&worker->log, INFO, "sandbox", adit_log_number(ADIT_BYTES("off"), is_off),
             adit_log_number(ADIT_BYTES("landlock"), report.landlock_abi),
             adit_log_number(ADIT_BYTES("root_empty"), report.is_root_empty),
             adit_log_number(ADIT_BYTES("network_empty"), report.is_network_empty),
             adit_log_number(ADIT_BYTES("calls_refused"), report.is_call_refused));
    return adit_ok();
}

static struct adit_status serve_started(struct worker *worker, bool has_no_sandbox)
{
    ADIT_TRY(enter_sandbox(worker, has_no_sandbox));
    ADIT_TRY(worker_supervisor_watch(worker));
    struct adit_message ready = {.type = ADIT_MESSAGE_READY};
    ADIT_TRY(adit_channel_send(&worker->supervisor, &ready));
    ADIT_LOG(&worker->log, INFO, "worker_ready");
    return adit_loop_run(&worker->loop);
}

static struct adit_status serve(struct worker *worker)
{
    ADIT_TRY(adit_channel_open(&worker->supervisor, CHANNEL_FD, ADIT_EDGE_WORKER_SUPERVISOR,
                               ADIT_EDGE_SUPERVISOR_WORKER));
    struct adit_message start = {0};
    ADIT_TRY(adit_channel_receive_wait(&worker->supervisor, START_MS, &start));
    if (start.options & ADIT_START_JSON) {
        worker->log.format = ADIT_LOG_JSON;
    }
    struct adit_status status = worker_start(worker, &start);
    adit_message_fds_close(&start);
    ADIT_TRY(status);
    status = serve_started(worker, (start.options & ADIT_START_NO_SANDBOX) != 0);
    worker_close(worker);
    return status;
}

int main(void)
{
    adit_memory_settle(); /* snapshots come and go: what they took is given back */
    struct worker worker = {.supervisor = {.fd = -1}, .door = {.fd = -1}};
    adit_log_init(&worker.log, LOG_FD, ADIT_LOG_TEXT, ADIT_BYTES("worker"));
    struct adit_status status = serve(&worker);
    if (!adit_is_ok(status)) {
        adit_log_failure(&worker.log, ADIT_LOG_ERROR, ADIT_BYTES("worker_failed"), status);
        return 1;
    }
    return 0;
}
