#include "wire/token_layout.h"

#include "unit.h"

static struct adit_token_record good_record(void)
{
    struct adit_token_record record = {
        .kind = ADIT_TOKEN_PROJECT,
        .allows = ADIT_TOKEN_ALLOWS_UDP,
        .key_id = 0x01020304,
        .id = {7},
        .parent = {9},
        .not_before_s = 1,
        .expiry_s = ADIT_TOKEN_EXPIRES_NEVER,
        .bandwidth_kib = 0x0a0b0c0d,
        .tunnels_max = 0x0e0f,
    };
    assert_ok(adit_token_account_set(&record, ADIT_BYTES("team-7@example.test")));
    assert_ok(adit_token_names_set(&record.names, ADIT_BYTES("a,b-*")));
    return record;
}

static void records_come_back(void **state)
{
    (void)state;
    uint8_t memory[ADIT_TOKEN_RECORD_BYTES] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_token_record record = good_record();
    assert_ok(adit_token_record_write(&writer, &record));
    assert_int_equal(writer.len, ADIT_TOKEN_RECORD_BYTES);
    struct adit_token_record again = {0};
    assert_ok(adit_token_record_read(ADIT_BYTES_OF(memory), &again));
    assert_int_equal(again.kind, record.kind);
    assert_int_equal(again.allows, record.allows);
    assert_int_equal(again.key_id, record.key_id);
    assert_bytes(ADIT_BYTES_OF(again.id), ADIT_BYTES_OF(record.id));
    assert_bytes(ADIT_BYTES_OF(again.parent), ADIT_BYTES_OF(record.parent));
    assert_bytes(ADIT_BYTES_OF(again.account), ADIT_BYTES_OF(record.account));
    assert_bytes(adit_token_names_text(&again.names), ADIT_BYTES("a,b-*"));
    assert_int_equal(again.not_before_s, record.not_before_s);
    assert_int_equal(again.expiry_s, record.expiry_s);
    assert_int_equal(again.bandwidth_kib, record.bandwidth_kib);
    assert_int_equal(again.tunnels_max, record.tunnels_max);
}

static void bad_records_are_refused(void **state)
{
    (void)state;
    const struct {
        size_t index;
        uint8_t byte;
    } bad[] = {
        {0, 0},   {0, 2},        /* version */
        {1, 0},   {1, 5},        /* kind */
        {2, 0x10}, {2, 0xff},    /* rights that do not exist yet */
        {3, 1},   {158, 1}, {159, 0x80}, /* reserved */
        {8, 0},                  /* no id */
        {40, 0},                 /* no account (and bytes after its padding) */
        {40, ' '}, {41, '\n'},   /* no account name */
        {71, 'a'},               /* bytes after the account's padding */
        {72, 0},  {72, '-'}, {72, 'A'}, {73, 0}, {135, 'a'}, /* no pattern */
    };
    for (size_t i = 0; i < ADIT_COUNT(bad); i++) {
        uint8_t memory[ADIT_TOKEN_RECORD_BYTES] = {0};
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
        struct adit_token_record record = good_record();
        assert_ok(adit_token_record_write(&writer, &record));
        ADIT_AT(memory, ADIT_AT(bad, i).index) = ADIT_AT(bad, i).byte;
        struct adit_token_record out = {.key_id = 99};
        assert_fails(adit_token_record_read(ADIT_BYTES_OF(memory), &out), INVALID);
        assert_int_equal(out.key_id, 99);
    }
    struct adit_token_record out = {0};
    uint8_t longer[ADIT_TOKEN_RECORD_BYTES + 1] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(longer));
    struct adit_token_record record = good_record();
    assert_ok(adit_token_record_write(&writer, &record));
    assert_fails(adit_token_record_read(ADIT_BYTES_OF(longer), &out), INVALID);
    assert_fails(adit_token_record_read(adit_bytes_first(ADIT_BYTES_OF(longer), 159), &out),
                 INVALID);
}

static void bad_blocks_are_refused(void **state)
{
    (void)state;
    const struct {
        size_t index;
        uint8_t byte;
    } bad[] = {{0, 0}, {0, 2}, {1, 0x10}, {8, 0}, {9, '*'}, {71, 'a'}, {88, 1}, {89, 1}};
    for (size_t i = 0; i < ADIT_COUNT(bad); i++) {
        uint8_t memory[ADIT_TOKEN_BLOCK_BYTES] = {0};
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
        struct adit_token_block block = adit_token_block_neutral();
        assert_ok(adit_token_block_write(&writer, &block));
        struct adit_token_block out = {0};
        assert_ok(adit_token_block_read(ADIT_BYTES_OF(memory), &out));
        assert_int_equal(out.expiry_s, ADIT_TOKEN_EXPIRES_NEVER);
        ADIT_AT(memory, ADIT_AT(bad, i).index) = ADIT_AT(bad, i).byte;
        assert_fails(adit_token_block_read(ADIT_BYTES_OF(memory), &out), INVALID);
    }
}

static void bad_values_are_not_written(void **state)
{
    (void)state;
    struct adit_token_record rows[5] = {0};
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        ADIT_AT(rows, i) = good_record();
    }
    rows[0].kind = ADIT_TOKEN_NONE;
    rows[1].allows = 0x20;
    rows[2].id[0] = 0;
    rows[3].account[0] = 0;
    rows[4].names = (struct adit_token_names){0};
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        uint8_t memory[ADIT_TOKEN_RECORD_BYTES] = {0};
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
        assert_fails(adit_token_record_write(&writer, &ADIT_AT(rows, i)), INVALID);
    }
}

static void accounts(void **state)
{
    (void)state;
    const struct {
        struct adit_bytes name;
        bool is_valid;
    } rows[] = {
        {ADIT_BYTES("a"), true},
        {ADIT_BYTES("Alice.B_c-d@example.test"), true},
        {ADIT_BYTES("12345678901234567890123456789012"), true},
        {ADIT_BYTES("123456789012345678901234567890123"), false},
        {ADIT_BYTES(""), false},
        {ADIT_BYTES(".a"), false},
        {ADIT_BYTES("-a"), false},
        {ADIT_BYTES("a b"), false},
        {ADIT_BYTES("a\nb"), false},
        {ADIT_BYTES("a\0"), false},
        {ADIT_BYTES("\xc3\xa9"), false},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct adit_token_record record = {0};
        assert_int_equal(adit_is_ok(adit_token_account_set(&record, ADIT_AT(rows, i).name)),
                         ADIT_AT(rows, i).is_valid);
    }
    struct adit_token_names names = {0};
    assert_fails(adit_token_names_set(&names, ADIT_BYTES("")), INVALID);
    assert_fails(adit_token_names_set(&names, ADIT_BYTES("a,,b")), INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_back),
        cmocka_unit_test(bad_records_are_refused),
        cmocka_unit_test(bad_blocks_are_refused),
        cmocka_unit_test(bad_values_are_not_written),
        cmocka_unit_test(accounts),
    };
    return cmocka_run_group_tests_name("wire/token_layout", tests, NULL, NULL);
}
