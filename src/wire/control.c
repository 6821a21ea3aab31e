#include "wire/control.h"

#include "wire/json.h"

#define KEY_BYTES_MAX 32 /* longer than every key that we know */

const char *adit_control_type_name(enum adit_control_type type)
{
    switch (type) {
    case ADIT_CONTROL_NONE:
        return "none";
#define CASE(NAME, member)                                                                      \
    case ADIT_CONTROL_##NAME:                                                                   \
        return #member;
        ADIT_CONTROL_TABLE(CASE)
#undef CASE
    }
    return "none";
}

static struct adit_status find_type(struct adit_bytes name, enum adit_control_type *out_type)
{
#define FIND(NAME, member)                                                                      \
    if (adit_bytes_equal(name, ADIT_BYTES(#member))) {                                          \
        *out_type = ADIT_CONTROL_##NAME;                                                        \
        return adit_ok();                                                                       \
    }
    ADIT_CONTROL_TABLE(FIND)
#undef FIND
    ADIT_FAIL(INVALID, "a message of an unknown type");
}

/* A key as text; empty where it is longer than every key that we know. */
struct key {
    ADIT_FIELD(KEY_BYTES_MAX) text;
};

static struct adit_status read_key(const struct adit_json *json, struct key *out_key)
{
    struct key key = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(key.text.bytes));
    struct adit_status status = adit_json_string_decode(json->raw, &writer);
    if (adit_status_error(status) != ADIT_ERROR_LIMIT) {
        ADIT_TRY(status);
        key.text.len = (uint16_t)writer.len;
    }
    *out_key = key;
    return adit_ok();
}

static struct adit_status expect(struct adit_json *json, enum adit_json_token want)
{
    enum adit_json_token token = ADIT_JSON_END;
    ADIT_TRY(adit_json_next(json, &token));
    ADIT_ENSURE(token == want, INVALID, "a value of the wrong type");
    return adit_ok();
}

/* A text for people or for a table: neither empty where it is required, nor with anything in it
 * that could steer a terminal. */
static struct adit_status text_check(struct adit_bytes text, bool is_required)
{
    ADIT_ENSURE(text.len > 0 || !is_required, INVALID, "a required text is empty");
    ADIT_ENSURE(adit_text_is_printable(text), INVALID, "a control character in a text");
    return adit_ok();
}

static struct adit_status hex_check(struct adit_bytes text, size_t digits, bool is_required)
{
    if (text.len == 0 && !is_required) {
        return adit_ok();
    }
    ADIT_ENSURE(text.len == digits, INVALID, "an id of the wrong length");
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = adit_bytes_at(text, i);
        ADIT_ENSURE((byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f'), INVALID,
                    "an id that is not lower-case hex");
    }
    return adit_ok();
}

static struct adit_status read_text(struct adit_json *json, struct adit_span room, uint16_t *len)
{
    struct adit_writer writer = adit_writer_of(room);
    ADIT_TRY(expect(json, ADIT_JSON_STRING));
    ADIT_TRY(adit_json_string_decode(json->raw, &writer));
    *len = (uint16_t)writer.len;
    return adit_ok();
}

static struct adit_status read_number(struct adit_json *json, uint32_t min, uint32_t max,
                                      uint32_t *out_value)
{
    uint64_t value = 0;
    ADIT_TRY(expect(json, ADIT_JSON_NUMBER));
    ADIT_TRY(adit_json_number(json->raw, max, &value));
    ADIT_ENSURE(value >= min, INVALID, "a number under its limit");
    *out_value = (uint32_t)value;
    return adit_ok();
}

static struct adit_status read_tunnel(struct adit_json *json, enum adit_tunnel *out_kind)
{
    struct key name = {0};
    ADIT_TRY(expect(json, ADIT_JSON_STRING));
    ADIT_TRY(read_key(json, &name));
    adit_status_ignore(adit_tunnel_find(ADIT_FIELD_BYTES(name.text), out_kind),
                       "NONE stands for a kind that this release does not know");
    return adit_ok();
}

static struct adit_status read_features(struct adit_json *json,
                                        struct adit_control_features *features)
{
    enum adit_json_token token = ADIT_JSON_END;
    ADIT_TRY(expect(json, ADIT_JSON_ARRAY));
    ADIT_TRY(adit_json_next(json, &token));
    while (token == ADIT_JSON_STRING) {
        uint8_t memory[ADIT_CONTROL_FEATURE_BYTES_MAX] = {0};
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
        ADIT_TRY(adit_json_string_decode(json->raw, &writer));
        ADIT_TRY(text_check(adit_writer_bytes(&writer), true));
        ADIT_TRY(adit_control_add_feature(features, adit_writer_bytes(&writer)));
        ADIT_TRY(adit_json_next(json, &token));
    }
    ADIT_ENSURE(token == ADIT_JSON_ARRAY_END, INVALID, "a feature that is no text");
    return adit_ok();
}

/* One reader for each message, from its row: reads the keys that it knows and steps over others.
 * `has` has a member for each field. */
#define HAS_NUMBER(key, is_required, min, max) bool key;
#define HAS_TEXT(key, is_required, max) bool key;
#define HAS_HEX(key, is_required, digits) bool key;
#define HAS_TUNNEL(key, is_required) bool key;
#define HAS_FEATURES(key, is_required) bool key;

#define READ(field, call)                                                                       \
    if (adit_bytes_equal(name, ADIT_BYTES(#field))) {                                           \
        ADIT_TRY(call);                                                                         \
        has.field = true;                                                                       \
        continue;                                                                               \
    }
#define READ_NUMBER(key, is_required, min, max)                                                 \
    READ(key, read_number(json, min, max, &message->key))
#define READ_TEXT(key, is_required, max)                                                        \
    READ(key, read_text(json, ADIT_SPAN_OF(message->key.bytes), &message->key.len))
#define READ_HEX(key, is_required, digits) READ_TEXT(key, is_required, digits)
#define READ_TUNNEL(key, is_required) READ(key, read_tunnel(json, &message->key))
#define READ_FEATURES(key, is_required) READ(key, read_features(json, &message->key))

#define CHECK_HAS(key, is_required)                                                             \
    ADIT_ENSURE(has.key || !(is_required), INVALID, "a message without \"" #key "\"");
#define CHECK_NUMBER(key, is_required, min, max) CHECK_HAS(key, is_required)
#define CHECK_TEXT(key, is_required, max)                                                       \
    CHECK_HAS(key, is_required)                                                                 \
    ADIT_TRY(text_check(ADIT_FIELD_BYTES(message->key), is_required));
#define CHECK_HEX(key, is_required, digits)                                                     \
    CHECK_HAS(key, is_required)                                                                 \
    ADIT_TRY(hex_check(ADIT_FIELD_BYTES(message->key), digits, is_required));
#define CHECK_TUNNEL(key, is_required) CHECK_HAS(key, is_required)
#define CHECK_FEATURES(key, is_required) CHECK_HAS(key, is_required)

#define READER(NAME, member)                                                                    \
    static struct adit_status read_##member(struct adit_json *json,                             \
                                            struct adit_control_##member *message)              \
    {                                                                                           \
        struct {                                                                                \
            ADIT_CONTROL_##NAME##_FIELDS(HAS_NUMBER, HAS_TEXT, HAS_HEX, HAS_TUNNEL,             \
                                         HAS_FEATURES)                                          \
        } has = {0};                                                                            \
        enum adit_json_token token = ADIT_JSON_END;                                             \
        ADIT_TRY(expect(json, ADIT_JSON_OBJECT));                                               \
        while (true) {                                                                          \
            struct key key_text = {0};                                                          \
            ADIT_TRY(adit_json_next(json, &token));                                             \
            if (token != ADIT_JSON_KEY) {                                                       \
                break;                                                                          \
            }                                                                                   \
            ADIT_TRY(read_key(json, &key_text));                                                \
            struct adit_bytes name = ADIT_FIELD_BYTES(key_text.text);                           \
            ADIT_CONTROL_##NAME##_FIELDS(READ_NUMBER, READ_TEXT, READ_HEX, READ_TUNNEL,         \
                                         READ_FEATURES)                                         \
            ADIT_TRY(adit_json_skip(json));                                                     \
        }                                                                                       \
        ADIT_CONTROL_##NAME##_FIELDS(CHECK_NUMBER, CHECK_TEXT, CHECK_HEX, CHECK_TUNNEL,         \
                                     CHECK_FEATURES)                                            \
        return adit_ok();                                                                       \
    }
ADIT_CONTROL_TABLE(READER)

/* Reads the whole text once: afterwards it is known to be valid, and its type. */
static struct adit_status scan(struct adit_bytes body, enum adit_control_type *out_type)
{
    struct adit_json json;
    adit_json_init(&json, body);
    ADIT_TRY(expect(&json, ADIT_JSON_OBJECT));
    enum adit_control_type type = ADIT_CONTROL_NONE;
    enum adit_json_token token = ADIT_JSON_END;
    ADIT_TRY(adit_json_next(&json, &token));
    while (token == ADIT_JSON_KEY) {
        struct key key = {0};
        ADIT_TRY(read_key(&json, &key));
        if (adit_bytes_equal(ADIT_FIELD_BYTES(key.text), ADIT_BYTES("type"))) {
            ADIT_TRY(expect(&json, ADIT_JSON_STRING));
            ADIT_TRY(read_key(&json, &key));
            ADIT_TRY(find_type(ADIT_FIELD_BYTES(key.text), &type));
        } else {
            ADIT_TRY(adit_json_skip(&json));
        }
        ADIT_TRY(adit_json_next(&json, &token));
    }
    ADIT_TRY(expect(&json, ADIT_JSON_END));
    ADIT_ENSURE(type != ADIT_CONTROL_NONE, INVALID, "a message without a type");
    *out_type = type;
    return adit_ok();
}

static struct adit_status read_body(struct adit_bytes body, struct adit_control *message)
{
    ADIT_TRY(scan(body, &message->type));
    struct adit_json json;
    adit_json_init(&json, body);
    switch (message->type) {
    case ADIT_CONTROL_NONE:
        break;
#define CASE(NAME, member)                                                                      \
    case ADIT_CONTROL_##NAME:                                                                   \
        return read_##member(&json, &message->member);
        ADIT_CONTROL_TABLE(CASE)
#undef CASE
    }
    ADIT_FAIL(INVALID, "a message without a type");
}

struct adit_status adit_control_read(struct adit_bytes buffered, struct adit_control *out_message,
                                     size_t *out_used, enum adit_parse *out_parse)
{
    struct adit_reader reader = adit_reader_of(buffered);
    uint32_t length = 0;
    if (buffered.len < ADIT_CONTROL_PREFIX_BYTES) {
        *out_parse = ADIT_PARSE_MORE;
        return adit_ok();
    }
    ADIT_TRY(adit_read_u32(&reader, &length));
    ADIT_ENSURE(length > 0, INVALID, "an empty message");
    ADIT_ENSURE(length <= ADIT_CONTROL_BODY_BYTES_MAX, LIMIT, "a message over 16 KiB");
    if (reader.rest.len < length) {
        *out_parse = ADIT_PARSE_MORE;
        return adit_ok();
    }
    struct adit_bytes body = {0};
    struct adit_control message = {0};
    ADIT_TRY(adit_read_bytes(&reader, length, &body));
    ADIT_TRY(read_body(body, &message));
    *out_message = message;
    *out_used = ADIT_CONTROL_PREFIX_BYTES + body.len;
    *out_parse = ADIT_PARSE_FOUND;
    return adit_ok();
}

static struct adit_status write_key(struct adit_writer *writer, struct adit_bytes key)
{
    ADIT_TRY(adit_write_u8(writer, ','));
    ADIT_TRY(adit_json_string_write(writer, key));
    return adit_write_u8(writer, ':');
}

static struct adit_status write_text(struct adit_writer *writer, struct adit_bytes key,
                                     struct adit_bytes text)
{
    if (text.len == 0) {
        return adit_ok();
    }
    ADIT_TRY(write_key(writer, key));
    return adit_json_string_write(writer, text);
}

static struct adit_status number_check(uint32_t value, uint32_t min, uint32_t max)
{
    ADIT_ENSURE(value >= min && value <= max, INVALID, "a number outside its limits");
    return adit_ok();
}

static struct adit_status write_number(struct adit_writer *writer, struct adit_bytes key,
                                       uint32_t value)
{
    ADIT_TRY(write_key(writer, key));
    return adit_write_decimal(writer, value);
}

static struct adit_status write_tunnel(struct adit_writer *writer, struct adit_bytes key,
                                       enum adit_tunnel kind)
{
    struct adit_bytes name = adit_bytes_of_text(adit_tunnel_name(kind));
    ADIT_ENSURE(name.len > 0, INVALID, "no such kind of tunnel");
    return write_text(writer, key, name);
}

static struct adit_status write_features(struct adit_writer *writer, struct adit_bytes key,
                                         const struct adit_control_features *features)
{
    ADIT_ENSURE(features->count <= ADIT_CONTROL_FEATURES_MAX, INVALID, "too many features");
    ADIT_TRY(write_key(writer, key));
    ADIT_TRY(adit_write_u8(writer, '['));
    for (size_t i = 0; i < features->count; i++) {
        struct adit_bytes word = ADIT_FIELD_BYTES(ADIT_AT(features->items, i).word);
        ADIT_TRY(text_check(word, true));
        if (i > 0) {
            ADIT_TRY(adit_write_u8(writer, ','));
        }
        ADIT_TRY(adit_json_string_write(writer, word));
    }
    return adit_write_u8(writer, ']');
}

/* One writer for each message, from its row. */
#define WRITE_NUMBER(key, is_required, min, max)                                                \
    ADIT_TRY(number_check(message->key, min, max));                                             \
    ADIT_TRY(write_number(writer, ADIT_BYTES(#key), message->key));
#define WRITE_TEXT(key, is_required, max)                                                       \
    ADIT_TRY(text_check(ADIT_FIELD_BYTES(message->key), is_required));                          \
    ADIT_TRY(write_text(writer, ADIT_BYTES(#key), ADIT_FIELD_BYTES(message->key)));
#define WRITE_HEX(key, is_required, digits)                                                     \
    ADIT_TRY(hex_check(ADIT_FIELD_BYTES(message->key), digits, is_required));                   \
    ADIT_TRY(write_text(writer, ADIT_BYTES(#key), ADIT_FIELD_BYTES(message->key)));
#define WRITE_TUNNEL(key, is_required)                                                          \
    ADIT_TRY(write_tunnel(writer, ADIT_BYTES(#key), message->key));
#define WRITE_FEATURES(key, is_required)                                                        \
    ADIT_TRY(write_features(writer, ADIT_BYTES(#key), &message->key));

#define WRITER(NAME, member)                                                                    \
    static struct adit_status write_##member(struct adit_writer *writer,                        \
                                             const struct adit_control_##member *message)       \
    {                                                                                           \
        ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("{\"type\":\"" #member "\"")));            \
        ADIT_CONTROL_##NAME##_FIELDS(WRITE_NUMBER, WRITE_TEXT, WRITE_HEX, WRITE_TUNNEL,         \
                                     WRITE_FEATURES)                                            \
        return adit_write_u8(writer, '}');                                                      \
    }
ADIT_CONTROL_TABLE(WRITER)

static struct adit_status write_body(struct adit_writer *writer, const struct adit_control *message)
{
    switch (message->type) {
    case ADIT_CONTROL_NONE:
        break;
#define CASE(NAME, member)                                                                      \
    case ADIT_CONTROL_##NAME:                                                                   \
        return write_##member(writer, &message->member);
        ADIT_CONTROL_TABLE(CASE)
#undef CASE
    }
    ADIT_FAIL(INVALID, "a message without a type");
}

struct adit_status adit_control_write(struct adit_writer *writer,
                                      const struct adit_control *message)
{
    struct adit_writer attempt = *writer;
    struct adit_span length = {0};
    ADIT_TRY(adit_write_reserve_u32(&attempt, &length));
    size_t start = attempt.len;
    ADIT_TRY(write_body(&attempt, message));
    ADIT_ENSURE(attempt.len - start <= ADIT_CONTROL_BODY_BYTES_MAX, LIMIT, "a message over 16 KiB");
    ADIT_TRY(adit_write_fill(length, attempt.len - start));
    *writer = attempt;
    return adit_ok();
}

struct adit_control adit_control_refusal(enum adit_refusal refusal, uint32_t bind)
{
    struct adit_control message = {.type = ADIT_CONTROL_REFUSED, .refused = {.bind = bind}};
    struct adit_bytes code = adit_bytes_of_text(adit_refusal_code(refusal));
    struct adit_bytes sentence = adit_bytes_of_text(adit_refusal_message(refusal));
    struct adit_bytes next = adit_bytes_of_text(adit_refusal_next_action(refusal));
    const char *fits = "the texts of the table fit: a unit test says so";
    adit_status_ignore(ADIT_FIELD_SET(message.refused.code, code), fits);
    adit_status_ignore(ADIT_FIELD_SET(message.refused.message, sentence), fits);
    adit_status_ignore(ADIT_FIELD_SET(message.refused.next_action, next), fits);
    return message;
}

bool adit_control_has_feature(const struct adit_control_features *features, struct adit_bytes word)
{
    for (size_t i = 0; i < features->count && i < ADIT_CONTROL_FEATURES_MAX; i++) {
        if (adit_bytes_equal(ADIT_FIELD_BYTES(ADIT_AT(features->items, i).word), word)) {
            return true;
        }
    }
    return false;
}

struct adit_status adit_control_add_feature(struct adit_control_features *features,
                                            struct adit_bytes word)
{
    ADIT_ENSURE(features->count < ADIT_CONTROL_FEATURES_MAX, LIMIT, "too many features");
    ADIT_TRY(ADIT_FIELD_SET(ADIT_AT(features->items, features->count).word, word));
    features->count++;
    return adit_ok();
}
