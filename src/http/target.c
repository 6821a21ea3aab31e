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

/* What a byte of a host's name is. */
#define NAME 1
#define DOT 2

static const uint8_t classes[256] = {
    ['-'] = NAME, ['.'] = DOT,  ['0'] = NAME, ['1'] = NAME, ['2'] = NAME, ['3'] = NAME,
    ['4'] = NAME, ['5'] = NAME, ['6'] = NAME, ['7'] = NAME, ['8'] = NAME, ['9'] = NAME,
    ['A'] = NAME, ['B'] = NAME, ['C'] = NAME, ['D'] = NAME, ['E'] = NAME, ['F'] = NAME,
    ['G'] = NAME, ['H'] = NAME, ['I'] = NAME, ['J'] = NAME, ['K'] = NAME, ['L'] = NAME,
    ['M'] = NAME, ['N'] = NAME, ['O'] = NAME, ['P'] = NAME, ['Q'] = NAME, ['R'] = NAME,
    ['S'] = NAME, ['T'] = NAME, ['U'] = NAME, ['V'] = NAME, ['W'] = NAME, ['X'] = NAME,
    ['Y'] = NAME, ['Z'] = NAME, ['a'] = NAME, ['b'] = NAME, ['c'] = NAME, ['d'] = NAME,
    ['e'] = NAME, ['f'] = NAME, ['g'] = NAME, ['h'] = NAME, ['i'] = NAME, ['j'] = NAME,
    ['k'] = NAME, ['l'] = NAME, ['m'] = NAME, ['n'] = NAME, ['o'] = NAME, ['p'] = NAME,
    ['q'] = NAME, ['r'] = NAME, ['s'] = NAME, ['t'] = NAME, ['u'] = NAME, ['v'] = NAME,
    ['w'] = NAME, ['x'] = NAME, ['y'] = NAME, ['z'] = NAME,
};

/* Neither empty nor only the mark of an international name. */
static struct adit_status label_check(struct adit_bytes label)
{
    ADIT_ENSURE(label.len > 0, INVALID, "an empty label in a host");
    ADIT_ENSURE(!adit_bytes_equal_nocase(label, ADIT_BYTES("xn--")), INVALID,
                "an international label without its name");
    return adit_ok();
}

/* Takes a name from the front of the text: labels with dots between them, and maybe one behind. */
static struct adit_status name_take(struct adit_bytes *rest, struct adit_http_authority *authority)
{
    const struct adit_bytes text = *rest;
    size_t at = 0;
    size_t label = 0; /* where it begins */
    for (; at < text.len; at++) {
        uint8_t class = ADIT_AT(classes, adit_bytes_at(text, at));
        if (class == NAME) {
            continue;
        }
        if (class == 0) {
            break;
        }
        ADIT_TRY(label_check(adit_bytes_from(adit_bytes_first(text, at), label)));
        label = at + 1;
    }
    size_t len = at > 0 && label == at ? at - 1 : at; /* without a dot at its end */
    ADIT_ENSURE(len <= ADIT_HTTP_HOST_BYTES_MAX, LIMIT, "a host over 253 bytes");
    if (len == at) {
        ADIT_TRY(label_check(adit_bytes_from(adit_bytes_first(text, at), label)));
    }
    authority->host = adit_bytes_first(text, len);
    authority->is_name = true;
    *rest = adit_bytes_from(text, at);
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
        authority->host = literal;
        return adit_ok();
    }
    return name_take(text, authority);
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
