#include "load.h"

#include "common.h"

static void usage(void)
{
    fprintf(stderr, "usage: bench-load requests PORT CONNECTIONS MILLISECONDS [HOST]\n"
                    "       bench-load down|up  PORT CONNECTIONS BYTES BLOCK\n"
                    "       bench-load idle     PORT CONNECTIONS\n");
    exit(2);
}

int main(int argc, char **argv)
{
    size_t count = (size_t)argc;
    if (argc < 4 || argc > 6) {
        usage();
    }
    struct adit_bytes job = adit_bytes_of_text(ADIT_SLOT(argv, count, 1));
    uint16_t port = (uint16_t)bench_number(ADIT_SLOT(argv, count, 2), UINT16_MAX);
    uint64_t connections = bench_number(ADIT_SLOT(argv, count, 3), 20000);
    uint64_t amount = argc > 4 ? bench_number(ADIT_SLOT(argv, count, 4), UINT64_MAX) : 0;
    bool is_requests = adit_bytes_equal(job, ADIT_BYTES("requests"));
    const char *last = argc > 5 ? ADIT_SLOT(argv, count, 5) : NULL; /* a host, or a size */
    uint64_t block = last && !is_requests ? bench_number(last, BENCH_BLOCK_BYTES) : 0;
    const struct load_bulk bulk = {
        .port = port, .count = connections, .bytes = amount, .block = (uint32_t)block};
    bench_start();
    if (argc >= 5 && is_requests) {
        load_requests(port, connections, amount, last ? last : LOAD_HOST);
    } else if (argc == 6 && block > 0 && adit_bytes_equal(job, ADIT_BYTES("down"))) {
        load_down(&bulk);
    } else if (argc == 6 && block > 0 && adit_bytes_equal(job, ADIT_BYTES("up"))) {
        load_up(&bulk);
    } else if (argc == 4 && adit_bytes_equal(job, ADIT_BYTES("idle"))) {
        load_idle(port, connections);
    } else {
        usage();
    }
    return 0;
}
