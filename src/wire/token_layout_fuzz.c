/* Whatever is read as a record or a block is written back byte for byte. */
#include "wire/token_layout.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct adit_bytes input = {.ptr = data, .len = size};
    uint8_t memory[ADIT_TOKEN_RECORD_BYTES] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_token_record record = {0};
    struct adit_token_block block = {0};
    if (adit_is_ok(adit_token_record_read(input, &record))) {
        ADIT_ASSERT(adit_is_ok(adit_token_record_write(&writer, &record)));
        ADIT_ASSERT(adit_bytes_equal(adit_writer_bytes(&writer), input));
    } else if (adit_is_ok(adit_token_block_read(input, &block))) {
        ADIT_ASSERT(adit_is_ok(adit_token_block_write(&writer, &block)));
        ADIT_ASSERT(adit_bytes_equal(adit_writer_bytes(&writer), input));
    }
    return 0;
}
