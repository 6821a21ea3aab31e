#include "ipc/channel.h"

#include "unit.h"

struct ends {
    struct adit_channel door, worker;
};

static struct ends ends_open(void)
{
    struct ends ends = {0};
    int first = -1;
    int second = -1;
    assert_ok(adit_channel_pair(&first, &second));
    assert_ok(adit_channel_open(&ends.door, first, ADIT_EDGE_DOOR_WORKER, ADIT_EDGE_WORKER_DOOR));
    assert_ok(
        adit_channel_open(&ends.worker, second, ADIT_EDGE_WORKER_DOOR, ADIT_EDGE_DOOR_WORKER));
    return ends;
}

static void ends_close(struct ends *ends)
{
    adit_channel_close(&ends->door);
    adit_channel_close(&ends->worker);
}

static int lowest_fd(void)
{
    int fd = dup(0);
    close(fd);
    return fd;
}

static struct adit_message bound(uint64_t request)
{
    struct adit_message message = {
        .type = ADIT_MESSAGE_BOUND, .request = request, .port = 20001, .fd_count = 1};
    message.fds[0] = dup(0);
    assert_true(message.fds[0] >= 0);
    return message;
}

static void a_descriptor_travels_and_is_close_on_exec(void **state)
{
    (void)state;
    int before = lowest_fd();
    struct ends ends = ends_open();
    struct adit_message message = bound(5);
    struct adit_message got = {0};
    enum adit_io io = ADIT_IO_DONE;
    assert_ok(adit_channel_receive(&ends.worker, &got, &io));
    assert_int_equal(io, ADIT_IO_BLOCKED);
    assert_ok(adit_channel_send(&ends.door, &message));
    assert_int_equal(message.fd_count, 0); /* taken over */
    assert_ok(adit_channel_receive(&ends.worker, &got, &io));
    assert_int_equal(io, ADIT_IO_DONE);
    assert_int_equal(got.type, ADIT_MESSAGE_BOUND);
    assert_int_equal(got.request, 5);
    assert_int_equal(got.fd_count, 1);
    int fd = adit_message_fd_take(&got, 0);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
    assert_int_equal(adit_message_fd_take(&got, 0), -1);
    assert_int_equal(adit_message_fd_take(&got, 1), -1);
    adit_message_fds_close(&got);
    ends_close(&ends);
    assert_int_equal(lowest_fd(), before);
}

/* As many as may wait, in order. */
static void fill_and_read(struct ends *ends, uint32_t waiting_max)
{
    uint64_t sent = 0;
    for (;; sent++) {
        struct adit_message message = bound(sent);
        struct adit_status status = adit_channel_send(&ends->door, &message);
        if (!adit_is_ok(status)) {
            assert_int_equal(adit_status_error(status), ADIT_ERROR_FULL);
            assert_int_equal(message.fd_count, 1); /* still ours */
            adit_message_fds_close(&message);
            break;
        }
    }
    assert_int_equal(ends->door.waiting, waiting_max);
    for (uint64_t at = 0; at < sent;) {
        struct adit_message got = {0};
        enum adit_io io = ADIT_IO_BLOCKED;
        assert_ok(adit_channel_receive(&ends->worker, &got, &io));
        if (io == ADIT_IO_BLOCKED) {
            assert_true(ends->door.waiting > 0);
            assert_ok(adit_channel_flush(&ends->door));
            continue;
        }
        assert_int_equal(got.request, at);
        adit_message_fds_close(&got);
        at++;
    }
    assert_int_equal(ends->door.waiting, 0);
}

static void order_holds_while_the_peer_does_not_read(void **state)
{
    (void)state;
    static const uint32_t more[] = {1, 7, 600};
    int before = lowest_fd();
    struct ends ends = ends_open();
    fill_and_read(&ends, ADIT_CHANNEL_WAITING_MAX);
    for (size_t i = 0; i < ADIT_COUNT(more); i++) {
        assert_ok(adit_channel_waiting_max_set(&ends.door, ADIT_AT(more, i)));
        fill_and_read(&ends, ADIT_AT(more, i));
    }
    assert_fails(adit_channel_waiting_max_set(&ends.door, 0), INVALID);
    ends_close(&ends);
    assert_fails(adit_channel_waiting_max_set(&ends.door, 5), INVALID);
    assert_int_equal(lowest_fd(), before);
}

static void closing_closes_what_waits(void **state)
{
    (void)state;
    int before = lowest_fd();
    struct ends ends = ends_open();
    for (bool is_full = false; !is_full;) {
        struct adit_message message = bound(1);
        is_full = !adit_is_ok(adit_channel_send(&ends.door, &message));
        adit_message_fds_close(&message);
    }
    ends_close(&ends);
    adit_channel_close(&ends.door); /* twice is fine */
    assert_int_equal(lowest_fd(), before);
    struct adit_message message = {.type = ADIT_MESSAGE_READY};
    assert_fails(adit_channel_send(&ends.door, &message), CLOSED);
    assert_fails(adit_channel_flush(&ends.door), CLOSED);
}

static void the_end_is_seen(void **state)
{
    (void)state;
    struct ends ends = ends_open();
    struct adit_message message = {.type = ADIT_MESSAGE_OWN_END};
    struct adit_message got = {0};
    enum adit_io io = ADIT_IO_BLOCKED;
    assert_ok(adit_channel_send(&ends.worker, &message));
    adit_channel_close(&ends.worker);
    assert_ok(adit_channel_receive(&ends.door, &got, &io)); /* what was sent still arrives */
    assert_int_equal(io, ADIT_IO_DONE);
    assert_ok(adit_channel_receive(&ends.door, &got, &io));
    assert_int_equal(io, ADIT_IO_END);
    message = bound(1);
    assert_fails(adit_channel_send(&ends.door, &message), CLOSED);
    assert_int_equal(message.fd_count, 1);
    adit_message_fds_close(&message);
    ends_close(&ends);
}

/* Sends raw bytes with some descriptors, as a hostile peer could. */
static void hostile_send(int fd, struct adit_span bytes, size_t fd_count)
{
    int fds[ADIT_RIGHTS_MAX] = {0};
    struct adit_rights rights = {0};
    struct iovec part = {.iov_base = bytes.ptr, .iov_len = bytes.len};
    struct msghdr head = {.msg_iov = &part, .msg_iovlen = 1};
    adit_rights_attach(&rights, &head, fds, fd_count);
    assert_int_equal(sendmsg(fd, &head, 0), bytes.len);
}

static void hostile_messages_are_refused_and_leak_nothing(void **state)
{
    (void)state;
    static uint8_t long_bytes[ADIT_CHANNEL_PACKET_BYTES_MAX + 1];
    static uint8_t long_message[2 + ADIT_MESSAGE_BYTES_MAX + 1] = {4, 1, 0, 23, 0, 1};
    static uint8_t own_end[] = {0, 4, 0, 23, 0, 1};
    static uint8_t ready[] = {0, 4, 0, 5, 0, 1};
    const struct {
        struct adit_span bytes;
        size_t fds;
    } cases[] = {
        {ADIT_SPAN_OF(long_bytes), 0}, {ADIT_SPAN_OF(long_bytes), 8}, /* too long */
        {ADIT_SPAN_OF(long_message), 0}, {ADIT_SPAN_OF(long_message), 8},
        {ADIT_SPAN_OF(own_end), 1},    {ADIT_SPAN_OF(own_end), 8},    /* descriptors it has not */
        {ADIT_SPAN_OF(ready), 0},      {ADIT_SPAN_OF(ready), 2},      /* not on this edge */
    };
    struct ends ends = ends_open();
    int before = lowest_fd();
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        struct adit_message got = {0};
        enum adit_io io = ADIT_IO_BLOCKED;
        hostile_send(ends.worker.fd, ADIT_AT(cases, i).bytes, ADIT_AT(cases, i).fds);
        assert_fails(adit_channel_receive(&ends.door, &got, &io), INVALID);
        assert_int_equal(got.type, ADIT_MESSAGE_NONE);
        assert_int_equal(lowest_fd(), before);
    }
    ends_close(&ends);
}

static void waiting_has_a_limit(void **state)
{
    (void)state;
    struct ends ends = ends_open();
    struct adit_message message = {.type = ADIT_MESSAGE_UNBIND, .port = 20007};
    struct adit_message got = {0};
    assert_fails(adit_channel_receive_wait(&ends.door, 20, &got), TIMEOUT);
    assert_ok(adit_channel_send(&ends.worker, &message));
    assert_ok(adit_channel_receive_wait(&ends.door, 1000, &got));
    assert_int_equal(got.port, 20007);
    adit_channel_close(&ends.worker);
    assert_fails(adit_channel_receive_wait(&ends.door, 1000, &got), CLOSED);
    ends_close(&ends);
}

struct drained {
    struct adit_channel *channel;
    uint64_t requests; /* digits, in the order of arrival */
    uint64_t fails_at, closes_at;
};

static struct adit_status drain_one(void *context, struct adit_message *message)
{
    struct drained *drained = context;
    drained->requests = drained->requests * 10 + message->request;
    if (message->request == drained->closes_at) {
        adit_channel_close(drained->channel);
    }
    ADIT_ENSURE(message->request != drained->fails_at, REFUSED, "the handler does not want it");
    return adit_ok();
}

static void bound_send(struct ends *ends, uint64_t from, uint64_t to)
{
    for (uint64_t request = from; request <= to; request++) {
        struct adit_message message = bound(request);
        assert_ok(adit_channel_send(&ends->door, &message));
    }
}

static void draining(void **state)
{
    (void)state;
    int before = lowest_fd();
    struct ends ends = ends_open();
    struct drained drained = {.channel = &ends.worker, .fails_at = 7, .closes_at = 9};
    assert_ok(adit_channel_drain(&ends.worker, ADIT_CHANNEL_ALL, drain_one, &drained));
    bound_send(&ends, 1, 5);
    assert_ok(adit_channel_drain(&ends.worker, 0, drain_one, &drained));
    assert_int_equal(drained.requests, 0);
    assert_ok(adit_channel_drain(&ends.worker, 2, drain_one, &drained));
    assert_int_equal(drained.requests, 12);
    assert_ok(adit_channel_drain(&ends.worker, ADIT_CHANNEL_ALL, drain_one, &drained));
    assert_int_equal(drained.requests, 12345);
    bound_send(&ends, 6, 9);
    assert_fails(adit_channel_drain(&ends.worker, ADIT_CHANNEL_ALL, drain_one, &drained), REFUSED);
    assert_int_equal(drained.requests, 1234567); /* what comes after it is still there */
    assert_ok(adit_channel_drain(&ends.worker, ADIT_CHANNEL_ALL, drain_one, &drained));
    assert_int_equal(drained.requests, 123456789);
    assert_false(adit_channel_is_open(&ends.worker));
    ends_close(&ends);
    assert_int_equal(lowest_fd(), before); /* nobody took the descriptors: they are closed */
}

static void draining_says_the_end(void **state)
{
    (void)state;
    struct ends ends = ends_open();
    struct drained drained = {.channel = &ends.worker};
    bound_send(&ends, 1, 2);
    adit_channel_close(&ends.door);
    assert_fails(adit_channel_drain(&ends.worker, ADIT_CHANNEL_ALL, drain_one, &drained), CLOSED);
    assert_int_equal(drained.requests, 12);
    ends_close(&ends);
    ends = ends_open();
    assert_int_equal(send(ends.door.fd, "nonsense", 8, 0), 8);
    assert_fails(adit_channel_drain(&ends.worker, ADIT_CHANNEL_ALL, drain_one, &drained), INVALID);
    assert_int_equal(drained.requests, 12);
    ends_close(&ends);
}

/* --- Packets of several messages ------------------------------------------------------------- */

static size_t packet_messages_of(struct ends *ends)
{
    struct drained drained = {.channel = &ends->worker};
    assert_ok(adit_channel_drain(&ends->worker, 1, drain_one, &drained));
    return ends->worker.packet.messages;
}

static void what_is_held_travels_together(void **state)
{
    (void)state;
    int before = lowest_fd();
    struct ends ends = ends_open();
    struct drained drained = {.channel = &ends.worker};
    adit_channel_hold(&ends.door);
    bound_send(&ends, 1, 5);
    assert_ok(adit_channel_drain(&ends.worker, ADIT_CHANNEL_ALL, drain_one, &drained));
    assert_int_equal(drained.requests, 0); /* not yet */
    assert_ok(adit_channel_flush(&ends.door));
    assert_ok(adit_channel_drain(&ends.worker, 2, drain_one, &drained));
    assert_int_equal(drained.requests, 12345); /* a packet is never left half read */
    assert_int_equal(ends.worker.packet.messages, 5);
    bound_send(&ends, 6, 6); /* no longer held */
    assert_int_equal(packet_messages_of(&ends), 1);
    adit_channel_hold(&ends.door);
    bound_send(&ends, 1, ADIT_CHANNEL_PACKET_MAX + 1);
    assert_int_equal(ends.door.waiting, 1); /* a full packet does not wait */
    assert_int_equal(packet_messages_of(&ends), ADIT_CHANNEL_PACKET_MAX);
    ends_close(&ends);
    assert_int_equal(lowest_fd(), before);
}

static void a_packet_of_long_messages_has_few(void **state)
{
    (void)state;
    static const uint8_t text[ADIT_MESSAGE_TEXT_MAX] = {0};
    struct ends ends = ends_open();
    uint64_t got_count = 0;
    adit_channel_hold(&ends.worker);
    for (uint64_t request = 0; request < 10; request++) {
        struct adit_message claim = {.type = ADIT_MESSAGE_CLAIM, .request = request};
        assert_ok(adit_message_text_set(&claim.account, ADIT_BYTES_OF(text)));
        assert_ok(adit_message_text_set(&claim.instance, ADIT_BYTES_OF(text)));
        assert_ok(adit_message_text_set(&claim.name, ADIT_BYTES_OF(text)));
        assert_ok(adit_channel_send(&ends.worker, &claim));
    }
    assert_ok(adit_channel_flush(&ends.worker));
    for (enum adit_io io = ADIT_IO_DONE; io == ADIT_IO_DONE;) {
        struct adit_message got = {0};
        assert_ok(adit_channel_receive(&ends.door, &got, &io));
        if (io == ADIT_IO_DONE) {
            assert_int_equal(got.request, got_count);
            assert_true(ends.door.packet.len <= ADIT_CHANNEL_PACKET_BYTES_MAX);
            got_count++;
        }
    }
    assert_int_equal(got_count, 10);
    ends_close(&ends);
}

static void a_handler_may_end_in_the_middle_of_a_packet(void **state)
{
    (void)state;
    int before = lowest_fd();
    struct ends ends = ends_open();
    struct drained drained = {.channel = &ends.worker, .fails_at = 2, .closes_at = 4};
    adit_channel_hold(&ends.door);
    bound_send(&ends, 1, 6);
    assert_ok(adit_channel_flush(&ends.door));
    assert_fails(adit_channel_drain(&ends.worker, ADIT_CHANNEL_ALL, drain_one, &drained), REFUSED);
    assert_int_equal(drained.requests, 12);
    assert_ok(adit_channel_drain(&ends.worker, ADIT_CHANNEL_ALL, drain_one, &drained));
    assert_int_equal(drained.requests, 1234);
    ends_close(&ends);
    assert_int_equal(lowest_fd(), before); /* those of 5 and 6, too */
}

static void what_is_held_can_be_taken_back(void **state)
{
    (void)state;
    int before = lowest_fd();
    struct ends ends = ends_open();
    struct adit_message message = {0};
    adit_channel_hold(&ends.door);
    bound_send(&ends, 1, 3);
    adit_channel_close(&ends.worker);
    assert_fails(adit_channel_flush(&ends.door), CLOSED);
    for (uint64_t request = 1; request <= 2; request++) {
        assert_true(adit_channel_take_back(&ends.door, &message));
        assert_int_equal(message.request, request);
        assert_int_equal(message.fd_count, 1);
        assert_int_equal(fcntl(message.fds[0], F_GETFD), 0);
        adit_message_fds_close(&message);
    }
    ends_close(&ends);
    assert_false(adit_channel_take_back(&ends.door, &message));
    assert_int_equal(lowest_fd(), before);
}

/* BOUND `request`, after its length. */
static void bound_write(struct adit_writer *writer, uint64_t request)
{
    struct adit_message message = {.type = ADIT_MESSAGE_BOUND, .request = request, .fd_count = 1};
    struct adit_span hole = {0};
    assert_ok(adit_write_reserve_u16(writer, &hole));
    size_t before = adit_writer_bytes(writer).len;
    assert_ok(adit_message_write(writer, ADIT_EDGE_DOOR_WORKER, &message));
    assert_ok(adit_write_fill(hole, adit_writer_bytes(writer).len - before));
}

/* The peer sends `messages` whole messages, `cut` bytes less, and `fds` descriptors. */
static void hostile_packets_are_refused_and_leak_nothing(void **state)
{
    (void)state;
    static const struct {
        size_t messages, cut, fds, good;
    } cases[] = {
        {3, 0, 2, 2},   /* fewer descriptors than its messages have */
        {3, 0, 0, 0},   /* none */
        {3, 0, 4, 2},   /* more: the last message has them */
        {3, 1, 3, 2},   /* ends in the middle of a message */
        {2, 0, 16, 1},  /* more than a message can have */
        {17, 0, 16, 16} /* too many messages, and one has no descriptor */
    };
    static uint8_t nothing[] = {0, 0, 0, 0};
    struct ends ends = ends_open();
    int before = lowest_fd();
    for (size_t i = 0; i < ADIT_COUNT(cases); i++) {
        uint8_t memory[1024] = {0};
        struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
        struct drained drained = {.channel = &ends.worker};
        for (size_t at = 0; at < ADIT_AT(cases, i).messages; at++) {
            bound_write(&writer, 0);
        }
        size_t len = adit_writer_bytes(&writer).len - ADIT_AT(cases, i).cut;
        hostile_send(ends.door.fd, adit_span_first(ADIT_SPAN_OF(memory), len),
                     ADIT_AT(cases, i).fds);
        for (size_t good = 0; good < ADIT_AT(cases, i).good; good++) {
            struct adit_message got = {0};
            enum adit_io io = ADIT_IO_BLOCKED;
            assert_ok(adit_channel_receive(&ends.worker, &got, &io));
            assert_int_equal(io, ADIT_IO_DONE);
            adit_message_fds_close(&got);
        }
        assert_fails(adit_channel_drain(&ends.worker, ADIT_CHANNEL_ALL, drain_one, &drained),
                     INVALID);
        assert_int_equal(lowest_fd(), before);
    }
    struct drained drained = {.channel = &ends.worker};
    hostile_send(ends.door.fd, ADIT_SPAN_OF(nothing), 0); /* messages of no bytes */
    assert_fails(adit_channel_drain(&ends.worker, 1, drain_one, &drained), INVALID);
    ends_close(&ends);
}

static void more_descriptors_than_any_packet_has_are_refused(void **state)
{
    (void)state;
    struct adit_rights twice[2] = {0};
    const int fds[ADIT_RIGHTS_MAX] = {0};
    uint8_t memory[64] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    struct ends ends = ends_open();
    int before = lowest_fd();
    bound_write(&writer, 1);
    struct iovec part = {.iov_base = memory, .iov_len = adit_writer_bytes(&writer).len};
    struct msghdr head = {.msg_iov = &part, .msg_iovlen = 1};
    for (size_t i = 0; i < 2; i++) { /* the kernel makes one of both */
        adit_rights_attach(&ADIT_AT(twice, i), &head, fds, ADIT_COUNT(fds));
    }
    head.msg_control = twice;
    head.msg_controllen = sizeof twice;
    assert_int_equal(sendmsg(ends.door.fd, &head, 0), part.iov_len);
    struct adit_message got = {0};
    enum adit_io io = ADIT_IO_BLOCKED;
    assert_fails(adit_channel_receive(&ends.worker, &got, &io), INVALID); /* MSG_CTRUNC */
    assert_int_equal(lowest_fd(), before);
    ends_close(&ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_descriptor_travels_and_is_close_on_exec),
        cmocka_unit_test(order_holds_while_the_peer_does_not_read),
        cmocka_unit_test(closing_closes_what_waits),
        cmocka_unit_test(the_end_is_seen),
        cmocka_unit_test(hostile_messages_are_refused_and_leak_nothing),
        cmocka_unit_test(waiting_has_a_limit),
        cmocka_unit_test(draining),
        cmocka_unit_test(draining_says_the_end),
        cmocka_unit_test(what_is_held_travels_together),
        cmocka_unit_test(a_packet_of_long_messages_has_few),
        cmocka_unit_test(a_handler_may_end_in_the_middle_of_a_packet),
        cmocka_unit_test(what_is_held_can_be_taken_back),
        cmocka_unit_test(hostile_packets_are_refused_and_leak_nothing),
        cmocka_unit_test(more_descriptors_than_any_packet_has_are_refused),
    };
    return cmocka_run_group_tests_name("ipc/channel", tests, NULL, NULL);
}
