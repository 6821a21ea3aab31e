#include "net/address.h"

/* inet_pton wants a terminated string. */
static bool ip_parse(int family, struct adit_bytes text, void *out_ip)
{
    char copy[INET6_ADDRSTRLEN + 1] = {0};
    struct adit_span room = adit_span_first(ADIT_OBJECT_SPAN(copy), sizeof(copy) - 1);
    if (adit_bytes_find(text, 0) < text.len || !adit_is_ok(adit_span_copy(room, text))) {
        return false;
    }
    return inet_pton(family, copy, out_ip) == 1;
}

struct adit_status adit_address_of_ip(struct adit_bytes ip, uint16_t port,
                                      struct adit_address *out_address)
{
    struct adit_address made = {.port = port};
    if (ip_parse(AF_INET, ip, made.ip)) {
        made.family = 4;
    } else if (ip_parse(AF_INET6, ip, made.ip)) {
        made.family = 6;
    } else {
        ADIT_FAIL(INVALID, "not an IP address");
    }
    *out_address = made;
    return adit_ok();
}

struct adit_status adit_address_parse(struct adit_bytes text, struct adit_address *out_address)
{
    struct adit_bytes ip = {0};
    struct adit_bytes rest = {0};
    bool is_bracketed = adit_bytes_starts_with(text, ADIT_BYTES("["));
    if (is_bracketed) {
        struct adit_bytes inner = adit_bytes_from(text, 1);
        ip = adit_bytes_first(inner, adit_bytes_find(inner, ']'));
        rest = adit_bytes_from(inner, ip.len + 1);
    } else {
        ip = adit_bytes_first(text, adit_bytes_find(text, ':'));
        rest = adit_bytes_from(text, ip.len);
    }
    ADIT_ENSURE(adit_bytes_starts_with(rest, ADIT_BYTES(":")), INVALID, "an address has no port");
    uint64_t port = 0;
    ADIT_TRY(adit_parse_decimal(adit_bytes_from(rest, 1), UINT16_MAX, &port));
    struct adit_address made = {0};
    ADIT_TRY(adit_address_of_ip(ip, (uint16_t)port, &made));
    ADIT_ENSURE(is_bracketed == (made.family == 6), INVALID, "IPv6 addresses stand in brackets");
    *out_address = made;
    return adit_ok();
}

struct adit_status adit_address_write(struct adit_writer *writer,
                                      const struct adit_address *address)
{
    ADIT_ENSURE(address->family == 4 || address->family == 6, INVALID, "no address");
    char text[INET6_ADDRSTRLEN] = {0};
    int family = address->family == 4 ? AF_INET : AF_INET6;
    ADIT_ENSURE(inet_ntop(family, address->ip, text, sizeof(text)), INVALID, "odd address");
    uint8_t line[INET6_ADDRSTRLEN + 8];
    struct adit_writer whole = adit_writer_of(ADIT_SPAN_OF(line)); /* all or nothing */
    struct adit_bytes open = address->family == 6 ? ADIT_BYTES("[") : (struct adit_bytes){0};
    struct adit_bytes shut = address->family == 6 ? ADIT_BYTES("]:") : ADIT_BYTES(":");
    ADIT_TRY(adit_write_bytes(&whole, open));
    ADIT_TRY(adit_write_bytes(&whole, adit_bytes_of_chars(text, sizeof(text))));
    ADIT_TRY(adit_write_bytes(&whole, shut));
    ADIT_TRY(adit_write_decimal(&whole, address->port));
    return adit_write_bytes(writer, adit_writer_bytes(&whole));
}

bool adit_address_is_loopback(const struct adit_address *address)
{
    static const uint8_t mapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127};
    static const uint8_t one[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    struct adit_bytes ip = ADIT_BYTES_OF(address->ip);
    if (address->family == 4) {
        return adit_bytes_at(ip, 0) == 127;
    }
    return address->family == 6 && (adit_bytes_equal(ip, ADIT_BYTES_OF(one)) ||
                                    adit_bytes_starts_with(ip, ADIT_BYTES_OF(mapped)));
}

/* Letters, digits and what stands between them in names and addresses: no path, user or space. */
static bool is_host(struct adit_bytes host)
{
    static const struct adit_bytes others = ADIT_BYTES_INIT(".-_:%");
    for (size_t i = 0; i < host.len; i++) {
        uint8_t byte = adit_bytes_at(host, i);
        uint8_t letter = byte | 0x20;
        if (!(letter >= 'a' && letter <= 'z') && !(byte >= '0' && byte <= '9') &&
            adit_bytes_find(others, byte) == others.len) {
            return false;
        }
    }
    return host.len > 0 && host.len <= 253;
}

struct adit_status adit_address_split(struct adit_bytes text, uint16_t port_default,
                                      struct adit_bytes *out_host, uint16_t *out_port)
{
    struct adit_bytes host = text;
    struct adit_bytes port_text = {0};
    uint64_t port = port_default;
    if (text.len > 0 && adit_bytes_at(text, 0) == '[') {
        size_t end = adit_bytes_find(text, ']');
        ADIT_ENSURE(end < text.len, INVALID, "an address without its closing bracket");
        host = adit_bytes_first(adit_bytes_from(text, 1), end - 1);
        port_text = adit_bytes_from(text, end + 1);
    } else {
        size_t colon = adit_bytes_find(text, ':');
        host = adit_bytes_first(text, colon);
        port_text = adit_bytes_from(text, colon);
    }
    if (port_text.len > 0) {
        ADIT_ENSURE(adit_bytes_at(port_text, 0) == ':', INVALID, "not HOST:PORT");
        ADIT_TRY(adit_parse_decimal(adit_bytes_from(port_text, 1), UINT16_MAX, &port));
    }
    ADIT_ENSURE(is_host(host), INVALID, "a host of 1 to 253 letters, digits and .-_ is missing");
    ADIT_ENSURE(port > 0, INVALID, "a port of 1 to 65535 is missing");
    *out_host = host;
    *out_port = (uint16_t)port;
    return adit_ok();
}
