#include "edge/supervisor/plane.h"

#include "edge/supervisor/wiring.h"

static struct adit_supervisor_seat *control_of(struct adit_supervisor *supervisor)
{
    return &ADIT_AT(supervisor->seats, ADIT_SUPERVISOR_CONTROL);
}

static bool is_edge(const struct adit_supervisor_seat *seat)
{
    return seat->role != ADIT_ROLE_CONTROL;
}

static bool is_running(const struct adit_supervisor_seat *seat)
{
    return seat->child.pid > 0;
}

static void send_to(struct adit_supervisor *supervisor, struct adit_supervisor_seat *seat,
                    struct adit_message *message)
{
    struct adit_status status = adit_channel_send(&seat->child.channel, message);
    if (!adit_is_ok(status) && adit_status_error(status) != ADIT_ERROR_CLOSED) {
        adit_log_failure(&supervisor->log, ADIT_LOG_WARN, ADIT_BYTES("message_lost"), status);
    }
}

static void control_tell(struct adit_supervisor *supervisor, struct adit_message *message)
{
    struct adit_supervisor_seat *control = control_of(supervisor);
    if (is_running(control) && control->is_ready) {
        send_to(supervisor, control, message);
    }
}

/* --- Snapshots -------------------------------------------------------------------------------- */

/* Control is told once every door and worker that runs acts by the latest; one that does not run
 * gets it with its start. */
static void taken_tell(struct adit_supervisor *supervisor)
{
    struct adit_supervisor_plane *plane = &supervisor->plane;
    if (plane->told >= plane->version) {
        return;
    }
    for (size_t i = 0; i < supervisor->seat_count; i++) {
        const struct adit_supervisor_seat *seat = &ADIT_AT(supervisor->seats, i);
        if (is_edge(seat) && is_running(seat) && seat->taken != plane->version) {
            return;
        }
    }
    struct adit_message taken = {.type = ADIT_MESSAGE_SNAPSHOT_TAKEN, .version = plane->version};
    plane->told = plane->version;
    control_tell(supervisor, &taken);
}

static void snapshot_take(struct adit_supervisor *supervisor, struct adit_supervisor_seat *seat,
                          struct adit_message *message)
{
    struct adit_supervisor_plane *plane = &supervisor->plane;
    (void)seat;
    adit_socket_close(&plane->snapshot_fd);
    plane->snapshot_fd = adit_message_fd_take(message, 0);
    plane->version = message->version;
    plane->told = plane->version - 1;
    for (size_t i = 0; i < supervisor->seat_count; i++) {
        struct adit_supervisor_seat *other = &ADIT_AT(supervisor->seats, i);
        if (is_edge(other) && is_running(other)) {
            adit_log_failure(&supervisor->log, ADIT_LOG_WARN, ADIT_BYTES("snapshot_lost"),
                             adit_wiring_snapshot(supervisor, other));
        }
    }
    taken_tell(supervisor);
}

static void taken_note(struct adit_supervisor *supervisor, struct adit_supervisor_seat *seat,
                       struct adit_message *message)
{
    seat->taken = message->version;
    taken_tell(supervisor);
}

bool adit_plane_snapshot_ask(struct adit_supervisor *supervisor)
{
    struct adit_supervisor_seat *control = control_of(supervisor);
    struct adit_message ask = {.type = ADIT_MESSAGE_SNAPSHOT_ASK};
    return is_running(control) && control->is_ready &&
           adit_is_ok(adit_channel_send(&control->child.channel, &ask));
}

/* --- Leases ----------------------------------------------------------------------------------- */

/* Dropped where control is away: a new one asks the door for all of them. */
static void lease_pass(struct adit_supervisor *supervisor, struct adit_supervisor_seat *seat,
                       struct adit_message *message)
{
    (void)seat;
    control_tell(supervisor, message);
}

void adit_plane_ready(struct adit_supervisor *supervisor, const struct adit_supervisor_seat *seat)
{
    struct adit_supervisor_seat *door = &ADIT_AT(supervisor->seats, ADIT_SUPERVISOR_DOOR);
    struct adit_message ask = {.type = ADIT_MESSAGE_LEASES_ASK};
    if (!is_edge(seat) && is_running(door)) {
        send_to(supervisor, door, &ask);
    }
}

static void stalled_end(void *context, uint64_t key)
{
    struct adit_supervisor *supervisor = context;
    (void)key;
    ADIT_LOG(&supervisor->log, ERROR, "control_stalled");
    adit_child_kill(&control_of(supervisor)->child);
}

bool adit_plane_is_stalled(struct adit_supervisor *supervisor)
{
    struct adit_supervisor_plane *plane = &supervisor->plane;
    bool is_stalled =
        control_of(supervisor)->child.channel.waiting >= ADIT_SUPERVISOR_STALL_MESSAGES;
    if (!is_stalled) {
        adit_loop_timer_cancel(&supervisor->loop, &plane->stall_timer);
    } else if (!adit_handle_is_set(plane->stall_timer)) {
        adit_status_ignore(adit_loop_timer_set(&supervisor->loop, &plane->stall_timer,
                                               adit_clock_now_us() + ADIT_SUPERVISOR_STALL_US,
                                               stalled_end, supervisor, 0),
                           "a timer is reserved for it");
    }
    return is_stalled;
}

/* --- Counters --------------------------------------------------------------------------------- */

static struct adit_message status_of(const struct adit_supervisor *supervisor,
                                     const struct adit_supervisor_seat *seat, uint32_t index)
{
    return (struct adit_message){.type = ADIT_MESSAGE_ROLE_STATUS,
                                 .request = supervisor->plane.request,
                                 .index = index,
                                 .count = (uint32_t)seat->child.pid,
                                 .streams = seat->starts};
}

/* A door or worker that does not tell: no counters, which says that it is not ready. */
static void silence_tell(struct adit_supervisor *supervisor,
                         const struct adit_supervisor_seat *seat)
{
    uint32_t index = seat->role == ADIT_ROLE_DOOR ? 0 : 1 + seat->index;
    struct adit_message silence = status_of(supervisor, seat, index);
    control_tell(supervisor, &silence);
}

static void status_end(struct adit_supervisor *supervisor)
{
    struct adit_supervisor_plane *plane = &supervisor->plane;
    uint64_t up_us = adit_clock_now_us() - supervisor->started_us;
    struct adit_message end = {.type = ADIT_MESSAGE_STATUS_END,
                               .request = plane->request,
                               .uptime_s = (uint32_t)(up_us / ADIT_SECOND_US),
                               .count = (uint32_t)supervisor->seat_count - 1};
    for (size_t i = 0; i < supervisor->seat_count; i++) {
        struct adit_supervisor_seat *seat = &ADIT_AT(supervisor->seats, i);
        end.streams += is_edge(seat) && seat->is_ready && !seat->is_asked ? 1 : 0;
        if (seat->is_asked) {
            silence_tell(supervisor, seat);
        }
        seat->is_asked = false;
    }
    adit_loop_timer_cancel(&supervisor->loop, &plane->status_timer);
    plane->is_asking = false;
    control_tell(supervisor, &end);
}

static void status_late(void *context, uint64_t key)
{
    (void)key;
    status_end(context);
}

static void status_end_if_all(struct adit_supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->seat_count; i++) {
        if (ADIT_AT(supervisor->seats, i).is_asked) {
            return;
        }
    }
    if (supervisor->plane.is_asking) {
        status_end(supervisor);
    }
}

static void status_ask(struct adit_supervisor *supervisor, struct adit_supervisor_seat *control,
                       struct adit_message *message)
{
    struct adit_supervisor_plane *plane = &supervisor->plane;
    plane->request = message->request;
    plane->is_asking = true;
    struct adit_message own = status_of(supervisor, control, ADIT_ROLE_STATUS_CONTROL);
    control_tell(supervisor, &own);
    for (size_t i = 0; i < supervisor->seat_count; i++) {
        struct adit_supervisor_seat *seat = &ADIT_AT(supervisor->seats, i);
        struct adit_message ask = {.type = ADIT_MESSAGE_STATUS_ASK, .request = plane->request};
        if (is_edge(seat)) {
            seat->is_asked = is_running(seat) && seat->is_ready &&
                             adit_is_ok(adit_channel_send(&seat->child.channel, &ask));
        }
        if (is_edge(seat) && !seat->is_asked) {
            silence_tell(supervisor, seat);
        }
    }
    adit_status_ignore(adit_loop_timer_set(&supervisor->loop, &plane->status_timer,
                                           adit_clock_now_us() + ADIT_SUPERVISOR_STATUS_US,
                                           status_late, supervisor, 0),
                       "a timer is reserved for it");
    status_end_if_all(supervisor);
}

static void status_pass(struct adit_supervisor *supervisor, struct adit_supervisor_seat *seat,
                        struct adit_message *message)
{
    if (!seat->is_asked || message->request != supervisor->plane.request) {
        return; /* too late */
    }
    uint32_t index = seat->role == ADIT_ROLE_DOOR ? 0 : 1 + seat->index;
    struct adit_message pass = status_of(supervisor, seat, index);
    pass.counters = message->counters;
    seat->is_asked = false;
    control_tell(supervisor, &pass);
    status_end_if_all(supervisor);
}

void adit_plane_ended(struct adit_supervisor *supervisor, struct adit_supervisor_seat *seat)
{
    if (seat->is_asked) {
        silence_tell(supervisor, seat);
    }
    seat->is_asked = false;
    seat->taken = 0;
    taken_tell(supervisor);
    status_end_if_all(supervisor);
}

/* --- Ticket keys ------------------------------------------------------------------------------ */

static void tickets_due(void *context, uint64_t key);

/* A new key in front; the one that was there stays behind it, for tickets that are out. */
static struct adit_status tickets_renew(struct adit_supervisor *supervisor)
{
    struct adit_supervisor_plane *plane = &supervisor->plane;
    uint8_t fresh[ADIT_SUPERVISOR_TICKET_BYTES] = {0};
    ADIT_TRY(adit_loop_timer_set(&supervisor->loop, &plane->tickets_timer,
                                 adit_clock_now_us() + ADIT_SUPERVISOR_TICKETS_US, tickets_due,
                                 supervisor, 0));
    ADIT_TRY(adit_random_fill(ADIT_SPAN_OF(fresh)));
    ADIT_TRY(adit_span_move(ADIT_SPAN_OF(plane->tickets), ADIT_SUPERVISOR_TICKET_BYTES, 0,
                            ADIT_SUPERVISOR_TICKET_BYTES));
    ADIT_TRY(adit_span_copy(ADIT_SPAN_OF(plane->tickets), ADIT_BYTES_OF(fresh)));
    plane->ticket_bytes = plane->ticket_bytes == 0 ? sizeof fresh : 2 * sizeof fresh;
    adit_span_wipe(ADIT_SPAN_OF(fresh));
    return adit_ok();
}

static void tickets_due(void *context, uint64_t key)
{
    struct adit_supervisor *supervisor = context;
    (void)key;
    adit_log_failure(&supervisor->log, ADIT_LOG_ERROR, ADIT_BYTES("tickets_kept"),
                     tickets_renew(supervisor));
    for (size_t i = ADIT_SUPERVISOR_WORKER; i < supervisor->seat_count; i++) {
        struct adit_supervisor_seat *seat = &ADIT_AT(supervisor->seats, i);
        if (is_running(seat)) {
            adit_log_failure(&supervisor->log, ADIT_LOG_WARN, ADIT_BYTES("tickets_lost"),
                             adit_wiring_tickets(supervisor, seat));
        }
    }
}

/* --- All -------------------------------------------------------------------------------------- */

static const struct {
    enum adit_message_type type;
    void (*handle)(struct adit_supervisor *supervisor, struct adit_supervisor_seat *seat,
                   struct adit_message *message);
} messages[] = {
    {ADIT_MESSAGE_SNAPSHOT, snapshot_take},  {ADIT_MESSAGE_SNAPSHOT_TAKEN, taken_note},
    {ADIT_MESSAGE_LEASE, lease_pass},        {ADIT_MESSAGE_STATUS_ASK, status_ask},
    {ADIT_MESSAGE_STATUS, status_pass},
};

bool adit_plane_message(struct adit_supervisor *supervisor, struct adit_supervisor_seat *seat,
                        struct adit_message *message)
{
    for (size_t i = 0; i < ADIT_COUNT(messages); i++) {
        if (ADIT_AT(messages, i).type == message->type) {
            ADIT_AT(messages, i).handle(supervisor, seat, message);
            return true;
        }
    }
    return false;
}

struct adit_status adit_plane_open(struct adit_supervisor *supervisor)
{
    return tickets_renew(supervisor);
}

void adit_plane_close(struct adit_supervisor *supervisor)
{
    adit_socket_close(&supervisor->plane.snapshot_fd);
    adit_span_wipe(ADIT_SPAN_OF(supervisor->plane.tickets));
}
