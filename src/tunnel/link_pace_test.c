/* How a link takes what the kernel says of its road. That bytes that were held back go later is
 * shown in hub_test.c. */
#include "tunnel/pair_fixture.h"

static void small_requests_pass_the_bound(void **state)
{
    (void)state;
    struct link link = {.in_kernel = 60000, .pace = {.bound = 80000, .rates = {5000000}}};
    struct adit_session_turn turn = {.bytes_max = 65536};
    assert_int_equal(link_pace_room(&link, &turn, 0), 20000);
    assert_int_equal(link_pace_room(&link, &turn, 11000), 0); /* less than a piece is left */
    link.in_kernel = 80000;
    assert_int_equal(link_pace_room(&link, &turn, 0), 0);
    turn.is_fresh = true;
    assert_int_equal(link_pace_room(&link, &turn, 0), 20000);
    assert_int_equal(link_pace_room(&link, &turn, 19999), 1);
    assert_int_equal(link_pace_room(&link, &turn, 20000), 0);
    link.pace.bound = ADIT_PACE_UNBOUND;
    assert_int_equal(link_pace_room(&link, &turn, 1 << 30), 65536);
}

/* A loop whose only visitor asks and waits. */
static void be_alone(struct adit_loop *loop)
{
    for (uint32_t i = 0; i < 100; i++) {
        adit_spin_event(&loop->spin, 1, 1);
    }
    assert_true(loop->spin.alone > 0);
}

/* The shortest round trip counts, not what stands in a queue now. */
static void a_long_road_ends_the_longer_polls(void **state)
{
    (void)state;
    static const struct {
        uint64_t rtt_us, rtt_min_us;
        bool is_far;
    } rows[] = {
        {ADIT_PACE_SHORT_US, ADIT_PACE_SHORT_US, true},
        {50 * ADIT_MS_US, 10 * ADIT_MS_US, true},
        {ADIT_PACE_SHORT_US - 1, ADIT_PACE_SHORT_US - 1, false},
        {50 * ADIT_MS_US, ADIT_PACE_SHORT_US - 1, false},
        {0, 0, false}, /* not known yet */
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct pair *pair = calloc(1, sizeof(*pair));
        assert_non_null(pair);
        pair_open(pair);
        struct adit_loop *loop = &pair->server.loop;
        struct link *link = hub_link(&pair->server.hub, pair->server.link);
        const struct adit_socket_info info = {.rtt_us = ADIT_AT(rows, i).rtt_us,
                                              .rtt_min_us = ADIT_AT(rows, i).rtt_min_us};
        adit_pace_init(&link->pace); /* forgets the handshake's round trip, over loopback */
        be_alone(loop);
        link_pace_look(&pair->server.hub, link, &info);
        assert_int_equal(loop->spin.alone == 0, ADIT_AT(rows, i).is_far);
        pair_close(pair);
        free(pair);
    }
}

/* Measured: loopback is short. Once known to be, a slow moment does not make it long. */
static void a_short_road_leaves_them(void **state)
{
    (void)state;
    struct pair *pair = calloc(1, sizeof(*pair));
    struct adit_control message = {.type = ADIT_CONTROL_NOTICE};
    assert_non_null(pair);
    pair_open(pair);
    assert_ok(ADIT_FIELD_SET(message.notice.code, ADIT_BYTES("test")));
    assert_ok(ADIT_FIELD_SET(message.notice.message, ADIT_BYTES("a sentence")));
    struct link *link = hub_link(&pair->server.hub, pair->server.link);
    be_alone(&pair->server.loop);
    link->measured_us = 0; /* longer ago than figures are good for */
    assert_ok(adit_link_send(&pair->server.hub, pair->server.link, &message));
    turn_until(pair, pair->agent.messages == 1);
    assert_true(link->measured_us > 0);
    assert_in_range(link->pace.rtt_min_us, 1, ADIT_PACE_SHORT_US - 1);
    link_pace_look(&pair->server.hub, link,
                   &(struct adit_socket_info){.rtt_us = 50 * ADIT_MS_US,
                                              .rtt_min_us = link->pace.rtt_min_us});
    assert_true(pair->server.loop.spin.alone > 0);
    pair_close(pair);
    free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_requests_pass_the_bound),
        cmocka_unit_test(a_long_road_ends_the_longer_polls),
        cmocka_unit_test(a_short_road_leaves_them),
    };
    return cmocka_run_group_tests_name("tunnel/link_pace", tests, NULL, NULL);
}
