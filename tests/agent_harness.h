/* Agent harness, for tests: an agent against a server that the test plays, a hub of its own behind
 * a real port of loopback. */
#ifndef ADIT_TESTS_AGENT_HARNESS_H
#define ADIT_TESTS_AGENT_HARNESS_H

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
    struct adit_handle link; /* the server's, of the session that spoke last */
    struct adit_handle slots[ADIT_CONTROL_SESSIONS_MAX]; /* by the agent's numbers */
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
    char reason[128];
    const struct adit_forward_proxy *proxy; /* null: none */
    struct adit_http_seen seen;
    int seen_count;
};

static inline void server_send(struct fixture *f, const struct adit_control *message)
{
    assert_ok(adit_link_send(&f->hub, f->link, message));
}

static inline void server_welcome(struct fixture *f)
{
    struct adit_control message = {.type = ADIT_CONTROL_WELCOME};
    message.welcome.version = 1;
    assert_ok(ADIT_FIELD_SET(message.welcome.session, ADIT_BYTES("0000000000000001")));
    assert_ok(ADIT_FIELD_SET(message.welcome.account, ADIT_BYTES("acme")));
    server_send(f, &message);
}

static inline void server_bound(struct fixture *f, uint16_t port)
{
    struct adit_control message = {.type = ADIT_CONTROL_BOUND};
    message.bound.bind = 1;
    message.bound.port = port;
    assert_ok(ADIT_FIELD_SET(message.bound.url, ADIT_BYTES("tcp://adit.localhost:1")));
    server_send(f, &message);
}

static inline void link_open(void *context, struct adit_handle link, uint64_t user)
{
    struct fixture *f = context;
    (void)user;
    f->link = link;
    f->links++;
}

static inline void link_message(void *context, struct adit_handle link, uint64_t user,
                         const struct adit_control *message)
{
    struct fixture *f = context;
    (void)user;
    f->link = link;
    if (message->type == ADIT_CONTROL_HELLO) {
        f->hello = *message;
        f->hellos++;
        ADIT_AT(f->slots, message->hello.slot) = link;
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

static inline void link_closed(void *context, struct adit_handle link, uint64_t user,
                        struct adit_status why)
{
    struct fixture *f = context;
    (void)link;
    (void)user;
    (void)why;
    f->links_closed++;
}

static inline void pump_dialled(void *context, struct adit_handle pump, uint64_t user,
                         enum adit_dial_result result)
{
    struct fixture *f = context;
    (void)pump;
    (void)user;
    f->dialled = result;
    f->dials++;
}

static inline void pump_closed(void *context, struct adit_handle pump, uint64_t user,
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

static inline void told_ready(void *context, const struct adit_agent_tunnel *tunnel,
                       const struct adit_control_bound *bound, bool is_again)
{
    struct fixture *f = context;
    (void)tunnel;
    f->ready += is_again ? 0 : 1;
    f->bound_port = (uint16_t)bound->port;
}

static inline void told_disconnected(void *context, struct adit_bytes reason, uint64_t wait_us)
{
    struct fixture *f = context;
    assert_true(reason.len > 0);
    adit_span_fill(ADIT_OBJECT_SPAN(f->reason), 0);
    assert_ok(adit_span_copy(ADIT_OBJECT_SPAN(f->reason), adit_bytes_first(reason, 127)));
    f->disconnected++;
    f->wait_us = wait_us;
}

static inline void told_reconnected(void *context)
{
    struct fixture *f = context;
    f->reconnected++;
}

static inline void told_refused(void *context, const struct adit_agent_refusal *refusal)
{
    struct fixture *f = context;
    struct adit_writer code = adit_writer_of((struct adit_span){(uint8_t *)f->code, 32});
    assert_ok(adit_write_bytes(&code, refusal->code));
    f->refused++;
}

static inline void told_distrusted(void *context, struct adit_bytes why)
{
    struct fixture *f = context;
    assert_true(why.len > 0);
    f->distrusted++;
}

static inline void told_notice(void *context, struct adit_bytes message)
{
    (void)context;
    (void)message;
}

static inline void told_local_failed(void *context, const struct adit_agent_tunnel *tunnel,
                              enum adit_dial_result result)
{
    struct fixture *f = context;
    (void)tunnel;
    (void)result;
    f->local_failed++;
}

static inline void told_request_seen(void *context, const struct adit_agent_tunnel *tunnel,
                              const struct adit_http_seen *seen)
{
    struct fixture *f = context;
    assert_int_equal(tunnel->kind, ADIT_TUNNEL_HTTP);
    f->seen = *seen;
    f->seen_count++;
}

static const struct adit_agent_events events = {
    .ready = told_ready,
    .disconnected = told_disconnected,
    .reconnected = told_reconnected,
    .refused = told_refused,
    .distrusted = told_distrusted,
    .notice = told_notice,
    .local_failed = told_local_failed,
    .request_seen = told_request_seen,
};

static inline void accept_ready(void *context, uint64_t key, uint32_t happened)
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

static inline void turn(struct fixture *f)
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

static inline void open_agent(struct fixture *f, const char *host)
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

static inline int setup(void **state)
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

static inline int teardown(void **state)
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

/* A stream for bind `bind`; the visitor's end of its socket. */
static inline int visit(struct fixture *f, uint32_t bind)
{
    int near = -1;
    int far = -1;
    struct adit_handle pump = {0};
    const struct adit_stream_head head = {.kind = f->tunnel.kind, .bind = bind};
    loopback_pair(&near, &far);
    assert_ok(adit_pump_open(
        &f->hub, &(struct adit_pump_options){.link = f->link, .fd = near, .head = &head}, &pump));
    return far;
}

static inline void refuse(struct fixture *f, enum adit_refusal refusal, uint32_t bind)
{
    struct adit_control message = adit_control_refusal(refusal, bind);
    server_send(f, &message);
}

static inline void server_bound_name(struct fixture *f, const char *name)
{
    struct adit_control message = {.type = ADIT_CONTROL_BOUND};
    message.bound.bind = 1;
    assert_ok(ADIT_FIELD_SET(message.bound.url, ADIT_BYTES("https://a.adit.localhost")));
    assert_ok(ADIT_FIELD_SET(message.bound.name, adit_bytes_of_text(name)));
    server_send(f, &message);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
