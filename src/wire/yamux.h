/* Yamux frames: the 12-byte header, nothing else.
 *
 * Source: the published yamux specification (hashicorp/yamux, spec.md), version 0.
 *     version u8 | type u8 | flags u16 | stream u32 | length u32      big-endian
 * `length` is the payload of Data, the credit of Window, the nonce of Ping, the code of GoAway.
 * Pure: no allocation, no state. What a frame means, and which frames are legal, is src/mux. */
#ifndef ADIT_WIRE_YAMUX_H
#define ADIT_WIRE_YAMUX_H

#include "base/reader.h"
#include "base/writer.h"

#define ADIT_YAMUX_HEADER_BYTES 12
#define ADIT_YAMUX_VERSION 0

enum adit_yamux_type {
    ADIT_YAMUX_DATA = 0,
    ADIT_YAMUX_WINDOW = 1,
    ADIT_YAMUX_PING = 2,
    ADIT_YAMUX_GOAWAY = 3,
};

#define ADIT_YAMUX_SYN 0x1u
#define ADIT_YAMUX_ACK 0x2u
#define ADIT_YAMUX_FIN 0x4u
#define ADIT_YAMUX_RST 0x8u
#define ADIT_YAMUX_FLAGS_KNOWN 0xfu

enum adit_yamux_goaway {
    ADIT_YAMUX_GOAWAY_NORMAL = 0,
    ADIT_YAMUX_GOAWAY_PROTOCOL = 1,
    ADIT_YAMUX_GOAWAY_INTERNAL = 2,
};

struct adit_yamux_frame {
    uint8_t version; /* as it stood on the wire */
    uint8_t type;    /* likewise: may be none of enum adit_yamux_type */
    uint16_t flags;
    uint32_t stream;
    uint32_t length;
};

/* INVALID where fewer than 12 bytes are left. Every 12 bytes decode to something. */
struct adit_status adit_yamux_read(struct adit_reader *reader, struct adit_yamux_frame *out_frame);

/* LIMIT where fewer than 12 bytes of room are left; then nothing was written. */
struct adit_status adit_yamux_write(struct adit_writer *writer,
                                    const struct adit_yamux_frame *frame);

#endif
