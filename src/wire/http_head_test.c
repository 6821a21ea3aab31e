#include "wire/http_head.h"

#include "unit.h"

#define GET "GET / HTTP/1.1\r\n"
#define HEAD GET "Host: a.test\r\n"
#define TEXT_MAX (72 * 1024)

struct verdict {
    enum adit_error error;
    int64_t detail;
    enum adit_parse parse;
    size_t used;
};

static struct verdict scan_pieces(struct adit_bytes text, size_t first, size_t step)
{
    struct adit_http_scan scan = {0};
    struct verdict verdict = {0};
    for (size_t seen = first;; seen += step) {
        struct adit_status status =
            adit_http_scan_head(&scan, adit_bytes_first(text, seen), ADIT_HTTP_HEAD_BYTES_MAX,
                                &verdict.used, &verdict.parse);
        verdict.error = adit_status_error(status);
        verdict.detail = status.detail;
        if (!adit_is_ok(status) || verdict.parse == ADIT_PARSE_FOUND || seen >= text.len) {
            return verdict;
        }
    }
}

static void assert_same(struct verdict a, struct verdict b)
{
    assert_int_equal(a.error, b.error);
    assert_int_equal(a.detail, b.detail);
    assert_int_equal(a.parse, b.parse);
    assert_int_equal(a.used, b.used);
}

/* The status that answers a request: 0 where it is accepted, 1 where it is not whole. The scan's
 * verdict may not depend on how the bytes were cut. */
static int64_t answer(struct adit_bytes text, struct adit_http_head *head)
{
    struct verdict whole = scan_pieces(text, text.len, 1);
    if (text.len < 4096) {
        assert_same(whole, scan_pieces(text, 1, 1));
        for (size_t cut = 1; cut < text.len; cut++) {
            assert_same(whole, scan_pieces(text, cut, text.len - cut));
        }
    }
    if (whole.error != ADIT_ERROR_NONE || whole.parse == ADIT_PARSE_MORE) {
        return whole.error != ADIT_ERROR_NONE ? whole.detail : 1;
    }
    return adit_http_request_parse(adit_bytes_first(text, whole.used), head).detail;
}

static void good_heads(void **state)
{
    (void)state;
    static const struct {
        struct adit_bytes text, method, target;
        uint8_t minor;
        size_t fields;
    } cases[] = {
        {ADIT_BYTES_INIT(HEAD "\r\n"), ADIT_BYTES_INIT("GET"), ADIT_BYTES_INIT("/"), 1, 1},
        {ADIT_BYTES_INIT("\r\n" HEAD "\r\n"), ADIT_BYTES_INIT("GET"), ADIT_BYTES_INIT("/"), 1, 1},
        {ADIT_BYTES_INIT("GET / HTTP/1.0\r\n\r\n"), ADIT_BYTES_INIT("GET"), ADIT_BYTES_INIT("/"), 0,
         0},
        {ADIT_BYTES_INIT("get /%00%0d%0aX:1?a=/../%2f..//& HTTP/1.1\r\n\r\n"),
         ADIT_BYTES_INIT("get"), ADIT_BYTES_INIT("/%00%0d%0aX:1?a=/../%2f..//&"), 1, 0},
        {ADIT_BYTES_INIT("M-SEARCH * HTTP/1.1\r\nA:\r\nB: \t \r\n\r\n"),
         ADIT_BYTES_INIT("M-SEARCH"), ADIT_BYTES_INIT("*"), 1, 2},
        {ADIT_BYTES_INIT("!#$%&'*+-.^_`|~ http://a.test/ HTTP/1.1\r\n\r\n"),
         ADIT_BYTES_INIT("!#$%&'*+-.^_`|~"), ADIT_BYTES_INIT("http://a.test/"), 1, 0},
        {ADIT_BYTES_INIT("GET /% HTTP/1.1\r\n\r\nPOST / HT"), ADIT_BYTES_INIT("GET"),
         ADIT_BYTES_INIT("/%"), 1, 0},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        struct adit_http_head head = {0};
        assert_int_equal(answer(ADIT_AT(cases, i).text, &head), 0);
        assert_bytes(head.method, ADIT_AT(cases, i).method);
        assert_bytes(head.target, ADIT_AT(cases, i).target);
        assert_int_equal(head.version_minor, ADIT_AT(cases, i).minor);
        assert_int_equal(head.field_count, ADIT_AT(cases, i).fields);
        assert_int_equal(head.status, 0);
        struct adit_http_head taken = {0};
        size_t used = adit_http_request_take(ADIT_AT(cases, i).text, &taken);
        assert_true(used > 0 && used <= ADIT_AT(cases, i).text.len);
        assert_bytes(taken.method, head.method);
        assert_bytes(taken.target, head.target);
        assert_int_equal(taken.field_count, head.field_count);
        assert_int_equal(adit_http_request_take(
                             adit_bytes_first(ADIT_AT(cases, i).text, used - 1), &taken), 0);
        assert_int_equal(taken.field_count, 0); /* not all of it is nothing of it */
    }
}

static void fields_are_views_without_space(void **state)
{
    (void)state;
    struct adit_http_head head = {0};
    const struct adit_bytes text =
        ADIT_BYTES(GET "Host:a.test\r\nX-A: \t b\tc \t\r\nx-a: \xc3\xa4\r\n\r\n");
    assert_int_equal(answer(text, &head), 0);
    assert_int_equal(head.field_count, 3);
    assert_bytes(ADIT_AT(head.fields, 0).name, ADIT_BYTES("Host"));
    assert_bytes(ADIT_AT(head.fields, 0).value, ADIT_BYTES("a.test"));
    assert_bytes(ADIT_AT(head.fields, 1).value, ADIT_BYTES("b\tc"));
    assert_bytes(ADIT_AT(head.fields, 2).value, ADIT_BYTES("\xc3\xa4"));
    assert_ptr_equal(adit_http_field_find(&head, ADIT_BYTES("X-a")), &ADIT_AT(head.fields, 1));
    assert_null(adit_http_field_find(&head, ADIT_BYTES("X-B")));
    assert_int_equal(adit_http_field_count(&head, ADIT_BYTES("X-A")), 2);
    assert_int_equal(adit_http_field_count(&head, ADIT_BYTES("X-")), 0);
}

/* The numbers are those of the list of hostile cases. */
static const struct {
    int64_t status;
    struct adit_bytes text;
} refused[] = {
    {400, ADIT_BYTES_INIT(HEAD "Content-Length: \x0b" "5\r\n\r\n")},      /* 70 */
    {400, ADIT_BYTES_INIT(HEAD "Content_Length: 5\r\n\r\n")},             /* 73 */
    {400, ADIT_BYTES_INIT(HEAD "Transfer_Encoding: chunked\r\n\r\n")},
    {400, ADIT_BYTES_INIT(HEAD "X_Forwarded_For: 6.6.6.6\r\n\r\n")},      /* 110 */
    {400, ADIT_BYTES_INIT(HEAD "Transfer-Encoding:\r\n chunked\r\n\r\n")}, /* 77 */
    {400, ADIT_BYTES_INIT(HEAD "X: a\r\n\tb\r\n\r\n")},
    {400, ADIT_BYTES_INIT(HEAD "X: a\r\n \r\n\r\n")},
    {400, ADIT_BYTES_INIT("GET / HTTP/1.1\nHost: a.test\r\n\r\n")}, /* 86 */
    {400, ADIT_BYTES_INIT(HEAD "X: a\n\r\n")},
    {400, ADIT_BYTES_INIT(HEAD "X: a\r\n\n")},
    {400, ADIT_BYTES_INIT(HEAD "X: a\rY: b\r\n\r\n")},
    {400, ADIT_BYTES_INIT(HEAD "\r\rX")},
    {400, ADIT_BYTES_INIT(HEAD "\r\r\n")},
    {400, ADIT_BYTES_INIT(HEAD "X: a\r\r\n\r\n")},
    {400, ADIT_BYTES_INIT(HEAD "\rX: a\r\n\r\n")},
    {400, ADIT_BYTES_INIT(HEAD "no colon\r\n\r\n")}, /* 88 */
    {400, ADIT_BYTES_INIT(HEAD "nocolon\r\n\r\n")},
    {400, ADIT_BYTES_INIT(HEAD ": a\r\n\r\n")},
    {400, ADIT_BYTES_INIT(GET " Host: a.test\r\n\r\n")},
    {400, ADIT_BYTES_INIT(GET "\tHost: a.test\r\n\r\n")},
    {400, ADIT_BYTES_INIT(GET "Host : a.test\r\n\r\n")},
    {400, ADIT_BYTES_INIT(GET "Host\t: a.test\r\n\r\n")},
    {400, ADIT_BYTES_INIT(GET "Ho st: a.test\r\n\r\n")},
    {400, ADIT_BYTES_INIT(GET "H\xc3\xb6st: a.test\r\n\r\n")},
    {400, ADIT_BYTES_INIT(GET "Host\0: a.test\r\n\r\n")},
    {400, ADIT_BYTES_INIT(HEAD "X: a\0b\r\n\r\n")},
    {400, ADIT_BYTES_INIT(HEAD "X: a\x7f\r\n\r\n")},
    {400, ADIT_BYTES_INIT(HEAD "X: a\x1b[31m\r\n\r\n")},
    {505, ADIT_BYTES_INIT("GET / HTTP/1.2\r\n\r\n")}, /* 91 */
    {505, ADIT_BYTES_INIT("GET / HTTP/2.0\r\n\r\n")},
    {505, ADIT_BYTES_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")},
    {400, ADIT_BYTES_INIT("GET / HTTP/01.1\r\n\r\n")},
    {400, ADIT_BYTES_INIT("GET / http/1.1\r\n\r\n")},
    {400, ADIT_BYTES_INIT("GET / HTTP/1.\r\n\r\n")},
    {400, ADIT_BYTES_INIT("GET / HTTP/1.1 \r\n\r\n")},
    {400, ADIT_BYTES_INIT("GET / HTTP/1.11\r\n\r\n")},
    {400, ADIT_BYTES_INIT("GET / HTTP/1,1\r\n\r\n")},
    {400, ADIT_BYTES_INIT("GET / XTTP/1.1\r\n\r\n")},
    {400, ADIT_BYTES_INIT("GET /\r\n\r\n")}, /* 92 */
    {400, ADIT_BYTES_INIT("GET /\r\nHost: a.test\r\n\r\n")},
    {400, ADIT_BYTES_INIT("GET\t/ HTTP/1.1\r\n\r\n")},
    {400, ADIT_BYTES_INIT("GET /\tHTTP/1.1\r\n\r\n")},
    {400, ADIT_BYTES_INIT("GET  / HTTP/1.1\r\n\r\n")},
    {400, ADIT_BYTES_INIT("GET /  HTTP/1.1\r\n\r\n")},
    {400, ADIT_BYTES_INIT(" GET / HTTP/1.1\r\n\r\n")},
    {400, ADIT_BYTES_INIT("GET /a b HTTP/1.1\r\n\r\n")},
    {400, ADIT_BYTES_INIT("GET /#a HTTP/1.1\r\n\r\n")},
    {400, ADIT_BYTES_INIT("GET /\xc3\xa4 HTTP/1.1\r\n\r\n")},
    {400, ADIT_BYTES_INIT("GET /\x7f HTTP/1.1\r\n\r\n")},
    {400, ADIT_BYTES_INIT("G\"T / HTTP/1.1\r\n\r\n")},
    {400, ADIT_BYTES_INIT(" HTTP/1.1\r\n\r\n")},
    {400, ADIT_BYTES_INIT("GET HTTP/1.1\r\n\r\n")},
    {400, ADIT_BYTES_INIT("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\n\r\n")},
    {400, ADIT_BYTES_INIT("\r\n\r\n" HEAD "\r\n")}, /* 98 */
    {400, ADIT_BYTES_INIT("\n" HEAD "\r\n")},
    {400, ADIT_BYTES_INIT("\r" HEAD "\r\n")},
    {400, ADIT_BYTES_INIT("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" HEAD "\r\n")}, /* 113 */
    {400, ADIT_BYTES_INIT("\r\n\r\n\0\r\nQUIT\n")},
    {400, ADIT_BYTES_INIT("\x16\x03\x01\x02\x00\x01")}, /* TLS */
    {1, ADIT_BYTES_INIT("")},
    {1, ADIT_BYTES_INIT("\r")},
    {1, ADIT_BYTES_INIT("\r\n")},
    {1, ADIT_BYTES_INIT("GET / HT")},
    {1, ADIT_BYTES_INIT(HEAD)},
    {1, ADIT_BYTES_INIT(HEAD "\r")},
};

static void bad_heads(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_COUNT(refused); i++) {
        struct adit_http_head head = {.status = 7};
        assert_int_equal(answer(ADIT_AT(refused, i).text, &head), ADIT_AT(refused, i).status);
        assert_true(head.status == 0 || head.status == 7); /* where the scan refused it */
        assert_int_equal(head.method.len, 0); /* nothing of it */
        assert_int_equal(head.field_count, 0);
    }
}

/* "GET /aaa HTTP/1.1", `fields` times "a: b", and a field of `value` bytes. */
struct big {
    size_t target, fields, value;
    int64_t status;
};

static void limits(void **state)
{
    (void)state;
    uint8_t memory[TEXT_MAX + 1024];
    static const struct big cases[] = {
        {1, 0, 9 * 1024, 0},     {1, 0, 31 * 1024, 0},    {1, 0, 70 * 1024, 431},
        {1, 0, 32768 - 16, 431}, {9 * 1024, 0, 1, 414},   {8193, 0, 1, 414},
        {8192, 0, 1, 0},         {40 * 1024, 0, 1, 414},  {1, 99, 1, 0},
        {1, 100, 1, 431},        {1, 5000, 1, 431},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        const struct big *big = &ADIT_AT(cases, i);
        struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(memory));
        struct adit_span hole = {0};
        assert_ok(adit_write_bytes(&text, ADIT_BYTES("GET ")));
        assert_ok(adit_write_reserve(&text, big->target, &hole));
        adit_span_fill(hole, '/');
        assert_ok(adit_write_bytes(&text, ADIT_BYTES(" HTTP/1.1\r\n")));
        for (size_t field = 0; field < big->fields; field++) {
            assert_ok(adit_write_bytes(&text, ADIT_BYTES("a: b\r\n")));
        }
        assert_ok(adit_write_bytes(&text, ADIT_BYTES("x: ")));
        assert_ok(adit_write_reserve(&text, big->value, &hole));
        adit_span_fill(hole, 'v');
        assert_ok(adit_write_bytes(&text, ADIT_BYTES("\r\n\r\n")));
        struct adit_http_head head = {0};
        assert_int_equal(answer(adit_writer_bytes(&text), &head), big->status);
    }
}

static void a_head_of_exactly_the_limit(void **state)
{
    (void)state;
    for (size_t max = sizeof(HEAD "\r\n") - 3; max <= sizeof(HEAD "\r\n") + 1; max++) {
        struct adit_http_scan scan = {0};
        size_t used = 0;
        enum adit_parse parse = ADIT_PARSE_MORE;
        struct adit_status status =
            adit_http_scan_head(&scan, ADIT_BYTES(HEAD "\r\nbody"), max, &used, &parse);
        bool fits = max >= sizeof(HEAD "\r\n") - 1;
        assert_int_equal(adit_status_error(status), fits ? ADIT_ERROR_NONE : ADIT_ERROR_LIMIT);
        assert_int_equal(status.detail, fits ? 0 : 431);
        assert_int_equal(used, fits ? sizeof(HEAD "\r\n") - 1 : 0);
    }
}

static void responses(void **state)
{
    (void)state;
    static const struct {
        struct adit_bytes text;
        uint16_t status; /* 0: refused */
        struct adit_bytes reason;
    } cases[] = {
        {ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nA: b\r\n\r\n"), 200, ADIT_BYTES_INIT("OK")},
        {ADIT_BYTES_INIT("HTTP/1.1 404 Not \xc3\xa4\tThere\r\n\r\n"), 404,
         ADIT_BYTES_INIT("Not \xc3\xa4\tThere")},
        {ADIT_BYTES_INIT("HTTP/1.0 200 \r\n\r\n"), 200, ADIT_BYTES_INIT("")},
        {ADIT_BYTES_INIT("HTTP/1.0 200\r\n\r\n"), 200, ADIT_BYTES_INIT("")},
        {ADIT_BYTES_INIT("HTTP/1.1 999 X\r\nunder_score: fine\r\n\r\n"), 999, ADIT_BYTES_INIT("X")},
        {ADIT_BYTES_INIT("HTTP/1.1 099 X\r\n\r\n"), 0, {0}},
        {ADIT_BYTES_INIT("HTTP/1.1 20 X\r\n\r\n"), 0, {0}},
        {ADIT_BYTES_INIT("HTTP/1.1 2000 X\r\n\r\n"), 0, {0}},
        {ADIT_BYTES_INIT("HTTP/1.1 2x0 X\r\n\r\n"), 0, {0}},
        {ADIT_BYTES_INIT("HTTP/1.1  200 X\r\n\r\n"), 0, {0}},
        {ADIT_BYTES_INIT("HTTP/1.1 200\tX\r\n\r\n"), 0, {0}},
        {ADIT_BYTES_INIT("HTTP/2.0 200 X\r\n\r\n"), 0, {0}},
        {ADIT_BYTES_INIT("\r\nHTTP/1.1 200 X\r\n\r\n"), 0, {0}},
        {ADIT_BYTES_INIT("ICY 200 OK\r\n\r\n"), 0, {0}},
        {ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"), 0, {0}},
        {ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nA : b\r\n\r\n"), 0, {0}},
        {ADIT_BYTES_INIT("HTTP/1.1 200 OK\nA: b\n\n"), 0, {0}},
        {ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nA: b\r\n\r\nX"), 0, {0}},
        {ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\n"), 0, {0}},
        {ADIT_BYTES_INIT(""), 0, {0}},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        struct adit_http_head head = {0};
        struct adit_status status = adit_http_response_parse(ADIT_AT(cases, i).text, &head);
        assert_int_equal(head.status, ADIT_AT(cases, i).status);
        assert_int_equal(status.detail, ADIT_AT(cases, i).status == 0 ? 502 : 0);
        assert_bytes(head.reason, ADIT_AT(cases, i).reason);
    }
}

/* Scans in pieces of `step` bytes, then parses. */
static struct adit_status trailers_read(struct adit_bytes text, size_t step, size_t *used,
                                        struct adit_http_head *head)
{
    struct adit_http_scan scan = {0};
    enum adit_parse parse = ADIT_PARSE_MORE;
    for (size_t seen = step; parse == ADIT_PARSE_MORE; seen += step) {
        struct adit_bytes bytes = adit_bytes_first(text, seen);
        ADIT_TRY(adit_http_scan_trailers(&scan, bytes, used, &parse));
        if (seen >= text.len && parse == ADIT_PARSE_MORE) {
            return adit_ok();
        }
    }
    return adit_http_trailers_parse(adit_bytes_first(text, *used), head);
}

static void trailers(void **state)
{
    (void)state;
    static const struct {
        struct adit_bytes text;
        size_t used, fields;
        int64_t status;
    } cases[] = {
        {ADIT_BYTES_INIT("\r\n"), 2, 0, 0},
        {ADIT_BYTES_INIT("\r\nGET /"), 2, 0, 0},
        {ADIT_BYTES_INIT("A: b\r\nC: d\r\n\r\nX"), 14, 2, 0},
        {ADIT_BYTES_INIT("A: b\r\n"), 0, 0, 0},
        {ADIT_BYTES_INIT("\n"), 0, 0, 400},
        {ADIT_BYTES_INIT("A: b\n\r\n"), 0, 0, 400},
        {ADIT_BYTES_INIT("A\r\n\r\n"), 5, 0, 400},
        {ADIT_BYTES_INIT("A_B: c\r\n\r\n"), 10, 0, 400},
        {ADIT_BYTES_INIT(" A: b\r\n\r\n"), 9, 0, 400},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        for (size_t step = 1; step <= ADIT_AT(cases, i).text.len; step++) {
            struct adit_http_head head = {0};
            size_t used = 0;
            struct adit_status status =
                trailers_read(ADIT_AT(cases, i).text, step, &used, &head);
            assert_int_equal(used, ADIT_AT(cases, i).used);
            assert_int_equal(status.detail, ADIT_AT(cases, i).status);
            assert_int_equal(head.field_count, ADIT_AT(cases, i).fields);
        }
    }
}

static void trailers_have_a_limit(void **state)
{
    (void)state;
    uint8_t memory[ADIT_HTTP_TRAILER_BYTES_MAX + 1];
    adit_span_fill(ADIT_SPAN_OF(memory), 'a');
    struct adit_http_scan scan = {0};
    size_t used = 0;
    enum adit_parse parse = ADIT_PARSE_MORE;
    struct adit_status status =
        adit_http_scan_trailers(&scan, ADIT_BYTES_OF(memory), &used, &parse);
    assert_fails(status, LIMIT);
    assert_int_equal(status.detail, 431);
}

static void lists(void **state)
{
    (void)state;
    struct adit_bytes rest = ADIT_BYTES(" ,close,\tKeep-Alive  , ,x y,");
    struct adit_bytes element = {0};
    assert_true(adit_http_list_next(&rest, &element));
    assert_bytes(element, ADIT_BYTES("close"));
    assert_true(adit_http_list_next(&rest, &element));
    assert_bytes(element, ADIT_BYTES("Keep-Alive"));
    assert_true(adit_http_list_next(&rest, &element));
    assert_bytes(element, ADIT_BYTES("x y"));
    assert_false(adit_http_list_next(&rest, &element));
    assert_true(adit_http_is_token(ADIT_BYTES("a_b!")));
    assert_false(adit_http_is_token(ADIT_BYTES("")));
    assert_false(adit_http_is_token(ADIT_BYTES("a b")));
    assert_false(adit_http_is_token(ADIT_BYTES("a\"")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_heads),
        cmocka_unit_test(fields_are_views_without_space),
        cmocka_unit_test(bad_heads),
        cmocka_unit_test(limits),
        cmocka_unit_test(a_head_of_exactly_the_limit),
        cmocka_unit_test(responses),
        cmocka_unit_test(trailers),
        cmocka_unit_test(trailers_have_a_limit),
        cmocka_unit_test(lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
