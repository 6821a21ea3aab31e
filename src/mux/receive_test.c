#include "mux_peer.h"

/* SYN with 5 bytes, a ping in between, 3 more bytes and the end. */
static const char conversation[] = "0000 0001 00000001 00000005 68656c6c6f"
                                   "0002 0001 00000000 00000007"
                                   "0000 0004 00000001 00000003 616263";

struct tally {
    size_t opened, data, finished;
};

static void count_events(const struct peer *peer, struct tally *tally)
{
    for (size_t i = 0; i < peer->event_count; i++) {
        struct peer_event event = peer_event(peer, i);
        tally->opened += event.kind == ADIT_SESSION_OPENED ? 1 : 0;
        tally->data += event.len;
        tally->finished += event.kind == ADIT_SESSION_FINISHED ? 1 : 0;
    }
}

static void row_38_any_split_means_the_same(void **state)
{
    for (size_t split = 0; split <= 44; split++) {
        uint8_t block[64];
        struct peer *peer = peer_new(peer_role(state));
        struct adit_bytes whole = peer_unhex(peer, conversation, ADIT_SPAN_OF(block));
        assert_int_equal(whole.len, 44);
        struct tally tally = {0};
        assert_true(peer_feed(peer, adit_bytes_first(whole, split)));
        count_events(peer, &tally);
        assert_true(peer_feed(peer, adit_bytes_from(whole, split)));
        count_events(peer, &tally);
        assert_int_equal(tally.opened, 1);
        assert_int_equal(tally.data, 8);
        assert_int_equal(tally.finished, 1);
        assert_int_equal(peer->session.counters.frames_in_total, 3);
        assert_int_equal(peer->session.counters.received_pending, 8);
        assert_pulls(peer, "0002 0002 00000000 00000007 0001 0002 00000001 00000000");
        peer_end(peer);
    }
}

static void row_38_one_byte_at_a_time(void **state)
{
    uint8_t block[64];
    struct peer *peer = peer_new(peer_role(state));
    struct adit_bytes whole = peer_unhex(peer, conversation, ADIT_SPAN_OF(block));
    struct tally tally = {0};
    for (size_t i = 0; i < whole.len; i++) {
        assert_true(peer_feed(peer, adit_bytes_first(adit_bytes_from(whole, i), 1)));
        count_events(peer, &tally);
    }
    assert_int_equal(tally.opened, 1);
    assert_int_equal(tally.data, 8);
    assert_int_equal(tally.finished, 1);
    peer_end(peer);
}

static void data_is_a_view_of_the_input(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    uint8_t block[64];
    struct adit_bytes whole = peer_unhex(peer, conversation, ADIT_SPAN_OF(block));
    struct adit_bytes rest = whole;
    struct adit_session_event event = {0};
    assert_ok(adit_session_receive(&peer->session, &rest, peer->now_us, &event));
    assert_int_equal(event.kind, ADIT_SESSION_OPENED);
    assert_ok(adit_session_receive(&peer->session, &rest, peer->now_us, &event));
    assert_int_equal(event.kind, ADIT_SESSION_DATA);
    assert_ptr_equal(event.data.ptr, adit_bytes_from(whole, 12).ptr);
    assert_bytes(event.data, ADIT_BYTES("hello"));
    peer_end(peer);
}

/* The user may release a stream on any of its events; what is left of the frame is swallowed. */
static void released_in_the_middle_of_a_frame(void **state)
{
    for (size_t after = 1; after <= 3; after++) {
        struct peer *peer = peer_new(peer_role(state));
        uint8_t block[64];
        struct adit_bytes rest = peer_unhex(peer, "0000 0005 00000001 00000005 68656c6c6f"
                                            "0002 0001 00000000 00000007",
                                            ADIT_SPAN_OF(block));
        struct adit_session_event event = {0};
        for (size_t i = 0; i < after; i++) {
            assert_ok(adit_session_receive(&peer->session, &rest, peer->now_us, &event));
            assert_int_not_equal(event.kind, ADIT_SESSION_MORE);
        }
        adit_session_release(&peer->session, event.stream, peer->now_us);
        assert_ok(adit_session_receive(&peer->session, &rest, peer->now_us, &event));
        assert_int_equal(event.kind, ADIT_SESSION_MORE);
        assert_int_equal(rest.len, 0);
        assert_int_equal(peer->session.counters.received_pending, 0);
        assert_pulls(peer, "0002 0002 00000000 00000007 0001 0008 00000001 00000000");
        assert_int_equal(peer->session.counters.streams_open, 0);
        peer_end(peer);
    }
}

static void payload_in_pieces_counts_once(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    static uint8_t zeros[100];
    assert_true(peer_hex(peer, "0000 0001 00000001 00000064"));
    struct adit_handle stream = peer_event(peer, 0).stream;
    assert_int_equal(peer->session.counters.received_pending, 0);
    assert_true(peer_feed(peer, adit_bytes_first(ADIT_BYTES_OF(zeros), 60)));
    assert_int_equal(peer->session.counters.received_pending, 60);
    /* No more can be consumed than was handed out. */
    adit_session_consumed(&peer->session, stream, 100, peer->now_us);
    assert_int_equal(peer->session.counters.received_pending, 0);
    assert_true(peer_feed(peer, adit_bytes_first(ADIT_BYTES_OF(zeros), 40)));
    assert_int_equal(peer->session.counters.received_pending, 40);
    adit_session_release(&peer->session, stream, peer->now_us);
    assert_int_equal(peer->session.counters.received_pending, 0);
    peer_end(peer);
}

static void a_reset_handle_is_stale(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    assert_true(peer_data(peer, 1, ADIT_YAMUX_SYN, 10));
    struct adit_handle stream = peer_event(peer, 0).stream;
    peer_pull(peer);
    assert_true(peer_data(peer, 1, ADIT_YAMUX_RST, 10)); /* its payload is swallowed */
    assert_int_equal(peer->event_count, 1);
    assert_int_equal(peer_event(peer, 0).kind, ADIT_SESSION_RESET);
    assert_int_equal(peer_event(peer, 0).user, 7);
    uint64_t user = 0;
    assert_false(adit_session_user(&peer->session, stream, &user));
    adit_session_ready(&peer->session, stream);
    adit_session_idle(&peer->session, stream);
    adit_session_consumed(&peer->session, stream, 10, peer->now_us);
    adit_session_release(&peer->session, stream, peer->now_us);
    assert_fails(adit_session_accept(&peer->session, stream, 1), STALE);
    assert_int_equal(peer->session.counters.received_pending, 0);
    assert_pulls(peer, "");
    peer_end(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH_ROLES(row_38_any_split_means_the_same),
        BOTH_ROLES(row_38_one_byte_at_a_time),
        BOTH_ROLES(data_is_a_view_of_the_input),
        BOTH_ROLES(released_in_the_middle_of_a_frame),
        BOTH_ROLES(payload_in_pieces_counts_once),
        BOTH_ROLES(a_reset_handle_is_stale),
    };
    return cmocka_run_group_tests_name("mux/receive", tests, NULL, NULL);
}
