/* Pair: can visitors be served with this certificate and this key? For the command line, which says
 * so before anything is started; a worker judges for itself.
 *
 * Touches no file and no socket. Source: RFC 5280, RFC 6125 (the wildcard). */
#ifndef ADIT_NET_PAIR_H
#define ADIT_NET_PAIR_H

#include "base/base.h"

struct adit_pair_facts {
    bool covers_names; /* NAME.domain, whatever the name */
    bool is_early;     /* its time has not begun */
    bool is_expired;
    bool expires_soon; /* within ADIT_PAIR_SOON_S, or expired */
};
#define ADIT_PAIR_SOON_S (14 * 86400)

/* CRYPTO where the text has no certificate that parses. */
struct adit_status adit_pair_certificate_check(struct adit_bytes pem, struct adit_bytes domain,
                                               struct adit_pair_facts *out_facts);

/* CRYPTO where the key does not parse, has a password, or is another certificate's. */
struct adit_status adit_pair_key_check(struct adit_bytes pem, struct adit_bytes key_pem);

#endif
