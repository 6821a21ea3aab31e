#include "ipc/message.h"

#include "unit.h"

struct row {
    enum adit_message_type type;
    uint32_t edges;
    size_t fds;
};

static const struct row rows[] = {
#define ROW(NAME, number, edges_, fds_, fields) {ADIT_MESSAGE_##NAME, (edges_), (fds_)},
    ADIT_MESSAGE_TABLE(ROW)
#undef ROW
};

static struct adit_message message_full(const struct row *row)
{
    struct adit_message message = {
        .type = row->type,
        .request = 0x0102030405060708,
        .version = 7,
        .seed = UINT64_MAX,
        .session = 0x1112131415161718,
        .index = 3,
        .slot = 2,
        .options = ADIT_START_JSON,
        .count = 8,
        .streams = 1024,
        .drain_ms = 5000,
        .port = 20000,
        .port_from = 20000,
        .port_to = 20999,
        .kind = ADIT_TUNNEL_TLS,
        .reason = ADIT_ORPHAN_TOO_OLD,
        .refusal = ADIT_PORT_REFUSAL_UNSUPPORTED,
        .name_refusal = ADIT_NAME_REFUSAL_LIMIT,
        .counters = {.count = 3, .values = {1, 0, UINT64_MAX}},
        .address = {.family = 4, .port = 50000, .ip = {127, 0, 0, 1}},
        .fd_count = row->fds,
    };
    assert_ok(adit_message_text_set(&message.domain, ADIT_BYTES("adit.localhost")));
    assert_ok(adit_message_text_set(&message.account, ADIT_BYTES("ann")));
    assert_ok(adit_message_text_set(&message.name, ADIT_BYTES("shop")));
    assert_ok(adit_message_text_set(&message.instance, ADIT_BYTES("inst")));
    assert_ok(adit_message_text_set(&message.secret, ADIT_BYTES("key")));
    return message;
}

static uint32_t edge_first(uint32_t edges)
{
    return edges & (~edges + 1);
}

static size_t write_row(const struct row *row, struct adit_span span)
{
    struct adit_message message = message_full(row);
    struct adit_writer writer = adit_writer_of(span);
    assert_ok(adit_message_write(&writer, edge_first(row->edges), &message));
    return writer.len;
}

static void every_message_comes_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        const struct row *row = &ADIT_AT(rows, i);
        uint8_t first[ADIT_MESSAGE_BYTES_MAX] = {0};
        uint8_t again[ADIT_MESSAGE_BYTES_MAX] = {0};
        struct adit_message message = {0};
        size_t len = write_row(row, ADIT_SPAN_OF(first));
        struct adit_bytes bytes = adit_bytes_first(ADIT_BYTES_OF(first), len);
        assert_ok(adit_message_read(bytes, edge_first(row->edges), row->fds, &message));
        assert_int_equal(message.type, row->type);
        assert_int_equal(message.fd_count, 0);
        message.fd_count = row->fds;
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(again));
        assert_ok(adit_message_write(&writer, edge_first(row->edges), &message));
        assert_bytes(adit_writer_bytes(&writer), bytes);
        assert_true(adit_message_name(row->type).len > 0);
    }
}

static void fields_arrive(void **state)
{
    (void)state;
    const struct row bind = {ADIT_MESSAGE_BIND, ADIT_EDGE_WORKER_DOOR, 0};
    uint8_t memory[ADIT_MESSAGE_BYTES_MAX] = {0};
    size_t len = write_row(&bind, ADIT_SPAN_OF(memory));
    static const uint8_t wanted[] = {0, 18, 0, 1,                 /* type, version */
                                     1, 2, 3, 4, 5, 6, 7, 8,      /* request */
                                     0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, /* session */
                                     0, 0, 0, 2,                       /* slot */
                                     0x4e, 0x20, 3, 3, 'a', 'n', 'n', /* port, kind, account */
                                     4, 'i', 'n', 's', 't'};
    assert_bytes(adit_bytes_first(ADIT_BYTES_OF(memory), len), ADIT_BYTES_OF(wanted));
    struct adit_message message = {0};
    assert_ok(adit_message_read(ADIT_BYTES_OF(wanted), bind.edges, 0, &message));
    assert_int_equal(message.port, 20000);
    assert_int_equal(message.kind, ADIT_TUNNEL_TLS);
    assert_bytes(adit_message_text_get(&message.account), ADIT_BYTES("ann"));
    assert_int_equal(message.options, 0); /* not a field of BIND */
}

static void a_cut_or_longer_message_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        const struct row *row = &ADIT_AT(rows, i);
        uint8_t memory[ADIT_MESSAGE_BYTES_MAX] = {0};
        struct adit_message message = {.request = 99};
        size_t len = write_row(row, ADIT_SPAN_OF(memory));
        for (size_t cut = 0; cut < len; cut++) {
            assert_fails(adit_message_read(adit_bytes_first(ADIT_BYTES_OF(memory), cut),
                                           edge_first(row->edges), row->fds, &message),
                         INVALID);
        }
        assert_fails(adit_message_read(adit_bytes_first(ADIT_BYTES_OF(memory), len + 1),
                                       edge_first(row->edges), row->fds, &message),
                     INVALID);
        assert_int_equal(message.request, 99);
    }
}

static void a_wrong_way_or_count_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        const struct row *row = &ADIT_AT(rows, i);
        uint8_t memory[ADIT_MESSAGE_BYTES_MAX] = {0};
        struct adit_message message = {0};
        size_t len = write_row(row, ADIT_SPAN_OF(memory));
        struct adit_bytes bytes = adit_bytes_first(ADIT_BYTES_OF(memory), len);
        struct adit_message full = message_full(row);
        for (uint32_t edge = 1; edge <= ADIT_EDGE_WORKER_DOOR; edge <<= 1) {
            if ((row->edges & edge) == 0) {
                struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
                assert_fails(adit_message_read(bytes, edge, row->fds, &message), INVALID);
                assert_fails(adit_message_write(&writer, edge, &full), INVALID);
                assert_int_equal(writer.len, 0);
            }
        }
        for (size_t fds = 0; fds <= ADIT_MESSAGE_FDS_MAX; fds++) {
            if (fds != row->fds) {
                assert_fails(adit_message_read(bytes, edge_first(row->edges), fds, &message),
                             INVALID);
            }
        }
    }
}

static void values_that_mean_nothing_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint32_t edge;
        size_t fds;
        struct adit_bytes bytes;
    } cases[] = {
        {ADIT_EDGE_DOOR_SUPERVISOR, 0, ADIT_BYTES_INIT("\0\0\0\1")},  /* type 0 */
        {ADIT_EDGE_DOOR_SUPERVISOR, 0, ADIT_BYTES_INIT("\0\x63\0\1")}, /* type 99 */
        {ADIT_EDGE_DOOR_SUPERVISOR, 0, ADIT_BYTES_INIT("\0\5\0\2")},  /* version 2 */
        {ADIT_EDGE_DOOR_WORKER, 0, ADIT_BYTES_INIT("\0\x14\0\1\0\0\0\0\0\0\0\1\5")}, /* refusal 5 */
        {ADIT_EDGE_WORKER_DOOR, 0,
         ADIT_BYTES_INIT("\0\x12\0\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1\0\0\4\0")}, /* kind 4 */
        {ADIT_EDGE_DOOR_WORKER, 1,
         ADIT_BYTES_INIT("\0\x11\0\1\6\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")}, /* reason 6 */
        {ADIT_EDGE_DOOR_WORKER, 1,
         ADIT_BYTES_INIT("\0\x11\0\1\0\5\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")}, /* family 5 */
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        struct adit_message message = {0};
        assert_fails(adit_message_read(ADIT_AT(cases, i).bytes, ADIT_AT(cases, i).edge,
                                       ADIT_AT(cases, i).fds, &message),
                     INVALID);
    }
}

static void the_longest_message_fits(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        const struct row *row = &ADIT_AT(rows, i);
        uint8_t memory[ADIT_MESSAGE_BYTES_MAX] = {0};
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
        struct adit_message message = message_full(row);
        message.domain.len = ADIT_MESSAGE_TEXT_MAX;
        message.account.len = ADIT_MESSAGE_TEXT_MAX;
        assert_ok(adit_message_write(&writer, edge_first(row->edges), &message));
    }
    uint8_t text[ADIT_MESSAGE_TEXT_MAX + 1] = {0};
    struct adit_message message = {0};
    assert_fails(adit_message_text_set(&message.domain, ADIT_BYTES_OF(text)), LIMIT);
    assert_int_equal(message.domain.len, 0);
}

static void names_are_there(void **state)
{
    (void)state;
    assert_bytes(adit_message_name(ADIT_MESSAGE_AGENT_DONE), ADIT_BYTES("AGENT_DONE"));
    assert_bytes(adit_message_name(ADIT_MESSAGE_NONE), ADIT_BYTES("NONE"));
    assert_bytes(adit_orphan_name(ADIT_ORPHAN_OTHER_ALPN), ADIT_BYTES("other_alpn"));
    assert_bytes(adit_port_refusal_name(ADIT_PORT_REFUSAL_RANGE), ADIT_BYTES("port_range"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_comes_back),
        cmocka_unit_test(fields_arrive),
        cmocka_unit_test(a_cut_or_longer_message_is_refused),
        cmocka_unit_test(a_wrong_way_or_count_is_refused),
        cmocka_unit_test(values_that_mean_nothing_are_refused),
        cmocka_unit_test(the_longest_message_fits),
        cmocka_unit_test(names_are_there),
    };
    return cmocka_run_group_tests_name("ipc/message", tests, NULL, NULL);
}
