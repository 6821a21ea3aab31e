/* World: a proxy with real visitors on one side and scripted programs behind a real agent's hub on
 * the other, all over loopback, for tests. */
#ifndef ADIT_PROXY_PROXY_FIXTURE_H
#define ADIT_PROXY_PROXY_FIXTURE_H

#include "proxy/proxy_private.h"

#include "tunnel/pump.h"

#include "credentials.h"
#include "loopback.h"

#define TURNS_MAX 8000
#define TEXT_BYTES (512 * 1024)
#define PROGRAMS_MAX 64
#define TUNNEL 7

/* A socket of the test's, and what came over it. */
struct talker {
    int fd;
    struct adit_tls *tls; /* null: plain */
    uint8_t bytes[TEXT_BYTES];
    size_t len;
    size_t total;  /* bytes that ever came */
    bool is_ended; /* in order */
    bool is_reset;
};

struct world {
    struct adit_loop server_loop, agent_loop;
    struct adit_hub server, agent;
    struct adit_handle server_link, agent_link;
    struct credentials credentials;
    struct adit_tls_context *web_server, *web_client;
    struct adit_chunk_pool visitor_chunks;
    struct adit_proxy *proxy;
    struct talker *programs[PROGRAMS_MAX]; /* in the order of the agent's dials */
    size_t program_count;
    enum adit_proxy_verdict verdict;
    bool has_waited; /* as the last route was told */
    struct adit_bytes host_header;
    struct adit_proxy_exchange told;
    int tells, opens, pumps_closed;
    int dial; /* enum adit_dial_result; -1: never answers */
};

/* --- The hubs' owners ------------------------------------------------------------------------ */

static inline void world_link_open(void *context, struct adit_handle link, uint64_t user)
{
    struct world *world = context;
    (void)link;
    (void)user;
    world->opens++;
}

static inline void world_link_message(void *context, struct adit_handle link, uint64_t user,
                                      const struct adit_control *message)
{
    (void)context;
    (void)link;
    (void)user;
    (void)message;
}

static inline void world_link_closed(void *context, struct adit_handle link, uint64_t user,
                                     struct adit_status why)
{
    (void)context;
    (void)link;
    (void)user;
    (void)why;
}

static inline void world_dialled(void *context, struct adit_handle pump, uint64_t user,
                                 enum adit_dial_result result)
{
    struct world *world = context;
    adit_proxy_pipe_dialled(world->proxy, pump, user, result);
}

static inline void world_closed(void *context, struct adit_handle pump, uint64_t user,
                                enum adit_pump_end end)
{
    struct world *world = context;
    world->pumps_closed += (user & ADIT_PROXY_USER) == 0 ? 1 : 0;
    adit_proxy_pipe_closed(world->proxy, pump, user, end);
}

static inline void world_data(void *context, struct adit_handle pipe, uint64_t user,
                              struct adit_bytes bytes)
{
    struct world *world = context;
    adit_proxy_pipe_data(world->proxy, pipe, user, bytes);
}

static inline void world_finished(void *context, struct adit_handle pipe, uint64_t user)
{
    struct world *world = context;
    adit_proxy_pipe_finished(world->proxy, pipe, user);
}

static inline struct adit_pipe_filled world_fill(void *context, struct adit_handle pipe,
                                                 uint64_t user, struct adit_span room)
{
    struct world *world = context;
    return adit_proxy_pipe_fill(world->proxy, pipe, user, room);
}

static inline bool world_memory_short(void *context, size_t bytes)
{
    struct world *world = context;
    return adit_proxy_memory_short(world->proxy, bytes);
}

static inline void world_turn(void *context)
{
    struct world *world = context;
    if (world->proxy) {
        adit_proxy_turn(world->proxy);
    }
}

static const struct adit_hub_ops world_server_ops = {
    .link_open = world_link_open,
    .link_message = world_link_message,
    .link_closed = world_link_closed,
    .pump_dialled = world_dialled,
    .pump_closed = world_closed,
    .pipe_data = world_data,
    .pipe_finished = world_finished,
    .pipe_fill = world_fill,
    .memory_short = world_memory_short,
    .turn = world_turn,
};

static inline void world_pump_open(void *context, struct adit_handle link, struct adit_handle pump,
                                   const struct adit_stream_head *head)
{
    struct world *world = context;
    (void)link;
    assert_int_equal(head->kind, ADIT_TUNNEL_HTTP);
    assert_int_equal(head->bind, 3);
    if (world->dial == ADIT_DIAL_CONNECTED) {
        struct talker *program = calloc(1, sizeof(*program));
        int dialled = -1;
        assert_non_null(program);
        assert_true(world->program_count < PROGRAMS_MAX);
        loopback_pair(&dialled, &program->fd);
        ADIT_AT(world->programs, world->program_count) = program;
        world->program_count++;
        assert_ok(adit_pump_attach(&world->agent, pump, dialled));
    } else if (world->dial > 0) {
        adit_pump_refuse(&world->agent, pump, (enum adit_dial_result)world->dial);
    }
}

static const struct adit_hub_ops world_agent_ops = {
    .link_open = world_link_open,
    .link_message = world_link_message,
    .link_closed = world_link_closed,
    .pump_open = world_pump_open,
};

static inline enum adit_proxy_verdict world_route(void *context,
                                                  const struct adit_proxy_asked *asked,
                                                  struct adit_proxy_route *out_route)
{
    struct world *world = context;
    assert_bytes(asked->server_name, ADIT_BYTES("a"));
    world->has_waited = asked->has_waited;
    if (adit_bytes_equal(asked->host, ADIT_BYTES("nobody.test"))) {
        return ADIT_PROXY_ABSENT;
    }
    *out_route = (struct adit_proxy_route){.link = world->server_link,
                                           .bind = 3,
                                           .tunnel = TUNNEL,
                                           .host_header = world->host_header};
    return world->verdict;
}

static inline void world_exchanged(void *context, const struct adit_proxy_exchange *exchange)
{
    struct world *world = context;
    world->told = *exchange;
    world->tells++;
}

static const struct adit_proxy_ops world_proxy_ops = {.route = world_route,
                                                      .exchanged = world_exchanged};

/* --- Life ------------------------------------------------------------------------------------ */

static inline void world_turns(struct world *world)
{
    assert_ok(adit_loop_turn(&world->server_loop, 200));
    assert_ok(adit_loop_turn(&world->agent_loop, 200));
}

#define turn_until(world, condition)                                                            \
    do {                                                                                        \
        for (int turns = 0; turns < TURNS_MAX && !(condition); turns++) {                       \
            world_turns(world);                                                                 \
        }                                                                                       \
        assert_true(condition);                                                                 \
    } while (0)

static inline void world_hub(struct world *world, struct adit_loop *loop, struct adit_hub *hub,
                             enum adit_session_role role)
{
    bool is_server = role == ADIT_SESSION_SERVER;
    assert_ok(adit_loop_open(loop, 512, 512));
    const struct adit_hub_options options = {.loop = loop,
                                             .ops = is_server ? &world_server_ops
                                                              : &world_agent_ops,
                                             .context = world,
                                             .role = role,
                                             .links_max = 4,
                                             .pumps_max = 300,
                                             .chunks_max = 1024,
                                             .growth_max = 1 << 24,
                                             .limits = adit_mux_limits_default()};
    assert_ok(adit_hub_init(hub, &options));
}

static inline void world_tls(struct world *world)
{
    uint8_t ca[4096] = {0};
    uint8_t pem[4096] = {0};
    uint8_t key[4096] = {0};
    struct adit_writer ca_text = adit_writer_of(ADIT_SPAN_OF(ca));
    struct adit_writer pem_text = adit_writer_of(ADIT_SPAN_OF(pem));
    struct adit_writer key_text = adit_writer_of(ADIT_SPAN_OF(key));
    credentials_read(&world->credentials, "ca.pem", &ca_text);
    credentials_read(&world->credentials, "server.pem", &pem_text);
    credentials_read(&world->credentials, "server.key", &key_text);
    const struct adit_tls_server_options server = {.certificate_pem = adit_writer_bytes(&pem_text),
                                                   .key_pem = adit_writer_bytes(&key_text)};
    const struct adit_tls_client_options client = {.roots_pem = adit_writer_bytes(&ca_text)};
    assert_ok(adit_tls_server_open(&server, &world->web_server));
    assert_ok(adit_tls_client_open(&client, &world->web_client));
}

static inline void world_link(struct world *world)
{
    int fds[2] = {-1, -1};
    loopback_pair(&fds[1], &fds[0]);
    const struct adit_link_options client = {.fd = fds[0],
                                             .tls = world->credentials.client_tls,
                                             .server_name = ADIT_BYTES("connect.adit.localhost")};
    const struct adit_link_options server = {.fd = fds[1], .tls = world->credentials.server_tls};
    world->opens = 0;
    assert_ok(adit_link_open(&world->agent, &client, &world->agent_link));
    assert_ok(adit_link_open(&world->server, &server, &world->server_link));
    turn_until(world, world->opens == 2);
}

static inline struct world *world_open(void)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    credentials_open(&world->credentials);
    world_tls(world);
    adit_chunk_pool_init(&world->visitor_chunks, 1024, 16);
    world_hub(world, &world->server_loop, &world->server, ADIT_SESSION_SERVER);
    world_hub(world, &world->agent_loop, &world->agent, ADIT_SESSION_CLIENT);
    const struct adit_proxy_options options = {.loop = &world->server_loop,
                                               .hub = &world->server,
                                               .ops = &world_proxy_ops,
                                               .context = world,
                                               .connections_max = 200,
                                               .idle_pipes_max = 100,
                                               .https_port = 8443};
    assert_ok(adit_proxy_open(&options, &world->proxy));
    world_link(world);
    return world;
}

static inline void talker_close(struct talker *talker)
{
    if (talker) {
        adit_tls_close(&talker->tls);
        adit_socket_close(&talker->fd);
        free(talker);
    }
}

/* Nothing may be left of what went on. */
static inline void world_close(struct world *world)
{
    for (size_t i = 0; i < world->program_count; i++) {
        talker_close(ADIT_AT(world->programs, i));
    }
    adit_proxy_close(&world->proxy);
    assert_int_equal(world->server.pumps.used, 0);
    assert_int_equal(world->server.chunks.used, 0);
    adit_hub_deinit(&world->server);
    adit_hub_deinit(&world->agent);
    adit_loop_close(&world->server_loop);
    adit_loop_close(&world->agent_loop);
    adit_tls_context_close(&world->web_server);
    adit_tls_context_close(&world->web_client);
    adit_chunk_pool_deinit(&world->visitor_chunks);
    credentials_close(&world->credentials);
    free(world);
}

/* --- Talking --------------------------------------------------------------------------------- */

static inline void tls_send(struct talker *talker, struct world *world)
{
    struct adit_queue *out = adit_tls_out(talker->tls);
    while (out->len > 0) {
        size_t count = 0;
        enum adit_io io = ADIT_IO_DONE;
        if (!adit_is_ok(adit_socket_send(talker->fd, adit_queue_front(out), &count, &io))) {
            talker->is_reset = true;
            return;
        }
        adit_queue_drop(out, &world->visitor_chunks, count);
        if (io == ADIT_IO_BLOCKED) {
            return;
        }
    }
}

/* Takes what has come, once. */
static inline void talker_hear(struct world *world, struct talker *talker)
{
    static uint8_t cipher[32 * 1024];
    struct adit_span room = adit_span_from(ADIT_SPAN_OF(talker->bytes), talker->len);
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    if (room.len < 2 * sizeof cipher || talker->is_reset || talker->is_ended) {
        return;
    }
    if (!adit_is_ok(adit_socket_receive(talker->fd,
                                        talker->tls ? ADIT_SPAN_OF(cipher) : room, &count,
                                        &io))) {
        talker->is_reset = true;
        return;
    }
    if (talker->tls) {
        bool is_done = false;
        bool is_notified = false;
        adit_tls_input_set(talker->tls, adit_bytes_first(ADIT_BYTES_OF(cipher), count));
        count = 0;
        assert_ok(adit_tls_handshake(talker->tls, &is_done));
        if (is_done) {
            assert_ok(adit_tls_read(talker->tls, room, &count, &is_notified));
            if (!is_notified && count > 0) {
                size_t more = 0;
                assert_ok(adit_tls_read(talker->tls, adit_span_from(room, count), &more,
                                        &is_notified));
                count += more;
            }
        }
        tls_send(talker, world);
        talker->is_ended = is_notified;
        talker->is_reset |= io == ADIT_IO_END && !is_notified; /* cut, without a close_notify */
    } else {
        talker->is_ended = io == ADIT_IO_END;
    }
    talker->len += count;
    talker->total += count;
}

static inline struct adit_bytes talker_text(const struct talker *talker)
{
    return adit_bytes_first(ADIT_BYTES_OF(talker->bytes), talker->len);
}

static inline bool text_has(struct adit_bytes text, struct adit_bytes part)
{
    for (; text.len >= part.len; text = adit_bytes_from(text, 1)) {
        if (adit_bytes_starts_with(text, part)) {
            return true;
        }
    }
    return false;
}

/* Sends it all, with the world turning. */
static inline void talker_say(struct world *world, struct talker *talker, struct adit_bytes bytes)
{
    bool is_done = !talker->tls;
    for (int turns = 0; turns < TURNS_MAX && !is_done; turns++) {
        assert_ok(adit_tls_handshake(talker->tls, &is_done));
        tls_send(talker, world);
        world_turns(world);
        talker_hear(world, talker);
    }
    assert_true(is_done);
    for (int turns = 0; turns < TURNS_MAX && bytes.len > 0 && !talker->is_reset; turns++) {
        size_t count = 0;
        enum adit_io io = ADIT_IO_DONE;
        if (talker->tls) {
            struct adit_bytes part = adit_bytes_first(bytes, adit_tls_room(talker->tls));
            assert_ok(adit_tls_write(talker->tls, part));
            tls_send(talker, world);
            count = part.len;
        } else if (!adit_is_ok(adit_socket_send(talker->fd, bytes, &count, &io))) {
            talker->is_reset = true;
        }
        bytes = adit_bytes_from(bytes, count);
        if (bytes.len > 0) {
            world_turns(world);
        }
    }
}

#define say(world, talker, text) talker_say(world, talker, ADIT_BYTES(text))

/* Turns until what came contains this. */
static inline void talker_await(struct world *world, struct talker *talker, struct adit_bytes part)
{
    for (int turns = 0; turns < TURNS_MAX; turns++) {
        talker_hear(world, talker);
        if (text_has(talker_text(talker), part) || talker->is_ended || talker->is_reset) {
            break;
        }
        world_turns(world);
    }
    if (!text_has(talker_text(talker), part)) {
        print_message("wanted: %.*s\ngot: %.*s (end %d, reset %d)\n", (int)part.len,
                      (const char *)part.ptr, (int)talker->len, (const char *)talker->bytes,
                      talker->is_ended, talker->is_reset);
    }
    assert_true(text_has(talker_text(talker), part));
}

#define await(world, talker, text) talker_await(world, talker, ADIT_BYTES(text))

/* Exactly this has come, in all; and it is forgotten. */
static inline void talker_heard(struct world *world, struct talker *talker, struct adit_bytes text)
{
    talker_await(world, talker, text);
    assert_bytes(talker_text(talker), text);
    talker->len = 0;
}

#define heard(world, talker, text) talker_heard(world, talker, ADIT_BYTES(text))

static inline void await_end(struct world *world, struct talker *talker)
{
    for (int turns = 0; turns < TURNS_MAX && !talker->is_ended && !talker->is_reset; turns++) {
        world_turns(world);
        talker_hear(world, talker);
        talker->len = talker->len > TEXT_BYTES / 2 ? 0 : talker->len;
    }
}

static inline struct talker *visitor_with(struct world *world, bool is_tls, bool is_redirect)
{
    struct talker *visitor = calloc(1, sizeof(*visitor));
    int accepted = -1;
    assert_non_null(visitor);
    loopback_pair(&accepted, &visitor->fd);
    if (is_tls) {
        assert_ok(adit_tls_open(world->web_client, &world->visitor_chunks, 128 * 1024,
                                ADIT_BYTES("a.adit.localhost"), &visitor->tls));
    }
    const struct adit_proxy_visitor options = {.fd = accepted,
                                               .tls = is_tls ? world->web_server : NULL,
                                               .peer = {.family = 4, .ip = {192, 0, 2, 1}},
                                               .server_name = ADIT_BYTES("a"),
                                               .is_redirect = is_redirect};
    assert_ok(adit_proxy_visitor_add(world->proxy, &options));
    return visitor;
}

static inline struct talker *visitor_open(struct world *world)
{
    return visitor_with(world, false, false);
}

/* The program behind dial number `index`, once it is there and has heard a head. */
static inline struct talker *program_at(struct world *world, size_t index)
{
    turn_until(world, world->program_count > index);
    return ADIT_AT(world->programs, index);
}

/* --- Bodies ---------------------------------------------------------------------------------- */

static inline uint8_t pattern_at(size_t offset)
{
    return (uint8_t)(offset * 31 + (offset >> 11));
}

/* The body of a message with a length, sent as fast as it goes. */
struct source {
    size_t offset, size;
    bool is_chunked;
};

static inline void source_send(struct world *world, struct talker *talker, struct source *source)
{
    static uint8_t block[40000];
    uint8_t head[32] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(head));
    size_t count = adit_min_size(sizeof block, source->size - source->offset);
    for (size_t i = 0; i < count; i++) {
        ADIT_AT(block, i) = pattern_at(source->offset + i);
    }
    if (source->is_chunked) {
        assert_ok(adit_http_chunk_head_write(&writer, count));
        talker_say(world, talker, adit_writer_bytes(&writer));
    }
    talker_say(world, talker, adit_bytes_first(ADIT_BYTES_OF(block), count));
    source->offset += count;
    if (source->is_chunked) {
        say(world, talker, "\r\n");
        if (source->offset == source->size) {
            say(world, talker, "0\r\nX-Sum: 1\r\nHost: evil\r\n\r\n");
        }
    }
}

/* Takes a body apart and checks each byte. */
struct sink {
    struct adit_http_body body;
    size_t total;
};

static inline void sink_take(struct sink *sink, struct talker *talker)
{
    struct adit_bytes rest = talker_text(talker);
    while (rest.len > 0 && sink->body.state == ADIT_HTTP_BODY_MORE) {
        struct adit_bytes payload = {0};
        assert_ok(adit_http_body_read(&sink->body, &rest, &payload));
        bool is_equal = true;
        for (size_t i = 0; i < payload.len; i++) {
            is_equal &= adit_bytes_at(payload, i) == pattern_at(sink->total + i);
        }
        assert_true(is_equal);
        sink->total += payload.len;
    }
    assert_ok(adit_span_move(ADIT_SPAN_OF(talker->bytes), 0, talker->len - rest.len, rest.len));
    talker->len = rest.len;
}

static inline void head_drop(struct talker *talker)
{
    struct adit_http_scan scan = {0};
    enum adit_parse parse = ADIT_PARSE_MORE;
    size_t used = 0;
    assert_ok(adit_http_scan_head(&scan, talker_text(talker), ADIT_HTTP_HEAD_BYTES_MAX, &used,
                                  &parse));
    assert_int_equal(parse, ADIT_PARSE_FOUND);
    talker->len -= used;
    assert_ok(adit_span_move(ADIT_SPAN_OF(talker->bytes), 0, used, talker->len));
}

/* 10 MiB from one to the other, in both framings. */
static inline void transfer(struct world *world, struct talker *from, struct talker *to,
                     struct source *source)
{
    struct sink sink = {0};
    adit_http_body_init(&sink.body,
                        source->is_chunked ? ADIT_HTTP_FRAMING_CHUNKED : ADIT_HTTP_FRAMING_LENGTH,
                        source->size);
    for (int turns = 0; turns < TURNS_MAX && sink.body.state == ADIT_HTTP_BODY_MORE; turns++) {
        if (source->offset < source->size) {
            source_send(world, from, source);
        }
        world_turns(world);
        talker_hear(world, to);
        sink_take(&sink, to);
    }
    assert_int_equal(sink.total, source->size);
    if (source->is_chunked) {
        await(world, to, "\r\n\r\n");
        assert_bytes(talker_text(to), ADIT_BYTES("X-Sum: 1\r\n\r\n")); /* no Host */
        to->len = 0;
    }
}

static inline int setup(void **state)
{
    *state = world_open();
    return 0;
}

static inline int teardown(void **state)
{
    world_close(*state);
    return 0;
}

#define GET "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

#endif
