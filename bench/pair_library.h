/* Records through the library's own record layer: for the pair that tells what its copies cost. A
 * record is copied into the library's buffer, sealed there and copied out, and the other way. */
#ifndef ADIT_BENCH_PAIR_LIBRARY_H
#define ADIT_BENCH_PAIR_LIBRARY_H

#include <openssl/ssl.h>

#include "common.h"

/* Both directions of a connection that has shaken hands. */
struct pair_library {
    SSL *tls;
    struct adit_span out; /* room for what the library sends next */
    struct adit_bytes in; /* what it has not received of a record */
    size_t sent;          /* into `out` */
};

/* From here on the library's bytes go through memory; takes `tls`. */
void pair_library_begin(struct pair_library *library, SSL *tls);

/* `plain` into `record`, over itself; how long the record is. */
size_t pair_library_seal(struct pair_library *library, struct adit_bytes plain,
                         struct adit_span record);

/* What was in a whole record, over itself in `plain`. */
struct adit_bytes pair_library_open(struct pair_library *library, struct adit_bytes record,
                                    struct adit_span plain);

#endif
