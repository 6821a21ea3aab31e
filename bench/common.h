/* Common: what origin, relay and load share. All of them connect to 127.0.0.1 and listen on every
 * address of their namespace (the direct visitors of a long road come from another one). Each is
 * one thread around one epoll, and dies with a sentence at the first surprise: a bench that goes on
 * after a fault measures something else. */
#ifndef ADIT_BENCH_COMMON_H
#define ADIT_BENCH_COMMON_H

/* The first byte of a connection tells the origin what it is for: the letter of a method begins an
 * HTTP request; these begin a bulk transfer. */
#define BENCH_DOWN 'D' /* an order follows; the origin sends that much and shuts down */
#define BENCH_UP 'U'   /* the origin counts until the end, then sends the count, eight bytes */
#define BENCH_TOLD 'N' /* an upload whose count is sent on the way, too */
#define BENCH_TOLD_BYTES (32 * 1024) /* so many of them apart, at least */

#define BENCH_ORDER_BYTES 12 /* how many bytes (u64), and how many of them in one send (u32) */
#define BENCH_BLOCK_BYTES (256 * 1024) /* of one receive, and the most of one send */
#define BENCH_FD_MAX 65536

/* Says what, and errno where there is one. */
_Noreturn void bench_die(const char *what);

/* A number of the command line, at most `max`. */
uint64_t bench_number(const char *text, uint64_t max);

uint64_t bench_now_ns(void);

/* As many descriptors as the system gives; a peer that leaves is no signal. */
void bench_start(void);

int bench_listen(uint16_t port);

/* Connects, waits for it, and sets TCP_NODELAY. */
int bench_connect(uint16_t port);

/* The next waiting connection, non-blocking, with TCP_NODELAY; -1 where there is none. */
int bench_accept(int listener);

void bench_set_blocking(int fd, bool is_blocking);

void bench_watch(int epoll, int operation, int fd, uint32_t events);

/* Sends everything, on a blocking socket. */
void bench_send_all(int fd, struct adit_bytes bytes);

/* Receives exactly the span, on a blocking socket. */
void bench_receive_all(int fd, struct adit_span span);

#endif
