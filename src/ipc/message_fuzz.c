/* Any bytes, over any edge, with any number of descriptors: refused, or a message that is written
 * back as the same bytes. */
#include "ipc/message.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct adit_reader input = adit_reader_of((struct adit_bytes){.ptr = data, .len = size});
    uint32_t edge = 1u << (fuzz_byte(&input) % 8);
    size_t fds = fuzz_byte(&input) % (ADIT_MESSAGE_FDS_MAX + 1);
    struct adit_message message = {0};
    if (!adit_is_ok(adit_message_read(input.rest, edge, fds, &message))) {
        ADIT_ASSERT(message.type == ADIT_MESSAGE_NONE);
        return 0;
    }
    uint8_t memory[ADIT_MESSAGE_BYTES_MAX] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    message.fd_count = fds;
    ADIT_ASSERT(adit_is_ok(adit_message_write(&writer, edge, &message)));
    ADIT_ASSERT(adit_bytes_equal(adit_writer_bytes(&writer), input.rest));
    return 0;
}
