/* HTTP chunk: the chunked transfer coding of HTTP/1.1, strictly, in pieces of any size.
 *
 * Source: RFC 9112 section 7.1. Sizes are hexadecimal digits without sign, space or prefix, at most
 * 15 of them; lines end in CR LF only; extensions are `;name[=token or quoted string]`, at most
 * ADIT_HTTP_CHUNK_EXTENSION_MAX bytes a chunk, and are dropped. The trailer section after the last
 * chunk is the caller's: wire/http_head.h. Pure; no allocation. */
#ifndef ADIT_WIRE_HTTP_CHUNK_H
#define ADIT_WIRE_HTTP_CHUNK_H

#include "base/bytes.h"
#include "base/writer.h"

#define ADIT_HTTP_CHUNK_EXTENSION_MAX 256
#define ADIT_HTTP_CHUNK_HEAD_MAX 18 /* bytes of a size line that we write */

struct adit_http_chunk { /* zeros: before the first chunk */
    uint32_t state;      /* private */
    uint32_t count;      /* private: digits or extension bytes of this line */
    uint64_t left;       /* payload bytes of this chunk that have not come */
};

/* Takes bytes from the front of *bytes up to the end of a piece of payload (a view of *bytes; empty
 * where there is none yet). *out_is_last: the last chunk's line is over, and *bytes begins with the
 * trailer section. INVALID for anything else (400 for a request, 502 for a response); then the body
 * is of no further use. Call until *bytes is empty or *out_is_last. */
struct adit_status adit_http_chunk_read(struct adit_http_chunk *chunk, struct adit_bytes *bytes,
                                        struct adit_bytes *out_payload, bool *out_is_last);

/* "1f40\r\n", to be followed by that many bytes and CR LF. Never for 0. */
struct adit_status adit_http_chunk_head_write(struct adit_writer *writer, uint64_t count);

#endif
