/* Early data (RFC 8446, section 2.3): a client that sends it without being allowed to is not heard,
 * for agents and for visitors: what it carries could be replayed. */
#include "net/tls.h"

#include "tls_harness.h"

#define EARLY "a hello that somebody recorded"

static const struct adit_tls_ticket_keys ticket_keys = {.current = {.name = {1}, .aes = {2}}};

static void contexts_open(struct tls_ends *ends, bool is_visitor)
{
    *ends = (struct tls_ends){0};
    adit_chunk_pool_init(&ends->pool, 128, 4);
    tls_credentials_make(&ends->credentials);
    struct adit_tls_server_options server = tls_server_options(ends);
    struct adit_tls_client_options client = tls_client_options(ends);
    server.is_visitor = is_visitor;
    assert_ok(adit_tls_server_open(&server, &ends->server_context));
    if (is_visitor) {
        adit_tls_tickets_set(ends->server_context, &ticket_keys);
    }
    assert_ok(adit_tls_client_open(&client, &ends->client_context));
}

/* The ticket of a good connection. */
static SSL_SESSION *ticket_get(struct tls_ends *ends)
{
    struct adit_writer none = {0};
    bool is_end = false;
    tls_connections_open(ends, "connect.adit.localhost");
    tls_ends_connect(ends);
    assert_ok(tls_carry(ends, ends->server, ends->client, &none, &is_end));
    /* A copy: the connection that is dropped without a goodbye spoils its own. */
    SSL_SESSION *session = SSL_SESSION_dup(SSL_get_session(ends->client->ssl));
    assert_non_null(session);
    assert_int_equal(SSL_SESSION_is_resumable(session), 1);
    assert_int_equal(SSL_SESSION_get_max_early_data(session), 0); /* the server allows none */
    adit_tls_close(&ends->server);
    adit_tls_close(&ends->client);
    return session;
}

/* A client that pretends that the ticket allows it, and sends early data with it. */
static void early_data_is_not_heard(bool is_visitor)
{
    struct tls_ends ends;
    struct adit_status server = {0};
    struct adit_status client = {0};
    static uint8_t memory[256];
    struct adit_writer plain = adit_writer_of(ADIT_SPAN_OF(memory));
    size_t sent = 0;
    bool is_end = false;
    contexts_open(&ends, is_visitor);
    SSL_SESSION *session = ticket_get(&ends);
    assert_int_equal(SSL_SESSION_set_max_early_data(session, 16384), 1);
    tls_connections_open(&ends, "connect.adit.localhost");
    assert_int_equal(SSL_set_session(ends.client->ssl, session), 1);
    assert_int_equal(SSL_write_early_data(ends.client->ssl, EARLY, sizeof EARLY, &sent), 1);
    assert_int_equal(sent, sizeof EARLY); /* it is on its way, behind the ClientHello */
    assert_true(adit_tls_out(ends.client)->len > sizeof EARLY);
    tls_shake_hands(&ends, SIZE_MAX, &server, &client);
    assert_ok(server);
    assert_ok(client);
    assert_true(ends.server->is_done && ends.client->is_done);
    assert_int_equal(SSL_session_reused(ends.server->ssl), 1); /* the ticket was good */
    assert_int_equal(SSL_get_early_data_status(ends.client->ssl), SSL_EARLY_DATA_REJECTED);
    assert_int_equal(ends.server->read_total, 0);
    assert_ok(adit_tls_write(ends.client, ADIT_BYTES("after")));
    assert_ok(tls_carry(&ends, ends.client, ends.server, &plain, &is_end));
    assert_bytes(adit_writer_bytes(&plain), ADIT_BYTES("after")); /* and nothing before it */
    SSL_SESSION_free(session);
    tls_ends_close(&ends);
}

static void of_an_agent_it_is_not_heard(void **state)
{
    (void)state;
    early_data_is_not_heard(false);
}

static void of_a_visitor_it_is_not_heard(void **state)
{
    (void)state;
    early_data_is_not_heard(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_an_agent_it_is_not_heard),
        cmocka_unit_test(of_a_visitor_it_is_not_heard),
    };
    return cmocka_run_group_tests_name("net/tls_early", tests, NULL, NULL);
}
