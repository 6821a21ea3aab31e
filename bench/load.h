/* Load: the visitors. Each job prints one line of JSON on standard output and returns. */
#ifndef ADIT_BENCH_LOAD_H
#define ADIT_BENCH_LOAD_H

#include "stream.h"

#define LOAD_HOST "bench.adit.localhost" /* whom a visitor asks for, where nobody says */
#define LOAD_CONNECTIONS_MAX 50000

/* The command line; `bench-load --help` says what each is. */
struct load_options {
    struct sockaddr_in address;
    const char *host;
    const char *path;     /* null: by `body` */
    uint64_t connections; /* of requests */
    uint64_t streams;     /* of bulk transfers; how many are opened at once, of idle */
    uint64_t ms;
    uint64_t body;        /* bytes that an answer, or a message, carries */
    uint64_t rate;        /* requests per second */
    uint64_t bytes;       /* of a bulk transfer, all streams together */
    uint64_t send;        /* bytes of one send of it */
    bool is_close;
    bool is_tls;
    bool is_resume;
    bool is_telling;
};

/* What a visitor's requests are. */
enum load_kind { LOAD_HTTP, LOAD_WEBSOCKET };

/* A closed loop: each connection sends its next request when it has the answer to the last, or
 * opens the next connection when the other side has ended the last. The first fifth of the time is
 * left out of the rate and the latencies. */
void load_requests(const struct load_options *options, enum load_kind kind);

/* An open loop: requests at fixed times, whatever the answers do, each over the next connection
 * that is free; a latency counts from the time at which the request was to be sent. */
void load_paced(const struct load_options *options);

/* Opens the connections, one request on each, says so, and holds them until its standard input
 * ends. */
void load_idle(const struct load_options *options);

/* A bulk transfer of `bytes` in all; the clock runs from the first connect to the last end. Where
 * it tells, each line on standard input is answered with what has come so far, and when. */
enum load_bulk_way { LOAD_DOWN, LOAD_UP, LOAD_HTTP_DOWN, LOAD_HTTP_UP };
void load_bulk(const struct load_options *options, enum load_bulk_way way);

/* TLS handshakes of client and server in one thread, over memory, with P-256 and X25519: what the
 * library alone does. Times are CPU times; `server_per_s` is what one core does that does nothing
 * else. */
void load_library(const struct load_options *options);

/* Sets where the options lead, with TLS if they say so; the target stays where it is. */
void load_aim(struct stream_target *target, const struct load_options *options);

#endif
