/* What an honest session may put on the wire, judged from the bytes alone. */
#include "world.h"

/* A stream may be refused after our GOAWAY, or where there is no room for it. Other streams may
 * have ended since, so room is judged with a margin. */
static void sim_wire_refusal(struct sim_world *world, unsigned e, uint32_t id)
{
    const struct sim_end *end = &ADIT_AT(world->end, e);
    const struct adit_session_counters *counters = &end->session.counters;
    const struct adit_mux_limits *limits = &world->plan.limits;
    bool is_crowded = 2 * counters->streams_open >= limits->streams_max ||
                      2 * counters->unacked_in >= limits->unacked_max;
    world->refused_total++;
    if (!end->has_goaway && !is_crowded) {
        sim_fail(world, "wire %u: id %u refused with %u streams open, %u not acknowledged", e, id,
                 counters->streams_open, counters->unacked_in);
    }
}

static void sim_wire_stream_frame(struct sim_world *world, unsigned e,
                                  const struct adit_yamux_frame *frame)
{
    struct sim_stream *stream = sim_stream_by_id(world, frame->stream);
    if (!stream) {
        sim_fail(world, "wire %u: frame type %u flags %u for id %u, which nobody opened", e,
                 frame->type, frame->flags, frame->stream);
        return;
    }
    struct sim_side *side = &ADIT_AT(stream->side, e);
    const struct sim_side *peer = &ADIT_AT(stream->side, 1 - e);
    if ((frame->flags & ADIT_YAMUX_RST) != 0 && stream->opener != e && !side->is_seen) {
        sim_wire_refusal(world, e, frame->stream);
    }
    bool is_syn = (frame->flags & ADIT_YAMUX_SYN) != 0;
    bool is_over = (frame->flags & (ADIT_YAMUX_FIN | ADIT_YAMUX_RST)) != 0;
    if (is_syn && stream->opener != e) {
        sim_fail(world, "wire %u: SYN for id %u of the peer", e, frame->stream);
    }
    if (frame->type == ADIT_YAMUX_WINDOW) {
        side->credit_granted += frame->length;
        if (side->credit_granted > UINT32_MAX && world->plan.limits.window_max < UINT32_MAX / 4 &&
            side->credit_granted - peer->wire_sent > 2 * (uint64_t)world->plan.limits.window_max) {
            sim_fail(world, "wire %u: id %u has a window of %llu", e, frame->stream,
                     (unsigned long long)(side->credit_granted - peer->wire_sent));
        }
    } else {
        side->wire_sent += frame->length;
        if (side->is_wire_over && (frame->length > 0 || (frame->flags & ADIT_YAMUX_FIN) != 0)) {
            sim_fail(world, "wire %u: data or FIN for id %u after its end", e, frame->stream);
        }
        if (side->wire_sent > world->plan.limits.window_start + peer->credit_granted) {
            sim_fail(world, "wire %u: id %u sent %llu bytes, credit %llu", e, frame->stream,
                     (unsigned long long)side->wire_sent,
                     (unsigned long long)(world->plan.limits.window_start + peer->credit_granted));
        }
        if (frame->length > world->plan.limits.frame_max) {
            sim_fail(world, "wire %u: a frame of %u bytes", e, frame->length);
        }
    }
    side->is_wire_over |= is_over;
}

void sim_wire_check(struct sim_world *world, unsigned e, struct adit_bytes bytes)
{
    struct sim_sniffer *sniffer = &ADIT_AT(world->end, e).out;
    struct adit_bytes rest = bytes;
    while (!world->has_failed && sim_sniffer_next(sniffer, &rest)) {
        const struct adit_yamux_frame *frame = &sniffer->frame;
        sim_tell(world, "wire %u: type %u flags %u id %u length %u", e, frame->type, frame->flags,
                 frame->stream, frame->length);
        if (frame->version != ADIT_YAMUX_VERSION || (frame->flags & ~ADIT_YAMUX_FLAGS_KNOWN) != 0) {
            sim_fail(world, "wire %u: version %u flags %u", e, frame->version, frame->flags);
        } else if (frame->type == ADIT_YAMUX_DATA || frame->type == ADIT_YAMUX_WINDOW) {
            sim_wire_stream_frame(world, e, frame);
        } else if (frame->type > ADIT_YAMUX_GOAWAY || frame->stream != 0) {
            sim_fail(world, "wire %u: type %u for stream %u", e, frame->type, frame->stream);
        }
    }
}
