/* Load: the visitors. Each job prints one line of JSON on standard output and returns. */
#ifndef ADIT_BENCH_LOAD_H
#define ADIT_BENCH_LOAD_H

#include <stdint.h>

#define LOAD_HOST "bench.adit.localhost" /* whom a visitor asks for, where nobody says */

/* A closed loop: each of `count` keep-alive connections sends its next request when it has the
 * answer to the last. The first fifth of the time is left out of the rate and the latencies. */
void load_requests(uint16_t port, uint64_t count, uint64_t time_ms, const char *host);

/* A bulk transfer: `bytes` in all over `count` connections, at most `block` in one send. The clock
 * runs from the first connect to the last end. */
struct load_bulk {
    uint16_t port;
    uint64_t count;
    uint64_t bytes;
    uint32_t block;
};

void load_down(const struct load_bulk *job);
void load_up(const struct load_bulk *job);

/* Opens `count` connections, one request on each, says so, and holds them until its standard
 * input ends. */
void load_idle(uint16_t port, uint64_t count);

#endif
