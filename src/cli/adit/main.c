/* adit: the agent's command. */
#include "cli/adit/narrow.h"
#include "cli/adit/screen.h"
#include "cli/output.h"
#include "net/changes.h"
#include "net/crypto.h"
#include "net/signals.h"
#include "sandbox/roles.h"

#define EXIT_STOPPED 0 /* by a signal */
#define EXIT_FAILED 1
#define EXIT_USAGE 2
#define EXIT_REFUSED 3
#define DNS_PORT 53 /* answers that are too long for UDP */

#define GOODBYE_US (500 * ADIT_MS_US)

struct adit_program_state {
    struct adit_loop loop;
    struct adit_signals signals;
    struct adit_changes changes;
    struct adit_report report;
    struct adit_screen screen;
    bool has_screen;
    struct adit_options options;
    struct adit_agent agent;
    struct adit_tls_context *tls;
};

static void signal_arrived(void *context, int number)
{
    struct adit_program_state *state = context;
    if (number != SIGWINCH && number != SIGCONT) {
        adit_loop_stop(&state->loop);
    } else if (state->has_screen && number == SIGWINCH) {
        adit_screen_resized(&state->screen);
    } else if (state->has_screen) {
        adit_screen_moved(&state->screen);
    }
}

static void network_changed(void *context)
{
    struct adit_program_state *state = context;
    adit_agent_changed(&state->agent);
}

static struct adit_status open_tls(struct adit_program_state *state)
{
    struct adit_span memory = {0};
    ADIT_TRY(adit_memory_open(1, ADIT_OPTIONS_ROOTS_MAX, &memory));
    struct adit_writer roots = adit_writer_of(memory);
    struct adit_status status = adit_ok();
    if (state->options.ca_path) {
        status = adit_file_read(state->options.ca_path, &roots);
    }
    if (adit_is_ok(status)) {
        const struct adit_tls_client_options options = {.roots_pem = adit_writer_bytes(&roots),
                                                        .alpn = ADIT_BYTES("adit/1"),
                                                        .keylog_path = state->options.keylog_path};
        status = adit_tls_client_open(&options, &state->tls);
    }
    adit_memory_close(&memory);
    return status;
}

/* `link`: the connection to the server, where there is one already; -1. */
static struct adit_status enter_sandbox(const struct adit_program_state *state, int link)
{
    const int fds[] = {0, 1, 2, state->loop.epoll_fd, state->signals.fd, state->changes.fd,
                       adit_tls_context_keylog_fd(state->tls), link};
    /* Whatever a server asks for, or a bug: no other TCP port can be dialled. */
    const uint16_t ports[] = {state->options.has_proxy ? state->options.proxy.port
                                                       : state->options.server_port,
                              state->options.tunnel.port, DNS_PORT};
    struct adit_sandbox_options options = adit_sandbox_agent();
    options.connect_ports = ports;
    options.connect_port_count = ADIT_COUNT(ports);
    options.is_connect_free = false;
    options.fds = fds;
    options.fd_count = ADIT_COUNT(fds);
    options.is_off = state->options.has_no_sandbox;
    struct adit_sandbox_report report = {0};
    return adit_sandbox_enter(&options, &report);
}

static struct adit_status open_screen(struct adit_program_state *state)
{
    const struct adit_screen_options options = {.loop = &state->loop,
                                                .report = &state->report,
                                                .agent = &state->agent,
                                                .tunnel = &state->options.tunnel,
                                                .has_colour = state->options.has_colour};
    return state->has_screen ? adit_screen_open(&state->screen, &options) : adit_ok();
}

static struct adit_status open_agent(struct adit_program_state *state)
{
    void *context = &state->report;
    if (state->has_screen) {
        context = &state->screen;
    }
    const struct adit_agent_options options = {
        .loop = &state->loop,
        .tls = state->tls,
        .events = state->has_screen ? &adit_screen_events : &adit_report_events,
        .context = context,
        .server_host = state->options.server_host,
        .server_port = state->options.server_port,
        .proxy = state->options.has_proxy ? &state->options.proxy : NULL,
        .token = state->options.token.text,
        .tunnels = &state->options.tunnel,
        .tunnel_count = 1,
    };
    return adit_agent_open(&state->agent, &options);
}

/* So that the server frees the tunnels now, and visitors are refused instead of kept waiting. */
static void say_goodbye(struct adit_program_state *state)
{
    uint64_t end_us = adit_clock_now_us() + GOODBYE_US;
    adit_agent_stop(&state->agent);
    while (adit_agent_is_leaving(&state->agent) && adit_clock_now_us() < end_us) {
        if (!adit_is_ok(adit_loop_turn(&state->loop, GOODBYE_US / 10))) {
            return;
        }
    }
}

static struct adit_status run_sandboxed(struct adit_program_state *state)
{
    adit_changes_handler_set(&state->changes, network_changed, state);
    struct adit_status status = open_screen(state);
    if (adit_is_ok(status)) {
        status = adit_loop_run(&state->loop);
    }
    adit_screen_close(&state->screen);
    say_goodbye(state);
    return status;
}

static struct adit_status run_agent(struct adit_program_state *state)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGCONT};
    ADIT_TRY(adit_signals_open(&state->signals, &state->loop, numbers, ADIT_COUNT(numbers)));
    adit_signals_handler_set(&state->signals, signal_arrived, state);
    ADIT_TRY(adit_changes_open(&state->changes, &state->loop));
    ADIT_TRY(open_agent(state));
    /* A server on this machine makes its half of the handshake while the sandbox is closed. What it
     * says waits in the kernel: the loop, which reads, runs inside. */
    struct adit_status status = enter_sandbox(state, adit_agent_greet(&state->agent));
    if (adit_is_ok(status)) {
        status = run_sandboxed(state);
    }
    adit_agent_close(&state->agent);
    return status;
}

static struct adit_status run(struct adit_program_state *state)
{
    ADIT_TRY(adit_loop_open(&state->loop, ADIT_AGENT_LOCALS_MAX * 2 + 64,
                            ADIT_AGENT_LOCALS_MAX * 2 + 64));
    adit_loop_spin_set(&state->loop, state->options.is_polling);
    state->signals.fd = -1;
    struct adit_status status = run_agent(state);
    adit_changes_close(&state->changes);
    adit_signals_close(&state->signals);
    adit_loop_close(&state->loop);
    return status;
}

static int complain_usage(const struct adit_writer *complaint)
{
    adit_output_complain(adit_program.name, adit_writer_bytes(complaint));
    return EXIT_USAGE;
}

/* Both spellings are in use; an empty one counts as not set. */
static const char *either(const char *name, const char *other)
{
    const char *value = getenv(name);
    return adit_bytes_of_text(value).len > 0 ? value : getenv(other);
}

static int forward(const struct adit_args *args, struct adit_program_state *state)
{
    const struct adit_environment environment = {.token = getenv("ADIT_TOKEN"),
                                                 .server = getenv("ADIT_SERVER"),
                                                 .ca = getenv("ADIT_CA"),
                                                 .busy_poll = getenv("ADIT_BUSY_POLL"),
                                                 .keylog = getenv("SSLKEYLOGFILE"),
                                                 .proxy = either("HTTPS_PROXY", "https_proxy"),
                                                 .no_proxy = either("NO_PROXY", "no_proxy"),
                                                 .no_colour = getenv("NO_COLOR")};
    uint8_t memory[512] = {0};
    struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
    if (!adit_is_ok(adit_options_read(args, &environment, &complaint, &state->options))) {
        return complain_usage(&complaint);
    }
    state->report = (struct adit_report){
        .loop = &state->loop, .fd = STDOUT_FILENO, .is_json = state->options.is_json};
    state->has_screen =
        !state->options.is_json && adit_terminal_is_movable(STDOUT_FILENO, getenv("TERM"));
    adit_sandbox_inherited_close();
    struct adit_status status = open_tls(state);
    if (!adit_is_ok(status)) {
        adit_output_failure(adit_program.name, adit_bytes_of_text(state->options.ca_path), status);
        return EXIT_FAILED;
    }
    status = run(state);
    adit_tls_context_close(&state->tls);
    if (!adit_is_ok(status)) {
        adit_output_failure(adit_program.name, (struct adit_bytes){0}, status);
        return EXIT_FAILED;
    }
    if (state->report.is_refused) {
        return EXIT_REFUSED;
    }
    bool has_failed = state->report.is_distrusted || state->report.is_output_lost;
    return has_failed ? EXIT_FAILED : EXIT_STOPPED;
}

static int print(struct adit_bytes text)
{
    return adit_is_ok(adit_output_write(STDOUT_FILENO, text)) ? EXIT_STOPPED : EXIT_FAILED;
}

static int token_narrow(const struct adit_args *args)
{
    const struct adit_environment environment = {.token = getenv("ADIT_TOKEN")};
    uint8_t memory[512] = {0};
    uint8_t narrowed[ADIT_TOKEN_TEXT_MAX + 1] = {0};
    struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_writer out = adit_writer_of(ADIT_SPAN_OF(narrowed));
    struct adit_token_block block = {0};
    struct adit_token_text token = {0};
    if (!adit_is_ok(adit_narrow_read(args, adit_clock_wall_ms() / 1000, &complaint, &block)) ||
        !adit_is_ok(adit_token_find(args, &environment, &complaint, &token))) {
        return complain_usage(&complaint);
    }
    struct adit_status status = adit_ok();
    if (token.text.len == 0) {
        status = adit_narrow_input(STDIN_FILENO, &token);
    }
    if (adit_is_ok(status)) {
        status = adit_narrow_write(&out, token.text, &block);
    }
    int code = EXIT_FAILED;
    if (adit_is_ok(status)) {
        code = print(adit_writer_bytes(&out));
    } else {
        adit_output_failure(adit_program.name, (struct adit_bytes){0}, status);
    }
    adit_span_wipe(ADIT_SPAN_OF(narrowed));
    adit_span_wipe(ADIT_SPAN_OF(token.memory));
    return code;
}

static int version(void)
{
    uint8_t memory[128] = {0};
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(memory));
    if (!adit_is_ok(adit_crypto_version_write(&text, ADIT_BYTES("adit " ADIT_VERSION)))) {
        return EXIT_FAILED;
    }
    return print(adit_writer_bytes(&text));
}

static int help(const struct adit_args_command *command)
{
    uint8_t memory[4096] = {0};
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(memory));
    if (!adit_is_ok(adit_args_help_write(&text, &adit_program, command))) {
        return EXIT_FAILED;
    }
    return print(adit_writer_bytes(&text));
}

int main(int argc, char **argv)
{
    struct adit_args args = {0};
    uint8_t memory[512] = {0};
    struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
    adit_memory_settle();
    if (!adit_is_ok(adit_args_parse(&adit_program, (size_t)argc, argv, &complaint, &args))) {
        return complain_usage(&complaint);
    }
    if (args.is_help || !args.command || args.command->number == ADIT_COMMAND_HELP) {
        return help(args.is_help ? args.command : NULL);
    }
    if (args.command->number == ADIT_COMMAND_VERSION) {
        return version();
    }
    if (args.command->number == ADIT_COMMAND_TOKEN_NARROW) {
        return token_narrow(&args);
    }
    struct adit_span state = {0}; /* too large for the stack */
    if (!adit_is_ok(adit_memory_open(1, sizeof(struct adit_program_state), &state))) {
        return EXIT_FAILED;
    }
    int code = forward(&args, adit_memory_at(state, sizeof(struct adit_program_state), 0));
    adit_span_wipe(state);
    adit_memory_close(&state);
    return code;
}
