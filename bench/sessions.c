/* bench-sessions PORT CA_FILE tcp|http COUNT: so many agents' sessions in one process, where as
 * many agents would not fit into a machine. Each is a link of its own, verified and logged in as an
 * agent's is, with one tunnel whose name or port the server chooses; none has a visitor. The token
 * comes in ADIT_TOKEN.
 *
 * Says `{"sessions":COUNT,"seconds":S}` when all stand, answers pings, and ends with its standard
 * input, a pipe. A session that is refused or lost ends it with a sentence. */
#include "common.h"

#include "tunnel/link.h"

#define SERVER_NAME "connect.adit.localhost"
#define OPENING_MAX 8 /* at once: the server drops some of those who log in beyond ten */
#define COUNT_MAX 10000
#define CHUNKS_MAX 4096
#define PEM_BYTES_MAX 16384

struct sessions {
    struct adit_loop loop;
    struct adit_hub hub;
    struct adit_tls_context *tls;
    struct adit_bytes token;
    enum adit_tunnel kind;
    uint16_t port;
    uint64_t count, opened, standing;
    uint64_t begin_ns;
};

static void must(struct adit_status status, const char *what)
{
    if (!adit_is_ok(status)) {
        fprintf(stderr, "bench: %s: %s (%lld)\n", what, adit_status_what(status),
                (long long)status.detail);
        exit(1);
    }
}

static void open_more(struct sessions *sessions)
{
    while (sessions->opened < sessions->count &&
           sessions->opened - sessions->standing < OPENING_MAX) {
        struct adit_handle link = {0};
        int fd = bench_connect(sessions->port);
        bench_set_blocking(fd, false);
        sessions->opened++;
        must(adit_link_open(&sessions->hub,
                            &(struct adit_link_options){.fd = fd,
                                                        .tls = sessions->tls,
                                                        .server_name = ADIT_BYTES(SERVER_NAME)},
                            &link),
             "a link");
    }
}

static void link_open(void *context, struct adit_handle link, uint64_t user)
{
    struct sessions *sessions = context;
    struct adit_control message = {.type = ADIT_CONTROL_HELLO};
    struct adit_control_hello *hello = &message.hello;
    uint8_t identity[16] = {0};
    uint8_t hex[32] = {0};
    struct adit_writer digits = adit_writer_of(ADIT_SPAN_OF(hex));
    (void)user;
    hello->version = ADIT_CONTROL_VERSION;
    must(adit_random_fill(ADIT_SPAN_OF(identity)), "an instance");
    must(adit_write_hex(&digits, ADIT_BYTES_OF(identity)), "an instance");
    must(ADIT_FIELD_SET(hello->instance, adit_writer_bytes(&digits)), "an instance");
    must(ADIT_FIELD_SET(hello->token, sessions->token), "ADIT_TOKEN");
    must(ADIT_FIELD_SET(hello->agent, ADIT_BYTES("adit/" ADIT_VERSION)), "its name");
    must(adit_control_add_feature(&hello->features, ADIT_BYTES("sessions")), "a feature");
    must(adit_control_add_feature(&hello->features, ADIT_BYTES("drain")), "a feature");
    must(adit_link_send(&sessions->hub, link, &message), "hello");
}

static void stands(struct sessions *sessions)
{
    sessions->standing++;
    if (sessions->standing == sessions->count) {
        printf("{\"sessions\":%llu,\"seconds\":%.3f}\n", (unsigned long long)sessions->count,
               (double)(bench_now_ns() - sessions->begin_ns) / 1e9);
        fflush(stdout);
    }
    open_more(sessions);
}

static void ask(struct sessions *sessions, struct adit_handle link)
{
    struct adit_control message = {.type = ADIT_CONTROL_BIND};
    message.bind.bind = 1;
    message.bind.kind = sessions->kind;
    must(adit_link_send(&sessions->hub, link, &message), "bind");
}

static void link_message(void *context, struct adit_handle link, uint64_t user,
                         const struct adit_control *message)
{
    struct sessions *sessions = context;
    (void)user;
    if (message->type == ADIT_CONTROL_WELCOME) {
        ask(sessions, link);
    } else if (message->type == ADIT_CONTROL_BOUND) {
        stands(sessions);
    } else if (message->type == ADIT_CONTROL_REFUSED) {
        struct adit_bytes why = ADIT_FIELD_BYTES(message->refused.message);
        fprintf(stderr, "bench: session %llu was refused: %.*s\n",
                (unsigned long long)sessions->standing, (int)why.len, (const char *)why.ptr);
        exit(1);
    }
}

static void link_closed(void *context, struct adit_handle link, uint64_t user,
                        struct adit_status why)
{
    (void)context;
    (void)link;
    (void)user;
    must(why, "a session was lost");
    bench_die("a session ended");
}

static const struct adit_hub_ops ops = {
    .link_open = link_open, .link_message = link_message, .link_closed = link_closed};

static void input_ready(void *context, uint64_t key, uint32_t happened)
{
    struct sessions *sessions = context;
    (void)key;
    (void)happened;
    adit_loop_stop(&sessions->loop);
}

static void tls_open(struct sessions *sessions, const char *path)
{
    uint8_t pem[PEM_BYTES_MAX] = {0};
    struct adit_writer roots = adit_writer_of(ADIT_SPAN_OF(pem));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        bench_die(path);
    }
    must(adit_file_read_fd(fd, &roots), path);
    close(fd);
    must(adit_tls_client_open(&(struct adit_tls_client_options){
                                  .roots_pem = adit_writer_bytes(&roots),
                                  .alpn = ADIT_BYTES("adit/1")},
                              &sessions->tls),
         "TLS");
}

static void open_all(struct sessions *sessions)
{
    struct adit_handle watch = {0};
    uint32_t links = (uint32_t)sessions->count + OPENING_MAX;
    must(adit_loop_open(&sessions->loop, links + 1, 2 * links + 1), "the loop");
    must(adit_hub_init(&sessions->hub,
                       &(struct adit_hub_options){.loop = &sessions->loop,
                                                  .ops = &ops,
                                                  .context = sessions,
                                                  .role = ADIT_SESSION_CLIENT,
                                                  .links_max = links,
                                                  .pumps_max = 1,
                                                  .chunks_max = CHUNKS_MAX,
                                                  .limits =
                                                      adit_mux_limits_of(ADIT_SESSION_CLIENT)}),
         "the hub");
    must(adit_loop_watch(&sessions->loop, STDIN_FILENO, ADIT_LOOP_READ, input_ready, sessions, 0,
                         &watch),
         "standard input");
}

int main(int argc, char **argv)
{
    static struct sessions sessions;
    size_t words = (size_t)argc;
    const char *token = getenv("ADIT_TOKEN");
    const char *kind = words == 5 ? ADIT_SLOT(argv, words, 3) : "";
    bool is_tcp = strcmp(kind, "tcp") == 0;
    if ((!is_tcp && strcmp(kind, "http") != 0) || !token) {
        fprintf(stderr, "usage: ADIT_TOKEN=... bench-sessions PORT CA_FILE tcp|http COUNT\n");
        return 2;
    }
    sessions.port = (uint16_t)bench_number(ADIT_SLOT(argv, words, 1), UINT16_MAX);
    sessions.count = bench_number(ADIT_SLOT(argv, words, 4), COUNT_MAX);
    sessions.token = adit_bytes_of_text(token);
    sessions.kind = is_tcp ? ADIT_TUNNEL_TCP : ADIT_TUNNEL_HTTP;
    bench_start();
    tls_open(&sessions, ADIT_SLOT(argv, words, 2));
    open_all(&sessions);
    sessions.begin_ns = bench_now_ns();
    open_more(&sessions);
    must(adit_loop_run(&sessions.loop), "a turn");
    return 0;
}
