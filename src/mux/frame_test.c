/* The verdicts on single frames; the numbers are rows of the list of hostile cases that
 * docs/protocol.md takes up. */
#include "mux_peer.h"

/* Bytes after which the session must end with GOAWAY 1. */
struct fatal {
    const char *name;
    const char *hex;
};

static const struct fatal fatals[] = {
    {"row 1: version 1", "0100 0001 00000001 00000000"},
    {"row 2: type 4", "0004 0000 00000000 00000000"},
    {"row 2: type 0xff", "00ff 0000 00000000 00000000"},
    {"row 4: data on stream 0", "0000 0001 00000000 00000002 6869"},
    {"row 4: window on stream 0", "0001 0001 00000000 00000002"},
    {"row 5: an id of our own parity", "0000 0001 00000002 00000002 6869"},
    {"row 7: an id used again after RST",
     "0000 0001 00000001 00000000 0001 0008 00000001 00000000 0000 0001 00000001 00000002 6869"},
    {"row 7: an id used again while it lives",
     "0000 0001 00000001 00000000 0000 0001 00000001 00000000"},
    {"row 8: an id 1,024 below the newest",
     "0000 0001 00000fff 00000000 0000 0001 000007ff 00000000"},
    {"row 13: a length of 2^32 - 1", "0000 0001 00000001 00000000 0000 0000 00000001 ffffffff"},
    {"row 13: 1 MiB and a byte on a stream never opened", "0000 0000 00000063 00100001"},
    {"row 14: the first frame passes the window by one", "0000 0001 00000001 00040001"},
    {"row 14: a later frame passes it", "0000 0001 00000001 00000000 0000 0000 00000001 00040001"},
    {"row 16: a window update too many",
     "0000 0001 00000001 00000000 0001 0000 00000001 ffffffff"},
    {"row 17: SYN with a huge delta", "0001 0001 00000001 ffffffff"},
    {"row 17: SYN with the least delta too many", "0001 0001 00000001 fffc0000"},
    {"row 28: a ping on stream 5", "0002 0001 00000005 00000001"},
    {"row 28: a ping answer on stream 5", "0002 0002 00000005 00000001"},
    {"a GOAWAY on stream 5", "0003 0000 00000005 00000000"},
};

static void fatal_frames_end_the_session(void **state)
{
    for (size_t i = 0; i < ADIT_COUNT(fatals); i++) {
        const struct fatal *fatal = &ADIT_AT(fatals, i);
        struct peer *peer = peer_new(peer_role(state));
        print_message("%s\n", fatal->name);
        assert_false(peer_hex(peer, fatal->hex));
        assert_goaway(peer);
        /* It is final, whatever comes, and nobody gets a turn. */
        assert_false(peer_hex(peer, "0002 0001 00000000 00000001"));
        struct adit_session_turn turn = {0};
        assert_false(adit_session_next(&peer->session, 4096, &turn));
        struct adit_handle stream = {0};
        assert_fails(adit_session_open(&peer->session, 1, peer->now_us, &stream), CLOSED);
        peer_end(peer);
    }
}

/* Bytes that a session survives, with what it answers. */
struct harmless {
    const char *name;
    const char *hex;
    const char *answer;
    uint64_t glitches;
};

static const struct harmless harmless[] = {
    {"row 8: SYN 5 then SYN 3", "0000 0001 00000005 00000000 0000 0001 00000003 00000000",
     "0001 0002 00000005 00000000 0001 0002 00000003 00000000", 0},
    {"row 8: the oldest id that still counts",
     "0000 0001 00000fff 00000000 0000 0001 00000801 00000000",
     "0001 0002 00000fff 00000000 0001 0002 00000801 00000000", 0},
    {"row 10: data on a stream never opened", "0000 0000 00000063 00000005 68656c6c6f",
     "0001 0008 00000063 00000000", 1},
    {"row 10: data on a stream of ours never opened", "0000 0000 00000062 00000005 68656c6c6f",
     "0001 0008 00000062 00000000", 1},
    {"row 22: SYN, FIN and data at once", "0000 0005 00000001 00000002 6869",
     "0001 0002 00000001 00000000", 0},
    {"row 25: ACK on an unknown stream", "0001 0002 00000063 00000000", "", 1},
    {"an RST of an unknown stream", "0001 0008 00000063 00000000", "", 1},
    {"row 28: a ping without a flag", "0002 0000 00000000 00000001", "", 1},
    {"row 29: an answer to no ping", "0002 0002 00000000 00000001", "", 1},
    {"a ping", "0002 0001 00000000 deadbeef", "0002 0002 00000000 deadbeef", 0},
    {"unknown flags", "0002 8001 00000000 deadbeef", "0002 0002 00000000 deadbeef", 1},
    {"SYN and RST at once", "0000 0009 00000001 00000002 6869", "", 0},
    {"an ACK of a stream that the peer opened",
     "0000 0001 00000001 00000000 0001 0002 00000001 00000000", "0001 0002 00000001 00000000", 1},
    {"an update of nothing", "0000 0001 00000001 00000000 0001 0000 00000001 00000000",
     "0001 0002 00000001 00000000", 1},
    {"GOAWAY twice", "0003 0000 00000000 00000000 0003 0000 00000000 00000000", "", 1},
    {"SYN after GOAWAY", "0003 0000 00000000 00000000 0000 0001 00000001 00000002 6869",
     "0001 0002 00000001 00000000", 0},
};

static void harmless_frames_are_answered(void **state)
{
    for (size_t i = 0; i < ADIT_COUNT(harmless); i++) {
        const struct harmless *sample = &ADIT_AT(harmless, i);
        struct peer *peer = peer_new(peer_role(state));
        print_message("%s\n", sample->name);
        assert_true(peer_hex(peer, sample->hex));
        assert_pulls(peer, sample->answer);
        assert_int_equal(peer->session.counters.glitches_total, sample->glitches);
        peer_end(peer);
    }
}

static void row_11_late_bytes_of_a_reset_stream(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    assert_true(peer_data(peer, 1, ADIT_YAMUX_SYN, 1000));
    struct adit_handle stream = peer_event(peer, 0).stream;
    assert_pulls(peer, "0001 0002 00000001 00000000");
    adit_session_release(&peer->session, stream, peer->now_us);
    /* Its RST waits to go out; then it is out. Neither side of that moment draws an answer. */
    assert_true(peer_data(peer, 1, 0, 1000));
    assert_int_equal(peer->event_count, 0);
    assert_pulls(peer, "0001 0008 00000001 00000000");
    assert_true(peer_data(peer, 1, 0, 256 * 1024 - 2000));
    assert_int_equal(peer->event_count, 0);
    assert_pulls(peer, "");
    assert_int_equal(peer->session.counters.glitches_total, 0);
    assert_false(peer_data(peer, 1, 0, 1)); /* one byte past the credit it had */
    assert_goaway(peer);
    peer_end(peer);
}

static void row_11_late_updates_are_silent(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    assert_true(peer_data(peer, 1, ADIT_YAMUX_SYN, 10));
    adit_session_release(&peer->session, peer_event(peer, 0).stream, peer->now_us);
    peer_pull(peer);
    assert_true(peer_window(peer, 1, 0, 1000));
    assert_true(peer_data(peer, 1, ADIT_YAMUX_FIN, 10)); /* now it is quite forgotten */
    assert_true(peer_window(peer, 1, 0, 1000));
    assert_int_equal(peer->session.counters.glitches_total, 0);
    assert_int_equal(peer->mux.streams.used, 0);
    assert_pulls(peer, "");
    peer_end(peer);
}

static void row_16_a_refused_update_changes_no_window(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    assert_true(peer_data(peer, 1, ADIT_YAMUX_SYN, 0));
    struct adit_stream *stream = peer_stream(peer, 1);
    assert_true(peer_window(peer, 1, 0, UINT32_MAX - 256 * 1024)); /* the largest that fits */
    assert_int_equal(stream->send_window, UINT32_MAX);
    assert_false(peer_window(peer, 1, 0, 1));
    assert_int_equal(stream->send_window, UINT32_MAX);
    assert_goaway(peer);
    peer_end(peer);
}

static void row_19_data_after_fin(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    assert_true(peer_data(peer, 1, ADIT_YAMUX_SYN, 0));
    peer_pull(peer);
    assert_true(peer_data(peer, 1, ADIT_YAMUX_FIN, 0));
    assert_int_equal(peer_event(peer, 0).kind, ADIT_SESSION_FINISHED);
    assert_true(peer_data(peer, 1, 0, 5));
    assert_int_equal(peer->event_count, 1); /* no Data among them */
    assert_int_equal(peer_event(peer, 0).kind, ADIT_SESSION_RESET);
    assert_int_equal(peer_event(peer, 0).user, 7);
    assert_pulls(peer, "0001 0008 00000001 00000000");
    assert_int_equal(peer->session.counters.streams_open, 0);
    peer_end(peer);
}

static void row_20_fin_twice(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    assert_true(peer_data(peer, 1, ADIT_YAMUX_SYN | ADIT_YAMUX_FIN, 0));
    peer_pull(peer);
    assert_true(peer_window(peer, 1, ADIT_YAMUX_FIN, 0));
    assert_int_equal(peer_event(peer, 0).kind, ADIT_SESSION_RESET);
    assert_int_equal(peer->session.counters.glitches_total, 1);
    assert_pulls(peer, "0001 0008 00000001 00000000");
    assert_true(peer_hex(peer, "0002 0001 00000000 00000001")); /* it lives */
    peer_end(peer);
}

static void row_22_two_bytes_and_the_end(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    assert_true(peer_hex(peer, "0000 0005 00000001 00000002 6869"));
    assert_int_equal(peer->event_count, 3);
    assert_int_equal(peer_event(peer, 0).kind, ADIT_SESSION_OPENED);
    assert_int_equal(peer_event(peer, 1).kind, ADIT_SESSION_DATA);
    assert_int_equal(peer_event(peer, 1).len, 2);
    assert_int_equal(peer_event(peer, 2).kind, ADIT_SESSION_FINISHED);
    peer_end(peer);
}

static void row_32_goaway_with_an_unknown_code(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    assert_true(peer_data(peer, 1, ADIT_YAMUX_SYN, 0));
    peer->event_count = 0;
    uint8_t block[12];
    struct adit_bytes bytes =
        peer_unhex(peer, "0003 0000 00000000 00000009", ADIT_SPAN_OF(block));
    struct adit_session_event event = {0};
    assert_ok(adit_session_receive(&peer->session, &bytes, peer->now_us, &event));
    assert_int_equal(event.kind, ADIT_SESSION_GOAWAY);
    assert_int_equal(event.code, 9);
    assert_fails(adit_session_receive(&peer->session, &bytes, peer->now_us, &event), CLOSED);
    peer_end(peer);
}

static void row_34_ten_thousand_syns(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    peer->is_passive = true;
    size_t opened = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        assert_true(peer_data(peer, 2 * i + 1, ADIT_YAMUX_SYN, 0));
        opened += peer->event_count;
        if (peer->event_count == 0) { /* each excess one is reset by itself */
            struct adit_bytes answer = peer_pull(peer);
            assert_int_equal(answer.len, ADIT_YAMUX_HEADER_BYTES);
            struct adit_reader reader = adit_reader_of(answer);
            struct adit_yamux_frame frame = {0};
            assert_ok(adit_yamux_read(&reader, &frame));
            assert_int_equal(frame.flags, ADIT_YAMUX_RST);
            assert_int_equal(frame.stream, peer_id(peer, 2 * i + 1));
        }
    }
    assert_int_equal(opened, 256);
    assert_int_equal(peer->session.counters.unacked_in, 256);
    assert_int_equal(peer->mux.streams.used, 256);
    peer_end(peer);
}

static void row_34_no_more_than_streams_max(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    size_t opened = 0;
    for (uint32_t i = 0; i < 2000; i++) {
        assert_true(peer_data(peer, 2 * i + 1, ADIT_YAMUX_SYN, 0));
        opened += peer->event_count;
        peer_pull(peer);
    }
    assert_int_equal(opened, 1024);
    assert_int_equal(peer->session.counters.streams_open, 1024);
    assert_int_equal(peer->session.counters.unacked_in, 0);
    peer_end(peer);
}

/* Refusals take no room that answers to hostile frames need, and an honest peer's never stop us
 * from reading: else two peers that refuse each other would both wait to be read. */
static void refusals_do_not_congest(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    adit_session_goaway(&peer->session, ADIT_YAMUX_GOAWAY_NORMAL);
    for (uint32_t i = 0; i < 256; i++) {
        assert_true(peer_data(peer, 2 * i + 1, ADIT_YAMUX_SYN, 10));
        assert_false(adit_session_is_congested(&peer->session));
    }
    assert_int_equal(peer->session.counters.control_queued, 1);
    assert_int_equal(peer->session.counters.refusals_queued, 256);
    assert_int_equal(peer_pull(peer).len, 257 * ADIT_YAMUX_HEADER_BYTES);
    assert_int_equal(peer->session.counters.control_queued, 0);
    assert_int_equal(peer->session.counters.refusals_queued, 0);
    assert_false(adit_session_wants_output(&peer->session));
    /* Their late bytes are no news. */
    assert_true(peer_data(peer, 1, 0, 256 * 1024 - 10));
    assert_int_equal(peer->session.counters.glitches_total, 0);
    /* A hostile one is held up at some time, and no RST of the newest ids is lost. */
    uint32_t id = 513;
    while (!adit_session_is_congested(&peer->session)) {
        struct adit_yamux_frame frame = {.flags = ADIT_YAMUX_SYN, .stream = peer_id(peer, id)};
        uint8_t block[12];
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(block));
        assert_ok(adit_yamux_write(&writer, &frame));
        struct adit_bytes bytes = adit_writer_bytes(&writer);
        struct adit_session_event event = {0};
        assert_ok(adit_session_receive(&peer->session, &bytes, peer->now_us, &event));
        id += 2;
    }
    assert_int_equal(peer_pull(peer).len, (id - 513) / 2 * ADIT_YAMUX_HEADER_BYTES);
    peer_end(peer);
}

static void row_35_rapid_reset(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    size_t opened = 0;
    uint32_t i = 0;
    for (; i < 100000; i++) {
        if (!peer_data(peer, 2 * i + 1, ADIT_YAMUX_SYN, 0)) {
            break;
        }
        opened += peer->event_count;
        if (!peer_window(peer, 2 * i + 1, ADIT_YAMUX_RST, 0)) {
            break;
        }
    }
    assert_goaway(peer);
    assert_int_equal(i, 256);
    assert_int_equal(opened, 257); /* the last one is the one that was too many */
    peer_end(peer);
}

static void row_35_resets_after_the_ack(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    uint32_t i = 0;
    for (; i < 100000; i++) {
        if (!peer_data(peer, 2 * i + 1, ADIT_YAMUX_SYN, 0)) {
            break;
        }
        peer_pull(peer);
        if (!peer_window(peer, 2 * i + 1, ADIT_YAMUX_RST, 0)) {
            break;
        }
    }
    assert_goaway(peer);
    assert_int_equal(i, 1024);
    peer_end(peer);
}

static void row_37_empty_frames(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    assert_true(peer_data(peer, 1, ADIT_YAMUX_SYN, 0));
    uint32_t i = 0;
    while (i < 200000 && peer_data(peer, 1, 0, 0)) {
        i++;
    }
    assert_int_equal(i, 256);
    assert_goaway(peer);
    peer_end(peer);
}

static void pings_beyond_the_budget_are_not_answered(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    size_t answered = 0;
    size_t sent = 0;
    while (peer_hex(peer, "0002 0001 00000000 00000001")) {
        answered += peer_pull(peer).len > 0;
        sent++;
    }
    assert_int_equal(answered, 16);
    assert_int_equal(sent, 16 + 256);
    assert_goaway(peer);
    peer_end(peer);
}

static void a_caller_that_never_flushes_does_not_wedge(void **state)
{
    struct adit_mux_limits limits = adit_mux_limits_default();
    limits.ping_burst = 100000;
    struct peer *peer = test_calloc(1, sizeof *peer);
    peer_start(peer, peer_role(state), limits);
    for (size_t i = 0; i < 300; i++) {
        uint8_t block[12];
        struct adit_bytes bytes =
            peer_unhex(peer, "0002 0001 00000000 00000001", ADIT_SPAN_OF(block));
        struct adit_session_event event = {0};
        assert_ok(adit_session_receive(&peer->session, &bytes, peer->now_us, &event));
        assert_int_equal(bytes.len, 0);
        assert_true(peer->session.counters.control_queued <= 64);
    }
    assert_true(adit_session_is_congested(&peer->session));
    assert_int_equal(peer_pull(peer).len, 64 * ADIT_YAMUX_HEADER_BYTES);
    assert_false(adit_session_is_congested(&peer->session));
    peer_end(peer);
}

static void a_peer_that_answers_has_acknowledged(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    struct adit_handle stream = {0};
    assert_ok(adit_session_open(&peer->session, 5, peer->now_us, &stream));
    peer_send(peer, stream, 10, false);
    assert_int_equal(peer->session.counters.unacked_out, 1);
    assert_true(peer_data(peer, 2, 0, 3)); /* no ACK, but who could know the id without the SYN */
    assert_int_equal(peer_event(peer, 0).kind, ADIT_SESSION_ACKED);
    assert_int_equal(peer_event(peer, 0).user, 5);
    assert_int_equal(peer_event(peer, 1).kind, ADIT_SESSION_DATA);
    assert_int_equal(peer->session.counters.unacked_out, 0);
    peer_end(peer);
}

static void garbage_after_both_ends_harms_no_finished_stream(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    assert_true(peer_data(peer, 1, ADIT_YAMUX_SYN | ADIT_YAMUX_FIN, 10));
    struct adit_handle stream = peer_event(peer, 0).stream;
    peer_pull(peer);
    peer_send(peer, stream, 10, true);
    assert_true(peer_data(peer, 1, 0, 5));
    assert_int_equal(peer->event_count, 0);
    assert_int_equal(peer->session.counters.glitches_total, 1);
    assert_pulls(peer, "");
    adit_session_release(&peer->session, stream, peer->now_us);
    assert_int_equal(peer->session.counters.streams_open, 0);
    assert_int_equal(peer->session.counters.received_pending, 0);
    assert_pulls(peer, "");
    peer_end(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH_ROLES(fatal_frames_end_the_session),
        BOTH_ROLES(harmless_frames_are_answered),
        BOTH_ROLES(row_11_late_bytes_of_a_reset_stream),
        BOTH_ROLES(row_11_late_updates_are_silent),
        BOTH_ROLES(row_16_a_refused_update_changes_no_window),
        BOTH_ROLES(row_19_data_after_fin),
        BOTH_ROLES(row_20_fin_twice),
        BOTH_ROLES(row_22_two_bytes_and_the_end),
        BOTH_ROLES(row_32_goaway_with_an_unknown_code),
        BOTH_ROLES(row_34_ten_thousand_syns),
        BOTH_ROLES(row_34_no_more_than_streams_max),
        BOTH_ROLES(refusals_do_not_congest),
        BOTH_ROLES(row_35_rapid_reset),
        BOTH_ROLES(row_35_resets_after_the_ack),
        BOTH_ROLES(row_37_empty_frames),
        BOTH_ROLES(pings_beyond_the_budget_are_not_answered),
        BOTH_ROLES(a_caller_that_never_flushes_does_not_wedge),
        BOTH_ROLES(a_peer_that_answers_has_acknowledged),
        BOTH_ROLES(garbage_after_both_ends_harms_no_finished_stream),
    };
    return cmocka_run_group_tests_name("mux/frame", tests, NULL, NULL);
}
