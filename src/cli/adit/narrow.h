/* Narrow: `adit token narrow`: a token that may do less than the one it is made from, offline.
 *
 *     adit token narrow [--names PATTERN] [--allow http,tcp,tls] [--ttl D]
 *                       [--token T | --token-file F]
 *
 * Without a token in the options or in ADIT_TOKEN it reads one line of standard input. */
#ifndef ADIT_CLI_ADIT_NARROW_H
#define ADIT_CLI_ADIT_NARROW_H

#include "cli/adit/options.h"

/* What is to be taken away, from the options; --ttl counts from `now_s`. INVALID with one line in
 * `complaint`: a value is wrong, or nothing is asked for. */
struct adit_status adit_narrow_read(const struct adit_args *args, uint64_t now_s,
                                    struct adit_writer *complaint,
                                    struct adit_token_block *out_block);

/* Appends the narrowed token and a line end. INVALID or LIMIT with a sentence for a person. */
struct adit_status adit_narrow_write(struct adit_writer *out, struct adit_bytes token,
                                     const struct adit_token_block *block);

/* One line of `fd` into the token's memory, without its end. INVALID where it is longer than any
 * token; SYSTEM with errno. */
struct adit_status adit_narrow_input(int fd, struct adit_token_text *token);

#endif
