#include "cli/aditd/settings.h"

#include "unit.h"

#include "cli/aditd/line_fixture.h"

static struct adit_status token(const struct line *line, struct adit_writer *complaint,
                                struct adit_token_record *out_record)
{
    struct adit_args args = {0};
    line_parse(line, &args);
    assert_int_equal(args.command->number, ADIT_ADITD_TOKEN_CREATE);
    return adit_token_settings_read(&args, 1000000, complaint, out_record);
}

static void a_token_is_asked_for(void **state)
{
    (void)state;
    uint8_t memory[512] = {0};
    struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_token_record record = {0};
    const struct line plain = {{"token", "create", "--account", "ann"}};
    assert_ok(token(&plain, &text, &record));
    assert_int_equal(record.kind, ADIT_TOKEN_USER);
    assert_int_equal(record.allows,
                     ADIT_TOKEN_ALLOWS_HTTP | ADIT_TOKEN_ALLOWS_TCP | ADIT_TOKEN_ALLOWS_TLS);
    assert_bytes(adit_token_names_text(&record.names), ADIT_BYTES("*"));
    assert_int_equal(record.not_before_s, 1000000);
    assert_int_equal(record.expiry_s, 1000000 + 30 * 86400);
    const struct line full = {{"token", "create", "--account=ann@x", "--allow=tls,tcp",
                               "--names=shop-*,blog", "--ttl=12h"}};
    assert_ok(token(&full, &text, &record));
    assert_int_equal(record.allows, ADIT_TOKEN_ALLOWS_TCP | ADIT_TOKEN_ALLOWS_TLS);
    assert_bytes(adit_token_names_text(&record.names), ADIT_BYTES("shop-*,blog"));
    assert_int_equal(record.expiry_s, 1000000 + 12 * 3600);
    text.len = 0;
    assert_ok(adit_token_json_write(&text, &record, ADIT_BYTES("adit_x")));
    assert_bytes(adit_writer_bytes(&text),
                 ADIT_BYTES("{\"id\":\"00000000000000000000000000000000\",\"token\":\"adit_x\","
                            "\"account\":\"ann@x\","
                            "\"expires_at\":\"1970-01-13T01:46:40.000Z\"}\n"));
}

static void bad_tokens_are_explained(void **state)
{
    (void)state;
    static const struct {
        struct line line;
        const char *option;
    } cases[] = {
        {{{"token", "create"}}, "account"},
        {{{"token", "create", "--account="}}, "account"},
        {{{"token", "create", "--account=a b"}}, "account"},
        {{{"token", "create", "--account=a", "--allow="}}, "allow"},
        {{{"token", "create", "--account=a", "--allow=http,"}}, "allow"},
        {{{"token", "create", "--account=a", "--allow=udp"}}, "allow"},
        {{{"token", "create", "--account=a", "--names="}}, "names"},
        {{{"token", "create", "--account=a", "--names=UP"}}, "names"},
        {{{"token", "create", "--account=a", "--ttl=5"}}, "ttl"},
        {{{"token", "create", "--account=a", "--ttl=0s"}}, "ttl"},
        {{{"token", "create", "--account=a", "--ttl=999999d"}}, "ttl"},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        uint8_t memory[256] = {0};
        uint8_t start[64] = {0};
        struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
        struct adit_writer wanted = adit_writer_of(ADIT_SPAN_OF(start));
        struct adit_token_record record = {.expiry_s = 7};
        assert_fails(token(&ADIT_AT(cases, i).line, &complaint, &record), INVALID);
        assert_ok(adit_write_bytes(&wanted, ADIT_BYTES("option '--")));
        assert_ok(adit_write_bytes(&wanted, adit_bytes_of_text(ADIT_AT(cases, i).option)));
        assert_ok(adit_write_bytes(&wanted, ADIT_BYTES("': give ")));
        assert_true(
            adit_bytes_starts_with(adit_writer_bytes(&complaint), adit_writer_bytes(&wanted)));
        assert_int_equal(record.expiry_s, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_asked_for),
        cmocka_unit_test(bad_tokens_are_explained),
    };
    return cmocka_run_group_tests_name("aditd/settings", tests, NULL, NULL);
}
