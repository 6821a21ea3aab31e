#include "brink.h"

#include <stdio.h>

#include "mux/mux.h"
#include "random.h"
#include "sniffer.h"

#define BRINK_CHUNK_BYTES 65536u
#define BRINK_ROUNDS 60u

struct brink {
    struct adit_jitter random;
    struct adit_mux mux;
    struct adit_session session;
    struct adit_handle stream;
    struct sim_sniffer out;
    uint64_t now_us;
    uint64_t credit;  /* bytes the peer may still send, as the wire has it */
    uint64_t pending; /* bytes our reader holds */
    bool has_goaway;
    const char *reason;
    uint8_t frame[ADIT_YAMUX_HEADER_BYTES + BRINK_CHUNK_BYTES];
    uint8_t output[4096];
};

/* Reads what the session says, for the credit and the GOAWAY in it. */
static void brink_output(struct brink *brink)
{
    for (uint32_t i = 0; i < 16 && adit_session_wants_output(&brink->session); i++) {
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(brink->output));
        adit_session_pull(&brink->session, &writer, brink->now_us);
        struct adit_bytes rest = adit_writer_bytes(&writer);
        while (sim_sniffer_next(&brink->out, &rest)) {
            const struct adit_yamux_frame *frame = &brink->out.frame;
            brink->credit += frame->type == ADIT_YAMUX_WINDOW ? frame->length : 0;
            brink->has_goaway |= frame->type == ADIT_YAMUX_GOAWAY &&
                                 frame->length == ADIT_YAMUX_GOAWAY_PROTOCOL;
        }
    }
}

static struct adit_status brink_event(struct brink *brink, const struct adit_session_event *event)
{
    if (event->kind == ADIT_SESSION_OPENED) {
        brink->stream = event->stream;
        return adit_session_accept(&brink->session, event->stream, 1);
    }
    brink->pending += event->kind == ADIT_SESSION_DATA ? event->data.len : 0;
    return adit_ok();
}

/* The peer sends one Data frame of so many bytes on stream 1. */
static struct adit_status brink_send(struct brink *brink, uint16_t flags, uint32_t count)
{
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(brink->frame));
    struct adit_yamux_frame frame = {
        .type = ADIT_YAMUX_DATA, .flags = flags, .stream = 1, .length = count};
    ADIT_TRY(adit_yamux_write(&writer, &frame));
    ADIT_TRY(adit_write_zeros(&writer, count));
    brink->credit -= adit_min_u64(count, brink->credit);
    struct adit_bytes rest = adit_writer_bytes(&writer);
    struct adit_session_event event = {.kind = ADIT_SESSION_ACKED};
    while (event.kind != ADIT_SESSION_MORE || rest.len > 0) {
        ADIT_TRY(adit_session_receive(&brink->session, &rest, brink->now_us, &event));
        ADIT_TRY(brink_event(brink, &event));
    }
    return adit_ok();
}

static void brink_consume(struct brink *brink)
{
    uint64_t count = sim_chance(&brink->random, 60) ? brink->pending
                                                    : sim_pick(&brink->random, 0, brink->pending);
    adit_session_consumed(&brink->session, brink->stream, (size_t)count, brink->now_us);
    brink->pending -= count;
}

static struct adit_status brink_play(struct brink *brink)
{
    ADIT_TRY(brink_send(brink, ADIT_YAMUX_SYN, 0));
    for (uint64_t rounds = sim_pick(&brink->random, 0, BRINK_ROUNDS); rounds > 0; rounds--) {
        uint64_t max = adit_min_u64(brink->credit, BRINK_CHUNK_BYTES);
        ADIT_TRY(brink_send(brink, 0, (uint32_t)sim_pick(&brink->random, 0, max)));
        brink_consume(brink);
        brink->now_us += sim_pick_log(&brink->random, 0, 30000);
        brink_output(brink);
    }
    while (brink->credit > 0) {
        ADIT_TRY(brink_send(brink, 0, (uint32_t)adit_min_u64(brink->credit, BRINK_CHUNK_BYTES)));
    }
    return adit_ok();
}

static void brink_judge(struct brink *brink)
{
    struct adit_status status = brink_play(brink);
    if (!adit_is_ok(status)) {
        brink->reason = "refused bytes that stood in its credit";
        return;
    }
    status = brink_send(brink, 0, 1);
    brink_output(brink);
    if (adit_is_ok(status)) {
        brink->reason = "took a byte beyond its credit";
    } else if (!brink->has_goaway) {
        brink->reason = "gave up without GOAWAY 1";
    }
}

static struct adit_status brink_begin(struct brink *brink, uint64_t seed)
{
    brink->random = sim_random(seed ^ 0xb12);
    brink->now_us = 1000000;
    struct adit_mux_options options = {.limits = adit_mux_limits_default(),
                                       .streams_max = 16,
                                       .growth_max = sim_pick_log(&brink->random, 0, 64 << 20)};
    options.limits.window_max = options.limits.window_start +
                                (uint32_t)sim_pick_log(&brink->random, 0, 16 << 20);
    options.limits.glitches_per_second = 1000000; /* empty frames are not what is tested here */
    brink->credit = options.limits.window_start;
    ADIT_TRY(adit_mux_init(&brink->mux, &options));
    ADIT_TRY(adit_session_init(&brink->session, &brink->mux, ADIT_SESSION_SERVER, seed,
                               brink->now_us));
    adit_session_rtt_set(&brink->session, sim_pick_log(&brink->random, 1, 300000));
    return adit_ok();
}

bool sim_brink_run(uint64_t seed)
{
    static struct brink brink; /* large; a test program may */
    brink = (struct brink){0};
    if (!adit_is_ok(brink_begin(&brink, seed))) {
        brink.reason = "no memory";
    } else {
        brink_judge(&brink);
    }
    adit_session_deinit(&brink.session);
    adit_mux_deinit(&brink.mux);
    if (brink.reason) {
        printf("not ok sim brink seed %llu: %s\n# again: sim --only hostile --seed %llu\n",
               (unsigned long long)seed, brink.reason, (unsigned long long)seed);
    }
    return !brink.reason;
}
