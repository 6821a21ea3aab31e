#include "edge/door/owners.h"

#include "unit.h"

#define ONE ADIT_BYTES("one")
#define TWO ADIT_BYTES("two")

static enum adit_owners_verdict join(struct adit_owners *owners, struct adit_bytes instance,
                                     struct adit_owner owner)
{
    struct adit_owner old = {0};
    enum adit_owners_verdict judged = ADIT_OWNERS_FULL;
    enum adit_owners_verdict joined = ADIT_OWNERS_FULL;
    assert_ok(adit_owners_judge(owners, instance, &owner, &judged));
    assert_ok(adit_owners_join(owners, instance, &owner, &joined, &old));
    assert_int_equal(judged, joined);
    return joined;
}

static void sessions_of_one_instance_share(void **state)
{
    (void)state;
    struct adit_owners owners = {0};
    struct adit_owner old = {0};
    enum adit_owners_verdict verdict = ADIT_OWNERS_FULL;
    for (uint32_t i = 0; i < ADIT_OWNERS_MAX; i++) {
        const struct adit_owner owner = {.worker = i / 2, .slot = i, .session = 10 + i};
        assert_int_equal(join(&owners, ONE, owner), ADIT_OWNERS_JOINED);
        assert_int_equal(join(&owners, ONE, owner), ADIT_OWNERS_SAME);
        assert_int_equal(join(&owners, TWO, owner), ADIT_OWNERS_SAME);
    }
    assert_int_equal(join(&owners, ONE, (struct adit_owner){0, 4, 99}), ADIT_OWNERS_FULL);
    assert_int_equal(join(&owners, TWO, (struct adit_owner){0, 0, 99}), ADIT_OWNERS_FOREIGN);
    assert_int_equal(owners.count, ADIT_OWNERS_MAX);
    const struct adit_owner newer = {.worker = 7, .slot = 2, .session = 99};
    assert_ok(adit_owners_join(&owners, ONE, &newer, &verdict, &old));
    assert_int_equal(verdict, ADIT_OWNERS_REPLACED);
    assert_int_equal(old.worker, 1);
    assert_int_equal(old.session, 12);
    assert_false(adit_owners_have(&owners, 1, 12));
    assert_true(adit_owners_have(&owners, 7, 99));
    assert_int_equal(owners.count, ADIT_OWNERS_MAX);
}

static void an_empty_instance_shares_with_nobody(void **state)
{
    (void)state;
    struct adit_owners owners = {0};
    assert_int_equal(join(&owners, ADIT_BYTES(""), (struct adit_owner){0, 0, 1}),
                     ADIT_OWNERS_JOINED);
    assert_int_equal(join(&owners, ADIT_BYTES(""), (struct adit_owner){0, 1, 2}),
                     ADIT_OWNERS_FOREIGN);
    assert_true(adit_owners_leave(&owners, 0, 1));
    assert_int_equal(join(&owners, ONE, (struct adit_owner){0, 1, 2}), ADIT_OWNERS_JOINED);
    const struct adit_owner owner = {0, 0, 3};
    enum adit_owners_verdict verdict = ADIT_OWNERS_FULL;
    assert_fails(adit_owners_judge(&owners, ADIT_BYTES("a2345678901234567890123456789012x"),
                                   &owner, &verdict),
                 LIMIT);
}

static void owners_leave(void **state)
{
    (void)state;
    struct adit_owners owners = {0};
    join(&owners, ONE, (struct adit_owner){3, 0, 1});
    join(&owners, ONE, (struct adit_owner){4, 1, 1});
    join(&owners, ONE, (struct adit_owner){3, 2, 2});
    assert_false(adit_owners_leave(&owners, 4, 2));
    assert_true(adit_owners_leave(&owners, 3, 1));
    assert_false(adit_owners_leave(&owners, 3, 1));
    assert_int_equal(adit_owners_worker_gone(&owners, 5), 0);
    assert_int_equal(adit_owners_worker_gone(&owners, 3), 1);
    assert_int_equal(owners.count, 1);
    assert_int_equal(adit_owners_worker_gone(&owners, 4), 1);
    assert_int_equal(owners.count, 0);
}

static void owners_take_turns(void **state)
{
    (void)state;
    struct adit_owners owners = {0};
    uint32_t visits[3] = {0};
    assert_null(adit_owners_at(&owners, 0));
    adit_owners_turn(&owners, 0);
    for (uint32_t i = 0; i < 3; i++) {
        join(&owners, ONE, (struct adit_owner){i, i, i});
    }
    for (uint32_t i = 0; i < 9; i++) {
        ADIT_AT(visits, adit_owners_at(&owners, 0)->worker)++;
        adit_owners_turn(&owners, 0);
    }
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(ADIT_AT(visits, i), 3);
    }
    assert_null(adit_owners_at(&owners, 3));
    owners.turn = 2;
    assert_true(adit_owners_leave(&owners, 2, 2)); /* the turn was its own */
    assert_int_equal(adit_owners_at(&owners, 0)->worker, 0);
    adit_owners_turn(&owners, 1); /* the first was passed over */
    assert_int_equal(adit_owners_at(&owners, 0)->worker, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_of_one_instance_share),
        cmocka_unit_test(an_empty_instance_shares_with_nobody),
        cmocka_unit_test(owners_leave),
        cmocka_unit_test(owners_take_turns),
    };
    return cmocka_run_group_tests_name("door/owners", tests, NULL, NULL);
}
