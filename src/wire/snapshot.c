#include "wire/snapshot.h"

#define MAGIC_BYTES ADIT_BYTES("ADITSNAP")
#define FORMAT 1
#define LEASE_BYTES_MIN (1 + 1 + 1 + 1 + sizeof(uint64_t)) /* a name and an account of a letter */

/* A text of 1 to `max` bytes after its length. */
static struct adit_status text_read(struct adit_reader *reader, size_t max,
                                    struct adit_bytes *out_text)
{
    uint8_t len = 0;
    ADIT_TRY(adit_read_u8(reader, &len));
    ADIT_ENSURE(len > 0 && len <= max, INVALID, "a text of a snapshot is empty or too long");
    return adit_read_bytes(reader, len, out_text);
}

static struct adit_status text_write(struct adit_writer *writer, struct adit_bytes text)
{
    ADIT_TRY(adit_write_u8(writer, (uint8_t)text.len));
    return adit_write_bytes(writer, text);
}

struct adit_status adit_snapshot_read(struct adit_bytes bytes, struct adit_snapshot *out_snapshot)
{
    ADIT_ENSURE(bytes.len <= ADIT_SNAPSHOT_BYTES_MAX, LIMIT, "the snapshot is too large");
    struct adit_snapshot snapshot = {.rest = adit_reader_of(bytes)};
    struct adit_bytes magic = {0};
    uint32_t format = 0;
    ADIT_TRY(adit_read_bytes(&snapshot.rest, MAGIC_BYTES.len, &magic));
    ADIT_TRY(adit_read_u32(&snapshot.rest, &format));
    ADIT_TRY(adit_read_u64(&snapshot.rest, &snapshot.version));
    ADIT_TRY(adit_read_u32(&snapshot.rest, &snapshot.leases));
    ADIT_TRY(adit_read_u32(&snapshot.rest, &snapshot.revocations));
    ADIT_ENSURE(adit_bytes_equal(magic, MAGIC_BYTES), INVALID, "this is no snapshot");
    ADIT_ENSURE(format == FORMAT, INVALID, "a snapshot of another format");
    uint64_t least = (uint64_t)snapshot.leases * LEASE_BYTES_MIN +
                     (uint64_t)snapshot.revocations * ADIT_TOKEN_ID_BYTES;
    ADIT_ENSURE(least <= snapshot.rest.rest.len, INVALID, "a snapshot with too few entries");
    *out_snapshot = snapshot;
    return adit_ok();
}

/* What follows the last entry: nothing, once the other kind is read too. */
static struct adit_status end_check(const struct adit_snapshot *snapshot)
{
    return snapshot->leases + snapshot->revocations == 0 ? adit_read_end(&snapshot->rest)
                                                         : adit_ok();
}

struct adit_status adit_snapshot_lease_next(struct adit_snapshot *snapshot,
                                            struct adit_snapshot_lease *out_lease,
                                            bool *out_is_there)
{
    if (snapshot->leases == 0) {
        ADIT_TRY(end_check(snapshot));
        *out_is_there = false;
        return adit_ok();
    }
    struct adit_reader attempt = snapshot->rest;
    struct adit_snapshot_lease lease = {0};
    ADIT_TRY(text_read(&attempt, ADIT_NAME_BYTES_MAX, &lease.name));
    ADIT_TRY(text_read(&attempt, ADIT_TOKEN_ACCOUNT_BYTES, &lease.account));
    ADIT_TRY(adit_read_u64(&attempt, &lease.until_s));
    ADIT_ENSURE(adit_name_is_valid(lease.name), INVALID, "a lease of what is no name");
    snapshot->rest = attempt;
    snapshot->leases--;
    *out_lease = lease;
    *out_is_there = true;
    return adit_ok();
}

struct adit_status adit_snapshot_revocation_next(struct adit_snapshot *snapshot,
                                                 struct adit_bytes *out_id, bool *out_is_there)
{
    ADIT_ENSURE(snapshot->leases == 0, INTERNAL, "leases of a snapshot are read first");
    if (snapshot->revocations == 0) {
        ADIT_TRY(end_check(snapshot));
        *out_is_there = false;
        return adit_ok();
    }
    ADIT_TRY(adit_read_bytes(&snapshot->rest, ADIT_TOKEN_ID_BYTES, out_id));
    snapshot->revocations--;
    *out_is_there = true;
    return adit_ok();
}

struct adit_status adit_snapshot_header_write(struct adit_writer *writer, uint64_t version,
                                              uint32_t leases, uint32_t revocations)
{
    struct adit_writer attempt = *writer;
    ADIT_TRY(adit_write_bytes(&attempt, MAGIC_BYTES));
    ADIT_TRY(adit_write_u32(&attempt, FORMAT));
    ADIT_TRY(adit_write_u64(&attempt, version));
    ADIT_TRY(adit_write_u32(&attempt, leases));
    ADIT_TRY(adit_write_u32(&attempt, revocations));
    *writer = attempt;
    return adit_ok();
}

struct adit_status adit_snapshot_lease_write(struct adit_writer *writer,
                                             const struct adit_snapshot_lease *lease)
{
    struct adit_writer attempt = *writer;
    ADIT_ENSURE(adit_name_is_valid(lease->name), INVALID, "a lease of what is no name");
    ADIT_ENSURE(lease->account.len > 0 && lease->account.len <= ADIT_TOKEN_ACCOUNT_BYTES, INVALID,
                "a lease of what is no account");
    ADIT_TRY(text_write(&attempt, lease->name));
    ADIT_TRY(text_write(&attempt, lease->account));
    ADIT_TRY(adit_write_u64(&attempt, lease->until_s));
    *writer = attempt;
    return adit_ok();
}

struct adit_status adit_snapshot_revocation_write(struct adit_writer *writer, struct adit_bytes id)
{
    ADIT_ENSURE(id.len == ADIT_TOKEN_ID_BYTES, INVALID, "a revocation of what is no token's id");
    return adit_write_bytes(writer, id);
}
