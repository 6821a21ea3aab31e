#include "wire/http_head.h"

#include "base/find.h"

#define STATUS_BAD 400
#define STATUS_TARGET_LONG 414
#define STATUS_FIELDS_LARGE 431
#define STATUS_VERSION 505
#define STATUS_GATEWAY 502

/* What a byte may be a part of. */
#define IS_TOKEN 1  /* RFC 9110 section 5.6.2 */
#define IS_TARGET 2 /* visible ASCII but '#' */
#define IS_LINE 4   /* tab, space, visible ASCII, 0x80 to 0xff */

static const uint8_t classes[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, /* 00 */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 10 */
    4, 7, 6, 5, 7, 7, 7, 7, 6, 6, 7, 7, 6, 7, 7, 6, /* 20 */
    7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 6, 6, 6, 6, 6, 6, /* 30 */
    6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, /* 40 */
    7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 6, 6, 6, 7, 7, /* 50 */
    7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, /* 60 */
    7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 6, 7, 6, 7, 0, /* 70 */
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, /* 80 */
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, /* 90 */
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, /* a0 */
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, /* b0 */
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, /* c0 */
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, /* d0 */
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, /* e0 */
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, /* f0 */
};

/* The offset of the first byte from `start` on that is not of the class. */
static size_t class_end(struct adit_bytes bytes, size_t start, uint8_t class)
{
    size_t at = start;
    while (at < bytes.len && (ADIT_AT(classes, adit_bytes_at(bytes, at)) & class) != 0) {
        at++;
    }
    return at;
}

/* class_end for IS_LINE, of which most of a head is. */
static inline size_t line_end(struct adit_bytes bytes, size_t start)
{
    size_t at = start + adit_bytes_find_control(adit_bytes_from(bytes, start));
    while (at < bytes.len && adit_bytes_at(bytes, at) == '\t') {
        at++;
        at += adit_bytes_find_control(adit_bytes_from(bytes, at));
    }
    return at;
}

enum scan_state {
    SCAN_START,      /* nothing yet; one empty line may come */
    SCAN_START_CR,   /* the CR of that line */
    SCAN_FIRST,      /* the start line begins */
    SCAN_FIRST_LINE, /* in the start line */
    SCAN_FIRST_CR,
    SCAN_NEXT,       /* a field line begins, or the empty line */
    SCAN_LINE,       /* in a field line */
    SCAN_LINE_CR,
    SCAN_END_CR,     /* the CR of the empty line */
    SCAN_DONE,
};

/* The state after a byte that is part of no line: CR, LF, or one that no head may hold. */
static struct adit_status scan_end_of_line(enum scan_state state, uint8_t byte,
                                           enum scan_state *out_state)
{
    static const struct {
        uint8_t byte;
        enum scan_state next;
    } steps[] = {
        [SCAN_START] = {'\r', SCAN_START_CR},     [SCAN_START_CR] = {'\n', SCAN_FIRST},
        [SCAN_FIRST_LINE] = {'\r', SCAN_FIRST_CR}, [SCAN_FIRST_CR] = {'\n', SCAN_NEXT},
        [SCAN_NEXT] = {'\r', SCAN_END_CR},        [SCAN_LINE] = {'\r', SCAN_LINE_CR},
        [SCAN_LINE_CR] = {'\n', SCAN_NEXT},       [SCAN_END_CR] = {'\n', SCAN_DONE},
    };
    ADIT_ENSURE(state < ADIT_COUNT(steps) && ADIT_AT(steps, state).byte == byte && byte != 0,
                INVALID, "a line that does not end in CR LF, or a control character");
    *out_state = ADIT_AT(steps, state).next;
    return adit_ok();
}

/* The state after bytes of a line. */
static struct adit_status scan_text(enum scan_state state, enum scan_state *out_state)
{
    bool is_first = state == SCAN_START || state == SCAN_FIRST || state == SCAN_FIRST_LINE;
    ADIT_ENSURE(is_first || state == SCAN_NEXT || state == SCAN_LINE, INVALID,
                "a CR without LF");
    *out_state = is_first ? SCAN_FIRST_LINE : SCAN_LINE;
    return adit_ok();
}

static struct adit_status scan(struct adit_http_scan *scan, struct adit_bytes bytes,
                               size_t bytes_max, bool *out_is_done)
{
    struct adit_bytes view = adit_bytes_first(bytes, bytes_max);
    enum scan_state state = (enum scan_state)scan->state;
    size_t at = scan->seen;
    while (at < view.len && state != SCAN_DONE) {
        size_t end = line_end(view, at);
        if (end > at) {
            ADIT_TRY(scan_text(state, &state));
            at = end;
        } else {
            ADIT_TRY(scan_end_of_line(state, adit_bytes_at(view, at), &state));
            at++;
        }
    }
    scan->seen = at;
    scan->state = (uint32_t)state;
    *out_is_done = state == SCAN_DONE;
    if (state != SCAN_DONE && at >= bytes_max) {
        bool is_first = state <= SCAN_FIRST_CR;
        ADIT_FAIL_WITH(LIMIT, "a head that does not end within its limit",
                       is_first ? STATUS_TARGET_LONG : STATUS_FIELDS_LARGE);
    }
    return adit_ok();
}

/* A failure that does not say which status answers it: `code`. */
static struct adit_status answered(struct adit_status status, int64_t code)
{
    if (!adit_is_ok(status) && status.detail == 0) {
        status.detail = code;
    }
    return status;
}

static struct adit_status scan_to(struct adit_http_scan *state, struct adit_bytes bytes,
                                  size_t bytes_max, size_t *out_used, enum adit_parse *out_parse)
{
    bool is_done = false;
    ADIT_TRY(answered(scan(state, bytes, bytes_max, &is_done), STATUS_BAD));
    if (is_done) {
        *out_used = state->seen;
    }
    *out_parse = is_done ? ADIT_PARSE_FOUND : ADIT_PARSE_MORE;
    return adit_ok();
}

struct adit_status adit_http_scan_head(struct adit_http_scan *scan, struct adit_bytes bytes,
                                       size_t bytes_max, size_t *out_used,
                                       enum adit_parse *out_parse)
{
    return scan_to(scan, bytes, bytes_max, out_used, out_parse);
}

struct adit_status adit_http_scan_trailers(struct adit_http_scan *scan, struct adit_bytes bytes,
                                           size_t *out_used, enum adit_parse *out_parse)
{
    if (scan->seen == 0) {
        scan->state = SCAN_NEXT; /* there is no start line */
    }
    return scan_to(scan, bytes, ADIT_HTTP_TRAILER_BYTES_MAX, out_used, out_parse);
}

/* Takes the bytes of a class from the front. */
static inline struct adit_bytes take(struct adit_bytes *rest, uint8_t class)
{
    size_t end = class_end(*rest, 0, class);
    struct adit_bytes taken = adit_bytes_first(*rest, end);
    *rest = adit_bytes_from(*rest, end);
    return taken;
}

/* Takes the bytes that may stand in a value or a reason. */
static inline struct adit_bytes take_line(struct adit_bytes *rest)
{
    size_t end = line_end(*rest, 0);
    struct adit_bytes taken = adit_bytes_first(*rest, end);
    *rest = adit_bytes_from(*rest, end);
    return taken;
}

/* Takes exactly these bytes, where they are there. */
static inline bool skip(struct adit_bytes *rest, struct adit_bytes literal)
{
    bool is_there = adit_bytes_starts_with(*rest, literal);
    if (is_there) {
        *rest = adit_bytes_from(*rest, literal.len);
    }
    return is_there;
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

/* Without space and tab at both ends. */
static inline struct adit_bytes trim(struct adit_bytes text)
{
    while (text.len > 0 && is_space(adit_bytes_at(text, 0))) {
        text = adit_bytes_from(text, 1);
    }
    while (text.len > 0 && is_space(adit_bytes_at(text, text.len - 1))) {
        text = adit_bytes_first(text, text.len - 1);
    }
    return text;
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* "HTTP/1.0" or "HTTP/1.1"; another version that has the form is told apart. */
static struct adit_status read_version(struct adit_bytes *rest, uint8_t *out_minor)
{
    ADIT_ENSURE(skip(rest, ADIT_BYTES("HTTP/")) && rest->len >= 3, INVALID, "not HTTP");
    uint8_t major = adit_bytes_at(*rest, 0);
    uint8_t minor = adit_bytes_at(*rest, 2);
    ADIT_ENSURE(is_digit(major) && adit_bytes_at(*rest, 1) == '.' && is_digit(minor), INVALID,
                "a version that is not digit, dot, digit");
    if (major != '1' || minor > '1') {
        ADIT_FAIL_WITH(INVALID, "a version other than 1.0 and 1.1", STATUS_VERSION);
    }
    *rest = adit_bytes_from(*rest, 3);
    *out_minor = (uint8_t)(minor - '0');
    return adit_ok();
}

/* May a field have this name, which is none that we know? */
static bool is_name(struct adit_bytes name, bool takes_underscore)
{
    return adit_http_is_token(name) &&
           (takes_underscore || adit_bytes_find_near(name, '_') == name.len);
}

/* One field line with its CR LF. What stands before the first colon is the name, or is none. */
static struct adit_status read_field(struct adit_bytes *rest, bool takes_underscore,
                                     struct adit_http_field *out_field)
{
    struct adit_bytes name = adit_bytes_first(*rest, adit_bytes_find_near(*rest, ':'));
    enum adit_http_name known = adit_http_name_of(name);
    ADIT_ENSURE(known != ADIT_HTTP_NAME_OTHER || is_name(name, takes_underscore), INVALID,
                "a field without a name that it may have, or a folded one");
    *rest = adit_bytes_from(*rest, name.len);
    bool is_spaced = skip(rest, ADIT_BYTES(": "));
    ADIT_ENSURE(is_spaced || skip(rest, ADIT_BYTES(":")), INVALID, "a field without a colon");
    struct adit_bytes text = take_line(rest);
    ADIT_ENSURE(skip(rest, ADIT_BYTES("\r\n")), INVALID, "a field with a control character");
    out_field->name = name;
    out_field->value = trim(text);
    out_field->known = known;
    out_field->is_plain = is_spaced && out_field->value.len == text.len;
    return adit_ok();
}

/* All fields, and the empty line. */
static struct adit_status read_fields(struct adit_bytes *rest, bool takes_underscore,
                                      struct adit_http_head *head)
{
    head->lines_at = (uint32_t)(head->text.len - rest->len);
    while (!skip(rest, ADIT_BYTES("\r\n"))) {
        if (head->field_count == ADIT_HTTP_FIELDS_MAX) {
            ADIT_FAIL_WITH(LIMIT, "more than 100 fields", STATUS_FIELDS_LARGE);
        }
        struct adit_http_field *field = &ADIT_AT(head->fields, head->field_count);
        ADIT_TRY(read_field(rest, takes_underscore, field));
        uint64_t bit = adit_http_name_bit(field->known);
        field->line_end = (uint32_t)(head->text.len - rest->len);
        head->repeated |= head->names & bit;
        head->names |= bit;
        head->field_count++;
    }
    return adit_ok();
}

static struct adit_status request_line_read(struct adit_bytes *rest, struct adit_http_head *head)
{
    head->method = take(rest, IS_TOKEN);
    ADIT_ENSURE(head->method.len > 0 && head->method.len <= ADIT_HTTP_METHOD_BYTES_MAX, INVALID,
                "a method that is empty or over 32 bytes");
    ADIT_ENSURE(skip(rest, ADIT_BYTES(" ")), INVALID, "no space after the method");
    head->target = take(rest, IS_TARGET);
    ADIT_ENSURE(head->target.len > 0, INVALID, "a request without a target");
    if (head->target.len > ADIT_HTTP_TARGET_BYTES_MAX) {
        ADIT_FAIL_WITH(LIMIT, "a target over 8 KiB", STATUS_TARGET_LONG);
    }
    if (skip(rest, ADIT_BYTES(" HTTP/1.1\r\n"))) { /* nearly always */
        head->version_minor = 1;
        head->is_plain = true;
        return adit_ok();
    }
    ADIT_ENSURE(skip(rest, ADIT_BYTES(" ")), INVALID, "no space after the target");
    ADIT_TRY(read_version(rest, &head->version_minor));
    ADIT_ENSURE(skip(rest, ADIT_BYTES("\r\n")), INVALID, "more than a version in its place");
    return adit_ok();
}

/* No head: zeros, but for the memory of fields, which is 4 KiB and which nobody reads. */
static void clear(struct adit_http_head *head)
{
    head->method = (struct adit_bytes){0};
    head->target = (struct adit_bytes){0};
    head->reason = (struct adit_bytes){0};
    head->text = (struct adit_bytes){0};
    head->lines_at = 0;
    head->is_plain = false;
    head->status = 0;
    head->version_minor = 0;
    head->names = 0;
    head->repeated = 0;
    head->field_count = 0;
}

static struct adit_status request_read(struct adit_bytes *rest, struct adit_http_head *head)
{
    ADIT_ENSURE(rest->len <= ADIT_HTTP_HEAD_BYTES_MAX, LIMIT, "a head over 32 KiB");
    (void)skip(rest, ADIT_BYTES("\r\n"));
    head->text = *rest;
    ADIT_TRY(request_line_read(rest, head));
    return read_fields(rest, false, head);
}

/* Nothing is left, or there is no half of a head. */
static struct adit_status whole(struct adit_status status, struct adit_bytes rest,
                                struct adit_http_head *head)
{
    if (!adit_is_ok(status)) {
        clear(head);
        return status;
    }
    if (rest.len > 0) {
        clear(head);
        ADIT_FAIL(INVALID, "bytes after the head");
    }
    return adit_ok();
}

/* How much of `bytes` was read as a head; nothing, and no head, where that failed. */
static size_t used_of(struct adit_status status, struct adit_bytes bytes, struct adit_bytes rest,
                      struct adit_http_head *head)
{
    if (adit_is_ok(status)) {
        return bytes.len - rest.len;
    }
    clear(head);
    return 0;
}

size_t adit_http_request_take(struct adit_bytes bytes, struct adit_http_head *out_head)
{
    struct adit_bytes view = adit_bytes_first(bytes, ADIT_HTTP_HEAD_BYTES_MAX);
    struct adit_bytes rest = view;
    clear(out_head);
    struct adit_status status = request_read(&rest, out_head);
    return used_of(status, view, rest, out_head);
}

struct adit_status adit_http_request_parse(struct adit_bytes bytes, struct adit_http_head *out_head)
{
    clear(out_head);
    struct adit_status status = request_read(&bytes, out_head);
    return answered(whole(status, bytes, out_head), STATUS_BAD);
}

/* Three digits. */
static struct adit_status read_status(struct adit_bytes *rest, uint16_t *out_status)
{
    ADIT_ENSURE(rest->len >= 3, INVALID, "a status of less than three digits");
    uint8_t hundreds = adit_bytes_at(*rest, 0);
    uint8_t tens = adit_bytes_at(*rest, 1);
    uint8_t ones = adit_bytes_at(*rest, 2);
    ADIT_ENSURE(hundreds != '0' && is_digit(hundreds) && is_digit(tens) && is_digit(ones), INVALID,
                "a status that is not 100 to 999");
    *out_status = (uint16_t)((hundreds - '0') * 100 + (tens - '0') * 10 + (ones - '0'));
    *rest = adit_bytes_from(*rest, 3);
    return adit_ok();
}

/* RFC 9112 section 4, and two liberties that programs take: no reason, and not even the space
 * before it. */
static struct adit_status status_line_read(struct adit_bytes *rest, struct adit_http_head *head)
{
    bool is_11 = skip(rest, ADIT_BYTES("HTTP/1.1 ")); /* nearly always */
    head->version_minor = 1;
    if (!is_11) {
        ADIT_TRY(read_version(rest, &head->version_minor));
        ADIT_ENSURE(skip(rest, ADIT_BYTES(" ")), INVALID, "no space after the version");
    }
    ADIT_TRY(read_status(rest, &head->status));
    if (skip(rest, ADIT_BYTES("\r\n"))) {
        return adit_ok();
    }
    ADIT_ENSURE(skip(rest, ADIT_BYTES(" ")), INVALID, "more than three digits of a status");
    head->reason = take_line(rest);
    head->is_plain = is_11;
    ADIT_ENSURE(skip(rest, ADIT_BYTES("\r\n")), INVALID, "a reason with a control character");
    return adit_ok();
}

static struct adit_status response_read(struct adit_bytes *rest, struct adit_http_head *head)
{
    ADIT_ENSURE(rest->len <= ADIT_HTTP_HEAD_BYTES_MAX, LIMIT, "a head over 32 KiB");
    head->text = *rest;
    ADIT_TRY(status_line_read(rest, head));
    return read_fields(rest, true, head);
}

size_t adit_http_response_take(struct adit_bytes bytes, struct adit_http_head *out_head)
{
    struct adit_bytes view = adit_bytes_first(bytes, ADIT_HTTP_HEAD_BYTES_MAX);
    struct adit_bytes rest = view;
    clear(out_head);
    struct adit_status status = response_read(&rest, out_head);
    return used_of(status, view, rest, out_head);
}

struct adit_status adit_http_response_parse(struct adit_bytes bytes,
                                            struct adit_http_head *out_head)
{
    clear(out_head);
    struct adit_status status = response_read(&bytes, out_head);
    status = whole(status, bytes, out_head);
    status.detail = adit_is_ok(status) ? 0 : STATUS_GATEWAY;
    return status;
}

static struct adit_status trailers_read(struct adit_bytes *rest, struct adit_http_head *head)
{
    ADIT_ENSURE(rest->len <= ADIT_HTTP_TRAILER_BYTES_MAX, LIMIT, "trailers over 8 KiB");
    head->text = *rest;
    return read_fields(rest, false, head);
}

struct adit_status adit_http_trailers_parse(struct adit_bytes bytes,
                                            struct adit_http_head *out_head)
{
    clear(out_head);
    struct adit_status status = trailers_read(&bytes, out_head);
    return answered(whole(status, bytes, out_head), STATUS_BAD);
}

const struct adit_http_field *adit_http_field_first(const struct adit_http_head *head,
                                                    enum adit_http_name name)
{
    for (size_t i = 0; i < head->field_count; i++) {
        const struct adit_http_field *field = &ADIT_AT(head->fields, i);
        if (field->known == name) {
            return field;
        }
    }
    return NULL;
}

const struct adit_http_field *adit_http_field_find(const struct adit_http_head *head,
                                                   struct adit_bytes name)
{
    for (size_t i = 0; i < head->field_count; i++) {
        const struct adit_http_field *field = &ADIT_AT(head->fields, i);
        if (adit_bytes_equal_nocase(field->name, name)) {
            return field;
        }
    }
    return NULL;
}

size_t adit_http_field_count(const struct adit_http_head *head, struct adit_bytes name)
{
    size_t count = 0;
    for (size_t i = 0; i < head->field_count; i++) {
        count += adit_bytes_equal_nocase(ADIT_AT(head->fields, i).name, name) ? 1 : 0;
    }
    return count;
}

bool adit_http_is_token(struct adit_bytes bytes)
{
    return bytes.len > 0 && class_end(bytes, 0, IS_TOKEN) == bytes.len;
}

size_t adit_http_target_len(struct adit_bytes bytes)
{
    return class_end(bytes, 0, IS_TARGET);
}

bool adit_http_list_next(struct adit_bytes *rest, struct adit_bytes *out_element)
{
    while (rest->len > 0) {
        size_t comma = adit_bytes_find(*rest, ',');
        struct adit_bytes element = trim(adit_bytes_first(*rest, comma));
        *rest = adit_bytes_from(*rest, comma < rest->len ? comma + 1 : comma);
        if (element.len > 0) {
            *out_element = element;
            return true;
        }
    }
    return false;
}
