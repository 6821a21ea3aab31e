#include "http/error.h"

#include "http/message.h"
#include "unit.h"

struct answer {
    struct adit_http_head head;
    struct adit_bytes body;
    struct adit_writer writer;
    uint8_t memory[ADIT_HTTP_ERROR_BYTES_MAX];
};

static const enum adit_http_error errors[] = {
#define ROW(NAME, status, code, reason, sentence, next) ADIT_HTTP_ERROR_##NAME,
    ADIT_HTTP_ERROR_TABLE(ROW)
#undef ROW
};

static bool contains(struct adit_bytes text, struct adit_bytes part)
{
    for (size_t i = 0; i < text.len; i++) {
        if (adit_bytes_starts_with(adit_bytes_from(text, i), part)) {
            return true;
        }
    }
    return false;
}

/* Reads our own answer as strictly as another's. */
static void read_answer(struct answer *answer)
{
    struct adit_bytes text = adit_writer_bytes(&answer->writer);
    struct adit_http_scan scan = {0};
    size_t used = 0;
    enum adit_parse parse = ADIT_PARSE_MORE;
    assert_ok(adit_http_scan_head(&scan, text, ADIT_HTTP_HEAD_BYTES_MAX, &used, &parse));
    assert_int_equal(parse, ADIT_PARSE_FOUND);
    assert_ok(adit_http_response_parse(adit_bytes_first(text, used), &answer->head));
    answer->body = adit_bytes_from(text, used);
}

static struct adit_bytes value_of(const struct answer *answer, struct adit_bytes name)
{
    const struct adit_http_field *field = adit_http_field_find(&answer->head, name);
    return field ? field->value : ADIT_BYTES("");
}

static void check_error(enum adit_http_error error, struct adit_http_error_form form)
{
    struct answer answer = {0};
    struct adit_http_response response = {0};
    const struct adit_http_request request = {.is_head = form.is_head};
    answer.writer = adit_writer_of(ADIT_SPAN_OF(answer.memory));
    assert_ok(adit_http_error_write(&answer.writer, error, &form));
    read_answer(&answer);
    assert_ok(adit_http_response_judge(&answer.head, &request, &response));
    uint16_t status = adit_http_error_status(error);
    assert_int_equal(answer.head.status, status);
    assert_bytes(value_of(&answer, ADIT_BYTES("adit-error")), adit_http_error_code(error));
    assert_bytes(value_of(&answer, ADIT_BYTES("cache-control")), ADIT_BYTES("no-store"));
    assert_bytes(value_of(&answer, ADIT_BYTES("x-content-type-options")), ADIT_BYTES("nosniff"));
    assert_int_equal(adit_http_field_count(&answer.head, ADIT_BYTES("retry-after")),
                     status == 429 || status == 503);
    assert_int_equal(adit_http_field_count(&answer.head, ADIT_BYTES("allow")), status == 405);
    assert_int_equal(response.is_persistent, !form.is_closing);
    if (form.is_head) {
        assert_int_equal(answer.body.len, 0);
        assert_int_equal(adit_http_field_count(&answer.head, ADIT_BYTES("content-length")), 1);
        return;
    }
    assert_int_equal(response.framing, ADIT_HTTP_FRAMING_LENGTH);
    assert_int_equal(response.length, answer.body.len);
    assert_true(contains(answer.body, adit_http_error_code(error)));
    assert_true(adit_bytes_starts_with(
        answer.body, form.is_json ? ADIT_BYTES("{\"error\":{") : ADIT_BYTES("<!doctype html>")));
    assert_false(contains(answer.body, ADIT_BYTES("<script")));
}

static void every_error_in_every_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_COUNT(errors); i++) {
        for (unsigned form = 0; form < 8; form++) {
            check_error(ADIT_AT(errors, i),
                        (struct adit_http_error_form){.is_json = (form & 1) != 0,
                                                      .is_head = (form & 2) != 0,
                                                      .is_closing = (form & 4) != 0});
        }
    }
}

/* They stand in a page and in JSON as they are. */
static void texts_hold_no_mark_up(void **state)
{
    (void)state;
    static const struct adit_bytes texts[] = {
#define ROW(NAME, status, code, reason, sentence, next)                                         \
    ADIT_BYTES_INIT(code), ADIT_BYTES_INIT(reason), ADIT_BYTES_INIT(sentence),                  \
        ADIT_BYTES_INIT(next),
        ADIT_HTTP_ERROR_TABLE(ROW)
#undef ROW
    };
    for (size_t i = 0; i < ADIT_COUNT(texts); i++) {
        struct adit_bytes text = ADIT_AT(texts, i);
        for (size_t at = 0; at < text.len; at++) {
            uint8_t byte = adit_bytes_at(text, at);
            assert_true(byte >= 0x20 && byte < 0x7f);
            assert_int_equal(adit_bytes_find(ADIT_BYTES("<>&\"'\\"), byte), 6);
        }
    }
}

static void every_code_is_documented(void **state)
{
    (void)state;
    uint8_t memory[32 * 1024];
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(memory));
    assert_ok(adit_file_read(ADIT_SOURCE_ROOT "docs/errors.md", &text));
    for (size_t i = 0; i < ADIT_COUNT(errors); i++) {
        uint8_t title[64];
        struct adit_writer want = adit_writer_of(ADIT_SPAN_OF(title));
        assert_ok(adit_write_bytes(&want, ADIT_BYTES("\n## ")));
        assert_ok(adit_write_bytes(&want, adit_http_error_code(ADIT_AT(errors, i))));
        assert_ok(adit_write_bytes(&want, ADIT_BYTES(" (")));
        assert_ok(adit_write_decimal(&want, adit_http_error_status(ADIT_AT(errors, i))));
        assert_ok(adit_write_bytes(&want, ADIT_BYTES(")\n")));
        assert_true(contains(adit_writer_bytes(&text), adit_writer_bytes(&want)));
    }
}

static void failures_of_heads(void **state)
{
    (void)state;
    static const struct {
        int64_t detail;
        enum adit_http_error error;
    } cases[] = {
        {400, ADIT_HTTP_ERROR_BAD_REQUEST},     {414, ADIT_HTTP_ERROR_URI_TOO_LONG},
        {431, ADIT_HTTP_ERROR_HEAD_TOO_LARGE},  {502, ADIT_HTTP_ERROR_UPSTREAM_BAD_RESPONSE},
        {505, ADIT_HTTP_ERROR_VERSION_UNKNOWN}, {0, ADIT_HTTP_ERROR_BAD_REQUEST},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        struct adit_status failure = {.detail = ADIT_AT(cases, i).detail};
        assert_int_equal(adit_http_error_of(failure), ADIT_AT(cases, i).error);
    }
}

static void redirects(void **state)
{
    (void)state;
    static const struct {
        struct adit_bytes host, target, location;
        uint16_t port;
    } cases[] = {
        {ADIT_BYTES_INIT("a.test"), ADIT_BYTES_INIT("/b?c"), ADIT_BYTES_INIT("https://a.test/b?c"),
         443},
        {ADIT_BYTES_INIT("a.test"), ADIT_BYTES_INIT("//evil.test/"),
         ADIT_BYTES_INIT("https://a.test:8443//evil.test/"), 8443},
        {ADIT_BYTES_INIT("a.test"), ADIT_BYTES_INIT("http://a.test?c"),
         ADIT_BYTES_INIT("https://a.test/?c"), 443},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        struct answer answer = {0};
        answer.writer = adit_writer_of(ADIT_SPAN_OF(answer.memory));
        assert_ok(adit_http_redirect_write(&answer.writer, ADIT_AT(cases, i).host,
                                           ADIT_AT(cases, i).port, ADIT_AT(cases, i).target));
        read_answer(&answer);
        assert_int_equal(answer.head.status, 308);
        assert_bytes(value_of(&answer, ADIT_BYTES("location")), ADIT_AT(cases, i).location);
        assert_int_equal(answer.body.len, 0);
    }
}

static void no_room(void **state)
{
    (void)state;
    uint8_t memory[64];
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    const struct adit_http_error_form form = {0};
    assert_fails(adit_http_error_write(&writer, ADIT_HTTP_ERROR_AGENT_GONE, &form), LIMIT);
    assert_fails(adit_http_redirect_write(&writer, ADIT_BYTES("a.test"), 443, ADIT_BYTES("/")),
                 LIMIT);
    assert_int_equal(writer.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_in_every_form), cmocka_unit_test(texts_hold_no_mark_up),
        cmocka_unit_test(every_code_is_documented),  cmocka_unit_test(failures_of_heads),
        cmocka_unit_test(redirects),                 cmocka_unit_test(no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
