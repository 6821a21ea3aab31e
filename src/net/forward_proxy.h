/* Forward proxy: what HTTPS_PROXY and NO_PROXY say, for one connection to one server.
 *
 * Pure: reads no environment, resolves nothing, and prints nothing; the texts may hold a password.
 * Source: RFC 7617 (Basic), RFC 3986 section 3.2.1 (user and password in a URL), and what other
 * programs make of these variables. */
#ifndef ADIT_NET_FORWARD_PROXY_H
#define ADIT_NET_FORWARD_PROXY_H

#include "base/base.h"

#define ADIT_FORWARD_PROXY_SECRET_MAX 255 /* bytes of USER:PASSWORD */
#define ADIT_FORWARD_PROXY_BASIC_MAX 340  /* the same as base64 */

struct adit_forward_proxy {
    ADIT_FIELD(253) host; /* name or address, without brackets */
    uint16_t port;
    ADIT_FIELD(ADIT_FORWARD_PROXY_BASIC_MAX) basic; /* credentials of Basic; empty: none */
};

/* "http://HOST:PORT", "http://USER:PASSWORD@HOST:PORT" (escapes as %XX), or without the scheme.
 * INVALID with a sentence for a person, without the text: SOCKS, https://, a path, no port. */
struct adit_status adit_forward_proxy_parse(struct adit_bytes text,
                                            struct adit_forward_proxy *out_proxy);

/* True where `host` is to be reached directly: it is loopback or *.localhost, or one of the entries
 * of `exceptions` (NO_PROXY), separated by commas or spaces, fits: "*", a name or address, which
 * stands for the names below it too (with or without a dot before it). Capitals do not matter. */
bool adit_forward_proxy_is_bypassed(struct adit_bytes exceptions, struct adit_bytes host);

#endif
