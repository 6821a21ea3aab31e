#include "tunnel/crawl.h"

static bool seems_so(const struct adit_crawl *crawl, const struct adit_crawl_sample *sample)
{
    bool is_empty_road = sample->rtt_us <= sample->rtt_min_us + ADIT_CRAWL_QUEUE_US +
                                               sample->rtt_min_us / ADIT_CRAWL_QUEUE_SHARE;
    bool is_full_window = sample->unsent > 0 && sample->on_road >= sample->window / 4 * 3;
    return sample->rtt_min_us >= ADIT_CRAWL_RTT_MIN_US && is_empty_road && is_full_window &&
           !sample->is_slow_start && sample->window < sample->bound / 2 &&
           sample->retransmitted == crawl->retransmitted;
}

bool adit_crawl_sample(struct adit_crawl *crawl, const struct adit_crawl_sample *sample)
{
    bool is_so = !crawl->is_known && seems_so(crawl, sample);
    crawl->retransmitted = sample->retransmitted;
    if (!is_so) {
        crawl->since_us = 0;
        return false;
    }
    if (crawl->since_us == 0) {
        crawl->since_us = sample->now_us;
    }
    uint64_t least_us =
        adit_max_u64(ADIT_CRAWL_ROUND_TRIPS * sample->rtt_min_us, ADIT_CRAWL_LEAST_US);
    crawl->is_known = sample->now_us - crawl->since_us >= least_us;
    return crawl->is_known;
}
