#include "cli/adit/target.h"

#define HTTP_PORT 80

/* What stands before "://", or nothing. */
static struct adit_bytes scheme_of(struct adit_bytes text)
{
    size_t colon = adit_bytes_find(text, ':');
    bool is_url = adit_bytes_starts_with(adit_bytes_from(text, colon), ADIT_BYTES("://"));
    return adit_bytes_first(text, is_url ? colon : 0);
}

static struct adit_status url_strip(enum adit_tunnel kind, struct adit_bytes scheme,
                                    struct adit_bytes *text)
{
    if (adit_bytes_equal_nocase(scheme, ADIT_BYTES("https"))) {
        ADIT_FAIL(INVALID, "is HTTPS: adit speaks plain HTTP to the program, so name its HTTP "
                           "port, or let 'adit tls' pass TLS through");
    }
    ADIT_ENSURE(adit_bytes_equal_nocase(scheme, ADIT_BYTES("http")) && kind == ADIT_TUNNEL_HTTP,
                INVALID, "has a scheme that does not fit: only 'adit http' takes http://HOST:PORT");
    *text = adit_bytes_from(*text, scheme.len + 3);
    size_t slash = adit_bytes_find(*text, '/');
    ADIT_ENSURE(slash + 1 >= text->len, INVALID,
                "has a path: a tunnel leads to a whole program, so leave the path out");
    *text = adit_bytes_first(*text, slash);
    return adit_ok();
}

struct adit_status adit_target_parse(struct adit_bytes text, struct adit_agent_tunnel *tunnel)
{
    struct adit_bytes host = ADIT_BYTES("127.0.0.1");
    struct adit_bytes scheme = scheme_of(text);
    uint64_t port = 0;
    uint16_t named_port = 0;
    if (scheme.len > 0) {
        ADIT_TRY(url_strip(tunnel->kind, scheme, &text));
    }
    if (scheme.len > 0 || !adit_is_ok(adit_parse_decimal(text, UINT16_MAX, &port)) || port == 0) {
        struct adit_status status =
            adit_address_split(text, scheme.len > 0 ? HTTP_PORT : 0, &host, &named_port);
        ADIT_ENSURE(adit_is_ok(status), INVALID,
                    "is not a port or HOST:PORT, such as 3000 or localhost:3000");
        port = named_port;
    }
    ADIT_TRY(ADIT_FIELD_SET(tunnel->host, host));
    tunnel->is_here = named_port == 0; /* many development servers listen on ::1 alone */
    tunnel->port = (uint16_t)port;
    return adit_ok();
}
