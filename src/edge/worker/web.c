/* Visitors whose HTTP we speak: the proxy does it, and asks here who serves a host. */
#include "edge/worker/worker.h"

/* Nobody here serves the name. The door has led the connection to this worker for its server name:
 * who asks for another one over it, or for one whose agent went elsewhere, is to come anew. */
static enum adit_proxy_verdict route_elsewhere(const struct worker *worker, struct adit_bytes name,
                                               const struct adit_proxy_asked *asked)
{
    bool is_alone = worker->workers == 1;
    bool is_known = asked->server_name.len > 0;
    if (adit_bytes_equal(name, ADIT_BYTES("dash"))) {
        return ADIT_PROXY_DASHBOARD;
    }
    if (!adit_name_is_valid(name) || adit_bytes_equal(name, ADIT_BYTES("connect"))) {
        return ADIT_PROXY_ABSENT;
    }
    if (is_known ? !adit_bytes_equal(name, asked->server_name) : !is_alone) {
        return ADIT_PROXY_ELSEWHERE;
    }
    if (asked->is_unknown) {
        return ADIT_PROXY_ABSENT; /* as the door saw it, which knows every worker's names */
    }
    if (worker_name_may_come(worker, name)) {
        return ADIT_PROXY_AWAY;
    }
    if (!is_alone && (asked->has_waited || worker_name_has_moved(worker, name))) {
        return ADIT_PROXY_ELSEWHERE; /* whoever it waited for may have come to another worker */
    }
    return ADIT_PROXY_ABSENT;
}

static enum adit_proxy_verdict route(void *context, const struct adit_proxy_asked *asked,
                                     struct adit_proxy_route *out_route)
{
    struct worker *worker = context;
    const struct bind *bind = worker_host_find(worker, asked->host);
    struct agent *agent = worker_bind_agent(worker, bind);
    if (!agent || bind->kind != ADIT_TUNNEL_HTTP) {
        return route_elsewhere(
            worker, adit_name_of_host(asked->host, ADIT_FIELD_BYTES(worker->domain)), asked);
    }
    if (!worker_agent_is_current(worker, agent)) {
        return ADIT_PROXY_AWAY;
    }
    const struct bind *best = worker_sibling_best(worker, bind);
    if (best != bind) {
        bind = best;
        agent = worker_bind_agent(worker, bind);
    }
    *out_route = (struct adit_proxy_route){
        .link = agent->link,
        .bind = bind->id,
        .tunnel = bind->tunnel,
        .host_header = ADIT_FIELD_BYTES(bind->host_header),
    };
    return ADIT_PROXY_SERVED;
}

/* Who sends what we refuse may send much of it: a line a second for each reason is enough. */
static void exchanged(void *context, const struct adit_proxy_exchange *exchange)
{
    struct worker *worker = context;
    if (!exchange->is_refused) {
        return;
    }
    struct worker_tally *tally = &ADIT_AT(worker->tallies, exchange->error);
    uint8_t memory[64] = {0};
    struct adit_writer peer = adit_writer_of(ADIT_SPAN_OF(memory));
    if (worker->loop.now_us < tally->next_us) {
        tally->unsaid++;
        return;
    }
    adit_status_ignore(adit_address_write(&peer, &exchange->peer), "an address fits");
    ADIT_LOG(&worker->log, INFO, "request_refused",
             adit_log_text(ADIT_BYTES("reason"), adit_http_error_code(exchange->error)),
             adit_log_text(ADIT_BYTES("peer"), adit_writer_bytes(&peer)),
             adit_log_number(ADIT_BYTES("tunnel"), exchange->tunnel),
             adit_log_number(ADIT_BYTES("others"), tally->unsaid));
    *tally = (struct worker_tally){.next_us = worker->loop.now_us + ADIT_SECOND_US};
}

static const struct adit_proxy_ops ops = {.route = route, .exchanged = exchanged};

struct adit_status worker_web_open(struct worker *worker)
{
    const struct adit_proxy_options options = {
        .loop = &worker->loop,
        .hub = &worker->hub,
        .ops = &ops,
        .context = worker,
        .connections_max = WORKER_WEBS_MAX,
        .idle_pipes_max = WORKER_IDLE_PIPES_MAX,
        .https_port = worker->https_port,
    };
    return adit_proxy_open(&options, &worker->proxy);
}

void worker_web_arrived(struct worker *worker, struct adit_message *message)
{
    bool is_plain = (message->options & ADIT_WEB_PLAIN) != 0;
    struct adit_bytes host = adit_message_text_get(&message->domain);
    const struct adit_proxy_visitor visitor = {
        .fd = adit_message_fd_take(message, 0),
        .tls = is_plain ? NULL : worker->visitor_tls,
        .peer = message->address,
        .server_name = adit_name_of_host(host, ADIT_FIELD_BYTES(worker->domain)),
        .is_unknown = (message->options & ADIT_WEB_UNKNOWN) != 0,
        .is_redirect = is_plain && (worker->options & ADIT_START_HTTP_SERVE) == 0,
    };
    struct adit_status status = adit_proxy_visitor_add(worker->proxy, &visitor);
    if (!adit_is_ok(status)) {
        worker->counters.visitors_turned_away++;
        adit_log_failure(&worker->log, ADIT_LOG_WARN, ADIT_BYTES("visitor_turned_away"), status);
    }
}

/* --- What the hub says of the proxy's pipes, passed on --------------------------------------- */

static bool is_proxys(uint64_t user)
{
    return (user & ADIT_PROXY_USER) != 0;
}

void worker_pump_dialled(void *context, struct adit_handle pump, uint64_t user,
                         enum adit_dial_result result)
{
    struct worker *worker = context;
    if (is_proxys(user)) {
        adit_proxy_pipe_dialled(worker->proxy, pump, user, result);
    } else if (result != ADIT_DIAL_CONNECTED) {
        const struct agent *agent = worker_bind_agent(worker, worker_bind_of_user(worker, user));
        ADIT_LOG(&worker->log, INFO, "visitor_refused",
                 adit_log_number(ADIT_BYTES("session"), agent ? agent->number : 0),
                 adit_log_text(ADIT_BYTES("reason"), adit_bytes_of_text(adit_dial_name(result))));
    }
}

void worker_pump_closed(void *context, struct adit_handle pump, uint64_t user,
                        enum adit_pump_end end)
{
    struct worker *worker = context;
    if (is_proxys(user)) {
        adit_proxy_pipe_closed(worker->proxy, pump, user, end);
    }
}

void worker_pipe_data(void *context, struct adit_handle pipe, uint64_t user,
                      struct adit_bytes bytes)
{
    struct worker *worker = context;
    adit_proxy_pipe_data(worker->proxy, pipe, user, bytes);
}

void worker_pipe_finished(void *context, struct adit_handle pipe, uint64_t user)
{
    struct worker *worker = context;
    adit_proxy_pipe_finished(worker->proxy, pipe, user);
}

struct adit_pipe_filled worker_pipe_fill(void *context, struct adit_handle pipe, uint64_t user,
                                         struct adit_span room)
{
    struct worker *worker = context;
    return adit_proxy_pipe_fill(worker->proxy, pipe, user, room);
}

bool worker_memory_short(void *context, size_t bytes)
{
    struct worker *worker = context;
    return adit_proxy_memory_short(worker->proxy, bytes);
}

void worker_turn(void *context)
{
    struct worker *worker = context;
    adit_proxy_turn(worker->proxy);
    worker_load_look(worker);
    worker_busy_look(worker);
    worker_rest_look(worker);
}
