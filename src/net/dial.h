/* Dial: a name or address and a port to a connected socket, by Happy Eyeballs (RFC 8305): resolve
 * at each dial (getaddrinfo in a helper thread, never on the loop), interleave families,
 * 250 ms between attempts, first to connect wins. `*.localhost` is loopback without asking (RFC
 * 6761), 127.0.0.1 before ::1. At most ADIT_DIAL_ADDRESSES_MAX addresses are tried, and at most 256
 * names are looked up at once: those given up count until their thread ends.
 *
 * Process: agent. */
#ifndef ADIT_NET_DIAL_H
#define ADIT_NET_DIAL_H

#include "net/loop.h"
#include "net/socket.h"

#define ADIT_DIAL_ADDRESSES_MAX 16

struct adit_dial; /* one attempt in progress */

/* Ends exactly once: a connected socket (the callee's) and success, or -1 and why not. TIMEOUT
 * after `timeout_us` for all of it; SYSTEM with errno, EHOSTUNREACH where the name has no address.
 * Of several failures the one that tells most is passed on: "refused" before "no way". */
typedef void adit_dial_done_fn(void *context, uint64_t key, int fd, struct adit_status status);

struct adit_dial_options {
    struct adit_bytes host; /* name or address, without brackets */
    uint16_t port;
    bool is_to_speak; /* bytes wait for the connection: dial_at_once sends no packet before them */
    uint64_t timeout_us;
    adit_dial_done_fn *done;
    void *context;
    uint64_t key;
};

/* A loopback address usually accepts while connect is still at work: then *out_fd is the connected
 * socket, and there is nothing to wait for. False: not so, for whatever reason; dial. */
bool adit_dial_at_once(const struct adit_dial_options *options, int *out_fd);

/* FULL where too many names are looked up now. `host` is copied. */
struct adit_status adit_dial_open(struct adit_loop *loop, const struct adit_dial_options *options,
                                  struct adit_dial **out_dial);

/* True for what is reached without leaving the machine: a loopback address or *.localhost. */
bool adit_dial_is_loopback(struct adit_bytes host);

/* Gives up: done is not called any more. Null is fine; also right after done was called. */
void adit_dial_close(struct adit_dial **dial);

#endif
