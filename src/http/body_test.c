#include "http/body.h"

#include "unit.h"

static const struct {
    enum adit_http_framing framing;
    uint64_t length;
    struct adit_bytes text, payload;
    enum adit_http_body_state state;
    bool is_whole, is_refused;
    size_t left;
} bodies[] = {
    {ADIT_HTTP_FRAMING_NONE, 9, ADIT_BYTES_INIT("abc"), {0}, ADIT_HTTP_BODY_END, true, false, 3},
    {ADIT_HTTP_FRAMING_LENGTH, 0, ADIT_BYTES_INIT("XGET"), {0}, ADIT_HTTP_BODY_END, true, false,
     4}, /* 100 */
    {ADIT_HTTP_FRAMING_LENGTH, 3, ADIT_BYTES_INIT("abcd"), ADIT_BYTES_INIT("abc"),
     ADIT_HTTP_BODY_END, true, false, 1},
    {ADIT_HTTP_FRAMING_LENGTH, UINT64_MAX, ADIT_BYTES_INIT("abcd"), ADIT_BYTES_INIT("abcd"),
     ADIT_HTTP_BODY_MORE, false, false, 0}, /* 109 */
    {ADIT_HTTP_FRAMING_CHUNKED, 0, ADIT_BYTES_INIT("2\r\nab\r\n1;x\r\nc\r\n0\r\nA: b\r\n\r\n"),
     ADIT_BYTES_INIT("abc"), ADIT_HTTP_BODY_TRAILERS, false, false, 8},
    {ADIT_HTTP_FRAMING_CHUNKED, 0, ADIT_BYTES_INIT("2\r\nab\r\n"), ADIT_BYTES_INIT("ab"),
     ADIT_HTTP_BODY_MORE, false, false, 0},
    {ADIT_HTTP_FRAMING_CHUNKED, 0, ADIT_BYTES_INIT("2\r\nabc"), ADIT_BYTES_INIT("ab"),
     ADIT_HTTP_BODY_MORE, false, true, 1},
    {ADIT_HTTP_FRAMING_CLOSE, 0, ADIT_BYTES_INIT("abc"), ADIT_BYTES_INIT("abc"),
     ADIT_HTTP_BODY_MORE, true, false, 0},
    {ADIT_HTTP_FRAMING_SWITCH, 0, ADIT_BYTES_INIT("abc"), ADIT_BYTES_INIT("abc"),
     ADIT_HTTP_BODY_MORE, false, false, 0},
};

static void read_case(size_t i, size_t step)
{
    struct adit_http_body body = {0};
    uint8_t memory[64];
    struct adit_writer payload = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_bytes text = ADIT_AT(bodies, i).text;
    struct adit_status status = adit_ok();
    adit_http_body_init(&body, ADIT_AT(bodies, i).framing, ADIT_AT(bodies, i).length);
    while (text.len > 0 && body.state == ADIT_HTTP_BODY_MORE && adit_is_ok(status)) {
        struct adit_bytes piece = adit_bytes_first(text, step);
        struct adit_bytes part = {0};
        size_t given = piece.len;
        status = adit_http_body_read(&body, &piece, &part);
        assert_ok(adit_write_bytes(&payload, part));
        text = adit_bytes_from(text, given - piece.len);
    }
    assert_int_equal(adit_is_ok(status), !ADIT_AT(bodies, i).is_refused);
    assert_bytes(adit_writer_bytes(&payload), ADIT_AT(bodies, i).payload);
    assert_int_equal(body.state, ADIT_AT(bodies, i).state);
    assert_int_equal(adit_http_body_is_whole(&body), ADIT_AT(bodies, i).is_whole);
    if (adit_is_ok(status)) {
        assert_int_equal(text.len, ADIT_AT(bodies, i).left);
    }
    if (body.state == ADIT_HTTP_BODY_TRAILERS) {
        adit_http_body_trailers_done(&body);
        assert_true(adit_http_body_is_whole(&body));
    }
    if (body.state == ADIT_HTTP_BODY_END) {
        struct adit_bytes part = {0};
        assert_fails(adit_http_body_read(&body, &text, &part), INTERNAL);
    }
}

static void every_framing_in_pieces(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_COUNT(bodies); i++) {
        for (size_t step = 1; step <= ADIT_AT(bodies, i).text.len; step++) {
            read_case(i, step);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_framing_in_pieces)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
