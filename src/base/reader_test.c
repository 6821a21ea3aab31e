#include "base/reader.h"

#include "unit.h"

static const uint8_t input[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe};

static void numbers_are_big_endian(void **state)
{
    (void)state;
    struct adit_bytes bytes = ADIT_BYTES_OF(input);
    struct adit_reader reader = adit_reader_of(bytes);
    uint8_t one = 0;
    uint16_t two = 0;
    uint32_t three = 0;
    uint32_t four = 0;
    uint64_t eight = 0;
    assert_ok(adit_read_u8(&reader, &one));
    assert_int_equal(one, 0x01);
    assert_ok(adit_read_u16(&reader, &two));
    assert_int_equal(two, 0x2345);
    assert_ok(adit_read_u24(&reader, &three));
    assert_int_equal(three, 0x6789ab);
    assert_int_equal(reader.rest.len, 3);
    reader = adit_reader_of(bytes);
    assert_ok(adit_read_u32(&reader, &four));
    assert_int_equal(four, 0x01234567);
    reader = adit_reader_of(adit_bytes_from(bytes, 1)); /* not aligned */
    assert_ok(adit_read_u64(&reader, &eight));
    assert_int_equal(eight, 0x23456789abcdeffe);
    assert_ok(adit_read_end(&reader));
}

static void short_input_moves_nothing(void **state)
{
    (void)state;
    for (size_t len = 0; len < 8; len++) {
        struct adit_bytes bytes = adit_bytes_first(ADIT_BYTES_OF(input), len);
        struct adit_reader reader = adit_reader_of(bytes);
        uint8_t one = 77;
        uint16_t two = 77;
        uint32_t three = 77;
        uint32_t four = 77;
        uint64_t eight = 77;
        if (len < 1) {
            assert_fails(adit_read_u8(&reader, &one), INVALID);
        }
        if (len < 2) {
            assert_fails(adit_read_u16(&reader, &two), INVALID);
        }
        if (len < 3) {
            assert_fails(adit_read_u24(&reader, &three), INVALID);
        }
        if (len < 4) {
            assert_fails(adit_read_u32(&reader, &four), INVALID);
        }
        assert_fails(adit_read_u64(&reader, &eight), INVALID);
        assert_true(one == 77 && two == 77 && three == 77 && four == 77 && eight == 77);
        assert_bytes(reader.rest, bytes);
    }
}

static void views_and_copies(void **state)
{
    (void)state;
    struct adit_bytes bytes = ADIT_BYTES("abcdef");
    struct adit_reader reader = adit_reader_of(bytes);
    struct adit_bytes view = {0};
    uint8_t copy[2] = {0};
    assert_ok(adit_read_bytes(&reader, 0, &view));
    assert_int_equal(view.len, 0);
    assert_ok(adit_read_bytes(&reader, 3, &view));
    assert_bytes(view, ADIT_BYTES("abc"));
    assert_fails(adit_read_bytes(&reader, 4, &view), INVALID);
    assert_fails(adit_read_bytes(&reader, SIZE_MAX, &view), INVALID);
    assert_bytes(view, ADIT_BYTES("abc"));
    assert_ok(adit_read_copy(&reader, ADIT_SPAN_OF(copy)));
    assert_bytes(ADIT_BYTES_OF(copy), ADIT_BYTES("de"));
    assert_fails(adit_read_copy(&reader, ADIT_SPAN_OF(copy)), INVALID);
    assert_bytes(ADIT_BYTES_OF(copy), ADIT_BYTES("de"));
    assert_bytes(reader.rest, ADIT_BYTES("f"));
}

static void the_end_is_only_at_the_end(void **state)
{
    (void)state;
    struct adit_reader reader = adit_reader_of(ADIT_BYTES("x"));
    uint8_t byte = 0;
    assert_fails(adit_read_end(&reader), INVALID);
    assert_ok(adit_read_u8(&reader, &byte));
    assert_ok(adit_read_end(&reader));
    reader = adit_reader_of((struct adit_bytes){0});
    assert_ok(adit_read_end(&reader));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_big_endian),
        cmocka_unit_test(short_input_moves_nothing),
        cmocka_unit_test(views_and_copies),
        cmocka_unit_test(the_end_is_only_at_the_end),
    };
    return cmocka_run_group_tests_name("base/reader", tests, NULL, NULL);
}
