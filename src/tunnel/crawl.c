#include "tunnel/crawl.h"

/* Its start ended early, and nothing of its own was the reason: one that overflows a road loses a
 * good part of a window, not a few. */
static bool is_untried(const struct adit_crawl *crawl, const struct adit_crawl_sample *sample)
{
    return !crawl->is_started && sample->retransmitted <= ADIT_CRAWL_LOST_FEW &&
           sample->bound == UINT64_MAX;
}

/* Its start went too far, as one that doubles does before the first queue is seen; by now the road
 * is known. */
static bool is_cut(const struct adit_crawl *crawl, const struct adit_crawl_sample *sample)
{
    return !crawl->is_filled && sample->bound != UINT64_MAX;
}

static bool seems_so(const struct adit_crawl *crawl, const struct adit_crawl_sample *sample)
{
    bool is_empty_road = sample->rtt_us <= sample->rtt_min_us + ADIT_CRAWL_QUEUE_US +
                                               sample->rtt_min_us / ADIT_CRAWL_QUEUE_SHARE;
    bool is_full_window = sample->unsent > 0 && sample->on_road >= sample->window / 4 * 3;
    uint64_t most = is_cut(crawl, sample) ? sample->bound - sample->bound / ADIT_CRAWL_CUT_SHARE
                                          : sample->bound / 2;
    return sample->rtt_min_us >= ADIT_CRAWL_RTT_MIN_US && is_empty_road && is_full_window &&
           !sample->is_slow_start && sample->window < most &&
           sample->retransmitted == crawl->retransmitted;
}

enum adit_crawl_verdict adit_crawl_sample(struct adit_crawl *crawl,
                                          const struct adit_crawl_sample *sample)
{
    bool is_so = !crawl->is_known && seems_so(crawl, sample);
    crawl->retransmitted = sample->retransmitted;
    if (!is_so) {
        crawl->since_us = 0;
        return ADIT_CRAWL_NO;
    }
    if (crawl->since_us == 0) {
        crawl->since_us = sample->now_us;
    }
    bool may_start = is_untried(crawl, sample) || is_cut(crawl, sample);
    uint64_t round_trips = may_start ? ADIT_CRAWL_START_ROUND_TRIPS : ADIT_CRAWL_ROUND_TRIPS;
    uint64_t least_us = adit_max_u64(round_trips * sample->rtt_min_us, ADIT_CRAWL_LEAST_US);
    if (sample->now_us - crawl->since_us < least_us) {
        return ADIT_CRAWL_NO;
    }
    if (may_start) {
        crawl->is_started = true;
        crawl->is_filled = is_cut(crawl, sample);
        crawl->since_us = 0;
        return ADIT_CRAWL_START;
    }
    crawl->is_known = true;
    return ADIT_CRAWL_YES;
}
