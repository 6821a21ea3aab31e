#include "cli/aditd/reload.h"

#include "cli/aditd/credentials.h"

#define COMPLAINT_BYTES 1024

static struct adit_bytes text_of(const struct adit_reload *reload,
                                 const struct adit_config *config, enum adit_key key)
{
    return adit_serve_setting(reload->args, config, key);
}

static bool is_changed(const struct adit_reload *reload, enum adit_key key)
{
    return !adit_bytes_equal(text_of(reload, reload->config, key),
                             text_of(reload, reload->fresh, key));
}

/* The development CA makes its files at the start only. */
static bool is_another_authority(const struct adit_reload *reload)
{
    bool has_own = text_of(reload, reload->config, ADIT_KEY_CERT).len > 0;
    return has_own != (text_of(reload, reload->fresh, ADIT_KEY_CERT).len > 0);
}

static bool is_live(const struct adit_reload *reload, enum adit_key key)
{
    static const enum adit_key always[] = {ADIT_KEY_NAME_HOLD, ADIT_KEY_DRAIN};
    for (size_t i = 0; i < ADIT_COUNT(always); i++) {
        if (ADIT_AT(always, i) == key) {
            return true;
        }
    }
    return (key == ADIT_KEY_CERT || key == ADIT_KEY_KEY) && !is_another_authority(reload);
}

static bool credentials_judge(const struct adit_serve_settings *settings, struct adit_log *log)
{
    const char *wrong = "";
    struct adit_status status = adit_credentials_check(settings, log, &wrong);
    if (!adit_is_ok(status)) {
        ADIT_LOG(log, ERROR, "credentials_refused",
                 adit_log_text(ADIT_BYTES("file"), adit_bytes_of_text(wrong)),
                 adit_log_text(ADIT_BYTES("reason"),
                               adit_bytes_of_text(adit_status_what(status))));
    }
    return adit_is_ok(status);
}

static void keys_take(const struct adit_reload *reload, struct adit_log *log)
{
    bool live[ADIT_KEY_COUNT] = {0};
    for (size_t i = 0; i < ADIT_KEY_COUNT; i++) { /* before the first is taken */
        ADIT_AT(live, i) = is_live(reload, (enum adit_key)i);
    }
    for (size_t i = 0; i < ADIT_KEY_COUNT; i++) {
        enum adit_key key = (enum adit_key)i;
        if (!is_changed(reload, key)) {
            continue;
        }
        if (ADIT_AT(live, i)) {
            ADIT_AT(reload->config->values, i) = ADIT_AT(reload->fresh->values, i);
            ADIT_LOG(log, INFO, "config_changed",
                     adit_log_text(ADIT_BYTES("key"), adit_key_row(key)->key));
        } else {
            ADIT_LOG(log, WARN, "config_needs_restart",
                     adit_log_text(ADIT_BYTES("key"), adit_key_row(key)->key));
        }
    }
}

bool adit_reload_read(const struct adit_reload *reload, struct adit_log *log)
{
    uint8_t memory[COMPLAINT_BYTES] = {0};
    struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_serve_settings settings = *reload->settings;
    if (!reload->file) {
        return credentials_judge(&settings, log);
    }
    struct adit_status status = adit_config_load(reload->file, reload->fresh, &complaint);
    if (adit_is_ok(status)) {
        status = adit_serve_settings_read(reload->args, reload->fresh, &complaint, &settings);
    }
    if (!adit_is_ok(status)) {
        ADIT_LOG(log, ERROR, "config_refused",
                 adit_log_text(ADIT_BYTES("reason"), adit_writer_bytes(&complaint)));
        return false;
    }
    if (!credentials_judge(is_another_authority(reload) ? reload->settings : &settings, log)) {
        return false;
    }
    keys_take(reload, log);
    status = adit_serve_settings_read(reload->args, reload->config, &complaint, reload->settings);
    adit_log_failure(log, ADIT_LOG_ERROR, ADIT_BYTES("config_mixed"), status);
    return adit_is_ok(status);
}
