/* Socket: TCP over IPv4 and IPv6, non-blocking and close-on-exec always. The only socket calls.
 *
 * "Would block" is a value (0 bytes and ADIT_IO_BLOCKED), not an error. TCP_NODELAY is set on every
 * stream socket that is made here, and what a listener accepts inherits it. */
#ifndef ADIT_NET_SOCKET_H
#define ADIT_NET_SOCKET_H

#include "net/address.h"

enum adit_io { ADIT_IO_DONE, ADIT_IO_BLOCKED, ADIT_IO_END };

/* Listening socket with SO_REUSEADDR; one of IPv6 takes IPv6 only, so that a program can listen on
 * 0.0.0.0 and [::] both. What it accepts inherits keepalive: a peer that vanished without a word is
 * found after about two minutes, also where nothing is ever sent to it. SYSTEM with errno
 * (EADDRINUSE ...). */
struct adit_status adit_socket_listen(const struct adit_address *address, int backlog, int *out_fd);
struct adit_status adit_socket_local(int fd, struct adit_address *out_address);

/* BLOCKED: nobody is waiting. A connection that died in the queue counts as BLOCKED.
 * SYSTEM with EMFILE or ENFILE where descriptors ran out. CLOSED after stop_listening. */
struct adit_status adit_socket_accept(int fd, int *out_fd, struct adit_address *out_peer,
                                      enum adit_io *out_io);

/* Begins to connect; writable (or an error event) says that it ended, connect_result how. */
struct adit_status adit_socket_connect(const struct adit_address *address, int *out_fd);
/* The same for one who has something to say at once: its first bytes carry the end of the
 * handshake, which would be a packet of its own, and wakes the other side a second time. Where
 * nothing is sent the kernel says it alone, after 200 ms at most. */
struct adit_status adit_socket_connect_to_speak(const struct adit_address *address, int *out_fd);
bool adit_socket_is_connected(int fd); /* already: on loopback it usually is, right after connect */
struct adit_status adit_socket_connect_result(int fd); /* SYSTEM with errno where it failed */

/* Up to span.len bytes. END at the peer's FIN. SYSTEM with errno (ECONNRESET ...). */
struct adit_status adit_socket_receive(int fd, struct adit_span span, size_t *out_count,
                                       enum adit_io *out_io);
struct adit_status adit_socket_peek(int fd, struct adit_span span, size_t *out_count,
                                    enum adit_io *out_io);

/* As many as the kernel takes now: BLOCKED where that is fewer than all. Never SIGPIPE. */
struct adit_status adit_socket_send(int fd, struct adit_bytes bytes, size_t *out_count,
                                    enum adit_io *out_io);
/* As adit_socket_send; the bytes may wait for the FIN, in one packet: finish or close is next. Or
 * for the bytes of a next send, for at most 200 ms. */
struct adit_status adit_socket_send_last(int fd, struct adit_bytes bytes, size_t *out_count,
                                         enum adit_io *out_io);
struct adit_status adit_socket_send_views(int fd, const struct iovec *views, size_t view_count,
                                          size_t *out_count, enum adit_io *out_io);

void adit_socket_close(int *fd);                       /* and sets it to -1; -1 is fine */
struct adit_status adit_socket_finish(int fd);         /* FIN: shutdown(SHUT_WR) */
/* Who connects is accepted with the first bytes, or without any after about so many seconds. */
struct adit_status adit_socket_defer_accept_set(int listener, uint64_t seconds);
struct adit_status adit_socket_stop_listening(int fd); /* shutdown(SHUT_RD): every holder's too */

/* Close means reset (SO_LINGER 1,0) until it is set back to false. */
struct adit_status adit_socket_reset_on_close_set(int fd, bool is_reset);
struct adit_status adit_socket_low_water_set(int fd, size_t bytes);        /* SO_RCVLOWAT */
/* For a socket that gave `count` bytes at once: one that carries bulk is told, once, to keep more
 * that waits to be read. What the kernel finds out itself differs from socket to socket, and with
 * it what one read brings and what share a stream has. */
#define ADIT_SOCKET_BULK_READ_BYTES (32 * 1024)
#define ADIT_SOCKET_BULK_ROOM_BYTES (512 * 1024)
void adit_socket_widen(int fd, size_t count, bool *is_wide);
struct adit_status adit_socket_unsent_max_set(int fd, size_t bytes);       /* TCP_NOTSENT_LOWAT */
/* No faster than this, in bytes a second, and evenly rather than in bursts (SO_MAX_PACING_RATE). */
struct adit_status adit_socket_pacing_set(int fd, uint64_t rate);
struct adit_status adit_socket_congestion_set(int fd, struct adit_bytes name);
bool adit_socket_congestion_is(int fd, struct adit_bytes name);
struct adit_status adit_socket_keepalive_set(int fd, uint32_t idle_s, uint32_t interval_s,
                                             uint32_t count);
struct adit_status adit_socket_buffers_set(int fd, size_t receive, size_t send); /* 0: as it is */

struct adit_socket_info {
    uint64_t sent, retransmitted; /* segments with data, since the start; again: in them too */
    bool is_recovering;           /* from a loss, now */
    uint64_t rtt_us, rtt_min_us;
    uint64_t delivery_rate; /* bytes a second, as measured by the kernel */
    uint64_t unsent;        /* bytes written and not sent yet */
    uint64_t unacked;       /* bytes sent and not acknowledged, about */
    uint64_t on_road;       /* of these, what is neither lost nor known to have arrived, about */
    uint64_t delivered;     /* bytes that have arrived since the start, about */
    uint64_t window;        /* bytes that the congestion control allows on the road */
    bool is_slow_start;     /* and it still doubles in a round trip */
};
struct adit_status adit_socket_info_get(int fd, struct adit_socket_info *out_info);

#endif
