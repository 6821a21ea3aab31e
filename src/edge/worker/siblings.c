/* Several sessions of one agent process at one worker: which of them serves a visitor. */
#include "edge/worker/worker.h"

#define LOOK_US (250 * ADIT_MS_US) /* between two measurements of what a session carries */
#define QUIET_ROUND_TRIPS 2        /* and a look without a frame: it carries nothing */
#define STREAM_RATE (64 * 1024)    /* bytes a second that an open stream counts for */
#define LEAST_RATE (256 * 1024)    /* below this a session is as good as an idle one */
#define KNOWN_BYTES (1024 * 1024)  /* a session that carried more has learned of its road */
#define CONTROL_STREAMS 1          /* of a session without visitors */

static struct adit_status replaced(void)
{
    ADIT_FAIL(CLOSED, "a newer session of the same agent took over");
}

/* What all sessions of one process have in common, and no others: token and instance. */
static struct adit_bytes process_of(const struct agent *agent, struct adit_span room)
{
    struct adit_writer writer = adit_writer_of(room);
    adit_status_ignore(adit_write_bytes(&writer, ADIT_BYTES_OF(agent->rights.id)), "it has room");
    adit_status_ignore(adit_write_bytes(&writer, ADIT_FIELD_BYTES(agent->instance)),
                       "room for the longest");
    return adit_writer_bytes(&writer);
}

struct agent *worker_sibling_at(const struct worker *worker, const struct agent *agent,
                                size_t slot)
{
    return adit_pool_get(&worker->agents, ADIT_AT(agent->siblings, slot));
}

/* An older session in the same slot, which the agent has lost, gives way to this one. */
static void meet_one(struct worker *worker, struct agent *agent, struct agent *other)
{
    if (!other || !other->is_in || other == agent) {
        return;
    }
    if (other->slot == agent->slot) {
        worker_agent_evict(worker, other, replaced());
        return;
    }
    ADIT_AT(other->siblings, agent->slot) = agent->self;
    ADIT_AT(agent->siblings, other->slot) = other->self;
    other->seen_us = worker->loop.now_us;
}

void worker_siblings_meet(struct worker *worker, struct agent *agent)
{
    uint8_t memory[WORKER_PROCESS_BYTES] = {0};
    struct adit_bytes process = process_of(agent, ADIT_SPAN_OF(memory));
    struct adit_handle others[ADIT_CONTROL_SESSIONS_MAX + 1] = {0};
    uint64_t packed = 0;
    agent->seen_us = worker->loop.now_us;
    if (adit_table_get(&worker->processes, process, &packed)) {
        const struct agent *known = adit_pool_get(&worker->agents, adit_handle_unpack(packed));
        ADIT_AT(others, ADIT_CONTROL_SESSIONS_MAX) = adit_handle_unpack(packed);
        for (size_t slot = 0; slot < ADIT_CONTROL_SESSIONS_MAX && known; slot++) {
            ADIT_AT(others, slot) = ADIT_AT(known->siblings, slot);
        }
    }
    for (size_t i = 0; i < ADIT_COUNT(others); i++) {
        meet_one(worker, agent, adit_pool_get(&worker->agents, ADIT_AT(others, i)));
    }
    adit_status_ignore(adit_table_set(&worker->processes, process, adit_handle_pack(agent->self)),
                       "as large as the pool of sessions");
}

void worker_siblings_part(struct worker *worker, const struct agent *agent)
{
    uint8_t memory[WORKER_PROCESS_BYTES] = {0};
    struct adit_bytes process = process_of(agent, ADIT_SPAN_OF(memory));
    uint64_t packed = 0;
    if (!agent->is_in || !adit_table_get(&worker->processes, process, &packed) ||
        packed != adit_handle_pack(agent->self)) {
        return;
    }
    (void)adit_table_remove(&worker->processes, process);
    for (size_t slot = 0; slot < ADIT_CONTROL_SESSIONS_MAX; slot++) {
        const struct agent *other = worker_sibling_at(worker, agent, slot);
        if (other && other->is_in && other != agent) {
            adit_status_ignore(
                adit_table_set(&worker->processes, process, adit_handle_pack(other->self)),
                "one was just taken out");
            return;
        }
    }
}

/* The same tunnel of this agent at its session of this slot, or null. Handles of those that went
 * are stale. */
static struct bind *at_slot(const struct worker *worker, const struct agent *agent,
                            const struct bind *bind, size_t slot)
{
    const struct agent *other = worker_sibling_at(worker, agent, slot);
    struct bind *same = other ? worker_bind_find(worker, other, bind->id) : NULL;
    bool is_same = same && same->state == BIND_BOUND && same->kind == bind->kind &&
                   same->port == bind->port &&
                   adit_bytes_equal(ADIT_FIELD_BYTES(same->name), ADIT_FIELD_BYTES(bind->name));
    return is_same ? same : NULL;
}

struct bind *worker_sibling_other(const struct worker *worker, const struct bind *bind)
{
    const struct agent *agent = worker_bind_agent(worker, bind);
    struct bind *other = NULL;
    for (size_t slot = 0; slot < ADIT_CONTROL_SESSIONS_MAX && agent && !other; slot++) {
        other = at_slot(worker, agent, bind, slot);
    }
    return other;
}

/* What it carried before is no load now: a transfer that has ended left a link that is as fast as
 * the road, and the next one begins there, not on a link that has to find that out. What of the
 * one before is still on the road says nothing; idle streams may stay. */
static bool is_quiet(const struct worker *worker, const struct agent *agent,
                     const struct adit_session_counters *counters)
{
    if (counters->streams_open <= CONTROL_STREAMS) {
        return true;
    }
    uint64_t quiet_us = LOOK_US + QUIET_ROUND_TRIPS * adit_link_rtt_us(&worker->hub, agent->link);
    return worker->loop.now_us - adit_link_heard_us(&worker->hub, agent->link) >= quiet_us;
}

static uint64_t carried(struct worker *worker, struct agent *agent)
{
    const struct adit_session_counters *counters =
        adit_link_counters(&worker->hub, agent->link);
    if (!counters) {
        return UINT64_MAX;
    }
    uint64_t now_us = worker->loop.now_us;
    uint64_t bytes = counters->data_in_total + counters->data_out_total;
    if (now_us - agent->seen_us >= LOOK_US) {
        agent->rate = (bytes - agent->seen_bytes) * ADIT_SECOND_US / (now_us - agent->seen_us);
        agent->seen_us = now_us;
        agent->seen_bytes = bytes;
    }
    if (is_quiet(worker, agent, counters)) {
        agent->rate = 0;
    }
    return agent->rate + (uint64_t)counters->streams_open * STREAM_RATE;
}

struct choice { /* of the sessions that were looked at */
    const struct bind *least; /* carries least */
    uint64_t least_rate;
    const struct bind *known; /* as good as idle, and carried most in its life: knows its road */
    uint64_t known_bytes;
};

static uint64_t look_at(struct worker *worker, struct choice *choice, const struct bind *bind)
{
    struct agent *agent = worker_bind_agent(worker, bind);
    uint64_t rate = carried(worker, agent);
    if (rate < choice->least_rate) {
        choice->least = bind;
        choice->least_rate = rate;
    }
    if (rate <= LEAST_RATE && agent->seen_bytes > choice->known_bytes) {
        choice->known = bind;
        choice->known_bytes = agent->seen_bytes;
    }
    return rate;
}

const struct bind *worker_sibling_best(struct worker *worker, const struct bind *bind)
{
    const struct agent *agent = worker_bind_agent(worker, bind);
    struct choice choice = {.least_rate = UINT64_MAX,
                            .known = bind,
                            .known_bytes = KNOWN_BYTES};
    for (size_t slot = 0; slot < ADIT_CONTROL_SESSIONS_MAX; slot++) {
        if (!adit_handle_is_set(ADIT_AT(agent->siblings, slot))) {
            continue; /* nearly always */
        }
        const struct bind *same = at_slot(worker, agent, bind, slot);
        struct agent *other = worker_bind_agent(worker, same);
        if (other && worker_agent_is_current(worker, other) &&
            adit_link_can_open(&worker->hub, other->link)) {
            (void)look_at(worker, &choice, same);
        }
    }
    if (!choice.least) {
        return bind;
    }
    uint64_t others_least = choice.least_rate;
    uint64_t own = look_at(worker, &choice, bind);
    if (own <= LEAST_RATE) {
        return choice.known;
    }
    return others_least < own / 2 ? choice.least : bind;
}
