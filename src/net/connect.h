/* Connect: a socket to the server, directly (dial.h) or through an HTTP proxy: dials the proxy,
 * says CONNECT, and hands the socket over once the proxy has answered with 2xx. Every byte after
 * that is the server's, so a proxy that sends more than its answer is given up.
 *
 * The answer's head may be 8 KiB, and comes within the dial's time. The server's name is resolved
 * by the proxy then. No redirect is followed. Source: RFC 9110 section 9.3.6.
 *
 * Process: agent. */
#ifndef ADIT_NET_CONNECT_H
#define ADIT_NET_CONNECT_H

#include "net/dial.h"
#include "net/forward_proxy.h"

#define ADIT_CONNECT_ANSWER_MAX 8192

struct adit_connect; /* one attempt in progress */

/* As adit_dial_open; `proxy` null: directly. Failures of the proxy end in `done` too: REFUSED with
 * the status of its answer, INVALID for what is no answer, CLOSED, TIMEOUT. */
struct adit_status adit_connect_open(struct adit_loop *loop,
                                     const struct adit_dial_options *options,
                                     const struct adit_forward_proxy *proxy,
                                     struct adit_connect **out_connect);

/* Gives up: done is not called any more. Null is fine; also right after done was called. */
void adit_connect_close(struct adit_connect **connect);

#endif
