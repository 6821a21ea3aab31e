#include "base/text.h"

#include "base/checked.h"

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

struct adit_status adit_parse_decimal(struct adit_bytes text, uint64_t max, uint64_t *out_value)
{
    ADIT_ENSURE(text.len > 0 && text.len <= 20, INVALID, "not a decimal number");
    uint64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = adit_bytes_at(text, i);
        ADIT_ENSURE(is_digit(byte), INVALID, "not a decimal number");
        ADIT_ENSURE(adit_multiply_u64(value, 10, &value), INVALID, "the number is too big");
        ADIT_ENSURE(adit_add_u64(value, (uint64_t)(byte - '0'), &value), INVALID,
                    "the number is too big");
    }
    ADIT_ENSURE(value <= max, INVALID, "the number is too big");
    *out_value = value;
    return adit_ok();
}

/* 0 to 15, or 16 for no digit. */
static uint8_t hex_value(uint8_t byte)
{
    if (is_digit(byte)) {
        return (uint8_t)(byte - '0');
    }
    if (byte >= 'a' && byte <= 'f') {
        return (uint8_t)(byte - 'a' + 10);
    }
    if (byte >= 'A' && byte <= 'F') {
        return (uint8_t)(byte - 'A' + 10);
    }
    return 16;
}

struct adit_status adit_parse_hex(struct adit_bytes text, struct adit_span out)
{
    ADIT_ENSURE(text.len % 2 == 0 && text.len / 2 == out.len, INVALID, "hex of the wrong length");
    for (size_t i = 0; i < text.len; i++) {
        ADIT_ENSURE(hex_value(adit_bytes_at(text, i)) < 16, INVALID, "not a hex digit");
    }
    for (size_t i = 0; i < out.len; i++) {
        uint8_t high = hex_value(adit_bytes_at(text, 2 * i));
        uint8_t low = hex_value(adit_bytes_at(text, 2 * i + 1));
        ADIT_SLOT(out.ptr, out.len, i) = (uint8_t)(high << 4 | low);
    }
    return adit_ok();
}

struct adit_status adit_parse_duration(struct adit_bytes text, uint64_t *out_seconds)
{
    ADIT_ENSURE(text.len >= 2, INVALID, "not a duration: an integer and s, m, h or d");
    uint64_t unit = 0;
    switch (adit_bytes_at(text, text.len - 1)) {
    case 's':
        unit = 1;
        break;
    case 'm':
        unit = 60;
        break;
    case 'h':
        unit = 3600;
        break;
    case 'd':
        unit = 86400;
        break;
    default:
        ADIT_FAIL(INVALID, "not a duration: an integer and s, m, h or d");
    }
    uint64_t count = 0;
    ADIT_TRY(adit_parse_decimal(adit_bytes_first(text, text.len - 1), UINT32_MAX, &count));
    *out_seconds = count * unit;
    return adit_ok();
}

static const uint8_t base64url_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct adit_status adit_write_base64url(struct adit_writer *writer, struct adit_bytes bytes)
{
    struct adit_writer attempt = *writer;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        bits = bits << 8 | adit_bytes_at(bytes, i);
        held += 8;
        while (held >= 6) {
            held -= 6;
            ADIT_TRY(adit_write_u8(&attempt, ADIT_AT(base64url_digits, bits >> held & 63)));
        }
        bits &= (1u << held) - 1;
    }
    if (held > 0) {
        ADIT_TRY(adit_write_u8(&attempt, ADIT_AT(base64url_digits, bits << (6 - held) & 63)));
    }
    *writer = attempt;
    return adit_ok();
}

/* 0 to 63, or 64 for no digit. */
static uint8_t base64url_value(uint8_t byte)
{
    if (byte >= 'A' && byte <= 'Z') {
        return (uint8_t)(byte - 'A');
    }
    if (byte >= 'a' && byte <= 'z') {
        return (uint8_t)(byte - 'a' + 26);
    }
    if (is_digit(byte)) {
        return (uint8_t)(byte - '0' + 52);
    }
    if (byte == '-') {
        return 62;
    }
    return byte == '_' ? 63 : 64;
}

struct adit_status adit_parse_base64url(struct adit_bytes text, struct adit_writer *out)
{
    ADIT_ENSURE(text.len % 4 != 1, INVALID, "base64url of an impossible length");
    struct adit_writer attempt = *out;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t value = base64url_value(adit_bytes_at(text, i));
        ADIT_ENSURE(value < 64, INVALID, "not a base64url digit");
        bits = bits << 6 | value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            ADIT_TRY(adit_write_u8(&attempt, (uint8_t)(bits >> held & 0xff)));
            bits &= (1u << held) - 1;
        }
    }
    ADIT_ENSURE(bits == 0, INVALID, "base64url with stray bits at its end");
    *out = attempt;
    return adit_ok();
}

struct adit_status adit_write_escaped(struct adit_writer *writer, struct adit_bytes bytes,
                                      size_t max)
{
    struct adit_writer attempt = *writer;
    struct adit_bytes taken = adit_bytes_first(bytes, max);
    for (size_t i = 0; i < taken.len; i++) {
        uint8_t byte = adit_bytes_at(taken, i);
        if (byte == '"' || byte == '\\') {
            ADIT_TRY(adit_write_u8(&attempt, '\\'));
            ADIT_TRY(adit_write_u8(&attempt, byte));
        } else if (byte >= 0x20 && byte <= 0x7e) {
            ADIT_TRY(adit_write_u8(&attempt, byte));
        } else {
            ADIT_TRY(adit_write_bytes(&attempt, ADIT_BYTES("\\u00")));
            ADIT_TRY(adit_write_hex(&attempt, (struct adit_bytes){.ptr = &byte, .len = 1}));
        }
    }
    *writer = attempt;
    return adit_ok();
}

static struct adit_status write_padded(struct adit_writer *writer, uint64_t value, unsigned width)
{
    uint64_t bound = 10;
    for (unsigned i = 1; i < width; i++) {
        if (value < bound) {
            ADIT_TRY(adit_write_u8(writer, '0'));
        }
        bound *= 10;
    }
    return adit_write_decimal(writer, value);
}

/* Civil date from days: Hinnant, "chrono-compatible low-level date
 * algorithms", for days since 1970 that are not negative. */
struct adit_status adit_write_time(struct adit_writer *writer, uint64_t wall_ms)
{
    struct adit_writer attempt = *writer;
    uint64_t seconds = wall_ms / 1000;
    uint64_t days = seconds / 86400 + 719468;
    uint64_t era = days / 146097;
    uint64_t day_of_era = days % 146097;
    uint64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint64_t month_of_march = (5 * day_of_year + 2) / 153;
    uint64_t day = day_of_year - (153 * month_of_march + 2) / 5 + 1;
    uint64_t month = month_of_march < 10 ? month_of_march + 3 : month_of_march - 9;
    uint64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    ADIT_TRY(write_padded(&attempt, year, 4));
    ADIT_TRY(adit_write_u8(&attempt, '-'));
    ADIT_TRY(write_padded(&attempt, month, 2));
    ADIT_TRY(adit_write_u8(&attempt, '-'));
    ADIT_TRY(write_padded(&attempt, day, 2));
    ADIT_TRY(adit_write_u8(&attempt, 'T'));
    ADIT_TRY(write_padded(&attempt, seconds / 3600 % 24, 2));
    ADIT_TRY(adit_write_u8(&attempt, ':'));
    ADIT_TRY(write_padded(&attempt, seconds / 60 % 60, 2));
    ADIT_TRY(adit_write_u8(&attempt, ':'));
    ADIT_TRY(write_padded(&attempt, seconds % 60, 2));
    ADIT_TRY(adit_write_u8(&attempt, '.'));
    ADIT_TRY(write_padded(&attempt, wall_ms % 1000, 3));
    ADIT_TRY(adit_write_u8(&attempt, 'Z'));
    *writer = attempt;
    return adit_ok();
}
