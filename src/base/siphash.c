#include "base/siphash.h"

#include "base/endian.h"

struct state {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static inline void round_once(struct state *s)
{
    s->v0 += s->v1;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v2 = rotate(s->v2, 32);
}

/* The last 0 to 7 bytes, little-endian. */
static uint64_t tail_of(struct adit_bytes bytes)
{
    uint64_t word = 0;
    for (size_t i = bytes.len; i > 0; i--) {
        word = word << 8 | adit_bytes_at(bytes, i - 1);
    }
    return word;
}

static inline void absorb(struct state *s, uint64_t word)
{
    s->v3 ^= word;
    round_once(s);
    round_once(s);
    s->v0 ^= word;
}

uint64_t adit_siphash(struct adit_siphash_key key, struct adit_bytes bytes)
{
    struct state s = {
        .v0 = key.low ^ 0x736f6d6570736575,
        .v1 = key.high ^ 0x646f72616e646f6d,
        .v2 = key.low ^ 0x6c7967656e657261,
        .v3 = key.high ^ 0x7465646279746573,
    };
    uint64_t length = bytes.len;
    while (bytes.len >= 8) {
        absorb(&s, adit_load_little64(bytes.ptr));
        bytes = adit_bytes_from(bytes, 8);
    }
    absorb(&s, length << 56 | tail_of(bytes));
    s.v2 ^= 0xff;
    for (int i = 0; i < 4; i++) {
        round_once(&s);
    }
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
