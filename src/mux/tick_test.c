#include "mux_peer.h"

static struct adit_session_event tick(struct peer *peer, uint64_t after_us)
{
    peer->now_us += after_us;
    struct adit_session_event event = {0};
    assert_ok(adit_session_tick(&peer->session, peer->now_us, &event));
    return event;
}

static enum adit_error tick_error(struct peer *peer, uint64_t after_us)
{
    peer->now_us += after_us;
    struct adit_session_event event = {0};
    return adit_status_error(adit_session_tick(&peer->session, peer->now_us, &event));
}

static void silence_is_asked_and_then_given_up(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    uint64_t start = peer->now_us;
    assert_int_equal(adit_session_deadline_us(&peer->session), start + 10 * ADIT_SECOND_US);
    tick(peer, 10 * ADIT_SECOND_US - 1);
    assert_pulls(peer, "");
    tick(peer, 1);
    struct adit_bytes ping = peer_pull(peer);
    assert_int_equal(ping.len, ADIT_YAMUX_HEADER_BYTES);
    assert_int_equal(adit_session_deadline_us(&peer->session), start + 20 * ADIT_SECOND_US);
    tick(peer, 10 * ADIT_SECOND_US - 1);
    assert_int_equal(tick_error(peer, 1), ADIT_ERROR_TIMEOUT);
    assert_int_equal(tick_error(peer, 1), ADIT_ERROR_TIMEOUT);
    assert_int_equal(adit_session_deadline_us(&peer->session), UINT64_MAX);
    peer_end(peer);
}

static void an_answer_is_life(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    for (size_t i = 0; i < 10; i++) {
        tick(peer, 10 * ADIT_SECOND_US);
        struct adit_reader reader = adit_reader_of(peer_pull(peer));
        struct adit_yamux_frame frame = {0};
        assert_ok(adit_yamux_read(&reader, &frame));
        assert_int_equal(frame.flags, ADIT_YAMUX_SYN);
        frame.flags = ADIT_YAMUX_ACK;
        assert_true(peer_frame(peer, frame));
        assert_int_equal(adit_session_heard_us(&peer->session), peer->now_us);
    }
    assert_int_equal(peer->session.counters.glitches_total, 0);
    peer_end(peer);
}

static void row_29_an_answer_to_no_question_is_no_life(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    tick(peer, 10 * ADIT_SECOND_US);
    peer_pull(peer);
    for (size_t i = 0; i < 9; i++) {
        peer->now_us += ADIT_SECOND_US;
        assert_true(peer_hex(peer, "0002 0002 00000000 00000001"));
    }
    assert_int_equal(tick_error(peer, ADIT_SECOND_US), ADIT_ERROR_TIMEOUT);
    peer_end(peer);
}

/* A process that slept finds a long silence, but it must ask before it judges. */
static void row_31_a_stopped_peer_is_found_in_time(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    tick(peer, 3600 * (uint64_t)ADIT_SECOND_US);
    assert_int_equal(peer_pull(peer).len, ADIT_YAMUX_HEADER_BYTES);
    assert_int_equal(tick_error(peer, 10 * ADIT_SECOND_US), ADIT_ERROR_TIMEOUT);
    peer_end(peer);
}

static void a_probe_asks_at_once(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    peer->now_us += ADIT_SECOND_US;
    adit_session_ping(&peer->session, peer->now_us);
    adit_session_ping(&peer->session, peer->now_us); /* one is enough */
    assert_int_equal(peer_pull(peer).len, ADIT_YAMUX_HEADER_BYTES);
    assert_int_equal(adit_session_heard_us(&peer->session), ADIT_SECOND_US);
    assert_int_equal(adit_session_deadline_us(&peer->session), peer->now_us + 10 * ADIT_SECOND_US);
    assert_true(peer_data(peer, 1, ADIT_YAMUX_SYN, 0)); /* any valid frame will do */
    assert_int_equal(adit_session_heard_us(&peer->session), peer->now_us);
    assert_int_equal(adit_session_deadline_us(&peer->session), peer->now_us + 10 * ADIT_SECOND_US);
    peer_end(peer);
}

static void row_38_a_header_begun_and_not_finished(void **state)
{
    struct adit_mux_limits limits = adit_mux_limits_default();
    limits.keepalive_idle_us = 100 * ADIT_SECOND_US; /* out of the way */
    limits.keepalive_dead_us = 200 * ADIT_SECOND_US;
    struct peer *peer = test_calloc(1, sizeof *peer);
    peer_start(peer, peer_role(state), limits);
    for (size_t i = 0; i < 3; i++) { /* bytes that dribble in do not put it off */
        assert_true(peer_feed(peer, ADIT_BYTES("\0")));
        tick(peer, 9 * ADIT_SECOND_US);
    }
    assert_int_equal(adit_session_deadline_us(&peer->session), 31 * ADIT_SECOND_US);
    tick(peer, 3 * ADIT_SECOND_US - 1);
    assert_int_equal(tick_error(peer, 1), ADIT_ERROR_TIMEOUT);
    peer_end(peer);
}

static void row_26_a_stream_that_is_never_acknowledged(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    struct adit_handle first = {0};
    struct adit_handle second = {0};
    assert_ok(adit_session_open(&peer->session, 11, peer->now_us, &first));
    peer_send(peer, first, 5, false);
    assert_ok(adit_session_open(&peer->session, 12, peer->now_us, &second)); /* SYN unsent */
    assert_true(peer_hex(peer, "0002 0001 00000000 00000001"));
    peer_pull(peer);
    assert_int_equal(adit_session_deadline_us(&peer->session), peer->now_us + 10 * ADIT_SECOND_US);
    struct adit_session_event event = tick(peer, 10 * ADIT_SECOND_US);
    assert_int_equal(event.kind, ADIT_SESSION_RESET);
    assert_int_equal(event.user, 11);
    assert_int_equal(event.code, 1);
    event = tick(peer, 0);
    assert_int_equal(event.user, 12);
    assert_int_equal(tick(peer, 0).kind, ADIT_SESSION_MORE);
    struct adit_bytes out = peer_pull(peer);
    assert_int_equal(out.len, 2 * ADIT_YAMUX_HEADER_BYTES); /* a ping, and the RST of the first */
    assert_int_equal(peer->session.counters.unacked_out, 0);
    assert_int_equal(peer->session.counters.streams_open, 0);
    peer_end(peer);
}

static void row_43_a_half_closed_stream_is_reaped_when_idle(void **state)
{
    struct adit_mux_limits limits = adit_mux_limits_default();
    limits.keepalive_idle_us = 10000 * (uint64_t)ADIT_SECOND_US; /* out of the way */
    limits.keepalive_dead_us = 20000 * (uint64_t)ADIT_SECOND_US;
    struct peer *peer = test_calloc(1, sizeof *peer);
    peer_start(peer, peer_role(state), limits);
    assert_true(peer_data(peer, 1, ADIT_YAMUX_SYN | ADIT_YAMUX_FIN, 10));
    struct adit_handle stream = peer_event(peer, 0).stream;
    peer_pull(peer);
    for (size_t i = 0; i < 5; i++) { /* as long as bytes flow the other way it lives */
        assert_int_equal(tick(peer, 299 * ADIT_SECOND_US).kind, ADIT_SESSION_MORE);
        peer_send(peer, stream, 100, false);
    }
    assert_int_equal(tick(peer, 300 * ADIT_SECOND_US - 1).kind, ADIT_SESSION_MORE);
    struct adit_session_event event = tick(peer, 1);
    assert_int_equal(event.kind, ADIT_SESSION_RESET);
    assert_int_equal(event.code, 0);
    assert_pulls(peer, "0001 0008 00000001 00000000");
    assert_int_equal(peer->mux.streams.used, 0); /* the peer had finished: no tombstone */
    peer_end(peer);
}

static void tombstones_expire(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    assert_true(peer_data(peer, 1, ADIT_YAMUX_SYN, 0));
    peer_pull(peer);
    adit_session_release(&peer->session, peer_event(peer, 0).stream, peer->now_us);
    peer_pull(peer);
    assert_int_equal(peer->mux.streams.used, 1);
    assert_true(peer_hex(peer, "0002 0001 00000000 00000001"));
    tick(peer, 10 * ADIT_SECOND_US - 1);
    assert_int_equal(peer->mux.streams.used, 1);
    tick(peer, 1);
    assert_int_equal(peer->mux.streams.used, 0);
    assert_true(peer_data(peer, 1, 0, 256 * 1024)); /* very late, yet within its old credit */
    assert_int_equal(peer->session.counters.glitches_total, 0);
    assert_true(peer_data(peer, 1, 0, 1));
    assert_int_equal(peer->session.counters.glitches_total, 1);
    peer_end(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH_ROLES(silence_is_asked_and_then_given_up),
        BOTH_ROLES(an_answer_is_life),
        BOTH_ROLES(row_29_an_answer_to_no_question_is_no_life),
        BOTH_ROLES(row_31_a_stopped_peer_is_found_in_time),
        BOTH_ROLES(a_probe_asks_at_once),
        BOTH_ROLES(row_38_a_header_begun_and_not_finished),
        BOTH_ROLES(row_26_a_stream_that_is_never_acknowledged),
        BOTH_ROLES(row_43_a_half_closed_stream_is_reaped_when_idle),
        BOTH_ROLES(tombstones_expire),
    };
    return cmocka_run_group_tests_name("mux/tick", tests, NULL, NULL);
}
