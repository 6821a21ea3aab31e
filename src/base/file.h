/* File: whole small files (keys, tokens, certificates), read with a limit and written so that no
 * reader ever sees half of one. Paths are NUL-terminated because the kernel wants them so. */
#ifndef ADIT_BASE_FILE_H
#define ADIT_BASE_FILE_H

#include "base/writer.h"

/* Appends the whole file. LIMIT where it does not fit; SYSTEM with errno. */
struct adit_status adit_file_read(const char *path, struct adit_writer *out);

/* The same from an open descriptor, from its start; the descriptor stays open. */
struct adit_status adit_file_read_fd(int fd, struct adit_writer *out);

/* How many bytes the file has; it is not opened. SYSTEM with errno: ENOENT where there is none. */
struct adit_status adit_file_size_get(const char *path, uint64_t *out_bytes);

/* Writes a new file beside the old one, syncs it and renames it over: all or nothing. `mode` as
 * for open(2), 0600 for secrets. */
struct adit_status adit_file_write(const char *path, unsigned mode, struct adit_bytes bytes);

/* The same, but never over a file that is there: REFUSED, and that file is untouched. Of several
 * processes that do this at once exactly one succeeds. */
struct adit_status adit_file_create(const char *path, unsigned mode, struct adit_bytes bytes);

/* The bytes as a file that has no name and that nobody can change any more (a sealed memfd): what
 * one process has to tell others, of any size. */
struct adit_status adit_file_seal(struct adit_bytes bytes, int *out_fd);

/* Joins with one '/'. LIMIT where `out` (which becomes NUL-terminated) is too small. */
struct adit_status adit_path_join(struct adit_span out, struct adit_bytes folder,
                                  struct adit_bytes name);

#endif
