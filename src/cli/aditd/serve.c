#include "cli/aditd/command.h"
#include "cli/aditd/credentials.h"
#include "cli/aditd/reload.h"
#include "cli/output.h"
#include "edge/supervisor/supervisor.h"
#include "net/devca.h"
#include "net/local.h"

#define BACKLOG 1024
#define PORT_WAIT_US ADIT_SECOND_US /* for a port that another process has */
#define PORT_PAUSE_MS 5
#define FIRST_WORDS_S 1 /* a visitor who says nothing so long is looked at too */

struct serve {
    struct adit_serve_settings settings;
    struct adit_config config; /* what the settings are views of */
    struct adit_config fresh;  /* room for another, at a reload */
    const struct adit_args *args;
    struct adit_data_path folder, store, certificate, key, token_key;
    struct adit_address address; /* where it really listens: port 0 asks for any */
    int listener, http_listener, admin_listener, local_listener;
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
    uint8_t memory[ADIT_ADITD_TEXT_BYTES] = {0};
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

/* The admin port answers whoever reaches it. */
static void admin_hint(const struct serve *serve)
{
    struct adit_log log = {0};
    uint8_t memory[64] = {0};
    struct adit_writer address = adit_writer_of(ADIT_SPAN_OF(memory));
    if (adit_address_is_loopback(&serve->settings.admin) ||
        !adit_is_ok(adit_address_write(&address, &serve->settings.admin))) {
        return;
    }
    adit_log_init(&log, STDERR_FILENO, serve->settings.format, ADIT_BYTES("supervisor"));
    ADIT_LOG(&log, WARN, "admin_public",
             adit_log_text(ADIT_BYTES("admin"), adit_writer_bytes(&address)),
             adit_log_text(ADIT_BYTES("reason"),
                           ADIT_BYTES("it asks nobody for a password; keep it on loopback")));
}

/* As many as there are processors for this process, unless a number was given. */
static uint32_t workers_of(const struct adit_serve_settings *settings)
{
    cpu_set_t set = {0};
    uint64_t count = settings->workers;
    if (count == 0 && sched_getaffinity(0, sizeof set, &set) == 0) {
        count = (uint64_t)CPU_COUNT(&set);
    }
    return count == 0                             ? 1
           : count < ADIT_SUPERVISOR_WORKERS_MAX ? (uint32_t)count
                                                  : ADIT_SUPERVISOR_WORKERS_MAX;
}

static struct adit_supervisor_live live_of(const struct serve *serve)
{
    const struct adit_serve_settings *settings = &serve->settings;
    return (struct adit_supervisor_live){
        .certificate_path =
            settings->certificate ? settings->certificate : serve->certificate.text,
        .key_path = settings->key ? settings->key : serve->key.text,
        .name_hold_s = (uint32_t)settings->name_hold_s,
        .drain_ms = (uint32_t)settings->drain_s * 1000u,
    };
}

static bool reload(void *context, struct adit_log *log, struct adit_supervisor_live *live)
{
    struct serve *serve = context;
    const struct adit_reload parts = {.args = serve->args,
                                      .file = adit_args_value(serve->args, ADIT_BYTES("config")),
                                      .config = &serve->config,
                                      .fresh = &serve->fresh,
                                      .settings = &serve->settings};
    bool is_good = adit_reload_read(&parts, log);
    *live = live_of(serve);
    return is_good;
}

/* Takes the listeners over. */
static struct adit_status supervise(struct serve *serve)
{
    const struct adit_supervisor_options options = {
        .listener = serve->listener,
        .http_listener = serve->http_listener,
        .admin_listener = serve->admin_listener,
        .local_listener = serve->local_listener,
        .workers = workers_of(&serve->settings),
        .store_path = serve->store.text,
        .is_http_serve = serve->settings.is_http_serve,
        .https = serve->address,
        .domain = serve->settings.domain,
        .port_from = serve->settings.port_from,
        .port_to = serve->settings.port_to,
        .live = live_of(serve),
        .token_key_path = serve->token_key.text,
        /* A debugger may stop a role that has no sandbox. */
        .pulse_ms = serve->settings.is_sandbox_off ? 0 : ADIT_SUPERVISOR_PULSE_MS,
        .log_fd = STDERR_FILENO,
        .format = serve->settings.format,
        .is_sandbox_off = serve->settings.is_sandbox_off,
        .is_polling = serve->settings.is_polling,
        .serving = serving,
        .reload = reload,
        .context = serve,
    };
    ADIT_TRY(adit_supervisor_open(&serve->supervisor, &options));
    struct adit_status status = adit_supervisor_run(&serve->supervisor);
    adit_supervisor_close(&serve->supervisor);
    return status;
}

/* A server that was killed has its ports until the last of its roles has ended, a moment later. */
static struct adit_status listen_patiently(const struct adit_address *address, int *out_listener)
{
    uint64_t end_us = adit_clock_now_us() + PORT_WAIT_US;
    while (true) {
        struct adit_status status = adit_socket_listen(address, BACKLOG, out_listener);
        bool is_taken = !adit_is_ok(status) && status.detail == EADDRINUSE;
        if (!is_taken || adit_clock_now_us() >= end_us) {
            return status;
        }
        (void)poll(NULL, 0, PORT_PAUSE_MS);
    }
}

/* Listens, or says at which address it cannot. Accepted sockets inherit the congestion control: a
 * worker in its sandbox may not choose it any more where the system prefers another. */
static int listen_at(struct adit_bytes option, const struct adit_address *address,
                     int *out_listener)
{
    uint8_t memory[80] = {0};
    struct adit_writer place = adit_writer_of(ADIT_SPAN_OF(memory));
    adit_status_ignore(adit_write_bytes(&place, option), "it fits");
    adit_status_ignore(adit_address_write(&place, address), "an address fits too");
    struct adit_status status = listen_patiently(address, out_listener);
    if (!adit_is_ok(status)) {
        return adit_aditd_failure(adit_writer_bytes(&place), status);
    }
    adit_status_ignore(adit_socket_congestion_set(*out_listener, ADIT_BYTES("cubic")),
                       "what the system gives carries bytes too, with longer queues");
    return 0;
}

/* Where visitors speak first, the door need not look at one twice. */
static int listen_for_words(struct adit_bytes option, const struct adit_address *address,
                                  int *out_listener)
{
    int code = listen_at(option, address, out_listener);
    if (code == 0) {
        adit_status_ignore(adit_socket_defer_accept_set(*out_listener, FIRST_WORDS_S),
                           "else the door is woken once more for each");
    }
    return code;
}

static void listeners_close(struct serve *serve)
{
    adit_socket_close(&serve->listener);
    adit_socket_close(&serve->http_listener);
    adit_socket_close(&serve->admin_listener);
    adit_socket_close(&serve->local_listener);
}

/* The socket in the data folder comes first: it tells where another server runs there already. */
static int listeners_open(struct serve *serve)
{
    struct adit_status status = adit_local_listen(
        serve->folder.text, ADIT_BYTES(ADIT_SUPERVISOR_SOCKET), &serve->local_listener);
    if (!adit_is_ok(status)) {
        return adit_aditd_failure(adit_bytes_of_text(serve->folder.text), status);
    }
    int code = listen_for_words(ADIT_BYTES("--https "), &serve->settings.https, &serve->listener);
    if (code == 0) {
        code = listen_for_words(ADIT_BYTES("--http "), &serve->settings.http,
                                &serve->http_listener);
    }
    if (code == 0) {
        code = listen_at(ADIT_BYTES("--admin "), &serve->settings.admin, &serve->admin_listener);
    }
    return code;
}

static int serve_prepared(struct serve *serve)
{
    serve->listener = serve->http_listener = serve->admin_listener = serve->local_listener = -1;
    int code = listeners_open(serve);
    if (code != 0) {
        listeners_close(serve);
        return code;
    }
    struct adit_status status = adit_socket_local(serve->listener, &serve->address);
    if (!adit_is_ok(status)) {
        listeners_close(serve);
        return adit_aditd_failure(ADIT_BYTES("serve"), status);
    }
    admin_hint(serve);
    status = supervise(serve);
    return adit_is_ok(status) ? 0 : adit_aditd_failure(ADIT_BYTES("serve"), status);
}

/* Looked at before anything starts: what is wrong with the database is told once, by its name. */
static struct adit_status store_check(const struct adit_data_path *folder)
{
    struct adit_store store = {0};
    struct adit_status status = adit_aditd_store_open(folder, &store);
    adit_store_close(&store);
    return status;
}

static int serve_run(const struct adit_args *args, struct serve *serve)
{
    uint8_t memory[ADIT_ADITD_TEXT_BYTES] = {0};
    struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
    const char *file = adit_args_value(args, ADIT_BYTES("config"));
    serve->args = args;
    struct adit_status status =
        file ? adit_config_load(file, &serve->config, &complaint) : adit_ok();
    if (adit_is_ok(status)) {
        status = adit_serve_settings_read(args, &serve->config, &complaint, &serve->settings);
    }
    if (!adit_is_ok(status)) {
        return adit_aditd_usage(&complaint);
    }
    if (!adit_is_ok(adit_aditd_data_open(serve->settings.data, &serve->folder))) {
        return ADIT_ADITD_FAILED;
    }
    status = adit_data_store_make(&serve->folder, &serve->store);
    if (adit_is_ok(status)) {
        status = store_check(&serve->folder);
    }
    if (!adit_is_ok(status)) {
        return adit_aditd_failure(ADIT_BYTES(ADIT_STORE_FILE), status);
    }
    status = adit_data_token_key(&serve->folder, &serve->token_key);
    if (adit_is_ok(status)) {
        status = certificate_prepare(serve);
    }
    if (!adit_is_ok(status)) {
        return adit_aditd_failure(adit_bytes_of_text(serve->folder.text), status);
    }
    return adit_credentials_are_good(&serve->settings) ? serve_prepared(serve) : ADIT_ADITD_FAILED;
}

int adit_aditd_serve(const struct adit_args *args)
{
    struct adit_span memory = {0}; /* too large for the stack */
    struct adit_status status = adit_memory_open(1, sizeof(struct serve), &memory);
    if (!adit_is_ok(status)) {
        return adit_aditd_failure(ADIT_BYTES("serve"), status);
    }
    int code = serve_run(args, adit_memory_at(memory, sizeof(struct serve), 0));
    adit_memory_close(&memory);
    return code;
}
