#include "ipc/channel.h"

/* A message that waits: its bytes and its descriptors. */
struct waiting {
    uint16_t len;
    uint16_t fd_count;
    int fds[ADIT_MESSAGE_FDS_MAX];
    uint8_t bytes[ADIT_MESSAGE_BYTES_MAX];
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
    ADIT_TRY(adit_memory_open(fresh.waiting_max, sizeof(struct waiting), &fresh.ring));
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

void adit_channel_close(struct adit_channel *channel)
{
    for (; channel->waiting > 0; channel->waiting--) {
        waiting_close(ring_at(channel, channel->waiting - 1));
    }
    adit_memory_close(&channel->ring);
    if (channel->fd >= 0) {
        close(channel->fd);
    }
    *channel = (struct adit_channel){.fd = -1};
}

/* One sendmsg. BLOCKED also where the kernel holds too many descriptors in flight. */
static struct adit_status bytes_send(int fd, struct adit_bytes bytes,
                                     const struct adit_message *with, enum adit_io *out_io)
{
    struct adit_rights rights = {0};
    struct adit_span hole = {0};
    uint8_t memory[ADIT_MESSAGE_BYTES_MAX] = {0}; /* iovec wants memory that is not const */
    struct adit_writer copy = adit_writer_of(ADIT_SPAN_OF(memory));
    ADIT_TRY(adit_write_reserve(&copy, bytes.len, &hole));
    ADIT_TRY(adit_span_copy(hole, bytes));
    struct iovec part = {.iov_base = hole.ptr, .iov_len = hole.len};
    struct msghdr head = {.msg_iov = &part, .msg_iovlen = 1};
    adit_rights_attach(&rights, &head, with->fds, with->fd_count);
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

struct adit_status adit_channel_flush(struct adit_channel *channel)
{
    ADIT_ENSURE(adit_channel_is_open(channel), CLOSED, "the channel is closed");
    while (channel->waiting > 0) {
        struct waiting *waiting = ring_at(channel, 0);
        enum adit_io io = ADIT_IO_BLOCKED;
        struct adit_message with = {.fd_count = waiting->fd_count};
        for (size_t i = 0; i < waiting->fd_count; i++) {
            ADIT_AT(with.fds, i) = ADIT_AT(waiting->fds, i);
        }
        ADIT_TRY(bytes_send(channel->fd,
                            adit_bytes_first(ADIT_BYTES_OF(waiting->bytes), waiting->len), &with,
                            &io));
        if (io != ADIT_IO_DONE) {
            return adit_ok();
        }
        waiting_close(waiting);
        channel->head = (channel->head + 1) % channel->waiting_max;
        channel->waiting--;
    }
    return adit_ok();
}

static void message_park(struct adit_channel *channel, struct adit_bytes bytes,
                         struct adit_message *message)
{
    struct waiting *waiting = ring_at(channel, channel->waiting);
    adit_status_ignore(adit_span_copy(ADIT_SPAN_OF(waiting->bytes), bytes),
                       "both have the size of the longest message");
    waiting->len = (uint16_t)bytes.len;
    waiting->fd_count = (uint16_t)message->fd_count;
    for (size_t i = 0; i < message->fd_count; i++) {
        ADIT_AT(waiting->fds, i) = ADIT_AT(message->fds, i);
    }
    message->fd_count = 0;
    channel->waiting++;
}

struct adit_status adit_channel_send(struct adit_channel *channel, struct adit_message *message)
{
    uint8_t memory[ADIT_MESSAGE_BYTES_MAX] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    enum adit_io io = ADIT_IO_BLOCKED;
    ADIT_ENSURE(adit_channel_is_open(channel), CLOSED, "the channel is closed");
    ADIT_TRY(adit_message_write(&writer, channel->sends, message));
    ADIT_TRY(adit_channel_flush(channel));
    if (channel->waiting == 0) {
        ADIT_TRY(bytes_send(channel->fd, adit_writer_bytes(&writer), message, &io));
    }
    if (io == ADIT_IO_DONE) {
        adit_message_fds_close(message);
        return adit_ok();
    }
    ADIT_ENSURE(channel->waiting < channel->waiting_max, FULL,
                "too many messages wait for the other process");
    message_park(channel, adit_writer_bytes(&writer), message);
    return adit_ok();
}

/* One recvmsg: bytes into `span`, descriptors into *out_message, whatever they are. */
static struct adit_status packet_receive(int fd, struct adit_span span, size_t *out_count,
                                         struct adit_message *out_message)
{
    struct adit_rights rights = {0};
    struct iovec part = {.iov_base = span.ptr, .iov_len = span.len};
    struct msghdr head = {.msg_iov = &part, .msg_iovlen = 1};
    adit_rights_expect(&rights, &head);
    ssize_t got = -1;
    do {
        got = recvmsg(fd, &head, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        ADIT_FAIL_WITH(SYSTEM, "a message cannot be received", errno);
    }
    out_message->fd_count = adit_rights_take(&head, out_message->fds, ADIT_COUNT(out_message->fds));
    if ((head.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        adit_message_fds_close(out_message);
        ADIT_FAIL(INVALID, "a message is longer, or carries more, than any may");
    }
    *out_count = (size_t)got;
    return adit_ok();
}

struct adit_status adit_channel_receive(struct adit_channel *channel,
                                        struct adit_message *out_message, enum adit_io *out_io)
{
    uint8_t memory[ADIT_MESSAGE_BYTES_MAX] = {0};
    struct adit_message carried = {0};
    struct adit_message message = {0};
    size_t count = 0;
    ADIT_ENSURE(adit_channel_is_open(channel), CLOSED, "the channel is closed");
    struct adit_status status =
        packet_receive(channel->fd, ADIT_SPAN_OF(memory), &count, &carried);
    if (adit_status_error(status) == ADIT_ERROR_SYSTEM && status.detail == EAGAIN) {
        *out_io = ADIT_IO_BLOCKED;
        return adit_ok();
    }
    if (adit_status_error(status) == ADIT_ERROR_SYSTEM && status.detail == ECONNRESET) {
        *out_io = ADIT_IO_END;
        return adit_ok();
    }
    ADIT_TRY(status);
    if (count == 0) { /* the end; an empty message counts as the end, too */
        adit_message_fds_close(&carried);
        *out_io = ADIT_IO_END;
        return adit_ok();
    }
    status = adit_message_read(adit_bytes_first(ADIT_BYTES_OF(memory), count), channel->receives,
                               carried.fd_count, &message);
    if (!adit_is_ok(status)) {
        adit_message_fds_close(&carried);
        return status;
    }
    message.fd_count = carried.fd_count;
    for (size_t i = 0; i < carried.fd_count; i++) {
        ADIT_AT(message.fds, i) = ADIT_AT(carried.fds, i);
    }
    *out_message = message;
    *out_io = ADIT_IO_DONE;
    return adit_ok();
}

struct adit_status adit_channel_drain(struct adit_channel *channel, size_t most,
                                      adit_channel_fn *handle, void *context)
{
    for (size_t i = 0; i < most && adit_channel_is_open(channel); i++) {
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
