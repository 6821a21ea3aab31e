#include "cli/adit/options.h"

static const struct adit_args_option tunnel_options[] = {
    {.name = ADIT_BYTES_INIT("remote-port"), .value = ADIT_BYTES_INIT("N"),
     .help = ADIT_BYTES_INIT("the public port that is wanted; default: any that is free")},
    {.name = ADIT_BYTES_INIT("server"), .value = ADIT_BYTES_INIT("HOST:PORT"),
     .help = ADIT_BYTES_INIT("the server; default: ADIT_SERVER, then connect.adit.localhost:8443")},
    {.name = ADIT_BYTES_INIT("token"), .value = ADIT_BYTES_INIT("TOKEN"),
     .help = ADIT_BYTES_INIT("the token; default: ADIT_TOKEN, which other users cannot see")},
    {.name = ADIT_BYTES_INIT("token-file"), .value = ADIT_BYTES_INIT("FILE"),
     .help = ADIT_BYTES_INIT("a file that holds the token")},
    {.name = ADIT_BYTES_INIT("ca"), .value = ADIT_BYTES_INIT("FILE"),
     .help = ADIT_BYTES_INIT("trusted roots as PEM; default: ADIT_CA, then the system's")},
    {.name = ADIT_BYTES_INIT("json"),
     .help = ADIT_BYTES_INIT("print one event a line, as JSON")},
    {.name = ADIT_BYTES_INIT("no-sandbox"),
     .help = ADIT_BYTES_INIT("run without a sandbox; for debuggers and sanitizers")},
};

static const struct adit_args_command commands[] = {
    {.name = ADIT_BYTES_INIT("tcp"), .operands = ADIT_BYTES_INIT("TARGET"),
     .summary = ADIT_BYTES_INIT("give the program at TARGET (3000 or host:3000) a public TCP port"),
     .options = tunnel_options, .option_count = ADIT_COUNT(tunnel_options),
     .operands_min = 1, .operands_max = 1, .number = ADIT_COMMAND_TCP},
    {.name = ADIT_BYTES_INIT("version"), .summary = ADIT_BYTES_INIT("print the version"),
     .number = ADIT_COMMAND_VERSION},
    {.name = ADIT_BYTES_INIT("help"), .summary = ADIT_BYTES_INIT("print this help"),
     .number = ADIT_COMMAND_HELP},
};

const struct adit_args_program adit_program = {
    .name = ADIT_BYTES_INIT("adit"),
    .summary = ADIT_BYTES_INIT("a public address for a program on this machine"),
    .commands = commands,
    .command_count = ADIT_COUNT(commands),
};

struct adit_status adit_host_port_parse(struct adit_bytes text, uint16_t port_default,
                                        struct adit_bytes *out_host, uint16_t *out_port)
{
    struct adit_bytes host = text;
    struct adit_bytes port_text = {0};
    uint64_t port = port_default;
    if (text.len > 0 && adit_bytes_at(text, 0) == '[') {
        size_t end = adit_bytes_find(text, ']');
        ADIT_ENSURE(end < text.len, INVALID, "an address without its closing bracket");
        host = adit_bytes_first(adit_bytes_from(text, 1), end - 1);
        port_text = adit_bytes_from(text, end + 1);
    } else {
        size_t colon = adit_bytes_find(text, ':');
        host = adit_bytes_first(text, colon);
        port_text = adit_bytes_from(text, colon);
    }
    if (port_text.len > 0) {
        ADIT_ENSURE(adit_bytes_at(port_text, 0) == ':', INVALID, "not HOST:PORT");
        ADIT_TRY(adit_parse_decimal(adit_bytes_from(port_text, 1), UINT16_MAX, &port));
    }
    ADIT_ENSURE(host.len > 0 && host.len <= 253, INVALID, "a host of 1 to 253 bytes is missing");
    ADIT_ENSURE(port > 0, INVALID, "a port of 1 to 65535 is missing");
    *out_host = host;
    *out_port = (uint16_t)port;
    return adit_ok();
}

struct adit_status adit_target_parse(struct adit_bytes text, struct adit_agent_tunnel *out_tunnel)
{
    struct adit_bytes host = ADIT_BYTES("127.0.0.1");
    uint64_t bare = 0;
    uint16_t port = 0;
    if (adit_is_ok(adit_parse_decimal(text, UINT16_MAX, &bare)) && bare > 0) {
        port = (uint16_t)bare;
    } else {
        ADIT_TRY(adit_host_port_parse(text, 0, &host, &port));
    }
    ADIT_TRY(ADIT_FIELD_SET(out_tunnel->host, host));
    out_tunnel->port = port;
    return adit_ok();
}

/* Says which value is wrong, and how it should look. */
static struct adit_status complain(struct adit_writer *complaint, struct adit_bytes what,
                                   const char *value, struct adit_bytes form)
{
    ADIT_TRY(adit_write_bytes(complaint, what));
    ADIT_TRY(adit_write_bytes(complaint, ADIT_BYTES(" \"")));
    ADIT_TRY(adit_write_escaped(complaint, adit_bytes_of_text(value), 80));
    ADIT_TRY(adit_write_bytes(complaint, ADIT_BYTES("\" is not ")));
    ADIT_TRY(adit_write_bytes(complaint, form));
    ADIT_FAIL(INVALID, "a value on the command line is wrong");
}

static const char *first_of(const char *given, const char *otherwise)
{
    return given ? given : otherwise;
}

static struct adit_status read_token(const struct adit_args *args,
                                     const struct adit_environment *environment,
                                     struct adit_writer *complaint, struct adit_options *options)
{
    const char *path = adit_args_value(args, ADIT_BYTES("token-file"));
    options->token = adit_bytes_of_text(
        first_of(adit_args_value(args, ADIT_BYTES("token")), path ? NULL : environment->token));
    if (path && options->token.len > 0) {
        ADIT_TRY(adit_write_bytes(complaint, ADIT_BYTES("give --token or --token-file, not both")));
        ADIT_FAIL(INVALID, "two tokens");
    }
    if (path) {
        struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(options->token_memory));
        if (!adit_is_ok(adit_file_read(path, &text))) {
            return complain(complaint, ADIT_BYTES("--token-file"), path,
                            ADIT_BYTES("a file with a token that can be read"));
        }
        struct adit_bytes token = adit_writer_bytes(&text);
        options->token = adit_bytes_first(token, adit_bytes_find(token, '\n'));
    }
    if (options->token.len == 0) {
        ADIT_TRY(adit_write_bytes(
            complaint, ADIT_BYTES("no token: set ADIT_TOKEN, or give --token-file FILE "
                                  "(\"aditd token create --account NAME\" makes one)")));
        ADIT_FAIL(INVALID, "no token");
    }
    struct adit_token token = {0};
    if (!adit_is_ok(adit_token_parse(options->token, &token))) {
        ADIT_TRY(adit_write_bytes(complaint,
                                  ADIT_BYTES("the token is not a whole adit_ token: copy all of "
                                             "it, without spaces")));
        ADIT_FAIL(INVALID, "not a token");
    }
    return adit_ok();
}

static struct adit_status read_server(const struct adit_args *args,
                                      const struct adit_environment *environment,
                                      struct adit_writer *complaint, struct adit_options *options)
{
    const char *server =
        first_of(first_of(adit_args_value(args, ADIT_BYTES("server")), environment->server),
                 "connect.adit.localhost:8443");
    if (!adit_is_ok(adit_host_port_parse(adit_bytes_of_text(server), ADIT_OPTIONS_SERVER_PORT,
                                         &options->server_host, &options->server_port))) {
        return complain(complaint, ADIT_BYTES("--server"), server,
                        ADIT_BYTES("HOST:PORT, such as connect.example.com:443"));
    }
    return adit_ok();
}

struct adit_status adit_options_read(const struct adit_args *args,
                                     const struct adit_environment *environment,
                                     struct adit_writer *complaint, struct adit_options *options)
{
    *options = (struct adit_options){
        .tunnel = {.kind = ADIT_TUNNEL_TCP},
        .ca_path = first_of(adit_args_value(args, ADIT_BYTES("ca")), environment->ca),
        .keylog_path = environment->keylog,
        .is_json = adit_args_is_given(args, ADIT_BYTES("json")),
        .has_no_sandbox = adit_args_is_given(args, ADIT_BYTES("no-sandbox")),
    };
    const char *target = adit_args_operand(args, 0);
    if (!adit_is_ok(adit_target_parse(adit_bytes_of_text(target), &options->tunnel))) {
        return complain(complaint, ADIT_BYTES("TARGET"), target,
                        ADIT_BYTES("a port or HOST:PORT, such as 3000 or localhost:3000"));
    }
    const char *port_text = adit_args_value(args, ADIT_BYTES("remote-port"));
    uint64_t port = 0;
    if (port_text && (!adit_is_ok(adit_parse_decimal(adit_bytes_of_text(port_text), UINT16_MAX,
                                                     &port)) ||
                      port == 0)) {
        return complain(complaint, ADIT_BYTES("--remote-port"), port_text,
                        ADIT_BYTES("a port of 1 to 65535"));
    }
    options->tunnel.remote_port = (uint16_t)port;
    ADIT_TRY(read_server(args, environment, complaint, options));
    return read_token(args, environment, complaint, options);
}
