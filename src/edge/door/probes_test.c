#include "edge/door/probes.h"

#include "unit.h"

#include "edge/door/door_fixture.h"

struct pair {
    struct fixture fixture;
    struct adit_channel second;
};

static void pair_open(struct pair *pair)
{
    *pair = (struct pair){.second = {.fd = -1}};
    fixture_open(&pair->fixture);
    pair->fixture.door->probe_us = 60 * ADIT_SECOND_US; /* however slow the machine */
    fixture_wire(&pair->fixture);
    fixture_wire_other(&pair->fixture, &pair->second, 1);
}

static void pair_close(struct pair *pair)
{
    assert_int_equal(pair->fixture.door->probes.used, 0);
    adit_channel_close(&pair->second);
    fixture_close(&pair->fixture);
}

/* Asks for "shop", or for the fixture's first port. */
static void ask(struct pair *pair, struct adit_channel *worker, enum adit_message_type type,
                struct adit_message who)
{
    struct adit_message message = who;
    message.type = type;
    message.request = 40 + who.session;
    message.kind = type == ADIT_MESSAGE_CLAIM ? ADIT_TUNNEL_HTTP : ADIT_TUNNEL_TCP;
    message.port = pair->fixture.port_from;
    assert_ok(adit_message_text_set(&message.account, ADIT_BYTES("ann")));
    if (type == ADIT_MESSAGE_CLAIM) {
        assert_ok(adit_message_text_set(&message.name, ADIT_BYTES("shop")));
    }
    assert_ok(adit_channel_send(worker, &message));
}

static struct adit_message session_of(const char *instance, uint32_t slot, uint64_t session)
{
    struct adit_message message = {.slot = slot, .session = session};
    assert_ok(adit_message_text_set(&message.instance, adit_bytes_of_text(instance)));
    return message;
}

static struct adit_message expect(struct pair *pair, struct adit_channel *worker,
                                  enum adit_message_type type)
{
    struct adit_message message = fixture_expect(&pair->fixture, worker, type);
    adit_message_fds_close(&message);
    return message;
}

static void answer(struct adit_channel *worker, const struct adit_message *probe, uint32_t lives)
{
    struct adit_message probed = {
        .type = ADIT_MESSAGE_PROBED, .request = probe->request, .count = lives};
    assert_ok(adit_channel_send(worker, &probed));
}

static const struct {
    enum adit_message_type ask, granted, refused;
} kinds[] = {
    {ADIT_MESSAGE_CLAIM, ADIT_MESSAGE_CLAIMED, ADIT_MESSAGE_CLAIM_REFUSED},
    {ADIT_MESSAGE_BIND, ADIT_MESSAGE_BOUND, ADIT_MESSAGE_BIND_REFUSED},
};

/* One agent comes back at another worker: its older session goes, without a question. */
static void a_slot_moves(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_COUNT(kinds); i++) {
        struct pair pair = {0};
        pair_open(&pair);
        ask(&pair, &pair.fixture.worker, ADIT_AT(kinds, i).ask, session_of("one", 0, 1));
        expect(&pair, &pair.fixture.worker, ADIT_AT(kinds, i).granted);
        ask(&pair, &pair.second, ADIT_AT(kinds, i).ask, session_of("one", 0, 1));
        assert_int_equal(expect(&pair, &pair.second, ADIT_AT(kinds, i).granted).session, 1);
        assert_int_equal(expect(&pair, &pair.fixture.worker, ADIT_MESSAGE_EVICT).session, 1);
        ask(&pair, &pair.fixture.worker, ADIT_AT(kinds, i).ask, session_of("one", 1, 2));
        expect(&pair, &pair.fixture.worker, ADIT_AT(kinds, i).granted); /* a further owner */
        pair_close(&pair);
    }
}

static void who_lives_keeps_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_COUNT(kinds); i++) {
        struct pair pair = {0};
        pair_open(&pair);
        ask(&pair, &pair.fixture.worker, ADIT_AT(kinds, i).ask, session_of("one", 0, 7));
        expect(&pair, &pair.fixture.worker, ADIT_AT(kinds, i).granted);
        ask(&pair, &pair.second, ADIT_AT(kinds, i).ask, session_of("two", 0, 8));
        struct adit_message probe = expect(&pair, &pair.fixture.worker, ADIT_MESSAGE_PROBE);
        assert_int_equal(probe.session, 7);
        answer(&pair.fixture.worker, &probe, 1);
        struct adit_message refused = expect(&pair, &pair.second, ADIT_AT(kinds, i).refused);
        assert_int_equal(refused.request, 48);
        assert_int_equal(refused.refusal, ADIT_PORT_REFUSAL_TAKEN);
        assert_int_equal(refused.name_refusal, ADIT_NAME_REFUSAL_TAKEN);
        answer(&pair.fixture.worker, &probe, 1); /* again: nobody waits for it */
        fixture_turn(&pair.fixture);
        assert_true(adit_channel_is_open(&ADIT_AT(pair.fixture.door->workers, 0).channel));
        pair_close(&pair);
    }
}

/* All of an agent's sessions have to be dead; one dies with its worker. */
static void who_is_dead_gives_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_COUNT(kinds); i++) {
        struct pair pair = {0};
        struct adit_channel third = {.fd = -1};
        pair_open(&pair);
        fixture_wire_other(&pair.fixture, &third, 2);
        ask(&pair, &pair.fixture.worker, ADIT_AT(kinds, i).ask, session_of("one", 0, 7));
        expect(&pair, &pair.fixture.worker, ADIT_AT(kinds, i).granted);
        ask(&pair, &third, ADIT_AT(kinds, i).ask, session_of("one", 1, 7));
        expect(&pair, &third, ADIT_AT(kinds, i).granted);
        ask(&pair, &pair.second, ADIT_AT(kinds, i).ask, session_of("two", 0, 8));
        struct adit_message probe = expect(&pair, &pair.fixture.worker, ADIT_MESSAGE_PROBE);
        expect(&pair, &third, ADIT_MESSAGE_PROBE);
        answer(&pair.fixture.worker, &probe, 0);
        assert_int_equal(expect(&pair, &pair.fixture.worker, ADIT_MESSAGE_EVICT).session, 7);
        assert_int_equal(pair.fixture.door->probes.used, 1);
        adit_channel_close(&third);
        assert_int_equal(expect(&pair, &pair.second, ADIT_AT(kinds, i).granted).request, 48);
        pair_close(&pair);
    }
}

static void silence_is_death(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_COUNT(kinds); i++) {
        struct pair pair = {0};
        pair_open(&pair);
        pair.fixture.door->probe_us = 50 * ADIT_MS_US;
        ask(&pair, &pair.fixture.worker, ADIT_AT(kinds, i).ask, session_of("", 0, 7));
        expect(&pair, &pair.fixture.worker, ADIT_AT(kinds, i).granted);
        ask(&pair, &pair.second, ADIT_AT(kinds, i).ask, session_of("", 0, 8));
        expect(&pair, &pair.second, ADIT_AT(kinds, i).granted);
        expect(&pair, &pair.fixture.worker, ADIT_MESSAGE_PROBE);
        expect(&pair, &pair.fixture.worker, ADIT_MESSAGE_EVICT);
        pair_close(&pair);
    }
}

/* The door itself reads nothing for a while: that is nobody's death. */
static void a_deaf_door_asks_on(void **state)
{
    (void)state;
    struct pair pair = {0};
    pair_open(&pair);
    pair.fixture.door->probe_us = 20 * ADIT_MS_US;
    ask(&pair, &pair.fixture.worker, ADIT_MESSAGE_CLAIM, session_of("one", 0, 7));
    expect(&pair, &pair.fixture.worker, ADIT_MESSAGE_CLAIMED);
    ask(&pair, &pair.second, ADIT_MESSAGE_CLAIM, session_of("two", 0, 8));
    struct adit_message probe = expect(&pair, &pair.fixture.worker, ADIT_MESSAGE_PROBE);
    pair.fixture.door->claims_waiting = 60; /* as while a first snapshot is awaited */
    answer(&pair.fixture.worker, &probe, 1);
    for (size_t i = 0; i < 20; i++) {
        fixture_turn(&pair.fixture);
    }
    assert_int_equal(pair.fixture.door->probes.used, 1);
    pair.fixture.door->claims_waiting = 0;
    adit_door_workers_renew(pair.fixture.door);
    expect(&pair, &pair.second, ADIT_MESSAGE_CLAIM_REFUSED);
    pair_close(&pair);
}

/* Two want what a dead one has: the first of them gets it, and lives. */
static void of_two_that_wait_one_wins(void **state)
{
    (void)state;
    struct pair pair = {0};
    pair_open(&pair);
    ask(&pair, &pair.fixture.worker, ADIT_MESSAGE_CLAIM, session_of("one", 0, 7));
    expect(&pair, &pair.fixture.worker, ADIT_MESSAGE_CLAIMED);
    ask(&pair, &pair.second, ADIT_MESSAGE_CLAIM, session_of("two", 0, 8));
    ask(&pair, &pair.second, ADIT_MESSAGE_CLAIM, session_of("three", 0, 9));
    struct adit_message first = expect(&pair, &pair.fixture.worker, ADIT_MESSAGE_PROBE);
    struct adit_message second = expect(&pair, &pair.fixture.worker, ADIT_MESSAGE_PROBE);
    answer(&pair.fixture.worker, &first, 0);
    assert_int_equal(expect(&pair, &pair.second, ADIT_MESSAGE_CLAIMED).request, 48);
    answer(&pair.fixture.worker, &second, 0);
    assert_int_equal(expect(&pair, &pair.second, ADIT_MESSAGE_CLAIM_REFUSED).request, 49);
    expect(&pair, &pair.fixture.worker, ADIT_MESSAGE_EVICT);
    pair_close(&pair);
}

/* Who asked has died meanwhile: what it asked for is forgotten, and nobody is evicted. */
static void a_claim_dies_with_its_worker(void **state)
{
    (void)state;
    struct pair pair = {0};
    pair_open(&pair);
    ask(&pair, &pair.fixture.worker, ADIT_MESSAGE_CLAIM, session_of("one", 0, 7));
    expect(&pair, &pair.fixture.worker, ADIT_MESSAGE_CLAIMED);
    ask(&pair, &pair.second, ADIT_MESSAGE_CLAIM, session_of("two", 0, 8));
    struct adit_message probe = expect(&pair, &pair.fixture.worker, ADIT_MESSAGE_PROBE);
    adit_channel_close(&pair.second);
    for (size_t i = 0; i < FIXTURE_TURNS_MAX && pair.fixture.door->probes.used > 0; i++) {
        fixture_turn(&pair.fixture);
    }
    answer(&pair.fixture.worker, &probe, 0);
    fixture_turn(&pair.fixture);
    assert_true(adit_owners_have(
        &adit_names_find(&pair.fixture.door->names, ADIT_BYTES("shop"))->owners, 0, 7));
    pair_close(&pair);
}

static void many_claims_are_refused(void **state)
{
    (void)state;
    struct pair pair = {0};
    pair_open(&pair);
    ask(&pair, &pair.fixture.worker, ADIT_MESSAGE_CLAIM, session_of("one", 0, 7));
    expect(&pair, &pair.fixture.worker, ADIT_MESSAGE_CLAIMED);
    for (uint64_t i = 0; i <= ADIT_DOOR_PROBES_MAX; i++) {
        ask(&pair, &pair.second, ADIT_MESSAGE_CLAIM, session_of("", 0, 100 + i));
        fixture_turn(&pair.fixture);
    }
    assert_int_equal(expect(&pair, &pair.second, ADIT_MESSAGE_CLAIM_REFUSED).request,
                     140 + ADIT_DOOR_PROBES_MAX);
    assert_int_equal(pair.fixture.door->probes.used, ADIT_DOOR_PROBES_MAX);
    adit_channel_close(&pair.fixture.worker);
    expect(&pair, &pair.second, ADIT_MESSAGE_CLAIMED);
    for (size_t i = 1; i < ADIT_DOOR_PROBES_MAX; i++) { /* it has the room for its answers */
        expect(&pair, &pair.second, ADIT_MESSAGE_CLAIM_REFUSED);
    }
    pair_close(&pair);
}

static void an_answer_for_another_ends_the_worker(void **state)
{
    (void)state;
    struct pair pair = {0};
    pair_open(&pair);
    ask(&pair, &pair.fixture.worker, ADIT_MESSAGE_CLAIM, session_of("one", 0, 7));
    expect(&pair, &pair.fixture.worker, ADIT_MESSAGE_CLAIMED);
    ask(&pair, &pair.second, ADIT_MESSAGE_CLAIM, session_of("two", 0, 8));
    struct adit_message probe = expect(&pair, &pair.fixture.worker, ADIT_MESSAGE_PROBE);
    struct adit_message wrong = {.request = probe.request | 3u << 16};
    answer(&pair.second, &wrong, 0); /* no such owner */
    answer(&pair.second, &probe, 0); /* its own rival */
    for (size_t i = 0; i < FIXTURE_TURNS_MAX && pair.fixture.door->probes.used > 0; i++) {
        fixture_turn(&pair.fixture);
    }
    assert_true(adit_owners_have(
        &adit_names_find(&pair.fixture.door->names, ADIT_BYTES("shop"))->owners, 0, 7));
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slot_moves),
        cmocka_unit_test(who_lives_keeps_it),
        cmocka_unit_test(who_is_dead_gives_way),
        cmocka_unit_test(silence_is_death),
        cmocka_unit_test(a_deaf_door_asks_on),
        cmocka_unit_test(of_two_that_wait_one_wins),
        cmocka_unit_test(a_claim_dies_with_its_worker),
        cmocka_unit_test(many_claims_are_refused),
        cmocka_unit_test(an_answer_for_another_ends_the_worker),
    };
    return cmocka_run_group_tests_name("door/probes", tests, NULL, NULL);
}
