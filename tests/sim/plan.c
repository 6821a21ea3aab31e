/* Draws a world from its seed: one of a few styles, each varied at random. */
#include "world.h"

#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)

struct sim_style {
    const char *name;
    uint32_t streams_low, streams_high;
    uint64_t bytes_high;       /* a stream and direction */
    uint64_t segment_high;     /* bytes */
    uint64_t in_flight_high;   /* bytes */
    uint64_t spread_us;        /* streams open within so long */
    uint64_t reset_percent;    /* of streams, on either side */
    uint64_t slow_percent;     /* of readers */
    uint64_t pause_us;         /* readers begin so late */
    uint64_t goaway_percent;   /* of worlds */
    bool has_tight_limits;
};

/* Bytes a stream are bounded so that a world costs milliseconds, whatever its seed. */
static const struct sim_style sim_styles[] = {
    {"crumbs", 1, 6, 12 * KIB, 3, 64, 20000, 5, 30, 0, 0, false},
    {"swarm", 300, 2000, 2 * KIB, 20000, 256 * KIB, 300000, 2, 2, 0, 5, false},
    {"bulk", 1, 4, 4 * MIB, 65536, 4 * MIB, 1000, 0, 0, 0, 0, false},
    {"slow", 2, 16, 600 * KIB, 9000, 128 * KIB, 100000, 3, 80, 2000000, 0, false},
    {"pause", 1, 8, 900 * KIB, 30000, 512 * KIB, 10000, 0, 30, 30000000, 0, false},
    {"quits", 20, 400, 100 * KIB, 20000, 128 * KIB, 2000000, 60, 20, 0, 5, false},
    {"tight", 5, 120, 64 * KIB, 3000, 32 * KIB, 500000, 10, 30, 1000, 5, true},
    {"tight swarm", 100, 600, 4 * KIB, 3000, 32 * KIB, 500000, 10, 10, 0, 5, true},
    {"goodbye", 10, 200, 64 * KIB, 20000, 128 * KIB, 1000000, 5, 10, 0, 100, false},
    {"mixed", 1, 100, 128 * KIB, 20000, 512 * KIB, 1000000, 10, 20, 500000, 10, false},
};

/* Deadlines that a slow world could meet honestly are out of the way; ADVERSARIES' values are
 * tested by the mux's own unit tests. */
static void sim_plan_limits(struct sim_world *world, const struct sim_style *style)
{
    struct adit_jitter *random = &world->random;
    struct sim_world_plan *plan = &world->plan;
    struct adit_mux_limits limits = adit_mux_limits_default();
    limits.ack_deadline_us = 3600 * (uint64_t)ADIT_SECOND_US;
    limits.half_closed_idle_us = 600 * (uint64_t)ADIT_SECOND_US;
    limits.quantum = (uint32_t)sim_pick_log(random, 64, 16372);
    if (sim_chance(random, 50)) {
        limits.quantum = 16372;
    }
    if (sim_chance(random, 50)) {
        limits.session_growth_max = sim_pick_log(random, 0, 64 * MIB);
        limits.window_max = limits.window_start + (uint32_t)sim_pick_log(random, 0, 8 * MIB);
    }
    plan->growth_max = sim_chance(random, 50) ? 256 * MIB : sim_pick_log(random, 0, 8 * MIB);
    plan->pool_max = 8192;
    if (style->has_tight_limits) {
        limits.streams_max = (uint32_t)sim_pick_log(random, 2, 64);
        limits.unacked_max = (uint32_t)sim_pick_log(random, 1, 16);
        limits.control_max = (uint32_t)sim_pick_log(random, 8, 64);
        plan->pool_max = limits.streams_max + 1024;
    }
    plan->limits = limits;
}

static void sim_plan_links(struct sim_world *world, const struct sim_style *style)
{
    struct adit_jitter *random = &world->random;
    struct sim_world_plan *plan = &world->plan;
    uint64_t delay_us = sim_pick_log(random, 0, 150000);
    for (unsigned e = 0; e < 2; e++) {
        struct sim_link_plan *link = &ADIT_AT(plan->link, e);
        *link = (struct sim_link_plan){
            .delay_us = delay_us,
            .jitter_us = sim_chance(random, 50) ? 0 : sim_pick_log(random, 1, 20000),
            .bytes_per_second = sim_pick_log(random, 200 * KIB, 1024 * MIB),
            .segment_max = (size_t)sim_pick_log(random, 1, style->segment_high),
            .in_flight_max = (size_t)sim_pick_log(random, 1, style->in_flight_high),
        };
        if (style->in_flight_high > 4 * KIB) {
            link->segment_max = adit_max_size(link->segment_max, 1000);
            link->in_flight_max = adit_max_size(link->in_flight_max, 16384);
        } else {
            /* A road of ten bytes a second would take hours, and look dead to the keep-alive. */
            link->delay_us = adit_min_u64(link->delay_us, 100 * link->in_flight_max);
            link->jitter_us = adit_min_u64(link->jitter_us, 100 * link->in_flight_max);
        }
        if (sim_chance(random, 30)) {
            link->stall_every_us = sim_pick_log(random, 10000, 2000000);
            link->stall_max_us = sim_pick_log(random, 1000, link->stall_every_us);
        }
    }
    plan->rtt_us = 2 * delay_us + sim_pick_log(random, 1, 20000);
    plan->stage_max = (size_t)sim_pick_log(random, 1024, SIM_STAGE_BYTES);
    plan->read_max = (size_t)sim_pick_log(random, 1, SIM_STAGE_BYTES);
    if (style->in_flight_high > 4 * KIB) {
        plan->read_max = adit_max_size(plan->read_max, 64);
    }
}

static void sim_plan_quit(struct adit_jitter *random, struct sim_side_plan *plan, uint64_t bytes)
{
    switch (sim_pick(random, 0, 3)) {
    case 0:
        plan->reset_us = 0; /* at once */
        break;
    case 1:
        plan->reset_us = sim_pick_log(random, 1, 3 * ADIT_SECOND_US);
        break;
    case 2:
        plan->reset_sent = sim_pick_log(random, 1, bytes + 1);
        break;
    default:
        plan->reset_received = sim_pick_log(random, 1, bytes + 1);
        break;
    }
}

static void sim_plan_side(struct sim_world *world, const struct sim_style *style,
                          struct sim_side_plan *out_plan)
{
    struct adit_jitter *random = &world->random;
    struct sim_side_plan plan = {
        .send_total = sim_chance(random, 10) ? 0 : sim_pick_log(random, 1, style->bytes_high),
        .is_fin_apart = sim_chance(random, 50),
        .accept_delay_us = sim_chance(random, 70) ? 0 : sim_pick_log(random, 1, 50000),
        .release_delay_us = sim_chance(random, 80) ? 0 : sim_pick_log(random, 1, 100000),
        .reset_us = SIM_NEVER,
        .reset_sent = SIM_NEVER,
        .reset_received = SIM_NEVER,
    };
    if (sim_chance(random, 30)) {
        plan.burst = sim_pick(random, 1 + plan.send_total / 64, 1 + plan.send_total / 2);
        plan.burst_every_us = sim_pick_log(random, 1, 50000);
    }
    if (sim_chance(random, style->slow_percent)) {
        plan.read_chunk = sim_pick(random, 1 + style->bytes_high / 128, 1 + style->bytes_high / 8);
        plan.read_every_us = sim_pick_log(random, 1, 100000);
        plan.read_from_us = sim_pick_log(random, 0, style->pause_us);
    }
    if (style->pause_us > 10 * ADIT_SECOND_US && sim_chance(random, 50)) {
        plan.read_from_us = style->pause_us;
    }
    if (sim_chance(random, style->reset_percent)) {
        sim_plan_quit(random, &plan, style->bytes_high);
    }
    *out_plan = plan;
}

static void sim_plan_stream(struct sim_world *world, const struct sim_style *style,
                            struct sim_stream *stream)
{
    struct adit_jitter *random = &world->random;
    for (unsigned e = 0; e < 2; e++) {
        sim_plan_side(world, style, &ADIT_AT(stream->side, e).plan);
    }
    /* At most one side waits for the other, or both would wait for ever. */
    if (sim_chance(random, 40)) {
        unsigned waiting = (unsigned)sim_pick(random, 0, 1);
        ADIT_AT(stream->side, waiting).plan.start =
            sim_chance(random, 50) ? SIM_START_AFTER_BYTES : SIM_START_AFTER_FIN;
    }
}

void sim_plan_draw(struct sim_world *world, bool is_long)
{
    struct adit_jitter *random = &world->random;
    struct sim_style style = ADIT_AT(sim_styles, adit_jitter_below(random, ADIT_COUNT(sim_styles)));
    if (is_long) {
        style.streams_high = style.streams_high < 1000 ? 2 * style.streams_high : 4000;
        style.bytes_high *= 4;
    }
    struct sim_world_plan *plan = &world->plan;
    plan->style = style.name;
    sim_plan_limits(world, &style);
    sim_plan_links(world, &style);
    plan->stream_count = (uint32_t)sim_pick(random, style.streams_low, style.streams_high);
    uint64_t client_percent = sim_pick(random, 0, 2) * 50;
    uint64_t gap_us = 2 * sim_pick_log(random, 0, style.spread_us) / plan->stream_count;
    uint64_t open_us = 0;
    for (uint32_t i = 0; i < plan->stream_count; i++) {
        struct sim_stream *stream = sim_stream_at(world, i);
        sim_plan_stream(world, &style, stream);
        stream->opener = sim_chance(random, client_percent) ? 0 : 1;
        open_us += sim_pick(random, 0, gap_us);
        stream->open_us = open_us;
    }
    for (unsigned e = 0; e < 2; e++) {
        ADIT_AT(plan->goaway_us, e) =
            sim_chance(random, style.goaway_percent) ? 1 + sim_pick(random, 0, open_us) : SIM_NEVER;
    }
}
