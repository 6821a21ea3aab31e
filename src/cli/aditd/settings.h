/* Settings: the commands and options of aditd, and their values, checked. Pure: reads no file,
 * opens nothing. A value that breaks a rule is INVALID, with one line for the person in
 * `complaint`. */
#ifndef ADIT_CLI_ADITD_SETTINGS_H
#define ADIT_CLI_ADITD_SETTINGS_H

#include "cli/aditd/config.h"
#include "cli/args.h"
#include "net/socket.h"
#include "wire/token.h"

enum adit_aditd_command {
    ADIT_ADITD_SERVE = 1,
    ADIT_ADITD_TOKEN_CREATE,
    ADIT_ADITD_TOKEN_LIST,
    ADIT_ADITD_TOKEN_REVOKE,
    ADIT_ADITD_CONFIG_CHECK,
    ADIT_ADITD_STATUS,
    ADIT_ADITD_RELOAD,
    ADIT_ADITD_VERSION,
    ADIT_ADITD_HELP,
};

extern const struct adit_args_program adit_aditd_program;

/* Its row of the table. */
const struct adit_args_command *adit_aditd_command_of(enum adit_aditd_command number);

/* Views of the arguments and of the configuration, which must live as long. */
struct adit_serve_settings {
    const char *data; /* or null: see adit_data_find */
    struct adit_bytes domain;
    struct adit_address https, http, admin;
    uint16_t port_from, port_to;
    const char *certificate, *key; /* both or none */
    uint64_t workers; /* 0: one for each processor */
    uint64_t name_hold_s, drain_s;
    enum adit_log_format format;
    bool is_http_serve; /* --http-mode serve */
    bool is_sandbox_off;
    bool is_polling; /* --busy-poll auto */
};

/* Each setting from the arguments of `serve`, else from the configuration, else the default. */
struct adit_status adit_serve_settings_read(const struct adit_args *args,
                                            const struct adit_config *config,
                                            struct adit_writer *complaint,
                                            struct adit_serve_settings *out_settings);

/* What one setting says, as text: from the arguments, else from the configuration, else the
 * default. */
struct adit_bytes adit_serve_setting(const struct adit_args *args,
                                     const struct adit_config *config, enum adit_key key);

/* The record of the token that is asked for, but for its id. */
struct adit_status adit_token_settings_read(const struct adit_args *args, uint64_t now_s,
                                            struct adit_writer *complaint,
                                            struct adit_token_record *out_record);

/* {"id":"...","token":"...","account":"...","expires_at":"..."} and a newline. */
struct adit_status adit_token_json_write(struct adit_writer *writer,
                                         const struct adit_token_record *record,
                                         struct adit_bytes token);

#endif
