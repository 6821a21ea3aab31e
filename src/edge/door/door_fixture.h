/* Fixture: a whole door in this process, with its supervisor and one worker played by the test.
 * For tests only; include "unit.h" before it. */
#ifndef ADIT_EDGE_DOOR_DOOR_FIXTURE_H
#define ADIT_EDGE_DOOR_DOOR_FIXTURE_H

#include "edge/door/door.h"
#include "edge/door/workers.h"

#define FIXTURE_TURNS_MAX 4000 /* 20 s of rest */

struct fixture {
    struct adit_door *door;
    struct adit_channel supervisor, worker; /* the other ends */
    struct adit_address public;             /* where the door listens, for HTTPS */
    struct adit_address plain;              /* and for HTTP */
    uint16_t port_from, port_to;
};

static struct adit_door fixture_door;

static inline struct adit_address fixture_loopback(uint16_t port)
{
    return (struct adit_address){.family = 4, .port = port, .ip = {127, 0, 0, 1}};
}

/* The first of four free ports below the system's own (ephemeral) ones, where no test of another
 * process dials from. */
static inline uint16_t fixture_range(void)
{
    for (size_t attempt = 0; attempt < 100; attempt++) {
        uint16_t from = 0;
        bool is_free = true;
        assert_ok(adit_random_fill(ADIT_OBJECT_SPAN(from)));
        from = (uint16_t)(10000 + from % 5000 * 4);
        for (uint16_t i = 0; i < 4; i++) {
            const struct adit_address address = fixture_loopback((uint16_t)(from + i));
            int fd = -1;
            is_free = is_free && adit_is_ok(adit_socket_listen(&address, 1, &fd));
            adit_socket_close(&fd);
        }
        if (is_free) {
            return from;
        }
    }
    fail_msg("no free ports");
    return 0;
}

/* A worker's channel, wired to the door, before the worker has said a word. */
static inline void fixture_wire_silent(struct fixture *fixture, struct adit_channel *worker,
                                       uint32_t index)
{
    struct adit_message message = {
        .type = ADIT_MESSAGE_WIRE_WORKER, .request = 77, .index = index, .fd_count = 1};
    int ours = -1;
    adit_channel_close(worker);
    assert_ok(adit_channel_pair(&ours, &message.fds[0]));
    assert_ok(adit_channel_open(worker, ours, ADIT_EDGE_WORKER_DOOR, ADIT_EDGE_DOOR_WORKER));
    assert_ok(adit_channel_send(&fixture->supervisor, &message));
}

/* A further worker, which has nothing to tell. */
static inline void fixture_wire_other(struct fixture *fixture, struct adit_channel *worker,
                                      uint32_t index)
{
    struct adit_message end = {.type = ADIT_MESSAGE_OWN_END};
    fixture_wire_silent(fixture, worker, index);
    assert_ok(adit_channel_send(worker, &end));
}

static inline void fixture_wire(struct fixture *fixture)
{
    fixture_wire_other(fixture, &fixture->worker, 0);
}

static inline void fixture_turn(struct fixture *fixture)
{
    assert_ok(adit_loop_turn(&fixture->door->loop, 5 * ADIT_MS_US));
}

/* The next message on a channel to the test; the door runs meanwhile. */
static inline struct adit_message fixture_expect(struct fixture *fixture,
                                                 struct adit_channel *channel,
                                                 enum adit_message_type type)
{
    for (size_t i = 0; i < FIXTURE_TURNS_MAX; i++) {
        struct adit_message message = {0};
        enum adit_io io = ADIT_IO_BLOCKED;
        assert_ok(adit_channel_receive(channel, &message, &io));
        assert_int_not_equal(io, ADIT_IO_END);
        if (io == ADIT_IO_DONE) {
            assert_int_equal(message.type, type);
            return message;
        }
        fixture_turn(fixture);
    }
    fail_msg("no message came");
    return (struct adit_message){0};
}

static inline void fixture_open(struct fixture *fixture)
{
    struct adit_message start = {
        .type = ADIT_MESSAGE_DOOR_START, .count = 8, .address = fixture_loopback(0), .fd_count = 2};
    const struct adit_address any = fixture_loopback(0);
    int door_end = -1;
    int ours = -1;
    *fixture = (struct fixture){.door = &fixture_door, .worker = {.fd = -1}};
    fixture->port_from = fixture_range();
    fixture->port_to = (uint16_t)(fixture->port_from + 3);
    assert_ok(adit_socket_listen(&any, 128, &ADIT_AT(start.fds, 0)));
    assert_ok(adit_socket_local(ADIT_AT(start.fds, 0), &fixture->public));
    assert_ok(adit_socket_listen(&any, 128, &ADIT_AT(start.fds, 1)));
    assert_ok(adit_socket_local(ADIT_AT(start.fds, 1), &fixture->plain));
    assert_ok(adit_message_text_set(&start.domain, ADIT_BYTES("adit.test")));
    start.port_from = fixture->port_from;
    start.port_to = fixture->port_to;
    assert_ok(adit_channel_pair(&ours, &door_end));
    assert_ok(adit_channel_open(&fixture->supervisor, ours, ADIT_EDGE_SUPERVISOR_DOOR,
                                ADIT_EDGE_DOOR_SUPERVISOR));
    assert_ok(adit_channel_send(&fixture->supervisor, &start));
    assert_ok(adit_door_open(fixture->door, door_end));
    fixture->door->log.fd = -1; /* quiet */
    fixture->door->claims_end_us = 0; /* no test but one waits for a snapshot */
    adit_loop_timer_cancel(&fixture->door->loop, &fixture->door->claims_timer);
    assert_ok(adit_door_begin(fixture->door));
    fixture_expect(fixture, &fixture->supervisor, ADIT_MESSAGE_READY);
}

static inline void fixture_close(struct fixture *fixture)
{
    adit_door_close(fixture->door);
    adit_channel_close(&fixture->supervisor);
    adit_channel_close(&fixture->worker);
}

/* A visitor's connection, established. */
static inline int fixture_dial(struct fixture *fixture, const struct adit_address *address)
{
    int fd = -1;
    assert_ok(adit_socket_connect(address, &fd));
    for (size_t i = 0; i < 3; i++) {
        fixture_turn(fixture);
    }
    assert_ok(adit_socket_connect_result(fd));
    return fd;
}

static inline void fixture_say(int fd, struct adit_bytes bytes)
{
    size_t count = 0;
    enum adit_io io = ADIT_IO_BLOCKED;
    assert_ok(adit_socket_send(fd, bytes, &count, &io));
    assert_int_equal(count, bytes.len);
}

/* Turns until the peer closes or resets `fd`. */
static inline void fixture_expect_closed(struct fixture *fixture, int fd)
{
    for (size_t i = 0; i < FIXTURE_TURNS_MAX; i++) {
        uint8_t memory[16] = {0};
        size_t count = 0;
        enum adit_io io = ADIT_IO_BLOCKED;
        if (!adit_is_ok(adit_socket_receive(fd, ADIT_SPAN_OF(memory), &count, &io)) ||
            io == ADIT_IO_END) {
            return;
        }
        fixture_turn(fixture);
    }
    fail_msg("the connection was not closed");
}

static inline int fixture_lowest_fd(void)
{
    int fd = dup(0);
    close(fd);
    return fd;
}

static inline void fixture_server_name(struct adit_writer *writer, struct adit_bytes name)
{
    uint16_t len = (uint16_t)name.len;
    assert_ok(adit_write_u16(writer, 0));
    assert_ok(adit_write_u16(writer, (uint16_t)(len + 5)));
    assert_ok(adit_write_u16(writer, (uint16_t)(len + 3)));
    assert_ok(adit_write_u8(writer, 0)); /* a host name */
    assert_ok(adit_write_u16(writer, len));
    assert_ok(adit_write_bytes(writer, name));
}

/* A minimal ClientHello for a server name that offers one application protocol, or none where
 * they are empty; its bytes begin in `span`. */
static inline struct adit_bytes fixture_hello_to(struct adit_span span, struct adit_bytes name,
                                                 struct adit_bytes alpn)
{
    struct adit_writer writer = adit_writer_of(span);
    uint8_t alpn_len = (uint8_t)alpn.len;
    uint16_t extensions_len =
        (uint16_t)(7 + (alpn.len > 0 ? 7 + alpn.len : 0) + (name.len > 0 ? 9 + name.len : 0));
    uint16_t body_len = (uint16_t)(2 + 32 + 1 + 4 + 2 + 2 + extensions_len);
    assert_ok(adit_write_bytes(&writer, ADIT_BYTES("\x16\x03\x01")));
    assert_ok(adit_write_u16(&writer, (uint16_t)(body_len + 4)));
    assert_ok(adit_write_u8(&writer, 1));
    assert_ok(adit_write_u24(&writer, body_len));
    assert_ok(adit_write_u16(&writer, 0x0303));
    assert_ok(adit_write_zeros(&writer, 32)); /* random */
    assert_ok(adit_write_u8(&writer, 0));     /* no session id */
    assert_ok(adit_write_bytes(&writer, ADIT_BYTES("\x00\x02\x13\x01"))); /* one cipher suite */
    assert_ok(adit_write_bytes(&writer, ADIT_BYTES("\x01\x00")));         /* no compression */
    assert_ok(adit_write_u16(&writer, extensions_len));
    assert_ok(adit_write_bytes(&writer, ADIT_BYTES("\x00\x2b\x00\x03\x02\x03\x04"))); /* TLS 1.3 */
    if (name.len > 0) {
        fixture_server_name(&writer, name);
    }
    if (alpn.len > 0) {
        assert_ok(adit_write_u16(&writer, 16));
        assert_ok(adit_write_u16(&writer, (uint16_t)(alpn_len + 3)));
        assert_ok(adit_write_u16(&writer, (uint16_t)(alpn_len + 1)));
        assert_ok(adit_write_u8(&writer, alpn_len));
        assert_ok(adit_write_bytes(&writer, alpn));
    }
    return adit_writer_bytes(&writer);
}

static inline struct adit_bytes fixture_hello(struct adit_span span, struct adit_bytes alpn)
{
    return fixture_hello_to(span, ADIT_BYTES(""), alpn);
}

#endif
