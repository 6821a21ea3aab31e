#include "calloc_fails.h"
#include "mux_peer.h"

#define SERVER ADIT_SESSION_SERVER

/* Every call of base to the allocator fails from here on, and nobody notices. */
static void nothing_is_allocated_after_init(void **state)
{
    (void)state;
    struct peer *peer = peer_new(SERVER);
    calloc_fails_after(0);
    for (uint32_t i = 0; i < 500; i++) {
        bool is_fine = peer_data(peer, 2 * i + 1, ADIT_YAMUX_SYN, 1000);
        struct adit_handle stream = {0};
        is_fine = is_fine && adit_is_ok(adit_session_open(&peer->session, i, 0, &stream));
        peer_pull(peer);
        struct adit_session_turn turn = {0};
        uint8_t header[ADIT_YAMUX_HEADER_BYTES];
        is_fine = is_fine && adit_session_next(&peer->session, 1000, &turn) &&
                  adit_is_ok(adit_session_sent(&peer->session, turn.stream, ADIT_SPAN_OF(header),
                                               turn.bytes_max, true)) &&
                  peer_window(peer, 2 * i + 2, ADIT_YAMUX_ACK, 100000);
        if (!is_fine) {
            calloc_works();
            fail_msg("round %u", i);
        }
        if (i % 3 == 0) {
            adit_session_release(&peer->session, stream, peer->now_us);
        }
    }
    adit_session_deinit(&peer->session);
    calloc_works();
    peer_end(peer);
}

static void init_without_memory_fails_clean(void **state)
{
    (void)state;
    struct adit_mux mux = {.session_next = 77};
    struct adit_mux_options options = {.limits = adit_mux_limits_default(), .streams_max = 100};
    calloc_fails_after(0);
    struct adit_status status = adit_mux_init(&mux, &options);
    calloc_works();
    assert_fails(status, MEMORY);
    assert_int_equal(mux.session_next, 77);
}

static void odd_limits_are_refused(void **state)
{
    (void)state;
    struct adit_mux_limits good = adit_mux_limits_default();
    struct adit_mux_limits bad[8] = {good, good, good, good, good, good, good, good};
    ADIT_AT(bad, 0).streams_max = 0;
    ADIT_AT(bad, 1).unacked_max = 0;
    ADIT_AT(bad, 2).window_start = 0;
    ADIT_AT(bad, 3).window_max = 1000;
    ADIT_AT(bad, 4).window_max = UINT32_MAX;
    ADIT_AT(bad, 5).control_max = 65;
    ADIT_AT(bad, 6).quantum = 0;
    ADIT_AT(bad, 7).keepalive_dead_us = 0;
    for (size_t i = 0; i < ADIT_COUNT(bad); i++) {
        struct adit_mux mux = {0};
        struct adit_mux_options options = {.limits = ADIT_AT(bad, i), .streams_max = 10};
        assert_fails(adit_mux_init(&mux, &options), INVALID);
    }
    struct adit_mux mux = {0};
    struct adit_mux_options options = {.limits = good, .streams_max = 0};
    assert_fails(adit_mux_init(&mux, &options), INVALID);
}

static void what_we_reset_follows_from_what_the_peer_takes(void **state)
{
    (void)state;
    struct adit_mux mux = {0};
    struct adit_mux_options options = {.limits = adit_mux_limits_default(), .streams_max = 10};
    assert_ok(adit_mux_init(&mux, &options));
    assert_int_equal(mux.limits.resets_out_burst, 256);
    assert_int_equal(mux.limits.resets_out_per_second, 33);
    assert_int_equal(mux.limits.early_resets_out_burst, 64);
    assert_int_equal(mux.limits.early_resets_out_per_second, 8);
    adit_mux_deinit(&mux);
    adit_mux_deinit(&mux); /* twice is once */
}

/* What one end sends, held up by the road for as long as a session lives without a sign of life,
 * fits what the other takes at once. */
static void a_pair_never_ends_the_other_by_resets(void **state)
{
    (void)state;
    const struct adit_mux_limits server = adit_mux_limits_of(ADIT_SESSION_SERVER);
    const struct adit_mux_limits client = adit_mux_limits_of(ADIT_SESSION_CLIENT);
    assert_true(server.resets_out_per_second <= client.resets_per_second);
    assert_true(client.resets_out_per_second <= server.resets_per_second);
    uint64_t seconds = server.keepalive_dead_us / ADIT_SECOND_US;
    assert_true(server.resets_out_burst + seconds * server.resets_out_per_second <=
                client.reset_burst);
    assert_true(client.resets_out_burst + seconds * client.resets_out_per_second <=
                server.reset_burst);
    assert_int_equal(server.reset_burst, 1024); /* an agent may be hostile */
    assert_int_equal(server.resets_per_second, 33);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_allocated_after_init),
        cmocka_unit_test(init_without_memory_fails_clean),
        cmocka_unit_test(odd_limits_are_refused),
        cmocka_unit_test(a_pair_never_ends_the_other_by_resets),
        cmocka_unit_test(what_we_reset_follows_from_what_the_peer_takes),
    };
    return cmocka_run_group_tests_name("mux/mux", tests, NULL, NULL);
}
