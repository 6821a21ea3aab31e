/* Settings: the commands and options of aditd, and their values, checked. Pure: reads no file,
 * opens nothing. A value that breaks a rule is INVALID, with one line for the person in
 * `complaint`. */
#ifndef ADIT_CLI_ADITD_SETTINGS_H
#define ADIT_CLI_ADITD_SETTINGS_H

#include "cli/args.h"
#include "net/socket.h"
#include "wire/token.h"

enum adit_aditd_command {
    ADIT_ADITD_SERVE = 1,
    ADIT_ADITD_TOKEN_CREATE,
    ADIT_ADITD_VERSION,
    ADIT_ADITD_HELP,
};

extern const struct adit_args_program adit_aditd_program;

struct adit_serve_settings {
    struct adit_bytes domain;
    struct adit_address https, http;
    uint16_t port_from, port_to;
    const char *certificate, *key; /* both or none */
    enum adit_log_format format;
    bool is_http_serve; /* --http-mode serve */
    bool is_sandbox_off;
};

struct adit_status adit_serve_settings_read(const struct adit_args *args,
                                            struct adit_writer *complaint,
                                            struct adit_serve_settings *out_settings);

/* The record of the token that is asked for, but for its id. */
struct adit_status adit_token_settings_read(const struct adit_args *args, uint64_t now_s,
                                            struct adit_writer *complaint,
                                            struct adit_token_record *out_record);

/* {"id":"...","token":"...","account":"...","expires_at":"..."} and a newline. */
struct adit_status adit_token_json_write(struct adit_writer *writer,
                                         const struct adit_token_record *record,
                                         struct adit_bytes token);

#endif
