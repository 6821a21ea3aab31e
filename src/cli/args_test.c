#include "cli/args.h"

#include "unit.h"

static const struct adit_args_option serve_options[] = {
    {ADIT_BYTES_INIT("data"), ADIT_BYTES_INIT("DIR"), ADIT_BYTES_INIT("where state is kept")},
    {ADIT_BYTES_INIT("domain"), ADIT_BYTES_INIT("NAME"), ADIT_BYTES_INIT("the public domain")},
    {ADIT_BYTES_INIT("no-sandbox"), {0}, ADIT_BYTES_INIT("run without a sandbox")},
};

static const struct adit_args_option token_options[] = {
    {ADIT_BYTES_INIT("json"), {0}, ADIT_BYTES_INIT("print JSON")},
};

static const struct adit_args_command commands[] = {
    {.name = ADIT_BYTES_INIT("serve"),
     .summary = ADIT_BYTES_INIT("Run the server."),
     .options = serve_options,
     .option_count = ADIT_COUNT(serve_options),
     .number = 1},
    {.name = ADIT_BYTES_INIT("token create"),
     .summary = ADIT_BYTES_INIT("Make a token."),
     .options = token_options,
     .option_count = ADIT_COUNT(token_options),
     .number = 2},
    {.name = ADIT_BYTES_INIT("token revoke"),
     .operands = ADIT_BYTES_INIT("ID"),
     .operands_min = 1,
     .operands_max = 1,
     .summary = ADIT_BYTES_INIT("Revoke a token."),
     .number = 3},
};

static const struct adit_args_program program = {
    .name = ADIT_BYTES_INIT("aditd"),
    .summary = ADIT_BYTES_INIT("The server."),
    .commands = commands,
    .command_count = ADIT_COUNT(commands),
};

#define WORDS_MAX 8

/* A command line as a table row holds it: the words after the program's name. */
struct line {
    const char *words[WORDS_MAX];
};

static struct adit_status parse(const struct line *line, struct adit_writer *complaint,
                                struct adit_args *out_args)
{
    static char memory[WORDS_MAX + 1][64]; /* argv is not const */
    char *argv[WORDS_MAX + 1] = {0};
    size_t argc = 1;
    ADIT_AT(argv, 0) = memory[0];
    for (size_t i = 0; i < WORDS_MAX && ADIT_AT(line->words, i); i++) {
        char *word = ADIT_AT(memory, i + 1);
        struct adit_bytes text = adit_bytes_of_text(ADIT_AT(line->words, i));
        struct adit_span span = adit_object_span(word, 64);
        adit_span_fill(span, 0);
        assert_ok(adit_span_copy(adit_span_first(span, 63), text));
        ADIT_AT(argv, argc) = word;
        argc++;
    }
    return adit_args_parse(&program, argc, argv, complaint, out_args);
}

static void good_lines_are_read(void **state)
{
    (void)state;
    const struct line line = {{"serve", "--data", "/tmp/x", "--no-sandbox", "--domain=a=b"}};
    uint8_t memory[256] = {0};
    struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_args args = {0};
    assert_ok(parse(&line, &complaint, &args));
    assert_int_equal(args.command->number, 1);
    assert_string_equal(adit_args_value(&args, ADIT_BYTES("data")), "/tmp/x");
    assert_string_equal(adit_args_value(&args, ADIT_BYTES("domain")), "a=b");
    assert_true(adit_args_is_given(&args, ADIT_BYTES("no-sandbox")));
    const struct line none = {{"serve"}};
    assert_ok(parse(&none, &complaint, &args));
    assert_null(adit_args_value(&args, ADIT_BYTES("data")));
    const struct line operand = {{"token", "revoke", "--", "--id"}};
    assert_ok(parse(&operand, &complaint, &args));
    assert_int_equal(args.command->number, 3);
    assert_string_equal(adit_args_operand(&args, 0), "--id");
    assert_null(adit_args_operand(&args, 1));
    const struct line empty = {{"serve", "--domain="}};
    assert_ok(parse(&empty, &complaint, &args));
    assert_string_equal(adit_args_value(&args, ADIT_BYTES("domain")), "");
}

static void help_is_asked_for(void **state)
{
    (void)state;
    static const struct {
        struct line line;
        int number;
    } cases[] = {
        {{{"help"}}, 0},
        {{{"--help"}}, 0},
        {{{"-h"}}, 0},
        {{{"serve", "--help"}}, 1},
        {{{"serve", "--nonsense", "-h"}}, 1},
        {{{"token", "create", "--help"}}, 2},
        {{{"token", "revoke", "--help"}}, 3},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        uint8_t memory[256] = {0};
        struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
        struct adit_args args = {0};
        assert_ok(parse(&ADIT_AT(cases, i).line, &complaint, &args));
        assert_true(args.is_help);
        assert_int_equal(args.command ? args.command->number : 0, ADIT_AT(cases, i).number);
    }
}

static void bad_lines_are_explained(void **state)
{
    (void)state;
    static const struct {
        struct line line;
        struct adit_bytes complaint;
    } cases[] = {
        {{{0}}, ADIT_BYTES_INIT("no command was given; see 'aditd help'")},
        {{{"sevre"}}, ADIT_BYTES_INIT("unknown command 'sevre'; did you mean 'serve'?")},
        {{{"xyzzy"}}, ADIT_BYTES_INIT("unknown command 'xyzzy'; see 'aditd help'")},
        {{{"a\nb"}}, ADIT_BYTES_INIT("unknown command 'a\\u000ab'; see 'aditd help'")},
        {{{"token"}},
         ADIT_BYTES_INIT(
             "unknown command 'token' on its own; choose 'token create, token revoke'")},
        {{{"serve", "--dmain", "x"}},
         ADIT_BYTES_INIT("unknown option '--dmain'; did you mean '--domain'?")},
        {{{"serve", "--dom=x"}},
         ADIT_BYTES_INIT("unknown option '--dom'; did you mean '--domain'?")},
        {{{"serve", "--workers", "4"}},
         ADIT_BYTES_INIT("unknown option '--workers'; see 'aditd serve --help'")},
        {{{"serve", "-d"}}, ADIT_BYTES_INIT("unknown option '-d'; see 'aditd serve --help'")},
        {{{"serve", "--data"}},
         ADIT_BYTES_INIT("option '--data' needs a value: --data DIR")},
        {{{"serve", "--data", "a", "--data", "b"}},
         ADIT_BYTES_INIT("option '--data' was given twice; give it once")},
        {{{"serve", "--no-sandbox=yes"}},
         ADIT_BYTES_INIT("option '--no-sandbox' takes no value; leave out the '=' and what "
                         "follows")},
        {{{"serve", "now"}},
         ADIT_BYTES_INIT("unexpected argument 'now'; see 'aditd serve --help'")},
        {{{"token", "revoke"}},
         ADIT_BYTES_INIT("the command 'token revoke' needs ID; see 'aditd token revoke --help'")},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        uint8_t memory[256] = {0};
        struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
        struct adit_args args = {.operand_count = 7};
        assert_fails(parse(&ADIT_AT(cases, i).line, &complaint, &args), INVALID);
        assert_bytes(adit_writer_bytes(&complaint), ADIT_AT(cases, i).complaint);
        assert_int_equal(args.operand_count, 7);
    }
}

static void distances_are_edits(void **state)
{
    (void)state;
    static const struct {
        struct adit_bytes a, b;
        size_t distance;
    } cases[] = {
        {ADIT_BYTES_INIT(""), ADIT_BYTES_INIT(""), 0},
        {ADIT_BYTES_INIT("abc"), ADIT_BYTES_INIT("abc"), 0},
        {ADIT_BYTES_INIT("abc"), ADIT_BYTES_INIT("acb"), 1},
        {ADIT_BYTES_INIT("abc"), ADIT_BYTES_INIT("ab"), 1},
        {ADIT_BYTES_INIT("abc"), ADIT_BYTES_INIT("xabc"), 1},
        {ADIT_BYTES_INIT("abcd"), ADIT_BYTES_INIT("badc"), 2},
        {ADIT_BYTES_INIT("kitten"), ADIT_BYTES_INIT("sitting"), 3},
        {ADIT_BYTES_INIT("kitten"), ADIT_BYTES_INIT("octopus"), 4},
        {ADIT_BYTES_INIT("0123456789012345678901234567890123456789"), ADIT_BYTES_INIT("a"), 4},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        size_t distance = adit_args_distance(ADIT_AT(cases, i).a, ADIT_AT(cases, i).b, 3);
        assert_int_equal(distance, ADIT_AT(cases, i).distance);
        distance = adit_args_distance(ADIT_AT(cases, i).b, ADIT_AT(cases, i).a, 3);
        assert_int_equal(distance, ADIT_AT(cases, i).distance);
    }
}

static void help_lists_everything(void **state)
{
    (void)state;
    uint8_t memory[2048] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    assert_ok(adit_args_help_write(&writer, &program, NULL));
    assert_bytes(adit_writer_bytes(&writer),
                 ADIT_BYTES("usage: aditd COMMAND [OPTION]...\n"
                            "The server.\n\n"
                            "  serve                   Run the server.\n"
                            "  token create            Make a token.\n"
                            "  token revoke            Revoke a token.\n\n"
                            "Each command explains itself with --help.\n"));
    writer = adit_writer_of(ADIT_SPAN_OF(memory));
    assert_ok(adit_args_help_write(&writer, &program, &commands[0]));
    assert_bytes(adit_writer_bytes(&writer),
                 ADIT_BYTES("usage: aditd serve [OPTION]...\n"
                            "Run the server.\n\n"
                            "  --data DIR              where state is kept\n"
                            "  --domain NAME           the public domain\n"
                            "  --no-sandbox            run without a sandbox\n"
                            "  --help                  print this\n"));
    writer = adit_writer_of(adit_span_first(ADIT_SPAN_OF(memory), 40));
    assert_fails(adit_args_help_write(&writer, &program, &commands[0]), LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_lines_are_read),
        cmocka_unit_test(help_is_asked_for),
        cmocka_unit_test(bad_lines_are_explained),
        cmocka_unit_test(distances_are_edits),
        cmocka_unit_test(help_lists_everything),
    };
    return cmocka_run_group_tests_name("cli/args", tests, NULL, NULL);
}
