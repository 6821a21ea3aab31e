#include "base/rights.h"

#include <sys/uio.h>
#include <unistd.h>

#include "unit.h"

/* Sends `count` copies of `fd` in one message of one byte. */
static void rights_send(int socket, int fd, size_t count)
{
    int fds[ADIT_RIGHTS_MAX] = {0};
    for (size_t i = 0; i < count; i++) {
        ADIT_AT(fds, i) = fd;
    }
    uint8_t byte = 7;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr head = {.msg_iov = &part, .msg_iovlen = 1};
    struct adit_rights rights = {0};
    adit_rights_attach(&rights, &head, fds, count);
    assert_int_equal(sendmsg(socket, &head, 0), 1);
}

static size_t rights_receive(int socket, int *out_fds, size_t capacity)
{
    uint8_t byte = 0;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr head = {.msg_iov = &part, .msg_iovlen = 1};
    struct adit_rights rights = {0};
    adit_rights_expect(&rights, &head);
    assert_int_equal(recvmsg(socket, &head, MSG_CMSG_CLOEXEC), 1);
    assert_int_equal(head.msg_flags & MSG_CTRUNC, 0);
    return adit_rights_take(&head, out_fds, capacity);
}

static int lowest_fd(void)
{
    int fd = dup(0);
    close(fd);
    return fd;
}

static void descriptors_arrive_and_extras_are_closed(void **state)
{
    (void)state;
    static const struct {
        size_t sent, capacity, taken;
    } cases[] = {{0, 8, 0}, {1, 8, 1}, {3, 8, 3}, {8, 8, 8}, {8, 2, 2}, {1, 0, 0}};
    int pair[2] = {-1, -1};
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        int before = lowest_fd();
        int fds[ADIT_RIGHTS_MAX] = {0};
        rights_send(pair[0], pair[1], ADIT_AT(cases, i).sent);
        size_t taken = rights_receive(pair[1], fds, ADIT_AT(cases, i).capacity);
        assert_int_equal(taken, ADIT_AT(cases, i).taken);
        for (size_t at = 0; at < taken; at++) {
            assert_int_equal(close(ADIT_AT(fds, at)), 0);
        }
        assert_int_equal(lowest_fd(), before);
    }
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_arrive_and_extras_are_closed),
    };
    return cmocka_run_group_tests_name("base/rights", tests, NULL, NULL);
}
