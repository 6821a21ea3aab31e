/* Link: one TLS connection with its mux session and its control stream. See hub.h. */
#ifndef ADIT_TUNNEL_LINK_H
#define ADIT_TUNNEL_LINK_H

#include "tunnel/hub.h"

#define ADIT_LINK_CIPHER_OUT_MAX (384 * 1024) /* bytes of ciphertext that wait for the socket */
#define ADIT_LINK_CONTROL_MAX (32 * 1024)     /* bytes of control messages that wait, each way */
#define ADIT_LINK_HANDSHAKE_US (10 * ADIT_SECOND_US)
#define ADIT_LINK_LINGER_US ADIT_SECOND_US /* for the last words of a failed link to be read */

struct adit_link_options {
    int fd; /* a connected socket; the link's from here on, also on failure */
    struct adit_tls_context *tls;
    struct adit_bytes server_name; /* client side: verified */
    uint64_t user;                 /* handed to every callback */
};

/* Begins the TLS handshake. */
struct adit_status adit_link_open(struct adit_hub *hub, const struct adit_link_options *options,
                                  struct adit_handle *out_link);

/* The client's first words, at once and not at the loop's next turn. Nothing is read. */
void adit_link_greet(struct adit_hub *hub, struct adit_handle link);

/* Ends the link at the end of this turn: what waits is sent once more, pumps are cut, link_closed
 * is called with `why`. A stale handle is fine. */
void adit_link_close(struct adit_hub *hub, struct adit_handle link, struct adit_status why);

/* Queues a control message. FULL where the other side does not read them; STALE. */
struct adit_status adit_link_send(struct adit_hub *hub, struct adit_handle link,
                                  const struct adit_control *message);

/* Asks the other end for a sign of life; adit_link_heard_us moves when it answers. */
void adit_link_probe(struct adit_hub *hub, struct adit_handle link);

/* When the last valid frame came; 0 for a stale handle. */
uint64_t adit_link_heard_us(const struct adit_hub *hub, struct adit_handle link);

/* Another link over the same road loses packets by chance: this one need not find that out. */
void adit_link_expect_loss(struct adit_hub *hub, struct adit_handle link);

/* True where a stream can be opened now. */
bool adit_link_can_open(const struct adit_hub *hub, struct adit_handle link);

/* The counters of its session; null where the handle is stale. */
const struct adit_session_counters *adit_link_counters(const struct adit_hub *hub,
                                                       struct adit_handle link);

/* Why the other side's certificate did not verify, for a person; else empty. Inside link_closed. */
struct adit_bytes adit_link_verify_error(const struct adit_hub *hub, struct adit_handle link);

/* The smoothed round-trip time; 0 where it is not known yet. */
uint64_t adit_link_rtt_us(const struct adit_hub *hub, struct adit_handle link);

#endif
