#include "edge/control/control.h"

#define START_MS 10000
#define WATCHES_MAX (CONTROL_LOCAL_MAX + CONTROL_ADMIN_MAX + 8)
#define TIMERS_MAX (CONTROL_LOCAL_MAX + CONTROL_ADMIN_MAX + 8)
#define MESSAGES_MAX 256 /* in one turn */
#define CHANNEL_INTEREST (ADIT_LOOP_READ | ADIT_LOOP_LEVEL)

/* --- Messages of the supervisor --------------------------------------------------------------- */

static struct adit_status stop(struct control *control, const struct adit_message *message)
{
    (void)message;
    ADIT_LOG(&control->log, INFO, "stopping");
    control->lease_retry_us = 0;
    control_leases_apply(control);
    adit_loop_stop(&control->loop);
    return adit_ok();
}

static struct adit_status taken(struct control *control, const struct adit_message *message)
{
    control->taken = message->version;
    control_clients_taken(control);
    return adit_ok();
}

static struct adit_status lease(struct control *control, const struct adit_message *message)
{
    struct adit_status status = control_lease_put(control, message);
    if (adit_status_error(status) == ADIT_ERROR_INVALID) { /* one that the door should not say */
        adit_log_failure(&control->log, ADIT_LOG_WARN, ADIT_BYTES("lease_invalid"), status);
        return adit_ok();
    }
    return status;
}

static struct adit_status role_status(struct control *control, const struct adit_message *message)
{
    control_report_role(control, message);
    return adit_ok();
}

static struct adit_status status_end(struct control *control, const struct adit_message *message)
{
    control_report_end(control, message);
    return adit_ok();
}

/* The supervisor wants to know whether anybody is there. */
static struct adit_status status_ask(struct control *control, const struct adit_message *message)
{
    struct adit_message answer = {.type = ADIT_MESSAGE_STATUS, .request = message->request};
    return adit_channel_send(&control->supervisor, &answer);
}

static struct adit_status snapshot_ask(struct control *control, const struct adit_message *message)
{
    (void)message;
    control_leases_apply(control);
    adit_status_ignore(control_publish(control), "told already; it tries again");
    return adit_ok();
}

static struct adit_status name_hold(struct control *control, const struct adit_message *message)
{
    control->hold_s = message->count;
    return adit_ok();
}

static const struct {
    enum adit_message_type type;
    struct adit_status (*handle)(struct control *control, const struct adit_message *message);
} messages[] = {
    {ADIT_MESSAGE_STOP, stop},
    {ADIT_MESSAGE_SNAPSHOT_TAKEN, taken},
    {ADIT_MESSAGE_LEASE, lease},
    {ADIT_MESSAGE_ROLE_STATUS, role_status},
    {ADIT_MESSAGE_STATUS_END, status_end},
    {ADIT_MESSAGE_STATUS_ASK, status_ask},
    {ADIT_MESSAGE_NAME_HOLD, name_hold},
    {ADIT_MESSAGE_SNAPSHOT_ASK, snapshot_ask},
};

static struct adit_status message_handle(void *context, struct adit_message *message)
{
    struct control *control = context;
    for (size_t i = 0; i < ADIT_COUNT(messages); i++) {
        if (ADIT_AT(messages, i).type == message->type) {
            return ADIT_AT(messages, i).handle(control, message);
        }
    }
    return adit_ok();
}

static void supervisor_ready(void *context, uint64_t key, uint32_t events)
{
    struct control *control = context;
    (void)key;
    if ((events & ADIT_LOOP_WRITE) != 0) {
        adit_status_ignore(adit_channel_flush(&control->supervisor), "its end is seen by drain");
    }
    struct adit_status status =
        adit_channel_drain(&control->supervisor, MESSAGES_MAX, message_handle, control);
    if (!adit_is_ok(status)) {
        adit_log_failure(&control->log, ADIT_LOG_ERROR, ADIT_BYTES("supervisor_lost"), status);
        adit_loop_stop(&control->loop);
    }
}

/* Once a turn: leases of this turn go to the database together; while too many wait for it, no
 * more are taken, and the door keeps them. */
static void turn_end(void *context)
{
    struct control *control = context;
    control_leases_apply(control);
    uint32_t interest = ADIT_LOOP_LEVEL;
    interest |= control->lease_count < CONTROL_LEASES_MAX / 2 ? ADIT_LOOP_READ : 0;
    interest |= control->supervisor.waiting > 0 ? ADIT_LOOP_WRITE : 0;
    if (adit_handle_is_set(control->supervisor_watch) &&
        interest != control->supervisor_interest &&
        adit_is_ok(adit_loop_interest_set(&control->loop, control->supervisor_watch, interest))) {
        control->supervisor_interest = interest;
    }
}

/* --- Open and close --------------------------------------------------------------------------- */

static struct adit_status start_take(struct control *control, struct adit_message *start)
{
    ADIT_ENSURE(start->type == ADIT_MESSAGE_CONTROL_START, INVALID, "this is no start message");
    control->log.format =
        (start->options & ADIT_START_JSON) != 0 ? ADIT_LOG_JSON : ADIT_LOG_TEXT;
    control->is_sandboxed = (start->options & ADIT_START_NO_SANDBOX) == 0;
    control->hold_s = start->count;
    ADIT_TRY(ADIT_FIELD_SET(control->domain, adit_message_text_get(&start->domain)));
    if (fchdir(start->fds[0]) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "the database's folder cannot be entered", errno);
    }
    control->admin_listener = adit_message_fd_take(start, 1);
    control->local_listener = adit_message_fd_take(start, 2);
    return adit_ok();
}

static struct adit_status parts_open(struct control *control)
{
    ADIT_TRY(adit_loop_open(&control->loop, WATCHES_MAX, TIMERS_MAX));
    adit_loop_turn_end_set(&control->loop, turn_end, control);
    ADIT_TRY(adit_pool_init(&control->clients, sizeof(struct control_client),
                            CONTROL_LOCAL_MAX + CONTROL_ADMIN_MAX));
    ADIT_TRY(adit_memory_open(1, CONTROL_ANSWER_BYTES_MAX, &control->scratch));
    return adit_memory_open(CONTROL_LEASES_MAX, sizeof(struct control_lease), &control->leases);
}

struct adit_status control_open(struct control *control, int supervisor_fd)
{
    struct adit_message start = {0};
    *control = (struct control){.loop = {.epoll_fd = -1},
                                .supervisor = {.fd = -1},
                                .admin_listener = -1,
                                .local_listener = -1,
                                .client_us = CONTROL_CLIENT_US,
                                .applied_us = CONTROL_APPLIED_US};
    adit_log_init(&control->log, STDERR_FILENO, ADIT_LOG_TEXT, ADIT_BYTES("control"));
    ADIT_TRY(adit_channel_open(&control->supervisor, supervisor_fd, ADIT_EDGE_CONTROL_SUPERVISOR,
                               ADIT_EDGE_SUPERVISOR_CONTROL));
    ADIT_TRY(adit_channel_receive_wait(&control->supervisor, START_MS, &start));
    struct adit_status status = start_take(control, &start);
    adit_message_fds_close(&start);
    ADIT_TRY(status);
    return parts_open(control);
}

struct adit_status control_begin(struct control *control)
{
    struct adit_message ready = {.type = ADIT_MESSAGE_READY};
    struct adit_status status = adit_store_open(&control->store, "./" ADIT_STORE_FILE);
    control_store_tell(control, status);
    ADIT_TRY(status);
    ADIT_TRY(adit_loop_watch(&control->loop, control->supervisor.fd, CHANNEL_INTEREST,
                             supervisor_ready, control, 0, &control->supervisor_watch));
    control->supervisor_interest = CHANNEL_INTEREST;
    ADIT_TRY(adit_channel_send(&control->supervisor, &ready));
    ADIT_TRY(control_publish_begin(control));
    return control_clients_begin(control);
}

void control_close(struct control *control)
{
    uint32_t cursor = 0;
    struct adit_handle handle = {0};
    while (adit_pool_next(&control->clients, &cursor, &handle)) {
        control_client_close(control, adit_pool_get(&control->clients, handle));
    }
    adit_pool_deinit(&control->clients);
    adit_store_close(&control->store);
    adit_channel_close(&control->supervisor);
    adit_socket_close(&control->admin_listener);
    adit_socket_close(&control->local_listener);
    adit_memory_close(&control->scratch);
    adit_memory_close(&control->leases);
    adit_memory_close(&control->snapshot);
    adit_loop_close(&control->loop);
}
