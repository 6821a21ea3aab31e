#include "hostile.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mux/mux.h"
#include "random.h"
#include "sniffer.h"

#define FOE_HANDLES 64u
#define FOE_IDS 64u
#define FOE_FRAME_BYTES 70000u
#define FOE_OUT_BYTES 65536u
#define FOE_REFUSALS_MAX 1024u /* ids whose RST waits beside the queue of control frames */

/* A stream as the peer sees it. */
struct foe_id {
    uint32_t id;
    bool has_fin;    /* its own */
    uint64_t credit; /* bytes it may send */
};

struct foe {
    struct adit_jitter random;
    struct adit_mux mux;
    struct adit_session session;
    struct adit_mux_limits limits;
    uint32_t parity;             /* of the ids that the peer opens */
    uint32_t id_next;
    struct foe_id ids[FOE_IDS];  /* some that were opened, by either side */
    size_t id_count;
    struct adit_handle handles[FOE_HANDLES];
    size_t handle_count;
    uint64_t now_us, opened;
    uint64_t odd_percent;        /* how often a frame is not what an honest peer sends */
    bool is_over, has_goaway, is_verbose, has_failed;
    uint32_t goaway_code;
    struct sim_sniffer out;
    char reason[200];
    uint8_t frame[FOE_FRAME_BYTES];
    uint8_t output[FOE_OUT_BYTES];
};

__attribute__((format(printf, 2, 3))) static void foe_fail(struct foe *foe, const char *format, ...)
{
    if (!foe->has_failed) {
        foe->has_failed = true;
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(foe->reason, sizeof foe->reason, format, arguments);
        va_end(arguments);
    }
}

static void foe_remember(struct foe *foe, uint32_t id)
{
    size_t slot = foe->id_count < FOE_IDS ? foe->id_count
                                          : (size_t)adit_jitter_below(&foe->random, FOE_IDS);
    ADIT_AT(foe->ids, slot) = (struct foe_id){.id = id, .credit = foe->limits.window_start};
    foe->id_count += foe->id_count < FOE_IDS;
}

static void foe_drop(struct foe *foe, size_t slot)
{
    foe->id_count--;
    ADIT_AT(foe->ids, slot) = ADIT_AT(foe->ids, foe->id_count);
}

/* --- What the peer says ---------------------------------------------------------------------- */

static uint32_t foe_spend(struct foe *foe, struct foe_id *id, uint64_t max)
{
    uint64_t count = sim_pick_log(&foe->random, 0, adit_min_u64(id->credit, max));
    id->credit -= count;
    return (uint32_t)count;
}

static struct adit_yamux_frame foe_open(struct foe *foe)
{
    struct adit_yamux_frame frame = {.flags = ADIT_YAMUX_SYN, .stream = foe->id_next};
    foe->id_next += 2;
    foe_remember(foe, frame.stream);
    struct foe_id *id = &ADIT_AT(foe->ids, foe->id_count - 1);
    frame.type = sim_chance(&foe->random, 50) ? ADIT_YAMUX_DATA : ADIT_YAMUX_WINDOW;
    if (frame.type == ADIT_YAMUX_DATA && id->id == frame.stream) {
        frame.length = foe_spend(foe, id, 8192);
    }
    return frame;
}

/* One more frame of a stream that lives, as an honest peer would send it. */
static struct adit_yamux_frame foe_continue(struct foe *foe, size_t slot)
{
    struct foe_id *id = &ADIT_AT(foe->ids, slot);
    struct adit_yamux_frame frame = {.type = ADIT_YAMUX_WINDOW, .stream = id->id};
    uint64_t kind = sim_pick(&foe->random, 0, 99);
    if (kind < 5) {
        frame.flags = ADIT_YAMUX_RST;
        foe_drop(foe, slot);
    } else if (kind < 15) {
        frame.flags = ADIT_YAMUX_ACK;
    } else if (kind < 30 || id->has_fin) {
        frame.length = (uint32_t)sim_pick_log(&foe->random, 1, 65536);
    } else {
        id->has_fin = kind < 40;
        frame.type = ADIT_YAMUX_DATA;
        frame.flags = id->has_fin ? ADIT_YAMUX_FIN : 0;
        frame.length = foe_spend(foe, id, 65536);
    }
    return frame;
}

static struct adit_yamux_frame foe_honest(struct foe *foe)
{
    struct adit_jitter *random = &foe->random;
    uint64_t kind = sim_pick(random, 0, 99);
    if (foe->id_count == 0 || kind < 12) {
        return foe_open(foe);
    }
    if (kind < 97) {
        return foe_continue(foe, (size_t)adit_jitter_below(random, foe->id_count));
    }
    return (struct adit_yamux_frame){.type = ADIT_YAMUX_PING,
                                     .flags = kind == 97 ? ADIT_YAMUX_ACK : ADIT_YAMUX_SYN,
                                     .length = (uint32_t)adit_jitter_next(random)};
}

/* Makes one thing of a frame wrong, or at least strange. */
static void foe_bend(struct foe *foe, struct adit_yamux_frame *frame)
{
    static const uint32_t edges[] = {0, 1, 262143, 262144, 262145, 1048576, 1048577, 0x7fffffff,
                                     0x80000000, 0xffffffff};
    struct adit_jitter *random = &foe->random;
    switch (sim_pick(random, 0, 6)) {
    case 0:
        frame->stream = (uint32_t)sim_pick_log(random, 0, UINT32_MAX);
        break;
    case 1:
        frame->length = ADIT_AT(edges, adit_jitter_below(random, ADIT_COUNT(edges)));
        break;
    case 2:
        frame->flags = (uint16_t)adit_jitter_below(random, 32);
        break;
    case 3:
        frame->stream = (uint32_t)sim_pick(random, 0, foe->id_next); /* perhaps long gone */
        break;
    case 4:
        frame->type = (uint8_t)adit_jitter_below(random, 6);
        break;
    case 5:
        frame->flags ^= (uint16_t)(1u << adit_jitter_below(random, 4));
        break;
    default:
        frame->length = (uint32_t)adit_jitter_next(random);
        break;
    }
}

/* A frame and as much of its payload as there is room for; now and then not even that. */
static struct adit_bytes foe_say(struct foe *foe)
{
    struct adit_jitter *random = &foe->random;
    struct adit_yamux_frame frame = foe_honest(foe);
    bool is_odd = sim_chance(random, foe->odd_percent);
    if (is_odd) {
        foe_bend(foe, &frame);
    }
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(foe->frame));
    adit_status_ignore(adit_yamux_write(&writer, &frame), "there is room");
    size_t payload = frame.type == ADIT_YAMUX_DATA ? frame.length : 0;
    payload = adit_min_size(payload, adit_writer_room(&writer));
    if (is_odd && sim_chance(random, 10)) {
        payload = (size_t)sim_pick(random, 0, payload); /* frames shift from here on */
    }
    adit_status_ignore(adit_write_zeros(&writer, payload), "there is room");
    if (is_odd && sim_chance(random, 10)) {
        size_t at = (size_t)adit_jitter_below(random, ADIT_YAMUX_HEADER_BYTES);
        ADIT_AT(foe->frame, at) ^= (uint8_t)(1u << adit_jitter_below(random, 8));
    }
    return adit_writer_bytes(&writer);
}

/* What the peer learns from a frame of ours. */
static void foe_learn(struct foe *foe, const struct adit_yamux_frame *frame)
{
    if (frame->type == ADIT_YAMUX_GOAWAY) {
        foe->has_goaway = true;
        foe->goaway_code = frame->length;
    }
    if (frame->type > ADIT_YAMUX_WINDOW) {
        return;
    }
    if ((frame->flags & ADIT_YAMUX_SYN) != 0) {
        foe_remember(foe, frame->stream);
    }
    for (size_t i = 0; i < foe->id_count; i++) {
        struct foe_id *id = &ADIT_AT(foe->ids, i);
        if (id->id != frame->stream) {
            continue;
        }
        id->credit += frame->type == ADIT_YAMUX_WINDOW ? frame->length : 0;
        if ((frame->flags & ADIT_YAMUX_RST) != 0 && sim_chance(&foe->random, 80)) {
            foe_drop(foe, i); /* or goes on, as bytes that were under way would */
        }
        return;
    }
}

/* --- The program on our side ----------------------------------------------------------------- */

static void foe_forget(struct foe *foe, size_t slot)
{
    foe->handle_count--;
    ADIT_AT(foe->handles, slot) = ADIT_AT(foe->handles, foe->handle_count);
}

static void foe_event(struct foe *foe, const struct adit_session_event *event)
{
    switch (event->kind) {
    case ADIT_SESSION_OPENED:
        foe->opened++;
        if (foe->handle_count == FOE_HANDLES) {
            adit_session_release(&foe->session, event->stream, foe->now_us);
            return;
        }
        ADIT_AT(foe->handles, foe->handle_count) = event->stream;
        foe->handle_count++;
        if (sim_chance(&foe->random, 70)) {
            adit_status_ignore(adit_session_accept(&foe->session, event->stream, 1),
                               "foe_check looks at what counts");
        }
        return;
    case ADIT_SESSION_DATA:
        if (event->data.len == 0) {
            foe_fail(foe, "a Data event without data");
        }
        if (sim_chance(&foe->random, 70)) {
            adit_session_consumed(&foe->session, event->stream, event->data.len, foe->now_us);
        }
        return;
    case ADIT_SESSION_GOAWAY:
        foe->is_over |= event->code != 0;
        return;
    case ADIT_SESSION_RESET:
        for (size_t i = 0; i < foe->handle_count; i++) {
            if (adit_handle_equal(ADIT_AT(foe->handles, i), event->stream)) {
                foe_forget(foe, i);
                break;
            }
        }
        return;
    case ADIT_SESSION_MORE:
    case ADIT_SESSION_ACKED:
    case ADIT_SESSION_FINISHED:
        return;
    }
}

static void foe_program(struct foe *foe)
{
    struct adit_jitter *random = &foe->random;
    struct adit_handle handle = {0};
    if (foe->handle_count < FOE_HANDLES && sim_chance(random, 20)) {
        if (adit_is_ok(adit_session_open(&foe->session, 2, foe->now_us, &handle))) {
            ADIT_AT(foe->handles, foe->handle_count) = handle;
            foe->handle_count++;
        }
    }
    if (foe->handle_count > 0) {
        size_t slot = (size_t)adit_jitter_below(random, foe->handle_count);
        handle = ADIT_AT(foe->handles, slot);
        if (sim_chance(random, 30)) {
            adit_session_release(&foe->session, handle, foe->now_us);
            foe_forget(foe, slot);
        } else {
            adit_session_ready(&foe->session, handle);
        }
    }
    /* A handle that names nothing is harmless everywhere. */
    struct adit_handle nobody = {.index = (uint32_t)adit_jitter_below(random, 8),
                                 .generation = 77777};
    adit_session_ready(&foe->session, nobody);
    adit_session_idle(&foe->session, nobody);
    adit_session_consumed(&foe->session, nobody, 1, foe->now_us);
    adit_session_release(&foe->session, nobody, foe->now_us);
}

static void foe_output(struct foe *foe)
{
    size_t room = (size_t)sim_pick_log(&foe->random, 64, FOE_OUT_BYTES);
    struct adit_writer writer = adit_writer_of(adit_span_first(ADIT_SPAN_OF(foe->output), room));
    adit_session_pull(&foe->session, &writer, foe->now_us);
    struct adit_session_turn turn = {0};
    for (uint32_t i = 0; adit_session_next(&foe->session, adit_writer_room(&writer), &turn); i++) {
        struct adit_span header = {0};
        struct adit_span payload = {0};
        if (turn.bytes_max == 0 ||
            turn.bytes_max + ADIT_YAMUX_HEADER_BYTES > adit_writer_room(&writer) || i > 100000) {
            foe_fail(foe, "turn %u of %zu bytes, room %zu", i, turn.bytes_max,
                     adit_writer_room(&writer));
            return;
        }
        adit_status_ignore(adit_write_reserve(&writer, ADIT_YAMUX_HEADER_BYTES, &header), "room");
        bool is_last = sim_chance(&foe->random, 20);
        size_t count = (size_t)sim_pick(&foe->random, is_last ? 0 : 1, turn.bytes_max);
        adit_status_ignore(adit_write_reserve(&writer, count, &payload), "room");
        if (!adit_is_ok(adit_session_sent(&foe->session, turn.stream, header, count, is_last))) {
            foe_fail(foe, "sent refused its own turn");
            return;
        }
        if (!is_last && sim_chance(&foe->random, 50)) {
            adit_session_idle(&foe->session, turn.stream);
        }
    }
    struct adit_bytes rest = adit_writer_bytes(&writer);
    while (sim_sniffer_next(&foe->out, &rest)) {
        foe_learn(foe, &foe->out.frame);
    }
}

/* --- Rules ----------------------------------------------------------------------------------- */

static void foe_check(struct foe *foe)
{
    const struct adit_session_counters *c = &foe->session.counters;
    uint64_t windows = (uint64_t)c->streams_open * foe->limits.window_start + c->growth_granted;
    if (c->streams_open > 2 * foe->limits.streams_max || c->unacked_in > foe->limits.unacked_max ||
        c->unacked_out > foe->limits.unacked_max ||
        c->control_queued > foe->limits.control_max + 1 + FOE_REFUSALS_MAX ||
        c->growth_granted > foe->limits.session_growth_max || c->received_pending > windows) {
        foe_fail(foe, "limits: open %u unacked %u/%u control %u growth %llu pending %llu",
                 c->streams_open, c->unacked_in, c->unacked_out, c->control_queued,
                 (unsigned long long)c->growth_granted, (unsigned long long)c->received_pending);
    }
}

/* After a failure: the reason is on the wire, and nothing more is taken. */
static void foe_end(struct foe *foe, struct adit_status status)
{
    enum adit_error error = adit_status_error(status);
    if (foe->is_verbose) {
        printf("# over: %s (%s) at line %d\n", adit_error_name(error), adit_status_what(status),
               status.fault->line);
    }
    if (error != ADIT_ERROR_INVALID && error != ADIT_ERROR_LIMIT) {
        foe_fail(foe, "receive failed with %s: %s", adit_error_name(error),
                 adit_status_what(status));
    }
    if (foe->odd_percent == 0 && error == ADIT_ERROR_INVALID) {
        foe_fail(foe, "given up (%s), though every frame was legal", adit_status_what(status));
    }
    for (uint32_t i = 0; i < 100000 && !foe->has_goaway; i++) {
        if (!adit_session_wants_output(&foe->session)) {
            break;
        }
        foe_output(foe);
    }
    if (!foe->has_goaway || foe->goaway_code == 0) {
        foe_fail(foe, "given up (%s) without a GOAWAY that says so", adit_status_what(status));
    }
    struct adit_bytes more = ADIT_BYTES_OF(foe->frame);
    struct adit_session_event event = {0};
    if (adit_is_ok(adit_session_receive(&foe->session, &more, foe->now_us, &event))) {
        foe_fail(foe, "receives more after it has given up");
    }
    foe->is_over = true;
}

static void foe_hear(struct foe *foe, struct adit_bytes bytes)
{
    size_t rounds_max = 4 * bytes.len + 100;
    struct adit_bytes left = bytes;
    size_t at_once = (size_t)sim_pick_log(&foe->random, 1, FOE_FRAME_BYTES);
    for (size_t round = 0; !foe->is_over && !foe->has_failed; round++) {
        if (adit_session_is_congested(&foe->session)) {
            foe_output(foe);
        }
        struct adit_bytes view = adit_bytes_first(left, at_once);
        size_t before = view.len;
        struct adit_session_event event = {0};
        struct adit_status status =
            adit_session_receive(&foe->session, &view, foe->now_us, &event);
        left = adit_bytes_from(left, before - view.len);
        if (!adit_is_ok(status)) {
            foe_end(foe, status);
            return;
        }
        foe_event(foe, &event);
        foe_check(foe);
        if (event.kind == ADIT_SESSION_MORE && left.len == 0) {
            return;
        }
        if (round > rounds_max) {
            foe_fail(foe, "receive spins: %zu bytes left", left.len);
        }
    }
}

static void foe_tick(struct foe *foe)
{
    struct adit_session_event event = {.kind = ADIT_SESSION_RESET};
    for (uint32_t i = 0; event.kind != ADIT_SESSION_MORE && !foe->is_over; i++) {
        struct adit_status status = adit_session_tick(&foe->session, foe->now_us, &event);
        if (adit_status_error(status) == ADIT_ERROR_TIMEOUT) {
            foe->is_over = true;
        } else if (!adit_is_ok(status) || i > 10000) {
            foe_fail(foe, "tick: %s", adit_status_what(status));
            return;
        }
        foe_event(foe, &event);
    }
}

/* Where the session lives on, all that it owed goes out, and nothing stays queued. */
static void foe_quiet(struct foe *foe)
{
    for (uint32_t i = 0; i < 20000 && !foe->is_over && !foe->has_failed; i++) {
        if (foe->session.counters.control_queued == 0 &&
            !adit_session_wants_output(&foe->session)) {
            return;
        }
        foe_output(foe);
    }
    if (!foe->is_over) {
        foe_fail(foe, "%u control frames stay queued", foe->session.counters.control_queued);
    }
}

static struct adit_status foe_begin(struct foe *foe, uint64_t seed)
{
    foe->random = sim_random(seed ^ 0xf0e);
    foe->limits = adit_mux_limits_default();
    foe->limits.streams_max = (uint32_t)sim_pick_log(&foe->random, 1, 1024);
    foe->limits.unacked_max = (uint32_t)sim_pick_log(&foe->random, 1, 256);
    foe->odd_percent = sim_pick_log(&foe->random, 0, 30);
    foe->now_us = sim_pick(&foe->random, 1, 1000000000);
    struct adit_mux_options options = {.limits = foe->limits,
                                       .streams_max = (uint32_t)sim_pick_log(&foe->random, 4, 4096),
                                       .growth_max = sim_pick_log(&foe->random, 0, 64 << 20)};
    bool is_server = sim_chance(&foe->random, 50);
    foe->parity = is_server ? 1 : 2;
    foe->id_next = foe->parity;
    ADIT_TRY(adit_mux_init(&foe->mux, &options));
    ADIT_TRY(adit_session_init(&foe->session, &foe->mux,
                               is_server ? ADIT_SESSION_SERVER : ADIT_SESSION_CLIENT, seed,
                               foe->now_us));
    adit_session_rtt_set(&foe->session, sim_pick_log(&foe->random, 1, 300000));
    return adit_ok();
}

bool sim_hostile_run(uint64_t seed, bool is_verbose, struct sim_hostile_totals *totals)
{
    static struct foe foe; /* large; a test program may */
    memset(&foe, 0, sizeof foe);
    foe.is_verbose = is_verbose;
    if (!adit_is_ok(foe_begin(&foe, seed))) {
        printf("not ok sim hostile seed %llu: no memory\n", (unsigned long long)seed);
        return false;
    }
    uint64_t steps = sim_pick_log(&foe.random, 10, 1000);
    for (uint64_t i = 0; i < steps && !foe.is_over && !foe.has_failed; i++) {
        foe_hear(&foe, foe_say(&foe));
        if (sim_chance(&foe.random, 50)) {
            foe_program(&foe);
        }
        if (!foe.is_over && sim_chance(&foe.random, 60)) {
            foe_output(&foe);
        }
        foe.now_us += sim_pick_log(&foe.random, 0, 100000);
        if (!foe.is_over && sim_chance(&foe.random, 20)) {
            foe_tick(&foe);
        }
        foe_check(&foe);
    }
    foe_quiet(&foe);
    totals->worlds++;
    totals->frames += foe.session.counters.frames_in_total;
    totals->given_up += foe.is_over;
    totals->streams += foe.opened;
    adit_session_deinit(&foe.session);
    if (foe.mux.streams.used != 0 || foe.mux.ids.used != 0 || foe.mux.growth_used != 0) {
        foe_fail(&foe, "held after deinit: %u streams, %u ids, %llu growth", foe.mux.streams.used,
                 foe.mux.ids.used, (unsigned long long)foe.mux.growth_used);
    }
    adit_mux_deinit(&foe.mux);
    if (foe.has_failed) {
        printf("not ok sim hostile seed %llu: %s\n", (unsigned long long)seed, foe.reason);
        printf("# again: sim --only hostile --seed %llu --verbose\n", (unsigned long long)seed);
    }
    return !foe.has_failed;
}
