#include "edge/supervisor/orders.h"

#include "edge/supervisor/wiring.h"

static struct adit_supervisor_seat *seat_at(struct adit_supervisor *supervisor, size_t index)
{
    return &ADIT_AT(supervisor->seats, index);
}

static bool is_running(const struct adit_supervisor_seat *seat)
{
    return seat->child.pid > 0;
}

/* --- The end --------------------------------------------------------------------------------- */

static bool is_edge_left(struct adit_supervisor *supervisor)
{
    for (size_t i = ADIT_SUPERVISOR_DOOR; i < supervisor->seat_count; i++) {
        if (is_running(seat_at(supervisor, i))) {
            return true;
        }
    }
    return false;
}

static void seats_kill(struct adit_supervisor *supervisor, size_t first)
{
    for (size_t i = first; i < supervisor->seat_count; i++) {
        adit_child_kill(&seat_at(supervisor, i)->child);
    }
}

static void stop_overdue(void *context, uint64_t key)
{
    struct adit_supervisor *supervisor = context;
    (void)key;
    ADIT_LOG(&supervisor->log, WARN, "stop_overdue");
    seats_kill(supervisor, supervisor->is_control_told ? ADIT_SUPERVISOR_CONTROL
                                                       : ADIT_SUPERVISOR_DOOR);
}

static void overdue_set(struct adit_supervisor *supervisor, uint32_t drain_ms)
{
    uint64_t when_us = adit_clock_now_us() + drain_ms * ADIT_MS_US + ADIT_SUPERVISOR_STOP_US;
    adit_status_ignore(adit_loop_timer_set(&supervisor->loop, &supervisor->stop_timer, when_us,
                                           stop_overdue, supervisor, 0),
                       "a timer is reserved for it");
}

static void seat_stop(struct adit_supervisor *supervisor, struct adit_supervisor_seat *seat,
                      uint32_t drain_ms)
{
    struct adit_message stop = {.type = ADIT_MESSAGE_STOP, .drain_ms = drain_ms};
    adit_loop_timer_cancel(&supervisor->loop, &seat->timer);
    if (is_running(seat) && !adit_is_ok(adit_channel_send(&seat->child.channel, &stop))) {
        adit_child_kill(&seat->child);
    }
}

void adit_orders_stop(struct adit_supervisor *supervisor, uint32_t drain_ms)
{
    if (supervisor->is_stopping) {
        ADIT_LOG(&supervisor->log, WARN, "stopping_at_once");
        seats_kill(supervisor, ADIT_SUPERVISOR_CONTROL);
        return;
    }
    supervisor->is_stopping = true;
    ADIT_LOG(&supervisor->log, INFO, "stopping",
             adit_log_number(ADIT_BYTES("drain_ms"), drain_ms));
    adit_socket_close(&supervisor->options.listener);
    adit_socket_close(&supervisor->options.http_listener);
    for (size_t i = ADIT_SUPERVISOR_DOOR; i < supervisor->seat_count; i++) {
        seat_stop(supervisor, seat_at(supervisor, i), drain_ms);
    }
    overdue_set(supervisor, drain_ms);
    adit_orders_ended(supervisor);
}

void adit_orders_ended(struct adit_supervisor *supervisor)
{
    struct adit_supervisor_seat *control = seat_at(supervisor, ADIT_SUPERVISOR_CONTROL);
    if (!supervisor->is_stopping || is_edge_left(supervisor)) {
        return;
    }
    if (!is_running(control)) {
        adit_loop_stop(&supervisor->loop);
    } else if (!supervisor->is_control_told) {
        supervisor->is_control_told = true;
        seat_stop(supervisor, control, 0);
        overdue_set(supervisor, 0);
    }
}

/* --- Reading anew ---------------------------------------------------------------------------- */

static void credentials_send(struct adit_supervisor *supervisor)
{
    for (size_t i = ADIT_SUPERVISOR_WORKER; i < supervisor->seat_count; i++) {
        struct adit_supervisor_seat *seat = seat_at(supervisor, i);
        if (!is_running(seat)) {
            continue; /* it gets them at its start */
        }
        struct adit_status status = adit_wiring_reload(supervisor, seat);
        adit_log_failure(&supervisor->log, ADIT_LOG_ERROR, ADIT_BYTES("reload_failed"), status);
        if (adit_is_ok(status)) {
            ADIT_LOG(&supervisor->log, INFO, "credentials_sent",
                     adit_log_number(ADIT_BYTES("index"), seat->index));
        }
    }
}

void adit_orders_reload(struct adit_supervisor *supervisor)
{
    const struct adit_supervisor_options *options = &supervisor->options;
    struct adit_supervisor_seat *control = seat_at(supervisor, ADIT_SUPERVISOR_CONTROL);
    const struct adit_supervisor_live before = options->live;
    struct adit_supervisor_live live = before;
    if (supervisor->is_stopping ||
        (options->reload && !options->reload(options->context, &supervisor->log, &live))) {
        return;
    }
    supervisor->options.live = live;
    struct adit_status status = adit_wiring_credentials_open(supervisor);
    if (!adit_is_ok(status)) {
        adit_log_failure(&supervisor->log, ADIT_LOG_ERROR, ADIT_BYTES("reload_failed"), status);
        return;
    }
    credentials_send(supervisor);
    if (live.name_hold_s != before.name_hold_s && is_running(control)) {
        adit_log_failure(&supervisor->log, ADIT_LOG_WARN, ADIT_BYTES("reload_failed"),
                         adit_wiring_name_hold(supervisor, control));
    }
}
