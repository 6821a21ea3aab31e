/* A body has the same payload and the same end however it is cut. */
#include "http/body.h"

#include "fuzz.h"

struct outcome {
    bool is_ok;
    enum adit_http_body_state state;
    size_t left;
    uint64_t payload_len, sum;
};

static struct outcome read_pieces(enum adit_http_framing framing, uint64_t length,
                                  struct adit_bytes text, size_t step)
{
    struct adit_http_body body = {0};
    struct outcome outcome = {.is_ok = true};
    adit_http_body_init(&body, framing, length);
    while (text.len > 0 && outcome.is_ok && body.state == ADIT_HTTP_BODY_MORE) {
        struct adit_bytes piece = adit_bytes_first(text, step);
        struct adit_bytes payload = {0};
        size_t given = piece.len;
        outcome.is_ok = adit_is_ok(adit_http_body_read(&body, &piece, &payload));
        for (size_t i = 0; i < payload.len; i++) {
            outcome.payload_len++;
            outcome.sum = outcome.sum * 31 + adit_bytes_at(payload, i);
        }
        ADIT_ASSERT(!outcome.is_ok || piece.len < given || body.state != ADIT_HTTP_BODY_MORE);
        text = adit_bytes_from(text, given - piece.len);
    }
    outcome.state = body.state;
    outcome.left = text.len;
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum adit_http_framing framings[] = {
        ADIT_HTTP_FRAMING_NONE,  ADIT_HTTP_FRAMING_LENGTH, ADIT_HTTP_FRAMING_CHUNKED,
        ADIT_HTTP_FRAMING_CLOSE, ADIT_HTTP_FRAMING_SWITCH,
    };
    struct adit_reader input = adit_reader_of((struct adit_bytes){.ptr = data, .len = size});
    enum adit_http_framing framing =
        ADIT_AT(framings, fuzz_byte(&input) % ADIT_COUNT(framings));
    uint64_t length = fuzz_byte(&input);
    size_t step = (size_t)1 + fuzz_byte(&input) % 32;
    struct outcome pieces = read_pieces(framing, length, input.rest, step);
    struct outcome whole = read_pieces(framing, length, input.rest, SIZE_MAX);
    ADIT_ASSERT(pieces.is_ok == whole.is_ok && pieces.sum == whole.sum);
    ADIT_ASSERT(pieces.payload_len == whole.payload_len);
    ADIT_ASSERT(!whole.is_ok || (pieces.state == whole.state && pieces.left == whole.left));
    return 0;
}
