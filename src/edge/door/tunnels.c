#include "edge/door/tunnels.h"

#include "edge/door/probes.h"
#include "edge/door/workers.h"

#define BACKLOG 1024
#define PICKS_MAX 64 /* ports tried for a tunnel that wants any: other programs may have some */

static void port_log(struct adit_door *door, enum adit_log_level level, struct adit_bytes event,
                     uint16_t port)
{
    const struct adit_log_field field = adit_log_number(ADIT_BYTES("port"), port);
    adit_log_event(&door->log, level, event, &field, 1);
}

/* shutdown(2) revokes the listener for every process that holds it, and resets who waits there. */
static void listener_shut(int fd)
{
    adit_status_ignore(adit_socket_stop_listening(fd), "a listener of ours; closing is left");
    adit_socket_close(&fd);
}

static void grace_over(void *context, uint64_t key);

static void grace_renew(struct adit_door *door)
{
    uint64_t next_us = adit_ports_next_end_us(&door->ports);
    if (next_us == UINT64_MAX) {
        adit_loop_timer_cancel(&door->loop, &door->grace_timer);
        return;
    }
    adit_status_ignore(
        adit_loop_timer_set(&door->loop, &door->grace_timer, next_us, grace_over, door, 0),
        "a timer is reserved for it");
}

static void grace_over(void *context, uint64_t key)
{
    struct adit_door *door = context;
    uint16_t port = 0;
    int fd = -1;
    (void)key;
    while (adit_ports_expire(&door->ports, adit_clock_now_us(), &port, &fd)) {
        listener_shut(fd);
        port_log(door, ADIT_LOG_INFO, ADIT_BYTES("port_grace_over"), port);
    }
    grace_renew(door);
}

static struct adit_status refuse(struct adit_door *door, uint32_t worker, uint64_t request,
                                 enum adit_port_refusal refusal)
{
    struct adit_message message = {
        .type = ADIT_MESSAGE_BIND_REFUSED, .request = request, .refusal = refusal};
    return adit_door_worker_send(door, worker, &message);
}

/* The worker gets a duplicate; the door keeps its own. */
static struct adit_status answer(struct adit_door *door, const struct adit_port_claim *claim,
                                 uint64_t request)
{
    const struct adit_port *entry = adit_ports_get(&door->ports, claim->port);
    ADIT_ENSURE(entry && entry->state == ADIT_PORT_OWNED, INTERNAL, "the port has no owner");
    int copy = fcntl(entry->fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (copy < 0) {
        ADIT_FAIL_WITH(SYSTEM, "a listener cannot be duplicated", errno);
    }
    struct adit_message message = {.type = ADIT_MESSAGE_BOUND,
                                   .request = request,
                                   .session = claim->owner.session,
                                   .port = claim->port,
                                   .fds = {copy},
                                   .fd_count = 1};
    struct adit_status status = adit_door_worker_send(door, claim->owner.worker, &message);
    adit_message_fds_close(&message);
    return status;
}

/* Opens a listener for a port that is free in our table. DENIED with the refusal where the system
 * does not let us. */
static void listener_make(struct adit_door *door, const struct adit_port_claim *claim,
                          struct adit_port_answer *answer)
{
    struct adit_address address = door->tcp_address;
    int fd = -1;
    address.port = claim->port;
    struct adit_status status = adit_socket_listen(&address, BACKLOG, &fd);
    if (adit_is_ok(status)) {
        status = adit_ports_put(&door->ports, claim, fd);
    }
    if (adit_is_ok(status)) {
        return;
    }
    adit_socket_close(&fd);
    if (status.detail != EADDRINUSE) {
        adit_log_failure(&door->log, ADIT_LOG_WARN, ADIT_BYTES("port_failed"), status);
    }
    answer->verdict = ADIT_PORT_DENIED;
    answer->refusal =
        status.detail == EADDRINUSE ? ADIT_PORT_REFUSAL_TAKEN : ADIT_PORT_REFUSAL_LIMIT;
}

static struct adit_status bind_one(struct adit_door *door, const struct adit_port_claim *claim,
                                   struct adit_port_answer *out_answer)
{
    ADIT_TRY(adit_ports_claim(&door->ports, claim, out_answer));
    if (out_answer->verdict == ADIT_PORT_OPEN) {
        listener_make(door, claim, out_answer);
    }
    return adit_ok();
}

/* Any port: from a random one on, so that a name for a tunnel does not follow from the order of
 * arrival. */
static struct adit_status bind_any(struct adit_door *door, struct adit_port_claim *claim,
                                   struct adit_port_answer *out_answer)
{
    uint64_t span = (uint64_t)(door->ports.to - door->ports.from) + 1;
    uint32_t start = door->ports.from + (uint32_t)adit_jitter_below(&door->jitter, span);
    const struct adit_port_answer none = {.verdict = ADIT_PORT_DENIED,
                                          .refusal = ADIT_PORT_REFUSAL_LIMIT};
    *out_answer = none;
    for (size_t i = 0; i < PICKS_MAX && out_answer->verdict == ADIT_PORT_DENIED; i++) {
        if (!adit_ports_pick(&door->ports, start, &claim->port)) {
            *out_answer = none;
            return adit_ok();
        }
        ADIT_TRY(bind_one(door, claim, out_answer));
        start = (uint32_t)claim->port + 1;
    }
    return adit_ok();
}

static struct adit_port_claim claim_of(uint32_t worker, const struct adit_message *message)
{
    return (struct adit_port_claim){.port = message->port,
                                    .owner = {.worker = worker,
                                              .slot = message->slot,
                                              .session = message->session},
                                    .account = adit_message_text_get(&message->account),
                                    .instance = adit_message_text_get(&message->instance)};
}

/* The port is the claim's. */
static struct adit_status bind_answer(struct adit_door *door, const struct adit_port_claim *claim,
                                      uint64_t request, const struct adit_port_answer *granted)
{
    int fd = -1;
    if (granted->is_replaced) {
        adit_door_worker_evict(door, &granted->old);
    }
    port_log(door, ADIT_LOG_INFO,
             granted->verdict == ADIT_PORT_KEPT ? ADIT_BYTES("port_kept")
                                                : ADIT_BYTES("port_bound"),
             claim->port);
    grace_renew(door);
    struct adit_status status = answer(door, claim, request);
    if (adit_status_error(status) != ADIT_ERROR_SYSTEM) {
        return status;
    }
    adit_log_failure(&door->log, ADIT_LOG_WARN, ADIT_BYTES("port_failed"), status);
    if (adit_ports_free(&door->ports, claim, &fd) && fd >= 0) {
        listener_shut(fd);
    }
    return refuse(door, claim->owner.worker, request, ADIT_PORT_REFUSAL_LIMIT);
}

static bool owners_probe(struct adit_door *door, uint32_t worker,
                         const struct adit_message *message)
{
    const struct adit_port *entry = adit_ports_get(&door->ports, message->port);
    return entry && adit_probes_ask(door, worker, message, &entry->owners);
}

static struct adit_status bind_try(struct adit_door *door, uint32_t worker,
                                   const struct adit_message *message, bool has_probed)
{
    struct adit_port_claim claim = claim_of(worker, message);
    struct adit_port_answer verdict = {0};
    if (claim.port == 0) {
        ADIT_TRY(bind_any(door, &claim, &verdict));
    } else {
        ADIT_TRY(bind_one(door, &claim, &verdict));
    }
    switch (verdict.verdict) {
    case ADIT_PORT_OPEN:
    case ADIT_PORT_KEPT:
        return bind_answer(door, &claim, message->request, &verdict);
    case ADIT_PORT_PROBE:
        return !has_probed && owners_probe(door, worker, message)
                   ? adit_ok()
                   : refuse(door, worker, message->request, ADIT_PORT_REFUSAL_TAKEN);
    case ADIT_PORT_DENIED:
        return refuse(door, worker, message->request, verdict.refusal);
    }
    return adit_ok();
}

struct adit_status adit_tunnels_bind(struct adit_door *door, uint32_t worker,
                                     struct adit_message *message)
{
    if (message->kind != ADIT_TUNNEL_TCP) {
        return refuse(door, worker, message->request, ADIT_PORT_REFUSAL_UNSUPPORTED);
    }
    return bind_try(door, worker, message, false);
}

struct adit_status adit_tunnels_probed(struct adit_door *door, uint32_t worker,
                                       const struct adit_message *message, bool is_refused)
{
    return is_refused ? refuse(door, worker, message->request, ADIT_PORT_REFUSAL_TAKEN)
                      : bind_try(door, worker, message, true);
}

bool adit_tunnels_evict(struct adit_door *door, const struct adit_message *message,
                        const struct adit_owner *owner)
{
    struct adit_port_claim claim = claim_of(owner->worker, message);
    claim.owner = *owner;
    return adit_ports_grace(&door->ports, &claim, door->loop.now_us + door->grace_us);
}

void adit_tunnels_unbind(struct adit_door *door, uint32_t worker,
                         const struct adit_message *message)
{
    const struct adit_port_claim claim = claim_of(worker, message);
    int fd = -1;
    if (message->count > 0) {
        if (adit_ports_grace(&door->ports, &claim, door->loop.now_us + door->grace_us)) {
            port_log(door, ADIT_LOG_INFO, ADIT_BYTES("port_grace"), message->port);
            grace_renew(door);
        }
    } else if (adit_ports_free(&door->ports, &claim, &fd) && fd >= 0) {
        listener_shut(fd);
        port_log(door, ADIT_LOG_INFO, ADIT_BYTES("port_unbound"), message->port);
    }
}

/* Takes *fd over where it is the port's first listener; its further owners have the same one. */
static struct adit_status own_take(struct adit_door *door, const struct adit_port_claim *claim,
                                   int *fd)
{
    struct adit_port_answer granted = {0};
    ADIT_TRY(adit_ports_claim(&door->ports, claim, &granted));
    switch (granted.verdict) {
    case ADIT_PORT_OPEN:
        ADIT_TRY(adit_ports_put(&door->ports, claim, *fd));
        *fd = -1;
        break;
    case ADIT_PORT_KEPT:
        if (granted.is_replaced) {
            adit_door_worker_evict(door, &granted.old);
        }
        grace_renew(door);
        break;
    case ADIT_PORT_PROBE: /* the door died before it could evict this one */
        adit_door_worker_evict(door, &claim->owner);
        break;
    case ADIT_PORT_DENIED:
        ADIT_FAIL(INVALID, "no door has bound the port for this session");
    }
    return adit_ok();
}

struct adit_status adit_tunnels_own(struct adit_door *door, uint32_t worker,
                                    struct adit_message *message)
{
    const struct adit_port_claim claim = claim_of(worker, message);
    struct adit_address address = {0};
    int fd = adit_message_fd_take(message, 0);
    struct adit_status status = adit_socket_local(fd, &address);
    bool is_ours = adit_is_ok(status) && address.port == claim.port &&
                   address.family == door->tcp_address.family &&
                   adit_bytes_equal(ADIT_BYTES_OF(address.ip), ADIT_BYTES_OF(door->tcp_address.ip));
    if (!is_ours) {
        adit_socket_close(&fd);
        ADIT_FAIL(INVALID, "what the worker owns is not a listener of a door");
    }
    status = own_take(door, &claim, &fd);
    adit_socket_close(&fd);
    ADIT_TRY(status);
    port_log(door, ADIT_LOG_INFO, ADIT_BYTES("port_returned"), claim.port);
    return adit_ok();
}

void adit_tunnels_worker_gone(struct adit_door *door, uint32_t worker)
{
    uint64_t end_us = door->loop.now_us + door->grace_us;
    if (adit_ports_worker_gone(&door->ports, worker, end_us) > 0) {
        grace_renew(door);
    }
}

void adit_tunnels_stop(struct adit_door *door)
{
    for (uint32_t port = door->ports.from; port <= door->ports.to; port++) {
        const struct adit_port *entry = adit_ports_get(&door->ports, port);
        if (entry && entry->state != ADIT_PORT_FREE) {
            adit_status_ignore(adit_socket_stop_listening(entry->fd), "it was stopped before");
        }
    }
}

void adit_tunnels_close(struct adit_door *door)
{
    for (uint32_t port = door->ports.from; port > 0 && port <= door->ports.to; port++) {
        const struct adit_port *entry = adit_ports_get(&door->ports, port);
        if (entry && entry->state != ADIT_PORT_FREE) {
            int fd = entry->fd;
            adit_socket_close(&fd);
        }
    }
    adit_loop_timer_cancel(&door->loop, &door->grace_timer);
    adit_ports_deinit(&door->ports);
}
