#include "wire/json_string.h"

#include "base/text.h"

#define SURROGATE_HIGH 0xd800u
#define SURROGATE_LOW 0xdc00u
#define SURROGATE_END 0xe000u
#define CODE_POINT_MAX 0x10ffffu
#define HASH_START 0x811c9dc5u /* FNV-1a */
#define HASH_FACTOR 0x01000193u

/* One character of UTF-8 (RFC 3629 section 4), not NUL. */
static struct adit_status read_utf8(struct adit_reader *reader, uint32_t *out_point)
{
    uint8_t first = 0;
    ADIT_TRY(adit_read_u8(reader, &first));
    if (first < 0x80) {
        ADIT_ENSURE(first != 0, INVALID, "NUL in a text");
        *out_point = first;
        return adit_ok();
    }
    ADIT_ENSURE(first >= 0xc2 && first <= 0xf4, INVALID, "not UTF-8");
    unsigned more = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    uint32_t point = first & (0x3fu >> more);
    for (unsigned i = 0; i < more; i++) {
        uint8_t next = 0;
        ADIT_TRY(adit_read_u8(reader, &next));
        ADIT_ENSURE((next & 0xc0) == 0x80, INVALID, "not UTF-8");
        point = point << 6 | (next & 0x3fu);
    }
    bool is_overlong = (more == 2 && point < 0x800) || (more == 3 && point < 0x10000);
    bool is_surrogate = point >= SURROGATE_HIGH && point < SURROGATE_END;
    ADIT_ENSURE(!is_overlong && !is_surrogate && point <= CODE_POINT_MAX, INVALID, "not UTF-8");
    *out_point = point;
    return adit_ok();
}

/* The four hex digits after \u. */
static struct adit_status read_hex4(struct adit_reader *reader, uint32_t *out_unit)
{
    struct adit_bytes digits = {0};
    uint8_t bytes[2] = {0};
    ADIT_TRY(adit_read_bytes(reader, 4, &digits));
    ADIT_TRY(adit_parse_hex(digits, ADIT_SPAN_OF(bytes)));
    *out_unit = (uint32_t)bytes[0] << 8 | bytes[1];
    return adit_ok();
}

/* What follows \u: one unit, or a pair of surrogates. */
static struct adit_status read_unicode_escape(struct adit_reader *reader, uint32_t *out_point)
{
    uint32_t unit = 0;
    ADIT_TRY(read_hex4(reader, &unit));
    ADIT_ENSURE(unit != 0, INVALID, "NUL in a text");
    if (unit < SURROGATE_HIGH || unit >= SURROGATE_END) {
        *out_point = unit;
        return adit_ok();
    }
    ADIT_ENSURE(unit < SURROGATE_LOW, INVALID, "a surrogate alone");
    uint8_t backslash = 0;
    uint8_t letter = 0;
    uint32_t low = 0;
    ADIT_TRY(adit_read_u8(reader, &backslash));
    ADIT_TRY(adit_read_u8(reader, &letter));
    ADIT_ENSURE(backslash == '\\' && letter == 'u', INVALID, "a surrogate alone");
    ADIT_TRY(read_hex4(reader, &low));
    ADIT_ENSURE(low >= SURROGATE_LOW && low < SURROGATE_END, INVALID, "a surrogate alone");
    *out_point = 0x10000 + ((unit - SURROGATE_HIGH) << 10) + (low - SURROGATE_LOW);
    return adit_ok();
}

/* What follows a backslash. */
static struct adit_status read_escape(struct adit_reader *reader, uint32_t *out_point)
{
    uint8_t letter = 0;
    ADIT_TRY(adit_read_u8(reader, &letter));
    switch (letter) {
    case '"':
    case '\\':
    case '/':
        *out_point = letter;
        return adit_ok();
    case 'b':
        *out_point = '\b';
        return adit_ok();
    case 'f':
        *out_point = '\f';
        return adit_ok();
    case 'n':
        *out_point = '\n';
        return adit_ok();
    case 'r':
        *out_point = '\r';
        return adit_ok();
    case 't':
        *out_point = '\t';
        return adit_ok();
    case 'u':
        return read_unicode_escape(reader, out_point);
    default:
        ADIT_FAIL(INVALID, "no such escape");
    }
}

/* One character between the quotes. `out_is_end`: it was the closing quote. */
static struct adit_status read_character(struct adit_reader *reader, uint32_t *out_point,
                                         bool *out_is_end)
{
    uint32_t point = 0;
    ADIT_TRY(read_utf8(reader, &point));
    ADIT_ENSURE(point >= 0x20, INVALID, "a control character in a string");
    *out_is_end = point == '"';
    if (point == '\\') {
        ADIT_TRY(read_escape(reader, &point));
    }
    *out_point = point;
    return adit_ok();
}

struct adit_status adit_json_string_read(struct adit_reader *reader, struct adit_bytes *out_raw,
                                         uint32_t *out_hash)
{
    uint8_t quote = 0;
    ADIT_TRY(adit_read_u8(reader, &quote));
    ADIT_ENSURE(quote == '"', INVALID, "a string without its quote");
    struct adit_bytes start = reader->rest;
    uint32_t hash = HASH_START;
    bool is_end = false;
    while (!is_end) {
        uint32_t point = 0;
        ADIT_TRY(read_character(reader, &point, &is_end));
        hash = is_end ? hash : (hash ^ point) * HASH_FACTOR;
    }
    *out_raw = adit_bytes_first(start, start.len - reader->rest.len - 1);
    *out_hash = hash;
    return adit_ok();
}

static struct adit_status write_utf8(struct adit_writer *writer, uint32_t point)
{
    if (point < 0x80) {
        return adit_write_u8(writer, (uint8_t)point);
    }
    unsigned more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    uint8_t mark = more == 1 ? 0xc0 : more == 2 ? 0xe0 : 0xf0;
    ADIT_TRY(adit_write_u8(writer, (uint8_t)(mark | point >> (6 * more))));
    while (more > 0) {
        more--;
        ADIT_TRY(adit_write_u8(writer, (uint8_t)(0x80 | (point >> (6 * more) & 0x3f))));
    }
    return adit_ok();
}

struct adit_status adit_json_string_decode(struct adit_bytes raw, struct adit_writer *writer)
{
    struct adit_reader reader = adit_reader_of(raw);
    struct adit_writer attempt = *writer;
    while (reader.rest.len > 0) {
        uint32_t point = 0;
        bool is_end = false;
        ADIT_TRY(read_character(&reader, &point, &is_end));
        ADIT_ENSURE(!is_end, INVALID, "a quote inside a string");
        ADIT_TRY(write_utf8(&attempt, point));
    }
    *writer = attempt;
    return adit_ok();
}

bool adit_json_string_equal(struct adit_bytes raw_a, struct adit_bytes raw_b)
{
    struct adit_reader a = adit_reader_of(raw_a);
    struct adit_reader b = adit_reader_of(raw_b);
    while (a.rest.len > 0 && b.rest.len > 0) {
        uint32_t point_a = 0;
        uint32_t point_b = 0;
        bool is_end = false;
        if (!adit_is_ok(read_character(&a, &point_a, &is_end)) ||
            !adit_is_ok(read_character(&b, &point_b, &is_end)) || point_a != point_b) {
            return false;
        }
    }
    return a.rest.len == 0 && b.rest.len == 0;
}

static struct adit_status write_escaped(struct adit_writer *writer, uint32_t point)
{
    if (point == '"' || point == '\\') {
        ADIT_TRY(adit_write_u8(writer, '\\'));
        return adit_write_u8(writer, (uint8_t)point);
    }
    if (point < 0x20) {
        uint8_t byte = (uint8_t)point;
        ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("\\u00")));
        return adit_write_hex(writer, (struct adit_bytes){.ptr = &byte, .len = 1});
    }
    return write_utf8(writer, point);
}

struct adit_status adit_json_string_write(struct adit_writer *writer, struct adit_bytes text)
{
    struct adit_writer attempt = *writer;
    struct adit_reader reader = adit_reader_of(text);
    ADIT_TRY(adit_write_u8(&attempt, '"'));
    while (reader.rest.len > 0) {
        uint32_t point = 0;
        ADIT_TRY(read_utf8(&reader, &point));
        ADIT_TRY(write_escaped(&attempt, point));
    }
    ADIT_TRY(adit_write_u8(&attempt, '"'));
    *writer = attempt;
    return adit_ok();
}

bool adit_text_is_printable(struct adit_bytes text)
{
    struct adit_reader reader = adit_reader_of(text);
    while (reader.rest.len > 0) {
        uint32_t point = 0;
        if (!adit_is_ok(read_utf8(&reader, &point)) || point < 0x20 ||
            (point >= 0x7f && point < 0xa0)) {
            return false;
        }
    }
    return true;
}
