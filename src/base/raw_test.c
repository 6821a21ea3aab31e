#include "base/raw.h"

#include "dies.h"
#include "unit.h"

static const int three[3] = {10, 11, 12};

static size_t hidden(size_t value)
{
    volatile size_t kept = value; /* so that the compiler does not see the range */
    return kept;
}

static void array_end(void)
{
    (void)*(volatile const int *)&ADIT_AT(three, hidden(3));
}

static void array_negative(void)
{
    (void)*(volatile const int *)&ADIT_AT(three, (int)hidden((size_t)-1));
}

static void slot_end(void)
{
    const int *pointer = three;
    (void)*(volatile const int *)&ADIT_SLOT(pointer, 2, hidden(2));
}

static void slot_of_none(void)
{
    const int *pointer = NULL;
    (void)*(volatile const int *)&ADIT_SLOT(pointer, 0, hidden(0));
}

static void inside_is_the_element(void **state)
{
    (void)state;
    const int *pointer = three;
    assert_int_equal(ADIT_COUNT(three), 3);
    for (size_t i = 0; i < ADIT_COUNT(three); i++) {
        assert_int_equal(ADIT_AT(three, i), 10 + (int)i);
        assert_int_equal(ADIT_SLOT(pointer, 3, i), 10 + (int)i);
    }
    int written[2] = {0};
    size_t calls = 0;
    ADIT_AT(written, calls++) = 7; /* an lvalue, and the index counts once */
    assert_int_equal(ADIT_AT(written, 0), 7);
    assert_int_equal(calls, 1);
}

static void outside_ends_the_process(void **state)
{
    (void)state;
    void (*const cases[])(void) = {array_end, array_negative, slot_end, slot_of_none};
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        uint8_t memory[512] = {0};
        struct adit_writer said = adit_writer_of(ADIT_SPAN_OF(memory));
        assert_true(dies(ADIT_AT(cases, i), &said));
        assert_true(adit_bytes_starts_with(adit_writer_bytes(&said),
                                           ADIT_BYTES("adit: broken rule: index < count")));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inside_is_the_element),
        cmocka_unit_test(outside_ends_the_process),
    };
    return cmocka_run_group_tests_name("base/raw", tests, NULL, NULL);
}
