/* What the agent does when the network changes. */
#include "agent/internal.h"

static struct adit_status silent(void)
{
    ADIT_FAIL(TIMEOUT, "the network changed, and the server cannot be heard any more");
}

static void probe_over(void *context, uint64_t slot)
{
    struct adit_agent *agent = context;
    struct adit_agent_session *session = &ADIT_AT(agent->sessions, slot);
    session->probe = (struct adit_handle){0};
    switch (session->state) {
    case ADIT_AGENT_DIALING:
        if (session->begun_us <= session->probed_us) { /* perhaps from an address that is gone */
            session_connect(agent, session);
        }
        return;
    case ADIT_AGENT_LINKING:
        if (session->begun_us <= session->probed_us) {
            adit_link_close(&agent->hub, session->link, silent());
        }
        return;
    case ADIT_AGENT_IN:
        if (adit_link_heard_us(&agent->hub, session->link) <= session->probed_us) {
            adit_link_close(&agent->hub, session->link, silent());
        }
        return;
    case ADIT_AGENT_WAITING:
    case ADIT_AGENT_STOPPED:
        return;
    }
}

/* Where a probe is under way already, it began before this change and decides soon enough. */
static void probe(struct adit_agent *agent, struct adit_agent_session *session)
{
    struct adit_loop *loop = agent->options.loop;
    if (adit_handle_is_set(session->probe)) {
        return;
    }
    session->probed_us = loop->now_us;
    adit_status_ignore(adit_loop_timer_set(loop, &session->probe,
                                           loop->now_us + ADIT_AGENT_PROBE_US, probe_over, agent,
                                           session->slot),
                       "without it the session's own deadline finds out");
}

/* On a machine whose interfaces come and go all the time, the pauses must hold all the same. */
static bool may_be_early(struct adit_agent *agent)
{
    uint64_t now_us = agent->options.loop->now_us;
    uint64_t gained = (now_us - agent->early_us) / ADIT_AGENT_EARLY_US;
    if (gained > 0) {
        agent->early_used -= gained < agent->early_used ? gained : agent->early_used;
        agent->early_us = now_us;
    }
    if (agent->early_used == ADIT_AGENT_EARLY_MAX) {
        return false;
    }
    agent->early_used++;
    return true;
}

static void session_changed(struct adit_agent *agent, struct adit_agent_session *session)
{
    switch (session->state) {
    case ADIT_AGENT_WAITING:
        if (may_be_early(agent)) {
            session_connect(agent, session);
        }
        return;
    case ADIT_AGENT_DIALING:
    case ADIT_AGENT_LINKING:
        probe(agent, session);
        return;
    case ADIT_AGENT_IN:
        probe(agent, session);
        adit_link_probe(&agent->hub, session->link);
        return;
    case ADIT_AGENT_STOPPED:
        return;
    }
}

void adit_agent_changed(struct adit_agent *agent)
{
    for (size_t i = 0; i < ADIT_COUNT(agent->sessions); i++) {
        session_changed(agent, &ADIT_AT(agent->sessions, i));
    }
}
