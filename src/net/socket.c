#include "net/socket.h"

#define KEEPALIVE_IDLE_S 60     /* of quiet, before a peer is asked */
#define KEEPALIVE_INTERVAL_S 15
#define KEEPALIVE_COUNT 4
#define ACCEPT_TRIES_MAX 16 /* connections that died in the queue, skipped in one call */
#define SEND_VIEWS_MAX 64   /* views in one sendmsg */
#define CONGESTION_NAME_MAX 16 /* TCP_CA_NAME_MAX of the kernel */

/* --- Addresses as the kernel has them -------------------------------------------------------- */

struct kernel_address {
    struct sockaddr_storage storage;
    socklen_t len;
};

static struct adit_status kernel_address_fill(const struct adit_address *address,
                                              struct kernel_address *out_kernel)
{
    struct kernel_address made = {0};
    struct adit_bytes ip = ADIT_BYTES_OF(address->ip);
    ADIT_ENSURE(address->family == 4 || address->family == 6, INVALID, "no address");
    if (address->family == 4) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(address->port)};
        ADIT_TRY(adit_span_copy(ADIT_OBJECT_SPAN(in.sin_addr), adit_bytes_first(ip, 4)));
        ADIT_TRY(adit_span_copy(ADIT_OBJECT_SPAN(made.storage), ADIT_OBJECT_BYTES(in)));
        made.len = sizeof(in);
    } else {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(address->port)};
        ADIT_TRY(adit_span_copy(ADIT_OBJECT_SPAN(in6.sin6_addr), ip));
        ADIT_TRY(adit_span_copy(ADIT_OBJECT_SPAN(made.storage), ADIT_OBJECT_BYTES(in6)));
        made.len = sizeof(in6);
    }
    *out_kernel = made;
    return adit_ok();
}

/* Family 0 for what is not IP (a socketpair, for instance). */
static struct adit_status kernel_address_read(struct kernel_address *kernel,
                                              struct adit_address *out_address)
{
    struct adit_address made = {0};
    struct adit_bytes bytes =
        adit_bytes_first(ADIT_OBJECT_BYTES(kernel->storage), (size_t)kernel->len);
    struct sockaddr_in in = {0};
    struct sockaddr_in6 in6 = {0};
    if (kernel->storage.ss_family == AF_INET && bytes.len >= sizeof(in)) {
        ADIT_TRY(adit_span_copy(ADIT_OBJECT_SPAN(in), adit_bytes_first(bytes, sizeof(in))));
        ADIT_TRY(adit_span_copy(ADIT_SPAN_OF(made.ip), ADIT_OBJECT_BYTES(in.sin_addr)));
        made.family = 4;
        made.port = ntohs(in.sin_port);
    } else if (kernel->storage.ss_family == AF_INET6 && bytes.len >= sizeof(in6)) {
        ADIT_TRY(adit_span_copy(ADIT_OBJECT_SPAN(in6), adit_bytes_first(bytes, sizeof(in6))));
        ADIT_TRY(adit_span_copy(ADIT_SPAN_OF(made.ip), ADIT_OBJECT_BYTES(in6.sin6_addr)));
        made.family = 6;
        made.port = ntohs(in6.sin6_port);
    }
    *out_address = made;
    return adit_ok();
}

/* --- Options --------------------------------------------------------------------------------- */

static struct adit_status option_set(int fd, int level, int name, struct adit_bytes value)
{
    if (setsockopt(fd, level, name, value.ptr, (socklen_t)value.len) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "setsockopt", errno);
    }
    return adit_ok();
}

static struct adit_status number_set(int fd, int level, int name, uint64_t number)
{
    ADIT_ENSURE(number <= INT32_MAX, INVALID, "socket option out of range");
    int value = (int)number;
    return option_set(fd, level, name, ADIT_OBJECT_BYTES(value));
}

struct adit_status adit_socket_reset_on_close_set(int fd, bool is_reset)
{
    struct linger linger = {.l_onoff = is_reset, .l_linger = 0};
    return option_set(fd, SOL_SOCKET, SO_LINGER, ADIT_OBJECT_BYTES(linger));
}

struct adit_status adit_socket_low_water_set(int fd, size_t bytes)
{
    return number_set(fd, SOL_SOCKET, SO_RCVLOWAT, bytes);
}

void adit_socket_widen(int fd, size_t count, bool *is_wide)
{
    if (*is_wide || count < ADIT_SOCKET_BULK_READ_BYTES) {
        return;
    }
    *is_wide = true;
    /* A low-water mark makes room for itself, and the kernel goes on adapting above it; SO_RCVBUF
     * would fix the size. */
    adit_status_ignore(adit_socket_low_water_set(fd, ADIT_SOCKET_BULK_ROOM_BYTES), "only a hint");
    adit_status_ignore(adit_socket_low_water_set(fd, 1), "it has been set before");
}

struct adit_status adit_socket_defer_accept_set(int listener, uint64_t seconds)
{
    return number_set(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, seconds);
}

struct adit_status adit_socket_unsent_max_set(int fd, size_t bytes)
{
    return number_set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, bytes);
}

struct adit_status adit_socket_pacing_set(int fd, uint64_t rate)
{
    return option_set(fd, SOL_SOCKET, SO_MAX_PACING_RATE, ADIT_OBJECT_BYTES(rate));
}

struct adit_status adit_socket_congestion_set(int fd, struct adit_bytes name)
{
    return option_set(fd, IPPROTO_TCP, TCP_CONGESTION, name);
}

bool adit_socket_congestion_is(int fd, struct adit_bytes name)
{
    char text[CONGESTION_NAME_MAX + 1] = {0}; /* the kernel fills what there is with zeros */
    socklen_t len = CONGESTION_NAME_MAX;
    return getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, text, &len) == 0 &&
           adit_bytes_equal(adit_bytes_of_text(text), name);
}

struct adit_status adit_socket_keepalive_set(int fd, uint32_t idle_s, uint32_t interval_s,
                                             uint32_t count)
{
    ADIT_TRY(number_set(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle_s));
    ADIT_TRY(number_set(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval_s));
    ADIT_TRY(number_set(fd, IPPROTO_TCP, TCP_KEEPCNT, count));
    return number_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

struct adit_status adit_socket_buffers_set(int fd, size_t receive, size_t send_bytes)
{
    if (receive > 0) {
        ADIT_TRY(number_set(fd, SOL_SOCKET, SO_RCVBUF, receive));
    }
    if (send_bytes > 0) {
        ADIT_TRY(number_set(fd, SOL_SOCKET, SO_SNDBUF, send_bytes));
    }
    return adit_ok();
}

/* Packets count as full ones, so a few small ones weigh too much: no more than there are bytes. */
static uint64_t on_road(const struct tcp_info *info)
{
    uint64_t packets = (uint64_t)info->tcpi_unacked + info->tcpi_retrans;
    packets = adit_subtract_floor_u64(packets, (uint64_t)info->tcpi_sacked + info->tcpi_lost);
    uint64_t gone = (uint64_t)info->tcpi_bytes_retrans + info->tcpi_bytes_acked;
    return adit_min_u64(packets * info->tcpi_snd_mss,
                        adit_subtract_floor_u64(info->tcpi_bytes_sent, gone));
}

struct adit_status adit_socket_info_get(int fd, struct adit_socket_info *out_info)
{
    struct tcp_info info = {0}; /* a kernel that knows fewer fields leaves the rest 0 */
    socklen_t len = sizeof(info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "getsockopt TCP_INFO", errno);
    }
    *out_info = (struct adit_socket_info){
        .sent = info.tcpi_data_segs_out,
        .retransmitted = info.tcpi_total_retrans,
        .is_recovering = info.tcpi_ca_state >= TCP_CA_Recovery,
        .rtt_us = info.tcpi_rtt,
        .rtt_min_us = info.tcpi_min_rtt == UINT32_MAX ? 0 : info.tcpi_min_rtt,
        .delivery_rate = info.tcpi_delivery_rate,
        .unsent = info.tcpi_notsent_bytes,
        .unacked = (uint64_t)info.tcpi_unacked * info.tcpi_snd_mss,
        .on_road = on_road(&info),
        .window = (uint64_t)info.tcpi_snd_cwnd * info.tcpi_snd_mss,
        .is_slow_start = info.tcpi_snd_cwnd < info.tcpi_snd_ssthresh,
        .delivered = info.tcpi_bytes_acked + (uint64_t)info.tcpi_sacked * info.tcpi_snd_mss,
    };
    return adit_ok();
}

/* --- Making sockets -------------------------------------------------------------------------- */

void adit_socket_close(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

static struct adit_status socket_make(const struct adit_address *address, int *out_fd)
{
    int family = address->family == 6 ? AF_INET6 : AF_INET;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd < 0) {
        ADIT_FAIL_WITH(SYSTEM, "socket", errno);
    }
    struct adit_status status = number_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (!adit_is_ok(status)) {
        adit_socket_close(&fd);
        return status;
    }
    *out_fd = fd;
    return adit_ok();
}

static struct adit_status listen_begin(int fd, const struct adit_address *address, int backlog)
{
    struct kernel_address kernel = {0};
    ADIT_TRY(kernel_address_fill(address, &kernel));
    ADIT_TRY(number_set(fd, SOL_SOCKET, SO_REUSEADDR, 1));
    ADIT_TRY(adit_socket_keepalive_set(fd, KEEPALIVE_IDLE_S, KEEPALIVE_INTERVAL_S,
                                       KEEPALIVE_COUNT));
    if (address->family == 6) {
        ADIT_TRY(number_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1));
    }
    const void *name = &kernel.storage;
    if (bind(fd, name, kernel.len) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "bind", errno);
    }
    if (listen(fd, backlog) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "listen", errno);
    }
    return adit_ok();
}

struct adit_status adit_socket_listen(const struct adit_address *address, int backlog, int *out_fd)
{
    int fd = -1;
    ADIT_TRY(socket_make(address, &fd));
    struct adit_status status = listen_begin(fd, address, backlog);
    if (!adit_is_ok(status)) {
        adit_socket_close(&fd);
        return status;
    }
    *out_fd = fd;
    return adit_ok();
}

struct adit_status adit_socket_local(int fd, struct adit_address *out_address)
{
    struct kernel_address kernel = {.len = sizeof(kernel.storage)};
    void *name = &kernel.storage;
    if (getsockname(fd, name, &kernel.len) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "getsockname", errno);
    }
    return kernel_address_read(&kernel, out_address);
}

/* What accept4 says of a connection that ended while it waited: the next one may be well. Linux
 * also reports network errors that are pending on it (accept(2), "Error handling"). */
static bool accept_is_dead_peer(int code)
{
    return code == EINTR || code == ECONNABORTED || code == EPROTO || code == EPERM ||
           code == ENETDOWN || code == ENOPROTOOPT || code == EHOSTDOWN || code == ENONET ||
           code == EHOSTUNREACH || code == EOPNOTSUPP || code == ENETUNREACH;
}

struct adit_status adit_socket_accept(int fd, int *out_fd, struct adit_address *out_peer,
                                      enum adit_io *out_io)
{
    struct kernel_address kernel = {0};
    int made = -1;
    int code = ECONNABORTED;
    for (int i = 0; made < 0 && accept_is_dead_peer(code) && i < ACCEPT_TRIES_MAX; i++) {
        kernel.len = sizeof(kernel.storage);
        void *name = &kernel.storage;
        made = accept4(fd, name, &kernel.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        code = errno;
    }
    if (made < 0) {
        ADIT_ENSURE(code != EINVAL, CLOSED, "nobody listens here any more");
        if (code != EAGAIN && !accept_is_dead_peer(code)) {
            ADIT_FAIL_WITH(SYSTEM, "accept", code);
        }
        *out_io = ADIT_IO_BLOCKED;
        return adit_ok();
    }
    struct adit_address peer = {0};
    struct adit_status status = kernel_address_read(&kernel, &peer);
    if (!adit_is_ok(status)) {
        adit_socket_close(&made);
        return status;
    }
    *out_fd = made;
    *out_peer = peer;
    *out_io = ADIT_IO_DONE;
    return adit_ok();
}

static struct adit_status connect_with(const struct adit_address *address, bool is_to_speak,
                                       int *out_fd)
{
    struct kernel_address kernel = {0};
    ADIT_TRY(kernel_address_fill(address, &kernel));
    int fd = -1;
    ADIT_TRY(socket_make(address, &fd));
    if (is_to_speak) { /* of one who connects, it holds back the last ACK of the handshake */
        adit_status_ignore(adit_socket_defer_accept_set(fd, 1), "a packet more");
    }
    const void *name = &kernel.storage;
    if (connect(fd, name, kernel.len) != 0 && errno != EINPROGRESS && errno != EINTR) {
        int code = errno;
        adit_socket_close(&fd);
        ADIT_FAIL_WITH(SYSTEM, "no connection could be made", code);
    }
    *out_fd = fd;
    return adit_ok();
}

struct adit_status adit_socket_connect(const struct adit_address *address, int *out_fd)
{
    return connect_with(address, false, out_fd);
}

struct adit_status adit_socket_connect_to_speak(const struct adit_address *address, int *out_fd)
{
    return connect_with(address, true, out_fd);
}

bool adit_socket_is_connected(int fd)
{
    struct kernel_address kernel = {.len = sizeof(kernel.storage)};
    void *name = &kernel.storage;
    return getpeername(fd, name, &kernel.len) == 0;
}

struct adit_status adit_socket_connect_result(int fd)
{
    int code = 0;
    socklen_t len = sizeof(code);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &len) != 0) {
        code = errno;
    }
    if (code != 0) {
        ADIT_FAIL_WITH(SYSTEM, "no connection could be made", code);
    }
    return adit_ok();
}

/* --- Bytes ----------------------------------------------------------------------------------- */

static struct adit_status receive_with(int fd, struct adit_span span, int flags, size_t *out_count,
                                       enum adit_io *out_io)
{
    ADIT_ENSURE(span.len > 0, INVALID, "no room to receive: 0 bytes would look like the end");
    ssize_t got = -1;
    do {
        got = recv(fd, span.ptr, span.len, flags | MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && errno != EAGAIN) {
        ADIT_FAIL_WITH(SYSTEM, "the connection broke", errno);
    }
    *out_count = got > 0 ? (size_t)got : 0;
    *out_io = got > 0 ? ADIT_IO_DONE : got == 0 ? ADIT_IO_END : ADIT_IO_BLOCKED;
    return adit_ok();
}

struct adit_status adit_socket_receive(int fd, struct adit_span span, size_t *out_count,
                                       enum adit_io *out_io)
{
    return receive_with(fd, span, 0, out_count, out_io);
}

struct adit_status adit_socket_peek(int fd, struct adit_span span, size_t *out_count,
                                    enum adit_io *out_io)
{
    return receive_with(fd, span, MSG_PEEK, out_count, out_io);
}

/* A short count means a full socket buffer, and the kernel then tells when there is room. */
static struct adit_status sent_result(ssize_t sent, size_t want, size_t *out_count,
                                      enum adit_io *out_io)
{
    if (sent < 0 && errno != EAGAIN) {
        ADIT_FAIL_WITH(SYSTEM, "the connection broke", errno);
    }
    *out_count = sent > 0 ? (size_t)sent : 0;
    *out_io = *out_count == want ? ADIT_IO_DONE : ADIT_IO_BLOCKED;
    return adit_ok();
}

static struct adit_status send_with(int fd, struct adit_bytes bytes, int flags, size_t *out_count,
                                    enum adit_io *out_io)
{
    ssize_t sent = -1;
    do {
        sent = send(fd, bytes.ptr, bytes.len, flags | MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    return sent_result(sent, bytes.len, out_count, out_io);
}

struct adit_status adit_socket_send(int fd, struct adit_bytes bytes, size_t *out_count,
                                    enum adit_io *out_io)
{
    return send_with(fd, bytes, 0, out_count, out_io);
}

struct adit_status adit_socket_send_last(int fd, struct adit_bytes bytes, size_t *out_count,
                                         enum adit_io *out_io)
{
    return send_with(fd, bytes, MSG_MORE, out_count, out_io);
}

/* sendmsg wants views that it could change, so it gets copies, a bounded batch of them. */
static struct adit_status send_batch(int fd, const struct iovec *views, size_t view_count,
                                     size_t *out_count, enum adit_io *out_io)
{
    struct iovec batch[SEND_VIEWS_MAX];
    ADIT_ENSURE(view_count <= ADIT_COUNT(batch), INTERNAL, "the batch is cut by the caller");
    size_t want = 0;
    for (size_t i = 0; i < view_count; i++) {
        ADIT_AT(batch, i) = ADIT_SLOT(views, view_count, i);
        ADIT_ENSURE(adit_add_size(want, ADIT_AT(batch, i).iov_len, &want), INVALID,
                    "views of more bytes than there can be");
    }
    struct msghdr message = {.msg_iov = batch, .msg_iovlen = view_count};
    ssize_t sent = -1;
    do {
        sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    return sent_result(sent, want, out_count, out_io);
}

struct adit_status adit_socket_send_views(int fd, const struct iovec *views, size_t view_count,
                                          size_t *out_count, enum adit_io *out_io)
{
    size_t total = 0;
    enum adit_io io = ADIT_IO_DONE;
    if (view_count == 1) { /* the kernel has less to look at */
        return adit_socket_send(fd, adit_object_bytes(views->iov_base, views->iov_len), out_count,
                                out_io);
    }
    for (size_t at = 0; at < view_count && io == ADIT_IO_DONE; at += SEND_VIEWS_MAX) {
        size_t part = 0;
        size_t part_views = adit_min_size(view_count - at, SEND_VIEWS_MAX);
        struct adit_status status =
            send_batch(fd, &ADIT_SLOT(views, view_count, at), part_views, &part, &io);
        if (!adit_is_ok(status)) {
            if (total == 0) {
                return status;
            }
            io = ADIT_IO_BLOCKED; /* told again at the next call; what was sent counts first */
        }
        total += part;
    }
    *out_count = total;
    *out_io = io;
    return adit_ok();
}

struct adit_status adit_socket_finish(int fd)
{
    if (shutdown(fd, SHUT_WR) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "shutdown", errno);
    }
    return adit_ok();
}

struct adit_status adit_socket_stop_listening(int fd)
{
    if (shutdown(fd, SHUT_RD) != 0) {
        ADIT_FAIL_WITH(SYSTEM, "shutdown", errno);
    }
    return adit_ok();
}
