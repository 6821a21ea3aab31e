#include "cli/aditd/command.h"

/* The settings of `serve` as they would be with this file and no options. */
static int check(const char *file, struct adit_config *config)
{
    uint8_t memory[ADIT_ADITD_TEXT_BYTES] = {0};
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_serve_settings settings = {0};
    const struct adit_args none = {.command = adit_aditd_command_of(ADIT_ADITD_SERVE)};
    struct adit_status status = adit_config_load(file, config, &text);
    if (adit_is_ok(status)) {
        status = adit_serve_settings_read(&none, config, &text, &settings);
    }
    if (!adit_is_ok(status)) {
        return adit_aditd_usage(&text);
    }
    status = adit_write_bytes(&text, adit_bytes_of_text(file));
    if (adit_is_ok(status)) {
        status = adit_write_bytes(&text, ADIT_BYTES(": ok\n"));
    }
    return adit_is_ok(status) ? adit_aditd_print(adit_writer_bytes(&text))
                              : adit_aditd_failure(adit_bytes_of_text(file), status);
}

int adit_aditd_config_check(const struct adit_args *args)
{
    struct adit_span memory = {0};
    struct adit_status status = adit_memory_open(1, sizeof(struct adit_config), &memory);
    if (!adit_is_ok(status)) {
        return adit_aditd_failure(ADIT_BYTES("config check"), status);
    }
    int code = check(adit_args_operand(args, 0),
                     adit_memory_at(memory, sizeof(struct adit_config), 0));
    adit_memory_close(&memory);
    return code;
}
