/* The settings of `serve`: each from the command line, else from the file, else the default. */
#include "cli/aditd/settings.h"

/* Room for a tunnel's name before it: 63 bytes and a dot. */
#define DOMAIN_BYTES_MAX (253 - 64)
#define LABEL_BYTES_MAX 63
#define WORKERS_MAX 16
#define NAME_HOLD_S_MAX (3650u * 86400u)
#define DRAIN_S_MAX 3600u

/* Where values come from, and where a complaint goes. */
struct source {
    const struct adit_args *args;
    const struct adit_config *config;
    struct adit_writer *complaint;
};

/* What the command line says for a key, or null. */
static const char *option_of(const struct source *source, enum adit_key key)
{
    if (key == ADIT_KEY_SANDBOX) {
        return adit_args_is_given(source->args, ADIT_BYTES("no-sandbox")) ? "false" : NULL;
    }
    struct adit_bytes option = adit_key_row(key)->option;
    return option.len > 0 ? adit_args_value(source->args, option) : NULL;
}

static const struct adit_config_value *value_of(const struct source *source, enum adit_key key)
{
    return &ADIT_AT(source->config->values, (size_t)key);
}

static struct adit_bytes text_of(const struct source *source, enum adit_key key)
{
    const char *option = option_of(source, key);
    const struct adit_config_value *value = value_of(source, key);
    if (option) {
        return adit_bytes_of_text(option);
    }
    return value->is_given ? adit_bytes_first(adit_bytes_of_chars(value->text, sizeof value->text),
                                              value->len)
                           : adit_key_row(key)->fallback;
}

struct adit_bytes adit_serve_setting(const struct adit_args *args,
                                     const struct adit_config *config, enum adit_key key)
{
    const struct source source = {.args = args, .config = config};
    return text_of(&source, key);
}

/* A text as it stands, for a path; null where nobody gave one. */
static const char *path_of(const struct source *source, enum adit_key key)
{
    const char *option = option_of(source, key);
    const struct adit_config_value *value = value_of(source, key);
    if (option) {
        return option;
    }
    return value->is_given ? &ADIT_AT(value->text, 0) : NULL;
}

/* "option '--https': SENTENCE" or "FILE:3:8: key 'https': SENTENCE", after who said it. */
static struct adit_status complaint_write(const struct source *source, enum adit_key key,
                                          struct adit_bytes sentence)
{
    const struct adit_config_value *value = value_of(source, key);
    bool is_option = option_of(source, key) || !value->is_given;
    struct adit_writer *writer = source->complaint;
    writer->len = 0;
    if (is_option) {
        ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("option '--")));
        ADIT_TRY(adit_write_bytes(writer, adit_key_row(key)->option));
    } else {
        ADIT_TRY(adit_config_place_write(writer, source->config->file, value->line,
                                         value->column));
        ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("key '")));
        ADIT_TRY(adit_write_bytes(writer, adit_key_row(key)->key));
    }
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("': ")));
    return adit_write_bytes(writer, sentence);
}

#define REFUSE(source, key, sentence)                                                           \
    do {                                                                                        \
        adit_status_ignore(complaint_write((source), (key), ADIT_BYTES(sentence)),              \
                           "a cut complaint is still one");                                     \
        ADIT_FAIL(INVALID, "a setting has a value that it may not have");                       \
    } while (0)

static bool is_label_byte(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-';
}

static bool is_label(struct adit_bytes label)
{
    if (label.len == 0 || label.len > LABEL_BYTES_MAX || adit_bytes_at(label, 0) == '-' ||
        adit_bytes_at(label, label.len - 1) == '-') {
        return false;
    }
    for (size_t i = 0; i < label.len; i++) {
        if (!is_label_byte(adit_bytes_at(label, i))) {
            return false;
        }
    }
    return true;
}

static bool is_domain(struct adit_bytes domain)
{
    if (domain.len == 0 || domain.len > DOMAIN_BYTES_MAX ||
        adit_bytes_ends_with(domain, ADIT_BYTES("."))) {
        return false;
    }
    while (domain.len > 0) {
        size_t dot = adit_bytes_find(domain, '.');
        if (!is_label(adit_bytes_first(domain, dot))) {
            return false;
        }
        domain = adit_bytes_from(domain, dot + 1);
    }
    return true;
}

static bool ports_parse(struct adit_bytes text, uint16_t *out_from, uint16_t *out_to)
{
    size_t dash = adit_bytes_find(text, '-');
    uint64_t from = 0;
    uint64_t to = 0;
    if (dash == text.len ||
        !adit_is_ok(adit_parse_decimal(adit_bytes_first(text, dash), UINT16_MAX, &from)) ||
        !adit_is_ok(adit_parse_decimal(adit_bytes_from(text, dash + 1), UINT16_MAX, &to)) ||
        from == 0 || from > to) {
        return false;
    }
    *out_from = (uint16_t)from;
    *out_to = (uint16_t)to;
    return true;
}

static bool mode_parse(struct adit_bytes text, bool *out_is_serve)
{
    *out_is_serve = adit_bytes_equal(text, ADIT_BYTES("serve"));
    return *out_is_serve || adit_bytes_equal(text, ADIT_BYTES("redirect"));
}

static bool polling_parse(struct adit_bytes text, bool *out_is_polling)
{
    *out_is_polling = adit_bytes_equal(text, ADIT_BYTES("auto"));
    return *out_is_polling || adit_bytes_equal(text, ADIT_BYTES("off"));
}

static bool format_parse(struct adit_bytes text, enum adit_log_format *out_format)
{
    bool is_json = adit_bytes_equal(text, ADIT_BYTES("json"));
    if (!is_json && !adit_bytes_equal(text, ADIT_BYTES("text"))) {
        return false;
    }
    *out_format = is_json ? ADIT_LOG_JSON : ADIT_LOG_TEXT;
    return true;
}

static bool flag_parse(struct adit_bytes text, bool *out_flag)
{
    *out_flag = adit_bytes_equal(text, ADIT_BYTES("true"));
    return *out_flag || adit_bytes_equal(text, ADIT_BYTES("false"));
}

static struct adit_status addresses_read(const struct source *source,
                                         struct adit_serve_settings *settings)
{
    if (!adit_is_ok(adit_address_parse(text_of(source, ADIT_KEY_HTTPS), &settings->https))) {
        REFUSE(source, ADIT_KEY_HTTPS,
               "give an address and a port, such as 0.0.0.0:443 or [::]:443");
    }
    if (!adit_is_ok(adit_address_parse(text_of(source, ADIT_KEY_HTTP), &settings->http))) {
        REFUSE(source, ADIT_KEY_HTTP, "give an address and a port, such as 0.0.0.0:80 or [::]:80");
    }
    if (!adit_is_ok(adit_address_parse(text_of(source, ADIT_KEY_ADMIN), &settings->admin))) {
        REFUSE(source, ADIT_KEY_ADMIN, "give an address and a port, such as 127.0.0.1:9090");
    }
    if (!ports_parse(text_of(source, ADIT_KEY_TCP_PORTS), &settings->port_from,
                     &settings->port_to)) {
        REFUSE(source, ADIT_KEY_TCP_PORTS, "give a range of ports, such as 20000-20999");
    }
    if (settings->https.port >= settings->port_from && settings->https.port <= settings->port_to) {
        REFUSE(source, ADIT_KEY_TCP_PORTS, "leave the port of --https out of the range");
    }
    return adit_ok();
}

static struct adit_status certificate_read(const struct source *source,
                                           struct adit_serve_settings *settings)
{
    settings->certificate = path_of(source, ADIT_KEY_CERT);
    settings->key = path_of(source, ADIT_KEY_KEY);
    if (settings->certificate && !settings->key) {
        REFUSE(source, ADIT_KEY_CERT, "give the key as well, with --key FILE or key: FILE");
    }
    if (settings->key && !settings->certificate) {
        REFUSE(source, ADIT_KEY_KEY,
               "give the certificate as well, with --cert FILE or cert: FILE");
    }
    return adit_ok();
}

static struct adit_status process_read(const struct source *source,
                                       struct adit_serve_settings *settings)
{
    bool is_sandboxed = true;
    bool has_workers = option_of(source, ADIT_KEY_WORKERS) ||
                       value_of(source, ADIT_KEY_WORKERS)->is_given;
    if (has_workers && (!adit_is_ok(adit_parse_decimal(text_of(source, ADIT_KEY_WORKERS),
                                                       WORKERS_MAX, &settings->workers)) ||
                        settings->workers == 0)) {
        REFUSE(source, ADIT_KEY_WORKERS, "give a number from 1 to 16");
    }
    if (!format_parse(text_of(source, ADIT_KEY_LOG_FORMAT), &settings->format)) {
        REFUSE(source, ADIT_KEY_LOG_FORMAT, "give text or json");
    }
    if (!polling_parse(text_of(source, ADIT_KEY_BUSY_POLL), &settings->is_polling)) {
        REFUSE(source, ADIT_KEY_BUSY_POLL, "give auto or off");
    }
    if (!flag_parse(text_of(source, ADIT_KEY_SANDBOX), &is_sandboxed)) {
        REFUSE(source, ADIT_KEY_SANDBOX, "give true or false");
    }
    settings->is_sandbox_off = !is_sandboxed;
    return adit_ok();
}

struct adit_status adit_serve_settings_read(const struct adit_args *args,
                                            const struct adit_config *config,
                                            struct adit_writer *complaint,
                                            struct adit_serve_settings *out_settings)
{
    const struct source source = {.args = args, .config = config, .complaint = complaint};
    struct adit_serve_settings settings = {.data = path_of(&source, ADIT_KEY_DATA),
                                           .domain = text_of(&source, ADIT_KEY_DOMAIN)};
    if (settings.data && *settings.data == 0) {
        REFUSE(&source, ADIT_KEY_DATA, "give the name of a folder");
    }
    if (!is_domain(settings.domain)) {
        REFUSE(&source, ADIT_KEY_DOMAIN,
               "give a domain in lower case, such as tunnel.example.com");
    }
    ADIT_TRY(addresses_read(&source, &settings));
    if (!mode_parse(text_of(&source, ADIT_KEY_HTTP_MODE), &settings.is_http_serve)) {
        REFUSE(&source, ADIT_KEY_HTTP_MODE, "give redirect or serve");
    }
    ADIT_TRY(certificate_read(&source, &settings));
    ADIT_TRY(process_read(&source, &settings));
    if (!adit_is_ok(adit_parse_duration(text_of(&source, ADIT_KEY_NAME_HOLD),
                                        &settings.name_hold_s)) ||
        settings.name_hold_s == 0 || settings.name_hold_s > NAME_HOLD_S_MAX) {
        REFUSE(&source, ADIT_KEY_NAME_HOLD, "give a time such as 12h or 30d, up to 3650d");
    }
    if (!adit_is_ok(adit_parse_duration(text_of(&source, ADIT_KEY_DRAIN), &settings.drain_s)) ||
        settings.drain_s > DRAIN_S_MAX) {
        REFUSE(&source, ADIT_KEY_DRAIN, "give a time such as 0s, 30s or 5m, up to 1h");
    }
    *out_settings = settings;
    return adit_ok();
}
