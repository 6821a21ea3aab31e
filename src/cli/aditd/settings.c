#include "cli/aditd/settings.h"

#define OPTION(name_, value_, help_)                                                            \
    {.name = ADIT_BYTES_INIT(name_),                                                            \
     .value = ADIT_BYTES_INIT(value_),                                                          \
     .help = ADIT_BYTES_INIT(help_)}
#define DATA_OPTION                                                                             \
    OPTION("data", "DIR",                                                                       \
           "where state is kept; default: /var/lib/adit as root, else ~/.local/share/adit")

static const struct adit_args_option serve_options[] = {
    OPTION("config", "FILE", "settings as YAML; options stand above them"),
#define KEY_OPTION(id, kind, key, option, form, fallback, help) OPTION(option, form, help),
    ADIT_KEY_OPTION_TABLE(KEY_OPTION)
#undef KEY_OPTION
    OPTION("no-sandbox", "", "run without a sandbox; for debuggers and sanitizers"),
};

static const struct adit_args_option token_options[] = {
    OPTION("account", "NAME", "whose token it is; 1 to 32 of a-z A-Z 0-9 . _ @ -"),
    OPTION("allow", "http,tcp,tls", "the kinds of tunnel that it allows; default: all three"),
    OPTION("names", "PATTERN", "the names that it allows: exact or prefix*; default: *"),
    OPTION("ttl", "TIME", "how long it is good: 30s, 5m, 12h, 30d; default: 30d"),
    OPTION("json", "", "print id, token, account and expires_at as JSON"),
    DATA_OPTION,
};

static const struct adit_args_option list_options[] = {
    OPTION("json", "", "print them as an array of JSON objects"),
    DATA_OPTION,
};

static const struct adit_args_option status_options[] = {
    OPTION("json", "", "print the server's own answer, one line of JSON"),
    DATA_OPTION,
};

static const struct adit_args_option data_options[] = {
    DATA_OPTION,
};

static const struct adit_args_command commands[] = {
    {.name = ADIT_BYTES_INIT("serve"),
     .summary = ADIT_BYTES_INIT("run the server"),
     .options = serve_options,
     .option_count = ADIT_COUNT(serve_options),
     .number = ADIT_ADITD_SERVE},
    {.name = ADIT_BYTES_INIT("token create"),
     .summary = ADIT_BYTES_INIT("make a token for an account and print it, once"),
     .options = token_options,
     .option_count = ADIT_COUNT(token_options),
     .number = ADIT_ADITD_TOKEN_CREATE},
    {.name = ADIT_BYTES_INIT("token list"),
     .summary = ADIT_BYTES_INIT("print all tokens that were made, without their secrets"),
     .options = list_options,
     .option_count = ADIT_COUNT(list_options),
     .number = ADIT_ADITD_TOKEN_LIST},
    {.name = ADIT_BYTES_INIT("token revoke"),
     .operands = ADIT_BYTES_INIT("ID"),
     .summary = ADIT_BYTES_INIT("make a token useless at once; ID: 8 digits of it or more"),
     .operands_min = 1,
     .operands_max = 1,
     .options = data_options,
     .option_count = ADIT_COUNT(data_options),
     .number = ADIT_ADITD_TOKEN_REVOKE},
    {.name = ADIT_BYTES_INIT("config check"),
     .operands = ADIT_BYTES_INIT("FILE"),
     .summary = ADIT_BYTES_INIT("say whether a configuration file is good"),
     .operands_min = 1,
     .operands_max = 1,
     .options = data_options,
     .option_count = ADIT_COUNT(data_options),
     .number = ADIT_ADITD_CONFIG_CHECK},
    {.name = ADIT_BYTES_INIT("status"),
     .summary = ADIT_BYTES_INIT("print how a running server is"),
     .options = status_options,
     .option_count = ADIT_COUNT(status_options),
     .number = ADIT_ADITD_STATUS},
    {.name = ADIT_BYTES_INIT("reload"),
     .summary = ADIT_BYTES_INIT("make a running server read certificate and keys again"),
     .options = data_options,
     .option_count = ADIT_COUNT(data_options),
     .number = ADIT_ADITD_RELOAD},
    {.name = ADIT_BYTES_INIT("version"),
     .options = data_options,
     .option_count = ADIT_COUNT(data_options),
     .summary = ADIT_BYTES_INIT("print the version"),
     .number = ADIT_ADITD_VERSION},
    {.name = ADIT_BYTES_INIT("help"),
     .summary = ADIT_BYTES_INIT("print this help"),
     .number = ADIT_ADITD_HELP},
};

const struct adit_args_program adit_aditd_program = {
    .name = ADIT_BYTES_INIT("aditd"),
    .summary = ADIT_BYTES_INIT("the server of Adit: a public address for a program elsewhere"),
    .commands = commands,
    .command_count = ADIT_COUNT(commands),
};

const struct adit_args_command *adit_aditd_command_of(enum adit_aditd_command number)
{
    for (size_t i = 0; i < ADIT_COUNT(commands); i++) {
        if (ADIT_AT(commands, i).number == (int)number) {
            return &ADIT_AT(commands, i);
        }
    }
    return NULL;
}

/* "option '--NAME': SENTENCE" */
static void complain(struct adit_writer *complaint, struct adit_bytes name,
                     struct adit_bytes sentence)
{
    complaint->len = 0;
    adit_status_ignore(adit_write_bytes(complaint, ADIT_BYTES("option '--")), "cut is as good");
    adit_status_ignore(adit_write_bytes(complaint, name), "cut is as good");
    adit_status_ignore(adit_write_bytes(complaint, ADIT_BYTES("': ")), "cut is as good");
    adit_status_ignore(adit_write_bytes(complaint, sentence), "cut is as good");
}

#define REFUSE(complaint, name, sentence)                                                       \
    do {                                                                                        \
        complain((complaint), ADIT_BYTES(name), ADIT_BYTES(sentence));                          \
        ADIT_FAIL(INVALID, "an option has a value that it may not have");                       \
    } while (0)

/* The value, or `fallback`. */
static struct adit_bytes value_of(const struct adit_args *args, struct adit_bytes name,
                                  struct adit_bytes fallback)
{
    const char *value = adit_args_value(args, name);
    return value ? adit_bytes_of_text(value) : fallback;
}

static bool allow_parse(struct adit_bytes text, uint8_t *out_allows)
{
    static const struct {
        struct adit_bytes word;
        uint8_t bit;
    } kinds[] = {
        {ADIT_BYTES_INIT("http"), ADIT_TOKEN_ALLOWS_HTTP},
        {ADIT_BYTES_INIT("tcp"), ADIT_TOKEN_ALLOWS_TCP},
        {ADIT_BYTES_INIT("tls"), ADIT_TOKEN_ALLOWS_TLS},
    };
    uint8_t allows = 0;
    for (bool is_more = true; is_more;) {
        size_t comma = adit_bytes_find(text, ',');
        uint8_t bit = 0;
        for (size_t i = 0; i < ADIT_COUNT(kinds); i++) {
            if (adit_bytes_equal(adit_bytes_first(text, comma), ADIT_AT(kinds, i).word)) {
                bit = ADIT_AT(kinds, i).bit;
            }
        }
        if (bit == 0) {
            return false;
        }
        allows |= bit;
        is_more = comma < text.len;
        text = adit_bytes_from(text, comma + 1);
    }
    *out_allows = allows;
    return true;
}

struct adit_status adit_token_settings_read(const struct adit_args *args, uint64_t now_s,
                                            struct adit_writer *complaint,
                                            struct adit_token_record *out_record)
{
    struct adit_token_record record = {.kind = ADIT_TOKEN_USER, .not_before_s = now_s};
    uint64_t ttl_s = 0;
    if (!adit_is_ok(adit_token_account_set(
            &record, value_of(args, ADIT_BYTES("account"), ADIT_BYTES(""))))) {
        REFUSE(complaint, "account", "give a name of 1 to 32 of a-z A-Z 0-9 . _ @ -");
    }
    if (!allow_parse(value_of(args, ADIT_BYTES("allow"), ADIT_BYTES("http,tcp,tls")),
                     &record.allows)) {
        REFUSE(complaint, "allow", "give some of http, tcp and tls, separated by commas");
    }
    if (!adit_is_ok(adit_token_names_set(&record.names,
                                         value_of(args, ADIT_BYTES("names"), ADIT_BYTES("*"))))) {
        REFUSE(complaint, "names", "give names or prefix*, separated by commas, 64 bytes at most");
    }
    if (!adit_is_ok(adit_parse_duration(value_of(args, ADIT_BYTES("ttl"), ADIT_BYTES("30d")),
                                        &ttl_s)) ||
        ttl_s == 0 || ttl_s > UINT32_MAX) {
        REFUSE(complaint, "ttl", "give a time such as 30s, 5m, 12h or 30d, up to 49710d");
    }
    record.expiry_s = now_s + ttl_s;
    *out_record = record;
    return adit_ok();
}

static struct adit_status member_write(struct adit_writer *writer, struct adit_bytes before,
                                       struct adit_bytes text)
{
    ADIT_TRY(adit_write_bytes(writer, before));
    return adit_write_escaped(writer, text, text.len);
}

struct adit_status adit_token_json_write(struct adit_writer *writer,
                                         const struct adit_token_record *record,
                                         struct adit_bytes token)
{
    struct adit_bytes account = ADIT_BYTES_OF(record->account);
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("{\"id\":\"")));
    ADIT_TRY(adit_write_hex(writer, ADIT_BYTES_OF(record->id)));
    ADIT_TRY(member_write(writer, ADIT_BYTES("\",\"token\":\""), token));
    ADIT_TRY(member_write(writer, ADIT_BYTES("\",\"account\":\""),
                          adit_bytes_first(account, adit_bytes_find(account, 0))));
    ADIT_TRY(adit_write_bytes(writer, ADIT_BYTES("\",\"expires_at\":\"")));
    ADIT_TRY(adit_write_time(writer, record->expiry_s * 1000));
    return adit_write_bytes(writer, ADIT_BYTES("\"}\n"));
}
