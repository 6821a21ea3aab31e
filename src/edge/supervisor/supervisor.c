#include "edge/supervisor/supervisor.h"

#include "edge/supervisor/orders.h"
#include "edge/supervisor/plane.h"
#include "edge/supervisor/wiring.h"
#include "sandbox/policies.h"
#include "sandbox/sandbox.h"

#define WATCHES_MAX (2 * ADIT_SUPERVISOR_CHILDREN_MAX + 8) /* a channel and a log each */
#define TIMERS_MAX (ADIT_SUPERVISOR_CHILDREN_MAX + 8)
#define MESSAGES_MAX 64 /* of one role in one turn */
#define CHANNEL_INTEREST (ADIT_LOOP_READ | ADIT_LOOP_LEVEL)

static void seat_start(struct adit_supervisor *supervisor, struct adit_supervisor_seat *seat);

static struct adit_supervisor_seat *seat_at(struct adit_supervisor *supervisor, size_t index)
{
    return &ADIT_AT(supervisor->seats, index);
}

static bool is_running(const struct adit_supervisor_seat *seat)
{
    return seat->child.pid > 0;
}

static size_t seat_index(const struct adit_supervisor_seat *seat)
{
    switch (seat->role) {
    case ADIT_ROLE_CONTROL:
        return ADIT_SUPERVISOR_CONTROL;
    case ADIT_ROLE_DOOR:
        return ADIT_SUPERVISOR_DOOR;
    case ADIT_ROLE_WORKER:
        break;
    }
    return ADIT_SUPERVISOR_WORKER + (size_t)seat->index;
}

static void seat_log(struct adit_supervisor *supervisor, enum adit_log_level level,
                     struct adit_bytes event, const struct adit_supervisor_seat *seat)
{
    const struct adit_log_field fields[] = {
        adit_log_text(ADIT_BYTES("name"), adit_role_info(seat->role)->name),
        adit_log_number(ADIT_BYTES("index"), seat->index),
        adit_log_number(ADIT_BYTES("pid"), (uint64_t)seat->child.pid),
    };
    adit_log_event(&supervisor->log, level, event, fields, ADIT_COUNT(fields));
}

/* --- Ready ----------------------------------------------------------------------------------- */

static void serving_tell(struct adit_supervisor *supervisor)
{
    uint8_t memory[64] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    for (size_t i = 0; i < supervisor->seat_count; i++) {
        if (!seat_at(supervisor, i)->is_ready) {
            return;
        }
    }
    if (supervisor->is_serving) {
        return;
    }
    supervisor->is_serving = true;
    adit_status_ignore(adit_address_write(&writer, &supervisor->options.https), "it fits");
    ADIT_LOG(&supervisor->log, INFO, "ready",
             adit_log_text(ADIT_BYTES("https"), adit_writer_bytes(&writer)),
             adit_log_text(ADIT_BYTES("domain"), supervisor->options.domain),
             adit_log_number(ADIT_BYTES("tcp_from"), supervisor->options.port_from),
             adit_log_number(ADIT_BYTES("tcp_to"), supervisor->options.port_to));
    if (supervisor->options.serving) {
        supervisor->options.serving(supervisor->options.context);
    }
}

/* --- Messages of the roles ------------------------------------------------------------------- */

/* The worker of this very wiring broke the rules; a successor has another number. */
static void broken_handle(struct adit_supervisor *supervisor, const struct adit_message *message)
{
    for (size_t i = 0; i < supervisor->seat_count; i++) {
        const struct adit_supervisor_seat *seat = seat_at(supervisor, i);
        if (seat->role == ADIT_ROLE_WORKER && seat->index == message->index &&
            seat->wiring == message->request) {
            seat_log(supervisor, ADIT_LOG_ERROR, ADIT_BYTES("role_broken"), seat);
            adit_child_kill(&seat->child);
        }
    }
}

/* Door and workers start once there is a snapshot to act by. */
static void edge_start(struct adit_supervisor *supervisor)
{
    if (supervisor->has_edge || supervisor->is_stopping || supervisor->plane.snapshot_fd < 0) {
        return;
    }
    supervisor->has_edge = true;
    for (size_t i = ADIT_SUPERVISOR_DOOR; i < supervisor->seat_count; i++) {
        seat_start(supervisor, seat_at(supervisor, i));
    }
}

static void message_handle(struct adit_supervisor *supervisor, struct adit_supervisor_seat *seat,
                           struct adit_message *message)
{
    if (message->type == ADIT_MESSAGE_READY) {
        adit_loop_timer_cancel(&supervisor->loop, &seat->timer);
        seat->is_ready = true;
        seat_log(supervisor, ADIT_LOG_INFO, ADIT_BYTES("role_ready"), seat);
        adit_plane_ready(supervisor, seat);
        serving_tell(supervisor);
    } else if (message->type == ADIT_MESSAGE_BROKEN) {
        broken_handle(supervisor, message);
    } else if (adit_plane_message(supervisor, seat, message)) {
        edge_start(supervisor);
    }
}

static void seat_overdue(void *context, uint64_t key)
{
    struct adit_supervisor *supervisor = context;
    adit_child_kill(&seat_at(supervisor, key)->child);
}

/* A role without its channel is of no use. One that closed it is ending, and gets a moment, so that
 * its own exit code is seen; one that broke the rules gets none. */
static void seat_cut(struct adit_supervisor *supervisor, struct adit_supervisor_seat *seat,
                     struct adit_status why)
{
    adit_log_failure(&supervisor->log, ADIT_LOG_ERROR, ADIT_BYTES("channel_broken"), why);
    adit_loop_unwatch(&supervisor->loop, &seat->watch);
    adit_channel_close(&seat->child.channel);
    if (!adit_is_ok(why) ||
        !adit_is_ok(adit_loop_timer_set(&supervisor->loop, &seat->timer,
                                        adit_clock_now_us() + ADIT_SUPERVISOR_LEAVE_US,
                                        seat_overdue, supervisor, seat_index(seat)))) {
        adit_child_kill(&seat->child);
    }
}

/* At most so many messages a turn: a role that never stops talking keeps nobody else waiting. */
static struct adit_status messages_receive(struct adit_supervisor *supervisor,
                                           struct adit_supervisor_seat *seat)
{
    for (size_t i = 0; i < MESSAGES_MAX; i++) {
        struct adit_message message = {0};
        enum adit_io io = ADIT_IO_BLOCKED;
        ADIT_TRY(adit_channel_receive(&seat->child.channel, &message, &io));
        if (io == ADIT_IO_END) {
            seat_cut(supervisor, seat, adit_ok());
        }
        if (io != ADIT_IO_DONE) {
            return adit_ok();
        }
        seat->silent = 0;
        message_handle(supervisor, seat, &message);
        adit_message_fds_close(&message);
    }
    return adit_ok();
}

static void channel_ready(void *context, uint64_t key, uint32_t events)
{
    struct adit_supervisor *supervisor = context;
    struct adit_supervisor_seat *seat = seat_at(supervisor, key);
    struct adit_status status = adit_ok();
    if ((events & ADIT_LOOP_WRITE) != 0) {
        status = adit_channel_flush(&seat->child.channel);
    }
    if (adit_is_ok(status) || adit_status_error(status) == ADIT_ERROR_CLOSED) {
        status = messages_receive(supervisor, seat);
    }
    if (!adit_is_ok(status)) {
        seat_cut(supervisor, seat, status);
    }
}

/* Once a turn: channels with waiting messages are watched for room, and the door is not read while
 * too much of what it says waits for control. */
static void turn_end(void *context)
{
    struct adit_supervisor *supervisor = context;
    bool is_stalled = adit_plane_is_stalled(supervisor);
    for (size_t i = 0; i < supervisor->seat_count; i++) {
        struct adit_supervisor_seat *seat = seat_at(supervisor, i);
        uint32_t interest = i == ADIT_SUPERVISOR_DOOR && is_stalled ? ADIT_LOOP_LEVEL
                                                                    : CHANNEL_INTEREST;
        interest |= seat->child.channel.waiting > 0 ? ADIT_LOOP_WRITE : 0;
        if (adit_handle_is_set(seat->watch) && interest != seat->interest &&
            adit_is_ok(adit_loop_interest_set(&supervisor->loop, seat->watch, interest))) {
            seat->interest = interest;
        }
    }
}

/* --- The pulse ------------------------------------------------------------------------------- */

static void pulse_due(void *context, uint64_t key);

static void pulse_set(struct adit_supervisor *supervisor)
{
    uint64_t when_us = adit_clock_now_us() + supervisor->options.pulse_ms * ADIT_MS_US;
    adit_status_ignore(adit_loop_timer_set(&supervisor->loop, &supervisor->pulse_timer,
                                           when_us, pulse_due,
                                           supervisor, 0),
                       "a timer is reserved for it");
}

/* A role that hangs, or was stopped, is of no use and keeps its place: it is asked how it is, and
 * whatever it says is an answer. */
static void pulse_due(void *context, uint64_t key)
{
    struct adit_supervisor *supervisor = context;
    (void)key;
    for (size_t i = 0; i < supervisor->seat_count && !supervisor->is_stopping; i++) {
        struct adit_supervisor_seat *seat = seat_at(supervisor, i);
        struct adit_message ask = {.type = ADIT_MESSAGE_STATUS_ASK};
        bool is_heard = (seat->interest & ADIT_LOOP_READ) != 0; /* not while control stalls */
        if (!is_running(seat) || !seat->is_ready || !is_heard) {
            continue;
        }
        if (seat->silent >= ADIT_SUPERVISOR_SILENT_MAX) {
            seat_log(supervisor, ADIT_LOG_ERROR, ADIT_BYTES("role_silent"), seat);
            adit_child_kill(&seat->child);
            continue;
        }
        seat->silent++;
        adit_status_ignore(adit_channel_send(&seat->child.channel, &ask),
                           "it has no room, or is gone: it will not answer either");
    }
    pulse_set(supervisor);
}

/* --- Life of a seat -------------------------------------------------------------------------- */

static void seat_late(void *context, uint64_t key)
{
    struct adit_supervisor *supervisor = context;
    const struct adit_supervisor_seat *seat = seat_at(supervisor, key);
    seat_log(supervisor, ADIT_LOG_ERROR, ADIT_BYTES("role_not_ready"), seat);
    adit_child_kill(&seat->child);
}

static void seat_due(void *context, uint64_t key)
{
    struct adit_supervisor *supervisor = context;
    if (!supervisor->is_stopping) {
        seat_start(supervisor, seat_at(supervisor, key));
    }
}

/* Starts again, now or later; gives up where it never worked. */
static void seat_start_later(struct adit_supervisor *supervisor, struct adit_supervisor_seat *seat)
{
    uint64_t now_us = adit_clock_now_us();
    uint64_t delay_us = adit_backoff_next(&seat->backoff, now_us - seat->child.started_us);
    if (!supervisor->is_serving &&
        seat->backoff.short_lives >= ADIT_SUPERVISOR_FIRST_STARTS_MAX) {
        seat_log(supervisor, ADIT_LOG_ERROR, ADIT_BYTES("role_never_ready"), seat);
        supervisor->has_failed = true;
        adit_orders_stop(supervisor, 0);
        return;
    }
    adit_loop_timer_cancel(&supervisor->loop, &seat->timer);
    adit_status_ignore(adit_loop_timer_set(&supervisor->loop, &seat->timer, now_us + delay_us,
                                           seat_due, supervisor, seat_index(seat)),
                       "every seat has a timer of its own");
}

/* Door and workers that both run get a new channel to each other. */
static void seat_join(struct adit_supervisor *supervisor, struct adit_supervisor_seat *seat)
{
    struct adit_supervisor_seat *door = seat_at(supervisor, ADIT_SUPERVISOR_DOOR);
    for (size_t i = ADIT_SUPERVISOR_WORKER; i < supervisor->seat_count; i++) {
        struct adit_supervisor_seat *worker = seat_at(supervisor, i);
        if (is_running(door) && is_running(worker) && (seat == door || seat == worker)) {
            adit_log_failure(&supervisor->log, ADIT_LOG_WARN, ADIT_BYTES("wiring_failed"),
                             adit_wiring_join(supervisor, door, worker));
        }
    }
}

static struct adit_status seat_try(struct adit_supervisor *supervisor,
                                   struct adit_supervisor_seat *seat)
{
    const struct adit_role_info *info = adit_role_info(seat->role);
    const struct adit_child_options options = {.path = seat->path.text,
                                               .name = info->program,
                                               .sends = info->sends,
                                               .receives = info->receives,
                                               .log_fd = supervisor->options.log_fd};
    ADIT_TRY(adit_child_start(&seat->child, &supervisor->loop, &options));
    ADIT_TRY(adit_loop_watch(&supervisor->loop, seat->child.channel.fd,
                             CHANNEL_INTEREST, channel_ready, supervisor, seat_index(seat),
                             &seat->watch));
    seat->interest = CHANNEL_INTEREST;
    seat->is_told_more = seat->role == ADIT_ROLE_DOOR && seat->starts > 0 &&
                         adit_plane_snapshot_ask(supervisor);
    ADIT_TRY(adit_wiring_start(supervisor, seat));
    return adit_loop_timer_set(&supervisor->loop, &seat->timer,
                               adit_clock_now_us() + ADIT_SUPERVISOR_READY_US, seat_late,
                               supervisor, seat_index(seat));
}

static void seat_start(struct adit_supervisor *supervisor, struct adit_supervisor_seat *seat)
{
    adit_loop_timer_cancel(&supervisor->loop, &seat->timer);
    seat->is_ready = false;
    seat->silent = 0;
    struct adit_status status = seat_try(supervisor, seat);
    if (adit_is_ok(status)) {
        seat->starts++;
        seat_log(supervisor, ADIT_LOG_INFO, ADIT_BYTES("role_started"), seat);
        seat_join(supervisor, seat);
        return;
    }
    if (is_running(seat)) {
        seat_cut(supervisor, seat, status); /* it starts again once its end is seen */
        return;
    }
    adit_log_failure(&supervisor->log, ADIT_LOG_ERROR, ADIT_BYTES("role_start_failed"), status);
    seat->child.started_us = adit_clock_now_us();
    seat_start_later(supervisor, seat);
}

static void seat_end_log(struct adit_supervisor *supervisor,
                         const struct adit_supervisor_seat *seat, uint64_t pid, int how)
{
    bool is_signal = WIFSIGNALED(how);
    const struct adit_log_field fields[] = {
        adit_log_text(ADIT_BYTES("name"), adit_role_info(seat->role)->name),
        adit_log_number(ADIT_BYTES("index"), seat->index),
        adit_log_number(ADIT_BYTES("pid"), pid),
        adit_log_text(ADIT_BYTES("by"), is_signal ? ADIT_BYTES("signal") : ADIT_BYTES("exit")),
        adit_log_number(ADIT_BYTES("code"),
                        (uint64_t)(is_signal ? WTERMSIG(how) : WEXITSTATUS(how))),
        adit_log_number(ADIT_BYTES("log_bytes_dropped"), seat->child.drain.dropped),
    };
    adit_log_event(&supervisor->log, supervisor->is_stopping ? ADIT_LOG_INFO : ADIT_LOG_WARN,
                   ADIT_BYTES("role_ended"), fields, ADIT_COUNT(fields));
}

/* --- Signals --------------------------------------------------------------------------------- */

static void ends_see(struct adit_supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->seat_count; i++) {
        struct adit_supervisor_seat *seat = seat_at(supervisor, i);
        uint64_t pid = (uint64_t)seat->child.pid;
        int how = 0;
        if (adit_child_has_ended(&seat->child, &how)) {
            adit_loop_unwatch(&supervisor->loop, &seat->watch);
            seat->is_ready = false;
            adit_plane_ended(supervisor, seat);
            seat_end_log(supervisor, seat, pid, how);
            if (!supervisor->is_stopping) {
                seat_start_later(supervisor, seat);
            }
        }
    }
    adit_orders_ended(supervisor);
}

static void signal_arrived(void *context, int number)
{
    struct adit_supervisor *supervisor = context;
    if (number == SIGCHLD) {
        ends_see(supervisor);
    } else if (number == SIGHUP) {
        adit_orders_reload(supervisor);
    } else {
        adit_orders_stop(supervisor, supervisor->options.live.drain_ms);
    }
}

/* --- Open, run, close ------------------------------------------------------------------------ */

static struct adit_status seats_prepare(struct adit_supervisor *supervisor)
{
    uint8_t memory[ADIT_SUPERVISOR_PATH_MAX] = {0};
    struct adit_bytes folder = supervisor->options.program_folder;
    if (folder.len == 0) {
        ADIT_TRY(adit_role_own_folder(ADIT_SPAN_OF(memory), &folder));
    }
    for (size_t i = 0; i < supervisor->seat_count; i++) {
        struct adit_supervisor_seat *seat = seat_at(supervisor, i);
        seat->role = i == ADIT_SUPERVISOR_CONTROL ? ADIT_ROLE_CONTROL
                     : i == ADIT_SUPERVISOR_DOOR  ? ADIT_ROLE_DOOR
                                                  : ADIT_ROLE_WORKER;
        seat->index = i < ADIT_SUPERVISOR_WORKER ? 0 : (uint32_t)i - ADIT_SUPERVISOR_WORKER;
        ADIT_TRY(adit_role_find(seat->role, folder, &seat->path));
    }
    return adit_ok();
}

/* Roles hold a descriptor per connection: as many as this process may give them. */
static void files_raise(void)
{
    struct rlimit limit = {0};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Its roles inherit it, and each then enters a smaller one of its own. */
static struct adit_status sandbox_enter(struct adit_supervisor *supervisor)
{
    struct adit_sandbox_report report = {0};
    ADIT_TRY(adit_sandbox_supervise(adit_policy_supervisor, supervisor->options.is_sandbox_off,
                                    &report));
    ADIT_LOG(&supervisor->log, INFO, "sandbox",
             adit_log_number(ADIT_BYTES("calls_refused"), report.is_call_refused));
    return adit_ok();
}

static struct adit_status parts_open(struct adit_supervisor *supervisor)
{
    static const int numbers[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP};
    int log_end = -1;
    ADIT_TRY(seats_prepare(supervisor));
    ADIT_TRY(adit_loop_open(&supervisor->loop, WATCHES_MAX, TIMERS_MAX));
    adit_loop_turn_end_set(&supervisor->loop, turn_end, supervisor);
    ADIT_TRY(adit_drain_open(&supervisor->own_log, &supervisor->loop, supervisor->options.log_fd,
                             &log_end));
    supervisor->log.fd = log_end;
    ADIT_TRY(adit_signals_open(&supervisor->signals, &supervisor->loop, numbers,
                               ADIT_COUNT(numbers)));
    adit_signals_handler_set(&supervisor->signals, signal_arrived, supervisor);
    ADIT_TRY(adit_plane_open(supervisor));
    ADIT_TRY(adit_wiring_credentials_open(supervisor));
    files_raise();
    return sandbox_enter(supervisor);
}

struct adit_status adit_supervisor_open(struct adit_supervisor *supervisor,
                                        const struct adit_supervisor_options *options)
{
    *supervisor = (struct adit_supervisor){.loop = {.epoll_fd = -1},
                                           .own_log = {.in = -1},
                                           .signals = {.fd = -1},
                                           .plane = {.snapshot_fd = -1},
                                           .credentials = {-1, -1, -1},
                                           .started_us = adit_clock_now_us(),
                                           .options = *options};
    supervisor->seat_count = ADIT_SUPERVISOR_WORKER + (options->workers > 0 ? options->workers : 1);
    ADIT_ASSERT(supervisor->seat_count <= ADIT_SUPERVISOR_CHILDREN_MAX);
    adit_log_init(&supervisor->log, -1, options->format, ADIT_BYTES("supervisor"));
    for (size_t i = 0; i < supervisor->seat_count; i++) {
        adit_child_init(&seat_at(supervisor, i)->child);
    }
    struct adit_status status = parts_open(supervisor);
    if (!adit_is_ok(status)) {
        adit_supervisor_close(supervisor);
    }
    return status;
}

struct adit_status adit_supervisor_run(struct adit_supervisor *supervisor)
{
    seat_start(supervisor, seat_at(supervisor, ADIT_SUPERVISOR_CONTROL));
    if (supervisor->options.pulse_ms > 0) {
        pulse_set(supervisor);
    }
    ADIT_TRY(adit_loop_run(&supervisor->loop));
    ADIT_ENSURE(!supervisor->has_failed, REFUSED, "a role did not come up; its log says why");
    return adit_ok();
}

/* Roles that are still there notice that their channel ends, and end too. */
void adit_supervisor_close(struct adit_supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->seat_count; i++) {
        struct adit_supervisor_seat *seat = seat_at(supervisor, i);
        adit_loop_unwatch(&supervisor->loop, &seat->watch);
        adit_channel_close(&seat->child.channel);
        adit_drain_close(&seat->child.drain);
    }
    adit_plane_close(supervisor);
    adit_wiring_credentials_close(supervisor);
    adit_signals_close(&supervisor->signals);
    adit_drain_close(&supervisor->own_log);
    adit_socket_close(&supervisor->log.fd);
    adit_socket_close(&supervisor->options.listener);
    adit_socket_close(&supervisor->options.http_listener);
    adit_socket_close(&supervisor->options.admin_listener);
    adit_socket_close(&supervisor->options.local_listener);
    adit_loop_close(&supervisor->loop);
}
