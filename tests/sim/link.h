/* Link: one direction of a simulated connection. In order and lossless, as TCP gives it, and
 * otherwise as unkind as TCP may be: a delay, a rate, stalls, any split into segments, and only so
 * many bytes on the way before the sender has to wait.
 *
 * Limits: in_flight_max bytes and SIM_SEGMENTS_MAX segments. */
#ifndef ADIT_TESTS_SIM_LINK_H
#define ADIT_TESTS_SIM_LINK_H

#include "base/base.h"

#define SIM_SEGMENTS_MAX 8192u
#define SIM_NEVER UINT64_MAX

struct sim_link_plan {
    uint64_t delay_us;         /* one way */
    uint64_t jitter_us;        /* added to a segment, at most; order is kept */
    uint64_t bytes_per_second;
    size_t in_flight_max;      /* sent and not yet taken by the receiver */
    size_t segment_max;        /* a segment has 1 to so many bytes */
    uint64_t stall_every_us;   /* on average; 0: never */
    uint64_t stall_max_us;
};

struct sim_segment {
    size_t len;
    uint64_t arrive_us;
};

struct sim_link {
    struct sim_link_plan plan;
    struct adit_jitter random;
    struct adit_span ring;
    size_t head, len; /* bytes: arrived ones first */
    size_t arrived;
    struct adit_span segment_memory;
    struct sim_segment *segments; /* a ring of SIM_SEGMENTS_MAX */
    size_t segment_head, segment_count;
    uint64_t free_ns;   /* when the line can take the next byte */
    uint64_t arrive_us; /* of the last segment */
    uint64_t stall_next_us;
    uint64_t bytes_total;
};

struct adit_status sim_link_init(struct sim_link *link, const struct sim_link_plan *plan,
                                 uint64_t seed);
void sim_link_deinit(struct sim_link *link);

/* Takes what fits, where that is worth a segment; returns how many bytes that was. */
size_t sim_link_put(struct sim_link *link, struct adit_bytes bytes, uint64_t now_us);

/* Lets what is due arrive. */
void sim_link_advance(struct sim_link *link, uint64_t now_us);

/* Bytes that have arrived and lie together, at most `max`. */
struct adit_bytes sim_link_front(const struct sim_link *link, size_t max);

/* The receiver took `count` of them. */
void sim_link_drop(struct sim_link *link, size_t count);

/* When something arrives next; SIM_NEVER where nothing is on the way. */
uint64_t sim_link_next_us(const struct sim_link *link);

#endif
