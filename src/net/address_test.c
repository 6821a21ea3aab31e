#include "net/address.h"

#include "unit.h"

struct row {
    const char *text;
    bool is_good;
    bool is_loopback;
};

static const struct row rows[] = {
    {"127.0.0.1:80", true, true},
    {"127.200.0.1:65535", true, true},
    {"0.0.0.0:0", true, false},
    {"192.0.2.7:443", true, false},
    {"[::1]:80", true, true},
    {"[::ffff:127.0.0.1]:80", true, true},
    {"[::ffff:192.0.2.1]:80", true, false},
    {"[2001:db8::17]:8443", true, false},
    {"", false, false},
    {":80", false, false},
    {"127.0.0.1", false, false},
    {"127.0.0.1:", false, false},
    {"127.0.0.1:65536", false, false},
    {"127.0.0.1:80 ", false, false},
    {"127.0.0.1:-1", false, false},
    {"127.1:80", false, false},
    {"127.0.0.256:80", false, false},
    {"::1:80", false, false},
    {"[::1]", false, false},
    {"[::1]80", false, false},
    {"[::1:80", false, false},
    {"[127.0.0.1]:80", false, false},
    {"[fe80::1%lo]:80", false, false},
    {"localhost:80", false, false},
    {"[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc]:1", false, false},
};

static void text_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        const struct row *row = &ADIT_AT(rows, i);
        struct adit_bytes text = adit_bytes_of_text(row->text);
        struct adit_address address = {.family = 9};
        struct adit_status status = adit_address_parse(text, &address);
        if (!row->is_good) {
            assert_fails(status, INVALID);
            assert_int_equal(address.family, 9);
            continue;
        }
        assert_ok(status);
        assert_int_equal(adit_address_is_loopback(&address), row->is_loopback);
        uint8_t room[64];
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(room));
        assert_ok(adit_address_write(&writer, &address));
        assert_bytes(adit_writer_bytes(&writer), text);
    }
}

static void embedded_nul_is_refused(void **state)
{
    (void)state;
    struct adit_address address = {0};
    assert_fails(adit_address_parse(ADIT_BYTES("127.0.0.1\0:80"), &address), INVALID);
    assert_fails(adit_address_of_ip(ADIT_BYTES("::1\0"), 1, &address), INVALID);
}

static void no_room_or_no_address(void **state)
{
    (void)state;
    uint8_t room[8];
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(room));
    struct adit_address address = {0};
    assert_fails(adit_address_write(&writer, &address), INVALID);
    assert_ok(adit_address_of_ip(ADIT_BYTES("192.0.2.1"), 443, &address));
    assert_fails(adit_address_write(&writer, &address), LIMIT);
    assert_int_equal(writer.len, 0);
    assert_false(adit_address_is_loopback(&(struct adit_address){.ip = {127}}));
}

static void hosts_and_ports_are_split(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint16_t port_default;
        const char *host; /* null: refused */
        uint16_t port;
    } splits[] = {
        {"a.test:80", 0, "a.test", 80},   {"a.test", 443, "a.test", 443},
        {"[::1]:80", 443, "::1", 80},     {"[::1]", 443, "::1", 443},
        {"10.0.0.1:1", 0, "10.0.0.1", 1}, {"a.test", 0, NULL, 0},
        {"a.test:", 443, NULL, 0},        {"a.test:0", 443, NULL, 0},
        {"a.test:65536", 443, NULL, 0},   {":80", 443, NULL, 0},
        {"[]:80", 443, NULL, 0},          {"[::1", 443, NULL, 0},
        {"[::1]80", 443, NULL, 0},        {"", 443, NULL, 0},
        {"::1", 443, NULL, 0},            {"a:1:2", 443, NULL, 0},
        {"a/b:80", 443, NULL, 0},         {"u@a:80", 443, NULL, 0},
        {"a b:80", 443, NULL, 0},         {"a\n:80", 443, NULL, 0},
        {"\xc3\xa9.test:80", 443, NULL, 0}, {"my_app-1.test:80", 0, "my_app-1.test", 80},
    };
    for (size_t i = 0; i < ADIT_COUNT(splits); i++) {
        struct adit_bytes host = {0};
        uint16_t port = 0;
        struct adit_status status = adit_address_split(
            adit_bytes_of_text(ADIT_AT(splits, i).text), ADIT_AT(splits, i).port_default, &host,
            &port);
        assert_int_equal(adit_is_ok(status), ADIT_AT(splits, i).host != NULL);
        assert_bytes(host, adit_bytes_of_text(ADIT_AT(splits, i).host));
        assert_int_equal(port, ADIT_AT(splits, i).port);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_back),
        cmocka_unit_test(embedded_nul_is_refused),
        cmocka_unit_test(no_room_or_no_address),
        cmocka_unit_test(hosts_and_ports_are_split),
    };
    return cmocka_run_group_tests_name("net/address", tests, NULL, NULL);
}
