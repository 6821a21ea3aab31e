/* Whatever is read to its end, the writers give back byte for byte. */
#include "wire/snapshot.h"

#include "fuzz.h"

static bool copy(struct adit_snapshot *snapshot, struct adit_writer *writer)
{
    bool is_there = true;
    while (true) {
        struct adit_snapshot_lease lease = {0};
        if (!adit_is_ok(adit_snapshot_lease_next(snapshot, &lease, &is_there))) {
            return false;
        }
        if (!is_there) {
            break;
        }
        ADIT_ASSERT(adit_is_ok(adit_snapshot_lease_write(writer, &lease)));
    }
    while (true) {
        struct adit_bytes id = {0};
        if (!adit_is_ok(adit_snapshot_revocation_next(snapshot, &id, &is_there))) {
            return false;
        }
        if (!is_there) {
            return true;
        }
        ADIT_ASSERT(adit_is_ok(adit_snapshot_revocation_write(writer, id)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct adit_bytes input = {.ptr = data, .len = size};
    struct adit_snapshot snapshot = {0};
    struct adit_span memory = {0};
    if (!adit_is_ok(adit_snapshot_read(input, &snapshot)) ||
        !adit_is_ok(adit_memory_open(1, size, &memory))) {
        return 0;
    }
    struct adit_writer writer = adit_writer_of(memory);
    ADIT_ASSERT(adit_is_ok(adit_snapshot_header_write(&writer, snapshot.version, snapshot.leases,
                                                      snapshot.revocations)));
    if (copy(&snapshot, &writer)) {
        ADIT_ASSERT(adit_bytes_equal(adit_writer_bytes(&writer), input));
    }
    adit_memory_close(&memory);
    return 0;
}
