#include "edge/door/ports.h"

static size_t port_count(const struct adit_ports *ports)
{
    return (size_t)(ports->to - ports->from) + 1;
}

static struct adit_port *entry_at(const struct adit_ports *ports, size_t index)
{
    return adit_memory_at(ports->entries, sizeof(struct adit_port), index);
}

struct adit_status adit_ports_init(struct adit_ports *ports, uint16_t from, uint16_t to)
{
    struct adit_ports fresh = {.from = from, .to = to};
    ADIT_ENSURE(from > 0 && from <= to, INVALID, "the range of ports is empty");
    ADIT_TRY(adit_memory_open(port_count(&fresh), sizeof(struct adit_port), &fresh.entries));
    *ports = fresh;
    return adit_ok();
}

void adit_ports_deinit(struct adit_ports *ports)
{
    adit_memory_close(&ports->entries);
    *ports = (struct adit_ports){0};
}

struct adit_port *adit_ports_get(const struct adit_ports *ports, uint32_t port)
{
    if (ports->entries.len == 0 || port < ports->from || port > ports->to) {
        return NULL;
    }
    return entry_at(ports, port - ports->from);
}

bool adit_ports_pick(const struct adit_ports *ports, uint32_t start, uint16_t *out_port)
{
    size_t count = port_count(ports);
    size_t first = start > ports->from ? start - ports->from : 0;
    for (size_t i = 0; i < count; i++) {
        size_t index = (first + i) % count;
        if (entry_at(ports, index)->state == ADIT_PORT_FREE) {
            *out_port = (uint16_t)(ports->from + index);
            return true;
        }
    }
    return false;
}

static void own(struct adit_port *entry, const struct adit_port_claim *claim)
{
    entry->state = ADIT_PORT_OWNED;
    entry->worker = claim->worker;
    entry->session = claim->session;
    entry->grace_end_us = 0;
}

static bool is_owner(const struct adit_port *entry, const struct adit_port_claim *claim)
{
    return entry->state == ADIT_PORT_OWNED && entry->worker == claim->worker &&
           entry->session == claim->session;
}

struct adit_status adit_ports_claim(struct adit_ports *ports, const struct adit_port_claim *claim,
                                    enum adit_port_verdict *out_verdict,
                                    enum adit_port_refusal *out_refusal)
{
    struct adit_port *entry = adit_ports_get(ports, claim->port);
    ADIT_ENSURE(claim->account.len <= ADIT_PORT_ACCOUNT_MAX, LIMIT, "the account is too long");
    if (!entry) {
        *out_refusal = ADIT_PORT_REFUSAL_RANGE;
        *out_verdict = ADIT_PORT_DENIED;
        return adit_ok();
    }
    if (entry->state == ADIT_PORT_FREE) {
        *out_verdict = ADIT_PORT_OPEN;
        return adit_ok();
    }
    bool is_same = adit_bytes_equal(ADIT_FIELD_BYTES(entry->account), claim->account);
    if (is_same && entry->state == ADIT_PORT_GRACE) {
        own(entry, claim);
        *out_verdict = ADIT_PORT_KEPT;
        return adit_ok();
    }
    *out_refusal = is_same && !is_owner(entry, claim) ? ADIT_PORT_REFUSAL_MOVED
                                                      : ADIT_PORT_REFUSAL_TAKEN;
    *out_verdict = ADIT_PORT_DENIED;
    return adit_ok();
}

struct adit_status adit_ports_put(struct adit_ports *ports, const struct adit_port_claim *claim,
                                  int fd)
{
    struct adit_port *entry = adit_ports_get(ports, claim->port);
    ADIT_ENSURE(entry, INVALID, "the port is outside the range");
    ADIT_ENSURE(entry->state == ADIT_PORT_FREE, REFUSED, "the port has an owner");
    ADIT_TRY(ADIT_FIELD_SET(entry->account, claim->account));
    own(entry, claim);
    entry->fd = fd;
    ports->used++;
    return adit_ok();
}

bool adit_ports_grace(struct adit_ports *ports, const struct adit_port_claim *claim,
                      uint64_t grace_end_us)
{
    struct adit_port *entry = adit_ports_get(ports, claim->port);
    if (!entry || !is_owner(entry, claim)) {
        return false;
    }
    entry->state = ADIT_PORT_GRACE;
    entry->grace_end_us = grace_end_us;
    return true;
}

static int entry_free(struct adit_ports *ports, struct adit_port *entry)
{
    int fd = entry->fd;
    *entry = (struct adit_port){.fd = -1};
    ports->used--;
    return fd;
}

bool adit_ports_free(struct adit_ports *ports, const struct adit_port_claim *claim, int *out_fd)
{
    struct adit_port *entry = adit_ports_get(ports, claim->port);
    if (!entry || !is_owner(entry, claim)) {
        return false;
    }
    *out_fd = entry_free(ports, entry);
    return true;
}

uint32_t adit_ports_worker_gone(struct adit_ports *ports, uint32_t worker, uint64_t grace_end_us)
{
    uint32_t gone = 0;
    for (size_t i = 0; i < port_count(ports) && ports->used > 0; i++) {
        struct adit_port *entry = entry_at(ports, i);
        if (entry->state == ADIT_PORT_OWNED && entry->worker == worker) {
            entry->state = ADIT_PORT_GRACE;
            entry->grace_end_us = grace_end_us;
            gone++;
        }
    }
    return gone;
}

bool adit_ports_expire(struct adit_ports *ports, uint64_t now_us, uint16_t *out_port, int *out_fd)
{
    for (size_t i = 0; i < port_count(ports) && ports->used > 0; i++) {
        struct adit_port *entry = entry_at(ports, i);
        if (entry->state == ADIT_PORT_GRACE && entry->grace_end_us <= now_us) {
            *out_port = (uint16_t)(ports->from + i);
            *out_fd = entry_free(ports, entry);
            return true;
        }
    }
    return false;
}

uint64_t adit_ports_next_end_us(const struct adit_ports *ports)
{
    uint64_t next = UINT64_MAX;
    for (size_t i = 0; i < port_count(ports) && ports->used > 0; i++) {
        const struct adit_port *entry = entry_at(ports, i);
        if (entry->state == ADIT_PORT_GRACE) {
            next = adit_min_u64(next, entry->grace_end_us);
        }
    }
    return next;
}
