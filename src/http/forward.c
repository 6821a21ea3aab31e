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

/* Fields that no hop and no Connection field keeps for itself; Trailer only with chunks. */
static bool travels(struct adit_bytes name, const struct adit_http_options *options,
                    enum adit_http_framing framing)
{
    if (adit_bytes_equal_nocase(name, ADIT_BYTES("trailer"))) {
        return framing == ADIT_HTTP_FRAMING_CHUNKED;
    }
    return !adit_http_is_hop_by_hop(name) && !adit_http_options_have(options, name);
}

/* What we write ourselves in a request, whatever came. */
static bool is_ours(struct adit_bytes name)
{
    return adit_bytes_equal_nocase(name, ADIT_BYTES("host")) ||
           adit_bytes_equal_nocase(name, ADIT_BYTES("expect")) || adit_http_is_about_visitor(name);
}

/* for="[2001:db8::1]";proto=https;host="a.test:8443": RFC 7239 section 4. */
static struct adit_status write_forwarded(struct adit_writer *writer,
                                          const struct adit_http_visitor *visitor,
                                          struct adit_bytes host)
{
    bool is_ipv6 = adit_bytes_find(visitor->address, ':') < visitor->address.len;
    bool is_token = adit_http_is_token(host);
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("Forwarded: for=")));
    ADIT_TRY(adit_write_bytes(writer, is_ipv6 ? ADIT_BYTES("\"[") : ADIT_BYTES("")));
    ADIT_TRY(adit_write_bytes(writer, visitor->address));
    ADIT_TRY(adit_write_bytes(writer, is_ipv6 ? ADIT_BYTES("]\"") : ADIT_BYTES("")));
    ADIT_TRY(adit_write_bytes(writer, visitor->is_secure ? ADIT_BYTES(";proto=https;host=")
                                                         : ADIT_BYTES(";proto=http;host=")));
    ADIT_TRY(adit_write_bytes(writer, is_token ? ADIT_BYTES("") : ADIT_BYTES("\"")));
    ADIT_TRY(adit_write_bytes(writer, host));
    return adit_write_bytes(writer, is_token ? ADIT_BYTES("\r\n") : ADIT_BYTES("\"\r\n"));
}

static struct adit_status write_visitor(struct adit_writer *writer,
                                        const struct adit_http_visitor *visitor,
                                        struct adit_bytes host)
{
    ADIT_TRY(write_field(writer, ADIT_BYTES("X-Forwarded-For"), visitor->address));
    ADIT_TRY(write_field(writer, ADIT_BYTES("X-Forwarded-Proto"),
                         visitor->is_secure ? ADIT_BYTES("https") : ADIT_BYTES("http")));
    ADIT_TRY(write_field(writer, ADIT_BYTES("X-Forwarded-Host"), host));
    return write_forwarded(writer, visitor, host);
}

static struct adit_status write_request_line(struct adit_writer *writer,
                                             const struct adit_http_head *head)
{
    struct adit_http_target target = {0};
    ADIT_TRY(adit_http_target_split(head->target, &target));
    ADIT_TRY(adit_write_bytes(writer, head->method));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES(" ")));
    if (!adit_bytes_starts_with(target.origin, ADIT_BYTES("/")) &&
        target.form == ADIT_HTTP_TARGET_ABSOLUTE) {
        ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("/")));
    }
    ADIT_TRY(adit_write_bytes(writer, target.origin));
    return adit_write_bytes(writer, ADIT_BYTES(" HTTP/1.1\r\n"));
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
                                        const struct adit_http_visitor *visitor)
{
    struct adit_http_options options = {0};
    const struct adit_http_field *host = adit_http_field_find(head, ADIT_BYTES("host"));
    ADIT_ENSURE(host, INVALID, "a request without Host");
    ADIT_ENSURE(is_plain(visitor->host_header), INVALID, "a host header that breaks its line");
    ADIT_TRY(adit_http_options_gather(head, &options));
    ADIT_TRY(write_request_line(writer, head));
    ADIT_TRY(write_field(writer, ADIT_BYTES("Host"),
                         visitor->host_header.len > 0 ? visitor->host_header : host->value));
    for (size_t i = 0; i < head->field_count; i++) {
        const struct adit_http_field *field = &ADIT_AT(head->fields, i);
        if (travels(field->name, &options, request->framing) && !is_ours(field->name)) {
            ADIT_TRY(write_field(writer, field->name, field->value));
        }
    }
    ADIT_TRY(write_visitor(writer, visitor, host->value));
    ADIT_TRY(write_framing(writer, request->framing, request->length));
    ADIT_TRY(write_hop(writer, request));
    return adit_write_bytes(writer, ADIT_BYTES("\r\n"));
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
    return undo(writer, len, request_write(writer, head, request, visitor));
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

static struct adit_status response_write(struct adit_writer *writer,
                                         const struct adit_http_head *head,
                                         const struct adit_http_reply *reply)
{
    struct adit_http_options options = {0};
    ADIT_TRY(adit_http_options_gather(head, &options));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("HTTP/1.1 ")));
    ADIT_TRY(adit_write_decimal(writer, head->status));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES(" ")));
    ADIT_TRY(adit_write_bytes(writer, head->reason));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("\r\n")));
    for (size_t i = 0; i < head->field_count; i++) {
        const struct adit_http_field *field = &ADIT_AT(head->fields, i);
        if (travels(field->name, &options, reply->framing) &&
            !adit_bytes_equal_nocase(field->name, ADIT_BYTES("adit-error"))) {
            ADIT_TRY(write_field(writer, field->name, field->value));
        }
    }
    if (reply->framing == ADIT_HTTP_FRAMING_NONE) {
        ADIT_TRY(write_length_of_nothing(writer, head));
    }
    ADIT_TRY(write_framing(writer, reply->framing, reply->length));
    ADIT_TRY(write_response_hop(writer, reply));
    return adit_write_bytes(writer, ADIT_BYTES("\r\n"));
}

struct adit_status adit_http_response_write(struct adit_writer *writer,
                                            const struct adit_http_head *head,
                                            const struct adit_http_reply *reply)
{
    size_t len = writer->len;
    return undo(writer, len, response_write(writer, head, reply));
}

static struct adit_status trailers_write(struct adit_writer *writer,
                                         const struct adit_http_head *trailers)
{
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("0\r\n")));
    for (size_t i = 0; trailers && i < trailers->field_count; i++) {
        const struct adit_http_field *field = &ADIT_AT(trailers->fields, i);
        if (!adit_http_is_barred_from_trailers(field->name)) {
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
