/* Further sessions: opened where the server asks for them, given up when they have been idle. */
#include "agent/internal.h"

static struct adit_status idle(void)
{
    ADIT_FAIL(CLOSED, "the session was idle");
}

static void look(void *context, uint64_t slot);

static void look_in(struct adit_agent *agent, struct adit_agent_session *session, uint64_t us)
{
    struct adit_loop *loop = agent->options.loop;
    adit_status_ignore(adit_loop_timer_set(loop, &session->timer, loop->now_us + us, look, agent,
                                           session->slot),
                       "then it is kept");
}

/* True where it has carried enough since it was last looked at. */
static bool is_busy(struct adit_agent_session *session,
                    const struct adit_session_counters *counters)
{
    uint64_t bytes = counters->data_in_total + counters->data_out_total;
    bool has_bytes = bytes - session->looked_bytes >= ADIT_AGENT_IDLE_BYTES;
    bool has_streams = session->streams_total - session->looked_streams >= ADIT_AGENT_IDLE_STREAMS;
    session->looked_bytes = bytes;
    session->looked_streams = session->streams_total;
    return has_bytes || has_streams;
}

bool extras_road_is_lossy(const struct adit_agent *agent)
{
    bool is_lossy = false;
    for (size_t i = 0; i < ADIT_COUNT(agent->sessions); i++) {
        is_lossy = is_lossy || ADIT_AT(agent->sessions, i).is_lossy;
    }
    return is_lossy;
}

/* New streams go to the others from here on. Where there are no others, it is kept. */
static void leave(struct adit_agent *agent, struct adit_agent_session *session)
{
    if (!tunnels_are_up(agent, session)) {
        look_in(agent, session, ADIT_AGENT_IDLE_US);
        return;
    }
    tunnels_give_up(agent, session);
    session->is_leaving = true;
    look_in(agent, session, ADIT_AGENT_EMPTY_US);
}

static void look(void *context, uint64_t slot)
{
    struct adit_agent *agent = context;
    struct adit_agent_session *session = &ADIT_AT(agent->sessions, slot);
    const struct adit_session_counters *counters = adit_link_counters(&agent->hub, session->link);
    session->timer = (struct adit_handle){0};
    if (session->state != ADIT_AGENT_IN || !counters) {
        return;
    }
    if (session->is_leaving && counters->streams_open <= 1) { /* the control stream alone */
        adit_link_close(&agent->hub, session->link, idle());
    } else if (session->is_leaving) {
        look_in(agent, session, ADIT_AGENT_EMPTY_US);
    } else if (is_busy(session, counters) || extras_road_is_lossy(agent)) {
        look_in(agent, session, ADIT_AGENT_IDLE_US);
    } else {
        leave(agent, session);
    }
}

void extra_begin(struct adit_agent *agent, struct adit_agent_session *session)
{
    session->looked_bytes = 0;
    session->looked_streams = 0;
    look_in(agent, session, ADIT_AGENT_IDLE_US);
}

static void extra_open(struct adit_agent *agent, struct adit_agent_session *session)
{
    if (session->state == ADIT_AGENT_STOPPED &&
        agent->options.loop->now_us >= session->rest_until_us) {
        session->backoff.failures = 0;
        adit_status_ignore(
            session_wait(agent, session,
                         adit_jitter_below(&agent->jitter, ADIT_BACKOFF_FIRST_US)),
            "the server asks again");
    } else if (session->is_leaving) { /* not yet gone, and wanted again */
        session->is_leaving = false;
        tunnels_ask(agent, session);
        look_in(agent, session, ADIT_AGENT_IDLE_US);
    }
}

void extras_wanted(struct adit_agent *agent, const struct adit_agent_session *session,
                   uint32_t count)
{
    if (session->state != ADIT_AGENT_IN || !tunnels_are_known(agent)) {
        return;
    }
    for (size_t i = 1; i < count && i < ADIT_COUNT(agent->sessions); i++) {
        extra_open(agent, &ADIT_AT(agent->sessions, i));
    }
}
