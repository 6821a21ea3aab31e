/* Output: what a command prints, whole. For standard output and standard error of adit and aditd,
 * not for logs. */
#ifndef ADIT_CLI_OUTPUT_H
#define ADIT_CLI_OUTPUT_H

#include "base/base.h"

/* Writes all of it, waiting where the descriptor makes it wait. SYSTEM with errno. */
struct adit_status adit_output_write(int fd, struct adit_bytes bytes);

/* "program: sentence\n" to standard error; a failure to do so is nobody's to tell. */
void adit_output_complain(struct adit_bytes program, struct adit_bytes sentence);

/* The same for a failure: "program: subject: what (system: No such file or directory)". The
 * subject, a path or an option's value, is escaped and may be empty. */
void adit_output_failure(struct adit_bytes program, struct adit_bytes subject,
                         struct adit_status status);

#endif
