#include "http/fields.h"

static const struct adit_bytes hop_by_hop[] = {
    ADIT_BYTES_INIT("connection"),
    ADIT_BYTES_INIT("content-length"),
    ADIT_BYTES_INIT("keep-alive"),
    ADIT_BYTES_INIT("proxy-authenticate"),
    ADIT_BYTES_INIT("proxy-authorization"),
    ADIT_BYTES_INIT("proxy-connection"),
    ADIT_BYTES_INIT("te"),
    ADIT_BYTES_INIT("transfer-encoding"),
    ADIT_BYTES_INIT("upgrade"),
};

/* Beside all that begin with X-Forwarded-: the names by which proxies and content delivery networks
 * tell a program who the visitor is. Behind us there is none of them, so they can only be lies. */
static const struct adit_bytes about_visitor[] = {
    ADIT_BYTES_INIT("cf-connecting-ip"), ADIT_BYTES_INIT("client-ip"),
    ADIT_BYTES_INIT("fastly-client-ip"), ADIT_BYTES_INIT("forwarded"),
    ADIT_BYTES_INIT("true-client-ip"),   ADIT_BYTES_INIT("x-client-ip"),
    ADIT_BYTES_INIT("x-cluster-client-ip"), ADIT_BYTES_INIT("x-real-ip"),
};

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
    return name.len >= prefix.len &&
           adit_bytes_equal_nocase(adit_bytes_first(name, prefix.len), prefix);
}

bool adit_http_is_hop_by_hop(struct adit_bytes name)
{
    return is_one_of(hop_by_hop, ADIT_COUNT(hop_by_hop), name);
}

bool adit_http_is_about_visitor(struct adit_bytes name)
{
    return begins_with(name, ADIT_BYTES("x-forwarded-")) ||
           is_one_of(about_visitor, ADIT_COUNT(about_visitor), name);
}

bool adit_http_is_barred_from_trailers(struct adit_bytes name)
{
    return adit_http_is_hop_by_hop(name) || adit_http_is_about_visitor(name) ||
           begins_with(name, ADIT_BYTES("if-")) || begins_with(name, ADIT_BYTES("sec-")) ||
           begins_with(name, ADIT_BYTES("access-control-")) ||
           is_one_of(barred_from_trailers, ADIT_COUNT(barred_from_trailers), name);
}

struct adit_status adit_http_options_gather(const struct adit_http_head *head,
                                            struct adit_http_options *out_options)
{
    out_options->count = 0;
    for (size_t i = 0; i < head->field_count; i++) {
        const struct adit_http_field *field = &ADIT_AT(head->fields, i);
        if (!adit_bytes_equal_nocase(field->name, ADIT_BYTES("connection"))) {
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

bool adit_http_field_is(const struct adit_http_head *head, struct adit_bytes name,
                        struct adit_bytes value)
{
    const struct adit_http_field *field = adit_http_field_find(head, name);
    return field && adit_http_field_count(head, name) == 1 &&
           adit_bytes_equal_nocase(field->value, value);
}

bool adit_http_field_lists(const struct adit_http_head *head, struct adit_bytes name,
                           struct adit_bytes element)
{
    for (size_t i = 0; i < head->field_count; i++) {
        const struct adit_http_field *field = &ADIT_AT(head->fields, i);
        struct adit_bytes rest = field->value;
        struct adit_bytes one = {0};
        while (adit_bytes_equal_nocase(field->name, name) && adit_http_list_next(&rest, &one)) {
            if (adit_bytes_equal_nocase(one, element)) {
                return true;
            }
        }
    }
    return false;
}
