#include "wire/snapshot.h"

#include "unit.h"

static const struct adit_snapshot_lease leases[] = {
    {ADIT_BYTES_INIT("a"), ADIT_BYTES_INIT("x"), 0},
    {ADIT_BYTES_INIT("shop"), ADIT_BYTES_INIT("alice@example.test"), 1800000000},
    {ADIT_BYTES_INIT("calm-otter-12"), ADIT_BYTES_INIT("b.c_d-e"), UINT64_MAX},
};
static const uint8_t ids[] = "0123456789abcdefFEDCBA9876543210";
static const struct adit_bytes id_texts = {.ptr = ids, .len = 2 * ADIT_TOKEN_ID_BYTES};

static struct adit_bytes sample_write(struct adit_span memory)
{
    struct adit_writer writer = adit_writer_of(memory);
    assert_ok(adit_snapshot_header_write(&writer, 7, ADIT_COUNT(leases), 2));
    for (size_t i = 0; i < ADIT_COUNT(leases); i++) {
        assert_ok(adit_snapshot_lease_write(&writer, &ADIT_AT(leases, i)));
    }
    assert_ok(adit_snapshot_revocation_write(&writer,
                                             adit_bytes_first(id_texts, ADIT_TOKEN_ID_BYTES)));
    assert_ok(adit_snapshot_revocation_write(&writer,
                                             adit_bytes_from(id_texts, ADIT_TOKEN_ID_BYTES)));
    return adit_writer_bytes(&writer);
}

/* Reads all of it; the first failure. */
static struct adit_status read_all(struct adit_bytes bytes)
{
    struct adit_snapshot snapshot = {0};
    ADIT_TRY(adit_snapshot_read(bytes, &snapshot));
    struct adit_snapshot_lease lease = {0};
    struct adit_bytes id = {0};
    for (bool is_there = true; is_there;) {
        ADIT_TRY(adit_snapshot_lease_next(&snapshot, &lease, &is_there));
    }
    for (bool is_there = true; is_there;) {
        ADIT_TRY(adit_snapshot_revocation_next(&snapshot, &id, &is_there));
    }
    return adit_ok();
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    uint8_t memory[512] = {0};
    struct adit_snapshot snapshot = {0};
    assert_ok(adit_snapshot_read(sample_write(ADIT_SPAN_OF(memory)), &snapshot));
    assert_int_equal(snapshot.version, 7);
    struct adit_bytes id = {0};
    bool is_there = false;
    assert_fails(adit_snapshot_revocation_next(&snapshot, &id, &is_there), INTERNAL);
    for (size_t i = 0; i < ADIT_COUNT(leases); i++) {
        struct adit_snapshot_lease lease = {0};
        assert_ok(adit_snapshot_lease_next(&snapshot, &lease, &is_there));
        assert_true(is_there);
        assert_bytes(lease.name, ADIT_AT(leases, i).name);
        assert_bytes(lease.account, ADIT_AT(leases, i).account);
        assert_int_equal(lease.until_s, ADIT_AT(leases, i).until_s);
    }
    struct adit_snapshot_lease none = {0};
    assert_ok(adit_snapshot_lease_next(&snapshot, &none, &is_there));
    assert_false(is_there);
    for (size_t i = 0; i < 2; i++) {
        assert_ok(adit_snapshot_revocation_next(&snapshot, &id, &is_there));
        assert_true(is_there);
        assert_bytes(id, adit_bytes_first(adit_bytes_from(id_texts, i * ADIT_TOKEN_ID_BYTES),
                                          ADIT_TOKEN_ID_BYTES));
    }
    assert_ok(adit_snapshot_revocation_next(&snapshot, &id, &is_there));
    assert_false(is_there);
}

static void an_empty_one_is_fine(void **state)
{
    (void)state;
    uint8_t memory[64] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    assert_ok(adit_snapshot_header_write(&writer, 1, 0, 0));
    assert_ok(read_all(adit_writer_bytes(&writer)));
}

static void cut_or_longer_is_refused(void **state)
{
    (void)state;
    uint8_t memory[512] = {0};
    struct adit_bytes whole = sample_write(ADIT_SPAN_OF(memory));
    for (size_t len = 0; len < whole.len; len++) {
        assert_fails(read_all(adit_bytes_first(whole, len)), INVALID);
    }
    assert_ok(read_all(whole));
    assert_fails(read_all(adit_bytes_first(ADIT_BYTES_OF(memory), whole.len + 1)), INVALID);
}

static void broken_ones_are_refused(void **state)
{
    (void)state;
    const struct {
        size_t at;
        uint8_t byte;
    } rows[] = {
        {0, 'a'},           /* magic */
        {11, 2},            /* format */
        {20, 0xff},         /* leases without bytes */
        {24, 0xff},         /* revocations without bytes */
        {23, 4}, {27, 3},   /* one more than there are */
        {23, 2}, {27, 1},   /* one fewer */
        {28, 0}, {28, 64},  /* an empty name, and one that is too long */
        {29, 'A'},          /* no name */
        {30, 0}, {30, 33},  /* no account, and one that is too long */
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        uint8_t memory[512] = {0};
        struct adit_bytes whole = sample_write(ADIT_SPAN_OF(memory));
        ADIT_AT(memory, ADIT_AT(rows, i).at) = ADIT_AT(rows, i).byte;
        assert_fails(read_all(whole), INVALID);
    }
    struct adit_span large = {0};
    assert_ok(adit_memory_open(1, ADIT_SNAPSHOT_BYTES_MAX + 1, &large));
    struct adit_snapshot untouched = {.version = 9};
    assert_fails(adit_snapshot_read(adit_span_bytes(large), &untouched), LIMIT);
    assert_int_equal(untouched.version, 9);
    adit_memory_close(&large);
}

static void nothing_broken_is_written(void **state)
{
    (void)state;
    uint8_t memory[64] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    const struct adit_bytes long_account = ADIT_BYTES("123456789012345678901234567890123");
    const struct adit_snapshot_lease bad[] = {
        {ADIT_BYTES(""), ADIT_BYTES("x"), 0},
        {ADIT_BYTES("A"), ADIT_BYTES("x"), 0},
        {ADIT_BYTES("a"), ADIT_BYTES(""), 0},
        {ADIT_BYTES("a"), long_account, 0},
    };
    for (size_t i = 0; i < ADIT_COUNT(bad); i++) {
        assert_fails(adit_snapshot_lease_write(&writer, &ADIT_AT(bad, i)), INVALID);
    }
    assert_fails(adit_snapshot_revocation_write(&writer, ADIT_BYTES("short")), INVALID);
    assert_int_equal(writer.len, 0);
    struct adit_writer small = adit_writer_of(adit_span_first(ADIT_SPAN_OF(memory), 11));
    assert_fails(adit_snapshot_header_write(&small, 1, 0, 0), LIMIT);
    assert_fails(adit_snapshot_lease_write(&small, &ADIT_AT(leases, 0)), LIMIT);
    assert_int_equal(small.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read), cmocka_unit_test(an_empty_one_is_fine),
        cmocka_unit_test(cut_or_longer_is_refused), cmocka_unit_test(broken_ones_are_refused),
        cmocka_unit_test(nothing_broken_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
