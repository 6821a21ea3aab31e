#include "cli/args.h"

#define WORD_MAX 32     /* bytes of a word that can have a neighbour */
#define DISTANCE_MAX 2  /* edits within which a name is suggested */
#define SHOWN_MAX 64    /* bytes of the person's own text that a complaint repeats */
#define COLUMN 26       /* where the help of an option begins */

static size_t least(size_t a, size_t b, size_t c)
{
    return adit_min_size(a, adit_min_size(b, c));
}

/* Optimal string alignment: the classical table, three rows of it. */
size_t adit_args_distance(struct adit_bytes a, struct adit_bytes b, size_t limit)
{
    size_t rows[3][WORD_MAX + 1] = {{0}};
    if (a.len > WORD_MAX || b.len > WORD_MAX) {
        return limit + 1;
    }
    for (size_t j = 0; j <= b.len; j++) {
        ADIT_AT(rows[0], j) = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        size_t *row = ADIT_AT(rows, i % 3);
        const size_t *above = ADIT_AT(rows, (i + 2) % 3);
        const size_t *above2 = ADIT_AT(rows, (i + 1) % 3);
        ADIT_SLOT(row, WORD_MAX + 1, 0) = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t is_other = adit_bytes_at(a, i - 1) != adit_bytes_at(b, j - 1) ? 1 : 0;
            size_t best = least(ADIT_SLOT(above, WORD_MAX + 1, j) + 1,
                                ADIT_SLOT(row, WORD_MAX + 1, j - 1) + 1,
                                ADIT_SLOT(above, WORD_MAX + 1, j - 1) + is_other);
            if (i > 1 && j > 1 && adit_bytes_at(a, i - 1) == adit_bytes_at(b, j - 2) &&
                adit_bytes_at(a, i - 2) == adit_bytes_at(b, j - 1)) {
                best = adit_min_size(best, ADIT_SLOT(above2, WORD_MAX + 1, j - 2) + 1);
            }
            ADIT_SLOT(row, WORD_MAX + 1, j) = best;
        }
    }
    const size_t *last = ADIT_AT(rows, a.len % 3);
    return adit_min_size(ADIT_SLOT(last, WORD_MAX + 1, b.len), limit + 1);
}

void adit_args_nearest_offer(struct adit_args_nearest *nearest, struct adit_bytes name)
{
    size_t distance = adit_args_distance(nearest->word, name, DISTANCE_MAX);
    bool is_start = nearest->word.len >= 3 && adit_bytes_starts_with(name, nearest->word);
    if (is_start) {
        distance = adit_min_size(distance, DISTANCE_MAX);
    }
    if (distance <= DISTANCE_MAX && distance < nearest->distance && distance < name.len) {
        nearest->best = name;
        nearest->distance = distance;
    }
}

/* `before` 'word' `after` — the line of a complaint; a text that does not fit is cut. */
static void complain(struct adit_writer *complaint, struct adit_bytes before,
                     struct adit_bytes word, struct adit_bytes after)
{
    complaint->len = 0;
    adit_status_ignore(adit_write_bytes(complaint, before), "a cut complaint is still one");
    adit_status_ignore(adit_write_u8(complaint, '\''), "as above");
    adit_status_ignore(adit_write_escaped(complaint, word, SHOWN_MAX), "as above");
    adit_status_ignore(adit_write_u8(complaint, '\''), "as above");
    adit_status_ignore(adit_write_bytes(complaint, after), "as above");
}

static void complain_more(struct adit_writer *complaint, struct adit_bytes text)
{
    adit_status_ignore(adit_write_bytes(complaint, text), "a cut complaint is still one");
}

static void complain_help(struct adit_writer *complaint, const struct adit_args_program *program,
                          const struct adit_args_command *command)
{
    complain_more(complaint, ADIT_BYTES("; see '"));
    complain_more(complaint, program->name);
    complain_more(complaint, ADIT_BYTES(" "));
    complain_more(complaint, command ? command->name : ADIT_BYTES(""));
    complain_more(complaint, command ? ADIT_BYTES(" --help'") : ADIT_BYTES("help'"));
}

/* What the parse knows while it goes on. */
struct parse {
    const struct adit_args_program *program;
    struct adit_writer *complaint;
    char **argv;
    size_t argc;
    size_t at; /* the next argument */
    struct adit_args args;
};

static const char *argument(const struct parse *parse, size_t index)
{
    return ADIT_SLOT(parse->argv, parse->argc, index);
}

/* How many arguments name the command: 0, 1 or 2. */
static size_t command_words(const struct parse *parse, struct adit_bytes name)
{
    size_t split = adit_bytes_find(name, ' ');
    struct adit_bytes rest = adit_bytes_from(name, split + 1);
    struct adit_bytes first = adit_bytes_of_text(argument(parse, 1));
    if (!adit_bytes_equal(first, adit_bytes_first(name, split))) {
        return 0;
    }
    if (rest.len == 0) {
        return 1;
    }
    bool is_second =
        parse->argc > 2 && adit_bytes_equal(adit_bytes_of_text(argument(parse, 2)), rest);
    return is_second ? 2 : 0;
}

static bool is_help_word(struct adit_bytes word)
{
    return adit_bytes_equal(word, ADIT_BYTES("--help")) || adit_bytes_equal(word, ADIT_BYTES("-h"));
}

/* A first word that names no command: is it the start of a two-word one, or nearly a name? */
static struct adit_status command_unknown(struct parse *parse)
{
    struct adit_args_nearest nearest = adit_args_nearest_to(adit_bytes_of_text(argument(parse, 1)));
    bool is_group = false;
    complain(parse->complaint, ADIT_BYTES("unknown command "), nearest.word, ADIT_BYTES(""));
    for (size_t i = 0; i < parse->program->command_count; i++) {
        struct adit_bytes name =
            ADIT_SLOT(parse->program->commands, parse->program->command_count, i).name;
        size_t split = adit_bytes_find(name, ' ');
        if (split < name.len && adit_bytes_equal(adit_bytes_first(name, split), nearest.word)) {
            complain_more(parse->complaint,
                          is_group ? ADIT_BYTES(", ") : ADIT_BYTES(" on its own; choose '"));
            complain_more(parse->complaint, name);
            is_group = true;
        }
        adit_args_nearest_offer(&nearest, adit_bytes_first(name, split));
    }
    if (is_group) {
        complain_more(parse->complaint, ADIT_BYTES("'"));
    } else if (nearest.best.len > 0) {
        complain_more(parse->complaint, ADIT_BYTES("; did you mean '"));
        complain_more(parse->complaint, nearest.best);
        complain_more(parse->complaint, ADIT_BYTES("'?"));
    } else {
        complain_help(parse->complaint, parse->program, NULL);
    }
    ADIT_FAIL(INVALID, "the command is unknown");
}

static struct adit_status command_find(struct parse *parse)
{
    if (parse->argc < 2) {
        complain_more(parse->complaint, ADIT_BYTES("no command was given"));
        complain_help(parse->complaint, parse->program, NULL);
        ADIT_FAIL(INVALID, "there is no command");
    }
    struct adit_bytes first = adit_bytes_of_text(argument(parse, 1));
    if (is_help_word(first) || adit_bytes_equal(first, ADIT_BYTES("help"))) {
        parse->args.is_help = true;
        parse->at = parse->argc;
        return adit_ok();
    }
    for (size_t i = 0; i < parse->program->command_count; i++) {
        const struct adit_args_command *command =
            &ADIT_SLOT(parse->program->commands, parse->program->command_count, i);
        size_t words = command_words(parse, command->name);
        if (words > 0) {
            ADIT_ASSERT(command->option_count <= ADIT_ARGS_OPTIONS_MAX);
            parse->args.command = command;
            parse->at = 1 + words;
            return adit_ok();
        }
    }
    return command_unknown(parse);
}

static bool option_find(const struct adit_args_command *command, struct adit_bytes name,
                        size_t *out_index)
{
    for (size_t i = 0; i < command->option_count; i++) {
        if (adit_bytes_equal(ADIT_SLOT(command->options, command->option_count, i).name, name)) {
            *out_index = i;
            return true;
        }
    }
    return false;
}

static struct adit_status option_unknown(struct parse *parse, struct adit_bytes word,
                                         struct adit_bytes name)
{
    const struct adit_args_command *command = parse->args.command;
    struct adit_args_nearest nearest = adit_args_nearest_to(name);
    for (size_t i = 0; i < command->option_count; i++) {
        adit_args_nearest_offer(&nearest,
                                ADIT_SLOT(command->options, command->option_count, i).name);
    }
    complain(parse->complaint, ADIT_BYTES("unknown option "), word, ADIT_BYTES(""));
    if (nearest.best.len > 0) {
        complain_more(parse->complaint, ADIT_BYTES("; did you mean '--"));
        complain_more(parse->complaint, nearest.best);
        complain_more(parse->complaint, ADIT_BYTES("'?"));
    } else {
        complain_help(parse->complaint, parse->program, command);
    }
    ADIT_FAIL(INVALID, "the option is unknown");
}

/* The text after the first '=' of an argument that has one at offset `at`. */
static const char *text_after(const char *text, size_t len, size_t at)
{
    return &ADIT_SLOT(text, len + 1, at + 1);
}

static struct adit_status option_take(struct parse *parse, const char *text)
{
    const struct adit_args_command *command = parse->args.command;
    struct adit_bytes whole = adit_bytes_of_text(text);
    struct adit_bytes body = adit_bytes_from(whole, 2);
    size_t equals = adit_bytes_find(body, '=');
    struct adit_bytes name = adit_bytes_first(body, equals);
    struct adit_bytes shown = adit_bytes_first(whole, equals + 2);
    size_t index = 0;
    if (!adit_bytes_starts_with(whole, ADIT_BYTES("--")) || !option_find(command, name, &index)) {
        return option_unknown(parse, shown, name);
    }
    const struct adit_args_option *option =
        &ADIT_SLOT(command->options, command->option_count, index);
    const char *value = equals < body.len ? text_after(text, whole.len, equals + 2) : NULL;
    if (ADIT_AT(parse->args.values, index)) {
        complain(parse->complaint, ADIT_BYTES("option "), shown,
                 ADIT_BYTES(" was given twice; give it once"));
        ADIT_FAIL(INVALID, "the option was given twice");
    }
    if (option->value.len == 0 && value) {
        complain(parse->complaint, ADIT_BYTES("option "), shown,
                 ADIT_BYTES(" takes no value; leave out the '=' and what follows"));
        ADIT_FAIL(INVALID, "the option takes no value");
    }
    if (option->value.len > 0 && !value && parse->at < parse->argc) {
        value = argument(parse, parse->at);
        parse->at++;
    }
    if (option->value.len > 0 && !value) {
        complain(parse->complaint, ADIT_BYTES("option "), shown, ADIT_BYTES(" needs a value: "));
        complain_more(parse->complaint, shown);
        complain_more(parse->complaint, ADIT_BYTES(" "));
        complain_more(parse->complaint, option->value);
        ADIT_FAIL(INVALID, "the option needs a value");
    }
    ADIT_AT(parse->args.values, index) = value ? value : "";
    return adit_ok();
}

static struct adit_status operand_take(struct parse *parse, const char *text)
{
    if (parse->args.operand_count >= parse->args.command->operands_max ||
        parse->args.operand_count >= ADIT_ARGS_OPERANDS_MAX) {
        complain(parse->complaint, ADIT_BYTES("unexpected argument "), adit_bytes_of_text(text),
                 ADIT_BYTES(""));
        complain_help(parse->complaint, parse->program, parse->args.command);
        ADIT_FAIL(INVALID, "there are too many arguments");
    }
    ADIT_AT(parse->args.operands, parse->args.operand_count) = text;
    parse->args.operand_count++;
    return adit_ok();
}

static bool is_help_asked(const struct parse *parse)
{
    for (size_t i = parse->at; i < parse->argc; i++) {
        struct adit_bytes word = adit_bytes_of_text(argument(parse, i));
        if (adit_bytes_equal(word, ADIT_BYTES("--"))) {
            return false;
        }
        if (is_help_word(word)) {
            return true;
        }
    }
    return false;
}

static struct adit_status arguments_take(struct parse *parse)
{
    bool is_option_end = false;
    while (parse->at < parse->argc) {
        const char *text = argument(parse, parse->at);
        struct adit_bytes word = adit_bytes_of_text(text);
        parse->at++;
        if (is_option_end || word.len < 2 || adit_bytes_at(word, 0) != '-') {
            ADIT_TRY(operand_take(parse, text));
        } else if (adit_bytes_equal(word, ADIT_BYTES("--"))) {
            is_option_end = true;
        } else {
            ADIT_TRY(option_take(parse, text));
        }
    }
    if (parse->args.operand_count < parse->args.command->operands_min) {
        complain(parse->complaint, ADIT_BYTES("the command "), parse->args.command->name,
                 ADIT_BYTES(" needs "));
        complain_more(parse->complaint, parse->args.command->operands);
        complain_help(parse->complaint, parse->program, parse->args.command);
        ADIT_FAIL(INVALID, "an argument is missing");
    }
    return adit_ok();
}

struct adit_status adit_args_parse(const struct adit_args_program *program, size_t argc,
                                   char **argv, struct adit_writer *complaint,
                                   struct adit_args *out_args)
{
    struct parse parse = {.program = program, .complaint = complaint, .argv = argv, .argc = argc};
    ADIT_TRY(command_find(&parse));
    if (parse.args.command && is_help_asked(&parse)) {
        parse.args.is_help = true;
    } else if (parse.args.command) {
        ADIT_TRY(arguments_take(&parse));
    }
    *out_args = parse.args;
    return adit_ok();
}

const char *adit_args_value(const struct adit_args *args, struct adit_bytes name)
{
    size_t index = 0;
    ADIT_ASSERT(args->command && option_find(args->command, name, &index));
    return ADIT_AT(args->values, index);
}

bool adit_args_is_given(const struct adit_args *args, struct adit_bytes name)
{
    return adit_args_value(args, name) != NULL;
}

const char *adit_args_operand(const struct adit_args *args, size_t index)
{
    return index < args->operand_count ? ADIT_AT(args->operands, index) : NULL;
}

static struct adit_status row_write(struct adit_writer *writer, size_t start,
                                    struct adit_bytes help)
{
    size_t used = writer->len - start;
    ADIT_TRY(adit_write_bytes(writer, used + 2 > COLUMN ? ADIT_BYTES("\n") : ADIT_BYTES("")));
    for (size_t at = used + 2 > COLUMN ? 0 : used; at < COLUMN; at++) {
        ADIT_TRY(adit_write_u8(writer, ' '));
    }
    ADIT_TRY(adit_write_bytes(writer, help));
    return adit_write_u8(writer, '\n');
}

static struct adit_status option_write(struct adit_writer *writer,
                                       const struct adit_args_option *option)
{
    size_t start = writer->len;
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("  --")));
    ADIT_TRY(adit_write_bytes(writer, option->name));
    ADIT_TRY(adit_write_bytes(writer, option->value.len > 0 ? ADIT_BYTES(" ") : ADIT_BYTES("")));
    ADIT_TRY(adit_write_bytes(writer, option->value));
    return row_write(writer, start, option->help);
}

static struct adit_status command_help_write(struct adit_writer *writer,
                                             const struct adit_args_program *program,
                                             const struct adit_args_command *command)
{
    static const struct adit_args_option help = {.name = ADIT_BYTES_INIT("help"),
                                                 .help = ADIT_BYTES_INIT("print this")};
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("usage: ")));
    ADIT_TRY(adit_write_bytes(writer, program->name));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES(" ")));
    ADIT_TRY(adit_write_bytes(writer, command->name));
    ADIT_TRY(adit_write_bytes(writer, command->operands.len > 0 ? ADIT_BYTES(" ")
                                                                : ADIT_BYTES("")));
    ADIT_TRY(adit_write_bytes(writer, command->operands));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES(" [OPTION]...\n")));
    ADIT_TRY(adit_write_bytes(writer, command->summary));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("\n\n")));
    for (size_t i = 0; i < command->option_count; i++) {
        ADIT_TRY(option_write(writer, &ADIT_SLOT(command->options, command->option_count, i)));
    }
    return option_write(writer, &help);
}

struct adit_status adit_args_help_write(struct adit_writer *writer,
                                        const struct adit_args_program *program,
                                        const struct adit_args_command *command)
{
    if (command) {
        return command_help_write(writer, program, command);
    }
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("usage: ")));
    ADIT_TRY(adit_write_bytes(writer, program->name));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES(" COMMAND [OPTION]...\n")));
    ADIT_TRY(adit_write_bytes(writer, program->summary));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("\n\n")));
    for (size_t i = 0; i < program->command_count; i++) {
        const struct adit_args_command *row =
            &ADIT_SLOT(program->commands, program->command_count, i);
        size_t start = writer->len;
        ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("  ")));
        ADIT_TRY(adit_write_bytes(writer, row->name));
        ADIT_TRY(row_write(writer, start, row->summary));
    }
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("\nEach command explains itself with --help.\n")));
    return adit_ok();
}
