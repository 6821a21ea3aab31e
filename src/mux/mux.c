#include "mux/stream.h"

struct adit_mux_limits adit_mux_limits_default(void)
{
    return (struct adit_mux_limits){
        .streams_max = 1024,
        .unacked_max = 256,
        .window_start = 256 * 1024,
        .window_max = 32 * 1024 * 1024,
        .session_growth_max = UINT64_C(64) * 1024 * 1024,
        .frame_max = 1024 * 1024,
        .quantum = 16 * 1024 - ADIT_YAMUX_HEADER_BYTES,
        .quantum_alone = 64 * 1024 - ADIT_YAMUX_HEADER_BYTES,
        .quantum_max = 256 * 1024 - ADIT_YAMUX_HEADER_BYTES,
        .control_max = ADIT_SESSION_CONTROL_MAX,
        .ping_burst = 16,
        .pings_per_second = 4,
        .reset_burst = 1024,
        .resets_per_second = 33,
        .early_reset_burst = 256,
        .early_resets_per_second = 33,
        .glitch_burst = 256,
        .glitches_per_second = 16,
        .keepalive_idle_us = UINT64_C(10) * ADIT_SECOND_US,
        .keepalive_dead_us = UINT64_C(20) * ADIT_SECOND_US,
        .header_stall_us = UINT64_C(30) * ADIT_SECOND_US,
        .half_closed_idle_us = UINT64_C(300) * ADIT_SECOND_US,
        .ack_deadline_us = UINT64_C(10) * ADIT_SECOND_US,
    };
}

struct adit_mux_limits adit_mux_limits_of(enum adit_session_role role)
{
    struct adit_mux_limits limits = adit_mux_limits_default();
    struct adit_mux_limits visitors = limits; /* what a server may pass on */
    visitors.resets_out_burst = 2048;
    visitors.resets_out_per_second = 1000;
    switch (role) {
    case ADIT_SESSION_SERVER:
        return visitors;
    case ADIT_SESSION_CLIENT:
        limits.resets_out_burst = limits.reset_burst / 4;
        limits.resets_out_per_second = limits.resets_per_second;
        limits.reset_burst = 32 * 1024; /* the burst, and 20 s of a road that stands still */
        limits.resets_per_second = visitors.resets_out_per_second;
        return limits;
    }
    return limits;
}

static uint32_t at_least_one(uint32_t value)
{
    return value > 0 ? value : 1;
}

/* What was left open follows from the rest. The quarter: a peer's bucket of (burst, rate) takes
 * what left us as (burst / 4, rate) even after the road held it up for burst * 3/4 / rate, which
 * is longer than a session lives without a sign of life. */
static void fill_in(struct adit_mux_limits *limits)
{
    if (limits->quantum_alone < limits->quantum) {
        limits->quantum_alone = limits->quantum;
    }
    if (limits->quantum_max < limits->quantum_alone) {
        limits->quantum_max = limits->quantum_alone;
    }
    if (limits->resets_out_burst == 0) {
        limits->resets_out_burst = at_least_one(limits->reset_burst / 4);
        limits->resets_out_per_second = at_least_one(limits->resets_per_second);
    }
    if (limits->early_resets_out_burst == 0) {
        limits->early_resets_out_burst = at_least_one(limits->early_reset_burst / 4);
        limits->early_resets_out_per_second = at_least_one(limits->early_resets_per_second / 4);
    }
}

static struct adit_status check(const struct adit_mux_limits *limits)
{
    ADIT_ENSURE(limits->streams_max > 0 && limits->streams_max <= 1 << 16, INVALID,
                "streams_max is out of range");
    ADIT_ENSURE(limits->unacked_max > 0, INVALID, "unacked_max is zero");
    ADIT_ENSURE(limits->window_start > 0 && limits->window_start <= limits->window_max &&
                    limits->window_max <= 1 << 30,
                INVALID, "windows are out of range");
    ADIT_ENSURE(limits->frame_max > 0 && limits->quantum > 0, INVALID, "frames of no bytes");
    ADIT_ENSURE(limits->control_max >= 4 && limits->control_max <= ADIT_SESSION_CONTROL_MAX,
                INVALID, "control_max is out of range");
    ADIT_ENSURE(limits->keepalive_dead_us > limits->keepalive_idle_us, INVALID,
                "dead before the first ping");
    return adit_ok();
}

struct adit_status adit_mux_init(struct adit_mux *mux, const struct adit_mux_options *options)
{
    struct adit_mux_limits limits = options->limits;
    fill_in(&limits);
    ADIT_TRY(check(&limits));
    ADIT_ENSURE(options->streams_max > 0 && options->streams_max <= 1 << 24, INVALID,
                "streams of the process are out of range");
    uint32_t tombstones_max = options->streams_max / 4 + ADIT_SESSION_TOMBSTONES_MAX;
    uint32_t capacity = options->streams_max + tombstones_max;
    struct adit_pool streams = {0};
    struct adit_index ids = {0};
    ADIT_TRY(adit_pool_init(&streams, sizeof(struct adit_stream), capacity));
    struct adit_status status = adit_index_init(&ids, capacity);
    if (!adit_is_ok(status)) {
        adit_pool_deinit(&streams);
        return status;
    }
    *mux = (struct adit_mux){.limits = limits,
                             .streams = streams,
                             .ids = ids,
                             .seed = options->seed,
                             .growth_max = options->growth_max,
                             .streams_max = options->streams_max,
                             .tombstones_max = tombstones_max};
    return adit_ok();
}

void adit_mux_deinit(struct adit_mux *mux)
{
    adit_pool_deinit(&mux->streams);
    adit_index_deinit(&mux->ids);
    *mux = (struct adit_mux){0};
}
