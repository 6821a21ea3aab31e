#include "http/framing.h"

#include "base/text.h"
#include "http/fields.h"

#define LENGTH_MAX INT64_MAX /* what every reader behind us can hold */
#define CODINGS_MAX 16

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
        adit_http_field_of(head, ADIT_HTTP_NAME_TRANSFER_ENCODING);
    const struct adit_http_field *length =
        adit_http_field_of(head, ADIT_HTTP_NAME_CONTENT_LENGTH);
    struct adit_http_frame frame = {0};
    if (coding) {
        ADIT_ENSURE(!length, REFUSED, "a length and a transfer coding");
        ADIT_ENSURE(head->version_minor > 0, REFUSED, "a transfer coding in HTTP/1.0");
        ADIT_ENSURE(!adit_http_field_is_repeated(head, ADIT_HTTP_NAME_TRANSFER_ENCODING), REFUSED,
                    "two transfer codings");
        if (is_unknown_coding(coding->value)) {
            ADIT_FAIL_WITH(REFUSED, "a transfer coding other than chunked",
                           ADIT_HTTP_ERROR_CODING_UNKNOWN);
        }
        ADIT_ENSURE(adit_bytes_equal_nocase(coding->value, ADIT_BYTES("chunked")), REFUSED,
                    "a transfer coding that breaks its grammar");
        frame.framing = ADIT_HTTP_FRAMING_CHUNKED;
    } else if (length) {
        ADIT_ENSURE(!adit_http_field_is_repeated(head, ADIT_HTTP_NAME_CONTENT_LENGTH), REFUSED,
                    "two lengths");
        ADIT_ENSURE(adit_is_ok(adit_parse_decimal(length->value, LENGTH_MAX, &frame.length)),
                    REFUSED, "a length that is no number");
        frame.framing = ADIT_HTTP_FRAMING_LENGTH;
    }
    *out_frame = frame;
    return adit_ok();
}

/* The one length that all Content-Length fields write in the same way. */
static struct adit_status length_read(const struct adit_http_head *head,
                                      const struct adit_http_field *first, uint64_t *out_length)
{
    bool is_repeated = adit_http_field_is_repeated(head, first->known);
    for (size_t i = 0; is_repeated && i < head->field_count; i++) {
        const struct adit_http_field *field = &ADIT_AT(head->fields, i);
        ADIT_ENSURE(field->known != first->known || adit_bytes_equal(field->value, first->value),
                    INVALID, "two lengths that differ");
    }
    return adit_parse_decimal(first->value, LENGTH_MAX, out_length);
}

static struct adit_status response_read(const struct adit_http_head *head,
                                        struct adit_http_frame *frame)
{
    const struct adit_http_field *length =
        adit_http_field_of(head, ADIT_HTTP_NAME_CONTENT_LENGTH);
    frame->framing = length ? ADIT_HTTP_FRAMING_LENGTH : ADIT_HTTP_FRAMING_CLOSE;
    if (adit_http_field_is_there(head, ADIT_HTTP_NAME_TRANSFER_ENCODING)) {
        ADIT_ENSURE(!length, INVALID, "a length and a transfer coding");
        ADIT_ENSURE(head->version_minor > 0, INVALID, "a transfer coding in HTTP/1.0");
        ADIT_ENSURE(adit_http_field_is(head, ADIT_HTTP_NAME_TRANSFER_ENCODING,
                                       ADIT_BYTES("chunked")),
                    INVALID, "a transfer coding other than chunked");
        frame->framing = ADIT_HTTP_FRAMING_CHUNKED;
    }
    return length ? length_read(head, length, &frame->length) : adit_ok();
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
