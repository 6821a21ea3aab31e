/* The table of commands and options. Covered by options_test.c and narrow_test.c. */
#include "cli/adit/options.h"

#define OPTION(option, shown, sentence)                                                         \
    {.name = ADIT_BYTES_INIT(option), .value = ADIT_BYTES_INIT(shown),                          \
     .help = ADIT_BYTES_INIT(sentence)}

#define NAME_OPTION                                                                             \
    OPTION("name", "NAME", "the name that is wanted; default: one that is kept for this command")

#define TOKEN_OPTIONS                                                                           \
    OPTION("token", "TOKEN", "the token; default: ADIT_TOKEN, which other users cannot see"),   \
    OPTION("token-file", "FILE", "a file that holds the token")

#define COMMON_OPTIONS                                                                          \
    OPTION("server", "HOST:PORT",                                                               \
           "the server; default: ADIT_SERVER, then connect.adit.localhost:8443"),               \
    TOKEN_OPTIONS,                                                                              \
    OPTION("ca", "FILE", "trusted roots as PEM; default: ADIT_CA, then the system's"),          \
    OPTION("busy-poll", "auto|off",                                                             \
           "poll for a moment before sleeping, where that pays; default: ADIT_BUSY_POLL, auto"),\
    OPTION("json", "", "print one event a line, as JSON"),                                      \
    OPTION("no-sandbox", "", "run without a sandbox; for debuggers and sanitizers")

static const struct adit_args_option http_options[] = {
    NAME_OPTION,
    OPTION("host-header", "VALUE", "the Host that the program gets; default: the visitor's"),
    COMMON_OPTIONS,
};

static const struct adit_args_option tcp_options[] = {
    OPTION("remote-port", "N", "the public port that is wanted; default: any that is free"),
    COMMON_OPTIONS,
};

static const struct adit_args_option tls_options[] = {NAME_OPTION, COMMON_OPTIONS};

static const struct adit_args_option narrow_options[] = {
    OPTION("names", "PATTERN", "only these names: exact ones or prefix*, separated by commas"),
    OPTION("allow", "KINDS", "only these kinds of tunnels: http,tcp,tls or some of them"),
    OPTION("ttl", "DURATION", "only for so long from now: 30m, 12h, 30d"),
    TOKEN_OPTIONS,
};

static const struct adit_args_command commands[] = {
    {.name = ADIT_BYTES_INIT("http"), .operands = ADIT_BYTES_INIT("TARGET"),
     .summary = ADIT_BYTES_INIT("give the web program at TARGET (3000 or host:3000) a public "
                                "name"),
     .options = http_options, .option_count = ADIT_COUNT(http_options),
     .operands_min = 1, .operands_max = 1, .number = ADIT_COMMAND_HTTP},
    {.name = ADIT_BYTES_INIT("tcp"), .operands = ADIT_BYTES_INIT("TARGET"),
     .summary = ADIT_BYTES_INIT("give the program at TARGET (3000 or host:3000) a public TCP port"),
     .options = tcp_options, .option_count = ADIT_COUNT(tcp_options),
     .operands_min = 1, .operands_max = 1, .number = ADIT_COMMAND_TCP},
    {.name = ADIT_BYTES_INIT("tls"), .operands = ADIT_BYTES_INIT("TARGET"),
     .summary = ADIT_BYTES_INIT("pass TLS through to the program at TARGET, which has the "
                                "certificate"),
     .options = tls_options, .option_count = ADIT_COUNT(tls_options),
     .operands_min = 1, .operands_max = 1, .number = ADIT_COMMAND_TLS},
    {.name = ADIT_BYTES_INIT("token narrow"),
     .summary = ADIT_BYTES_INIT("read a token and print one that may do less"),
     .options = narrow_options, .option_count = ADIT_COUNT(narrow_options),
     .number = ADIT_COMMAND_TOKEN_NARROW},
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
