#include "mux_peer.h"

static size_t pull_into(struct peer *peer, size_t room)
{
    struct adit_writer writer =
        adit_writer_of(adit_span_first(ADIT_SPAN_OF(peer->output), room));
    adit_session_pull(&peer->session, &writer, peer->now_us);
    return writer.len;
}

/* Something of every kind, pulled through rooms of all sizes: whole frames, none lost. */
static void frames_are_pulled_whole(void **state)
{
    for (size_t room = 0; room <= 80; room++) {
        struct peer *peer = peer_new(peer_role(state));
        assert_true(peer_data(peer, 1, ADIT_YAMUX_SYN, 0));                    /* an ACK */
        assert_true(peer_data(peer, 3, ADIT_YAMUX_SYN | ADIT_YAMUX_FIN, 0));   /* an RST */
        adit_session_release(&peer->session, peer_event(peer, 0).stream, peer->now_us);
        assert_true(peer_hex(peer, "0002 0001 00000000 00000001"));            /* a pong */
        assert_true(peer_data(peer, 99, 0, 0));                                /* another RST */
        adit_session_ping(&peer->session, peer->now_us);                       /* a ping */
        adit_session_goaway(&peer->session, ADIT_YAMUX_GOAWAY_NORMAL);         /* a GOAWAY */
        assert_true(peer_data(peer, 5, ADIT_YAMUX_SYN, 0));                    /* a refusal */
        size_t total = 0;
        for (size_t i = 0; i < 10 && adit_session_wants_output(&peer->session); i++) {
            size_t len = pull_into(peer, room);
            assert_int_equal(len % ADIT_YAMUX_HEADER_BYTES, 0);
            total += len;
        }
        assert_int_equal(total, room < 12 ? 0 : 7 * ADIT_YAMUX_HEADER_BYTES);
        if (room >= 12) {
            assert_false(adit_session_wants_output(&peer->session));
            assert_int_equal(peer->session.counters.control_queued, 0);
            assert_int_equal(peer->session.counters.frames_out_total, 7);
            assert_int_equal(peer->session.counters.resets_out_total, 3);
        }
        peer_end(peer);
    }
}

static void updates_of_one_stream_become_one_frame(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    assert_true(peer_data(peer, 1, ADIT_YAMUX_SYN, 0));
    struct adit_handle stream = peer_event(peer, 0).stream;
    for (size_t i = 0; i < 4; i++) {
        assert_true(peer_data(peer, 1, 0, 64 * 1024));
        adit_session_consumed(&peer->session, stream, 64 * 1024, peer->now_us);
    }
    uint64_t window = peer_stream(peer, 1)->window;
    struct adit_reader reader = adit_reader_of(peer_pull(peer));
    struct adit_yamux_frame frame = {0};
    assert_ok(adit_yamux_read(&reader, &frame));
    assert_ok(adit_read_end(&reader));
    assert_int_equal(frame.flags, ADIT_YAMUX_ACK);
    assert_int_equal(frame.length, window); /* everything came and went */
    peer_end(peer);
}

static void control_goes_before_data(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    struct adit_handle stream = {0};
    assert_ok(adit_session_open(&peer->session, 1, peer->now_us, &stream));
    assert_true(peer_hex(peer, "0002 0001 00000000 00000001"));
    assert_pulls(peer, "0002 0002 00000000 00000001"); /* pull never takes a stream's turn */
    struct adit_session_turn turn = {0};
    assert_true(adit_session_next(&peer->session, 1000, &turn));
    peer_end(peer);
}

static void a_full_ring_stops_the_reader(void **state)
{
    struct adit_mux_limits limits = adit_mux_limits_default();
    limits.control_max = 4;
    struct peer *peer = test_calloc(1, sizeof *peer);
    peer_start(peer, peer_role(state), limits);
    uint8_t block[64];
    struct adit_bytes bytes =
        peer_unhex(peer,
                   "0002 0001 00000000 00000001 0002 0001 00000000 00000002"
                   "0002 0001 00000000 00000003 0002 0001 00000000 00000004",
                   ADIT_SPAN_OF(block));
    struct adit_session_event event = {0};
    assert_ok(adit_session_receive(&peer->session, &bytes, peer->now_us, &event));
    assert_int_equal(event.kind, ADIT_SESSION_MORE);
    assert_int_equal(bytes.len, 24); /* the caller flushes, then goes on */
    assert_true(adit_session_is_congested(&peer->session));
    assert_pulls(peer, "0002 0002 00000000 00000001 0002 0002 00000000 00000002");
    assert_false(adit_session_is_congested(&peer->session));
    assert_ok(adit_session_receive(&peer->session, &bytes, peer->now_us, &event));
    assert_int_equal(bytes.len, 0);
    assert_pulls(peer, "0002 0002 00000000 00000003 0002 0002 00000000 00000004");
    peer_end(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH_ROLES(frames_are_pulled_whole),
        BOTH_ROLES(updates_of_one_stream_become_one_frame),
        BOTH_ROLES(control_goes_before_data),
        BOTH_ROLES(a_full_ring_stops_the_reader),
    };
    return cmocka_run_group_tests_name("mux/control", tests, NULL, NULL);
}
