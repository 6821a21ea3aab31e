/* A session between a user and a peer that both do what the input says, in any order. After every
 * step all that the header promises is checked: limits, budgets, exact counters, progress, and that
 * nothing is ever sent past the peer's window. */
#include "mux/stream.h"

#include "fuzz.h"

#define HANDLES 16
#define IDS 256

struct world {
    struct adit_mux mux;
    struct adit_session session;
    uint64_t now_us;
    bool has_failed;
    size_t handle_next;
    uint32_t ping_nonce; /* of the session's last ping */
    struct adit_handle handles[HANDLES]; /* the last ones heard of, stale or not */
    uint64_t may_send[IDS];              /* bytes the session may send, by stream id */
};

static struct adit_mux_limits small_limits(struct adit_reader *input)
{
    struct adit_mux_limits limits = adit_mux_limits_default();
    limits.streams_max = 1u + fuzz_byte(input) % 8u;
    limits.unacked_max = 1u + fuzz_byte(input) % 8u;
    uint8_t window = fuzz_byte(input); /* most are small; some let a stream cease to be fresh */
    limits.window_start = 1u + window * (window % 4 == 3 ? 1024u : 8u);
    limits.window_max = limits.window_start + fuzz_byte(input) * 64u;
    limits.session_growth_max = fuzz_byte(input) * 128u;
    limits.frame_max = 1u + fuzz_byte(input) * 16u;
    limits.quantum = 1u + fuzz_byte(input) * 4u;
    limits.control_max = 4u + fuzz_byte(input) % 61u;
    limits.glitch_burst = 1u + fuzz_byte(input);
    limits.resets_out_burst = 1u + fuzz_byte(input) % 8u;
    limits.resets_out_per_second = 1u + fuzz_byte(input) % 8u;
    limits.early_resets_out_burst = 1u + fuzz_byte(input) % 4u;
    limits.early_resets_out_per_second = 1;
    return limits;
}

static void check(const struct world *world)
{
    const struct adit_session *session = &world->session;
    const struct adit_session_counters *counters = &session->counters;
    const struct adit_mux_limits *limits = &world->mux.limits;
    ADIT_ASSERT(counters->streams_open <= 2 * limits->streams_max);
    ADIT_ASSERT(session->open_in <= limits->streams_max);
    ADIT_ASSERT(session->open_out <= limits->streams_max);
    ADIT_ASSERT(counters->unacked_in <= limits->unacked_max);
    ADIT_ASSERT(counters->unacked_out <= limits->unacked_max);
    ADIT_ASSERT(session->control_count <= limits->control_max);
    ADIT_ASSERT(counters->control_queued <= limits->control_max + 2);
    ADIT_ASSERT(counters->refusals_queued <= ADIT_SESSION_ID_WINDOW);
    ADIT_ASSERT(counters->growth_granted <= limits->session_growth_max);
    ADIT_ASSERT(world->mux.growth_used == counters->growth_granted);
    ADIT_ASSERT(world->mux.growth_used <= world->mux.growth_max);
    ADIT_ASSERT(world->mux.tombstones == session->tombstones);
    ADIT_ASSERT(world->mux.tombstones <= ADIT_SESSION_TOMBSTONES_MAX);
    ADIT_ASSERT(world->mux.streams.used - world->mux.tombstones == counters->streams_open);
    uint64_t handed = 0;
    uint32_t unacked = 0;
    uint32_t counted = 0;
    uint64_t growth = 0;
    uint32_t cursor = 0;
    struct adit_handle handle = {0};
    while (adit_pool_next(&world->mux.streams, &cursor, &handle)) {
        const struct adit_stream *stream = adit_pool_get(&world->mux.streams, handle);
        ADIT_ASSERT((uint64_t)stream->credit + stream->pending <= stream->window ||
                    adit_stream_is(stream, ADIT_STREAM_DEAD));
        bool is_dead = adit_stream_is(stream, ADIT_STREAM_DEAD);
        handed += is_dead ? 0 : adit_stream_handed(session, stream);
        growth += is_dead ? 0 : stream->window - limits->window_start;
        unacked += adit_stream_is(stream, ADIT_STREAM_UNACKED) ? 1 : 0;
        counted += adit_stream_is(stream, ADIT_STREAM_COUNTED) ? 1 : 0;
    }
    ADIT_ASSERT(handed == counters->received_pending || world->has_failed);
    ADIT_ASSERT(growth == counters->growth_granted);
    ADIT_ASSERT(unacked == counters->unacked_in + counters->unacked_out);
    ADIT_ASSERT(counted == session->open_in + session->open_out);
    ADIT_ASSERT(adit_session_heard_us(session) <= session->now_us);
    uint64_t heaviest = 0;
    uint64_t user = 0;
    if (adit_session_heaviest(session, &handle, &heaviest)) {
        ADIT_ASSERT(heaviest > 0 && heaviest <= handed);
        ADIT_ASSERT(adit_session_user(session, handle, &user));
    }
}

static void remember(struct world *world, struct adit_handle handle)
{
    ADIT_AT(world->handles, world->handle_next % HANDLES) = handle;
    world->handle_next++;
}

/* Feeds until the session wants no more of it. */
static void feed(struct world *world, struct adit_bytes bytes, struct adit_reader *input)
{
    struct adit_session_event event = {.kind = ADIT_SESSION_OPENED};
    while (!world->has_failed && (bytes.len > 0 || event.kind != ADIT_SESSION_MORE)) {
        size_t before = bytes.len;
        struct adit_bytes given = bytes;
        struct adit_status status =
            adit_session_receive(&world->session, &bytes, world->now_us, &event);
        world->has_failed = !adit_is_ok(status);
        if (world->has_failed) {
            break;
        }
        ADIT_ASSERT(event.kind != ADIT_SESSION_MORE || bytes.len < before || before == 0);
        if (event.kind == ADIT_SESSION_OPENED) {
            remember(world, event.stream);
        } else if (event.kind == ADIT_SESSION_DATA) {
            ADIT_ASSERT(event.data.len > 0 && event.data.len <= given.len);
            size_t at = given.len - bytes.len - event.data.len; /* a view of what was given */
            ADIT_ASSERT(event.data.ptr == adit_bytes_from(given, at).ptr);
        } else if (event.kind == ADIT_SESSION_RESET) {
            uint64_t user = 0;
            ADIT_ASSERT(!adit_session_user(&world->session, event.stream, &user));
        }
        if (fuzz_byte(input) % 16 == 15) {
            adit_session_release(&world->session, event.stream, world->now_us);
        }
    }
}

static void peer_speaks(struct world *world, struct adit_reader *input)
{
    uint8_t block[ADIT_YAMUX_HEADER_BYTES + 4096] = {0};
    struct adit_yamux_frame frame = {.type = fuzz_byte(input) % 4,
                                     .flags = fuzz_byte(input) % 16,
                                     .stream = fuzz_byte(input),
                                     .length = fuzz_byte(input) * 16u + fuzz_byte(input) % 16};
    if (frame.type >= ADIT_YAMUX_PING) {
        frame.stream = 0;
        frame.length = frame.flags == ADIT_YAMUX_ACK ? world->ping_nonce : frame.length % 4;
    }
    if (fuzz_byte(input) == 255) { /* seldom: anything at all */
        frame.version = fuzz_byte(input) % 2;
        frame.flags |= (uint16_t)(fuzz_byte(input) << 8);
        frame.length = fuzz_byte(input) * 0x1010101u;
    }
    if (frame.type == ADIT_YAMUX_WINDOW) {
        ADIT_AT(world->may_send, frame.stream % IDS) += frame.length;
    }
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(block));
    ADIT_ASSERT(adit_is_ok(adit_yamux_write(&writer, &frame)));
    size_t payload = frame.type == ADIT_YAMUX_DATA ? adit_min_size(frame.length, 4096) : 0;
    struct adit_bytes bytes = adit_bytes_first(ADIT_BYTES_OF(block), writer.len + payload);
    size_t split = fuzz_byte(input);
    feed(world, adit_bytes_first(bytes, split), input);
    feed(world, adit_bytes_from(bytes, split), input);
}

/* What comes out is well-formed and stays within the peer's windows. */
static void note_output(struct world *world, struct adit_bytes header)
{
    struct adit_reader reader = adit_reader_of(header);
    while (reader.rest.len > 0) {
        struct adit_yamux_frame frame = {0};
        ADIT_ASSERT(adit_is_ok(adit_yamux_read(&reader, &frame)));
        ADIT_ASSERT(frame.version == 0 && frame.type <= ADIT_YAMUX_GOAWAY);
        ADIT_ASSERT((frame.flags & ~ADIT_YAMUX_FLAGS_KNOWN) == 0);
        ADIT_ASSERT((frame.stream == 0) == (frame.type >= ADIT_YAMUX_PING));
        if (frame.type == ADIT_YAMUX_PING && frame.flags == ADIT_YAMUX_SYN) {
            world->ping_nonce = frame.length;
        }
        if (frame.type == ADIT_YAMUX_DATA && frame.stream < IDS) {
            uint64_t *may_send = &ADIT_AT(world->may_send, frame.stream);
            ADIT_ASSERT(frame.length <= *may_send);
            *may_send -= frame.length;
            ADIT_ASSERT(frame.length > 0 || frame.flags != 0);
        }
    }
}

static void session_speaks(struct world *world, struct adit_reader *input)
{
    uint8_t block[256];
    struct adit_writer writer =
        adit_writer_of(adit_span_first(ADIT_SPAN_OF(block), fuzz_byte(input)));
    adit_session_pull(&world->session, &writer, world->now_us);
    note_output(world, adit_writer_bytes(&writer));
    struct adit_session_turn turn = {0};
    size_t room = fuzz_byte(input) * 8u;
    if (!adit_session_next(&world->session, room, &turn)) {
        return;
    }
    ADIT_ASSERT(adit_session_wants_output(&world->session));
    ADIT_ASSERT(turn.bytes_max >= 1 && turn.bytes_max + ADIT_YAMUX_HEADER_BYTES <= room);
    uint8_t choice = fuzz_byte(input);
    size_t count = choice % 4 == 0 ? turn.bytes_max : choice % (turn.bytes_max + 1);
    uint8_t header[ADIT_YAMUX_HEADER_BYTES];
    struct adit_status status = adit_session_sent(&world->session, turn.stream,
                                                  ADIT_SPAN_OF(header), count, choice > 200);
    if (adit_is_ok(status)) {
        note_output(world, ADIT_BYTES_OF(header));
    } else {
        ADIT_ASSERT(count == 0); /* the one thing that a turn does not allow */
        adit_session_idle(&world->session, turn.stream);
    }
}

static void user_acts(struct world *world, struct adit_reader *input)
{
    struct adit_session *session = &world->session;
    uint8_t choice = fuzz_byte(input);
    struct adit_handle stream = ADIT_AT(world->handles, choice / 16 % HANDLES);
    struct adit_handle opened = {0};
    bool could_open = adit_session_can_open(session);
    switch (choice % 8) {
    case 0:
        ADIT_ASSERT(adit_is_ok(adit_session_open(session, choice, world->now_us, &opened)) ==
                    could_open);
        if (adit_handle_is_set(opened)) {
            remember(world, opened);
        }
        break;
    case 1:
        adit_status_ignore(adit_session_accept(session, stream, choice), "it may be stale");
        break;
    case 2:
        adit_session_release(session, stream, world->now_us);
        break;
    case 3:
        adit_session_ready(session, stream);
        break;
    case 4:
        adit_session_idle(session, stream);
        break;
    case 5:
        adit_session_consumed(session, stream, fuzz_byte(input) * 32u, world->now_us);
        break;
    case 6:
        adit_session_rtt_set(session, fuzz_byte(input) * 100u);
        adit_session_rate_set(session, session->rtt_us * 2048u);
        break;
    default:
        if (choice > 250) {
            adit_session_goaway(session, ADIT_YAMUX_GOAWAY_NORMAL);
        } else if (choice > 240) {
            adit_session_ping(session, world->now_us);
        }
        break;
    }
}

static void time_passes(struct world *world, struct adit_reader *input)
{
    uint8_t choice = fuzz_byte(input);
    uint64_t deadline = adit_session_deadline_us(&world->session);
    world->now_us = choice % 8 == 7 && deadline < UINT64_MAX
                        ? adit_max_u64(deadline, world->now_us)
                        : world->now_us + choice * ADIT_MS_US;
    struct adit_session_event event = {.kind = ADIT_SESSION_OPENED};
    while (!world->has_failed && event.kind != ADIT_SESSION_MORE) {
        world->has_failed =
            !adit_is_ok(adit_session_tick(&world->session, world->now_us, &event));
    }
    deadline = adit_session_deadline_us(&world->session);
    ADIT_ASSERT(deadline > world->now_us || world->has_failed); /* else a caller would spin */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct adit_reader input = adit_reader_of((struct adit_bytes){.ptr = data, .len = size});
    struct world world = {.now_us = ADIT_SECOND_US};
    struct adit_mux_options options = {.limits = small_limits(&input),
                                       .streams_max = 1u + fuzz_byte(&input) % 32u,
                                       .growth_max = fuzz_byte(&input) * 128u};
    ADIT_ASSERT(adit_is_ok(adit_mux_init(&world.mux, &options)));
    enum adit_session_role role =
        fuzz_byte(&input) % 2 == 0 ? ADIT_SESSION_CLIENT : ADIT_SESSION_SERVER;
    ADIT_ASSERT(adit_is_ok(adit_session_init(&world.session, &world.mux, role, 1, world.now_us)));
    for (size_t i = 0; i < IDS; i++) {
        ADIT_AT(world.may_send, i) = options.limits.window_start;
    }
    while (input.rest.len > 0) {
        switch (fuzz_byte(&input) % 8) {
        case 0:
        case 1:
        case 2:
            peer_speaks(&world, &input);
            break;
        case 3:
        case 4:
            user_acts(&world, &input);
            break;
        case 5:
        case 6:
            session_speaks(&world, &input);
            break;
        default:
            time_passes(&world, &input);
            break;
        }
        check(&world);
    }
    adit_session_deinit(&world.session);
    ADIT_ASSERT(world.mux.streams.used == 0 && world.mux.ids.used == 0);
    ADIT_ASSERT(world.mux.growth_used == 0 && world.mux.tombstones == 0);
    adit_mux_deinit(&world.mux);
    return 0;
}
