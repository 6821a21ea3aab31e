#include "wire/stream_head.h"

#include "unit.h"

/* bind 7, a visitor at 192.0.2.1:50000 */
static const uint8_t good_v4[ADIT_STREAM_HEAD_BYTES] = {
    1, 1, 4, 0, 0, 0, 0, 7, 0xc3, 0x50, 0, 0, 192, 0, 2, 1};
/* bind 0xfffffffe, a visitor at [2001:db8::1]:1 */
static const uint8_t good_v6[ADIT_STREAM_HEAD_BYTES] = {
    1, 2, 6, 0, 0xff, 0xff, 0xff, 0xfe, 0, 1, 0, 0, 0x20, 0x01, 0x0d, 0xb8, [27] = 1};
static const uint8_t good_none[ADIT_STREAM_HEAD_BYTES] = {1, 3, 0, 0, 0, 0, 0, 1};

static void heads_are_read_and_written(void **state)
{
    (void)state;
    const struct {
        struct adit_bytes bytes;
        struct adit_stream_head head;
    } rows[] = {
        {ADIT_BYTES_OF(good_v4),
         {ADIT_TUNNEL_TCP, 7, {.family = 4, .port = 50000, .ip = {192, 0, 2, 1}}}},
        {ADIT_BYTES_OF(good_v6),
         {ADIT_TUNNEL_HTTP, 0xfffffffe,
          {.family = 6, .port = 1, .ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}}}},
        {ADIT_BYTES_OF(good_none), {ADIT_TUNNEL_TLS, 1, {0}}},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        const struct adit_stream_head *want = &ADIT_AT(rows, i).head;
        struct adit_reader reader = adit_reader_of(ADIT_AT(rows, i).bytes);
        struct adit_stream_head head = {0};
        assert_ok(adit_stream_head_read(&reader, &head));
        assert_int_equal(reader.rest.len, 0);
        assert_int_equal(head.kind, want->kind);
        assert_int_equal(head.bind, want->bind);
        assert_int_equal(head.visitor.family, want->visitor.family);
        assert_int_equal(head.visitor.port, want->visitor.port);
        assert_bytes(ADIT_BYTES_OF(head.visitor.ip), ADIT_BYTES_OF(want->visitor.ip));
        uint8_t memory[ADIT_STREAM_HEAD_BYTES] = {0};
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
        assert_ok(adit_stream_head_write(&writer, &head));
        assert_bytes(adit_writer_bytes(&writer), ADIT_AT(rows, i).bytes);
    }
}

/* Reads good_v4 with one byte changed. */
static struct adit_status read_changed(size_t index, uint8_t byte)
{
    uint8_t memory[ADIT_STREAM_HEAD_BYTES] = {0};
    assert_ok(adit_span_copy(ADIT_SPAN_OF(memory), ADIT_BYTES_OF(good_v4)));
    ADIT_AT(memory, index) = byte;
    struct adit_reader reader = adit_reader_of(ADIT_BYTES_OF(memory));
    struct adit_stream_head head = {.bind = 99};
    struct adit_status status = adit_stream_head_read(&reader, &head);
    if (!adit_is_ok(status)) { /* the outputs and the cursor are untouched */
        assert_int_equal(head.bind, 99);
        assert_int_equal(reader.rest.len, ADIT_STREAM_HEAD_BYTES);
    }
    return status;
}

static void bad_heads_are_refused(void **state)
{
    (void)state;
    const struct {
        uint8_t index;
        uint8_t byte;
    } bad[] = {
        {0, 0}, {0, 2}, {1, 0}, {1, 4}, {1, 255}, {2, 0}, {2, 1}, {2, 5},
        {3, 1}, {7, 0}, {10, 1}, {11, 1}, {16, 1}, {27, 1}, {28, 1}, {31, 1},
    };
    for (size_t i = 0; i < ADIT_COUNT(bad); i++) {
        assert_fails(read_changed(ADIT_AT(bad, i).index, ADIT_AT(bad, i).byte), INVALID);
    }
    assert_ok(read_changed(2, 6));   /* any 16 bytes are an IPv6 address */
    assert_ok(read_changed(15, 77)); /* and any four an IPv4 address */
}

static void short_heads_are_refused(void **state)
{
    (void)state;
    for (size_t len = 0; len < ADIT_STREAM_HEAD_BYTES; len++) {
        struct adit_reader reader = adit_reader_of(adit_bytes_first(ADIT_BYTES_OF(good_v4), len));
        struct adit_stream_head head = {0};
        assert_fails(adit_stream_head_read(&reader, &head), INVALID);
        assert_int_equal(reader.rest.len, len);
        uint8_t memory[ADIT_STREAM_HEAD_BYTES] = {0};
        struct adit_writer writer = adit_writer_of(adit_span_first(ADIT_SPAN_OF(memory), len));
        const struct adit_stream_head good = {.kind = ADIT_TUNNEL_TCP, .bind = 1};
        assert_fails(adit_stream_head_write(&writer, &good), LIMIT);
        assert_int_equal(writer.len, 0);
    }
}

static void bad_values_are_not_written(void **state)
{
    (void)state;
    const struct adit_stream_head bad[] = {
        {.bind = 1},
        {.kind = ADIT_TUNNEL_TCP},
        {.kind = ADIT_TUNNEL_TCP, .bind = 1, .visitor = {.family = 5}},
        {.kind = ADIT_TUNNEL_TCP, .bind = 1, .visitor = {.port = 5}},
        {.kind = ADIT_TUNNEL_TCP, .bind = 1, .visitor = {.family = 4, .ip = {[4] = 1}}},
    };
    for (size_t i = 0; i < ADIT_COUNT(bad); i++) {
        uint8_t memory[ADIT_STREAM_HEAD_BYTES] = {0};
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
        assert_fails(adit_stream_head_write(&writer, &ADIT_AT(bad, i)), INVALID);
        assert_int_equal(writer.len, 0);
    }
}

static void dial_results_and_kinds_have_names(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        enum adit_dial_result dial = ADIT_DIAL_FAILED;
        struct adit_status status = adit_dial_result_of((uint8_t)byte, &dial);
        assert_int_equal(adit_is_ok(status), byte <= 6);
        if (adit_is_ok(status)) {
            assert_int_equal(dial, byte);
            assert_true(adit_bytes_of_text(adit_dial_name(dial)).len > 0);
            assert_true(adit_bytes_of_text(adit_dial_meaning(dial)).len > 0);
        }
        enum adit_tunnel kind = ADIT_TUNNEL_TCP;
        assert_int_equal(adit_is_ok(adit_tunnel_of((uint8_t)byte, &kind)), byte >= 1 && byte <= 3);
    }
    enum adit_tunnel kind = ADIT_TUNNEL_TCP;
    assert_ok(adit_tunnel_find(ADIT_BYTES("tls"), &kind));
    assert_int_equal(kind, ADIT_TUNNEL_TLS);
    assert_fails(adit_tunnel_find(ADIT_BYTES("TLS"), &kind), INVALID);
    assert_fails(adit_tunnel_find(ADIT_BYTES(""), &kind), INVALID);
    assert_null(adit_tunnel_name(ADIT_TUNNEL_NONE));
    assert_bytes(adit_bytes_of_text(adit_tunnel_name(ADIT_TUNNEL_HTTP)), ADIT_BYTES("http"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_read_and_written),
        cmocka_unit_test(bad_heads_are_refused),
        cmocka_unit_test(short_heads_are_refused),
        cmocka_unit_test(bad_values_are_not_written),
        cmocka_unit_test(dial_results_and_kinds_have_names),
    };
    return cmocka_run_group_tests_name("wire/stream_head", tests, NULL, NULL);
}
