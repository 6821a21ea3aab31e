#include "edge/worker/worker.h"

#include "net/hmac.h"

static struct agent *agent_of(const struct worker *worker, uint64_t user)
{
    return adit_pool_get(&worker->agents, adit_handle_unpack(user));
}

static struct adit_status turned_away(void)
{
    ADIT_FAIL(REFUSED, "the agent was refused");
}

static struct adit_status slow_login(void)
{
    ADIT_FAIL(TIMEOUT, "the agent did not log in in time");
}

static struct adit_status expired(void)
{
    ADIT_FAIL(REFUSED, "the token has expired");
}

/* The door counts connections that have not logged in; this takes one off. */
static void done_send(struct worker *worker, uint64_t request)
{
    struct adit_message done = {.type = ADIT_MESSAGE_AGENT_DONE, .request = request};
    worker_door_send(worker, &done);
    worker->load.is_owed = true;
}

static void announce(struct worker *worker, struct agent *agent)
{
    if (agent->is_announced) {
        return;
    }
    agent->is_announced = true;
    done_send(worker, agent->request);
}

static void login_timer(void *context, uint64_t key)
{
    struct worker *worker = context;
    struct agent *agent = agent_of(worker, key);
    if (agent) {
        agent->login_timer = (struct adit_handle){0};
        adit_link_close(&worker->hub, agent->link, slow_login());
    }
}

/* From here on the connection is the agent's, and its end is told by link_closed. */
static struct adit_status agent_make(struct worker *worker, struct adit_message *message)
{
    int fd = adit_message_fd_take(message, 0);
    void *object = NULL;
    struct adit_handle handle = {0};
    struct adit_status status = adit_pool_acquire(&worker->agents, &handle, &object);
    if (!adit_is_ok(status)) {
        adit_socket_close(&fd);
        return status;
    }
    struct agent *agent = object;
    agent->self = handle;
    agent->number = worker->session_next++;
    agent->request = message->request;
    agent->peer = message->address;
    const struct adit_link_options options = {
        .fd = fd, .tls = worker->tls, .user = adit_handle_pack(handle)};
    status = adit_link_open(&worker->hub, &options, &agent->link);
    if (!adit_is_ok(status)) {
        adit_status_ignore(adit_pool_release(&worker->agents, handle), "it lives");
        return status;
    }
    status = adit_loop_timer_set(&worker->loop, &agent->login_timer,
                                 worker->loop.now_us + WORKER_LOGIN_US, login_timer, worker,
                                 adit_handle_pack(handle));
    if (!adit_is_ok(status)) {
        adit_link_close(&worker->hub, agent->link, status);
    }
    return adit_ok();
}

void worker_agent_arrived(struct worker *worker, struct adit_message *message)
{
    struct adit_status status = agent_make(worker, message);
    if (!adit_is_ok(status)) {
        adit_log_failure(&worker->log, ADIT_LOG_WARN, ADIT_BYTES("agent_turned_away"), status);
        done_send(worker, message->request);
    }
}

void worker_agent_refuse(struct worker *worker, struct agent *agent, enum adit_refusal refusal,
                         uint32_t bind)
{
    struct adit_control message = adit_control_refusal(refusal, bind);
    struct adit_status status = adit_link_send(&worker->hub, agent->link, &message);
    ADIT_LOG(&worker->log, INFO, "refused", adit_log_number(ADIT_BYTES("session"), agent->number),
             adit_log_text(ADIT_BYTES("code"), adit_bytes_of_text(adit_refusal_code(refusal))),
             adit_log_number(ADIT_BYTES("bind"), bind));
    if (bind == 0 || !adit_is_ok(status)) {
        worker->counters.logins_refused += agent->is_in ? 0 : 1;
        adit_link_close(&worker->hub, agent->link, turned_away());
    }
}

void worker_agent_evict(struct worker *worker, struct agent *agent, struct adit_status why)
{
    worker->counters.evictions++;
    adit_link_close(&worker->hub, agent->link, why);
    worker_binds_release(worker, agent); /* now, so that the newer session can have them */
}

struct agent *worker_agent_find(const struct worker *worker, uint64_t number)
{
    struct adit_handle handle = {0};
    for (uint32_t cursor = 0; adit_pool_next(&worker->agents, &cursor, &handle);) {
        struct agent *agent = adit_pool_get(&worker->agents, handle);
        if (agent->number == number) {
            return agent;
        }
    }
    return NULL;
}

bool worker_agent_is_current(struct worker *worker, struct agent *agent)
{
    if (adit_token_is_current(&agent->rights, adit_clock_wall_ms() / 1000)) {
        return true;
    }
    struct adit_control message = adit_control_refusal(ADIT_REFUSAL_TOKEN_EXPIRED, 0);
    adit_status_ignore(adit_link_send(&worker->hub, agent->link, &message), "it ends anyway");
    agent->end = AGENT_OUT;
    adit_link_close(&worker->hub, agent->link, expired());
    return false;
}

static enum adit_refusal refusal_of(struct adit_status status)
{
    if (adit_status_error(status) != ADIT_ERROR_REFUSED) {
        return ADIT_REFUSAL_INTERNAL_ERROR;
    }
    switch (adit_token_reason_of(status)) {
    case ADIT_TOKEN_REASON_INVALID:
        return ADIT_REFUSAL_TOKEN_INVALID;
    case ADIT_TOKEN_REASON_EXPIRED:
        return ADIT_REFUSAL_TOKEN_EXPIRED;
    case ADIT_TOKEN_REASON_NOT_YET:
        return ADIT_REFUSAL_TOKEN_NOT_YET;
    }
    return ADIT_REFUSAL_TOKEN_INVALID;
}

static struct adit_status welcome(struct worker *worker, const struct agent *agent)
{
    struct adit_control message = {.type = ADIT_CONTROL_WELCOME};
    struct adit_control_welcome *fields = &message.welcome;
    uint8_t number[8] = {0};
    uint8_t hex[16] = {0};
    struct adit_writer digits = adit_writer_of(ADIT_SPAN_OF(hex));
    fields->version = ADIT_CONTROL_VERSION;
    ADIT_TRY(adit_write_fill(ADIT_SPAN_OF(number), agent->number));
    ADIT_TRY(adit_write_hex(&digits, ADIT_BYTES_OF(number)));
    ADIT_TRY(ADIT_FIELD_SET(fields->session, adit_writer_bytes(&digits)));
    ADIT_TRY(ADIT_FIELD_SET(fields->account, adit_token_account_of(&agent->rights)));
    ADIT_TRY(ADIT_FIELD_SET(fields->server, ADIT_BYTES("aditd/" ADIT_VERSION)));
    return adit_link_send(&worker->hub, agent->link, &message);
}

static void log_session(struct worker *worker, const struct agent *agent,
                        const struct adit_control_hello *hello)
{
    uint8_t text[64] = {0};
    struct adit_writer peer = adit_writer_of(ADIT_SPAN_OF(text));
    adit_status_ignore(adit_address_write(&peer, &agent->peer), "an unknown peer is logged empty");
    ADIT_LOG(&worker->log, INFO, "session_open",
             adit_log_number(ADIT_BYTES("session"), agent->number),
             adit_log_text(ADIT_BYTES("account"), adit_token_account_of(&agent->rights)),
             adit_log_number(ADIT_BYTES("slot"), agent->slot),
             adit_log_text(ADIT_BYTES("peer"), adit_writer_bytes(&peer)),
             adit_log_text(ADIT_BYTES("agent"), ADIT_FIELD_BYTES(hello->agent)));
}

static void hello_received(struct worker *worker, struct agent *agent,
                           const struct adit_control_hello *hello)
{
    if (hello->version != ADIT_CONTROL_VERSION) {
        worker_agent_refuse(worker, agent, ADIT_REFUSAL_VERSION_UNSUPPORTED, 0);
        return;
    }
    const struct adit_token_check check = {.key = ADIT_BYTES_OF(worker->token_key),
                                           .key_id = WORKER_TOKEN_KEY_ID,
                                           .now_s = adit_clock_wall_ms() / 1000,
                                           .mac = adit_hmac_sha256};
    struct adit_status status =
        adit_token_verify(ADIT_FIELD_BYTES(hello->token), &check, &agent->rights);
    if (!adit_is_ok(status)) {
        worker_agent_refuse(worker, agent, refusal_of(status), 0);
        return;
    }
    if (worker_token_is_revoked(worker, &agent->rights)) {
        worker_agent_refuse(worker, agent, ADIT_REFUSAL_TOKEN_REVOKED, 0);
        return;
    }
    adit_status_ignore(ADIT_FIELD_SET(agent->instance, ADIT_FIELD_BYTES(hello->instance)),
                       "the same limit");
    agent->slot = hello->slot;
    agent->takes_sessions = adit_control_has_feature(&hello->features, ADIT_BYTES("sessions"));
    agent->takes_retry = adit_control_has_feature(&hello->features, ADIT_BYTES("retry"));
    agent->is_in = true;
    worker->sessions++;
    worker->counters.logins++;
    worker_siblings_meet(worker, agent);
    adit_loop_timer_cancel(&worker->loop, &agent->login_timer);
    announce(worker, agent);
    status = welcome(worker, agent);
    if (!adit_is_ok(status)) {
        adit_link_close(&worker->hub, agent->link, status);
        return;
    }
    worker_retry_tell(worker, agent);
    log_session(worker, agent, hello);
    if (worker->stop_us > 0) {
        worker_drain_tell(worker, agent);
    }
}

static void link_message(void *context, struct adit_handle link, uint64_t user,
                         const struct adit_control *message)
{
    struct worker *worker = context;
    struct agent *agent = agent_of(worker, user);
    (void)link;
    if (!agent) {
        return;
    }
    if ((message->type == ADIT_CONTROL_HELLO) == agent->is_in) {
        worker_agent_refuse(worker, agent, ADIT_REFUSAL_BAD_LOGIN, 0);
        return;
    }
    switch (message->type) {
    case ADIT_CONTROL_HELLO:
        hello_received(worker, agent, &message->hello);
        return;
    case ADIT_CONTROL_BIND:
        worker_bind_ask(worker, agent, &message->bind);
        return;
    case ADIT_CONTROL_UNBIND:
        worker_bind_drop(worker, agent, message->unbind.bind);
        return;
    case ADIT_CONTROL_DRAIN: /* it says itself when it ends */
    case ADIT_CONTROL_NOTICE:
        return;
    case ADIT_CONTROL_NONE:
    case ADIT_CONTROL_WELCOME:
    case ADIT_CONTROL_REFUSED:
    case ADIT_CONTROL_BOUND:
    case ADIT_CONTROL_SESSIONS:
    case ADIT_CONTROL_RETRY:
        worker_agent_refuse(worker, agent, ADIT_REFUSAL_BAD_LOGIN, 0);
        return;
    }
}

static void link_closed(void *context, struct adit_handle link, uint64_t user,
                        struct adit_status why)
{
    struct worker *worker = context;
    struct agent *agent = agent_of(worker, user);
    (void)link;
    if (!agent) {
        return;
    }
    struct adit_bytes reason = adit_bytes_of_text(adit_error_name(adit_status_error(why)));
    ADIT_LOG(&worker->log, INFO, "session_close",
             adit_log_number(ADIT_BYTES("session"), agent->number),
             adit_log_text(ADIT_BYTES("reason"), reason),
             adit_log_text(ADIT_BYTES("what"), adit_bytes_of_text(adit_status_what(why))));
    worker_binds_release(worker, agent);
    worker_siblings_part(worker, agent);
    adit_loop_timer_cancel(&worker->loop, &agent->login_timer);
    announce(worker, agent);
    worker->sessions -= agent->is_in ? 1 : 0;
    adit_status_ignore(adit_pool_release(&worker->agents, agent->self), "it lives");
    worker_retry_look(worker);
    worker_load_look(worker);
}

const struct adit_hub_ops worker_hub_ops = {
    .link_message = link_message,
    .link_closed = link_closed,
    .link_lossy = worker_agent_lossy,
    .pump_dialled = worker_pump_dialled,
    .pump_closed = worker_pump_closed,
    .pump_spoke = worker_pump_spoke,
    .pipe_data = worker_pipe_data,
    .pipe_finished = worker_pipe_finished,
    .pipe_fill = worker_pipe_fill,
    .memory_short = worker_memory_short,
    .turn = worker_turn,
};
