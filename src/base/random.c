#include "base/random.h"

#include <errno.h>
#include <sys/random.h>

struct adit_status adit_random_fill(struct adit_span span)
{
    while (span.len > 0) {
        ssize_t got = getrandom(span.ptr, span.len, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            ADIT_FAIL_WITH(SYSTEM, "no randomness from the kernel", errno);
        }
        span = adit_span_from(span, (size_t)got);
    }
    return adit_ok();
}

uint64_t adit_jitter_next(struct adit_jitter *jitter)
{
    uint64_t x = jitter->state ? jitter->state : 0x9e3779b97f4a7c15;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    jitter->state = x;
    return x * 0x2545f4914f6cdd1d;
}

uint64_t adit_jitter_below(struct adit_jitter *jitter, uint64_t bound)
{
    return bound == 0 ? 0 : adit_jitter_next(jitter) % bound;
}
