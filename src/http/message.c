#include "http/message.h"

#include "http/fields.h"
#include "http/framing.h"
#include "http/target.h"

#define KEY_BYTES 24 /* of Sec-WebSocket-Key: 16 bytes in base64 */
#define ACCEPT_ELEMENTS_MAX 64

static struct adit_status method_judge(struct adit_bytes method, struct adit_http_request *request)
{
    if (adit_bytes_equal(method, ADIT_BYTES("CONNECT")) ||
        adit_bytes_equal(method, ADIT_BYTES("TRACE"))) {
        ADIT_FAIL_WITH(REFUSED, "a method that is not passed on",
                       ADIT_HTTP_ERROR_METHOD_NOT_ALLOWED);
    }
    request->is_head = adit_bytes_equal(method, ADIT_BYTES("HEAD"));
    request->is_repeatable = request->is_head || adit_bytes_equal(method, ADIT_BYTES("GET")) ||
                             adit_bytes_equal(method, ADIT_BYTES("OPTIONS")) ||
                             adit_bytes_equal(method, ADIT_BYTES("PUT")) ||
                             adit_bytes_equal(method, ADIT_BYTES("DELETE"));
    return adit_ok();
}

/* The port, or 0 where it is the one that the scheme has anyway. */
static uint16_t port_of(const struct adit_http_authority *authority, bool is_https)
{
    return authority->port == (is_https ? 443 : 80) ? 0 : authority->port;
}

/* The authority of an absolute target is the host, and Host has to say the same. */
static struct adit_status absolute_judge(const struct adit_http_target *target,
                                         const struct adit_http_authority *host)
{
    struct adit_http_authority authority = {0};
    ADIT_TRY(adit_http_authority_split(target->authority, &authority));
    ADIT_ENSURE(adit_bytes_equal_nocase(authority.host, host->host), INVALID, "two hosts");
    ADIT_ENSURE(port_of(&authority, target->is_https) == port_of(host, target->is_https), INVALID,
                "two ports");
    return adit_ok();
}

/* A target that is no path. */
static struct adit_status target_judge(const struct adit_http_head *head,
                                       const struct adit_http_authority *host,
                                       struct adit_http_request *request)
{
    struct adit_http_target target = {0};
    ADIT_TRY(adit_http_target_split(head->target, &target));
    bool is_options = adit_bytes_equal(head->method, ADIT_BYTES("OPTIONS"));
    switch (target.form) {
    case ADIT_HTTP_TARGET_ORIGIN:
        break;
    case ADIT_HTTP_TARGET_ABSOLUTE:
        ADIT_TRY(absolute_judge(&target, host));
        request->is_options_all = is_options && target.origin.len == 0;
        break;
    case ADIT_HTTP_TARGET_ASTERISK:
        ADIT_ENSURE(is_options, INVALID, "a target that only OPTIONS has");
        request->is_options_all = true;
        break;
    }
    return adit_ok();
}

static struct adit_status host_judge(const struct adit_http_head *head,
                                     struct adit_http_request *request)
{
    const struct adit_http_field *field = adit_http_field_of(head, ADIT_HTTP_NAME_HOST);
    struct adit_http_authority host = {0};
    ADIT_ENSURE(field && !adit_http_field_is_repeated(head, ADIT_HTTP_NAME_HOST), INVALID,
                "not exactly one Host field");
    ADIT_TRY(adit_http_authority_split(field->value, &host));
    if (!adit_bytes_starts_with(head->target, ADIT_BYTES("/"))) {
        ADIT_TRY(target_judge(head, &host, request));
    }
    request->is_host_token = host.is_name && host.port == 0;
    return ADIT_FIELD_SET_LOWER(request->host, host.host);
}

static struct adit_status body_judge(const struct adit_http_head *head,
                                     struct adit_http_request *request)
{
    struct adit_http_frame frame = {0};
    ADIT_TRY(adit_http_frame_request(head, &frame));
    bool has_body = frame.framing == ADIT_HTTP_FRAMING_CHUNKED || frame.length > 0;
    request->framing = frame.framing;
    request->length = frame.length;
    request->is_repeatable &= !has_body;
    if (adit_http_field_is_there(head, ADIT_HTTP_NAME_EXPECT)) {
        if (!adit_http_field_is(head, ADIT_HTTP_NAME_EXPECT, ADIT_BYTES("100-continue"))) {
            ADIT_FAIL_WITH(REFUSED, "an expectation other than 100-continue",
                           ADIT_HTTP_ERROR_EXPECTATION_FAILED);
        }
        request->expects_continue = has_body && head->version_minor > 0;
    }
    return adit_ok();
}

static bool is_base64(uint8_t byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           (byte >= '0' && byte <= '9') || byte == '+' || byte == '/';
}

static bool has_websocket_key(const struct adit_http_head *head)
{
    const enum adit_http_name name = ADIT_HTTP_NAME_SEC_WEBSOCKET_KEY;
    const struct adit_http_field *field = adit_http_field_of(head, name);
    if (!field || adit_http_field_is_repeated(head, name) || field->value.len != KEY_BYTES ||
        !adit_bytes_ends_with(field->value, ADIT_BYTES("=="))) {
        return false;
    }
    for (size_t i = 0; i < KEY_BYTES - 2; i++) {
        if (!is_base64(adit_bytes_at(field->value, i))) {
            return false;
        }
    }
    return true;
}

/* RFC 6455 section 4.1. */
static bool is_websocket(const struct adit_http_head *head)
{
    return head->version_minor > 0 && adit_bytes_equal(head->method, ADIT_BYTES("GET")) &&
           adit_http_field_is(head, ADIT_HTTP_NAME_UPGRADE, ADIT_BYTES("websocket")) &&
           adit_http_field_is(head, ADIT_HTTP_NAME_SEC_WEBSOCKET_VERSION, ADIT_BYTES("13")) &&
           has_websocket_key(head);
}

/* The media range of an element of Accept, without its parameters. */
static struct adit_bytes range_of(struct adit_bytes element)
{
    struct adit_bytes range = adit_bytes_first(element, adit_bytes_find(element, ';'));
    struct adit_bytes one = {0};
    return adit_http_list_next(&range, &one) ? one : range;
}

/* Which comes first, JSON or something that a page would do for? Quality values are not weighed. */
static bool prefers_json(const struct adit_http_head *head)
{
    const struct adit_http_field *field = adit_http_field_of(head, ADIT_HTTP_NAME_ACCEPT);
    if (!field) {
        return false;
    }
    struct adit_bytes rest = field->value;
    struct adit_bytes element = {0};
    for (size_t i = 0; i < ACCEPT_ELEMENTS_MAX && adit_http_list_next(&rest, &element); i++) {
        struct adit_bytes range = range_of(element);
        if (adit_bytes_equal_nocase(range, ADIT_BYTES("application/json"))) {
            return true;
        }
        if (adit_bytes_equal_nocase(range, ADIT_BYTES("text/html")) ||
            adit_bytes_ends_with(range, ADIT_BYTES("/*"))) {
            return false;
        }
    }
    return false;
}

static struct adit_status request_judge(const struct adit_http_head *head,
                                        struct adit_http_request *request)
{
    struct adit_http_connection connection = {0};
    ADIT_TRY(method_judge(head->method, request));
    if (!adit_is_ok(host_judge(head, request))) {
        ADIT_FAIL_WITH(REFUSED, "a host or a target that is not plain",
                       ADIT_HTTP_ERROR_BAD_REQUEST);
    }
    ADIT_TRY(body_judge(head, request));
    if (!adit_is_ok(adit_http_connection_read(head, &connection))) {
        ADIT_FAIL_WITH(REFUSED, "too many connection options", ADIT_HTTP_ERROR_HEAD_TOO_LARGE);
    }
    request->version_minor = head->version_minor;
    request->is_persistent = head->version_minor > 0 && !connection.is_close;
    request->is_upgrade = request->framing == ADIT_HTTP_FRAMING_NONE && connection.is_upgrade &&
                          is_websocket(head);
    request->takes_trailers =
        head->version_minor > 0 && connection.has_te &&
        adit_http_field_lists(head, ADIT_HTTP_NAME_TE, ADIT_BYTES("trailers"));
    request->prefers_json = prefers_json(head);
    return adit_ok();
}

/* Zeros, but for the memory of the host, which nobody reads. */
static void clear(struct adit_http_request *request)
{
    request->host.len = 0;
    request->framing = ADIT_HTTP_FRAMING_NONE;
    request->length = 0;
    request->is_head = false;
    request->is_host_token = false;
    request->is_options_all = false;
    request->is_repeatable = false;
    request->is_persistent = false;
    request->is_upgrade = false;
    request->expects_continue = false;
    request->takes_trailers = false;
    request->prefers_json = false;
    request->version_minor = 0;
}

struct adit_status adit_http_request_judge(const struct adit_http_head *head,
                                           struct adit_http_request *out_request)
{
    clear(out_request);
    struct adit_status status = request_judge(head, out_request);
    if (!adit_is_ok(status)) {
        clear(out_request);
    }
    return status;
}

/* A 101 has to be what was asked for. */
static struct adit_status switch_judge(const struct adit_http_head *head,
                                       const struct adit_http_request *request,
                                       const struct adit_http_connection *connection)
{
    if (!request->is_upgrade || head->version_minor == 0 || !connection->is_upgrade ||
        !adit_http_field_is(head, ADIT_HTTP_NAME_UPGRADE, ADIT_BYTES("websocket"))) {
        ADIT_FAIL_WITH(REFUSED, "a switch of protocols that was not asked for",
                       ADIT_HTTP_ERROR_UPSTREAM_BAD_RESPONSE);
    }
    return adit_ok();
}

/* A 1xx with a body is none: who sends one means something else. */
static struct adit_status interim_judge(const struct adit_http_head *head)
{
    struct adit_http_frame frame = {0};
    ADIT_TRY(adit_http_frame_response(head, &frame));
    if (frame.framing == ADIT_HTTP_FRAMING_CHUNKED || frame.length > 0) {
        ADIT_FAIL_WITH(REFUSED, "an interim answer with a body",
                       ADIT_HTTP_ERROR_UPSTREAM_BAD_RESPONSE);
    }
    return adit_ok();
}

struct adit_status adit_http_response_judge(const struct adit_http_head *head,
                                            const struct adit_http_request *request,
                                            struct adit_http_response *out_response)
{
    struct adit_http_response response = {0};
    struct adit_http_connection connection = {0};
    struct adit_http_frame frame = {0};
    bool is_silent = request->is_head || head->status == 204 || head->status == 304;
    if (!adit_is_ok(adit_http_connection_read(head, &connection))) {
        ADIT_FAIL_WITH(REFUSED, "too many connection options",
                       ADIT_HTTP_ERROR_UPSTREAM_BAD_RESPONSE);
    }
    response.is_persistent = head->version_minor > 0 && !connection.is_close;
    if (head->status == 101) {
        ADIT_TRY(switch_judge(head, request, &connection));
        response.framing = ADIT_HTTP_FRAMING_SWITCH;
        response.is_persistent = false;
    } else if (head->status < 200) {
        response.is_interim = true;
        ADIT_TRY(interim_judge(head));
    } else {
        ADIT_TRY(adit_http_frame_response(head, &frame));
        if (!is_silent) {
            response.framing = frame.framing;
            response.length = frame.length;
            response.is_persistent &= frame.framing != ADIT_HTTP_FRAMING_CLOSE;
        }
    }
    *out_response = response;
    return adit_ok();
}
