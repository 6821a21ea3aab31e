/* Stream head: the 32 bytes that the server sends first on each data stream, and the one byte that
 * the agent sends back. docs/protocol.md has the layout.
 *
 *     0 version u8 = 1 | 1 kind u8 | 2 family u8 | 3 zero u8 | 4 bind u32 | 8 port u16
 *     10 zero u16 | 12 ip, 16 bytes (IPv4 in the first four, the rest zero) | 28 zero u32
 * big-endian.
 *
 * Reserved bytes must be zero, so that they can mean something one day. Pure: no state. */
#ifndef ADIT_WIRE_STREAM_HEAD_H
#define ADIT_WIRE_STREAM_HEAD_H

#include "base/reader.h"
#include "base/writer.h"

#define ADIT_STREAM_HEAD_BYTES 32
#define ADIT_STREAM_HEAD_VERSION 1

/* What a tunnel carries. The number is the one on the wire, the text the one in messages. */
#define ADIT_TUNNEL_TABLE(ROW)                                                                  \
    ROW(TCP, 1, "tcp")                                                                          \
    ROW(HTTP, 2, "http")                                                                        \
    ROW(TLS, 3, "tls")

enum adit_tunnel {
    ADIT_TUNNEL_NONE = 0, /* a struct of zeros; never on the wire */
#define ADIT_TUNNEL_ENUM(NAME, number, text) ADIT_TUNNEL_##NAME = (number),
    ADIT_TUNNEL_TABLE(ADIT_TUNNEL_ENUM)
#undef ADIT_TUNNEL_ENUM
};

/* "tcp"; null for NONE. */
const char *adit_tunnel_name(enum adit_tunnel kind);

/* INVALID for a text, or a number, that is not in the table. */
struct adit_status adit_tunnel_find(struct adit_bytes name, enum adit_tunnel *out_kind);
struct adit_status adit_tunnel_of(uint8_t number, enum adit_tunnel *out_kind);

/* Where a visitor comes from. */
struct adit_endpoint {
    uint8_t family; /* 4, 6, or 0 for unknown; then port and ip are zero */
    uint16_t port;
    uint8_t ip[16]; /* IPv4 in the first four, the rest zero */
};

struct adit_stream_head {
    enum adit_tunnel kind;
    uint32_t bind; /* the id that the agent gave in its bind message; not 0 */
    struct adit_endpoint visitor;
};

/* INVALID where fewer than 32 bytes are left (wait for 32 before asking), for another version, an
 * unknown kind or family, bind 0, or a byte that must be zero. */
struct adit_status adit_stream_head_read(struct adit_reader *reader,
                                         struct adit_stream_head *out_head);

/* LIMIT without room for 32 bytes; INVALID for a head that the reader would refuse. Then nothing
 * was written. */
struct adit_status adit_stream_head_write(struct adit_writer *writer,
                                          const struct adit_stream_head *head);

/* How the agent's dial of the local program ended: the first byte of the stream towards the
 * server. After CONNECTED the program's bytes follow; after any other the stream ends. */
#define ADIT_DIAL_TABLE(ROW)                                                                    \
    ROW(CONNECTED, 0, "connected", "the local program accepted the connection")                 \
    ROW(REFUSED, 1, "refused", "nothing listens at the local address")                          \
    ROW(TIMED_OUT, 2, "timed_out", "the local program did not answer in time")                  \
    ROW(UNREACHABLE, 3, "unreachable", "there is no way to the local address, or no such name") \
    ROW(UNKNOWN_BIND, 4, "unknown_bind", "the agent has no tunnel with this bind id")           \
    ROW(LIMIT, 5, "limit", "the agent has as many connections as it allows")                    \
    ROW(FAILED, 6, "failed", "the agent could not dial for another reason")

enum adit_dial_result {
#define ADIT_DIAL_ENUM(NAME, number, text, meaning) ADIT_DIAL_##NAME = (number),
    ADIT_DIAL_TABLE(ADIT_DIAL_ENUM)
#undef ADIT_DIAL_ENUM
};

/* INVALID for a byte that is not in the table. */
struct adit_status adit_dial_result_of(uint8_t byte, enum adit_dial_result *out_dial);

/* "refused", for logs and error pages, and its sentence. */
const char *adit_dial_name(enum adit_dial_result dial);
const char *adit_dial_meaning(enum adit_dial_result dial);

#endif
