#include "wire/token.h"

#include <openssl/hmac.h>
#include <string.h>

#include "base/text.h"
#include "unit.h"

/* HMAC-SHA-256 by OpenSSL, as src/net/hmac.h has it. */
static struct adit_status test_mac(struct adit_bytes key, struct adit_bytes first,
                                   struct adit_bytes second, struct adit_span out)
{
    uint8_t memory[512] = {0};
    struct adit_writer input = adit_writer_of(ADIT_SPAN_OF(memory));
    ADIT_TRY(adit_write_bytes(&input, first));
    ADIT_TRY(adit_write_bytes(&input, second));
    unsigned len = 0;
    ADIT_ENSURE(out.len == 32 && HMAC(EVP_sha256(), key.ptr, (int)key.len, memory, input.len,
                                      out.ptr, &len) && len == 32,
                CRYPTO, "HMAC refused");
    return adit_ok();
}

static struct adit_status failing_mac(struct adit_bytes key, struct adit_bytes first,
                                      struct adit_bytes second, struct adit_span out)
{
    (void)key;
    (void)first;
    (void)second;
    (void)out;
    ADIT_FAIL(CRYPTO, "no cryptography today");
}

static const uint8_t key_bytes[32] = {
    0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
    16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

#define NOT_BEFORE 1700000000u
#define EXPIRY 1800000000u
#define NOW 1750000000u

/* The vectors of docs/protocol.md, made by a program of a few lines in another language. */
static const struct adit_bytes vector_0 = ADIT_BYTES_INIT(
    "adit_AQEHAAAAAAEQERITFBUWFxgZGhscHR4fAAAAAAAAAAAAAAAAAAAAAGFsaWNlAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAKgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAABlU_EAAAAAAGtJ0gAAAAAAAAoAANZAxaDHAzmYvUy_DYoe1qJKgIB3mRFH-bH"
    "KAgwQHLkW");
static const struct adit_bytes vector_1 = ADIT_BYTES_INIT(
    "adit_AQEHAAAAAAEQERITFBUWFxgZGhscHR4fAAAAAAAAAAAAAAAAAAAAAGFsaWNlAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAKgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAABlU_EAAAAAAGtJ0gAAAAAAAAoAAAEBAAIAAAQAc2hvcCxzaG9wLSoAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAGqxO4A"
    "AAANHCoK6ijKp34I0PmVGffSSZUGtDUZKremoZ4QawtzD");
static const struct adit_bytes vector_2 = ADIT_BYTES_INIT(
    "adit_AQEHAAAAAAEQERITFBUWFxgZGhscHR4fAAAAAAAAAAAAAAAAAAAAAGFsaWNlAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAKgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAABlU_EAAAAAAGtJ0gAAAAAAAAoAAAEBAAIAAAQAc2hvcCxzaG9wLSoAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAGqxO4A"
    "AAAEPAAAAAAAAc2hvcC0qAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAA__________8AAPz7Pu-hiMo1OAKrL1lrRgeUrYp8ubW8otFhDHAV0VtV");

static struct adit_token_record alice(void)
{
    struct adit_token_record record = {
        .kind = ADIT_TOKEN_USER,
        .allows = ADIT_TOKEN_ALLOWS_HTTP | ADIT_TOKEN_ALLOWS_TCP | ADIT_TOKEN_ALLOWS_TLS,
        .key_id = 1,
        .not_before_s = NOT_BEFORE,
        .expiry_s = EXPIRY,
        .tunnels_max = 10,
    };
    for (uint8_t i = 0; i < ADIT_TOKEN_ID_BYTES; i++) {
        ADIT_AT(record.id, i) = (uint8_t)(0x10 + i);
    }
    assert_ok(adit_token_account_set(&record, ADIT_BYTES("alice")));
    assert_ok(adit_token_names_set(&record.names, ADIT_BYTES("*")));
    return record;
}

static struct adit_token_block block_1(void)
{
    struct adit_token_block block = {
        .allows = ADIT_TOKEN_ALLOWS_HTTP,
        .expiry_s = 1790000000,
        .bandwidth_kib = 1024,
        .tunnels_max = 2,
    };
    assert_ok(adit_token_names_set(&block.names, ADIT_BYTES("shop,shop-*")));
    return block;
}

static struct adit_token_block block_2(void)
{
    struct adit_token_block block = adit_token_block_neutral();
    assert_ok(adit_token_names_set(&block.names, ADIT_BYTES("shop-*")));
    return block;
}

struct text {
    struct adit_writer writer;
    uint8_t memory[ADIT_TOKEN_TEXT_MAX];
};

static struct adit_bytes mint(const struct adit_token_record *record, struct text *out)
{
    out->writer = adit_writer_of(ADIT_SPAN_OF(out->memory));
    assert_ok(adit_token_mint(&out->writer, record, ADIT_BYTES_OF(key_bytes), test_mac));
    return adit_writer_bytes(&out->writer);
}

static struct adit_bytes narrow(struct adit_bytes token, struct adit_token_block block,
                                struct text *out)
{
    out->writer = adit_writer_of(ADIT_SPAN_OF(out->memory));
    assert_ok(adit_token_narrow(&out->writer, token, &block, test_mac));
    return adit_writer_bytes(&out->writer);
}

static struct adit_status verify_at(struct adit_bytes text, uint64_t now_s,
                                    struct adit_token_rights *rights)
{
    const struct adit_token_check check = {
        .key = ADIT_BYTES_OF(key_bytes), .key_id = 1, .now_s = now_s, .mac = test_mac};
    return adit_token_verify(text, &check, rights);
}

static void assert_refused(struct adit_bytes text, uint64_t now_s, enum adit_token_reason reason)
{
    struct adit_token_rights rights = {.tunnels_max = 99};
    struct adit_status status = verify_at(text, now_s, &rights);
    assert_fails(status, REFUSED);
    assert_int_equal(adit_token_reason_of(status), reason);
    assert_int_equal(rights.tunnels_max, 99); /* untouched */
}

static void vectors(void **state)
{
    (void)state;
    struct text a = {0};
    struct text b = {0};
    struct text c = {0};
    struct adit_token_record record = alice();
    assert_bytes(mint(&record, &a), vector_0);
    assert_bytes(narrow(vector_0, block_1(), &b), vector_1);
    assert_bytes(narrow(vector_1, block_2(), &c), vector_2);
    assert_int_equal(vector_0.len, 261);
    assert_int_equal(vector_1.len, 381);
    assert_int_equal(vector_2.len, 501);
    assert_int_equal(ADIT_TOKEN_TEXT_MAX, 741);
    struct adit_token token = {0};
    assert_ok(adit_token_parse(vector_2, &token));
    assert_int_equal(token.block_count, 2);
    assert_int_equal(token.record.key_id, 1);
    assert_bytes(adit_token_names_text(&token.blocks[0].names), ADIT_BYTES("shop,shop-*"));
}

static void rights_of_a_new_token(void **state)
{
    (void)state;
    struct adit_token_rights rights = {0};
    assert_ok(verify_at(vector_0, NOW, &rights));
    assert_bytes(adit_token_account_of(&rights), ADIT_BYTES("alice"));
    assert_int_equal(rights.kind, ADIT_TOKEN_USER);
    assert_int_equal(rights.tunnels_max, 10);
    assert_int_equal(rights.bandwidth_kib, 0);
    assert_int_equal(rights.expiry_s, EXPIRY);
    assert_int_equal(rights.names_count, 1);
    assert_true(adit_token_allows_tunnel(&rights, ADIT_TUNNEL_HTTP));
    assert_true(adit_token_allows_tunnel(&rights, ADIT_TUNNEL_TCP));
    assert_true(adit_token_allows_tunnel(&rights, ADIT_TUNNEL_TLS));
    assert_false(adit_token_allows_tunnel(&rights, ADIT_TUNNEL_NONE));
    assert_true(adit_token_allows_name(&rights, ADIT_BYTES("anything")));
    assert_false(adit_token_allows_name(&rights, ADIT_BYTES("Not a name")));
}

static void blocks_take_rights_away(void **state)
{
    (void)state;
    struct adit_token_rights rights = {0};
    assert_ok(verify_at(vector_2, NOW, &rights));
    assert_int_equal(rights.tunnels_max, 2);
    assert_int_equal(rights.bandwidth_kib, 1024);
    assert_int_equal(rights.expiry_s, 1790000000);
    assert_int_equal(rights.not_before_s, NOT_BEFORE);
    assert_true(adit_token_allows_tunnel(&rights, ADIT_TUNNEL_HTTP));
    assert_false(adit_token_allows_tunnel(&rights, ADIT_TUNNEL_TCP));
    assert_true(adit_token_allows_name(&rights, ADIT_BYTES("shop-2")));
    assert_false(adit_token_allows_name(&rights, ADIT_BYTES("shop")));  /* block 2 took it */
    assert_false(adit_token_allows_name(&rights, ADIT_BYTES("shops"))); /* block 1 took it */
}

/* A block that asks for more than there is gives nothing: rights are a conjunction. */
static void blocks_cannot_widen(void **state)
{
    (void)state;
    struct text a = {0};
    struct adit_token_block wide = adit_token_block_neutral();
    wide.tunnels_max = 1000;
    wide.bandwidth_kib = 1u << 30;
    struct adit_token_rights before = {0};
    struct adit_token_rights after = {0};
    assert_ok(verify_at(vector_2, NOW, &before));
    assert_ok(verify_at(narrow(vector_2, wide, &a), NOW, &after));
    assert_int_equal(after.allows, before.allows);
    assert_int_equal(after.tunnels_max, before.tunnels_max);
    assert_int_equal(after.bandwidth_kib, before.bandwidth_kib);
    assert_int_equal(after.expiry_s, before.expiry_s);
    assert_int_equal(after.not_before_s, before.not_before_s);
    assert_false(adit_token_allows_name(&after, ADIT_BYTES("other")));
    assert_true(adit_token_allows_name(&after, ADIT_BYTES("shop-2")));
}

static void four_blocks_and_no_more(void **state)
{
    (void)state;
    struct text texts[2] = {0};
    struct adit_bytes token = vector_0;
    for (size_t i = 0; i < ADIT_TOKEN_BLOCKS_MAX; i++) {
        token = narrow(token, adit_token_block_neutral(), &ADIT_AT(texts, i % 2));
        assert_int_equal(token.len, 381 + 120 * i);
        struct adit_token_rights rights = {0};
        assert_ok(verify_at(token, NOW, &rights));
        assert_int_equal(rights.names_count, i + 2);
    }
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(texts[0].memory));
    struct adit_token_block block = adit_token_block_neutral();
    assert_fails(adit_token_narrow(&writer, token, &block, test_mac), LIMIT);
    assert_int_equal(writer.len, 0);
}

static void times(void **state)
{
    (void)state;
    struct adit_token_rights rights = {0};
    assert_refused(vector_0, NOT_BEFORE - 1, ADIT_TOKEN_REASON_NOT_YET);
    assert_ok(verify_at(vector_0, NOT_BEFORE, &rights));
    assert_ok(verify_at(vector_0, EXPIRY - 1, &rights));
    assert_refused(vector_0, EXPIRY, ADIT_TOKEN_REASON_EXPIRED);
    assert_refused(vector_1, 1790000000, ADIT_TOKEN_REASON_EXPIRED);
    assert_true(adit_token_is_current(&rights, EXPIRY - 1));
    assert_false(adit_token_is_current(&rights, EXPIRY));
    assert_false(adit_token_is_current(&rights, NOT_BEFORE - 1));
    struct adit_token_record record = alice();
    record.not_before_s = 0;
    record.expiry_s = ADIT_TOKEN_EXPIRES_NEVER;
    struct text text = {0};
    assert_ok(verify_at(mint(&record, &text), 0, &rights));
    assert_ok(verify_at(mint(&record, &text), UINT64_MAX - 1, &rights));
    struct adit_token_rights none = {0}; /* a struct of zeros gives nothing */
    assert_false(adit_token_is_current(&none, 0));
    assert_false(adit_token_allows_name(&none, ADIT_BYTES("a")));
}

static void kinds_that_bind_nothing(void **state)
{
    (void)state;
    const enum adit_token_kind kinds[] = {ADIT_TOKEN_MASTER, ADIT_TOKEN_DASHBOARD};
    for (size_t i = 0; i < ADIT_COUNT(kinds); i++) {
        struct adit_token_record record = alice();
        record.kind = ADIT_AT(kinds, i);
        struct text text = {0};
        struct adit_token_rights rights = {0};
        assert_ok(verify_at(mint(&record, &text), NOW, &rights));
        assert_int_equal(rights.kind, ADIT_AT(kinds, i));
        assert_false(adit_token_allows_tunnel(&rights, ADIT_TUNNEL_HTTP));
    }
}

/* The bytes of a token, to be changed and written back. */
struct opened {
    struct adit_writer bytes;
    uint8_t memory[ADIT_TOKEN_BYTES_MAX + ADIT_TOKEN_BLOCK_BYTES];
    uint8_t text[ADIT_TOKEN_TEXT_MAX + 200];
};

static void open_token(struct adit_bytes text, struct opened *out)
{
    out->bytes = adit_writer_of(ADIT_SPAN_OF(out->memory));
    assert_ok(adit_parse_base64url(adit_bytes_from(text, 5), &out->bytes));
}

static struct adit_bytes close_token(struct opened *opened, struct adit_bytes bytes)
{
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(opened->text));
    assert_ok(adit_write_bytes(&text, ADIT_BYTES("adit_")));
    assert_ok(adit_write_base64url(&text, bytes));
    return adit_writer_bytes(&text);
}

static void every_flipped_bit_is_refused(void **state)
{
    (void)state;
    struct opened opened = {0};
    open_token(vector_2, &opened);
    for (size_t i = 0; i < 8 * opened.bytes.len; i++) {
        uint8_t mask = (uint8_t)(1u << i % 8);
        ADIT_AT(opened.memory, i / 8) ^= mask;
        assert_refused(close_token(&opened, adit_writer_bytes(&opened.bytes)), NOW,
                       ADIT_TOKEN_REASON_INVALID);
        ADIT_AT(opened.memory, i / 8) ^= mask;
    }
    struct adit_token_rights rights = {0};
    assert_ok(verify_at(close_token(&opened, adit_writer_bytes(&opened.bytes)), NOW, &rights));
}

static void every_other_character_is_refused(void **state)
{
    (void)state;
    const struct adit_bytes others = ADIT_BYTES("A-_z+/= \n.\0");
    uint8_t memory[ADIT_TOKEN_TEXT_MAX] = {0};
    for (size_t i = 0; i < vector_1.len; i++) {
        for (size_t j = 0; j < others.len; j++) {
            assert_ok(adit_span_copy(ADIT_SPAN_OF(memory), vector_1));
            if (ADIT_AT(memory, i) == adit_bytes_at(others, j)) {
                continue;
            }
            ADIT_AT(memory, i) = adit_bytes_at(others, j);
            assert_refused(adit_bytes_first(ADIT_BYTES_OF(memory), vector_1.len), NOW,
                           ADIT_TOKEN_REASON_INVALID);
        }
    }
}

static void every_other_length_is_refused(void **state)
{
    (void)state;
    uint8_t memory[800] = {0};
    for (size_t len = 0; len < ADIT_COUNT(memory); len++) {
        adit_span_fill(ADIT_SPAN_OF(memory), 'A');
        struct adit_bytes text = adit_bytes_first(vector_2, len);
        assert_ok(adit_span_copy(ADIT_SPAN_OF(memory), text));
        if (len != vector_2.len) { /* cut, or with more after it */
            assert_refused(adit_bytes_first(ADIT_BYTES_OF(memory), len), NOW,
                           ADIT_TOKEN_REASON_INVALID);
        }
    }
}

#define RECORD ADIT_TOKEN_RECORD_BYTES
#define BLOCK ADIT_TOKEN_BLOCK_BYTES

/* The parts of vector_2 in another order or number; tag as it was, or that of vector_1. */
static void blocks_cannot_be_moved(void **state)
{
    (void)state;
    struct opened opened = {0};
    open_token(vector_2, &opened);
    struct adit_bytes whole = adit_writer_bytes(&opened.bytes);
    struct adit_bytes record = adit_bytes_first(whole, RECORD);
    struct adit_bytes first = adit_bytes_first(adit_bytes_from(whole, RECORD), BLOCK);
    struct adit_bytes second = adit_bytes_first(adit_bytes_from(whole, RECORD + BLOCK), BLOCK);
    struct adit_bytes tag = adit_bytes_from(whole, RECORD + 2 * BLOCK);
    struct opened other = {0};
    open_token(vector_1, &other);
    struct adit_bytes tag_1 = adit_bytes_from(adit_writer_bytes(&other.bytes), RECORD + BLOCK);
    struct opened target = {0};
    const struct adit_bytes none = {0};
    const struct adit_bytes rows[][4] = {
        {none, none, none, tag},      /* every block off */
        {first, none, none, tag},     /* the last off */
        {second, none, none, tag},    /* the first off */
        {second, first, none, tag},   /* swapped */
        {first, first, none, tag},    /* doubled */
        {first, second, second, tag}, /* one more, unsigned */
        {first, second, none, tag_1}, /* the tag before */
        {second, none, none, tag_1},  /* another block under it */
        {none, none, none, tag_1},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        target.bytes = adit_writer_of(ADIT_SPAN_OF(target.memory));
        assert_ok(adit_write_bytes(&target.bytes, record));
        for (size_t j = 0; j < 4; j++) {
            assert_ok(adit_write_bytes(&target.bytes, ADIT_AT(ADIT_AT(rows, i), j)));
        }
        assert_refused(close_token(&target, adit_writer_bytes(&target.bytes)), NOW,
                       ADIT_TOKEN_REASON_INVALID);
    }
}

/* A tag made for the wrong purpose does not fit: the labels part them. */
static void other_keys_and_labels_are_refused(void **state)
{
    (void)state;
    struct text text = {0};
    struct adit_token_record record = alice();
    struct adit_token_rights rights = {0};
    text.writer = adit_writer_of(ADIT_SPAN_OF(text.memory));
    struct adit_bytes other_key = ADIT_BYTES("another key of at least 32 bytes");
    assert_ok(adit_token_mint(&text.writer, &record, other_key, test_mac));
    assert_refused(adit_writer_bytes(&text.writer), NOW, ADIT_TOKEN_REASON_INVALID);
    record.key_id = 2;
    assert_refused(mint(&record, &text), NOW, ADIT_TOKEN_REASON_INVALID);
    struct opened opened = {0};
    open_token(vector_0, &opened);
    struct adit_bytes bytes = adit_bytes_first(ADIT_BYTES_OF(opened.memory), RECORD);
    struct adit_span tag = adit_span_first(adit_span_from(ADIT_SPAN_OF(opened.memory), RECORD), 32);
    assert_ok(test_mac(ADIT_BYTES_OF(key_bytes), ADIT_BYTES("adit token block 1\n"), bytes, tag));
    assert_refused(close_token(&opened, adit_writer_bytes(&opened.bytes)), NOW,
                   ADIT_TOKEN_REASON_INVALID);
    assert_ok(test_mac(ADIT_BYTES_OF(key_bytes), ADIT_BYTES("adit token record 1\n"), bytes, tag));
    assert_ok(verify_at(close_token(&opened, adit_writer_bytes(&opened.bytes)), NOW, &rights));
}

static void failures_write_nothing(void **state)
{
    (void)state;
    struct text text = {0};
    struct adit_token_record record = alice();
    struct adit_token_block block = adit_token_block_neutral();
    struct adit_bytes key = ADIT_BYTES_OF(key_bytes);
    struct adit_writer writer = adit_writer_of(adit_span_first(ADIT_SPAN_OF(text.memory), 260));
    assert_fails(adit_token_mint(&writer, &record, key, test_mac), LIMIT);
    assert_fails(adit_token_narrow(&writer, vector_0, &block, test_mac), LIMIT);
    writer = adit_writer_of(ADIT_SPAN_OF(text.memory));
    assert_fails(adit_token_mint(&writer, &record, key, failing_mac), CRYPTO);
    assert_fails(adit_token_narrow(&writer, vector_0, &block, failing_mac), CRYPTO);
    assert_fails(adit_token_narrow(&writer, ADIT_BYTES("adit_x"), &block, test_mac), INVALID);
    block.allows = 0x10;
    assert_fails(adit_token_narrow(&writer, vector_0, &block, test_mac), INVALID);
    record.kind = ADIT_TOKEN_NONE;
    assert_fails(adit_token_mint(&writer, &record, key, test_mac), INVALID);
    assert_int_equal(writer.len, 0);
    struct adit_token_check check = {.key = key, .key_id = 1, .now_s = NOW, .mac = failing_mac};
    struct adit_token_rights rights = {0};
    assert_fails(adit_token_verify(vector_0, &check, &rights), CRYPTO);
    assert_fails(adit_token_verify(vector_2, &check, &rights), CRYPTO);
    check.mac = test_mac;
    check.key = adit_bytes_first(key, ADIT_TOKEN_KEY_BYTES_MIN - 1); /* never an empty key */
    assert_fails(adit_token_verify(vector_0, &check, &rights), INVALID);
    record = alice();
    assert_fails(adit_token_mint(&writer, &record, check.key, test_mac), INVALID);
    assert_int_equal(writer.len, 0);
}

/* docs/protocol.md without its line ends. */
static struct adit_bytes protocol(struct adit_span memory)
{
    static uint8_t file[100000];
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(file));
    struct adit_writer joined = adit_writer_of(memory);
    assert_ok(adit_file_read(ADIT_SOURCE_ROOT "docs/protocol.md", &text));
    for (size_t i = 0; i < text.len; i++) {
        if (ADIT_AT(file, i) != '\n') {
            assert_ok(adit_write_u8(&joined, ADIT_AT(file, i)));
        }
    }
    return adit_writer_bytes(&joined);
}

static void the_document_has_the_vectors(void **state)
{
    (void)state;
    static uint8_t memory[100000];
    struct adit_bytes text = protocol(ADIT_SPAN_OF(memory));
    const struct adit_bytes vectors_all[] = {vector_0, vector_1, vector_2};
    for (size_t i = 0; i < ADIT_COUNT(vectors_all); i++) {
        struct adit_bytes vector = ADIT_AT(vectors_all, i);
        assert_non_null(memmem(text.ptr, text.len, vector.ptr, vector.len));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(rights_of_a_new_token),
        cmocka_unit_test(blocks_take_rights_away),
        cmocka_unit_test(blocks_cannot_widen),
        cmocka_unit_test(four_blocks_and_no_more),
        cmocka_unit_test(times),
        cmocka_unit_test(kinds_that_bind_nothing),
        cmocka_unit_test(every_flipped_bit_is_refused),
        cmocka_unit_test(every_other_character_is_refused),
        cmocka_unit_test(every_other_length_is_refused),
        cmocka_unit_test(blocks_cannot_be_moved),
        cmocka_unit_test(other_keys_and_labels_are_refused),
        cmocka_unit_test(failures_write_nothing),
        cmocka_unit_test(the_document_has_the_vectors),
    };
    return cmocka_run_group_tests_name("wire/token", tests, NULL, NULL);
}
