/* Options: what the command line and the environment of `adit` ask for, checked.
 *
 *     adit http|tcp|tls TARGET [--name NAME] [--remote-port N] [--server HOST:PORT]
 *              [--token T | --token-file F] [--ca FILE] [--host-header VALUE] [--json]
 *              [--busy-poll auto|off] [--no-sandbox]
 *
 * --name is for http and tls, --remote-port for tcp, --host-header for http: elsewhere they are
 * unknown options.
 *
 * The environment gives ADIT_TOKEN, ADIT_SERVER, ADIT_CA and ADIT_BUSY_POLL where no option does,
 * SSLKEYLOGFILE, HTTPS_PROXY and NO_PROXY, and NO_COLOR (https://no-color.org). */
#ifndef ADIT_CLI_ADIT_OPTIONS_H
#define ADIT_CLI_ADIT_OPTIONS_H

#include "agent/agent.h"
#include "cli/args.h"

#define ADIT_OPTIONS_SERVER_PORT 8443
#define ADIT_OPTIONS_ROOTS_MAX (256 * 1024)
#define ADIT_OPTIONS_HOST_HEADER_MAX 255

enum adit_command {
    ADIT_COMMAND_HTTP,
    ADIT_COMMAND_TCP,
    ADIT_COMMAND_TLS,
    ADIT_COMMAND_TOKEN_NARROW,
    ADIT_COMMAND_VERSION,
    ADIT_COMMAND_HELP,
};

extern const struct adit_args_program adit_program;

struct adit_environment {
    const char *token, *server, *ca, *keylog, *busy_poll; /* null: not set */
    const char *proxy, *no_proxy, *no_colour;
};

struct adit_token_text {
    struct adit_bytes text; /* a view of argv, the environment, or `memory` */
    uint8_t memory[ADIT_TOKEN_TEXT_MAX + 2]; /* a line and its end */
};

struct adit_options {
    struct adit_agent_tunnel tunnel;
    struct adit_bytes server_host;
    uint16_t server_port;
    struct adit_forward_proxy proxy;
    bool has_proxy;
    struct adit_token_text token;
    const char *ca_path;     /* null: the system's roots */
    const char *keylog_path;
    bool is_json;
    bool has_colour;
    bool has_no_sandbox;
    bool is_polling;
};

/* Up to the first line end, as a person's editor leaves it. */
struct adit_bytes adit_first_line(struct adit_bytes text);

/* The token of --token, --token-file or ADIT_TOKEN, in this order; empty where there is none. What
 * it says is not looked at. INVALID with one line in `complaint`. `token` must not move. */
struct adit_status adit_token_find(const struct adit_args *args,
                                   const struct adit_environment *environment,
                                   struct adit_writer *complaint, struct adit_token_text *token);

/* INVALID with one line in `complaint`. `options` is filled in place: it may hold the token. */
struct adit_status adit_options_read(const struct adit_args *args,
                                     const struct adit_environment *environment,
                                     struct adit_writer *complaint, struct adit_options *options);

#endif
