/* Loop: one epoll instance, the timers, and one turn after another.
 *
 * A watch ties a descriptor to a function; what the function gets is the context (something that
 * outlives the loop, such as the role's state) and a key (usually a packed handle, looked up there:
 * a stale one is ignored). Watches and timers are themselves named by handles, so a late event for
 * one that was removed in the same turn is never delivered. Descriptors are watched edge-triggered
 * unless said otherwise: a reader reads until it would block.
 *
 * With HANGUP or ERROR comes READ and WRITE too, as far as the interest names them: who only looks
 * at these finds the end or the error there. EXCLUSIVE goes with READ and WRITE only, and its
 * interest cannot be changed (the kernel's rule).
 *
 * After the events and timers of a turn `turn_end` is called once: that is where a link gathers the
 * frames of all ready streams and sends once.
 *
 * Process: any role, one thread, one loop. Limits: watches_max, timers_max. */
#ifndef ADIT_NET_LOOP_H
#define ADIT_NET_LOOP_H

#include "net/spin.h"
#include "net/yield.h"

#define ADIT_LOOP_READ 0x1u    /* bytes, a connection, or the end can be read */
#define ADIT_LOOP_WRITE 0x2u   /* there is room to write */
#define ADIT_LOOP_HANGUP 0x4u  /* the peer ended its direction, or both */
#define ADIT_LOOP_ERROR 0x8u   /* the descriptor has an error (a reset, a refused connect) */
#define ADIT_LOOP_LEVEL 0x10u  /* interest only: level-triggered instead of edge-triggered */
#define ADIT_LOOP_ONESHOT 0x20u   /* interest only: silent after one event until changed */
#define ADIT_LOOP_EXCLUSIVE 0x40u /* interest only, at add: one of several processes wakes */

typedef void adit_loop_ready_fn(void *context, uint64_t key, uint32_t events);
typedef void adit_loop_timer_fn(void *context, uint64_t key);
typedef void adit_loop_turn_fn(void *context);

struct adit_loop {
    int epoll_fd;
    bool is_stopping;
    bool gives_way; /* once, before it asks for events */
    bool makes_way; /* the same, unless others keep the core for long */
    struct adit_yield yield; /* what came of that */
    struct adit_pool watches;
    struct adit_pool timers;
    struct adit_span heap; /* timers by time: a binary heap */
    uint32_t heap_len;
    uint64_t now_us; /* the time at the start of this turn's events */
    uint64_t end_us; /* of the last turn's work */
    adit_loop_ready_fn *kinds[ADIT_SPIN_KINDS]; /* of events, by who handles them */
    struct adit_spin spin; /* off until adit_loop_spin_set */
    adit_loop_turn_fn *turn_end;
    void *turn_context;
    uint64_t turns_total, events_total; /* counters */
    uint64_t busy_us;                   /* total time in turns, without their waiting */
    struct adit_jobs *lookups;          /* null until dial.h looks a name up */
};

struct adit_status adit_loop_open(struct adit_loop *loop, uint32_t watches_max,
                                  uint32_t timers_max);
void adit_loop_close(struct adit_loop *loop);
void adit_loop_turn_end_set(struct adit_loop *loop, adit_loop_turn_fn *turn_end, void *context);

/* On: between two turns the loop polls for a moment before it sleeps, while that pays (spin.h). */
void adit_loop_spin_set(struct adit_loop *loop, bool is_on);

/* After this turn whoever else wants the core has it first, once: for an owner whose work costs
 * less where more of it comes together. */
void adit_loop_give_way(struct adit_loop *loop);

/* The same where somebody small may wait behind the owner's work, unless others keep the core for
 * long then (yield.h). */
void adit_loop_make_way(struct adit_loop *loop);

/* What passes now comes from far away: no poll is longer for it than for one of many. */
void adit_loop_far(struct adit_loop *loop);

/* Watches `fd`, which stays the caller's. FULL at watches_max. */
struct adit_status adit_loop_watch(struct adit_loop *loop, int fd, uint32_t interest,
                                   adit_loop_ready_fn *ready, void *context, uint64_t key,
                                   struct adit_handle *out_watch);
/* Adds WRITE, once: a socket that takes everything never costs an event for it. */
struct adit_status adit_loop_write_wanted(struct adit_loop *loop, struct adit_handle watch);
struct adit_status adit_loop_interest_set(struct adit_loop *loop, struct adit_handle watch,
                                          uint32_t interest);

/* Before the descriptor is closed or handed over. A stale or unset handle is fine. The handle is
 * emptied. */
void adit_loop_unwatch(struct adit_loop *loop, struct adit_handle *watch);

/* The same where `fd` is closed next and no other descriptor leads to its socket: closing takes it
 * out of epoll. (If one does after all, its events name a stale watch and are dropped.) */
void adit_loop_forget(struct adit_loop *loop, struct adit_handle *watch);

/* Calls `fire` once, at or after `when_us`, and not in the turn that sets it. A handle that is set
 * names a timer to move; otherwise one is made. FULL at timers_max. */
struct adit_status adit_loop_timer_set(struct adit_loop *loop, struct adit_handle *timer,
                                       uint64_t when_us, adit_loop_timer_fn *fire, void *context,
                                       uint64_t key);
void adit_loop_timer_cancel(struct adit_loop *loop, struct adit_handle *timer);

/* Runs turns until adit_loop_stop. */
struct adit_status adit_loop_run(struct adit_loop *loop);

/* One turn, waiting at most `wait_us` (rounded up to milliseconds; 0: not at all). */
struct adit_status adit_loop_turn(struct adit_loop *loop, uint64_t wait_us);
void adit_loop_stop(struct adit_loop *loop);

#endif
