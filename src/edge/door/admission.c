#include "edge/door/admission.h"

#define SOURCE_BYTES 9 /* family and at most eight bytes of address */

struct ticket {
    uint32_t worker;
    uint64_t end_us;
    size_t source_len; /* 0: a source without a limit of its own */
    uint8_t source[SOURCE_BYTES];
};

struct adit_status adit_admission_init(struct adit_admission *admission,
                                       const struct adit_admission_limits *limits,
                                       struct adit_siphash_key seed)
{
    struct adit_admission fresh = {.limits = *limits};
    ADIT_ENSURE(limits->full <= ADIT_ADMISSION_TICKETS_MAX && limits->begin < limits->full &&
                    limits->percent <= 100,
                INVALID, "the limits of admission make no sense");
    ADIT_TRY(adit_table_init(&fresh.sources, SOURCE_BYTES, ADIT_ADMISSION_TICKETS_MAX, seed));
    struct adit_status status =
        adit_pool_init(&fresh.tickets, sizeof(struct ticket), ADIT_ADMISSION_TICKETS_MAX);
    if (!adit_is_ok(status)) {
        adit_table_deinit(&fresh.sources);
        return status;
    }
    *admission = fresh;
    return adit_ok();
}

void adit_admission_deinit(struct adit_admission *admission)
{
    adit_pool_deinit(&admission->tickets);
    adit_table_deinit(&admission->sources);
}

static struct adit_bytes source_of(const struct ticket *ticket)
{
    return adit_bytes_first(ADIT_BYTES_OF(ticket->source), ticket->source_len);
}

/* IPv4 counts as IPv4 also where it came in through an IPv6 socket (::ffff:a.b.c.d). */
static struct adit_status source_set(struct ticket *ticket, const struct adit_address *peer)
{
    static const uint8_t mapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    struct adit_bytes ip = ADIT_BYTES_OF(peer->ip);
    bool is_mapped = peer->family == 6 && adit_bytes_starts_with(ip, ADIT_BYTES_OF(mapped));
    bool is_ipv4 = peer->family == 4 || is_mapped;
    if (adit_address_is_loopback(peer) || peer->family == 0) {
        ticket->source_len = 0;
        return adit_ok();
    }
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(ticket->source));
    struct adit_bytes network =
        adit_bytes_first(adit_bytes_from(ip, is_mapped ? sizeof mapped : 0), is_ipv4 ? 3 : 8);
    ADIT_TRY(adit_write_u8(&writer, is_ipv4 ? 4 : 6));
    ADIT_TRY(adit_write_bytes(&writer, network));
    ticket->source_len = writer.len;
    return adit_ok();
}

static uint64_t source_count(const struct adit_admission *admission, const struct ticket *ticket)
{
    uint64_t count = 0;
    return adit_table_get(&admission->sources, source_of(ticket), &count) ? count : 0;
}

static void ticket_end(struct adit_admission *admission, struct adit_handle handle)
{
    const struct ticket *ticket = adit_pool_get(&admission->tickets, handle);
    if (!ticket) {
        return;
    }
    if (ticket->source_len > 0) {
        uint64_t count = source_count(admission, ticket);
        if (count > 1) {
            adit_status_ignore(
                adit_table_set(&admission->sources, source_of(ticket), count - 1),
                "the entry is there: replacing it needs no room");
        } else {
            adit_table_remove(&admission->sources, source_of(ticket));
        }
    }
    adit_status_ignore(adit_pool_release(&admission->tickets, handle), "it was looked up above");
}

static void expire(struct adit_admission *admission, uint64_t now_us)
{
    uint32_t cursor = 0;
    struct adit_handle handle = {0};
    while (adit_pool_next(&admission->tickets, &cursor, &handle)) {
        const struct ticket *ticket = adit_pool_get(&admission->tickets, handle);
        if (ticket && ticket->end_us <= now_us) {
            ticket_end(admission, handle);
        }
    }
}

static bool is_dropped_early(const struct adit_admission *admission, uint64_t draw)
{
    const struct adit_admission_limits *limits = &admission->limits;
    uint32_t count = admission->tickets.used;
    if (count < limits->begin) {
        return false;
    }
    if (count >= limits->full) {
        return true;
    }
    uint64_t percent = (uint64_t)(100 - limits->percent) * (count - limits->begin) /
                           (limits->full - limits->begin) +
                       limits->percent;
    return draw % 100 < percent;
}

static struct adit_status ticket_make(struct adit_admission *admission,
                                      const struct ticket *wanted, struct adit_handle *out_ticket)
{
    struct adit_handle handle = {0};
    void *object = NULL;
    ADIT_TRY(adit_pool_acquire(&admission->tickets, &handle, &object));
    struct ticket *ticket = object;
    if (wanted->source_len > 0) {
        struct adit_status status = adit_table_set(&admission->sources, source_of(wanted),
                                                   source_count(admission, wanted) + 1);
        if (!adit_is_ok(status)) {
            adit_status_ignore(adit_pool_release(&admission->tickets, handle), "just acquired");
            return status;
        }
    }
    *ticket = *wanted;
    *out_ticket = handle;
    return adit_ok();
}

enum adit_admission_verdict adit_admission_try(struct adit_admission *admission,
                                               const struct adit_admission_ask *ask,
                                               struct adit_handle *out_ticket)
{
    struct ticket wanted = {.worker = ask->worker,
                            .end_us = ask->now_us + ADIT_ADMISSION_TICKET_US};
    expire(admission, ask->now_us);
    if (is_dropped_early(admission, ask->draw) || !adit_is_ok(source_set(&wanted, &ask->peer))) {
        return ADIT_ADMISSION_EARLY_DROP;
    }
    if (wanted.source_len > 0 && source_count(admission, &wanted) >= admission->limits.source_max) {
        return ADIT_ADMISSION_SOURCE_FULL;
    }
    return adit_is_ok(ticket_make(admission, &wanted, out_ticket)) ? ADIT_ADMISSION_GRANTED
                                                                  : ADIT_ADMISSION_EARLY_DROP;
}

void adit_admission_done(struct adit_admission *admission, struct adit_handle handle,
                         uint32_t worker)
{
    const struct ticket *ticket = adit_pool_get(&admission->tickets, handle);
    if (ticket && ticket->worker == worker) {
        ticket_end(admission, handle);
    }
}

void adit_admission_worker_gone(struct adit_admission *admission, uint32_t worker)
{
    uint32_t cursor = 0;
    struct adit_handle handle = {0};
    while (adit_pool_next(&admission->tickets, &cursor, &handle)) {
        adit_admission_done(admission, handle, worker);
    }
}

uint32_t adit_admission_count(const struct adit_admission *admission)
{
    return admission->tickets.used;
}
