#include "cli/aditd/config.h"

#include "fuzz.h"

/* Files as anyone may write them: what is accepted is bounded, terminated and without control
 * characters; what is not leaves a complaint that fits on a line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t memory[512] = {0};
    struct adit_bytes text = {.ptr = data, .len = size};
    struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_config config = {0};
    struct adit_status status = adit_config_read(ADIT_BYTES("f"), text, &config, &complaint);
    if (!adit_is_ok(status)) {
        ADIT_ASSERT(complaint.len > 0);
        ADIT_ASSERT(adit_bytes_find(adit_writer_bytes(&complaint), '\n') == complaint.len);
        return 0;
    }
    for (size_t i = 0; i < ADIT_KEY_COUNT; i++) {
        const struct adit_config_value *value = &ADIT_AT(config.values, i);
        struct adit_bytes chars = adit_bytes_of_chars(value->text, sizeof value->text);
        ADIT_ASSERT(chars.len == value->len && value->len <= ADIT_CONFIG_VALUE_MAX);
        ADIT_ASSERT(value->is_given == (value->line > 0 && value->column > 0));
    }
    return 0;
}
