#include "scenes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MIB ((uint64_t)1024 * 1024)
#define HOUR_US (3600 * (uint64_t)ADIT_SECOND_US)

struct scene_result {
    char text[200];
};

__attribute__((format(printf, 2, 3))) static void scene_say(struct scene_result *result,
                                                            const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(result->text, sizeof result->text, format, arguments);
    va_end(arguments);
}

/* --- Building -------------------------------------------------------------------------------- */

/* A road as TCP gives it: the queue in front of it holds a quarter of what is under way. */
static struct sim_link_plan scene_link(uint64_t delay_us, uint64_t bytes_per_second)
{
    uint64_t under_way = bytes_per_second / 1000 * (2 * delay_us) / 1000;
    return (struct sim_link_plan){
        .delay_us = delay_us,
        .bytes_per_second = bytes_per_second,
        .in_flight_max = (size_t)(under_way + under_way / 4 + 65536),
        .segment_max = 16384,
    };
}

static void scene_plan(struct sim_world *world, struct sim_link_plan link, uint32_t stream_count)
{
    world->plan = (struct sim_world_plan){
        .limits = adit_mux_limits_default(),
        .growth_max = 256 * MIB,
        .pool_max = 8192,
        .link = {link, link},
        .rtt_us = 2 * link.delay_us + 1000,
        .stage_max = SIM_STAGE_BYTES,
        .read_max = SIM_STAGE_BYTES,
        .goaway_us = {SIM_NEVER, SIM_NEVER},
        .stream_count = stream_count,
        .style = "scene",
    };
    for (uint32_t i = 0; i < stream_count; i++) {
        struct sim_stream *stream = sim_stream_at(world, i);
        stream->opener = 1; /* the server opens, as for a visitor */
        for (unsigned e = 0; e < 2; e++) {
            ADIT_AT(stream->side, e).plan = (struct sim_side_plan){
                .reset_us = SIM_NEVER, .reset_sent = SIM_NEVER, .reset_received = SIM_NEVER};
        }
    }
}

static void scene_begin(struct sim_world *world)
{
    struct adit_status status = sim_world_begin(world);
    if (!adit_is_ok(status)) {
        sim_fail(world, "start: %s", adit_status_what(status));
    }
}

static void scene_run_to(struct sim_world *world, uint64_t after_us)
{
    if (!world->has_failed) {
        sim_world_run(world, world->start_us + after_us);
    }
}

/* --- Windows --------------------------------------------------------------------------------- */

/* The share of the link that one stream gets in the half second from `from_us` on. */
static double scene_share(struct sim_world *world, uint64_t delay_us, uint64_t bytes_per_second,
                          uint64_t from_us)
{
    scene_plan(world, scene_link(delay_us, bytes_per_second), 1);
    sim_side_at(world, 0, 1)->plan.send_total = 1024 * MIB;
    scene_begin(world);
    scene_run_to(world, from_us);
    uint64_t before = world->bytes_total;
    scene_run_to(world, from_us + ADIT_SECOND_US / 2);
    return (double)(world->bytes_total - before) * 2 / (double)bytes_per_second;
}

static void scene_growth(struct sim_world *world, struct scene_result *result)
{
    double share = scene_share(world, 25000, 25000000, ADIT_SECOND_US);
    scene_say(result, "50 ms, 200 Mbit/s: %.3f of the link from 1.0 s on", share);
    if (share < 0.97) {
        sim_fail(world, "%s; at least 0.97 is due", result->text);
    }
}

static void scene_growth_far(struct sim_world *world, struct scene_result *result)
{
    double share = scene_share(world, 75000, 125000000, 2 * ADIT_SECOND_US);
    scene_say(result, "150 ms, 1 Gbit/s: %.3f of the link from 2.0 s on", share);
    if (share < 0.97) {
        sim_fail(world, "%s; at least 0.97 is due", result->text);
    }
}

/* A sender in TCP's slow start: from ten segments on, twice as much in each round trip. */
static void scene_slow_start(struct sim_world *world, struct scene_result *result)
{
    const uint64_t rtt_us = 150000, link = 25000000, parts = 10;
    uint64_t offered = 0;
    scene_plan(world, scene_link(rtt_us / 2, link), 1);
    struct sim_side_plan *source = &sim_side_at(world, 0, 1)->plan;
    source->send_total = 1024 * MIB;
    source->burst_every_us = rtt_us / parts;
    source->burst = 14480 / parts;
    scene_begin(world);
    for (uint64_t round = 1; round <= 12; round++) {
        offered += source->burst * parts;
        scene_run_to(world, round * rtt_us);
        source->burst = adit_min_u64(2 * source->burst, link * rtt_us / ADIT_SECOND_US / parts);
    }
    scene_run_to(world, 12 * rtt_us + rtt_us / 2); /* what is on the road arrives */
    double share = (double)world->bytes_total / (double)offered;
    scene_say(result, "slow start over 150 ms to 200 Mbit/s: %.3f of %.1f MB without a wait", share,
              (double)offered / 1e6);
    if (share < 0.97) {
        sim_fail(world, "%s; at least 0.97 is due", result->text);
    }
}

/* --- Sharing --------------------------------------------------------------------------------- */

static void scene_fairness(struct sim_world *world, struct scene_result *result)
{
    scene_plan(world, scene_link(10000, 25000000), 2);
    for (uint32_t i = 0; i < 2; i++) {
        sim_side_at(world, i, 1)->plan.send_total = 1024 * MIB;
    }
    scene_begin(world);
    scene_run_to(world, 3 * ADIT_SECOND_US);
    double first = (double)sim_side_at(world, 0, 0)->received;
    double second = (double)sim_side_at(world, 1, 0)->received;
    double ratio = first > second ? first / second : second / first;
    scene_say(result, "two greedy streams after 3 s: %.1f and %.1f MiB, ratio %.3f",
              first / 1048576, second / 1048576, ratio);
    if (!(ratio < 1.1)) {
        sim_fail(world, "%s", result->text);
    }
}

/* Small requests while others send without end: how much goes ahead of one in the scheduler. */
static void scene_small(struct sim_world *world, struct scene_result *result)
{
    const uint32_t bulk = 16;
    const uint32_t small = 100;
    struct sim_link_plan link = scene_link(10000, 25000000);
    link.in_flight_max = 65536; /* the driver keeps what it hands down short */
    scene_plan(world, link, bulk + small);
    world->plan.stage_max = 32768;
    for (uint32_t i = 0; i < bulk; i++) {
        sim_side_at(world, i, 1)->plan.send_total = 1024 * MIB;
    }
    for (uint32_t i = bulk; i < bulk + small; i++) {
        struct sim_stream *stream = sim_stream_at(world, i);
        stream->open_us = ADIT_SECOND_US + i * 10000;
        ADIT_AT(stream->side, 1).plan.send_total = 300;
        ADIT_AT(stream->side, 0).plan.send_total = 2000;
        ADIT_AT(stream->side, 0).plan.start = SIM_START_AFTER_FIN;
    }
    scene_begin(world);
    scene_run_to(world, 4 * ADIT_SECOND_US);
    uint64_t worst = 0;
    uint64_t sum_us = 0;
    uint32_t done = 0;
    for (uint32_t i = bulk; i < bulk + small; i++) {
        const struct sim_stream *stream = sim_stream_at(world, i);
        worst = adit_max_u64(worst, stream->wire_first - stream->wire_open);
        sum_us += ADIT_AT(stream->side, 1).ended_us - ADIT_AT(stream->side, 1).begun_us;
        done += ADIT_AT(stream->side, 1).ended_us != 0;
    }
    uint64_t quanta = (worst + world->plan.limits.quantum - 1) / world->plan.limits.quantum;
    scene_say(result, "%u small requests beside %u bulk streams: %llu bytes (%llu quanta) ahead at"
              " worst, %.1f ms a request on average", done, bulk, (unsigned long long)worst,
              (unsigned long long)quanta, (double)sum_us / 1e3 / small);
    if (!world->has_failed && (done != small || quanta > 4)) {
        sim_fail(world, "%s", result->text);
    }
}

/* One bulk stream while short ones come faster than the link can carry them. */
static void scene_flood(struct sim_world *world, struct scene_result *result)
{
    scene_plan(world, scene_link(2000, 10000000), SIM_STREAMS_MAX);
    sim_side_at(world, 0, 1)->plan.send_total = 1024 * MIB;
    for (uint32_t i = 1; i < SIM_STREAMS_MAX; i++) {
        sim_stream_at(world, i)->open_us = 100000 + i * 500;
        sim_side_at(world, i, 1)->plan.send_total = 8000; /* 16 MB/s of them */
    }
    scene_begin(world);
    scene_run_to(world, ADIT_SECOND_US / 2);
    uint64_t before = sim_side_at(world, 0, 0)->received;
    scene_run_to(world, 2 * ADIT_SECOND_US);
    double share = (double)(sim_side_at(world, 0, 0)->received - before) / 15e6;
    scene_say(result, "short streams that fill the link 1.6 times leave a bulk stream %.3f of it",
              share);
    if (!(share > 0.1)) {
        sim_fail(world, "%s", result->text);
    }
}

/* A visitor who never reads, beside one who does. */
static void scene_stalled(struct sim_world *world, struct scene_result *result)
{
    scene_plan(world, scene_link(10000, 25000000), 2);
    for (uint32_t i = 0; i < 2; i++) {
        sim_side_at(world, i, 1)->plan.send_total = 1024 * MIB;
    }
    sim_side_at(world, 0, 0)->plan.read_chunk = 1;
    sim_side_at(world, 0, 0)->plan.read_from_us = HOUR_US;
    scene_begin(world);
    scene_run_to(world, ADIT_SECOND_US);
    uint64_t before = sim_side_at(world, 1, 0)->received;
    scene_run_to(world, 3 * ADIT_SECOND_US);
    double share = (double)(sim_side_at(world, 1, 0)->received - before) / 50e6;
    uint64_t held = sim_side_at(world, 0, 0)->received;
    scene_say(result, "a reader that never reads holds %llu bytes; its neighbour gets %.3f of the"
              " link", (unsigned long long)held, share);
    if (held > world->plan.limits.window_start || share < 0.95) {
        sim_fail(world, "%s", result->text);
    }
}

/* A sender that always waits for room: what is under way may not crumble, or a second of the link
 * takes a turn of the world for each of its bytes. */
static void scene_full_road(struct sim_world *world, struct scene_result *result)
{
    struct sim_link_plan link = scene_link(2000, 200000);
    link.in_flight_max = 16384;
    link.segment_max = 1000;
    scene_plan(world, link, 1);
    sim_side_at(world, 0, 1)->plan.send_total = 1024 * MIB;
    scene_begin(world);
    scene_run_to(world, 60 * (uint64_t)ADIT_SECOND_US);
    double bytes = (double)world->bytes_total / (double)world->steps;
    scene_say(result, "segments of up to 1000 bytes on a road that is always full: %.0f bytes in"
              " each turn of the world", bytes);
    if (!world->has_failed && !(bytes > 100)) {
        sim_fail(world, "%s; 100 are due", result->text);
    }
}

/* --- Row 41, 23, 43, 26 ---------------------------------------------------------------------- */

static void scene_both_stop(struct sim_world *world, struct scene_result *result)
{
    scene_plan(world, scene_link(10000, 25000000), 16);
    for (uint32_t i = 0; i < 16; i++) {
        struct sim_stream *stream = sim_stream_at(world, i);
        stream->opener = i % 2 == 0;
        for (unsigned e = 0; e < 2; e++) {
            struct sim_side_plan *plan = &ADIT_AT(stream->side, e).plan;
            plan->send_total = 4 * MIB;
            plan->read_chunk = 65536;
            plan->read_from_us = 30 * (uint64_t)ADIT_SECOND_US;
        }
    }
    scene_begin(world);
    scene_run_to(world, 29 * (uint64_t)ADIT_SECOND_US);
    uint64_t stood = world->bytes_total;
    scene_run_to(world, HOUR_US);
    scene_say(result, "stood still for 30 s with %.1f MiB under way, then all %.0f MiB arrived",
              (double)stood / 1048576, (double)world->bytes_total / 1048576);
    if (!world->has_failed && world->bytes_total != 16 * 2 * 4 * MIB) {
        sim_fail(world, "%s", result->text);
    }
}

static void scene_both_finish(struct sim_world *world, struct scene_result *result)
{
    uint32_t count = world->is_long ? 4000 : 500;
    scene_plan(world, scene_link(10000, 250000000), count);
    for (uint32_t i = 0; i < count; i++) {
        struct sim_stream *stream = sim_stream_at(world, i);
        stream->opener = i % 2 == 0;
        stream->open_us = i * 2000;
        ADIT_AT(stream->side, 0).plan.send_total = 200 * 1024;
        ADIT_AT(stream->side, 1).plan.send_total = 200 * 1024;
        ADIT_AT(stream->side, 0).plan.is_fin_apart = i % 3 == 0;
    }
    scene_begin(world);
    scene_run_to(world, HOUR_US);
    scene_say(result, "%u streams with both FIN and 200 KiB each way under way at once", count);
}

static void scene_half_close(struct sim_world *world, struct scene_result *result)
{
    scene_plan(world, scene_link(10000, 25000000), 3);
    world->plan.may_time_out = true;
    sim_side_at(world, 0, 1)->plan.send_total = 10 * MIB; /* the client's FIN is first */
    sim_side_at(world, 1, 0)->plan.send_total = 10 * MIB;
    struct sim_side_plan *silent = &sim_side_at(world, 2, 1)->plan;
    silent->send_total = MIB;
    silent->burst = 1000;
    silent->burst_every_us = 10 * HOUR_US;
    scene_begin(world);
    scene_run_to(world, HOUR_US);
    const struct sim_stream *idle = sim_stream_at(world, 2);
    uint64_t reaped_us =
        adit_min_u64(ADIT_AT(idle->side, 0).ended_us, ADIT_AT(idle->side, 1).ended_us);
    scene_say(result, "10 MiB after the other side's FIN, both ways; an idle half is reaped after"
              " %.0f s", (double)(reaped_us - world->start_us) / 1e6);
    bool is_right = sim_side_at(world, 0, 0)->received == 10 * MIB &&
                    sim_side_at(world, 1, 1)->received == 10 * MIB &&
                    reaped_us - world->start_us > 295 * (uint64_t)ADIT_SECOND_US &&
                    reaped_us - world->start_us < 320 * (uint64_t)ADIT_SECOND_US;
    if (!world->has_failed && !is_right) {
        sim_fail(world, "%s", result->text);
    }
}

static void scene_no_ack(struct sim_world *world, struct scene_result *result)
{
    scene_plan(world, scene_link(10000, 25000000), 400);
    world->plan.may_time_out = true;
    for (uint32_t i = 0; i < 400; i++) {
        sim_side_at(world, i, 0)->plan.accept_delay_us = HOUR_US;
    }
    scene_begin(world);
    scene_run_to(world, 5 * ADIT_SECOND_US);
    uint32_t unacked = ADIT_AT(world->end, 1).session.counters.unacked_out;
    scene_run_to(world, HOUR_US);
    uint64_t first_us = sim_side_at(world, 0, 1)->ended_us - world->start_us;
    scene_say(result, "a peer that never acknowledges: %u open at most, given up after %.1f s",
              unacked, (double)first_us / 1e6);
    if (!world->has_failed &&
        (unacked != world->plan.limits.unacked_max || first_us < 10 * (uint64_t)ADIT_SECOND_US ||
         first_us > 11 * (uint64_t)ADIT_SECOND_US)) {
        sim_fail(world, "%s", result->text);
    }
}

/* --- Many, quickly --------------------------------------------------------------------------- */

static void scene_many(struct sim_world *world, struct scene_result *result)
{
    scene_plan(world, scene_link(500, 125000000), SIM_STREAMS_MAX);
    for (uint32_t i = 0; i < SIM_STREAMS_MAX; i++) {
        sim_side_at(world, i, 1)->plan.send_total = 300;
        sim_side_at(world, i, 0)->plan.send_total = 1000;
        sim_side_at(world, i, 0)->plan.start = SIM_START_AFTER_BYTES;
    }
    scene_begin(world);
    scene_run_to(world, HOUR_US);
    scene_say(result, "%u short streams, opened as fast as the limits let them, in %.0f ms",
              SIM_STREAMS_MAX, (double)(world->now_us - world->start_us) / 1e3);
}

/* Visitors who leave before they are served: honest resets may never look like an attack. */
static void scene_leavers(struct sim_world *world, struct scene_result *result)
{
    scene_plan(world, scene_link(10000, 25000000), SIM_STREAMS_MAX);
    for (uint32_t i = 0; i < SIM_STREAMS_MAX; i++) {
        struct sim_side_plan *plan = &sim_side_at(world, i, 1)->plan;
        plan->send_total = 300;
        plan->reset_us = i % 2 == 0 ? 1 : 15000 + i % 40000;
        sim_side_at(world, i, 0)->plan.send_total = MIB;
        sim_side_at(world, i, 0)->plan.burst = 100;
        sim_side_at(world, i, 0)->plan.burst_every_us = 100000;
    }
    scene_begin(world);
    scene_run_to(world, HOUR_US);
    scene_say(result, "%u visitors who leave early; the last stream ended after %.1f s",
              SIM_STREAMS_MAX, (double)(world->now_us - world->start_us) / 1e6);
}

struct scene {
    const char *name;
    void (*play)(struct sim_world *world, struct scene_result *result);
    bool is_cut; /* ends with streams still at work: counters are not zero yet */
};

static const struct scene scenes[] = {
    {"growth", scene_growth, true},
    {"growth far", scene_growth_far, true},
    {"slow start", scene_slow_start, true},
    {"fairness", scene_fairness, true},
    {"small requests", scene_small, true},
    {"flood of short streams", scene_flood, true},
    {"stalled reader", scene_stalled, true},
    {"full road", scene_full_road, true},
    {"both stop reading", scene_both_stop, false},
    {"both finish", scene_both_finish, false},
    {"half close", scene_half_close, false},
    {"no acknowledgement", scene_no_ack, false},
    {"many short streams", scene_many, false},
    {"early leavers", scene_leavers, false},
};

unsigned sim_scenes_run(struct sim_world *world, const struct sim_options *options)
{
    unsigned failures = 0;
    for (size_t i = 0; i < ADIT_COUNT(scenes); i++) {
        const struct scene *scene = &ADIT_AT(scenes, i);
        struct scene_result result = {.text = ""};
        if (!adit_is_ok(sim_world_init(world, options))) {
            sim_fail(world, "no memory");
        } else {
            world->is_long = options->is_long;
            scene->play(world, &result);
            if (!scene->is_cut && !world->has_failed) {
                if (!sim_world_is_done(world)) {
                    sim_fail(world, "not done in the time it had");
                }
                sim_world_finish(world);
            }
        }
        sim_world_deinit(world);
        failures += world->has_failed;
        if (world->has_failed) {
            printf("not ok sim scene %s: %s\n# again: sim --only scenes\n", scene->name,
                   world->reason);
        } else {
            printf("ok sim scene %s # %s\n", scene->name, result.text);
        }
    }
    return failures;
}
