#include "edge/door/owners.h"

static bool is_same(const struct adit_owner *owner, uint32_t worker, uint64_t session)
{
    return owner->worker == worker && owner->session == session;
}

/* The row of a session; `count` where it has none. */
static uint32_t row_find(const struct adit_owners *owners, uint32_t worker, uint64_t session)
{
    uint32_t i = 0;
    while (i < owners->count && !is_same(&ADIT_AT(owners->rows, i), worker, session)) {
        i++;
    }
    return i;
}

static uint32_t slot_find(const struct adit_owners *owners, uint32_t slot)
{
    uint32_t i = 0;
    while (i < owners->count && ADIT_AT(owners->rows, i).slot != slot) {
        i++;
    }
    return i;
}

static bool is_of(const struct adit_owners *owners, struct adit_bytes instance)
{
    return instance.len > 0 && adit_bytes_equal(ADIT_FIELD_BYTES(owners->instance), instance);
}

struct adit_status adit_owners_judge(const struct adit_owners *owners, struct adit_bytes instance,
                                     const struct adit_owner *owner,
                                     enum adit_owners_verdict *out_verdict)
{
    ADIT_ENSURE(instance.len <= ADIT_OWNERS_INSTANCE_MAX, LIMIT, "the instance is too long");
    if (adit_owners_have(owners, owner->worker, owner->session)) {
        *out_verdict = ADIT_OWNERS_SAME;
    } else if (owners->count > 0 && !is_of(owners, instance)) {
        *out_verdict = ADIT_OWNERS_FOREIGN;
    } else if (slot_find(owners, owner->slot) < owners->count) {
        *out_verdict = ADIT_OWNERS_REPLACED;
    } else {
        *out_verdict =
            owners->count < ADIT_OWNERS_MAX ? ADIT_OWNERS_JOINED : ADIT_OWNERS_FULL;
    }
    return adit_ok();
}

struct adit_status adit_owners_join(struct adit_owners *owners, struct adit_bytes instance,
                                    const struct adit_owner *owner,
                                    enum adit_owners_verdict *out_verdict,
                                    struct adit_owner *out_old)
{
    uint32_t row = slot_find(owners, owner->slot);
    ADIT_TRY(adit_owners_judge(owners, instance, owner, out_verdict));
    switch (*out_verdict) {
    case ADIT_OWNERS_REPLACED:
        *out_old = ADIT_AT(owners->rows, row);
        ADIT_AT(owners->rows, row) = *owner;
        break;
    case ADIT_OWNERS_JOINED:
        ADIT_TRY(ADIT_FIELD_SET(owners->instance, instance));
        ADIT_AT(owners->rows, owners->count) = *owner;
        owners->count++;
        break;
    case ADIT_OWNERS_SAME:
    case ADIT_OWNERS_FOREIGN:
    case ADIT_OWNERS_FULL:
        break;
    }
    return adit_ok();
}

bool adit_owners_have(const struct adit_owners *owners, uint32_t worker, uint64_t session)
{
    return row_find(owners, worker, session) < owners->count;
}

static void row_remove(struct adit_owners *owners, uint32_t row)
{
    owners->count--;
    ADIT_AT(owners->rows, row) = ADIT_AT(owners->rows, owners->count);
}

bool adit_owners_leave(struct adit_owners *owners, uint32_t worker, uint64_t session)
{
    uint32_t row = row_find(owners, worker, session);
    if (row == owners->count) {
        return false;
    }
    row_remove(owners, row);
    return true;
}

uint32_t adit_owners_worker_gone(struct adit_owners *owners, uint32_t worker)
{
    uint32_t gone = 0;
    for (uint32_t i = owners->count; i > 0; i--) {
        if (ADIT_AT(owners->rows, i - 1).worker == worker) {
            row_remove(owners, i - 1);
            gone++;
        }
    }
    return gone;
}

const struct adit_owner *adit_owners_at(const struct adit_owners *owners, uint32_t step)
{
    if (step >= owners->count) {
        return NULL;
    }
    return &ADIT_AT(owners->rows, (owners->turn + step) % owners->count);
}

void adit_owners_turn(struct adit_owners *owners, uint32_t step)
{
    owners->turn = owners->count > 0 ? (owners->turn + step + 1) % owners->count : 0;
}
