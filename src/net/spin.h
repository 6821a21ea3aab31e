/* Spin: whether a loop that has nothing to do asks the kernel again instead of going to sleep.
 *
 * To be woken costs 25 us and more where a core is idle, and a request through a tunnel wakes both
 * ends, in both directions. Who asks again and again meanwhile, and gives the core to whoever wants
 * it between two questions, is there at once. That pays only while events follow one
 * another closely, so this decides from what has been:
 *
 * - the mean gap until the next event, apart for what follows a short gap and what follows a long
 *   one (a request is followed by its answer soon, an answer perhaps by nothing);
 * - a purse: a poll that missed costs what it took, one that hit earns what waking would have
 *   cost, less what it took beyond 50 us, and time alone earns 1 % of itself. Where polling does
 *   not pay the purse is empty, and a hundredth of the core is all that can be lost;
 * - what polls took behind an event of this kind, where events of one kind come closely and from
 *   several sources in turn: a program's answer may be near, the next of many requests not. Where
 *   one visitor asks and waits, or one at a time, both ends poll whatever it takes: each makes the
 *   other's wait a short one. A lone visitor's wait is polled for longer, too: while one end sleeps
 *   the other's wait is long, and on a slow machine neither would begin;
 * - the last turn's events: where there were many, requests wait for work and not for a wake-up,
 *   and a sleep lets more of them come together;
 * - crowding: giving the core away that took long means that somebody else needs it, and a poller
 *   gets it back later than a sleeper would; then there is a pause, longer each time.
 *
 * Pure: no clock, no calls. Process: worker, agent. */
#ifndef ADIT_NET_SPIN_H
#define ADIT_NET_SPIN_H

#include "base/base.h"

/* One poll; also what giving way may take before it means a crowd. */
#define ADIT_SPIN_MAX_US 50
#define ADIT_SPIN_LONE_US 150 /* where there is one source of each kind */
#define ADIT_SPIN_KINDS 8     /* of events */

struct adit_spin_counters { /* totals since the start */
    uint64_t hits, misses, crowds;
    uint64_t spent_us; /* in polls, with the time that others had the core */
};

/* Events of one kind. */
struct adit_spin_kind {
    uint64_t source;  /* of the last one */
    uint32_t poll_us; /* the mean of polls behind one, hits or not */
    uint32_t passed;  /* since the last poll that was tried although they take long */
};

struct adit_spin {
    bool is_on;
    bool was_short; /* the last gap */
    bool was_many;  /* the events at its end */
    uint32_t gaps_us[2]; /* means: of what follows a long one, of what follows a short one */
    uint32_t purse_us;
    uint32_t calm;       /* polls since the last crowd */
    uint64_t pause_us;   /* of the last crowd */
    uint64_t filled_us;  /* when time last went into the purse */
    uint64_t resume_us;  /* the end of the pause */
    struct adit_spin_kind kinds[ADIT_SPIN_KINDS];
    uint32_t kind;  /* of the last event */
    uint32_t alone; /* events in a row from the source that the last of their kind came from */
    struct adit_spin_counters counters;
};

/* What a poll was like. */
struct adit_spin_poll {
    uint64_t end_us;
    uint64_t spent_us;      /* asking */
    uint64_t yield_most_us; /* the longest that the core was given away */
    bool is_hit;
};

void adit_spin_init(struct adit_spin *spin, bool is_on, uint64_t now_us);

/* How long to poll before sleeping; 0: sleep at once. */
uint64_t adit_spin_allowance_us(struct adit_spin *spin, uint64_t now_us);

/* A poll is over, with an event or without one. */
void adit_spin_polled(struct adit_spin *spin, const struct adit_spin_poll *poll);

/* An event of a kind below ADIT_SPIN_KINDS. */
void adit_spin_event(struct adit_spin *spin, uint32_t number, uint64_t source);

/* Nobody just asks and waits nearby from here on: a connection was opened, or bytes pass from far
 * away. */
void adit_spin_not_alone(struct adit_spin *spin);

/* So many events came together, so long after the last turn, polled for or slept for. */
void adit_spin_gap(struct adit_spin *spin, uint64_t gap_us, uint32_t events);

#endif
