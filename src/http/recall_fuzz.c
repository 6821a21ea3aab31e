/* A head that is recalled is one that is parsed, judged and written to the same end. The first head
 * is kept, the second asked for; with a first byte of 1 the second is the first with another path,
 * and whatever more; with 2 they are answers. */
#include "http/recall_fixture.h"

#include "fuzz.h"

static void check_same(const struct adit_http_request *a, const struct adit_http_request *b)
{
    ADIT_ASSERT(adit_bytes_equal(ADIT_FIELD_BYTES(a->host), ADIT_FIELD_BYTES(b->host)));
    ADIT_ASSERT(a->framing == b->framing && a->length == b->length);
    ADIT_ASSERT(a->is_head == b->is_head && a->is_host_token == b->is_host_token);
    ADIT_ASSERT(a->is_options_all == b->is_options_all && a->is_repeatable == b->is_repeatable);
    ADIT_ASSERT(a->is_persistent == b->is_persistent && a->is_upgrade == b->is_upgrade);
    ADIT_ASSERT(a->expects_continue == b->expects_continue);
    ADIT_ASSERT(a->takes_trailers == b->takes_trailers && a->prefers_json == b->prefers_json);
    ADIT_ASSERT(a->version_minor == b->version_minor);
}

static void check(const struct adit_http_recall *recall, struct adit_bytes text)
{
    static struct made other;
    uint8_t memory[ADIT_HTTP_FORWARD_BYTES_MAX + ADIT_HTTP_RECALL_BYTES_MAX];
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_bytes line = {0};
    size_t len = adit_http_recall_find(recall, text, &line);
    if (len == 0) {
        return;
    }
    ADIT_ASSERT(make(text, &other));
    ADIT_ASSERT(len == other.len);
    check_same(&recall->request, &other.request);
    ADIT_ASSERT(adit_is_ok(adit_write_bytes(&writer, line)));
    ADIT_ASSERT(adit_is_ok(adit_write_bytes(&writer, ADIT_FIELD_BYTES(recall->made))));
    ADIT_ASSERT(
        adit_bytes_equal(adit_writer_bytes(&writer), adit_writer_bytes(&other.writer)));
}

/* The first head with another target. */
static struct adit_bytes changed(const struct made *first, struct adit_bytes target,
                                 struct adit_span span)
{
    struct adit_writer writer = adit_writer_of(span);
    struct adit_bytes text = first->head.text;
    size_t line_len = first->head.method.len + 1 + first->head.target.len;
    ADIT_ASSERT(adit_is_ok(adit_write_bytes(&writer, first->head.method)));
    ADIT_ASSERT(adit_is_ok(adit_write_bytes(&writer, ADIT_BYTES(" /"))));
    ADIT_ASSERT(adit_is_ok(
        adit_write_bytes(&writer, adit_bytes_first(target, ADIT_HTTP_HEAD_BYTES_MAX))));
    ADIT_ASSERT(adit_is_ok(adit_write_bytes(
        &writer, adit_bytes_first(adit_bytes_from(text, line_len), ADIT_HTTP_HEAD_BYTES_MAX))));
    return adit_writer_bytes(&writer);
}

static size_t answer_make(struct adit_bytes text, struct adit_http_head *head,
                          struct adit_http_response *response, struct adit_writer *writer)
{
    const struct adit_http_request request = {.is_persistent = true, .version_minor = 1};
    size_t len = adit_http_response_take(text, head);
    if (len == 0 || !adit_is_ok(adit_http_response_judge(head, &request, response))) {
        return 0;
    }
    bool is_chunked = response->framing == ADIT_HTTP_FRAMING_CLOSE;
    const struct adit_http_reply reply = {
        .framing = is_chunked ? ADIT_HTTP_FRAMING_CHUNKED : response->framing,
        .length = response->length};
    return adit_is_ok(adit_http_response_write(writer, head, &reply)) ? len : 0;
}

static void check_answer(const struct adit_http_recall_answer *recall, struct adit_bytes text)
{
    static struct adit_http_head head;
    uint8_t memory[ADIT_HTTP_FORWARD_BYTES_MAX];
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_http_response response = {0};
    size_t len = adit_http_recall_answer_find(recall, text);
    if (len == 0) {
        return;
    }
    ADIT_ASSERT(answer_make(text, &head, &response, &writer) == len);
    ADIT_ASSERT(adit_bytes_equal(adit_writer_bytes(&writer), ADIT_FIELD_BYTES(recall->made)));
    ADIT_ASSERT(response.framing == recall->response.framing);
    ADIT_ASSERT(response.length == recall->response.length && !response.is_interim);
    ADIT_ASSERT(response.is_persistent == recall->response.is_persistent);
    ADIT_ASSERT(head.status == recall->status && head.status >= 200);
}

static void answers(struct adit_bytes text)
{
    static struct adit_http_head head;
    static struct adit_http_recall_answer recall;
    uint8_t memory[ADIT_HTTP_FORWARD_BYTES_MAX];
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_http_response response = {0};
    size_t len = answer_make(text, &head, &response, &writer);
    if (len > 0) {
        adit_http_recall_answer_set(&recall, &head, &response, adit_writer_bytes(&writer));
        check_answer(&recall, text);
        check_answer(&recall, adit_bytes_from(text, len));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct made first;
    static struct adit_http_recall recall;
    static uint8_t memory[3 * ADIT_HTTP_HEAD_BYTES_MAX];
    struct adit_reader input = adit_reader_of((struct adit_bytes){.ptr = data, .len = size});
    uint8_t kind = fuzz_byte(&input);
    if (kind % 4 == 2) {
        answers(input.rest);
        return 0;
    }
    if (!make(input.rest, &first)) {
        return 0;
    }
    adit_http_recall_set(&recall, &first.head, &first.request, adit_writer_bytes(&first.writer));
    struct adit_bytes rest = adit_bytes_from(input.rest, first.len);
    check(&recall, input.rest);
    check(&recall, kind % 4 == 1 ? changed(&first, rest, ADIT_SPAN_OF(memory)) : rest);
    return 0;
}
