#include "wire/json.h"

#include <jansson.h>

#include "unit.h"

/* Every token as one letter; "!" where the text is refused, "#" where it passes a limit. */
static struct adit_bytes tokens_of(struct adit_bytes text, struct adit_writer *out)
{
    static const uint8_t letters[] = ".{}[]ksntf0";
    struct adit_json json;
    adit_json_init(&json, text);
    enum adit_json_token token = ADIT_JSON_NULL;
    out->len = 0;
    while (token != ADIT_JSON_END) {
        struct adit_status status = adit_json_next(&json, &token);
        uint8_t letter = ADIT_AT(letters, token);
        if (!adit_is_ok(status)) {
            letter = adit_status_error(status) == ADIT_ERROR_LIMIT ? '#' : '!';
            token = ADIT_JSON_END;
        }
        assert_ok(adit_write_u8(out, letter));
    }
    return adit_writer_bytes(out);
}

#define OPEN_16 "[[[[[[[[[[[[[[[["
#define CLOSE_16 "]]]]]]]]]]]]]]]]"

static const struct {
    struct adit_bytes text;
    struct adit_bytes tokens;
} table[] = {
    {ADIT_BYTES_INIT("{}"), ADIT_BYTES_INIT("{}.")},
    {ADIT_BYTES_INIT("[]"), ADIT_BYTES_INIT("[].")},
    {ADIT_BYTES_INIT(" \t\r\n{ } \n"), ADIT_BYTES_INIT("{}.")},
    {ADIT_BYTES_INIT("1"), ADIT_BYTES_INIT("n.")},
    {ADIT_BYTES_INIT("\"a\""), ADIT_BYTES_INIT("s.")},
    {ADIT_BYTES_INIT("[true,false,null,-0,1.5e+3,0E0]"), ADIT_BYTES_INIT("[tf0nnn].")},
    {ADIT_BYTES_INIT("{\"a\":1,\"b\":[{}, {\"a\" : \"x\"}]}"), ADIT_BYTES_INIT("{knk[{}{ks}]}.")},
    {ADIT_BYTES_INIT("[[1],[2]]"), ADIT_BYTES_INIT("[[n][n]].")},
    {ADIT_BYTES_INIT(OPEN_16 CLOSE_16), ADIT_BYTES_INIT(OPEN_16 CLOSE_16 ".")},
    {ADIT_BYTES_INIT(OPEN_16 "["), ADIT_BYTES_INIT(OPEN_16 "#")},
    /* the same key in different objects is fine */
    {ADIT_BYTES_INIT("{\"a\":{\"a\":1},\"b\":{\"a\":1}}"), ADIT_BYTES_INIT("{k{kn}k{kn}}.")},
    {ADIT_BYTES_INIT("[{\"a\":1},{\"a\":1}]"), ADIT_BYTES_INIT("[{kn}{kn}].")},
    {ADIT_BYTES_INIT("{\"a\":1,\"a\":1}"), ADIT_BYTES_INIT("{kn!")},
    {ADIT_BYTES_INIT("{\"a\":{\"b\":2},\"\\u0061\":1}"), ADIT_BYTES_INIT("{k{kn}!")},
    {ADIT_BYTES_INIT("{\"\":1,\"\":1}"), ADIT_BYTES_INIT("{kn!")},
    {ADIT_BYTES_INIT(""), ADIT_BYTES_INIT("!")},
    {ADIT_BYTES_INIT(" "), ADIT_BYTES_INIT("!")},
    {ADIT_BYTES_INIT("{"), ADIT_BYTES_INIT("{!")},
    {ADIT_BYTES_INIT("}"), ADIT_BYTES_INIT("!")},
    {ADIT_BYTES_INIT("{]"), ADIT_BYTES_INIT("{!")},
    {ADIT_BYTES_INIT("[}"), ADIT_BYTES_INIT("[!")},
    {ADIT_BYTES_INIT("[1}"), ADIT_BYTES_INIT("[n!")},
    {ADIT_BYTES_INIT("[1,]"), ADIT_BYTES_INIT("[n!")},
    {ADIT_BYTES_INIT("[,1]"), ADIT_BYTES_INIT("[!")},
    {ADIT_BYTES_INIT("[1 2]"), ADIT_BYTES_INIT("[n!")},
    {ADIT_BYTES_INIT("[1,,2]"), ADIT_BYTES_INIT("[n!")},
    {ADIT_BYTES_INIT("{\"a\"}"), ADIT_BYTES_INIT("{!")},
    {ADIT_BYTES_INIT("{\"a\":}"), ADIT_BYTES_INIT("{k!")},
    {ADIT_BYTES_INIT("{\"a\":1,}"), ADIT_BYTES_INIT("{kn!")},
    {ADIT_BYTES_INIT("{\"a\":1 \"b\":2}"), ADIT_BYTES_INIT("{kn!")},
    {ADIT_BYTES_INIT("{a:1}"), ADIT_BYTES_INIT("{!")},
    {ADIT_BYTES_INIT("{1:1}"), ADIT_BYTES_INIT("{!")},
    {ADIT_BYTES_INIT("{'a':1}"), ADIT_BYTES_INIT("{!")},
    {ADIT_BYTES_INIT("{}{}"), ADIT_BYTES_INIT("{}!")},
    {ADIT_BYTES_INIT("{}x"), ADIT_BYTES_INIT("{}!")},
    {ADIT_BYTES_INIT("{}\0"), ADIT_BYTES_INIT("{}!")},
    {ADIT_BYTES_INIT("\xef\xbb\xbf{}"), ADIT_BYTES_INIT("!")},
    {ADIT_BYTES_INIT("{}//"), ADIT_BYTES_INIT("{}!")},
    {ADIT_BYTES_INIT("[01]"), ADIT_BYTES_INIT("[!")},
    {ADIT_BYTES_INIT("[-]"), ADIT_BYTES_INIT("[!")},
    {ADIT_BYTES_INIT("[+1]"), ADIT_BYTES_INIT("[!")},
    {ADIT_BYTES_INIT("[.5]"), ADIT_BYTES_INIT("[!")},
    {ADIT_BYTES_INIT("[1.]"), ADIT_BYTES_INIT("[!")},
    {ADIT_BYTES_INIT("[1e]"), ADIT_BYTES_INIT("[!")},
    {ADIT_BYTES_INIT("[1e+]"), ADIT_BYTES_INIT("[!")},
    {ADIT_BYTES_INIT("[0x1]"), ADIT_BYTES_INIT("[n!")},
    {ADIT_BYTES_INIT("[NaN]"), ADIT_BYTES_INIT("[!")},
    {ADIT_BYTES_INIT("[Infinity]"), ADIT_BYTES_INIT("[!")},
    {ADIT_BYTES_INIT("[tru]"), ADIT_BYTES_INIT("[!")},
    {ADIT_BYTES_INIT("[True]"), ADIT_BYTES_INIT("[!")},
    {ADIT_BYTES_INIT("[nul"), ADIT_BYTES_INIT("[!")},
    {ADIT_BYTES_INIT("[\"\xff\"]"), ADIT_BYTES_INIT("[!")},
    {ADIT_BYTES_INIT("[\"\\ud800\"]"), ADIT_BYTES_INIT("[!")},
    {ADIT_BYTES_INIT("\v1"), ADIT_BYTES_INIT("!")},
};

/* The oracle: must it be refused? `out_is_comparable` is false where the two differ by design. */
static bool does_jansson_refuse(struct adit_bytes text, bool *out_is_comparable)
{
    json_error_t error = {0};
    json_t *value = json_loadb((const char *)text.ptr, text.len,
                               JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    *out_is_comparable = value || json_error_code(&error) != json_error_numeric_overflow;
    json_decref(value);
    return !value;
}

static void compare(struct adit_bytes text)
{
    static uint8_t memory[4096];
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_bytes tokens = tokens_of(text, &writer);
    uint8_t last = adit_bytes_at(tokens, tokens.len - 1);
    bool is_comparable = false;
    bool is_refused = does_jansson_refuse(text, &is_comparable);
    if (is_comparable && last != '#') {
        if (is_refused != (last == '!')) {
            print_error("differs: %.*s\n", (int)text.len, (const char *)text.ptr);
        }
        assert_int_equal(is_refused, last == '!');
    }
}

static void the_table(void **state)
{
    (void)state;
    uint8_t memory[64] = {0};
    for (size_t i = 0; i < ADIT_COUNT(table); i++) {
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
        assert_bytes(tokens_of(ADIT_AT(table, i).text, &writer), ADIT_AT(table, i).tokens);
        compare(ADIT_AT(table, i).text);
    }
}

/* Texts of the table, some bytes of which are replaced, doubled or taken away. */
static void random_changes_of_the_table(void **state)
{
    (void)state;
    static const struct adit_bytes alphabet =
        ADIT_BYTES_INIT("{}[]:,\"\\u0atrue.e+- \n\xc3\xa9\xf0");
    struct adit_jitter jitter = {.state = 20261122};
    for (size_t turn = 0; turn < 30000; turn++) {
        uint8_t memory[128] = {0};
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
        struct adit_bytes text =
            ADIT_AT(table, adit_jitter_below(&jitter, ADIT_COUNT(table))).text;
        for (size_t i = 0; i < text.len; i++) {
            uint64_t choice = adit_jitter_below(&jitter, 12);
            uint8_t other = adit_bytes_at(alphabet, adit_jitter_below(&jitter, alphabet.len));
            if (choice == 0 || choice == 1) {
                assert_ok(adit_write_u8(&writer, other));
            }
            if (choice != 1 && choice != 2) {
                assert_ok(adit_write_u8(&writer, adit_bytes_at(text, i)));
            }
        }
        compare(adit_writer_bytes(&writer));
    }
}

static void depth_is_capped_without_recursion(void **state)
{
    (void)state;
    static uint8_t memory[100000];
    static uint8_t tokens[64];
    struct adit_writer out = adit_writer_of(ADIT_SPAN_OF(tokens));
    adit_span_fill(ADIT_SPAN_OF(memory), '[');
    assert_bytes(tokens_of(ADIT_BYTES_OF(memory), &out), ADIT_BYTES(OPEN_16 "#"));
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    while (adit_is_ok(adit_write_bytes(&writer, ADIT_BYTES("{\"a\":")))) {
    }
    assert_bytes(tokens_of(adit_writer_bytes(&writer), &out),
                 ADIT_BYTES("{k{k{k{k{k{k{k{k{k{k{k{k{k{k{k{k#"));
}

/* As many keys as are allowed, in one object and over nested ones; then one more. */
static void keys_are_capped(void **state)
{
    (void)state;
    static uint8_t memory[4096];
    static uint8_t tokens[1024];
    for (size_t count = ADIT_JSON_KEYS_MAX; count <= ADIT_JSON_KEYS_MAX + 1; count++) {
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
        struct adit_writer out = adit_writer_of(ADIT_SPAN_OF(tokens));
        assert_ok(adit_write_bytes(&writer, ADIT_BYTES("[{\"x\":1},{")));
        for (size_t i = 0; i < count; i++) {
            assert_ok(adit_write_bytes(&writer, i == 0 ? ADIT_BYTES("\"") : ADIT_BYTES(",\"")));
            assert_ok(adit_write_decimal(&writer, i));
            assert_ok(adit_write_bytes(&writer, ADIT_BYTES("\":0")));
        }
        assert_ok(adit_write_bytes(&writer, ADIT_BYTES("}]")));
        struct adit_bytes got = tokens_of(adit_writer_bytes(&writer), &out);
        bool is_too_many = count > ADIT_JSON_KEYS_MAX;
        assert_int_equal(adit_bytes_at(got, got.len - 1), is_too_many ? '#' : '.');
    }
}

static void views_and_numbers(void **state)
{
    (void)state;
    struct adit_json json;
    enum adit_json_token token = ADIT_JSON_END;
    adit_json_init(&json, ADIT_BYTES("{\"key\": 42, \"skip\": [{\"a\":[1]},2], \"s\": \"t\"}"));
    assert_ok(adit_json_next(&json, &token));
    assert_ok(adit_json_next(&json, &token));
    assert_bytes(json.raw, ADIT_BYTES("key"));
    assert_ok(adit_json_next(&json, &token));
    assert_int_equal(token, ADIT_JSON_NUMBER);
    assert_bytes(json.raw, ADIT_BYTES("42"));
    assert_ok(adit_json_next(&json, &token));
    assert_ok(adit_json_skip(&json));
    assert_int_equal(json.depth, 1);
    assert_ok(adit_json_next(&json, &token));
    assert_int_equal(token, ADIT_JSON_KEY);
    assert_bytes(json.raw, ADIT_BYTES("s"));
    assert_ok(adit_json_skip(&json));
    assert_ok(adit_json_next(&json, &token));
    assert_int_equal(token, ADIT_JSON_OBJECT_END);
    assert_ok(adit_json_next(&json, &token));
    assert_int_equal(token, ADIT_JSON_END);
    assert_fails(adit_json_skip(&json), INVALID);
    uint64_t value = 0;
    assert_ok(adit_json_number(ADIT_BYTES("65535"), 65535, &value));
    assert_int_equal(value, 65535);
    assert_fails(adit_json_number(ADIT_BYTES("65536"), 65535, &value), INVALID);
    assert_fails(adit_json_number(ADIT_BYTES("-1"), 65535, &value), INVALID);
    assert_fails(adit_json_number(ADIT_BYTES("1.0"), 65535, &value), INVALID);
    assert_fails(adit_json_number(ADIT_BYTES("1e2"), 65535, &value), INVALID);
    assert_fails(adit_json_number(ADIT_BYTES("18446744073709551616"), UINT64_MAX, &value), INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table),
        cmocka_unit_test(random_changes_of_the_table),
        cmocka_unit_test(depth_is_capped_without_recursion),
        cmocka_unit_test(keys_are_capped),
        cmocka_unit_test(views_and_numbers),
    };
    return cmocka_run_group_tests_name("wire/json", tests, NULL, NULL);
}
