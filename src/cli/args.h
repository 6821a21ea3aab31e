/* Args: the command line of adit and aditd, read by one table of commands and options.
 *
 * Forms: `program command [--name value | --name=value | --flag]... [operand]...`; a command is one
 * word or two ("token create"); `--` ends the options; `--help` or `-h` anywhere asks for help. An
 * option given twice, an unknown one, a missing or superfluous value or operand is a usage error:
 * one line that says what is wrong and what to do, with the nearest known name where one is near.
 *
 * Reads no environment and prints nothing. Values stay views of argv. Limits: ADIT_ARGS_OPTIONS_MAX
 * options a command, ADIT_ARGS_OPERANDS_MAX operands. */
#ifndef ADIT_CLI_ARGS_H
#define ADIT_CLI_ARGS_H

#include "base/base.h"

#define ADIT_ARGS_OPTIONS_MAX 24
#define ADIT_ARGS_OPERANDS_MAX 8

struct adit_args_option {
    struct adit_bytes name;  /* "data": written --data */
    struct adit_bytes value; /* "DIR", for the help; empty: the option takes no value */
    struct adit_bytes help;  /* one line */
};

struct adit_args_command {
    struct adit_bytes name;     /* "serve" or "token create" */
    struct adit_bytes operands; /* "TARGET", for the help; empty: there are none */
    struct adit_bytes summary;  /* one line */
    const struct adit_args_option *options;
    size_t option_count; /* at most ADIT_ARGS_OPTIONS_MAX (asserted) */
    size_t operands_min, operands_max;
    int number; /* the caller's own, to switch on */
};

struct adit_args_program {
    struct adit_bytes name;    /* "aditd" */
    struct adit_bytes summary; /* one line */
    const struct adit_args_command *commands;
    size_t command_count;
};

struct adit_args {
    const struct adit_args_command *command; /* null: help on the whole program is asked for */
    bool is_help;
    const char *values[ADIT_ARGS_OPTIONS_MAX]; /* by index in the table; "" for a flag; or null */
    const char *operands[ADIT_ARGS_OPERANDS_MAX];
    size_t operand_count;
};

/* Reads argv[1] on. INVALID where that is a usage error: `complaint` then holds one line for the
 * person, without a newline, and *out_args is untouched. No arguments at all is a usage error. */
struct adit_status adit_args_parse(const struct adit_args_program *program, size_t argc,
                                   char **argv, struct adit_writer *complaint,
                                   struct adit_args *out_args);

/* The value of an option of the command's table (asserted), or null where it was not given. */
const char *adit_args_value(const struct adit_args *args, struct adit_bytes name);
bool adit_args_is_given(const struct adit_args *args, struct adit_bytes name);

/* Operand `index`, or null. */
const char *adit_args_operand(const struct adit_args *args, size_t index);

/* The help text of one command, or of the program where `command` is null. */
struct adit_status adit_args_help_write(struct adit_writer *writer,
                                        const struct adit_args_program *program,
                                        const struct adit_args_command *command);

/* How many single-byte edits and swaps of neighbours lead from a to b; `limit` + 1 where more. */
size_t adit_args_distance(struct adit_bytes a, struct adit_bytes b, size_t limit);

/* The known name that somebody who wrote `word` may have meant: begin, offer each name, look at
 * `best`. */
struct adit_args_nearest {
    struct adit_bytes word;
    struct adit_bytes best; /* empty: none is near */
    size_t distance;
};

static inline struct adit_args_nearest adit_args_nearest_to(struct adit_bytes word)
{
    return (struct adit_args_nearest){.word = word, .distance = SIZE_MAX};
}

void adit_args_nearest_offer(struct adit_args_nearest *nearest, struct adit_bytes name);

#endif
