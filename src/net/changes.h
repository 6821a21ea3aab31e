/* Changes: says that the road may be another one now: an interface, an address or a route came or
 * went (rtnetlink), or the machine was asleep. What changed is not told: the answer to all of it is
 * to ask whether the old road still works.
 *
 * Sleep is seen by two clocks: one goes on during it, the other does not. They are compared once a
 * second, so a wake-up is told within a second of it. Messages of the kernel come in bursts: they
 * are told once, ADIT_CHANGES_QUIET_US after the first, and not more often than each
 * ADIT_CHANGES_APART_US. A system without such messages is fine: then only sleep is told.
 *
 * Process: agent. Opens its socket before the sandbox closes. Source: Linux rtnetlink(7). */
#ifndef ADIT_NET_CHANGES_H
#define ADIT_NET_CHANGES_H

#include "net/loop.h"

#define ADIT_CHANGES_QUIET_US (250 * ADIT_MS_US)
#define ADIT_CHANGES_APART_US ((uint64_t)ADIT_SECOND_US)
#define ADIT_CHANGES_CHECK_US ((uint64_t)ADIT_SECOND_US) /* how often the clocks are compared */
#define ADIT_CHANGES_ASLEEP_US ((uint64_t)ADIT_SECOND_US) /* less is no sleep */

typedef void adit_changes_fn(void *context);

struct adit_changes {
    struct adit_loop *loop;
    adit_changes_fn *changed;
    void *context;
    int fd; /* may be listed for the sandbox; -1: closed, or this system has none */
    struct adit_handle watch, quiet, check;
    uint64_t told_us;   /* when the last one was told */
    uint64_t asleep_us; /* in all, as of the last comparison */
};

/* FULL where the loop has no room. `changes` must not move. */
struct adit_status adit_changes_open(struct adit_changes *changes, struct adit_loop *loop);
void adit_changes_handler_set(struct adit_changes *changes, adit_changes_fn *changed,
                              void *context);
void adit_changes_close(struct adit_changes *changes);

#endif
