/* Every 12 bytes decode, and encode to themselves again. */
#include "wire/yamux.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct adit_bytes input = {.ptr = data, .len = size};
    struct adit_reader reader = adit_reader_of(input);
    while (reader.rest.len >= ADIT_YAMUX_HEADER_BYTES) {
        struct adit_bytes before = adit_bytes_first(reader.rest, ADIT_YAMUX_HEADER_BYTES);
        struct adit_yamux_frame frame = {0};
        ADIT_ASSERT(adit_is_ok(adit_yamux_read(&reader, &frame)));
        uint8_t block[ADIT_YAMUX_HEADER_BYTES] = {0};
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(block));
        ADIT_ASSERT(adit_is_ok(adit_yamux_write(&writer, &frame)));
        ADIT_ASSERT(adit_bytes_equal(adit_writer_bytes(&writer), before));
    }
    size_t left = reader.rest.len;
    struct adit_yamux_frame frame = {0};
    ADIT_ASSERT(!adit_is_ok(adit_yamux_read(&reader, &frame)));
    ADIT_ASSERT(reader.rest.len == left);
    return 0;
}
