/* Covers tls_begin.c, tls_rehearse.c. */
#include "net/tls_private.h"

#include <seccomp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "net/hmac.h"
#include "tls_harness.h"

/* From here on this process may not open a file or a socket any more, or run a program. */
static bool cage_enter(void)
{
    const int calls[] = {SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(socket), SCMP_SYS(execve),
                         SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(stat), SCMP_SYS(readlink)};
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    for (size_t i = 0; i < ADIT_COUNT(calls); i++) {
        if (seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, ADIT_AT(calls, i), 0) != 0) {
            return false;
        }
    }
    if (seccomp_load(filter) != 0) {
        return false;
    }
    seccomp_release(filter);
    return true;
}

static int connect_in_a_cage(struct tls_ends *ends)
{
    if (!cage_enter()) {
        return 2;
    }
    tls_connections_open(ends, "connect.adit.localhost");
    tls_ends_connect(ends);
    uint8_t tag[ADIT_HMAC_BYTES];
    static uint8_t plain_room[64];
    struct adit_writer plain = adit_writer_of(ADIT_SPAN_OF(plain_room));
    bool is_end = false;
    struct adit_tls_context *reloaded = NULL; /* a certificate changes: a new context, in here */
    struct adit_tls_context *visitors = NULL;
    struct adit_tls_server_options options = tls_server_options(ends);
    struct adit_tls_server_options visitor_options = options;
    visitor_options.is_visitor = true;
    bool is_good =
        adit_is_ok(adit_tls_server_open(&options, &reloaded)) &&
        adit_is_ok(adit_tls_server_open(&visitor_options, &visitors)) &&
        adit_is_ok(adit_hmac_sha256(ADIT_BYTES("k"), ADIT_BYTES("a"), ADIT_BYTES("b"),
                                    ADIT_SPAN_OF(tag))) &&
        adit_is_ok(adit_tls_write(ends->client, ADIT_BYTES("hello"))) &&
        adit_is_ok(tls_carry(ends, ends->client, ends->server, &plain, &is_end)) && plain.len == 5;
    adit_tls_context_close(&reloaded);
    adit_tls_context_close(&visitors);
    return is_good ? 0 : 4;
}

static void nothing_is_loaded_after_the_rehearsal(void **state)
{
    (void)state;
    struct tls_ends ends;
    tls_ends_open(&ends);
    adit_tls_close(&ends.server);
    adit_tls_close(&ends.client);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(connect_in_a_cage(&ends));
    }
    int code = -1;
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_true(WIFEXITED(code)); /* else a forbidden call killed it */
    assert_int_equal(WEXITSTATUS(code), 0);
    tls_ends_close(&ends);
}

/* The client alone in its cage, as in an agent: nothing of the library was used before it. */
static int shake_hands_in_a_cage(int fd)
{
    static uint8_t roots[4096];
    ssize_t got = read(fd, roots, sizeof roots);
    const struct adit_tls_client_options options = {
        .roots_pem = adit_bytes_first(ADIT_BYTES_OF(roots), got > 0 ? (size_t)got : 0),
        .alpn = ADIT_BYTES_INIT("adit/1")};
    struct adit_tls_context *context = NULL;
    if (!adit_is_ok(adit_tls_client_open(&options, &context)) || !cage_enter()) {
        return 2;
    }
    SSL *client = SSL_new(context->ssl_context);
    bool is_good = client && SSL_set1_host(client, "connect.adit.localhost") == 1 &&
                   SSL_set_fd(client, fd) == 1 && SSL_connect(client) == 1 &&
                   SSL_write(client, "hello", 5) == 5;
    uint8_t room[8];
    is_good = is_good && SSL_read(client, room, sizeof room) == 3;
    is_good = is_good && !EVP_get_cipherbyname("AES-128-GCM") && EVP_get_digestbyname("SHA256");
    SSL_free(client);
    adit_tls_context_close(&context);
    return is_good ? 0 : 3;
}

static void serve_one(const struct tls_ends *ends, int fd, const char *suite)
{
    const struct adit_tls_server_options options = tls_server_options(ends);
    struct adit_tls_context *context = NULL;
    uint8_t room[8];
    assert_ok(adit_tls_server_open(&options, &context));
    assert_int_equal(SSL_CTX_set_ciphersuites(context->ssl_context, suite), 1);
    SSL *server = SSL_new(context->ssl_context);
    assert_non_null(server);
    assert_int_equal(SSL_set_fd(server, fd), 1);
    assert_int_equal(SSL_accept(server), 1);
    assert_string_equal(SSL_get_cipher(server), suite);
    assert_int_equal(SSL_key_update(server, SSL_KEY_UPDATE_REQUESTED), 1);
    assert_int_equal(SSL_read(server, room, sizeof room), 5);
    assert_int_equal(SSL_write(server, "bye", 3), 3);
    SSL_free(server);
    adit_tls_context_close(&context);
}

/* First of all tests: the library is fresh in each child. */
static void a_client_loads_nothing_in_its_first_handshake(void **state)
{
    (void)state;
    static const char *const suites[] = {"TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256",
                                         "TLS_AES_256_GCM_SHA384"};
    static struct tls_ends ends;
    int pairs[ADIT_COUNT(suites)][2];
    pid_t children[ADIT_COUNT(suites)];
    for (size_t i = 0; i < ADIT_COUNT(suites); i++) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ADIT_AT(pairs, i)), 0);
        ADIT_AT(children, i) = fork();
        assert_true(ADIT_AT(children, i) >= 0);
        if (ADIT_AT(children, i) == 0) {
            _exit(shake_hands_in_a_cage(ADIT_AT(ADIT_AT(pairs, i), 1)));
        }
        assert_int_equal(close(ADIT_AT(ADIT_AT(pairs, i), 1)), 0);
    }
    tls_credentials_make(&ends.credentials);
    struct adit_bytes roots = adit_writer_bytes(&ends.credentials.roots);
    for (size_t i = 0; i < ADIT_COUNT(suites); i++) {
        int code = -1;
        assert_int_equal(write(ADIT_AT(ADIT_AT(pairs, i), 0), roots.ptr, roots.len), roots.len);
        serve_one(&ends, ADIT_AT(ADIT_AT(pairs, i), 0), ADIT_AT(suites, i));
        assert_int_equal(waitpid(ADIT_AT(children, i), &code, 0), ADIT_AT(children, i));
        assert_true(WIFEXITED(code));
        assert_int_equal(WEXITSTATUS(code), 0);
        assert_int_equal(close(ADIT_AT(ADIT_AT(pairs, i), 0)), 0);
    }
}

static void a_context_that_cannot_shake_hands_fails_at_once(void **state)
{
    (void)state;
    struct tls_ends ends;
    tls_ends_open(&ends);
    SSL_CTX_set_max_proto_version(ends.server_context->ssl_context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(ends.client_context->ssl_context, "AES128-SHA");
    assert_fails(adit_tls_rehearse(ends.server_context), CRYPTO);
    SSL_CTX_set_ciphersuites(ends.client_context->ssl_context, "");
    assert_fails(adit_tls_rehearse(ends.client_context), CRYPTO);
    assert_int_equal(ERR_peek_error(), 0);
    tls_ends_close(&ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_loads_nothing_in_its_first_handshake),
        cmocka_unit_test(nothing_is_loaded_after_the_rehearsal),
        cmocka_unit_test(a_context_that_cannot_shake_hands_fails_at_once),
    };
    return cmocka_run_group_tests_name("net/tls_rehearse", tests, NULL, NULL);
}
