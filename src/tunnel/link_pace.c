/* What the kernel says of a link's road, and how much of the link's queue it may have (decision
 * 0029). */
#include "tunnel/internal.h"

/* How often the kernel's view of the road is read, while there is traffic. */
#define MEASURE_US (50 * ADIT_MS_US)
#define MEASURE_LONG_US ADIT_MS_US /* where the road is long */

/* Bytes that may stand unsent in the kernel: what the road takes in UNSENT_US, within bounds. The
 * rest of the queue stands in the scheduler, where a small request passes a bulk transfer. */
#define UNSENT_US (8 * ADIT_MS_US)
#define UNSENT_MIN (128 * 1024)
#define UNSENT_MAX (4 * 1024 * 1024)

/* What the bound leaves is handed down in pieces of at least what the road takes in PIECE_US,
 * within bounds: a full record where the road is fast. Streams that go first may pass the bound by
 * an eighth, and a piece. */
#define PIECE_US (2 * ADIT_MS_US)
#define PIECE_MIN 4096
#define PIECE_MAX (16 * 1024)

static bool differs(uint64_t a, uint64_t b)
{
    return a > b + b / 8 || b > a + a / 8;
}

static void pacing_set(struct link *link)
{
    uint64_t rate = adit_pace_rate(&link->pace);
    if (rate == 0 && link->pace_rate > 0) {
        rate = ADIT_PACE_RATE_MAX; /* the road has become a short one */
    }
    if (rate > 0 && differs(rate, link->pace_rate)) {
        link->pace_rate = rate;
        adit_status_ignore(adit_socket_pacing_set(link->fd, rate), "only a hint");
    }
}

/* On a short road the mean round trip of who mostly receives is that of delayed acknowledgements:
 * windows would be sized for a road of many milliseconds. */
static uint64_t road_us(const struct link *link, const struct adit_socket_info *info)
{
    return adit_pace_is_long(&link->pace) ? info->rtt_us : info->rtt_min_us;
}

void link_pace_look(struct adit_hub *hub, struct link *link, const struct adit_socket_info *info)
{
    link->rtt_us = info->rtt_us;
    link->in_kernel = info->on_road + info->unsent;
    adit_session_rtt_set(&link->session, road_us(link, info));
    adit_session_rate_set(&link->session, info->delivery_rate);
    adit_pace_sample(&link->pace, &(struct adit_pace_sample){.now_us = hub->loop->now_us,
                                                             .rtt_us = info->rtt_us,
                                                             .rtt_min_us = info->rtt_min_us,
                                                             .delivered = info->delivered,
                                                             .on_road = info->on_road,
                                                             .in_kernel = link->in_kernel});
    pacing_set(link);
    if (adit_pace_is_long(&link->pace)) {
        adit_loop_far(hub->loop);
    }
    link_road_look(hub, link, info);
    uint64_t unsent = adit_max_u64(info->delivery_rate / (ADIT_SECOND_US / UNSENT_US), UNSENT_MIN);
    unsent = adit_min_u64(unsent, UNSENT_MAX);
    if (unsent > link->unsent_max + link->unsent_max / 4 || unsent < link->unsent_max / 2) {
        link->unsent_max = unsent;
        adit_status_ignore(adit_socket_unsent_max_set(link->fd, unsent), "only a hint");
    }
}

void link_pace_measure(struct adit_hub *hub, struct link *link)
{
    uint64_t now_us = hub->loop->now_us;
    if (now_us - link->measured_us <
        (adit_pace_is_long(&link->pace) ? MEASURE_LONG_US : MEASURE_US)) {
        return;
    }
    link->measured_us = now_us;
    struct adit_socket_info info = {0};
    if (adit_is_ok(adit_socket_info_get(link->fd, &info))) { /* else the next send will tell */
        link_pace_look(hub, link, &info);
    }
}

static uint64_t piece_of(const struct link *link)
{
    return adit_min_u64(adit_max_u64(adit_pace_bytes(&link->pace, PIECE_US), PIECE_MIN), PIECE_MAX);
}

size_t link_pace_room(const struct link *link, const struct adit_session_turn *turn,
                      size_t gathered)
{
    uint64_t bound = link->pace.bound;
    if (bound == ADIT_PACE_UNBOUND) {
        return turn->bytes_max;
    }
    uint64_t piece = piece_of(link);
    uint64_t allowed = bound + (turn->is_fresh ? bound / 8 + piece : 0);
    uint64_t left = adit_subtract_floor_u64(allowed, link->in_kernel + gathered);
    if (left < piece && (!turn->is_fresh || left == 0)) {
        return 0;
    }
    return (size_t)adit_min_u64(turn->bytes_max, left);
}

static void pace_fired(void *context, uint64_t key)
{
    struct adit_hub *hub = context;
    struct link *link = hub_link(hub, adit_handle_unpack(key));
    if (link) {
        link->pace_timer = (struct adit_handle){0};
        hub_mark_dirty(hub, link);
    }
}

/* No event says that bytes have arrived, so a timer asks when another piece should have. */
void link_pace_wait(struct adit_hub *hub, struct link *link)
{
    adit_pace_held(&link->pace);
    if (adit_handle_is_set(link->pace_timer)) {
        return;
    }
    uint64_t over = adit_subtract_floor_u64(link->in_kernel + piece_of(link), link->pace.bound);
    uint64_t wait_us = adit_min_u64(adit_pace_wait_us(&link->pace, over), link->rtt_us / 4);
    wait_us = adit_max_u64(wait_us, MEASURE_LONG_US);
    if (!adit_is_ok(adit_loop_timer_set(hub->loop, &link->pace_timer, hub->loop->now_us + wait_us,
                                        pace_fired, hub, adit_handle_pack(link->self)))) {
        hub_mark_dirty(hub, link); /* no timer is left: ask again at once */
    }
}
