/* A whole worker in this process; the test plays its supervisor, its door and its agents.
 * Covers agents.c, binds.c, channels.c, orphans.c, start.c, visitors.c. */
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
    struct credentials credentials;
};

static const uint8_t token_key[WORKER_TOKEN_KEY_BYTES] = {1, 2, 3};

static struct agent_side *side_of(void *context, uint64_t user)
{
    struct fixture *f = context;
    return &ADIT_AT(f->agents, user);
}

static void link_open(void *context, struct adit_handle link, uint64_t user)
{
    side_of(context, user)->link = link;
    side_of(context, user)->opens++;
}

static void link_message(void *context, struct adit_handle link, uint64_t user,
                         const struct adit_control *message)
{
    (void)link;
    side_of(context, user)->message = *message;
    side_of(context, user)->messages++;
}

static void link_closed(void *context, struct adit_handle link, uint64_t user,
                        struct adit_status why)
{
    (void)link;
    (void)why;
    side_of(context, user)->closes++;
}

static void pump_open(void *context, struct adit_handle link, struct adit_handle pump,
                      const struct adit_stream_head *head)
{
    struct fixture *f = context;
    (void)link;
    f->agents[0].head = *head;
    f->agents[0].streams++;
    adit_pump_refuse(&f->hub, pump, ADIT_DIAL_REFUSED);
}

static const struct adit_hub_ops agent_ops = {
    .link_open = link_open,
    .link_message = link_message,
    .link_closed = link_closed,
    .pump_open = pump_open,
};

static void turn(struct fixture *f)
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

static struct adit_message expect(struct fixture *f, struct adit_channel *channel,
                                  enum adit_message_type type)
{
    for (int i = 0; i < TURNS_MAX; i++) {
        struct adit_message message = {0};
        enum adit_io io = ADIT_IO_BLOCKED;
        assert_ok(adit_channel_receive(channel, &message, &io));
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

static void write_token_key(const struct fixture *f)
{
    uint8_t path[128] = {0};
    uint8_t hex[2 * WORKER_TOKEN_KEY_BYTES] = {0};
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(hex));
    assert_ok(adit_write_hex(&text, ADIT_BYTES_OF(token_key)));
    credentials_path(&f->credentials, "token.key", ADIT_SPAN_OF(path));
    assert_ok(adit_file_write((const char *)path, 0600, adit_writer_bytes(&text)));
}

static void start_worker(struct fixture *f)
{
    struct adit_message start = {.type = ADIT_MESSAGE_WORKER_START, .fd_count = 3};
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

static void wire_door(struct fixture *f)
{
    struct adit_message wire = {.type = ADIT_MESSAGE_WIRE_DOOR, .fd_count = 1};
    int ours = -1;
    adit_channel_close(&f->door);
    assert_ok(adit_channel_pair(&ours, &wire.fds[0]));
    assert_ok(adit_channel_open(&f->door, ours, ADIT_EDGE_DOOR_WORKER, ADIT_EDGE_WORKER_DOOR));
    assert_ok(adit_channel_send(&f->supervisor, &wire));
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->worker = calloc(1, sizeof(*f->worker));
    assert_non_null(f->worker);
    f->door.fd = -1;
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

static int teardown(void **state)
{
    struct fixture *f = *state;
    adit_hub_deinit(&f->hub);
    adit_loop_close(&f->loop);
    worker_close(f->worker);
    adit_channel_close(&f->supervisor);
    adit_channel_close(&f->door);
    credentials_close(&f->credentials);
    free(f->worker);
    free(f);
    return 0;
}

static void connect_agent(struct fixture *f, uint64_t index)
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
    uint8_t id, allows, key;
    uint64_t expiry_s;
    uint32_t version;
};

static const struct hello good_hello = {.account = "acme",
                                        .instance = "0123456789abcdef0123456789abcdef",
                                        .id = 1,
                                        .allows = ADIT_TOKEN_ALLOWS_TCP,
                                        .expiry_s = ADIT_TOKEN_EXPIRES_NEVER,
                                        .version = 1};

static void say_hello(struct fixture *f, size_t index, const struct hello *hello)
{
    struct adit_control message = {.type = ADIT_CONTROL_HELLO};
    struct adit_token_record record = {.kind = ADIT_TOKEN_USER,
                                       .allows = hello->allows,
                                       .key_id = WORKER_TOKEN_KEY_ID,
                                       .id = {hello->id},
                                       .expiry_s = hello->expiry_s};
    uint8_t key[WORKER_TOKEN_KEY_BYTES] = {0};
    uint8_t text[ADIT_TOKEN_TEXT_MAX] = {0};
    struct adit_writer token = adit_writer_of(ADIT_SPAN_OF(text));
    assert_ok(adit_span_copy(ADIT_SPAN_OF(key), ADIT_BYTES_OF(token_key)));
    ADIT_AT(key, 31) = hello->key;
    assert_ok(adit_token_account_set(&record, adit_bytes_of_text(hello->account)));
    assert_ok(adit_token_names_set(&record.names, ADIT_BYTES("*")));
    assert_ok(adit_token_mint(&token, &record, ADIT_BYTES_OF(key), adit_hmac_sha256));
    message.hello.version = hello->version;
    assert_ok(ADIT_FIELD_SET(message.hello.token, adit_writer_bytes(&token)));
    assert_ok(ADIT_FIELD_SET(message.hello.instance, adit_bytes_of_text(hello->instance)));
    struct agent_side *side = &ADIT_AT(f->agents, index);
    int before = side->messages;
    assert_ok(adit_link_send(&f->hub, side->link, &message));
    turn_until(f, side->messages > before);
}

static void log_in(struct fixture *f, uint64_t index, const struct hello *hello)
{
    connect_agent(f, index);
    say_hello(f, index, hello);
    assert_int_equal(ADIT_AT(f->agents, index).message.type, ADIT_CONTROL_WELCOME);
}

static void ask(struct fixture *f, size_t index, uint32_t bind, uint16_t port)
{
    struct adit_control message = {.type = ADIT_CONTROL_BIND};
    message.bind.bind = bind;
    message.bind.kind = ADIT_TUNNEL_TCP;
    message.bind.remote_port = port;
    assert_ok(adit_link_send(&f->hub, ADIT_AT(f->agents, index).link, &message));
}

/* Answers the worker's BIND as a door would; returns the listener's address. */
static struct adit_address grant(struct fixture *f, struct adit_message *wanted, int *out_listener)
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

static void bind_port(struct fixture *f, size_t index, struct adit_address *out_address,
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

static void each_bad_login_has_its_code(void **state)
{
    struct fixture *f = *state;
    struct hello cases[4] = {good_hello, good_hello, good_hello, good_hello};
    static const char *const codes[] = {"token_invalid", "token_expired", "version_unsupported",
                                        "bad_login"};
    ADIT_AT(cases, 0).key = 9;
    ADIT_AT(cases, 1).expiry_s = 1000;
    ADIT_AT(cases, 2).version = 2;
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        connect_agent(f, 0);
        if (i == 3) {
            ask(f, 0, 1, 0); /* a bind before the hello */
            turn_until(f, f->agents[0].messages == 1);
        } else {
            say_hello(f, 0, &ADIT_AT(cases, i));
        }
        assert_int_equal(f->agents[0].message.type, ADIT_CONTROL_REFUSED);
        assert_bytes(ADIT_FIELD_BYTES(f->agents[0].message.refused.code),
                     adit_bytes_of_text(ADIT_AT(codes, i)));
        turn_until(f, f->agents[0].closes == 1);
        assert_int_equal(expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE).request, 900);
    }
    turn_until(f, f->worker->agents.used == 0);
    assert_int_equal(f->worker->counters.logins, 0);
}

static void a_visitor_becomes_a_stream(void **state)
{
    struct fixture *f = *state;
    struct adit_address address = {0};
    int listener = -1;
    int visitor = -1;
    log_in(f, 0, &good_hello);
    assert_int_equal(expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE).request, 900);
    assert_bytes(ADIT_FIELD_BYTES(f->agents[0].message.welcome.account), ADIT_BYTES("acme"));
    bind_port(f, 0, &address, &listener);
    assert_ok(adit_socket_connect(&address, &visitor));
    turn_until(f, f->agents[0].streams == 1);
    assert_int_equal(f->agents[0].head.bind, 1);
    assert_int_equal(f->agents[0].head.kind, ADIT_TUNNEL_TCP);
    assert_int_equal(f->agents[0].head.visitor.family, 4);
    turn_until(f, f->worker->hub.pumps.used == 0); /* the agent refused it */
    uint8_t room[4] = {0};
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    assert_fails(adit_socket_receive(visitor, ADIT_SPAN_OF(room), &count, &io), SYSTEM);
    adit_socket_close(&visitor);
    adit_link_close(&f->hub, f->agents[0].link, adit_ok());
    struct adit_message unbind = expect(f, &f->door, ADIT_MESSAGE_UNBIND);
    assert_int_equal(unbind.port, address.port);
    assert_int_equal(unbind.count, 1); /* kept for the grace */
    adit_socket_close(&listener);
}

static void rights_are_checked_at_each_bind(void **state)
{
    struct fixture *f = *state;
    struct hello narrow = good_hello;
    narrow.allows = ADIT_TOKEN_ALLOWS_HTTP;
    log_in(f, 0, &narrow);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    ask(f, 0, 1, 0);
    turn_until(f, f->agents[0].messages == 2);
    assert_bytes(ADIT_FIELD_BYTES(f->agents[0].message.refused.code), ADIT_BYTES("token_scope"));
    assert_int_equal(f->agents[0].message.refused.bind, 1);
    assert_int_equal(f->agents[0].closes, 0); /* the session lives */
    assert_int_equal(f->worker->binds.used, 0);
}

static void the_doors_refusals_reach_the_agent(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum adit_port_refusal refusal;
        const char *code;
    } rows[] = {{ADIT_PORT_REFUSAL_TAKEN, "port_taken"},
                {ADIT_PORT_REFUSAL_RANGE, "port_range"},
                {ADIT_PORT_REFUSAL_MOVED, "port_taken"}, /* nobody here has it */
                {ADIT_PORT_REFUSAL_LIMIT, "limit_reached"}};
    log_in(f, 0, &good_hello);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        ask(f, 0, 1, 700);
        struct adit_message wanted = expect(f, &f->door, ADIT_MESSAGE_BIND);
        assert_int_equal(wanted.port, 700);
        struct adit_message no = {.type = ADIT_MESSAGE_BIND_REFUSED,
                                  .request = wanted.request,
                                  .refusal = ADIT_AT(rows, i).refusal};
        assert_ok(adit_channel_send(&f->door, &no));
        int before = f->agents[0].messages;
        turn_until(f, f->agents[0].messages > before);
        assert_bytes(ADIT_FIELD_BYTES(f->agents[0].message.refused.code),
                     adit_bytes_of_text(ADIT_AT(rows, i).code));
    }
}

static void a_newer_session_of_the_same_agent_takes_over(void **state)
{
    struct fixture *f = *state;
    struct adit_address address = {0};
    int listener = -1;
    log_in(f, 0, &good_hello);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    bind_port(f, 0, &address, &listener);
    struct hello other = good_hello;
    other.instance = "ffffffffffffffffffffffffffffffff";
    log_in(f, 1, &other); /* another process with the same token: both may stay */
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    log_in(f, 2, &good_hello);
    assert_int_equal(expect(f, &f->door, ADIT_MESSAGE_UNBIND).port, address.port);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    turn_until(f, f->agents[0].closes == 1);
    assert_int_equal(ADIT_AT(f->agents, 1).closes, 0);
    assert_int_equal(f->worker->counters.evictions, 1);
    adit_socket_close(&listener);
}

static void a_new_door_is_told_what_is_owned(void **state)
{
    struct fixture *f = *state;
    struct adit_address address = {0};
    int listener = -1;
    log_in(f, 0, &good_hello);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    bind_port(f, 0, &address, &listener);
    ask(f, 0, 2, 0); /* asked, and the old door dies before it answers */
    (void)expect(f, &f->door, ADIT_MESSAGE_BIND);
    wire_door(f);
    struct adit_message own = expect(f, &f->door, ADIT_MESSAGE_OWN);
    assert_int_equal(own.port, address.port);
    assert_bytes(adit_message_text_get(&own.account), ADIT_BYTES("acme"));
    adit_message_fds_close(&own);
    (void)expect(f, &f->door, ADIT_MESSAGE_OWN_END);
    (void)expect(f, &f->door, ADIT_MESSAGE_BIND);
    adit_socket_close(&listener);
}

static void orphans_are_told_why(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum adit_orphan reason;
        const char *begins;
    } rows[] = {{ADIT_ORPHAN_PLAIN, "HTTP/1.1 400 "},
                {ADIT_ORPHAN_OTHER_ALPN, "\x15\x03\x03\x00\x02\x02\x78"},
                {ADIT_ORPHAN_BAD_HELLO, "\x15\x03\x03\x00\x02\x02\x32"},
                {ADIT_ORPHAN_TOO_OLD, "\x15\x03\x03\x00\x02\x02\x46"}};
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct adit_message orphan = {
            .type = ADIT_MESSAGE_ORPHAN, .reason = ADIT_AT(rows, i).reason, .fd_count = 1};
        int far = -1;
        uint8_t got[512] = {0};
        size_t count = 0;
        loopback_pair(&orphan.fds[0], &far);
        assert_ok(adit_channel_send(&f->door, &orphan));
        enum adit_io io = ADIT_IO_BLOCKED;
        for (int turns = 0; turns < TURNS_MAX && io == ADIT_IO_BLOCKED; turns++) {
            turn(f);
            assert_ok(adit_socket_receive(far, ADIT_SPAN_OF(got), &count, &io));
        }
        struct adit_bytes begins = {.ptr = (const uint8_t *)ADIT_AT(rows, i).begins,
                                    .len = i == 0 ? 13 : 7};
        assert_true(adit_bytes_starts_with(adit_bytes_first(ADIT_BYTES_OF(got), count), begins));
        adit_socket_close(&far);
        turn_until(f, f->worker->orphans.used == 0);
    }
}

static void it_ends_with_its_supervisor(void **state)
{
    struct fixture *f = *state;
    adit_channel_close(&f->supervisor);
    turn_until(f, f->worker->loop.is_stopping);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_bad_login_has_its_code),
        TEST(a_visitor_becomes_a_stream),
        TEST(rights_are_checked_at_each_bind),
        TEST(the_doors_refusals_reach_the_agent),
        TEST(a_newer_session_of_the_same_agent_takes_over),
        TEST(a_new_door_is_told_what_is_owned),
        TEST(orphans_are_told_why),
        TEST(it_ends_with_its_supervisor),
    };
    return cmocka_run_group_tests_name("edge/worker/worker", tests, NULL, NULL);
}
