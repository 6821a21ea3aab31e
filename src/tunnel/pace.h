/* Pace: how many bytes of a link may stand in the kernel, sent and not acknowledged or not sent.
 *
 * What a road holds is its rate times its shortest round trip. What is handed down beyond that
 * stands in a queue on the way, where a small request cannot pass a bulk transfer; in our own
 * scheduler it can. So the bound is kept near that product, whatever the kernel's congestion
 * control would do: the measured rate times the shortest round trip and a little more, so that the
 * road never runs dry. As BBR (Cardwell and others, 2016) and FAST TCP (Wei and others, 2006)
 * reason; loss is left to the kernel.
 *
 *   open   no bound: a short road, or no queue has been seen yet. The kernel's slow start works.
 *   held   a round trip at a time: where a queue stands, what was delivered meanwhile is the road's
 *          rate; where none does and the bound was reached, it grows by a quarter, then by more.
 *   drain  half of it for one round trip, now and then after the shortest round trip was judged
 *          to have become longer: was it our own queue after all?
 *
 * Pure: time and the kernel's figures come in. Process: worker and agent. */
#ifndef ADIT_TUNNEL_PACE_H
#define ADIT_TUNNEL_PACE_H

#include "base/base.h"

#define ADIT_PACE_SHORT_US (3 * ADIT_MS_US)  /* a road with a shorter round trip has no bound */
#define ADIT_PACE_QUEUE_US (3 * ADIT_MS_US)  /* the queue that is kept on the road */
#define ADIT_PACE_QUEUE_BYTES (16 * 1024)    /* and at least so many bytes of it */
#define ADIT_PACE_BOUND_MIN (32 * 1024)
#define ADIT_PACE_RATES 3                    /* rounds whose greatest rate counts */
#define ADIT_PACE_STUCK_ROUNDS 8             /* of a queue that our bound does not shorten */
#define ADIT_PACE_DRAIN_US (10 * ADIT_SECOND_US)
#define ADIT_PACE_UNBOUND UINT64_MAX
#define ADIT_PACE_RATE_MAX (UINT64_C(100) * 1000 * 1000 * 1000) /* bytes a second: no limit */

struct adit_pace_sample {
    uint64_t now_us;
    uint64_t rtt_us;     /* smoothed; 0: not known yet */
    uint64_t rtt_min_us; /* the kernel's shortest; 0: not known */
    uint64_t delivered;  /* bytes that have arrived, since the start */
    uint64_t on_road;    /* bytes sent that have not arrived */
    uint64_t in_kernel;  /* these, and what is not sent yet */
};

enum adit_pace_phase { ADIT_PACE_OPEN, ADIT_PACE_HELD, ADIT_PACE_DRAIN };

struct adit_pace {
    enum adit_pace_phase phase;
    uint64_t bound; /* bytes; ADIT_PACE_UNBOUND: as many as the kernel takes */
    uint64_t sample_us; /* the last figures */
    uint64_t rtt_us, rtt_min_us;
    uint64_t rates[ADIT_PACE_RATES]; /* bytes a second */
    uint32_t rate_next;
    uint64_t peak, most; /* open: bytes on the road in this round; in any before */
    uint64_t mark_us, mark_delivered;   /* open: where a part of this round began */
    uint64_t fastest, fastest_before;   /* open: the best rate of a part, this round, the last */
    uint32_t queued; /* open: samples in a row that saw a queue which did not shrink */
    uint64_t queued_us, queued_delivered; /* open: of the last sample that brought something */
    uint32_t growth; /* quarters that the last round without a queue grew by */
    uint64_t grown_rate; /* when it grew last */
    uint32_t stuck;  /* rounds in a row with a queue that did not go */
    uint64_t stuck_bound; /* at the first of them */
    uint64_t raised_us; /* when the shortest round trip was judged longer; 0: never */
    uint64_t round_us, round_delivered, round_rtt_us; /* the start; the shortest since */
    bool is_proven; /* held: a round was busy with a queue all the time */
    bool is_careful;  /* the last growth was a small one */
    bool is_settling; /* this round shows what the last one's growth did */
    bool is_held; /* in this round: there was more to send than the bound allowed */
    bool is_dry;  /* in this round: there was less to send than the road would have taken */
};

/* All zero, but without a bound. */
void adit_pace_init(struct adit_pace *pace);

/* New figures; `bound` moves. */
void adit_pace_sample(struct adit_pace *pace, const struct adit_pace_sample *sample);

/* There was more to send, and the bound did not allow it. */
void adit_pace_held(struct adit_pace *pace);

/* There was nothing more to send while the kernel had `in_kernel` bytes. */
void adit_pace_dry(struct adit_pace *pace, uint64_t in_kernel);

/* True where figures are wanted more often than on a road without a bound. */
bool adit_pace_is_long(const struct adit_pace *pace);

/* Bytes a second at which the kernel should send at most, so that a bound that grows fills the road
 * evenly; 0: a short road, for which nothing is set. */
uint64_t adit_pace_rate(const struct adit_pace *pace);

/* What the road takes in so long. */
uint64_t adit_pace_bytes(const struct adit_pace *pace, uint64_t time_us);

/* How long it takes the road to make room for `bytes`. */
uint64_t adit_pace_wait_us(const struct adit_pace *pace, uint64_t bytes);

#endif
