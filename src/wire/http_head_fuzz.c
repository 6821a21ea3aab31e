/* A head is scanned the same however it is cut, what the parser accepts the scan had accepted, and
 * what is accepted is of the form that src/http relies on. */
#include "wire/http_head.h"

#include "fuzz.h"

#define PIECE_MAX 64

static bool is_clean(struct adit_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = adit_bytes_at(text, i);
        if (byte == 0x7f || (byte < 0x20 && byte != '\t')) {
            return false;
        }
    }
    return true;
}

/* What is said to be as we write it: name, ": ", value and CR LF, and nothing else. */
static void check_line(struct adit_bytes line, const struct adit_http_field *field)
{
    struct adit_bytes colon = adit_bytes_from(line, field->name.len);
    struct adit_bytes value = adit_bytes_from(colon, 2);
    ADIT_ASSERT(adit_bytes_starts_with(line, field->name));
    ADIT_ASSERT(adit_bytes_ends_with(line, ADIT_BYTES("\r\n")));
    ADIT_ASSERT(!field->is_plain || (adit_bytes_starts_with(colon, ADIT_BYTES(": ")) &&
                                     adit_bytes_starts_with(value, field->value) &&
                                     value.len == field->value.len + 2));
}

static void check_lines(const struct adit_http_head *head)
{
    size_t at = head->lines_at;
    uint64_t names = 0;
    uint64_t repeated = 0;
    for (size_t i = 0; i < head->field_count; i++) {
        const struct adit_http_field *field = &ADIT_AT(head->fields, i);
        ADIT_ASSERT(field->line_end > at && field->line_end <= head->text.len);
        ADIT_ASSERT(field->known == adit_http_name_of(field->name));
        check_line(adit_bytes_from(adit_bytes_first(head->text, field->line_end), at), field);
        repeated |= names & adit_http_name_bit(field->known);
        names |= adit_http_name_bit(field->known);
        at = field->line_end;
    }
    ADIT_ASSERT(names == head->names && repeated == head->repeated);
}

static void check(const struct adit_http_head *head)
{
    ADIT_ASSERT(head->field_count <= ADIT_HTTP_FIELDS_MAX);
    ADIT_ASSERT(is_clean(head->target) && is_clean(head->reason));
    ADIT_ASSERT(head->method.len == 0 || adit_http_is_token(head->method));
    check_lines(head);
    for (size_t i = 0; i < head->field_count; i++) {
        const struct adit_http_field *field = &ADIT_AT(head->fields, i);
        ADIT_ASSERT(adit_http_is_token(field->name) && is_clean(field->value));
        ADIT_ASSERT(adit_http_field_count(head, field->name) >= 1);
        struct adit_bytes rest = field->value;
        struct adit_bytes element = {0};
        while (adit_http_list_next(&rest, &element)) {
            ADIT_ASSERT(element.len > 0);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct adit_reader input = adit_reader_of((struct adit_bytes){.ptr = data, .len = size});
    uint8_t kind = fuzz_byte(&input) % 3;
    size_t step = (size_t)1 + fuzz_byte(&input) % PIECE_MAX;
    struct adit_bytes text = input.rest;
    struct adit_http_scan scans[2] = {0};
    size_t used[2] = {0};
    enum adit_parse parsed[2] = {0};
    struct adit_status ends[2] = {0};
    for (size_t i = 0; i < 2; i++) { /* in pieces, then at once */
        size_t seen = i == 0 ? 0 : text.len;
        for (bool is_over = false; !is_over; seen += step) {
            struct adit_bytes bytes = adit_bytes_first(text, seen);
            ADIT_AT(ends, i) =
                kind == 2 ? adit_http_scan_trailers(&ADIT_AT(scans, i), bytes, &ADIT_AT(used, i),
                                                    &ADIT_AT(parsed, i))
                          : adit_http_scan_head(&ADIT_AT(scans, i), bytes, ADIT_HTTP_HEAD_BYTES_MAX,
                                                &ADIT_AT(used, i), &ADIT_AT(parsed, i));
            is_over = seen >= text.len || !adit_is_ok(ADIT_AT(ends, i)) ||
                      ADIT_AT(parsed, i) == ADIT_PARSE_FOUND;
        }
    }
    ADIT_ASSERT(adit_status_error(ADIT_AT(ends, 0)) == adit_status_error(ADIT_AT(ends, 1)));
    ADIT_ASSERT(ADIT_AT(ends, 0).detail == ADIT_AT(ends, 1).detail);
    ADIT_ASSERT(ADIT_AT(parsed, 0) == ADIT_AT(parsed, 1) && ADIT_AT(used, 0) == ADIT_AT(used, 1));
    struct adit_http_head head = {0};
    struct adit_bytes whole = adit_bytes_first(text, ADIT_AT(used, 0));
    struct adit_status status = kind == 0   ? adit_http_request_parse(text, &head)
                                : kind == 1 ? adit_http_response_parse(text, &head)
                                            : adit_http_trailers_parse(text, &head);
    if (kind != 2) { /* both at once find what the scan and the parse find one after the other */
        struct adit_http_head front = {0};
        struct adit_http_head parsed_front = {0};
        size_t taken = kind == 0 ? adit_http_request_take(text, &front)
                                 : adit_http_response_take(text, &front);
        bool is_good = ADIT_AT(parsed, 0) == ADIT_PARSE_FOUND &&
                       adit_is_ok(kind == 0 ? adit_http_request_parse(whole, &parsed_front)
                                            : adit_http_response_parse(whole, &parsed_front));
        ADIT_ASSERT(taken == (is_good ? whole.len : 0));
        ADIT_ASSERT(front.field_count == parsed_front.field_count);
        check(&front);
    }
    if (adit_is_ok(status)) { /* the whole input is one head: the scan must agree */
        ADIT_ASSERT(ADIT_AT(parsed, 0) == ADIT_PARSE_FOUND && whole.len == text.len);
        check(&head);
    } else {
        ADIT_ASSERT(status.detail != 0);
    }
    return 0;
}
