#include "ipc/channel.h"

#define LENGTH_BYTES 2 /* before each message of a packet */
_Static_assert(ADIT_CHANNEL_PACKET_MAX <= ADIT_RIGHTS_MAX, "a packet's descriptors go together");
_Static_assert(ADIT_MESSAGE_FDS_MAX <= ADIT_CHANNEL_PACKET_MAX, "and those of each message");
_Static_assert(ADIT_CHANNEL_PACKET_BYTES_MAX >= LENGTH_BYTES + ADIT_MESSAGE_BYTES_MAX,
               "each message fits into a packet");

/* A message that waits: its bytes, after their length, and its descriptors. */
struct waiting {
    uint16_t len; /* of both */
    uint16_t fd_count;
    int fds[ADIT_MESSAGE_FDS_MAX];
    uint8_t bytes[LENGTH_BYTES + ADIT_MESSAGE_BYTES_MAX];
};

static struct waiting *ring_at(const struct adit_channel *channel, uint32_t offset)
{
    uint32_t at = (channel->head + offset) % channel->waiting_max;
    return adit_memory_at(channel->ring, sizeof(struct waiting), at);
}

struct adit_status adit_channel_pair(int *out_first, int *out_second)
{
    int pair[2] = {-1, -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "a pair of sockets cannot be made", errno);
    }
    *out_first = pair[0];
    *out_second = pair[1];
    return adit_ok();
}

struct adit_status adit_channel_open(struct adit_channel *channel, int fd, uint32_t sends,
                                     uint32_t receives)
{
    struct adit_channel fresh = {.fd = fd,
                                 .sends = sends,
                                 .receives = receives,
                                 .waiting_max = ADIT_CHANNEL_WAITING_MAX};
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "the channel's descriptor is none", errno);
    }
    ADIT_TRY(adit_memory_open(1, ADIT_CHANNEL_PACKET_BYTES_MAX, &fresh.packet.memory));
    struct adit_status status =
        adit_memory_open(fresh.waiting_max, sizeof(struct waiting), &fresh.ring);
    if (!adit_is_ok(status)) {
        adit_memory_close(&fresh.packet.memory);
        return status;
    }
    *channel = fresh;
    return adit_ok();
}

struct adit_status adit_channel_waiting_max_set(struct adit_channel *channel,
                                                uint32_t waiting_max)
{
    struct adit_span ring = {0};
    ADIT_ENSURE(adit_channel_is_open(channel) && channel->waiting == 0 && waiting_max > 0, INVALID,
                "the ring of a channel is made before it is used");
    ADIT_TRY(adit_memory_open(waiting_max, sizeof(struct waiting), &ring));
    adit_memory_close(&channel->ring);
    channel->ring = ring;
    channel->head = 0;
    channel->waiting_max = waiting_max;
    return adit_ok();
}

static void waiting_close(struct waiting *waiting)
{
    for (size_t i = 0; i < waiting->fd_count; i++) {
        close(ADIT_AT(waiting->fds, i));
    }
    waiting->fd_count = 0;
}

/* What is left of it is gone. */
static void packet_drop(struct adit_channel_packet *packet)
{
    for (; packet->fd_at < packet->fd_count; packet->fd_at++) {
        close(ADIT_AT(packet->fds, packet->fd_at));
    }
    packet->len = packet->at = 0;
    packet->fd_at = packet->fd_count = 0;
}

void adit_channel_close(struct adit_channel *channel)
{
    packet_drop(&channel->packet);
    adit_memory_close(&channel->packet.memory);
    for (; channel->waiting > 0; channel->waiting--) {
        waiting_close(ring_at(channel, channel->waiting - 1));
    }
    adit_memory_close(&channel->ring);
    if (channel->fd >= 0) {
        close(channel->fd);
    }
    *channel = (struct adit_channel){.fd = -1};
}

/* What one sendmsg carries: the first messages that wait. */
struct load {
    struct iovec parts[ADIT_CHANNEL_PACKET_MAX];
    size_t messages, bytes, fd_count;
    int fds[ADIT_CHANNEL_PACKET_MAX];
};

/* False where the message has no room any more. */
static bool load_add(struct load *load, struct waiting *waiting)
{
    if (load->messages == ADIT_CHANNEL_PACKET_MAX ||
        load->bytes + waiting->len > ADIT_CHANNEL_PACKET_BYTES_MAX ||
        load->fd_count + waiting->fd_count > ADIT_CHANNEL_PACKET_MAX) {
        return false;
    }
    ADIT_AT(load->parts, load->messages) =
        (struct iovec){.iov_base = waiting->bytes, .iov_len = waiting->len};
    for (size_t i = 0; i < waiting->fd_count; i++) {
        ADIT_AT(load->fds, load->fd_count) = ADIT_AT(waiting->fds, i);
        load->fd_count++;
    }
    load->bytes += waiting->len;
    load->messages++;
    return true;
}

/* One sendmsg. BLOCKED also where the kernel holds too many descriptors in flight. */
static struct adit_status load_send(int fd, struct load *load, enum adit_io *out_io)
{
    struct adit_rights rights = {0};
    struct msghdr head = {.msg_iov = load->parts, .msg_iovlen = load->messages};
    adit_rights_attach(&rights, &head, load->fds, load->fd_count);
    ssize_t sent = -1;
    do {
        sent = sendmsg(fd, &head, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0) {
        *out_io = ADIT_IO_DONE;
        return adit_ok();
    }
    if (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS) {
        *out_io = ADIT_IO_BLOCKED;
        return adit_ok();
    }
    if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN) {
        ADIT_FAIL(CLOSED, "the other process has closed its channel");
    }
    ADIT_FAIL_WITH(SYSTEM, "a message cannot be sent", errno);
}

static void waiting_leave(struct adit_channel *channel)
{
    channel->waiting--;
    /* An empty ring begins anew, so that few of its pages are ever touched. */
    channel->head = channel->waiting > 0 ? (channel->head + 1) % channel->waiting_max : 0;
}

/* One packet of what waits. */
static struct adit_status packet_send(struct adit_channel *channel, enum adit_io *out_io)
{
    struct load load = {0};
    size_t most = channel->may_pack ? channel->waiting : 1;
    for (uint32_t i = 0; i < most && load_add(&load, ring_at(channel, i)); i++) {
        /* as many as fit */
    }
    ADIT_TRY(load_send(channel->fd, &load, out_io));
    if (*out_io != ADIT_IO_DONE) {
        return adit_ok();
    }
    for (size_t i = 0; i < load.messages; i++) {
        waiting_close(ring_at(channel, 0));
        waiting_leave(channel);
    }
    return adit_ok();
}

static struct adit_status waiting_send(struct adit_channel *channel)
{
    enum adit_io io = ADIT_IO_DONE;
    while (channel->waiting > 0 && io == ADIT_IO_DONE) {
        ADIT_TRY(packet_send(channel, &io));
    }
    return adit_ok();
}

struct adit_status adit_channel_flush(struct adit_channel *channel)
{
    ADIT_ENSURE(adit_channel_is_open(channel), CLOSED, "the channel is closed");
    channel->is_held = false;
    return waiting_send(channel);
}

void adit_channel_hold(struct adit_channel *channel)
{
    channel->is_held = channel->may_pack = true;
}

/* The message in its place of the ring, behind those that wait; it does not count yet. */
static struct adit_status waiting_fill(struct adit_channel *channel,
                                       const struct adit_message *message)
{
    struct waiting *waiting = ring_at(channel, channel->waiting);
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(waiting->bytes));
    struct adit_span hole = {0};
    ADIT_TRY(adit_write_reserve_u16(&writer, &hole));
    ADIT_TRY(adit_message_write(&writer, channel->sends, message));
    ADIT_TRY(adit_write_fill(hole, adit_writer_bytes(&writer).len - LENGTH_BYTES));
    waiting->len = (uint16_t)adit_writer_bytes(&writer).len;
    waiting->fd_count = (uint16_t)message->fd_count;
    for (size_t i = 0; i < message->fd_count; i++) {
        ADIT_AT(waiting->fds, i) = ADIT_AT(message->fds, i);
    }
    return adit_ok();
}

struct adit_status adit_channel_send(struct adit_channel *channel, struct adit_message *message)
{
    struct adit_status status = adit_ok();
    ADIT_ENSURE(adit_channel_is_open(channel), CLOSED, "the channel is closed");
    if (!channel->is_held) {
        ADIT_TRY(waiting_send(channel));
    }
    ADIT_ENSURE(channel->waiting < channel->waiting_max, FULL,
                "too many messages wait for the other process");
    ADIT_TRY(waiting_fill(channel, message));
    channel->waiting++;
    if (channel->is_held && channel->waiting % ADIT_CHANNEL_PACKET_MAX == 0) {
        adit_status_ignore(waiting_send(channel), "flush says it");
    } else if (!channel->is_held && channel->waiting == 1) {
        status = waiting_send(channel);
    }
    if (!adit_is_ok(status)) {
        channel->waiting--; /* it was the only one, and stays the caller's */
        return status;
    }
    message->fd_count = 0;
    return adit_ok();
}

bool adit_channel_take_back(struct adit_channel *channel, struct adit_message *out_message)
{
    struct adit_message message = {0};
    if (channel->waiting == 0) {
        return false;
    }
    const struct waiting *waiting = ring_at(channel, 0);
    struct adit_bytes bytes = adit_bytes_from(
        adit_bytes_first(ADIT_BYTES_OF(waiting->bytes), waiting->len), LENGTH_BYTES);
    adit_status_ignore(adit_message_read(bytes, channel->sends, waiting->fd_count, &message),
                       "it was written here");
    for (; message.fd_count < waiting->fd_count; message.fd_count++) {
        ADIT_AT(message.fds, message.fd_count) = ADIT_AT(waiting->fds, message.fd_count);
    }
    waiting_leave(channel);
    *out_message = message;
    return true;
}

/* One recvmsg. BLOCKED: none is there; END: the peer has closed; INVALID: none of ours sends it. */
static struct adit_status packet_receive(struct adit_channel *channel, enum adit_io *out_io)
{
    struct adit_channel_packet *packet = &channel->packet;
    struct adit_rights rights = {0};
    struct iovec part = {.iov_base = packet->memory.ptr, .iov_len = packet->memory.len};
    struct msghdr head = {.msg_iov = &part, .msg_iovlen = 1};
    adit_rights_expect(&rights, &head);
    ssize_t got = -1;
    do {
        got = recvmsg(channel->fd, &head, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && errno != EAGAIN && errno != ECONNRESET) {
        ADIT_FAIL_WITH(SYSTEM, "a message cannot be received", errno);
    }
    if (got < 0) {
        *out_io = errno == EAGAIN ? ADIT_IO_BLOCKED : ADIT_IO_END;
        return adit_ok();
    }
    packet->at = packet->fd_at = packet->messages = 0;
    packet->len = (size_t)got;
    packet->fd_count = adit_rights_take(&head, packet->fds, ADIT_COUNT(packet->fds));
    ADIT_ENSURE((head.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0, INVALID,
                "a packet is longer, or carries more, than any may");
    *out_io = got > 0 ? ADIT_IO_DONE : ADIT_IO_END; /* an empty packet counts as the end, too */
    return adit_ok();
}

static bool packet_is_read(const struct adit_channel_packet *packet)
{
    return packet->at == packet->len;
}

/* The next message of a packet, with its descriptors. The last one takes what is left of them. */
static struct adit_status packet_next(struct adit_channel_packet *packet, uint32_t edge,
                                      struct adit_message *out_message)
{
    struct adit_message message = {0};
    struct adit_bytes bytes = {0};
    uint16_t len = 0;
    struct adit_bytes whole = adit_bytes_first(adit_span_bytes(packet->memory), packet->len);
    struct adit_reader reader = adit_reader_of(adit_bytes_from(whole, packet->at));
    ADIT_ENSURE(packet->messages < ADIT_CHANNEL_PACKET_MAX, INVALID, "a packet of too many");
    ADIT_TRY(adit_read_u16(&reader, &len));
    ADIT_ENSURE(len <= ADIT_MESSAGE_BYTES_MAX, INVALID, "a message is longer than any may be");
    ADIT_TRY(adit_read_bytes(&reader, len, &bytes));
    bool is_last = adit_is_ok(adit_read_end(&reader));
    size_t left = packet->fd_count - packet->fd_at;
    size_t fd_count = is_last ? left : adit_min_size(adit_message_fds_of(bytes), left);
    ADIT_TRY(adit_message_read(bytes, edge, fd_count, &message));
    for (; message.fd_count < fd_count; message.fd_count++) {
        ADIT_AT(message.fds, message.fd_count) = ADIT_AT(packet->fds, packet->fd_at);
        packet->fd_at++;
    }
    packet->at += LENGTH_BYTES + (size_t)len;
    packet->messages++;
    *out_message = message;
    return adit_ok();
}

struct adit_status adit_channel_receive(struct adit_channel *channel,
                                        struct adit_message *out_message, enum adit_io *out_io)
{
    enum adit_io io = ADIT_IO_DONE;
    ADIT_ENSURE(adit_channel_is_open(channel), CLOSED, "the channel is closed");
    struct adit_channel_packet *packet = &channel->packet;
    struct adit_status status =
        packet_is_read(packet) ? packet_receive(channel, &io) : adit_ok();
    if (adit_is_ok(status) && io == ADIT_IO_DONE) {
        status = packet_next(packet, channel->receives, out_message);
    }
    if (!adit_is_ok(status) || io != ADIT_IO_DONE) {
        packet_drop(packet);
    }
    ADIT_TRY(status);
    *out_io = io;
    return adit_ok();
}

struct adit_status adit_channel_drain(struct adit_channel *channel, size_t most,
                                      adit_channel_fn *handle, void *context)
{
    for (size_t i = 0; (i < most || !packet_is_read(&channel->packet)) &&
                       adit_channel_is_open(channel);
         i++) {
        struct adit_message message = {0};
        enum adit_io io = ADIT_IO_BLOCKED;
        ADIT_TRY(adit_channel_receive(channel, &message, &io));
        ADIT_ENSURE(io != ADIT_IO_END, CLOSED, "the other process has closed its channel");
        if (io == ADIT_IO_BLOCKED) {
            return adit_ok();
        }
        struct adit_status status = handle(context, &message);
        adit_message_fds_close(&message);
        ADIT_TRY(status);
    }
    return adit_ok();
}

struct adit_status adit_channel_receive_wait(struct adit_channel *channel, uint32_t timeout_ms,
                                             struct adit_message *out_message)
{
    uint64_t end_us = adit_clock_now_us() + (uint64_t)timeout_ms * ADIT_MS_US;
    for (;;) {
        enum adit_io io = ADIT_IO_BLOCKED;
        ADIT_TRY(adit_channel_receive(channel, out_message, &io));
        ADIT_ENSURE(io != ADIT_IO_END, CLOSED, "the other process has closed its channel");
        if (io == ADIT_IO_DONE) {
            return adit_ok();
        }
        uint64_t now_us = adit_clock_now_us();
        ADIT_ENSURE(now_us < end_us, TIMEOUT, "no message came in time");
        struct pollfd wanted = {.fd = channel->fd, .events = POLLIN};
        int wait_ms = (int)((end_us - now_us) / ADIT_MS_US + 1);
        if (poll(&wanted, 1, wait_ms) < 0 && errno != EINTR) {
            ADIT_FAIL_WITH(SYSTEM, "the channel cannot be waited for", errno);
        }
    }
}
