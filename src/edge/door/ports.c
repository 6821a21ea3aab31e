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

static struct adit_port_answer denied(enum adit_port_refusal refusal)
{
    return (struct adit_port_answer){.verdict = ADIT_PORT_DENIED, .refusal = refusal};
}

/* The claim is of the account that has the port. */
static struct adit_status join(struct adit_port *entry, const struct adit_port_claim *claim,
                               struct adit_port_answer *out_answer)
{
    enum adit_owners_verdict verdict = ADIT_OWNERS_FULL;
    struct adit_owner old = {0};
    ADIT_TRY(adit_owners_join(&entry->owners, claim->instance, &claim->owner, &verdict, &old));
    switch (verdict) {
    case ADIT_OWNERS_JOINED:
    case ADIT_OWNERS_REPLACED:
        entry->state = ADIT_PORT_OWNED;
        entry->grace_end_us = 0;
        *out_answer = (struct adit_port_answer){.verdict = ADIT_PORT_KEPT,
                                                .is_replaced = verdict == ADIT_OWNERS_REPLACED,
                                                .old = old};
        break;
    case ADIT_OWNERS_SAME:
        *out_answer = denied(ADIT_PORT_REFUSAL_TAKEN);
        break;
    case ADIT_OWNERS_FULL:
        *out_answer = denied(ADIT_PORT_REFUSAL_LIMIT);
        break;
    case ADIT_OWNERS_FOREIGN:
        *out_answer = (struct adit_port_answer){.verdict = ADIT_PORT_PROBE};
        break;
    }
    return adit_ok();
}

struct adit_status adit_ports_claim(struct adit_ports *ports, const struct adit_port_claim *claim,
                                    struct adit_port_answer *out_answer)
{
    struct adit_port *entry = adit_ports_get(ports, claim->port);
    ADIT_ENSURE(claim->account.len <= ADIT_PORT_ACCOUNT_MAX, LIMIT, "the account is too long");
    ADIT_ENSURE(claim->instance.len <= ADIT_OWNERS_INSTANCE_MAX, LIMIT,
                "the instance is too long");
    if (!entry) {
        *out_answer = denied(ADIT_PORT_REFUSAL_RANGE);
    } else if (entry->state == ADIT_PORT_FREE) {
        *out_answer = (struct adit_port_answer){.verdict = ADIT_PORT_OPEN};
    } else if (adit_bytes_equal(ADIT_FIELD_BYTES(entry->account), claim->account)) {
        return join(entry, claim, out_answer);
    } else {
        *out_answer = denied(ADIT_PORT_REFUSAL_TAKEN);
    }
    return adit_ok();
}

struct adit_status adit_ports_put(struct adit_ports *ports, const struct adit_port_claim *claim,
                                  int fd)
{
    struct adit_port *entry = adit_ports_get(ports, claim->port);
    ADIT_ENSURE(entry, INVALID, "the port is outside the range");
    ADIT_ENSURE(entry->state == ADIT_PORT_FREE, REFUSED, "the port has an owner");
    struct adit_port fresh = {.fd = fd};
    struct adit_port_answer answer = {0};
    ADIT_TRY(ADIT_FIELD_SET(fresh.account, claim->account));
    ADIT_TRY(join(&fresh, claim, &answer));
    *entry = fresh;
    ports->used++;
    return adit_ok();
}

static bool owner_leave(struct adit_port *entry, const struct adit_port_claim *claim)
{
    return adit_owners_leave(&entry->owners, claim->owner.worker, claim->owner.session);
}

bool adit_ports_grace(struct adit_ports *ports, const struct adit_port_claim *claim,
                      uint64_t grace_end_us)
{
    struct adit_port *entry = adit_ports_get(ports, claim->port);
    if (!entry || !owner_leave(entry, claim)) {
        return false;
    }
    if (entry->owners.count == 0) {
        entry->state = ADIT_PORT_GRACE;
        entry->grace_end_us = grace_end_us;
    }
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
    if (!entry || !owner_leave(entry, claim)) {
        return false;
    }
    *out_fd = entry->owners.count == 0 ? entry_free(ports, entry) : -1;
    return true;
}

uint32_t adit_ports_worker_gone(struct adit_ports *ports, uint32_t worker, uint64_t grace_end_us)
{
    uint32_t gone = 0;
    for (size_t i = 0; i < port_count(ports) && ports->used > 0; i++) {
        struct adit_port *entry = entry_at(ports, i);
        if (adit_owners_worker_gone(&entry->owners, worker) > 0 && entry->owners.count == 0) {
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
