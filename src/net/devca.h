/* Development CA: made once in the data directory, so that a newcomer has HTTPS without a domain.
 *
 * ECDSA P-256. The CA lives ten years, a leaf 90 days (made anew at a start within its last 30, or
 * when the names change). SANs: DOMAIN, *.DOMAIN, localhost, 127.0.0.1, ::1.
 * Files: ca.pem (0644), ca.key, server.pem, server.key (0600). Process: supervisor, at start. */
#ifndef ADIT_NET_DEVCA_H
#define ADIT_NET_DEVCA_H

#include "base/base.h"

/* Makes what is missing or worn out in `folder`. The CA may sign for the domain and for loopback
 * only (name constraints), so another domain gets another CA. CRYPTO where ca.pem or ca.key is
 * there and not to be understood: it is not overwritten. SYSTEM with errno. */
struct adit_status adit_devca_ensure(struct adit_bytes folder, struct adit_bytes domain);

#endif
