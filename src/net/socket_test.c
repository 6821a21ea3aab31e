#include "net/socket.h"

#include <poll.h>

#include "unit.h"

static struct adit_address address_of(const char *text)
{
    struct adit_address address = {0};
    assert_ok(adit_address_parse(adit_bytes_of_text(text), &address));
    return address;
}

static short wait_for(int fd, short events)
{
    struct pollfd one = {.fd = fd, .events = events};
    assert_int_equal(poll(&one, 1, 5000), 1);
    return one.revents;
}

struct pair {
    int listener, client, server;
    struct adit_address local, peer;
};

static int option_of(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof value;
    assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

static struct pair pair_open(const char *where)
{
    struct pair pair = {.listener = -1, .client = -1, .server = -1};
    struct adit_address address = address_of(where);
    assert_ok(adit_socket_listen(&address, 16, &pair.listener));
    assert_ok(adit_socket_local(pair.listener, &pair.local));
    assert_int_equal(pair.local.family, address.family);
    assert_true(pair.local.port != 0);
    enum adit_io io = ADIT_IO_DONE;
    assert_ok(adit_socket_accept(pair.listener, &pair.server, &pair.peer, &io));
    assert_int_equal(io, ADIT_IO_BLOCKED);
    assert_ok(adit_socket_connect(&pair.local, &pair.client));
    wait_for(pair.client, POLLOUT);
    assert_ok(adit_socket_connect_result(pair.client));
    wait_for(pair.listener, POLLIN);
    assert_ok(adit_socket_accept(pair.listener, &pair.server, &pair.peer, &io));
    assert_int_equal(io, ADIT_IO_DONE);
    assert_int_equal(option_of(pair.server, SOL_SOCKET, SO_KEEPALIVE), 1); /* inherited */
    assert_int_equal(option_of(pair.server, IPPROTO_TCP, TCP_KEEPIDLE), 60);
    return pair;
}

static void pair_close(struct pair *pair)
{
    adit_socket_close(&pair->listener);
    adit_socket_close(&pair->client);
    adit_socket_close(&pair->server);
    assert_int_equal(pair->client, -1);
    adit_socket_close(&pair->client);
}

static void connect_and_accept(void **state)
{
    (void)state;
    const char *places[] = {"127.0.0.1:0", "[::1]:0"};
    for (size_t i = 0; i < ADIT_COUNT(places); i++) {
        int probe = -1;
        struct adit_address address = address_of(ADIT_AT(places, i));
        if (!adit_is_ok(adit_socket_listen(&address, 1, &probe))) {
            print_message("no %s here\n", ADIT_AT(places, i));
            continue;
        }
        adit_socket_close(&probe);
        struct pair pair = pair_open(ADIT_AT(places, i));
        struct adit_address client = {0};
        assert_ok(adit_socket_local(pair.client, &client));
        assert_int_equal(client.port, pair.peer.port);
        assert_int_equal(client.family, pair.peer.family);
        assert_bytes(ADIT_BYTES_OF(pair.peer.ip), ADIT_BYTES_OF(client.ip));
        assert_true(adit_address_is_loopback(&pair.peer));
        assert_true(adit_socket_is_connected(pair.client));
        int lonely = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_false(adit_socket_is_connected(lonely));
        adit_socket_close(&lonely);
        const int fds[] = {pair.client, pair.server};
        for (size_t k = 0; k < ADIT_COUNT(fds); k++) {
            int fd = ADIT_AT(fds, k);
            assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 1);
            assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
            assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        }
        pair_close(&pair);
    }
}

/* The end of the handshake comes with the first bytes, or by itself where none are sent. */
static void who_speaks_at_once_is_heard_at_once(void **state)
{
    (void)state;
    for (int is_speaking = 0; is_speaking < 2; is_speaking++) {
        struct pair pair = {.listener = -1, .client = -1, .server = -1};
        const struct adit_address address = address_of("127.0.0.1:0");
        enum adit_io io = ADIT_IO_DONE;
        uint8_t room[8] = {0};
        size_t count = 0;
        assert_ok(adit_socket_listen(&address, 16, &pair.listener));
        assert_ok(adit_socket_local(pair.listener, &pair.local));
        uint64_t begin_us = adit_clock_now_us();
        assert_ok(adit_socket_connect_to_speak(&pair.local, &pair.client));
        assert_true(adit_socket_is_connected(pair.client));
        assert_ok(adit_socket_accept(pair.listener, &pair.server, &pair.peer, &io));
        bool is_held = io == ADIT_IO_BLOCKED;
        assert_true(is_held || adit_clock_now_us() - begin_us > 150000);
        if (is_speaking && is_held) {
            assert_ok(adit_socket_send(pair.client, ADIT_BYTES("hi"), &count, &io));
            assert_ok(adit_socket_accept(pair.listener, &pair.server, &pair.peer, &io));
            assert_int_equal(io, ADIT_IO_DONE);
            assert_ok(adit_socket_receive(pair.server, ADIT_SPAN_OF(room), &count, &io));
            assert_bytes(adit_bytes_first(ADIT_BYTES_OF(room), count), ADIT_BYTES("hi"));
        } else if (is_held) {
            wait_for(pair.listener, POLLIN);
            assert_ok(adit_socket_accept(pair.listener, &pair.server, &pair.peer, &io));
            assert_int_equal(io, ADIT_IO_DONE);
        }
        pair_close(&pair);
    }
}

static void bytes_both_ways_and_the_end(void **state)
{
    (void)state;
    struct pair pair = pair_open("127.0.0.1:0");
    uint8_t room[64];
    size_t count = 99;
    enum adit_io io = ADIT_IO_END;
    assert_ok(adit_socket_receive(pair.server, ADIT_SPAN_OF(room), &count, &io));
    assert_int_equal(io, ADIT_IO_BLOCKED);
    assert_int_equal(count, 0);
    assert_fails(adit_socket_receive(pair.server, (struct adit_span){0}, &count, &io), INVALID);
    assert_ok(adit_socket_send(pair.client, ADIT_BYTES("hello"), &count, &io));
    assert_int_equal(io, ADIT_IO_DONE);
    assert_int_equal(count, 5);
    wait_for(pair.server, POLLIN);
    assert_ok(adit_socket_peek(pair.server, ADIT_SPAN_OF(room), &count, &io));
    assert_int_equal(count, 5);
    assert_ok(adit_socket_receive(pair.server, ADIT_SPAN_OF(room), &count, &io));
    assert_bytes(adit_bytes_first(ADIT_BYTES_OF(room), count), ADIT_BYTES("hello"));
    assert_ok(adit_socket_finish(pair.client));
    wait_for(pair.server, POLLIN);
    assert_ok(adit_socket_receive(pair.server, ADIT_SPAN_OF(room), &count, &io));
    assert_int_equal(io, ADIT_IO_END);
    assert_ok(adit_socket_send(pair.server, ADIT_BYTES("bye"), &count, &io)); /* half-closed */
    wait_for(pair.client, POLLIN);
    assert_ok(adit_socket_receive(pair.client, ADIT_SPAN_OF(room), &count, &io));
    assert_bytes(adit_bytes_first(ADIT_BYTES_OF(room), count), ADIT_BYTES("bye"));
    pair_close(&pair);
}

/* How the other end was finished: in order, and the last bytes went before. */
static void last_bytes_wait_for_the_end(void **state)
{
    (void)state;
    for (int is_closed = 0; is_closed < 2; is_closed++) {
        struct pair pair = pair_open("127.0.0.1:0");
        uint8_t room[64];
        size_t count = 0;
        enum adit_io io = ADIT_IO_BLOCKED;
        assert_ok(adit_socket_send_last(pair.client, ADIT_BYTES("bye"), &count, &io));
        assert_int_equal(io, ADIT_IO_DONE);
        assert_int_equal(count, 3);
        assert_ok(adit_socket_receive(pair.server, ADIT_SPAN_OF(room), &count, &io));
        assert_int_equal(io, ADIT_IO_BLOCKED);
        if (is_closed == 1) {
            adit_socket_close(&pair.client);
        } else {
            assert_ok(adit_socket_finish(pair.client));
        }
        wait_for(pair.server, POLLIN);
        assert_ok(adit_socket_receive(pair.server, ADIT_SPAN_OF(room), &count, &io));
        assert_bytes(adit_bytes_first(ADIT_BYTES_OF(room), count), ADIT_BYTES("bye"));
        assert_ok(adit_socket_receive(pair.server, ADIT_SPAN_OF(room), &count, &io));
        assert_int_equal(io, ADIT_IO_END);
        pair_close(&pair);
    }
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    assert_fails(adit_socket_send_last(-1, ADIT_BYTES("bye"), &count, &io), SYSTEM);
}

/* The longer of them ends with the first bytes, the shorter one by itself. */
static void who_speaks_first_is_accepted_then(void **state)
{
    (void)state;
    const struct adit_address any = address_of("127.0.0.1:0");
    for (uint64_t seconds = 1; seconds <= 60; seconds += 59) {
        struct pair pair = {.listener = -1, .client = -1, .server = -1};
        size_t count = 0;
        enum adit_io io = ADIT_IO_DONE;
        assert_ok(adit_socket_listen(&any, 16, &pair.listener));
        assert_ok(adit_socket_defer_accept_set(pair.listener, seconds));
        assert_ok(adit_socket_local(pair.listener, &pair.local));
        assert_ok(adit_socket_connect(&pair.local, &pair.client));
        wait_for(pair.client, POLLOUT);
        if (seconds > 1) {
            assert_ok(adit_socket_accept(pair.listener, &pair.server, &pair.peer, &io));
            assert_int_equal(io, ADIT_IO_BLOCKED);
            assert_ok(adit_socket_send(pair.client, ADIT_BYTES("hello"), &count, &io));
        }
        wait_for(pair.listener, POLLIN);
        assert_ok(adit_socket_accept(pair.listener, &pair.server, &pair.peer, &io));
        assert_int_equal(io, ADIT_IO_DONE);
        pair_close(&pair);
    }
    assert_fails(adit_socket_defer_accept_set(-1, 1), SYSTEM);
}

static void a_full_socket_blocks(void **state)
{
    (void)state;
    struct pair pair = pair_open("127.0.0.1:0");
    assert_ok(adit_socket_buffers_set(pair.client, 0, 16384));
    assert_ok(adit_socket_buffers_set(pair.server, 16384, 0));
    static uint8_t block[1000];
    struct iovec views[150];
    for (size_t i = 0; i < ADIT_COUNT(views); i++) {
        ADIT_AT(views, i) = (struct iovec){.iov_base = block, .iov_len = sizeof block};
    }
    size_t sent = 0;
    enum adit_io io = ADIT_IO_DONE;
    for (int i = 0; i < 1000 && io == ADIT_IO_DONE; i++) {
        size_t count = 0;
        assert_ok(adit_socket_send_views(pair.client, views, ADIT_COUNT(views), &count, &io));
        assert_true(count == sizeof block * ADIT_COUNT(views) || io == ADIT_IO_BLOCKED);
        sent += count;
    }
    assert_int_equal(io, ADIT_IO_BLOCKED);
    size_t got = 0;
    static uint8_t room[65536];
    while (got < sent) {
        size_t count = 0;
        wait_for(pair.server, POLLIN);
        assert_ok(adit_socket_receive(pair.server, ADIT_SPAN_OF(room), &count, &io));
        got += count;
    }
    assert_int_equal(got, sent);
    wait_for(pair.client, POLLOUT);
    size_t count = 0;
    assert_ok(adit_socket_send_views(pair.client, views, 0, &count, &io));
    assert_int_equal(io, ADIT_IO_DONE);
    pair_close(&pair);
}

static void reset_on_close(void **state)
{
    (void)state;
    for (int is_reset = 0; is_reset < 2; is_reset++) {
        struct pair pair = pair_open("127.0.0.1:0");
        assert_ok(adit_socket_reset_on_close_set(pair.server, true));
        assert_ok(adit_socket_reset_on_close_set(pair.server, is_reset == 1));
        adit_socket_close(&pair.server);
        wait_for(pair.client, POLLIN);
        uint8_t room[8];
        size_t count = 0;
        enum adit_io io = ADIT_IO_DONE;
        struct adit_status status =
            adit_socket_receive(pair.client, ADIT_SPAN_OF(room), &count, &io);
        if (is_reset == 1) {
            assert_fails(status, SYSTEM);
            assert_int_equal(status.detail, ECONNRESET);
            status = adit_socket_send(pair.client, ADIT_BYTES("x"), &count, &io);
            assert_fails(status, SYSTEM); /* EPIPE, and no signal */
        } else {
            assert_ok(status);
            assert_int_equal(io, ADIT_IO_END);
        }
        pair_close(&pair);
    }
}

static void refused_and_in_use(void **state)
{
    (void)state;
    struct adit_address address = address_of("127.0.0.1:0");
    int listener = -1;
    assert_ok(adit_socket_listen(&address, 1, &listener));
    assert_ok(adit_socket_local(listener, &address));
    int second = -1;
    struct adit_status status = adit_socket_listen(&address, 1, &second);
    assert_fails(status, SYSTEM);
    assert_int_equal(status.detail, EADDRINUSE);
    assert_int_equal(second, -1);
    adit_socket_close(&listener);
    status = adit_socket_connect(&address, &second);
    if (adit_is_ok(status)) {
        wait_for(second, POLLOUT);
        status = adit_socket_connect_result(second);
        adit_socket_close(&second);
    }
    assert_fails(status, SYSTEM);
    assert_int_equal(status.detail, ECONNREFUSED);
    assert_fails(adit_socket_connect(&(struct adit_address){0}, &second), INVALID);
}

static void a_stopped_listener_is_closed_for_every_holder(void **state)
{
    (void)state;
    struct adit_address address = address_of("127.0.0.1:0");
    int listener = -1;
    assert_ok(adit_socket_listen(&address, 1, &listener));
    int copy = dup(listener);
    assert_ok(adit_socket_stop_listening(copy));
    int fd = -1;
    enum adit_io io = ADIT_IO_DONE;
    assert_fails(adit_socket_accept(listener, &fd, &address, &io), CLOSED);
    adit_socket_close(&listener);
    adit_socket_close(&copy);
}

static void options_and_info(void **state)
{
    (void)state;
    struct pair pair = pair_open("127.0.0.1:0");
    assert_ok(adit_socket_low_water_set(pair.server, 7));
    assert_int_equal(option_of(pair.server, SOL_SOCKET, SO_RCVLOWAT), 7);
    bool is_wide = false;
    adit_socket_widen(pair.server, ADIT_SOCKET_BULK_READ_BYTES - 1, &is_wide);
    assert_false(is_wide);
    assert_int_equal(option_of(pair.server, SOL_SOCKET, SO_RCVLOWAT), 7);
    adit_socket_widen(pair.server, ADIT_SOCKET_BULK_READ_BYTES, &is_wide);
    assert_true(is_wide);
    assert_int_equal(option_of(pair.server, SOL_SOCKET, SO_RCVLOWAT), 1);
    assert_true(option_of(pair.server, SOL_SOCKET, SO_RCVBUF) >= ADIT_SOCKET_BULK_ROOM_BYTES);
    assert_ok(adit_socket_unsent_max_set(pair.client, 131072));
    assert_int_equal(option_of(pair.client, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 131072);
    assert_ok(adit_socket_keepalive_set(pair.client, 30, 10, 3));
    assert_int_equal(option_of(pair.client, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_ok(adit_socket_pacing_set(pair.client, 5000000));
    assert_int_equal(option_of(pair.client, SOL_SOCKET, SO_MAX_PACING_RATE), 5000000);
    assert_ok(adit_socket_pacing_set(pair.client, UINT64_C(100) * 1000 * 1000 * 1000));
    assert_ok(adit_socket_congestion_set(pair.client, ADIT_BYTES("reno")));
    assert_true(adit_socket_congestion_is(pair.client, ADIT_BYTES("reno")));
    assert_false(adit_socket_congestion_is(pair.client, ADIT_BYTES("ren")));
    assert_false(adit_socket_congestion_is(-1, ADIT_BYTES("reno")));
    assert_fails(adit_socket_congestion_set(pair.client, ADIT_BYTES("no-such-thing")), SYSTEM);
    assert_fails(adit_socket_low_water_set(pair.server, SIZE_MAX), INVALID);
    static uint8_t block[200000];
    size_t count = 0;
    enum adit_io io = ADIT_IO_DONE;
    assert_ok(adit_socket_send(pair.client, ADIT_BYTES_OF(block), &count, &io));
    struct adit_socket_info info = {0};
    assert_ok(adit_socket_info_get(pair.client, &info));
    assert_true(info.rtt_us > 0 && info.rtt_us < 5000000);
    assert_true(info.rtt_min_us <= info.rtt_us + 5000000);
    assert_true(info.window > 0 && info.is_slow_start);
    assert_true(info.on_road <= sizeof block && info.delivered <= sizeof block + 1);
    assert_true(info.sent > 0 && info.retransmitted == 0 && !info.is_recovering);
    assert_fails(adit_socket_info_get(-1, &info), SYSTEM);
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_speaks_at_once_is_heard_at_once),
        cmocka_unit_test(connect_and_accept),
        cmocka_unit_test(bytes_both_ways_and_the_end),
        cmocka_unit_test(last_bytes_wait_for_the_end),
        cmocka_unit_test(who_speaks_first_is_accepted_then),
        cmocka_unit_test(a_full_socket_blocks),
        cmocka_unit_test(reset_on_close),
        cmocka_unit_test(refused_and_in_use),
        cmocka_unit_test(a_stopped_listener_is_closed_for_every_holder),
        cmocka_unit_test(options_and_info),
    };
    return cmocka_run_group_tests_name("net/socket", tests, NULL, NULL);
}
