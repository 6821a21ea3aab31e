/* The observer tells the same however the bytes are cut, and once blind it says nothing. */
#include "http/observe.h"

#include "fuzz.h"

#define TURNS_MAX 64

struct told {
    size_t count;
    uint64_t sum;
};

/* The input is turns: a byte for side and length, then that many bytes, shown in `step`s. */
static struct told show(struct adit_bytes script, size_t step)
{
    uint8_t memory[ADIT_HTTP_OBSERVE_BYTES];
    struct adit_http_observer observer = {0};
    struct told told = {0};
    struct adit_reader input = adit_reader_of(script);
    adit_http_observe_init(&observer, ADIT_SPAN_OF(memory));
    for (size_t turn = 0; turn < TURNS_MAX && input.rest.len > 0; turn++) {
        uint8_t mark = fuzz_byte(&input);
        struct adit_bytes bytes = {0};
        ADIT_ASSERT(adit_is_ok(
            adit_read_bytes(&input, adit_min_size(mark / 2, input.rest.len), &bytes)));
        while (bytes.len > 0) {
            struct adit_bytes piece = adit_bytes_first(bytes, step);
            struct adit_http_seen seen = {0};
            bool was_blind = observer.is_blind;
            if (mark % 2 == 0) {
                adit_http_observe_request(&observer, piece, turn);
            } else if (adit_http_observe_response(&observer, piece, turn, &seen)) {
                ADIT_ASSERT(!was_blind && seen.status >= 100 && seen.method.len > 0);
                told.count++;
                told.sum = told.sum * 31 + seen.status + seen.target.len + seen.took_us;
            }
            bytes = adit_bytes_from(bytes, piece.len);
        }
    }
    return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct adit_reader input = adit_reader_of((struct adit_bytes){.ptr = data, .len = size});
    size_t step = (size_t)1 + fuzz_byte(&input) % 16;
    struct told pieces = show(input.rest, step);
    struct told whole = show(input.rest, SIZE_MAX);
    ADIT_ASSERT(pieces.count == whole.count && pieces.sum == whole.sum);
    return 0;
}
