#include "edge/door/ports.h"

#include "unit.h"

#define ANN ADIT_BYTES_INIT("ann")
#define BOB ADIT_BYTES_INIT("bob")

static void claims_meet_in_one_place(void **state)
{
    (void)state;
    /* Port 20001 is owned by ann (worker 0, session 5), port 20002 is ann's in grace. */
    static const struct {
        struct adit_port_claim claim;
        enum adit_port_verdict verdict;
        enum adit_port_refusal refusal;
    } cases[] = {
        {{20000, 0, 6, ANN}, ADIT_PORT_OPEN, 0},
        {{19999, 0, 6, ANN}, ADIT_PORT_DENIED, ADIT_PORT_REFUSAL_RANGE},
        {{20004, 0, 6, ANN}, ADIT_PORT_DENIED, ADIT_PORT_REFUSAL_RANGE},
        {{22, 0, 6, ANN}, ADIT_PORT_DENIED, ADIT_PORT_REFUSAL_RANGE},
        {{20001, 0, 6, BOB}, ADIT_PORT_DENIED, ADIT_PORT_REFUSAL_TAKEN},
        {{20001, 0, 6, ANN}, ADIT_PORT_DENIED, ADIT_PORT_REFUSAL_MOVED},
        {{20001, 1, 5, ANN}, ADIT_PORT_DENIED, ADIT_PORT_REFUSAL_MOVED},
        {{20001, 0, 5, ANN}, ADIT_PORT_DENIED, ADIT_PORT_REFUSAL_TAKEN}, /* has it already */
        {{20002, 0, 6, BOB}, ADIT_PORT_DENIED, ADIT_PORT_REFUSAL_TAKEN},
        {{20002, 1, 6, ANN}, ADIT_PORT_KEPT, 0},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        struct adit_ports ports = {0};
        const struct adit_port_claim owned = {20001, 0, 5, ANN};
        const struct adit_port_claim left = {20002, 0, 4, ANN};
        assert_ok(adit_ports_init(&ports, 20000, 20003));
        assert_ok(adit_ports_put(&ports, &owned, 11));
        assert_ok(adit_ports_put(&ports, &left, 12));
        assert_true(adit_ports_grace(&ports, &left, 1000));
        enum adit_port_verdict verdict = ADIT_PORT_OPEN;
        enum adit_port_refusal refusal = 0;
        assert_ok(adit_ports_claim(&ports, &ADIT_AT(cases, i).claim, &verdict, &refusal));
        assert_int_equal(verdict, ADIT_AT(cases, i).verdict);
        assert_int_equal(refusal, ADIT_AT(cases, i).refusal);
        assert_int_equal(ports.used, 2);
        if (verdict == ADIT_PORT_KEPT) {
            const struct adit_port *entry = adit_ports_get(&ports, 20002);
            assert_int_equal(entry->state, ADIT_PORT_OWNED);
            assert_int_equal(entry->fd, 12);
            assert_int_equal(entry->worker, 1);
            assert_int_equal(entry->session, 6);
        }
        adit_ports_deinit(&ports);
    }
}

static void only_the_owner_gives_up(void **state)
{
    (void)state;
    struct adit_ports ports = {0};
    const struct adit_port_claim owner = {5000, 2, 9, ANN};
    const struct adit_port_claim others[] = {
        {5000, 1, 9, ANN}, {5000, 2, 8, ANN}, {5001, 2, 9, ANN}, {4999, 2, 9, ANN}};
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
        {5000, 0, 1, ANN}, {5001, 1, 1, ANN}, {5002, 0, 2, BOB}};
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
        const struct adit_port_claim claim = {port, 0, 1, ANN};
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
    const struct adit_port_claim claim = {
        65535, 0, 1, ADIT_BYTES_INIT("a name that is longer than thirty-two")};
    enum adit_port_verdict verdict = ADIT_PORT_OPEN;
    enum adit_port_refusal refusal = 0;
    assert_fails(adit_ports_claim(&ports, &claim, &verdict, &refusal), LIMIT);
    assert_fails(adit_ports_put(&ports, &claim, 3), LIMIT);
    assert_int_equal(ports.used, 0);
    adit_ports_deinit(&ports);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_meet_in_one_place),
        cmocka_unit_test(only_the_owner_gives_up),
        cmocka_unit_test(a_gone_worker_leaves_a_grace),
        cmocka_unit_test(picking_goes_around),
        cmocka_unit_test(bad_ranges_and_accounts_are_refused),
    };
    return cmocka_run_group_tests_name("door/ports", tests, NULL, NULL);
}
