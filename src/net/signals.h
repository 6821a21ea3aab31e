/* Signals: the ones that a program wants, as events of its loop (signalfd), instead of handlers
 * that run at any moment. SIGPIPE is ignored as well.
 *
 * Process: supervisor, agent. One set a process. */
#ifndef ADIT_NET_SIGNALS_H
#define ADIT_NET_SIGNALS_H

#include "net/loop.h"

#define ADIT_SIGNALS_MAX 8

typedef void adit_signals_fn(void *context, int number);

struct adit_signals {
    struct adit_loop *loop;
    struct adit_handle watch;
    adit_signals_fn *arrived;
    void *context;
    int fd; /* may be listed for the sandbox; -1: closed */
};

/* Blocks the signals and reads them from a descriptor on the loop. `signals` must not move. */
struct adit_status adit_signals_open(struct adit_signals *signals, struct adit_loop *loop,
                                     const int *numbers, size_t count);
void adit_signals_handler_set(struct adit_signals *signals, adit_signals_fn *arrived,
                              void *context);
void adit_signals_close(struct adit_signals *signals);

/* In a child between fork and exec: signals as a program expects to find them. */
void adit_signals_restore(void);

#endif
