/* The snapshot of the database, as far as it concerns a worker: which tokens are revoked. */
#include "edge/worker/worker.h"

#include "wire/snapshot.h"

bool worker_token_is_revoked(const struct worker *worker, const struct adit_token_rights *rights)
{
    uint64_t value = 0;
    return worker->revoked.used > 0 &&
           (adit_table_get(&worker->revoked, ADIT_BYTES_OF(rights->id), &value) ||
            adit_table_get(&worker->revoked, ADIT_BYTES_OF(rights->parent), &value));
}

/* Leases are the door's business: they are only read over. */
static struct adit_status read_revocations(struct adit_bytes bytes, struct adit_table *table)
{
    struct adit_snapshot snapshot = {0};
    struct adit_snapshot_lease lease = {0};
    struct adit_siphash_key seed = {0};
    struct adit_bytes id = {0};
    bool is_there = true;
    ADIT_TRY(adit_snapshot_read(bytes, &snapshot));
    ADIT_TRY(adit_random_fill(ADIT_OBJECT_SPAN(seed)));
    ADIT_TRY(adit_table_init(table, ADIT_TOKEN_ID_BYTES, snapshot.revocations + 1, seed));
    while (is_there) {
        ADIT_TRY(adit_snapshot_lease_next(&snapshot, &lease, &is_there));
    }
    for (is_there = true; is_there;) {
        ADIT_TRY(adit_snapshot_revocation_next(&snapshot, &id, &is_there));
        if (is_there) {
            ADIT_TRY(adit_table_set(table, id, 1));
        }
    }
    return adit_ok();
}

/* A whole new table, or the old one stays. */
static struct adit_status snapshot_take(struct worker *worker, int fd)
{
    struct adit_span memory = {0};
    struct adit_table table = {0};
    ADIT_TRY(adit_memory_open(1, ADIT_SNAPSHOT_BYTES_MAX, &memory));
    struct adit_writer bytes = adit_writer_of(memory);
    struct adit_status status = adit_file_read_fd(fd, &bytes);
    if (adit_is_ok(status)) {
        status = read_revocations(adit_writer_bytes(&bytes), &table);
    }
    adit_memory_close(&memory);
    if (!adit_is_ok(status)) {
        adit_table_deinit(&table);
        return status;
    }
    adit_table_deinit(&worker->revoked);
    worker->revoked = table;
    return adit_ok();
}

static void end_revoked(struct worker *worker)
{
    struct adit_handle handle = {0};
    for (uint32_t cursor = 0; adit_pool_next(&worker->agents, &cursor, &handle);) {
        struct agent *agent = adit_pool_get(&worker->agents, handle);
        if (agent->is_in && worker_token_is_revoked(worker, &agent->rights)) {
            agent->end = AGENT_OUT;
            worker_agent_refuse(worker, agent, ADIT_REFUSAL_TOKEN_REVOKED, 0);
            worker_binds_release(worker, agent); /* now: no visitor comes between */
        }
    }
}

void worker_snapshot_arrived(struct worker *worker, struct adit_message *message)
{
    struct adit_status status = snapshot_take(worker, ADIT_AT(message->fds, 0));
    if (!adit_is_ok(status)) {
        adit_log_failure(&worker->log, ADIT_LOG_ERROR, ADIT_BYTES("snapshot_kept"), status);
        return;
    }
    worker->snapshot_version = message->version;
    end_revoked(worker);
    struct adit_message taken = {.type = ADIT_MESSAGE_SNAPSHOT_TAKEN,
                                 .version = worker->snapshot_version};
    adit_status_ignore(adit_channel_send(&worker->supervisor, &taken),
                       "the next snapshot says the same");
    ADIT_LOG(&worker->log, DEBUG, "snapshot",
             adit_log_number(ADIT_BYTES("version"), worker->snapshot_version),
             adit_log_number(ADIT_BYTES("revoked"), worker->revoked.used));
}
