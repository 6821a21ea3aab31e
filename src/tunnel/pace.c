#include "tunnel/pace.h"

/* A queue of so many times the wanted one ends the growth, and is one that should go. */
#define QUEUE_HIGH 2
/* Open: samples in a row that must see a queue, so many bytes being on the road. Each brings news,
 * and none sees a queue that is shorter by more than a share: of a machine that stood still for a
 * moment, the kernel's mean forgets an eighth with each acknowledgement. */
#define OPEN_SAMPLES 3
#define OPEN_SHRUNK 16
#define OPEN_BYTES (64 * 1024)
#define OPEN_LEAST (128 * 1024) /* bytes that may go in the first round trip */
/* And so many times the most that was on the road in any round before. Slow start doubles it, at a
 * pace of twice that, since a round's first acknowledgements bring half of its growth: less would
 * hold the kernel back, and none would let out a window that opens as a burst. */
#define OPEN_PACE 4
/* Parts of a round whose rates are compared: a start comes in bursts with pauses between, and what
 * arrives within a burst tells what the road carries, not the average of both. */
#define PARTS 8
#define PART_LEAST_US (8 * ADIT_MS_US)
#define GROWTH_MAX 4 /* quarters that the bound grows by in one round */
/* Where the last growth brought no more than a sixteenth, the next begins with a queue of so long:
 * a quarter is tens of milliseconds on a long road, and often a queue had gone for a moment. */
#define GROWTH_VAIN_SHARE 16
#define GROWTH_VAIN_US (8 * ADIT_MS_US)
/* Without figures for so long, and half a round trip. */
#define LATE_US (4 * ADIT_MS_US)
/* Figures beyond these are cut: products stay within 64 bits. */
#define RTT_MAX_US (10 * ADIT_SECOND_US)
#define RATE_MAX ADIT_PACE_RATE_MAX

void adit_pace_init(struct adit_pace *pace)
{
    *pace = (struct adit_pace){.bound = ADIT_PACE_UNBOUND};
}

bool adit_pace_is_long(const struct adit_pace *pace)
{
    return pace->rtt_min_us >= ADIT_PACE_SHORT_US;
}

static uint64_t rate_of(const struct adit_pace *pace)
{
    uint64_t rate = 1;
    for (uint32_t i = 0; i < ADIT_PACE_RATES; i++) {
        rate = adit_max_u64(rate, ADIT_AT(pace->rates, i));
    }
    return rate;
}

static void rate_note(struct adit_pace *pace, uint64_t rate)
{
    ADIT_AT(pace->rates, pace->rate_next) = adit_min_u64(rate, RATE_MAX);
    pace->rate_next = (pace->rate_next + 1) % ADIT_PACE_RATES;
}

/* How long the queue is that is wanted on the road. */
static uint64_t queue_us(const struct adit_pace *pace)
{
    return adit_max_u64(ADIT_PACE_QUEUE_US,
                        ADIT_PACE_QUEUE_BYTES * (uint64_t)ADIT_SECOND_US / rate_of(pace));
}

static void bound_set(struct adit_pace *pace, uint64_t bytes)
{
    pace->bound = adit_max_u64(bytes, ADIT_PACE_BOUND_MIN);
}

/* The measured rate times the shortest round trip, and the wanted queue. */
static uint64_t bound_of(const struct adit_pace *pace)
{
    uint64_t full_us = adit_min_u64(pace->rtt_min_us + queue_us(pace), RTT_MAX_US);
    return rate_of(pace) * full_us / ADIT_SECOND_US;
}

static void round_begin(struct adit_pace *pace, const struct adit_pace_sample *sample)
{
    pace->round_us = sample->now_us;
    pace->round_delivered = sample->delivered;
    pace->round_rtt_us = pace->rtt_us;
    pace->is_held = false;
    pace->is_dry = false;
}

static void part_begin(struct adit_pace *pace, const struct adit_pace_sample *sample)
{
    pace->mark_us = sample->now_us;
    pace->mark_delivered = sample->delivered;
}

static uint64_t rate_since(const struct adit_pace_sample *sample, uint64_t us, uint64_t delivered)
{
    uint64_t bytes = adit_subtract_floor_u64(sample->delivered, delivered);
    return adit_min_u64(bytes, RATE_MAX) * ADIT_SECOND_US / (sample->now_us - us);
}

static void part_end(struct adit_pace *pace, const struct adit_pace_sample *sample)
{
    uint64_t least_us = adit_max_u64(pace->rtt_us / PARTS, PART_LEAST_US);
    if (sample->now_us - pace->mark_us >= least_us) {
        uint64_t rate = rate_since(sample, pace->mark_us, pace->mark_delivered);
        pace->fastest = adit_max_u64(pace->fastest, rate);
        part_begin(pace, sample);
    }
}

static void open_again(struct adit_pace *pace, const struct adit_pace_sample *sample)
{
    *pace = (struct adit_pace){.bound = ADIT_PACE_UNBOUND,
                               .sample_us = pace->sample_us,
                               .rtt_us = pace->rtt_us,
                               .rtt_min_us = pace->rtt_min_us};
    round_begin(pace, sample);
    part_begin(pace, sample);
}

/* At most what is on the road in a round trip of now, as a queue stands; and no more than ever
 * arrived: the first rate, until rounds have been measured. */
static uint64_t first_rate(const struct adit_pace *pace, uint64_t on_road)
{
    uint64_t most = adit_min_u64(on_road, RATE_MAX) * ADIT_SECOND_US / pace->rtt_us;
    uint64_t fastest = adit_max_u64(pace->fastest, pace->fastest_before);
    return fastest > 0 ? adit_min_u64(most, fastest) : most;
}

static void queue_look(struct adit_pace *pace, const struct adit_pace_sample *sample)
{
    if (sample->delivered == pace->queued_delivered) {
        return;
    }
    uint64_t queue = pace->rtt_us - pace->rtt_min_us;
    bool has_shrunk = queue < pace->queued_us - pace->queued_us / OPEN_SHRUNK;
    bool has_queue = queue > QUEUE_HIGH * ADIT_PACE_QUEUE_US && sample->on_road >= OPEN_BYTES;
    pace->queued = has_queue && !has_shrunk ? pace->queued + 1 : 0;
    pace->queued_us = queue;
    pace->queued_delivered = sample->delivered;
}

/* A queue, and ours. */
static void open_sample(struct adit_pace *pace, const struct adit_pace_sample *sample)
{
    pace->peak = adit_max_u64(pace->peak, sample->on_road);
    if (sample->now_us - pace->round_us >= pace->rtt_us) {
        pace->most = adit_max_u64(pace->most, pace->peak);
        pace->peak = 0;
        pace->fastest_before = pace->fastest;
        pace->fastest = 0;
        round_begin(pace, sample);
    }
    part_end(pace, sample);
    queue_look(pace, sample);
    if (pace->queued < OPEN_SAMPLES) {
        return;
    }
    rate_note(pace, first_rate(pace, sample->on_road));
    pace->phase = ADIT_PACE_HELD;
    pace->growth = 1; /* so a quarter of a round trip tells the rate, if the queue stays */
    pace->is_settling = true;
    pace->stuck = 0;
    pace->grown_rate = rate_of(pace);
    bound_set(pace, bound_of(pace));
    round_begin(pace, sample);
}

/* Our bound has held for rounds, and yet there is more of a queue than wanted, or as much although
 * the bound shrinks: it is another's, or there is none and the way has become longer. */
static void judge_stuck(struct adit_pace *pace, uint64_t now_us)
{
    bool is_least = pace->bound <= ADIT_PACE_BOUND_MIN; /* a queue then proves nothing */
    uint64_t wanted_us = queue_us(pace);
    uint64_t seen_us = adit_subtract_floor_u64(pace->round_rtt_us, pace->rtt_min_us);
    bool is_more = pace->is_held && !pace->is_dry && seen_us > wanted_us + wanted_us / 8;
    if (!is_more || (pace->stuck == 0 && is_least)) {
        pace->stuck = 0;
        return;
    }
    if (pace->stuck == 0) {
        pace->stuck_bound = pace->bound;
    }
    pace->stuck++;
    if (pace->stuck < ADIT_PACE_STUCK_ROUNDS) {
        return;
    }
    pace->stuck = 0;
    bool has_shrunk = pace->bound < pace->stuck_bound - pace->stuck_bound / 32;
    if (has_shrunk || seen_us > QUEUE_HIGH * wanted_us) {
        pace->rtt_min_us = pace->round_rtt_us;
        pace->raised_us = now_us;
    }
}

/* No round was ever busy with a queue: what ended the start was none, and another one is faster. */
static void open_wide(struct adit_pace *pace, const struct adit_pace_sample *sample)
{
    uint64_t most = adit_min_u64(pace->bound, RATE_MAX);
    open_again(pace, sample);
    pace->most = most;
}

/* A growth fills the road in one round trip and shows in the next. */
static uint64_t grown(struct adit_pace *pace, uint64_t bound)
{
    pace->is_settling = !pace->is_settling && pace->is_held;
    if (!pace->is_settling) {
        return bound;
    }
    uint64_t rate = rate_of(pace);
    bool is_vain = pace->growth == 0 && !pace->is_careful &&
                   rate <= pace->grown_rate + pace->grown_rate / GROWTH_VAIN_SHARE;
    pace->grown_rate = rate;
    pace->is_careful = is_vain;
    if (is_vain) {
        return bound + adit_min_u64(bound / 4, adit_pace_bytes(pace, GROWTH_VAIN_US));
    }
    pace->growth += pace->growth < GROWTH_MAX;
    return bound + bound / 4 * pace->growth;
}

static void round_end(struct adit_pace *pace, const struct adit_pace_sample *sample)
{
    uint64_t rate = rate_since(sample, pace->round_us, pace->round_delivered);
    uint64_t queue_seen_us = pace->rtt_min_us + queue_us(pace) / 2;
    bool has_queue = pace->rtt_us >= queue_seen_us;
    bool is_true = pace->round_rtt_us >= queue_seen_us && !pace->is_dry; /* it was always busy */
    if (pace->phase == ADIT_PACE_HELD && (is_true || rate > rate_of(pace))) {
        rate_note(pace, rate);
    }
    pace->is_proven = pace->is_proven || is_true;
    judge_stuck(pace, sample->now_us);
    uint64_t bound = bound_of(pace);
    if (pace->phase == ADIT_PACE_DRAIN) {
        pace->phase = ADIT_PACE_HELD;
        bool is_long = pace->rtt_min_us > sample->rtt_min_us + QUEUE_HIGH * queue_us(pace);
        pace->raised_us = is_long ? sample->now_us : 0;
        pace->is_settling = true;
        bound_set(pace, bound);
    } else if (pace->raised_us > 0 &&
               sample->now_us - pace->raised_us >= ADIT_PACE_DRAIN_US) {
        pace->phase = ADIT_PACE_DRAIN;
        bound_set(pace, bound / 2);
    } else if (!has_queue) {
        bound = adit_max_u64(bound, adit_min_u64(pace->bound, RATE_MAX));
        bound_set(pace, grown(pace, bound));
        if (pace->is_settling && pace->growth == GROWTH_MAX && !pace->is_proven) {
            open_wide(pace, sample);
        }
    } else {
        pace->growth = 0;
        pace->is_careful = false;
        pace->is_settling = false;
        bound_set(pace, bound);
    }
    round_begin(pace, sample);
}

static void held_sample(struct adit_pace *pace, const struct adit_pace_sample *sample)
{
    uint64_t elapsed_us = sample->now_us - pace->round_us;
    bool is_over = pace->growth > 0 && elapsed_us >= pace->rtt_us / 4 &&
                   pace->rtt_us > pace->rtt_min_us + QUEUE_HIGH * queue_us(pace);
    if (elapsed_us > 0 && (is_over || elapsed_us >= pace->rtt_us)) {
        round_end(pace, sample);
    }
}

void adit_pace_sample(struct adit_pace *pace, const struct adit_pace_sample *sample)
{
    if (sample->rtt_us == 0) {
        return;
    }
    pace->rtt_us = adit_min_u64(sample->rtt_us, RTT_MAX_US);
    uint64_t least_us = pace->rtt_us; /* where that is less, what was judged too long was not */
    if (pace->raised_us == 0 && sample->rtt_min_us > 0) {
        least_us = adit_min_u64(least_us, sample->rtt_min_us);
    }
    pace->rtt_min_us = pace->rtt_min_us == 0 ? least_us : adit_min_u64(pace->rtt_min_us, least_us);
    pace->round_rtt_us = adit_min_u64(pace->round_rtt_us, pace->rtt_us);
    if (sample->now_us - pace->sample_us > pace->rtt_us / 2 + LATE_US) {
        pace->is_dry = true; /* we came late, and the road may have run dry meanwhile */
    }
    pace->sample_us = sample->now_us;
    if (!adit_pace_is_long(pace)) {
        open_again(pace, sample);
        return;
    }
    switch (pace->phase) {
    case ADIT_PACE_OPEN:
        open_sample(pace, sample);
        break;
    case ADIT_PACE_HELD:
    case ADIT_PACE_DRAIN:
        held_sample(pace, sample);
        break;
    }
}

void adit_pace_held(struct adit_pace *pace)
{
    pace->is_held = true;
}

void adit_pace_dry(struct adit_pace *pace, uint64_t in_kernel)
{
    if (in_kernel < pace->bound / 4 * 3) {
        pace->is_dry = true;
    }
}

uint64_t adit_pace_rate(const struct adit_pace *pace)
{
    if (!adit_pace_is_long(pace)) {
        return 0;
    }
    if (pace->bound == ADIT_PACE_UNBOUND) {
        uint64_t most = adit_min_u64(OPEN_PACE * adit_min_u64(pace->most, RATE_MAX), RATE_MAX);
        return adit_max_u64(most, OPEN_LEAST) * ADIT_SECOND_US / pace->rtt_min_us;
    }
    uint64_t bound = adit_min_u64(pace->bound, RATE_MAX);
    return (bound + bound / 4) * ADIT_SECOND_US / pace->rtt_min_us;
}

uint64_t adit_pace_bytes(const struct adit_pace *pace, uint64_t time_us)
{
    return rate_of(pace) * adit_min_u64(time_us, RTT_MAX_US) / ADIT_SECOND_US;
}

uint64_t adit_pace_wait_us(const struct adit_pace *pace, uint64_t bytes)
{
    return adit_min_u64(bytes, RATE_MAX) * ADIT_SECOND_US / rate_of(pace);
}
