/* Loss: does a road lose packets by chance, or because it is full? Pure: figures in, an answer out.
 *
 * A sender that takes each loss for a full road (cubic, reno) gets little out of one that loses one
 * packet in a hundred: 0.4 of 24 MB/s at 50 ms. Such a loss differs from that of a full bottleneck:
 * no queue stood on the road when it came, so the round trip was near its minimum; and it comes
 * again, however slowly one sends. Both must hold here, several times, before a road counts as
 * lossy. Once it does it stays so: what is done about it changes what could be seen.
 *
 * Depends on nothing but numbers; nothing here can fail. See docs/decisions/0028. */
#ifndef ADIT_TUNNEL_LOSS_H
#define ADIT_TUNNEL_LOSS_H

#include "base/base.h"

#define ADIT_LOSS_SIGNS 3               /* losses on an empty road that make it a lossy one */
#define ADIT_LOSS_CLOSE 1000            /* or two, with fewer segments sent in between */
#define ADIT_LOSS_FORGIVEN 4000         /* segments sent that take one of them back */
#define ADIT_LOSS_RTT_MIN_US 2000       /* a shorter road is this machine or its neighbour */
#define ADIT_LOSS_QUEUE_US 1000         /* a road is empty with a round trip of so much above an */
#define ADIT_LOSS_QUEUE_SHARE 8         /* eighth more than the least */
#define ADIT_LOSS_EPISODE_ROUND_TRIPS 8 /* a recovery that lasts longer counts again */

struct adit_loss {
    uint64_t sent, retransmitted; /* at the last sample */
    uint64_t sent_since;          /* a loss was last taken back, or the count began */
    uint64_t sign_us;             /* the last loss that may be one */
    uint64_t sign_sent;           /* segments that had been sent at the last that was */
    uint32_t signs;
    bool was_recovering;
    bool is_lossy;
};

struct adit_loss_sample { /* the kernel's figures, as in adit_socket_info */
    uint64_t now_us;
    uint64_t rtt_us, rtt_min_us;
    uint64_t sent, retransmitted; /* segments, since the start */
    bool is_recovering;
};

/* The answer with this sample. Samples are to be a round trip apart, or closer; `loss` begins as
 * zeros. */
bool adit_loss_sample(struct adit_loss *loss, const struct adit_loss_sample *sample);

/* The kernel's window crawled, and is mended: where a loss on an empty road was the reason, the
 * next one is the last that is needed. What is sent without taking losses for a full road is always
 * recovering from one, so more could not be told apart. */
void adit_loss_crawled(struct adit_loss *loss);

#endif
