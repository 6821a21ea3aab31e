/* A chunked body has the same payload, the same end and the same verdict however it is cut. */
#include "wire/http_chunk.h"

#include "fuzz.h"

#define PIECE_MAX 32

struct outcome {
    bool is_ok, is_last;
    uint64_t payload_len;
    size_t left;
    uint64_t sum; /* of the payload, by position */
};

static struct outcome read_pieces(struct adit_bytes text, size_t step)
{
    struct adit_http_chunk chunk = {0};
    struct outcome outcome = {.is_ok = true};
    while (text.len > 0 && outcome.is_ok && !outcome.is_last) {
        struct adit_bytes piece = adit_bytes_first(text, step);
        size_t given = piece.len;
        struct adit_bytes payload = {0};
        outcome.is_ok =
            adit_is_ok(adit_http_chunk_read(&chunk, &piece, &payload, &outcome.is_last));
        ADIT_ASSERT(payload.len <= given - piece.len);
        for (size_t i = 0; i < payload.len; i++) {
            outcome.payload_len++;
            outcome.sum = outcome.sum * 31 + adit_bytes_at(payload, i);
        }
        ADIT_ASSERT(!outcome.is_ok || outcome.is_last || piece.len < given);
        text = adit_bytes_from(text, given - piece.len);
    }
    outcome.left = text.len;
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct adit_reader input = adit_reader_of((struct adit_bytes){.ptr = data, .len = size});
    size_t step = (size_t)1 + fuzz_byte(&input) % PIECE_MAX;
    struct outcome pieces = read_pieces(input.rest, step);
    struct outcome whole = read_pieces(input.rest, SIZE_MAX);
    ADIT_ASSERT(pieces.is_ok == whole.is_ok && pieces.is_last == whole.is_last);
    ADIT_ASSERT(pieces.payload_len == whole.payload_len && pieces.sum == whole.sum);
    ADIT_ASSERT(!whole.is_ok || pieces.left == whole.left);
    return 0;
}
