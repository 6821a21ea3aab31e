#include "cli/aditd/command.h"

#include "cli/output.h"
#include "net/crypto.h"

int adit_aditd_failure(struct adit_bytes subject, struct adit_status status)
{
    adit_output_failure(adit_aditd_program.name, subject, status);
    return ADIT_ADITD_FAILED;
}

int adit_aditd_usage(const struct adit_writer *complaint)
{
    adit_output_complain(adit_aditd_program.name, adit_writer_bytes(complaint));
    return ADIT_ADITD_USAGE;
}

int adit_aditd_print(struct adit_bytes text)
{
    struct adit_status status = adit_output_write(STDOUT_FILENO, text);
    return adit_is_ok(status) ? 0 : adit_aditd_failure(ADIT_BYTES("standard output"), status);
}

/* How a command wants its data folder. */
typedef struct adit_status folder_fn(const struct adit_data_path *folder);

static struct adit_status data_find(const char *given, folder_fn *want,
                                    struct adit_data_path *out_folder)
{
    const struct adit_data_place place = {.given = given,
                                          .xdg_data_home = getenv("XDG_DATA_HOME"),
                                          .home = getenv("HOME"),
                                          .is_root = geteuid() == 0};
    struct adit_data_path folder = {0};
    struct adit_status status = adit_data_find(&place, &folder);
    if (adit_is_ok(status)) {
        status = want(&folder);
    }
    if (!adit_is_ok(status)) {
        adit_output_failure(adit_aditd_program.name, adit_bytes_of_text(folder.text), status);
        return status;
    }
    *out_folder = folder;
    return adit_ok();
}

struct adit_status adit_aditd_data_open(const char *given, struct adit_data_path *out_folder)
{
    return data_find(given, adit_data_make, out_folder);
}

static struct adit_status data_take(const struct adit_data_path *folder)
{
    (void)folder;
    return adit_ok();
}

struct adit_status adit_aditd_data_find(const char *given, struct adit_data_path *out_folder)
{
    return data_find(given, data_take, out_folder);
}

struct adit_status adit_aditd_data_look(const char *given, struct adit_data_path *out_folder)
{
    return data_find(given, adit_data_require, out_folder);
}

struct adit_status adit_aditd_store_open(const struct adit_data_path *folder,
                                         struct adit_store *out_store)
{
    struct adit_data_path own = {0};
    struct adit_data_path path = {0};
    ADIT_TRY(adit_data_store_make(folder, &own));
    ADIT_TRY(adit_data_path(&own, ADIT_BYTES(ADIT_STORE_FILE), &path));
    return adit_store_open(out_store, path.text);
}

static int help(const struct adit_args_command *command)
{
    uint8_t memory[ADIT_ADITD_TEXT_BYTES] = {0};
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_status status = adit_args_help_write(&text, &adit_aditd_program, command);
    return adit_is_ok(status) ? adit_aditd_print(adit_writer_bytes(&text))
                              : adit_aditd_failure(ADIT_BYTES("help"), status);
}

static int version(void)
{
    uint8_t memory[128] = {0};
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_status status =
        adit_crypto_version_write(&text, ADIT_BYTES("aditd " ADIT_VERSION));
    return adit_is_ok(status) ? adit_aditd_print(adit_writer_bytes(&text))
                              : adit_aditd_failure(ADIT_BYTES("version"), status);
}

static int command_run(const struct adit_args *args)
{
    switch ((enum adit_aditd_command)args->command->number) {
    case ADIT_ADITD_SERVE:
        return adit_aditd_serve(args);
    case ADIT_ADITD_TOKEN_CREATE:
        return adit_aditd_token_create(args);
    case ADIT_ADITD_TOKEN_LIST:
        return adit_aditd_token_list(args);
    case ADIT_ADITD_TOKEN_REVOKE:
        return adit_aditd_token_revoke(args);
    case ADIT_ADITD_CONFIG_CHECK:
        return adit_aditd_config_check(args);
    case ADIT_ADITD_STATUS:
        return adit_aditd_status(args);
    case ADIT_ADITD_RELOAD:
        return adit_aditd_reload(args);
    case ADIT_ADITD_VERSION:
        return version();
    case ADIT_ADITD_HELP:
        return help(NULL);
    }
    return ADIT_ADITD_USAGE;
}

int adit_aditd_run(size_t argc, char **argv)
{
    struct adit_args args = {0};
    uint8_t memory[ADIT_ADITD_TEXT_BYTES] = {0};
    struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
    if (!adit_is_ok(adit_args_parse(&adit_aditd_program, argc, argv, &complaint, &args))) {
        return adit_aditd_usage(&complaint);
    }
    if (args.is_help || !args.command) {
        return help(args.command);
    }
    return command_run(&args);
}
