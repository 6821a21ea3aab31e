/* Lane: what both ends of one stream say in the interoperation tests, whatever their language:
 *
 *     index u32 | size u32 | `size` bytes | SHA-256 of these bytes | end of stream
 *
 * The opener speaks first; the other side answers with the same index, so a stream that is
 * crossed with another is seen as well as a byte that is wrong. */
#ifndef ADIT_TESTS_INTEROP_LANE_H
#define ADIT_TESTS_INTEROP_LANE_H

#include <openssl/evp.h>

#include "base/base.h"

#define LANE_HEAD_BYTES 8u
#define LANE_HASH_BYTES 32u
#define LANE_SIZE_MAX (16u << 20)

struct lane_half {
    EVP_MD_CTX *hash;
    uint64_t at;   /* bytes of the whole text so far */
    uint32_t index, size;
    uint8_t head[LANE_HEAD_BYTES];
    uint8_t digest[LANE_HASH_BYTES];
};

/* Begins a half that will say, or is to hear, a text. INTERNAL where there is no hash. */
struct adit_status lane_begin(struct lane_half *half);
void lane_end(struct lane_half *half);

/* What is to be said is known from here on. */
void lane_say(struct lane_half *half, uint32_t index, uint32_t size);

/* Fills the start of `out` with the text from half->at on; returns how many bytes that was. */
size_t lane_fill(struct lane_half *half, struct adit_bytes noise, struct adit_span out);

/* Takes the next bytes of the text; INVALID where they are not what they must be. */
struct adit_status lane_hear(struct lane_half *half, struct adit_bytes bytes);

/* The length of the whole text; the head must be known. */
static inline uint64_t lane_length(const struct lane_half *half)
{
    return (uint64_t)LANE_HEAD_BYTES + half->size + LANE_HASH_BYTES;
}

#endif
