#include "base/find.h"

#include "unit.h"

enum { LEN_MAX = 26 };

static void put(struct adit_span memory, size_t at, uint8_t byte)
{
    adit_span_fill(adit_span_first(adit_span_from(memory, at), 1), byte);
}

/* A check of one byte in a memory of one length, for all of both. */
static void each_byte_and_length(void (*check)(struct adit_span memory, uint8_t byte))
{
    uint8_t memory[LEN_MAX] = {0};
    for (size_t len = 0; len <= LEN_MAX; len++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            check(adit_span_first(ADIT_SPAN_OF(memory), len), (uint8_t)byte);
        }
    }
}

/* At every place, among bytes that differ from it in one bit. */
static void the_first_is_found(struct adit_span memory, uint8_t byte)
{
    struct adit_bytes bytes = adit_span_bytes(memory);
    adit_span_fill(memory, byte ^ 1);
    assert_int_equal(adit_bytes_find_near(bytes, byte), bytes.len);
    for (size_t at = bytes.len; at > 0; at--) { /* those behind it stay */
        put(memory, at - 1, byte);
        assert_int_equal(adit_bytes_find_near(bytes, byte), at - 1);
    }
}

static void the_first_of_any_byte(void **state)
{
    (void)state;
    each_byte_and_length(the_first_is_found);
}

static void a_control_character_is_found(struct adit_span memory, uint8_t byte)
{
    static const uint8_t plain[] = {0x20, 0x7e, 0x80, 0xff, 0x9f, 'a'};
    struct adit_bytes bytes = adit_span_bytes(memory);
    bool is_control = byte < 0x20 || byte == 0x7f;
    for (size_t at = 0; at < bytes.len; at++) {
        adit_span_fill(memory, ADIT_AT(plain, (at + byte) % ADIT_COUNT(plain)));
        put(memory, at, byte);
        assert_int_equal(adit_bytes_find_control(bytes), is_control ? at : bytes.len);
    }
}

static void the_first_control_character(void **state)
{
    (void)state;
    each_byte_and_length(a_control_character_is_found);
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
