/* The list of hostile requests and answers, by their numbers. Covers framing.c, fields.c. */
#include "http/message.h"

#include "unit.h"

#define HOST "Host: a.test\r\n"
#define G "GET / HTTP/1.1\r\n" HOST
#define P "POST / HTTP/1.1\r\n" HOST
#define WS "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define UPGRADE "Connection: Upgrade\r\nUpgrade: websocket\r\n"
#define GOOD (-1)

/* GOOD, or the error that answers; scanned in a first piece of `first` bytes, then of `step`. */
static int judge_pieces(struct adit_bytes text, size_t first, size_t step,
                        struct adit_http_request *request)
{
    struct adit_http_scan scan = {0};
    struct adit_http_head head = {0};
    size_t used = 0;
    enum adit_parse parse = ADIT_PARSE_MORE;
    for (size_t seen = first; parse == ADIT_PARSE_MORE; seen += step) {
        struct adit_status status = adit_http_scan_head(
            &scan, adit_bytes_first(text, seen), ADIT_HTTP_HEAD_BYTES_MAX, &used, &parse);
        if (!adit_is_ok(status)) {
            return (int)adit_http_error_of(status);
        }
        assert_true(parse == ADIT_PARSE_FOUND || seen < text.len);
    }
    struct adit_status status = adit_http_request_parse(adit_bytes_first(text, used), &head);
    if (!adit_is_ok(status)) {
        return (int)adit_http_error_of(status);
    }
    status = adit_http_request_judge(&head, request);
    assert_true(adit_is_ok(status) || adit_status_error(status) == ADIT_ERROR_REFUSED);
    return adit_is_ok(status) ? GOOD : (int)status.detail;
}

/* The verdict, which may not depend on how the bytes were cut (104). */
static int judge(struct adit_bytes text, struct adit_http_request *request)
{
    int whole = judge_pieces(text, text.len, 1, request);
    struct adit_http_request other = {0};
    assert_int_equal(judge_pieces(text, 1, 1, &other), whole);
    for (size_t cut = 1; cut < text.len; cut++) {
        assert_int_equal(judge_pieces(text, cut, text.len - cut, &other), whole);
        if (whole == GOOD) {
            assert_int_equal(other.framing, request->framing);
            assert_int_equal(other.length, request->length);
        }
    }
    return whole;
}

struct refused {
    enum adit_http_error error;
    struct adit_bytes text;
};

static void assert_refused(const struct refused *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct adit_http_request request = {.length = 77};
        assert_int_equal(judge(ADIT_SLOT(cases, count, i).text, &request),
                         ADIT_SLOT(cases, count, i).error);
        bool is_parsed = request.length != 77; /* else it was not judged */
        assert_true(!is_parsed || (request.length == 0 && request.host.len == 0 &&
                                   request.framing == ADIT_HTTP_FRAMING_NONE));
    }
}

#define BAD(text) {ADIT_HTTP_ERROR_BAD_REQUEST, ADIT_BYTES_INIT(text "\r\n")}
#define CODING(text) {ADIT_HTTP_ERROR_CODING_UNKNOWN, ADIT_BYTES_INIT(text "\r\n")}

static const struct refused bad_framing[] = {
    BAD(P "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n"), /* 67 */
    BAD(P "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n"), /* 68 */
    BAD(P "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"),
    BAD(P "Content-Length: 6\r\nTransfer-Encoding: gzip\r\n"),
    BAD(P "Content-Length: +5\r\n"), /* 70 */
    BAD(P "Content-Length: -1\r\n"),
    BAD(P "Content-Length: -0\r\n"),
    BAD(P "Content-Length: 0x5\r\n"),
    BAD(P "Content-Length: 5 5\r\n"),
    BAD(P "Content-Length: 05x\r\n"),
    BAD(P "Content-Length:\r\n"),
    BAD(P "Content-Length: \x0b" "5\r\n"),
    BAD(P "Content-Length: 5_0\r\n"),
    BAD(P "Content-Length: 5, 5\r\n"),
    BAD(P "Content-Length: 5,\r\n"),
    BAD(P "Content-Length: 5.0\r\n"),
    BAD(P "Content-Length: \"5\"\r\n"),
    BAD(P "Content-Length: 18446744073709551621\r\n"), /* 71 */
    BAD(P "Content-Length: 999999999999999999999999\r\n"),
    BAD(P "Content-Length: 9223372036854775808\r\n"),
    BAD(P "Content-Length: 5\r\nContent-Length: 5\r\n"),
    BAD(P "Content-Length: 5\r\ncontent-length: 6\r\n"),
    BAD(G "Content-Length: 5\r\nContent-Length: 5\r\n"),
    BAD(P "Content_Length: 5\r\n"), /* 73 */
    BAD(P "Transfer_Encoding: chunked\r\n"),
    CODING(P "Transfer-Encoding: xchunked\r\n"), /* 74 */
    BAD(P "Transfer-Encoding: identity\r\n"),
    BAD(P "Transfer-Encoding: chunked, identity\r\n"),
    CODING(P "Transfer-Encoding: gzip, chunked\r\n"),
    CODING(P "Transfer-Encoding: chunked, gzip\r\n"),
    CODING(P "Transfer-Encoding: gzip\r\n"),
    BAD(P "Transfer-Encoding: ,chunked\r\n"),
    BAD(P "Transfer-Encoding: chunked,\r\n"),
    BAD(P "Transfer-Encoding: chunked;q=1\r\n"),
    BAD(P "Transfer-Encoding: \"chunked\"\r\n"),
    BAD(P "Transfer-Encoding: chunked chunked\r\n"),
    BAD(P "Transfer-Encoding: chunked, chunked\r\n"),
    BAD(P "Transfer-Encoding: chu\xc3\xa4nked\r\n"),
    BAD(P "Transfer-Encoding:\r\n"),
    BAD(P "Transfer-Encoding: \x0b" "chunked\r\n"),
    BAD(P "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), /* 76 */
    BAD(P "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
    BAD(P "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"),
    BAD(P "Transfer-Encoding:\r\n chunked\r\n"), /* 77 */
    BAD(P "Transfer-Encoding : chunked\r\n"),
    BAD("POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n"),
    {ADIT_HTTP_ERROR_VERSION_UNKNOWN, ADIT_BYTES_INIT("GET / HTTP/1.2\r\n" HOST "\r\n")}, /* 91 */
};

static void framing_that_is_not_certain(void **state)
{
    (void)state;
    assert_refused(bad_framing, ADIT_COUNT(bad_framing));
}

#define WITH_HOST(host) BAD("GET / HTTP/1.1\r\nHost: " host "\r\n")
#define TARGET(target) BAD("GET " target " HTTP/1.1\r\n" HOST)

static const struct refused bad_hosts[] = {
    BAD("GET / HTTP/1.1\r\n"), /* 89 */
    BAD("GET / HTTP/1.0\r\n"),
    BAD(G "Host: a.test\r\n"),
    BAD(G "hOST: b.test\r\n"),
    WITH_HOST("a.test, b.test"),
    WITH_HOST("u@a.test"),
    WITH_HOST("a.test/x"),
    WITH_HOST("a.test:80x"),
    WITH_HOST("a.test:"),
    WITH_HOST("a.test:0"),
    WITH_HOST("a.test:65536"),
    WITH_HOST("a.test:80:80"),
    WITH_HOST(""),
    WITH_HOST("."),
    WITH_HOST(":80"),
    WITH_HOST("a_b.test"),
    WITH_HOST("a..test"),
    WITH_HOST("a.test.."),
    WITH_HOST(".a.test"),
    WITH_HOST("a b.test"),
    WITH_HOST("a\xc3\xa4.test"),
    WITH_HOST("a%2etest"),
    WITH_HOST("http://a.test"),
    WITH_HOST("a\"><script>.test"), /* 116 */
    WITH_HOST("[::1"),
    WITH_HOST("[::1]x"),
    WITH_HOST("[::1%25eth0]"),
    WITH_HOST("[a.test]"),
    WITH_HOST("xn--"),
    WITH_HOST("a.xn--.test"),
    TARGET("http://b.test/"),
    TARGET("http://a.test:81/"),
    TARGET("http://u@a.test/"),
    TARGET("http:///"),
    TARGET("http://"),
    TARGET("ftp://a.test/"),
    TARGET("a.test:80"),
    TARGET("a.test"),
    TARGET("?a"),
    TARGET("*"), /* 95 */
    TARGET("**"),
    BAD("GET https://a.test/ HTTP/1.1\r\nHost: a.test:80\r\n"),
    BAD("GET http://a.test/ HTTP/1.1\r\n"),
    BAD("OPTIONS *x HTTP/1.1\r\n" HOST),
    {ADIT_HTTP_ERROR_METHOD_NOT_ALLOWED, ADIT_BYTES_INIT("CONNECT a.test:443 HTTP/1.1\r\n\r\n")},
    {ADIT_HTTP_ERROR_METHOD_NOT_ALLOWED, ADIT_BYTES_INIT("TRACE / HTTP/1.1\r\n" HOST "\r\n")},
    {ADIT_HTTP_ERROR_EXPECTATION_FAILED, ADIT_BYTES_INIT(P "Expect: 200-ok\r\n\r\n")}, /* 101 */
    {ADIT_HTTP_ERROR_EXPECTATION_FAILED, ADIT_BYTES_INIT(P "Expect: 100-continue, foo\r\n\r\n")},
    {ADIT_HTTP_ERROR_EXPECTATION_FAILED, ADIT_BYTES_INIT(P "Expect: y 100-continue\r\n\r\n")},
    {ADIT_HTTP_ERROR_EXPECTATION_FAILED, ADIT_BYTES_INIT(P "Expect:\r\n\r\n")},
    {ADIT_HTTP_ERROR_EXPECTATION_FAILED,
     ADIT_BYTES_INIT(P "Expect: 100-continue\r\nExpect: 100-continue\r\n\r\n")},
    {ADIT_HTTP_ERROR_HEAD_TOO_LARGE,
     ADIT_BYTES_INIT(G "Connection: a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a\r\n"
                       "Connection: a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a\r\n\r\n")},
};

static void hosts_targets_and_methods(void **state)
{
    (void)state;
    assert_refused(bad_hosts, ADIT_COUNT(bad_hosts));
}

static void good_hosts(void **state)
{
    (void)state;
    static const struct {
        struct adit_bytes text, host;
    } cases[] = {
        {ADIT_BYTES_INIT(G "\r\n"), ADIT_BYTES_INIT("a.test")},
        {ADIT_BYTES_INIT("GET / HTTP/1.1\r\nHost: A.TEST\r\n\r\n"), ADIT_BYTES_INIT("a.test")},
        {ADIT_BYTES_INIT("GET / HTTP/1.1\r\nHost: a.test.\r\n\r\n"), ADIT_BYTES_INIT("a.test")},
        {ADIT_BYTES_INIT("GET / HTTP/1.1\r\nHost: a.test.:8443\r\n\r\n"),
         ADIT_BYTES_INIT("a.test")},
        {ADIT_BYTES_INIT("GET / HTTP/1.1\r\nHost: 127.0.0.1:65535\r\n\r\n"),
         ADIT_BYTES_INIT("127.0.0.1")},
        {ADIT_BYTES_INIT("GET / HTTP/1.1\r\nHost: [::FFFF:1.2.3.4]:80\r\n\r\n"),
         ADIT_BYTES_INIT("[::ffff:1.2.3.4]")},
        {ADIT_BYTES_INIT("GET / HTTP/1.1\r\nhost:xn--bcher-kva.test\r\n\r\n"),
         ADIT_BYTES_INIT("xn--bcher-kva.test")},
        {ADIT_BYTES_INIT("GET http://A.test:80/x HTTP/1.1\r\n" HOST "\r\n"),
         ADIT_BYTES_INIT("a.test")},
        {ADIT_BYTES_INIT("GET HTTPS://a.test HTTP/1.1\r\nHost: a.test:443\r\n\r\n"),
         ADIT_BYTES_INIT("a.test")},
        {ADIT_BYTES_INIT("GET /\\%00%0d%0aX:1/..%2f..%2f//./% HTTP/1.1\r\n" HOST "\r\n"), /* 94 */
         ADIT_BYTES_INIT("a.test")},
        {ADIT_BYTES_INIT("get / HTTP/1.1\r\n" HOST "\r\n"), ADIT_BYTES_INIT("a.test")}, /* 95 */
        {ADIT_BYTES_INIT("\r\n" G "\r\n"), ADIT_BYTES_INIT("a.test")},                  /* 98 */
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        struct adit_http_request request = {0};
        assert_int_equal(judge(ADIT_AT(cases, i).text, &request), GOOD);
        assert_bytes(ADIT_FIELD_BYTES(request.host), ADIT_AT(cases, i).host);
        assert_int_equal(request.framing, ADIT_HTTP_FRAMING_NONE);
    }
}

/* What is judged good, as a word: the flags that are set, in this order. */
static void assert_flags(const struct adit_http_request *request, const char *flags)
{
    uint8_t memory[32];
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(memory));
    const struct {
        bool is_set;
        char letter;
    } letters[] = {
        {request->framing == ADIT_HTTP_FRAMING_LENGTH, 'L'},
        {request->framing == ADIT_HTTP_FRAMING_CHUNKED, 'C'},
        {request->is_head, 'h'},        {request->is_options_all, 'o'},
        {request->is_repeatable, 'r'},  {request->is_persistent, 'p'},
        {request->is_upgrade, 'u'},     {request->expects_continue, 'e'},
        {request->takes_trailers, 't'}, {request->prefers_json, 'j'},
        {request->version_minor == 0, '0'},
    };
    for (size_t i = 0; i < ADIT_COUNT(letters); i++) {
        if (ADIT_AT(letters, i).is_set) {
            assert_ok(adit_write_u8(&text, (uint8_t)ADIT_AT(letters, i).letter));
        }
    }
    assert_bytes(adit_writer_bytes(&text), adit_bytes_of_text(flags));
}

struct good {
    const char *flags;
    uint64_t length;
    struct adit_bytes text;
};

static const struct good good_requests[] = {
    {"rp", 0, ADIT_BYTES_INIT(G "\r\n")},
    {"p", 0, ADIT_BYTES_INIT(P "\r\n")},
    {"Lp", 0, ADIT_BYTES_INIT(P "Content-Length: 0\r\n\r\nXGET")}, /* 100 */
    {"Lp", 5, ADIT_BYTES_INIT(P "Content-Length:\t005 \r\n\r\nhello")},
    {"Lp", INT64_MAX, ADIT_BYTES_INIT(P "Content-Length: 9223372036854775807\r\n\r\n")},
    {"Lp", 5, ADIT_BYTES_INIT(G "Content-Length: 5\r\n\r\nhello")},
    {"Lrp", 0, ADIT_BYTES_INIT(G "Content-Length: 0\r\n\r\n")},
    {"Cp", 0, ADIT_BYTES_INIT(P "transfer-encoding: CHUNKED\r\n\r\n0\r\n\r\n")},
    {"Cp", 0, ADIT_BYTES_INIT(G "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
    {"hrp", 0, ADIT_BYTES_INIT("HEAD / HTTP/1.1\r\n" HOST "\r\n")},
    {"orp", 0, ADIT_BYTES_INIT("OPTIONS * HTTP/1.1\r\n" HOST "\r\n")}, /* 95 */
    {"orp", 0, ADIT_BYTES_INIT("OPTIONS http://a.test HTTP/1.1\r\n" HOST "\r\n")},
    {"rp", 0, ADIT_BYTES_INIT("OPTIONS http://a.test/ HTTP/1.1\r\n" HOST "\r\n")},
    {"p", 0, ADIT_BYTES_INIT("get / HTTP/1.1\r\n" HOST "\r\n")},
    {"p", 0, ADIT_BYTES_INIT("BREW / HTTP/1.1\r\n" HOST "\r\n")},
    {"r0", 0, ADIT_BYTES_INIT("GET / HTTP/1.0\r\n" HOST "Connection: keep-alive\r\n\r\n")},
    {"L0", 5, ADIT_BYTES_INIT("POST / HTTP/1.0\r\n" HOST "Content-Length: 5\r\n"
                              "Expect: 100-continue\r\n\r\n")},
    {"r", 0, ADIT_BYTES_INIT(G "Connection: keep-alive , CLOSE\r\n\r\n")},
    {"rp", 0, ADIT_BYTES_INIT(G "Connection: closed\r\n\r\n")},
    {"Lpe", 5, ADIT_BYTES_INIT(P "Content-Length: 5\r\nExpect: 100-Continue\r\n\r\n")}, /* 101 */
    {"Cpe", 0, ADIT_BYTES_INIT(P "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n")},
    {"Lp", 0, ADIT_BYTES_INIT(P "Content-Length: 0\r\nExpect: 100-continue\r\n\r\n")},
    {"rpt", 0, ADIT_BYTES_INIT(G "TE: deflate, trailers\r\nConnection: TE\r\n\r\n")}, /* 112 */
    {"rp", 0, ADIT_BYTES_INIT(G "TE: trailers\r\n\r\n")},
    {"rpj", 0, ADIT_BYTES_INIT(G "Accept: application/json\r\n\r\n")},
    {"rpj", 0, ADIT_BYTES_INIT(G "Accept: text/csv, Application/JSON ;q=0.9, */*\r\n\r\n")},
    {"rp", 0, ADIT_BYTES_INIT(G "Accept: text/html, application/json\r\n\r\n")},
    {"rp", 0, ADIT_BYTES_INIT(G "Accept: */*, application/json\r\n\r\n")},
    {"rp", 0, ADIT_BYTES_INIT(G "Accept: ;application/json\r\n\r\n")},
    {"rpu", 0, ADIT_BYTES_INIT(G UPGRADE WS "\r\n")}, /* 140 */
    {"rpu", 0, ADIT_BYTES_INIT(G "Connection: keep-alive, upgrade\r\nUPGRADE: WebSocket\r\n" WS
                                 "\r\n\x81\x82")}, /* 142 */
    {"rp", 0, ADIT_BYTES_INIT(G UPGRADE "Sec-WebSocket-Version: 13\r\n\r\n")},
    {"rp", 0, ADIT_BYTES_INIT(G UPGRADE "Sec-WebSocket-Version: 12\r\n"
                                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")},
    {"rp", 0, ADIT_BYTES_INIT(G UPGRADE WS "Sec-WebSocket-Version: 13\r\n\r\n")},
    {"rp", 0, ADIT_BYTES_INIT(G UPGRADE WS "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")},
    {"rp", 0, ADIT_BYTES_INIT(G UPGRADE "Sec-WebSocket-Version: 13\r\n"
                                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j*Q==\r\n\r\n")},
    {"rp", 0, ADIT_BYTES_INIT(G UPGRADE "Sec-WebSocket-Version: 13\r\n"
                                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQA=\r\n\r\n")},
    {"rp", 0, ADIT_BYTES_INIT(G "Upgrade: websocket\r\n" WS "\r\n")},
    {"rp", 0, ADIT_BYTES_INIT(G "Connection: upgrade\r\nUpgrade: websocket, h2c\r\n" WS "\r\n")},
    {"rp", 0, ADIT_BYTES_INIT(G UPGRADE "Upgrade: websocket\r\n" WS "\r\n")},
    {"rp", 0, ADIT_BYTES_INIT(G "Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\n\r\n")},
    {"p", 0, ADIT_BYTES_INIT(P UPGRADE WS "\r\n")},
    {"r0", 0, ADIT_BYTES_INIT("GET / HTTP/1.0\r\n" HOST UPGRADE WS "\r\n")},
    {"Lp", 5, ADIT_BYTES_INIT(G UPGRADE WS "Content-Length: 5\r\n\r\n")},
};

static void what_good_requests_mean(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_COUNT(good_requests); i++) {
        struct adit_http_request request = {0};
        assert_int_equal(judge(ADIT_AT(good_requests, i).text, &request), GOOD);
        assert_flags(&request, ADIT_AT(good_requests, i).flags);
        assert_int_equal(request.length, ADIT_AT(good_requests, i).length);
    }
}

static const struct {
    const char *asked; /* h: HEAD, u: an upgrade */
    const char *means; /* N L C X S: the framing; i: interim; p: persistent; empty: refused */
    uint64_t length;
    struct adit_bytes text;
} responses[] = {
    {"", "Lp", 5, ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")},
    {"", "Lp", 5, ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                                  "content-length: 5\r\n\r\n")},
    {"", "L", 5, ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                                 "Connection: a, close\r\n\r\n")},
    {"", "L", 5, ADIT_BYTES_INIT("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n"
                                 "Connection: keep-alive\r\n\r\n")},
    {"", "Cp", 0, ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n")},
    {"", "X", 0, ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\n\r\n")},
    {"", "X", 0, ADIT_BYTES_INIT("HTTP/1.0 200\r\n\r\n")},
    {"", "Np", 0, ADIT_BYTES_INIT("HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n")}, /* 106 */
    {"", "Np", 0, ADIT_BYTES_INIT("HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n")},
    {"h", "Np", 0, ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")},
    {"h", "Np", 0, ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")},
    {"h", "Np", 0, ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\n\r\n")},
    {"", "Nip", 0, ADIT_BYTES_INIT("HTTP/1.1 100 Continue\r\n\r\n")}, /* 107 */
    {"", "Nip", 0, ADIT_BYTES_INIT("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")},
    {"", "Nip", 0, ADIT_BYTES_INIT("HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n")},
    {"", "", 0, ADIT_BYTES_INIT("HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n")},
    {"", "", 0, ADIT_BYTES_INIT("HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n")},
    {"u", "S", 0, ADIT_BYTES_INIT("HTTP/1.1 101 Switching\r\n" UPGRADE "\r\n")},
    {"u", "Lp", 0, ADIT_BYTES_INIT("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")},
    {"", "", 0, ADIT_BYTES_INIT("HTTP/1.1 101 Switching\r\n" UPGRADE "\r\n")},
    {"h", "", 0, ADIT_BYTES_INIT("HTTP/1.1 101 Switching\r\n" UPGRADE "\r\n")},
    {"u", "", 0, ADIT_BYTES_INIT("HTTP/1.0 101 Switching\r\n" UPGRADE "\r\n")},
    {"u", "", 0, ADIT_BYTES_INIT("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n")},
    {"u", "", 0, ADIT_BYTES_INIT("HTTP/1.1 101 Switching\r\nConnection: upgrade\r\n"
                                 "Upgrade: h2c\r\n\r\n")},
    {"", "", 0, ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                                "Content-Length: 6\r\n\r\n")},
    {"", "", 0, ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                                "Content-Length: 05\r\n\r\n")},
    {"", "", 0, ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n")},
    {"", "", 0, ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n")},
    {"h", "", 0, ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n")},
    {"", "", 0, ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                                "Transfer-Encoding: chunked\r\n\r\n")},
    {"", "", 0, ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n")},
    {"", "", 0, ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n")},
    {"", "", 0, ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                                "Transfer-Encoding: chunked\r\n\r\n")},
    {"", "", 0, ADIT_BYTES_INIT("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")},
};

static void what_responses_mean(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_COUNT(responses); i++) {
        struct adit_bytes asked = adit_bytes_of_text(ADIT_AT(responses, i).asked);
        struct adit_bytes means = adit_bytes_of_text(ADIT_AT(responses, i).means);
        struct adit_http_request request = {
            .is_head = adit_bytes_equal(asked, ADIT_BYTES("h")),
            .is_upgrade = adit_bytes_equal(asked, ADIT_BYTES("u")),
        };
        struct adit_http_head head = {0};
        struct adit_http_response response = {0};
        assert_ok(adit_http_response_parse(ADIT_AT(responses, i).text, &head));
        struct adit_status status = adit_http_response_judge(&head, &request, &response);
        if (means.len == 0) {
            assert_fails(status, REFUSED);
            assert_int_equal(status.detail, ADIT_HTTP_ERROR_UPSTREAM_BAD_RESPONSE);
            continue;
        }
        assert_ok(status);
        assert_int_equal(adit_bytes_find(ADIT_BYTES("NLCXS"), adit_bytes_at(means, 0)),
                         response.framing);
        assert_int_equal(adit_bytes_find(means, 'i') < means.len, response.is_interim);
        assert_int_equal(adit_bytes_find(means, 'p') < means.len, response.is_persistent);
        assert_int_equal(response.length, ADIT_AT(responses, i).length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(framing_that_is_not_certain),
        cmocka_unit_test(hosts_targets_and_methods),
        cmocka_unit_test(good_hosts),
        cmocka_unit_test(what_good_requests_mean),
        cmocka_unit_test(what_responses_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
