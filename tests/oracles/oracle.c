/* oracle: what we read in connections' worth of requests, or in the answers of programs, for
 * comparison with other readers.
 *
 *     http-oracle requests|responses FILE
 *
 * FILE holds records, a 32-bit big-endian length and that many bytes: what one visitor sends. For
 * each record it prints, bytes in hexadecimal:
 *     case
 *     request METHOD TARGET         of each request that we accept, in order
 *     empty_line BYTES              where one was stepped over before it
 *     field NAME VALUE              its fields
 *     body BYTES                    its body, once its end is seen
 *     trailer NAME VALUE
 *     forward BYTES                 the request as it goes to a program
 *     end good|more|close|CODE      nothing left; cut; no next request; the error that answers
 * Of responses a record is H (of HEAD) or G, and what a program sends until it closes:
 *     interims COUNT                1xx before it, stepped over
 *     left BYTES                    after the answer; nobody gets them
 *     response STATUS REASON        its answer; then as above, `forward` as a visitor gets it */
#include <stdio.h>

#include "http/body.h"
#include "http/forward.h"

#define FILE_MAX (64u << 20)
#define RECORD_MAX (128u << 10)

struct oracle {
    struct adit_bytes rest;
    struct adit_writer body, forward; /* of the message at hand */
    size_t interims;
};

static void print_hex(struct adit_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        (void)printf("%02x", adit_bytes_at(bytes, i));
    }
}

static void print_line(const char *word, struct adit_bytes first, struct adit_bytes second)
{
    (void)printf("%s ", word);
    print_hex(first);
    (void)printf(" ");
    print_hex(second);
    (void)printf("\n");
}

static void print_fields(const char *word, const struct adit_http_head *head)
{
    for (size_t i = 0; i < head->field_count; i++) {
        const struct adit_http_field *field = &ADIT_AT(head->fields, i);
        print_line(word, field->name, field->value);
    }
}

/* How one request ended: with its end, for lack of bytes, or with an error. */
enum oracle_end { ORACLE_WHOLE, ORACLE_MORE, ORACLE_REFUSED };

static enum oracle_end refused(struct adit_status status)
{
    enum adit_http_error error = adit_status_error(status) == ADIT_ERROR_REFUSED
                                     ? (enum adit_http_error)status.detail
                                     : adit_http_error_of(status);
    struct adit_bytes code = adit_http_error_code(error);
    (void)printf("end %.*s\n", (int)code.len, (const char *)code.ptr);
    return ORACLE_REFUSED;
}

static enum oracle_end read_head(struct oracle *oracle, struct adit_http_head *head,
                                 struct adit_http_request *request)
{
    struct adit_http_scan scan = {0};
    size_t used = 0;
    enum adit_parse parse = ADIT_PARSE_MORE;
    struct adit_status status =
        adit_http_scan_head(&scan, oracle->rest, ADIT_HTTP_HEAD_BYTES_MAX, &used, &parse);
    if (adit_is_ok(status) && parse == ADIT_PARSE_MORE) {
        return ORACLE_MORE;
    }
    if (adit_is_ok(status)) {
        status = adit_http_request_parse(adit_bytes_first(oracle->rest, used), head);
    }
    if (adit_is_ok(status)) {
        status = adit_http_request_judge(head, request);
    }
    if (!adit_is_ok(status)) {
        return refused(status);
    }
    bool has_empty_line = adit_bytes_starts_with(oracle->rest, ADIT_BYTES("\r\n"));
    oracle->rest = adit_bytes_from(oracle->rest, used);
    print_line("request", head->method, head->target);
    if (has_empty_line) {
        print_line("empty_line", ADIT_BYTES("\r\n"), ADIT_BYTES(""));
    }
    print_fields("field", head);
    return ORACLE_WHOLE;
}

static struct adit_status read_payload(struct oracle *oracle, struct adit_http_body *body)
{
    bool is_chunked = body->framing == ADIT_HTTP_FRAMING_CHUNKED ||
                      body->framing == ADIT_HTTP_FRAMING_CLOSE;
    while (body->state == ADIT_HTTP_BODY_MORE && oracle->rest.len > 0) {
        struct adit_bytes payload = {0};
        ADIT_TRY(adit_http_body_read(body, &oracle->rest, &payload));
        ADIT_TRY(adit_write_bytes(&oracle->body, payload));
        if (is_chunked && payload.len > 0) {
            ADIT_TRY(adit_http_chunk_head_write(&oracle->forward, payload.len));
        }
        ADIT_TRY(adit_write_bytes(&oracle->forward, payload));
        if (is_chunked && payload.len > 0) {
            ADIT_TRY(adit_write_bytes(&oracle->forward, ADIT_BYTES("\r\n")));
        }
    }
    return adit_ok();
}

/* The trailer section; *out_is_more where it is cut. */
static struct adit_status read_trailers(struct oracle *oracle, struct adit_http_body *body,
                                        struct adit_http_head *trailers, bool *out_is_more)
{
    struct adit_http_scan scan = {0};
    size_t used = 0;
    enum adit_parse parse = ADIT_PARSE_MORE;
    ADIT_TRY(adit_http_scan_trailers(&scan, oracle->rest, &used, &parse));
    if (parse == ADIT_PARSE_MORE) {
        *out_is_more = true;
        return adit_ok();
    }
    ADIT_TRY(adit_http_trailers_parse(adit_bytes_first(oracle->rest, used), trailers));
    oracle->rest = adit_bytes_from(oracle->rest, used);
    adit_http_body_trailers_done(body);
    return adit_http_trailers_write(&oracle->forward, trailers);
}

static enum oracle_end read_body(struct oracle *oracle, enum adit_http_framing framing,
                                 uint64_t length, bool is_forwarded)
{
    struct adit_http_body body = {0};
    struct adit_http_head trailers = {0};
    bool is_more = false;
    adit_http_body_init(&body, framing, length);
    struct adit_status status = read_payload(oracle, &body);
    if (adit_is_ok(status) && body.state == ADIT_HTTP_BODY_TRAILERS) {
        status = read_trailers(oracle, &body, &trailers, &is_more);
    }
    if (!adit_is_ok(status)) {
        return refused(status);
    }
    if (!adit_http_body_is_whole(&body)) {
        return ORACLE_MORE;
    }
    print_line("body", adit_writer_bytes(&oracle->body), ADIT_BYTES(""));
    print_fields("trailer", &trailers);
    if (framing == ADIT_HTTP_FRAMING_CLOSE && adit_is_ok(status)) {
        status = adit_http_trailers_write(&oracle->forward, NULL);
    }
    if (is_forwarded) {
        print_line("forward", adit_writer_bytes(&oracle->forward), ADIT_BYTES(""));
    }
    return ORACLE_WHOLE;
}

static enum oracle_end read_response_head(struct oracle *oracle, struct adit_http_head *head,
                                          const struct adit_http_request *request,
                                          struct adit_http_response *response)
{
    struct adit_http_scan scan = {0};
    size_t used = 0;
    enum adit_parse parse = ADIT_PARSE_MORE;
    struct adit_status status =
        adit_http_scan_head(&scan, oracle->rest, ADIT_HTTP_HEAD_BYTES_MAX, &used, &parse);
    if (adit_is_ok(status) && parse == ADIT_PARSE_MORE) {
        return ORACLE_MORE;
    }
    if (adit_is_ok(status)) {
        status = adit_http_response_parse(adit_bytes_first(oracle->rest, used), head);
    }
    if (adit_is_ok(status)) {
        status = adit_http_response_judge(head, request, response);
    }
    if (!adit_is_ok(status)) {
        return refused(status);
    }
    oracle->rest = adit_bytes_from(oracle->rest, used);
    if (response->is_interim) {
        oracle->interims++;
        return ORACLE_WHOLE;
    }
    uint8_t number[4] = {0};
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(number));
    adit_status_ignore(adit_write_decimal(&text, head->status), "three digits fit");
    print_line("response", adit_writer_bytes(&text), head->reason);
    (void)printf("interims %02zx\n", oracle->interims);
    print_fields("field", head);
    return ORACLE_WHOLE;
}

/* The way of a head as the proxy takes it: what ends with the connection is chunked from here. */
static struct adit_status write_response(struct oracle *oracle, const struct adit_http_head *head,
                                         const struct adit_http_response *response)
{
    const struct adit_http_reply reply = {
        .framing = response->framing == ADIT_HTTP_FRAMING_CLOSE ? ADIT_HTTP_FRAMING_CHUNKED
                                                                : response->framing,
        .length = response->length,
    };
    return adit_http_response_write(&oracle->forward, head, &reply);
}

static void read_response(struct oracle *oracle)
{
    struct adit_http_head head = {0};
    struct adit_http_response response = {.is_interim = true};
    struct adit_http_request request = {.version_minor = 1};
    request.is_head = adit_bytes_starts_with(oracle->rest, ADIT_BYTES("H"));
    oracle->rest = adit_bytes_from(oracle->rest, 1);
    oracle->body.len = 0;
    oracle->forward.len = 0;
    oracle->interims = 0;
    enum oracle_end end = ORACLE_WHOLE;
    while (end == ORACLE_WHOLE && response.is_interim) {
        end = read_response_head(oracle, &head, &request, &response);
    }
    if (end == ORACLE_WHOLE) {
        struct adit_status status = write_response(oracle, &head, &response);
        end = adit_is_ok(status) ? read_body(oracle, response.framing, response.length, true)
                                 : refused(status);
    }
    if (end == ORACLE_WHOLE && oracle->rest.len > 0) {
        print_line("left", oracle->rest, ADIT_BYTES(""));
    }
    if (end != ORACLE_REFUSED) {
        (void)printf("end %s\n", end == ORACLE_MORE ? "more" : "good");
    }
}

/* True: go on with the next request. */
static bool read_request(struct oracle *oracle)
{
    const struct adit_http_visitor visitor = {.address = ADIT_BYTES("2001:db8::1")};
    struct adit_http_head head = {0};
    struct adit_http_request request = {0};
    oracle->body.len = 0;
    oracle->forward.len = 0;
    enum oracle_end end = read_head(oracle, &head, &request);
    if (end == ORACLE_WHOLE) {
        struct adit_status status = adit_ok();
        if (!request.is_options_all) {
            status = adit_http_request_write(&oracle->forward, &head, &request, &visitor);
        }
        end = adit_is_ok(status) ? read_body(oracle, request.framing, request.length,
                                             !request.is_options_all) /* we answer that */
                                 : refused(status);
    }
    bool has_next = request.is_persistent && !request.is_upgrade;
    if (end == ORACLE_MORE) {
        (void)printf("end more\n");
    } else if (end == ORACLE_WHOLE && !has_next) {
        (void)printf("end close\n");
    } else if (end == ORACLE_WHOLE && oracle->rest.len == 0) {
        (void)printf("end good\n");
    }
    return end == ORACLE_WHOLE && has_next && oracle->rest.len > 0;
}

static struct adit_status read_records(struct adit_bytes file, bool is_response,
                                       struct oracle *oracle)
{
    struct adit_reader reader = adit_reader_of(file);
    while (reader.rest.len > 0) {
        uint32_t len = 0;
        ADIT_TRY(adit_read_u32(&reader, &len));
        ADIT_ENSURE(len > 0 && len <= RECORD_MAX, LIMIT, "a record over the limit");
        ADIT_TRY(adit_read_bytes(&reader, len, &oracle->rest));
        (void)printf("case\n");
        if (is_response) {
            read_response(oracle);
        }
        while (!is_response && read_request(oracle)) {
        }
    }
    return adit_ok();
}

static struct adit_status compare(bool is_response, const char *path, struct adit_span memories[3])
{
    struct adit_writer file = {0};
    struct oracle oracle = {0};
    struct adit_span *whole = &ADIT_SLOT(memories, 3, 0);
    struct adit_span *body = &ADIT_SLOT(memories, 3, 1);
    struct adit_span *forward = &ADIT_SLOT(memories, 3, 2);
    ADIT_TRY(adit_memory_open(FILE_MAX, 1, whole));
    ADIT_TRY(adit_memory_open(RECORD_MAX, 1, body));
    ADIT_TRY(adit_memory_open((size_t)RECORD_MAX * 8, 1, forward)); /* chunks may be of one byte */
    file = adit_writer_of(*whole);
    oracle.body = adit_writer_of(*body);
    oracle.forward = adit_writer_of(*forward);
    ADIT_TRY(adit_file_read(path, &file));
    return read_records(adit_writer_bytes(&file), is_response, &oracle);
}

int main(int argc, char **argv)
{
    struct adit_span memories[3] = {0};
    if (argc != 3) {
        (void)fprintf(stderr, "usage: http-oracle requests|responses FILE\n");
        return 2;
    }
    bool is_response = adit_bytes_equal(adit_bytes_of_text(ADIT_SLOT(argv, 3, 1)),
                                        ADIT_BYTES("responses"));
    struct adit_status status = compare(is_response, ADIT_SLOT(argv, 3, 2), memories);
    for (size_t i = 0; i < ADIT_COUNT(memories); i++) {
        adit_memory_close(&ADIT_AT(memories, i));
    }
    if (!adit_is_ok(status)) {
        (void)fprintf(stderr, "http-oracle: %s\n", adit_status_what(status));
        return 1;
    }
    return 0;
}
