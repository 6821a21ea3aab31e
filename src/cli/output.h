/* Output: what a command prints, whole. For standard output and standard error of adit and aditd,
 * not for logs. */
#ifndef ADIT_CLI_OUTPUT_H
#define ADIT_CLI_OUTPUT_H

#include "base/base.h"

/* Writes all of it, waiting where the descriptor makes it wait. SYSTEM with errno. */
struct adit_status adit_output_write(int fd, struct adit_bytes bytes);

/* The same, unless the descriptor takes nothing now (a terminal that its owner has stopped): then
 * nothing is written, which is no failure. For what is no loss. */
struct adit_status adit_output_offer(int fd, struct adit_bytes bytes, bool *out_is_taken);

/* "program: sentence\n" to standard error; a failure to do so is nobody's to tell. */
void adit_output_complain(struct adit_bytes program, struct adit_bytes sentence);

/* The same for a failure: "program: subject: what (system: No such file or directory)". The
 * subject, a path or an option's value, is escaped and may be empty. */
void adit_output_failure(struct adit_bytes program, struct adit_bytes subject,
                         struct adit_status status);

#endif
