/* Who speaks first through a tunnel with a port (decision 0034). Where visitors do, many in a row,
 * the kernel is asked to hold each back until its first bytes are there: a packet and a waking less
 * for each. The first program that speaks before its visitor ends that, and it takes more in a row
 * the next time. The listener may be shared with other workers and other sessions of the agent,
 * which count for themselves: so what one has asked for is said again now and then. */
#include "edge/worker/worker.h"

static void hold_back(const struct bind *bind, uint64_t seconds)
{
    adit_status_ignore(adit_socket_defer_accept_set(bind->listener, seconds),
                       "visitors are only taken sooner, or later, than they might be");
}

void worker_words_begin(struct bind *bind)
{
    bind->words = (struct worker_words){.wanted = WORKER_WORDS_MIN};
    hold_back(bind, 0); /* another worker, or another program, may have had the port */
}

static void visitor_spoke(struct bind *bind)
{
    struct worker_words *words = &bind->words;
    words->in_a_row++;
    if (words->in_a_row >= words->wanted) {
        words->in_a_row = 0;
        words->is_held = true;
        words->let_go_us = 0;
        hold_back(bind, WORKER_WORDS_WAIT_S);
    }
}

/* Said once a second at most: programs that always speak first cost nothing. */
static void program_spoke(struct bind *bind, uint64_t now_us)
{
    struct worker_words *words = &bind->words;
    words->in_a_row = 0;
    if (words->let_go_us > 0 && now_us < words->let_go_us + ADIT_SECOND_US) {
        return;
    }
    if (words->is_held) {
        words->wanted = (uint32_t)adit_min_u64(words->wanted * UINT64_C(4), WORKER_WORDS_MAX);
    }
    words->is_held = false;
    words->let_go_us = now_us;
    hold_back(bind, 0);
}

void worker_pump_spoke(void *context, uint64_t user, bool is_visitor)
{
    struct worker *worker = context;
    struct bind *bind = worker_bind_of_user(worker, user);
    if (!bind || bind->listener < 0) {
        return; /* no port, or the tunnel is gone */
    }
    if (is_visitor) {
        visitor_spoke(bind);
    } else {
        program_spoke(bind, worker->loop.now_us);
    }
}
