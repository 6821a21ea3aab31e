/* Any bytes as a string, and as a text to be written. */
#include "wire/json_string.h"

#include "fuzz.h"

static uint8_t decoded_memory[1 << 16];
static uint8_t written_memory[7 << 16];

/* A raw string decodes to a text that is written and read as the same. */
static void check_raw(struct adit_bytes raw)
{
    struct adit_writer decoded = adit_writer_of(ADIT_SPAN_OF(decoded_memory));
    struct adit_writer written = adit_writer_of(ADIT_SPAN_OF(written_memory));
    struct adit_bytes again = {0};
    uint32_t hash = 0;
    ADIT_ASSERT(adit_is_ok(adit_json_string_decode(raw, &decoded)));
    ADIT_ASSERT(adit_is_ok(adit_json_string_write(&written, adit_writer_bytes(&decoded))));
    struct adit_reader reader = adit_reader_of(adit_writer_bytes(&written));
    ADIT_ASSERT(adit_is_ok(adit_json_string_read(&reader, &again, &hash)));
    ADIT_ASSERT(reader.rest.len == 0 && adit_json_string_equal(raw, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct adit_bytes input = {.ptr = data, .len = size};
    if (size > sizeof decoded_memory) {
        return 0;
    }
    struct adit_reader reader = adit_reader_of(input);
    struct adit_bytes raw = {0};
    uint32_t hash = 0;
    if (adit_is_ok(adit_json_string_read(&reader, &raw, &hash))) {
        check_raw(raw);
    }
    struct adit_writer written = adit_writer_of(ADIT_SPAN_OF(written_memory));
    if (adit_is_ok(adit_json_string_write(&written, input))) {
        struct adit_reader back = adit_reader_of(adit_writer_bytes(&written));
        struct adit_writer decoded = adit_writer_of(ADIT_SPAN_OF(decoded_memory));
        ADIT_ASSERT(adit_is_ok(adit_json_string_read(&back, &raw, &hash)));
        ADIT_ASSERT(adit_is_ok(adit_json_string_decode(raw, &decoded)));
        ADIT_ASSERT(adit_bytes_equal(adit_writer_bytes(&decoded), input));
    } else {
        ADIT_ASSERT(written.len == 0 && !adit_text_is_printable(input));
    }
    return 0;
}
