#include "link.h"

#include "random.h"

struct adit_status sim_link_init(struct sim_link *link, const struct sim_link_plan *plan,
                                 uint64_t seed)
{
    *link = (struct sim_link){.plan = *plan, .random = sim_random(seed)};
    ADIT_TRY(adit_memory_open(plan->in_flight_max, 1, &link->ring));
    struct adit_status status = adit_memory_open(SIM_SEGMENTS_MAX, sizeof(struct sim_segment),
                                                 &link->segment_memory);
    if (!adit_is_ok(status)) {
        adit_memory_close(&link->ring);
        return status;
    }
    void *segments = link->segment_memory.ptr;
    link->segments = segments;
    link->stall_next_us = plan->stall_every_us == 0
                              ? SIM_NEVER
                              : sim_pick(&link->random, 0, 2 * plan->stall_every_us);
    return adit_ok();
}

void sim_link_deinit(struct sim_link *link)
{
    adit_memory_close(&link->ring);
    adit_memory_close(&link->segment_memory);
}

static void sim_link_append(struct sim_link *link, struct adit_bytes bytes)
{
    size_t tail = (link->head + link->len) % link->ring.len;
    size_t straight = adit_min_size(bytes.len, link->ring.len - tail);
    adit_status_ignore(adit_span_copy(adit_span_from(link->ring, tail),
                                      adit_bytes_first(bytes, straight)),
                       "the caller checked the room");
    adit_status_ignore(adit_span_copy(link->ring, adit_bytes_from(bytes, straight)),
                       "the caller checked the room");
    link->len += bytes.len;
    link->bytes_total += bytes.len;
}

/* When a segment of `len` bytes that is sent now arrives. */
static uint64_t sim_link_schedule(struct sim_link *link, size_t len, uint64_t now_us)
{
    const struct sim_link_plan *plan = &link->plan;
    link->free_ns = adit_max_u64(link->free_ns, now_us * 1000) +
                    (uint64_t)len * 1000000000u / plan->bytes_per_second;
    if (now_us >= link->stall_next_us) {
        link->free_ns += sim_pick(&link->random, 0, plan->stall_max_us) * 1000;
        link->stall_next_us = link->free_ns / 1000 +
                              sim_pick(&link->random, 0, 2 * plan->stall_every_us);
    }
    uint64_t arrive_us = (link->free_ns + 999) / 1000 + plan->delay_us +
                         adit_jitter_below(&link->random, plan->jitter_us + 1);
    return adit_max_u64(arrive_us, link->arrive_us);
}

/* Room for all of it, for a whole segment, or for half of what may be under way. A sender that
 * fills each gap as it opens cuts what is under way ever smaller: a gap is no longer than the
 * segment that left it (RFC 1122, section 4.2.3.4). */
static bool sim_link_has_room(const struct sim_link *link, size_t len)
{
    size_t enough = adit_min_size(link->plan.segment_max, (link->ring.len + 1) / 2);
    return link->ring.len - link->len >= adit_min_size(len, enough);
}

size_t sim_link_put(struct sim_link *link, struct adit_bytes bytes, uint64_t now_us)
{
    size_t done = 0;
    if (!sim_link_has_room(link, bytes.len)) {
        return 0;
    }
    while (done < bytes.len && link->len < link->ring.len &&
           link->segment_count < SIM_SEGMENTS_MAX) {
        size_t room = adit_min_size(link->ring.len - link->len, bytes.len - done);
        size_t len = (size_t)sim_pick(&link->random, 1, link->plan.segment_max);
        len = adit_min_size(room, len);
        sim_link_append(link, adit_bytes_first(adit_bytes_from(bytes, done), len));
        link->arrive_us = sim_link_schedule(link, len, now_us);
        size_t slot = (link->segment_head + link->segment_count) % SIM_SEGMENTS_MAX;
        ADIT_SLOT(link->segments, SIM_SEGMENTS_MAX, slot) =
            (struct sim_segment){.len = len, .arrive_us = link->arrive_us};
        link->segment_count++;
        done += len;
    }
    return done;
}

void sim_link_advance(struct sim_link *link, uint64_t now_us)
{
    while (link->segment_count > 0) {
        struct sim_segment segment =
            ADIT_SLOT(link->segments, SIM_SEGMENTS_MAX, link->segment_head);
        if (segment.arrive_us > now_us) {
            return;
        }
        link->arrived += segment.len;
        link->segment_head = (link->segment_head + 1) % SIM_SEGMENTS_MAX;
        link->segment_count--;
    }
}

struct adit_bytes sim_link_front(const struct sim_link *link, size_t max)
{
    struct adit_bytes arrived = adit_bytes_first(
        adit_bytes_from(adit_span_bytes(link->ring), link->head), link->arrived);
    return adit_bytes_first(arrived, max);
}

void sim_link_drop(struct sim_link *link, size_t count)
{
    ADIT_ASSERT(count <= link->arrived);
    link->head = (link->head + count) % link->ring.len;
    link->len -= count;
    link->arrived -= count;
}

uint64_t sim_link_next_us(const struct sim_link *link)
{
    return link->segment_count == 0
               ? SIM_NEVER
               : ADIT_SLOT(link->segments, SIM_SEGMENTS_MAX, link->segment_head).arrive_us;
}
