/* Mux peer: one session under test, and a peer that is a table of bytes. For unit tests of
 * src/mux: feed hex, look at the events, pull hex. Time moves only when a test says so.
 *
 * Tests are written as if the session were a server: the peer opens odd stream ids. Where the
 * session is a client, every id on the way to it and back is mirrored (1 and 2 change places, and
 * so on), so the same test holds for both roles. */
#ifndef ADIT_TESTS_MUX_PEER_H
#define ADIT_TESTS_MUX_PEER_H

#include "mux/stream.h"
#include "unit.h"

#define PEER_EVENTS_MAX 2048
#define PEER_OUTPUT_MAX (64 * 1024)

struct peer_event {
    enum adit_session_event_kind kind;
    struct adit_handle stream;
    uint64_t user;
    size_t len;
    uint32_t code;
};

struct peer {
    enum adit_session_role role;
    struct adit_mux mux;
    struct adit_session session;
    uint64_t now_us;
    enum adit_error error; /* of the last feed */
    bool is_passive;       /* do not accept what the peer opens */
    size_t event_count;
    struct peer_event events[PEER_EVENTS_MAX];
    size_t output_len;
    uint8_t output[PEER_OUTPUT_MAX];
};

static inline void peer_start(struct peer *peer, enum adit_session_role role,
                              struct adit_mux_limits limits)
{
    *peer = (struct peer){.role = role, .now_us = ADIT_SECOND_US};
    struct adit_mux_options options = {.limits = limits,
                                       .streams_max = 4096,
                                       .growth_max = UINT64_C(256) * 1024 * 1024,
                                       .seed = {1, 2}};
    assert_ok(adit_mux_init(&peer->mux, &options));
    assert_ok(adit_session_init(&peer->session, &peer->mux, role, 0x1234, peer->now_us));
}

static inline struct peer *peer_new(enum adit_session_role role)
{
    struct peer *peer = test_calloc(1, sizeof *peer);
    peer_start(peer, role, adit_mux_limits_default());
    return peer;
}

/* The role that a test of BOTH_ROLES is run for. */
static const enum adit_session_role peer_roles[] = {ADIT_SESSION_SERVER, ADIT_SESSION_CLIENT};

static inline enum adit_session_role peer_role(void **state)
{
    const enum adit_session_role *role = *state;
    return *role;
}

#define BOTH_ROLES(test)                                                                        \
    {#test ", as server", (test), NULL, NULL, peer_role_state(0)},                              \
    {#test ", as client", (test), NULL, NULL, peer_role_state(1)}

#define peer_role_state(index) ((void *)(uintptr_t)&peer_roles[index])

static inline uint32_t peer_id(const struct peer *peer, uint32_t id)
{
    if (peer->role == ADIT_SESSION_SERVER || id == 0) {
        return id;
    }
    return id % 2 == 1 ? id + 1 : id - 1;
}

/* The stream of the session under test with this id, dead or alive. */
static inline struct adit_stream *peer_stream(struct peer *peer, uint32_t id)
{
    return adit_session_find(&peer->session, peer_id(peer, id));
}

/* Mirrors the ids of all frames, as far as they are whole. */
static inline void peer_mirror(const struct peer *peer, struct adit_span bytes)
{
    while (bytes.len >= ADIT_YAMUX_HEADER_BYTES) {
        struct adit_reader reader = adit_reader_of(adit_span_bytes(bytes));
        struct adit_writer writer = adit_writer_of(bytes);
        struct adit_yamux_frame frame = {0};
        assert_ok(adit_yamux_read(&reader, &frame));
        frame.stream = peer_id(peer, frame.stream);
        assert_ok(adit_yamux_write(&writer, &frame));
        size_t payload = frame.type == ADIT_YAMUX_DATA ? frame.length : 0;
        bytes = adit_span_from(bytes, ADIT_YAMUX_HEADER_BYTES + payload);
    }
}

/* Ends the session and checks that nothing is left behind. */
static inline void peer_end(struct peer *peer)
{
    adit_session_deinit(&peer->session);
    assert_int_equal(peer->mux.streams.used, 0);
    assert_int_equal(peer->mux.ids.used, 0);
    assert_int_equal(peer->mux.growth_used, 0);
    assert_int_equal(peer->mux.tombstones, 0);
    adit_mux_deinit(&peer->mux);
    test_free(peer);
}

static inline struct peer_event peer_event(const struct peer *peer, size_t index)
{
    assert_true(index < peer->event_count);
    return ADIT_AT(peer->events, index);
}

/* Everything the session wants to say now (streams that are ready send nothing here). */
static inline struct adit_bytes peer_pull(struct peer *peer)
{
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(peer->output));
    adit_session_pull(&peer->session, &writer, peer->now_us);
    peer->output_len = writer.len;
    return adit_writer_bytes(&writer);
}

/* Feeds bytes, records the events, flushes where the session is congested (the output is lost
 * then). True where the session lives. */
static inline bool peer_feed(struct peer *peer, struct adit_bytes bytes)
{
    peer->event_count = 0;
    peer->error = ADIT_ERROR_NONE;
    struct adit_session_event event = {.kind = ADIT_SESSION_OPENED};
    while (bytes.len > 0 || event.kind != ADIT_SESSION_MORE) {
        struct adit_status status =
            adit_session_receive(&peer->session, &bytes, peer->now_us, &event);
        if (!adit_is_ok(status)) {
            peer->error = adit_status_error(status);
            return false;
        }
        if (event.kind != ADIT_SESSION_MORE) {
            assert_true(peer->event_count < PEER_EVENTS_MAX);
            ADIT_AT(peer->events, peer->event_count) = (struct peer_event){
                event.kind, event.stream, event.user, event.data.len, event.code};
            peer->event_count++;
        }
        if (event.kind == ADIT_SESSION_OPENED && !peer->is_passive) {
            assert_ok(adit_session_accept(&peer->session, event.stream, 7));
        }
        if (adit_session_is_congested(&peer->session)) {
            peer_pull(peer);
        }
    }
    return true;
}

/* Frames from hex, with spaces between digits, mirrored where need be. */
static inline struct adit_bytes peer_unhex(const struct peer *peer, const char *hex,
                                           struct adit_span out)
{
    uint8_t digits[512];
    size_t count = 0;
    struct adit_bytes text = adit_bytes_of_text(hex);
    for (size_t i = 0; i < text.len; i++) {
        if (adit_bytes_at(text, i) != ' ') {
            ADIT_AT(digits, count) = adit_bytes_at(text, i);
            count++;
        }
    }
    struct adit_span used = adit_span_first(out, count / 2);
    assert_ok(adit_parse_hex(adit_bytes_first(ADIT_BYTES_OF(digits), count), used));
    peer_mirror(peer, used);
    return adit_span_bytes(used);
}

static inline bool peer_hex(struct peer *peer, const char *hex)
{
    uint8_t block[256];
    return peer_feed(peer, peer_unhex(peer, hex, ADIT_SPAN_OF(block)));
}

/* One frame, and `len` zero bytes of payload where it is Data. */
static inline bool peer_frame(struct peer *peer, struct adit_yamux_frame frame)
{
    static uint8_t block[2 * 1024 * 1024];
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(block));
    frame.stream = peer_id(peer, frame.stream);
    assert_ok(adit_yamux_write(&writer, &frame));
    size_t payload = frame.type == ADIT_YAMUX_DATA ? frame.length : 0;
    return peer_feed(peer, adit_bytes_first(ADIT_BYTES_OF(block), writer.len + payload));
}

static inline bool peer_data(struct peer *peer, uint32_t stream, uint32_t flags, uint32_t length)
{
    return peer_frame(peer, (struct adit_yamux_frame){
                                .flags = (uint16_t)flags, .stream = stream, .length = length});
}

static inline bool peer_window(struct peer *peer, uint32_t stream, uint32_t flags, uint32_t delta)
{
    return peer_frame(peer, (struct adit_yamux_frame){.type = ADIT_YAMUX_WINDOW,
                                                      .flags = (uint16_t)flags,
                                                      .stream = stream,
                                                      .length = delta});
}

#define assert_pulls(peer, hex)                                                                 \
    do {                                                                                        \
        uint8_t adit_block[256];                                                                \
        struct adit_bytes adit_want = peer_unhex((peer), (hex), ADIT_SPAN_OF(adit_block));      \
        assert_bytes(peer_pull(peer), adit_want);                                               \
    } while (0)

/* The session failed for what the peer did, and its last word is GOAWAY 1. */
#define assert_goaway(peer)                                                                     \
    do {                                                                                        \
        assert_true((peer)->error == ADIT_ERROR_INVALID || (peer)->error == ADIT_ERROR_LIMIT);  \
        assert_true(adit_session_wants_output(&(peer)->session));                               \
        assert_pulls(peer, "0003 0000 00000000 00000001");                                      \
        assert_false(adit_session_wants_output(&(peer)->session));                              \
    } while (0)

/* Sends `count` bytes of zeros (or a FIN) in the stream's turn; returns the bytes of the frame. */
static inline struct adit_bytes peer_send(struct peer *peer, struct adit_handle stream,
                                          size_t count, bool is_last)
{
    adit_session_ready(&peer->session, stream);
    struct adit_session_turn turn = {0};
    assert_true(adit_session_next(&peer->session, PEER_OUTPUT_MAX, &turn));
    assert_true(adit_handle_equal(turn.stream, stream));
    struct adit_span header = adit_span_first(ADIT_SPAN_OF(peer->output), ADIT_YAMUX_HEADER_BYTES);
    assert_ok(adit_session_sent(&peer->session, stream, header, count, is_last));
    if (!is_last) {
        adit_session_idle(&peer->session, stream);
    }
    return adit_bytes_first(ADIT_BYTES_OF(peer->output), ADIT_YAMUX_HEADER_BYTES + count);
}

#endif
