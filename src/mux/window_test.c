#include "mux_peer.h"

#define KIB 1024u
#define MIB (1024u * 1024)

/* The credit that the last pull granted. */
static uint64_t granted(struct peer *peer)
{
    struct adit_reader reader = adit_reader_of(peer_pull(peer));
    uint64_t sum = 0;
    while (reader.rest.len > 0) {
        struct adit_yamux_frame frame = {0};
        assert_ok(adit_yamux_read(&reader, &frame));
        sum += frame.type == ADIT_YAMUX_WINDOW ? frame.length : 0;
    }
    return sum;
}

static struct adit_handle begin(struct peer *peer, uint32_t id)
{
    assert_true(peer_data(peer, id, ADIT_YAMUX_SYN, 0));
    struct adit_handle stream = peer_event(peer, 0).stream;
    peer_pull(peer);
    return stream;
}

static void receive_and_consume(struct peer *peer, uint32_t id, struct adit_handle stream,
                                uint32_t count)
{
    assert_true(peer_data(peer, id, 0, count));
    adit_session_consumed(&peer->session, stream, count, peer->now_us);
}

static void an_update_comes_at_three_eighths_of_the_window(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    adit_session_rtt_set(&peer->session, 1000);
    struct adit_handle stream = begin(peer, 1);
    receive_and_consume(peer, 1, stream, 96 * KIB - 1);
    assert_int_equal(granted(peer), 0);
    receive_and_consume(peer, 1, stream, 1);
    assert_int_equal(granted(peer), 96 * KIB);
    peer_end(peer);
}

static void on_a_long_road_it_comes_at_a_quarter(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    adit_session_rtt_set(&peer->session, 50 * ADIT_MS_US);
    struct adit_handle stream = begin(peer, 1);
    receive_and_consume(peer, 1, stream, 64 * KIB - 1);
    assert_int_equal(granted(peer), 0);
    receive_and_consume(peer, 1, stream, 1);
    assert_int_equal(granted(peer), 64 * KIB);
    peer_end(peer);
}

static void a_starving_sender_is_helped_early(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    adit_session_rtt_set(&peer->session, 1000);
    struct adit_handle stream = begin(peer, 1);
    assert_true(peer_data(peer, 1, 0, 256 * KIB)); /* all its credit, and the reader is slow */
    adit_session_consumed(&peer->session, stream, 64 * KIB, peer->now_us);
    assert_int_equal(granted(peer), 64 * KIB);
    peer_end(peer);
}

static void no_credit_for_a_peer_that_has_finished(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    struct adit_handle stream = begin(peer, 1);
    assert_true(peer_data(peer, 1, ADIT_YAMUX_FIN, 256 * KIB));
    adit_session_consumed(&peer->session, stream, 256 * KIB, peer->now_us);
    assert_false(adit_session_wants_output(&peer->session));
    peer_end(peer);
}

/* What a sender in slow start sends in this round trip it doubles in the next. */
static void on_a_long_road_a_window_grows_sooner(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    adit_session_rtt_set(&peer->session, 4 * ADIT_MS_US);
    struct adit_handle stream = begin(peer, 1);
    receive_and_consume(peer, 1, stream, 100 * KIB);
    assert_int_equal(peer_stream(peer, 1)->window, 256 * KIB);
    adit_session_rtt_set(&peer->session, 50 * ADIT_MS_US);
    stream = begin(peer, 3);
    receive_and_consume(peer, 3, stream, 32 * KIB);
    peer->now_us += 40 * ADIT_MS_US;
    receive_and_consume(peer, 3, stream, 64 * KIB - 1);
    assert_int_equal(peer_stream(peer, 3)->window, 256 * KIB);
    receive_and_consume(peer, 3, stream, 1);
    assert_int_equal(peer_stream(peer, 3)->window, 512 * KIB);
    peer_end(peer);
}

/* A reader that drains everything at once on a road of `rtt`, with a sender that always has more:
 * the whole window arrives once a round trip. Returns the window in the end. */
static uint32_t run_road(struct peer *peer, uint32_t id, uint64_t rtt_us, size_t round_trips)
{
    adit_session_rtt_set(&peer->session, rtt_us);
    struct adit_handle stream = begin(peer, id);
    uint64_t credit = 256 * KIB;
    for (size_t i = 0; i < round_trips; i++) {
        while (credit > 0) {
            uint32_t piece = (uint32_t)adit_min_u64(credit, 64 * KIB);
            receive_and_consume(peer, id, stream, piece);
            credit -= piece;
        }
        peer->now_us += rtt_us;
        credit += granted(peer);
    }
    return peer_stream(peer, id)->window;
}

static void a_window_grows_to_its_maximum_on_a_long_fat_road(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    /* 200 ms: 32 MiB within 1.2 s. */
    assert_int_equal(run_road(peer, 1, 200 * ADIT_MS_US, 6), 32 * MIB);
    assert_int_equal(peer->session.counters.growth_granted, 32 * MIB - 256 * KIB);
    assert_int_equal(peer->mux.growth_used, 32 * MIB - 256 * KIB);
    run_road(peer, 3, 200 * ADIT_MS_US, 6);
    adit_session_release(&peer->session, peer_stream(peer, 1)->handle, 0);
    assert_int_equal(peer->session.counters.growth_granted, 32 * MIB - 256 * KIB);
    peer_end(peer);
}

/* 1.4 GiB/s in turns of 512 KiB: what is in a window delays others, so it is no larger. */
static void a_fast_short_road_keeps_a_small_window(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    adit_session_rtt_set(&peer->session, 60);
    struct adit_handle stream = begin(peer, 1);
    uint64_t credit = 256 * KIB;
    for (size_t turns = 0; turns < 1000; turns++) {
        for (uint32_t left = 512 * KIB; left > 0 && credit > 0;) {
            uint32_t piece = (uint32_t)adit_min_u64(adit_min_u64(credit, left), 64 * KIB);
            receive_and_consume(peer, 1, stream, piece);
            credit -= piece;
            left -= piece;
        }
        peer->now_us += 350;
        credit += granted(peer);
    }
    assert_int_equal(peer_stream(peer, 1)->window, 2 * MIB);
    peer_end(peer);
}

/* A small stream of ours says something. */
static void say(struct peer *peer, struct adit_handle stream)
{
    uint8_t header[ADIT_YAMUX_HEADER_BYTES] = {0};
    adit_session_ready(&peer->session, stream);
    struct adit_session_turn turn = {0};
    assert_true(adit_session_next(&peer->session, 1000, &turn));
    assert_ok(adit_session_sent(&peer->session, stream, ADIT_SPAN_OF(header), 10, false));
    adit_session_idle(&peer->session, stream);
}

/* Bulk in turns of 256 KiB, as far as the peer has credit; the credit that it has in the end. */
static uint64_t run_turns(struct peer *peer, struct adit_handle bulk, uint64_t credit)
{
    for (size_t turns = 0; turns < 20; turns++) {
        uint32_t count = (uint32_t)adit_min_u64(credit, 256 * KIB);
        receive_and_consume(peer, 1, bulk, count);
        peer->now_us += 200;
        credit += granted(peer) - count;
    }
    return credit;
}

static void beside_small_streams_bulk_uses_less_of_its_window(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    struct adit_handle bulk = begin(peer, 1);
    struct adit_handle small = begin(peer, 3);
    adit_session_rtt_set(&peer->session, 60);
    assert_false(adit_session_is_mixed(&peer->session));
    uint64_t credit = run_turns(peer, bulk, 256 * KIB);
    assert_int_equal(credit, 2 * MIB);
    say(peer, bulk); /* its end, or it asks for more */
    assert_false(adit_session_is_mixed(&peer->session));
    say(peer, bulk); /* it is a small stream now */
    assert_true(adit_session_is_mixed(&peer->session));
    credit = run_turns(peer, bulk, credit); /* it was not */
    assert_int_equal(credit, 2 * MIB);
    assert_false(adit_session_is_mixed(&peer->session));
    say(peer, small);
    assert_true(adit_session_is_mixed(&peer->session));
    credit = run_turns(peer, bulk, credit);
    assert_int_equal(credit, 96 * KIB);
    peer->now_us += ADIT_SESSION_MIXED_US;
    credit = run_turns(peer, bulk, credit);
    assert_false(adit_session_is_mixed(&peer->session));
    assert_int_equal(credit, 2 * MIB);
    adit_session_rtt_set(&peer->session, 300); /* a road that holds more at 1 GiB/s */
    say(peer, small);
    credit = run_turns(peer, bulk, credit);
    assert_int_equal(credit, 300 * KIB);
    adit_session_rtt_set(&peer->session, 4 * ADIT_MS_US);
    say(peer, small);
    credit = run_turns(peer, bulk, credit);
    assert_int_equal(credit, 512 * KIB);
    adit_session_rtt_set(&peer->session, 50 * ADIT_MS_US); /* what a long road holds it needs */
    say(peer, small);
    credit = run_turns(peer, bulk, credit);
    assert_true(credit > 1 * MIB);
    peer_end(peer);
}

static void an_answer_beside_bulk_is_waited_for(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    bool is_client = peer->session.role == ADIT_SESSION_CLIENT;
    struct adit_handle bulk = begin(peer, 1);
    struct adit_handle small = begin(peer, 3);
    adit_session_rtt_set(&peer->session, 60);
    receive_and_consume(peer, 3, small, 100);
    assert_false(adit_session_awaits_answer(&peer->session)); /* no bulk is there */
    run_turns(peer, bulk, 256 * KIB);
    say(peer, small);
    receive_and_consume(peer, 1, bulk, 100); /* the rest of its turn */
    assert_false(adit_session_awaits_answer(&peer->session));
    receive_and_consume(peer, 3, small, 2049);
    assert_false(adit_session_awaits_answer(&peer->session)); /* nobody asks for so long */
    receive_and_consume(peer, 3, small, 2048);
    assert_int_equal(adit_session_awaits_answer(&peer->session), is_client);
    say(peer, small);
    assert_false(adit_session_awaits_answer(&peer->session));
    peer->now_us += 479; /* not again so soon */
    receive_and_consume(peer, 3, small, 100);
    assert_false(adit_session_awaits_answer(&peer->session));
    peer->now_us += 1;
    adit_session_rtt_set(&peer->session, 50 * ADIT_MS_US); /* where 60 us are nothing */
    receive_and_consume(peer, 3, small, 100);
    assert_false(adit_session_awaits_answer(&peer->session));
    peer_end(peer);
}

/* Questions without answers: what passes at most from one wait to the next. */
static uint64_t longest_pause(struct peer *peer, struct adit_handle bulk, struct adit_handle small)
{
    uint64_t begun_us = 0, longest_us = 0;
    for (size_t i = 0; i < 10000; i++) {
        bool was_waiting = adit_session_awaits_answer(&peer->session);
        if (i % 500 == 0) {
            adit_session_bulk_passed(&peer->session, adit_session_stream(&peer->session, bulk));
            peer->session.small_us = peer->now_us;
        }
        receive_and_consume(peer, 3, small, 10);
        granted(peer);
        if (!was_waiting && adit_session_awaits_answer(&peer->session)) {
            longest_us = adit_max_u64(longest_us, begun_us ? peer->now_us - begun_us : 0);
            begun_us = peer->now_us;
        }
        assert_int_equal(adit_session_awaits_answer(&peer->session),
                         begun_us > 0 && peer->now_us < begun_us + 60);
        peer->now_us += 10;
    }
    return longest_us;
}

static void who_answers_late_is_waited_for_less(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    struct adit_handle bulk = begin(peer, 1);
    struct adit_handle small = begin(peer, 3);
    bool is_client = peer->session.role == ADIT_SESSION_CLIENT;
    adit_session_rtt_set(&peer->session, 60);
    assert_int_equal(longest_pause(peer, bulk, small), is_client ? 7680 : 0);
    peer->now_us += 10 * ADIT_MS_US;
    run_turns(peer, bulk, 256 * KIB);
    say(peer, small); /* too late for the last one */
    receive_and_consume(peer, 3, small, 10);
    assert_int_equal(adit_session_awaits_answer(&peer->session), is_client);
    say(peer, small); /* in time */
    peer->now_us += 7680;
    receive_and_consume(peer, 3, small, 10);
    say(peer, small);
    peer->now_us += 480;
    receive_and_consume(peer, 3, small, 10);
    assert_int_equal(adit_session_awaits_answer(&peer->session), is_client);
    peer_end(peer);
}

/* Credit that is held back comes as soon as there is room for it: nobody waits for ever. */
static void held_back_credit_leaves_some_to_go_on_with(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    struct adit_handle bulk = begin(peer, 1);
    struct adit_handle small = begin(peer, 3);
    adit_session_rtt_set(&peer->session, 60);
    uint64_t credit = run_turns(peer, bulk, 256 * KIB);
    for (size_t i = 0; i < 100; i++) {
        say(peer, small);
        credit = run_turns(peer, bulk, credit);
        assert_true(credit > 0);
    }
    peer_end(peer);
}

static void a_slow_reader_gains_nothing(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    adit_session_rtt_set(&peer->session, 50 * ADIT_MS_US);
    struct adit_handle stream = begin(peer, 1);
    for (size_t i = 0; i < 1000; i++) { /* 1 KiB a 10 ms: 100 KiB/s */
        receive_and_consume(peer, 1, stream, 1 * KIB);
        peer->now_us += 10 * ADIT_MS_US;
        granted(peer);
    }
    assert_int_equal(peer->session.counters.growth_granted, 0);
    /* One that stops, and then drains all it has at once, gains nothing by that either. */
    assert_true(peer_data(peer, 1, 0, peer_stream(peer, 1)->credit));
    peer->now_us += 10 * ADIT_SECOND_US;
    for (size_t i = 0; i < 256; i++) {
        adit_session_consumed(&peer->session, stream, 1 * KIB, peer->now_us);
    }
    assert_int_equal(peer->session.counters.growth_granted, 0);
    peer_end(peer);
}

static void a_reader_that_does_not_read_gains_nothing(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    begin(peer, 1);
    assert_true(peer_data(peer, 1, 0, 256 * KIB));
    peer->now_us += 10 * ADIT_SECOND_US;
    assert_int_equal(granted(peer), 0);
    assert_int_equal(peer->session.counters.received_pending, 256 * KIB);
    peer_end(peer);
}

static void growth_stops_at_the_budget(void **state)
{
    struct adit_mux_limits limits = adit_mux_limits_default();
    limits.session_growth_max = 1 * MIB;
    struct peer *peer = test_calloc(1, sizeof *peer);
    peer_start(peer, peer_role(state), limits);
    assert_int_equal(run_road(peer, 1, 200 * ADIT_MS_US, 8), 1 * MIB + 256 * KIB);
    assert_int_equal(peer->session.counters.growth_granted, 1 * MIB);
    peer_end(peer);
}

static void under_pressure_the_large_give_way(void **state)
{
    struct adit_mux_limits limits = adit_mux_limits_default();
    limits.session_growth_max = 1 * MIB;
    struct peer *peer = test_calloc(1, sizeof *peer);
    peer_start(peer, peer_role(state), limits);
    run_road(peer, 1, 200 * ADIT_MS_US, 8);
    struct adit_handle large = peer_stream(peer, 1)->handle;
    /* It goes on reading as fast as ever; updates are withheld until its window has shrunk, and
     * others may grow. */
    for (uint32_t id = 3; id < 13; id += 2) {
        run_road(peer, id, 200 * ADIT_MS_US, 3);
        for (size_t i = 0; i < 8; i++) {
            uint32_t credit = peer_stream(peer, 1)->credit;
            receive_and_consume(peer, 1, large, (uint32_t)adit_min_u64(credit, 64 * KIB));
            peer->now_us += 200 * ADIT_MS_US;
            granted(peer);
            assert_true(peer->session.counters.growth_granted <= 1 * MIB);
        }
    }
    assert_in_range(peer_stream(peer, 1)->window, 256 * KIB, 800 * KIB);
    assert_true(peer_stream(peer, 11)->window > 256 * KIB);
    peer_end(peer);
}

static void the_heaviest_is_found(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    struct adit_handle stream = {0};
    uint64_t pending = 0;
    begin(peer, 1);
    assert_false(adit_session_heaviest(&peer->session, &stream, &pending));
    begin(peer, 3);
    begin(peer, 5);
    assert_true(peer_data(peer, 1, 0, 100));
    assert_true(peer_data(peer, 3, ADIT_YAMUX_FIN, 300));
    assert_true(peer_data(peer, 5, 0, 200));
    assert_true(adit_session_heaviest(&peer->session, &stream, &pending));
    assert_int_equal(pending, 300);
    assert_true(adit_handle_equal(stream, peer_stream(peer, 3)->handle));
    /* 1,024 bytes are announced on stream 1 and two have come: 102 are with its reader. */
    assert_true(peer_hex(peer, "00000000 00000001 00000400 6869"));
    assert_true(adit_session_heaviest(&peer->session, &stream, &pending));
    assert_int_equal(pending, 300);
    assert_true(adit_handle_equal(stream, peer_stream(peer, 3)->handle));
    peer_end(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH_ROLES(an_update_comes_at_three_eighths_of_the_window),
        BOTH_ROLES(on_a_long_road_it_comes_at_a_quarter),
        BOTH_ROLES(a_starving_sender_is_helped_early),
        BOTH_ROLES(no_credit_for_a_peer_that_has_finished),
        BOTH_ROLES(on_a_long_road_a_window_grows_sooner),
        BOTH_ROLES(a_window_grows_to_its_maximum_on_a_long_fat_road),
        BOTH_ROLES(a_fast_short_road_keeps_a_small_window),
        BOTH_ROLES(beside_small_streams_bulk_uses_less_of_its_window),
        BOTH_ROLES(an_answer_beside_bulk_is_waited_for),
        BOTH_ROLES(who_answers_late_is_waited_for_less),
        BOTH_ROLES(held_back_credit_leaves_some_to_go_on_with),
        BOTH_ROLES(a_slow_reader_gains_nothing),
        BOTH_ROLES(a_reader_that_does_not_read_gains_nothing),
        BOTH_ROLES(growth_stops_at_the_budget),
        BOTH_ROLES(under_pressure_the_large_give_way),
        BOTH_ROLES(the_heaviest_is_found),
    };
    return cmocka_run_group_tests_name("mux/window", tests, NULL, NULL);
}
