#include "cli/adit/options.h"

#include "cli/adit/target.h"

/* Says which value is wrong, and what it is not. */
static struct adit_status complain(struct adit_writer *complaint, struct adit_bytes what,
                                   const char *value, struct adit_bytes why)
{
    ADIT_TRY(adit_write_bytes(complaint, what));
    ADIT_TRY(adit_write_bytes(complaint, ADIT_BYTES(" \"")));
    ADIT_TRY(adit_write_escaped(complaint, adit_bytes_of_text(value), 80));
    ADIT_TRY(adit_write_bytes(complaint, ADIT_BYTES("\" ")));
    ADIT_TRY(adit_write_bytes(complaint, why));
    ADIT_FAIL(INVALID, "a value on the command line is wrong");
}

static const char *first_of(const char *given, const char *otherwise)
{
    return given ? given : otherwise;
}

struct adit_bytes adit_first_line(struct adit_bytes text)
{
    text = adit_bytes_first(text, adit_bytes_find(text, '\n'));
    return adit_bytes_ends_with(text, ADIT_BYTES("\r")) ? adit_bytes_first(text, text.len - 1)
                                                        : text;
}

struct adit_status adit_token_find(const struct adit_args *args,
                                   const struct adit_environment *environment,
                                   struct adit_writer *complaint, struct adit_token_text *token)
{
    const char *path = adit_args_value(args, ADIT_BYTES("token-file"));
    token->text = adit_bytes_of_text(
        first_of(adit_args_value(args, ADIT_BYTES("token")), path ? NULL : environment->token));
    if (path && token->text.len > 0) {
        ADIT_TRY(adit_write_bytes(complaint, ADIT_BYTES("give --token or --token-file, not both")));
        ADIT_FAIL(INVALID, "two tokens");
    }
    if (path) {
        struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(token->memory));
        if (!adit_is_ok(adit_file_read(path, &text))) {
            return complain(complaint, ADIT_BYTES("--token-file"), path,
                            ADIT_BYTES("is not a file with a token that can be read"));
        }
        token->text = adit_first_line(adit_writer_bytes(&text));
    }
    return adit_ok();
}

static struct adit_status read_token(const struct adit_args *args,
                                     const struct adit_environment *environment,
                                     struct adit_writer *complaint, struct adit_options *options)
{
    ADIT_TRY(adit_token_find(args, environment, complaint, &options->token));
    if (options->token.text.len == 0) {
        ADIT_TRY(adit_write_bytes(
            complaint, ADIT_BYTES("no token: set ADIT_TOKEN, or give --token-file FILE "
                                  "(\"aditd token create --account NAME\" makes one)")));
        ADIT_FAIL(INVALID, "no token");
    }
    struct adit_token token = {0};
    if (!adit_is_ok(adit_token_parse(options->token.text, &token))) {
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
    if (!adit_is_ok(adit_address_split(adit_bytes_of_text(server), ADIT_OPTIONS_SERVER_PORT,
                                       &options->server_host, &options->server_port))) {
        return complain(complaint, ADIT_BYTES("--server"), server,
                        ADIT_BYTES("is not HOST:PORT, such as connect.example.com:443"));
    }
    return adit_ok();
}

/* The text may hold a password: it is not shown. */
static struct adit_status read_proxy(const struct adit_environment *environment,
                                     struct adit_writer *complaint, struct adit_options *options)
{
    struct adit_bytes text = adit_bytes_of_text(environment->proxy);
    struct adit_bytes exceptions = adit_bytes_of_text(environment->no_proxy);
    if (text.len == 0 || adit_forward_proxy_is_bypassed(exceptions, options->server_host)) {
        return adit_ok();
    }
    struct adit_status status = adit_forward_proxy_parse(text, &options->proxy);
    if (!adit_is_ok(status)) {
        ADIT_TRY(adit_write_bytes(complaint, ADIT_BYTES("HTTPS_PROXY ")));
        ADIT_TRY(adit_write_bytes(complaint, adit_bytes_of_text(adit_status_what(status))));
        return status;
    }
    options->has_proxy = true;
    return adit_ok();
}

static bool is_header_value(struct adit_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = adit_bytes_at(text, i);
        if (byte <= ' ' || byte >= 0x7f) {
            return false;
        }
    }
    return text.len > 0 && text.len <= ADIT_OPTIONS_HOST_HEADER_MAX;
}

/* Options that only some commands have: the others' tables refuse them. */
static const char *value_of(const struct adit_args *args, struct adit_bytes name, bool is_theirs)
{
    return is_theirs ? adit_args_value(args, name) : NULL;
}

static struct adit_status read_wishes(const struct adit_args *args, struct adit_writer *complaint,
                                      struct adit_agent_tunnel *tunnel)
{
    const char *name =
        value_of(args, ADIT_BYTES("name"), tunnel->kind != ADIT_TUNNEL_TCP);
    const char *host = value_of(args, ADIT_BYTES("host-header"), tunnel->kind == ADIT_TUNNEL_HTTP);
    const char *port_text =
        value_of(args, ADIT_BYTES("remote-port"), tunnel->kind == ADIT_TUNNEL_TCP);
    uint64_t port = 0;
    if (name && !adit_name_is_valid(adit_bytes_of_text(name))) {
        return complain(complaint, ADIT_BYTES("--name"), name,
                        ADIT_BYTES("is not a name: a-z, 0-9 and hyphens, a letter first, no hyphen "
                                   "last, at most 63"));
    }
    if (host && !is_header_value(adit_bytes_of_text(host))) {
        return complain(complaint, ADIT_BYTES("--host-header"), host,
                        ADIT_BYTES("is not a Host: 1 to 255 visible characters, such as "
                                   "localhost:3000"));
    }
    if (port_text && (!adit_is_ok(adit_parse_decimal(adit_bytes_of_text(port_text), UINT16_MAX,
                                                     &port)) ||
                      port == 0)) {
        return complain(complaint, ADIT_BYTES("--remote-port"), port_text,
                        ADIT_BYTES("is not a port of 1 to 65535"));
    }
    tunnel->remote_port = (uint16_t)port;
    ADIT_TRY(ADIT_FIELD_SET(tunnel->name, adit_bytes_of_text(name)));
    return ADIT_FIELD_SET(tunnel->host_header, adit_bytes_of_text(host));
}

static struct adit_status read_polling(const struct adit_args *args,
                                       const struct adit_environment *environment,
                                       struct adit_writer *complaint, struct adit_options *options)
{
    const char *given =
        first_of(adit_args_value(args, ADIT_BYTES("busy-poll")), environment->busy_poll);
    struct adit_bytes text = adit_bytes_of_text(first_of(given, "auto"));
    options->is_polling = adit_bytes_equal(text, ADIT_BYTES("auto"));
    if (!options->is_polling && !adit_bytes_equal(text, ADIT_BYTES("off"))) {
        return complain(complaint, ADIT_BYTES("--busy-poll"), given,
                        ADIT_BYTES("is neither auto nor off"));
    }
    return adit_ok();
}

static enum adit_tunnel kind_of(const struct adit_args_command *command)
{
    enum adit_tunnel kind = ADIT_TUNNEL_NONE;
    ADIT_ASSERT(adit_is_ok(adit_tunnel_find(command->name, &kind))); /* our own table */
    return kind;
}

struct adit_status adit_options_read(const struct adit_args *args,
                                     const struct adit_environment *environment,
                                     struct adit_writer *complaint, struct adit_options *options)
{
    *options = (struct adit_options){
        .tunnel = {.kind = kind_of(args->command)},
        .ca_path = first_of(adit_args_value(args, ADIT_BYTES("ca")), environment->ca),
        .keylog_path = environment->keylog,
        .has_colour = adit_bytes_of_text(environment->no_colour).len == 0,
        .is_json = adit_args_is_given(args, ADIT_BYTES("json")),
        .has_no_sandbox = adit_args_is_given(args, ADIT_BYTES("no-sandbox")),
    };
    const char *target = adit_args_operand(args, 0);
    struct adit_status status = adit_target_parse(adit_bytes_of_text(target), &options->tunnel);
    if (!adit_is_ok(status)) {
        return complain(complaint, ADIT_BYTES("TARGET"), target,
                        adit_bytes_of_text(adit_status_what(status)));
    }
    ADIT_TRY(read_wishes(args, complaint, &options->tunnel));
    ADIT_TRY(read_server(args, environment, complaint, options));
    ADIT_TRY(read_proxy(environment, complaint, options));
    ADIT_TRY(read_polling(args, environment, complaint, options));
    return read_token(args, environment, complaint, options);
}
