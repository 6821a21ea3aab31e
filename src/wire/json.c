#include "wire/json.h"

#include "base/text.h"

void adit_json_init(struct adit_json *json, struct adit_bytes text)
{
    *json = (struct adit_json){.input = adit_reader_of(text)};
}

/* The next byte without taking it; 0, which is never legal there, at the end. */
static uint8_t peek(const struct adit_json *json)
{
    return json->input.rest.len == 0 ? 0 : adit_bytes_at(json->input.rest, 0);
}

static void take(struct adit_json *json)
{
    json->input.rest = adit_bytes_from(json->input.rest, 1);
}

static void skip_space(struct adit_json *json)
{
    uint8_t byte = peek(json);
    while (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r') {
        take(json);
        byte = peek(json);
    }
}

static bool is_in_object(const struct adit_json *json)
{
    return (json->objects >> json->depth & 1) != 0;
}

static void value_ended(struct adit_json *json)
{
    json->state = json->depth == 0 ? ADIT_JSON_STATE_DONE : ADIT_JSON_STATE_AFTER;
}

static struct adit_status open_bracket(struct adit_json *json, bool is_object)
{
    ADIT_ENSURE(json->depth < ADIT_JSON_DEPTH_MAX, LIMIT, "JSON nested too deeply");
    take(json);
    json->depth++;
    uint32_t bit = 1u << json->depth;
    json->objects = is_object ? json->objects | bit : json->objects & ~bit;
    json->state = ADIT_JSON_STATE_FIRST;
    return adit_ok();
}

/* Takes the closing bracket that fits; its object's keys are forgotten. */
static struct adit_status close_bracket(struct adit_json *json, enum adit_json_token *out_token)
{
    bool is_object = is_in_object(json);
    ADIT_ENSURE(peek(json) == (is_object ? '}' : ']'), INVALID, "a bracket that does not fit");
    take(json);
    while (json->key_count > 0 &&
           ADIT_AT(json->keys, json->key_count - 1).depth == json->depth) {
        json->key_count--;
    }
    json->depth--;
    value_ended(json);
    *out_token = is_object ? ADIT_JSON_OBJECT_END : ADIT_JSON_ARRAY_END;
    return adit_ok();
}

/* Keys of the innermost object stand last. */
static bool is_repeated(const struct adit_json *json, const struct adit_json_key *key)
{
    for (size_t i = json->key_count; i > 0; i--) {
        const struct adit_json_key *other = &ADIT_AT(json->keys, i - 1);
        if (other->depth != key->depth) {
            return false;
        }
        if (other->hash == key->hash && adit_json_string_equal(other->raw, key->raw)) {
            return true;
        }
    }
    return false;
}

/* A key, its colon, and the promise of a value. */
static struct adit_status read_key(struct adit_json *json)
{
    struct adit_json_key key = {.depth = json->depth};
    ADIT_TRY(adit_json_string_read(&json->input, &key.raw, &key.hash));
    ADIT_ENSURE(!is_repeated(json, &key), INVALID, "a repeated key");
    ADIT_ENSURE(json->key_count < ADIT_JSON_KEYS_MAX, LIMIT, "too many keys");
    ADIT_AT(json->keys, json->key_count) = key;
    json->key_count++;
    skip_space(json);
    ADIT_ENSURE(peek(json) == ':', INVALID, "a key without a colon");
    take(json);
    json->raw = key.raw;
    json->state = ADIT_JSON_STATE_VALUE;
    return adit_ok();
}

/* How many digits were taken. */
static size_t take_digits(struct adit_json *json)
{
    size_t count = 0;
    while (peek(json) >= '0' && peek(json) <= '9') {
        take(json);
        count++;
    }
    return count;
}

static struct adit_status read_number(struct adit_json *json)
{
    struct adit_bytes start = json->input.rest;
    if (peek(json) == '-') {
        take(json);
    }
    bool is_zero_first = peek(json) == '0';
    size_t digits = take_digits(json);
    ADIT_ENSURE(digits > 0 && (digits == 1 || !is_zero_first), INVALID, "not a number");
    if (peek(json) == '.') {
        take(json);
        ADIT_ENSURE(take_digits(json) > 0, INVALID, "not a number");
    }
    if (peek(json) == 'e' || peek(json) == 'E') {
        take(json);
        if (peek(json) == '+' || peek(json) == '-') {
            take(json);
        }
        ADIT_ENSURE(take_digits(json) > 0, INVALID, "not a number");
    }
    json->raw = adit_bytes_first(start, start.len - json->input.rest.len);
    return adit_ok();
}

static struct adit_status read_word(struct adit_json *json, struct adit_bytes word)
{
    ADIT_ENSURE(adit_bytes_starts_with(json->input.rest, word), INVALID, "not a JSON value");
    json->input.rest = adit_bytes_from(json->input.rest, word.len);
    return adit_ok();
}

/* A value that is no bracket. */
static struct adit_status read_scalar(struct adit_json *json, enum adit_json_token *out_token)
{
    uint32_t hash = 0;
    switch (peek(json)) {
    case '"':
        ADIT_TRY(adit_json_string_read(&json->input, &json->raw, &hash));
        *out_token = ADIT_JSON_STRING;
        break;
    case 't':
        ADIT_TRY(read_word(json, ADIT_BYTES("true")));
        *out_token = ADIT_JSON_TRUE;
        break;
    case 'f':
        ADIT_TRY(read_word(json, ADIT_BYTES("false")));
        *out_token = ADIT_JSON_FALSE;
        break;
    case 'n':
        ADIT_TRY(read_word(json, ADIT_BYTES("null")));
        *out_token = ADIT_JSON_NULL;
        break;
    default:
        ADIT_TRY(read_number(json));
        *out_token = ADIT_JSON_NUMBER;
        break;
    }
    value_ended(json);
    return adit_ok();
}

static struct adit_status read_value(struct adit_json *json, enum adit_json_token *out_token)
{
    bool is_object = peek(json) == '{';
    if (!is_object && peek(json) != '[') {
        return read_scalar(json, out_token);
    }
    ADIT_TRY(open_bracket(json, is_object));
    *out_token = is_object ? ADIT_JSON_OBJECT : ADIT_JSON_ARRAY;
    return adit_ok();
}

/* A key in an object, a value in an array. */
static struct adit_status read_element(struct adit_json *json, enum adit_json_token *out_token)
{
    if (!is_in_object(json)) {
        return read_value(json, out_token);
    }
    ADIT_TRY(read_key(json));
    *out_token = ADIT_JSON_KEY;
    return adit_ok();
}

struct adit_status adit_json_next(struct adit_json *json, enum adit_json_token *out_token)
{
    skip_space(json);
    uint8_t byte = peek(json);
    switch (json->state) {
    case ADIT_JSON_STATE_VALUE:
        return read_value(json, out_token);
    case ADIT_JSON_STATE_FIRST:
        return byte == '}' || byte == ']' ? close_bracket(json, out_token)
                                          : read_element(json, out_token);
    case ADIT_JSON_STATE_AFTER:
        if (byte != ',') {
            return close_bracket(json, out_token);
        }
        take(json);
        skip_space(json);
        return read_element(json, out_token);
    case ADIT_JSON_STATE_DONE:
        ADIT_TRY(adit_read_end(&json->input));
        *out_token = ADIT_JSON_END;
        return adit_ok();
    }
    ADIT_FAIL(INTERNAL, "a JSON reader in no state");
}

struct adit_status adit_json_skip(struct adit_json *json)
{
    uint32_t depth = json->depth;
    do {
        enum adit_json_token token = ADIT_JSON_END;
        ADIT_TRY(adit_json_next(json, &token));
        ADIT_ENSURE(token != ADIT_JSON_END, INVALID, "nothing to step over");
    } while (json->depth > depth);
    return adit_ok();
}

struct adit_status adit_json_number(struct adit_bytes raw, uint64_t max, uint64_t *out_value)
{
    return adit_parse_decimal(raw, max, out_value);
}
