/* Options: what the command line and the environment of `adit` ask for, checked.
 *
 *     adit tcp TARGET [--remote-port N] [--server HOST:PORT] [--token T | --token-file F]
 *                     [--ca FILE] [--json] [--no-sandbox]
 *
 * The environment gives ADIT_TOKEN, ADIT_SERVER, ADIT_CA and SSLKEYLOGFILE where no option does. */
#ifndef ADIT_CLI_ADIT_OPTIONS_H
#define ADIT_CLI_ADIT_OPTIONS_H

#include "agent/agent.h"
#include "cli/args.h"

#define ADIT_OPTIONS_SERVER_PORT 8443
#define ADIT_OPTIONS_ROOTS_MAX (256 * 1024)

enum adit_command { ADIT_COMMAND_TCP, ADIT_COMMAND_VERSION, ADIT_COMMAND_HELP };

extern const struct adit_args_program adit_program;

struct adit_environment {
    const char *token, *server, *ca, *keylog; /* null: not set */
};

struct adit_options {
    struct adit_agent_tunnel tunnel;
    struct adit_bytes server_host;
    uint16_t server_port;
    struct adit_bytes token; /* a view of argv, the environment, or token_memory */
    const char *ca_path;     /* null: the system's roots */
    const char *keylog_path;
    bool is_json;
    bool has_no_sandbox;
    uint8_t token_memory[ADIT_TOKEN_TEXT_MAX + 2]; /* a file's text and its line end */
};

/* "3000", "host:3000", "[::1]:3000": the local program. A bare port is on 127.0.0.1. */
struct adit_status adit_target_parse(struct adit_bytes text, struct adit_agent_tunnel *out_tunnel);

/* "host", "host:port", "[::1]:port", where the port is `port_default` if it is left out. */
struct adit_status adit_host_port_parse(struct adit_bytes text, uint16_t port_default,
                                        struct adit_bytes *out_host, uint16_t *out_port);

/* INVALID with one line in `complaint`. `options` is filled in place: it may hold the token. */
struct adit_status adit_options_read(const struct adit_args *args,
                                     const struct adit_environment *environment,
                                     struct adit_writer *complaint, struct adit_options *options);

#endif
