#include "edge/door/ports.h"

#include "unit.h"

#define CLAIM(number, of_worker, of_session, text)                                              \
    {                                                                                           \
        .port = (number), .owner = {.worker = (of_worker), .session = (of_session)},            \
        .account = ADIT_BYTES_INIT(text)                                                        \
    }

static void claims_meet_in_one_place(void **state)
{
    (void)state;
    /* Port 20001 is owned by ann (worker 0, session 5), port 20002 is ann's in grace. */
    static const struct {
        struct adit_port_claim claim;
        enum adit_port_verdict verdict;
        enum adit_port_refusal refusal;
    } cases[] = {
        {CLAIM(20000, 0, 6, "ann"), ADIT_PORT_OPEN, 0},
        {CLAIM(19999, 0, 6, "ann"), ADIT_PORT_DENIED, ADIT_PORT_REFUSAL_RANGE},
        {CLAIM(20004, 0, 6, "ann"), ADIT_PORT_DENIED, ADIT_PORT_REFUSAL_RANGE},
        {CLAIM(22, 0, 6, "ann"), ADIT_PORT_DENIED, ADIT_PORT_REFUSAL_RANGE},
        {CLAIM(20001, 0, 6, "bob"), ADIT_PORT_DENIED, ADIT_PORT_REFUSAL_TAKEN},
        {CLAIM(20001, 0, 6, "ann"), ADIT_PORT_PROBE, 0},
        {CLAIM(20001, 1, 5, "ann"), ADIT_PORT_PROBE, 0},
        {CLAIM(20001, 0, 5, "ann"), ADIT_PORT_DENIED, ADIT_PORT_REFUSAL_TAKEN}, /* has it already */
        {CLAIM(20002, 0, 6, "bob"), ADIT_PORT_DENIED, ADIT_PORT_REFUSAL_TAKEN},
        {CLAIM(20002, 1, 6, "ann"), ADIT_PORT_KEPT, 0},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        struct adit_ports ports = {0};
        const struct adit_port_claim owned = CLAIM(20001, 0, 5, "ann");
        const struct adit_port_claim left = CLAIM(20002, 0, 4, "ann");
        assert_ok(adit_ports_init(&ports, 20000, 20003));
        assert_ok(adit_ports_put(&ports, &owned, 11));
        assert_ok(adit_ports_put(&ports, &left, 12));
        assert_true(adit_ports_grace(&ports, &left, 1000));
        struct adit_port_answer answer = {0};
        assert_ok(adit_ports_claim(&ports, &ADIT_AT(cases, i).claim, &answer));
        assert_int_equal(answer.verdict, ADIT_AT(cases, i).verdict);
        assert_int_equal(answer.refusal, ADIT_AT(cases, i).refusal);
        assert_false(answer.is_replaced);
        assert_int_equal(ports.used, 2);
        if (answer.verdict == ADIT_PORT_KEPT) {
            const struct adit_port *entry = adit_ports_get(&ports, 20002);
            assert_int_equal(entry->state, ADIT_PORT_OWNED);
            assert_int_equal(entry->fd, 12);
            assert_true(adit_owners_have(&entry->owners, 1, 6));
            assert_int_equal(entry->owners.count, 1);
        }
        adit_ports_deinit(&ports);
    }
}

/* The sessions of one agent share a port, until the last of them has left. */
static void a_port_has_several_owners(void **state)
{
    (void)state;
    struct adit_ports ports = {0};
    struct adit_port_answer answer = {0};
    struct adit_port_claim claim = CLAIM(5000, 0, 1, "ann");
    struct adit_port_claim older = CLAIM(5000, 1, 2, "ann");
    int fd = 0;
    claim.instance = older.instance = ADIT_BYTES("one");
    assert_ok(adit_ports_init(&ports, 5000, 5000));
    assert_ok(adit_ports_put(&ports, &claim, 7));
    older.owner.slot = 1;
    assert_ok(adit_ports_claim(&ports, &older, &answer));
    assert_int_equal(answer.verdict, ADIT_PORT_KEPT);
    assert_false(answer.is_replaced);
    struct adit_port_claim newer = older;
    newer.owner.session = 3;
    assert_ok(adit_ports_claim(&ports, &newer, &answer));
    assert_int_equal(answer.verdict, ADIT_PORT_KEPT);
    assert_true(answer.is_replaced);
    assert_int_equal(answer.old.session, 2);
    assert_false(adit_ports_free(&ports, &older, &fd));
    assert_true(adit_ports_free(&ports, &newer, &fd));
    assert_int_equal(fd, -1);
    assert_int_equal(ports.used, 1);
    assert_ok(adit_ports_claim(&ports, &newer, &answer));
    assert_true(adit_ports_grace(&ports, &newer, 100));
    assert_int_equal(adit_ports_get(&ports, 5000)->state, ADIT_PORT_OWNED);
    for (uint64_t i = 1; i <= ADIT_OWNERS_MAX; i++) {
        newer.owner = (struct adit_owner){.worker = 2, .slot = (uint32_t)i, .session = i};
        assert_ok(adit_ports_claim(&ports, &newer, &answer));
    }
    assert_int_equal(answer.verdict, ADIT_PORT_DENIED);
    assert_int_equal(answer.refusal, ADIT_PORT_REFUSAL_LIMIT);
    assert_int_equal(adit_ports_worker_gone(&ports, 2, 100), 0);
    assert_int_equal(adit_ports_worker_gone(&ports, 0, 100), 1);
    assert_int_equal(adit_ports_get(&ports, 5000)->state, ADIT_PORT_GRACE);
    assert_int_equal(adit_ports_next_end_us(&ports), 100);
    adit_ports_deinit(&ports);
}

static void only_the_owner_gives_up(void **state)
{
    (void)state;
    struct adit_ports ports = {0};
    const struct adit_port_claim owner = CLAIM(5000, 2, 9, "ann");
    const struct adit_port_claim others[] = {
        CLAIM(5000, 1, 9, "ann"), CLAIM(5000, 2, 8, "ann"), CLAIM(5001, 2, 9, "ann"),
        CLAIM(4999, 2, 9, "ann")};
    int fd = -1;
    assert_ok(adit_ports_init(&ports, 5000, 5001));
    assert_ok(adit_ports_put(&ports, &owner, 7));
    assert_fails(adit_ports_put(&ports, &owner, 8), REFUSED);
    assert_fails(adit_ports_put(&ports, &others[3], 8), INVALID);
    for (size_t i = 0; i < ADIT_COUNT(others); i++) {
        assert_false(adit_ports_grace(&ports, &ADIT_AT(others, i), 1));
        assert_false(adit_ports_free(&ports, &ADIT_AT(others, i), &fd));
    }
    assert_true(adit_ports_free(&ports, &owner, &fd));
    assert_int_equal(fd, 7);
    assert_int_equal(ports.used, 0);
    assert_false(adit_ports_free(&ports, &owner, &fd));
    adit_ports_deinit(&ports);
}

static void a_gone_worker_leaves_a_grace(void **state)
{
    (void)state;
    struct adit_ports ports = {0};
    const struct adit_port_claim claims[] = {
        CLAIM(5000, 0, 1, "ann"), CLAIM(5001, 1, 1, "ann"), CLAIM(5002, 0, 2, "bob")};
    uint16_t port = 0;
    int fd = -1;
    assert_ok(adit_ports_init(&ports, 5000, 5009));
    for (size_t i = 0; i < ADIT_COUNT(claims); i++) {
        assert_ok(adit_ports_put(&ports, &ADIT_AT(claims, i), 10 + (int)i));
    }
    assert_int_equal(adit_ports_next_end_us(&ports), UINT64_MAX);
    assert_int_equal(adit_ports_worker_gone(&ports, 0, 500), 2);
    assert_int_equal(adit_ports_next_end_us(&ports), 500);
    assert_false(adit_ports_expire(&ports, 499, &port, &fd));
    assert_true(adit_ports_expire(&ports, 500, &port, &fd));
    assert_int_equal(port, 5000);
    assert_int_equal(fd, 10);
    assert_true(adit_ports_expire(&ports, 500, &port, &fd));
    assert_int_equal(port, 5002);
    assert_false(adit_ports_expire(&ports, 500, &port, &fd));
    assert_int_equal(ports.used, 1);
    assert_int_equal(adit_ports_next_end_us(&ports), UINT64_MAX);
    adit_ports_deinit(&ports);
}

static void picking_goes_around(void **state)
{
    (void)state;
    struct adit_ports ports = {0};
    uint16_t port = 0;
    assert_ok(adit_ports_init(&ports, 5000, 5002));
    static const struct {
        uint32_t start;
        uint16_t port;
    } cases[] = {{5001, 5001}, {5001, 5002}, {5001, 5000}};
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        assert_true(adit_ports_pick(&ports, ADIT_AT(cases, i).start, &port));
        assert_int_equal(port, ADIT_AT(cases, i).port);
        const struct adit_port_claim claim = CLAIM(port, 0, 1, "ann");
        assert_ok(adit_ports_put(&ports, &claim, 3));
    }
    assert_false(adit_ports_pick(&ports, 0, &port));
    adit_ports_deinit(&ports);
}

static void bad_ranges_and_accounts_are_refused(void **state)
{
    (void)state;
    struct adit_ports ports = {0};
    assert_fails(adit_ports_init(&ports, 0, 10), INVALID);
    assert_fails(adit_ports_init(&ports, 10, 9), INVALID);
    assert_null(adit_ports_get(&ports, 10));
    assert_ok(adit_ports_init(&ports, 65535, 65535));
    const struct adit_port_claim claims[] = {
        CLAIM(65535, 0, 1, "a name that is longer than thirty-two"),
        {.port = 65535, .instance = ADIT_BYTES_INIT("an instance longer than thirty-two")},
    };
    for (size_t i = 0; i < ADIT_COUNT(claims); i++) {
        struct adit_port_answer answer = {0};
        assert_fails(adit_ports_claim(&ports, &ADIT_AT(claims, i), &answer), LIMIT);
        assert_fails(adit_ports_put(&ports, &ADIT_AT(claims, i), 3), LIMIT);
    }
    assert_int_equal(ports.used, 0);
    adit_ports_deinit(&ports);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_meet_in_one_place),
        cmocka_unit_test(a_port_has_several_owners),
        cmocka_unit_test(only_the_owner_gives_up),
        cmocka_unit_test(a_gone_worker_leaves_a_grace),
        cmocka_unit_test(picking_goes_around),
        cmocka_unit_test(bad_ranges_and_accounts_are_refused),
    };
    return cmocka_run_group_tests_name("door/ports", tests, NULL, NULL);
}
