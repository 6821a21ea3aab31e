#include "edge/door/admission.h"

#include "unit.h"

static const struct adit_admission_limits usual = {
    .begin = 10, .percent = 30, .full = 100, .source_max = 8};

static struct adit_admission admission_open(void)
{
    struct adit_admission admission = {0};
    const struct adit_siphash_key seed = {1, 2};
    assert_ok(adit_admission_init(&admission, &usual, seed));
    return admission;
}

static struct adit_admission_ask ask(const char *address, uint64_t draw)
{
    struct adit_admission_ask made = {.worker = 0, .now_us = 1000, .draw = draw};
    assert_ok(adit_address_parse(adit_bytes_of_text(address), &made.peer));
    return made;
}

static void the_drop_begins_early_and_ends_at_full(void **state)
{
    (void)state;
    struct adit_admission admission = admission_open();
    struct adit_handle ticket = {0};
    /* 99 is the luckiest number, 0 the unluckiest */
    static const struct {
        uint32_t count;
        uint64_t dropped_below; /* numbers under this are dropped */
    } cases[] = {{0, 0}, {9, 0}, {10, 30}, {55, 65}, {99, 99}, {100, 100}};
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        while (adit_admission_count(&admission) < ADIT_AT(cases, i).count) {
            struct adit_admission_ask lucky = ask("127.0.0.1:1", 99);
            assert_int_equal(adit_admission_try(&admission, &lucky, &ticket),
                             ADIT_ADMISSION_GRANTED);
        }
        for (uint64_t random = 0; random < 100; random++) {
            struct adit_admission_ask one = ask("127.0.0.1:1", random);
            bool is_dropped = adit_admission_try(&admission, &one, &ticket) !=
                              ADIT_ADMISSION_GRANTED;
            assert_int_equal(is_dropped, random < ADIT_AT(cases, i).dropped_below);
            if (!is_dropped) {
                adit_admission_done(&admission, ticket, 0);
            }
        }
    }
    adit_admission_deinit(&admission);
}

static void a_source_has_its_limit(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second;
        bool is_same; /* neighbourhood */
    } cases[] = {
        {"192.0.2.1:5", "192.0.2.254:6", true},
        {"192.0.2.1:5", "192.0.3.1:5", false},
        {"[2001:db8::1]:5", "[2001:db8:0:0:ffff::2]:6", true},
        {"[2001:db8::1]:5", "[2001:db8:0:1::1]:5", false},
        {"[::ffff:192.0.2.9]:1", "192.0.2.1:5", true},
        {"192.0.2.1:5", "127.0.0.1:5", false},
        {"127.0.0.1:1", "127.0.0.1:2", false}, /* loopback has no limit of its own */
        {"[::1]:1", "[::1]:2", false},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        struct adit_admission admission = admission_open();
        struct adit_handle tickets[8] = {{0}};
        struct adit_handle more = {0};
        for (size_t n = 0; n < 8; n++) {
            struct adit_admission_ask first = ask(ADIT_AT(cases, i).first, 99);
            assert_int_equal(adit_admission_try(&admission, &first, &ADIT_AT(tickets, n)),
                             ADIT_ADMISSION_GRANTED);
        }
        struct adit_admission_ask second = ask(ADIT_AT(cases, i).second, 99);
        assert_int_equal(adit_admission_try(&admission, &second, &more),
                         ADIT_AT(cases, i).is_same ? ADIT_ADMISSION_SOURCE_FULL
                                                   : ADIT_ADMISSION_GRANTED);
        adit_admission_done(&admission, more, 0);
        adit_admission_done(&admission, tickets[0], 1); /* another worker's word counts nothing */
        assert_int_equal(adit_admission_count(&admission), 8);
        adit_admission_done(&admission, tickets[0], 0);
        adit_admission_done(&admission, tickets[0], 0); /* twice is once */
        assert_int_equal(adit_admission_count(&admission), 7);
        assert_int_equal(adit_admission_try(&admission, &second, &more), ADIT_ADMISSION_GRANTED);
        adit_admission_deinit(&admission);
    }
}

static void tickets_end_by_themselves(void **state)
{
    (void)state;
    struct adit_admission admission = admission_open();
    struct adit_handle ticket = {0};
    struct adit_admission_ask one = ask("192.0.2.1:5", 99);
    for (size_t i = 0; i < 8; i++) {
        one.worker = i % 2;
        assert_int_equal(adit_admission_try(&admission, &one, &ticket), ADIT_ADMISSION_GRANTED);
    }
    adit_admission_worker_gone(&admission, 1);
    assert_int_equal(adit_admission_count(&admission), 4);
    one.now_us += ADIT_ADMISSION_TICKET_US;
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(adit_admission_try(&admission, &one, &ticket), ADIT_ADMISSION_GRANTED);
    }
    assert_int_equal(adit_admission_count(&admission), 8);
    assert_int_equal(admission.sources.used, 1);
    adit_admission_worker_gone(&admission, 0);
    adit_admission_worker_gone(&admission, 1);
    assert_int_equal(admission.sources.used, 0);
    adit_admission_deinit(&admission);
}

static void senseless_limits_are_refused(void **state)
{
    (void)state;
    static const struct adit_admission_limits cases[] = {
        {10, 30, 10, 8}, {10, 101, 100, 8}, {10, 30, ADIT_ADMISSION_TICKETS_MAX + 1, 8}};
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        struct adit_admission admission = {0};
        assert_fails(adit_admission_init(&admission, &ADIT_AT(cases, i),
                                         (struct adit_siphash_key){1, 2}),
                     INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_drop_begins_early_and_ends_at_full),
        cmocka_unit_test(a_source_has_its_limit),
        cmocka_unit_test(tickets_end_by_themselves),
        cmocka_unit_test(senseless_limits_are_refused),
    };
    return cmocka_run_group_tests_name("door/admission", tests, NULL, NULL);
}
