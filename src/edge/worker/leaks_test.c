/* What many sessions and tunnels leave behind: nothing. ADIT_ROUNDS says how many of each; the long
 * round is 10000. */
#include "worker_fixture.h"

#include <dirent.h>

#define ROUNDS 60
#define BINDS (5 * ROUNDS)

static int rounds(int usual)
{
    const char *asked = getenv("ADIT_ROUNDS");
    return asked ? atoi(asked) : usual;
}

static int descriptors(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir)) {
        count++;
    }
    closedir(dir);
    return count;
}

struct left { /* all that a worker takes and gives back */
    uint32_t watches, timers, chunks, links, pumps, streams, agents, binds, names, webs, pipes;
    int descriptors;
};

static struct left left_now(const struct fixture *f)
{
    const struct worker *worker = f->worker;
    return (struct left){
        .watches = worker->loop.watches.used,
        .timers = worker->loop.timers.used,
        .chunks = worker->hub.chunks.used,
        .links = worker->hub.links.used,
        .pumps = worker->hub.pumps.used,
        .streams = worker->hub.mux.streams.used - worker->hub.mux.tombstones,
        .agents = worker->agents.used,
        .binds = worker->binds.used,
        .names = worker->names.used,
        .webs = adit_proxy_counters(worker->proxy)->connections_now,
        .pipes = adit_proxy_pipes_resting(worker->proxy),
        .descriptors = descriptors(),
    };
}

static bool is_settled(const struct fixture *f)
{
    const struct worker *worker = f->worker;
    return f->worker->hub.links.used == 0 && f->hub.links.used == 0 &&
           !adit_handle_is_set(worker->load.timer) && !adit_handle_is_set(worker->busy.timer) &&
           adit_proxy_counters(worker->proxy)->connections_now == 0;
}

static void expect_same(const struct left *a, const struct left *b)
{
    assert_int_equal(a->watches, b->watches);
    assert_int_equal(a->timers, b->timers);
    assert_int_equal(a->chunks, b->chunks);
    assert_int_equal(a->links, b->links);
    assert_int_equal(a->pumps, b->pumps);
    assert_int_equal(a->streams, b->streams);
    assert_int_equal(a->agents, b->agents);
    assert_int_equal(a->binds, b->binds);
    assert_int_equal(a->names, b->names);
    assert_int_equal(a->webs, b->webs);
    assert_int_equal(a->pipes, b->pipes);
    assert_int_equal(a->descriptors, b->descriptors);
}

/* A session with a name, a port, a visitor of each, and a sudden end on either side. */
static void one_session(struct fixture *f, int round)
{
    static const uint8_t get[] = "GET / HTTP/1.1\r\nHost: shop.adit.localhost\r\n\r\n";
    struct adit_address address = {0};
    struct adit_message web = {.type = ADIT_MESSAGE_WEB, .options = ADIT_WEB_PLAIN, .fd_count = 1};
    size_t sent = 0;
    enum adit_io io = ADIT_IO_DONE;
    int listener = -1;
    int visitor = -1;
    int browser = -1;
    log_in(f, 0, &good_hello);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    bind_name(f, 0, ADIT_TUNNEL_HTTP, "shop");
    bind_port(f, 0, &address, &listener);
    assert_ok(adit_socket_connect(&address, &visitor));
    turn_until(f, f->agents[0].streams == 1);
    loopback_pair(&web.fds[0], &browser);
    assert_ok(adit_channel_send(&f->door, &web));
    assert_ok(adit_socket_send(browser, adit_bytes_first(ADIT_BYTES_OF(get), sizeof get - 1),
                               &sent, &io));
    turn_until(f, f->agents[0].streams == 2);
    if (round % 2 == 0) {
        adit_socket_close(&browser);
        adit_socket_close(&visitor);
    }
    adit_link_close(round % 3 == 0 ? &f->worker->hub : &f->hub,
                    round % 3 == 0 ? worker_agent_find(f->worker, (uint64_t)round + 1)->link
                                   : f->agents[0].link,
                    adit_ok());
    (void)expect(f, &f->door, ADIT_MESSAGE_UNBIND);
    (void)expect(f, &f->door, ADIT_MESSAGE_RELEASE);
    turn_until(f, f->agents[0].closes == 1 && f->worker->agents.used == 0);
    adit_socket_close(&browser);
    adit_socket_close(&visitor);
    adit_socket_close(&listener);
}

static void sessions_leave_nothing(void **state)
{
    struct fixture *f = *state;
    struct left before = {0};
    int count = rounds(ROUNDS);
    f->is_serving = true;
    f->worker->options = ADIT_START_HTTP_SERVE;
    for (int i = 0; i < count; i++) {
        one_session(f, i);
        adit_socket_close(&f->program);
        if (i == 0 || i == count - 1) { /* the first makes what is made once */
            turn_until(f, is_settled(f));
            struct left now = left_now(f);
            before = i == 0 ? now : before;
            expect_same(&now, &before);
        }
    }
    assert_int_equal(before.links + before.pumps + before.agents + before.binds + before.chunks, 0);
    assert_int_equal(f->worker->counters.logins, count);
}

static void tunnels_leave_nothing(void **state)
{
    struct fixture *f = *state;
    struct left before = {0};
    int count = rounds(BINDS);
    log_in(f, 0, &good_hello);
    (void)expect(f, &f->door, ADIT_MESSAGE_AGENT_DONE);
    struct agent *agent = worker_agent_find(f->worker, 1);
    turn_until(f, f->worker->load.sessions == 1);
    for (int i = 0; i < count; i++) {
        struct adit_control unbind = {.type = ADIT_CONTROL_UNBIND};
        struct adit_address address = {0};
        int listener = -1;
        agent->asks_full_us = 0; /* as if it had waited */
        bind_port(f, 0, &address, &listener);
        bind_name(f, 0, i % 2 ? ADIT_TUNNEL_HTTP : ADIT_TUNNEL_TLS, "shop");
        unbind.unbind.bind = 1;
        assert_ok(adit_link_send(&f->hub, f->agents[0].link, &unbind));
        (void)expect(f, &f->door, ADIT_MESSAGE_UNBIND);
        unbind.unbind.bind = 7;
        assert_ok(adit_link_send(&f->hub, f->agents[0].link, &unbind));
        (void)expect(f, &f->door, ADIT_MESSAGE_RELEASE);
        adit_socket_close(&listener);
        if (i == 0 || i == count - 1) {
            struct left now = left_now(f);
            before = i == 0 ? now : before;
            expect_same(&now, &before);
        }
    }
    assert_int_equal(before.binds + before.names, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sessions_leave_nothing),
        TEST(tunnels_leave_nothing),
    };
    return cmocka_run_group_tests_name("edge/worker/leaks", tests, NULL, NULL);
}
