#include "base/writer.h"

#include "unit.h"

static void numbers_are_big_endian(void **state)
{
    (void)state;
    uint8_t memory[18] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    assert_ok(adit_write_u8(&writer, 0x01));
    assert_ok(adit_write_u16(&writer, 0x0203));
    assert_ok(adit_write_u24(&writer, 0x040506));
    assert_ok(adit_write_u32(&writer, 0x0708090a));
    assert_ok(adit_write_u64(&writer, 0x0b0c0d0e0f101112));
    assert_bytes(adit_writer_bytes(&writer), ADIT_BYTES("\x01\x02\x03\x04\x05\x06\x07\x08\x09"
                                                        "\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12"));
    assert_int_equal(adit_writer_room(&writer), 0);
}

/* One byte too little, at every width: nothing is appended, nothing is touched. */
static void no_room_writes_nothing(void **state)
{
    (void)state;
    for (size_t width = 1; width <= 8; width++) {
        uint8_t memory[8] = {0};
        adit_span_fill(ADIT_SPAN_OF(memory), 0xaa);
        struct adit_writer writer =
            adit_writer_of(adit_span_first(ADIT_SPAN_OF(memory), width - 1));
        struct adit_status status = adit_ok();
        switch (width) {
        case 1:
            status = adit_write_u8(&writer, 1);
            break;
        case 2:
            status = adit_write_u16(&writer, 1);
            break;
        case 3:
            status = adit_write_u24(&writer, 1);
            break;
        case 4:
            status = adit_write_u32(&writer, 1);
            break;
        case 8:
            status = adit_write_u64(&writer, 1);
            break;
        default:
            status = adit_write_bytes(&writer, adit_bytes_first(ADIT_BYTES("abcdefgh"), width));
        }
        assert_fails(status, LIMIT);
        assert_int_equal(writer.len, 0);
        for (size_t i = 0; i < sizeof memory; i++) {
            assert_int_equal(ADIT_AT(memory, i), 0xaa);
        }
    }
}

static void a_number_that_is_too_big_is_refused(void **state)
{
    (void)state;
    uint8_t memory[4] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    assert_fails(adit_write_u24(&writer, 0x1000000), LIMIT);
    assert_ok(adit_write_u24(&writer, 0xffffff));
    assert_int_equal(writer.len, 3);
}

static void reserved_lengths_are_filled_later(void **state)
{
    (void)state;
    uint8_t memory[16] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_span two = {0};
    struct adit_span four = {0};
    assert_ok(adit_write_reserve_u16(&writer, &two));
    assert_ok(adit_write_reserve_u32(&writer, &four));
    assert_ok(adit_write_bytes(&writer, ADIT_BYTES("abc")));
    assert_ok(adit_write_fill(two, 3));
    assert_fails(adit_write_fill(two, 0x10000), LIMIT);
    assert_ok(adit_write_fill(four, UINT32_MAX));
    assert_fails(adit_write_fill(four, (uint64_t)UINT32_MAX + 1), LIMIT);
    assert_bytes(adit_writer_bytes(&writer), ADIT_BYTES("\x00\x03\xff\xff\xff\xff"
                                                        "abc"));
    struct adit_span rest = {0};
    assert_fails(adit_write_reserve(&writer, 8, &rest), LIMIT);
    assert_null(rest.ptr);
    assert_ok(adit_write_reserve(&writer, 7, &rest));
    assert_int_equal(rest.len, 7);
    assert_ok(adit_write_fill(adit_span_first(rest, 0), 0));
    assert_fails(adit_write_fill(adit_span_first(rest, 0), 1), LIMIT);
}

static void decimal_and_hex(void **state)
{
    (void)state;
    const struct {
        uint64_t value;
        struct adit_bytes text;
    } cases[] = {
        {0, ADIT_BYTES_INIT("0")},
        {9, ADIT_BYTES_INIT("9")},
        {10, ADIT_BYTES_INIT("10")},
        {1234567890, ADIT_BYTES_INIT("1234567890")},
        {UINT64_MAX, ADIT_BYTES_INIT("18446744073709551615")},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        uint8_t memory[20] = {0};
        struct adit_bytes text = ADIT_AT(cases, i).text;
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
        assert_ok(adit_write_decimal(&writer, ADIT_AT(cases, i).value));
        assert_bytes(adit_writer_bytes(&writer), text);
        writer = adit_writer_of(adit_span_first(ADIT_SPAN_OF(memory), text.len - 1));
        assert_fails(adit_write_decimal(&writer, ADIT_AT(cases, i).value), LIMIT);
        assert_int_equal(writer.len, 0);
    }
    uint8_t memory[7] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    assert_fails(adit_write_hex(&writer, ADIT_BYTES("abcd")), LIMIT);
    assert_int_equal(writer.len, 0);
    assert_ok(adit_write_hex(&writer, ADIT_BYTES("\x00\x9f\xfa")));
    assert_bytes(adit_writer_bytes(&writer), ADIT_BYTES("009ffa"));
}

static void zeros_overwrite_what_was_there(void **state)
{
    (void)state;
    uint8_t memory[4] = {0};
    adit_span_fill(ADIT_SPAN_OF(memory), 0xaa);
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    assert_ok(adit_write_zeros(&writer, 3));
    assert_bytes(ADIT_BYTES_OF(memory), ADIT_BYTES("\x00\x00\x00\xaa"));
    assert_fails(adit_write_zeros(&writer, 2), LIMIT);
    assert_fails(adit_write_zeros(&writer, SIZE_MAX), LIMIT);
    assert_int_equal(writer.len, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_big_endian),
        cmocka_unit_test(no_room_writes_nothing),
        cmocka_unit_test(a_number_that_is_too_big_is_refused),
        cmocka_unit_test(reserved_lengths_are_filled_later),
        cmocka_unit_test(decimal_and_hex),
        cmocka_unit_test(zeros_overwrite_what_was_there),
    };
    return cmocka_run_group_tests_name("base/writer", tests, NULL, NULL);
}
