#include "http/target.h"

#include "base/text.h"

static uint8_t lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte | 0x20) : byte;
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_name_byte(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || is_digit(byte) || byte == '-';
}

/* Copies in lower case. */
static struct adit_status host_set(struct adit_http_authority *authority, struct adit_bytes host)
{
    ADIT_TRY(ADIT_FIELD_SET(authority->host, host));
    for (size_t i = 0; i < host.len; i++) {
        ADIT_AT(authority->host.bytes, i) = lower(adit_bytes_at(host, i));
    }
    return adit_ok();
}

/* Labels of at least one byte, with dots between them; none that is only the mark of an
 * international name. */
static struct adit_status name_check(struct adit_bytes name)
{
    ADIT_ENSURE(name.len > 0, INVALID, "no host");
    struct adit_bytes rest = name;
    bool is_over = false;
    while (!is_over) {
        size_t dot = adit_bytes_find(rest, '.');
        struct adit_bytes label = adit_bytes_first(rest, dot);
        ADIT_ENSURE(label.len > 0, INVALID, "an empty label in a host");
        ADIT_ENSURE(!adit_bytes_equal_nocase(label, ADIT_BYTES("xn--")), INVALID,
                    "an international label without its name");
        for (size_t i = 0; i < label.len; i++) {
            ADIT_ENSURE(is_name_byte(lower(adit_bytes_at(label, i))), INVALID,
                        "a byte that no host has");
        }
        is_over = dot == rest.len;
        rest = adit_bytes_from(rest, dot + 1);
    }
    return adit_ok();
}

/* Hexadecimal digits, colons, and dots of an IPv4 address at its end; what they mean is nobody's
 * business here, since no tunnel has an address for a name. */
static struct adit_status literal_check(struct adit_bytes address)
{
    size_t colons = 0;
    ADIT_ENSURE(address.len <= 45, INVALID, "an IPv6 address that is too long");
    for (size_t i = 0; i < address.len; i++) {
        uint8_t byte = lower(adit_bytes_at(address, i));
        bool is_hex = is_digit(byte) || (byte >= 'a' && byte <= 'f');
        ADIT_ENSURE(is_hex || byte == ':' || byte == '.', INVALID,
                    "a byte that no IPv6 address has");
        colons += byte == ':' ? 1 : 0;
    }
    ADIT_ENSURE(colons >= 2, INVALID, "brackets without an IPv6 address");
    return adit_ok();
}

/* Takes the host from the front of the text. */
static struct adit_status host_take(struct adit_bytes *text, struct adit_http_authority *authority)
{
    if (adit_bytes_starts_with(*text, ADIT_BYTES("["))) {
        size_t end = adit_bytes_find(*text, ']');
        ADIT_ENSURE(end < text->len, INVALID, "a bracket that is not closed");
        struct adit_bytes literal = adit_bytes_first(*text, end + 1);
        ADIT_TRY(literal_check(adit_bytes_from(adit_bytes_first(literal, end), 1)));
        *text = adit_bytes_from(*text, literal.len);
        return host_set(authority, literal);
    }
    struct adit_bytes name = adit_bytes_first(*text, adit_bytes_find(*text, ':'));
    *text = adit_bytes_from(*text, name.len);
    if (adit_bytes_ends_with(name, ADIT_BYTES("."))) {
        name = adit_bytes_first(name, name.len - 1);
    }
    ADIT_TRY(name_check(name));
    return host_set(authority, name);
}

struct adit_status adit_http_authority_split(struct adit_bytes text,
                                             struct adit_http_authority *out_authority)
{
    struct adit_http_authority authority = {0};
    uint64_t port = 0;
    ADIT_TRY(host_take(&text, &authority));
    if (text.len > 0) {
        ADIT_ENSURE(adit_bytes_at(text, 0) == ':' && text.len <= 6, INVALID,
                    "something other than a port after the host");
        ADIT_TRY(adit_parse_decimal(adit_bytes_from(text, 1), UINT16_MAX, &port));
        ADIT_ENSURE(port > 0, INVALID, "port 0");
    }
    authority.port = (uint16_t)port;
    *out_authority = authority;
    return adit_ok();
}

/* Takes a scheme from the front of the text, where it is this one. */
static bool scheme_take(struct adit_bytes *text, struct adit_bytes scheme)
{
    if (!adit_bytes_equal_nocase(adit_bytes_first(*text, scheme.len), scheme)) {
        return false;
    }
    *text = adit_bytes_from(*text, scheme.len);
    return true;
}

struct adit_status adit_http_target_split(struct adit_bytes text,
                                          struct adit_http_target *out_target)
{
    struct adit_http_target target = {.origin = text};
    if (adit_bytes_equal(text, ADIT_BYTES("*"))) {
        target.form = ADIT_HTTP_TARGET_ASTERISK;
    } else if (!adit_bytes_starts_with(text, ADIT_BYTES("/"))) {
        target.form = ADIT_HTTP_TARGET_ABSOLUTE;
        target.is_https = scheme_take(&text, ADIT_BYTES("https://"));
        ADIT_ENSURE(target.is_https || scheme_take(&text, ADIT_BYTES("http://")), INVALID,
                    "a target that is no path and no http address");
        size_t end = adit_bytes_find(adit_bytes_first(text, adit_bytes_find(text, '/')), '?');
        target.authority = adit_bytes_first(text, end);
        target.origin = adit_bytes_from(text, end);
    }
    *out_target = target;
    return adit_ok();
}
