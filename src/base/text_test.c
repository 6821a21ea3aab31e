#include "base/text.h"

#include "unit.h"

static void decimals(void **state)
{
    (void)state;
    const struct {
        struct adit_bytes text;
        uint64_t max;
        bool is_good;
        uint64_t value;
    } cases[] = {
        {ADIT_BYTES_INIT("0"), 0, true, 0},
        {ADIT_BYTES_INIT("007"), 7, true, 7},
        {ADIT_BYTES_INIT("65535"), 65535, true, 65535},
        {ADIT_BYTES_INIT("65536"), 65535, false, 0},
        {ADIT_BYTES_INIT("18446744073709551615"), UINT64_MAX, true, UINT64_MAX},
        {ADIT_BYTES_INIT("18446744073709551616"), UINT64_MAX, false, 0},
        {ADIT_BYTES_INIT("99999999999999999999"), UINT64_MAX, false, 0},
        {ADIT_BYTES_INIT("000000000000000000001"), UINT64_MAX, false, 0}, /* 21 digits */
        {ADIT_BYTES_INIT(""), 10, false, 0},
        {ADIT_BYTES_INIT(" 1"), 10, false, 0},
        {ADIT_BYTES_INIT("1 "), 10, false, 0},
        {ADIT_BYTES_INIT("+1"), 10, false, 0},
        {ADIT_BYTES_INIT("-1"), 10, false, 0},
        {ADIT_BYTES_INIT("0x1"), 10, false, 0},
        {ADIT_BYTES_INIT("1\0"), 10, false, 0},
        {ADIT_BYTES_INIT("1:"), 100, false, 0}, /* ':' is '9' + 1 */
        {ADIT_BYTES_INIT("1/"), 100, false, 0}, /* '/' is '0' - 1 */
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        uint64_t value = 77;
        struct adit_status status =
            adit_parse_decimal(ADIT_AT(cases, i).text, ADIT_AT(cases, i).max, &value);
        assert_int_equal(adit_status_error(status),
                         ADIT_AT(cases, i).is_good ? ADIT_ERROR_NONE : ADIT_ERROR_INVALID);
        assert_int_equal(value, ADIT_AT(cases, i).is_good ? ADIT_AT(cases, i).value : 77);
    }
}

static void hex(void **state)
{
    (void)state;
    uint8_t memory[3] = {0};
    assert_ok(adit_parse_hex(ADIT_BYTES("00aFf9"), ADIT_SPAN_OF(memory)));
    assert_bytes(ADIT_BYTES_OF(memory), ADIT_BYTES("\x00\xaf\xf9"));
    const struct adit_bytes bad[] = {
        ADIT_BYTES_INIT(""),       ADIT_BYTES_INIT("00aff"),  ADIT_BYTES_INIT("00aff"
                                                                             "9a"),
        ADIT_BYTES_INIT("00aff9aa"), ADIT_BYTES_INIT("00afg9"), ADIT_BYTES_INIT("00af 9"),
        ADIT_BYTES_INIT("00af@9"), ADIT_BYTES_INIT("00af`9"), ADIT_BYTES_INIT("00afG9"),
    };
    for (size_t i = 0; i < ADIT_COUNT(bad); i++) {
        assert_fails(adit_parse_hex(ADIT_AT(bad, i), ADIT_SPAN_OF(memory)), INVALID);
        assert_bytes(ADIT_BYTES_OF(memory), ADIT_BYTES("\x00\xaf\xf9"));
    }
    assert_ok(adit_parse_hex((struct adit_bytes){0}, (struct adit_span){0}));
}

static void durations(void **state)
{
    (void)state;
    const struct {
        struct adit_bytes text;
        bool is_good;
        uint64_t seconds;
    } cases[] = {
        {ADIT_BYTES_INIT("0s"), true, 0},
        {ADIT_BYTES_INIT("30s"), true, 30},
        {ADIT_BYTES_INIT("5m"), true, 300},
        {ADIT_BYTES_INIT("12h"), true, 43200},
        {ADIT_BYTES_INIT("30d"), true, 2592000},
        {ADIT_BYTES_INIT("4294967295d"), true, 371085174288000},
        {ADIT_BYTES_INIT("4294967296s"), false, 0},
        {ADIT_BYTES_INIT(""), false, 0},
        {ADIT_BYTES_INIT("s"), false, 0},
        {ADIT_BYTES_INIT("30"), false, 0},
        {ADIT_BYTES_INIT("30S"), false, 0},
        {ADIT_BYTES_INIT("30ms"), false, 0},
        {ADIT_BYTES_INIT("1h30m"), false, 0},
        {ADIT_BYTES_INIT("-1s"), false, 0},
        {ADIT_BYTES_INIT("1.5h"), false, 0},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        uint64_t seconds = 77;
        struct adit_status status = adit_parse_duration(ADIT_AT(cases, i).text, &seconds);
        assert_int_equal(adit_status_error(status),
                         ADIT_AT(cases, i).is_good ? ADIT_ERROR_NONE : ADIT_ERROR_INVALID);
        assert_int_equal(seconds, ADIT_AT(cases, i).is_good ? ADIT_AT(cases, i).seconds : 77);
    }
}

/* The vectors of RFC 4648 section 10, without padding, and the digits that base64url changes. */
static void base64url_of_known_texts(void **state)
{
    (void)state;
    const struct {
        struct adit_bytes plain, text;
    } cases[] = {
        {ADIT_BYTES_INIT(""), ADIT_BYTES_INIT("")},
        {ADIT_BYTES_INIT("f"), ADIT_BYTES_INIT("Zg")},
        {ADIT_BYTES_INIT("fo"), ADIT_BYTES_INIT("Zm8")},
        {ADIT_BYTES_INIT("foo"), ADIT_BYTES_INIT("Zm9v")},
        {ADIT_BYTES_INIT("foob"), ADIT_BYTES_INIT("Zm9vYg")},
        {ADIT_BYTES_INIT("fooba"), ADIT_BYTES_INIT("Zm9vYmE")},
        {ADIT_BYTES_INIT("foobar"), ADIT_BYTES_INIT("Zm9vYmFy")},
        {ADIT_BYTES_INIT("\xff\xef\xbe\xff"), ADIT_BYTES_INIT("_---_w")},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        struct adit_bytes plain = ADIT_AT(cases, i).plain;
        struct adit_bytes text = ADIT_AT(cases, i).text;
        uint8_t memory[16] = {0};
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
        assert_ok(adit_write_base64url(&writer, plain));
        assert_bytes(adit_writer_bytes(&writer), text);
        writer = adit_writer_of(adit_span_first(ADIT_SPAN_OF(memory), plain.len));
        assert_ok(adit_parse_base64url(text, &writer));
        assert_bytes(adit_writer_bytes(&writer), plain);
        if (plain.len > 0) {
            writer = adit_writer_of(adit_span_first(ADIT_SPAN_OF(memory), plain.len - 1));
            assert_fails(adit_parse_base64url(text, &writer), LIMIT);
            assert_int_equal(writer.len, 0);
            writer = adit_writer_of(adit_span_first(ADIT_SPAN_OF(memory), text.len - 1));
            assert_fails(adit_write_base64url(&writer, plain), LIMIT);
            assert_int_equal(writer.len, 0);
        }
    }
}

static void base64url_is_strict(void **state)
{
    (void)state;
    const struct adit_bytes bad[] = {
        ADIT_BYTES_INIT("A"),     ADIT_BYTES_INIT("AAAAA"),  /* impossible lengths */
        ADIT_BYTES_INIT("Zh"),    ADIT_BYTES_INIT("Zm9"),    /* stray bits: two spellings of one */
        ADIT_BYTES_INIT("Zg=="),  ADIT_BYTES_INIT("Zm8="),   /* padding */
        ADIT_BYTES_INIT("Zm+v"),  ADIT_BYTES_INIT("Zm/v"),   /* the other alphabet */
        ADIT_BYTES_INIT("Zm 9v"), ADIT_BYTES_INIT("Zm9v\n"), ADIT_BYTES_INIT("Zm\0v"),
        ADIT_BYTES_INIT("Zm[v"),  ADIT_BYTES_INIT("Zm`v"),   ADIT_BYTES_INIT("Zm{v"),
        ADIT_BYTES_INIT("Zm@v"),  ADIT_BYTES_INIT("Zm:v"),   ADIT_BYTES_INIT("Zm\xffv"),
    };
    for (size_t i = 0; i < ADIT_COUNT(bad); i++) {
        uint8_t memory[16] = {0};
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
        assert_fails(adit_parse_base64url(ADIT_AT(bad, i), &writer), INVALID);
        assert_int_equal(writer.len, 0);
    }
}

static void escapes(void **state)
{
    (void)state;
    const struct {
        struct adit_bytes raw;
        size_t max;
        struct adit_bytes escaped;
    } cases[] = {
        {ADIT_BYTES_INIT(""), 9, ADIT_BYTES_INIT("")},
        {ADIT_BYTES_INIT("plain ~"), 9, ADIT_BYTES_INIT("plain ~")},
        {ADIT_BYTES_INIT("a\"b\\"), 9, ADIT_BYTES_INIT("a\\\"b\\\\")},
        {ADIT_BYTES_INIT("\n\x1b\x00\x7f\xff"), 9,
         ADIT_BYTES_INIT("\\u000a\\u001b\\u0000\\u007f\\u00ff")},
        {ADIT_BYTES_INIT("abcdef"), 3, ADIT_BYTES_INIT("abc")},
        {ADIT_BYTES_INIT("abcdef"), 0, ADIT_BYTES_INIT("")},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        struct adit_bytes escaped = ADIT_AT(cases, i).escaped;
        uint8_t memory[64] = {0};
        struct adit_writer writer =
            adit_writer_of(adit_span_first(ADIT_SPAN_OF(memory), escaped.len));
        assert_ok(adit_write_escaped(&writer, ADIT_AT(cases, i).raw, ADIT_AT(cases, i).max));
        assert_bytes(adit_writer_bytes(&writer), escaped);
        if (escaped.len > 0) {
            writer = adit_writer_of(adit_span_first(ADIT_SPAN_OF(memory), escaped.len - 1));
            assert_fails(
                adit_write_escaped(&writer, ADIT_AT(cases, i).raw, ADIT_AT(cases, i).max), LIMIT);
            assert_int_equal(writer.len, 0);
        }
    }
}

static void times(void **state)
{
    (void)state;
    static const struct {
        uint64_t wall_ms;
        struct adit_bytes text;
    } cases[] = {
        {0, ADIT_BYTES_INIT("1970-01-01T00:00:00.000Z")},
        {951782399999, ADIT_BYTES_INIT("2000-02-28T23:59:59.999Z")},
        {951782400000, ADIT_BYTES_INIT("2000-02-29T00:00:00.000Z")},
        {1795342830123, ADIT_BYTES_INIT("2026-11-22T10:20:30.123Z")},
        {4107542400000, ADIT_BYTES_INIT("2100-03-01T00:00:00.000Z")},
        {253402300799999, ADIT_BYTES_INIT("9999-12-31T23:59:59.999Z")},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        uint8_t memory[24] = {0};
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
        assert_ok(adit_write_time(&writer, ADIT_AT(cases, i).wall_ms));
        assert_bytes(adit_writer_bytes(&writer), ADIT_AT(cases, i).text);
        writer = adit_writer_of(adit_span_first(ADIT_SPAN_OF(memory), 23));
        assert_fails(adit_write_time(&writer, ADIT_AT(cases, i).wall_ms), LIMIT);
        assert_int_equal(writer.len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals),
        cmocka_unit_test(hex),
        cmocka_unit_test(durations),
        cmocka_unit_test(base64url_of_known_texts),
        cmocka_unit_test(base64url_is_strict),
        cmocka_unit_test(escapes),
        cmocka_unit_test(times),
    };
    return cmocka_run_group_tests_name("base/text", tests, NULL, NULL);
}
