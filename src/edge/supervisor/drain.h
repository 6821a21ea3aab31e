/* Drain: carries what one process logs from its pipe to the supervisor's standard error, as opaque
 * bytes in whole lines, without ever waiting: what finds no room is dropped and counted.
 *
 * Both ends of the pipe are non-blocking, so a full pipe costs the writer a line, not time.
 * Standard error may be anything and is shared with others, so it is asked for room (poll) before
 * each write of at most a page; a pipe that has room takes a page at once. Limits: 4,096 bytes
 * held, 64 KiB a turn. Process: supervisor. */
#ifndef ADIT_EDGE_SUPERVISOR_DRAIN_H
#define ADIT_EDGE_SUPERVISOR_DRAIN_H

#include "net/loop.h"

#define ADIT_DRAIN_BYTES 4096

struct adit_drain {
    struct adit_loop *loop;
    int in;  /* the pipe's end; -1: closed */
    int out; /* where it goes; not ours */
    struct adit_handle watch;
    size_t held;
    uint64_t dropped; /* bytes: a counter */
    uint8_t bytes[ADIT_DRAIN_BYTES];
};

/* Makes the pipe and watches it. The writing end is the caller's. `drain` must not move. */
struct adit_status adit_drain_open(struct adit_drain *drain, struct adit_loop *loop, int out,
                                   int *out_writer);

/* Takes out what is still in the pipe, then closes it. Closed is fine. */
void adit_drain_close(struct adit_drain *drain);

#endif
