/* Text: whatever is parsed is written back the same, whatever is written is parsed back, and what
 * is escaped holds no byte that a log line or a JSON string could trip over. */
#include "base/text.h"

#include "fuzz.h"

enum { PLAIN_MAX = 4096, TEXT_MAX = 6 * PLAIN_MAX };

static void base64url(struct adit_bytes input, struct adit_span text, struct adit_span plain)
{
    struct adit_writer encoded = adit_writer_of(text);
    struct adit_writer decoded = adit_writer_of(plain);
    ADIT_ASSERT(adit_is_ok(adit_write_base64url(&encoded, input)));
    ADIT_ASSERT(encoded.len == (input.len * 4 + 2) / 3);
    ADIT_ASSERT(adit_is_ok(adit_parse_base64url(adit_writer_bytes(&encoded), &decoded)));
    ADIT_ASSERT(adit_bytes_equal(adit_writer_bytes(&decoded), input));
    /* as text: if it is accepted, then it is the only spelling */
    encoded = adit_writer_of(text);
    decoded = adit_writer_of(plain);
    if (adit_is_ok(adit_parse_base64url(input, &decoded))) {
        ADIT_ASSERT(adit_is_ok(adit_write_base64url(&encoded, adit_writer_bytes(&decoded))));
        ADIT_ASSERT(adit_bytes_equal(adit_writer_bytes(&encoded), input));
    } else {
        ADIT_ASSERT(decoded.len == 0);
    }
}

static void hex(struct adit_bytes input, struct adit_span text, struct adit_span plain)
{
    struct adit_writer encoded = adit_writer_of(text);
    struct adit_span half = adit_span_first(plain, input.len / 2);
    ADIT_ASSERT(adit_is_ok(adit_write_hex(&encoded, input)));
    ADIT_ASSERT(adit_is_ok(adit_parse_hex(adit_writer_bytes(&encoded),
                                          adit_span_first(plain, input.len))));
    ADIT_ASSERT(adit_bytes_equal(adit_span_bytes(adit_span_first(plain, input.len)), input));
    if (adit_is_ok(adit_parse_hex(input, half))) {
        encoded = adit_writer_of(text);
        ADIT_ASSERT(adit_is_ok(adit_write_hex(&encoded, adit_span_bytes(half))));
        ADIT_ASSERT(adit_bytes_equal_nocase(adit_writer_bytes(&encoded), input));
    }
}

static void numbers(struct adit_bytes input, struct adit_span text)
{
    uint64_t value = 0;
    uint64_t again = 0;
    struct adit_writer written = adit_writer_of(text);
    if (adit_is_ok(adit_parse_decimal(input, UINT64_MAX, &value))) {
        ADIT_ASSERT(adit_is_ok(adit_write_decimal(&written, value)));
        ADIT_ASSERT(adit_bytes_ends_with(input, adit_writer_bytes(&written)));
    }
    struct adit_reader reader = adit_reader_of(input);
    if (adit_is_ok(adit_read_u64(&reader, &value))) {
        written = adit_writer_of(text);
        ADIT_ASSERT(adit_is_ok(adit_write_decimal(&written, value)));
        ADIT_ASSERT(adit_is_ok(adit_parse_decimal(adit_writer_bytes(&written), value, &again)));
        ADIT_ASSERT(again == value);
        ADIT_ASSERT(value == 0 || !adit_is_ok(adit_parse_decimal(adit_writer_bytes(&written),
                                                                 value - 1, &again)));
    }
    if (adit_is_ok(adit_parse_duration(input, &value))) {
        ADIT_ASSERT(value <= (uint64_t)UINT32_MAX * 86400);
    }
}

static void escapes(struct adit_bytes input, struct adit_span text)
{
    struct adit_writer written = adit_writer_of(text);
    ADIT_ASSERT(adit_is_ok(adit_write_escaped(&written, input, SIZE_MAX)));
    struct adit_bytes escaped = adit_writer_bytes(&written);
    for (size_t i = 0; i < escaped.len; i++) {
        uint8_t byte = adit_bytes_at(escaped, i);
        ADIT_ASSERT(byte >= 0x20 && byte <= 0x7e);
        if (byte == '\\') { /* it begins an escape that is whole */
            i++;
            uint8_t kind = adit_bytes_at(escaped, i);
            ADIT_ASSERT(kind == 'u' || kind == '"' || kind == '\\');
            i += kind == 'u' ? 4 : 0;
            ADIT_ASSERT(i < escaped.len);
        } else {
            ADIT_ASSERT(byte != '"');
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t text_memory[TEXT_MAX];
    static uint8_t plain_memory[PLAIN_MAX];
    struct adit_span text = ADIT_SPAN_OF(text_memory);
    struct adit_bytes input =
        adit_bytes_first((struct adit_bytes){.ptr = data, .len = size}, PLAIN_MAX);
    base64url(input, text, ADIT_SPAN_OF(plain_memory));
    hex(input, text, ADIT_SPAN_OF(plain_memory));
    numbers(input, text);
    escapes(input, text);
    return 0;
}
