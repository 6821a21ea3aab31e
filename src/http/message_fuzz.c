/* What we accept and write anew means the same when it is read again, has one framing, and its
 * fields about the visitor are ours: requests, answers and trailers. */
#include "http/message.h"

#include "http/forward.h"
#include "fuzz.h"

#define ADDRESS "2001:db8::1"

static size_t count_of(const struct adit_http_head *head, struct adit_bytes name)
{
    return adit_http_field_count(head, name);
}

static size_t framing_count(const struct adit_http_head *head)
{
    return count_of(head, ADIT_BYTES("content-length")) +
           count_of(head, ADIT_BYTES("transfer-encoding"));
}

static void check_same(const struct adit_http_request *a, const struct adit_http_request *b)
{
    ADIT_ASSERT(a->framing == b->framing && a->length == b->length);
    ADIT_ASSERT(adit_bytes_equal(ADIT_FIELD_BYTES(a->host), ADIT_FIELD_BYTES(b->host)));
    ADIT_ASSERT(a->is_head == b->is_head && a->is_repeatable == b->is_repeatable);
    ADIT_ASSERT(a->is_upgrade || !b->is_upgrade); /* Connection may have named the key */
    ADIT_ASSERT(a->expects_continue == b->expects_continue);
    ADIT_ASSERT(a->takes_trailers == b->takes_trailers);
    ADIT_ASSERT(b->is_persistent && b->version_minor == 1); /* `close` was for our hop */
}

static void check_request(struct adit_bytes text)
{
    struct adit_http_head head = {0};
    struct adit_http_head again = {0};
    struct adit_http_request request = {0};
    struct adit_http_request request_again = {0};
    const struct adit_http_visitor visitor = {.address = ADIT_BYTES(ADDRESS)};
    uint8_t memory[ADIT_HTTP_FORWARD_BYTES_MAX];
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    if (!adit_is_ok(adit_http_request_parse(text, &head))) {
        return;
    }
    struct adit_status status = adit_http_request_judge(&head, &request);
    if (!adit_is_ok(status)) {
        ADIT_ASSERT(adit_status_error(status) == ADIT_ERROR_REFUSED);
        ADIT_ASSERT(adit_http_error_status((enum adit_http_error)status.detail) >= 400);
        return;
    }
    if (head.field_count + 8 > ADIT_HTTP_FIELDS_MAX || request.is_options_all) {
        return; /* ours would be over the limit; we answer it ourselves */
    }
    ADIT_ASSERT(adit_is_ok(adit_http_request_write(&writer, &head, &request, &visitor)));
    if (writer.len > ADIT_HTTP_HEAD_BYTES_MAX) {
        return;
    }
    ADIT_ASSERT(adit_is_ok(adit_http_request_parse(adit_writer_bytes(&writer), &again)));
    ADIT_ASSERT(adit_is_ok(adit_http_request_judge(&again, &request_again)));
    check_same(&request, &request_again);
    ADIT_ASSERT(adit_bytes_equal(head.method, again.method));
    ADIT_ASSERT(framing_count(&again) == (request.framing == ADIT_HTTP_FRAMING_NONE ? 0 : 1));
    ADIT_ASSERT(count_of(&again, ADIT_BYTES("host")) == 1);
    ADIT_ASSERT(count_of(&again, ADIT_BYTES("forwarded")) == 1);
    const struct adit_bytes name = ADIT_BYTES("x-forwarded-for");
    const struct adit_http_field *from = adit_http_field_find(&again, name);
    ADIT_ASSERT(from && count_of(&again, name) == 1);
    ADIT_ASSERT(adit_bytes_equal(from->value, ADIT_BYTES(ADDRESS)));
}

static void check_response(struct adit_bytes text, uint8_t asked)
{
    struct adit_http_head head = {0};
    struct adit_http_head again = {0};
    struct adit_http_response response = {0};
    struct adit_http_response response_again = {0};
    const struct adit_http_request request = {.is_head = asked % 3 == 1,
                                              .is_upgrade = asked % 3 == 2};
    uint8_t memory[ADIT_HTTP_FORWARD_BYTES_MAX];
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    if (!adit_is_ok(adit_http_response_parse(text, &head)) ||
        !adit_is_ok(adit_http_response_judge(&head, &request, &response)) ||
        head.field_count + 3 > ADIT_HTTP_FIELDS_MAX) {
        return;
    }
    const struct adit_http_reply reply = {.framing = response.framing, .length = response.length};
    ADIT_ASSERT(adit_is_ok(adit_http_response_write(&writer, &head, &reply)));
    if (writer.len > ADIT_HTTP_HEAD_BYTES_MAX) {
        return;
    }
    ADIT_ASSERT(adit_is_ok(adit_http_response_parse(adit_writer_bytes(&writer), &again)));
    ADIT_ASSERT(adit_is_ok(adit_http_response_judge(&again, &request, &response_again)));
    ADIT_ASSERT(response.framing == response_again.framing);
    ADIT_ASSERT(response.length == response_again.length);
    ADIT_ASSERT(response.is_interim == response_again.is_interim);
    ADIT_ASSERT(framing_count(&again) <= 1);
}

static void check_trailers(struct adit_bytes text)
{
    struct adit_http_head head = {0};
    struct adit_http_head again = {0};
    uint8_t memory[ADIT_HTTP_FORWARD_BYTES_MAX];
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    if (!adit_is_ok(adit_http_trailers_parse(text, &head))) {
        return;
    }
    ADIT_ASSERT(adit_is_ok(adit_http_trailers_write(&writer, &head)));
    struct adit_bytes out = adit_bytes_from(adit_writer_bytes(&writer), 3); /* "0\r\n" */
    if (out.len <= ADIT_HTTP_TRAILER_BYTES_MAX) {
        ADIT_ASSERT(adit_is_ok(adit_http_trailers_parse(out, &again)));
        ADIT_ASSERT(framing_count(&again) == 0 && count_of(&again, ADIT_BYTES("host")) == 0);
        ADIT_ASSERT(again.field_count <= head.field_count);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct adit_reader input = adit_reader_of((struct adit_bytes){.ptr = data, .len = size});
    uint8_t kind = fuzz_byte(&input);
    if (kind % 3 == 0) {
        check_request(input.rest);
    } else if (kind % 3 == 1) {
        check_response(input.rest, kind / 3);
    } else {
        check_trailers(input.rest);
    }
    return 0;
}
