/* A link whose road loses packets by chance gets a congestion control that does not take each loss
 * for a full road, where the system lets us choose one (decision 0028); so does one that crawls
 * (decision 0029). */
#include "tunnel/internal.h"

#define LOOK_US (50 * ADIT_MS_US)
#define RENEW_US (5 * ADIT_SECOND_US) /* half of what `bbr` waits */

static bool is_control_set(const struct link *link, struct adit_bytes name)
{
    struct adit_status status = adit_socket_congestion_set(link->fd, name);
    adit_status_ignore(status, "the answer tells");
    return adit_is_ok(status);
}

static bool is_mended_by_bbr(const struct link *link)
{
    return is_control_set(link, ADIT_BYTES("bbr"));
}

void adit_link_expect_loss(struct adit_hub *hub, struct adit_handle handle)
{
    struct link *link = hub_link(hub, handle);
    if (link) {
        link->loss.is_lossy = true;
        (void)is_mended_by_bbr(link);
    }
}

void link_road_mend(struct adit_hub *hub, struct link *link)
{
    bool is_mended = is_mended_by_bbr(link);
    if (hub->ops->link_lossy) {
        hub->ops->link_lossy(hub->context, link->self, link->user, is_mended);
    }
}

/* `bbr` forgets where a start ended, and nobody else does: with it for a moment the window begins
 * anew from where it is. */
static void start_again(const struct link *link)
{
    (void)(is_mended_by_bbr(link) && is_control_set(link, ADIT_BYTES("cubic")));
}

/* The window begins anew with another congestion control; ours bounds what that may send. */
static void look_for_crawl(struct link *link, const struct adit_socket_info *info)
{
    const struct adit_crawl_sample sample = {.now_us = link->looked_us,
                                             .rtt_us = info->rtt_us,
                                             .rtt_min_us = info->rtt_min_us,
                                             .on_road = info->on_road,
                                             .unsent = info->unsent,
                                             .window = info->window,
                                             .is_slow_start = info->is_slow_start,
                                             .retransmitted = info->retransmitted,
                                             .bound = link->pace.bound};
    switch (adit_crawl_sample(&link->crawl, &sample)) {
    case ADIT_CRAWL_NO:
        break;
    case ADIT_CRAWL_START:
        start_again(link);
        adit_loss_crawled(&link->loss);
        break;
    case ADIT_CRAWL_YES:
        (void)is_mended_by_bbr(link);
        adit_loss_crawled(&link->loss);
        break;
    }
}

/* Where ten seconds brought no shorter round trip, `bbr` sends next to nothing for 200 ms to see
 * whether there is one, and a small request waits as long. Under our bound a short queue stands all
 * the time, and we know the shortest round trip ourselves: so what it knows begins anew before,
 * with another control for a moment. Its window stays, and our pacing. What put `bbr` there allows
 * it again: it is the host's own, or was ours. */
static void renew_bbr(struct link *link)
{
    bool is_due = link->pace.bound != ADIT_PACE_UNBOUND &&
                  link->looked_us - link->renewed_us >= RENEW_US;
    if (!is_due) {
        return;
    }
    link->renewed_us = link->looked_us;
    if (adit_socket_congestion_is(link->fd, ADIT_BYTES("bbr"))) {
        (void)(is_control_set(link, ADIT_BYTES("reno")) && is_mended_by_bbr(link));
    }
}

void link_road_look(struct adit_hub *hub, struct link *link, const struct adit_socket_info *info)
{
    uint64_t now_us = hub->loop->now_us;
    if (link->loss.is_lossy || now_us - link->looked_us < LOOK_US) {
        return;
    }
    link->looked_us = now_us;
    const struct adit_loss_sample sample = {.now_us = now_us,
                                            .rtt_us = info->rtt_us,
                                            .rtt_min_us = info->rtt_min_us,
                                            .sent = info->sent,
                                            .retransmitted = info->retransmitted,
                                            .is_recovering = info->is_recovering};
    if (adit_loss_sample(&link->loss, &sample)) {
        link_road_mend(hub, link);
    } else {
        look_for_crawl(link, info);
        renew_bbr(link);
    }
}
