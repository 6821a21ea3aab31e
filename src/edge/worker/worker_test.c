/* The channels, and what comes over them. Covers channels.c, counters.c, credentials.c, orphans.c,
 * start.c. */
#include "worker_fixture.h"

static void orphans_are_told_why(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum adit_orphan reason;
        const char *begins;
    } rows[] = {{ADIT_ORPHAN_PLAIN, "HTTP/1.1 400 "},
                {ADIT_ORPHAN_OTHER_ALPN, "\x15\x03\x03\x00\x02\x02\x78"},
                {ADIT_ORPHAN_BAD_HELLO, "\x15\x03\x03\x00\x02\x02\x32"},
                {ADIT_ORPHAN_TOO_OLD, "\x15\x03\x03\x00\x02\x02\x46"}};
    for (size_t i = 0; i < ADIT_COUNT(rows); i++) {
        struct adit_message orphan = {
            .type = ADIT_MESSAGE_ORPHAN, .reason = ADIT_AT(rows, i).reason, .fd_count = 1};
        int far = -1;
        uint8_t got[512] = {0};
        size_t count = 0;
        loopback_pair(&orphan.fds[0], &far);
        assert_ok(adit_channel_send(&f->door, &orphan));
        enum adit_io io = ADIT_IO_BLOCKED;
        for (int turns = 0; turns < TURNS_MAX && io == ADIT_IO_BLOCKED; turns++) {
            turn(f);
            assert_ok(adit_socket_receive(far, ADIT_SPAN_OF(got), &count, &io));
        }
        struct adit_bytes begins = {.ptr = (const uint8_t *)ADIT_AT(rows, i).begins,
                                    .len = i == 0 ? 13 : 7};
        assert_true(adit_bytes_starts_with(adit_bytes_first(ADIT_BYTES_OF(got), count), begins));
        adit_socket_close(&far);
        turn_until(f, f->worker->orphans.used == 0);
    }
}

static void it_ends_with_its_supervisor(void **state)
{
    struct fixture *f = *state;
    adit_channel_close(&f->supervisor);
    turn_until(f, f->worker->loop.is_stopping);
}

static void send_tickets(struct fixture *f, size_t len)
{
    static const uint8_t secret[255] = {7};
    struct adit_message tickets = {.type = ADIT_MESSAGE_TICKETS};
    assert_ok(adit_message_text_set(&tickets.secret, adit_bytes_first(ADIT_BYTES_OF(secret), len)));
    assert_ok(adit_channel_send(&f->supervisor, &tickets));
    struct adit_message ask_status = {.type = ADIT_MESSAGE_STATUS_ASK, .request = len};
    assert_ok(adit_channel_send(&f->supervisor, &ask_status));
    assert_int_equal(expect(f, &f->supervisor, ADIT_MESSAGE_STATUS).request, len);
}

static void keys_of_tickets_arrive(void **state)
{
    struct fixture *f = *state;
    static const size_t wrong[] = {0, 1, 79, 81, 159, 161, 240, 255};
    for (size_t i = 0; i < ADIT_COUNT(wrong); i++) {
        send_tickets(f, ADIT_AT(wrong, i));
        assert_false(f->worker->has_tickets);
    }
    send_tickets(f, ADIT_TLS_TICKET_KEY_BYTES);
    assert_true(f->worker->has_tickets);
    assert_false(f->worker->tickets.has_previous);
    assert_int_equal(ADIT_AT(f->worker->tickets.current.name, 0), 7);
    send_tickets(f, 2 * ADIT_TLS_TICKET_KEY_BYTES);
    assert_true(f->worker->tickets.has_previous);
}

static void send_credentials(struct fixture *f, const char *certificate)
{
    struct adit_message message = {.type = ADIT_MESSAGE_CREDENTIALS, .fd_count = 3};
    ADIT_AT(message.fds, 0) = credentials_file(&f->credentials, certificate);
    ADIT_AT(message.fds, 1) = credentials_file(&f->credentials, "server.key");
    ADIT_AT(message.fds, 2) = credentials_file(&f->credentials, "token.key");
    assert_ok(adit_channel_send(&f->supervisor, &message));
    struct adit_message ask_status = {.type = ADIT_MESSAGE_STATUS_ASK};
    assert_ok(adit_channel_send(&f->supervisor, &ask_status));
    (void)expect(f, &f->supervisor, ADIT_MESSAGE_STATUS);
}

static void a_new_certificate_drops_nobody(void **state)
{
    struct fixture *f = *state;
    const struct adit_tls_context *old = f->worker->visitor_tls;
    log_in(f, 0, &good_hello);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    send_credentials(f, "server.key"); /* no certificate: the old one stays */
    assert_ptr_equal(f->worker->visitor_tls, old);
    send_credentials(f, "server.pem");
    assert_ptr_not_equal(f->worker->visitor_tls, old);
    bind_name(f, 0, ADIT_TUNNEL_HTTP, "shop");
    log_in(f, 1, &good_hello); /* under the new one */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(orphans_are_told_why),
        TEST(keys_of_tickets_arrive),
        TEST(a_new_certificate_drops_nobody),
        TEST(it_ends_with_its_supervisor),
    };
    return cmocka_run_group_tests_name("edge/worker/worker", tests, NULL, NULL);
}
