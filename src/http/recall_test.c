#include "http/recall_fixture.h"

#include "unit.h"

#define FIELDS " HTTP/1.1\r\nHost: a.test\r\nAccept: */*\r\nX: y\r\n\r\n"
#define HEAD "GET /one" FIELDS

static void keep(struct adit_http_recall *recall, struct adit_bytes text)
{
    static struct made made;
    assert_true(make(text, &made));
    adit_http_recall_set(recall, &made.head, &made.request, adit_writer_bytes(&made.writer));
}

/* Both ways come to the same. */
static void assert_recalls(const struct adit_http_recall *recall, struct adit_bytes text)
{
    static struct made made;
    static uint8_t memory[ADIT_HTTP_FORWARD_BYTES_MAX];
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_bytes line = {0};
    size_t len = adit_http_recall_find(recall, text, &line);
    assert_true(make(text, &made));
    assert_int_equal(len, made.len);
    assert_ok(adit_write_bytes(&writer, line));
    assert_ok(adit_write_bytes(&writer, ADIT_FIELD_BYTES(recall->made)));
    assert_bytes(adit_writer_bytes(&writer), adit_writer_bytes(&made.writer));
    assert_bytes(ADIT_FIELD_BYTES(recall->request.host), ADIT_FIELD_BYTES(made.request.host));
    assert_int_equal(recall->request.framing, made.request.framing);
    assert_int_equal(recall->request.length, made.request.length);
    assert_int_equal(recall->request.is_head, made.request.is_head);
    assert_int_equal(recall->request.is_repeatable, made.request.is_repeatable);
    assert_int_equal(recall->request.is_persistent, made.request.is_persistent);
    assert_int_equal(recall->request.is_upgrade, made.request.is_upgrade);
    assert_int_equal(recall->request.expects_continue, made.request.expects_continue);
    assert_int_equal(recall->request.prefers_json, made.request.prefers_json);
    assert_int_equal(recall->request.version_minor, 1);
}

static void a_head_is_recalled_with_any_path(void **state)
{
    (void)state;
    static const struct {
        struct adit_bytes first, second;
    } pairs[] = {
        {ADIT_BYTES_INIT(HEAD), ADIT_BYTES_INIT(HEAD)},
        {ADIT_BYTES_INIT(HEAD), ADIT_BYTES_INIT("GET /" FIELDS)},
        {ADIT_BYTES_INIT(HEAD), ADIT_BYTES_INIT("GET //two?a=b&c=/%2e%2e/" FIELDS "GET / HT")},
        {ADIT_BYTES_INIT("\r\n" HEAD), ADIT_BYTES_INIT("GET /*" FIELDS "\r\n\r\n")},
        {ADIT_BYTES_INIT("POST / HTTP/1.1\r\nContent-Length: 2\r\nhost: A.test:80\r\n"
                         "Expect: 100-continue\r\nConnection: close\r\n\r\nok"),
         ADIT_BYTES_INIT("POST /two HTTP/1.1\r\nContent-Length: 2\r\nhost: A.test:80\r\n"
                         "Expect: 100-continue\r\nConnection: close\r\n\r\nno")},
        {ADIT_BYTES_INIT("PUT / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"),
         ADIT_BYTES_INIT("PUT /b HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n")},
        {ADIT_BYTES_INIT("GET / HTTP/1.1\r\nHost: a.test\r\nX-Forwarded-For: 1\r\nA:b\r\n\r\n"),
         ADIT_BYTES_INIT("GET /c HTTP/1.1\r\nHost: a.test\r\nX-Forwarded-For: 1\r\nA:b\r\n\r\n")},
    };
    static struct adit_http_recall recall;
    for (size_t i = 0; i < ADIT_COUNT(pairs); i++) {
        keep(&recall, ADIT_AT(pairs, i).first);
        assert_recalls(&recall, ADIT_AT(pairs, i).second);
    }
}

static void another_head_is_not(void **state)
{
    (void)state;
    static const struct adit_bytes others[] = {
        ADIT_BYTES_INIT(""),
        ADIT_BYTES_INIT("G"),
        ADIT_BYTES_INIT("GET /"),
        ADIT_BYTES_INIT("get /" FIELDS),
        ADIT_BYTES_INIT("GETS /" FIELDS),
        ADIT_BYTES_INIT("POST /" FIELDS),
        ADIT_BYTES_INIT("\r\nGET /" FIELDS),
        ADIT_BYTES_INIT("GET " FIELDS),
        ADIT_BYTES_INIT("GET *" FIELDS),
        ADIT_BYTES_INIT("GET http://b.test/" FIELDS),
        ADIT_BYTES_INIT("GET  /" FIELDS),
        ADIT_BYTES_INIT("GET /a b" FIELDS),
        ADIT_BYTES_INIT("GET /a " FIELDS),
        ADIT_BYTES_INIT("GET /#a" FIELDS),
        ADIT_BYTES_INIT("GET /\xc3\xa4" FIELDS),
        ADIT_BYTES_INIT("GET /\t" FIELDS),
        ADIT_BYTES_INIT("GET /\r\nHost: b.test\r\nX: GET /" FIELDS),
        ADIT_BYTES_INIT("GET / HTTP/1.0\r\nHost: a.test\r\nAccept: */*\r\nX: y\r\n\r\n"),
        ADIT_BYTES_INIT("GET / HTTP/1.1\r\nHost: b.test\r\nAccept: */*\r\nX: y\r\n\r\n"),
        ADIT_BYTES_INIT("GET / HTTP/1.1\r\nHost: a.test\r\nAccept: */*\r\nx: y\r\n\r\n"),
        ADIT_BYTES_INIT("GET / HTTP/1.1\r\nHost: a.test\r\nAccept: */*\r\nX: y\r\nZ: z\r\n\r\n"),
        ADIT_BYTES_INIT("GET / HTTP/1.1\r\nHost: a.test\r\nAccept: */*\r\nX: y\r\n"),
        ADIT_BYTES_INIT("GET / HTTP/1.1\r\nHost: a.test\r\nAccept: */*\r\nX: y\r\n\r"),
        ADIT_BYTES_INIT("GET / HTTP/1.1\r\nHost: a.test\r\nAccept: */*\r\nX: y\n\n"),
    };
    static struct adit_http_recall recall;
    struct adit_bytes line = {0};
    assert_int_equal(adit_http_recall_find(&recall, ADIT_BYTES(HEAD), &line), 0); /* nothing yet */
    keep(&recall, ADIT_BYTES(HEAD));
    for (size_t i = 0; i < ADIT_COUNT(others); i++) {
        assert_int_equal(adit_http_recall_find(&recall, ADIT_AT(others, i), &line), 0);
    }
}

/* What is odd is not kept, nor is what was kept before. */
static void odd_heads_are_not_kept(void **state)
{
    (void)state;
    static const struct adit_bytes odd[] = {
        ADIT_BYTES_INIT("GET / HTTP/1.0\r\nHost: a.test\r\n\r\n"),
        ADIT_BYTES_INIT("GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n"),
    };
    static struct adit_http_recall recall;
    struct adit_bytes line = {0};
    for (size_t i = 0; i < ADIT_COUNT(odd); i++) {
        keep(&recall, ADIT_BYTES(HEAD));
        keep(&recall, ADIT_AT(odd, i));
        assert_int_equal(adit_http_recall_find(&recall, ADIT_AT(odd, i), &line), 0);
        assert_int_equal(adit_http_recall_find(&recall, ADIT_BYTES(HEAD), &line), 0);
    }
}

/* "GET /xx...x HTTP/1.1", and a field of so many bytes. */
static struct adit_bytes long_head(struct adit_span span, size_t target, size_t value)
{
    struct adit_writer writer = adit_writer_of(span);
    struct adit_span hole = {0};
    assert_ok(adit_write_bytes(&writer, ADIT_BYTES("GET /")));
    assert_ok(adit_write_reserve(&writer, target - 1, &hole));
    adit_span_fill(hole, 'x');
    assert_ok(adit_write_bytes(&writer, ADIT_BYTES(" HTTP/1.1\r\nHost: a.test\r\nX: ")));
    assert_ok(adit_write_reserve(&writer, value, &hole));
    adit_span_fill(hole, 'y');
    assert_ok(adit_write_bytes(&writer, ADIT_BYTES("\r\n\r\n")));
    return adit_writer_bytes(&writer);
}

static void lengths_have_their_limits(void **state)
{
    (void)state;
    static uint8_t memory[ADIT_HTTP_HEAD_BYTES_MAX];
    static struct adit_http_recall recall;
    struct adit_bytes line = {0};
    keep(&recall, long_head(ADIT_SPAN_OF(memory), 1, 9));
    assert_recalls(&recall,
                   long_head(ADIT_SPAN_OF(memory), ADIT_HTTP_TARGET_BYTES_MAX, 9));
    struct adit_bytes longer = long_head(ADIT_SPAN_OF(memory), ADIT_HTTP_TARGET_BYTES_MAX + 1, 9);
    assert_int_equal(adit_http_recall_find(&recall, longer, &line), 0);
    for (size_t value = 700; value < 1100; value++) { /* whichever of the two is too long first */
        struct adit_bytes head = long_head(ADIT_SPAN_OF(memory), 8000, value);
        keep(&recall, head);
        if (adit_http_recall_find(&recall, head, &line) > 0) {
            assert_recalls(&recall, head);
        } else {
            assert_true(value > 800);
            return;
        }
    }
    fail();
}

static const struct adit_http_request get = {.is_persistent = true, .version_minor = 1};

static void keep_answer(struct adit_http_recall_answer *recall, struct adit_bytes text)
{
    static struct adit_http_head head;
    static uint8_t memory[ADIT_HTTP_FORWARD_BYTES_MAX];
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_http_response response = {0};
    assert_true(adit_http_response_take(text, &head) > 0);
    assert_ok(adit_http_response_judge(&head, &get, &response));
    const struct adit_http_reply reply = {.framing = response.framing, .length = response.length};
    assert_ok(adit_http_response_write(&writer, &head, &reply));
    adit_http_recall_answer_set(recall, &head, &response, adit_writer_bytes(&writer));
}

#define ANSWER "HTTP/1.1 200 OK\r\nA:b\r\nContent-Length: 2\r\n\r\n"

static void an_answer_is_recalled_whole(void **state)
{
    (void)state;
    static struct adit_http_recall_answer recall;
    const struct adit_bytes whole = ADIT_BYTES(ANSWER "ok");
    const size_t len = sizeof ANSWER - 1;
    assert_int_equal(adit_http_recall_answer_find(&recall, whole), 0);
    keep_answer(&recall, whole);
    for (size_t i = 0; i <= whole.len; i++) {
        assert_int_equal(adit_http_recall_answer_find(&recall, adit_bytes_first(whole, i)),
                         i < len ? 0 : len);
    }
    assert_bytes(ADIT_FIELD_BYTES(recall.made),
                 ADIT_BYTES("HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\n"));
    assert_int_equal(recall.status, 200);
    assert_int_equal(recall.response.framing, ADIT_HTTP_FRAMING_LENGTH);
    assert_int_equal(recall.response.length, 2);
    assert_int_equal(
        adit_http_recall_answer_find(
            &recall, ADIT_BYTES("HTTP/1.1 200 OK\r\nA:b\r\nContent-Length: 3\r\n\r\n")),
        0);
    keep_answer(&recall, ADIT_BYTES("HTTP/1.1 204 \r\n\r\n")); /* no field at all */
    assert_int_equal(
        adit_http_recall_answer_find(&recall, ADIT_BYTES("HTTP/1.1 204 \r\n\r\nHTTP")), 17);
}

static void interim_and_long_answers_are_not_kept(void **state)
{
    (void)state;
    static struct adit_http_recall_answer recall;
    static uint8_t memory[2 * ADIT_HTTP_RECALL_ANSWER_BYTES_MAX];
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_span hole = {0};
    keep_answer(&recall, ADIT_BYTES(ANSWER));
    keep_answer(&recall, ADIT_BYTES("HTTP/1.1 103 Early Hints\r\n\r\n"));
    assert_int_equal(adit_http_recall_answer_find(&recall, ADIT_BYTES(ANSWER)), 0);
    assert_int_equal(
        adit_http_recall_answer_find(&recall, ADIT_BYTES("HTTP/1.1 103 Early Hints\r\n\r\n")), 0);
    keep_answer(&recall, ADIT_BYTES(ANSWER));
    assert_ok(adit_write_bytes(&writer, ADIT_BYTES("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: ")));
    assert_ok(adit_write_reserve(&writer, ADIT_HTTP_RECALL_ANSWER_BYTES_MAX, &hole));
    adit_span_fill(hole, 'x');
    assert_ok(adit_write_bytes(&writer, ADIT_BYTES("\r\n\r\n")));
    keep_answer(&recall, adit_writer_bytes(&writer));
    assert_int_equal(adit_http_recall_answer_find(&recall, adit_writer_bytes(&writer)), 0);
    assert_int_equal(adit_http_recall_answer_find(&recall, ADIT_BYTES(ANSWER)), 0);
}

static void some_answers_depend_on_more(void **state)
{
    (void)state;
    assert_true(adit_http_recall_suits(&get));
    assert_false(adit_http_recall_suits(
        &(struct adit_http_request){.is_persistent = true, .is_head = true}));
    assert_false(adit_http_recall_suits(
        &(struct adit_http_request){.is_persistent = true, .is_upgrade = true}));
    assert_false(adit_http_recall_suits(&(struct adit_http_request){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_recalled_with_any_path),
        cmocka_unit_test(another_head_is_not),
        cmocka_unit_test(odd_heads_are_not_kept),
        cmocka_unit_test(lengths_have_their_limits),
        cmocka_unit_test(an_answer_is_recalled_whole),
        cmocka_unit_test(interim_and_long_answers_are_not_kept),
        cmocka_unit_test(some_answers_depend_on_more),
    };
    return cmocka_run_group_tests_name("http/recall", tests, NULL, NULL);
}
