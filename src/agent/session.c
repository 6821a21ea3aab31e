/* One session: dial, link, log in, again. Covered by agent_test.c. */
#include "agent/internal.h"

static struct adit_status no_answer(void)
{
    ADIT_FAIL(TIMEOUT, "the server did not answer the login");
}

static struct adit_status stopped(void)
{
    ADIT_FAIL(CLOSED, "the agent stops");
}

static struct adit_status no_address(void)
{
    ADIT_FAIL(CLOSED, "there is no address yet that this session could share");
}

/* Nothing of the link is left. */
static void forget(struct adit_agent_session *session)
{
    session->link = (struct adit_handle){0};
    session->in_since_us = 0;
    session->is_draining = false;
    session->is_leaving = false;
    session->is_lossy = false;
    session->has_asked = false;
    adit_span_fill(ADIT_OBJECT_SPAN(session->is_bound), 0);
}

void session_stop(struct adit_agent *agent, struct adit_agent_session *session)
{
    session->state = ADIT_AGENT_STOPPED;
    adit_connect_close(&session->connect);
    adit_loop_timer_cancel(agent->options.loop, &session->timer);
    adit_loop_timer_cancel(agent->options.loop, &session->probe);
    adit_link_close(&agent->hub, session->link, stopped());
    forget(session);
}

/* "no connection could be made (Connection refused)". */
static struct adit_bytes reason_write(struct adit_writer *out, struct adit_status why)
{
    struct adit_bytes what = adit_bytes_of_text(adit_status_what(why));
    struct adit_bytes code = {0};
    if (adit_status_error(why) == ADIT_ERROR_SYSTEM && why.detail > 0 && why.detail < INT_MAX) {
        code = adit_bytes_of_text(strerrordesc_np((int)why.detail));
    }
    const struct adit_bytes parts[] = {what, ADIT_BYTES(" ("), code, ADIT_BYTES(")")};
    for (size_t i = 0; i < (code.len > 0 ? ADIT_COUNT(parts) : 1); i++) {
        adit_status_ignore(adit_write_bytes(out, ADIT_AT(parts, i)), "a cut reason is still one");
    }
    return adit_writer_bytes(out);
}

static void disconnected_tell(struct adit_agent *agent, struct adit_status why, uint64_t due_us)
{
    uint64_t now_us = agent->options.loop->now_us;
    uint8_t memory[256] = {0};
    struct adit_writer reason = adit_writer_of(ADIT_SPAN_OF(memory));
    agent->options.events->disconnected(agent->options.context, reason_write(&reason, why),
                                        due_us > now_us ? due_us - now_us : 0);
}

static void wait_over(void *context, uint64_t slot)
{
    struct adit_agent *agent = context;
    struct adit_agent_session *session = &ADIT_AT(agent->sessions, slot);
    session->timer = (struct adit_handle){0};
    session_connect(agent, session);
}

struct adit_status session_wait(struct adit_agent *agent, struct adit_agent_session *session,
                                uint64_t wait_us)
{
    session->due_us = agent->options.loop->now_us + wait_us;
    ADIT_TRY(adit_loop_timer_set(agent->options.loop, &session->timer, session->due_us, wait_over,
                                 agent, session->slot));
    session->state = ADIT_AGENT_WAITING;
    return adit_ok();
}

static uint64_t next_wait_us(struct adit_agent *agent, struct adit_agent_session *session,
                             uint64_t lived_us)
{
    return session->is_draining
               ? adit_backoff_next_orderly(&session->backoff, lived_us, &agent->jitter)
               : adit_backoff_next(&session->backoff, lived_us, &agent->jitter);
}

/* Waits, then tries again. A further session does so only where it had lived: else the server asks
 * for it again where it still wants it. */
static void lost(struct adit_agent *agent, struct adit_agent_session *session,
                 struct adit_status why)
{
    uint64_t now_us = agent->options.loop->now_us;
    uint64_t lived_us = session->in_since_us > 0 ? now_us - session->in_since_us : 0;
    bool was_up = tunnels_are_up(agent, NULL);
    bool is_first = session->slot == 0;
    bool has_left = session->is_leaving;
    uint64_t wait_us = next_wait_us(agent, session, lived_us);
    forget(session);
    session->state = ADIT_AGENT_STOPPED;
    if (is_first || (lived_us >= ADIT_BACKOFF_LIVED_US && !has_left)) {
        struct adit_status status = session_wait(agent, session, wait_us);
        ADIT_ASSERT(adit_is_ok(status) || !is_first); /* room for this timer is kept at open */
    } else if (!has_left) {
        session->rest_until_us = now_us + ADIT_AGENT_REST_US;
    }
    if (!tunnels_are_up(agent, NULL) && (is_first || was_up)) {
        bool is_next = session->state == ADIT_AGENT_WAITING;
        disconnected_tell(agent, why, is_next ? session->due_us : agent->sessions[0].due_us);
    }
}

static void login_late(void *context, uint64_t slot)
{
    struct adit_agent *agent = context;
    struct adit_agent_session *session = &ADIT_AT(agent->sessions, slot);
    session->timer = (struct adit_handle){0};
    adit_link_close(&agent->hub, session->link, no_answer());
}

static void dial_done(void *context, uint64_t slot, int fd, struct adit_status status)
{
    struct adit_agent *agent = context;
    struct adit_agent_session *session = &ADIT_AT(agent->sessions, slot);
    adit_connect_close(&session->connect);
    if (adit_is_ok(status)) {
        session->state = ADIT_AGENT_LINKING;
        session->streams_total = 0;
        status = adit_link_open(
            &agent->hub,
            &(struct adit_link_options){.fd = fd,
                                        .tls = agent->options.tls,
                                        .server_name = ADIT_FIELD_BYTES(agent->server_host)},
            &session->link);
    }
    if (!adit_is_ok(status)) {
        lost(agent, session, status);
    }
}

static struct adit_dial_options dial_of(struct adit_agent *agent,
                                        const struct adit_agent_session *session)
{
    return (struct adit_dial_options){.host = ADIT_FIELD_BYTES(agent->server_host),
                                      .port = agent->options.server_port,
                                      .timeout_us = ADIT_AGENT_DIAL_US,
                                      .done = dial_done,
                                      .context = agent,
                                      .key = session->slot};
}

static void begin(struct adit_agent *agent, struct adit_agent_session *session)
{
    adit_loop_timer_cancel(agent->options.loop, &session->timer);
    adit_connect_close(&session->connect);
    session->state = ADIT_AGENT_DIALING;
    session->begun_us = agent->options.loop->now_us;
}

void session_connect(struct adit_agent *agent, struct adit_agent_session *session)
{
    const struct adit_dial_options options = dial_of(agent, session);
    begin(agent, session);
    struct adit_status status = adit_connect_open(
        agent->options.loop, &options, agent->options.proxy, &session->connect);
    if (!adit_is_ok(status)) {
        lost(agent, session, status);
    }
}

int session_greet(struct adit_agent *agent, struct adit_agent_session *session)
{
    const struct adit_dial_options options = dial_of(agent, session);
    int fd = -1;
    if (session->state != ADIT_AGENT_WAITING || agent->options.proxy ||
        !adit_dial_at_once(&options, &fd)) {
        return -1;
    }
    begin(agent, session);
    dial_done(agent, session->slot, fd, adit_ok());
    if (session->state != ADIT_AGENT_LINKING) {
        return -1; /* no link could be made, and it waits for the next attempt */
    }
    adit_link_greet(&agent->hub, session->link);
    return fd;
}

static struct adit_status say_hello(struct adit_agent *agent,
                                    const struct adit_agent_session *session)
{
    struct adit_control message = {.type = ADIT_CONTROL_HELLO};
    struct adit_control_hello *hello = &message.hello;
    hello->version = ADIT_CONTROL_VERSION;
    hello->slot = session->slot;
    ADIT_TRY(adit_control_add_feature(&hello->features, ADIT_BYTES("sessions")));
    ADIT_TRY(adit_control_add_feature(&hello->features, ADIT_BYTES("drain")));
    ADIT_TRY(adit_control_add_feature(&hello->features, ADIT_BYTES("retry")));
    ADIT_TRY(ADIT_FIELD_SET(hello->token, ADIT_FIELD_BYTES(agent->token)));
    ADIT_TRY(ADIT_FIELD_SET(hello->instance, ADIT_FIELD_BYTES(agent->instance)));
    ADIT_TRY(ADIT_FIELD_SET(hello->agent, ADIT_BYTES("adit/" ADIT_VERSION)));
    ADIT_TRY(ADIT_FIELD_SET(hello->hint, ADIT_FIELD_BYTES(session->hint)));
    return adit_link_send(&agent->hub, session->link, &message);
}

struct adit_agent_session *session_find(struct adit_agent *agent, struct adit_handle link)
{
    for (size_t i = 0; i < ADIT_COUNT(agent->sessions); i++) {
        struct adit_agent_session *session = &ADIT_AT(agent->sessions, i);
        if (session->state != ADIT_AGENT_STOPPED && adit_handle_equal(session->link, link)) {
            return session;
        }
    }
    return NULL;
}

/* What it has to ask for goes with the hello: the answer to that costs no round trip of its own. */
void session_linked(struct adit_agent *agent, struct adit_agent_session *session)
{
    struct adit_loop *loop = agent->options.loop;
    struct adit_status status = say_hello(agent, session);
    if (session->slot == 0 || tunnels_are_known(agent)) {
        session->has_asked = true;
        tunnels_ask(agent, session);
    }
    if (extras_road_is_lossy(agent)) {
        adit_link_expect_loss(&agent->hub, session->link);
    }
    if (adit_is_ok(status)) {
        status = adit_loop_timer_set(loop, &session->timer, loop->now_us + ADIT_AGENT_LOGIN_US,
                                     login_late, agent, session->slot);
    }
    if (!adit_is_ok(status)) {
        adit_link_close(&agent->hub, session->link, status);
    }
}

static void welcomed(struct adit_agent *agent, struct adit_agent_session *session,
                     const struct adit_control_welcome *welcome)
{
    adit_loop_timer_cancel(agent->options.loop, &session->timer);
    adit_status_ignore(ADIT_FIELD_SET(session->hint, ADIT_FIELD_BYTES(welcome->hint)),
                       "the same limit");
    session->state = ADIT_AGENT_IN;
    session->in_since_us = agent->options.loop->now_us;
    if (!session->has_asked) {
        adit_link_close(&agent->hub, session->link, no_address());
    } else if (session->slot > 0) {
        extra_begin(agent, session);
    }
}

/* What the server tells all sessions is told to people once. */
static bool is_speaker(const struct adit_agent *agent, const struct adit_agent_session *session)
{
    return session->slot == 0 || agent->sessions[0].state != ADIT_AGENT_IN;
}

void session_message(struct adit_agent *agent, struct adit_agent_session *session,
                     const struct adit_control *message)
{
    switch (message->type) {
    case ADIT_CONTROL_WELCOME:
        if (session->state == ADIT_AGENT_LINKING) {
            welcomed(agent, session, &message->welcome);
        }
        return;
    case ADIT_CONTROL_BOUND:
        tunnels_bound(agent, session, &message->bound);
        return;
    case ADIT_CONTROL_REFUSED:
        tunnels_refused(agent, session, &message->refused);
        return;
    case ADIT_CONTROL_NOTICE:
        if (is_speaker(agent, session)) {
            agent->options.events->notice(agent->options.context,
                                          ADIT_FIELD_BYTES(message->notice.message));
        }
        return;
    case ADIT_CONTROL_SESSIONS:
        extras_wanted(agent, session, message->sessions.count);
        return;
    case ADIT_CONTROL_RETRY:
        adit_backoff_spread_set(&session->backoff, message->retry.spread_ms * ADIT_MS_US);
        return;
    case ADIT_CONTROL_DRAIN: /* it is kept until the server ends it: streams finish */
        session->is_draining = true;
        return;
    case ADIT_CONTROL_NONE:
    case ADIT_CONTROL_HELLO:
    case ADIT_CONTROL_BIND:
    case ADIT_CONTROL_UNBIND:
        return;
    }
}

void session_closed(struct adit_agent *agent, struct adit_agent_session *session,
                    struct adit_status why)
{
    adit_loop_timer_cancel(agent->options.loop, &session->timer);
    struct adit_bytes distrust = adit_link_verify_error(&agent->hub, session->link);
    if (distrust.len > 0 && session->slot == 0) {
        agent_stop(agent);
        agent->options.events->distrusted(agent->options.context, distrust);
        return;
    }
    lost(agent, session, why);
}
