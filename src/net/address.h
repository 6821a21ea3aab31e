/* Address: IP addresses with a port, and their text forms. Names are never resolved here.
 *
 * Pure: no socket, no resolver. Source: RFC 4291 section 2.2, RFC 5952, RFC 3986 section 3.2.2 (the
 * brackets). */
#ifndef ADIT_NET_ADDRESS_H
#define ADIT_NET_ADDRESS_H

#include "base/base.h"

struct adit_address {
    uint8_t family; /* 4, 6, or 0 for none */
    uint16_t port;  /* host order */
    uint8_t ip[16]; /* IPv4 in the first four */
};

/* An IP address without brackets, and a port; INVALID for anything else, names included. */
struct adit_status adit_address_of_ip(struct adit_bytes ip, uint16_t port,
                                      struct adit_address *out_address);

/* "127.0.0.1:80", "[::1]:80"; INVALID otherwise. */
struct adit_status adit_address_parse(struct adit_bytes text, struct adit_address *out_address);
struct adit_status adit_address_write(struct adit_writer *writer,
                                      const struct adit_address *address);

/* "host", "host:port", "[::1]:port" as a person writes them: a host is 1 to 253 letters, digits and
 * ".-_:%", and is not looked for. The port is `port_default` if it is left out (0: it must not be
 * left out). */
struct adit_status adit_address_split(struct adit_bytes text, uint16_t port_default,
                                      struct adit_bytes *out_host, uint16_t *out_port);
bool adit_address_is_loopback(const struct adit_address *address);

#endif
