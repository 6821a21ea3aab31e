/* A link whose road loses packets by chance gets a congestion control that does not take each loss
 * for a full road, where the system lets us choose one (decision 0028). */
#include "tunnel/internal.h"

#define LOOK_US (50 * ADIT_MS_US)

static bool is_mended_by_bbr(const struct link *link)
{
    struct adit_status status = adit_socket_congestion_set(link->fd, ADIT_BYTES("bbr"));
    adit_status_ignore(status, "the answer tells");
    return adit_is_ok(status);
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

void link_road_look(struct adit_hub *hub, struct link *link)
{
    uint64_t now_us = hub->loop->now_us;
    struct adit_socket_info info = {0};
    if (link->loss.is_lossy || now_us - link->looked_us < LOOK_US) {
        return;
    }
    link->looked_us = now_us;
    if (!adit_is_ok(adit_socket_info_get(link->fd, &info))) {
        return; /* the next send will tell what is wrong */
    }
    const struct adit_loss_sample sample = {.now_us = now_us,
                                            .rtt_us = info.rtt_us,
                                            .rtt_min_us = info.rtt_min_us,
                                            .sent = info.sent,
                                            .retransmitted = info.retransmitted,
                                            .is_recovering = info.is_recovering};
    if (adit_loss_sample(&link->loss, &sample)) {
        link_road_mend(hub, link);
    }
}
