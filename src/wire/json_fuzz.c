/* Any bytes: the reader ends, brackets match, and every string that it gives decodes, and encodes
 * to a string that means the same. */
#include "wire/json.h"

#include "fuzz.h"

static void check_string(struct adit_bytes raw)
{
    static uint8_t text[1 << 16];
    static uint8_t again[6 << 16];
    struct adit_writer decoded = adit_writer_of(ADIT_SPAN_OF(text));
    struct adit_writer encoded = adit_writer_of(ADIT_SPAN_OF(again));
    if (raw.len > sizeof text) {
        return;
    }
    ADIT_ASSERT(adit_is_ok(adit_json_string_decode(raw, &decoded)));
    ADIT_ASSERT(decoded.len <= raw.len);
    ADIT_ASSERT(adit_is_ok(adit_json_string_write(&encoded, adit_writer_bytes(&decoded))));
    struct adit_reader reader = adit_reader_of(adit_writer_bytes(&encoded));
    struct adit_bytes raw_again = {0};
    uint32_t hash = 0;
    ADIT_ASSERT(adit_is_ok(adit_json_string_read(&reader, &raw_again, &hash)));
    ADIT_ASSERT(reader.rest.len == 0 && adit_json_string_equal(raw, raw_again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct adit_json json;
    adit_json_init(&json, (struct adit_bytes){.ptr = data, .len = size});
    enum adit_json_token token = ADIT_JSON_NULL;
    size_t tokens = 0;
    uint32_t depth = 0;
    while (token != ADIT_JSON_END) {
        struct adit_status status = adit_json_next(&json, &token);
        if (!adit_is_ok(status)) {
            ADIT_ASSERT(adit_status_error(status) == ADIT_ERROR_INVALID ||
                        adit_status_error(status) == ADIT_ERROR_LIMIT);
            return 0;
        }
        tokens++;
        ADIT_ASSERT(tokens <= size + 1);
        depth += token == ADIT_JSON_OBJECT || token == ADIT_JSON_ARRAY;
        depth -= token == ADIT_JSON_OBJECT_END || token == ADIT_JSON_ARRAY_END;
        ADIT_ASSERT(depth == json.depth && depth <= ADIT_JSON_DEPTH_MAX);
        if (token == ADIT_JSON_KEY || token == ADIT_JSON_STRING) {
            check_string(json.raw);
        }
    }
    ADIT_ASSERT(depth == 0 && json.key_count == 0);
    return 0;
}
