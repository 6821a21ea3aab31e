#include "http/forward.h"

#include "unit.h"

#define OURS                                                                                    \
    "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: a.test\r\n"    \
    "Forwarded: for=192.0.2.1;proto=https;host=a.test\r\n"
#define HEAD "GET / HTTP/1.1\r\nHost: a.test\r\n"
#define POST "POST /p HTTP/1.1\r\nHost: a.test\r\n"
#define UPGRADE                                                                                 \
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"                \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

struct written {
    struct adit_writer writer;
    uint8_t memory[ADIT_HTTP_FORWARD_BYTES_MAX];
};

static struct adit_status forward(struct adit_bytes text, const struct adit_http_visitor *visitor,
                                  struct written *out)
{
    struct adit_http_head head = {0};
    struct adit_http_request request = {0};
    out->writer = adit_writer_of(ADIT_SPAN_OF(out->memory));
    assert_ok(adit_http_request_parse(text, &head));
    assert_ok(adit_http_request_judge(&head, &request));
    return adit_http_request_write(&out->writer, &head, &request, visitor);
}

static const struct adit_http_visitor plain_visitor = {.address = ADIT_BYTES_INIT("192.0.2.1"),
                                                       .is_secure = true};

static const struct {
    struct adit_bytes text, want;
} requests[] = {
    {ADIT_BYTES_INIT(HEAD "\r\n"), ADIT_BYTES_INIT(HEAD OURS "\r\n")},
    {ADIT_BYTES_INIT("\r\nget /%2e?a#b HTTP/1.0\r\nA:b\r\nhOST:  a.test \r\n\r\n"),
     {0}}, /* '#' is refused before */
    {ADIT_BYTES_INIT("get /%2e/../?a HTTP/1.0\r\nA:b\r\nhOST:  a.test \r\n\r\n"),
     ADIT_BYTES_INIT("get /%2e/../?a HTTP/1.1\r\nHost: a.test\r\nA: b\r\n" OURS "\r\n")},
    {ADIT_BYTES_INIT("GET http://a.test HTTP/1.1\r\nHost: a.test\r\n\r\n"),
     ADIT_BYTES_INIT(HEAD OURS "\r\n")},
    {ADIT_BYTES_INIT("GET http://a.test?b HTTP/1.1\r\nHost: a.test\r\n\r\n"),
     ADIT_BYTES_INIT("GET /?b HTTP/1.1\r\nHost: a.test\r\n" OURS "\r\n")},
    {ADIT_BYTES_INIT("GET http://a.test//c HTTP/1.1\r\nHost: a.test\r\n\r\n"),
     ADIT_BYTES_INIT("GET //c HTTP/1.1\r\nHost: a.test\r\n" OURS "\r\n")},
    /* runs of fields that go on as they came, among others that do not */
    {ADIT_BYTES_INIT("GET / HTTP/1.1\r\nA: b\r\nc: d\r\nHost: a.test\r\nE:f\r\nG: h\r\nI: \r\n"
                     "TE: gzip\r\nJ:  k\r\nL: m\t\r\nN: o\tp\r\nq: r\r\nExpect: 100-continue\r\n"
                     "s: t\r\n\r\n"),
     ADIT_BYTES_INIT(HEAD "A: b\r\nc: d\r\nE: f\r\nG: h\r\nI: \r\nJ: k\r\nL: m\r\nN: o\tp\r\n"
                          "q: r\r\ns: t\r\n" OURS "\r\n")},
    {ADIT_BYTES_INIT("GET / HTTP/1.1\r\nA: b\r\nHost: a.test\r\nConnection: c\r\nC: d\r\nE: f\r\n"
                     "\r\n"),
     ADIT_BYTES_INIT(HEAD "A: b\r\nE: f\r\n" OURS "\r\n")},
    {ADIT_BYTES_INIT("GET / HTTP/1.1\r\nhost: a.test\r\nA: b\r\n\r\n"),
     ADIT_BYTES_INIT(HEAD "A: b\r\n" OURS "\r\n")},
    {ADIT_BYTES_INIT("\r\nGET / HTTP/1.1\r\nHost:a.test\r\nA: b\r\n\r\n"),
     ADIT_BYTES_INIT(HEAD "A: b\r\n" OURS "\r\n")},
    {ADIT_BYTES_INIT("\r\nGET / HTTP/1.1\r\nHost: a.test\r\nTE: b\r\nA: b\r\n\r\n"),
     ADIT_BYTES_INIT(HEAD "A: b\r\n" OURS "\r\n")},
    {ADIT_BYTES_INIT(HEAD "Connection: Host, A\r\nA: b\r\nC: d\r\n\r\n"),
     ADIT_BYTES_INIT(HEAD "C: d\r\n" OURS "\r\n")},
    /* 110: what a visitor says of itself */
    {ADIT_BYTES_INIT(HEAD "X-Forwarded-For: 6.6.6.6\r\nx-forwarded-for: 6.6.6.6\r\n"
                          "Forwarded: for=6.6.6.6\r\nX-REAL-IP: 6.6.6.6\r\n"
                          "X-Forwarded-Host: evil\r\nX-Forwarded-Proto: gopher\r\n"
                          "X-Forwarded-Port: 6\r\nX-Forwarded-Anything: 6\r\n"
                          "True-Client-IP: 6.6.6.6\r\nCF-Connecting-IP: 6.6.6.6\r\n"
                          "X-Forwarded: fine\r\n\r\n"),
     ADIT_BYTES_INIT(HEAD "X-Forwarded: fine\r\n" OURS "\r\n")},
    /* 112: what is for one hop */
    {ADIT_BYTES_INIT(HEAD "Connection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nTE: gzip\r\n"
                          "Trailer: a\r\nUpgrade: h2c\r\nProxy-Connection: close\r\nX-Hop: a\r\n"
                          "Proxy-Authorization: b\r\nProxy-Authenticate: c\r\nX-End: d\r\n\r\n"),
     ADIT_BYTES_INIT(HEAD "X-End: d\r\n" OURS "\r\n")},
    {ADIT_BYTES_INIT(HEAD "TE: trailers, gzip\r\nConnection: TE\r\n\r\n"),
     ADIT_BYTES_INIT(HEAD OURS "TE: trailers\r\nConnection: TE\r\n\r\n")},
    /* Connection names what is not for one hop */
    {ADIT_BYTES_INIT(POST "Connection: close, Host, Content-Length, X-Forwarded-For, Forwarded, "
                          "Expect\r\nContent-Length: 005\r\nExpect: 100-continue\r\n\r\n"),
     ADIT_BYTES_INIT(POST OURS "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")},
    {ADIT_BYTES_INIT(POST "Connection: Transfer-Encoding\r\nTransfer-Encoding: CHUNKED\r\n"
                          "Trailer: Sum\r\n\r\n"),
     ADIT_BYTES_INIT(POST "Trailer: Sum\r\n" OURS "Transfer-Encoding: chunked\r\n\r\n")},
    /* a tab behind what frames, which not every reader steps over, goes no further */
    {ADIT_BYTES_INIT(POST "Transfer-Encoding: chunked\t\r\n\r\n"),
     ADIT_BYTES_INIT(POST OURS "Transfer-Encoding: chunked\r\n\r\n")},
    {ADIT_BYTES_INIT(POST "Content-Length: 5\t\r\n\r\n"),
     ADIT_BYTES_INIT(POST OURS "Content-Length: 5\r\n\r\n")},
    {ADIT_BYTES_INIT(POST "Content-Length: 0\r\nExpect: 100-continue\r\n\r\n"),
     ADIT_BYTES_INIT(POST OURS "Content-Length: 0\r\n\r\n")},
    /* 139, 140 */
    {ADIT_BYTES_INIT(HEAD UPGRADE "\r\n"),
     ADIT_BYTES_INIT(HEAD "Sec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" OURS
                          "Upgrade: websocket\r\nConnection: upgrade\r\n\r\n")},
    {ADIT_BYTES_INIT(POST UPGRADE "\r\n"),
     ADIT_BYTES_INIT(POST "Sec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" OURS "\r\n")},
};

static void requests_anew(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_COUNT(requests); i++) {
        struct written written = {0};
        if (ADIT_AT(requests, i).want.len == 0) {
            struct adit_http_head head = {0};
            assert_fails(adit_http_request_parse(ADIT_AT(requests, i).text, &head), INVALID);
            continue;
        }
        assert_ok(forward(ADIT_AT(requests, i).text, &plain_visitor, &written));
        assert_bytes(adit_writer_bytes(&written.writer), ADIT_AT(requests, i).want);
    }
}

static void visitors(void **state)
{
    (void)state;
    static const struct {
        struct adit_http_visitor visitor;
        struct adit_bytes want;
    } cases[] = {
        {{.address = ADIT_BYTES_INIT("2001:db8::1")},
         ADIT_BYTES_INIT("GET / HTTP/1.1\r\nHost: A.test:8443\r\nX-Forwarded-For: 2001:db8::1\r\n"
                         "X-Forwarded-Proto: http\r\nX-Forwarded-Host: A.test:8443\r\n"
                         "Forwarded: for=\"[2001:db8::1]\";proto=http;host=\"A.test:8443\"\r\n"
                         "\r\n")},
        {{.address = ADIT_BYTES_INIT("192.0.2.1"),
          .host_header = ADIT_BYTES_INIT("my_app.local:3000")},
         ADIT_BYTES_INIT("GET / HTTP/1.1\r\nHost: my_app.local:3000\r\n"
                         "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\n"
                         "X-Forwarded-Host: A.test:8443\r\n"
                         "Forwarded: for=192.0.2.1;proto=http;host=\"A.test:8443\"\r\n\r\n")},
        {{.host_header = ADIT_BYTES_INIT("a\r\nX: y")}, {0}},
        {{.host_header = ADIT_BYTES_INIT("a b")}, {0}},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        struct written written = {0};
        struct adit_status status = forward(
            ADIT_BYTES("GET / HTTP/1.1\r\nHost: A.test:8443\r\n\r\n"), &ADIT_AT(cases, i).visitor,
            &written);
        assert_int_equal(adit_status_error(status),
                         ADIT_AT(cases, i).want.len > 0 ? ADIT_ERROR_NONE : ADIT_ERROR_INVALID);
        assert_bytes(adit_writer_bytes(&written.writer), ADIT_AT(cases, i).want);
    }
}

static const struct {
    struct adit_http_reply reply;
    struct adit_bytes text, want;
} responses[] = {
    {{.framing = ADIT_HTTP_FRAMING_LENGTH, .length = 5},
     ADIT_BYTES_INIT("HTTP/1.0 200\r\nContent-Length: 5\r\ncontent-length: 5\r\nA_B:c\r\n\r\n"),
     ADIT_BYTES_INIT("HTTP/1.1 200 \r\nA_B: c\r\nContent-Length: 5\r\n\r\n")},
    {{.framing = ADIT_HTTP_FRAMING_CHUNKED},
     ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Sum\r\n"
                     "Connection: keep-alive, X-Hop\r\nKeep-Alive: 5\r\nX-Hop: a\r\n"
                     "Proxy-Authenticate: b\r\nUpgrade: h2c\r\nSet-Cookie: c\r\nSet-Cookie: d\r\n"
                     "Adit-Error: agent_gone\r\n\r\n"),
     ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nTrailer: Sum\r\nSet-Cookie: c\r\nSet-Cookie: d\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n")},
    {{.framing = ADIT_HTTP_FRAMING_LENGTH, .length = 5},
     ADIT_BYTES_INIT("HTTP/1.1 299 \r\nContent-Length: 05\r\nA: b\r\nC:d\r\nE: f\r\n\r\n"),
     ADIT_BYTES_INIT("HTTP/1.1 299 \r\nA: b\r\nC: d\r\nE: f\r\nContent-Length: 5\r\n\r\n")},
    {{.framing = ADIT_HTTP_FRAMING_CLOSE},
     ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Sum\r\n\r\n"),
     ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")},
    {{.framing = ADIT_HTTP_FRAMING_LENGTH, .is_closing = true},
     ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
     ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")},
    /* to HEAD; and 304 */
    {{.framing = ADIT_HTTP_FRAMING_NONE},
     ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n"),
     ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n")},
    {{.framing = ADIT_HTTP_FRAMING_NONE},
     ADIT_BYTES_INIT("HTTP/1.1 304 No\r\nContent-Length: \t77 \t\r\n\r\n"),
     ADIT_BYTES_INIT("HTTP/1.1 304 No\r\nContent-Length: 77\r\n\r\n")},
    {{.framing = ADIT_HTTP_FRAMING_CHUNKED},
     ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding:chunked \t\r\n\r\n"),
     ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")},
    {{.framing = ADIT_HTTP_FRAMING_NONE},
     ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
     ADIT_BYTES_INIT("HTTP/1.1 200 OK\r\n\r\n")},
    {{.framing = ADIT_HTTP_FRAMING_NONE},
     ADIT_BYTES_INIT("HTTP/1.1 204 No\r\nContent-Length: 77\r\n\r\n"),
     ADIT_BYTES_INIT("HTTP/1.1 204 No\r\n\r\n")},
    {{.framing = ADIT_HTTP_FRAMING_NONE},
     ADIT_BYTES_INIT("HTTP/1.1 103 Early\r\nLink: </a>\r\nContent-Length: 0\r\n\r\n"),
     ADIT_BYTES_INIT("HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n")},
    {{.framing = ADIT_HTTP_FRAMING_SWITCH},
     ADIT_BYTES_INIT("HTTP/1.1 101 Go\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Accept: x\r\nContent-Length: 7\r\n\r\n"),
     ADIT_BYTES_INIT("HTTP/1.1 101 Go\r\nSec-WebSocket-Accept: x\r\nUpgrade: websocket\r\n"
                     "Connection: upgrade\r\n\r\n")},
};

static void responses_anew(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_COUNT(responses); i++) {
        struct written written = {.writer = {.len = 0}};
        struct adit_http_head head = {0};
        written.writer = adit_writer_of(ADIT_SPAN_OF(written.memory));
        assert_ok(adit_http_response_parse(ADIT_AT(responses, i).text, &head));
        assert_ok(adit_http_response_write(&written.writer, &head, &ADIT_AT(responses, i).reply));
        assert_bytes(adit_writer_bytes(&written.writer), ADIT_AT(responses, i).want);
    }
}

static void trailers(void **state)
{
    (void)state;
    struct written written = {.writer = {.len = 0}};
    struct adit_http_head head = {0};
    written.writer = adit_writer_of(ADIT_SPAN_OF(written.memory));
    assert_ok(adit_http_trailers_parse( /* 85 */
        ADIT_BYTES("Content-Length: 99\r\nHost: evil\r\nAuthorization: x\r\nSum: y\r\n"
                   "X-Forwarded-For: 6.6.6.6\r\ntransfer-encoding: chunked\r\nTE: a\r\n"
                   "Cookie: b\r\nConnection: c\r\nIf-Match: d\r\nGrpc-Status: 0\r\n\r\n"),
        &head));
    assert_ok(adit_http_trailers_write(&written.writer, &head));
    assert_bytes(adit_writer_bytes(&written.writer),
                 ADIT_BYTES("0\r\nSum: y\r\nGrpc-Status: 0\r\n\r\n"));
    written.writer.len = 0;
    assert_ok(adit_http_trailers_write(&written.writer, NULL));
    assert_bytes(adit_writer_bytes(&written.writer), ADIT_BYTES("0\r\n\r\n"));
}

/* Whatever room there is: all of it, or nothing and LIMIT. */
static void no_room(void **state)
{
    (void)state;
    struct adit_http_head head = {0};
    struct adit_http_request request = {0};
    const struct adit_http_reply reply = {.framing = ADIT_HTTP_FRAMING_CHUNKED};
    uint8_t memory[512];
    assert_ok(adit_http_request_parse(ADIT_BYTES(HEAD "A: b\r\n\r\n"), &head));
    assert_ok(adit_http_request_judge(&head, &request));
    size_t whole = sizeof(HEAD "A: b\r\n" OURS "\r\n") - 1;
    for (size_t room = 0; room <= whole; room++) {
        struct adit_writer writer = adit_writer_of(adit_span_first(ADIT_SPAN_OF(memory), room));
        struct adit_status status =
            adit_http_request_write(&writer, &head, &request, &plain_visitor);
        assert_int_equal(adit_status_error(status),
                         room < whole ? ADIT_ERROR_LIMIT : ADIT_ERROR_NONE);
        assert_int_equal(writer.len, room < whole ? 0 : whole);
    }
    for (size_t room = 0; room < 5; room++) {
        struct adit_writer writer = adit_writer_of(adit_span_first(ADIT_SPAN_OF(memory), room));
        assert_fails(adit_http_response_write(&writer, &head, &reply), LIMIT);
        assert_fails(adit_http_trailers_write(&writer, NULL), LIMIT);
        assert_int_equal(writer.len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_anew), cmocka_unit_test(visitors),
        cmocka_unit_test(responses_anew), cmocka_unit_test(trailers),
        cmocka_unit_test(no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
