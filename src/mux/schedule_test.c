#include "mux_peer.h"

#define SERVER ADIT_SESSION_SERVER
#define QUANTUM (16 * 1024 - 12)
#define WORTH 512

static struct adit_handle open_stream(struct peer *peer, uint64_t user)
{
    struct adit_handle stream = {0};
    assert_ok(adit_session_open(&peer->session, user, peer->now_us, &stream));
    return stream;
}

/* Sends the whole turn, or what is left of it in `count`; returns the user whose turn it was. */
static uint64_t take_turn(struct peer *peer, size_t room, size_t count, size_t *out_sent)
{
    struct adit_session_turn turn = {0};
    assert_true(adit_session_next(&peer->session, room, &turn));
    *out_sent = adit_min_size(count, turn.bytes_max);
    uint8_t header[ADIT_YAMUX_HEADER_BYTES];
    assert_ok(adit_session_sent(&peer->session, turn.stream, ADIT_SPAN_OF(header), *out_sent,
                                false));
    return turn.user;
}

static void the_first_frame_carries_syn_and_data(void **state)
{
    (void)state;
    struct peer *peer = peer_new(SERVER);
    struct adit_handle first = open_stream(peer, 1);
    uint8_t want[12];
    assert_bytes(adit_bytes_first(peer_send(peer, first, 5, false), 12),
                 peer_unhex(peer, "0000 0001 00000002 00000005", ADIT_SPAN_OF(want)));
    assert_bytes(adit_bytes_first(peer_send(peer, first, 6, false), 12),
                 peer_unhex(peer, "0000 0000 00000002 00000006", ADIT_SPAN_OF(want)));
    struct adit_handle second = open_stream(peer, 2);
    assert_bytes(adit_bytes_first(peer_send(peer, second, 0, true), 12),
                 peer_unhex(peer, "0000 0005 00000004 00000000", ADIT_SPAN_OF(want)));
    peer_end(peer);
}

static void the_ack_rides_on_data(void **state)
{
    (void)state;
    struct peer *peer = peer_new(SERVER);
    assert_true(peer_data(peer, 1, ADIT_YAMUX_SYN, 0));
    uint8_t want[12];
    assert_bytes(adit_bytes_first(peer_send(peer, peer_event(peer, 0).stream, 5, false), 12),
                 peer_unhex(peer, "0000 0002 00000001 00000005", ADIT_SPAN_OF(want)));
    assert_int_equal(peer->session.counters.unacked_in, 0);
    assert_pulls(peer, "");
    peer_end(peer);
}

static void bulk_streams_share_alike(void **state)
{
    (void)state;
    struct peer *peer = peer_new(SERVER);
    size_t sent[4] = {0};
    for (uint64_t i = 0; i < 4; i++) {
        open_stream(peer, i);
    }
    size_t total = 0;
    while (total < 900 * 1024) { /* under four windows of 256 KiB */
        size_t count = 0;
        /* Rooms of all sizes, and one source that comes in small pieces. */
        uint64_t user = take_turn(peer, 600 + total % 20000, 100000, &count);
        ADIT_AT(sent, user) += count;
        total += count;
    }
    for (size_t i = 0; i < 4; i++) {
        assert_in_range(ADIT_AT(sent, i), 225 * 1024 - 2 * QUANTUM, 225 * 1024 + 2 * QUANTUM);
    }
    peer_end(peer);
}

static void a_turn_is_bounded(void **state)
{
    (void)state;
    struct peer *peer = peer_new(SERVER);
    struct adit_handle stream = open_stream(peer, 1);
    struct adit_session_turn turn = {0};
    assert_false(adit_session_next(&peer->session, 12, &turn));
    assert_false(adit_session_next(&peer->session, 500, &turn)); /* not worth a frame */
    assert_true(adit_session_next(&peer->session, 1000, &turn));
    assert_int_equal(turn.bytes_max, 988);
    assert_true(adit_session_next(&peer->session, 1 << 20, &turn));
    assert_int_equal(turn.bytes_max, 64 * 1024 - 12); /* alone */
    open_stream(peer, 2);
    assert_true(adit_session_next(&peer->session, 1 << 20, &turn));
    assert_int_equal(turn.bytes_max, QUANTUM);
    assert_true(adit_handle_equal(turn.stream, stream));
    uint8_t header[13];
    struct adit_span hole = adit_span_first(ADIT_SPAN_OF(header), 12);
    assert_fails(adit_session_sent(&peer->session, stream, hole, QUANTUM + 1, false), INVALID);
    assert_fails(adit_session_sent(&peer->session, stream, ADIT_SPAN_OF(header), 1, false),
                 INVALID);
    assert_ok(adit_session_sent(&peer->session, stream, hole, 1, true));
    assert_fails(adit_session_sent(&peer->session, stream, hole, 1, false), INVALID);
    assert_fails(adit_session_sent(&peer->session, (struct adit_handle){0}, hole, 1, false), STALE);
    peer_end(peer);
}

static void a_frame_must_say_something(void **state)
{
    (void)state;
    struct peer *peer = peer_new(SERVER);
    struct adit_handle stream = open_stream(peer, 1);
    uint8_t header[12];
    struct adit_session_turn turn = {0};
    assert_true(adit_session_next(&peer->session, 4096, &turn));
    adit_session_idle(&peer->session, stream); /* its SYN has not been sent: it stays */
    assert_true(adit_session_next(&peer->session, 4096, &turn));
    assert_ok(adit_session_sent(&peer->session, stream, ADIT_SPAN_OF(header), 0, false));
    assert_true(adit_session_next(&peer->session, 4096, &turn));
    assert_fails(adit_session_sent(&peer->session, stream, ADIT_SPAN_OF(header), 0, false),
                 INVALID);
    adit_session_idle(&peer->session, stream);
    assert_false(adit_session_next(&peer->session, 4096, &turn));
    assert_false(adit_session_wants_output(&peer->session));
    peer_end(peer);
}

static void a_window_that_is_used_up_ends_the_turns(void **state)
{
    (void)state;
    struct peer *peer = peer_new(SERVER);
    open_stream(peer, 1);
    size_t total = 0;
    struct adit_session_turn turn = {0};
    while (adit_session_next(&peer->session, 1 << 20, &turn)) {
        size_t count = 0;
        take_turn(peer, 1 << 20, 1 << 20, &count);
        total += count;
    }
    assert_int_equal(total, 256 * 1024);
    assert_false(adit_session_wants_output(&peer->session));
    assert_true(peer_window(peer, 2, ADIT_YAMUX_ACK, 3));
    assert_true(adit_session_next(&peer->session, 1 << 20, &turn));
    assert_int_equal(turn.bytes_max, 3);
    peer_end(peer);
}

/* Three bulk streams, then a small request: it goes before them. */
static void new_streams_go_first(void **state)
{
    (void)state;
    struct peer *peer = peer_new(SERVER);
    for (uint64_t i = 0; i < 3; i++) {
        open_stream(peer, i);
    }
    size_t count = 0;
    for (size_t i = 0; i < 15; i++) {
        take_turn(peer, 1 << 16, 1 << 16, &count);
    }
    struct adit_handle small = open_stream(peer, 99);
    assert_int_equal(take_turn(peer, 1 << 16, 200, &count), 99);
    adit_session_idle(&peer->session, small);
    /* It comes back after 128 KiB of the others: first again, although it is not new. */
    for (size_t i = 0; i < 9; i++) {
        take_turn(peer, 1 << 16, 1 << 16, &count);
    }
    adit_session_ready(&peer->session, small);
    assert_int_equal(take_turn(peer, 1 << 16, 200, &count), 99);
    peer_end(peer);
}

/* Eight quanta of others later a stream is fresh again where it had rested, and only there. */
static void bulk_does_not_become_fresh_again(void **state)
{
    (void)state;
    struct peer *peer = peer_new(SERVER);
    size_t count = 0;
    struct adit_handle paused = open_stream(peer, 1);
    for (size_t i = 0; i < 3; i++) {
        take_turn(peer, 1 << 16, 1 << 16, &count);
    }
    adit_session_idle(&peer->session, paused); /* its source has a gap after 192 KiB */
    struct adit_handle spent = open_stream(peer, 2);
    struct adit_session_turn turn = {0};
    while (adit_session_next(&peer->session, 1 << 20, &turn)) {
        take_turn(peer, 1 << 20, 1 << 20, &count);
    } /* all its credit */
    open_stream(peer, 3);
    for (size_t i = 0; i < 12; i++) {
        take_turn(peer, QUANTUM + 12, 1 << 20, &count);
    }
    adit_session_ready(&peer->session, paused);
    assert_true(peer_window(peer, 4, ADIT_YAMUX_ACK, 1 << 20));
    struct adit_handle fresh = open_stream(peer, 4);
    assert_int_equal(take_turn(peer, 1 << 16, 100, &count), 4);
    adit_session_idle(&peer->session, fresh);
    assert_int_equal(take_turn(peer, QUANTUM + 12, 1 << 20, &count), 3); /* in the line's order */
    assert_int_equal(take_turn(peer, QUANTUM + 12, 100, &count), 1);
    adit_session_idle(&peer->session, paused);
    for (size_t i = 0; i < 10; i++) {
        take_turn(peer, QUANTUM + 12, 1 << 20, &count);
    }
    adit_session_ready(&peer->session, paused); /* this time it had sent little: first */
    assert_int_equal(take_turn(peer, QUANTUM + 12, 100, &count), 1);
    adit_session_release(&peer->session, spent, peer->now_us);
    peer_end(peer);
}

/* A turn that ends at a header before the credit's end leaves twelve bytes of it: not worth a frame
 * while others have more, but nobody waits for ever. */
static void rests_of_credit_wait_for_the_others(void **state)
{
    (void)state;
    struct peer *peer = peer_new(SERVER);
    size_t count = 0;
    for (uint64_t i = 1; i <= 2; i++) {
        open_stream(peer, i);
    }
    for (size_t i = 0; i < 10; i++) { /* both are old now */
        take_turn(peer, QUANTUM + 12, 1 << 20, &count);
    }
    adit_session_rate_set(&peer->session, UINT64_MAX);
    assert_true(peer_window(peer, 4, ADIT_YAMUX_ACK, 1 << 20));
    peer_stream(peer, 2)->send_window = 256 * 1024; /* a turn, and twelve bytes */
    assert_int_equal(take_turn(peer, 1 << 20, 1 << 20, &count), 1);
    assert_int_equal(count, 256 * 1024 - 12);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(take_turn(peer, 1 << 20, 1 << 20, &count), 2);
    }
    assert_true(peer_window(peer, 2, 0, WORTH - 13)); /* still a rest */
    assert_int_equal(take_turn(peer, 1 << 20, 1 << 20, &count), 2);
    assert_true(peer_window(peer, 2, 0, 1)); /* now it is worth one, and in the line again */
    struct adit_session_turn turn = {0};
    while (adit_session_next(&peer->session, 1 << 20, &turn) && turn.user == 2) {
        take_turn(peer, 1 << 20, 1 << 20, &count);
    }
    assert_int_equal(take_turn(peer, 1 << 20, 1 << 20, &count), 1);
    assert_int_equal(count, WORTH);
    assert_true(peer_window(peer, 2, 0, 12));
    while (adit_session_next(&peer->session, 1 << 20, &turn) && turn.user == 2) {
        take_turn(peer, 1 << 20, 1 << 20, &count);
    }
    assert_true(adit_session_wants_output(&peer->session)); /* nobody else is left */
    assert_int_equal(take_turn(peer, 1 << 20, 1 << 20, &count), 1);
    assert_int_equal(count, 12);
    assert_false(adit_session_wants_output(&peer->session));
    peer_end(peer);
}

/* One that is not fresh any more. */
static void open_old_stream(struct peer *peer)
{
    size_t count = 0;
    open_stream(peer, 1);
    for (size_t i = 0; i < 6; i++) {
        take_turn(peer, QUANTUM + 12, 1 << 20, &count);
    }
}

/* Beside small streams the longest turn is that of one who is alone. */
static void turns_are_shorter_beside_small_streams(void **state)
{
    (void)state;
    struct peer *peer = peer_new(SERVER);
    size_t count = 0;
    open_old_stream(peer);
    assert_true(peer_window(peer, 2, ADIT_YAMUX_ACK, 1 << 20));
    adit_session_rate_set(&peer->session, UINT64_MAX);
    struct adit_session_turn turn = {0};
    assert_true(adit_session_next(&peer->session, 1 << 20, &turn));
    assert_int_equal(turn.bytes_max, 256 * 1024 - 12);
    struct adit_handle small = open_stream(peer, 2);
    assert_int_equal(take_turn(peer, 1 << 16, 100, &count), 2);
    adit_session_idle(&peer->session, small);
    assert_true(adit_session_next(&peer->session, 1 << 20, &turn));
    assert_int_equal(turn.bytes_max, 64 * 1024 - 12);
    uint8_t memory[64];
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    take_turn(peer, 1 << 20, 1 << 20, &count); /* the one that was begun */
    adit_session_pull(&peer->session, &writer, peer->now_us + ADIT_SESSION_MIXED_US);
    assert_true(adit_session_next(&peer->session, 1 << 20, &turn));
    assert_int_equal(turn.bytes_max, 256 * 1024 - 12);
    peer_end(peer);
}

/* Credit for a turn and twelve bytes, again and again: one frame each time. */
static void beside_small_streams_a_rest_goes_along(void **state)
{
    (void)state;
    struct peer *peer = peer_new(SERVER);
    size_t count = 0;
    open_old_stream(peer);
    struct adit_handle small = open_stream(peer, 2);
    assert_int_equal(take_turn(peer, 1 << 16, 100, &count), 2);
    adit_session_idle(&peer->session, small);
    struct adit_session_turn turn = {0};
    for (size_t rest = 12; rest <= WORTH; rest += WORTH - 12) {
        peer_stream(peer, 2)->send_window = (uint32_t)(64 * 1024 - 12 + rest);
        assert_true(adit_session_next(&peer->session, 1 << 20, &turn));
        assert_int_equal(turn.bytes_max, 64 * 1024 - 12 + (rest < WORTH ? rest : 0));
        assert_true(adit_session_next(&peer->session, 1000, &turn)); /* as far as there is room */
        assert_int_equal(turn.bytes_max, 1000 - 12);
    }
    uint8_t memory[64];
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    adit_session_pull(&peer->session, &writer, peer->now_us + ADIT_SESSION_MIXED_US);
    peer_stream(peer, 2)->send_window = 64 * 1024;
    assert_true(adit_session_next(&peer->session, 1 << 20, &turn)); /* they are over */
    assert_int_equal(turn.bytes_max, 64 * 1024 - 12);
    peer_end(peer);
}

/* On a fast road bulk streams take longer turns, unless a fresh one waits. */
static void turns_grow_with_the_road(void **state)
{
    (void)state;
    static const struct {
        uint64_t rate;
        size_t together, alone;
    } rows[] = {
        {0, QUANTUM, 64 * 1024 - 12},
        {1000000, QUANTUM, 64 * 1024 - 12},
        {25000000, 32 * 1024 - 12, 64 * 1024 - 12},
        {50000000, 64 * 1024 - 12, 64 * 1024 - 12},
        {100000000, 128 * 1024 - 12, 128 * 1024 - 12},
        {1000000000, 256 * 1024 - 12, 256 * 1024 - 12},
        {UINT64_MAX, 256 * 1024 - 12, 256 * 1024 - 12},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct peer *peer = peer_new(SERVER);
        struct adit_handle stream[2] = {open_stream(peer, 0), open_stream(peer, 1)};
        size_t count = 0;
        for (size_t turns = 0; turns < 10; turns++) { /* both are old now */
            take_turn(peer, QUANTUM + 12, 1 << 20, &count);
        }
        assert_true(peer_window(peer, 2, ADIT_YAMUX_ACK, 1 << 20));
        assert_true(peer_window(peer, 4, ADIT_YAMUX_ACK, 1 << 20));
        adit_session_rate_set(&peer->session, ADIT_AT(rows, i).rate);
        struct adit_session_turn turn = {0};
        assert_true(adit_session_next(&peer->session, 1 << 20, &turn));
        assert_int_equal(turn.bytes_max, ADIT_AT(rows, i).together);
        struct adit_handle fresh = open_stream(peer, 2);
        assert_true(adit_session_next(&peer->session, 1 << 20, &turn));
        assert_int_equal(turn.user, 2);
        assert_int_equal(turn.bytes_max, QUANTUM);
        adit_session_release(&peer->session, fresh, peer->now_us);
        adit_session_release(&peer->session, ADIT_AT(stream, 1), peer->now_us);
        assert_true(peer_window(peer, 2, ADIT_YAMUX_ACK, 1 << 20));
        take_turn(peer, 1 << 20, 1 << 20, &count); /* the one that was begun */
        assert_true(adit_session_next(&peer->session, 1 << 20, &turn));
        assert_int_equal(turn.bytes_max, ADIT_AT(rows, i).alone);
        peer_end(peer);
    }
}

static void new_streams_do_not_starve_old_ones(void **state)
{
    (void)state;
    struct peer *peer = peer_new(SERVER);
    open_stream(peer, 1);
    size_t count = 0;
    for (size_t i = 0; i < 6; i++) { /* now it is old */
        take_turn(peer, QUANTUM + 12, QUANTUM, &count);
    }
    size_t old_turns = 0;
    for (size_t i = 0; i < 50; i++) { /* a flood of new streams, one small request each */
        open_stream(peer, 2);
        struct adit_session_turn turn = {0};
        assert_true(adit_session_next(&peer->session, 1 << 16, &turn));
        old_turns += take_turn(peer, 1 << 16, 100, &count) == 1 ? 1 : 0;
        if (turn.user == 2) {
            adit_session_idle(&peer->session, turn.stream);
        }
    }
    assert_in_range(old_turns, 8, 12);
    peer_end(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_frame_carries_syn_and_data),
        cmocka_unit_test(the_ack_rides_on_data),
        cmocka_unit_test(bulk_streams_share_alike),
        cmocka_unit_test(a_turn_is_bounded),
        cmocka_unit_test(a_frame_must_say_something),
        cmocka_unit_test(a_window_that_is_used_up_ends_the_turns),
        cmocka_unit_test(new_streams_go_first),
        cmocka_unit_test(bulk_does_not_become_fresh_again),
        cmocka_unit_test(turns_grow_with_the_road),
        cmocka_unit_test(rests_of_credit_wait_for_the_others),
        cmocka_unit_test(turns_are_shorter_beside_small_streams),
        cmocka_unit_test(beside_small_streams_a_rest_goes_along),
        cmocka_unit_test(new_streams_do_not_starve_old_ones),
    };
    return cmocka_run_group_tests_name("mux/schedule", tests, NULL, NULL);
}
