#include "http/forward.h"

#include "base/text.h"
#include "http/fields.h"
#include "http/framing.h"
#include "http/target.h"

static struct adit_status write_field(struct adit_writer *writer, struct adit_bytes name,
                                      struct adit_bytes value)
{
    ADIT_TRY(adit_write_bytes(writer, name));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES(": ")));
    ADIT_TRY(adit_write_bytes(writer, value));
    return adit_write_bytes(writer, ADIT_BYTES("\r\n"));
}

/* Lines as they came, between two offsets. */
static struct adit_status write_lines(struct adit_writer *writer, struct adit_bytes text,
                                      size_t begin, size_t end)
{
    return begin == end ? adit_ok()
                        : adit_write_bytes(writer,
                                           adit_bytes_from(adit_bytes_first(text, end), begin));
}

/* The one place that writes how a body ends. */
static struct adit_status write_framing(struct adit_writer *writer, enum adit_http_framing framing,
                                        uint64_t length)
{
    switch (framing) {
    case ADIT_HTTP_FRAMING_LENGTH:
        ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("Content-Length: ")));
        ADIT_TRY(adit_write_decimal(writer, length));
        return adit_write_bytes(writer, ADIT_BYTES("\r\n"));
    case ADIT_HTTP_FRAMING_CHUNKED:
        return adit_write_bytes(writer, ADIT_BYTES("Transfer-Encoding: chunked\r\n"));
    case ADIT_HTTP_FRAMING_NONE:
    case ADIT_HTTP_FRAMING_CLOSE:
    case ADIT_HTTP_FRAMING_SWITCH:
        return adit_ok();
    }
    ADIT_FAIL(INTERNAL, "a framing that there is not");
}

/* Which fields go on. */
struct choice {
    uint64_t left_out; /* known names that do not */
    const struct adit_http_options *options; /* nor those that Connection names; null: none */
    bool is_request;   /* nor what begins with X-Forwarded- */
    bool has_start;    /* the start line, and of a request Host, go on as they came */
};

/* What we write ourselves in a request, whatever came. */
static uint64_t names_ours(void)
{
    return adit_http_names_about_visitor() | adit_http_name_bit(ADIT_HTTP_NAME_HOST) |
           adit_http_name_bit(ADIT_HTTP_NAME_EXPECT);
}

/* Of all heads: what no hop keeps for itself; Trailer only with chunks. */
static uint64_t left_out(enum adit_http_framing framing)
{
    return adit_http_names_of_hop() | (framing == ADIT_HTTP_FRAMING_CHUNKED
                                           ? 0
                                           : adit_http_name_bit(ADIT_HTTP_NAME_TRAILER));
}

static bool travels(const struct adit_http_field *field, const struct choice *choice)
{
    if ((adit_http_name_bit(field->known) & choice->left_out) != 0 ||
        (choice->is_request && adit_http_is_forwarded(field))) {
        return false;
    }
    return !choice->options || field->known == ADIT_HTTP_NAME_TRAILER ||
           !adit_http_options_have(choice->options, field->name);
}

/* What goes on as it came lies one after the other: each run of it is written at once. */
static struct adit_status write_fields(struct adit_writer *writer,
                                       const struct adit_http_head *head,
                                       const struct choice *choice)
{
    size_t at = head->lines_at;                 /* the run: to here */
    size_t begun = choice->has_start ? 0 : at; /* from here */
    for (size_t i = 0; i < head->field_count; i++) {
        const struct adit_http_field *field = &ADIT_AT(head->fields, i);
        bool is_kept = (i == 0 && choice->is_request && choice->has_start) ||
                       travels(field, choice);
        if (!is_kept || !field->is_plain) {
            ADIT_TRY(write_lines(writer, head->text, begun, at));
            begun = field->line_end;
        }
        if (is_kept && !field->is_plain) {
            ADIT_TRY(write_field(writer, field->name, field->value));
        }
        at = field->line_end;
    }
    return write_lines(writer, head->text, begun, at);
}

/* for="[2001:db8::1]";proto=https;host="a.test:8443": RFC 7239 section 4. */
static struct adit_status write_forwarded(struct adit_writer *writer,
                                          const struct adit_http_visitor *visitor,
                                          struct adit_bytes host, bool is_token)
{
    struct adit_writer to = *writer;
    bool is_ipv6 = adit_bytes_find_near(visitor->address, ':') < visitor->address.len;
    ADIT_TRY(is_ipv6 ? adit_write_bytes(&to, ADIT_BYTES("Forwarded: for=\"["))
                     : adit_write_bytes(&to, ADIT_BYTES("Forwarded: for=")));
    ADIT_TRY(adit_write_bytes(&to, visitor->address));
    if (is_ipv6) {
        ADIT_TRY(adit_write_bytes(&to, ADIT_BYTES("]\"")));
    }
    ADIT_TRY(visitor->is_secure ? adit_write_bytes(&to, ADIT_BYTES(";proto=https;host="))
                                : adit_write_bytes(&to, ADIT_BYTES(";proto=http;host=")));
    if (!is_token) {
        ADIT_TRY(adit_write_bytes(&to, ADIT_BYTES("\"")));
    }
    ADIT_TRY(adit_write_bytes(&to, host));
    ADIT_TRY(is_token ? adit_write_bytes(&to, ADIT_BYTES("\r\n"))
                      : adit_write_bytes(&to, ADIT_BYTES("\"\r\n")));
    *writer = to;
    return adit_ok();
}

/* `to` is a copy: what is written changes no memory that the compiler must look at again. */
static struct adit_status write_visitor(struct adit_writer *writer,
                                        const struct adit_http_visitor *visitor,
                                        struct adit_bytes host, bool is_token)
{
    struct adit_writer to = *writer;
    ADIT_TRY(adit_write_bytes(&to, ADIT_BYTES("X-Forwarded-For: ")));
    ADIT_TRY(adit_write_bytes(&to, visitor->address));
    ADIT_TRY(visitor->is_secure
                 ? adit_write_bytes(&to, ADIT_BYTES("\r\nX-Forwarded-Proto: https\r\n"
                                                    "X-Forwarded-Host: "))
                 : adit_write_bytes(&to, ADIT_BYTES("\r\nX-Forwarded-Proto: http\r\n"
                                                    "X-Forwarded-Host: ")));
    ADIT_TRY(adit_write_bytes(&to, host));
    ADIT_TRY(adit_write_bytes(&to, ADIT_BYTES("\r\n")));
    *writer = to;
    return write_forwarded(writer, visitor, host, is_token);
}

/* A target that is no path. */
static struct adit_status write_target(struct adit_writer *writer, struct adit_bytes text)
{
    struct adit_http_target target = {0};
    ADIT_TRY(adit_http_target_split(text, &target));
    if (!adit_bytes_starts_with(target.origin, ADIT_BYTES("/")) &&
        target.form == ADIT_HTTP_TARGET_ABSOLUTE) {
        ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("/")));
    }
    return adit_write_bytes(writer, target.origin);
}

/* Does the head begin as we write it, Host first? */
static bool begins_as_ours(const struct adit_http_head *head, const struct adit_http_field *host,
                           const struct adit_http_visitor *visitor)
{
    return head->is_plain && host == &ADIT_AT(head->fields, 0) && host->is_plain &&
           visitor->host_header.len == 0 && adit_bytes_equal(host->name, ADIT_BYTES("Host")) &&
           adit_bytes_starts_with(head->target, ADIT_BYTES("/"));
}

static struct adit_status write_request_line(struct adit_writer *writer,
                                             const struct adit_http_head *head,
                                             struct adit_bytes host)
{
    ADIT_TRY(adit_write_bytes(writer, head->method));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES(" ")));
    ADIT_TRY(adit_bytes_starts_with(head->target, ADIT_BYTES("/"))
                 ? adit_write_bytes(writer, head->target)
                 : write_target(writer, head->target));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES(" HTTP/1.1\r\n")));
    return write_field(writer, ADIT_BYTES("Host"), host);
}

/* What is for the next hop. */
static struct adit_status write_hop(struct adit_writer *writer,
                                    const struct adit_http_request *request)
{
    if (request->expects_continue) {
        ADIT_TRY(write_field(writer, ADIT_BYTES("Expect"), ADIT_BYTES("100-continue")));
    }
    if (request->takes_trailers) {
        ADIT_TRY(write_field(writer, ADIT_BYTES("TE"), ADIT_BYTES("trailers")));
    }
    if (request->is_upgrade) {
        ADIT_TRY(write_field(writer, ADIT_BYTES("Upgrade"), ADIT_BYTES("websocket")));
        return write_field(writer, ADIT_BYTES("Connection"),
                           request->takes_trailers ? ADIT_BYTES("upgrade, TE")
                                                   : ADIT_BYTES("upgrade"));
    }
    return request->takes_trailers ? write_field(writer, ADIT_BYTES("Connection"), ADIT_BYTES("TE"))
                                   : adit_ok();
}

/* The agent chose it: no space, no end of line. */
static bool is_plain(struct adit_bytes host_header)
{
    for (size_t i = 0; i < host_header.len; i++) {
        if (adit_bytes_at(host_header, i) <= ' ' || adit_bytes_at(host_header, i) >= 0x7f) {
            return false;
        }
    }
    return true;
}

static struct adit_status request_write(struct adit_writer *writer,
                                        const struct adit_http_head *head,
                                        const struct adit_http_request *request,
                                        const struct adit_http_visitor *visitor,
                                        const struct adit_http_options *options)
{
    const struct adit_http_field *host = adit_http_field_of(head, ADIT_HTTP_NAME_HOST);
    ADIT_ENSURE(host, INVALID, "a request without Host");
    ADIT_ENSURE(is_plain(visitor->host_header), INVALID, "a host header that breaks its line");
    const struct choice choice = {.left_out = left_out(request->framing) | names_ours(),
                                  .options = options,
                                  .is_request = true,
                                  .has_start = begins_as_ours(head, host, visitor)};
    if (!choice.has_start) {
        ADIT_TRY(write_request_line(writer, head,
                                    visitor->host_header.len > 0 ? visitor->host_header
                                                                 : host->value));
    }
    ADIT_TRY(write_fields(writer, head, &choice));
    ADIT_TRY(write_visitor(writer, visitor, host->value, request->is_host_token));
    ADIT_TRY(write_framing(writer, request->framing, request->length));
    ADIT_TRY(write_hop(writer, request));
    return adit_write_bytes(writer, ADIT_BYTES("\r\n"));
}

/* With a Connection field: what it names is gathered in half a KiB that most heads do not need. */
static struct adit_status request_write_connected(struct adit_writer *writer,
                                                  const struct adit_http_head *head,
                                                  const struct adit_http_request *request,
                                                  const struct adit_http_visitor *visitor)
{
    struct adit_http_options options = {0};
    ADIT_TRY(adit_http_options_gather(head, &options));
    return request_write(writer, head, request, visitor, &options);
}

/* Where it failed, nothing was appended. */
static struct adit_status undo(struct adit_writer *writer, size_t len, struct adit_status status)
{
    writer->len = adit_is_ok(status) ? writer->len : len;
    return status;
}

struct adit_status adit_http_request_write(struct adit_writer *writer,
                                           const struct adit_http_head *head,
                                           const struct adit_http_request *request,
                                           const struct adit_http_visitor *visitor)
{
    size_t len = writer->len;
    return undo(writer, len,
                adit_http_field_is_there(head, ADIT_HTTP_NAME_CONNECTION)
                    ? request_write_connected(writer, head, request, visitor)
                    : request_write(writer, head, request, visitor, NULL));
}

/* The length that an answer without a body would have had: to HEAD, or a 304. */
static struct adit_status write_length_of_nothing(struct adit_writer *writer,
                                                  const struct adit_http_head *head)
{
    struct adit_http_frame frame = {0};
    if (head->status < 200 || head->status == 204) {
        return adit_ok();
    }
    ADIT_TRY(adit_http_frame_response(head, &frame));
    return frame.framing == ADIT_HTTP_FRAMING_LENGTH
               ? write_framing(writer, frame.framing, frame.length)
               : adit_ok();
}

static struct adit_status write_response_hop(struct adit_writer *writer,
                                             const struct adit_http_reply *reply)
{
    if (reply->framing == ADIT_HTTP_FRAMING_SWITCH) {
        ADIT_TRY(write_field(writer, ADIT_BYTES("Upgrade"), ADIT_BYTES("websocket")));
        return write_field(writer, ADIT_BYTES("Connection"), ADIT_BYTES("upgrade"));
    }
    if (reply->is_closing || reply->framing == ADIT_HTTP_FRAMING_CLOSE) {
        return write_field(writer, ADIT_BYTES("Connection"), ADIT_BYTES("close"));
    }
    return adit_ok();
}

static struct adit_status write_status_line(struct adit_writer *writer,
                                            const struct adit_http_head *head)
{
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("HTTP/1.1 ")));
    ADIT_TRY(adit_write_decimal(writer, head->status));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES(" ")));
    ADIT_TRY(adit_write_bytes(writer, head->reason));
    return adit_write_bytes(writer, ADIT_BYTES("\r\n"));
}

static struct adit_status response_write(struct adit_writer *writer,
                                         const struct adit_http_head *head,
                                         const struct adit_http_reply *reply,
                                         const struct adit_http_options *options)
{
    const struct choice choice = {
        .left_out = left_out(reply->framing) | adit_http_name_bit(ADIT_HTTP_NAME_ADIT_ERROR),
        .options = options,
        .has_start = head->is_plain};
    if (!choice.has_start) {
        ADIT_TRY(write_status_line(writer, head));
    }
    ADIT_TRY(write_fields(writer, head, &choice));
    if (reply->framing == ADIT_HTTP_FRAMING_NONE) {
        ADIT_TRY(write_length_of_nothing(writer, head));
    }
    ADIT_TRY(write_framing(writer, reply->framing, reply->length));
    ADIT_TRY(write_response_hop(writer, reply));
    return adit_write_bytes(writer, ADIT_BYTES("\r\n"));
}

static struct adit_status response_write_connected(struct adit_writer *writer,
                                                   const struct adit_http_head *head,
                                                   const struct adit_http_reply *reply)
{
    struct adit_http_options options = {0};
    ADIT_TRY(adit_http_options_gather(head, &options));
    return response_write(writer, head, reply, &options);
}

struct adit_status adit_http_response_write(struct adit_writer *writer,
                                            const struct adit_http_head *head,
                                            const struct adit_http_reply *reply)
{
    size_t len = writer->len;
    return undo(writer, len,
                adit_http_field_is_there(head, ADIT_HTTP_NAME_CONNECTION)
                    ? response_write_connected(writer, head, reply)
                    : response_write(writer, head, reply, NULL));
}

static struct adit_status trailers_write(struct adit_writer *writer,
                                         const struct adit_http_head *trailers)
{
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("0\r\n")));
    for (size_t i = 0; trailers && i < trailers->field_count; i++) {
        const struct adit_http_field *field = &ADIT_AT(trailers->fields, i);
        if (!adit_http_is_barred_from_trailers(field)) {
            ADIT_TRY(write_field(writer, field->name, field->value));
        }
    }
    return adit_write_bytes(writer, ADIT_BYTES("\r\n"));
}

struct adit_status adit_http_trailers_write(struct adit_writer *writer,
                                            const struct adit_http_head *trailers)
{
    size_t len = writer->len;
    return undo(writer, len, trailers_write(writer, trailers));
}
