#include "cli/aditd/config.h"

#include "unit.h"

static struct adit_status read_text(struct adit_bytes text, struct adit_config *config,
                                    struct adit_writer *complaint)
{
    complaint->len = 0;
    return adit_config_read(ADIT_BYTES("/etc/adit.yaml"), text, config, complaint);
}

static void value_check(const struct adit_config *config, enum adit_key key, const char *text)
{
    const struct adit_config_value *value = &ADIT_AT(config->values, (size_t)key);
    assert_true(value->is_given);
    assert_string_equal(value->text, text);
    assert_bytes(adit_bytes_of_text(text),
                 adit_bytes_first(adit_bytes_of_chars(value->text, sizeof value->text),
                                  value->len));
}

static void values_come_with_their_places(void **state)
{
    (void)state;
    static struct adit_config config;
    uint8_t memory[256] = {0};
    struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
    assert_ok(read_text(ADIT_BYTES("---\n"
                                   "# a comment\n"
                                   "domain: tunnel.example.com   # another\n"
                                   "https: \"[::]:443\"\n"
                                   "\n"
                                   "cert: '/etc/my cert.pem'\n"
                                   "sandbox:   true\n"
                                   "...\n"),
                        &config, &complaint));
    value_check(&config, ADIT_KEY_DOMAIN, "tunnel.example.com");
    value_check(&config, ADIT_KEY_HTTPS, "[::]:443");
    value_check(&config, ADIT_KEY_CERT, "/etc/my cert.pem");
    value_check(&config, ADIT_KEY_SANDBOX, "true");
    assert_int_equal(ADIT_AT(config.values, ADIT_KEY_SANDBOX).line, 7);
    assert_int_equal(ADIT_AT(config.values, ADIT_KEY_SANDBOX).column, 12);
    assert_false(ADIT_AT(config.values, ADIT_KEY_DATA).is_given);
    assert_ok(read_text(ADIT_BYTES("{domain: a.example, workers: 1}"), &config, &complaint));
    value_check(&config, ADIT_KEY_WORKERS, "1");
    assert_ok(read_text(ADIT_BYTES("\xef\xbb\xbf" "domain: a.example\r\n"), &config, &complaint));
    value_check(&config, ADIT_KEY_DOMAIN, "a.example");
}

static void nothing_is_a_configuration_too(void **state)
{
    (void)state;
    static const struct adit_bytes texts[] = {
        ADIT_BYTES_INIT(""),       ADIT_BYTES_INIT("\n\n"), ADIT_BYTES_INIT("# only this\n"),
        ADIT_BYTES_INIT("---\n"), ADIT_BYTES_INIT("{}"),   ADIT_BYTES_INIT("--- ~\n...\n"),
    };
    for (size_t i = 0; i < ADIT_COUNT(texts); i++) {
        static struct adit_config config;
        uint8_t memory[256] = {0};
        struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
        assert_ok(read_text(ADIT_AT(texts, i), &config, &complaint));
        for (size_t key = 0; key < ADIT_KEY_COUNT; key++) {
            assert_false(ADIT_AT(config.values, key).is_given);
        }
    }
}

static const struct {
    struct adit_bytes text;
    const char *complaint; /* after the file's name */
} broken[] = {
    {ADIT_BYTES_INIT("# x\n\ndomian: a.example\n"),
     ":3:1: unknown key 'domian'; did you mean 'domain'?"},
    {ADIT_BYTES_INIT("http-mode: serve\n"),
     ":1:1: unknown key 'http-mode'; did you mean 'http_mode'?"},
    {ADIT_BYTES_INIT("colour: red\n"), ":1:1: unknown key 'colour'"},
    {ADIT_BYTES_INIT("\"do\\nmain\": red\n"),
     ":1:1: unknown key 'do\\u000amain'; did you mean 'domain'?"},
    {ADIT_BYTES_INIT("http: 0.0.0.0:80\nhttp: 0.0.0.0:81\n"),
     ":2:1: key 'http' is given twice; keep one of them"},
    {ADIT_BYTES_INIT("'': x\n"), ":1:1: a key is missing before the ':'"},
    {ADIT_BYTES_INIT("domain:\n"),
     ":1:8: key 'domain' has no value; give one, or leave the key out"},
    {ADIT_BYTES_INIT("domain: ~\n"),
     ":1:9: key 'domain' has no value; give one, or leave the key out"},
    {ADIT_BYTES_INIT("domain: ''\n"),
     ":1:9: key 'domain' has no value; give one, or leave the key out"},
    {ADIT_BYTES_INIT("http: [::]:80\n"),
     ":1:7: key 'http' takes one value, not a list; an address in brackets needs quotes: "
     "\"[::]:443\""},
    {ADIT_BYTES_INIT("domain:\n  - a\n"),
     ":2:3: key 'domain' takes one value, not a list; an address in brackets needs quotes: "
     "\"[::]:443\""},
    {ADIT_BYTES_INIT("domain:\n  name: a\n"),
     ":2:3: key 'domain' takes one value, not keys of its own"},
    {ADIT_BYTES_INIT("domain: &a b.example\n"),
     ":1:9: anchors (&name) are not used here; write the value out"},
    {ADIT_BYTES_INIT("domain: *a\n"),
     ":1:9: aliases (*name) are not used here; write the value out"},
    {ADIT_BYTES_INIT("domain: !!str a\n"),
     ":1:9: tags (!name) are not used here; leave it out"},
    {ADIT_BYTES_INIT("&d domain: a\n"),
     ":1:1: anchors (&name) are not used here; write the value out"},
    {ADIT_BYTES_INIT("--- !x\ndomain: a\n"),
     ":1:5: anchors and tags are not used here; leave it out"},
    {ADIT_BYTES_INIT("[a, b]: c\n"),
     ":1:1: a key must be a word; write one 'key: value' a line"},
    {ADIT_BYTES_INIT("- domain: a\n"),
     ":1:1: the file must be a list of 'key: value', one a line"},
    {ADIT_BYTES_INIT("domain\n"),
     ":1:1: the file must be a list of 'key: value', one a line"},
    {ADIT_BYTES_INIT("domain: a\n---\nhttp: b\n"),
     ":2:1: a second document begins here; only one is read"},
    {ADIT_BYTES_INIT("workers: \"1\"\n"),
     ":1:10: key 'workers': write the value without quotes"},
    {ADIT_BYTES_INIT("sandbox: 'true'\n"),
     ":1:10: key 'sandbox': write the value without quotes"},
    {ADIT_BYTES_INIT("data: \"/a\\0b\"\n"),
     ":1:7: key 'data': the value holds a control character or a line break"},
    {ADIT_BYTES_INIT("data: |\n  /a\n"),
     ":1:7: key 'data': the value holds a control character or a line break"},
    {ADIT_BYTES_INIT("domain: a: b\n"),
     ":1:10: this is not YAML: mapping values are not allowed in this context"},
    {ADIT_BYTES_INIT("domain: \"a\n"),
     ":2:1: this is not YAML: found unexpected end of stream"},
    {ADIT_BYTES_INIT("http: b\n\tdomain: a\n"),
     ":2:1: this is not YAML: found a tab character that violates indentation"},
    {ADIT_BYTES_INIT("http: b\ndo\xff: a\n"),
     ":2:3: this is not YAML: invalid leading UTF-8 octet"},
    {ADIT_BYTES_INIT("http: \x01\n"),
     ":1:7: this is not YAML: control characters are not allowed"},
};

static void what_breaks_the_rules_is_explained(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADIT_COUNT(broken); i++) {
        static struct adit_config config;
        uint8_t memory[256] = {0};
        struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
        struct adit_bytes file = ADIT_BYTES("/etc/adit.yaml");
        assert_fails(read_text(ADIT_AT(broken, i).text, &config, &complaint), INVALID);
        struct adit_bytes said = adit_writer_bytes(&complaint);
        assert_true(adit_bytes_starts_with(said, file));
        char shown[256] = {0};
        assert_ok(adit_span_copy(adit_span_first(ADIT_OBJECT_SPAN(shown), sizeof shown - 1),
                                 adit_bytes_from(said, file.len)));
        assert_string_equal(shown, ADIT_AT(broken, i).complaint);
    }
}

static void sizes_are_limited(void **state)
{
    (void)state;
    static struct adit_config config;
    static uint8_t text[ADIT_CONFIG_BYTES_MAX + 1];
    uint8_t memory[256] = {0};
    struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
    adit_span_fill(ADIT_SPAN_OF(text), '#');
    assert_fails(read_text(ADIT_BYTES_OF(text), &config, &complaint), LIMIT);
    assert_bytes(adit_writer_bytes(&complaint),
                 ADIT_BYTES("/etc/adit.yaml:1:65537: the file is larger than 64 KiB"));
    assert_ok(read_text(adit_bytes_first(ADIT_BYTES_OF(text), ADIT_CONFIG_BYTES_MAX), &config,
                        &complaint));
    adit_span_fill(ADIT_SPAN_OF(text), 'x');
    assert_ok(adit_span_copy(ADIT_SPAN_OF(text), ADIT_BYTES("data: ")));
    assert_ok(read_text(adit_bytes_first(ADIT_BYTES_OF(text), 6 + ADIT_CONFIG_VALUE_MAX), &config,
                        &complaint));
    assert_int_equal(ADIT_AT(config.values, ADIT_KEY_DATA).len, ADIT_CONFIG_VALUE_MAX);
    assert_fails(read_text(adit_bytes_first(ADIT_BYTES_OF(text), 7 + ADIT_CONFIG_VALUE_MAX),
                           &config, &complaint),
                 INVALID);
    adit_span_fill(ADIT_SPAN_OF(text), '[');
    assert_fails(read_text(adit_bytes_first(ADIT_BYTES_OF(text), 60000), &config, &complaint),
                 INVALID);
    assert_ok(adit_span_copy(ADIT_SPAN_OF(text), ADIT_BYTES("data: ")));
    assert_fails(read_text(adit_bytes_first(ADIT_BYTES_OF(text), 60000), &config, &complaint),
                 INVALID);
}

static void files_are_loaded(void **state)
{
    (void)state;
    static struct adit_config config;
    static uint8_t large[ADIT_CONFIG_BYTES_MAX + 1];
    uint8_t memory[256] = {0};
    struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
    char path[] = "/tmp/adit-config-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_ok(adit_file_write(path, 0600, ADIT_BYTES("domain: a.example\n")));
    assert_ok(adit_config_load(path, &config, &complaint));
    value_check(&config, ADIT_KEY_DOMAIN, "a.example");
    adit_span_fill(ADIT_SPAN_OF(large), '#');
    assert_ok(adit_file_write(path, 0600, ADIT_BYTES_OF(large)));
    assert_fails(adit_config_load(path, &config, &complaint), LIMIT);
    assert_true(adit_bytes_ends_with(adit_writer_bytes(&complaint),
                                     ADIT_BYTES(": the file is larger than 64 KiB")));
    assert_int_equal(unlink(path), 0);
    assert_fails(adit_config_load(path, &config, &complaint), SYSTEM);
    assert_true(adit_bytes_ends_with(
        adit_writer_bytes(&complaint),
        ADIT_BYTES(": the file cannot be opened (No such file or directory)")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_with_their_places),
        cmocka_unit_test(nothing_is_a_configuration_too),
        cmocka_unit_test(what_breaks_the_rules_is_explained),
        cmocka_unit_test(sizes_are_limited),
        cmocka_unit_test(files_are_loaded),
    };
    return cmocka_run_group_tests_name("aditd/config", tests, NULL, NULL);
}
