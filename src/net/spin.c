#include "net/spin.h"

#define GAP_MAX_US 1000   /* a longer one counts as this */
#define GAP_SHORT_US 150  /* two wake-ups and a little work: polling at both ends may halve it */
#define PURSE_MAX_US 2000 /* so many polls that miss in a row at the start of traffic: 40 */
#define EARNED_US 25      /* by a poll that hit: what waking would have cost */
#define TIME_SHARE 100    /* time alone earns this part of itself */
#define PAUSE_MIN_US (4 * ADIT_MS_US)
#define PAUSE_MAX_US ADIT_SECOND_US
#define EVENTS_FEW 3 /* of one turn, after which it is worth to poll */
#define SOON_US 28 /* the mean of polls that pay where several sources have events */
#define TRIED_EVERY 128 /* waits, after which a poll is tried that is not expected to pay */
#define ALONE_EVENTS 16 /* without another source of their kind: there is one of each */
#define CALM_POLLS 64 /* without a crowd: the next one begins with a short pause again */

void adit_spin_init(struct adit_spin *spin, bool is_on, uint64_t now_us)
{
    *spin = (struct adit_spin){.is_on = is_on,
                               .gaps_us = {GAP_MAX_US, GAP_MAX_US},
                               .purse_us = PURSE_MAX_US,
                               .alone = ALONE_EVENTS,
                               .filled_us = now_us};
}

static void earn(struct adit_spin *spin, uint64_t us)
{
    spin->purse_us = (uint32_t)adit_min_u64(spin->purse_us + us, PURSE_MAX_US);
}

static void pay(struct adit_spin *spin, uint64_t us)
{
    spin->purse_us -= (uint32_t)adit_min_u64(spin->purse_us, us);
}

static void fill_by_time(struct adit_spin *spin, uint64_t now_us)
{
    uint64_t passed = adit_subtract_floor_u64(now_us, spin->filled_us);
    passed = adit_min_u64(passed, (uint64_t)PURSE_MAX_US * TIME_SHARE);
    if (passed >= TIME_SHARE) {
        earn(spin, passed / TIME_SHARE);
        spin->filled_us = now_us;
    }
}

static bool is_lone(const struct adit_spin *spin)
{
    return spin->alone == ALONE_EVENTS;
}

static uint32_t poll_most_us(const struct adit_spin *spin)
{
    return is_lone(spin) ? ADIT_SPIN_LONE_US : ADIT_SPIN_MAX_US;
}

/* Whether the next event is near as far as the kind of the last one tells, or it is time to try. */
static bool is_near(struct adit_spin *spin)
{
    struct adit_spin_kind *kind = &ADIT_AT(spin->kinds, spin->kind);
    if (is_lone(spin) || !spin->was_short || kind->poll_us <= SOON_US) {
        return true;
    }
    kind->passed = (kind->passed + 1) % TRIED_EVERY;
    return kind->passed == 0;
}

uint64_t adit_spin_allowance_us(struct adit_spin *spin, uint64_t now_us)
{
    if (!spin->is_on || spin->was_many || now_us < spin->resume_us) {
        return 0;
    }
    fill_by_time(spin, now_us);
    uint32_t expected_us = ADIT_AT(spin->gaps_us, spin->was_short ? 1 : 0);
    uint32_t most_us = poll_most_us(spin);
    if (expected_us > GAP_SHORT_US || spin->purse_us < most_us) {
        return 0;
    }
    return is_near(spin) ? most_us : 0;
}

/* True where somebody else needs the core. */
static bool is_crowded(struct adit_spin *spin, const struct adit_spin_poll *poll)
{
    if (poll->yield_most_us <= poll_most_us(spin)) {
        spin->calm = (uint32_t)adit_min_u64(spin->calm + 1u, CALM_POLLS);
        return false;
    }
    uint64_t pause_us = spin->calm == CALM_POLLS ? 0 : spin->pause_us * 2;
    spin->pause_us = adit_min_u64(adit_max_u64(pause_us, PAUSE_MIN_US), PAUSE_MAX_US);
    spin->resume_us = poll->end_us + spin->pause_us;
    spin->calm = 0;
    spin->counters.crowds++;
    return true;
}

void adit_spin_polled(struct adit_spin *spin, const struct adit_spin_poll *poll)
{
    spin->counters.spent_us += poll->spent_us;
    if (is_crowded(spin, poll)) {
        return;
    }
    struct adit_spin_kind *kind = &ADIT_AT(spin->kinds, spin->kind);
    uint32_t capped_us = (uint32_t)adit_min_u64(poll->spent_us, ADIT_SPIN_MAX_US);
    kind->poll_us = (3 * kind->poll_us + capped_us) / 4;
    if (poll->is_hit) {
        spin->counters.hits++;
        earn(spin, EARNED_US);
        pay(spin, adit_subtract_floor_u64(poll->spent_us, ADIT_SPIN_MAX_US));
    } else {
        spin->counters.misses++;
        pay(spin, poll->spent_us);
    }
}

void adit_spin_event(struct adit_spin *spin, uint32_t number, uint64_t source)
{
    struct adit_spin_kind *kind = &ADIT_AT(spin->kinds, number);
    uint32_t alone = (uint32_t)adit_min_u64(spin->alone + 1u, ALONE_EVENTS);
    spin->alone = kind->source == source ? alone : 0;
    kind->source = source;
    spin->kind = number;
}

void adit_spin_not_alone(struct adit_spin *spin)
{
    spin->alone = 0;
}

void adit_spin_gap(struct adit_spin *spin, uint64_t gap_us, uint32_t events)
{
    uint32_t capped_us = (uint32_t)adit_min_u64(gap_us, GAP_MAX_US);
    uint32_t *mean_us = &ADIT_AT(spin->gaps_us, spin->was_short ? 1 : 0);
    *mean_us = (3 * *mean_us + capped_us) / 4;
    spin->was_short = capped_us <= GAP_SHORT_US;
    spin->was_many = events > EVENTS_FEW;
}
