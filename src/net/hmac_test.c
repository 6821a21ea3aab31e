#include "net/hmac.h"

#include "unit.h"

/* RFC 4231, sections 4.2 to 4.8 (4.6, a truncated tag, left out). */
struct row {
    const char *key, *data, *tag;
};

static const struct row rows[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {"0102030405060708090a0b0c0d0e0f10111213141516171819",
     "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
     "cdcdcdcd",
     "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
};

static struct adit_bytes hex_of(const char *text, struct adit_span room)
{
    struct adit_bytes hex = adit_bytes_of_text(text);
    struct adit_span out = adit_span_first(room, hex.len / 2);
    assert_ok(adit_parse_hex(hex, out));
    return adit_span_bytes(out);
}

static void published_vectors_split_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        uint8_t key_room[64];
        uint8_t data_room[128];
        uint8_t tag_room[32];
        struct adit_bytes key = hex_of(ADIT_AT(rows, i).key, ADIT_SPAN_OF(key_room));
        struct adit_bytes data = hex_of(ADIT_AT(rows, i).data, ADIT_SPAN_OF(data_room));
        struct adit_bytes want = hex_of(ADIT_AT(rows, i).tag, ADIT_SPAN_OF(tag_room));
        for (size_t at = 0; at <= data.len; at++) {
            uint8_t tag[ADIT_HMAC_BYTES] = {0};
            assert_ok(adit_hmac_sha256(key, adit_bytes_first(data, at), adit_bytes_from(data, at),
                                       ADIT_SPAN_OF(tag)));
            assert_bytes(ADIT_BYTES_OF(tag), want);
        }
    }
}

static void odd_arguments(void **state)
{
    (void)state;
    uint8_t tag[ADIT_HMAC_BYTES] = {0};
    struct adit_bytes none = {0};
    assert_fails(adit_hmac_sha256(none, none, none, ADIT_SPAN_OF(tag)), INVALID);
    assert_fails(adit_hmac_sha256(ADIT_BYTES("k"), none, none,
                                  adit_span_first(ADIT_SPAN_OF(tag), 31)),
                 INVALID);
    assert_ok(adit_hmac_sha256(ADIT_BYTES("k"), none, none, ADIT_SPAN_OF(tag)));
}

/* FIPS 180-4, as NIST's example values have them. */
static void digests_are_as_published(void **state)
{
    (void)state;
    static const struct {
        struct adit_bytes text;
        const char *digest;
    } cases[] = {
        {ADIT_BYTES_INIT(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {ADIT_BYTES_INIT("abc"),
         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        uint8_t digest[ADIT_SHA256_BYTES] = {0};
        uint8_t room[ADIT_SHA256_BYTES] = {0};
        assert_ok(adit_sha256(ADIT_AT(cases, i).text, ADIT_SPAN_OF(digest)));
        assert_bytes(ADIT_BYTES_OF(digest), hex_of(ADIT_AT(cases, i).digest, ADIT_SPAN_OF(room)));
    }
    uint8_t small[16] = {0};
    assert_fails(adit_sha256(ADIT_BYTES("abc"), ADIT_SPAN_OF(small)), INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_as_published),
        cmocka_unit_test(published_vectors_split_anywhere),
        cmocka_unit_test(odd_arguments),
    };
    return cmocka_run_group_tests_name("net/hmac", tests, NULL, NULL);
}
