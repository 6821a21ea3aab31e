#include "agent/internal.h"

/* Any key will do: the hint only has to be the same for the same command. */
static const struct adit_siphash_key hint_key = {.low = 0x6164697420686e74, .high = 1};

/* Who asks for what: the token's id (a narrowed token has its root's), the kind and the target. */
static struct adit_status hint_write(struct adit_writer *hint, struct adit_bytes token,
                                     const struct adit_agent_tunnel *tunnel)
{
    uint8_t memory[ADIT_TOKEN_TEXT_MAX + sizeof(tunnel->host.bytes) + 8] = {0};
    struct adit_writer key = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_token parsed = {0};
    bool is_token = adit_is_ok(adit_token_parse(token, &parsed));
    ADIT_TRY(adit_write_bytes(&key, is_token ? ADIT_BYTES_OF(parsed.record.id) : token));
    ADIT_TRY(adit_write_u8(&key, (uint8_t)tunnel->kind));
    ADIT_TRY(adit_write_u16(&key, tunnel->port));
    ADIT_TRY(adit_write_bytes(&key, ADIT_FIELD_BYTES(tunnel->host)));
    uint64_t hash = adit_siphash(hint_key, adit_writer_bytes(&key));
    uint8_t digest[sizeof(hash)] = {0};
    struct adit_writer number = adit_writer_of(ADIT_SPAN_OF(digest));
    ADIT_TRY(adit_write_u64(&number, hash));
    return adit_write_hex(hint, ADIT_BYTES_OF(digest));
}

static struct adit_status ask(struct adit_agent *agent, const struct adit_agent_session *session,
                              size_t index)
{
    const struct adit_agent_tunnel *tunnel = &ADIT_AT(agent->tunnels, index);
    const struct adit_agent_bind *bind = &ADIT_AT(agent->binds, index);
    struct adit_control message = {.type = ADIT_CONTROL_BIND};
    uint8_t hint[16] = {0};
    struct adit_writer digits = adit_writer_of(ADIT_SPAN_OF(hint));
    bool has_wish = tunnel->name.len > 0;
    message.bind.bind = (uint32_t)index + 1;
    message.bind.kind = tunnel->kind;
    message.bind.remote_port = tunnel->remote_port > 0 ? tunnel->remote_port : bind->port;
    ADIT_TRY(ADIT_FIELD_SET(message.bind.name, has_wish ? ADIT_FIELD_BYTES(tunnel->name)
                                                        : ADIT_FIELD_BYTES(bind->name)));
    ADIT_TRY(ADIT_FIELD_SET(message.bind.host_header, ADIT_FIELD_BYTES(tunnel->host_header)));
    ADIT_TRY(hint_write(&digits, ADIT_FIELD_BYTES(agent->token), tunnel));
    ADIT_TRY(ADIT_FIELD_SET(message.bind.hint, adit_writer_bytes(&digits)));
    return adit_link_send(&agent->hub, session->link, &message);
}

static void ask_or_close(struct adit_agent *agent, const struct adit_agent_session *session,
                         size_t index)
{
    struct adit_status status = ask(agent, session, index);
    if (!adit_is_ok(status)) {
        adit_link_close(&agent->hub, session->link, status);
    }
}

void tunnels_ask(struct adit_agent *agent, struct adit_agent_session *session)
{
    for (size_t i = 0; i < agent->options.tunnel_count; i++) {
        ask_or_close(agent, session, i);
    }
}

void tunnels_give_up(struct adit_agent *agent, struct adit_agent_session *session)
{
    for (size_t i = 0; i < agent->options.tunnel_count && session->state == ADIT_AGENT_IN; i++) {
        struct adit_control message = {.type = ADIT_CONTROL_UNBIND};
        message.unbind.bind = (uint32_t)i + 1;
        ADIT_AT(session->is_bound, i) = false;
        adit_status_ignore(adit_link_send(&agent->hub, session->link, &message),
                           "the server keeps the tunnel for its grace then");
    }
}

/* The tunnel that the server's number means, or null: the server is not trusted with indexes. */
static struct adit_agent_bind *find(struct adit_agent *agent,
                                    const struct adit_agent_session *session, uint32_t id,
                                    size_t *out_index)
{
    if (session->state != ADIT_AGENT_IN || id == 0 || id > agent->options.tunnel_count) {
        return NULL;
    }
    *out_index = id - 1;
    return &ADIT_AT(agent->binds, *out_index);
}

static bool is_up(const struct adit_agent *agent, size_t index,
                  const struct adit_agent_session *without)
{
    for (size_t i = 0; i < ADIT_COUNT(agent->sessions); i++) {
        const struct adit_agent_session *session = &ADIT_AT(agent->sessions, i);
        if (session != without && ADIT_AT(session->is_bound, index)) {
            return true;
        }
    }
    return false;
}

bool tunnels_are_up(const struct adit_agent *agent, const struct adit_agent_session *without)
{
    for (size_t i = 0; i < agent->options.tunnel_count; i++) {
        if (!is_up(agent, i, without)) {
            return false;
        }
    }
    return true;
}

bool tunnels_are_known(const struct adit_agent *agent)
{
    for (size_t i = 0; i < agent->options.tunnel_count; i++) {
        const struct adit_agent_bind *bind = &ADIT_AT(agent->binds, i);
        if (bind->port == 0 && bind->name.len == 0) {
            return false;
        }
    }
    return true;
}

/* For every further session. A tunnel of TCP is asked for by its port, the others by names. */
static void bind_remember(struct adit_agent_bind *bind, enum adit_tunnel kind,
                          const struct adit_control_bound *bound)
{
    bool has_port = kind == ADIT_TUNNEL_TCP;
    struct adit_bytes name = ADIT_FIELD_BYTES(bound->name);
    bind->port = has_port ? (uint16_t)bound->port : 0;
    adit_status_ignore(ADIT_FIELD_SET(bind->url, ADIT_FIELD_BYTES(bound->url)), "the same limit");
    adit_status_ignore(ADIT_FIELD_SET(bind->name, adit_bytes_first(name, has_port ? 0 : name.len)),
                       "the same limit");
}

/* What the server had chosen, and refuses now, is forgotten: any other will do. False where there
 * is no such thing: the refusal is about what the user asked for. */
static bool bind_forget(struct adit_agent_bind *bind, const struct adit_agent_tunnel *tunnel)
{
    bool has_port = tunnel->remote_port == 0 && bind->port != 0;
    bool has_name = tunnel->name.len == 0 && bind->name.len > 0;
    if (has_port) {
        bind->port = 0;
    }
    if (has_name) {
        bind->name.len = 0;
    }
    return has_port || has_name;
}

static struct adit_status another_address(void)
{
    ADIT_FAIL(INVALID, "the server gave a further session another address");
}

static struct adit_status refused_further(void)
{
    ADIT_FAIL(REFUSED, "the server refused a further session");
}

void tunnels_bound(struct adit_agent *agent, struct adit_agent_session *session,
                   const struct adit_control_bound *bound)
{
    size_t index = 0;
    struct adit_agent_bind *bind = find(agent, session, bound->bind, &index);
    if (!bind || ADIT_AT(session->is_bound, index) || session->is_leaving) {
        return;
    }
    const struct adit_agent_events *events = agent->options.events;
    bool has_port = ADIT_AT(agent->tunnels, index).kind == ADIT_TUNNEL_TCP;
    bool is_again = bind->was_bound && (!has_port || bind->port == bound->port) &&
                    adit_bytes_equal(ADIT_FIELD_BYTES(bind->url), ADIT_FIELD_BYTES(bound->url));
    bool was_up = is_up(agent, index, NULL);
    if (was_up && !is_again) {
        adit_link_close(&agent->hub, session->link, another_address());
        return;
    }
    ADIT_AT(session->is_bound, index) = true;
    if (was_up) {
        return; /* one more session has it: nothing that a person would notice */
    }
    bind->was_bound = true;
    bind_remember(bind, ADIT_AT(agent->tunnels, index).kind, bound);
    events->ready(agent->options.context, &ADIT_AT(agent->tunnels, index), bound, is_again);
    if (tunnels_are_up(agent, NULL)) {
        if (agent->was_in) {
            events->reconnected(agent->options.context);
        }
        agent->was_in = true;
    }
}

/* About the token itself, which all sessions share. */
static bool is_about_token(enum adit_refusal refusal)
{
    return refusal == ADIT_REFUSAL_TOKEN_REVOKED || refusal == ADIT_REFUSAL_TOKEN_EXPIRED ||
           refusal == ADIT_REFUSAL_TOKEN_INVALID;
}

void tunnels_refused(struct adit_agent *agent, struct adit_agent_session *session,
                     const struct adit_control_refused *refused)
{
    size_t index = 0;
    struct adit_agent_bind *bind = find(agent, session, refused->bind, &index);
    enum adit_refusal known = ADIT_REFUSAL_INTERNAL_ERROR;
    bool is_known = adit_is_ok(adit_refusal_find(ADIT_FIELD_BYTES(refused->code), &known));
    bool is_spare = tunnels_are_up(agent, session) && !(is_known && is_about_token(known));
    if (session->slot > 0 || is_spare) { /* the others go on */
        adit_link_close(&agent->hub, session->link, refused_further());
        return;
    }
    if (bind && bind_forget(bind, &ADIT_AT(agent->tunnels, index))) {
        ask_or_close(agent, session, index);
        return;
    }
    if (is_known && !adit_refusal_is_final(known)) {
        return; /* the server closes the link, and the agent tries again */
    }
    const struct adit_agent_refusal refusal = {.code = ADIT_FIELD_BYTES(refused->code),
                                               .message = ADIT_FIELD_BYTES(refused->message),
                                               .next_action =
                                                   ADIT_FIELD_BYTES(refused->next_action)};
    agent_stop(agent);
    agent->options.events->refused(agent->options.context, &refusal);
}
