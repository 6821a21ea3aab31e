#include "mux_peer.h"

struct claim {
    uint32_t id;
    bool is_fine;
};

/* For a server: the peer's ids are odd. In order, on one session. */
static const struct claim claims[] = {
    {5, true},     {3, true},     {1, true},      {3, false},       {5, false},
    {1, false},    {7, true},     {2055, true}, /* 1,024 after 7 */ {7, false},
    {9, true}, /* 1,023 below the newest */       {9, false},       {2053, true},
    {1000001, true}, {2055, false}, {999999, true}, {999999, false}, {UINT32_MAX, true},
    {UINT32_MAX, false}, {UINT32_MAX - 2046, true}, {UINT32_MAX - 2048, false},
};

static void every_id_is_claimed_once(void **state)
{
    (void)state;
    struct peer *peer = peer_new(ADIT_SESSION_SERVER);
    for (size_t i = 0; i < ADIT_COUNT(claims); i++) {
        const struct claim *claim = &ADIT_AT(claims, i);
        assert_int_equal(adit_session_id_claim(&peer->session, claim->id), claim->is_fine);
        assert_true(adit_session_id_is_past(&peer->session, claim->id));
    }
    peer_end(peer);
}

/* Against a plain set, with steps of all sizes. */
static void claims_agree_with_a_plain_set(void **state)
{
    (void)state;
    struct peer *peer = peer_new(ADIT_SESSION_CLIENT);
    static bool was_used[1 << 16];
    struct adit_jitter jitter = {.state = 42};
    uint32_t top = 0;
    for (size_t i = 0; i < 60000; i++) {
        uint32_t n = top + (uint32_t)adit_jitter_below(&jitter, 4);
        if (adit_jitter_below(&jitter, 2) == 0) {
            n -= (uint32_t)adit_jitter_below(&jitter, adit_min_u64(n, 1100) + 1);
        }
        if (n == 0 || n >= ADIT_COUNT(was_used)) {
            continue;
        }
        bool is_fine = !ADIT_AT(was_used, n) && (n > top || top - n < ADIT_SESSION_ID_WINDOW);
        assert_int_equal(adit_session_id_claim(&peer->session, 2 * n), is_fine);
        ADIT_AT(was_used, n) = ADIT_AT(was_used, n) || is_fine;
        top = n > top && is_fine ? n : top;
    }
    assert_true(top > 10000);
    peer_end(peer);
}

static void the_past_is_told_from_the_future(void **state)
{
    (void)state;
    struct peer *peer = peer_new(ADIT_SESSION_SERVER);
    assert_false(adit_session_id_is_past(&peer->session, 1));
    assert_false(adit_session_id_is_past(&peer->session, 2));
    assert_true(adit_session_id_claim(&peer->session, 4095));
    assert_true(adit_session_id_is_past(&peer->session, 1)); /* too far below to know */
    assert_false(adit_session_id_is_past(&peer->session, 4093));
    assert_false(adit_session_id_is_past(&peer->session, 4097));
    peer->session.id_next = 8;
    assert_true(adit_session_id_is_past(&peer->session, 6));
    assert_false(adit_session_id_is_past(&peer->session, 8));
    peer_end(peer);
}

static void sessions_of_one_mux_do_not_see_each_other(void **state)
{
    (void)state;
    struct peer *peer = peer_new(ADIT_SESSION_SERVER);
    static struct adit_session other;
    assert_ok(adit_session_init(&other, &peer->mux, ADIT_SESSION_SERVER, 1, peer->now_us));
    assert_true(peer_data(peer, 1, ADIT_YAMUX_SYN, 0));
    struct adit_handle stream = peer_event(peer, 0).stream;
    assert_non_null(adit_session_find(&peer->session, 1));
    assert_null(adit_session_find(&other, 1));
    uint64_t user = 0;
    assert_true(adit_session_user(&peer->session, stream, &user));
    assert_false(adit_session_user(&other, stream, &user));
    adit_session_release(&other, stream, peer->now_us);
    assert_int_equal(peer->session.counters.streams_open, 1);
    adit_session_deinit(&other);
    peer_end(peer);
}

/* Two streams whose ids are ADIT_MUX_FOUND places apart stand in one place. */
static void streams_of_one_place_are_told_apart(void **state)
{
    (void)state;
    struct peer *peer = peer_new(ADIT_SESSION_SERVER);
    const uint32_t far = 1 + 2 * ADIT_MUX_FOUND;
    assert_true(peer_data(peer, 1, ADIT_YAMUX_SYN, 0));
    struct adit_handle stream = peer_event(peer, 0).stream;
    assert_true(peer_data(peer, far, ADIT_YAMUX_SYN, 0));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(adit_session_find(&peer->session, 1)->id, 1);
        assert_int_equal(adit_session_find(&peer->session, far)->id, far);
    }
    assert_int_equal(adit_session_find(&peer->session, 1)->id, 1); /* it has the place now */
    adit_stream_remove(&peer->session, adit_session_stream(&peer->session, stream));
    assert_null(adit_session_find(&peer->session, 1)); /* no place outlives its stream */
    assert_int_equal(adit_session_find(&peer->session, far)->id, far);
    peer_end(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_id_is_claimed_once),
        cmocka_unit_test(claims_agree_with_a_plain_set),
        cmocka_unit_test(the_past_is_told_from_the_future),
        cmocka_unit_test(streams_of_one_place_are_told_apart),
        cmocka_unit_test(sessions_of_one_mux_do_not_see_each_other),
    };
    return cmocka_run_group_tests_name("mux/ids", tests, NULL, NULL);
}
