#include "wire/yamux.h"

#include "unit.h"

struct sample {
    uint8_t bytes[ADIT_YAMUX_HEADER_BYTES];
    struct adit_yamux_frame frame;
};

/* The layout, byte by byte, and values that a careless cast would sign or cut. */
static const struct sample samples[] = {
    {.bytes = {0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 5},
     .frame = {.type = ADIT_YAMUX_DATA, .flags = ADIT_YAMUX_SYN, .stream = 1, .length = 5}},
    {.bytes = {0, 1, 0, 2, 0, 0, 0, 2, 0, 4, 0, 0},
     .frame = {.type = ADIT_YAMUX_WINDOW, .flags = ADIT_YAMUX_ACK, .stream = 2, .length = 262144}},
    {.bytes = {0, 2, 0, 1, 0, 0, 0, 0, 0xde, 0xad, 0xbe, 0xef},
     .frame = {.type = ADIT_YAMUX_PING, .flags = ADIT_YAMUX_SYN, .length = 0xdeadbeef}},
    {.bytes = {0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
     .frame = {.type = ADIT_YAMUX_GOAWAY, .length = ADIT_YAMUX_GOAWAY_PROTOCOL}},
    {.bytes = {0, 0, 0, 0xc, 0x80, 0, 0, 1, 0, 0, 0, 0},
     .frame = {.flags = ADIT_YAMUX_FIN | ADIT_YAMUX_RST, .stream = 0x80000001}},
    {.bytes = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
     .frame = {.version = 0xff, .type = 0xff, .flags = 0xffff, .stream = UINT32_MAX,
               .length = UINT32_MAX}},
};

static void headers_read_and_write_the_same_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_COUNT(samples); i++) {
        const struct sample *sample = &ADIT_AT(samples, i);
        struct adit_reader reader = adit_reader_of(ADIT_BYTES_OF(sample->bytes));
        struct adit_yamux_frame frame = {0};
        assert_ok(adit_yamux_read(&reader, &frame));
        assert_ok(adit_read_end(&reader));
        assert_int_equal(frame.version, sample->frame.version);
        assert_int_equal(frame.type, sample->frame.type);
        assert_int_equal(frame.flags, sample->frame.flags);
        assert_int_equal(frame.stream, sample->frame.stream);
        assert_int_equal(frame.length, sample->frame.length);
        uint8_t block[ADIT_YAMUX_HEADER_BYTES] = {0};
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(block));
        assert_ok(adit_yamux_write(&writer, &sample->frame));
        assert_bytes(adit_writer_bytes(&writer), ADIT_BYTES_OF(sample->bytes));
    }
}

static void a_short_header_moves_nothing(void **state)
{
    (void)state;
    const struct sample *sample = &ADIT_AT(samples, 0);
    for (size_t len = 0; len < ADIT_YAMUX_HEADER_BYTES; len++) {
        struct adit_reader reader =
            adit_reader_of(adit_bytes_first(ADIT_BYTES_OF(sample->bytes), len));
        struct adit_yamux_frame frame = {.stream = 77};
        assert_fails(adit_yamux_read(&reader, &frame), INVALID);
        assert_int_equal(reader.rest.len, len);
        assert_int_equal(frame.stream, 77);
    }
}

static void a_short_room_takes_nothing(void **state)
{
    (void)state;
    uint8_t block[ADIT_YAMUX_HEADER_BYTES] = {0};
    for (size_t len = 0; len < ADIT_YAMUX_HEADER_BYTES; len++) {
        struct adit_writer writer = adit_writer_of(adit_span_first(ADIT_SPAN_OF(block), len));
        assert_fails(adit_yamux_write(&writer, &ADIT_AT(samples, 5).frame), LIMIT);
        assert_int_equal(writer.len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_read_and_write_the_same_bytes),
        cmocka_unit_test(a_short_header_moves_nothing),
        cmocka_unit_test(a_short_room_takes_nothing),
    };
    return cmocka_run_group_tests_name("wire/yamux", tests, NULL, NULL);
}
