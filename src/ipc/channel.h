/* Channel: messages between two processes over a SOCK_SEQPACKET socketpair, with descriptors.
 *
 * A packet is one message or more, each after its length (u16); the descriptors of all of them
 * travel beside it, in order. Several share one only where the sender holds them (below): handing a
 * descriptor over costs more in calls than in bytes.
 *
 * Sending never blocks: what the socket does not take now waits in a ring of bounded size, in
 * order; beyond that send says FULL and the caller keeps what it has. A channel treats its peer as
 * hostile: a message that does not decode, is cut, or carries other descriptors than the table
 * says is INVALID, its packet's descriptors are closed, and the caller closes the channel.
 *
 * Watch the descriptor for reading and writing: on READ drain it (all of it where the watch is
 * edge-triggered), on WRITE flush. Limits: ADIT_CHANNEL_WAITING_MAX messages wait; those
 * of a packet. One thread. */
#ifndef ADIT_IPC_CHANNEL_H
#define ADIT_IPC_CHANNEL_H

#include "ipc/message.h"

#define ADIT_CHANNEL_WAITING_MAX 256
#define ADIT_CHANNEL_PACKET_MAX 16           /* messages of one packet, and its descriptors */
#define ADIT_CHANNEL_PACKET_BYTES_MAX 4096u  /* with the lengths */

/* A packet that came, and how far it has been read. */
struct adit_channel_packet {
    struct adit_span memory;
    size_t len, at;
    uint32_t messages; /* read */
    int fds[ADIT_CHANNEL_PACKET_MAX];
    size_t fd_count, fd_at;
};

struct adit_channel {
    int fd;            /* -1: closed */
    uint32_t sends;    /* ADIT_EDGE_ bit of what goes out */
    uint32_t receives; /* ADIT_EDGE_ bit of what comes in */
    struct adit_span ring;
    uint32_t head, waiting; /* first waiting message, how many wait */
    uint32_t waiting_max;   /* ADIT_CHANNEL_WAITING_MAX, unless it was set */
    bool is_held;           /* what is sent waits for company */
    bool may_pack;          /* several may share a packet */
    struct adit_channel_packet packet;
};

/* Two ends, non-blocking and close-on-exec. */
struct adit_status adit_channel_pair(int *out_first, int *out_second);

/* Takes the descriptor over; on failure it stays the caller's. */
struct adit_status adit_channel_open(struct adit_channel *channel, int fd, uint32_t sends,
                                     uint32_t receives);

/* Another number of messages that may wait, for an owner who may have to say much at once; memory
 * is touched as they do. INVALID where any wait already. */
struct adit_status adit_channel_waiting_max_set(struct adit_channel *channel,
                                                uint32_t waiting_max);

/* Closes it with everything that waits. A closed channel, or one that is all zero but for fd -1,
 * is fine. */
void adit_channel_close(struct adit_channel *channel);

static inline bool adit_channel_is_open(const struct adit_channel *channel)
{
    return channel->fd >= 0;
}

/* Sends, or queues to send, a message. On success the message's descriptors are taken over: they
 * will be closed here once they are on their way, and the message holds none any more. On failure
 * they stay the caller's. FULL at waiting_max; CLOSED where the peer has gone. */
struct adit_status adit_channel_send(struct adit_channel *channel, struct adit_message *message);

/* From now until flush what is sent waits, at most until a packet is full, so that several messages
 * share one. For a channel whose other end drains everything at each READ. */
void adit_channel_hold(struct adit_channel *channel);

/* Sends what waits, as far as the socket takes it; nothing is held any more. CLOSED where the peer
 * has gone. */
struct adit_status adit_channel_flush(struct adit_channel *channel);

/* Takes the oldest message that waits back, with its descriptors: where the peer has gone. False
 * where none waits. */
bool adit_channel_take_back(struct adit_channel *channel, struct adit_message *out_message);

/* The next message. DONE: *out_message is filled and its descriptors (close-on-exec) are the
 * caller's. BLOCKED: none now. END: the peer has closed. INVALID: see above. */
struct adit_status adit_channel_receive(struct adit_channel *channel,
                                        struct adit_message *out_message, enum adit_io *out_io);

#define ADIT_CHANNEL_ALL SIZE_MAX

/* What to do with a message. The descriptors that it leaves in the message are closed after it. It
 * may close the channel, or open another in its place. */
typedef struct adit_status adit_channel_fn(void *context, struct adit_message *message);

/* Gives the next messages to `handle`, at most `most` of them and the rest of a packet: until none
 * is there, `handle` fails (then with its status) or closes the channel. CLOSED where the peer has;
 * INVALID as receive. */
struct adit_status adit_channel_drain(struct adit_channel *channel, size_t most,
                                      adit_channel_fn *handle, void *context);

/* The next message, waiting for it: for a role's first one, before its loop runs. TIMEOUT. */
struct adit_status adit_channel_receive_wait(struct adit_channel *channel, uint32_t timeout_ms,
                                             struct adit_message *out_message);

#endif
