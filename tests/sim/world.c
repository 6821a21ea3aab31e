#include "world.h"

#include <stdarg.h>
#include <stdio.h>

#define SIM_IDLE_MAX_US (400 * (uint64_t)ADIT_SECOND_US) /* without progress: a deadlock */
#define SIM_COOL_US (700 * (uint64_t)ADIT_SECOND_US)     /* more than any deadline of the mux */
#define SIM_STEPS_MAX 40000000u
#define SIM_ROUNDS_MAX 1000000u /* at one instant */

void sim_fail(struct sim_world *world, const char *format, ...)
{
    if (world->has_failed) {
        return;
    }
    world->has_failed = true;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(world->reason, sizeof world->reason, format, arguments);
    va_end(arguments);
}

void sim_tell(struct sim_world *world, const char *format, ...)
{
    if (!world->is_verbose) {
        return;
    }
    printf("# %10.6f ", (double)(world->now_us - world->start_us) / 1e6);
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

struct sim_stream *sim_stream_at(struct sim_world *world, uint32_t number)
{
    return &ADIT_SLOT(world->streams, SIM_STREAMS_MAX, number);
}

struct sim_side *sim_side_at(struct sim_world *world, uint32_t number, unsigned e)
{
    return &ADIT_AT(sim_stream_at(world, number)->side, e);
}

struct sim_stream *sim_stream_by_id(struct sim_world *world, uint32_t id)
{
    if (id == 0 || id > 2 * SIM_STREAMS_MAX) {
        return NULL;
    }
    uint32_t number = ADIT_SLOT(world->ids, 2 * SIM_STREAMS_MAX + 1, id);
    return number == 0 ? NULL : sim_stream_at(world, number - 1);
}

void sim_stream_named(struct sim_world *world, struct sim_stream *stream, uint32_t id)
{
    if (id == 0 || id > 2 * SIM_STREAMS_MAX || sim_stream_by_id(world, id)) {
        sim_fail(world, "stream %u: SYN with id %u, used before or out of range", stream->number,
                 id);
        return;
    }
    stream->id = id;
    ADIT_SLOT(world->ids, 2 * SIM_STREAMS_MAX + 1, id) = stream->number + 1;
}

struct adit_status sim_world_init(struct sim_world *world, const struct sim_options *options)
{
    *world = (struct sim_world){
        .seed = options->seed,
        .random = sim_random(options->seed),
        .pattern = options->pattern,
        .is_verbose = options->is_verbose,
    };
    /* Time does not begin at 0: nothing may depend on that. */
    world->start_us = sim_pick(&world->random, 1, 1000 * (uint64_t)ADIT_SECOND_US);
    world->now_us = world->start_us;
    ADIT_TRY(adit_memory_open(SIM_STREAMS_MAX, sizeof(struct sim_stream), &world->stream_memory));
    void *streams = world->stream_memory.ptr;
    world->streams = streams;
    ADIT_TRY(adit_memory_open(2 * SIM_STREAMS_MAX + 1, sizeof(uint32_t), &world->id_memory));
    void *ids = world->id_memory.ptr;
    world->ids = ids;
    return adit_ok();
}

static struct adit_status sim_end_begin(struct sim_world *world, unsigned e)
{
    struct sim_end *end = &ADIT_AT(world->end, e);
    const struct sim_world_plan *plan = &world->plan;
    struct adit_mux_options options = {
        .limits = plan->limits,
        .streams_max = plan->pool_max,
        .growth_max = plan->growth_max,
        .seed = {.low = sim_mix(world->seed + e), .high = sim_mix(~world->seed - e)},
    };
    ADIT_TRY(adit_mux_init(&end->mux, &options));
    end->has_mux = true;
    ADIT_TRY(adit_session_init(&end->session, &end->mux,
                               e == 0 ? ADIT_SESSION_CLIENT : ADIT_SESSION_SERVER,
                               sim_mix(world->seed * 2 + e), world->now_us));
    end->has_session = true;
    adit_session_rtt_set(&end->session, plan->rtt_us);
    adit_session_rate_set(&end->session, ADIT_AT(plan->link, e).bytes_per_second);
    ADIT_TRY(adit_memory_open(SIM_STAGE_BYTES, 1, &end->stage));
    ADIT_TRY(adit_memory_open(SIM_STREAMS_MAX, sizeof(uint32_t), &end->active_memory));
    void *active = end->active_memory.ptr;
    end->active = active;
    end->stage_max = plan->stage_max;
    end->read_max = plan->read_max;
    end->goaway_us = ADIT_AT(plan->goaway_us, e) == SIM_NEVER
                         ? SIM_NEVER
                         : world->now_us + ADIT_AT(plan->goaway_us, e);
    end->wake_us = world->now_us;
    return sim_link_init(&ADIT_AT(world->link, e), &ADIT_AT(plan->link, e), world->seed * 4 + e);
}

struct adit_status sim_world_begin(struct sim_world *world)
{
    for (uint32_t i = 0; i < world->plan.stream_count; i++) {
        struct sim_stream *stream = sim_stream_at(world, i);
        stream->number = i;
        ADIT_AT(stream->side, 0).seed = sim_mix(world->seed + i) >> 8;
        ADIT_AT(stream->side, 1).seed = sim_mix(~world->seed - i) >> 8;
    }
    ADIT_TRY(sim_end_begin(world, 0));
    return sim_end_begin(world, 1);
}

void sim_world_deinit(struct sim_world *world)
{
    for (unsigned e = 0; e < 2; e++) {
        struct sim_end *end = &ADIT_AT(world->end, e);
        if (end->has_session) {
            adit_session_deinit(&end->session);
        }
        if (end->has_mux) {
            if (!world->has_failed && (end->mux.streams.used != 0 || end->mux.growth_used != 0)) {
                sim_fail(world, "end %u: %u streams, %llu bytes of growth held after deinit", e,
                         end->mux.streams.used, (unsigned long long)end->mux.growth_used);
            }
            adit_mux_deinit(&end->mux);
        }
        adit_memory_close(&end->stage);
        adit_memory_close(&end->active_memory);
        sim_link_deinit(&ADIT_AT(world->link, e));
    }
    adit_memory_close(&world->stream_memory);
    adit_memory_close(&world->id_memory);
}

/* Limits that hold at every instant, whatever happens. */
static void sim_check_limits(struct sim_world *world, unsigned e)
{
    struct sim_end *end = &ADIT_AT(world->end, e);
    const struct adit_session_counters *counters = &end->session.counters;
    const struct adit_mux_limits *limits = &world->plan.limits;
    if (counters->streams_open > 2 * limits->streams_max) { /* so many of each side */
        sim_fail(world, "end %u: %u streams open", e, counters->streams_open);
    }
    if (counters->unacked_out > limits->unacked_max || counters->unacked_in > limits->unacked_max) {
        sim_fail(world, "end %u: unacked %u out, %u in", e, counters->unacked_out,
                 counters->unacked_in);
    }
    if (counters->growth_granted > limits->session_growth_max ||
        end->mux.growth_used > end->mux.growth_max ||
        counters->growth_granted > end->mux.growth_used) {
        sim_fail(world, "end %u: growth %llu of the session, %llu of all", e,
                 (unsigned long long)counters->growth_granted,
                 (unsigned long long)end->mux.growth_used);
    }
    if (counters->control_queued > limits->control_max + 1 + SIM_REFUSALS_MAX) {
        sim_fail(world, "end %u: %u control frames queued", e, counters->control_queued);
    }
    struct adit_handle heaviest = {0};
    uint64_t pending = 0;
    if (world->steps % 64 == 0 && counters->received_pending > 0 &&
        (!adit_session_heaviest(&end->session, &heaviest, &pending) || pending == 0 ||
         pending > counters->received_pending)) {
        sim_fail(world, "end %u: the heaviest stream has %llu of %llu bytes", e,
                 (unsigned long long)pending, (unsigned long long)counters->received_pending);
    }
    uint64_t window_max = (uint64_t)counters->streams_open * limits->window_start +
                          counters->growth_granted;
    if (counters->received_pending > window_max) {
        sim_fail(world, "end %u: %llu bytes pending, windows are %llu", e,
                 (unsigned long long)counters->received_pending, (unsigned long long)window_max);
    }
}

/* Everything that can happen at this instant. */
static void sim_world_settle(struct sim_world *world)
{
    bool is_moving = true;
    for (uint32_t round = 0; is_moving && !world->has_failed; round++) {
        is_moving = false;
        for (unsigned e = 0; e < 2; e++) {
            sim_link_advance(&ADIT_AT(world->link, e), world->now_us);
        }
        for (unsigned e = 0; e < 2; e++) {
            is_moving |= sim_end_input(world, e);
            is_moving |= sim_app_run(world, e);
            is_moving |= sim_end_output(world, e);
            sim_check_limits(world, e);
        }
        world->steps++;
        if (round > SIM_ROUNDS_MAX) {
            sim_fail(world, "spins: %u rounds at one instant", round);
        } else if (world->steps > SIM_STEPS_MAX) {
            sim_fail(world, "crawls: %llu rounds in %.3f s", (unsigned long long)world->steps,
                     (double)(world->now_us - world->start_us) / 1e6);
        }
    }
}

static uint64_t sim_world_next_us(const struct sim_world *world)
{
    uint64_t next_us = SIM_NEVER;
    for (unsigned e = 0; e < 2; e++) {
        const struct sim_end *end = &ADIT_AT(world->end, e);
        next_us = adit_min_u64(next_us, sim_link_next_us(&ADIT_AT(world->link, e)));
        next_us = adit_min_u64(next_us, end->wake_us);
        next_us = adit_min_u64(next_us, adit_session_deadline_us(&end->session));
    }
    return next_us;
}

bool sim_world_is_done(const struct sim_world *world)
{
    for (unsigned e = 0; e < 2; e++) {
        const struct sim_end *end = &ADIT_AT(world->end, e);
        if (end->open_next < world->plan.stream_count || end->active_count > 0 ||
            end->stage_len > 0 || ADIT_AT(world->link, e).len > 0 ||
            adit_session_wants_output(&end->session)) {
            return false;
        }
    }
    return true;
}

static void sim_world_stuck(struct sim_world *world)
{
    for (unsigned e = 0; e < 2; e++) {
        struct sim_end *end = &ADIT_AT(world->end, e);
        for (uint32_t i = 0; i < end->active_count && i < 8; i++) {
            struct sim_stream *stream = sim_stream_at(
                world, ADIT_SLOT(end->active, SIM_STREAMS_MAX, i));
            const struct sim_side *side = &ADIT_AT(stream->side, e);
            sim_tell(world, "end %u stream %u (id %u): sent %llu of %llu, received %llu consumed"
                     " %llu, fin sent %d seen %d", e, stream->number, stream->id,
                     (unsigned long long)side->sent, (unsigned long long)side->plan.send_total,
                     (unsigned long long)side->received, (unsigned long long)side->consumed,
                     side->has_sent_fin, side->has_fin);
        }
        sim_tell(world, "end %u: active %u, opened up to %u of %u, staged %zu, in flight %zu", e,
                 end->active_count, end->open_next, world->plan.stream_count, end->stage_len,
                 ADIT_AT(world->link, e).len);
    }
    sim_fail(world, "deadlock: no progress since %.3f s; %u and %u streams live",
             (double)(world->progress_us - world->start_us) / 1e6,
             ADIT_AT(world->end, 0).active_count,
             ADIT_AT(world->end, 1).active_count);
}

void sim_world_run(struct sim_world *world, uint64_t until_us)
{
    world->progress_us = world->now_us;
    while (!world->has_failed) {
        uint64_t progress = world->progress;
        sim_world_settle(world);
        if (world->progress != progress) {
            world->progress_us = world->now_us;
        }
        if (world->has_failed || sim_world_is_done(world) || world->now_us >= until_us) {
            return;
        }
        uint64_t next_us = sim_world_next_us(world);
        if (next_us == SIM_NEVER || world->now_us - world->progress_us > SIM_IDLE_MAX_US) {
            sim_world_stuck(world);
            return;
        }
        world->now_us = adit_min_u64(adit_max_u64(next_us, world->now_us), until_us);
        for (unsigned e = 0; e < 2; e++) {
            sim_end_tick(world, e);
        }
    }
}

static void sim_check_zero(struct sim_world *world, unsigned e)
{
    struct sim_end *end = &ADIT_AT(world->end, e);
    const struct adit_session_counters *c = &end->session.counters;
    if (c->streams_open != 0 || c->unacked_out != 0 || c->unacked_in != 0 ||
        c->control_queued != 0 || c->growth_granted != 0 || c->received_pending != 0) {
        sim_fail(world,
                 "end %u: at the end open %u, unacked %u/%u, control %u, growth %llu, pending %llu",
                 e, c->streams_open, c->unacked_out, c->unacked_in, c->control_queued,
                 (unsigned long long)c->growth_granted, (unsigned long long)c->received_pending);
    }
    if (end->mux.streams.used != 0 || end->mux.ids.used != 0 || end->mux.growth_used != 0) {
        sim_fail(world, "end %u: at the end %u streams and %u ids in use, growth %llu", e,
                 end->mux.streams.used, end->mux.ids.used,
                 (unsigned long long)end->mux.growth_used);
    }
}

/* A stream that nobody gave up must have gone through whole, in both directions. */
static void sim_check_stream(struct sim_world *world, struct sim_stream *stream)
{
    if (stream->is_dropped) {
        return;
    }
    bool is_broken = false;
    for (unsigned e = 0; e < 2; e++) {
        const struct sim_side *side = &ADIT_AT(stream->side, e);
        is_broken |= side->has_released || side->was_reset;
    }
    for (unsigned e = 0; e < 2 && !is_broken; e++) {
        const struct sim_side *to = &ADIT_AT(stream->side, e);
        const struct sim_side *from = &ADIT_AT(stream->side, 1 - e);
        if (!to->has_fin || to->received != from->plan.send_total) {
            sim_fail(world, "stream %u: end %u received %llu of %llu bytes, fin %d", stream->number,
                     e, (unsigned long long)to->received, (unsigned long long)from->plan.send_total,
                     to->has_fin);
        }
    }
}

void sim_world_finish(struct sim_world *world)
{
    uint64_t until_us = world->now_us + SIM_COOL_US;
    while (!world->has_failed && world->now_us < until_us) {
        bool is_clean = sim_world_is_done(world);
        for (unsigned e = 0; e < 2; e++) {
            is_clean &= ADIT_AT(world->end, e).mux.streams.used == 0;
        }
        if (is_clean) {
            break;
        }
        uint64_t next_us = adit_max_u64(sim_world_next_us(world), world->now_us);
        world->now_us = adit_min_u64(next_us, until_us);
        for (unsigned e = 0; e < 2; e++) {
            sim_end_tick(world, e);
        }
        sim_world_settle(world);
    }
    for (uint32_t i = 0; i < world->plan.stream_count && !world->has_failed; i++) {
        sim_check_stream(world, sim_stream_at(world, i));
    }
    for (unsigned e = 0; e < 2 && !world->has_failed; e++) {
        sim_check_zero(world, e);
    }
}
