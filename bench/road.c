/* Road: a long road between two network namespaces, for kernels without netem.
 *
 *     bench-road NEAR FAR RTT_US MBIT_PER_S LOSS_PPM QUEUE_US SEED TRAINS
 *
 * NEAR and FAR are the paths of two network namespaces; in each it makes a TUN device "road" and
 * carries packets between the two. Each direction is a bottleneck with a bounded FIFO of QUEUE_US
 * (what comes while that much waits is dropped), a serialiser of the given rate, a random loss of
 * what was serialised, and half the round trip of delay.
 *
 * TRAINS 1: the kernel hands over a sender's segments in trains, as to a card that cuts them by
 * itself, and gets them back so. A train takes the time of all of its packets, and is due with its
 * last; how long one is at most is the device's gso_max_size. For fast roads, where a packet at a
 * time leaves no core for those that are measured. Loss meets packets: a train that loses some of
 * its own goes on as the pieces between them.
 *
 * "ready" is its first line. For each byte on standard input it prints one line of figures since
 * the line before; it ends with standard input. It is honest about itself: a packet that it
 * released late, or had no room for, is counted. */
#include "common.h"

#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/uio.h>

#define PACKET_BYTES (64 * 1024) /* a train at most; a TUN device begins with an MTU of 1500 */
#define RING_PACKETS (1 << 16)   /* on the road in one direction */
#define RING_BYTES (1 << 26)     /* the same: 1 Gbit/s for half a second */
#define HEAD_BYTES 128           /* of IPv4 and TCP at most: 120 */
#define BATCH 64              /* packets read before the other direction has its turn */
#define LATE_NS 1000000       /* what is released later than this is counted as late */
#define MILLION 1000000

struct packet {
    uint64_t due_ns;
    uint64_t place; /* of its bytes: of all that ever came, the ring's end being skipped */
    uint32_t len;
    uint32_t head_len; /* a piece of a train: its own headers, which go before its bytes */
    uint8_t head[HEAD_BYTES];
    uint32_t count; /* packets of a train */
    struct virtio_net_hdr train; /* how the kernel cuts it */
};

struct figures { /* a train counts as its packets */
    uint64_t packets, bytes;         /* released */
    uint64_t dropped_queue;          /* the bottleneck's FIFO was full */
    uint64_t dropped_random;         /* by the loss that was asked for */
    uint64_t dropped_here;           /* no room in the ring, or the device refused: a fault */
    uint64_t busy_ns;                /* the serialiser had work */
    uint64_t late, lag_ns, lag_max_ns; /* between a packet's due time and its release */
};

struct way {
    int from, to;
    uint64_t free_ns; /* when the serialiser has sent what it has */
    uint64_t random;
    uint64_t head, tail; /* of packets; head: the next to release */
    uint64_t place;      /* of the next packet's bytes */
    struct figures figures;
    struct packet ring[RING_PACKETS];
    uint8_t bytes[RING_BYTES];
};

struct road {
    uint64_t delay_ns, queue_ns, bits_per_us;
    uint64_t loss_ppm;
    uint64_t since_ns;
    struct way ways[2];
};

/* The device lives in the namespace in which it was made; this process stays where it is. */
static int device_open(const char *space, bool has_trains)
{
    struct ifreq request = {.ifr_name = "road"};
    int there = open(space, O_RDONLY | O_CLOEXEC);
    if (there < 0 || setns(there, CLONE_NEWNET) != 0) {
        bench_die("the namespace cannot be entered");
    }
    close(there);
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0) {
        bench_die("no TUN device can be made");
    }
    if (has_trains && ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4) != 0) {
        bench_die("the TUN device takes no trains");
    }
    return fd;
}

/* True once in a million / loss_ppm (splitmix64). */
static bool is_lost(struct way *way, uint64_t loss_ppm)
{
    way->random += 0x9e3779b97f4a7c15;
    uint64_t mixed = way->random;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    mixed ^= mixed >> 31;
    return mixed % MILLION < loss_ppm;
}

static uint32_t number_at(const uint8_t *head, size_t at, size_t bytes)
{
    uint32_t number = 0;
    for (size_t i = at; i < at + bytes; i++) {
        number = number << 8 | ADIT_SLOT(head, HEAD_BYTES, i);
    }
    return number;
}

static void number_put(uint8_t *head, size_t at, size_t bytes, uint32_t number)
{
    for (size_t i = bytes; i > 0; i--) {
        ADIT_SLOT(head, HEAD_BYTES, at + i - 1) = (uint8_t)number;
        number >>= 8;
    }
}

static uint32_t ip_len(const uint8_t *head)
{
    return (number_at(head, 0, 1) & 0xf) * 4;
}

static uint32_t tcp_len(const uint8_t *head)
{
    return (number_at(head, ip_len(head) + 12, 1) >> 4) * 4;
}

/* Takes a train's headers into its `head`; how many packets it is. */
static uint32_t count_of(const struct way *way, struct packet *train)
{
    uint32_t segment = train->train.gso_size;
    if (train->train.gso_type == VIRTIO_NET_HDR_GSO_NONE || segment == 0 ||
        train->len <= HEAD_BYTES) {
        return 1;
    }
    for (size_t i = 0; i < HEAD_BYTES; i++) {
        ADIT_AT(train->head, i) = ADIT_AT(way->bytes, (train->place + i) % RING_BYTES);
    }
    train->head_len = ip_len(train->head) + tcp_len(train->head);
    return (train->len - train->head_len + segment - 1) / segment;
}

/* The headers of a piece that begins with packet `first` of the train they come from. Nobody looks
 * at its TCP checksum: the kernel has not made it yet. */
static void piece_head(struct packet *piece, uint32_t first, bool is_end)
{
    uint8_t *head = piece->head;
    uint32_t tcp = ip_len(head), sum = 0;
    number_put(head, 2, 2, piece->head_len + piece->len);
    number_put(head, 4, 2, number_at(head, 4, 2) + first);
    number_put(head, 10, 2, 0);
    for (size_t i = 0; i < tcp; i += 2) {
        sum += number_at(head, i, 2);
    }
    sum = (sum & 0xffff) + (sum >> 16);
    number_put(head, 10, 2, ~(sum + (sum >> 16)));
    number_put(head, tcp + 4, 4, number_at(head, tcp + 4, 4) + first * piece->train.gso_size);
    if (!is_end) {
        number_put(head, tcp + 13, 1, number_at(head, tcp + 13, 1) & ~9U); /* FIN, PSH */
    }
    if (piece->count == 1) {
        piece->train.gso_type = VIRTIO_NET_HDR_GSO_NONE;
        piece->train.gso_size = 0;
    }
}

/* Packets first to end of the train, which had `count`, as a packet of the ring. */
static void piece_add(struct way *way, const struct packet *train, uint32_t first, uint32_t end)
{
    if (way->tail - way->head == RING_PACKETS) {
        way->figures.dropped_here += end - first;
        return;
    }
    struct packet *piece = &ADIT_AT(way->ring, way->tail % RING_PACKETS);
    *piece = *train;
    piece->count = end - first;
    piece->head_len = 0;
    if (piece->count < train->count) {
        uint32_t segment = train->train.gso_size, all = train->len - train->head_len;
        uint32_t stop = end == train->count ? all : end * segment;
        piece->head_len = train->head_len;
        piece->place = train->place + train->head_len + first * segment;
        piece->len = stop - first * segment;
        piece_head(piece, first, end == train->count);
    }
    way->tail++;
}

/* The train, or the packet, in the ring's free place meets the bottleneck. */
static void arrive(const struct road *road, struct way *way, struct packet *packet, uint64_t now_ns)
{
    uint64_t start_ns = adit_max_u64(way->free_ns, now_ns);
    packet->head_len = 0;
    packet->count = count_of(way, packet);
    if (start_ns - now_ns > road->queue_ns) {
        way->figures.dropped_queue += packet->count;
        return;
    }
    struct packet train = *packet;
    uint64_t bytes = train.len + (uint64_t)(train.count - 1) * train.head_len;
    uint64_t takes_ns = bytes * 8 * 1000 / road->bits_per_us;
    way->free_ns = start_ns + takes_ns;
    way->figures.busy_ns += takes_ns;
    uint32_t first = 0;
    for (uint32_t i = 0; i < train.count; i++) {
        train.due_ns = start_ns + takes_ns * (i + 1) / train.count + road->delay_ns;
        bool lost = is_lost(way, road->loss_ppm);
        way->figures.dropped_random += lost;
        uint32_t end = lost ? i : i + 1;
        if ((lost || end == train.count) && first < end) {
            piece_add(way, &train, first, end);
        }
        first = lost ? i + 1 : first;
    }
    way->place = train.place + train.len;
}

/* The ring's free place, with room for the longest train; false where there is none. */
static bool reserve(struct way *way, struct packet **out_packet)
{
    uint64_t left = RING_BYTES - way->place % RING_BYTES;
    uint64_t place = left < PACKET_BYTES ? way->place + left : way->place;
    uint64_t oldest = way->head < way->tail
                          ? ADIT_AT(way->ring, way->head % RING_PACKETS).place : place;
    *out_packet = &ADIT_AT(way->ring, way->tail % RING_PACKETS);
    if (way->tail - way->head == RING_PACKETS || place + PACKET_BYTES - oldest > RING_BYTES) {
        return false;
    }
    (*out_packet)->place = place;
    return true;
}

static void parts_set(struct way *way, struct packet *packet, size_t len, struct iovec parts[3])
{
    void *bytes = &ADIT_AT(way->bytes, packet->place % RING_BYTES);
    ADIT_SLOT(parts, 3, 0) =
        (struct iovec){.iov_base = &packet->train, .iov_len = sizeof packet->train};
    ADIT_SLOT(parts, 3, 1) = (struct iovec){.iov_base = packet->head, .iov_len = packet->head_len};
    ADIT_SLOT(parts, 3, 2) = (struct iovec){.iov_base = bytes, .iov_len = len};
}

static void take(const struct road *road, struct way *way, uint64_t now_ns)
{
    for (int i = 0; i < BATCH; i++) {
        struct packet *packet = NULL;
        if (!reserve(way, &packet)) {
            uint8_t nowhere[2048] = {0};
            if (read(way->from, nowhere, sizeof nowhere) <= 0) {
                return;
            }
            way->figures.dropped_here++;
            continue;
        }
        struct iovec parts[3] = {0};
        packet->head_len = 0;
        parts_set(way, packet, PACKET_BYTES, parts);
        ssize_t got = readv(way->from, parts, ADIT_COUNT(parts));
        if (got <= (ssize_t)sizeof packet->train) {
            return;
        }
        packet->len = (uint32_t)got - (uint32_t)sizeof packet->train;
        arrive(road, way, packet, now_ns);
    }
}

static void release(struct way *way, uint64_t now_ns)
{
    struct figures *figures = &way->figures;
    while (way->head < way->tail) {
        struct packet *packet = &ADIT_AT(way->ring, way->head % RING_PACKETS);
        if (packet->due_ns > now_ns) {
            return;
        }
        uint64_t lag_ns = now_ns - packet->due_ns;
        figures->late += lag_ns > LATE_NS ? packet->count : 0;
        figures->lag_ns += lag_ns * packet->count;
        figures->lag_max_ns = adit_max_u64(figures->lag_max_ns, lag_ns);
        figures->packets += packet->count;
        figures->bytes += packet->head_len + packet->len;
        struct iovec parts[3] = {0};
        parts_set(way, packet, packet->len, parts);
        ssize_t all = (ssize_t)(packet->head_len + packet->len + sizeof packet->train);
        figures->dropped_here += writev(way->to, parts, ADIT_COUNT(parts)) != all;
        way->head++;
    }
}

static void print_way(const char *name, const struct figures *figures)
{
    printf("\"%s\":{\"packets\":%llu,\"bytes\":%llu,\"dropped_queue\":%llu,\"dropped_random\":%llu,"
           "\"dropped_here\":%llu,\"busy_s\":%.4f,\"late\":%llu,\"lag_us\":%.1f,"
           "\"lag_max_us\":%.1f}",
           name, (unsigned long long)figures->packets, (unsigned long long)figures->bytes,
           (unsigned long long)figures->dropped_queue, (unsigned long long)figures->dropped_random,
           (unsigned long long)figures->dropped_here, (double)figures->busy_ns / 1e9,
           (unsigned long long)figures->late,
           figures->packets ? (double)figures->lag_ns / (double)figures->packets / 1e3 : 0,
           (double)figures->lag_max_ns / 1e3);
}

/* False at the end of standard input. */
static bool tell(struct road *road, uint64_t now_ns)
{
    char order = 0;
    if (read(STDIN_FILENO, &order, 1) != 1) {
        return false;
    }
    printf("{\"seconds\":%.4f,", (double)(now_ns - road->since_ns) / 1e9);
    print_way("to_far", &ADIT_AT(road->ways, 0).figures);
    printf(",");
    print_way("to_near", &ADIT_AT(road->ways, 1).figures);
    printf("}\n");
    fflush(stdout);
    road->since_ns = now_ns;
    ADIT_AT(road->ways, 0).figures = (struct figures){0};
    ADIT_AT(road->ways, 1).figures = (struct figures){0};
    return true;
}

static void carry(struct road *road)
{
    struct way *out = &ADIT_AT(road->ways, 0);
    struct way *back = &ADIT_AT(road->ways, 1);
    struct pollfd watched[3] = {{.fd = out->from, .events = POLLIN},
                                {.fd = back->from, .events = POLLIN},
                                {.fd = STDIN_FILENO, .events = POLLIN}};
    for (;;) {
        uint64_t now_ns = bench_now_ns();
        release(out, now_ns);
        release(back, now_ns);
        uint64_t next_ns = UINT64_MAX;
        for (size_t i = 0; i < ADIT_COUNT(road->ways); i++) {
            const struct way *way = &ADIT_AT(road->ways, i);
            if (way->head < way->tail) {
                uint64_t due_ns = ADIT_AT(way->ring, way->head % RING_PACKETS).due_ns;
                next_ns = adit_min_u64(next_ns, due_ns);
            }
        }
        uint64_t wait_ns = adit_subtract_floor_u64(next_ns, bench_now_ns());
        struct timespec wait = {.tv_sec = (time_t)(wait_ns / 1000000000),
                                .tv_nsec = (long)(wait_ns % 1000000000)};
        if (ppoll(watched, ADIT_COUNT(watched), next_ns == UINT64_MAX ? NULL : &wait, NULL) < 0) {
            bench_die("ppoll");
        }
        now_ns = bench_now_ns();
        take(road, out, now_ns);
        take(road, back, now_ns);
        if (ADIT_AT(watched, 2).revents != 0 && !tell(road, now_ns)) {
            return;
        }
    }
}

/* A road is never busy with something else: it goes ahead of the programs that use it. Where that
 * is not allowed the figures tell. */
static void precise(void)
{
    const struct sched_param priority = {.sched_priority = 2};
    prctl(PR_SET_TIMERSLACK, 1000); /* ns */
    if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0) {
        fprintf(stderr, "bench-road: no real-time priority: %s\n", strerror(errno));
    }
}

int main(int argc, char **argv)
{
    static struct road road;
    size_t count = (size_t)argc;
    if (argc != 9) {
        fprintf(stderr, "usage: bench-road NEAR FAR RTT_US MBIT_PER_S LOSS_PPM QUEUE_US SEED "
                        "TRAINS\n");
        return 2;
    }
    road.delay_ns = bench_number(ADIT_SLOT(argv, count, 3), 10 * MILLION) * 1000 / 2;
    road.bits_per_us = adit_max_u64(bench_number(ADIT_SLOT(argv, count, 4), 100000), 1);
    road.loss_ppm = bench_number(ADIT_SLOT(argv, count, 5), MILLION);
    road.queue_ns = bench_number(ADIT_SLOT(argv, count, 6), 10 * MILLION) * 1000;
    uint64_t seed = bench_number(ADIT_SLOT(argv, count, 7), UINT32_MAX);
    bool has_trains = bench_number(ADIT_SLOT(argv, count, 8), 1) == 1;
    int near = device_open(ADIT_SLOT(argv, count, 1), has_trains);
    int far = device_open(ADIT_SLOT(argv, count, 2), has_trains);
    struct way *out = &ADIT_AT(road.ways, 0);
    struct way *back = &ADIT_AT(road.ways, 1);
    out->from = back->to = near;
    out->to = back->from = far;
    out->random = 2 * seed;
    back->random = 2 * seed + 1;
    precise();
    printf("ready\n");
    fflush(stdout);
    road.since_ns = bench_now_ns();
    carry(&road);
    return 0;
}
