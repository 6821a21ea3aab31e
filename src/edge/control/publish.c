#include "edge/control/control.h"

void control_store_tell(struct control *control, struct adit_status status)
{
    if (!adit_is_ok(status) && !control->is_failing) {
        control->is_failing = true;
        adit_log_failure(&control->log, ADIT_LOG_ERROR, ADIT_BYTES("store_failed"), status);
    }
}

void control_store_written(struct control *control, struct adit_status status)
{
    control_store_tell(control, status);
    if (adit_is_ok(status) && control->is_failing) {
        control->is_failing = false;
        ADIT_LOG(&control->log, INFO, "store_recovered");
    }
}

/* One that is higher than all before; where the database cannot keep it, by its own count. */
static uint64_t version_next(struct control *control)
{
    uint64_t version = 0;
    struct adit_status status = adit_store_version_next(&control->store, &version);
    control_store_written(control, status);
    return version > control->version ? version : control->version + 1;
}

static struct adit_status snapshot_send(struct control *control, uint64_t version)
{
    struct adit_writer writer = adit_writer_of(control->snapshot);
    struct adit_message message = {.type = ADIT_MESSAGE_SNAPSHOT, .version = version};
    ADIT_TRY(adit_store_snapshot_write(&control->store, version, adit_clock_wall_ms() / 1000,
                                       &writer));
    ADIT_TRY(adit_file_seal(adit_writer_bytes(&writer), &message.fds[0]));
    message.fd_count = 1;
    struct adit_status status = adit_channel_send(&control->supervisor, &message);
    adit_message_fds_close(&message);
    return status;
}

struct adit_status control_publish(struct control *control)
{
    uint64_t begin_us = adit_clock_now_us();
    uint64_t version = version_next(control);
    adit_loop_timer_cancel(&control->loop, &control->publish_timer);
    control->publish_due_us = 0;
    struct adit_status status = snapshot_send(control, version);
    control_store_tell(control, status);
    if (!adit_is_ok(status)) {
        control_publish_at(control, adit_clock_now_us() + CONTROL_RETRY_US);
        return status;
    }
    control->version = version;
    control->published_us = adit_clock_now_us();
    control->took_us = control->published_us - begin_us;
    return adit_ok();
}

static void publish_due(void *context, uint64_t key)
{
    struct control *control = context;
    (void)key;
    control->publish_due_us = 0;
    adit_status_ignore(control_publish(control), "told already; it tries again");
}

void control_publish_at(struct control *control, uint64_t when_us)
{
    if (control->publish_due_us != 0 && control->publish_due_us <= when_us) {
        return;
    }
    adit_status_ignore(adit_loop_timer_set(&control->loop, &control->publish_timer, when_us,
                                           publish_due, control, 0),
                       "a timer is reserved for it");
    control->publish_due_us = when_us;
}

/* What another process has written (a revocation), and what is over by now. */
static struct adit_status look(struct control *control)
{
    uint64_t change = 0;
    uint64_t over = 0;
    uint64_t now_us = adit_clock_now_us();
    ADIT_TRY(adit_store_change_get(&control->store, &change));
    if (now_us >= control->expire_us) {
        control->expire_us = now_us + CONTROL_EXPIRE_US;
        ADIT_TRY(adit_store_leases_expire(&control->store, adit_clock_wall_ms() / 1000, &over));
    }
    if (change != control->change || over > 0) {
        control->change = change;
        return control_publish(control);
    }
    return adit_ok();
}

static void poll_due(void *context, uint64_t key)
{
    struct control *control = context;
    (void)key;
    if (adit_store_is_moved(&control->store)) { /* the next control says what is there now */
        ADIT_LOG(&control->log, ERROR, "store_lost",
                 adit_log_text(ADIT_BYTES("what"), ADIT_BYTES("the database was moved or removed "
                                                              "while it was open")));
        adit_loop_stop(&control->loop);
        return;
    }
    control_store_tell(control, look(control));
    adit_status_ignore(adit_loop_timer_set(&control->loop, &control->poll_timer,
                                           adit_clock_now_us() + CONTROL_POLL_US, poll_due,
                                           control, 0),
                       "a timer is reserved for it");
}

struct adit_status control_publish_begin(struct control *control)
{
    ADIT_TRY(adit_memory_open(1, ADIT_SNAPSHOT_BYTES_MAX, &control->snapshot));
    ADIT_TRY(adit_store_change_get(&control->store, &control->change));
    control_leases_apply(control); /* settles */
    ADIT_TRY(control_publish(control));
    poll_due(control, 0);
    return adit_ok();
}
