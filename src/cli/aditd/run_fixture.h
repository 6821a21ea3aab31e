/* Run fixture: a whole command of aditd inside a test, with its words, what it printed and its exit
 * code. */
#ifndef ADIT_CLI_ADITD_RUN_FIXTURE_H
#define ADIT_CLI_ADITD_RUN_FIXTURE_H

#include <stdio.h>
#include <sys/mman.h>

#include "cli/aditd/command.h"

#include "unit.h"

#define RUN_WORDS_MAX 10
#define RUN_WORD_BYTES 300
#define RUN_TEXT_BYTES 8192

struct run {
    int code;
    struct adit_writer out, error;
    uint8_t out_memory[RUN_TEXT_BYTES], error_memory[RUN_TEXT_BYTES];
};

static inline void run_collect(int fd, struct adit_span memory, struct adit_writer *out_writer)
{
    *out_writer = adit_writer_of(memory);
    assert_ok(adit_file_read_fd(fd, out_writer));
    close(fd);
}

/* `words` after the program's name, up to the first null. */
static inline void run(struct run *run, const char *const *words, size_t count)
{
    static char memory[RUN_WORDS_MAX + 1][RUN_WORD_BYTES]; /* argv is not const */
    char *argv[RUN_WORDS_MAX + 1] = {0};
    size_t argc = 1;
    ADIT_AT(argv, 0) = memory[0];
    for (size_t i = 0; i < count && ADIT_SLOT(words, count, i); i++) {
        char *word = ADIT_AT(memory, i + 1);
        struct adit_span span = adit_object_span(word, RUN_WORD_BYTES);
        adit_span_fill(span, 0);
        assert_ok(adit_span_copy(adit_span_first(span, RUN_WORD_BYTES - 1),
                                 adit_bytes_of_text(ADIT_SLOT(words, count, i))));
        ADIT_AT(argv, argc) = word;
        argc++;
    }
    int saved[2] = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};
    int taken[2] = {memfd_create("out", MFD_CLOEXEC), memfd_create("error", MFD_CLOEXEC)};
    fflush(stdout);
    dup2(taken[0], STDOUT_FILENO);
    dup2(taken[1], STDERR_FILENO);
    run->code = adit_aditd_run(argc, argv);
    dup2(saved[0], STDOUT_FILENO);
    dup2(saved[1], STDERR_FILENO);
    close(saved[0]);
    close(saved[1]);
    run_collect(taken[0], ADIT_SPAN_OF(run->out_memory), &run->out);
    run_collect(taken[1], ADIT_SPAN_OF(run->error_memory), &run->error);
}

/* RUN(&run, "token", "create", ...) */
#define RUN(result, ...)                                                                        \
    do {                                                                                        \
        const char *const run_words[RUN_WORDS_MAX] = {__VA_ARGS__};                             \
        run((result), run_words, RUN_WORDS_MAX);                                                \
    } while (0)

#endif
