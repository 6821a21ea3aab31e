#include "wire/http_chunk.h"

#include "base/checked.h"
#include "wire/http_head.h"

#define DIGITS_MAX 15 /* sizes below 2^60 */

enum chunk_state {
    CHUNK_SIZE,       /* no digit yet */
    CHUNK_DIGITS,     /* after a digit; `left` is the size so far, `count` the digits */
    CHUNK_NAME_FIRST, /* after ';'; from here on `count` is the bytes of extensions */
    CHUNK_NAME,
    CHUNK_VALUE_FIRST, /* after '=' */
    CHUNK_TOKEN,
    CHUNK_QUOTED,
    CHUNK_ESCAPED, /* after '\' in a quoted string */
    CHUNK_QUOTE_END,
    CHUNK_SIZE_CR, /* the CR of the size line */
    CHUNK_DATA,
    CHUNK_DATA_END, /* the payload is over: CR */
    CHUNK_DATA_CR,
    CHUNK_LAST, /* the last chunk's line is over */
};

/* 0 to 15, or 16 for no digit. */
static uint8_t hex_value(uint8_t byte)
{
    if (byte >= '0' && byte <= '9') {
        return (uint8_t)(byte - '0');
    }
    uint8_t lower = byte | 0x20;
    return lower >= 'a' && lower <= 'f' ? (uint8_t)(lower - 'a' + 10) : 16;
}

static bool is_token_byte(uint8_t byte)
{
    return adit_http_is_token((struct adit_bytes){.ptr = &byte, .len = 1});
}

/* Tab, space, visible ASCII, 0x80 to 0xff. */
static bool is_text_byte(uint8_t byte)
{
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

static struct adit_status read_digit(struct adit_http_chunk *chunk, uint8_t byte)
{
    ADIT_ENSURE(chunk->count < DIGITS_MAX, INVALID, "a chunk size of too many digits");
    chunk->left = chunk->left << 4 | hex_value(byte);
    chunk->count++;
    chunk->state = CHUNK_DIGITS;
    return adit_ok();
}

/* What may follow a size, an extension's name, or its value. */
static struct adit_status read_end_of_part(struct adit_http_chunk *chunk, uint8_t byte)
{
    ADIT_ENSURE(byte == ';' || byte == '\r', INVALID, "a chunk's line that breaks its grammar");
    if (byte == ';' && chunk->state == CHUNK_DIGITS) {
        chunk->count = 1;
    }
    chunk->state = byte == ';' ? CHUNK_NAME_FIRST : CHUNK_SIZE_CR;
    return adit_ok();
}

/* A byte of an extension: RFC 9112 section 7.1.1, without the space that it tolerates. */
static struct adit_status read_extension(struct adit_http_chunk *chunk, uint8_t byte)
{
    enum chunk_state state = (enum chunk_state)chunk->state;
    ADIT_ENSURE(byte == '\r' || chunk->count < ADIT_HTTP_CHUNK_EXTENSION_MAX, INVALID,
                "chunk extensions over 256 bytes");
    chunk->count++;
    bool is_name = state == CHUNK_NAME_FIRST || state == CHUNK_NAME;
    bool is_value = state == CHUNK_VALUE_FIRST || state == CHUNK_TOKEN;
    if ((is_name || is_value) && is_token_byte(byte)) {
        chunk->state = is_name ? CHUNK_NAME : CHUNK_TOKEN;
        return adit_ok();
    }
    if (state == CHUNK_NAME && byte == '=') {
        chunk->state = CHUNK_VALUE_FIRST;
        return adit_ok();
    }
    if (state == CHUNK_VALUE_FIRST && byte == '"') {
        chunk->state = CHUNK_QUOTED;
        return adit_ok();
    }
    if (state == CHUNK_QUOTED || state == CHUNK_ESCAPED) {
        ADIT_ENSURE(is_text_byte(byte), INVALID, "a control character in a chunk extension");
        bool is_end = state == CHUNK_QUOTED && byte == '"';
        bool is_escape = state == CHUNK_QUOTED && byte == '\\';
        chunk->state = is_end ? CHUNK_QUOTE_END : is_escape ? CHUNK_ESCAPED : CHUNK_QUOTED;
        return adit_ok();
    }
    ADIT_ENSURE(state != CHUNK_NAME_FIRST && state != CHUNK_VALUE_FIRST, INVALID,
                "a chunk extension without a name or a value");
    return read_end_of_part(chunk, byte);
}

/* A byte that is no payload. */
static struct adit_status read_byte(struct adit_http_chunk *chunk, uint8_t byte)
{
    switch ((enum chunk_state)chunk->state) {
    case CHUNK_SIZE:
        ADIT_ENSURE(hex_value(byte) < 16, INVALID, "a chunk without a size");
        return read_digit(chunk, byte);
    case CHUNK_DIGITS:
        return hex_value(byte) < 16 ? read_digit(chunk, byte) : read_end_of_part(chunk, byte);
    case CHUNK_NAME_FIRST:
    case CHUNK_NAME:
    case CHUNK_VALUE_FIRST:
    case CHUNK_TOKEN:
    case CHUNK_QUOTED:
    case CHUNK_ESCAPED:
    case CHUNK_QUOTE_END:
        return read_extension(chunk, byte);
    case CHUNK_SIZE_CR:
        ADIT_ENSURE(byte == '\n', INVALID, "a chunk's line that does not end in CR LF");
        chunk->state = chunk->left > 0 ? CHUNK_DATA : CHUNK_LAST;
        return adit_ok();
    case CHUNK_DATA_END:
        ADIT_ENSURE(byte == '\r', INVALID, "a chunk longer than its size");
        chunk->state = CHUNK_DATA_CR;
        return adit_ok();
    case CHUNK_DATA_CR:
        ADIT_ENSURE(byte == '\n', INVALID, "a chunk that does not end in CR LF");
        *chunk = (struct adit_http_chunk){.state = CHUNK_SIZE};
        return adit_ok();
    case CHUNK_DATA:
    case CHUNK_LAST:
        break;
    }
    ADIT_FAIL(INTERNAL, "a chunk in a state that it cannot have");
}

struct adit_status adit_http_chunk_read(struct adit_http_chunk *chunk, struct adit_bytes *bytes,
                                        struct adit_bytes *out_payload, bool *out_is_last)
{
    struct adit_bytes payload = {0};
    while (bytes->len > 0 && chunk->state != CHUNK_LAST && chunk->state != CHUNK_DATA) {
        ADIT_TRY(read_byte(chunk, adit_bytes_at(*bytes, 0)));
        *bytes = adit_bytes_from(*bytes, 1);
    }
    if (chunk->state == CHUNK_DATA) {
        payload = adit_bytes_first(*bytes, (size_t)adit_min_u64(chunk->left, SIZE_MAX));
        *bytes = adit_bytes_from(*bytes, payload.len);
        chunk->left -= payload.len;
        chunk->state = chunk->left > 0 ? CHUNK_DATA : CHUNK_DATA_END;
    }
    *out_payload = payload;
    *out_is_last = chunk->state == CHUNK_LAST;
    return adit_ok();
}

struct adit_status adit_http_chunk_head_write(struct adit_writer *writer, uint64_t count)
{
    ADIT_ENSURE(count > 0, INVALID, "a chunk of nothing would be the last one");
    uint8_t memory[ADIT_HTTP_CHUNK_HEAD_MAX];
    struct adit_span text = ADIT_SPAN_OF(memory);
    size_t digits = 0;
    for (uint64_t rest = count; rest > 0; rest >>= 4) {
        digits++;
    }
    for (size_t i = 0; i < digits; i++) {
        uint64_t value = count >> (4 * (digits - 1 - i)) & 15;
        ADIT_AT(memory, i) = (uint8_t)(value < 10 ? '0' + value : 'a' + value - 10);
    }
    ADIT_TRY(adit_span_copy(adit_span_from(text, digits), ADIT_BYTES("\r\n")));
    return adit_write_bytes(writer, adit_bytes_first(ADIT_BYTES_OF(memory), digits + 2));
}
