#include "wire/stream_head.h"

const char *adit_tunnel_name(enum adit_tunnel kind)
{
    switch (kind) {
    case ADIT_TUNNEL_NONE:
        return NULL;
#define ADIT_TUNNEL_CASE(NAME, number, text)                                                    \
    case ADIT_TUNNEL_##NAME:                                                                    \
        return text;
        ADIT_TUNNEL_TABLE(ADIT_TUNNEL_CASE)
#undef ADIT_TUNNEL_CASE
    }
    return NULL;
}

struct adit_status adit_tunnel_find(struct adit_bytes name, enum adit_tunnel *out_kind)
{
#define ADIT_TUNNEL_FIND(NAME, number, text)                                                    \
    if (adit_bytes_equal(name, ADIT_BYTES(text))) {                                             \
        *out_kind = ADIT_TUNNEL_##NAME;                                                         \
        return adit_ok();                                                                       \
    }
    ADIT_TUNNEL_TABLE(ADIT_TUNNEL_FIND)
#undef ADIT_TUNNEL_FIND
    ADIT_FAIL(INVALID, "no such kind of tunnel");
}

struct adit_status adit_tunnel_of(uint8_t number, enum adit_tunnel *out_kind)
{
    switch (number) {
#define ADIT_TUNNEL_CASE(NAME, number, text)                                                    \
    case number:                                                                                \
        *out_kind = ADIT_TUNNEL_##NAME;                                                         \
        return adit_ok();
        ADIT_TUNNEL_TABLE(ADIT_TUNNEL_CASE)
#undef ADIT_TUNNEL_CASE
    default:
        ADIT_FAIL(INVALID, "no such kind of tunnel");
    }
}

struct adit_status adit_dial_result_of(uint8_t byte, enum adit_dial_result *out_dial)
{
    switch (byte) {
#define ADIT_DIAL_CASE(NAME, number, text, meaning)                                             \
    case number:                                                                                \
        *out_dial = ADIT_DIAL_##NAME;                                                           \
        return adit_ok();
        ADIT_DIAL_TABLE(ADIT_DIAL_CASE)
#undef ADIT_DIAL_CASE
    default:
        ADIT_FAIL(INVALID, "no such dial result");
    }
}

const char *adit_dial_name(enum adit_dial_result dial)
{
    switch (dial) {
#define ADIT_DIAL_CASE(NAME, number, text, meaning)                                             \
    case ADIT_DIAL_##NAME:                                                                      \
        return text;
        ADIT_DIAL_TABLE(ADIT_DIAL_CASE)
#undef ADIT_DIAL_CASE
    }
    return "unknown";
}

const char *adit_dial_meaning(enum adit_dial_result dial)
{
    switch (dial) {
#define ADIT_DIAL_CASE(NAME, number, text, meaning)                                             \
    case ADIT_DIAL_##NAME:                                                                      \
        return meaning;
        ADIT_DIAL_TABLE(ADIT_DIAL_CASE)
#undef ADIT_DIAL_CASE
    }
    return "unknown";
}

static bool is_zero(struct adit_bytes bytes)
{
    uint8_t seen = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        seen = (uint8_t)(seen | adit_bytes_at(bytes, i));
    }
    return seen == 0;
}

static struct adit_status endpoint_check(const struct adit_endpoint *endpoint)
{
    struct adit_bytes ip = ADIT_BYTES_OF(endpoint->ip);
    switch (endpoint->family) {
    case 0:
        ADIT_ENSURE(endpoint->port == 0 && is_zero(ip), INVALID, "an address without a family");
        return adit_ok();
    case 4:
        ADIT_ENSURE(is_zero(adit_bytes_from(ip, 4)), INVALID, "an IPv4 address of 16 bytes");
        return adit_ok();
    case 6:
        return adit_ok();
    default:
        ADIT_FAIL(INVALID, "no such address family");
    }
}

struct adit_status adit_stream_head_read(struct adit_reader *reader,
                                         struct adit_stream_head *out_head)
{
    struct adit_reader attempt = *reader;
    struct adit_stream_head head = {0};
    uint8_t version = 0;
    uint8_t kind = 0;
    uint8_t zero_u8 = 0;
    uint16_t zero_u16 = 0;
    uint32_t zero_u32 = 0;
    ADIT_TRY(adit_read_u8(&attempt, &version));
    ADIT_TRY(adit_read_u8(&attempt, &kind));
    ADIT_TRY(adit_read_u8(&attempt, &head.visitor.family));
    ADIT_TRY(adit_read_u8(&attempt, &zero_u8));
    ADIT_TRY(adit_read_u32(&attempt, &head.bind));
    ADIT_TRY(adit_read_u16(&attempt, &head.visitor.port));
    ADIT_TRY(adit_read_u16(&attempt, &zero_u16));
    ADIT_TRY(adit_read_copy(&attempt, ADIT_SPAN_OF(head.visitor.ip)));
    ADIT_TRY(adit_read_u32(&attempt, &zero_u32));
    ADIT_ENSURE(version == ADIT_STREAM_HEAD_VERSION, INVALID, "a stream head of another version");
    ADIT_ENSURE(zero_u8 == 0 && zero_u16 == 0 && zero_u32 == 0, INVALID,
                "reserved bytes of a stream head are not zero");
    ADIT_ENSURE(head.bind != 0, INVALID, "a stream head without a bind id");
    ADIT_TRY(adit_tunnel_of(kind, &head.kind));
    ADIT_TRY(endpoint_check(&head.visitor));
    *out_head = head;
    *reader = attempt;
    return adit_ok();
}

struct adit_status adit_stream_head_write(struct adit_writer *writer,
                                          const struct adit_stream_head *head)
{
    struct adit_writer attempt = *writer;
    ADIT_ENSURE(adit_tunnel_name(head->kind), INVALID, "no such kind of tunnel");
    ADIT_ENSURE(head->bind != 0, INVALID, "a stream head without a bind id");
    ADIT_TRY(endpoint_check(&head->visitor));
    ADIT_TRY(adit_write_u8(&attempt, ADIT_STREAM_HEAD_VERSION));
    ADIT_TRY(adit_write_u8(&attempt, (uint8_t)head->kind));
    ADIT_TRY(adit_write_u8(&attempt, head->visitor.family));
    ADIT_TRY(adit_write_u8(&attempt, 0));
    ADIT_TRY(adit_write_u32(&attempt, head->bind));
    ADIT_TRY(adit_write_u16(&attempt, head->visitor.port));
    ADIT_TRY(adit_write_u16(&attempt, 0));
    ADIT_TRY(adit_write_bytes(&attempt, ADIT_BYTES_OF(head->visitor.ip)));
    ADIT_TRY(adit_write_u32(&attempt, 0));
    *writer = attempt;
    return adit_ok();
}
