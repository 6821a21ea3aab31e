/* Client hello: server name, application protocols and versions from the first bytes of a TCP
 * connection, without consuming them: the door peeks, and asks again when more have come.
 *
 * Sources: RFC 8446 sections 4.1.2, 4.2.1 and 5.1; RFC 6066 section 3; RFC 7301 section 3.1;
 * RFC 8701 (GREASE). Understands just what a router needs; the worker's TLS library judges the
 * rest, so cipher suites, key shares and unknown extensions are stepped over. The hello may be
 * split over any number of records. An ECH extension is ignored: the outer name counts.
 *
 * Pure: no allocation, no state between calls (one 16 KiB block of stack while a hello that is
 * split over records is put together). Must not depend on a TLS library: the door has none. */
#ifndef ADIT_WIRE_CLIENT_HELLO_H
#define ADIT_WIRE_CLIENT_HELLO_H

#include "base/field.h"
#include "wire/tls_alert.h"

/* Longest view that is looked at: a hello that does not end within it is over the limit. */
#define ADIT_CLIENT_HELLO_BYTES_MAX 16384

#define ADIT_SERVER_NAME_BYTES_MAX 255

/* The application protocol of the agent link. */
#define ADIT_ALPN_AGENT "adit/1"

enum adit_client_hello_verdict {
    ADIT_CLIENT_HELLO_MORE,    /* fine so far; `needed` bytes at least must be seen */
    ADIT_CLIENT_HELLO_FOUND,   /* the whole hello was read */
    ADIT_CLIENT_HELLO_TOO_OLD, /* nothing newer than TLS 1.1 is offered (SSLv2 included) */
    ADIT_CLIENT_HELLO_NOT_TLS, /* the first bytes are no TLS handshake: plain HTTP, for instance */
};

struct adit_client_hello {
    size_t needed; /* MORE: how many bytes, from the first one on, there must be to go on */
    ADIT_FIELD(ADIT_SERVER_NAME_BYTES_MAX) server_name; /* lower case, no dot at the end */
    bool has_server_name;
    bool has_alpn;
    bool offers_agent;  /* "adit/1" */
    bool offers_h2;     /* "h2" */
    bool offers_http1; /* "http/1.1" or "http/1.0" */
    uint16_t version_legacy; /* 0x0303 in every hello of today */
    uint16_t version_max;    /* newest version offered that exists: 0x0304 is TLS 1.3; 0: none */
};

/* Looks at everything seen so far of a connection. `out_hello` is complete for FOUND; for TOO_OLD
 * it holds what there was (nothing for SSLv2); for MORE only `needed` is set, greater than
 * seen.len and at most the limit.
 *
 * LIMIT where the hello cannot end within ADIT_CLIENT_HELLO_BYTES_MAX; INVALID where it breaks its
 * format. Then outputs are untouched. */
struct adit_status adit_client_hello_parse(struct adit_bytes seen,
                                           struct adit_client_hello *out_hello,
                                           enum adit_client_hello_verdict *out_verdict);

/* The alert that answers a failure of the parser: record_overflow for LIMIT, else decode_error. */
enum adit_tls_alert adit_client_hello_alert(struct adit_status failure);

#endif
