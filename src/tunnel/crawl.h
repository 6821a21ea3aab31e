/* Crawl: does the kernel's own window hold a link back on a road that would carry more?
 *
 * A link lives long. Cubic ends its slow start for good where the round trip grows, which a bulk
 * transfer the other way can bring about while little is sent this way: an upload that comes later
 * starts from a few segments and grows by a few in a second (150 ms, 200 Mbit/s: 0.8 of 24 MB/s). A
 * link crawls where the window is all used and more waits, without a slow start, a queue or a loss,
 * for several round trips, far below the bound on bytes in flight.
 *
 * Twice in a link's life one round trip is enough, and another start is tried: where no more than a
 * few segments were ever lost and no bound was ever needed, as a new connection would make one (a
 * single loss by chance ends a start, at 150 ms with 4 of 24 MB/s); and where the bound
 * is known and the window below it, since the start went too far. One that doubles has nearly half
 * as much again on the road as the road holds when the first queue can be seen (1 / ln 2); what is
 * lost then cuts the window, which takes seconds to grow to what the bound has known all along.
 *
 * Depends on nothing but numbers; nothing here can fail. See docs/decisions/0029. */
#ifndef ADIT_TUNNEL_CRAWL_H
#define ADIT_TUNNEL_CRAWL_H

#include "base/base.h"

#define ADIT_CRAWL_ROUND_TRIPS 4
#define ADIT_CRAWL_START_ROUND_TRIPS 1
#define ADIT_CRAWL_LEAST_US (100 * ADIT_MS_US)
#define ADIT_CRAWL_RTT_MIN_US (5 * ADIT_MS_US) /* on a shorter road a window grows soon enough */
#define ADIT_CRAWL_QUEUE_US ADIT_MS_US         /* no queue: so much above the shortest, */
#define ADIT_CRAWL_QUEUE_SHARE 16              /* and a sixteenth more */
#define ADIT_CRAWL_LOST_FEW 4                  /* segments: a start that overflows loses more */
#define ADIT_CRAWL_CUT_SHARE 16                /* a window so much below the bound was cut */

struct adit_crawl {
    uint64_t since_us; /* 0: it does not seem so */
    uint64_t retransmitted;
    bool is_started; /* another start was tried */
    bool is_filled;  /* one up to the bound */
    bool is_known; /* it crawled once */
};

enum adit_crawl_verdict {
    ADIT_CRAWL_NO,
    ADIT_CRAWL_START, /* it should begin anew: once without a bound, once with one */
    ADIT_CRAWL_YES,   /* once: it is certain */
};

struct adit_crawl_sample { /* the kernel's figures, as in adit_socket_info */
    uint64_t now_us;
    uint64_t rtt_us, rtt_min_us;
    uint64_t on_road, unsent;
    uint64_t window; /* bytes that the congestion control allows on the road */
    bool is_slow_start;
    uint64_t retransmitted; /* segments, since the start */
    uint64_t bound;         /* bytes that we would allow; UINT64_MAX: no bound */
};

/* What this sample tells. `crawl` begins as zeros. */
enum adit_crawl_verdict adit_crawl_sample(struct adit_crawl *crawl,
                                          const struct adit_crawl_sample *sample);

#endif
