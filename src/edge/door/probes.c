#include "edge/door/probes.h"

#include "edge/door/claims.h"
#include "edge/door/peek.h"
#include "edge/door/tunnels.h"
#include "edge/door/workers.h"

/* The number of a question: the handle of its probe, whose index is small, and the owner. */
#define OWNER_SHIFT 16u
#define OWNER_MASK 0xffffu
_Static_assert(ADIT_DOOR_PROBES_MAX < 1u << OWNER_SHIFT, "the index leaves room for the owner");

struct probe {
    uint32_t worker; /* whose claim it is */
    uint64_t wiring;
    struct adit_message message;
    struct adit_owners owners; /* asked after */
    uint32_t open;             /* bits: of them, those whose answer is not there */
    struct adit_handle timer;
};

struct adit_status adit_probes_open(struct adit_door *door)
{
    return adit_pool_init(&door->probes, sizeof(struct probe), ADIT_DOOR_PROBES_MAX);
}

static void probe_drop(struct adit_door *door, struct adit_handle handle)
{
    struct probe *probe = adit_pool_get(&door->probes, handle);
    if (probe) {
        adit_loop_timer_cancel(&door->loop, &probe->timer);
        adit_status_ignore(adit_pool_release(&door->probes, handle), "it was looked up above");
    }
}

void adit_probes_close(struct adit_door *door)
{
    struct adit_handle handle = {0};
    for (uint32_t cursor = 0; adit_pool_next(&door->probes, &cursor, &handle);) {
        probe_drop(door, handle);
    }
    adit_pool_deinit(&door->probes);
}

static void question_send(struct adit_door *door, struct adit_handle handle, uint32_t i,
                          const struct adit_owner *owner)
{
    struct adit_message message = {
        .type = ADIT_MESSAGE_PROBE,
        .request = adit_handle_pack(handle) | (uint64_t)i << OWNER_SHIFT,
        .session = owner->session,
    };
    adit_door_worker_tell(door, owner->worker, &message);
}

/* The claim again, for the last time: who has it now is new, and lives. Where the claim ends the
 * worker is known to be honest: it was looked at before. */
static void probe_end(struct adit_door *door, struct adit_handle handle, bool is_refused)
{
    struct probe *probe = adit_pool_get(&door->probes, handle);
    if (!probe) {
        return;
    }
    const struct adit_door_worker *claimant = &ADIT_AT(door->workers, probe->worker);
    struct adit_message message = probe->message;
    uint32_t worker = probe->worker;
    bool is_there =
        adit_channel_is_open(&claimant->channel) && claimant->wiring == probe->wiring;
    probe_drop(door, handle);
    if (!is_there) {
        return;
    }
    struct adit_status status = message.type == ADIT_MESSAGE_CLAIM
                                    ? adit_claims_probed(door, worker, &message, is_refused)
                                    : adit_tunnels_probed(door, worker, &message, is_refused);
    adit_log_failure(&door->log, ADIT_LOG_WARN, ADIT_BYTES("probed_claim_failed"), status);
}

/* It may have given the tunnel up by itself meanwhile; then it is left alone. */
static void owner_evict(struct adit_door *door, const struct adit_message *message,
                        const struct adit_owner *owner)
{
    bool was_owner = message->type == ADIT_MESSAGE_CLAIM
                         ? adit_claims_evict(door, message, owner)
                         : adit_tunnels_evict(door, message, owner);
    if (was_owner) {
        adit_door_worker_evict(door, owner);
    }
}

static void owner_settle(struct adit_door *door, struct adit_handle handle, uint32_t i,
                         bool is_alive)
{
    struct probe *probe = adit_pool_get(&door->probes, handle);
    if (!probe || i >= probe->owners.count || (probe->open & 1u << i) == 0) {
        return;
    }
    probe->open &= ~(1u << i);
    if (!is_alive) {
        owner_evict(door, &probe->message, &ADIT_AT(probe->owners.rows, i));
    }
    if (is_alive || probe->open == 0) {
        probe_end(door, handle, is_alive);
    }
}

static void probe_late(void *context, uint64_t key);

static struct adit_status timer_set(struct adit_door *door, struct adit_handle handle,
                                    struct probe *probe)
{
    return adit_loop_timer_set(&door->loop, &probe->timer, door->loop.now_us + door->probe_us,
                               probe_late, door, adit_handle_pack(handle));
}

static void probe_late(void *context, uint64_t key)
{
    struct adit_door *door = context;
    struct probe *probe = adit_pool_get(&door->probes, adit_handle_unpack(key));
    bool is_deaf = !adit_claims_have_room(door); /* we are: the answer may be there, unread */
    if (probe && is_deaf && adit_is_ok(timer_set(door, adit_handle_unpack(key), probe))) {
        return;
    }
    for (uint32_t i = 0; i < ADIT_OWNERS_MAX; i++) {
        owner_settle(door, adit_handle_unpack(key), i, false);
    }
    adit_peek_retry(door);
}

bool adit_probes_ask(struct adit_door *door, uint32_t worker, const struct adit_message *message,
                     const struct adit_owners *owners)
{
    struct adit_handle handle = {0};
    void *object = NULL;
    if (!adit_is_ok(adit_pool_acquire(&door->probes, &handle, &object))) {
        return false;
    }
    struct probe *probe = object;
    *probe = (struct probe){.worker = worker,
                            .wiring = ADIT_AT(door->workers, worker).wiring,
                            .message = *message,
                            .owners = *owners,
                            .open = (1u << owners->count) - 1};
    if (!adit_is_ok(timer_set(door, handle, probe))) {
        probe_drop(door, handle);
        return false;
    }
    for (uint32_t i = 0; i < probe->owners.count; i++) {
        question_send(door, handle, i, &ADIT_AT(probe->owners.rows, i));
    }
    return true;
}

struct adit_status adit_probes_answer(struct adit_door *door, uint32_t worker,
                                      struct adit_message *message)
{
    uint32_t i = (uint32_t)message->request >> OWNER_SHIFT;
    struct adit_handle handle = adit_handle_unpack(message->request);
    handle.index &= OWNER_MASK;
    const struct probe *probe = adit_pool_get(&door->probes, handle);
    if (!probe || i >= probe->owners.count) {
        return adit_ok();
    }
    ADIT_ENSURE(ADIT_AT(probe->owners.rows, i).worker == worker, INVALID,
                "a worker answers for another's session");
    owner_settle(door, handle, i, message->count > 0);
    return adit_ok();
}

void adit_probes_worker_gone(struct adit_door *door, uint32_t worker)
{
    struct adit_handle handle = {0};
    for (uint32_t cursor = 0; adit_pool_next(&door->probes, &cursor, &handle);) {
        const struct probe *probe = adit_pool_get(&door->probes, handle);
        if (probe && probe->worker == worker) {
            probe_drop(door, handle);
            continue;
        }
        for (uint32_t i = 0; i < ADIT_OWNERS_MAX; i++) {
            probe = adit_pool_get(&door->probes, handle);
            if (probe && ADIT_AT(probe->owners.rows, i).worker == worker) {
                owner_settle(door, handle, i, false);
            }
        }
    }
}
