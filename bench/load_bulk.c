#include "common.h"
#include "load.h"

struct bulk {
    int epoll;
    uint64_t open; /* connections that have not ended */
    uint64_t bytes;
    uint32_t block; /* up: bytes of one send */
    uint64_t left[BENCH_FD_MAX]; /* up: bytes still to send */
    uint8_t memory[BENCH_BLOCK_BYTES];
};

static void print(const struct bulk *bulk, uint64_t start_ns)
{
    double seconds = (double)(bench_now_ns() - start_ns) / 1e9;
    printf("{\"bytes\":%llu,\"seconds\":%.4f,\"gib_per_s\":%.4f}\n",
           (unsigned long long)bulk->bytes, seconds, (double)bulk->bytes / seconds / (1 << 30));
}

/* One read of a download; false at its end. */
static bool take(struct bulk *bulk, int fd)
{
    ssize_t got = recv(fd, bulk->memory, sizeof bulk->memory, 0);
    if (got < 0 && errno != EAGAIN) {
        bench_die("recv");
    }
    bulk->bytes += got > 0 ? (uint64_t)got : 0;
    return got != 0;
}

/* One write of an upload; false where everything has gone. */
static bool give(struct bulk *bulk, int fd)
{
    uint64_t *left = &ADIT_AT(bulk->left, fd);
    ssize_t put = send(fd, bulk->memory, adit_min_size(*left, bulk->block), MSG_NOSIGNAL);
    if (put < 0 && errno != EAGAIN) {
        bench_die("send");
    }
    *left -= put > 0 ? (uint64_t)put : 0;
    return *left > 0;
}

static void run(struct bulk *bulk, bool (*step)(struct bulk *, int))
{
    while (bulk->open > 0) {
        struct epoll_event events[64] = {0};
        int ready = epoll_wait(bulk->epoll, events, ADIT_COUNT(events), -1);
        for (int i = 0; i < ready; i++) {
            int fd = ADIT_AT(events, i).data.fd;
            if (!step(bulk, fd)) {
                bench_watch(bulk->epoll, EPOLL_CTL_DEL, fd, 0);
                bulk->open--;
            }
        }
    }
}

static struct bulk *begin(const struct load_bulk *job)
{
    static struct bulk bulk;
    bulk.epoll = epoll_create1(EPOLL_CLOEXEC);
    bulk.open = job->count;
    bulk.block = job->block;
    return &bulk;
}

void load_down(const struct load_bulk *job)
{
    struct bulk *bulk = begin(job);
    uint64_t each = job->bytes / job->count;
    uint64_t start_ns = bench_now_ns();
    for (uint64_t i = 0; i < job->count; i++) {
        uint8_t memory[1 + BENCH_ORDER_BYTES] = {0};
        struct adit_writer order = adit_writer_of(ADIT_SPAN_OF(memory));
        adit_status_ignore(adit_write_u8(&order, BENCH_DOWN), "it has room");
        adit_status_ignore(adit_write_u64(&order, each), "it has room");
        adit_status_ignore(adit_write_u32(&order, job->block), "it has room");
        int fd = bench_connect(job->port);
        bench_send_all(fd, adit_writer_bytes(&order));
        bench_set_blocking(fd, false);
        bench_watch(bulk->epoll, EPOLL_CTL_ADD, fd, EPOLLIN);
    }
    run(bulk, take);
    if (bulk->bytes != each * job->count) {
        errno = 0;
        bench_die("a download ended too early");
    }
    print(bulk, start_ns);
}

void load_up(const struct load_bulk *job)
{
    struct bulk *bulk = begin(job);
    uint64_t each = job->bytes / job->count;
    int *fds = calloc(job->count, sizeof *fds);
    if (!fds) {
        bench_die("calloc");
    }
    uint64_t start_ns = bench_now_ns();
    for (uint64_t i = 0; i < job->count; i++) {
        int fd = bench_connect(job->port);
        ADIT_SLOT(fds, job->count, i) = fd;
        bench_send_all(fd, ADIT_BYTES("U"));
        ADIT_AT(bulk->left, fd) = each;
        bench_set_blocking(fd, false);
        bench_watch(bulk->epoll, EPOLL_CTL_ADD, fd, EPOLLOUT);
    }
    run(bulk, give);
    for (uint64_t i = 0; i < job->count; i++) { /* the origin tells how much came */
        uint8_t memory[8] = {0};
        uint64_t counted = 0;
        int fd = ADIT_SLOT(fds, job->count, i);
        bench_set_blocking(fd, true);
        shutdown(fd, SHUT_WR);
        bench_receive_all(fd, ADIT_SPAN_OF(memory));
        struct adit_reader reader = adit_reader_of(ADIT_BYTES_OF(memory));
        adit_status_ignore(adit_read_u64(&reader, &counted), "it is all there");
        bulk->bytes += counted;
    }
    if (bulk->bytes != each * job->count) {
        errno = 0;
        bench_die("an upload did not arrive whole");
    }
    print(bulk, start_ns);
}
