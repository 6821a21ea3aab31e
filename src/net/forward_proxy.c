#include "net/forward_proxy.h"

#include "net/address.h"
#include "net/dial.h"

/* The authority of the URL: what is between the scheme and a slash. */
static struct adit_status authority_find(struct adit_bytes text, struct adit_bytes *out_authority)
{
    size_t colon = adit_bytes_find(text, ':');
    struct adit_bytes scheme = adit_bytes_first(text, colon);
    if (adit_bytes_starts_with(adit_bytes_from(text, colon), ADIT_BYTES("://"))) {
        ADIT_ENSURE(!adit_bytes_equal_nocase(scheme, ADIT_BYTES("https")), INVALID,
                    "is a proxy over TLS, which adit does not speak: use http://HOST:PORT");
        ADIT_ENSURE(!adit_bytes_equal_nocase(adit_bytes_first(scheme, 5), ADIT_BYTES("socks")),
                    INVALID, "is a SOCKS proxy, which adit does not speak: use http://HOST:PORT");
        ADIT_ENSURE(adit_bytes_equal_nocase(scheme, ADIT_BYTES("http")), INVALID,
                    "has an unknown scheme: use http://HOST:PORT");
        text = adit_bytes_from(text, colon + 3);
    }
    size_t slash = adit_bytes_find(text, '/');
    ADIT_ENSURE(slash + 1 >= text.len, INVALID, "has a path: use http://HOST:PORT");
    *out_authority = adit_bytes_first(text, slash);
    return adit_ok();
}

/* %XX undone. */
static struct adit_status unescape(struct adit_bytes text, struct adit_writer *out)
{
    while (text.len > 0) {
        uint8_t byte = adit_bytes_at(text, 0);
        size_t used = byte == '%' ? 3 : 1;
        if (byte == '%') {
            struct adit_bytes digits = {0};
            ADIT_TRY(adit_bytes_slice(text, 1, 2, &digits));
            ADIT_TRY(adit_parse_hex(digits, (struct adit_span){.ptr = &byte, .len = 1}));
        }
        ADIT_TRY(adit_write_u8(out, byte));
        text = adit_bytes_from(text, used);
    }
    return adit_ok();
}

static struct adit_status credentials_parse(struct adit_bytes text,
                                            struct adit_forward_proxy *proxy)
{
    uint8_t secret[ADIT_FORWARD_PROXY_SECRET_MAX] = {0};
    uint8_t encoded[ADIT_FORWARD_PROXY_BASIC_MAX + 1] = {0}; /* and the NUL that OpenSSL adds */
    struct adit_writer plain = adit_writer_of(ADIT_SPAN_OF(secret));
    struct adit_status status = unescape(text, &plain);
    if (adit_is_ok(status)) {
        int len = EVP_EncodeBlock(encoded, secret, (int)plain.len);
        status = ADIT_FIELD_SET(proxy->basic,
                                adit_bytes_first(ADIT_BYTES_OF(encoded), (size_t)len));
    }
    adit_span_wipe(ADIT_SPAN_OF(secret));
    adit_span_wipe(ADIT_SPAN_OF(encoded));
    ADIT_ENSURE(adit_is_ok(status), INVALID,
                "has a user and password that are too long, or not escaped as %XX");
    return adit_ok();
}

/* Up to the last '@': a password may hold one that nobody escaped. */
static size_t credentials_end(struct adit_bytes authority)
{
    size_t end = 0;
    for (size_t i = 0; i < authority.len; i++) {
        end = adit_bytes_at(authority, i) == '@' ? i + 1 : end;
    }
    return end;
}

struct adit_status adit_forward_proxy_parse(struct adit_bytes text,
                                            struct adit_forward_proxy *out_proxy)
{
    struct adit_forward_proxy proxy = {0};
    struct adit_bytes authority = {0};
    struct adit_bytes host = {0};
    ADIT_TRY(authority_find(text, &authority));
    size_t end = credentials_end(authority);
    struct adit_status status =
        adit_address_split(adit_bytes_from(authority, end), 0, &host, &proxy.port);
    ADIT_ENSURE(adit_is_ok(status), INVALID, "is not http://HOST:PORT");
    ADIT_TRY(ADIT_FIELD_SET(proxy.host, host));
    if (end > 0) {
        ADIT_TRY(credentials_parse(adit_bytes_first(authority, end - 1), &proxy));
    }
    *out_proxy = proxy;
    return adit_ok();
}

static struct adit_bytes entry_next(struct adit_bytes *rest)
{
    size_t comma = adit_bytes_find(*rest, ',');
    size_t space = adit_bytes_find(*rest, ' ');
    size_t end = comma < space ? comma : space;
    struct adit_bytes entry = adit_bytes_first(*rest, end);
    *rest = adit_bytes_from(*rest, end + 1);
    return entry;
}

static struct adit_bytes without_last_dot(struct adit_bytes name)
{
    return adit_bytes_ends_with(name, ADIT_BYTES(".")) ? adit_bytes_first(name, name.len - 1)
                                                       : name;
}

static bool entry_fits(struct adit_bytes entry, struct adit_bytes host)
{
    if (adit_bytes_equal(entry, ADIT_BYTES("*"))) {
        return true;
    }
    entry = without_last_dot(
        adit_bytes_from(entry, adit_bytes_starts_with(entry, ADIT_BYTES(".")) ? 1 : 0));
    if (entry.len == 0 || entry.len > host.len) {
        return false;
    }
    struct adit_bytes end = adit_bytes_from(host, host.len - entry.len);
    struct adit_bytes before = adit_bytes_first(host, host.len - entry.len);
    return adit_bytes_equal_nocase(end, entry) &&
           (before.len == 0 || adit_bytes_ends_with(before, ADIT_BYTES(".")));
}

bool adit_forward_proxy_is_bypassed(struct adit_bytes exceptions, struct adit_bytes host)
{
    if (adit_dial_is_loopback(host)) {
        return true;
    }
    host = without_last_dot(host);
    while (exceptions.len > 0) {
        if (entry_fits(entry_next(&exceptions), host)) {
            return true;
        }
    }
    return false;
}
