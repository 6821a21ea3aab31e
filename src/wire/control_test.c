#include "wire/control.h"

#include <jansson.h>

#include "unit.h"

#define TOKEN "adit_AAAA"
#define INSTANCE "0123456789abcdef0123456789abcdef"
#define HELLO                                                                                   \
    "{\"type\":\"hello\",\"version\":1,\"token\":\"" TOKEN "\",\"instance\":\"" INSTANCE "\""

struct buffer {
    struct adit_writer writer;
    uint8_t memory[ADIT_CONTROL_BYTES_MAX + 100];
};

/* The body with its length before it. */
static struct adit_bytes frame(struct adit_bytes body, struct buffer *out)
{
    out->writer = adit_writer_of(ADIT_SPAN_OF(out->memory));
    assert_ok(adit_write_u32(&out->writer, (uint32_t)body.len));
    assert_ok(adit_write_bytes(&out->writer, body));
    return adit_writer_bytes(&out->writer);
}

static struct adit_status read_body(struct adit_bytes body, struct adit_control *message)
{
    static struct buffer buffer;
    size_t used = 0;
    enum adit_parse parse = ADIT_PARSE_MORE;
    struct adit_status status = adit_control_read(frame(body, &buffer), message, &used, &parse);
    if (adit_is_ok(status)) {
        assert_int_equal(parse, ADIT_PARSE_FOUND);
        assert_int_equal(used, body.len + 4);
    }
    return status;
}

/* One of each, as they stand in docs/protocol.md. */
static const struct {
    enum adit_control_type type;
    struct adit_bytes body;
} examples[] = {
    {ADIT_CONTROL_HELLO,
     ADIT_BYTES_INIT(HELLO ",\"agent\":\"adit/0.1.0\",\"features\":[\"drain\",\"hint\"],"
                           "\"hint\":\"w3\",\"slot\":1}")},
    {ADIT_CONTROL_WELCOME,
     ADIT_BYTES_INIT("{\"type\":\"welcome\",\"version\":1,\"session\":\"00000000000000a1\","
                     "\"account\":\"alice\",\"features\":[],\"hint\":\"w3\","
                     "\"server\":\"aditd/0.1.0\"}")},
    {ADIT_CONTROL_REFUSED,
     ADIT_BYTES_INIT("{\"type\":\"refused\",\"bind\":1,\"code\":\"port_taken\","
                     "\"message\":\"Another tunnel has this port.\","
                     "\"next_action\":\"Choose another port.\"}")},
    {ADIT_CONTROL_BIND,
     ADIT_BYTES_INIT("{\"type\":\"bind\",\"bind\":1,\"kind\":\"tcp\",\"name\":\"shop\","
                     "\"remote_port\":20000}")},
    {ADIT_CONTROL_BOUND,
     ADIT_BYTES_INIT("{\"type\":\"bound\",\"bind\":1,"
                     "\"url\":\"tcp://adit.localhost:20000\",\"port\":20000}")},
    {ADIT_CONTROL_UNBIND, ADIT_BYTES_INIT("{\"type\":\"unbind\",\"bind\":4294967295}")},
    {ADIT_CONTROL_DRAIN,
     ADIT_BYTES_INIT("{\"type\":\"drain\",\"reason\":\"upgrade\",\"seconds\":30}")},
    {ADIT_CONTROL_NOTICE,
     ADIT_BYTES_INIT("{\"type\":\"notice\",\"code\":\"maintenance\","
                     "\"message\":\"Caf\xc3\xa9 \\\"x\\\"\"}")},
    {ADIT_CONTROL_SESSIONS, ADIT_BYTES_INIT("{\"type\":\"sessions\",\"count\":2}")},
    {ADIT_CONTROL_RETRY, ADIT_BYTES_INIT("{\"type\":\"retry\",\"spread_ms\":250}")},
};

static void examples_are_read_and_written(void **state)
{
    (void)state;
    static struct buffer want;
    static struct buffer got;
    for (size_t i = 0; i < ADIT_COUNT(examples); i++) {
        struct adit_control message = {0};
        assert_ok(read_body(ADIT_AT(examples, i).body, &message));
        assert_int_equal(message.type, ADIT_AT(examples, i).type);
        got.writer = adit_writer_of(ADIT_SPAN_OF(got.memory));
        assert_ok(adit_control_write(&got.writer, &message));
        assert_bytes(adit_writer_bytes(&got.writer), frame(ADIT_AT(examples, i).body, &want));
    }
}

static void fields_are_there(void **state)
{
    (void)state;
    struct adit_control message = {0};
    assert_ok(read_body(examples[0].body, &message));
    assert_int_equal(message.hello.version, 1);
    assert_bytes(ADIT_FIELD_BYTES(message.hello.token), ADIT_BYTES(TOKEN));
    assert_bytes(ADIT_FIELD_BYTES(message.hello.instance), ADIT_BYTES(INSTANCE));
    assert_bytes(ADIT_FIELD_BYTES(message.hello.agent), ADIT_BYTES("adit/0.1.0"));
    assert_bytes(ADIT_FIELD_BYTES(message.hello.hint), ADIT_BYTES("w3"));
    assert_int_equal(message.hello.features.count, 2);
    assert_true(adit_control_has_feature(&message.hello.features, ADIT_BYTES("drain")));
    assert_true(adit_control_has_feature(&message.hello.features, ADIT_BYTES("hint")));
    assert_false(adit_control_has_feature(&message.hello.features, ADIT_BYTES("")));
    assert_false(adit_control_has_feature(&message.hello.features, ADIT_BYTES("drai")));
    assert_ok(read_body(examples[3].body, &message));
    assert_int_equal(message.bind.bind, 1);
    assert_int_equal(message.bind.kind, ADIT_TUNNEL_TCP);
    assert_int_equal(message.bind.remote_port, 20000);
    assert_bytes(ADIT_FIELD_BYTES(message.bind.name), ADIT_BYTES("shop"));
    assert_int_equal(message.hello.version, 0); /* nothing is left of the message before */
    assert_ok(read_body(examples[7].body, &message));
    assert_bytes(ADIT_FIELD_BYTES(message.notice.message), ADIT_BYTES("Caf\xc3\xa9 \"x\""));
}

static void every_cut_wants_more(void **state)
{
    (void)state;
    static struct buffer buffer;
    for (size_t i = 0; i < ADIT_COUNT(examples); i++) {
        struct adit_bytes whole = frame(ADIT_AT(examples, i).body, &buffer);
        struct adit_control message = {.type = ADIT_CONTROL_NOTICE};
        size_t used = 99;
        enum adit_parse parse = ADIT_PARSE_FOUND;
        for (size_t len = 0; len < whole.len; len++) {
            assert_ok(adit_control_read(adit_bytes_first(whole, len), &message, &used, &parse));
            assert_int_equal(parse, ADIT_PARSE_MORE);
            assert_int_equal(used, 99);
        }
        assert_int_equal(message.type, ADIT_CONTROL_NOTICE);
        /* the next message stays where it is */
        assert_ok(adit_write_bytes(&buffer.writer, ADIT_BYTES("\0\0\0\x10{")));
        assert_ok(adit_control_read(adit_writer_bytes(&buffer.writer), &message, &used, &parse));
        assert_int_equal(parse, ADIT_PARSE_FOUND);
        assert_int_equal(used, whole.len);
    }
}

static void lengths_are_judged_first(void **state)
{
    (void)state;
    const struct {
        struct adit_bytes bytes;
        enum adit_error error;
    } rows[] = {
        {ADIT_BYTES("\xff\xff\xff\xff"), ADIT_ERROR_LIMIT},
        {ADIT_BYTES("\x7f\xff\xff\xff"), ADIT_ERROR_LIMIT},
        {ADIT_BYTES("\0\0\x40\x01"), ADIT_ERROR_LIMIT},
        {ADIT_BYTES("\0\0\0\0"), ADIT_ERROR_INVALID},
        {ADIT_BYTES("\0\0\x40\0"), ADIT_ERROR_NONE},
        {ADIT_BYTES("GET / HTTP/1.1\r\n"), ADIT_ERROR_LIMIT},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct adit_control message = {0};
        size_t used = 99;
        enum adit_parse parse = ADIT_PARSE_MORE;
        struct adit_status status =
            adit_control_read(ADIT_AT(rows, i).bytes, &message, &used, &parse);
        assert_int_equal(adit_status_error(status), ADIT_AT(rows, i).error);
        assert_int_equal(parse, ADIT_PARSE_MORE);
        assert_int_equal(used, 99);
    }
}

static void forward_compatible(void **state)
{
    (void)state;
    struct adit_control message = {0};
    const struct adit_bytes rows[] = {
        ADIT_BYTES_INIT(HELLO ",\"new\":{\"a\":[1,2.5e3,null,true]},\"x\":-1}"),
        ADIT_BYTES_INIT("{\"token\":\"" TOKEN "\",\"version\":1,\"instance\":\"" INSTANCE
                        "\",\"type\":\"hello\"}"),
        ADIT_BYTES_INIT(" { \"t\\u0079pe\" : \"h\\u0065llo\" , \"version\" : 1 , "
                        "\"token\" : \"" TOKEN "\" , \"instance\" : \"" INSTANCE "\" } "),
        ADIT_BYTES_INIT(HELLO ",\"a_key_that_is_longer_than_every_key_that_we_know\":\"type\"}"),
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        assert_ok(read_body(ADIT_AT(rows, i), &message));
        assert_int_equal(message.type, ADIT_CONTROL_HELLO);
        assert_bytes(ADIT_FIELD_BYTES(message.hello.token), ADIT_BYTES(TOKEN));
    }
    /* a kind of tomorrow is for the server to refuse, and versions are for it to compare */
    assert_ok(read_body(ADIT_BYTES("{\"type\":\"bind\",\"bind\":1,\"kind\":\"quic\"}"), &message));
    assert_int_equal(message.bind.kind, ADIT_TUNNEL_NONE);
    assert_ok(read_body(ADIT_BYTES("{\"type\":\"hello\",\"version\":0,\"token\":\"" TOKEN
                                   "\",\"instance\":\"" INSTANCE "\"}"),
                        &message));
    assert_int_equal(message.hello.version, 0);
}

#define NAME_64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
    struct adit_bytes body;
    enum adit_error error;
} bad[] = {
    {ADIT_BYTES_INIT(" "), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{}"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("[]"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("\"hello\""), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("[{\"type\":\"unbind\",\"bind\":1}]"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"goodbye\"}"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"none\"}"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"\"}"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":1,\"bind\":1}"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"Type\":\"unbind\",\"bind\":1}"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"unbind\"}"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"unbind\",\"bind\":1} x"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"unbind\",\"bind\":1}{}"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"unbind\",\"bind\":1,\"bind\":2}"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"unbind\",\"type\":\"hello\",\"bind\":2}"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"unbind\",\"bind\":1,\"x\":1,\"\\u0078\":1}"),
     ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"unbind\",\"bind\":\"1\"}"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"unbind\",\"bind\":null}"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"unbind\",\"bind\":-1}"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"unbind\",\"bind\":0}"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"unbind\",\"bind\":1.0}"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"unbind\",\"bind\":1e0}"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"unbind\",\"bind\":4294967296}"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"unbind\",\"bind\":[1]}"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"bind\",\"bind\":1}"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"bind\",\"bind\":1,\"kind\":1}"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"bind\",\"bind\":1,\"kind\":\"tcp\",\"remote_port\":65536}"),
     ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"bind\",\"bind\":1,\"kind\":\"tcp\",\"name\":\"" NAME_64 "\"}"),
     ADIT_ERROR_LIMIT},
    {ADIT_BYTES_INIT("{\"type\":\"bind\",\"bind\":1,\"kind\":\"tcp\",\"name\":\"a\\u0000\"}"),
     ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"drain\",\"reason\":\"x\",\"seconds\":86401}"),
     ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"drain\",\"reason\":\"\",\"seconds\":1}"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"notice\",\"code\":\"x\",\"message\":\"\\u001b[2J\"}"),
     ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"notice\",\"code\":\"x\",\"message\":\"a\\nb\"}"),
     ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"notice\",\"code\":\"x\",\"message\":\"\xff\"}"),
     ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"notice\",\"code\":\"x\",\"message\":\"\\ud800\"}"),
     ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"hello\",\"version\":1,\"token\":\"t\",\"instance\":\"0123\"}"),
     ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"hello\",\"version\":1,\"token\":\"t\\r\\n\","
                "\"instance\":\"" INSTANCE "\"}"),
     ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT("{\"type\":\"hello\",\"version\":1,\"token\":\"t\",\"instance\":"
                "\"0123456789ABCDEF0123456789abcdef\"}"),
     ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT(HELLO ",\"features\":[\"a\",1]}"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT(HELLO ",\"features\":[[]]}"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT(HELLO ",\"features\":\"a\"}"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT(HELLO ",\"features\":[\"\"]}"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT(HELLO ",\"features\":[\"a\\u001b\"]}"), ADIT_ERROR_INVALID},
    {ADIT_BYTES_INIT(HELLO ",\"features\":[\"" NAME_64 "\"]}"), ADIT_ERROR_LIMIT},
    {ADIT_BYTES_INIT(HELLO ",\"features\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\","
                      "\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\"]}"),
     ADIT_ERROR_LIMIT},
    {ADIT_BYTES_INIT(HELLO ",\"x\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}"), ADIT_ERROR_LIMIT},
};

static void bad_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_COUNT(bad); i++) {
        struct adit_control message = {.type = ADIT_CONTROL_NOTICE};
        assert_int_equal(adit_status_error(read_body(ADIT_AT(bad, i).body, &message)),
                         ADIT_AT(bad, i).error);
        assert_int_equal(message.type, ADIT_CONTROL_NOTICE); /* untouched */
    }
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    static uint8_t body[ADIT_CONTROL_BODY_BYTES_MAX];
    struct adit_control message = {0};
    adit_span_fill(ADIT_SPAN_OF(body), '[');
    assert_fails(read_body(ADIT_BYTES_OF(body), &message), INVALID); /* no object */
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(body));
    while (adit_is_ok(adit_write_bytes(&writer, ADIT_BYTES("{\"a\":")))) {
    }
    assert_fails(read_body(adit_writer_bytes(&writer), &message), LIMIT);
}

static void bad_values_are_not_written(void **state)
{
    (void)state;
    struct adit_control rows[8] = {0};
    rows[1].type = ADIT_CONTROL_HELLO; /* no token */
    rows[2].type = ADIT_CONTROL_BIND;  /* no kind */
    rows[2].bind.bind = 1;
    rows[3].type = ADIT_CONTROL_DRAIN;
    assert_ok(ADIT_FIELD_SET(rows[3].drain.reason, ADIT_BYTES("x")));
    rows[3].drain.seconds = 86401;
    rows[4].type = ADIT_CONTROL_NOTICE;
    assert_ok(ADIT_FIELD_SET(rows[4].notice.code, ADIT_BYTES("x")));
    assert_ok(ADIT_FIELD_SET(rows[4].notice.message, ADIT_BYTES("\xff")));
    rows[5] = rows[4];
    assert_ok(ADIT_FIELD_SET(rows[5].notice.message, ADIT_BYTES("\x1b[2J")));
    rows[6].type = ADIT_CONTROL_WELCOME;
    assert_ok(ADIT_FIELD_SET(rows[6].welcome.session, ADIT_BYTES("xyz")));
    assert_ok(ADIT_FIELD_SET(rows[6].welcome.account, ADIT_BYTES("alice")));
    rows[7].type = ADIT_CONTROL_UNBIND; /* no bind */
    static struct buffer buffer;
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        buffer.writer = adit_writer_of(ADIT_SPAN_OF(buffer.memory));
        assert_fails(adit_control_write(&buffer.writer, &ADIT_AT(rows, i)), INVALID);
        assert_int_equal(buffer.writer.len, 0);
    }
    struct adit_control good = adit_control_refusal(ADIT_REFUSAL_TOKEN_SCOPE, 0);
    buffer.writer = adit_writer_of(adit_span_first(ADIT_SPAN_OF(buffer.memory), 40));
    assert_fails(adit_control_write(&buffer.writer, &good), LIMIT);
    assert_int_equal(buffer.writer.len, 0);
}

static void every_refusal_travels(void **state)
{
    (void)state;
#define CHECK(NAME, text, repeat, sentence, next)                                               \
    do {                                                                                        \
        static struct buffer buffer;                                                            \
        struct adit_control sent = adit_control_refusal(ADIT_REFUSAL_##NAME, 7);                \
        struct adit_control got = {0};                                                          \
        size_t used = 0;                                                                        \
        enum adit_parse parse = ADIT_PARSE_MORE;                                                \
        buffer.writer = adit_writer_of(ADIT_SPAN_OF(buffer.memory));                            \
        assert_ok(adit_control_write(&buffer.writer, &sent));                                   \
        assert_ok(                                                                              \
            adit_control_read(adit_writer_bytes(&buffer.writer), &got, &used, &parse));         \
        assert_int_equal(got.refused.bind, 7);                                                  \
        assert_bytes(ADIT_FIELD_BYTES(got.refused.code), ADIT_BYTES(text));                     \
        assert_bytes(ADIT_FIELD_BYTES(got.refused.message), ADIT_BYTES(sentence));              \
        assert_bytes(ADIT_FIELD_BYTES(got.refused.next_action), ADIT_BYTES(next));              \
    } while (0);
    ADIT_REFUSAL_TABLE(CHECK)
#undef CHECK
}

/* The longest message of each kind fits, whatever escapes it needs, and jansson reads it. */
static void the_longest_hello_fits(void **state)
{
    (void)state;
    static struct buffer buffer;
    struct adit_control message = {.type = ADIT_CONTROL_HELLO, .hello = {.version = UINT32_MAX}};
    uint8_t quotes[ADIT_TOKEN_TEXT_MAX] = {0};
    adit_span_fill(ADIT_SPAN_OF(quotes), '"');
    struct adit_bytes text = ADIT_BYTES_OF(quotes);
    assert_ok(ADIT_FIELD_SET(message.hello.token, text));
    assert_ok(ADIT_FIELD_SET(message.hello.instance, ADIT_BYTES(INSTANCE)));
    assert_ok(ADIT_FIELD_SET(message.hello.agent, adit_bytes_first(text, 64)));
    assert_ok(ADIT_FIELD_SET(message.hello.hint, adit_bytes_first(text, 64)));
    for (size_t i = 0; i < ADIT_CONTROL_FEATURES_MAX; i++) {
        assert_ok(adit_control_add_feature(&message.hello.features, adit_bytes_first(text, 32)));
    }
    assert_fails(adit_control_add_feature(&message.hello.features, ADIT_BYTES("x")), LIMIT);
    buffer.writer = adit_writer_of(ADIT_SPAN_OF(buffer.memory));
    assert_ok(adit_control_write(&buffer.writer, &message));
    struct adit_bytes body = adit_bytes_from(adit_writer_bytes(&buffer.writer), 4);
    json_t *value = json_loadb((const char *)body.ptr, body.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(value);
    assert_int_equal(json_string_length(json_object_get(value, "token")), ADIT_TOKEN_TEXT_MAX);
    assert_int_equal(json_array_size(json_object_get(value, "features")), 16);
    json_decref(value);
}

/* Whatever jansson refuses is refused here too, whatever the change. */
static void random_changes_of_the_examples(void **state)
{
    (void)state;
    struct adit_jitter jitter = {.state = 77};
    size_t accepted = 0;
    for (size_t turn = 0; turn < 20000; turn++) {
        uint8_t memory[512] = {0};
        struct adit_bytes body =
            ADIT_AT(examples, adit_jitter_below(&jitter, ADIT_COUNT(examples))).body;
        assert_ok(adit_span_copy(ADIT_SPAN_OF(memory), body));
        for (uint64_t changes = 1 + adit_jitter_below(&jitter, 3); changes > 0; changes--) {
            uint64_t byte = adit_jitter_below(&jitter, 2) ? adit_jitter_below(&jitter, 256)
                                                          : 0x20 + adit_jitter_below(&jitter, 95);
            ADIT_AT(memory, adit_jitter_below(&jitter, body.len)) = (uint8_t)byte;
        }
        struct adit_bytes changed = adit_bytes_first(ADIT_BYTES_OF(memory), body.len);
        struct adit_control message = {0};
        json_t *value =
            json_loadb((const char *)changed.ptr, changed.len, JSON_REJECT_DUPLICATES, NULL);
        if (adit_is_ok(read_body(changed, &message))) {
            assert_non_null(value);
            accepted++;
        }
        json_decref(value);
    }
    assert_true(accepted > 1000); /* so that the test says something */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_are_read_and_written),
        cmocka_unit_test(fields_are_there),
        cmocka_unit_test(every_cut_wants_more),
        cmocka_unit_test(lengths_are_judged_first),
        cmocka_unit_test(forward_compatible),
        cmocka_unit_test(bad_messages),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(bad_values_are_not_written),
        cmocka_unit_test(every_refusal_travels),
        cmocka_unit_test(the_longest_hello_fits),
        cmocka_unit_test(random_changes_of_the_examples),
    };
    return cmocka_run_group_tests_name("wire/control", tests, NULL, NULL);
}
