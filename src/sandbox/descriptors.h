/* Descriptors: checks that exactly a list is open in this process, and that it runs one thread. */
#ifndef ADIT_SANDBOX_DESCRIPTORS_H
#define ADIT_SANDBOX_DESCRIPTORS_H

#include "base/bytes.h"

/* INVALID, with the descriptor as detail, for one that is open and not listed or listed and not
 * open; -1 in the list is none. Reads /proc/self/fd; without /proc it asks for every number up to
 * RLIMIT_NOFILE. */
struct adit_status adit_descriptors_check(const int *fds, size_t count);

/* Closes every descriptor from `first` on. */
void adit_descriptors_close(int first);

/* REFUSED where a second thread runs. Without /proc it cannot tell, and succeeds. */
struct adit_status adit_descriptors_thread_check(void);

#endif
