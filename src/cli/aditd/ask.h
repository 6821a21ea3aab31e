/* Ask: a question to the server that runs on a data folder: one line to its socket there, and one
 * line of JSON back. */
#ifndef ADIT_CLI_ADITD_ASK_H
#define ADIT_CLI_ADITD_ASK_H

#include "base/base.h"

#define ADIT_ASK_ANSWER_MAX (256u * 1024u)
#define ADIT_ASK_MS 4000u /* the server itself gives up after 3 s */

/* Appends the answer without its newline: one JSON object, checked. CLOSED where no server runs
 * there; TIMEOUT where it did not answer within `timeout_ms`; INVALID where the answer is no such
 * line; LIMIT where it is larger than the writer; SYSTEM with errno. */
struct adit_status adit_ask(const char *folder, struct adit_bytes question, uint64_t timeout_ms,
                            struct adit_writer *answer);

/* The server's process: the one to signal. CLOSED where no server runs there; REFUSED where it runs
 * in another process namespace, where its number means nothing here. */
struct adit_status adit_ask_pid(const char *folder, uint64_t *out_pid);

/* Is the member of this name `true`, in an object that adit_ask gave? */
bool adit_ask_is_true(struct adit_bytes answer, struct adit_bytes name);

#endif
