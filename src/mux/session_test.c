#include "mux_peer.h"

static void goaway_is_said_once(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    assert_true(peer_data(peer, 1, ADIT_YAMUX_SYN, 0));
    struct adit_handle stream = peer_event(peer, 0).stream;
    peer_pull(peer);
    adit_session_goaway(&peer->session, ADIT_YAMUX_GOAWAY_NORMAL);
    adit_session_goaway(&peer->session, ADIT_YAMUX_GOAWAY_NORMAL);
    assert_pulls(peer, "0003 0000 00000000 00000000");
    adit_session_goaway(&peer->session, ADIT_YAMUX_GOAWAY_NORMAL);
    assert_pulls(peer, "");
    struct adit_handle none = {0};
    assert_fails(adit_session_open(&peer->session, 1, peer->now_us, &none), CLOSED);
    /* Streams that live go on; new ones are refused. */
    assert_true(peer_data(peer, 1, 0, 5));
    assert_int_equal(peer_event(peer, 0).kind, ADIT_SESSION_DATA);
    peer_send(peer, stream, 5, false);
    assert_true(peer_data(peer, 3, ADIT_YAMUX_SYN, 5));
    assert_int_equal(peer->event_count, 0);
    assert_pulls(peer, "0001 0008 00000003 00000000");
    /* A worse code is worth saying. */
    adit_session_goaway(&peer->session, ADIT_YAMUX_GOAWAY_INTERNAL);
    assert_pulls(peer, "0003 0000 00000000 00000002");
    peer_end(peer);
}

static void streams_opened_before_goaway_still_go_out(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    struct adit_handle stream = {0};
    assert_ok(adit_session_open(&peer->session, 1, peer->now_us, &stream));
    adit_session_goaway(&peer->session, ADIT_YAMUX_GOAWAY_NORMAL);
    assert_pulls(peer, "0003 0000 00000000 00000000");
    peer_send(peer, stream, 5, false);
    assert_true(peer_hex(peer, "0003 0000 00000000 00000000"));
    assert_int_equal(peer_event(peer, 0).kind, ADIT_SESSION_GOAWAY);
    assert_int_equal(peer_event(peer, 0).code, 0);
    assert_false(adit_session_can_open(&peer->session));
    peer_end(peer);
}

/* Streams in every state, given back at once. */
static void deinit_gives_everything_back(void **state)
{
    struct peer *peer = peer_new(peer_role(state));
    struct adit_handle stream = {0};
    assert_ok(adit_session_open(&peer->session, 1, peer->now_us, &stream)); /* SYN pending */
    assert_ok(adit_session_open(&peer->session, 2, peer->now_us, &stream));
    for (uint32_t id = 1; id < 21; id += 2) {
        assert_true(peer_data(peer, id, ADIT_YAMUX_SYN, 100)); /* ACK pending */
        if (id % 4 == 1) {
            adit_session_release(&peer->session, peer_event(peer, 0).stream, peer->now_us);
        }
        if (id % 3 == 1) {
            peer_pull(peer); /* some tombstones, some RSTs pending */
        }
    }
    assert_int_equal(peer->mux.streams.used, 12);
    peer_end(peer); /* checks */
}

static void a_session_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct adit_session) <= 2560);
    assert_true(sizeof(struct adit_stream) <= 128);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH_ROLES(goaway_is_said_once),
        BOTH_ROLES(streams_opened_before_goaway_still_go_out),
        BOTH_ROLES(deinit_gives_everything_back),
        cmocka_unit_test(a_session_is_small),
    };
    return cmocka_run_group_tests_name("mux/session", tests, NULL, NULL);
}
