#include "edge/door/names.h"

#include "unit.h"

#include "route/names.h"

#define NOW_S 1700000000u

static struct adit_names *names_open(void)
{
    static struct adit_names names;
    assert_ok(adit_names_init(&names, (struct adit_siphash_key){1, 2}));
    return &names;
}

static struct adit_names_time at(uint64_t wall_s)
{
    return (struct adit_names_time){.wall_s = wall_s, .grace_end_us = 500};
}

static struct adit_name_claim claim_of(const char *name, const char *account, uint64_t session)
{
    return (struct adit_name_claim){.name = adit_bytes_of_text(name),
                                    .account = adit_bytes_of_text(account),
                                    .seed = session,
                                    .kind = ADIT_TUNNEL_HTTP,
                                    .owner = {.worker = 1, .session = session}};
}

static struct adit_name_answer ask(struct adit_names *names, const struct adit_name_claim *claim,
                                   uint64_t wall_s)
{
    const struct adit_names_time time = at(wall_s);
    struct adit_name_answer answer = {0};
    assert_ok(adit_names_claim(names, claim, &time, &answer));
    return answer;
}

static void granted(struct adit_names *names, const struct adit_name_claim *claim, uint64_t wall_s,
                    struct adit_bytes name)
{
    const struct adit_name_answer answer = ask(names, claim, wall_s);
    assert_true(answer.is_granted);
    assert_bytes(ADIT_FIELD_BYTES(answer.name), name);
}

static void grant(struct adit_names *names, const char *name, const char *account,
                  uint64_t session)
{
    const struct adit_name_claim claim = claim_of(name, account, session);
    granted(names, &claim, NOW_S, claim.name);
}

static void refusal(struct adit_names *names, const struct adit_name_claim *claim,
                    uint64_t wall_s, enum adit_name_refusal expected)
{
    struct adit_name_answer answer = ask(names, claim, wall_s);
    assert_false(answer.is_granted);
    assert_int_equal(answer.refusal, expected);
}

static void release(struct adit_names *names, const char *name, const char *account,
                    uint64_t session)
{
    const struct adit_name_claim claim = claim_of(name, account, session);
    const struct adit_names_time time = at(NOW_S);
    assert_true(adit_names_release(names, &claim, &time));
}

/* Everything that control would be told now, as "+name-name". */
static struct adit_bytes said(struct adit_names *names, struct adit_span span)
{
    struct adit_writer writer = adit_writer_of(span);
    struct adit_names_lease lease = {0};
    while (adit_names_say_next(names, &lease)) {
        assert_ok(adit_write_bytes(&writer, lease.is_used ? ADIT_BYTES("+") : ADIT_BYTES("-")));
        assert_ok(adit_write_bytes(&writer, lease.name));
        adit_names_said(names);
    }
    return adit_writer_bytes(&writer);
}

static void expect_said(struct adit_names *names, const char *expected)
{
    uint8_t memory[256] = {0};
    assert_bytes(said(names, ADIT_SPAN_OF(memory)), adit_bytes_of_text(expected));
}

static void claims(void **state)
{
    (void)state;
    struct adit_names *names = names_open();
    const struct adit_name_claim other = claim_of("shop", "eve", 9);
    const struct adit_name_claim again = claim_of("shop", "ann", 1);
    const struct adit_name_claim moved = claim_of("shop", "ann", 2);
    grant(names, "shop", "ann", 1);
    refusal(names, &other, NOW_S, ADIT_NAME_REFUSAL_TAKEN);
    refusal(names, &again, NOW_S, ADIT_NAME_REFUSAL_TAKEN);
    assert_true(ask(names, &moved, NOW_S).must_probe);
    assert_true(adit_owners_have(&adit_names_find(names, ADIT_BYTES("shop"))->owners, 1, 1));
    assert_int_equal(adit_names_find(names, ADIT_BYTES("shop"))->owners.count, 1);
    release(names, "shop", "ann", 1);
    refusal(names, &other, NOW_S, ADIT_NAME_REFUSAL_TAKEN); /* a second later it is still ann's */
    refusal(names, &other, NOW_S + ADIT_NAMES_HOLD_S - 1, ADIT_NAME_REFUSAL_TAKEN);
    grant(names, "shop", "ann", 3);
    release(names, "shop", "ann", 3);
    assert_true(ask(names, &other, NOW_S + ADIT_NAMES_HOLD_S).is_granted); /* it has lapsed */
    assert_int_equal(names->entries.used, 1);
    assert_int_equal(names->accounts.used, 1); /* ann has none any more */
    adit_names_deinit(names);
}

static struct adit_name_claim shared(uint32_t slot, uint64_t session)
{
    struct adit_name_claim claim = claim_of("shop", "ann", session);
    claim.instance = ADIT_BYTES("one");
    claim.owner.worker = slot;
    claim.owner.slot = slot;
    return claim;
}

/* The sessions of one agent share a name; control hears of the first and of the last. */
static void a_name_has_several_owners(void **state)
{
    (void)state;
    struct adit_names *names = names_open();
    const struct adit_names_time time = at(NOW_S);
    struct adit_name_claim claim = shared(0, 10);
    const struct adit_name_claim fifth = shared(4, 14);
    const struct adit_name_claim newer = shared(2, 99);
    struct adit_name_claim raw = shared(3, 98);
    for (uint32_t slot = 0; slot < ADIT_OWNERS_MAX; slot++) {
        claim = shared(slot, 10 + slot);
        granted(names, &claim, NOW_S, ADIT_BYTES("shop"));
    }
    expect_said(names, "+shop");
    refusal(names, &claim, NOW_S, ADIT_NAME_REFUSAL_TAKEN); /* has it already */
    refusal(names, &fifth, NOW_S, ADIT_NAME_REFUSAL_LIMIT);
    raw.kind = ADIT_TUNNEL_TLS; /* the others speak HTTP */
    refusal(names, &raw, NOW_S, ADIT_NAME_REFUSAL_TAKEN);
    const struct adit_name_answer answer = ask(names, &newer, NOW_S);
    assert_true(answer.is_granted && answer.is_replaced);
    assert_int_equal(answer.old.worker, 2);
    assert_int_equal(answer.old.session, 12);
    const struct adit_name_claim late = shared(2, 12);
    assert_false(adit_names_release(names, &late, &time));
    assert_int_equal(adit_names_worker_gone(names, 0, &time), 0);
    assert_int_equal(adit_names_worker_gone(names, 1, &time), 0);
    assert_true(adit_names_release(names, &newer, &time));
    expect_said(names, "");
    assert_int_equal(adit_names_find(names, ADIT_BYTES("shop"))->state, ADIT_NAMED_OWNED);
    granted(names, &raw, NOW_S, ADIT_BYTES("shop")); /* in place of the only one */
    assert_int_equal(adit_names_find(names, ADIT_BYTES("shop"))->kind, ADIT_TUNNEL_TLS);
    assert_true(adit_names_release(names, &raw, &time));
    expect_said(names, "-shop");
    adit_names_deinit(names);
}

/* An agent that is back before its older session has ended gets the name that it had drawn. */
static void a_drawn_name_follows_its_agent(void **state)
{
    (void)state;
    struct adit_names *names = names_open();
    struct adit_name_claim claim = shared(0, 1);
    struct adit_name_claim again = shared(0, 2);
    claim.name = again.name = ADIT_BYTES("");
    again.seed = claim.seed;
    const struct adit_name_answer first = ask(names, &claim, NOW_S);
    granted(names, &again, NOW_S, ADIT_FIELD_BYTES(first.name));
    const struct adit_name_answer second = ask(names, &again, NOW_S); /* its second tunnel */
    assert_true(second.is_granted);
    assert_false(adit_bytes_equal(ADIT_FIELD_BYTES(second.name), ADIT_FIELD_BYTES(first.name)));
    adit_names_deinit(names);
}

static void impossible_names(void **state)
{
    (void)state;
    struct adit_names *names = names_open();
    const struct {
        const char *name;
        enum adit_name_refusal refusal;
    } rows[] = {
        {"www", ADIT_NAME_REFUSAL_RESERVED},      {"dash", ADIT_NAME_REFUSAL_RESERVED},
        {"l0gin", ADIT_NAME_REFUSAL_RESERVED},    {"_acme-challenge", ADIT_NAME_REFUSAL_RESERVED},
        {"xn--a", ADIT_NAME_REFUSAL_INVALID},     {"A", ADIT_NAME_REFUSAL_INVALID},
        {"a.b", ADIT_NAME_REFUSAL_INVALID},       {"12", ADIT_NAME_REFUSAL_INVALID},
        {"r\xd0\xb0ul", ADIT_NAME_REFUSAL_INVALID},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        const struct adit_name_claim claim = claim_of(ADIT_AT(rows, i).name, "ann", 1);
        refusal(names, &claim, NOW_S, ADIT_AT(rows, i).refusal);
    }
    assert_int_equal(names->entries.used, 0);
    expect_said(names, "");
    adit_names_deinit(names);
}

static void what_no_honest_worker_asks(void **state)
{
    (void)state;
    struct adit_names *names = names_open();
    const struct adit_names_time time = at(NOW_S);
    struct adit_name_answer answer = {0};
    struct adit_name_claim claim = claim_of("shop", "", 1);
    assert_fails(adit_names_claim(names, &claim, &time, &answer), INVALID);
    claim = claim_of("shop", "a23456789012345678901234567890123", 1);
    assert_fails(adit_names_claim(names, &claim, &time, &answer), INVALID);
    claim = claim_of("shop", "ann", 1);
    claim.kind = ADIT_TUNNEL_TCP;
    assert_fails(adit_names_claim(names, &claim, &time, &answer), INVALID);
    claim = claim_of("shop", "ann", 1);
    claim.instance = ADIT_BYTES("a23456789012345678901234567890123");
    assert_fails(adit_names_claim(names, &claim, &time, &answer), INVALID);
    adit_names_deinit(names);
}

/* No name asked for: the same seed gets the same name back, and another one while it is in use. */
static void drawn_names_come_back(void **state)
{
    (void)state;
    struct adit_names *names = names_open();
    const struct adit_names_time time = at(NOW_S);
    struct adit_name_text first = {0};
    struct adit_name_text second = {0};
    struct adit_name_claim claim = claim_of("", "ann", 7);
    struct adit_name_claim stranger = claim_of("", "eve", 8);
    adit_name_draw(7, 0, &first);
    adit_name_draw(7, 1, &second);
    stranger.seed = 7;
    granted(names, &stranger, NOW_S, ADIT_FIELD_BYTES(first.text));
    granted(names, &claim, NOW_S, ADIT_FIELD_BYTES(second.text));
    claim.name = ADIT_FIELD_BYTES(second.text);
    assert_true(adit_names_release(names, &claim, &time));
    stranger.name = ADIT_FIELD_BYTES(first.text);
    assert_true(adit_names_release(names, &stranger, &time));
    claim.name = ADIT_BYTES("");
    uint64_t later_s = NOW_S + ADIT_NAMES_HOLD_S + 1; /* the first is free by now */
    granted(names, &claim, later_s, ADIT_FIELD_BYTES(second.text));
    adit_names_deinit(names);
}

static void draws_end(void **state)
{
    (void)state;
    struct adit_names *names = names_open();
    struct adit_name_claim claim = claim_of("", "ann", 1);
    claim.seed = 5;
    for (size_t i = 0; i < ADIT_NAMES_DRAWS_MAX; i++) {
        assert_true(ask(names, &claim, NOW_S).is_granted);
    }
    refusal(names, &claim, NOW_S, ADIT_NAME_REFUSAL_LIMIT);
    adit_names_deinit(names);
}

static void numbered(uint8_t letter, uint32_t number, struct adit_writer *writer)
{
    writer->len = 0;
    assert_ok(adit_write_u8(writer, letter));
    assert_ok(adit_write_decimal(writer, number));
}

/* At its limit an account's own held name gives way, one in a second; never somebody else's. */
static void an_account_has_a_limit(void **state)
{
    (void)state;
    struct adit_names *names = names_open();
    uint8_t memory[32] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_name_claim claim = claim_of("", "ann", 1);
    const struct adit_names_time time = at(NOW_S);
    grant(names, "of-bob", "bob", 1);
    release(names, "of-bob", "bob", 1);
    for (uint32_t i = 0; i < ADIT_NAMES_ACCOUNT_MAX; i++) {
        numbered('a', i, &writer);
        claim.name = adit_writer_bytes(&writer);
        assert_true(ask(names, &claim, NOW_S).is_granted);
    }
    const struct adit_name_claim more = claim_of("more", "ann", 1);
    const struct adit_name_claim most = claim_of("most", "ann", 1);
    refusal(names, &more, NOW_S + 1, ADIT_NAME_REFUSAL_LIMIT);
    assert_true(adit_names_release(names, &claim, &time));
    refusal(names, &more, NOW_S + 2, ADIT_NAME_REFUSAL_LIMIT); /* control has not heard of it */
    struct adit_names_lease lease = {0};
    while (adit_names_say_next(names, &lease)) {
        adit_names_said(names);
    }
    assert_true(ask(names, &more, NOW_S + 3).is_granted);
    assert_null(adit_names_find(names, claim.name));
    refusal(names, &most, NOW_S + 3, ADIT_NAME_REFUSAL_LIMIT);
    assert_non_null(adit_names_find(names, ADIT_BYTES("of-bob")));
    adit_names_deinit(names);
}

static void the_table_has_a_limit(void **state)
{
    (void)state;
    struct adit_names *names = names_open();
    uint8_t name_memory[32] = {0};
    uint8_t account_memory[32] = {0};
    struct adit_writer name = adit_writer_of(ADIT_SPAN_OF(name_memory));
    struct adit_writer account = adit_writer_of(ADIT_SPAN_OF(account_memory));
    struct adit_name_claim claim = claim_of("", "ann", 1);
    struct adit_names_lease lease = {0};
    for (uint32_t i = 0; i < ADIT_NAMES_MAX; i++) {
        numbered('k', i, &name);
        numbered('a', i / 1000, &account);
        claim.name = adit_writer_bytes(&name);
        claim.account = adit_writer_bytes(&account);
        assert_true(ask(names, &claim, NOW_S).is_granted);
        assert_true(adit_names_say_next(names, &lease));
        adit_names_said(names);
    }
    const struct adit_name_claim more = claim_of("more", "eve", 1);
    const struct adit_names_time time = at(NOW_S);
    refusal(names, &more, NOW_S, ADIT_NAME_REFUSAL_LIMIT);
    struct adit_name_answer answer = {0};
    assert_fails(adit_names_hold(names, &more, &time, &answer), FULL);
    assert_true(adit_names_release(names, &claim, &time));
    assert_true(adit_names_say_next(names, &lease));
    adit_names_said(names);
    refusal(names, &more, NOW_S + 1, ADIT_NAME_REFUSAL_LIMIT); /* held for another account */
    assert_true(ask(names, &more, NOW_S + ADIT_NAMES_HOLD_S).is_granted);
    adit_names_deinit(names);
}

static void control_hears_everything(void **state)
{
    (void)state;
    struct adit_names *names = names_open();
    const struct adit_names_time time = at(NOW_S);
    grant(names, "one", "ann", 1);
    grant(names, "two", "ann", 1);
    expect_said(names, "+one+two");
    release(names, "one", "ann", 1);
    grant(names, "three", "bob", 2);
    release(names, "three", "bob", 2);
    expect_said(names, "-one+three-three");
    grant(names, "one", "ann", 3);
    release(names, "one", "ann", 3);
    grant(names, "one", "ann", 4);
    expect_said(names, "+one");
    assert_int_equal(adit_names_worker_gone(names, 2, &time), 0);
    assert_int_equal(adit_names_worker_gone(names, 1, &time), 2);
    expect_said(names, "-one-two");
    grant(names, "two", "ann", 5);
    expect_said(names, "+two");
    adit_names_say_all(names);
    expect_said(names, "+one-one+two+three-three");
    adit_names_deinit(names);
}

static void a_new_door_is_told(void **state)
{
    (void)state;
    struct adit_names *names = names_open();
    const struct adit_names_time time = at(NOW_S);
    const struct adit_name_claim claim = claim_of("shop", "ann", 1);
    const struct adit_name_claim conflicts[] = {
        claim_of("shop", "eve", 1), claim_of("held", "eve", 1),
        claim_of("www", "ann", 1),  claim_of("A", "ann", 1),
    };
    const struct adit_name_claim other = claim_of("shop", "ann", 2);
    struct adit_name_answer answer = {0};
    grant(names, "held", "bob", 3);
    release(names, "held", "bob", 3);
    assert_ok(adit_names_hold(names, &claim, &time, &answer));
    assert_true(answer.is_granted);
    assert_int_equal(adit_names_find(names, ADIT_BYTES("shop"))->state, ADIT_NAMED_OWNED);
    for (size_t i = 0; i < ADIT_COUNT(conflicts); i++) {
        assert_fails(adit_names_hold(names, &ADIT_AT(conflicts, i), &time, &answer), INVALID);
    }
    const struct adit_name_claim back = claim_of("held", "bob", 4);
    assert_ok(adit_names_hold(names, &back, &time, &answer));
    assert_true(adit_owners_have(&adit_names_find(names, ADIT_BYTES("held"))->owners, 1, 4));
    assert_ok(adit_names_hold(names, &other, &time, &answer)); /* of another instance: too late */
    assert_true(answer.must_probe && !answer.is_granted);
    assert_ok(adit_names_hold(names, &claim, &time, &answer)); /* twice: no honest worker */
    assert_false(answer.must_probe || answer.is_granted);
    adit_names_deinit(names);
}

/* --- Snapshots -------------------------------------------------------------------------------- */

struct lease_row {
    const char *name, *account;
    uint64_t until_s;
};

static struct adit_status apply(struct adit_names *names, uint64_t version,
                                const struct lease_row *rows, size_t count)
{
    uint8_t memory[512] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_snapshot snapshot = {0};
    uint32_t skipped = 0;
    assert_ok(adit_snapshot_header_write(&writer, version, (uint32_t)count, 0));
    for (size_t i = 0; i < count; i++) {
        const struct lease_row *row = &ADIT_SLOT(rows, count, i);
        const struct adit_snapshot_lease lease = {.name = adit_bytes_of_text(row->name),
                                                  .account = adit_bytes_of_text(row->account),
                                                  .until_s = row->until_s};
        assert_ok(adit_snapshot_lease_write(&writer, &lease));
    }
    assert_ok(adit_snapshot_read(adit_writer_bytes(&writer), &snapshot));
    return adit_names_apply(names, &snapshot, NOW_S, &skipped);
}

static void snapshots_are_applied(void **state)
{
    (void)state;
    struct adit_names *names = names_open();
    const struct lease_row first[] = {
        {"held", "bob", NOW_S + 100},  {"used", "ann", UINT64_MAX}, {"lapsed", "ann", NOW_S},
        {"orphan", "ann", UINT64_MAX}, {"shop", "eve", NOW_S + 5},
    };
    const struct lease_row second[] = {{"used", "ann", UINT64_MAX}, {"held", "ann", NOW_S + 7}};
    grant(names, "used", "ann", 1);
    grant(names, "shop", "ann", 1);
    grant(names, "fresh", "ann", 1);
    release(names, "fresh", "ann", 1);
    expect_said(names, "+used+shop+fresh-fresh");
    assert_ok(apply(names, 3, first, ADIT_COUNT(first)));
    assert_int_equal(names->version, 3);
    assert_int_equal(adit_names_find(names, ADIT_BYTES("held"))->until_s, NOW_S + 100);
    assert_null(adit_names_find(names, ADIT_BYTES("lapsed")));
    assert_int_equal(adit_names_find(names, ADIT_BYTES("used"))->state, ADIT_NAMED_OWNED);
    /* a live session keeps what it has, whatever the snapshot says */
    assert_bytes(ADIT_FIELD_BYTES(adit_names_find(names, ADIT_BYTES("shop"))->account),
                 ADIT_BYTES("ann"));
    assert_non_null(adit_names_find(names, ADIT_BYTES("fresh"))); /* control may not know it yet */
    expect_said(names, "-orphan");                                 /* in use, by nobody here */
    assert_ok(apply(names, 4, second, ADIT_COUNT(second)));
    assert_bytes(ADIT_FIELD_BYTES(adit_names_find(names, ADIT_BYTES("held"))->account),
                 ADIT_BYTES("ann"));
    assert_int_equal(adit_names_find(names, ADIT_BYTES("held"))->until_s, NOW_S + 7);
    assert_null(adit_names_find(names, ADIT_BYTES("orphan"))); /* control has let it go */
    assert_non_null(adit_names_find(names, ADIT_BYTES("fresh")));
    adit_names_deinit(names);
}

/* A name that was listed, came into use again and was released again: an old snapshot that does not
 * list it may not give it away. */
static void an_old_snapshot_gives_nothing_away(void **state)
{
    (void)state;
    struct adit_names *names = names_open();
    const struct lease_row listed[] = {{"shop", "ann", NOW_S + 1000}};
    assert_ok(apply(names, 1, listed, 1));
    grant(names, "shop", "ann", 1);
    release(names, "shop", "ann", 1);
    assert_ok(apply(names, 2, listed, 0)); /* not said yet */
    assert_non_null(adit_names_find(names, ADIT_BYTES("shop")));
    expect_said(names, "+shop-shop");
    assert_ok(apply(names, 3, listed, 0)); /* said a moment ago */
    assert_non_null(adit_names_find(names, ADIT_BYTES("shop")));
    assert_ok(apply(names, 4, listed, 1));
    assert_ok(apply(names, 5, listed, 0));
    assert_null(adit_names_find(names, ADIT_BYTES("shop")));
    adit_names_deinit(names);
}

static void a_broken_snapshot_changes_nothing(void **state)
{
    (void)state;
    struct adit_names *names = names_open();
    uint8_t memory[128] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_snapshot snapshot = {0};
    uint32_t skipped = 0;
    const struct adit_snapshot_lease lease = {
        .name = ADIT_BYTES("shop"), .account = ADIT_BYTES("ann"), .until_s = UINT64_MAX};
    assert_ok(adit_snapshot_header_write(&writer, 9, 1, 0));
    assert_ok(adit_snapshot_lease_write(&writer, &lease));
    assert_ok(adit_write_u8(&writer, 0)); /* more than it says */
    assert_ok(adit_snapshot_read(adit_writer_bytes(&writer), &snapshot));
    assert_fails(adit_names_apply(names, &snapshot, NOW_S, &skipped), INVALID);
    assert_int_equal(names->entries.used, 0);
    assert_int_equal(names->version, 0);
    adit_names_deinit(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims),
        cmocka_unit_test(a_name_has_several_owners),
        cmocka_unit_test(a_drawn_name_follows_its_agent),
        cmocka_unit_test(impossible_names),
        cmocka_unit_test(what_no_honest_worker_asks),
        cmocka_unit_test(drawn_names_come_back),
        cmocka_unit_test(draws_end),
        cmocka_unit_test(an_account_has_a_limit),
        cmocka_unit_test(the_table_has_a_limit),
        cmocka_unit_test(control_hears_everything),
        cmocka_unit_test(a_new_door_is_told),
        cmocka_unit_test(snapshots_are_applied),
        cmocka_unit_test(an_old_snapshot_gives_nothing_away),
        cmocka_unit_test(a_broken_snapshot_changes_nothing),
    };
    return cmocka_run_group_tests_name("door/names", tests, NULL, NULL);
}
