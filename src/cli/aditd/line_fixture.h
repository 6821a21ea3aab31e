/* Fixture: a command line of aditd, read as main reads it. For tests only; include "unit.h" before
 * it. */
#ifndef ADIT_CLI_ADITD_LINE_FIXTURE_H
#define ADIT_CLI_ADITD_LINE_FIXTURE_H

#include "cli/aditd/settings.h"

#define WORDS_MAX 11

struct line {
    const char *words[WORDS_MAX];
};

/* As main does: the words after the program's name. */
static inline void line_parse(const struct line *line, struct adit_args *out_args)
{
    static char memory[WORDS_MAX + 1][300]; /* argv is not const */
    char *argv[WORDS_MAX + 1] = {0};
    uint8_t text[256] = {0};
    struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(text));
    size_t argc = 1;
    ADIT_AT(argv, 0) = memory[0];
    for (size_t i = 0; i < WORDS_MAX && ADIT_AT(line->words, i); i++) {
        char *word = ADIT_AT(memory, i + 1);
        struct adit_span span = adit_object_span(word, 300);
        adit_span_fill(span, 0);
        assert_ok(adit_span_copy(adit_span_first(span, 299),
                                 adit_bytes_of_text(ADIT_AT(line->words, i))));
        ADIT_AT(argv, argc) = word;
        argc++;
    }
    assert_ok(adit_args_parse(&adit_aditd_program, argc, argv, &complaint, out_args));
}

#endif
