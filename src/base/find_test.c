#include "base/find.h"

#include "unit.h"

/* Every byte at every place of every length, among bytes that differ from it in one bit. */
static void the_first_of_any_byte(void **state)
{
    (void)state;
    uint8_t memory[26] = {0};
    for (size_t len = 0; len <= ADIT_COUNT(memory); len++) {
        struct adit_span span = adit_span_first(ADIT_SPAN_OF(memory), len);
        struct adit_bytes bytes = adit_span_bytes(span);
        for (unsigned byte = 0; byte < 256; byte++) {
            adit_span_fill(span, (uint8_t)(byte ^ 1));
            assert_int_equal(adit_bytes_find_near(bytes, (uint8_t)byte), len);
            for (size_t at = len; at > 0; at--) { /* those behind it stay */
                ADIT_AT(memory, at - 1) = (uint8_t)byte;
                assert_int_equal(adit_bytes_find_near(bytes, (uint8_t)byte), at - 1);
            }
        }
    }
}

static void the_first_control_character(void **state)
{
    (void)state;
    uint8_t memory[26] = {0};
    for (size_t len = 0; len <= ADIT_COUNT(memory); len++) {
        struct adit_span span = adit_span_first(ADIT_SPAN_OF(memory), len);
        struct adit_bytes bytes = adit_span_bytes(span);
        for (unsigned byte = 0; byte < 256; byte++) {
            bool is_control = byte < 0x20 || byte == 0x7f;
            static const uint8_t plain[] = {0x20, 0x7e, 0x80, 0xff, 0x9f, 'a'};
            for (size_t at = 0; at < len; at++) {
                adit_span_fill(span, ADIT_AT(plain, (at + byte) % ADIT_COUNT(plain)));
                ADIT_AT(memory, at) = (uint8_t)byte;
                assert_int_equal(adit_bytes_find_control(bytes), is_control ? at : len);
            }
        }
    }
    assert_int_equal(adit_bytes_find_control(ADIT_BYTES("")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_of_any_byte),
        cmocka_unit_test(the_first_control_character),
    };
    return cmocka_run_group_tests_name("base/find", tests, NULL, NULL);
}
