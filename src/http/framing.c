#include "http/framing.h"

#include "base/text.h"
#include "http/fields.h"

#define LENGTH_MAX INT64_MAX /* what every reader behind us can hold */
#define CODINGS_MAX 16

static bool has(const struct adit_http_head *head, struct adit_bytes name)
{
    return adit_http_field_find(head, name) != NULL;
}

/* All elements of the value are tokens, and one is a coding that we do not know, none identity: it
 * is not broken, we just cannot do it. */
static bool is_unknown_coding(struct adit_bytes value)
{
    bool is_unknown = false;
    struct adit_bytes rest = value;
    struct adit_bytes coding = {0};
    for (size_t i = 0; adit_http_list_next(&rest, &coding); i++) {
        if (i == CODINGS_MAX || !adit_http_is_token(coding) ||
            adit_bytes_equal_nocase(coding, ADIT_BYTES("identity"))) {
            return false;
        }
        is_unknown |= !adit_bytes_equal_nocase(coding, ADIT_BYTES("chunked"));
    }
    return is_unknown;
}

struct adit_status adit_http_frame_request(const struct adit_http_head *head,
                                           struct adit_http_frame *out_frame)
{
    const struct adit_http_field *coding =
        adit_http_field_find(head, ADIT_BYTES("transfer-encoding"));
    const struct adit_http_field *length = adit_http_field_find(head, ADIT_BYTES("content-length"));
    struct adit_http_frame frame = {0};
    if (coding) {
        ADIT_ENSURE(!length, REFUSED, "a length and a transfer coding");
        ADIT_ENSURE(head->version_minor > 0, REFUSED, "a transfer coding in HTTP/1.0");
        ADIT_ENSURE(adit_http_field_count(head, ADIT_BYTES("transfer-encoding")) == 1, REFUSED,
                    "two transfer codings");
        if (is_unknown_coding(coding->value)) {
            ADIT_FAIL_WITH(REFUSED, "a transfer coding other than chunked",
                           ADIT_HTTP_ERROR_CODING_UNKNOWN);
        }
        ADIT_ENSURE(adit_bytes_equal_nocase(coding->value, ADIT_BYTES("chunked")), REFUSED,
                    "a transfer coding that breaks its grammar");
        frame.framing = ADIT_HTTP_FRAMING_CHUNKED;
    } else if (length) {
        ADIT_ENSURE(adit_http_field_count(head, ADIT_BYTES("content-length")) == 1, REFUSED,
                    "two lengths");
        ADIT_ENSURE(adit_is_ok(adit_parse_decimal(length->value, LENGTH_MAX, &frame.length)),
                    REFUSED, "a length that is no number");
        frame.framing = ADIT_HTTP_FRAMING_LENGTH;
    }
    *out_frame = frame;
    return adit_ok();
}

/* The one length that all Content-Length fields write in the same way. */
static struct adit_status length_read(const struct adit_http_head *head, uint64_t *out_length)
{
    const struct adit_http_field *first = adit_http_field_find(head, ADIT_BYTES("content-length"));
    if (!first) {
        return adit_ok();
    }
    for (size_t i = 0; i < head->field_count; i++) {
        const struct adit_http_field *field = &ADIT_AT(head->fields, i);
        ADIT_ENSURE(!adit_bytes_equal_nocase(field->name, first->name) ||
                        adit_bytes_equal(field->value, first->value),
                    INVALID, "two lengths that differ");
    }
    return adit_parse_decimal(first->value, LENGTH_MAX, out_length);
}

static struct adit_status response_read(const struct adit_http_head *head,
                                        struct adit_http_frame *frame)
{
    bool has_length = has(head, ADIT_BYTES("content-length"));
    frame->framing = has_length ? ADIT_HTTP_FRAMING_LENGTH : ADIT_HTTP_FRAMING_CLOSE;
    if (has(head, ADIT_BYTES("transfer-encoding"))) {
        ADIT_ENSURE(!has_length, INVALID, "a length and a transfer coding");
        ADIT_ENSURE(head->version_minor > 0, INVALID, "a transfer coding in HTTP/1.0");
        ADIT_ENSURE(adit_http_field_is(head, ADIT_BYTES("transfer-encoding"),
                                       ADIT_BYTES("chunked")),
                    INVALID, "a transfer coding other than chunked");
        frame->framing = ADIT_HTTP_FRAMING_CHUNKED;
    }
    return length_read(head, &frame->length);
}

struct adit_status adit_http_frame_response(const struct adit_http_head *head,
                                            struct adit_http_frame *out_frame)
{
    struct adit_http_frame frame = {0};
    if (!adit_is_ok(response_read(head, &frame))) {
        ADIT_FAIL_WITH(REFUSED, "an answer whose end is not certain",
                       ADIT_HTTP_ERROR_UPSTREAM_BAD_RESPONSE);
    }
    *out_frame = frame;
    return adit_ok();
}
