#include "edge/control/control.h"

static struct control_lease *lease_at(const struct control *control, uint32_t offset)
{
    uint32_t at = (control->lease_head + offset) % CONTROL_LEASES_MAX;
    return adit_memory_at(control->leases, sizeof(struct control_lease), at);
}

struct adit_status control_lease_put(struct control *control, const struct adit_message *message)
{
    struct control_lease lease = {.at_s = adit_clock_wall_ms() / 1000,
                                  .is_use = message->count > 0};
    ADIT_ENSURE(control->lease_count < CONTROL_LEASES_MAX, FULL,
                "too many leases wait for the database");
    struct adit_bytes name = adit_message_text_get(&message->name);
    ADIT_ENSURE(adit_name_is_valid(name), INVALID, "a lease of what is no name");
    ADIT_TRY(ADIT_FIELD_SET(lease.name, name));
    ADIT_TRY(ADIT_FIELD_SET(lease.account, adit_message_text_get(&message->account)));
    *lease_at(control, control->lease_count) = lease;
    control->lease_count++;
    return adit_ok();
}

static struct adit_status lease_apply(struct control *control, const struct control_lease *lease)
{
    struct adit_bytes name = ADIT_FIELD_BYTES(lease->name);
    struct adit_bytes account = ADIT_FIELD_BYTES(lease->account);
    if (lease->is_use) {
        return adit_store_lease_use(&control->store, name, account, lease->at_s);
    }
    return adit_store_lease_end(&control->store, name, account, lease->at_s + control->hold_s);
}

/* The door and the database disagree, which a snapshot puts right; or the bytes are no account. */
static bool is_of_one_lease(struct adit_status status)
{
    return adit_status_error(status) == ADIT_ERROR_REFUSED ||
           (adit_status_error(status) == ADIT_ERROR_INVALID && status.detail == 0);
}

static struct adit_status leases_write(struct control *control)
{
    if (!control->is_settled) {
        uint64_t now_s = adit_clock_wall_ms() / 1000;
        ADIT_TRY(adit_store_leases_settle(&control->store, now_s + control->hold_s));
    }
    for (uint32_t i = 0; i < control->lease_count; i++) {
        const struct control_lease *lease = lease_at(control, i);
        struct adit_status status = lease_apply(control, lease);
        if (is_of_one_lease(status)) {
            ADIT_LOG(&control->log, WARN, "lease_refused",
                     adit_log_text(ADIT_BYTES("name"), ADIT_FIELD_BYTES(lease->name)),
                     adit_log_text(ADIT_BYTES("account"), ADIT_FIELD_BYTES(lease->account)),
                     adit_log_text(ADIT_BYTES("why"), adit_bytes_of_text(status.fault->what)));
        } else {
            ADIT_TRY(status);
        }
    }
    return adit_ok();
}

void control_leases_apply(struct control *control)
{
    if ((control->lease_count == 0 && control->is_settled) ||
        adit_clock_now_us() < control->lease_retry_us) {
        return;
    }
    struct adit_status status = adit_store_begin(&control->store);
    if (adit_is_ok(status)) {
        status = adit_store_end(&control->store, leases_write(control));
    }
    control_store_written(control, status);
    if (!adit_is_ok(status)) { /* all of them wait for the next try */
        control->lease_retry_us = adit_clock_now_us() + CONTROL_RETRY_US;
        return;
    }
    control->lease_count = 0;
    control->is_settled = true;
    control_publish_at(control, control->published_us +
                                    adit_max_u64(CONTROL_PUBLISH_US,
                                                 CONTROL_PUBLISH_SHARE * control->took_us));
}
