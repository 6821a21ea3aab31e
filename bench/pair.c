/* bench-pair PORT TO [library]: the least that a pair of processes can do which carries many
 * connections over one of TLS. Two processes, a server where visitors come in (the parent) and an
 * agent by the local program (its child). What all streams that are ready have is gathered into
 * full records, sealed and opened in place, and sent once a turn. No windows, limits, checks, log
 * or sandbox, and no HTTP: whoever is slow holds everybody up. It is the yardstick of what the
 * shape itself costs; with `library`, and the library's record layer, of what that costs.
 *
 * A frame: number (u32), length (u16), flags (u16). A record holds whole frames. A stream's number
 * is its visitor's descriptor, and how often that has been one. Either end says END once, with or
 * after its last bytes; a stream is over when both have. GONE, when a socket breaks, ends it at
 * once: what is still on its way for it has a number that is no more, and is dropped. */
#include <poll.h>
#include <sys/uio.h>

#include "common.h"
#include "pair_records.h"

enum {
    LISTENER = 0, /* in place of a stream's number, whose descriptor is 3 at least */
    LINK = 1,
    FRAME = 8,
    FLAG_END = 1,
    FLAG_GONE = 2,
    PAYLOAD_MAX = RECORDS_PLAIN_MAX - FRAME,
    ROOM_MIN = 2048, /* a read into less room begins a new record */
    TURN_RECORDS = 16,
    OUT_BYTES = TURN_RECORDS * RECORDS_MAX,
    VIEWS_MAX = 32,
    EVENTS_MAX = 256,
};

/* The end here of a stream. */
struct end {
    int fd;       /* 0: none */
    uint16_t age; /* how often the descriptor has been a visitor's, as far as is known here */
    bool is_listed; /* in `ready` */
    bool is_ready, is_bulk, has_hup;
    bool is_broken; /* the other end is to be told */
    bool has_sent_end, has_got_end;
};

/* Consecutive frames of one stream, to be written at once. */
struct writer {
    uint32_t slot; /* of its end */
    size_t count;
    struct adit_bytes views[VIEWS_MAX];
};

struct pair {
    int epoll, link, listener;
    bool is_agent;
    struct sockaddr_in to; /* of the agent: the local program */
    struct records seal, open;
    size_t begin, fill; /* of `out`: the record that is being filled, and what it holds */
    size_t held;        /* of `in`: a record that is not whole */
    size_t ready_count;
    struct writer writer;
    uint32_t ready[BENCH_FD_MAX]; /* descriptors */
    struct end ends[BENCH_FD_MAX];
    uint8_t out[OUT_BYTES];
    uint8_t in[BENCH_BLOCK_BYTES + RECORDS_MAX];
};

static void receive(struct pair *pair);

/* The descriptor at the server, which is where either process keeps its end of a stream. */
static uint32_t slot_of(uint32_t number)
{
    return number & UINT16_MAX;
}

static uint32_t number_of(const struct pair *pair, uint32_t slot)
{
    return (uint32_t)ADIT_AT(pair->ends, slot).age << 16 | slot;
}

static void watch(struct pair *pair, int fd, uint32_t number, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u32 = number};
    if (epoll_ctl(pair->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        bench_die("epoll_ctl");
    }
}

static short wait_for(int fd, short events)
{
    struct pollfd one = {.fd = fd, .events = events};
    if (poll(&one, 1, -1) < 0 && errno != EINTR) {
        bench_die("poll");
    }
    return one.revents;
}

/* The end of the record that is being filled. */
static void seal(struct pair *pair)
{
    if (pair->fill > 0) {
        records_seal(&pair->seal, adit_span_from(ADIT_SPAN_OF(pair->out), pair->begin), pair->fill);
        pair->begin += RECORDS_HEAD + pair->fill + RECORDS_TAIL;
        pair->fill = 0;
    }
}

/* Sends all. While the link is full what comes from it is taken, so that both ends cannot wait for
 * each other. */
static void flush(struct pair *pair)
{
    seal(pair);
    struct adit_bytes rest = adit_bytes_first(ADIT_BYTES_OF(pair->out), pair->begin);
    while (rest.len > 0) {
        ssize_t put = send(pair->link, rest.ptr, rest.len, MSG_NOSIGNAL);
        if (put < 0 && errno != EAGAIN) {
            exit(0); /* the other process has ended */
        }
        rest = adit_bytes_from(rest, put > 0 ? (size_t)put : 0);
        if (rest.len > 0 && (wait_for(pair->link, POLLIN | POLLOUT) & POLLIN)) {
            receive(pair);
        }
    }
    pair->begin = 0;
}

/* Where the next frame of at least so many bytes begins. */
static struct adit_span frame_room(struct pair *pair, size_t bytes)
{
    if (pair->fill + FRAME + bytes > RECORDS_PLAIN_MAX) {
        seal(pair);
    }
    if (pair->fill == 0 && pair->begin + RECORDS_MAX > OUT_BYTES) {
        flush(pair);
    }
    struct adit_span rest = adit_span_from(ADIT_SPAN_OF(pair->out), pair->begin + RECORDS_HEAD);
    return adit_span_from(adit_span_first(rest, RECORDS_PLAIN_MAX), pair->fill);
}

/* Its payload is in its place already. */
static void frame_end(struct pair *pair, uint32_t number, size_t len, uint16_t flags)
{
    struct adit_span head = frame_room(pair, len);
    adit_store_big32(head.ptr, number);
    adit_store_big16(adit_span_from(head, 4).ptr, (uint16_t)len);
    adit_store_big16(adit_span_from(head, 6).ptr, flags);
    pair->fill += FRAME + len;
}

static void list(struct pair *pair, uint32_t slot)
{
    struct end *end = &ADIT_AT(pair->ends, slot);
    if (!end->is_listed) {
        end->is_listed = true;
        ADIT_AT(pair->ready, pair->ready_count++) = slot;
    }
}

/* What waits for it here goes with it. */
static void end_close(struct pair *pair, uint32_t slot)
{
    struct end *end = &ADIT_AT(pair->ends, slot);
    if (pair->writer.slot == slot) {
        pair->writer.count = 0;
    }
    close(end->fd);
    *end = (struct end){.age = end->age, .is_listed = end->is_listed};
}

/* It is over for good, and whoever is there is told so by a reset. */
static void end_reset(struct pair *pair, uint32_t slot)
{
    const struct linger now = {.l_onoff = 1};
    int fd = ADIT_AT(pair->ends, slot).fd;
    if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) != 0) {
        bench_die("SO_LINGER");
    }
    end_close(pair, slot);
}

/* Nobody is there. The other end is told with what is sent next: this may be the middle of what
 * was received. */
static void end_broken(struct pair *pair, uint32_t slot)
{
    ADIT_AT(pair->ends, slot).is_broken = true;
    list(pair, slot);
}

static void end_sent(struct pair *pair, uint32_t slot)
{
    struct end *end = &ADIT_AT(pair->ends, slot);
    end->has_sent_end = true;
    end->is_ready = false;
    if (end->has_got_end) {
        end_close(pair, slot);
    }
}

/* After a read that gave nothing. */
static void read_failed(struct pair *pair, uint32_t slot)
{
    ADIT_AT(pair->ends, slot).is_ready = false;
    if (errno != EAGAIN) {
        end_broken(pair, slot);
    }
}

/* The room is made first: that may receive the stream's end. */
static void read_some(struct pair *pair, uint32_t slot)
{
    struct end *end = &ADIT_AT(pair->ends, slot);
    struct adit_span room = adit_span_from(frame_room(pair, ROOM_MIN), FRAME);
    if (!end->is_ready) {
        return;
    }
    ssize_t got = recv(end->fd, room.ptr, room.len, 0);
    if (got < 0) {
        read_failed(pair, slot);
        return;
    }
    size_t len = (size_t)got;
    bool is_end = len == 0 || (len < room.len && end->has_hup);
    frame_end(pair, number_of(pair, slot), len, is_end ? FLAG_END : 0);
    end->is_bulk = len == room.len;
    end->is_ready = len == room.len;
    if (is_end) {
        end_sent(pair, slot);
    }
}

/* Into as many records at once as there is room for. */
static void read_bulk(struct pair *pair, uint32_t slot)
{
    struct end *end = &ADIT_AT(pair->ends, slot);
    struct iovec views[TURN_RECORDS];
    size_t count = 0;
    seal(pair);
    (void)frame_room(pair, PAYLOAD_MAX);
    if (!end->is_ready) {
        return;
    }
    for (size_t at = pair->begin; at + RECORDS_MAX <= OUT_BYTES; at += RECORDS_MAX) {
        struct adit_span rest = adit_span_from(ADIT_SPAN_OF(pair->out), at + RECORDS_HEAD + FRAME);
        ADIT_AT(views, count++) = (struct iovec){.iov_base = rest.ptr, .iov_len = PAYLOAD_MAX};
    }
    ssize_t got = readv(end->fd, views, (int)count);
    if (got < 0) {
        read_failed(pair, slot);
        return;
    }
    uint32_t number = number_of(pair, slot);
    size_t rest = (size_t)got;
    bool is_end = rest == 0 || (rest < count * PAYLOAD_MAX && end->has_hup);
    end->is_ready = rest == count * PAYLOAD_MAX;
    end->is_bulk = rest >= PAYLOAD_MAX;
    for (; rest > PAYLOAD_MAX; rest -= PAYLOAD_MAX) {
        frame_end(pair, number, PAYLOAD_MAX, 0);
        seal(pair);
    }
    frame_end(pair, number, rest, is_end ? FLAG_END : 0);
    if (is_end) {
        end_sent(pair, slot);
    }
}

/* A turn of each stream that has bytes, and a last word for those that broke; those that may have
 * more stay. */
static void read_ready(struct pair *pair)
{
    size_t left = 0;
    for (size_t i = 0; i < pair->ready_count; i++) {
        uint32_t slot = ADIT_AT(pair->ready, i);
        struct end *end = &ADIT_AT(pair->ends, slot);
        if (end->is_ready && !end->is_broken) {
            if (end->is_bulk) {
                read_bulk(pair, slot);
            } else {
                read_some(pair, slot);
            }
        }
        if (end->is_broken) {
            uint32_t number = number_of(pair, slot);
            end_reset(pair, slot);
            frame_end(pair, number, 0, FLAG_GONE);
        }
        end->is_listed = end->is_ready || end->is_broken;
        if (end->is_listed) {
            ADIT_AT(pair->ready, left++) = slot;
        }
    }
    pair->ready_count = left;
}

/* Hands over what is gathered for one stream. `flags`: of send. */
static void writer_flush(struct pair *pair, int flags)
{
    struct writer *writer = &pair->writer;
    int fd = writer->count > 0 ? ADIT_AT(pair->ends, writer->slot).fd : 0;
    for (size_t first = 0; first < writer->count;) {
        struct iovec views[VIEWS_MAX];
        struct msghdr message = {.msg_iov = views};
        for (size_t i = first; i < writer->count; i++) {
            struct adit_bytes *view = &ADIT_AT(writer->views, i);
            ADIT_AT(views, message.msg_iovlen++) =
                (struct iovec){.iov_base = (void *)(uintptr_t)view->ptr, .iov_len = view->len};
        }
        struct adit_bytes *view = &ADIT_AT(writer->views, first);
        ssize_t put = message.msg_iovlen == 1
                          ? send(fd, view->ptr, view->len, MSG_NOSIGNAL | flags)
                          : sendmsg(fd, &message, MSG_NOSIGNAL | flags);
        if (put < 0 && errno != EAGAIN) {
            end_broken(pair, writer->slot);
            break;
        }
        size_t gone = put > 0 ? (size_t)put : 0;
        for (; first < writer->count && gone >= ADIT_AT(writer->views, first).len; first++) {
            gone -= ADIT_AT(writer->views, first).len;
        }
        if (first < writer->count) {
            view = &ADIT_AT(writer->views, first);
            *view = adit_bytes_from(*view, gone);
            wait_for(fd, POLLOUT);
        }
    }
    writer->count = 0;
}

static void dial(struct pair *pair, uint32_t number)
{
    const int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || (connect(fd, (const void *)&pair->to, sizeof pair->to) != 0 &&
                   errno != EINPROGRESS) ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0) {
        bench_die("dial");
    }
    ADIT_AT(pair->ends, slot_of(number)).fd = fd;
    watch(pair, fd, number, EPOLLIN | EPOLLRDHUP | EPOLLET);
}

/* Whether the stream of a frame is there, or can be: at the agent a new age is a new stream. What
 * went with the old one, while it was being told, is for nobody. */
static bool is_known(struct pair *pair, uint32_t number, uint16_t flags)
{
    struct end *end = &ADIT_AT(pair->ends, slot_of(number));
    bool is_new = end->age != number >> 16;
    if (pair->is_agent && is_new) {
        if (end->fd > 0) {
            bench_die("a number that is not free");
        }
        end->age = (uint16_t)(number >> 16);
        if (flags != FLAG_GONE) {
            dial(pair, number);
        }
    }
    return end->fd > 0 && end->age == number >> 16 && !end->is_broken;
}

static void take_end(struct pair *pair, uint32_t slot)
{
    struct end *end = &ADIT_AT(pair->ends, slot);
    writer_flush(pair, end->has_sent_end ? 0 : MSG_MORE); /* its end goes with it */
    if (end->is_broken) {
        return;
    }
    end->has_got_end = true;
    if (end->has_sent_end) {
        end_close(pair, slot);
    } else {
        shutdown(end->fd, SHUT_WR);
    }
}

static void take_frame(struct pair *pair, uint32_t number, struct adit_bytes payload,
                       uint16_t flags)
{
    struct writer *writer = &pair->writer;
    uint32_t slot = slot_of(number);
    if (!is_known(pair, number, flags)) {
        return;
    }
    if (flags == FLAG_GONE) {
        end_reset(pair, slot);
        return;
    }
    if (writer->count == VIEWS_MAX || writer->slot != slot) {
        writer_flush(pair, 0);
    }
    if (payload.len > 0) {
        writer->slot = slot;
        ADIT_AT(writer->views, writer->count++) = payload;
    }
    if (flags == FLAG_END) {
        take_end(pair, slot);
    }
}

static void take_record(struct pair *pair, struct adit_span record)
{
    struct adit_bytes rest = records_open(&pair->open, record);
    while (rest.len >= FRAME) {
        size_t len = adit_load_big16(adit_bytes_from(rest, 4).ptr);
        uint16_t flags = adit_load_big16(adit_bytes_from(rest, 6).ptr);
        take_frame(pair, adit_load_big32(rest.ptr),
                   adit_bytes_first(adit_bytes_from(rest, FRAME), len), flags);
        rest = adit_bytes_from(rest, FRAME + len);
    }
}

static void receive(struct pair *pair)
{
    struct adit_span in = ADIT_SPAN_OF(pair->in);
    ssize_t got = recv(pair->link, adit_span_from(in, pair->held).ptr, BENCH_BLOCK_BYTES, 0);
    if (got < 0 && errno == EAGAIN) {
        return;
    }
    if (got <= 0) {
        exit(0); /* the other process has ended */
    }
    size_t end = pair->held + (size_t)got, begin = 0;
    for (;;) {
        struct adit_span rest = adit_span_from(adit_span_first(in, end), begin);
        size_t len = records_len(adit_span_bytes(rest));
        if (len == 0 || len > rest.len) {
            break;
        }
        take_record(pair, adit_span_first(rest, len));
        begin += len;
    }
    writer_flush(pair, 0);
    pair->held = end - begin;
    if (pair->held > 0 && !adit_is_ok(adit_span_move(in, 0, begin, pair->held))) {
        bench_die("a record");
    }
}

static void take_visitors(struct pair *pair)
{
    for (;;) {
        int fd = accept4(pair->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            return;
        }
        struct end *end = &ADIT_AT(pair->ends, fd);
        end->fd = fd;
        end->age++;
        watch(pair, fd, number_of(pair, (uint32_t)fd), EPOLLIN | EPOLLRDHUP | EPOLLET);
    }
}

static void take_event(struct pair *pair, uint32_t number, uint32_t events)
{
    uint32_t slot = slot_of(number);
    struct end *end = &ADIT_AT(pair->ends, slot);
    if (end->fd == 0 || number_of(pair, slot) != number) {
        return; /* it ended earlier in this turn */
    }
    if (!end->has_sent_end) {
        end->has_hup = end->has_hup || (events & ~(uint32_t)EPOLLIN) != 0;
        end->is_ready = true;
        list(pair, slot);
    } else if (events & EPOLLERR) {
        end_broken(pair, slot);
    }
}

static void turn(struct pair *pair)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(pair->epoll, events, EVENTS_MAX, pair->ready_count > 0 ? 0 : -1);
    for (int i = 0; i < count; i++) {
        const struct epoll_event *event = &ADIT_AT(events, i);
        uint32_t number = event->data.u32;
        if (number == LISTENER) {
            take_visitors(pair);
        } else if (number == LINK) {
            receive(pair);
        } else {
            take_event(pair, number, event->events);
        }
    }
    read_ready(pair);
    flush(pair);
}

/* The listener of visitors: whose first bytes are there, and never held back. */
static int listen_for_visitors(uint16_t port)
{
    const int one = 1;
    int fd = bench_listen(port);
    if (setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &one, sizeof one) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0) {
        bench_die("a listener");
    }
    return fd;
}

static uint16_t port_of(int listener)
{
    struct sockaddr_in address = {0};
    socklen_t size = sizeof address;
    if (getsockname(listener, (void *)&address, &size) != 0) {
        bench_die("getsockname");
    }
    return ntohs(address.sin_port);
}

int main(int argc, char **argv)
{
    static struct pair pair;
    static struct pair_library library;
    bool by_library = argc == 4 && strcmp(ADIT_SLOT(argv, 4, 3), "library") == 0;
    if (argc != 3 && !by_library) {
        fprintf(stderr, "usage: bench-pair PORT TO [library]\n");
        return 2;
    }
    bench_start();
    uint16_t port = (uint16_t)bench_number(ADIT_SLOT(argv, 3, 1), UINT16_MAX);
    uint16_t to = (uint16_t)bench_number(ADIT_SLOT(argv, 3, 2), UINT16_MAX);
    int middle = bench_listen(0);
    pid_t child = fork();
    if (child < 0) {
        bench_die("fork");
    }
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pair.is_agent = true;
        pair.to = (struct sockaddr_in){.sin_family = AF_INET,
                                       .sin_port = htons(to),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        pair.link = bench_connect(port_of(middle));
    } else {
        wait_for(middle, POLLIN);
        pair.link = bench_accept(middle);
        bench_set_blocking(pair.link, true);
        pair.listener = listen_for_visitors(port);
    }
    close(middle);
    records_shake(pair.link, child != 0, by_library ? &library : NULL, &pair.seal, &pair.open);
    bench_set_blocking(pair.link, false);
    pair.epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(&pair, pair.link, LINK, EPOLLIN);
    if (pair.listener > 0) {
        watch(&pair, pair.listener, LISTENER, EPOLLIN);
    }
    for (;;) {
        turn(&pair);
    }
}
