/* A whole worker in this process; the test plays its supervisor, its door and its agents. */
#ifndef ADIT_EDGE_WORKER_FIXTURE_H
#define ADIT_EDGE_WORKER_FIXTURE_H

#include "edge/worker/worker.h"

#include "net/hmac.h"

#include "credentials.h"
#include "loopback.h"

#define TURNS_MAX 20000
#define AGENTS 3

struct agent_side { /* what one agent was told */
    struct adit_handle link;
    struct adit_control message;
    struct adit_stream_head head;
    int opens, closes, messages, streams;
};

struct fixture {
    struct worker *worker;
    struct adit_channel supervisor, door; /* the other ends */
    struct adit_loop loop;
    struct adit_hub hub; /* all agents */
    struct agent_side agents[AGENTS];
    bool is_serving; /* agents connect their streams to `program`, else they refuse */
    int program;     /* the latest; the test's end */
    struct credentials credentials;
};

static const uint8_t token_key[WORKER_TOKEN_KEY_BYTES] = {1, 2, 3};

static inline struct agent_side *side_of(void *context, uint64_t user)
{
    struct fixture *f = context;
    return &ADIT_AT(f->agents, user);
}

static inline void link_open(void *context, struct adit_handle link, uint64_t user)
{
    side_of(context, user)->link = link;
    side_of(context, user)->opens++;
}

static inline void link_message(void *context, struct adit_handle link, uint64_t user,
                                const struct adit_control *message)
{
    (void)link;
    side_of(context, user)->message = *message;
    side_of(context, user)->messages++;
}

static inline void link_closed(void *context, struct adit_handle link, uint64_t user,
                               struct adit_status why)
{
    (void)link;
    (void)why;
    side_of(context, user)->closes++;
}

static inline void pump_open(void *context, struct adit_handle link, struct adit_handle pump,
                             const struct adit_stream_head *head)
{
    struct fixture *f = context;
    (void)link;
    f->agents[0].head = *head;
    f->agents[0].streams++;
    if (!f->is_serving) {
        adit_pump_refuse(&f->hub, pump, ADIT_DIAL_REFUSED);
        return;
    }
    int near = -1;
    adit_socket_close(&f->program);
    loopback_pair(&near, &f->program);
    assert_ok(adit_pump_attach(&f->hub, pump, near));
}

static const struct adit_hub_ops agent_ops = {
    .link_open = link_open,
    .link_message = link_message,
    .link_closed = link_closed,
    .pump_open = pump_open,
};

static inline void turn(struct fixture *f)
{
    assert_ok(adit_loop_turn(&f->worker->loop, 200));
    assert_ok(adit_loop_turn(&f->loop, 200));
}

#define turn_until(f, condition)                                                                \
    do {                                                                                        \
        for (int turns = 0; turns < TURNS_MAX && !(condition); turns++) {                       \
            turn(f);                                                                            \
        }                                                                                       \
        assert_true(condition);                                                                 \
    } while (0)

/* The next message. LOAD comes when it will, and is passed over unless it is what is wanted. */
static inline struct adit_message expect(struct fixture *f, struct adit_channel *channel,
                                         enum adit_message_type type)
{
    for (int i = 0; i < TURNS_MAX; i++) {
        struct adit_message message = {0};
        enum adit_io io = ADIT_IO_BLOCKED;
        assert_ok(adit_channel_receive(channel, &message, &io));
        if (io == ADIT_IO_DONE && message.type == ADIT_MESSAGE_LOAD && type != message.type) {
            continue;
        }
        if (io == ADIT_IO_DONE) {
            assert_int_equal(message.type, type);
            return message;
        }
        assert_int_equal(io, ADIT_IO_BLOCKED);
        turn(f);
    }
    fail_msg("no message of type %d", (int)type);
    return (struct adit_message){0};
}

static inline void write_token_key(const struct fixture *f)
{
    uint8_t path[128] = {0};
    uint8_t hex[2 * WORKER_TOKEN_KEY_BYTES] = {0};
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(hex));
    assert_ok(adit_write_hex(&text, ADIT_BYTES_OF(token_key)));
    credentials_path(&f->credentials, "token.key", ADIT_SPAN_OF(path));
    assert_ok(adit_file_write((const char *)path, 0600, adit_writer_bytes(&text)));
}

static inline void start_worker(struct fixture *f)
{
    struct adit_message start = {
        .type = ADIT_MESSAGE_WORKER_START, .count = 1, .port = 8443, .fd_count = 3};
    int ends[2] = {-1, -1};
    ADIT_AT(start.fds, 0) = credentials_file(&f->credentials, "server.pem");
    ADIT_AT(start.fds, 1) = credentials_file(&f->credentials, "server.key");
    ADIT_AT(start.fds, 2) = credentials_file(&f->credentials, "token.key");
    assert_ok(adit_message_text_set(&start.domain, ADIT_BYTES("adit.localhost")));
    f->worker->door.fd = -1;
    adit_log_init(&f->worker->log, -1, ADIT_LOG_TEXT, ADIT_BYTES("worker"));
    assert_ok(worker_start(f->worker, &start));
    adit_message_fds_close(&start);
    assert_ok(adit_channel_pair(&ends[0], &ends[1]));
    assert_ok(adit_channel_open(&f->supervisor, ends[0], ADIT_EDGE_SUPERVISOR_WORKER,
                                ADIT_EDGE_WORKER_SUPERVISOR));
    assert_ok(adit_channel_open(&f->worker->supervisor, ends[1], ADIT_EDGE_WORKER_SUPERVISOR,
                                ADIT_EDGE_SUPERVISOR_WORKER));
    assert_ok(worker_supervisor_watch(f->worker));
}

static inline void wire_door(struct fixture *f)
{
    struct adit_message wire = {.type = ADIT_MESSAGE_WIRE_DOOR, .fd_count = 1};
    int ours = -1;
    adit_channel_close(&f->door);
    assert_ok(adit_channel_pair(&ours, &wire.fds[0]));
    assert_ok(adit_channel_open(&f->door, ours, ADIT_EDGE_DOOR_WORKER, ADIT_EDGE_WORKER_DOOR));
    assert_ok(adit_channel_send(&f->supervisor, &wire));
}

static inline int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->worker = calloc(1, sizeof(*f->worker));
    assert_non_null(f->worker);
    f->door.fd = -1;
    f->program = -1;
    credentials_open(&f->credentials);
    write_token_key(f);
    start_worker(f);
    assert_ok(adit_loop_open(&f->loop, 64, 64));
    assert_ok(adit_hub_init(&f->hub, &(struct adit_hub_options){
                                         .loop = &f->loop,
                                         .ops = &agent_ops,
                                         .context = f,
                                         .role = ADIT_SESSION_CLIENT,
                                         .links_max = 8,
                                         .pumps_max = 32,
                                         .chunks_max = 64,
                                         .limits = adit_mux_limits_default()}));
    wire_door(f);
    (void)expect(f, &f->door, ADIT_MESSAGE_OWN_END);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    adit_hub_deinit(&f->hub);
    adit_socket_close(&f->program);
    adit_loop_close(&f->loop);
    worker_close(f->worker);
    adit_channel_close(&f->supervisor);
    adit_channel_close(&f->door);
    credentials_close(&f->credentials);
    free(f->worker);
    free(f);
    return 0;
}

static inline void connect_agent(struct fixture *f, uint64_t index)
{
    struct adit_message agent = {.type = ADIT_MESSAGE_AGENT, .request = 900 + index, .fd_count = 1};
    int far = -1;
    loopback_pair(&agent.fds[0], &far);
    assert_ok(adit_channel_send(&f->door, &agent));
    ADIT_AT(f->agents, index) = (struct agent_side){0};
    const struct adit_link_options options = {.fd = far,
                                              .tls = f->credentials.client_tls,
                                              .server_name = ADIT_BYTES("connect.adit.localhost"),
                                              .user = index};
    struct adit_handle link = {0};
    assert_ok(adit_link_open(&f->hub, &options, &link));
    turn_until(f, ADIT_AT(f->agents, index).opens == 1);
}

struct hello {
    const char *account, *instance;
    const char *names;   /* null: all */
    const char *feature; /* null: none */
    uint8_t id, parent, allows, key;
    uint64_t expiry_s;
    uint32_t version, slot;
    bool is_asking; /* for a port, right behind it */
};

static const struct hello good_hello = {.account = "acme",
                                        .instance = "0123456789abcdef0123456789abcdef",
                                        .id = 1,
                                        .allows = ADIT_TOKEN_ALLOWS_TCP | ADIT_TOKEN_ALLOWS_HTTP |
                                                  ADIT_TOKEN_ALLOWS_TLS,
                                        .expiry_s = ADIT_TOKEN_EXPIRES_NEVER,
                                        .version = 1};

static inline void ask(struct fixture *f, size_t index, uint32_t bind, uint16_t port)
{
    struct adit_control message = {.type = ADIT_CONTROL_BIND};
    message.bind.bind = bind;
    message.bind.kind = ADIT_TUNNEL_TCP;
    message.bind.remote_port = port;
    assert_ok(adit_link_send(&f->hub, ADIT_AT(f->agents, index).link, &message));
}

static inline void say_hello(struct fixture *f, size_t index, const struct hello *hello)
{
    struct adit_control message = {.type = ADIT_CONTROL_HELLO};
    struct adit_token_record record = {.kind = ADIT_TOKEN_USER,
                                       .allows = hello->allows,
                                       .key_id = WORKER_TOKEN_KEY_ID,
                                       .id = {hello->id},
                                       .parent = {hello->parent},
                                       .expiry_s = hello->expiry_s};
    uint8_t key[WORKER_TOKEN_KEY_BYTES] = {0};
    uint8_t text[ADIT_TOKEN_TEXT_MAX] = {0};
    struct adit_writer token = adit_writer_of(ADIT_SPAN_OF(text));
    assert_ok(adit_span_copy(ADIT_SPAN_OF(key), ADIT_BYTES_OF(token_key)));
    ADIT_AT(key, 31) = hello->key;
    assert_ok(adit_token_account_set(&record, adit_bytes_of_text(hello->account)));
    assert_ok(adit_token_names_set(&record.names,
                                   adit_bytes_of_text(hello->names ? hello->names : "*")));
    assert_ok(adit_token_mint(&token, &record, ADIT_BYTES_OF(key), adit_hmac_sha256));
    message.hello.version = hello->version;
    message.hello.slot = hello->slot;
    if (hello->feature) {
        assert_ok(adit_control_add_feature(&message.hello.features,
                                           adit_bytes_of_text(hello->feature)));
    }
    assert_ok(ADIT_FIELD_SET(message.hello.token, adit_writer_bytes(&token)));
    assert_ok(ADIT_FIELD_SET(message.hello.instance, adit_bytes_of_text(hello->instance)));
    struct agent_side *side = &ADIT_AT(f->agents, index);
    int before = side->messages;
    assert_ok(adit_link_send(&f->hub, side->link, &message));
    if (hello->is_asking) {
        ask(f, index, 1, 0);
    }
    turn_until(f, side->messages > before);
}

static inline void log_in(struct fixture *f, uint64_t index, const struct hello *hello)
{
    connect_agent(f, index);
    say_hello(f, index, hello);
    assert_int_equal(ADIT_AT(f->agents, index).message.type, ADIT_CONTROL_WELCOME);
}

static inline void ask_name(struct fixture *f, size_t index, enum adit_tunnel kind,
                            const char *name)
{
    struct adit_control message = {.type = ADIT_CONTROL_BIND};
    message.bind.bind = 7;
    message.bind.kind = kind;
    assert_ok(ADIT_FIELD_SET(message.bind.name, adit_bytes_of_text(name)));
    assert_ok(ADIT_FIELD_SET(message.bind.hint, ADIT_BYTES("00112233aabbccdd")));
    assert_ok(ADIT_FIELD_SET(message.bind.host_header, ADIT_BYTES("app.test")));
    assert_ok(adit_link_send(&f->hub, ADIT_AT(f->agents, index).link, &message));
}

/* Answers the worker's CLAIM as a door would. */
static inline void claimed(struct fixture *f, const struct adit_message *claim, const char *name)
{
    struct adit_message yes = {
        .type = ADIT_MESSAGE_CLAIMED, .request = claim->request, .session = claim->session};
    assert_ok(adit_message_text_set(&yes.name, adit_bytes_of_text(name)));
    assert_ok(adit_channel_send(&f->door, &yes));
}

static inline void bind_name(struct fixture *f, size_t index, enum adit_tunnel kind,
                             const char *name)
{
    struct agent_side *side = &ADIT_AT(f->agents, index);
    int before = side->messages;
    ask_name(f, index, kind, name);
    struct adit_message claim = expect(f, &f->door, ADIT_MESSAGE_CLAIM);
    assert_bytes(adit_message_text_get(&claim.name), adit_bytes_of_text(name));
    claimed(f, &claim, name);
    turn_until(f, side->messages > before);
    assert_int_equal(side->message.type, ADIT_CONTROL_BOUND);
}

static inline void expect_refusal(struct fixture *f, size_t index, int before, const char *code)
{
    struct agent_side *side = &ADIT_AT(f->agents, index);
    turn_until(f, side->messages > before);
    assert_int_equal(side->message.type, ADIT_CONTROL_REFUSED);
    assert_bytes(ADIT_FIELD_BYTES(side->message.refused.code), adit_bytes_of_text(code));
}

/* Answers the worker's BIND as a door would; returns the listener's address. */
static inline struct adit_address grant(struct fixture *f, struct adit_message *wanted,
                                        int *out_listener)
{
    struct adit_address address = {0};
    *out_listener = loopback_listen(&address);
    struct adit_message bound = {.type = ADIT_MESSAGE_BOUND,
                                 .request = wanted->request,
                                 .session = wanted->session,
                                 .port = address.port,
                                 .fds = {dup(*out_listener)},
                                 .fd_count = 1};
    assert_ok(adit_channel_send(&f->door, &bound));
    return address;
}

static inline void bind_port(struct fixture *f, size_t index, struct adit_address *out_address,
                             int *out_listener)
{
    struct agent_side *side = &ADIT_AT(f->agents, index);
    int before = side->messages;
    ask(f, index, 1, 0);
    struct adit_message wanted = expect(f, &f->door, ADIT_MESSAGE_BIND);
    *out_address = grant(f, &wanted, out_listener);
    turn_until(f, side->messages > before);
    assert_int_equal(side->message.type, ADIT_CONTROL_BOUND);
    assert_int_equal(side->message.bound.port, out_address->port);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
