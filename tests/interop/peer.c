/* peer: our mux over a plain TCP connection on loopback, to be tested against other
 * implementations of yamux. Not a tunnel: no TLS, no sandbox, one connection, then it ends.
 *
 *     peer serve|connect PORT client|server OPEN ACCEPT SIZE AT_ONCE [bare-syn] [fin-apart]
 *
 * Opens OPEN streams, AT_ONCE of them at a time, and takes ACCEPT; says and hears SIZE bytes on
 * each (lane.h). `serve 0` takes any port; the line `port N` says which. `bare-syn` sends a SYN
 * without payload, `fin-apart` a FIN: for peers that lose such a payload (README.md). Whoever
 * opens closes the connection. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lane.h"
#include "mux/mux.h"

#define PEER_LANES 1024u
#define PEER_IN_BYTES (256u << 10)
#define PEER_OUT_BYTES (256u << 10)
#define PEER_NOISE_BYTES ((1u << 20) + 7919u)

struct lane {
    struct adit_handle stream;
    bool is_used, is_opener, has_syn, can_say;
    bool has_said_end, has_heard_end;
    struct lane_half out, in;
};

struct peer {
    struct adit_mux mux;
    struct adit_session session;
    int fd;
    uint32_t open_left, open_total, accept_left, live, at_once, size;
    bool is_bare_syn, is_fin_apart, has_peer_ended, has_said_goodbye;
    uint64_t bytes_in, bytes_out;
    struct adit_span noise, in, out;
    size_t out_head, out_len;
    struct lane lanes[PEER_LANES];
};

static struct adit_status lane_open(struct lane *lane, struct adit_handle stream, bool is_opener)
{
    *lane = (struct lane){.stream = stream, .is_used = true, .is_opener = is_opener};
    ADIT_TRY(lane_begin(&lane->out));
    return lane_begin(&lane->in);
}

static struct adit_status peer_lane(struct peer *peer, uint64_t user, struct lane **out_lane)
{
    ADIT_ENSURE(user >= 1 && user <= PEER_LANES, INTERNAL, "an event without a lane");
    *out_lane = &ADIT_AT(peer->lanes, user - 1);
    ADIT_ENSURE((*out_lane)->is_used, INTERNAL, "an event for a lane that is gone");
    return adit_ok();
}

static struct adit_status peer_lane_free(struct peer *peer, size_t *out_slot)
{
    for (size_t i = 0; i < PEER_LANES; i++) {
        if (!ADIT_AT(peer->lanes, i).is_used) {
            *out_slot = i;
            return adit_ok();
        }
    }
    ADIT_FAIL(FULL, "all lanes are in use");
}

/* Both sides have finished: the stream ends and the next one may open. */
static void peer_lane_settle(struct peer *peer, struct lane *lane)
{
    if (lane->has_said_end && lane->has_heard_end) {
        adit_session_release(&peer->session, lane->stream, adit_clock_now_us());
        lane_end(&lane->out);
        lane_end(&lane->in);
        lane->is_used = false;
        peer->live--;
    }
}

static struct adit_status peer_open(struct peer *peer)
{
    while (peer->open_left > 0 && peer->live < peer->at_once) {
        size_t slot = 0;
        struct adit_handle stream = {0};
        ADIT_TRY(peer_lane_free(peer, &slot));
        struct adit_status status =
            adit_session_open(&peer->session, slot + 1, adit_clock_now_us(), &stream);
        if (adit_status_error(status) == ADIT_ERROR_FULL) {
            return adit_ok();
        }
        ADIT_TRY(status);
        struct lane *lane = &ADIT_AT(peer->lanes, slot);
        ADIT_TRY(lane_open(lane, stream, true));
        lane_say(&lane->out, peer->open_total - peer->open_left, peer->size);
        lane->can_say = true;
        peer->open_left--;
        peer->live++;
        adit_session_ready(&peer->session, stream);
    }
    return adit_ok();
}

/* --- Input ----------------------------------------------------------------------------------- */

static struct adit_status peer_opened(struct peer *peer, struct adit_handle stream)
{
    size_t slot = 0;
    ADIT_ENSURE(peer->accept_left > 0, INVALID, "one stream too many");
    ADIT_TRY(peer_lane_free(peer, &slot));
    ADIT_TRY(lane_open(&ADIT_AT(peer->lanes, slot), stream, false));
    peer->accept_left--;
    peer->live++;
    return adit_session_accept(&peer->session, stream, slot + 1);
}

static struct adit_status peer_data(struct peer *peer, struct lane *lane, struct adit_bytes data)
{
    ADIT_TRY(lane_hear(&lane->in, data));
    peer->bytes_in += data.len;
    adit_session_consumed(&peer->session, lane->stream, data.len, adit_clock_now_us());
    if (!lane->can_say && lane->in.at >= LANE_HEAD_BYTES) {
        lane_say(&lane->out, lane->in.index, peer->size);
        lane->can_say = true;
        adit_session_ready(&peer->session, lane->stream);
    }
    return adit_ok();
}

static struct adit_status peer_finished(struct peer *peer, struct lane *lane)
{
    ADIT_ENSURE(lane->in.at >= LANE_HEAD_BYTES && lane->in.at == lane_length(&lane->in), INVALID,
                "the stream ended too early");
    ADIT_ENSURE(lane->in.index == lane->out.index, INVALID, "an answer to another question");
    lane->has_heard_end = true;
    peer_lane_settle(peer, lane);
    return adit_ok();
}

static struct adit_status peer_event(struct peer *peer, const struct adit_session_event *event)
{
    struct lane *lane = NULL;
    switch (event->kind) {
    case ADIT_SESSION_OPENED:
        return peer_opened(peer, event->stream);
    case ADIT_SESSION_DATA:
        ADIT_TRY(peer_lane(peer, event->user, &lane));
        return peer_data(peer, lane, event->data);
    case ADIT_SESSION_FINISHED:
        ADIT_TRY(peer_lane(peer, event->user, &lane));
        return peer_finished(peer, lane);
    case ADIT_SESSION_RESET:
        ADIT_FAIL(INVALID, "the peer reset a stream");
    case ADIT_SESSION_GOAWAY:
        ADIT_ENSURE(event->code == 0, INVALID, "the peer said GOAWAY with an error");
        return adit_ok();
    case ADIT_SESSION_MORE:
    case ADIT_SESSION_ACKED:
        break;
    }
    return adit_ok();
}

static struct adit_status peer_read(struct peer *peer)
{
    ssize_t got = recv(peer->fd, peer->in.ptr, peer->in.len, MSG_DONTWAIT);
    if (got < 0) {
        if (errno == EAGAIN || errno == EINTR) {
            return adit_ok();
        }
        ADIT_FAIL_WITH(SYSTEM, "recv", errno);
    }
    peer->has_peer_ended = got == 0;
    struct adit_bytes rest = adit_bytes_first(adit_span_bytes(peer->in), (size_t)got);
    struct adit_session_event event = {.kind = ADIT_SESSION_ACKED};
    while (event.kind != ADIT_SESSION_MORE || rest.len > 0) {
        ADIT_TRY(adit_session_receive(&peer->session, &rest, adit_clock_now_us(), &event));
        ADIT_TRY(peer_event(peer, &event));
    }
    return adit_ok();
}

/* --- Output ---------------------------------------------------------------------------------- */

static struct adit_status peer_turn(struct peer *peer, struct adit_writer *writer,
                                    const struct adit_session_turn *turn)
{
    struct lane *lane = NULL;
    ADIT_TRY(peer_lane(peer, turn->user, &lane));
    bool is_bare = lane->is_opener && !lane->has_syn && peer->is_bare_syn;
    if (!lane->can_say) {
        adit_session_idle(&peer->session, turn->stream);
        return adit_ok();
    }
    struct adit_span header = {0};
    struct adit_span payload = {0};
    ADIT_TRY(adit_write_reserve(writer, ADIT_YAMUX_HEADER_BYTES, &header));
    size_t max = adit_min_size(turn->bytes_max, adit_writer_room(writer));
    size_t left = (size_t)(lane_length(&lane->out) - lane->out.at);
    ADIT_TRY(adit_write_reserve(writer, is_bare ? 0 : adit_min_size(max, left), &payload));
    size_t count = lane_fill(&lane->out, adit_span_bytes(peer->noise), payload);
    ADIT_ENSURE(count == payload.len, INTERNAL, "the hash failed");
    lane->has_syn = true;
    lane->has_said_end = lane->out.at == lane_length(&lane->out) &&
                         (count == 0 || !peer->is_fin_apart);
    peer->bytes_out += count;
    ADIT_TRY(adit_session_sent(&peer->session, turn->stream, header, count, lane->has_said_end));
    peer_lane_settle(peer, lane);
    return adit_ok();
}

static struct adit_status peer_fill(struct peer *peer)
{
    struct adit_writer writer = adit_writer_of(peer->out);
    adit_session_pull(&peer->session, &writer, adit_clock_now_us());
    struct adit_session_turn turn = {0};
    while (adit_session_next(&peer->session, adit_writer_room(&writer), &turn)) {
        ADIT_TRY(peer_turn(peer, &writer, &turn));
    }
    peer->out_head = 0;
    peer->out_len = writer.len;
    return adit_ok();
}

static struct adit_status peer_write(struct peer *peer)
{
    while (peer->out_len > 0 || adit_session_wants_output(&peer->session)) {
        if (peer->out_len == 0) {
            ADIT_TRY(peer_fill(peer));
        }
        if (peer->out_len == 0) {
            return adit_ok();
        }
        struct adit_bytes rest = adit_bytes_from(adit_span_bytes(peer->out), peer->out_head);
        ssize_t sent = send(peer->fd, rest.ptr, peer->out_len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EAGAIN || errno == EINTR) {
                return adit_ok();
            }
            ADIT_FAIL_WITH(SYSTEM, "send", errno);
        }
        peer->out_head += (size_t)sent;
        peer->out_len -= (size_t)sent;
    }
    return adit_ok();
}

/* --- The loop -------------------------------------------------------------------------------- */

static bool peer_is_done(const struct peer *peer)
{
    return peer->open_left == 0 && peer->accept_left == 0 && peer->live == 0;
}

/* Whoever opened streams says goodbye and ends the connection; the other side waits for that. */
static struct adit_status peer_goodbye(struct peer *peer)
{
    if (peer_is_done(peer) && peer->open_total > 0 && !peer->has_said_goodbye) {
        adit_session_goaway(&peer->session, ADIT_YAMUX_GOAWAY_NORMAL);
        peer->has_said_goodbye = true;
        ADIT_TRY(peer_write(peer));
    }
    if (peer->has_said_goodbye && peer->out_len == 0) {
        shutdown(peer->fd, SHUT_WR);
    }
    return adit_ok();
}

static struct adit_status peer_run(struct peer *peer)
{
    uint64_t until_us = adit_clock_now_us() + 170 * (uint64_t)ADIT_SECOND_US;
    while (!peer->has_peer_ended) {
        ADIT_ENSURE(adit_clock_now_us() < until_us, TIMEOUT, "170 s are over");
        ADIT_TRY(peer_open(peer));
        ADIT_TRY(peer_write(peer));
        ADIT_TRY(peer_goodbye(peer));
        bool is_congested = adit_session_is_congested(&peer->session);
        struct pollfd event = {.fd = peer->fd,
                               .events = (short)((is_congested ? 0 : POLLIN) |
                                                 (peer->out_len > 0 ? POLLOUT : 0))};
        if (poll(&event, 1, 1000) < 0 && errno != EINTR) {
            ADIT_FAIL_WITH(SYSTEM, "poll", errno);
        }
        if ((event.revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !is_congested) {
            ADIT_TRY(peer_read(peer));
        }
        struct adit_session_event due = {0};
        ADIT_TRY(adit_session_tick(&peer->session, adit_clock_now_us(), &due));
        ADIT_ENSURE(due.kind == ADIT_SESSION_MORE, TIMEOUT, "a stream ran into its deadline");
    }
    ADIT_ENSURE(peer_is_done(peer), CLOSED, "the connection ended before the work");
    const struct adit_session_counters *c = &peer->session.counters;
    ADIT_ENSURE(c->streams_open == 0 && c->unacked_in == 0 && c->unacked_out == 0 &&
                    c->received_pending == 0 && c->growth_granted == 0,
                INTERNAL, "a counter is not back to zero");
    ADIT_ENSURE(c->glitches_total == 0 && c->resets_in_total == 0 && c->resets_out_total == 0,
                INVALID, "glitches or resets between honest peers");
    return adit_ok();
}

static struct adit_status peer_connect(bool is_serve, uint16_t port, int *out_fd)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ADIT_ENSURE(fd >= 0, SYSTEM, "socket");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    void *any = &address;
    if (is_serve) {
        ADIT_ENSURE(bind(fd, any, size) == 0 && listen(fd, 1) == 0 &&
                        getsockname(fd, any, &size) == 0,
                    SYSTEM, "bind");
        printf("port %u\n", ntohs(address.sin_port));
        fflush(stdout);
        int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        close(fd);
        fd = accepted;
        ADIT_ENSURE(fd >= 0, SYSTEM, "accept");
    } else {
        ADIT_ENSURE(connect(fd, any, size) == 0, SYSTEM, "connect");
    }
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    *out_fd = fd;
    return adit_ok();
}

static struct adit_status peer_begin(struct peer *peer, enum adit_session_role role)
{
    struct adit_mux_options options = {.limits = adit_mux_limits_default(),
                                       .streams_max = 4096, .growth_max = 256u << 20};
    ADIT_TRY(adit_random_fill(ADIT_OBJECT_SPAN(options.seed)));
    ADIT_TRY(adit_memory_open(PEER_IN_BYTES, 1, &peer->in));
    ADIT_TRY(adit_memory_open(PEER_OUT_BYTES, 1, &peer->out));
    ADIT_TRY(adit_memory_open(PEER_NOISE_BYTES, 1, &peer->noise));
    for (size_t at = 0; at < peer->noise.len; at += 4096) {
        ADIT_TRY(adit_random_fill(adit_span_first(adit_span_from(peer->noise, at), 4096)));
    }
    ADIT_TRY(adit_mux_init(&peer->mux, &options));
    return adit_session_init(&peer->session, &peer->mux, role, options.seed.low,
                             adit_clock_now_us());
}

static bool peer_number(int argc, char **argv, int index, uint32_t *out_value)
{
    uint64_t value = 0;
    if (index >= argc) {
        return false;
    }
    struct adit_bytes text = adit_bytes_of_text(ADIT_SLOT(argv, (size_t)argc, index));
    if (!adit_is_ok(adit_parse_decimal(text, 1u << 24, &value))) {
        return false;
    }
    *out_value = (uint32_t)value;
    return true;
}

static bool peer_word(int argc, char **argv, int index, const char *word)
{
    return index < argc && strcmp(ADIT_SLOT(argv, (size_t)argc, index), word) == 0;
}

int main(int argc, char **argv)
{
    struct peer *peer = calloc(1, sizeof *peer);
    uint32_t port = 0;
    if (!peer || !peer_number(argc, argv, 2, &port) ||
        !peer_number(argc, argv, 4, &peer->open_left) ||
        !peer_number(argc, argv, 5, &peer->accept_left) ||
        !peer_number(argc, argv, 6, &peer->size) || !peer_number(argc, argv, 7, &peer->at_once)) {
        fprintf(stderr, "usage: peer serve|connect PORT client|server OPEN ACCEPT SIZE AT_ONCE"
                        " [bare-syn] [fin-apart]\n");
        free(peer);
        return 2;
    }
    peer->open_total = peer->open_left;
    for (int i = 8; i < argc; i++) {
        peer->is_bare_syn |= peer_word(argc, argv, i, "bare-syn");
        peer->is_fin_apart |= peer_word(argc, argv, i, "fin-apart");
    }
    struct adit_status status =
        peer_connect(peer_word(argc, argv, 1, "serve"), (uint16_t)port, &peer->fd);
    if (adit_is_ok(status)) {
        status = peer_begin(peer, peer_word(argc, argv, 3, "client") ? ADIT_SESSION_CLIENT
                                                                     : ADIT_SESSION_SERVER);
    }
    if (adit_is_ok(status)) {
        status = peer_run(peer);
    }
    printf("%s: %s (%lld): %llu bytes in, %llu out, open %u and accept %u left, %u live\n",
           adit_is_ok(status) ? "done" : "failed", adit_status_what(status),
           (long long)status.detail, (unsigned long long)peer->bytes_in,
           (unsigned long long)peer->bytes_out, peer->open_left, peer->accept_left, peer->live);
    fflush(stdout);
    _exit(adit_is_ok(status) ? 0 : 1); /* the connection ends with the process */
}
