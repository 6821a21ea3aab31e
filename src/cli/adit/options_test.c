/* Covers commands.c. */
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

/* Reads "adit COMMAND ..." with up to five more words. */
static void read_command(struct read_result *result, const char *command,
                         const struct adit_environment *environment, const char *const *words,
                         size_t count)
{
    char *argv[8] = {(char *)(uintptr_t)"adit", (char *)(uintptr_t)command};
    struct adit_args args = {0};
    *result = (struct read_result){0};
    struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(result->complaint));
    for (size_t i = 0; i < count; i++) {
        ADIT_AT(argv, i + 2) = (char *)(uintptr_t)ADIT_SLOT(words, count, i);
    }
    struct adit_status status =
        adit_args_parse(&adit_program, count + 2, argv, &complaint, &args);
    if (adit_is_ok(status)) {
        status = adit_options_read(&args, environment, &complaint, &result->options);
    }
    result->error = adit_status_error(status);
    result->complaint_len = complaint.len;
}

static void read_line(struct read_result *result, const struct adit_environment *environment,
                      const char *const *words, size_t count)
{
    read_command(result, "tcp", environment, words, count);
}

static void options_win_over_the_environment(void **state)
{
    (void)state;
    struct read_result result;
    const struct adit_environment environment = {
        .token = token_text(), .server = "a.example", .ca = "/ca", .keylog = "/keys",
        .busy_poll = "off"};
    const char *const few[] = {"3000"};
    read_line(&result, &environment, few, ADIT_COUNT(few));
    assert_int_equal(result.error, ADIT_ERROR_NONE);
    assert_bytes(result.options.server_host, ADIT_BYTES("a.example"));
    assert_int_equal(result.options.server_port, ADIT_OPTIONS_SERVER_PORT);
    assert_string_equal(result.options.ca_path, "/ca");
    assert_string_equal(result.options.keylog_path, "/keys");
    assert_false(result.options.is_json);
    assert_false(result.options.is_polling);
    const char *const many[] = {"3000", "--server=b.example:443", "--ca=/other", "--json",
                                "--remote-port=20001", "--busy-poll=auto"};
    read_line(&result, &environment, many, ADIT_COUNT(many));
    assert_int_equal(result.error, ADIT_ERROR_NONE);
    assert_bytes(result.options.server_host, ADIT_BYTES("b.example"));
    assert_int_equal(result.options.server_port, 443);
    assert_string_equal(result.options.ca_path, "/other");
    assert_true(result.options.is_json);
    assert_true(result.options.is_polling);
    assert_int_equal(result.options.tunnel.remote_port, 20001);
}

static void each_command_has_its_wishes(void **state)
{
    (void)state;
    struct read_result result;
    const struct adit_environment environment = {.token = token_text()};
    const char *const web[] = {"http://app", "--name=shop", "--host-header", "app.test:3000"};
    read_command(&result, "http", &environment, web, ADIT_COUNT(web));
    assert_int_equal(result.error, ADIT_ERROR_NONE);
    assert_int_equal(result.options.tunnel.kind, ADIT_TUNNEL_HTTP);
    assert_int_equal(result.options.tunnel.port, 80);
    assert_bytes(ADIT_FIELD_BYTES(result.options.tunnel.name), ADIT_BYTES("shop"));
    assert_bytes(ADIT_FIELD_BYTES(result.options.tunnel.host_header), ADIT_BYTES("app.test:3000"));
    const char *const through[] = {"8443", "--name=x1"};
    read_command(&result, "tls", &environment, through, ADIT_COUNT(through));
    assert_int_equal(result.error, ADIT_ERROR_NONE);
    assert_int_equal(result.options.tunnel.kind, ADIT_TUNNEL_TLS);
    assert_bytes(ADIT_FIELD_BYTES(result.options.tunnel.name), ADIT_BYTES("x1"));
    const char *const bare[] = {"22"};
    read_command(&result, "tcp", &environment, bare, ADIT_COUNT(bare));
    assert_int_equal(result.error, ADIT_ERROR_NONE);
    assert_int_equal(result.options.tunnel.kind, ADIT_TUNNEL_TCP);
    assert_int_equal(result.options.tunnel.name.len, 0);
}

static void a_proxy_is_read_but_for_exceptions(void **state)
{
    (void)state;
    static const struct {
        const char *server, *proxy, *no_proxy;
        bool is_used;
    } rows[] = {
        {"--server=a.example:443", "http://u:p@proxy.test:3128", NULL, true},
        {"--server=a.example:443", "http://proxy.test:3128", "b.example", true},
        {"--server=a.example:443", "http://proxy.test:3128", ".example", false},
        {"--server=a.example:443", "", NULL, false},
        {"--server=a.example:443", NULL, NULL, false},
        {"--server=127.0.0.1:443", "http://proxy.test:3128", NULL, false},
        {"--server=connect.adit.localhost:8443", "socks5://x:1", NULL, false}, /* not looked at */
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct read_result result;
        const struct adit_environment environment = {.token = token_text(),
                                                     .proxy = ADIT_AT(rows, i).proxy,
                                                     .no_proxy = ADIT_AT(rows, i).no_proxy};
        const char *const words[] = {"3000", ADIT_AT(rows, i).server};
        read_line(&result, &environment, words, ADIT_COUNT(words));
        assert_int_equal(result.error, ADIT_ERROR_NONE);
        assert_int_equal(result.options.has_proxy, ADIT_AT(rows, i).is_used);
        assert_int_equal(result.options.proxy.port, ADIT_AT(rows, i).is_used ? 3128 : 0);
    }
    struct read_result result;
    const struct adit_environment environment = {.token = token_text(),
                                                 .proxy = "socks5://secret:word@x:1"};
    const char *const words[] = {"3000", "--server=a.example:443"};
    read_line(&result, &environment, words, ADIT_COUNT(words));
    assert_int_equal(result.error, ADIT_ERROR_INVALID);
    assert_non_null(memmem(result.complaint, result.complaint_len, "SOCKS", 5));
    assert_null(memmem(result.complaint, result.complaint_len, "secret", 6));
}

static void complaints_name_what_is_wrong(void **state)
{
    (void)state;
    const struct adit_environment none = {0};
    const struct adit_environment good = {.token = token_text()};
    const struct adit_environment bad = {.token = "adit_abc"};
    const struct {
        const struct adit_environment *environment;
        const char *command;
        const char *words[2];
        const char *about;
    } rows[] = {
        {&none, "tcp", {"3000", "--json"}, "no token"},
        {&bad, "tcp", {"3000", "--json"}, "not a whole"},
        {&good, "tcp", {"nowhere", "--json"}, "TARGET"},
        {&good, "tcp", {"3000", "--remote-port=0"}, "--remote-port"},
        {&good, "tcp", {"3000", "--remote-port=65536"}, "--remote-port"},
        {&good, "tcp", {"3000", "--server=:443"}, "--server"},
        {&good, "tcp", {"3000", "--server=x:y"}, "--server"},
        {&good, "tcp", {"3000", "--busy-poll=on"}, "--busy-poll"},
        {&good, "tcp", {"3000", "--busy-poll="}, "--busy-poll"},
        {&none, "tcp", {"3000", "--token-file=/nonexistent"}, "--token-file"},
        {&good, "tcp", {"3000", "--name=shop"}, "unknown option"},
        {&good, "tcp", {"3000", "--host-header=x"}, "unknown option"},
        {&good, "tls", {"3000", "--host-header=x"}, "unknown option"},
        {&good, "tls", {"3000", "--remote-port=1"}, "unknown option"},
        {&good, "http", {"3000", "--remote-port=1"}, "unknown option"},
        {&good, "http", {"3000", "--name=Shop"}, "--name"},
        {&good, "http", {"3000", "--name=xn--shop"}, "--name"},
        {&good, "tls", {"3000", "--name="}, "--name"},
        {&good, "http", {"3000", "--host-header="}, "--host-header"},
        {&good, "http", {"3000", "--host-header=a b"}, "--host-header"},
        {&good, "http", {"3000", "--host-header=a\r\nX: y"}, "--host-header"},
        {&good, "http", {"3000", "--host-header=\xc3\xa9"}, "--host-header"},
        {&good, "http", {"https://x:1", "--json"}, "plain HTTP"},
    };
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct read_result result;
        read_command(&result, ADIT_AT(rows, i).command, ADIT_AT(rows, i).environment,
                     ADIT_AT(rows, i).words, 2);
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
    assert_int_equal(write(fd, "\r\n", 2), 2);
    close(fd);
    const struct adit_environment none = {0};
    const char *const words[] = {"3000", option};
    read_line(&result, &none, words, ADIT_COUNT(words));
    unlink(path);
    assert_int_equal(result.error, ADIT_ERROR_NONE);
    assert_bytes(result.options.token.text, adit_bytes_of_text(token_text()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_win_over_the_environment),
        cmocka_unit_test(each_command_has_its_wishes),
        cmocka_unit_test(a_proxy_is_read_but_for_exceptions),
        cmocka_unit_test(complaints_name_what_is_wrong),
        cmocka_unit_test(a_token_may_come_from_a_file),
    };
    return cmocka_run_group_tests_name("cli/adit/options", tests, NULL, NULL);
}
