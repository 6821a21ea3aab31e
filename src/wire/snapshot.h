/* Snapshot: what the edge has to know of the database: which names are held for which account, and
 * which tokens are revoked. `control` writes it whole, in a sealed memfd; door and worker read it,
 * and act by it until the next, whether control lives or not.
 *
 *     "ADITSNAP" | u32 format (1) | u64 version | u32 leases | u32 revocations
 *     lease:      u8 length, name | u8 length, account | u64 held until (Unix time; 2^64-1: in use)
 *     revocation: 16 bytes, id of a token; its children die with it
 *
 * Pure; big-endian; nothing after the last entry. Limit: ADIT_SNAPSHOT_BYTES_MAX. */
#ifndef ADIT_WIRE_SNAPSHOT_H
#define ADIT_WIRE_SNAPSHOT_H

#include "base/reader.h"
#include "base/writer.h"
#include "wire/name.h"
#include "wire/token.h"

#define ADIT_SNAPSHOT_BYTES_MAX (16u * 1024 * 1024)

struct adit_snapshot_lease {
    struct adit_bytes name, account;
    uint64_t until_s;
};

/* What is left to be read. The counts were checked against the bytes that there are. */
struct adit_snapshot {
    uint64_t version;
    uint32_t leases, revocations;
    struct adit_reader rest;
};

/* INVALID for a header that is none, LIMIT for more than ADIT_SNAPSHOT_BYTES_MAX. */
struct adit_status adit_snapshot_read(struct adit_bytes bytes, struct adit_snapshot *out_snapshot);

/* The next one; *out_is_there false after the last. All leases come before the revocations. INVALID
 * for an entry that breaks its format, and at the end for bytes that are left over. */
struct adit_status adit_snapshot_lease_next(struct adit_snapshot *snapshot,
                                            struct adit_snapshot_lease *out_lease,
                                            bool *out_is_there);
struct adit_status adit_snapshot_revocation_next(struct adit_snapshot *snapshot,
                                                 struct adit_bytes *out_id, bool *out_is_there);

/* Appends the header, then as many entries as it says, leases first. */
struct adit_status adit_snapshot_header_write(struct adit_writer *writer, uint64_t version,
                                              uint32_t leases, uint32_t revocations);
struct adit_status adit_snapshot_lease_write(struct adit_writer *writer,
                                             const struct adit_snapshot_lease *lease);
struct adit_status adit_snapshot_revocation_write(struct adit_writer *writer,
                                                  struct adit_bytes id);

#endif
