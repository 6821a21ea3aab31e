#include "common.h"
#include "load.h"
#include "tls_server.h"

/* What one kind of handshake came to. */
struct library_sum {
    uint64_t handshakes, resumed;
    uint64_t server_ns, client_ns;
};

struct library {
    SSL_CTX *server, *client;
    SSL_SESSION *session; /* the newest ticket */
    struct library_sum full, resumed;
};

/* Time of this thread on a CPU: what else runs on the machine does not count. */
static uint64_t cpu_ns(void)
{
    struct timespec used = {0};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

static int keep_ticket(SSL *tls, SSL_SESSION *session)
{
    struct library *library = SSL_CTX_get_app_data(SSL_get_SSL_CTX(tls));
    SSL_SESSION_free(library->session);
    library->session = session;
    return 1;
}

static void library_init(struct library *library, const struct load_options *options)
{
    struct stream_target target = {0};
    stream_target_tls(&target, options->host, true);
    library->client = target.tls;
    SSL_CTX_set_app_data(library->client, library);
    SSL_CTX_sess_set_new_cb(library->client, keep_ticket);
    library->server = tls_server_context(options->host);
}

/* One side's turn; how long it took. */
static uint64_t turn(SSL *tls)
{
    uint64_t begin_ns = cpu_ns();
    int result = SSL_do_handshake(tls);
    if (result != 1 && SSL_get_error(tls, result) != SSL_ERROR_WANT_READ) {
        bench_die("a handshake over memory");
    }
    ERR_clear_error();
    return cpu_ns() - begin_ns;
}

/* One handshake, with what a server and a client make and free for it. */
static void shake(struct library *library, struct library_sum *sum)
{
    BIO *to_server = NULL, *to_client = NULL;
    uint64_t begin_ns = cpu_ns();
    SSL *server = SSL_new(library->server);
    uint64_t server_ns = cpu_ns() - begin_ns, client_ns = 0;
    SSL *client = SSL_new(library->client);
    uint8_t byte = 0;
    if (!server || !client || BIO_new_bio_pair(&to_server, 16384, &to_client, 16384) != 1) {
        bench_die("a TLS connection");
    }
    SSL_set_bio(server, to_server, to_server);
    SSL_set_bio(client, to_client, to_client);
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    if (sum == &library->resumed && SSL_set_session(client, library->session) != 1) {
        bench_die("a ticket");
    }
    while (!SSL_is_init_finished(server) || !SSL_is_init_finished(client)) {
        client_ns += turn(client);
        server_ns += turn(server);
    }
    if (SSL_read(client, &byte, 1) > 0) { /* takes the ticket */
        bench_die("a byte that nobody sent");
    }
    ERR_clear_error();
    sum->handshakes++;
    sum->resumed += SSL_session_reused(server) == 1 ? 1 : 0;
    SSL_set_shutdown(client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_set_shutdown(server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(client);
    begin_ns = cpu_ns();
    SSL_free(server);
    sum->server_ns += server_ns + cpu_ns() - begin_ns;
    sum->client_ns += client_ns;
}

static void print(const char *name, const struct library_sum *sum, const char *end)
{
    double server_us = (double)sum->server_ns / 1e3 / (double)sum->handshakes;
    printf("\"%s\":{\"handshakes\":%llu,\"resumed\":%llu,\"server_us\":%.1f,\"client_us\":%.1f,"
           "\"server_per_s\":%.0f}%s",
           name, (unsigned long long)sum->handshakes, (unsigned long long)sum->resumed, server_us,
           (double)sum->client_ns / 1e3 / (double)sum->handshakes, 1e6 / server_us, end);
}

/* Full and resumed ones in turn, so that a slow moment of the machine meets both. */
void load_library(const struct load_options *options)
{
    static struct library library;
    library_init(&library, options);
    uint64_t end_ns = bench_now_ns() + options->ms * 1000000;
    while (library.full.handshakes == 0 || bench_now_ns() < end_ns) {
        shake(&library, &library.full);
        shake(&library, &library.resumed);
    }
    printf("{");
    print("full", &library.full, ",");
    print("resumed", &library.resumed, "}\n");
}
