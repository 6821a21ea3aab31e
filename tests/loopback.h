/* Loopback: two connected TCP sockets on this machine. */
#ifndef ADIT_TESTS_LOOPBACK_H
#define ADIT_TESTS_LOOPBACK_H

#include "unit.h"
/* then */
#include <poll.h>

#include "net/socket.h"

/* Accepts the one connection that is on its way. */
static inline int loopback_accept(int listener)
{
    struct adit_address peer = {0};
    int fd = -1;
    enum adit_io io = ADIT_IO_BLOCKED;
    for (int i = 0; i < 1000 && io == ADIT_IO_BLOCKED; i++) {
        struct pollfd ready = {.fd = listener, .events = POLLIN};
        poll(&ready, 1, 10);
        assert_ok(adit_socket_accept(listener, &fd, &peer, &io));
    }
    assert_int_equal(io, ADIT_IO_DONE);
    return fd;
}

static inline int loopback_listen(struct adit_address *out_address)
{
    struct adit_address address = {.family = 4, .ip = {127, 0, 0, 1}};
    int listener = -1;
    assert_ok(adit_socket_listen(&address, 16, &listener));
    assert_ok(adit_socket_local(listener, out_address));
    return listener;
}

static inline void loopback_pair(int *out_accepted, int *out_connected)
{
    struct adit_address address = {0};
    int listener = loopback_listen(&address);
    assert_ok(adit_socket_connect(&address, out_connected));
    *out_accepted = loopback_accept(listener);
    adit_socket_close(&listener);
}

#endif
