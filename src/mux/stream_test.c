#include "mux_peer.h"

static struct adit_handle open_stream(struct peer *peer, uint64_t user)
{
    struct adit_handle stream = {0};
    assert_ok(adit_session_open(&peer->session, user, peer->now_us, &stream));
    return stream;
}

/* One stream from the peer, accepted, its ACK sent. */
static struct adit_handle incoming(struct peer *peer, uint32_t id, uint32_t flags)
{
    assert_true(peer_data(peer, id, ADIT_YAMUX_SYN | flags, 0));
    struct adit_handle stream = peer_event(peer, 0).stream;
    peer_pull(peer);
    return stream;
}

static void a_clean_end_needs_no_reset(void **state)
{
    for (size_t order = 0; order < 2; order++) {
        struct peer *peer = peer_new(peer_role(state));
        struct adit_handle stream = incoming(peer, 1, 0);
        if (order == 0) {
            peer_send(peer, stream, 3, true);
        }
        assert_true(peer_data(peer, 1, ADIT_YAMUX_FIN, 5));
        if (order == 1) {
            peer_send(peer, stream, 3, true);
        }
        assert_int_equal(peer->session.counters.streams_open, 1);
        adit_session_release(&peer->session, stream, peer->now_us);
        assert_int_equal(peer->session.counters.streams_open, 0);
        assert_int_equal(peer->session.counters.received_pending, 0);
        assert_int_equal(peer->mux.streams.used, 0);
        assert_pulls(peer, "");
        peer_end(peer);
    }
}

static void a_release_before_the_end_is_a_reset(void **state)
{
    for (size_t i = 0; i < 3; i++) { /* nothing finished; we have; the peer has */
        struct peer *peer = peer_new(peer_role(state));
        struct adit_handle stream = incoming(peer, 1, i == 2 ? ADIT_YAMUX_FIN : 0);
        if (i == 1) {
            peer_send(peer, stream, 3, true);
        }
        adit_session_release(&peer->session, stream, peer->now_us);
        assert_pulls(peer, "0001 0008 00000001 00000000");
        assert_int_equal(peer->session.counters.streams_open, 0);
        assert_int_equal(peer->session.counters.resets_out_total, 1);
        assert_int_equal(peer->mux.streams.used, i == 2 ? 0 : 1);
        peer_end(peer);
    }
}

static void a_stream_that_never_left_ends_in_silence(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    struct adit_handle stream = open_stream(peer, 1);
    adit_session_release(&peer->session, stream, peer->now_us);
    assert_false(adit_session_wants_output(&peer->session));
    assert_int_equal(peer->session.counters.unacked_out, 0);
    assert_int_equal(peer->mux.streams.used, 0);
    /* Its id was never used, so the next stream has it. */
    uint8_t want[12];
    assert_bytes(adit_bytes_first(peer_send(peer, open_stream(peer, 2), 1, false), 12),
                 peer_unhex(peer, "0000 0001 00000002 00000001", ADIT_SPAN_OF(want)));
    peer_end(peer);
}

static void a_refused_stream_hears_rst(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    peer->is_passive = true;
    assert_true(peer_data(peer, 1, ADIT_YAMUX_SYN, 10));
    adit_session_release(&peer->session, peer_event(peer, 0).stream, peer->now_us);
    assert_pulls(peer, "0001 0008 00000001 00000000");
    assert_int_equal(peer->session.counters.unacked_in, 0);
    peer_end(peer);
}

static void opens_stop_at_the_unacknowledged(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    struct adit_handle stream = {0};
    for (uint64_t i = 0; i < 256; i++) {
        assert_true(adit_session_can_open(&peer->session));
        peer_send(peer, open_stream(peer, i), 1, false);
    }
    assert_false(adit_session_can_open(&peer->session));
    assert_fails(adit_session_open(&peer->session, 1, peer->now_us, &stream), FULL);
    assert_true(peer_window(peer, 2, ADIT_YAMUX_ACK, 0));
    assert_int_equal(peer_event(peer, 0).kind, ADIT_SESSION_ACKED);
    open_stream(peer, 256);
    assert_fails(adit_session_open(&peer->session, 1, peer->now_us, &stream), FULL);
    peer_end(peer);
}

static void opens_stop_at_streams_max(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    struct adit_handle first = {0};
    struct adit_handle stream = {0};
    for (uint32_t i = 0; i < 1024; i++) {
        stream = open_stream(peer, i);
        first = i == 0 ? stream : first;
        peer_send(peer, stream, 1, i == 0);
        assert_true(peer_window(peer, 2 * i + 2, ADIT_YAMUX_ACK, 0));
    }
    assert_fails(adit_session_open(&peer->session, 1, peer->now_us, &stream), FULL);
    /* The peer's own streams are counted apart. */
    incoming(peer, 1, 0);
    /* One that has ended on the wire counts no more, although its user still holds it. */
    assert_true(peer_data(peer, 2, ADIT_YAMUX_FIN, 0));
    assert_true(adit_session_can_open(&peer->session));
    open_stream(peer, 1);
    assert_int_equal(peer->session.counters.streams_open, 1026);
    adit_session_release(&peer->session, first, peer->now_us);
    assert_int_equal(peer->session.counters.streams_open, 1025);
    peer_end(peer);
}

static void ids_run_out(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    struct adit_handle stream = {0};
    peer->session.id_next = peer_id(peer, 1u << 30);
    peer_send(peer, open_stream(peer, 1), 1, false);
    assert_fails(adit_session_open(&peer->session, 1, peer->now_us, &stream), CLOSED);
    assert_false(adit_session_can_open(&peer->session));
    peer_end(peer);
}

static void the_process_has_a_limit_too(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    peer->mux.streams_max = 2;
    struct adit_handle stream = {0};
    open_stream(peer, 1);
    open_stream(peer, 2);
    assert_fails(adit_session_open(&peer->session, 1, peer->now_us, &stream), FULL);
    assert_true(peer_data(peer, 1, ADIT_YAMUX_SYN, 3));
    assert_int_equal(peer->event_count, 0);
    assert_pulls(peer, "0001 0008 00000001 00000000");
    peer_end(peer);
}

/* A peer of our kind would end the session at 256 resets before its ACKs. */
static void early_resets_wait_for_the_ack(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    for (uint64_t i = 0; i < 256; i++) {
        struct adit_handle stream = open_stream(peer, i);
        peer_send(peer, stream, 1, false);
        adit_session_release(&peer->session, stream, peer->now_us);
    }
    assert_int_equal(peer_pull(peer).len, 64 * ADIT_YAMUX_HEADER_BYTES);
    assert_int_equal(peer->session.counters.unacked_out, 192);
    assert_int_equal(peer->session.counters.streams_open, 192);
    assert_false(adit_session_wants_output(&peer->session));
    for (uint32_t i = 64; i < 128; i++) { /* the peer acknowledges some: nobody is told */
        assert_true(peer_window(peer, 2 * i + 2, ADIT_YAMUX_ACK, 0));
        assert_int_equal(peer->event_count, 0);
    }
    assert_int_equal(peer_pull(peer).len, 64 * ADIT_YAMUX_HEADER_BYTES);
    assert_int_equal(peer->session.counters.unacked_out, 128);
    /* One that the peer resets itself needs no RST of ours. */
    assert_true(peer_window(peer, 2 * 128 + 2, ADIT_YAMUX_RST, 0));
    assert_pulls(peer, "");
    assert_int_equal(peer->session.counters.unacked_out, 127);
    peer_end(peer);
}

static void resets_are_paced(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    static struct adit_handle streams[600];
    for (uint32_t i = 0; i < 600; i++) {
        ADIT_AT(streams, i) = incoming(peer, 2 * i + 1, 0);
    }
    for (uint32_t i = 0; i < 600; i++) {
        adit_session_release(&peer->session, ADIT_AT(streams, i), peer->now_us);
    }
    peer_pull(peer);
    const struct adit_session_counters *counters = &peer->session.counters;
    assert_int_equal(counters->resets_out_total, 256);
    assert_false(adit_session_wants_output(&peer->session));
    assert_int_equal(peer->session.counters.streams_open, 600 - 256);
    for (size_t i = 0; i < 1000 && counters->resets_out_total < 600; i++) {
        peer->now_us = adit_session_deadline_us(&peer->session);
        struct adit_session_event event = {0};
        assert_ok(adit_session_tick(&peer->session, peer->now_us, &event));
        assert_true(adit_session_wants_output(&peer->session));
        peer_pull(peer);
    }
    assert_int_equal(counters->resets_out_total, 600);
    assert_in_range(peer->now_us, 11 * ADIT_SECOND_US, 12 * ADIT_SECOND_US); /* 344 at 33/s */
    assert_int_equal(peer->session.counters.streams_open, 0);
    peer_end(peer);
}

static void tombstones_are_bounded(void **state)
{
    struct adit_mux_limits limits = adit_mux_limits_default();
    limits.resets_out_burst = 1000;
    limits.resets_out_per_second = 1000;
    struct peer *peer = test_calloc(1, sizeof *peer);
    peer_start(peer, peer_role(state), limits);
    for (uint32_t i = 0; i < 600; i++) {
        adit_session_release(&peer->session, incoming(peer, 2 * i + 1, 0), peer->now_us);
        peer_pull(peer);
    }
    assert_int_equal(peer->mux.streams.used, ADIT_SESSION_TOMBSTONES_MAX);
    /* Late bytes of the forgotten ones are swallowed within the credit they had. */
    for (uint32_t i = 0; i < 600; i++) {
        assert_true(peer_data(peer, 2 * i + 1, 0, 256 * 1024));
    }
    assert_int_equal(peer->session.counters.glitches_total, 0);
    peer_end(peer);
}

static void accept_is_once(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    peer->is_passive = true;
    assert_true(peer_data(peer, 1, ADIT_YAMUX_SYN, 0));
    struct adit_handle stream = peer_event(peer, 0).stream;
    adit_session_ready(&peer->session, stream); /* too early: nobody has accepted it */
    assert_false(adit_session_wants_output(&peer->session));
    assert_ok(adit_session_accept(&peer->session, stream, 5));
    assert_fails(adit_session_accept(&peer->session, stream, 6), INVALID);
    uint64_t user = 0;
    assert_true(adit_session_user(&peer->session, stream, &user));
    assert_int_equal(user, 5);
    assert_int_equal(peer->session.counters.unacked_in, 1);
    assert_pulls(peer, "0001 0002 00000001 00000000");
    assert_int_equal(peer->session.counters.unacked_in, 0);
    peer_end(peer);
}

/* Row 23, without the wire: both ends finish at once, the streams' bytes still unread. */
static void row_23_both_ends_finish_at_once(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    for (uint32_t i = 0; i < 10000; i++) {
        struct adit_handle stream = incoming(peer, 2 * i + 1, 0);
        peer_send(peer, stream, 1000, true);
        assert_true(peer_data(peer, 2 * i + 1, ADIT_YAMUX_FIN, 200 * 1024));
        assert_int_equal(peer_event(peer, 0).len, 200 * 1024);
        assert_int_equal(peer_event(peer, 1).kind, ADIT_SESSION_FINISHED);
        adit_session_consumed(&peer->session, stream, 200 * 1024, peer->now_us);
        adit_session_release(&peer->session, stream, peer->now_us);
        assert_pulls(peer, "");
    }
    const struct adit_session_counters *counters = &peer->session.counters;
    assert_int_equal(counters->streams_open, 0);
    assert_int_equal(counters->received_pending, 0);
    assert_int_equal(counters->growth_granted, 0);
    assert_int_equal(counters->glitches_total, 0);
    assert_int_equal(peer->mux.streams.used, 0);
    peer_end(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH_ROLES(a_clean_end_needs_no_reset),
        BOTH_ROLES(a_release_before_the_end_is_a_reset),
        BOTH_ROLES(a_stream_that_never_left_ends_in_silence),
        BOTH_ROLES(a_refused_stream_hears_rst),
        BOTH_ROLES(opens_stop_at_the_unacknowledged),
        BOTH_ROLES(opens_stop_at_streams_max),
        BOTH_ROLES(ids_run_out),
        BOTH_ROLES(the_process_has_a_limit_too),
        BOTH_ROLES(early_resets_wait_for_the_ack),
        BOTH_ROLES(resets_are_paced),
        BOTH_ROLES(tombstones_are_bounded),
        BOTH_ROLES(accept_is_once),
        BOTH_ROLES(row_23_both_ends_finish_at_once),
    };
    return cmocka_run_group_tests_name("mux/stream", tests, NULL, NULL);
}
