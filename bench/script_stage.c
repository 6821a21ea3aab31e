#include "script.h"

#include "net/devca.h"
#include "net/hmac.h"

#define ROUNDS_TO_START 20000
#define NAME "bench"

static const uint8_t token_key[WORKER_TOKEN_KEY_BYTES] = {1, 2, 3};

/* --- What the agent tells --- */

static void told_ready(void *context, const struct adit_agent_tunnel *tunnel,
                       const struct adit_control_bound *bound, bool is_again)
{
    struct script *script = context;
    (void)tunnel;
    (void)bound;
    script->ready += is_again ? 0 : 1;
}

static void told_disconnected(void *context, struct adit_bytes reason, uint64_t wait_us)
{
    (void)context;
    (void)wait_us;
    fprintf(stderr, "%.*s\n", (int)reason.len, (const char *)reason.ptr);
    script_die("the agent lost its server");
}

static void told_reconnected(void *context)
{
    (void)context;
}

static void told_refused(void *context, const struct adit_agent_refusal *refusal)
{
    (void)context;
    (void)refusal;
    script_die("the agent was refused");
}

static void told_distrusted(void *context, struct adit_bytes why)
{
    (void)context;
    (void)why;
    script_die("the agent does not trust its server");
}

static void told_notice(void *context, struct adit_bytes message)
{
    (void)context;
    (void)message;
}

static void told_local_failed(void *context, const struct adit_agent_tunnel *tunnel,
                              enum adit_dial_result result)
{
    (void)context;
    (void)tunnel;
    (void)result;
    script_die("a local dial failed");
}

static const struct adit_agent_events events = {
    .ready = told_ready,
    .disconnected = told_disconnected,
    .reconnected = told_reconnected,
    .refused = told_refused,
    .distrusted = told_distrusted,
    .notice = told_notice,
    .local_failed = told_local_failed,
};

/* --- The door --- */

static void answer_bind(struct script *script, const struct adit_message *asked)
{
    struct adit_message bound = {.type = ADIT_MESSAGE_BOUND,
                                 .request = asked->request,
                                 .session = asked->session,
                                 .port = script->port_at.port,
                                 .fd_count = 1};
    ADIT_AT(bound.fds, 0) = dup(script->port);
    script_must(adit_channel_send(&script->door, &bound), "BOUND");
}

static void answer_claim(struct script *script, const struct adit_message *asked)
{
    struct adit_message claimed = {.type = ADIT_MESSAGE_CLAIMED,
                                   .request = asked->request,
                                   .session = asked->session};
    script_must(adit_message_text_set(&claimed.name, ADIT_BYTES(NAME)), "the name");
    script_must(adit_channel_send(&script->door, &claimed), "CLAIMED");
}

static struct adit_status hear_door(void *context, struct adit_message *message)
{
    struct script *script = context;
    if (message->type == ADIT_MESSAGE_BIND) {
        answer_bind(script, message);
    } else if (message->type == ADIT_MESSAGE_CLAIM) {
        answer_claim(script, message);
    }
    return adit_ok(); /* LOAD and the like are of no interest here */
}

void script_door_turn(struct script *script)
{
    int fd = script_accept(script->front);
    if (fd >= 0) {
        struct adit_message agent = {.type = ADIT_MESSAGE_AGENT, .request = 1, .fd_count = 1};
        ADIT_AT(agent.fds, 0) = fd;
        script_must(adit_channel_send(&script->door, &agent), "AGENT");
    }
    script_must(adit_channel_drain(&script->door, ADIT_CHANNEL_ALL, hear_door, script),
                "the door's channel");
}

void script_door_web(struct script *script, int fd, bool is_plain)
{
    struct adit_message web = {.type = ADIT_MESSAGE_WEB,
                               .options = is_plain ? ADIT_WEB_PLAIN : 0,
                               .address = {.family = 4, .port = 5000, .ip = {192, 0, 2, 7}},
                               .fd_count = 1};
    ADIT_AT(web.fds, 0) = fd;
    script_must(adit_message_text_set(&web.domain, ADIT_BYTES(NAME ".adit.localhost")), "a host");
    script_must(adit_channel_send(&script->door, &web), "WEB");
}

/* --- Worker and agent --- */

static void path_of(struct adit_bytes folder, const char *name, struct adit_span out_path)
{
    script_must(adit_path_join(out_path, folder, adit_bytes_of_text(name)), "a path");
}

static int file_open(struct adit_bytes folder, const char *name)
{
    uint8_t path[256] = {0};
    path_of(folder, name, ADIT_SPAN_OF(path));
    int fd = open((const char *)path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        script_die("a file of the stage cannot be opened");
    }
    return fd;
}

static void token_key_write(struct adit_bytes folder)
{
    uint8_t path[256] = {0};
    uint8_t hex[2 * WORKER_TOKEN_KEY_BYTES] = {0};
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(hex));
    script_must(adit_write_hex(&text, ADIT_BYTES_OF(token_key)), "the token key");
    path_of(folder, "token.key", ADIT_SPAN_OF(path));
    script_must(adit_file_write((const char *)path, 0600, adit_writer_bytes(&text)),
                "the token key's file");
}

static void worker_open(struct script *script, struct adit_bytes folder)
{
    static const char *const names[] = {"server.pem", "server.key", "token.key"};
    struct adit_message start = {.type = ADIT_MESSAGE_WORKER_START,
                                 .count = 1,
                                 .port = 8443,
                                 .options = ADIT_START_HTTP_SERVE,
                                 .fd_count = ADIT_COUNT(names)};
    struct adit_message wire = {.type = ADIT_MESSAGE_WIRE_DOOR, .fd_count = 1};
    int ends[2] = {-1, -1};
    int door = -1;
    for (size_t i = 0; i < ADIT_COUNT(names); i++) {
        ADIT_AT(start.fds, i) = file_open(folder, ADIT_AT(names, i));
    }
    script_must(adit_message_text_set(&start.domain, ADIT_BYTES("adit.localhost")), "the domain");
    adit_log_init(&script->worker->log, -1, ADIT_LOG_TEXT, ADIT_BYTES("worker"));
    script->worker->door.fd = -1;
    script_must(worker_start(script->worker, &start), "the worker's start");
    adit_message_fds_close(&start);
    script_must(adit_channel_pair(&ends[0], &ends[1]), "a channel");
    script_must(adit_channel_open(&script->supervisor, ends[0], ADIT_EDGE_SUPERVISOR_WORKER,
                                  ADIT_EDGE_WORKER_SUPERVISOR), "the supervisor's end");
    script_must(adit_channel_open(&script->worker->supervisor, ends[1],
                                  ADIT_EDGE_WORKER_SUPERVISOR, ADIT_EDGE_SUPERVISOR_WORKER),
                "the worker's end");
    script_must(worker_supervisor_watch(script->worker), "the worker's watch");
    script_must(adit_channel_pair(&door, &wire.fds[0]), "the door's channel");
    script_must(adit_channel_open(&script->door, door, ADIT_EDGE_DOOR_WORKER,
                                  ADIT_EDGE_WORKER_DOOR), "the door's end");
    script_must(adit_channel_send(&script->supervisor, &wire), "WIRE_DOOR");
}

static void tls_open(struct script *script, struct adit_bytes folder)
{
    uint8_t pem[4096] = {0};
    struct adit_writer roots = adit_writer_of(ADIT_SPAN_OF(pem));
    int fd = file_open(folder, "ca.pem");
    script_must(adit_file_read_fd(fd, &roots), "the CA");
    close(fd);
    struct adit_tls_client_options options = {.roots_pem = adit_writer_bytes(&roots),
                                              .alpn = ADIT_BYTES("adit/1")};
    script_must(adit_tls_client_open(&options, &script->agent_tls), "the agent's TLS");
    options.alpn = ADIT_BYTES("http/1.1");
    script_must(adit_tls_client_open(&options, &script->visitor_tls), "the visitors' TLS");
}

static void agent_open(struct script *script)
{
    uint8_t text[ADIT_TOKEN_TEXT_MAX] = {0};
    struct adit_writer token = adit_writer_of(ADIT_SPAN_OF(text));
    struct adit_token_record record = {.kind = ADIT_TOKEN_USER,
                                       .allows = ADIT_TOKEN_ALLOWS_TCP | ADIT_TOKEN_ALLOWS_HTTP,
                                       .key_id = WORKER_TOKEN_KEY_ID,
                                       .id = {1},
                                       .expiry_s = ADIT_TOKEN_EXPIRES_NEVER};
    script_must(adit_token_account_set(&record, ADIT_BYTES("acme")), "the account");
    script_must(adit_token_names_set(&record.names, ADIT_BYTES("*")), "the names");
    script_must(adit_token_mint(&token, &record, ADIT_BYTES_OF(token_key), adit_hmac_sha256),
                "the token");
    for (size_t i = 0; i < ADIT_COUNT(script->tunnels); i++) {
        struct adit_agent_tunnel *tunnel = &ADIT_AT(script->tunnels, i);
        tunnel->kind = i == 0 ? ADIT_TUNNEL_TCP : ADIT_TUNNEL_HTTP;
        tunnel->port = script->program_at.port;
        script_must(ADIT_FIELD_SET(tunnel->host, ADIT_BYTES("127.0.0.1")), "the program's host");
    }
    struct adit_agent_tunnel *web = &ADIT_AT(script->tunnels, 1);
    script_must(ADIT_FIELD_SET(web->name, ADIT_BYTES(NAME)), "the tunnel's name");
    const struct adit_agent_options options = {.loop = &script->agent_loop,
                                               .tls = script->agent_tls,
                                               .events = &events,
                                               .context = script,
                                               .server_host = ADIT_BYTES("127.0.0.1"),
                                               .server_port = script->front_at.port,
                                               .token = adit_writer_bytes(&token),
                                               .tunnels = script->tunnels,
                                               .tunnel_count = ADIT_COUNT(script->tunnels)};
    script_must(adit_agent_open(&script->agent, &options), "the agent's start");
}

void script_open(struct script *script, struct adit_bytes folder)
{
    script->worker = calloc(1, sizeof *script->worker);
    if (!script->worker) {
        script_die("no memory");
    }
    script_must(adit_devca_ensure(folder, ADIT_BYTES("adit.localhost")), "the development CA");
    token_key_write(folder);
    script->front = script_listen(&script->front_at);
    script->port = script_listen(&script->port_at);
    script->program = script_listen(&script->program_at);
    worker_open(script, folder);
    tls_open(script, folder);
    script_must(adit_loop_open(&script->agent_loop, 1024, 1024), "the agent's loop");
    script_ends_open(script);
    agent_open(script);
    for (int i = 0; i < ROUNDS_TO_START && script->ready < 2; i++) {
        script_round(script);
    }
    if (script->ready < 2) {
        script_die("the tunnels were not bound");
    }
}

void script_close(struct script *script)
{
    script_ends_close(script);
    adit_agent_close(&script->agent);
    adit_loop_close(&script->agent_loop);
    worker_close(script->worker);
    adit_channel_close(&script->supervisor);
    adit_channel_close(&script->door);
    adit_tls_context_close(&script->agent_tls);
    adit_tls_context_close(&script->visitor_tls);
    adit_socket_close(&script->front);
    adit_socket_close(&script->port);
    adit_socket_close(&script->program);
    free(script->worker);
}
