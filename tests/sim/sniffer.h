/* Sniffer: follows the frames in a byte stream, split anywhere, without the session's help: an
 * independent witness of what stands on the wire. */
#ifndef ADIT_TESTS_SIM_SNIFFER_H
#define ADIT_TESTS_SIM_SNIFFER_H

#include "wire/yamux.h"

struct sim_sniffer {
    uint8_t header[ADIT_YAMUX_HEADER_BYTES];
    size_t have;                   /* header bytes so far */
    uint64_t payload_left;         /* of `frame` */
    struct adit_yamux_frame frame; /* the last whole header */
    uint64_t frames;
};

/* Takes bytes up to the end of the next header, or all; true where a header is complete. Call
 * again with the rest. */
static inline bool sim_sniffer_next(struct sim_sniffer *sniffer, struct adit_bytes *bytes)
{
    while (bytes->len > 0) {
        if (sniffer->payload_left > 0) {
            size_t skip = (size_t)adit_min_u64(sniffer->payload_left, bytes->len);
            sniffer->payload_left -= skip;
            *bytes = adit_bytes_from(*bytes, skip);
            continue;
        }
        ADIT_AT(sniffer->header, sniffer->have) = adit_bytes_at(*bytes, 0);
        sniffer->have++;
        *bytes = adit_bytes_from(*bytes, 1);
        if (sniffer->have == ADIT_YAMUX_HEADER_BYTES) {
            struct adit_reader reader = adit_reader_of(ADIT_BYTES_OF(sniffer->header));
            adit_status_ignore(adit_yamux_read(&reader, &sniffer->frame), "12 bytes decode");
            sniffer->have = 0;
            sniffer->frames++;
            sniffer->payload_left =
                sniffer->frame.type == ADIT_YAMUX_DATA ? sniffer->frame.length : 0;
            return true;
        }
    }
    return false;
}

#endif
