/* An agent against a server that the test plays: a hub of its own behind a real port.
 * Covers changed.c, locals.c, tunnels.c. */
#include "agent/agent.h"

#include "credentials.h"
#include "loopback.h"

#define TURNS_MAX 40000

struct fixture {
    struct credentials credentials;
    struct adit_loop loop, server_loop;
    struct adit_hub hub; /* the server's */
    struct adit_agent agent;
    struct adit_agent_tunnel tunnel;
    struct adit_address server, program;
    int listener, program_listener;
    struct adit_handle link; /* the server's, of the newest session */
    struct adit_control hello, bind;
    int links, hellos, binds, unbinds, links_closed;
    enum adit_dial_result dialled;
    enum adit_pump_end pump_end;
    int dials, pumps_closed;
    bool has_auto_answer; /* welcome and bound by themselves */
    /* what the agent told */
    int ready, disconnected, reconnected, refused, distrusted, local_failed;
    uint16_t bound_port;
    uint64_t wait_us;
    char code[33];
    const struct adit_proxy *proxy; /* null: none */
};

static void server_send(struct fixture *f, const struct adit_control *message)
{
    assert_ok(adit_link_send(&f->hub, f->link, message));
}

static void server_welcome(struct fixture *f)
{
    struct adit_control message = {.type = ADIT_CONTROL_WELCOME};
    message.welcome.version = 1;
    assert_ok(ADIT_FIELD_SET(message.welcome.session, ADIT_BYTES("0000000000000001")));
    assert_ok(ADIT_FIELD_SET(message.welcome.account, ADIT_BYTES("acme")));
    server_send(f, &message);
}

static void server_bound(struct fixture *f, uint16_t port)
{
    struct adit_control message = {.type = ADIT_CONTROL_BOUND};
    message.bound.bind = 1;
    message.bound.port = port;
    assert_ok(ADIT_FIELD_SET(message.bound.url, ADIT_BYTES("tcp://adit.localhost:1")));
    server_send(f, &message);
}

static void link_open(void *context, struct adit_handle link, uint64_t user)
{
    struct fixture *f = context;
    (void)user;
    f->link = link;
    f->links++;
}

static void link_message(void *context, struct adit_handle link, uint64_t user,
                         const struct adit_control *message)
{
    struct fixture *f = context;
    (void)link;
    (void)user;
    if (message->type == ADIT_CONTROL_HELLO) {
        f->hello = *message;
        f->hellos++;
        if (f->has_auto_answer) {
            server_welcome(f);
        }
    } else if (message->type == ADIT_CONTROL_UNBIND) {
        f->unbinds++;
    } else if (message->type == ADIT_CONTROL_BIND) {
        f->bind = *message;
        f->binds++;
        if (f->has_auto_answer) {
            uint16_t wanted = (uint16_t)message->bind.remote_port;
            server_bound(f, wanted > 0 ? wanted : 20007);
        }
    }
}

static void link_closed(void *context, struct adit_handle link, uint64_t user,
                        struct adit_status why)
{
    struct fixture *f = context;
    (void)link;
    (void)user;
    (void)why;
    f->links_closed++;
}

static void pump_dialled(void *context, struct adit_handle pump, uint64_t user,
                         enum adit_dial_result result)
{
    struct fixture *f = context;
    (void)pump;
    (void)user;
    f->dialled = result;
    f->dials++;
}

static void pump_closed(void *context, struct adit_handle pump, uint64_t user,
                        enum adit_pump_end end)
{
    struct fixture *f = context;
    (void)pump;
    (void)user;
    f->pump_end = end;
    f->pumps_closed++;
}

static const struct adit_hub_ops server_ops = {
    .link_open = link_open,
    .link_message = link_message,
    .link_closed = link_closed,
    .pump_dialled = pump_dialled,
    .pump_closed = pump_closed,
};

static void told_ready(void *context, const struct adit_agent_tunnel *tunnel,
                       const struct adit_control_bound *bound, bool is_again)
{
    struct fixture *f = context;
    (void)tunnel;
    f->ready += is_again ? 0 : 1;
    f->bound_port = (uint16_t)bound->port;
}

static void told_disconnected(void *context, struct adit_bytes reason, uint64_t wait_us)
{
    struct fixture *f = context;
    assert_true(reason.len > 0);
    f->disconnected++;
    f->wait_us = wait_us;
}

static void told_reconnected(void *context)
{
    struct fixture *f = context;
    f->reconnected++;
}

static void told_refused(void *context, const struct adit_agent_refusal *refusal)
{
    struct fixture *f = context;
    struct adit_writer code = adit_writer_of((struct adit_span){(uint8_t *)f->code, 32});
    assert_ok(adit_write_bytes(&code, refusal->code));
    f->refused++;
}

static void told_distrusted(void *context, struct adit_bytes why)
{
    struct fixture *f = context;
    assert_true(why.len > 0);
    f->distrusted++;
}

static void told_notice(void *context, struct adit_bytes message)
{
    (void)context;
    (void)message;
}

static void told_local_failed(void *context, const struct adit_agent_tunnel *tunnel,
                              enum adit_dial_result result)
{
    struct fixture *f = context;
    (void)tunnel;
    (void)result;
    f->local_failed++;
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

static void accept_ready(void *context, uint64_t key, uint32_t happened)
{
    struct fixture *f = context;
    (void)key;
    (void)happened;
    struct adit_address peer = {0};
    struct adit_handle link = {0};
    int fd = -1;
    enum adit_io io = ADIT_IO_DONE;
    assert_ok(adit_socket_accept(f->listener, &fd, &peer, &io));
    if (io == ADIT_IO_DONE) {
        const struct adit_link_options options = {.fd = fd, .tls = f->credentials.server_tls};
        assert_ok(adit_link_open(&f->hub, &options, &link));
    }
}

static void turn(struct fixture *f)
{
    assert_ok(adit_loop_turn(&f->server_loop, 0));
    assert_ok(adit_loop_turn(&f->loop, 500));
}

#define turn_until(f, condition)                                                                \
    do {                                                                                        \
        for (int turns = 0; turns < TURNS_MAX && !(condition); turns++) {                       \
            turn(f);                                                                            \
        }                                                                                       \
        assert_true(condition);                                                                 \
    } while (0)

static void open_agent(struct fixture *f, const char *host)
{
    const struct adit_agent_options options = {
        .loop = &f->loop,
        .tls = f->credentials.client_tls,
        .events = &events,
        .context = f,
        .server_host = adit_bytes_of_text(host),
        .server_port = f->server.port,
        .proxy = f->proxy,
        .token = ADIT_BYTES("adit_a-token-is-not-looked-at-here"),
        .tunnels = &f->tunnel,
        .tunnel_count = 1,
    };
    assert_ok(adit_agent_open(&f->agent, &options));
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct adit_handle watch = {0};
    assert_non_null(f);
    credentials_open(&f->credentials);
    f->has_auto_answer = true;
    f->listener = loopback_listen(&f->server);
    f->program_listener = loopback_listen(&f->program);
    f->tunnel.kind = ADIT_TUNNEL_TCP;
    f->tunnel.port = f->program.port;
    assert_ok(ADIT_FIELD_SET(f->tunnel.host, ADIT_BYTES("127.0.0.1")));
    assert_ok(adit_loop_open(&f->loop, 64, 64));
    assert_ok(adit_loop_open(&f->server_loop, 64, 64));
    assert_ok(adit_hub_init(&f->hub, &(struct adit_hub_options){
                                         .loop = &f->server_loop,
                                         .ops = &server_ops,
                                         .context = f,
                                         .role = ADIT_SESSION_SERVER,
                                         .links_max = 8,
                                         .pumps_max = 16,
                                         .chunks_max = 64,
                                         .limits = adit_mux_limits_default()}));
    assert_ok(adit_loop_watch(&f->server_loop, f->listener, ADIT_LOOP_READ | ADIT_LOOP_LEVEL,
                              accept_ready, f, 0, &watch));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    adit_agent_close(&f->agent);
    adit_hub_deinit(&f->hub);
    adit_loop_close(&f->loop);
    adit_loop_close(&f->server_loop);
    adit_socket_close(&f->listener);
    adit_socket_close(&f->program_listener);
    credentials_close(&f->credentials);
    free(f);
    return 0;
}

static void it_logs_in_and_asks(void **state)
{
    struct fixture *f = *state;
    f->tunnel.remote_port = 20001;
    open_agent(f, "connect.adit.localhost");
    turn_until(f, f->ready == 1);
    assert_bytes(ADIT_FIELD_BYTES(f->hello.hello.token),
                 ADIT_BYTES("adit_a-token-is-not-looked-at-here"));
    assert_int_equal(f->hello.hello.instance.len, 32);
    assert_int_equal(f->bind.bind.remote_port, 20001);
    assert_int_equal(f->bound_port, 20001);
    assert_int_equal(f->disconnected, 0);
}

/* A stream for bind `bind`; the visitor's end of its socket. */
static int visit(struct fixture *f, uint32_t bind)
{
    int near = -1;
    int far = -1;
    struct adit_handle pump = {0};
    const struct adit_stream_head head = {.kind = ADIT_TUNNEL_TCP, .bind = bind};
    loopback_pair(&near, &far);
    assert_ok(adit_pump_open(
        &f->hub, &(struct adit_pump_options){.link = f->link, .fd = near, .head = &head}, &pump));
    return far;
}

static void a_stream_is_dialled_to_the_program(void **state)
{
    struct fixture *f = *state;
    open_agent(f, "localhost");
    turn_until(f, f->ready == 1);
    int visitor = visit(f, 1);
    turn_until(f, f->dials == 1);
    assert_int_equal(f->dialled, ADIT_DIAL_CONNECTED);
    int program = loopback_accept(f->program_listener);
    size_t count = 0;
    enum adit_io io = ADIT_IO_BLOCKED;
    uint8_t got[16] = {0};
    assert_ok(adit_socket_send(visitor, ADIT_BYTES("to you"), &count, &io));
    io = ADIT_IO_BLOCKED;
    for (int i = 0; i < TURNS_MAX && io == ADIT_IO_BLOCKED; i++) {
        turn(f);
        assert_ok(adit_socket_receive(program, ADIT_SPAN_OF(got), &count, &io));
    }
    assert_bytes(adit_bytes_first(ADIT_BYTES_OF(got), count), ADIT_BYTES("to you"));
    adit_socket_close(&visitor);
    adit_socket_close(&program);
    turn_until(f, f->pumps_closed == 1 && f->agent.hub.pumps.used == 0);
    assert_int_equal(f->agent.locals.used, 0);
}

static void failed_dials_are_told(void **state)
{
    struct fixture *f = *state;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->ready == 1);
    int stranger = visit(f, 2); /* a bind that this agent never asked for */
    turn_until(f, f->dials == 1);
    assert_int_equal(f->dialled, ADIT_DIAL_UNKNOWN_BIND);
    assert_int_equal(f->local_failed, 0);
    adit_socket_close(&f->program_listener);
    int visitor = visit(f, 1);
    turn_until(f, f->dials == 2);
    assert_int_equal(f->dialled, ADIT_DIAL_REFUSED);
    assert_int_equal(f->local_failed, 1);
    adit_socket_close(&stranger);
    adit_socket_close(&visitor);
    turn_until(f, f->agent.hub.pumps.used == 0);
    assert_int_equal(f->agent.locals.used, 0);
}

static void it_comes_back_with_its_port(void **state)
{
    struct fixture *f = *state;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->ready == 1);
    assert_int_equal(f->bind.bind.remote_port, 0);
    f->agent.in_since_us = 1; /* as if it had lived long: the first retry is within 500 ms */
    adit_link_close(&f->hub, f->link, adit_ok());
    turn_until(f, f->disconnected == 1);
    assert_true(f->wait_us < ADIT_BACKOFF_FIRST_US);
    turn_until(f, f->reconnected == 1);
    assert_int_equal(f->bind.bind.remote_port, 20007); /* what it was given the first time */
    assert_int_equal(f->ready, 1);                     /* the same address is not told again */
    assert_int_equal(f->hellos, 2);
}

static void refuse(struct fixture *f, enum adit_refusal refusal, uint32_t bind)
{
    struct adit_control message = adit_control_refusal(refusal, bind);
    server_send(f, &message);
}

static void a_final_refusal_ends_it(void **state)
{
    struct fixture *f = *state;
    f->has_auto_answer = false;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->hellos == 1);
    refuse(f, ADIT_REFUSAL_TOKEN_EXPIRED, 0);
    turn_until(f, f->refused == 1);
    assert_string_equal(f->code, "token_expired");
    turn_until(f, f->links_closed == 1);
    for (int i = 0; i < 200; i++) {
        turn(f);
    }
    assert_int_equal(f->links, 1); /* no endless retry */
    assert_int_equal(f->disconnected, 0);
}

static void a_lost_port_is_replaced_by_any(void **state)
{
    struct fixture *f = *state;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->ready == 1);
    f->has_auto_answer = false;
    f->agent.in_since_us = 1;
    adit_link_close(&f->hub, f->link, adit_ok());
    turn_until(f, f->hellos == 2);
    server_welcome(f);
    turn_until(f, f->binds == 2);
    refuse(f, ADIT_REFUSAL_PORT_TAKEN, 1); /* it was given by chance: any other will do */
    turn_until(f, f->binds == 3);
    assert_int_equal(f->bind.bind.remote_port, 0);
    server_bound(f, 20009);
    turn_until(f, f->ready == 2);
    assert_int_equal(f->refused, 0);
}

static void server_bound_name(struct fixture *f, const char *name)
{
    struct adit_control message = {.type = ADIT_CONTROL_BOUND};
    message.bound.bind = 1;
    assert_ok(ADIT_FIELD_SET(message.bound.url, ADIT_BYTES("https://a.adit.localhost")));
    assert_ok(ADIT_FIELD_SET(message.bound.name, adit_bytes_of_text(name)));
    server_send(f, &message);
}

static void a_drawn_name_is_asked_for_again(void **state)
{
    struct fixture *f = *state;
    f->tunnel.kind = ADIT_TUNNEL_HTTP;
    f->has_auto_answer = false;
    assert_ok(ADIT_FIELD_SET(f->tunnel.host_header, ADIT_BYTES("app.test:80")));
    open_agent(f, "127.0.0.1");
    turn_until(f, f->hellos == 1);
    server_welcome(f);
    turn_until(f, f->binds == 1);
    assert_int_equal(f->bind.bind.kind, ADIT_TUNNEL_HTTP);
    assert_int_equal(f->bind.bind.name.len, 0);
    assert_int_equal(f->bind.bind.hint.len, 16);
    assert_bytes(ADIT_FIELD_BYTES(f->bind.bind.host_header), ADIT_BYTES("app.test:80"));
    struct adit_control_bind first = f->bind.bind;
    server_bound_name(f, "calm-owl-7");
    turn_until(f, f->ready == 1);
    f->agent.in_since_us = 1;
    adit_link_close(&f->hub, f->link, adit_ok());
    turn_until(f, f->hellos == 2);
    server_welcome(f);
    turn_until(f, f->binds == 2);
    assert_bytes(ADIT_FIELD_BYTES(f->bind.bind.name), ADIT_BYTES("calm-owl-7"));
    assert_bytes(ADIT_FIELD_BYTES(f->bind.bind.hint), ADIT_FIELD_BYTES(first.hint));
    refuse(f, ADIT_REFUSAL_NAME_TAKEN, 1); /* it was drawn: any other will do */
    turn_until(f, f->binds == 3);
    assert_int_equal(f->bind.bind.name.len, 0);
    assert_int_equal(f->refused, 0);
    refuse(f, ADIT_REFUSAL_TOKEN_SCOPE, 1); /* and this is about the tunnel itself */
    turn_until(f, f->refused == 1);
}

static void a_wanted_name_refused_is_final(void **state)
{
    struct fixture *f = *state;
    f->tunnel.kind = ADIT_TUNNEL_TLS;
    f->has_auto_answer = false;
    assert_ok(ADIT_FIELD_SET(f->tunnel.name, ADIT_BYTES("shop")));
    open_agent(f, "127.0.0.1");
    turn_until(f, f->hellos == 1);
    server_welcome(f);
    turn_until(f, f->binds == 1);
    assert_bytes(ADIT_FIELD_BYTES(f->bind.bind.name), ADIT_BYTES("shop"));
    refuse(f, ADIT_REFUSAL_NAME_TAKEN, 1);
    turn_until(f, f->refused == 1);
    assert_string_equal(f->code, "name_taken");
    assert_int_equal(f->binds, 1);
}

/* The server's address for the tunnel is told to people; nothing is ever dialled by it, by a name
 * that the server gives, or by what a stream's head says. */
static void only_its_own_target_is_dialled(void **state)
{
    struct fixture *f = *state;
    struct adit_address other = {0};
    int trap = loopback_listen(&other);
    f->has_auto_answer = false;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->hellos == 1);
    server_welcome(f);
    turn_until(f, f->binds == 1);
    struct adit_control message = {.type = ADIT_CONTROL_BOUND};
    uint8_t memory[64] = {0};
    struct adit_writer url = adit_writer_of(ADIT_SPAN_OF(memory));
    assert_ok(adit_write_bytes(&url, ADIT_BYTES("tcp://127.0.0.1:")));
    assert_ok(adit_write_decimal(&url, other.port));
    message.bound.bind = 1;
    message.bound.port = other.port;
    assert_ok(ADIT_FIELD_SET(message.bound.url, adit_writer_bytes(&url)));
    assert_ok(ADIT_FIELD_SET(message.bound.name, ADIT_BYTES("localhost")));
    server_send(f, &message);
    turn_until(f, f->ready == 1);
    int near = -1;
    int far = -1;
    struct adit_handle pump = {0};
    const struct adit_stream_head head = {
        .kind = ADIT_TUNNEL_TCP,
        .bind = 1,
        .visitor = {.family = 4, .port = other.port, .ip = {127, 0, 0, 1}}};
    loopback_pair(&near, &far);
    assert_ok(adit_pump_open(
        &f->hub, &(struct adit_pump_options){.link = f->link, .fd = near, .head = &head}, &pump));
    turn_until(f, f->dials == 1);
    int program = loopback_accept(f->program_listener);
    int stray = -1;
    struct adit_address peer = {0};
    enum adit_io io = ADIT_IO_DONE;
    assert_ok(adit_socket_accept(trap, &stray, &peer, &io));
    assert_int_equal(io, ADIT_IO_BLOCKED); /* nobody came */
    adit_socket_close(&trap);
    adit_socket_close(&far);
    adit_socket_close(&program);
}

/* The proxy is a socket of the test's that joins the two: it sees the name, and no more. */
static void a_proxy_leads_to_the_server(void **state)
{
    struct fixture *f = *state;
    struct adit_proxy proxy = {0};
    struct adit_address address = {0};
    int proxy_listener = loopback_listen(&address);
    assert_ok(ADIT_FIELD_SET(proxy.host, ADIT_BYTES("127.0.0.1")));
    proxy.port = address.port;
    f->proxy = &proxy;
    open_agent(f, "connect.adit.localhost");
    for (int i = 0; i < 10; i++) {
        turn(f);
    }
    int near = loopback_accept(proxy_listener);
    uint8_t request[512] = {0};
    size_t count = 0;
    size_t sent = 0;
    enum adit_io io = ADIT_IO_BLOCKED;
    for (int i = 0; i < TURNS_MAX && count == 0; i++) {
        turn(f);
        assert_ok(adit_socket_receive(near, ADIT_SPAN_OF(request), &count, &io));
    }
    assert_true(adit_bytes_starts_with(ADIT_BYTES_OF(request),
                                       ADIT_BYTES("CONNECT connect.adit.localhost:")));
    assert_ok(adit_socket_send(near, ADIT_BYTES("HTTP/1.1 200 OK\r\n\r\n"), &sent, &io));
    /* The test's proxy ends TLS itself instead of carrying bytes: the certificate is the server's. */
    const struct adit_link_options options = {.fd = near, .tls = f->credentials.server_tls};
    struct adit_handle link = {0};
    assert_ok(adit_link_open(&f->hub, &options, &link));
    turn_until(f, f->ready == 1);
    adit_socket_close(&proxy_listener);
}

static void a_wrong_certificate_ends_it(void **state)
{
    struct fixture *f = *state;
    struct credentials other = {0};
    credentials_open(&other);
    struct adit_tls_context *mine = f->credentials.client_tls;
    f->credentials.client_tls = other.client_tls;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->distrusted == 1);
    for (int i = 0; i < 200; i++) {
        turn(f);
    }
    assert_int_equal(f->hellos, 0); /* the token was not sent */
    assert_int_equal(f->disconnected, 0);
    f->credentials.client_tls = mine;
    adit_agent_close(&f->agent);
    credentials_close(&other);
    open_agent(f, "127.0.0.1"); /* for the teardown */
}

static void it_gives_its_tunnels_up_on_the_way_out(void **state)
{
    struct fixture *f = *state;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->ready == 1);
    adit_agent_stop(&f->agent);
    turn_until(f, f->links_closed == 1 && !adit_agent_is_leaving(&f->agent));
    assert_int_equal(f->unbinds, 1);
    assert_int_equal(f->disconnected, 0);
}

static void an_unreachable_server_is_tried_again(void **state)
{
    struct fixture *f = *state;
    adit_socket_close(&f->listener);
    open_agent(f, "127.0.0.1");
    turn_until(f, f->disconnected == 1);
    assert_true(f->wait_us < ADIT_BACKOFF_BASE_US);
    assert_int_equal(f->refused, 0);
}

/* Turns of the agent alone: the server hears and says nothing. */
static void turn_agent_until(struct fixture *f, const int *counter, int wanted)
{
    uint64_t end_us = adit_clock_now_us() + 10 * (uint64_t)ADIT_SECOND_US;
    while (*counter < wanted && adit_clock_now_us() < end_us) {
        assert_ok(adit_loop_turn(&f->loop, 20 * ADIT_MS_US));
    }
    assert_int_equal(*counter, wanted);
}

static void a_change_ends_the_wait(void **state)
{
    struct fixture *f = *state;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->ready == 1);
    f->agent.backoff.failures = 20;
    adit_link_close(&f->hub, f->link, adit_ok());
    turn_until(f, f->disconnected == 1);
    assert_int_equal(f->agent.state, ADIT_AGENT_WAITING);
    adit_agent_changed(&f->agent);
    assert_int_equal(f->agent.state, ADIT_AGENT_DIALING);
    turn_until(f, f->reconnected == 1);
    assert_int_equal(f->agent.backoff.failures, 21); /* the pauses go on growing */
}

static void a_link_that_answers_outlives_a_change(void **state)
{
    struct fixture *f = *state;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->ready == 1);
    for (int i = 0; i < 3; i++) {
        adit_agent_changed(&f->agent);
    }
    assert_true(adit_handle_is_set(f->agent.probe));
    uint64_t end_us = adit_clock_now_us() + ADIT_AGENT_PROBE_US + ADIT_SECOND_US / 2;
    while (adit_clock_now_us() < end_us) {
        turn(f);
    }
    assert_false(adit_handle_is_set(f->agent.probe));
    assert_int_equal(f->disconnected, 0);
}

static void a_silent_link_is_made_anew_after_a_change(void **state)
{
    struct fixture *f = *state;
    open_agent(f, "127.0.0.1");
    turn_until(f, f->ready == 1);
    f->agent.in_since_us = 1; /* as if it had lived long */
    uint64_t from_us = adit_clock_now_us();
    adit_agent_changed(&f->agent);
    turn_agent_until(f, &f->disconnected, 1);
    assert_true(adit_clock_now_us() - from_us < 2 * ADIT_AGENT_PROBE_US);
    assert_true(f->wait_us < ADIT_BACKOFF_FIRST_US);
    turn_until(f, f->reconnected == 1);
    assert_int_equal(f->ready, 1); /* the same address */
}

static void a_handshake_that_hangs_is_begun_anew_after_a_change(void **state)
{
    struct fixture *f = *state;
    open_agent(f, "127.0.0.1");
    for (int i = 0; i < 100 && f->agent.state != ADIT_AGENT_LINKING; i++) {
        assert_ok(adit_loop_turn(&f->loop, 20 * ADIT_MS_US)); /* connected; nobody answers */
    }
    assert_int_equal(f->agent.state, ADIT_AGENT_LINKING);
    adit_agent_changed(&f->agent);
    turn_agent_until(f, &f->disconnected, 1);
    turn_until(f, f->ready == 1);
    adit_agent_stop(&f->agent);
    adit_agent_changed(&f->agent); /* nothing: it has stopped */
    assert_int_equal(f->agent.state, ADIT_AGENT_STOPPED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_logs_in_and_asks),
        TEST(a_stream_is_dialled_to_the_program),
        TEST(failed_dials_are_told),
        TEST(it_comes_back_with_its_port),
        TEST(a_final_refusal_ends_it),
        TEST(a_lost_port_is_replaced_by_any),
        TEST(a_drawn_name_is_asked_for_again),
        TEST(a_wanted_name_refused_is_final),
        TEST(only_its_own_target_is_dialled),
        TEST(a_proxy_leads_to_the_server),
        TEST(a_change_ends_the_wait),
        TEST(a_link_that_answers_outlives_a_change),
        TEST(a_silent_link_is_made_anew_after_a_change),
        TEST(a_handshake_that_hangs_is_begun_anew_after_a_change),
        TEST(a_wrong_certificate_ends_it),
        TEST(it_gives_its_tunnels_up_on_the_way_out),
        TEST(an_unreachable_server_is_tried_again),
    };
    return cmocka_run_group_tests_name("agent/agent", tests, NULL, NULL);
}
