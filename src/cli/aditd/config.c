#include "cli/aditd/config.h"

#include "cli/args.h"

#define SHOWN_MAX 64         /* bytes of the file that a complaint repeats */
#define FILE_SHOWN_MAX 512   /* and of its name: a line holds it, escaped, and more */
#define EVENTS_MAX (1u << 17) /* more than a file of the allowed size can hold */

/* What the reading knows while it goes on. */
struct reading {
    yaml_parser_t parser;
    yaml_event_t event; /* the last one */
    struct adit_config *config;
    struct adit_writer *complaint;
    struct adit_bytes file, text;
};

struct adit_status adit_config_place_write(struct adit_writer *writer, struct adit_bytes file,
                                           uint64_t line, uint64_t column)
{
    ADIT_TRY(adit_write_escaped(writer, file, FILE_SHOWN_MAX));
    ADIT_TRY(adit_write_u8(writer, ':'));
    ADIT_TRY(adit_write_decimal(writer, line));
    ADIT_TRY(adit_write_u8(writer, ':'));
    ADIT_TRY(adit_write_decimal(writer, column));
    return adit_write_bytes(writer, ADIT_BYTES(": "));
}

/* A sentence with a word of the file in its middle. */
struct sentence {
    struct adit_bytes before, word, after; /* an empty word is left out, with its quotes */
};

static struct adit_status sentence_write(struct adit_writer *writer,
                                         const struct sentence *sentence)
{
    ADIT_TRY(adit_write_bytes(writer, sentence->before));
    if (sentence->word.len > 0) {
        ADIT_TRY(adit_write_u8(writer, '\''));
        ADIT_TRY(adit_write_escaped(writer, sentence->word, SHOWN_MAX));
        ADIT_TRY(adit_write_u8(writer, '\''));
    }
    return adit_write_bytes(writer, sentence->after);
}

static void complain(struct reading *reading, const yaml_mark_t *at,
                     const struct sentence *sentence)
{
    reading->complaint->len = 0;
    adit_status_ignore(adit_config_place_write(reading->complaint, reading->file,
                                               (uint64_t)at->line + 1, (uint64_t)at->column + 1),
                       "a cut complaint is still one");
    adit_status_ignore(sentence_write(reading->complaint, sentence), "as above");
}

/* Refuses what the last event brought. */
#define REFUSE(reading, before_, word_, after_)                                                 \
    do {                                                                                        \
        const struct sentence refusal = {                                                       \
            .before = ADIT_BYTES(before_), .word = (word_), .after = ADIT_BYTES(after_)};       \
        complain((reading), &(reading)->event.start_mark, &refusal);                            \
        ADIT_FAIL(INVALID, "the configuration file breaks its rules");                          \
    } while (0)

#define NO_WORD ((struct adit_bytes){0})

/* The library gives the place of a byte that it cannot read as an offset only. */
static yaml_mark_t mark_of(struct adit_bytes text, size_t offset)
{
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < offset && i < text.len; i++) {
        bool is_end = adit_bytes_at(text, i) == '\n';
        mark.line += is_end ? 1 : 0;
        mark.column = is_end ? 0 : mark.column + 1;
    }
    return mark;
}

static struct adit_status broken(struct reading *reading)
{
    const yaml_parser_t *parser = &reading->parser;
    if (parser->error == YAML_MEMORY_ERROR) {
        const struct sentence none = {.before = ADIT_BYTES("there is no memory to read it")};
        complain(reading, &parser->mark, &none);
        ADIT_FAIL(MEMORY, "there is no memory for the configuration file");
    }
    bool is_byte = parser->error == YAML_READER_ERROR;
    yaml_mark_t mark =
        is_byte ? mark_of(reading->text, parser->problem_offset) : parser->problem_mark;
    const struct sentence said = {.before = ADIT_BYTES("this is not YAML: "),
                                  .after = adit_bytes_of_text(parser->problem)};
    complain(reading, &mark, &said);
    ADIT_FAIL(INVALID, "the configuration file is not YAML");
}

static struct adit_status next(struct reading *reading)
{
    yaml_event_delete(&reading->event);
    return yaml_parser_parse(&reading->parser, &reading->event) == 1 ? adit_ok()
                                                                     : broken(reading);
}

static struct adit_bytes scalar(const struct reading *reading)
{
    return adit_object_bytes(reading->event.data.scalar.value, reading->event.data.scalar.length);
}

static struct adit_status plain_check(struct reading *reading)
{
    if (reading->event.data.scalar.anchor) {
        REFUSE(reading, "anchors (&name) are not used here; write the value out", NO_WORD, "");
    }
    if (reading->event.data.scalar.tag) {
        REFUSE(reading, "tags (!name) are not used here; leave it out", NO_WORD, "");
    }
    return adit_ok();
}

static struct adit_status unknown(struct reading *reading, struct adit_bytes name)
{
    struct adit_args_nearest nearest = adit_args_nearest_to(name);
    for (size_t i = 0; i < ADIT_KEY_COUNT; i++) {
        adit_args_nearest_offer(&nearest, adit_key_row((enum adit_key)i)->key);
    }
    const struct sentence sentence = {.before = ADIT_BYTES("unknown key "), .word = name};
    const struct sentence hint = {.before = ADIT_BYTES("; did you mean "),
                                  .word = nearest.best,
                                  .after = ADIT_BYTES("?")};
    complain(reading, &reading->event.start_mark, &sentence);
    if (nearest.best.len > 0) {
        adit_status_ignore(sentence_write(reading->complaint, &hint), "cut is as good");
    }
    ADIT_FAIL(INVALID, "the configuration file has an unknown key");
}

static struct adit_status key_take(struct reading *reading, enum adit_key *out_key)
{
    if (reading->event.type != YAML_SCALAR_EVENT) {
        REFUSE(reading, "a key must be a word; write one 'key: value' a line", NO_WORD, "");
    }
    ADIT_TRY(plain_check(reading));
    struct adit_bytes name = scalar(reading);
    enum adit_key key = ADIT_KEY_DATA;
    if (name.len == 0) {
        REFUSE(reading, "a key is missing before the ':'", NO_WORD, "");
    }
    if (!adit_key_find(name, &key)) {
        return unknown(reading, name);
    }
    const struct adit_config_value *known = &ADIT_AT(reading->config->values, (size_t)key);
    if (known->is_given) {
        REFUSE(reading, "key ", name, " is given twice; keep one of them");
    }
    *out_key = key;
    return adit_ok();
}

static bool is_null(struct adit_bytes text)
{
    return text.len == 0 || adit_bytes_equal(text, ADIT_BYTES("~")) ||
           adit_bytes_equal_nocase(text, ADIT_BYTES("null"));
}

static bool has_control(struct adit_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (adit_bytes_at(text, i) < ' ' || adit_bytes_at(text, i) == 0x7f) {
            return true;
        }
    }
    return false;
}

static struct adit_status kind_check(struct reading *reading, enum adit_key key)
{
    struct adit_bytes name = adit_key_row(key)->key;
    bool is_plain = reading->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (is_plain ? is_null(scalar(reading)) : reading->event.data.scalar.length == 0) {
        REFUSE(reading, "key ", name, " has no value; give one, or leave the key out");
    }
    if (!is_plain && adit_key_row(key)->kind != ADIT_KEY_KIND_TEXT) {
        REFUSE(reading, "key ", name, ": write the value without quotes");
    }
    if (has_control(scalar(reading))) {
        REFUSE(reading, "key ", name, ": the value holds a control character or a line break");
    }
    return adit_ok();
}

static struct adit_status value_take(struct reading *reading, enum adit_key key)
{
    struct adit_bytes name = adit_key_row(key)->key;
    if (reading->event.type == YAML_ALIAS_EVENT) {
        REFUSE(reading, "aliases (*name) are not used here; write the value out", NO_WORD, "");
    }
    if (reading->event.type == YAML_SEQUENCE_START_EVENT) {
        REFUSE(reading, "key ", name,
               " takes one value, not a list; an address in brackets needs quotes: \"[::]:443\"");
    }
    if (reading->event.type != YAML_SCALAR_EVENT) {
        REFUSE(reading, "key ", name, " takes one value, not keys of its own");
    }
    ADIT_TRY(plain_check(reading));
    ADIT_TRY(kind_check(reading, key));
    struct adit_config_value *value = &ADIT_AT(reading->config->values, (size_t)key);
    if (scalar(reading).len > ADIT_CONFIG_VALUE_MAX) {
        REFUSE(reading, "key ", name, ": the value is longer than 3072 bytes");
    }
    ADIT_TRY(adit_span_copy(ADIT_OBJECT_SPAN(value->text), scalar(reading)));
    value->len = scalar(reading).len;
    value->line = (uint64_t)reading->event.start_mark.line + 1;
    value->column = (uint64_t)reading->event.start_mark.column + 1;
    value->is_given = true;
    return adit_ok();
}

/* From the first event of the document's value to its last. */
static struct adit_status mapping_take(struct reading *reading)
{
    bool is_nothing = reading->event.type == YAML_SCALAR_EVENT &&
                      reading->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                      is_null(scalar(reading));
    if (is_nothing) {
        return plain_check(reading);
    }
    if (reading->event.type != YAML_MAPPING_START_EVENT) {
        REFUSE(reading, "the file must be a list of 'key: value', one a line", NO_WORD, "");
    }
    if (reading->event.data.mapping_start.anchor || reading->event.data.mapping_start.tag) {
        REFUSE(reading, "anchors and tags are not used here; leave it out", NO_WORD, "");
    }
    ADIT_TRY(next(reading));
    for (uint32_t i = 0; i < EVENTS_MAX && reading->event.type != YAML_MAPPING_END_EVENT; i++) {
        enum adit_key key = ADIT_KEY_DATA;
        ADIT_TRY(key_take(reading, &key));
        ADIT_TRY(next(reading));
        ADIT_TRY(value_take(reading, key));
        ADIT_TRY(next(reading));
    }
    return adit_ok();
}

static struct adit_status stream_take(struct reading *reading)
{
    ADIT_TRY(next(reading)); /* the stream starts */
    ADIT_TRY(next(reading));
    if (reading->event.type == YAML_STREAM_END_EVENT) {
        return adit_ok();
    }
    ADIT_TRY(next(reading)); /* the document started */
    ADIT_TRY(mapping_take(reading));
    ADIT_TRY(next(reading)); /* it ended */
    ADIT_TRY(next(reading));
    if (reading->event.type != YAML_STREAM_END_EVENT) {
        REFUSE(reading, "a second document begins here; only one is read", NO_WORD, "");
    }
    return adit_ok();
}

struct adit_status adit_config_read(struct adit_bytes file, struct adit_bytes text,
                                    struct adit_config *out_config,
                                    struct adit_writer *complaint)
{
    struct reading reading = {
        .config = out_config, .complaint = complaint, .file = file, .text = text};
    const yaml_mark_t end = mark_of(text, ADIT_CONFIG_BYTES_MAX);
    adit_span_fill(ADIT_OBJECT_SPAN(*out_config), 0);
    out_config->file = file;
    if (text.len > ADIT_CONFIG_BYTES_MAX) {
        const struct sentence large = {.before = ADIT_BYTES("the file is larger than 64 KiB")};
        complain(&reading, &end, &large);
        ADIT_FAIL(LIMIT, "the configuration file is too large");
    }
    ADIT_ENSURE(yaml_parser_initialize(&reading.parser) == 1, MEMORY,
                "there is no memory for the configuration file");
    yaml_parser_set_input_string(&reading.parser, text.ptr, text.len);
    yaml_parser_set_encoding(&reading.parser, YAML_UTF8_ENCODING);
    struct adit_status status = stream_take(&reading);
    yaml_event_delete(&reading.event);
    yaml_parser_delete(&reading.parser);
    return status;
}

static struct adit_status file_complain(struct adit_writer *complaint, struct adit_bytes file,
                                        struct adit_status status)
{
    ADIT_TRY(adit_write_escaped(complaint, file, FILE_SHOWN_MAX));
    ADIT_TRY(adit_write_bytes(complaint, ADIT_BYTES(": ")));
    if (adit_status_error(status) == ADIT_ERROR_LIMIT) {
        return adit_write_bytes(complaint, ADIT_BYTES("the file is larger than 64 KiB"));
    }
    ADIT_TRY(adit_write_bytes(complaint, adit_bytes_of_text(adit_status_what(status))));
    if (adit_status_error(status) == ADIT_ERROR_SYSTEM) {
        ADIT_TRY(adit_write_bytes(complaint, ADIT_BYTES(" (")));
        ADIT_TRY(adit_write_bytes(complaint,
                                  adit_bytes_of_text(strerrordesc_np((int)status.detail))));
        ADIT_TRY(adit_write_bytes(complaint, ADIT_BYTES(")")));
    }
    return adit_ok();
}

struct adit_status adit_config_load(const char *path, struct adit_config *out_config,
                                    struct adit_writer *complaint)
{
    struct adit_span memory = {0};
    ADIT_TRY(adit_memory_open(1, ADIT_CONFIG_BYTES_MAX, &memory));
    struct adit_writer text = adit_writer_of(memory);
    struct adit_bytes file = adit_bytes_of_text(path);
    struct adit_status status = adit_file_read(path, &text);
    if (adit_is_ok(status)) {
        status = adit_config_read(file, adit_writer_bytes(&text), out_config, complaint);
    } else {
        complaint->len = 0;
        adit_status_ignore(file_complain(complaint, file, status), "cut is as good");
    }
    adit_memory_close(&memory);
    return status;
}
