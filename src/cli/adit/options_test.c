#include "cli/adit/options.h"

#include <string.h>

#include "net/hmac.h"

#include "unit.h"

/* The shape of a token (three times 20 blocks of base64url); what it says is not looked at here. */
static const char *token_text(void)
{
    static char text[ADIT_TOKEN_TEXT_MAX + 1];
    uint8_t key[32] = {7};
    struct adit_token_record record = {.kind = ADIT_TOKEN_USER,
                                       .allows = ADIT_TOKEN_ALLOWS_TCP,
                                       .key_id = 1,
                                       .id = {1},
                                       .expiry_s = ADIT_TOKEN_EXPIRES_NEVER};
    struct adit_writer writer =
        adit_writer_of((struct adit_span){(uint8_t *)text, sizeof text - 1});
    assert_ok(adit_token_account_set(&record, ADIT_BYTES("test")));
    assert_ok(adit_token_names_set(&record.names, ADIT_BYTES("*")));
    assert_ok(adit_token_mint(&writer, &record, ADIT_BYTES_OF(key), adit_hmac_sha256));
    return text;
}

struct read_result {
    enum adit_error error;
    uint8_t complaint[512];
    size_t complaint_len;
    struct adit_options options;
};

/* Reads "adit tcp ..." with up to five more words. */
static void read_line(struct read_result *result, const struct adit_environment *environment,
                      const char *const *words, size_t count)
{
    char *argv[8] = {(char *)(uintptr_t)"adit", (char *)(uintptr_t)"tcp"};
    struct adit_args args = {0};
    *result = (struct read_result){0};
    struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(result->complaint));
    for (size_t i = 0; i < count; i++) {
        ADIT_AT(argv, i + 2) = (char *)(uintptr_t)ADIT_SLOT(words, count, i);
    }
    assert_ok(adit_args_parse(&adit_program, count + 2, argv, &complaint, &args));
    result->error =
        adit_status_error(adit_options_read(&args, environment, &complaint, &result->options));
    result->complaint_len = complaint.len;
}

static void targets(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host;
        uint16_t port;
    } rows[] = {
        {"3000", "127.0.0.1", 3000},     {"localhost:80", "localhost", 80},
        {"[::1]:8080", "::1", 8080},     {"db.internal:5432", "db.internal", 5432},
        {"0", NULL, 0},                  {"65536", NULL, 0},
        {"localhost", NULL, 0},          {"localhost:", NULL, 0},
        {":3000", NULL, 0},              {"[::1:80", NULL, 0},
        {"[::1]", NULL, 0},              {"[::1]80", NULL, 0},
        {"host:80:90", NULL, 0},         {"host:8o", NULL, 0},
        {"", NULL, 0},                   {"host:-1", NULL, 0},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct adit_agent_tunnel tunnel = {0};
        struct adit_status status =
            adit_target_parse(adit_bytes_of_text(ADIT_AT(rows, i).text), &tunnel);
        assert_int_equal(adit_is_ok(status), ADIT_AT(rows, i).host != NULL);
        if (ADIT_AT(rows, i).host) {
            assert_bytes(ADIT_FIELD_BYTES(tunnel.host), adit_bytes_of_text(ADIT_AT(rows, i).host));
            assert_int_equal(tunnel.port, ADIT_AT(rows, i).port);
        }
    }
}

static void options_win_over_the_environment(void **state)
{
    (void)state;
    struct read_result result;
    const struct adit_environment environment = {
        .token = token_text(), .server = "a.example", .ca = "/ca", .keylog = "/keys"};
    const char *const few[] = {"3000"};
    read_line(&result, &environment, few, ADIT_COUNT(few));
    assert_int_equal(result.error, ADIT_ERROR_NONE);
    assert_bytes(result.options.server_host, ADIT_BYTES("a.example"));
    assert_int_equal(result.options.server_port, ADIT_OPTIONS_SERVER_PORT);
    assert_string_equal(result.options.ca_path, "/ca");
    assert_string_equal(result.options.keylog_path, "/keys");
    assert_false(result.options.is_json);
    const char *const many[] = {"3000", "--server=b.example:443", "--ca=/other", "--json",
                                "--remote-port=20001"};
    read_line(&result, &environment, many, ADIT_COUNT(many));
    assert_int_equal(result.error, ADIT_ERROR_NONE);
    assert_bytes(result.options.server_host, ADIT_BYTES("b.example"));
    assert_int_equal(result.options.server_port, 443);
    assert_string_equal(result.options.ca_path, "/other");
    assert_true(result.options.is_json);
    assert_int_equal(result.options.tunnel.remote_port, 20001);
}

static void complaints_name_what_is_wrong(void **state)
{
    (void)state;
    const struct adit_environment none = {0};
    const struct adit_environment good = {.token = token_text()};
    const struct adit_environment bad = {.token = "adit_abc"};
    const struct {
        const struct adit_environment *environment;
        const char *words[2];
        const char *about;
    } rows[] = {
        {&none, {"3000", "--json"}, "no token"},
        {&bad, {"3000", "--json"}, "not a whole"},
        {&good, {"nowhere", "--json"}, "TARGET"},
        {&good, {"3000", "--remote-port=0"}, "--remote-port"},
        {&good, {"3000", "--remote-port=65536"}, "--remote-port"},
        {&good, {"3000", "--server=:443"}, "--server"},
        {&good, {"3000", "--server=x:y"}, "--server"},
        {&none, {"3000", "--token-file=/nonexistent"}, "--token-file"},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct read_result result;
        read_line(&result, ADIT_AT(rows, i).environment, ADIT_AT(rows, i).words, 2);
        assert_int_equal(result.error, ADIT_ERROR_INVALID);
        assert_non_null(memmem(result.complaint, result.complaint_len, ADIT_AT(rows, i).about,
                               strlen(ADIT_AT(rows, i).about)));
        assert_null(memchr(result.complaint, '\n', result.complaint_len));
    }
}

static void a_token_may_come_from_a_file(void **state)
{
    (void)state;
    struct read_result result;
    char option[64] = "--token-file=/tmp/adit-token-XXXXXX";
    char *path = strchr(option, '/');
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(write(fd, token_text(), strlen(token_text())) > 0);
    assert_int_equal(write(fd, "\n", 1), 1);
    close(fd);
    const struct adit_environment none = {0};
    const char *const words[] = {"3000", option};
    read_line(&result, &none, words, ADIT_COUNT(words));
    unlink(path);
    assert_int_equal(result.error, ADIT_ERROR_NONE);
    assert_bytes(result.options.token, adit_bytes_of_text(token_text()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets),
        cmocka_unit_test(options_win_over_the_environment),
        cmocka_unit_test(complaints_name_what_is_wrong),
        cmocka_unit_test(a_token_may_come_from_a_file),
    };
    return cmocka_run_group_tests_name("cli/adit/options", tests, NULL, NULL);
}
