/* aditd: the server's command. `serve` is the supervisor; the other commands work beside a running
 * server and without one. Exit codes: 0 done, or stopped by a signal; 1 failed; 2 usage. */
#include "cli/aditd/data.h"
#include "cli/aditd/settings.h"
#include "cli/output.h"
#include "edge/supervisor/supervisor.h"
#include "net/devca.h"
#include "net/hmac.h"

#define EXIT_FAILED 1
#define EXIT_USAGE 2
#define BACKLOG 1024
#define TEXT_BYTES 4096
#define PLACEHOLDERS_MAX 4 /* descriptors 0 to 2, and one more that is given back */

static struct adit_bytes program_name(void)
{
    return adit_aditd_program.name;
}

static int failure(struct adit_bytes subject, struct adit_status status)
{
    adit_output_failure(program_name(), subject, status);
    return EXIT_FAILED;
}

static int usage(const struct adit_writer *complaint)
{
    adit_output_complain(program_name(), adit_writer_bytes(complaint));
    return EXIT_USAGE;
}

static int print(struct adit_bytes text)
{
    struct adit_status status = adit_output_write(STDOUT_FILENO, text);
    return adit_is_ok(status) ? 0 : failure(ADIT_BYTES("standard output"), status);
}

/* Finds and makes the data folder; tells what is wrong with it. */
static struct adit_status data_open(const struct adit_args *args, struct adit_data_path *out_folder)
{
    const struct adit_data_place place = {.given = adit_args_value(args, ADIT_BYTES("data")),
                                          .xdg_data_home = getenv("XDG_DATA_HOME"),
                                          .home = getenv("HOME"),
                                          .is_root = geteuid() == 0};
    struct adit_data_path folder = {0};
    struct adit_status status = adit_data_find(&place, &folder);
    if (adit_is_ok(status)) {
        status = adit_data_make(&folder);
    }
    if (!adit_is_ok(status)) {
        adit_output_failure(program_name(), adit_bytes_of_text(folder.text), status);
        return status;
    }
    *out_folder = folder;
    return adit_ok();
}

/* --- serve ----------------------------------------------------------------------------------- */

struct serve {
    struct adit_serve_settings settings;
    struct adit_data_path folder, certificate, key, token_key;
    struct adit_address address; /* where it really listens: port 0 asks for any */
    struct adit_supervisor supervisor;
};

static struct adit_status serving_write(struct adit_writer *writer, const struct serve *serve)
{
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("aditd serves at ")));
    ADIT_TRY(adit_address_write(writer, &serve->address));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("; agents: --server connect.")));
    ADIT_TRY(adit_write_bytes(writer, serve->settings.domain));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES(":")));
    ADIT_TRY(adit_write_decimal(writer, serve->address.port));
    if (!serve->settings.certificate) {
        ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES(" --ca ")));
        ADIT_TRY(adit_write_bytes(writer, adit_bytes_of_text(serve->folder.text)));
        ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("/ca.pem")));
    }
    return adit_write_bytes(writer, ADIT_BYTES("\n"));
}

/* One line for a person, where there is room for it now: the supervisor never waits. */
static void serving(void *context)
{
    uint8_t memory[TEXT_BYTES] = {0};
    struct adit_writer line = adit_writer_of(ADIT_SPAN_OF(memory));
    struct pollfd room = {.fd = STDOUT_FILENO, .events = POLLOUT};
    if (adit_is_ok(serving_write(&line, context)) && poll(&room, 1, 0) == 1 &&
        (room.revents & POLLOUT) != 0) {
        adit_status_ignore(adit_output_write(STDOUT_FILENO, adit_writer_bytes(&line)),
                           "the log says it too");
    }
}

/* The certificate that was given, or that of the development CA. */
static struct adit_status certificate_prepare(struct serve *serve)
{
    if (!serve->settings.certificate) {
        ADIT_TRY(adit_devca_ensure(adit_bytes_of_text(serve->folder.text),
                                   serve->settings.domain));
        ADIT_TRY(adit_data_path(&serve->folder, ADIT_BYTES("server.pem"), &serve->certificate));
        return adit_data_path(&serve->folder, ADIT_BYTES("server.key"), &serve->key);
    }
    return adit_ok();
}

static struct adit_status readable_check(const char *path)
{
    if (access(path, R_OK) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "the certificate or key cannot be read", errno);
    }
    return adit_ok();
}

/* Tells which of the two files that were given cannot be read. */
static bool is_given_readable(const struct serve *serve)
{
    const char *const paths[] = {serve->settings.certificate, serve->settings.key};
    for (size_t i = 0; i < ADIT_COUNT(paths); i++) {
        const char *path = ADIT_AT(paths, i);
        struct adit_status status = path ? readable_check(path) : adit_ok();
        if (!adit_is_ok(status)) {
            adit_output_failure(program_name(), adit_bytes_of_text(path), status);
            return false;
        }
    }
    return true;
}

/* Takes the listeners over. */
static struct adit_status supervise(struct serve *serve, int listener, int http_listener)
{
    const struct adit_supervisor_options options = {
        .listener = listener,
        .http_listener = http_listener,
        .is_http_serve = serve->settings.is_http_serve,
        .https = serve->address,
        .domain = serve->settings.domain,
        .port_from = serve->settings.port_from,
        .port_to = serve->settings.port_to,
        .certificate_path = serve->settings.certificate ? serve->settings.certificate
                                                        : serve->certificate.text,
        .key_path = serve->settings.key ? serve->settings.key : serve->key.text,
        .token_key_path = serve->token_key.text,
        .log_fd = STDERR_FILENO,
        .format = serve->settings.format,
        .is_sandbox_off = serve->settings.is_sandbox_off,
        .serving = serving,
        .context = serve,
    };
    ADIT_TRY(adit_supervisor_open(&serve->supervisor, &options));
    struct adit_status status = adit_supervisor_run(&serve->supervisor);
    adit_supervisor_close(&serve->supervisor);
    return status;
}

/* Listens, or says at which address it cannot. Accepted sockets inherit the congestion control: a
 * worker in its sandbox may not choose it any more where the system prefers another. */
static int listen_at(const struct adit_address *address, int *out_listener)
{
    uint8_t memory[64] = {0};
    struct adit_writer place = adit_writer_of(ADIT_SPAN_OF(memory));
    adit_status_ignore(adit_address_write(&place, address), "an address fits");
    struct adit_status status = adit_socket_listen(address, BACKLOG, out_listener);
    if (!adit_is_ok(status)) {
        return failure(adit_writer_bytes(&place), status);
    }
    adit_status_ignore(adit_socket_congestion_set(*out_listener, ADIT_BYTES("cubic")),
                       "what the system gives carries bytes too, with longer queues");
    return 0;
}

static int serve_prepared(struct serve *serve)
{
    int listener = -1;
    int http_listener = -1;
    int code = listen_at(&serve->settings.https, &listener);
    if (code == 0) {
        code = listen_at(&serve->settings.http, &http_listener);
    }
    if (code != 0) {
        adit_socket_close(&listener);
        return code;
    }
    struct adit_status status = adit_socket_local(listener, &serve->address);
    if (!adit_is_ok(status)) {
        adit_socket_close(&listener);
        adit_socket_close(&http_listener);
        return failure(ADIT_BYTES("serve"), status);
    }
    status = supervise(serve, listener, http_listener);
    return adit_is_ok(status) ? 0 : failure(ADIT_BYTES("serve"), status);
}

static int serve_run(const struct adit_args *args, struct serve *serve)
{
    uint8_t memory[TEXT_BYTES] = {0};
    struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
    if (!adit_is_ok(adit_serve_settings_read(args, &complaint, &serve->settings))) {
        return usage(&complaint);
    }
    if (!adit_is_ok(data_open(args, &serve->folder))) {
        return EXIT_FAILED;
    }
    struct adit_status status = adit_data_token_key(&serve->folder, &serve->token_key);
    if (adit_is_ok(status)) {
        status = certificate_prepare(serve);
    }
    if (!adit_is_ok(status)) {
        return failure(adit_bytes_of_text(serve->folder.text), status);
    }
    return is_given_readable(serve) ? serve_prepared(serve) : EXIT_FAILED;
}

static int serve_command(const struct adit_args *args)
{
    struct adit_span memory = {0}; /* too large for the stack */
    struct adit_status status = adit_memory_open(1, sizeof(struct serve), &memory);
    if (!adit_is_ok(status)) {
        return failure(ADIT_BYTES("serve"), status);
    }
    int code = serve_run(args, adit_memory_at(memory, sizeof(struct serve), 0));
    adit_memory_close(&memory);
    return code;
}

/* --- token create ---------------------------------------------------------------------------- */

static struct adit_status token_mint(const struct adit_data_path *folder,
                                     struct adit_token_record *record,
                                     struct adit_writer *out_token)
{
    struct adit_data_path path = {0};
    uint8_t key[ADIT_TOKEN_KEY_BYTES] = {0};
    ADIT_TRY(adit_data_token_key(folder, &path));
    ADIT_TRY(adit_data_token_key_read(path.text, ADIT_SPAN_OF(key)));
    ADIT_TRY(adit_random_fill(ADIT_SPAN_OF(record->id)));
    record->key_id = ADIT_TOKEN_KEY_ID;
    struct adit_status status =
        adit_token_mint(out_token, record, ADIT_BYTES_OF(key), adit_hmac_sha256);
    adit_span_wipe(ADIT_SPAN_OF(key));
    return status;
}

static int token_create(const struct adit_args *args)
{
    uint8_t memory[TEXT_BYTES] = {0};
    uint8_t token_memory[ADIT_TOKEN_TEXT_MAX] = {0};
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_writer token = adit_writer_of(ADIT_SPAN_OF(token_memory));
    struct adit_token_record record = {0};
    struct adit_data_path folder = {0};
    if (!adit_is_ok(
            adit_token_settings_read(args, adit_clock_wall_ms() / 1000, &text, &record))) {
        return usage(&text);
    }
    if (!adit_is_ok(data_open(args, &folder))) {
        return EXIT_FAILED;
    }
    struct adit_status status = token_mint(&folder, &record, &token);
    if (adit_is_ok(status) && adit_args_is_given(args, ADIT_BYTES("json"))) {
        status = adit_token_json_write(&text, &record, adit_writer_bytes(&token));
    } else if (adit_is_ok(status)) {
        status = adit_write_bytes(&text, adit_writer_bytes(&token));
        if (adit_is_ok(status)) {
            status = adit_write_u8(&text, '\n');
        }
    }
    int code = adit_is_ok(status) ? print(adit_writer_bytes(&text))
                                  : failure(adit_bytes_of_text(folder.text), status);
    adit_span_wipe(ADIT_SPAN_OF(memory));
    adit_span_wipe(ADIT_SPAN_OF(token_memory));
    return code;
}

/* --- all ------------------------------------------------------------------------------------- */

static int help(const struct adit_args_command *command)
{
    uint8_t memory[TEXT_BYTES] = {0};
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_status status = adit_args_help_write(&text, &adit_aditd_program, command);
    return adit_is_ok(status) ? print(adit_writer_bytes(&text)) : failure(ADIT_BYTES(""), status);
}

static int command_run(const struct adit_args *args)
{
    switch ((enum adit_aditd_command)args->command->number) {
    case ADIT_ADITD_SERVE:
        return serve_command(args);
    case ADIT_ADITD_TOKEN_CREATE:
        return token_create(args);
    case ADIT_ADITD_VERSION:
        return print(ADIT_BYTES("aditd " ADIT_VERSION "\n"));
    case ADIT_ADITD_HELP:
        return help(NULL);
    }
    return EXIT_USAGE;
}

/* Descriptors 0 to 2 are taken, whatever the caller closed: none of ours may land there. */
static void standard_fill(void)
{
    for (size_t i = 0; i < PLACEHOLDERS_MAX; i++) {
        int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (fd > STDERR_FILENO) {
            adit_socket_close(&fd);
            return;
        }
    }
}

int main(int argc, char **argv)
{
    struct adit_args args = {0};
    uint8_t memory[TEXT_BYTES] = {0};
    struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
    standard_fill();
    if (!adit_is_ok(
            adit_args_parse(&adit_aditd_program, (size_t)argc, argv, &complaint, &args))) {
        return usage(&complaint);
    }
    if (args.is_help || !args.command) {
        return help(args.command);
    }
    return command_run(&args);
}
