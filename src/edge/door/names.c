#include "edge/door/names.h"

#include "route/names.h"

/* Bits of `says`; what is said first stands first. */
#define SAYS_USED 1u
#define SAYS_ENDED 2u

#define IN_USE UINT64_MAX /* of a lease: see wire/snapshot.h */

struct adit_status adit_names_init(struct adit_names *names, struct adit_siphash_key seed)
{
    struct adit_names fresh = {0};
    struct adit_status status =
        adit_pool_init(&fresh.entries, sizeof(struct adit_named), ADIT_NAMES_MAX);
    if (adit_is_ok(status)) {
        status = adit_table_init(&fresh.index, ADIT_NAME_BYTES_MAX, ADIT_NAMES_MAX, seed);
    }
    if (adit_is_ok(status)) {
        status =
            adit_table_init(&fresh.accounts, ADIT_NAMES_ACCOUNT_BYTES_MAX, ADIT_NAMES_MAX, seed);
    }
    if (!adit_is_ok(status)) {
        adit_names_deinit(&fresh);
        return status;
    }
    *names = fresh;
    return adit_ok();
}

void adit_names_deinit(struct adit_names *names)
{
    adit_pool_deinit(&names->entries);
    adit_table_deinit(&names->index);
    adit_table_deinit(&names->accounts);
    *names = (struct adit_names){0};
}

static struct adit_named *entry_find(const struct adit_names *names, struct adit_bytes name,
                                     struct adit_handle *out_handle)
{
    uint64_t packed = 0;
    if (names->index.capacity == 0 || !adit_table_get(&names->index, name, &packed)) {
        return NULL;
    }
    *out_handle = adit_handle_unpack(packed);
    return adit_pool_get(&names->entries, *out_handle);
}

const struct adit_named *adit_names_find(const struct adit_names *names, struct adit_bytes name)
{
    struct adit_handle handle = {0};
    return entry_find(names, name, &handle);
}

static uint64_t account_count(const struct adit_names *names, struct adit_bytes account)
{
    uint64_t count = 0;
    return adit_table_get(&names->accounts, account, &count) ? count : 0;
}

static void account_add(struct adit_names *names, struct adit_bytes account)
{
    adit_status_ignore(
        adit_table_set(&names->accounts, account, account_count(names, account) + 1),
        "there are at most as many accounts as entries");
}

static void account_subtract(struct adit_names *names, struct adit_bytes account)
{
    uint64_t count = account_count(names, account);
    if (count <= 1) {
        adit_table_remove(&names->accounts, account);
        return;
    }
    adit_status_ignore(adit_table_set(&names->accounts, account, count - 1), "it is there");
}

static bool is_of(const struct adit_named *entry, struct adit_bytes account)
{
    return adit_bytes_equal(ADIT_FIELD_BYTES(entry->account), account);
}

static bool is_lapsed(const struct adit_named *entry, uint64_t wall_s)
{
    return entry->state == ADIT_NAMED_HELD && entry->until_s <= wall_s;
}

/* At the end of the line, if it does not stand there already. */
static void say(struct adit_names *names, struct adit_handle handle, uint32_t says)
{
    struct adit_named *entry = adit_pool_get(&names->entries, handle);
    if (!entry) {
        return;
    }
    entry->says = says;
    if (entry->is_in_line) {
        return;
    }
    struct adit_named *last = adit_pool_get(&names->entries, names->last);
    entry->is_in_line = true;
    entry->next = (struct adit_handle){0};
    if (last) {
        last->next = handle;
    } else {
        names->first = handle;
    }
    names->last = handle;
}

static void line_pop(struct adit_names *names)
{
    struct adit_named *entry = adit_pool_get(&names->entries, names->first);
    if (!entry) {
        return;
    }
    entry->is_in_line = false;
    names->first = entry->next;
    if (!adit_handle_is_set(names->first)) {
        names->last = (struct adit_handle){0};
    }
}

bool adit_names_say_next(struct adit_names *names, struct adit_names_lease *out_lease)
{
    const struct adit_named *entry = adit_pool_get(&names->entries, names->first);
    for (; entry && entry->says == 0; entry = adit_pool_get(&names->entries, names->first)) {
        line_pop(names);
    }
    if (!entry) {
        return false;
    }
    *out_lease = (struct adit_names_lease){.is_used = (entry->says & SAYS_USED) != 0,
                                           .name = ADIT_FIELD_BYTES(entry->name),
                                           .account = ADIT_FIELD_BYTES(entry->account)};
    return true;
}

void adit_names_said(struct adit_names *names)
{
    struct adit_named *entry = adit_pool_get(&names->entries, names->first);
    if (!entry) {
        return;
    }
    entry->says &= (entry->says & SAYS_USED) != 0 ? ~SAYS_USED : ~SAYS_ENDED;
    if (entry->says == 0) {
        line_pop(names);
    }
}

/* A held name that no snapshot lists is said whole: used, and ended. */
void adit_names_say_all(struct adit_names *names)
{
    struct adit_handle handle = {0};
    for (uint32_t cursor = 0; adit_pool_next(&names->entries, &cursor, &handle);) {
        const struct adit_named *entry = adit_pool_get(&names->entries, handle);
        if (entry && entry->state == ADIT_NAMED_OWNED) {
            say(names, handle, SAYS_USED);
        } else if (entry && !entry->is_known) {
            say(names, handle, SAYS_USED | SAYS_ENDED);
        }
    }
}

/* The entry must be out of the line. */
static void entry_drop(struct adit_names *names, struct adit_handle handle)
{
    const struct adit_named *entry = adit_pool_get(&names->entries, handle);
    if (entry) {
        account_subtract(names, ADIT_FIELD_BYTES(entry->account));
        adit_table_remove(&names->index, ADIT_FIELD_BYTES(entry->name));
        adit_status_ignore(adit_pool_release(&names->entries, handle), "it was looked up above");
    }
}

static struct adit_status entry_make(struct adit_names *names, struct adit_bytes name,
                                     struct adit_bytes account, struct adit_handle *out_handle)
{
    void *object = NULL;
    ADIT_TRY(adit_pool_acquire(&names->entries, out_handle, &object));
    struct adit_named *entry = object;
    struct adit_status status = ADIT_FIELD_SET(entry->name, name);
    if (adit_is_ok(status)) {
        status = ADIT_FIELD_SET(entry->account, account);
    }
    if (adit_is_ok(status)) {
        status = adit_table_set(&names->index, name, adit_handle_pack(*out_handle));
    }
    if (!adit_is_ok(status)) {
        adit_status_ignore(adit_pool_release(&names->entries, *out_handle), "just acquired");
        return status;
    }
    entry->state = ADIT_NAMED_HELD;
    account_add(names, account);
    return adit_ok();
}

static struct adit_status entry_reassign(struct adit_names *names, struct adit_named *entry,
                                         struct adit_bytes account)
{
    struct adit_named fresh = *entry;
    ADIT_TRY(ADIT_FIELD_SET(fresh.account, account));
    account_subtract(names, ADIT_FIELD_BYTES(entry->account));
    account_add(names, account);
    *entry = fresh;
    entry->says = 0; /* it may go on standing in the line */
    entry->is_known = false;
    entry->grace_end_us = 0;
    return adit_ok();
}

/* Room for one more name of `account`: what has lapsed goes and, at the account's limit, its held
 * name that would lapse first. Looks at the whole table, so not more than once in a second. */
static void room_make(struct adit_names *names, struct adit_bytes account, uint64_t wall_s)
{
    struct adit_handle handle = {0};
    struct adit_handle earliest = {0};
    uint64_t earliest_s = UINT64_MAX;
    if (names->swept_s == wall_s) {
        return;
    }
    names->swept_s = wall_s;
    for (uint32_t cursor = 0; adit_pool_next(&names->entries, &cursor, &handle);) {
        const struct adit_named *entry = adit_pool_get(&names->entries, handle);
        if (!entry || entry->state != ADIT_NAMED_HELD || entry->is_in_line) {
            continue;
        }
        if (is_lapsed(entry, wall_s)) {
            entry_drop(names, handle);
        } else if (is_of(entry, account) && entry->until_s < earliest_s) {
            earliest_s = entry->until_s;
            earliest = handle;
        }
    }
    if (account_count(names, account) >= ADIT_NAMES_ACCOUNT_MAX) {
        entry_drop(names, earliest);
    }
}

static bool has_room(const struct adit_names *names, struct adit_bytes account)
{
    return names->entries.used < ADIT_NAMES_MAX &&
           account_count(names, account) < ADIT_NAMES_ACCOUNT_MAX;
}

static void use(struct adit_names *names, struct adit_handle handle,
                const struct adit_name_claim *claim)
{
    struct adit_named *entry = adit_pool_get(&names->entries, handle);
    if (entry) {
        entry->state = ADIT_NAMED_OWNED;
        entry->kind = claim->kind;
        entry->grace_end_us = 0;
        entry->until_s = 0;
        entry->is_known = false; /* control is to hear of this use before it may end it */
        say(names, handle, SAYS_USED);
    }
}

struct adit_status adit_name_claim_check(const struct adit_name_claim *claim)
{
    ADIT_ENSURE(claim->account.len > 0 && claim->account.len <= ADIT_NAMES_ACCOUNT_BYTES_MAX,
                INVALID, "the account is none");
    ADIT_ENSURE(claim->kind == ADIT_TUNNEL_HTTP || claim->kind == ADIT_TUNNEL_TLS, INVALID,
                "a tunnel of this kind has no name");
    ADIT_ENSURE(claim->instance.len <= ADIT_OWNERS_INSTANCE_MAX, INVALID, "the instance is none");
    return adit_ok();
}

/* Its agent had drawn this name before: it is held for the account, or an older session of the
 * agent has it still. */
static bool is_returning(const struct adit_named *entry, const struct adit_name_claim *claim)
{
    enum adit_owners_verdict verdict = ADIT_OWNERS_FULL;
    return is_of(entry, claim->account) &&
           adit_is_ok(adit_owners_judge(&entry->owners, claim->instance, &claim->owner,
                                        &verdict)) &&
           (verdict == ADIT_OWNERS_JOINED || verdict == ADIT_OWNERS_REPLACED);
}

/* The first of the drawn names that the agent had before; else the first that is free. */
static bool draw(const struct adit_names *names, const struct adit_name_claim *claim,
                 uint64_t wall_s, struct adit_name_text *out_name)
{
    bool is_found = false;
    for (uint32_t i = 0; i < ADIT_NAMES_DRAWS_MAX; i++) {
        struct adit_name_text drawn = {0};
        adit_name_draw(claim->seed, i, &drawn);
        const struct adit_named *entry = adit_names_find(names, ADIT_FIELD_BYTES(drawn.text));
        if (entry && is_returning(entry, claim)) {
            *out_name = drawn;
            return true;
        }
        if (!is_found && (!entry || is_lapsed(entry, wall_s))) {
            *out_name = drawn;
            is_found = true;
        }
    }
    return is_found;
}

static void refuse(struct adit_name_answer *answer, enum adit_name_refusal refusal)
{
    *answer = (struct adit_name_answer){.refusal = refusal};
}

/* To one whose account has the name, or whom nobody minds. */
static struct adit_status grant(struct adit_names *names, const struct adit_name_claim *claim,
                                struct adit_handle handle, struct adit_name_answer *answer)
{
    struct adit_named *entry = adit_pool_get(&names->entries, handle);
    enum adit_owners_verdict verdict = ADIT_OWNERS_FULL;
    struct adit_name_answer fresh = {0};
    ADIT_ENSURE(entry, INTERNAL, "the name was there a moment ago");
    uint32_t before = entry->owners.count;
    ADIT_TRY(adit_owners_judge(&entry->owners, claim->instance, &claim->owner, &verdict));
    bool has_others = verdict == ADIT_OWNERS_JOINED ? before > 0
                                                    : verdict == ADIT_OWNERS_REPLACED && before > 1;
    if (has_others && entry->kind != claim->kind) { /* all owners are of one kind */
        refuse(answer, ADIT_NAME_REFUSAL_TAKEN);
        return adit_ok();
    }
    ADIT_TRY(adit_owners_join(&entry->owners, claim->instance, &claim->owner, &verdict,
                              &fresh.old));
    switch (verdict) {
    case ADIT_OWNERS_SAME:
        refuse(answer, ADIT_NAME_REFUSAL_TAKEN);
        return adit_ok();
    case ADIT_OWNERS_FULL:
        refuse(answer, ADIT_NAME_REFUSAL_LIMIT);
        return adit_ok();
    case ADIT_OWNERS_FOREIGN:
        fresh.must_probe = true;
        break;
    case ADIT_OWNERS_REPLACED:
    case ADIT_OWNERS_JOINED:
        fresh.is_granted = true;
        fresh.is_replaced = verdict == ADIT_OWNERS_REPLACED;
        entry->kind = claim->kind;
        break;
    }
    if (before == 0) {
        use(names, handle, claim);
    }
    ADIT_TRY(ADIT_FIELD_SET(fresh.name, ADIT_FIELD_BYTES(entry->name)));
    *answer = fresh;
    return adit_ok();
}

static struct adit_status free_claim(struct adit_names *names, const struct adit_name_claim *claim,
                                     const struct adit_names_time *time,
                                     struct adit_name_answer *answer)
{
    struct adit_handle handle = {0};
    if (!has_room(names, claim->account)) {
        room_make(names, claim->account, time->wall_s);
    }
    if (!has_room(names, claim->account)) {
        refuse(answer, ADIT_NAME_REFUSAL_LIMIT);
        return adit_ok();
    }
    ADIT_TRY(entry_make(names, claim->name, claim->account, &handle));
    return grant(names, claim, handle, answer);
}

static struct adit_status named_claim(struct adit_names *names,
                                      const struct adit_name_claim *claim,
                                      const struct adit_names_time *time,
                                      struct adit_name_answer *answer)
{
    struct adit_handle handle = {0};
    struct adit_named *entry = entry_find(names, claim->name, &handle);
    if (!entry) {
        return free_claim(names, claim, time, answer);
    }
    if (is_of(entry, claim->account)) {
        return grant(names, claim, handle, answer);
    }
    if (entry->state == ADIT_NAMED_OWNED || !is_lapsed(entry, time->wall_s)) {
        refuse(answer, ADIT_NAME_REFUSAL_TAKEN);
        return adit_ok();
    }
    if (account_count(names, claim->account) >= ADIT_NAMES_ACCOUNT_MAX) {
        refuse(answer, ADIT_NAME_REFUSAL_LIMIT);
        return adit_ok();
    }
    ADIT_TRY(entry_reassign(names, entry, claim->account));
    return grant(names, claim, handle, answer);
}

struct adit_status adit_names_claim(struct adit_names *names, const struct adit_name_claim *claim,
                                    const struct adit_names_time *time,
                                    struct adit_name_answer *out_answer)
{
    struct adit_name_text drawn = {0};
    struct adit_name_claim whole = *claim;
    ADIT_TRY(adit_name_claim_check(claim));
    if (claim->name.len == 0) {
        if (!draw(names, claim, time->wall_s, &drawn)) {
            refuse(out_answer, ADIT_NAME_REFUSAL_LIMIT);
            return adit_ok();
        }
        whole.name = ADIT_FIELD_BYTES(drawn.text);
    }
    if (adit_name_is_reserved(whole.name)) {
        refuse(out_answer, ADIT_NAME_REFUSAL_RESERVED);
        return adit_ok();
    }
    if (!adit_name_is_valid(whole.name)) {
        refuse(out_answer, ADIT_NAME_REFUSAL_INVALID);
        return adit_ok();
    }
    return named_claim(names, &whole, time, out_answer);
}

struct adit_status adit_names_hold(struct adit_names *names, const struct adit_name_claim *claim,
                                   const struct adit_names_time *time,
                                   struct adit_name_answer *out_answer)
{
    struct adit_handle handle = {0};
    ADIT_TRY(adit_name_claim_check(claim));
    ADIT_ENSURE(adit_name_is_valid(claim->name) && !adit_name_is_reserved(claim->name), INVALID,
                "no door has granted this name");
    struct adit_named *entry = entry_find(names, claim->name, &handle);
    if (!entry) {
        ADIT_TRY(entry_make(names, claim->name, claim->account, &handle));
    } else if (!is_of(entry, claim->account)) {
        ADIT_ENSURE(is_lapsed(entry, time->wall_s), INVALID, "the name belongs to another account");
        ADIT_TRY(entry_reassign(names, entry, claim->account));
    }
    return grant(names, claim, handle, out_answer);
}

/* Control hears that it ended: after that it was used, if that has not been said. */
static void let_go(struct adit_names *names, struct adit_handle handle,
                   const struct adit_names_time *time)
{
    struct adit_named *entry = adit_pool_get(&names->entries, handle);
    if (entry) {
        entry->state = ADIT_NAMED_HELD;
        entry->grace_end_us = time->grace_end_us;
        entry->until_s = time->wall_s + ADIT_NAMES_HOLD_S;
        say(names, handle, entry->says | SAYS_ENDED);
    }
}

bool adit_names_release(struct adit_names *names, const struct adit_name_claim *claim,
                        const struct adit_names_time *time)
{
    struct adit_handle handle = {0};
    struct adit_named *entry = entry_find(names, claim->name, &handle);
    if (!entry || !adit_owners_leave(&entry->owners, claim->owner.worker, claim->owner.session)) {
        return false;
    }
    if (entry->owners.count == 0) {
        let_go(names, handle, time);
    }
    return true;
}

void adit_names_turn(struct adit_names *names, struct adit_bytes name, uint32_t step)
{
    struct adit_handle handle = {0};
    struct adit_named *entry = entry_find(names, name, &handle);
    if (entry) {
        adit_owners_turn(&entry->owners, step);
    }
}

uint32_t adit_names_worker_gone(struct adit_names *names, uint32_t worker,
                                const struct adit_names_time *time)
{
    struct adit_handle handle = {0};
    uint32_t gone = 0;
    for (uint32_t cursor = 0; adit_pool_next(&names->entries, &cursor, &handle);) {
        struct adit_named *entry = adit_pool_get(&names->entries, handle);
        if (entry && adit_owners_worker_gone(&entry->owners, worker) > 0 &&
            entry->owners.count == 0) {
            let_go(names, handle, time);
            gone++;
        }
    }
    return gone;
}

/* Does a whole snapshot follow its format? */
static struct adit_status snapshot_check(struct adit_snapshot snapshot)
{
    bool is_there = true;
    while (is_there) {
        struct adit_snapshot_lease lease = {0};
        ADIT_TRY(adit_snapshot_lease_next(&snapshot, &lease, &is_there));
    }
    is_there = true;
    while (is_there) {
        struct adit_bytes id = {0};
        ADIT_TRY(adit_snapshot_revocation_next(&snapshot, &id, &is_there));
    }
    return adit_ok();
}

/* The entry that a lease is about, held for its account; null where it is in use by another, or
 * where there is no room. */
static struct adit_named *lease_entry(struct adit_names *names,
                                      const struct adit_snapshot_lease *lease,
                                      struct adit_handle *out_handle)
{
    struct adit_named *entry = entry_find(names, lease->name, out_handle);
    if (!entry) {
        bool is_made = has_room(names, lease->account) &&
                       adit_is_ok(entry_make(names, lease->name, lease->account, out_handle));
        return is_made ? adit_pool_get(&names->entries, *out_handle) : NULL;
    }
    if (is_of(entry, lease->account)) {
        return entry;
    }
    bool is_given = entry->state == ADIT_NAMED_HELD &&
                    account_count(names, lease->account) < ADIT_NAMES_ACCOUNT_MAX &&
                    adit_is_ok(entry_reassign(names, entry, lease->account));
    return is_given ? entry : NULL;
}

/* A lease that is in use nowhere here has ended, and control has not heard it: an earlier door may
 * have died before it could say so. */
static bool lease_put(struct adit_names *names, const struct adit_snapshot_lease *lease,
                      uint64_t wall_s)
{
    struct adit_handle handle = {0};
    struct adit_named *entry = lease_entry(names, lease, &handle);
    if (!entry) {
        return false;
    }
    entry->is_known = true;
    if (entry->state == ADIT_NAMED_OWNED) {
        return true;
    }
    if (lease->until_s != IN_USE) {
        entry->until_s = lease->until_s;
    } else if (entry->says == 0) {
        entry->until_s = adit_max_u64(entry->until_s, wall_s + ADIT_NAMES_HOLD_S);
        say(names, handle, SAYS_ENDED);
    }
    return true;
}

static void known_forget(struct adit_names *names)
{
    struct adit_handle handle = {0};
    for (uint32_t cursor = 0; adit_pool_next(&names->entries, &cursor, &handle);) {
        struct adit_named *entry = adit_pool_get(&names->entries, handle);
        if (entry) {
            entry->was_known = entry->is_known;
            entry->is_known = false;
        }
    }
}

/* Drops what control listed and lists no more, and what has lapsed. */
static void gone_drop(struct adit_names *names, uint64_t wall_s)
{
    struct adit_handle handle = {0};
    for (uint32_t cursor = 0; adit_pool_next(&names->entries, &cursor, &handle);) {
        const struct adit_named *entry = adit_pool_get(&names->entries, handle);
        bool is_gone = entry && entry->state == ADIT_NAMED_HELD && !entry->is_in_line &&
                       ((entry->was_known && !entry->is_known) || is_lapsed(entry, wall_s));
        if (is_gone) {
            entry_drop(names, handle);
        }
    }
}

struct adit_status adit_names_apply(struct adit_names *names, const struct adit_snapshot *snapshot,
                                    uint64_t wall_s, uint32_t *out_skipped)
{
    struct adit_snapshot rest = *snapshot;
    bool is_there = true;
    uint32_t skipped = 0;
    ADIT_TRY(snapshot_check(rest));
    known_forget(names);
    while (is_there) {
        struct adit_snapshot_lease lease = {0};
        ADIT_TRY(adit_snapshot_lease_next(&rest, &lease, &is_there));
        if (is_there && lease.until_s > wall_s && !lease_put(names, &lease, wall_s)) {
            skipped++;
        }
    }
    gone_drop(names, wall_s);
    names->version = snapshot->version;
    *out_skipped = skipped;
    return adit_ok();
}
