/* Tunnels with a name: HTTP and TLS. The door says who gets a name; this asks, and keeps the table
 * from names to tunnels. */
#include "edge/worker/worker.h"

#include "net/hmac.h"

#define HTTPS_PORT 443 /* left out of an address */

struct bind *worker_name_find(const struct worker *worker, struct adit_bytes name)
{
    uint64_t handle = 0;
    return adit_table_get(&worker->names, name, &handle)
               ? worker_bind_at(worker, adit_handle_unpack(handle))
               : NULL;
}

/* Values of the table `left`: the end of that moment, and whether the agent has moved. */
static uint64_t left_value(uint64_t until_us, bool has_moved)
{
    return until_us * 2 + (has_moved ? 1 : 0);
}

bool worker_name_may_come(const struct worker *worker, struct adit_bytes name)
{
    uint64_t left = left_value(worker->settled_us, false);
    (void)adit_table_get(&worker->left, name, &left); /* later, where it is there */
    return adit_name_is_valid(name) && worker->loop.now_us < left / 2 && left % 2 == 0;
}

bool worker_name_has_moved(const struct worker *worker, struct adit_bytes name)
{
    uint64_t left = 0;
    return adit_table_get(&worker->left, name, &left) && worker->loop.now_us < left / 2 &&
           left % 2 == 1;
}

/* Where the table is full, all are forgotten: their visitors are told at once instead. */
static void left_add(struct worker *worker, struct adit_bytes name, bool has_moved)
{
    uint64_t value = left_value(worker->loop.now_us + WORKER_LEFT_US, has_moved);
    if (worker->left.used == WORKER_LEFT_MAX) {
        adit_table_clear(&worker->left);
    }
    adit_status_ignore(adit_table_set(&worker->left, name, value), "there is room");
}

/* The same for the same tunnel of the same account, here and on every server with this token key;
 * nobody else can tell it. Without a hint: any. */
static struct adit_status seed_of(struct worker *worker, const struct agent *agent,
                                  struct adit_bytes hint, uint64_t *out_seed)
{
    uint8_t tag[ADIT_HMAC_BYTES] = {0};
    uint8_t number[8] = {0};
    if (adit_is_ok(adit_parse_hex(hint, ADIT_SPAN_OF(number)))) {
        uint8_t memory[32 + ADIT_TOKEN_ACCOUNT_BYTES] = {0};
        struct adit_writer label = adit_writer_of(ADIT_SPAN_OF(memory));
        ADIT_TRY(adit_write_bytes(&label, ADIT_BYTES("adit name seed 1\0")));
        ADIT_TRY(adit_write_bytes(&label, ADIT_BYTES_OF(agent->rights.account)));
        ADIT_TRY(adit_hmac_sha256(ADIT_BYTES_OF(worker->token_key), adit_writer_bytes(&label),
                                  ADIT_BYTES_OF(number), ADIT_SPAN_OF(tag)));
    } else {
        ADIT_TRY(adit_random_fill(ADIT_SPAN_OF(tag)));
    }
    struct adit_reader reader = adit_reader_of(ADIT_BYTES_OF(tag));
    return adit_read_u64(&reader, out_seed);
}

/* Takes the part before the first comma off `rest`. */
static struct adit_bytes next_part(struct adit_bytes *rest)
{
    size_t comma = adit_bytes_find(*rest, ',');
    struct adit_bytes part = adit_bytes_first(*rest, comma);
    *rest = adit_bytes_from(*rest, comma + 1);
    return part;
}

/* A name that this part of a pattern allows: itself, or its prefix and one drawn; empty: none. */
static void name_of_part(const struct bind *bind, struct adit_bytes part,
                         struct adit_name_text *out_name)
{
    struct adit_name_text drawn = {0};
    uint8_t memory[2 * ADIT_NAME_BYTES_MAX] = {0};
    struct adit_writer name = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_status status = adit_ok();
    if (adit_bytes_ends_with(part, ADIT_BYTES("*"))) {
        adit_name_draw(bind->seed, bind->draws, &drawn);
        part = adit_bytes_first(part, part.len - 1);
    }
    status = adit_write_bytes(&name, part);
    if (adit_is_ok(status)) {
        status = adit_write_bytes(&name, ADIT_FIELD_BYTES(drawn.text));
    }
    *out_name = (struct adit_name_text){0};
    if (adit_is_ok(status)) {
        status = ADIT_FIELD_SET(out_name->text, adit_writer_bytes(&name));
    }
    adit_status_ignore(status, "one that is too long stays empty, and no token allows that");
}

/* The agent leaves the name to us, and its token does not allow every one: the first that follows
 * from its patterns and that all of them allow. Empty where the door may draw any. */
static void name_choose(const struct agent *agent, struct bind *bind)
{
    const struct adit_token_rights *rights = &agent->rights;
    bind->name.len = 0;
    for (size_t i = 0; i < rights->names_count; i++) {
        struct adit_bytes rest = ADIT_BYTES_OF(ADIT_AT(rights->names, i).pattern);
        rest = adit_bytes_first(rest, adit_bytes_find(rest, 0));
        while (rest.len > 0) {
            struct adit_name_text name = {0};
            struct adit_bytes part = next_part(&rest);
            name_of_part(bind, part, &name);
            struct adit_bytes text = ADIT_FIELD_BYTES(name.text);
            if (part.len > 1 && adit_token_allows_name(rights, text)) {
                adit_status_ignore(ADIT_FIELD_SET(bind->name, text), "the same limit");
                return;
            }
        }
    }
}

struct adit_status worker_name_prepare(struct worker *worker, struct bind *bind,
                                       const struct adit_control_bind *wanted)
{
    const struct agent *agent = worker_bind_agent(worker, bind);
    ADIT_TRY(seed_of(worker, agent, ADIT_FIELD_BYTES(wanted->hint), &bind->seed));
    ADIT_TRY(ADIT_FIELD_SET(bind->name, ADIT_FIELD_BYTES(wanted->name)));
    bind->is_drawn = wanted->name.len == 0;
    if (bind->is_drawn) {
        name_choose(agent, bind);
    }
    if (bind->kind == ADIT_TUNNEL_HTTP) {
        ADIT_TRY(ADIT_FIELD_SET(bind->host_header, ADIT_FIELD_BYTES(wanted->host_header)));
    }
    return adit_ok();
}

/* What CLAIM and HOLD have in common. */
static struct adit_message name_message(const struct worker *worker, const struct bind *bind,
                                        enum adit_message_type type)
{
    struct adit_message message = {.type = type, .kind = bind->kind};
    worker_bind_owner_set(worker, bind, &message);
    adit_status_ignore(adit_message_text_set(&message.name, ADIT_FIELD_BYTES(bind->name)),
                       "a name is at most 63 bytes");
    return message;
}

void worker_name_ask(struct worker *worker, struct bind *bind)
{
    struct adit_message claim = name_message(worker, bind, ADIT_MESSAGE_CLAIM);
    claim.request = adit_handle_pack(bind->self);
    claim.seed = bind->seed;
    worker_door_send(worker, &claim);
}

void worker_name_hold(struct worker *worker, const struct bind *bind)
{
    struct adit_message hold = name_message(worker, bind, ADIT_MESSAGE_HOLD);
    worker_door_send(worker, &hold);
}

static void give_back(struct worker *worker, uint64_t session, struct adit_bytes name,
                      bool is_kept)
{
    struct adit_message release = {
        .type = ADIT_MESSAGE_RELEASE, .session = session, .count = is_kept ? 1 : 0};
    adit_status_ignore(adit_message_text_set(&release.name, name), "a name is at most 63 bytes");
    worker_door_send(worker, &release);
}

void worker_name_release(struct worker *worker, struct bind *bind, bool is_kept)
{
    const struct agent *agent = worker_bind_agent(worker, bind);
    struct adit_bytes name = ADIT_FIELD_BYTES(bind->name);
    if (bind->state != BIND_BOUND) {
        return;
    }
    bool was_ours = worker_name_find(worker, name) == bind; /* else a newer session has it here */
    const struct bind *other = was_ours ? worker_sibling_other(worker, bind) : NULL;
    if (other) {
        was_ours = false;
        worker_hosts_forget(worker);
        adit_status_ignore(adit_table_set(&worker->names, name, adit_handle_pack(other->self)),
                           "it takes the place of one that is there");
    } else if (was_ours) {
        worker_hosts_forget(worker);
        adit_table_remove(&worker->names, name);
    }
    if (bind->kind == ADIT_TUNNEL_HTTP) {
        adit_proxy_tunnel_gone(worker->proxy, bind->tunnel);
        if (is_kept && was_ours) {
            left_add(worker, name, agent->end == AGENT_MOVED);
        }
    }
    give_back(worker, agent->number, name, is_kept);
}

static struct adit_status write_url(struct adit_writer *url, const struct worker *worker,
                                    const struct bind *bind)
{
    bool is_http = bind->kind == ADIT_TUNNEL_HTTP;
    ADIT_TRY(adit_write_bytes(url, is_http ? ADIT_BYTES("https://") : ADIT_BYTES("tls://")));
    ADIT_TRY(adit_write_bytes(url, ADIT_FIELD_BYTES(bind->name)));
    ADIT_TRY(adit_write_u8(url, '.'));
    ADIT_TRY(adit_write_bytes(url, ADIT_FIELD_BYTES(worker->domain)));
    if (!is_http || worker->https_port != HTTPS_PORT) {
        ADIT_TRY(adit_write_u8(url, ':'));
        ADIT_TRY(adit_write_decimal(url, worker->https_port));
    }
    return adit_ok();
}

static struct adit_status name_take(struct worker *worker, struct bind *bind,
                                    struct adit_bytes name)
{
    const struct agent *agent = worker_bind_agent(worker, bind);
    struct adit_control message = {.type = ADIT_CONTROL_BOUND};
    uint8_t memory[340] = {0};
    struct adit_writer url = adit_writer_of(ADIT_SPAN_OF(memory));
    ADIT_TRY(ADIT_FIELD_SET(bind->name, name));
    bind->state = BIND_BOUND; /* from here on it is given back when it ends */
    bind->tunnel = worker->tunnel_next++;
    worker_hosts_forget(worker);
    ADIT_TRY(adit_table_set(&worker->names, name, adit_handle_pack(bind->self)));
    adit_table_remove(&worker->left, name);
    ADIT_TRY(write_url(&url, worker, bind));
    message.bound.bind = bind->id;
    ADIT_TRY(ADIT_FIELD_SET(message.bound.name, name));
    ADIT_TRY(ADIT_FIELD_SET(message.bound.url, adit_writer_bytes(&url)));
    return adit_link_send(&worker->hub, agent->link, &message);
}

void worker_name_claimed(struct worker *worker, struct adit_message *message)
{
    struct bind *bind = worker_bind_asked(worker, message->request);
    const struct agent *agent = worker_bind_agent(worker, bind);
    struct adit_bytes name = adit_message_text_get(&message->name);
    if (!agent) { /* it gave up meanwhile */
        give_back(worker, message->session, name, true);
        return;
    }
    if (!adit_token_allows_name(&agent->rights, name)) { /* a drawn one */
        give_back(worker, message->session, name, false);
        worker_bind_refuse(worker, bind, ADIT_REFUSAL_TOKEN_SCOPE);
        return;
    }
    struct adit_status status = name_take(worker, bind, name);
    if (!adit_is_ok(status)) {
        adit_log_failure(&worker->log, ADIT_LOG_WARN, ADIT_BYTES("bind_failed"), status);
        worker_bind_refuse(worker, bind, ADIT_REFUSAL_INTERNAL_ERROR);
        return;
    }
    ADIT_LOG(&worker->log, INFO, "bound",
             adit_log_number(ADIT_BYTES("session"), message->session),
             adit_log_text(ADIT_BYTES("kind"), adit_bytes_of_text(adit_tunnel_name(bind->kind))),
             adit_log_text(ADIT_BYTES("name"), name));
}

/* True where another name is tried: one that we drew for a prefix. */
static bool draw_again(struct worker *worker, struct bind *bind)
{
    struct adit_bytes name = ADIT_FIELD_BYTES(bind->name);
    struct adit_name_text last = {0};
    if (!bind->is_drawn || bind->draws + 1 >= WORKER_DRAWS_MAX) {
        return false;
    }
    adit_status_ignore(ADIT_FIELD_SET(last.text, name), "the same limit");
    bind->draws++;
    name_choose(worker_bind_agent(worker, bind), bind);
    if (adit_bytes_equal(ADIT_FIELD_BYTES(last.text), ADIT_FIELD_BYTES(bind->name))) {
        return false;
    }
    worker_name_ask(worker, bind);
    return true;
}

void worker_name_refused(struct worker *worker, struct adit_message *message)
{
    struct bind *bind = worker_bind_asked(worker, message->request);
    if (!bind) {
        return;
    }
    switch (message->name_refusal) {
    case ADIT_NAME_REFUSAL_TAKEN:
        if (!draw_again(worker, bind)) {
            worker_bind_refuse(worker, bind, ADIT_REFUSAL_NAME_TAKEN);
        }
        return;
    case ADIT_NAME_REFUSAL_RESERVED:
        worker_bind_refuse(worker, bind, ADIT_REFUSAL_NAME_RESERVED);
        return;
    case ADIT_NAME_REFUSAL_INVALID:
        worker_bind_refuse(worker, bind, ADIT_REFUSAL_NAME_INVALID);
        return;
    case ADIT_NAME_REFUSAL_LIMIT:
        worker_bind_refuse(worker, bind, ADIT_REFUSAL_LIMIT_REACHED);
        return;
    }
}
