#include "wire/name.h"

static bool is_lower(uint8_t byte)
{
    return byte >= 'a' && byte <= 'z';
}

static bool is_name_byte(uint8_t byte)
{
    return is_lower(byte) || (byte >= '0' && byte <= '9') || byte == '-';
}

/* How a name may begin: every name, and every prefix of a pattern. */
static bool is_name_start(struct adit_bytes text)
{
    if (text.len == 0 || text.len > ADIT_NAME_BYTES_MAX || !is_lower(adit_bytes_at(text, 0))) {
        return false;
    }
    for (size_t i = 1; i < text.len; i++) {
        if (!is_name_byte(adit_bytes_at(text, i))) {
            return false;
        }
    }
    return !adit_bytes_starts_with(adit_bytes_from(text, 2), ADIT_BYTES("--"));
}

bool adit_name_is_valid(struct adit_bytes name)
{
    return is_name_start(name) && adit_bytes_at(name, name.len - 1) != '-';
}

/* Takes the part before the first comma off `rest`; whether a comma was there. */
static bool next_part(struct adit_bytes *rest, struct adit_bytes *out_part)
{
    size_t comma = adit_bytes_find(*rest, ',');
    bool has_more = comma < rest->len;
    *out_part = adit_bytes_first(*rest, comma);
    *rest = adit_bytes_from(*rest, has_more ? comma + 1 : comma);
    return has_more;
}

static bool has_star(struct adit_bytes part)
{
    return part.len > 0 && adit_bytes_at(part, part.len - 1) == '*';
}

static bool is_part_valid(struct adit_bytes part)
{
    if (!has_star(part)) {
        return adit_name_is_valid(part);
    }
    return part.len == 1 || is_name_start(adit_bytes_first(part, part.len - 1));
}

bool adit_name_pattern_is_valid(struct adit_bytes pattern)
{
    if (pattern.len > ADIT_NAME_PATTERN_BYTES_MAX) {
        return false;
    }
    struct adit_bytes rest = pattern;
    struct adit_bytes part = {0};
    bool has_more = true;
    while (has_more) {
        has_more = next_part(&rest, &part);
        if (!is_part_valid(part)) {
            return false;
        }
    }
    return true;
}

bool adit_name_pattern_allows(struct adit_bytes pattern, struct adit_bytes name)
{
    if (!adit_name_is_valid(name)) {
        return false;
    }
    struct adit_bytes rest = pattern;
    struct adit_bytes part = {0};
    bool has_more = true;
    while (has_more) {
        has_more = next_part(&rest, &part);
        if (has_star(part) ? adit_bytes_starts_with(name, adit_bytes_first(part, part.len - 1))
                           : adit_bytes_equal(name, part)) {
            return true;
        }
    }
    return false;
}
