/* Target: the target of a request, and the host that it or the Host field names. Source: RFC 9112
 * section 3.2, RFC 3986 section 3.2, much narrower: a host is letters, digits, hyphens and dots, an
 * IPv4 address (of the same bytes), or an IPv6 address in brackets. Nothing is decoded. Pure. */
#ifndef ADIT_HTTP_TARGET_H
#define ADIT_HTTP_TARGET_H

#include "http/message.h"

struct adit_http_authority {
    struct adit_bytes host; /* a view, as it was written, but no dot at the end */
    uint16_t port;          /* 0: none was given */
    bool is_name;           /* no address in brackets */
};

/* "a.test", "A.test.:8080", "[2001:db8::1]". INVALID for an empty host or label, other bytes,
 * userinfo, the bare label "xn--", a port that is not 1 to 65535. */
struct adit_status adit_http_authority_split(struct adit_bytes text,
                                             struct adit_http_authority *out_authority);

enum adit_http_target_form {
    ADIT_HTTP_TARGET_ORIGIN,   /* "/a?b" */
    ADIT_HTTP_TARGET_ABSOLUTE, /* "http://a.test/a?b" */
    ADIT_HTTP_TARGET_ASTERISK, /* "*" */
};

struct adit_http_target {
    enum adit_http_target_form form;
    bool is_https;               /* of ABSOLUTE */
    struct adit_bytes authority; /* of ABSOLUTE */
    struct adit_bytes origin;    /* from the path on; of ABSOLUTE maybe empty, or "?b" */
};

/* INVALID for a form that it is not, and for schemes other than http and https. */
struct adit_status adit_http_target_split(struct adit_bytes text,
                                          struct adit_http_target *out_target);

#endif
