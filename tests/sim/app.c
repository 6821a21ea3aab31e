/* The programs at the ends of the streams: sources, readers, and those that give up. */
#include "world.h"

#define SIM_OPEN_RETRY_US 5000u

static void sim_wake(struct sim_end *end, struct sim_side *side, uint64_t when_us)
{
    side->wake_us = adit_min_u64(side->wake_us, when_us);
    end->wake_us = adit_min_u64(end->wake_us, when_us);
}

static void sim_active_add(struct sim_end *end, struct sim_stream *stream, struct sim_side *side)
{
    side->active_slot = end->active_count;
    ADIT_SLOT(end->active, SIM_STREAMS_MAX, end->active_count) = stream->number;
    end->active_count++;
}

static void sim_active_remove(struct sim_world *world, unsigned e, struct sim_side *side)
{
    struct sim_end *end = &ADIT_AT(world->end, e);
    end->active_count--;
    uint32_t moved = ADIT_SLOT(end->active, SIM_STREAMS_MAX, end->active_count);
    ADIT_SLOT(end->active, SIM_STREAMS_MAX, side->active_slot) = moved;
    ADIT_AT(sim_stream_at(world, moved)->side, e).active_slot = side->active_slot;
    side->is_live = false;
    side->ended_us = world->now_us;
    world->progress++;
}

/* Ends this side: the handle is stale from here on. */
static void sim_side_release(struct sim_world *world, unsigned e, struct sim_stream *stream)
{
    struct sim_side *side = &ADIT_AT(stream->side, e);
    struct sim_end *end = &ADIT_AT(world->end, e);
    if (!side->has_sent_fin || !side->has_fin) {
        side->has_released = true;
        world->resets_total++;
        sim_tell(world, "end %u: stream %u gives up", e, stream->number);
    }
    adit_session_release(&end->session, side->handle, world->now_us);
    uint64_t user = 0;
    if (adit_session_user(&end->session, side->handle, &user)) {
        sim_fail(world, "stream %u end %u: the handle lives on after release", stream->number, e);
    }
    sim_active_remove(world, e, side);
}

/* True where it ended: finished and read to the end, or given up. */
static bool sim_side_settle(struct sim_world *world, unsigned e, struct sim_stream *stream)
{
    struct sim_side *side = &ADIT_AT(stream->side, e);
    bool is_tired = side->sent >= side->plan.reset_sent ||
                    side->received >= side->plan.reset_received ||
                    (side->plan.reset_us != SIM_NEVER &&
                     world->now_us >= side->begun_us + side->plan.reset_us);
    bool is_finished = side->has_sent_fin && side->has_fin && side->consumed == side->received;
    if (is_finished && side->release_us == SIM_NEVER) {
        side->release_us = world->now_us + side->plan.release_delay_us;
        sim_wake(&ADIT_AT(world->end, e), side, side->release_us);
    }
    if (is_tired || (is_finished && world->now_us >= side->release_us)) {
        sim_side_release(world, e, stream);
        return true;
    }
    return false;
}

static void sim_side_feed(struct sim_world *world, unsigned e, struct sim_side *side)
{
    struct sim_end *end = &ADIT_AT(world->end, e);
    uint64_t left = side->plan.send_total - side->available;
    side->available += side->plan.burst == 0 ? left : adit_min_u64(side->plan.burst, left);
    side->source_next_us = SIM_NEVER;
    if (side->available < side->plan.send_total) {
        side->source_next_us = world->now_us + side->plan.burst_every_us;
        sim_wake(end, side, side->source_next_us);
    }
    adit_session_ready(&end->session, side->handle);
}

static void sim_side_start(struct sim_world *world, unsigned e, struct sim_side *side)
{
    if (!side->is_started && side->is_accepted) {
        side->is_started = true;
        sim_side_feed(world, e, side);
    }
}

static void sim_side_read(struct sim_world *world, unsigned e, struct sim_side *side)
{
    struct sim_end *end = &ADIT_AT(world->end, e);
    uint64_t count = side->received - side->consumed;
    if (side->plan.read_chunk != 0) {
        count = adit_min_u64(count, side->plan.read_chunk);
    }
    side->read_next_us = SIM_NEVER;
    if (count == 0) {
        return;
    }
    side->consumed += count;
    end->consumed_total += count;
    world->progress++;
    adit_session_consumed(&end->session, side->handle, (size_t)count, world->now_us);
    if (side->consumed < side->received) {
        side->read_next_us = world->now_us + side->plan.read_every_us;
        sim_wake(end, side, side->read_next_us);
    }
}

/* The acceptor takes the stream and may begin to send. */
static void sim_side_accept(struct sim_world *world, unsigned e, struct sim_stream *stream)
{
    struct sim_side *side = &ADIT_AT(stream->side, e);
    struct adit_status status = adit_session_accept(&ADIT_AT(world->end, e).session, side->handle,
                                                    stream->number + 1);
    if (!adit_is_ok(status)) {
        sim_fail(world, "stream %u end %u: accept: %s", stream->number, e,
                 adit_status_what(status));
        return;
    }
    side->is_accepted = true;
    side->accept_us = SIM_NEVER;
    if (side->plan.start == SIM_START_NOW || side->has_fin ||
        (side->plan.start == SIM_START_AFTER_BYTES && side->received > 0)) {
        sim_side_start(world, e, side);
    }
}

static void sim_side_begin(struct sim_world *world, unsigned e, struct sim_stream *stream)
{
    struct sim_side *side = &ADIT_AT(stream->side, e);
    struct sim_end *end = &ADIT_AT(world->end, e);
    side->is_seen = true;
    side->is_live = true;
    side->begun_us = world->now_us;
    side->accept_us = SIM_NEVER;
    side->source_next_us = SIM_NEVER;
    side->read_next_us = SIM_NEVER;
    side->release_us = SIM_NEVER;
    side->wake_us = SIM_NEVER;
    sim_active_add(end, stream, side);
    if (side->plan.reset_us != SIM_NEVER) {
        sim_wake(end, side, world->now_us + side->plan.reset_us);
    }
}

/* --- Events ---------------------------------------------------------------------------------- */

void sim_app_opened(struct sim_world *world, unsigned e, struct sim_stream *stream)
{
    struct sim_side *side = &ADIT_AT(stream->side, e);
    sim_side_begin(world, e, stream);
    world->opened_total++;
    if (side->plan.accept_delay_us == 0) {
        sim_side_accept(world, e, stream);
    } else {
        side->accept_us = world->now_us + side->plan.accept_delay_us;
        sim_wake(&ADIT_AT(world->end, e), side, side->accept_us);
    }
    if (side->is_live) {
        sim_side_settle(world, e, stream);
    }
}

void sim_app_data(struct sim_world *world, unsigned e, struct sim_stream *stream,
                  struct adit_bytes data)
{
    struct sim_side *side = &ADIT_AT(stream->side, e);
    const struct sim_side *from = &ADIT_AT(stream->side, 1 - e);
    if (data.len == 0 || side->has_fin || side->received + data.len > from->sent ||
        !sim_pattern_check(world->pattern, from->seed, side->received, data)) {
        sim_fail(world, "stream %u end %u: %zu wrong bytes at offset %llu", stream->number, e,
                 data.len, (unsigned long long)side->received);
        return;
    }
    side->received += data.len;
    world->bytes_total += data.len;
    if (side->plan.start == SIM_START_AFTER_BYTES) {
        sim_side_start(world, e, side);
    }
    uint64_t read_from_us = side->begun_us + side->plan.read_from_us;
    if (side->plan.read_chunk == 0 && world->now_us >= read_from_us) {
        sim_side_read(world, e, side);
    } else if (side->read_next_us == SIM_NEVER) {
        side->read_next_us = adit_max_u64(read_from_us, world->now_us + side->plan.read_every_us);
        sim_wake(&ADIT_AT(world->end, e), side, side->read_next_us);
    }
    sim_side_settle(world, e, stream);
}

void sim_app_finished(struct sim_world *world, unsigned e, struct sim_stream *stream)
{
    struct sim_side *side = &ADIT_AT(stream->side, e);
    const struct sim_side *from = &ADIT_AT(stream->side, 1 - e);
    if (side->has_fin || !from->has_sent_fin || side->received != from->plan.send_total) {
        sim_fail(world, "stream %u end %u: FIN after %llu of %llu bytes", stream->number, e,
                 (unsigned long long)side->received, (unsigned long long)from->plan.send_total);
        return;
    }
    side->has_fin = true;
    sim_side_start(world, e, side);
    sim_side_settle(world, e, stream);
}

void sim_app_reset(struct sim_world *world, unsigned e, struct sim_stream *stream)
{
    struct sim_side *side = &ADIT_AT(stream->side, e);
    const struct sim_side *peer = &ADIT_AT(stream->side, 1 - e);
    if (!peer->has_released) {
        bool may_refuse = world->plan.stream_count > world->plan.limits.streams_max ||
                          world->plan.stream_count > world->plan.pool_max ||
                          ADIT_AT(world->end, 1 - e).has_goaway;
        if ((peer->is_seen || !may_refuse) && !world->plan.may_time_out) {
            sim_fail(world, "stream %u end %u: reset, though nobody gave up", stream->number, e);
        }
    }
    side->was_reset = true;
    sim_active_remove(world, e, side);
}

void sim_app_sent(struct sim_world *world, unsigned e, struct sim_stream *stream)
{
    sim_side_settle(world, e, stream);
}

/* --- Time ------------------------------------------------------------------------------------ */

static bool sim_side_run(struct sim_world *world, unsigned e, struct sim_stream *stream)
{
    struct sim_side *side = &ADIT_AT(stream->side, e);
    uint64_t now_us = world->now_us;
    side->wake_us = SIM_NEVER;
    if (side->accept_us <= now_us) {
        sim_side_accept(world, e, stream);
    }
    if (side->source_next_us <= now_us) {
        sim_side_feed(world, e, side);
    }
    if (side->read_next_us <= now_us) {
        sim_side_read(world, e, side);
    }
    if (sim_side_settle(world, e, stream)) {
        return true;
    }
    uint64_t wake_us = adit_min_u64(adit_min_u64(side->accept_us, side->source_next_us),
                                    adit_min_u64(side->read_next_us, side->release_us));
    if (side->plan.reset_us != SIM_NEVER) {
        wake_us = adit_min_u64(wake_us, side->begun_us + side->plan.reset_us);
    }
    sim_wake(&ADIT_AT(world->end, e), side, wake_us);
    return true;
}

static bool sim_app_open(struct sim_world *world, unsigned e)
{
    struct sim_end *end = &ADIT_AT(world->end, e);
    bool has_moved = false;
    while (end->open_next < world->plan.stream_count && !world->has_failed) {
        struct sim_stream *stream = sim_stream_at(world, end->open_next);
        uint64_t open_us = world->start_us + stream->open_us;
        if (stream->opener == e && open_us > world->now_us) {
            end->wake_us = adit_min_u64(end->wake_us, open_us);
            return has_moved;
        }
        if (stream->opener == e) {
            struct sim_side *side = &ADIT_AT(stream->side, e);
            bool can_open = adit_session_can_open(&end->session);
            struct adit_status status = adit_session_open(&end->session, stream->number + 1,
                                                          world->now_us, &side->handle);
            if (can_open != adit_is_ok(status)) {
                sim_fail(world, "end %u: can_open says %d, open says %s", e, can_open,
                         adit_status_what(status));
            }
            if (adit_status_error(status) == ADIT_ERROR_FULL) {
                end->wake_us = adit_min_u64(end->wake_us, world->now_us + SIM_OPEN_RETRY_US);
                return has_moved;
            }
            if (adit_is_ok(status)) {
                sim_side_begin(world, e, stream);
                side->is_accepted = true;
                stream->wire_open = end->payload_total;
                if (side->plan.start == SIM_START_NOW) {
                    sim_side_start(world, e, side);
                }
                sim_side_settle(world, e, stream);
            } else if (adit_status_error(status) == ADIT_ERROR_CLOSED &&
                       (ADIT_AT(world->end, 0).has_goaway || ADIT_AT(world->end, 1).has_goaway)) {
                stream->is_dropped = true;
            } else {
                sim_fail(world, "stream %u end %u: open: %s", stream->number, e,
                         adit_status_what(status));
            }
        }
        end->open_next++;
        has_moved = true;
    }
    return has_moved;
}

bool sim_app_run(struct sim_world *world, unsigned e)
{
    struct sim_end *end = &ADIT_AT(world->end, e);
    bool has_moved = false;
    if (world->now_us >= end->wake_us) {
        end->wake_us = end->has_goaway ? SIM_NEVER : end->goaway_us;
        for (uint32_t i = end->active_count; i > 0 && !world->has_failed; i--) {
            struct sim_stream *stream =
                sim_stream_at(world, ADIT_SLOT(end->active, SIM_STREAMS_MAX, i - 1));
            struct sim_side *side = &ADIT_AT(stream->side, e);
            if (side->wake_us <= world->now_us) {
                has_moved |= sim_side_run(world, e, stream);
            } else {
                end->wake_us = adit_min_u64(end->wake_us, side->wake_us);
            }
        }
    }
    has_moved |= sim_app_open(world, e);
    return has_moved;
}
