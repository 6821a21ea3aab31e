#include "wire/http_chunk.h"

#include "unit.h"

struct result {
    enum adit_error error;
    bool is_last;
    size_t left; /* bytes after the last chunk's line */
    size_t len;
    uint8_t payload[512];
};

/* Reads pieces of `first` bytes, then of `step`. */
static struct result read_pieces(struct adit_bytes text, size_t first, size_t step)
{
    struct adit_http_chunk chunk = {0};
    struct result result = {0};
    struct adit_writer payload = adit_writer_of(ADIT_SPAN_OF(result.payload));
    size_t given = 0;
    while (given < text.len && !result.is_last && result.error == ADIT_ERROR_NONE) {
        struct adit_bytes piece =
            adit_bytes_first(adit_bytes_from(text, given), given == 0 ? first : step);
        given += piece.len;
        while (piece.len > 0 && !result.is_last && result.error == ADIT_ERROR_NONE) {
            struct adit_bytes part = {0};
            result.error =
                adit_status_error(adit_http_chunk_read(&chunk, &piece, &part, &result.is_last));
            assert_ok(adit_write_bytes(&payload, part));
        }
        result.left = piece.len + text.len - given;
    }
    result.len = payload.len;
    return result;
}

static struct result read_all(struct adit_bytes text)
{
    struct result whole = read_pieces(text, text.len, 1);
    for (size_t cut = 1; cut < text.len; cut++) {
        struct result split = read_pieces(text, cut, text.len - cut);
        struct result bytes = read_pieces(text, 1, cut);
        assert_int_equal(split.error, whole.error);
        assert_int_equal(bytes.error, whole.error);
        assert_int_equal(split.is_last, whole.is_last);
        assert_int_equal(bytes.is_last, whole.is_last);
        if (whole.error == ADIT_ERROR_NONE) {
            assert_int_equal(split.left, whole.left);
            assert_int_equal(bytes.left, whole.left);
            assert_bytes(adit_bytes_first(ADIT_BYTES_OF(split.payload), split.len),
                         adit_bytes_first(ADIT_BYTES_OF(whole.payload), whole.len));
        }
    }
    return whole;
}

static void good_bodies(void **state)
{
    (void)state;
    static const struct {
        struct adit_bytes text, payload;
        bool is_last;
        size_t left;
    } cases[] = {
        {ADIT_BYTES_INIT("5\r\nhello\r\n0\r\n\r\n"), ADIT_BYTES_INIT("hello"), true, 2},
        {ADIT_BYTES_INIT("0\r\nA: b\r\n\r\n"), ADIT_BYTES_INIT(""), true, 8},
        {ADIT_BYTES_INIT("000\r\n"), ADIT_BYTES_INIT(""), true, 0},
        {ADIT_BYTES_INIT("1\r\na\r\n2\r\nbc\r\n0\r\n\r\nGET"), ADIT_BYTES_INIT("abc"), true, 5},
        {ADIT_BYTES_INIT("00000000000000A\r\n0123456789\r\n"), ADIT_BYTES_INIT("0123456789"), false,
         0},
        {ADIT_BYTES_INIT("5;a\r\nhello\r\n0;b\r\n"), ADIT_BYTES_INIT("hello"), true, 0},
        {ADIT_BYTES_INIT("5;a=b;c;d=\"x;\\\"\\\\ \t\xe4\";e=f\r\nhello\r\n0\r\n"),
         ADIT_BYTES_INIT("hello"), true, 0},
        {ADIT_BYTES_INIT("f\r\n0\r\n\r\n0\r\n\r\n0\r\n\r\n\r\n0\r\n"),
         ADIT_BYTES_INIT("0\r\n\r\n0\r\n\r\n0\r\n\r\n"), true, 0},
        {ADIT_BYTES_INIT("5\r\nhel"), ADIT_BYTES_INIT("hel"), false, 0},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        struct result result = read_all(ADIT_AT(cases, i).text);
        assert_int_equal(result.error, ADIT_ERROR_NONE);
        assert_int_equal(result.is_last, ADIT_AT(cases, i).is_last);
        assert_int_equal(result.left, ADIT_AT(cases, i).left);
        assert_bytes(adit_bytes_first(ADIT_BYTES_OF(result.payload), result.len),
                     ADIT_AT(cases, i).payload);
    }
}

/* The numbers are those of the list of hostile cases. */
static void bad_bodies(void **state)
{
    (void)state;
    static const struct adit_bytes cases[] = {
        ADIT_BYTES_INIT("5\nhello\r\n0\r\n\r\n"), /* 79 */
        ADIT_BYTES_INIT("5\rhello\r\n0\r\n\r\n"),
        ADIT_BYTES_INIT("5\r\r\nhello\r\n"),
        ADIT_BYTES_INIT("5;\nhello\r\n0\r\n\r\n"), /* 80 */
        ADIT_BYTES_INIT("5;\r\nhello\r\n0\r\n\r\n"),
        ADIT_BYTES_INIT("5;a\rb\r\nhello\r\n"),
        ADIT_BYTES_INIT("5;\0a\r\nhello\r\n"),
        ADIT_BYTES_INIT("5;a=\r\nhello\r\n"),
        ADIT_BYTES_INIT("5;=a\r\nhello\r\n"),
        ADIT_BYTES_INIT("5; a\r\nhello\r\n"),
        ADIT_BYTES_INIT("5 ;a\r\nhello\r\n"),
        ADIT_BYTES_INIT("5;a =b\r\nhello\r\n"),
        ADIT_BYTES_INIT("5;a=b c\r\nhello\r\n"),
        ADIT_BYTES_INIT("5;a=\"b\r\n\"\r\nhello\r\n"),
        ADIT_BYTES_INIT("5;a=\"b\"c\r\nhello\r\n"),
        ADIT_BYTES_INIT("5;a=\"\\\r\n\"\r\nhello\r\n"),
        ADIT_BYTES_INIT("5;a=b=c\r\nhello\r\n"),
        ADIT_BYTES_INIT("10000000000000005\r\n"), /* 82 */
        ADIT_BYTES_INIT("ffffffffffffffff\r\n"),
        ADIT_BYTES_INIT("0000000000000000000000000000000000000005\r\n"),
        ADIT_BYTES_INIT("5\r\nhelloX\r\n0\r\n\r\n"), /* 83 */
        ADIT_BYTES_INIT("5\r\nhello0\r\n\r\n"),
        ADIT_BYTES_INIT("5\r\nhelloXX0\r\n\r\n"),
        ADIT_BYTES_INIT("5\r\nhello\n0\r\n\r\n"),
        ADIT_BYTES_INIT("5\r\nhello\r0\r\n\r\n"),
        ADIT_BYTES_INIT("\r\n"),
        ADIT_BYTES_INIT("\r\n5\r\nhello\r\n"),
        ADIT_BYTES_INIT(" 5\r\nhello\r\n"),
        ADIT_BYTES_INIT("5 \r\nhello\r\n"),
        ADIT_BYTES_INIT("5\t\r\nhello\r\n"),
        ADIT_BYTES_INIT("+5\r\nhello\r\n"),
        ADIT_BYTES_INIT("-5\r\nhello\r\n"),
        ADIT_BYTES_INIT("0x5\r\nhello\r\n"),
        ADIT_BYTES_INIT("5_0\r\nhello\r\n"),
        ADIT_BYTES_INIT("g\r\nhello\r\n"),
        ADIT_BYTES_INIT(";a\r\nhello\r\n"),
        ADIT_BYTES_INIT("5,5\r\nhello\r\n"),
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        assert_int_equal(read_all(ADIT_AT(cases, i)).error, ADIT_ERROR_INVALID);
    }
}

static void extensions_have_a_limit(void **state)
{
    (void)state;
    for (size_t size = 250; size < 262; size++) {
        uint8_t memory[300];
        struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(memory));
        struct adit_span hole = {0};
        assert_ok(adit_write_bytes(&text, ADIT_BYTES("5;a;")));
        assert_ok(adit_write_reserve(&text, size - 3, &hole));
        adit_span_fill(hole, 'b');
        assert_ok(adit_write_bytes(&text, ADIT_BYTES("\r\nhello\r\n0\r\n")));
        assert_int_equal(read_all(adit_writer_bytes(&text)).error == ADIT_ERROR_NONE,
                         size <= ADIT_HTTP_CHUNK_EXTENSION_MAX);
    }
}

static void heads_that_we_write(void **state)
{
    (void)state;
    static const struct {
        uint64_t count;
        struct adit_bytes text;
    } cases[] = {
        {1, ADIT_BYTES_INIT("1\r\n")},
        {0x1f40, ADIT_BYTES_INIT("1f40\r\n")},
        {0x10000, ADIT_BYTES_INIT("10000\r\n")},
        {UINT64_MAX, ADIT_BYTES_INIT("ffffffffffffffff\r\n")},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        uint8_t memory[ADIT_HTTP_CHUNK_HEAD_MAX];
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
        assert_ok(adit_http_chunk_head_write(&writer, ADIT_AT(cases, i).count));
        assert_bytes(adit_writer_bytes(&writer), ADIT_AT(cases, i).text);
        assert_fails(adit_http_chunk_head_write(&writer, UINT64_MAX), LIMIT);
    }
    struct adit_writer none = {0};
    assert_fails(adit_http_chunk_head_write(&none, 0), INVALID);
    assert_fails(adit_http_chunk_head_write(&none, 1), LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_bodies),
        cmocka_unit_test(bad_bodies),
        cmocka_unit_test(extensions_have_a_limit),
        cmocka_unit_test(heads_that_we_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
