/* Whatever the reader takes, the writer gives back byte for byte. */
#include "wire/stream_head.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct adit_bytes input = {.ptr = data, .len = size};
    struct adit_reader reader = adit_reader_of(input);
    struct adit_stream_head head = {0};
    if (!adit_is_ok(adit_stream_head_read(&reader, &head))) {
        ADIT_ASSERT(reader.rest.len == size);
        return 0;
    }
    uint8_t memory[ADIT_STREAM_HEAD_BYTES] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    ADIT_ASSERT(adit_is_ok(adit_stream_head_write(&writer, &head)));
    ADIT_ASSERT(adit_bytes_equal(adit_writer_bytes(&writer),
                                 adit_bytes_first(input, ADIT_STREAM_HEAD_BYTES)));
    return 0;
}
