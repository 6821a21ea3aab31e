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
 * time leaves no core for those that are measured; not for loss, which meets packets.
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
#define BATCH 64              /* packets read before the other direction has its turn */
#define LATE_NS 1000000       /* what is released later than this is counted as late */
#define MILLION 1000000

struct packet {
    uint64_t due_ns;
    uint64_t place; /* of its bytes: of all that ever came, the ring's end being skipped */
    uint32_t len;
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

/* How many packets a train is, and their bytes: each has the headers that the train has once. */
static uint64_t wire_bytes(struct packet *packet)
{
    uint32_t segment = packet->train.gso_size, head = packet->train.hdr_len;
    bool is_train = packet->train.gso_type != VIRTIO_NET_HDR_GSO_NONE && segment > 0 &&
                    packet->len > head;
    packet->count = is_train ? (packet->len - head + segment - 1) / segment : 1;
    return packet->len + (uint64_t)(packet->count - 1) * head;
}

/* The packet in the ring's free place meets the bottleneck. */
static void arrive(const struct road *road, struct way *way, struct packet *packet, uint64_t now_ns)
{
    uint64_t start_ns = adit_max_u64(way->free_ns, now_ns);
    uint64_t bytes = wire_bytes(packet);
    if (start_ns - now_ns > road->queue_ns) {
        way->figures.dropped_queue += packet->count;
        return;
    }
    uint64_t takes_ns = bytes * 8 * 1000 / road->bits_per_us;
    way->free_ns = start_ns + takes_ns;
    way->figures.busy_ns += takes_ns;
    if (is_lost(way, road->loss_ppm)) {
        way->figures.dropped_random++;
        return;
    }
    packet->due_ns = way->free_ns + road->delay_ns;
    way->tail++;
    way->place = packet->place + packet->len;
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

static void parts_set(struct way *way, struct packet *packet, size_t len, struct iovec parts[2])
{
    void *bytes = &ADIT_AT(way->bytes, packet->place % RING_BYTES);
    ADIT_SLOT(parts, 2, 0) =
        (struct iovec){.iov_base = &packet->train, .iov_len = sizeof packet->train};
    ADIT_SLOT(parts, 2, 1) = (struct iovec){.iov_base = bytes, .iov_len = len};
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
        struct iovec parts[2] = {0};
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
        figures->bytes += packet->len;
        struct iovec parts[2] = {0};
        parts_set(way, packet, packet->len, parts);
        ssize_t all = (ssize_t)(packet->len + sizeof packet->train);
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
