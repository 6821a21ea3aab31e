#include "http/fields.h"

#define BIT(NAME) adit_http_name_bit(ADIT_HTTP_NAME_##NAME)

uint64_t adit_http_names_of_hop(void)
{
    return BIT(CONNECTION) | BIT(CONTENT_LENGTH) | BIT(KEEP_ALIVE) | BIT(PROXY_AUTHENTICATE) |
           BIT(PROXY_AUTHORIZATION) | BIT(PROXY_CONNECTION) | BIT(TE) | BIT(TRANSFER_ENCODING) |
           BIT(UPGRADE);
}

/* The names by which proxies and content delivery networks tell a program who the visitor is.
 * Behind us there is none of them, so they can only be lies. */
uint64_t adit_http_names_about_visitor(void)
{
    return BIT(CF_CONNECTING_IP) | BIT(CLIENT_IP) | BIT(FASTLY_CLIENT_IP) | BIT(FORWARDED) |
           BIT(TRUE_CLIENT_IP) | BIT(X_CLIENT_IP) | BIT(X_CLUSTER_CLIENT_IP) | BIT(X_REAL_IP);
}

static const struct adit_bytes barred_from_trailers[] = {
    ADIT_BYTES_INIT("accept"),
    ADIT_BYTES_INIT("adit-error"),
    ADIT_BYTES_INIT("age"),
    ADIT_BYTES_INIT("authorization"),
    ADIT_BYTES_INIT("cache-control"),
    ADIT_BYTES_INIT("content-encoding"),
    ADIT_BYTES_INIT("content-range"),
    ADIT_BYTES_INIT("content-type"),
    ADIT_BYTES_INIT("cookie"),
    ADIT_BYTES_INIT("date"),
    ADIT_BYTES_INIT("expect"),
    ADIT_BYTES_INIT("expires"),
    ADIT_BYTES_INIT("host"),
    ADIT_BYTES_INIT("location"),
    ADIT_BYTES_INIT("max-forwards"),
    ADIT_BYTES_INIT("origin"),
    ADIT_BYTES_INIT("pragma"),
    ADIT_BYTES_INIT("range"),
    ADIT_BYTES_INIT("retry-after"),
    ADIT_BYTES_INIT("set-cookie"),
    ADIT_BYTES_INIT("trailer"),
    ADIT_BYTES_INIT("vary"),
    ADIT_BYTES_INIT("www-authenticate"),
};

static bool is_one_of(const struct adit_bytes *names, size_t count, struct adit_bytes name)
{
    for (size_t i = 0; i < count; i++) {
        struct adit_bytes one = ADIT_SLOT(names, count, i);
        if (one.len == name.len && adit_bytes_equal_nocase(one, name)) {
            return true;
        }
    }
    return false;
}

static bool begins_with(struct adit_bytes name, struct adit_bytes prefix)
{
    return adit_bytes_equal_nocase(adit_bytes_first(name, prefix.len), prefix);
}

bool adit_http_is_forwarded(const struct adit_http_field *field)
{
    return field->known == ADIT_HTTP_NAME_OTHER &&
           begins_with(field->name, ADIT_BYTES("x-forwarded-"));
}

bool adit_http_is_barred_from_trailers(const struct adit_http_field *field)
{
    uint64_t barred = adit_http_names_of_hop() | adit_http_names_about_visitor();
    return (adit_http_name_bit(field->known) & barred) != 0 || adit_http_is_forwarded(field) ||
           begins_with(field->name, ADIT_BYTES("if-")) ||
           begins_with(field->name, ADIT_BYTES("sec-")) ||
           begins_with(field->name, ADIT_BYTES("access-control-")) ||
           is_one_of(barred_from_trailers, ADIT_COUNT(barred_from_trailers), field->name);
}

struct adit_status adit_http_options_gather(const struct adit_http_head *head,
                                            struct adit_http_options *out_options)
{
    out_options->count = 0;
    for (size_t i = 0; i < head->field_count; i++) {
        const struct adit_http_field *field = &ADIT_AT(head->fields, i);
        if (field->known != ADIT_HTTP_NAME_CONNECTION) {
            continue;
        }
        struct adit_bytes rest = field->value;
        struct adit_bytes option = {0};
        while (adit_http_list_next(&rest, &option)) {
            ADIT_ENSURE(out_options->count < ADIT_HTTP_OPTIONS_MAX, LIMIT,
                        "more than 32 connection options");
            ADIT_AT(out_options->names, out_options->count) = option;
            out_options->count++;
        }
    }
    return adit_ok();
}

bool adit_http_options_have(const struct adit_http_options *options, struct adit_bytes name)
{
    for (size_t i = 0; i < options->count; i++) {
        if (adit_bytes_equal_nocase(ADIT_AT(options->names, i), name)) {
            return true;
        }
    }
    return false;
}

/* A function of its own: what it gathers in is half a KiB that most heads do not need. */
static struct adit_status connection_read(const struct adit_http_head *head,
                                          struct adit_http_connection *out_connection)
{
    struct adit_http_options options = {0};
    ADIT_TRY(adit_http_options_gather(head, &options));
    *out_connection = (struct adit_http_connection){
        .is_close = adit_http_options_have(&options, ADIT_BYTES("close")),
        .is_upgrade = adit_http_options_have(&options, ADIT_BYTES("upgrade")),
        .has_te = adit_http_options_have(&options, ADIT_BYTES("te")),
    };
    return adit_ok();
}

struct adit_status adit_http_connection_read(const struct adit_http_head *head,
                                             struct adit_http_connection *out_connection)
{
    if (adit_http_field_is_there(head, ADIT_HTTP_NAME_CONNECTION)) {
        return connection_read(head, out_connection);
    }
    *out_connection = (struct adit_http_connection){0};
    return adit_ok();
}

bool adit_http_field_is(const struct adit_http_head *head, enum adit_http_name name,
                        struct adit_bytes value)
{
    const struct adit_http_field *field = adit_http_field_of(head, name);
    return field && !adit_http_field_is_repeated(head, name) &&
           adit_bytes_equal_nocase(field->value, value);
}

bool adit_http_field_lists(const struct adit_http_head *head, enum adit_http_name name,
                           struct adit_bytes element)
{
    for (size_t i = 0; i < head->field_count; i++) {
        const struct adit_http_field *field = &ADIT_AT(head->fields, i);
        struct adit_bytes rest = field->value;
        struct adit_bytes one = {0};
        while (field->known == name && adit_http_list_next(&rest, &one)) {
            if (adit_bytes_equal_nocase(one, element)) {
                return true;
            }
        }
    }
    return false;
}
