#include "cli/aditd/settings.h"

#include "unit.h"

#include "cli/aditd/line_fixture.h"

static struct adit_status serve(const struct line *line, struct adit_writer *complaint,
                                struct adit_serve_settings *out_settings)
{
    struct adit_args args = {0};
    line_parse(line, &args);
    assert_int_equal(args.command->number, ADIT_ADITD_SERVE);
    static const struct adit_config none;
    return adit_serve_settings_read(&args, &none, complaint, out_settings);
}

static void serve_has_defaults(void **state)
{
    (void)state;
    const struct line line = {{"serve"}};
    uint8_t memory[256] = {0};
    struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_serve_settings settings = {0};
    assert_ok(serve(&line, &complaint, &settings));
    assert_bytes(settings.domain, ADIT_BYTES("adit.localhost"));
    assert_int_equal(settings.https.family, 4);
    assert_int_equal(settings.https.port, 8443);
    assert_int_equal(settings.https.ip[0], 127);
    assert_int_equal(settings.port_from, 20000);
    assert_int_equal(settings.port_to, 20999);
    assert_int_equal(settings.admin.port, 9090);
    assert_int_equal(settings.workers, 0); /* by the processors */
    assert_int_equal(settings.name_hold_s, 30 * 86400);
    assert_null(settings.data);
    assert_null(settings.certificate);
    assert_int_equal(settings.format, ADIT_LOG_TEXT);
    assert_false(settings.is_sandbox_off);
    assert_true(settings.is_polling);
}

static void serve_takes_values(void **state)
{
    (void)state;
    const struct line line = {{"serve", "--domain=t.example.com", "--https", "[::]:443",
                               "--tcp-ports=1-65535", "--log-format=json", "--no-sandbox",
                               "--cert=c.pem", "--key=k.pem"}};
    uint8_t memory[256] = {0};
    struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_serve_settings settings = {0};
    assert_fails(serve(&line, &complaint, &settings), INVALID); /* 443 is in the range */
    const struct line good = {{"serve", "--domain=t.example.com", "--https", "[::]:443",
                               "--tcp-ports=444-65535", "--log-format=json", "--no-sandbox",
                               "--cert=c.pem", "--workers=16", "--key=k.pem",
                               "--busy-poll=off"}};
    assert_ok(serve(&good, &complaint, &settings));
    assert_bytes(settings.domain, ADIT_BYTES("t.example.com"));
    assert_int_equal(settings.https.family, 6);
    assert_int_equal(settings.port_to, 65535);
    assert_int_equal(settings.format, ADIT_LOG_JSON);
    assert_true(settings.is_sandbox_off);
    assert_false(settings.is_polling);
    assert_string_equal(settings.key, "k.pem");
    assert_int_equal(settings.workers, 16);
}

static void bad_values_are_explained(void **state)
{
    (void)state;
    static const struct {
        const char *option;
        struct adit_bytes complaint;
    } cases[] = {
#define DOMAIN_SAYS                                                                             \
    ADIT_BYTES_INIT("option '--domain': give a domain in lower case, such as tunnel.example.com")
#define HTTPS_SAYS                                                                              \
    ADIT_BYTES_INIT("option '--https': give an address and a port, such as 0.0.0.0:443 or [::]:443")
#define PORTS_SAYS                                                                              \
    ADIT_BYTES_INIT("option '--tcp-ports': give a range of ports, such as 20000-20999")
#define WORKERS_SAYS ADIT_BYTES_INIT("option '--workers': give a number from 1 to 16")
        {"--domain=", DOMAIN_SAYS},
        {"--domain=UPPER.example", DOMAIN_SAYS},
        {"--domain=a..b", DOMAIN_SAYS},
        {"--domain=.a", DOMAIN_SAYS},
        {"--domain=a.", DOMAIN_SAYS},
        {"--domain=-a.b", DOMAIN_SAYS},
        {"--domain=a-.b", DOMAIN_SAYS},
        {"--domain=a b", DOMAIN_SAYS},
        {"--https=443", HTTPS_SAYS},
        {"--https=localhost:443", HTTPS_SAYS},
        {"--https=127.0.0.1:65536", HTTPS_SAYS},
        {"--tcp-ports=20000", PORTS_SAYS},
        {"--tcp-ports=0-10", PORTS_SAYS},
        {"--tcp-ports=10-9", PORTS_SAYS},
        {"--tcp-ports=1-65536", PORTS_SAYS},
        {"--tcp-ports=1-2-3", PORTS_SAYS},
        {"--tcp-ports=8000-9000",
         ADIT_BYTES_INIT("option '--tcp-ports': leave the port of --https out of the range")},
        {"--cert=x", ADIT_BYTES_INIT("option '--cert': give the key as well, with --key FILE or "
                                     "key: FILE")},
        {"--key=x", ADIT_BYTES_INIT("option '--key': give the certificate as well, with --cert "
                                    "FILE or cert: FILE")},
        {"--http=80", ADIT_BYTES_INIT("option '--http': give an address and a port, such as "
                                      "0.0.0.0:80 or [::]:80")},
        {"--http-mode=both", ADIT_BYTES_INIT("option '--http-mode': give redirect or serve")},
        {"--busy-poll=on", ADIT_BYTES_INIT("option '--busy-poll': give auto or off")},
        {"--admin=off", ADIT_BYTES_INIT("option '--admin': give an address and a port, such as "
                                        "127.0.0.1:9090")},
        {"--workers=0", WORKERS_SAYS},
        {"--workers=17", WORKERS_SAYS},
        {"--workers=", WORKERS_SAYS},
        {"--workers=many", WORKERS_SAYS},
        {"--data=", ADIT_BYTES_INIT("option '--data': give the name of a folder")},
        {"--log-format=xml", ADIT_BYTES_INIT("option '--log-format': give text or json")},
    };
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        const struct line line = {{"serve", ADIT_AT(cases, i).option}};
        uint8_t memory[256] = {0};
        struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
        struct adit_serve_settings settings = {.port_to = 7};
        assert_fails(serve(&line, &complaint, &settings), INVALID);
        assert_bytes(adit_writer_bytes(&complaint), ADIT_AT(cases, i).complaint);
        assert_int_equal(settings.port_to, 7);
    }
}

/* What the file says, and the words after `serve`. */
static struct adit_status both(struct adit_bytes file, const struct line *line,
                               struct adit_writer *complaint,
                               struct adit_serve_settings *out_settings)
{
    static struct adit_config config;
    struct adit_args args = {0};
    line_parse(line, &args);
    complaint->len = 0;
    assert_ok(adit_config_read(ADIT_BYTES("f.yaml"), file, &config, complaint));
    return adit_serve_settings_read(&args, &config, complaint, out_settings);
}

static void the_file_is_taken_and_options_stand_above_it(void **state)
{
    (void)state;
    uint8_t memory[256] = {0};
    struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_serve_settings settings = {0};
    const struct adit_bytes file = ADIT_BYTES("data: /srv/adit\n"
                                              "domain: t.example.com\n"
                                              "https: \"[::]:443\"\n"
                                              "http: 0.0.0.0:80\n"
                                              "http_mode: serve\n"
                                              "tcp_ports: 30000-30009\n"
                                              "admin: 127.0.0.1:9999\n"
                                              "workers: 3\n"
                                              "cert: 'c.pem'\n"
                                              "key: k.pem\n"
                                              "log_format: json\n"
                                              "sandbox: false\n"
                                              "name_hold: 12h\n");
    const struct line plain = {{"serve"}};
    assert_ok(both(file, &plain, &complaint, &settings));
    assert_string_equal(settings.data, "/srv/adit");
    assert_bytes(settings.domain, ADIT_BYTES("t.example.com"));
    assert_int_equal(settings.https.family, 6);
    assert_int_equal(settings.http.port, 80);
    assert_true(settings.is_http_serve);
    assert_int_equal(settings.port_to, 30009);
    assert_int_equal(settings.admin.port, 9999);
    assert_string_equal(settings.certificate, "c.pem");
    assert_string_equal(settings.key, "k.pem");
    assert_int_equal(settings.workers, 3);
    assert_int_equal(settings.format, ADIT_LOG_JSON);
    assert_true(settings.is_sandbox_off);
    assert_int_equal(settings.name_hold_s, 12 * 3600);
    const struct line over = {{"serve", "--domain=u.example.com", "--https=127.0.0.1:8443",
                               "--cert=d.pem", "--log-format=text"}};
    assert_ok(both(file, &over, &complaint, &settings));
    assert_bytes(settings.domain, ADIT_BYTES("u.example.com"));
    assert_int_equal(settings.https.port, 8443);
    assert_string_equal(settings.certificate, "d.pem");
    assert_string_equal(settings.key, "k.pem");
    assert_int_equal(settings.workers, 3);
    assert_int_equal(settings.format, ADIT_LOG_TEXT);
    assert_true(settings.is_http_serve);
}

static void bad_values_of_a_file_are_explained(void **state)
{
    (void)state;
    static const struct {
        struct adit_bytes file;
        struct adit_bytes complaint;
    } cases[] = {
        {ADIT_BYTES_INIT("# the public\ndomain: A.example\n"),
         ADIT_BYTES_INIT("f.yaml:2:9: key 'domain': give a domain in lower case, such as "
                         "tunnel.example.com")},
        {ADIT_BYTES_INIT("sandbox: yes\n"),
         ADIT_BYTES_INIT("f.yaml:1:10: key 'sandbox': give true or false")},
        {ADIT_BYTES_INIT("workers: 1.5\n"),
         ADIT_BYTES_INIT("f.yaml:1:10: key 'workers': give a number from 1 to 16")},
        {ADIT_BYTES_INIT("workers: 17\n"),
         ADIT_BYTES_INIT("f.yaml:1:10: key 'workers': give a number from 1 to 16")},
        {ADIT_BYTES_INIT("name_hold: 30\n"),
         ADIT_BYTES_INIT("f.yaml:1:12: key 'name_hold': give a time such as 12h or 30d, up to "
                         "3650d")},
        {ADIT_BYTES_INIT("name_hold: 0d\n"),
         ADIT_BYTES_INIT("f.yaml:1:12: key 'name_hold': give a time such as 12h or 30d, up to "
                         "3650d")},
        {ADIT_BYTES_INIT("cert: a.pem\n"),
         ADIT_BYTES_INIT("f.yaml:1:7: key 'cert': give the key as well, with --key FILE or "
                         "key: FILE")},
    };
    const struct line line = {{"serve"}};
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        uint8_t memory[256] = {0};
        struct adit_writer complaint = adit_writer_of(ADIT_SPAN_OF(memory));
        struct adit_serve_settings settings = {.port_to = 7};
        assert_fails(both(ADIT_AT(cases, i).file, &line, &complaint, &settings), INVALID);
        assert_bytes(adit_writer_bytes(&complaint), ADIT_AT(cases, i).complaint);
        assert_int_equal(settings.port_to, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serve_has_defaults),
        cmocka_unit_test(serve_takes_values),
        cmocka_unit_test(bad_values_are_explained),
        cmocka_unit_test(the_file_is_taken_and_options_stand_above_it),
        cmocka_unit_test(bad_values_of_a_file_are_explained),
    };
    return cmocka_run_group_tests_name("aditd/serve_settings", tests, NULL, NULL);
}
