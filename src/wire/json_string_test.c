#include "wire/json_string.h"

#include "unit.h"

/* Reads `text`, which begins with a quote, and decodes it. */
static struct adit_status decode(struct adit_bytes text, struct adit_writer *out)
{
    struct adit_reader reader = adit_reader_of(text);
    struct adit_bytes raw = {0};
    uint32_t hash = 0;
    ADIT_TRY(adit_json_string_read(&reader, &raw, &hash));
    ADIT_TRY(adit_read_end(&reader));
    return adit_json_string_decode(raw, out);
}

static void good_strings(void **state)
{
    (void)state;
    const struct {
        struct adit_bytes text;
        struct adit_bytes meaning;
    } rows[] = {
        {ADIT_BYTES("\"\""), ADIT_BYTES("")},
        {ADIT_BYTES("\"abc\""), ADIT_BYTES("abc")},
        {ADIT_BYTES("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), ADIT_BYTES("\"\\/\b\f\n\r\t")},
        {ADIT_BYTES("\"\\u0041\\u00e9\\u20AC\""), ADIT_BYTES("A\xc3\xa9\xe2\x82\xac")},
        {ADIT_BYTES("\"\\ud83d\\ude00\""), ADIT_BYTES("\xf0\x9f\x98\x80")},
        {ADIT_BYTES("\"\\uDBFF\\uDFFF\""), ADIT_BYTES("\xf4\x8f\xbf\xbf")},
        {ADIT_BYTES("\"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\""),
         ADIT_BYTES("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80")},
        {ADIT_BYTES("\"\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\""),
         ADIT_BYTES("\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf")},
        {ADIT_BYTES("\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""),
         ADIT_BYTES("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")},
        {ADIT_BYTES("\"\\u007f\\u0080\\u07ff\\u0800\\uffff\""),
         ADIT_BYTES("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf")},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        uint8_t memory[64] = {0};
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
        assert_ok(decode(ADIT_AT(rows, i).text, &writer));
        assert_bytes(adit_writer_bytes(&writer), ADIT_AT(rows, i).meaning);
    }
}

static void bad_strings(void **state)
{
    (void)state;
    const struct adit_bytes rows[] = {
        ADIT_BYTES_INIT(""),
        ADIT_BYTES_INIT("a"),
        ADIT_BYTES_INIT("\""),
        ADIT_BYTES_INIT("\"a"),
        ADIT_BYTES_INIT("\"\\\""),
        ADIT_BYTES_INIT("\"\\a\""),
        ADIT_BYTES_INIT("\"\\U0041\""),
        ADIT_BYTES_INIT("\"\\u004\""),
        ADIT_BYTES_INIT("\"\\u00g0\""),
        ADIT_BYTES_INIT("\"\\u0000\""),
        ADIT_BYTES_INIT("\"\0\""),
        ADIT_BYTES_INIT("\"\n\""),
        ADIT_BYTES_INIT("\"\x1f\""),
        ADIT_BYTES_INIT("\"\\ud83d\""),
        ADIT_BYTES_INIT("\"\\ud83dx\\ude00\""),
        ADIT_BYTES_INIT("\"\\ud83d\\n\\ude00\""),
        ADIT_BYTES_INIT("\"\\ud83d\\u0041\""),
        ADIT_BYTES_INIT("\"\\ud83d\\ud83d\""),
        ADIT_BYTES_INIT("\"\\ude00\""),
        ADIT_BYTES_INIT("\"\x80\""),
        ADIT_BYTES_INIT("\"\xbf\""),
        ADIT_BYTES_INIT("\"\xc0\x80\""),             /* overlong NUL */
        ADIT_BYTES_INIT("\"\xc1\xbf\""),             /* overlong */
        ADIT_BYTES_INIT("\"\xc2\""),                 /* cut */
        ADIT_BYTES_INIT("\"\xc2\x41\""),
        ADIT_BYTES_INIT("\"\xe0\x9f\xbf\""),         /* overlong */
        ADIT_BYTES_INIT("\"\xe2\x82\""),             /* cut */
        ADIT_BYTES_INIT("\"\xed\xa0\x80\""),         /* a surrogate */
        ADIT_BYTES_INIT("\"\xed\xbf\xbf\""),
        ADIT_BYTES_INIT("\"\xf0\x8f\xbf\xbf\""),     /* overlong */
        ADIT_BYTES_INIT("\"\xf0\x90\x80\""),         /* cut */
        ADIT_BYTES_INIT("\"\xf4\x90\x80\x80\""),     /* past the last */
        ADIT_BYTES_INIT("\"\xf5\x80\x80\x80\""),
        ADIT_BYTES_INIT("\"\xff\""),
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        uint8_t memory[64] = {0};
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
        assert_fails(decode(ADIT_AT(rows, i), &writer), INVALID);
        assert_int_equal(writer.len, 0);
    }
    uint8_t memory[4] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    assert_fails(adit_json_string_decode(ADIT_BYTES("abcde"), &writer), LIMIT);
    assert_fails(adit_json_string_decode(ADIT_BYTES("abc\\u00e9"), &writer), LIMIT);
    assert_fails(adit_json_string_decode(ADIT_BYTES("a\"b"), &writer), INVALID);
    assert_int_equal(writer.len, 0);
}

static void equal_however_escaped(void **state)
{
    (void)state;
    const struct {
        struct adit_bytes a;
        struct adit_bytes b;
        bool is_equal;
    } rows[] = {
        {ADIT_BYTES("\"\""), ADIT_BYTES("\"\""), true},
        {ADIT_BYTES("\"type\""), ADIT_BYTES("\"\\u0074yp\\u0065\""), true},
        {ADIT_BYTES("\"\\ud83d\\ude00\""), ADIT_BYTES("\"\xf0\x9f\x98\x80\""), true},
        {ADIT_BYTES("\"type\""), ADIT_BYTES("\"typ\""), false},
        {ADIT_BYTES("\"typ\""), ADIT_BYTES("\"type\""), false},
        {ADIT_BYTES("\"Type\""), ADIT_BYTES("\"type\""), false},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct adit_reader a = adit_reader_of(ADIT_AT(rows, i).a);
        struct adit_reader b = adit_reader_of(ADIT_AT(rows, i).b);
        struct adit_bytes raw_a = {0};
        struct adit_bytes raw_b = {0};
        uint32_t hash_a = 0;
        uint32_t hash_b = 0;
        assert_ok(adit_json_string_read(&a, &raw_a, &hash_a));
        assert_ok(adit_json_string_read(&b, &raw_b, &hash_b));
        assert_int_equal(adit_json_string_equal(raw_a, raw_b), ADIT_AT(rows, i).is_equal);
        assert_int_equal(hash_a == hash_b, ADIT_AT(rows, i).is_equal);
    }
}

static void writing(void **state)
{
    (void)state;
    uint8_t memory[32] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    assert_ok(adit_json_string_write(&writer, ADIT_BYTES("a\"b\\c\n\x01/\xc3\xa9\x7f")));
    assert_bytes(adit_writer_bytes(&writer),
                 ADIT_BYTES("\"a\\\"b\\\\c\\u000a\\u0001/\xc3\xa9\x7f\""));
    size_t before = writer.len;
    assert_fails(adit_json_string_write(&writer, ADIT_BYTES("\xff")), INVALID);
    assert_fails(adit_json_string_write(&writer, ADIT_BYTES("\0")), INVALID);
    assert_fails(adit_json_string_write(&writer, ADIT_BYTES("too long for what is left")), LIMIT);
    assert_int_equal(writer.len, before);
}

static void printable(void **state)
{
    (void)state;
    assert_true(adit_text_is_printable(ADIT_BYTES("")));
    assert_true(adit_text_is_printable(ADIT_BYTES("Na\xc3\xafve \xe2\x82\xac \xf0\x9f\x98\x80")));
    assert_false(adit_text_is_printable(ADIT_BYTES("a\x1b[2J")));
    assert_false(adit_text_is_printable(ADIT_BYTES("a\n")));
    assert_false(adit_text_is_printable(ADIT_BYTES("\x7f")));
    assert_false(adit_text_is_printable(ADIT_BYTES("\xc2\x9b" "2J"))); /* CSI as C1 */
    assert_false(adit_text_is_printable(ADIT_BYTES("\xff")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_strings),
        cmocka_unit_test(bad_strings),
        cmocka_unit_test(equal_however_escaped),
        cmocka_unit_test(writing),
        cmocka_unit_test(printable),
    };
    return cmocka_run_group_tests_name("wire/json_string", tests, NULL, NULL);
}
