/* Covers mux.h. Raw bytes from the peer, whole and in pieces: the same events and the same end
 * either way, and no bytes make the session die or stop taking input. The first byte says the role
 * and the sizes of the pieces. */
#include "mux/stream.h"

#include "fuzz.h"

struct outcome {
    uint64_t events; /* by kind, folded into one number; pieces of Data as their sum of bytes */
    uint64_t data;
    bool has_failed;
};

static void feed(struct adit_session *session, struct adit_bytes bytes, struct outcome *outcome)
{
    struct adit_session_event event = {.kind = ADIT_SESSION_OPENED};
    while (bytes.len > 0 || event.kind != ADIT_SESSION_MORE) {
        struct adit_status status = adit_session_receive(session, &bytes, ADIT_SECOND_US, &event);
        if (!adit_is_ok(status)) {
            outcome->has_failed = true;
            return;
        }
        outcome->data += event.data.len;
        if (event.kind == ADIT_SESSION_DATA) {
            adit_session_consumed(session, event.stream, event.data.len, ADIT_SECOND_US);
        } else if (event.kind != ADIT_SESSION_MORE) {
            outcome->events = outcome->events * 31 + (uint64_t)event.kind;
        }
        if (event.kind == ADIT_SESSION_OPENED) {
            adit_status_ignore(adit_session_accept(session, event.stream, 1), "it is new");
        }
    }
}

static struct outcome run(struct adit_bytes input, uint8_t choice, size_t piece)
{
    struct adit_mux mux = {0};
    struct adit_session session = {0};
    struct outcome outcome = {0};
    struct adit_mux_options options = {.limits = adit_mux_limits_default(), .streams_max = 64,
                                       .growth_max = 1 << 20};
    ADIT_ASSERT(adit_is_ok(adit_mux_init(&mux, &options)));
    enum adit_session_role role = choice % 2 == 0 ? ADIT_SESSION_CLIENT : ADIT_SESSION_SERVER;
    ADIT_ASSERT(adit_is_ok(adit_session_init(&session, &mux, role, choice, ADIT_SECOND_US)));
    while (input.len > 0 && !outcome.has_failed) {
        feed(&session, adit_bytes_first(input, piece), &outcome);
        input = adit_bytes_from(input, piece);
    }
    ADIT_ASSERT(session.counters.streams_open <= 64);
    adit_session_deinit(&session);
    ADIT_ASSERT(mux.streams.used == 0 && mux.growth_used == 0);
    adit_mux_deinit(&mux);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct adit_reader input = adit_reader_of((struct adit_bytes){.ptr = data, .len = size});
    uint8_t choice = fuzz_byte(&input);
    struct outcome whole = run(input.rest, choice, size + 1);
    struct outcome pieces = run(input.rest, choice, 1u + choice / 2 % 16);
    ADIT_ASSERT(whole.events == pieces.events && whole.data == pieces.data);
    ADIT_ASSERT(whole.has_failed == pieces.has_failed);
    return 0;
}
