#include "edge/door/first.h"

#include "route/names.h"

#define AGENTS_NAME ADIT_BYTES("connect") /* reserved: nobody else has it */

static struct adit_first other(enum adit_orphan reason)
{
    return (struct adit_first){.kind = ADIT_FIRST_OTHER, .reason = reason};
}

static struct adit_first hello_judge(const struct adit_client_hello *hello)
{
    struct adit_first first = {.kind = ADIT_FIRST_TLS,
                               .offers_agent = hello->offers_agent,
                               .offers_others = hello->has_alpn && !hello->offers_http1};
    adit_status_ignore(ADIT_FIELD_SET(first.host, ADIT_FIELD_BYTES(hello->server_name)),
                       "both have the same limit");
    return first;
}

bool adit_first_judge(struct adit_bytes seen, struct adit_first *out_first, size_t *out_needed)
{
    struct adit_client_hello hello = {0};
    enum adit_client_hello_verdict verdict = ADIT_CLIENT_HELLO_MORE;
    if (!adit_is_ok(adit_client_hello_parse(seen, &hello, &verdict))) {
        *out_first = other(ADIT_ORPHAN_BAD_HELLO);
        return true;
    }
    switch (verdict) {
    case ADIT_CLIENT_HELLO_MORE:
        *out_needed = hello.needed;
        return false;
    case ADIT_CLIENT_HELLO_TOO_OLD:
        *out_first = other(ADIT_ORPHAN_TOO_OLD);
        return true;
    case ADIT_CLIENT_HELLO_NOT_TLS:
        *out_first = other(ADIT_ORPHAN_PLAIN);
        return true;
    case ADIT_CLIENT_HELLO_FOUND:
        *out_first = hello_judge(&hello);
        return true;
    }
    return false;
}

/* What a worker would take its host for; empty where it would refuse the request. */
static struct adit_first head_judge(struct adit_bytes bytes)
{
    struct adit_first first = {.kind = ADIT_FIRST_PLAIN};
    struct adit_http_head head = {0};
    struct adit_http_request request = {0};
    bool is_good = adit_is_ok(adit_http_request_parse(bytes, &head)) &&
                   adit_is_ok(adit_http_request_judge(&head, &request));
    if (is_good) {
        adit_status_ignore(ADIT_FIELD_SET(first.host, ADIT_FIELD_BYTES(request.host)),
                           "a server name may be as long");
    }
    return first;
}

bool adit_first_judge_plain(struct adit_bytes seen, struct adit_http_scan *scan,
                            struct adit_first *out_first, size_t *out_needed)
{
    size_t used = 0;
    enum adit_parse parse = ADIT_PARSE_MORE;
    if (!adit_is_ok(
            adit_http_scan_head(scan, seen, ADIT_HTTP_HEAD_BYTES_MAX, &used, &parse))) {
        *out_first = (struct adit_first){.kind = ADIT_FIRST_PLAIN};
        return true;
    }
    switch (parse) {
    case ADIT_PARSE_MORE:
        *out_needed = seen.len + 1;
        return false;
    case ADIT_PARSE_FOUND:
        *out_first = head_judge(adit_bytes_first(seen, used));
        return true;
    }
    return false;
}

static struct adit_way orphan(enum adit_orphan reason)
{
    return (struct adit_way){.kind = ADIT_WAY_ORPHAN, .reason = reason};
}

/* A name that is in use, or was a moment ago; null for the others. */
static const struct adit_named *live_find(const struct adit_names *names, struct adit_bytes name,
                                          uint64_t now_us)
{
    const struct adit_named *entry = name.len > 0 ? adit_names_find(names, name) : NULL;
    bool is_live =
        entry && (entry->state == ADIT_NAMED_OWNED || entry->grace_end_us > now_us);
    return is_live ? entry : NULL;
}

/* A name of which nothing at all is known: not in use, not held for anybody. */
static bool is_unknown(const struct adit_names *names, struct adit_bytes name)
{
    return adit_name_is_valid(name) && !adit_names_find(names, name);
}

static struct adit_way web_way(const struct adit_names *names, struct adit_bytes name)
{
    return (struct adit_way){.kind = ADIT_WAY_WEB, .is_unknown = is_unknown(names, name)};
}

static struct adit_way live_way(const struct adit_named *live, struct adit_bytes name)
{
    if (live->state != ADIT_NAMED_OWNED) {
        return (struct adit_way){.kind = ADIT_WAY_PARK, .until_us = live->grace_end_us};
    }
    return (struct adit_way){
        .kind = live->kind == ADIT_TUNNEL_TLS ? ADIT_WAY_THROUGH : ADIT_WAY_WEB,
        .owners = &live->owners,
        .name = name,
    };
}

static struct adit_way hello_way(const struct adit_names *names, struct adit_bytes domain,
                                 const struct adit_first *first, uint64_t now_us)
{
    struct adit_bytes name = adit_name_of_host(ADIT_FIELD_BYTES(first->host), domain);
    const struct adit_named *live = live_find(names, name, now_us);
    if (live && live->kind == ADIT_TUNNEL_TLS) {
        return live_way(live, name); /* what it offers is for the program behind the tunnel */
    }
    if (first->offers_agent) {
        return (struct adit_way){.kind = ADIT_WAY_AGENT};
    }
    if (first->offers_others || adit_bytes_equal(name, AGENTS_NAME)) {
        return orphan(ADIT_ORPHAN_OTHER_ALPN);
    }
    return live ? live_way(live, name) : web_way(names, name);
}

/* The bytes of a TLS tunnel are TLS: a worker says that there is nothing at this port. */
static struct adit_way plain_way(const struct adit_names *names, struct adit_bytes domain,
                                 const struct adit_first *first, uint64_t now_us)
{
    struct adit_bytes name = adit_name_of_host(ADIT_FIELD_BYTES(first->host), domain);
    const struct adit_named *live = live_find(names, name, now_us);
    return live && live->kind == ADIT_TUNNEL_HTTP ? live_way(live, name) : web_way(names, name);
}

struct adit_way adit_way_of(const struct adit_names *names, struct adit_bytes domain,
                            const struct adit_first *first, uint64_t now_us)
{
    switch (first->kind) {
    case ADIT_FIRST_OTHER:
        return orphan(first->reason);
    case ADIT_FIRST_PLAIN:
        return plain_way(names, domain, first, now_us);
    case ADIT_FIRST_TLS:
        return hello_way(names, domain, first, now_us);
    }
    return orphan(ADIT_ORPHAN_BAD_HELLO);
}
